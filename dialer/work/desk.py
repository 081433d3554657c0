"""What a caller or an officer asks and must say, by fraud type, and the text of the notice that is left behind.

The conversation so far, for whoever takes the person over; and the stop-payment tasks that came of one.

What a caller has before him: the task in hand with the person in clear, what was said, and who else is at it.

What waits for a caller: the queue by grade, appointments, what asks to be taken over, and his own day.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from functools import cache
from importlib import resources
from typing import Any, Final
from zoneinfo import ZoneInfo

from dialer.cases.persons import MaskedPerson, Person, person_of_case
from dialer.cases.queries import Exchange, conversation
from dialer.cases.search import CaseLine, case_lines
from dialer.cases.store import Spoken, words_of_case
from dialer.cases.timeline import read_case_file
from dialer.core.access import DESK, actor_name
from dialer.core.case import AssignmentState, Case, PaidWhen, StopResult
from dialer.core.timeline import Entry
from dialer.core.values import FEN_PER_YUAN, Answer, FraudType, Track
from dialer.core.work_rules import SUCCESSES
from dialer.db.audit import write_audit
from dialer.db.unit_of_work import Tx
from dialer.org.staff_store import display_names
from dialer.scripts.model import Prompt, filled, needs_verification
from dialer.scripts.reading import prompts_of
from dialer.scripts.rendered import RenderedScript, RenderedScriptMissing, RenderedScripts
from dialer.services import Services
from dialer.work.assignments import (
    Assignment,
    Scope,
    assignment_claimed_by,
    check_assignment_visible,
    get_assignment,
    lock_signed_assignment,
    opened,
    waiting_call_backs,
)
from dialer.work.desk_store import (
    BusyWithPerson,
    CallerDay,
    DeskCall,
    FraudDetails,
    GradeQueue,
    busy_with_person,
    calls_signed_by,
    check_stop_payment_visible,
    day_of_caller,
    desk_calls_of_case,
    desk_queue,
    fraud_details,
    masked_person_of_case,
    transfers_asked,
    waiting_stop_payments,
)
from dialer.work.transfer_store import StopPayment, Transfer, finish_stop_payment, get_transfer

LANGUAGES: Final = ("zh", "en")


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """In one language."""

    title: str
    """What this kind of fraud is called."""
    question: str
    must_say: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeText:
    """劝阻告知书 in one language, ready to be printed."""

    title: str
    paragraphs: tuple[str, ...]


@cache
def _content() -> Mapping[str, Any]:
    return tomllib.loads(resources.files("dialer.work").joinpath("points.toml").read_text(encoding="utf-8"))


def points_of(fraud_type: FraudType, language: str) -> Points:
    """`language` is zh or en."""
    content = _content()[fraud_type.value]
    return Points(**{name: content[name][language] for name in ("title", "question", "must_say")})


def notice_text(fraud_type: FraudType, language: str, *, name: str, bureau: str, hotline: str) -> NoticeText:
    """Addressed to the person."""
    points, content = points_of(fraud_type, language), _content()["notice"]
    blanks = {
        "name": name,
        "bureau": bureau,
        "fraud": points.title,
        "must_say": points.must_say,
        "hotline": hotline,
    }
    return NoticeText(
        title=content["title"][language],
        paragraphs=tuple(paragraph.format(**blanks) for paragraph in content[language]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenTurn:
    """One turn in words: what the person did, then what the robot answered."""

    at: datetime
    n: int
    asked_at: str
    pressed: str
    speech: str
    robot: tuple[str, ...]
    desk: str
    spoke: bool = False
    """They said something; what, is in `speech` where it was opened."""
    typed: str = ""
    """Which fact they typed; what, is in `pressed` where it was opened."""
    sounds: tuple[str, ...] = ()
    """The file of each line of `robot`, as it was played; '' for a line that a voice of the network spoke."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """What the person typed of money that has left; None where they did not."""

    amount_fen: int | None
    payee_account_last4: str | None
    when: PaidWhen | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    assignment: Assignment
    said: tuple[SpokenTurn, ...]
    paid: Paid | None
    """None: nobody said that money has left."""


def show_hand_over(services: Services, assignment_id: int, *, by: str) -> HandOver:
    """Everything that an officer needs before ringing back. Who read it is in the audit. Raises `NotFound`, and
    `Invalid` without a name.
    """
    who = actor_name(by)
    with services.store.begin() as tx:
        assignment = get_assignment(tx, assignment_id)
        write_audit(
            tx,
            who=who,
            act="conversation",
            subject=f"case/{assignment.case_id}",
            why=f"assignment {assignment_id}",
            now=services.clock.now(),
        )
        return hand_over_of(tx, services, assignment)


def hand_over_of(tx: Tx, services: Services, assignment: Assignment) -> HandOver:
    """As `show_hand_over`, for a use case that has written who reads it."""
    turns = conversation(tx, assignment.case_id)
    return HandOver(assignment=assignment, said=said_in(services, turns), paid=paid_in(turns))


def stop_payment_done(
    services: Services, stop_payment_id: int, *, by: str, result: StopResult, visible_to: int | None = None
) -> None:
    """The task is over, and the audit knows by whom. Raises `NotFound`, also for one of a case that the unit `seen_by`
    does not see, `Conflict`, `Invalid`.
    """
    who = actor_name(by)
    now = services.clock.now()
    with services.store.begin() as tx:
        if visible_to is not None:
            check_stop_payment_visible(tx, stop_payment_id, Scope(unit_id=visible_to))
        case_id = finish_stop_payment(tx, stop_payment_id, by=who, result=result, now=now)
        write_audit(
            tx,
            who=who,
            act="stop_payment",
            subject=f"case/{case_id}",
            why=result.value,
            now=now,
            facts={"stop_payment": stop_payment_id},
        )


def said_in(services: Services, turns: Iterable[Exchange]) -> tuple[SpokenTurn, ...]:
    """These turns in words."""
    zone = ZoneInfo(services.centre.timezone)
    voices: dict[tuple[str, int | None, str, str], _Voice] = {}
    told = []
    for turn in turns:
        key = (turn.script_id, turn.script_version_id, turn.audio_hash, turn.language)
        if key not in voices:
            voices[key] = _voice(services.rendered_scripts, turn)
        lines = [voices[key].line(turn, name, turn.at.astimezone(zone).hour) for name in turn.said]
        told.append(
            SpokenTurn(
                at=turn.at,
                n=turn.n,
                asked_at=turn.asked_at,
                pressed=turn.value or turn.key,
                speech=turn.speech,
                robot=tuple(text for text, _ in lines),
                desk=turn.desk,
                spoke=turn.spoke or bool(turn.speech),
                typed=turn.collected,
                sounds=tuple(sound for _, sound in lines),
            )
        )
    return tuple(told)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Voice:
    """What a ring spoke with; without an edition, prompts are told by their names."""

    rendered: RenderedScript | None
    language: str
    prompts: Mapping[str, Prompt]

    def line(self, turn: Exchange, name: str, hour: int) -> tuple[str, str]:
        """As spoken, and its file; a prompt that the script does not have any more is told by its name."""
        prompt = self.prompts.get(name)
        if self.rendered is None or prompt is None:
            return name, ""
        script = self.rendered.script
        for language in script.voices_of(self.language):
            recorded = self.rendered.recordings.get((language, name), "")
            if language not in prompt.texts and not recorded:
                continue
            text = prompt.texts.get(language) or prompt.texts[script.voices_of(language)[-1]]
            # A blank that holds something personal stays a blank here.
            if needs_verification(script, text):
                return text, ""
            told = filled(script, text, language, {}, hour)
            file = recorded or self.rendered.by_text.get((language, told), "")
            return told, "" if name in turn.unsound else file
        return name, ""


def _voice(rendered_scripts: RenderedScripts, turn: Exchange) -> _Voice:
    try:
        found = rendered_scripts.of(turn.script_id, turn.script_version_id, turn.audio_hash)
    except RenderedScriptMissing:
        return _Voice(rendered=None, language=turn.language, prompts={})
    prompts = {prompt.id: prompt for prompt in prompts_of(found.script)}
    return _Voice(rendered=found, language=turn.language, prompts=prompts)


def paid_in(turns: Iterable[Exchange]) -> Paid | None:
    turns = list(turns)
    if not any(turn.answer is Answer.ALREADY_PAID for turn in turns):
        return None
    typed = {turn.collected: turn.value for turn in turns if turn.collected}
    yuan = typed.get("paid_yuan", "")
    when = typed.get("paid_when", "")
    return Paid(
        amount_fen=int(yuan) * FEN_PER_YUAN if yuan.isdecimal() else None,
        payee_account_last4=typed.get("payee_account_last4") or None,
        when=PaidWhen(when) if when in set(PaidWhen) else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What only the holder of an opened claim sees."""

    person: Person
    hand_over: HandOver
    words: tuple[Spoken, ...]
    """What people wrote about the case."""
    warned: FraudDetails | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskView:
    """A task as it lies on a desk."""

    assignment: Assignment
    is_held: bool
    """By whoever asks."""
    case: Case
    unit: str
    masked: MaskedPerson
    opened: Opened | None
    timeline: tuple[Entry, ...]
    stop_payments: tuple[StopPayment, ...]
    calls: tuple[DeskCall, ...]
    """Put through for this task, oldest first."""
    beside: tuple[BusyWithPerson, ...]
    names: Mapping[str, str]
    """Whoever is named here by login."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskState:
    """What of a task may change while somebody works on it."""

    assignment: Assignment
    is_held: bool
    calls: tuple[DeskCall, ...]
    beside: tuple[BusyWithPerson, ...]
    names: Mapping[str, str]


def task_in_hand(services: Services, *, by: str) -> int | None:
    """The call that this desk has a running claim on."""
    with services.store.begin() as tx:
        return assignment_claimed_by(tx, actor_name(by), kind=Track.HUMAN, real_now=services.real.now())


def open_task(services: Services, assignment_id: int, *, by: str, token: int) -> None:
    """The holder of this claim sees the person and the conversation from now on; in the audit, once a claim. Raises
    `Overtaken`.
    """
    who = actor_name(by)
    with services.store.begin() as tx:
        held = lock_signed_assignment(tx, assignment_id, by=who, token=token)
        if held.is_opened:
            return
        opened(tx, held)
        now, subject = services.clock.now(), f"case/{held.case_id}"
        facts = {"assignment_id": held.id, "token": held.token}
        for act in ("reveal", "conversation"):
            write_audit(tx, who=who, act=act, subject=subject, why="desk", now=now, facts=facts)


def show_bench(services: Services, assignment_id: int, *, by: str, scope: Scope) -> DeskView:
    """Masked where the claim was not opened or is somebody else's. Raises `NotFound`, also for work of other units."""
    with services.store.begin() as tx:
        check_assignment_visible(tx, assignment_id, scope)
        assignment = get_assignment(tx, assignment_id)
        file = read_case_file(tx, assignment.case_id)
        is_held = _holds(assignment, by)
        beside = busy_with_person(tx, person_id=file.stored.person_id, assignment_id=assignment_id, by=by)
        return DeskView(
            assignment=assignment,
            is_held=is_held,
            case=file.stored.case,
            unit=assignment.unit or file.stored.unit,
            masked=file.person,
            opened=_opened(tx, services, assignment) if is_held and assignment.is_opened else None,
            timeline=file.timeline,
            stop_payments=tuple(waiting_stop_payments(tx, scope, case_id=assignment.case_id)),
            calls=_calls(tx, assignment),
            beside=beside,
            names=_names(tx, assignment, beside),
        )


