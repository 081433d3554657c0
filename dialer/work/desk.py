"""What the desk shows: the task in hand with the conversation so far, or without one the overview; and the texts by
fraud type that a caller says and an officer leaves with the person.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

from dialer.calls.recordings import wants_recording
from dialer.cases.persons import MaskedPerson, Person, person_of_case
from dialer.cases.queries import ConversationTurn, read_conversation
from dialer.cases.reveals import note_work_reveal
from dialer.cases.search import CaseLine, case_lines
from dialer.cases.store import WrittenAct, words_of_case
from dialer.cases.timeline import read_case_file
from dialer.core.access import DESK, Actor, Permission, actor_name
from dialer.core.case import Case, PaidWhen, Reason, StopResult
from dialer.core.periods import midnight
from dialer.core.reach import HeardPrompt
from dialer.core.timeline import Entry
from dialer.core.values import FEN_PER_YUAN, Answer, FraudType, Track
from dialer.db.unit_of_work import Tx
from dialer.runtime.services import Services
from dialer.scripts.model import Prompt, fill_template, needs_verification
from dialer.scripts.reading import prompts_of
from dialer.scripts.rendered import RenderedScript, RenderedScriptMissing, RenderedScripts
from dialer.staff.store import display_names
from dialer.work.assignments import (
    Assignment,
    Scope,
    assignment_claimed_by,
    calls_signed_by,
    check_assignment_visible,
    get_assignment,
    lock_signed_assignment,
    mark_assignment_opened,
    waiting_call_backs,
)
from dialer.work.desk_store import (
    BusyWithPerson,
    CallerDay,
    DeskCall,
    FraudDetails,
    GradeQueue,
    StopPayment,
    busy_with_person,
    day_of_caller,
    desk_calls_of_case,
    desk_queue,
    finish_stop_payment,
    fraud_details,
    waiting_stop_payments,
)
from dialer.work.inbound_store import RingingCall, ringing_for
from dialer.work.stop_requests import StopRequest, waiting_stop_requests
from dialer.work.transfer_store import Transfer, waiting_transfers


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPoints:
    """What a caller says about one type of fraud, in one language."""

    title: str
    """The name of this kind of fraud."""
    question: str
    must_say: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeText:
    """劝阻告知书 in one language, ready to be printed."""

    title: str
    paragraphs: tuple[str, ...]


@cache
def _read_points() -> Mapping[str, Any]:
    return tomllib.loads(resources.files("dialer.work").joinpath("points.toml").read_text(encoding="utf-8"))


def call_points(fraud_type: FraudType, language: str) -> CallPoints:
    """What a caller says about this type of fraud; `language` is zh or en."""
    content = _read_points()[fraud_type.value]
    return CallPoints(**{name: content[name][language] for name in ("title", "question", "must_say")})


def notice_text(fraud_type: FraudType, language: str, *, name: str, bureau: str, hotline: str) -> NoticeText:
    """The notice 劝阻告知书 about this type of fraud, addressed to the person `name`; `language` is zh or en."""
    points, content = call_points(fraud_type, language), _read_points()["notice"]
    of_fraud = {"fraud": points.title, "must_say": points.must_say}
    return NoticeText(
        title=content["title"][language],
        paragraphs=tuple(
            text.format(name=name, bureau=bureau, hotline=hotline, **of_fraud) for text in content[language]
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenTurn:
    """One turn in words: what the person did, then what the robot answered."""

    at: datetime
    n: int
    asked_at: str
    pressed: str
    wrong_key: bool
    """The keys that the person pressed are no choice of the question."""
    speech: str
    robot: tuple[str, ...]
    desk: str
    spoke: bool
    """Whether the person said something; the words are in `speech` if the conversation was opened."""
    typed: str
    """Which fact the person typed; the digits are in `pressed` if the conversation was opened."""
    sounds: tuple[str, ...]
    """The file of each line of `robot`, as it was played; '' for a line that a voice of the network spoke."""
    heard: tuple[HeardPrompt | None, ...]
    """How much of each line of `robot` was heard in the call; None: not known, or still being spoken."""
    languages: tuple[str, ...]
    """The language of each line of `robot`; '' for that of the call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedPayment:
    """What the person typed about money already paid; None for what was not typed."""

    amount_fen: int | None
    payee_account_last4: str | None
    when: PaidWhen | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOverSheet:
    """What the robot and the person have said, for the caller who calls back."""

    assignment: Assignment
    said: tuple[SpokenTurn, ...]
    paid: ReportedPayment | None
    """The payment that the person reported; None without one."""