def read_task_state(
    services: Services, assignment_id: int, *, by: str, token: int, scope: Scope
) -> TaskState:
    """Raises `NotFound`, also for work of other units."""
    with services.store.begin() as tx:
        check_assignment_visible(tx, assignment_id, scope)
        assignment = get_assignment(tx, assignment_id)
        person_id = masked_person_of_case(tx, assignment.case_id)
        beside = busy_with_person(tx, person_id=person_id, assignment_id=assignment_id, by=by)
        return TaskState(
            assignment=assignment,
            is_held=_holds(assignment, by) and assignment.token == token,
            calls=_calls(tx, assignment),
            beside=beside,
            names=_names(tx, assignment, beside),
        )


def check_task_visible(services: Services, assignment_id: int, *, scope: Scope) -> None:
    """Raises `NotFound`."""
    with services.store.begin() as tx:
        check_assignment_visible(tx, assignment_id, scope)


def _holds(assignment: Assignment, by: str) -> bool:
    return assignment.state is AssignmentState.SIGNED and assignment.signed_by == by


def _calls(tx: Tx, assignment: Assignment) -> tuple[DeskCall, ...]:
    return tuple(
        call for call in desk_calls_of_case(tx, assignment.case_id) if call.assignment_id == assignment.id
    )


def _names(tx: Tx, assignment: Assignment, beside: Iterable[BusyWithPerson]) -> dict[str, str]:
    return display_names(tx, {assignment.signed_by, assignment.done_by or "", *(one.who for one in beside)})


def _opened(tx: Tx, services: Services, assignment: Assignment) -> Opened:
    person = person_of_case(tx, assignment.case_id)
    assert person is not None  # a case has one
    return Opened(
        person=person,
        hand_over=hand_over_of(tx, services, assignment),
        words=tuple(words_of_case(tx, assignment.case_id)),
        warned=fraud_details(tx, assignment.case_id),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """A call at an agreed time, kept for whoever agreed on it."""

    assignment_id: int
    case_id: int
    at: datetime
    kept_for: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The queue and the own day: what may stand beside a task, too."""

    queue: tuple[GradeQueue, ...]
    today: CallerDay
    handed_over: tuple[Assignment, ...]
    """Whom the duty line has, or had, on the telephone and no desk has taken; the latest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskOverview:
    """A desk without a task in hand. `lines` are the cases of everything named here, masked."""

    overview: Overview
    signed: tuple[Assignment, ...]
    """Signed for by this caller, and on no desk."""
    appointments: tuple[Appointment, ...]
    transfers: tuple[Transfer, ...]
    stop_payments: tuple[StopPayment, ...]
    lines: Mapping[int, CaseLine]
    names: Mapping[str, str]
    """Whoever is named here by login."""


def show_overview(services: Services, *, by: str, scope: Scope) -> Overview:
    with services.store.begin() as tx:
        return _overview(tx, services, by=actor_name(by), scope=scope)


def show_desk(services: Services, *, by: str, scope: Scope) -> DeskOverview:
    """What these units have for a caller."""
    who = actor_name(by)
    with services.store.begin() as tx:
        overview = _overview(tx, services, by=who, scope=scope)
        signed = tuple(get_assignment(tx, one) for one in calls_signed_by(tx, who, scope))
        appointments = tuple(
            Appointment(assignment_id=one, case_id=case_id, at=at, kept_for=kept_for)
            for one, case_id, at, kept_for in waiting_call_backs(tx, scope=scope, limit=50)
        )
        asked = transfers_asked(tx, scope, kind=Track.HUMAN)
        waiting = tuple(get_transfer(tx, one) for one in asked)
        payments = tuple(waiting_stop_payments(tx, scope))
        cases = {
            *(one.case_id for one in (*overview.handed_over, *signed)),
            *(one.case_id for one in waiting),
            *(one.case_id for one in appointments),
            *(one.case_id for one in payments),
        }
        names = display_names(tx, {*(one.kept_for for one in appointments), *(one.by for one in waiting)})
        lines = {line.id: line for line in case_lines(tx, sorted(cases))} if cases else {}
    return DeskOverview(
        overview=overview,
        signed=signed,
        appointments=appointments,
        transfers=waiting,
        stop_payments=payments,
        lines=lines,
        names=names,
    )


def calls_handed_over(services: Services, *, scope: Scope) -> tuple[Assignment, ...]:
    """Whom the duty line has, or had, on the telephone and no desk has taken; the latest first."""
    with services.store.begin() as tx:
        return _handed_over(tx, scope)


def _handed_over(tx: Tx, scope: Scope) -> tuple[Assignment, ...]:
    found = [get_assignment(tx, one) for one in calls_signed_by(tx, DESK, scope)]
    return tuple(sorted(found, key=lambda one: one.signed_at or one.opened_at, reverse=True))


def _overview(tx: Tx, services: Services, *, by: str, scope: Scope) -> Overview:
    now = services.clock.now()
    zone = ZoneInfo(services.centre.timezone)
    midnight = datetime.combine(now.astimezone(zone).date(), time.min, tzinfo=zone)
    return Overview(
        queue=tuple(desk_queue(tx, scope, now=now)),
        today=day_of_caller(tx, by, since=midnight, successes=SUCCESSES),
        handed_over=_handed_over(tx, scope),
    )