def show_hand_over(services: Services, actor: Actor, assignment_id: int) -> HandOverSheet:
    """Everything that an officer needs before calling back; the audit records the reader. Raises `NotFound`."""
    with services.act(actor, Permission.WORK_DESK, Permission.WORK_VISITS) as act:
        assignment = get_assignment(act.tx, assignment_id)
        subject, why = f"case/{assignment.case_id}", f"assignment {assignment_id}"
        note_work_reveal(act.tx, services, who=act.by, act="conversation", subject=subject, why=why)
        return hand_over_of(act.tx, services, assignment)


def hand_over_of(tx: Tx, services: Services, assignment: Assignment) -> HandOverSheet:
    """As `show_hand_over`, for an action that writes the audit itself."""
    turns = read_conversation(tx, assignment.case_id)
    return HandOverSheet(
        assignment=assignment, said=spoken_turns(services, turns), paid=reported_payment(turns)
    )


def complete_stop_payment(
    services: Services, actor: Actor, stop_payment_id: int, *, result: StopResult
) -> None:
    """Ends the stop-payment task with its result; the audit records who did. Raises `NotFound`, also for a task of a
    case that neither the actor nor the actor's unit works on, `Conflict`, `Invalid`.
    """
    with services.act(actor, Permission.WORK_DESK) as act:
        scope = Scope(unit_id=actor.unit_id)
        case_id = finish_stop_payment(
            act.tx, stop_payment_id, scope=scope, by=act.by, result=result, now=act.now
        )
        facts = {"stop_payment": stop_payment_id}
        act.audit("stop_payment", f"case/{case_id}", why=result.value, facts=facts)


def spoken_turns(services: Services, turns: Iterable[ConversationTurn]) -> tuple[SpokenTurn, ...]:
    """These turns in words, as they were spoken."""
    zone = services.centre.zone
    voices: dict[tuple[str, int | None, str, str], _Voice] = {}
    spoken = []
    for turn in turns:
        key = (turn.script_id, turn.script_version_id, turn.audio_hash, turn.language)
        if key not in voices:
            voices[key] = _voice(services.rendered_scripts, turn)
        hour = turn.at.astimezone(zone).hour
        lines = [
            voices[key].line(turn, name, language, hour)
            for name, language in zip(turn.said, turn.languages, strict=True)
        ]
        spoken.append(
            SpokenTurn(
                at=turn.at,
                n=turn.n,
                asked_at=turn.asked_at,
                pressed=turn.value or turn.key,
                wrong_key=turn.wrong_key,
                speech=turn.speech,
                robot=tuple(text for text, _ in lines),
                desk=turn.desk,
                spoke=turn.spoke or bool(turn.speech),
                typed=turn.collected,
                sounds=tuple(sound for _, sound in lines),
                heard=tuple(turn.heard.get(line) for line in zip(turn.said, turn.languages, strict=True)),
                languages=turn.languages,
            )
        )
    return tuple(spoken)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Voice:
    """What a call spoke with; without a rendered script, a prompt is shown by its name."""

    rendered: RenderedScript | None
    language: str
    prompts: Mapping[str, Prompt]

    def line(self, turn: ConversationTurn, name: str, chosen: str, hour: int) -> tuple[str, str]:
        """The text of a prompt as it was spoken, in the language `chosen` or, for '', in the call's own, and its sound
        file; a prompt that the script no longer has is shown by its name.
        """
        prompt = self.prompts.get(name)
        if self.rendered is None or prompt is None:
            return name, ""
        script = self.rendered.script
        for language in script.voices_of(chosen or self.language):
            recorded = self.rendered.recordings.get((language, name), "")
            if language not in prompt.texts and not recorded:
                continue
            text = prompt.texts.get(language) or prompt.texts[script.voices_of(language)[-1]]
            # A variable for personal data stays a blank here.
            if needs_verification(script, text):
                return text, ""
            spoken = fill_template(script, text, language, {}, hour)
            file = recorded or self.rendered.files_by_text.get((language, spoken), "")
            return spoken, "" if name in turn.unsound else file
        return name, ""


def _voice(rendered_scripts: RenderedScripts, turn: ConversationTurn) -> _Voice:
    try:
        found = rendered_scripts.of(turn.script_id, turn.script_version_id, turn.audio_hash)
    except RenderedScriptMissing:
        return _Voice(rendered=None, language=turn.language, prompts={})
    prompts = {prompt.id: prompt for prompt in prompts_of(found.script)}
    return _Voice(rendered=found, language=turn.language, prompts=prompts)


def reported_payment(turns: Iterable[ConversationTurn]) -> ReportedPayment | None:
    """The payment that the person reported in these turns; None without one."""
    turns = list(turns)
    if not any(turn.answer is Answer.ALREADY_PAID for turn in turns):
        return None
    typed = {turn.collected: turn.value for turn in turns if turn.collected}
    yuan = typed.get("paid_yuan", "")
    when = typed.get("paid_when", "")
    return ReportedPayment(
        amount_fen=int(yuan) * FEN_PER_YUAN if yuan.isdecimal() else None,
        payee_account_last4=typed.get("payee_account_last4") or None,
        when=PaidWhen(when) if when in set(PaidWhen) else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedPerson:
    """What only the holder of an opened claim sees."""

    person: Person
    hand_over: HandOverSheet
    words: tuple[WrittenAct, ...]
    """What people wrote about the case."""
    fraud: FraudDetails | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskState:
    """The part of a task that may change while its page is open."""

    assignment: Assignment
    is_held: bool
    """The reader holds the task, under the current claim."""
    calls: tuple[DeskCall, ...]
    """Calls put through for this task, oldest first."""
    beside: tuple[BusyWithPerson, ...]
    names: Mapping[str, str]
    """Display names by login."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskView(TaskState):
    """A task with everything that its holder works with."""

    case: Case
    unit: str
    masked: MaskedPerson
    opened: OpenedPerson | None
    timeline: tuple[Entry, ...]
    stop_payments: tuple[StopPayment, ...]
    is_recorded: bool
    """A call from the desk is recorded."""

    @property
    def is_to_family(self) -> bool:
        """Whether the task is a call to the family, not to the person."""
        return self.assignment.reason is Reason.FAMILY_CALL


def task_in_hand(services: Services, *, by: str) -> int | None:
    """The id of the call that this person has under a running lease; None without one."""
    with services.store.begin() as tx:
        return assignment_claimed_by(tx, actor_name(by), real_now=services.real.now())


def open_task(services: Services, actor: Actor, assignment_id: int, *, token: int) -> None:
    """Opens the person's data and the conversation to the holder of this claim, with a line in the audit once for each
    claim. Raises `Overtaken`.
    """
    with services.act(actor, Permission.WORK_DESK) as act:
        held = lock_signed_assignment(act.tx, assignment_id, by=act.by, token=token)
        if held.is_opened:
            act.needs_no_record()
            return
        mark_assignment_opened(act.tx, held)
        subject, facts = f"case/{held.case_id}", {"assignment_id": held.id, "token": held.token}
        for name in ("reveal", "conversation"):
            note_work_reveal(act.tx, services, who=act.by, act=name, subject=subject, why="desk", facts=facts)


def show_task(services: Services, assignment_id: int, *, by: str, scope: Scope) -> DeskView:
    """The task, masked if the claim was not opened or is somebody else's. Raises `NotFound`, also for work of other
    units.
    """
    with services.store.begin() as tx:
        state = _task_state(tx, assignment_id, by=by, scope=scope)
        assignment = state.assignment
        file = read_case_file(tx, assignment.case_id)
        shown = {name: getattr(state, name) for name in TaskState.__dataclass_fields__}
        return DeskView(
            **shown,
            case=file.stored.case,
            unit=assignment.unit or file.stored.unit,
            masked=file.person,
            opened=_opened(tx, services, assignment) if state.is_held and assignment.is_opened else None,
            timeline=file.timeline,
            stop_payments=tuple(waiting_stop_payments(tx, case_id=assignment.case_id)),
            is_recorded=wants_recording(services, file.stored),
        )


def read_task_state(services: Services, assignment_id: int, *, by: str, scope: Scope) -> TaskState:
    """The part of a task that may change while its page is open. Raises `NotFound`, also for work of other units."""
    with services.store.begin() as tx:
        return _task_state(tx, assignment_id, by=by, scope=scope)


def _task_state(tx: Tx, assignment_id: int, *, by: str, scope: Scope) -> TaskState:
    check_assignment_visible(tx, assignment_id, scope)
    assignment = get_assignment(tx, assignment_id)
    beside = busy_with_person(tx, assignment, by=by)
    calls = desk_calls_of_case(tx, assignment.case_id)
    return TaskState(
        assignment=assignment,
        is_held=assignment.is_held_by(by),
        calls=tuple(call for call in calls if call.assignment_id == assignment_id),
        beside=beside,
        names=display_names(tx, {assignment.signed_by, assignment.done_by, *(busy.who for busy in beside)}),
    )


def _opened(tx: Tx, services: Services, assignment: Assignment) -> OpenedPerson:
    person = person_of_case(tx, assignment.case_id)
    assert person is not None  # a case has one
    return OpenedPerson(
        person=person,
        hand_over=hand_over_of(tx, services, assignment),
        words=tuple(words_of_case(tx, assignment.case_id)),
        fraud=fraud_details(tx, assignment.case_id),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The queue and the caller's own day."""

    queue: tuple[GradeQueue, ...]
    today: CallerDay
    handed_over: tuple[Assignment, ...]
    """Calls that the duty line has or had and no desk has taken; the latest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskOverview(Overview):
    """A desk without a task in hand. `lines` are the cases of everything named here, masked."""

    signed: tuple[Assignment, ...]
    """Signed for by this caller."""
    appointments: tuple[Assignment, ...]
    transfers: tuple[Transfer, ...]
    stop_payments: tuple[StopPayment, ...]
    stop_requests: tuple[StopRequest, ...]
    """Requests that banks have not answered, the first to follow up first."""
    lines: Mapping[int, CaseLine]
    names: Mapping[str, str]
    """Display names by login."""
    ringing: tuple[RingingCall, ...]
    """Inbound calls for which this caller's telephone rings."""


def show_overview(services: Services, *, by: str, scope: Scope) -> Overview:
    """The overview that is shown beside a task in hand."""
    with services.store.begin() as tx:
        return _overview(tx, services, by=actor_name(by), scope=scope)


def show_desk(services: Services, *, by: str, scope: Scope) -> DeskOverview:
    """The desk of a caller without a task in hand, with the work of these units."""
    who = actor_name(by)
    with services.store.begin() as tx:
        overview = _overview(tx, services, by=who, scope=scope)
        signed = calls_signed_by(tx, who, scope)
        appointments = waiting_call_backs(tx, scope=scope, limit=50)
        transfers = waiting_transfers(tx, into=scope.unit_id, kind=Track.HUMAN, limit=20)
        payments = waiting_stop_payments(tx, scope=scope, limit=20)
        requests = waiting_stop_requests(tx, scope=scope, limit=20)
        ringing = tuple(ringing_for(tx, who))
        work = (*overview.handed_over, *signed, *appointments)
        cases = {task.case_id for task in work} | {transfer.case_id for transfer in transfers}
        cases |= (
            {payment.case_id for payment in payments}
            | {request.case_id for request in requests}
            | {call.case_id for call in ringing}
        )
        named = {
            *(appointment.kept_for or "" for appointment in appointments),
            *(transfer.by for transfer in transfers),
        }
        named |= {request.recorded_by for request in requests}
        return DeskOverview(
            queue=overview.queue,
            today=overview.today,
            handed_over=overview.handed_over,
            signed=tuple(signed),
            appointments=tuple(appointments),
            transfers=tuple(transfers),
            stop_payments=tuple(payments),
            stop_requests=tuple(requests),
            lines={line.id: line for line in case_lines(tx, sorted(cases))} if cases else {},
            names=display_names(tx, named),
            ringing=ringing,
        )


def calls_handed_over(services: Services, *, scope: Scope) -> tuple[Assignment, ...]:
    """Calls that the duty line has or had and no desk has taken; the latest first."""
    with services.store.begin() as tx:
        return _handed_over(tx, scope)


def _handed_over(tx: Tx, scope: Scope) -> tuple[Assignment, ...]:
    found = calls_signed_by(tx, DESK, scope)
    return tuple(sorted(found, key=lambda task: task.signed_at or task.opened_at, reverse=True))


def _overview(tx: Tx, services: Services, *, by: str, scope: Scope) -> Overview:
    now, zone = services.clock.now(), services.centre.timezone
    today = now.astimezone(ZoneInfo(zone)).date()
    return Overview(
        queue=tuple(desk_queue(tx, scope, now=now)),
        today=day_of_caller(tx, by, since=midnight(today, zone)),
        handed_over=_handed_over(tx, scope),
    )
