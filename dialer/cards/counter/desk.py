"""The verification desk 核查席: an outlet asks while its customer waits, an officer claims the question and answers it
with a reason and its legal basis, and a team may go to the outlet. The clocks are those of the customer, in real
seconds. Silence never refuses: after `lapse_seconds` the outlet decides by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from dialer.cards.counter.desk_store import (
    add_note,
    arrive_onsite_check,
    ask_about,
    change_question,
    count_open_before,
    count_open_questions,
    desk_version,
    end_onsite_check,
    insert_onsite,
    lapse_waiting_since,
    lock_question,
    newest_question,
    open_question_about,
    opened_words,
    question_with,
    questions_shown,
    result_of_opening,
)
from dialer.cards.counter.possible_victims import (
    open_warning,
    waits_for_desk,
    warn_unanswered,
)
from dialer.cards.counter.store import case_of_opening, last_check
from dialer.cards.openings.checks import CheckFinding
from dialer.cards.openings.store import (
    Outlet,
    masked_opener,
    opening_personal,
    openings_with,
    outlet_of,
    own_opening,
)
from dialer.cases.reveals import note_work_reveal
from dialer.core.access import Actor, Permission, required_text
from dialer.core.cards import (
    QUESTION_MOVES,
    CardProduct,
    CheckVerdict,
    DeskAnswer,
    OnsiteFinding,
    OpeningResult,
    QuestionEvent,
    QuestionState,
)
from dialer.core.errors import Conflict, Invalid, Overtaken
from dialer.core.events import AlarmCode
from dialer.core.second_person import state_after
from dialer.core.text import Text, gettext_noop
from dialer.db.acts import OpenAct
from dialer.db.alarms import raise_alarm_once
from dialer.db.unit_of_work import Row, Tx, record_of
from dialer.intake.records import hide_numbers
from dialer.runtime.sections import CardsSettings
from dialer.runtime.services import Services

_ACT = Permission.ANSWER_OUTLETS
_SHOWN = timedelta(hours=12)


class WaitStage(StrEnum):
    """How long a question has waited, as the desk shows it."""

    NEW = "new"
    LATE = "late"
    SECOND = "second"
    OVER = "over"


def stage_of(asked_at: datetime, *, now: datetime, rules: CardsSettings) -> WaitStage:
    """The stage of a question, by how long the customer has waited."""
    seconds = (now - asked_at).total_seconds()
    if seconds >= rules.lapse_seconds:
        return WaitStage.OVER
    if seconds >= rules.second_seconds:
        return WaitStage.SECOND
    return WaitStage.LATE if seconds >= rules.remind_seconds else WaitStage.NEW


@dataclass(frozen=True, slots=True, kw_only=True)
class Onsite:
    """A check on the spot. Times are real times."""

    id: int
    team: str
    ordered_at: datetime
    arrived_at: datetime | None
    ended_at: datetime | None
    persons: int | None
    finding: OnsiteFinding | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskQuestion:
    """A question with what is known of its opening. Names and numbers are masked, except for the officer who has
    claimed it. Times are real times.
    """

    id: int
    opening_id: int
    outlet: Outlet
    state: QuestionState
    stage: WaitStage
    seconds: float
    """From the question to the answer, or until now."""
    asked_at: datetime
    asked_by: str
    note: str
    claimed_by: str
    answer: DeskAnswer | None
    reason: str
    basis: str
    answered_by: str
    product: CardProduct
    result: OpeningResult
    verdict: CheckVerdict
    findings: tuple[CheckFinding, ...]
    person: Mapping[str, Any]
    age: int | None
    ring_id: int | None
    onsite: Onsite | None
    waits_for_desk: bool
    """Only the outlet says that the customer may be a victim: the desk speaks with the customer first."""
    case_id: int | None
    """The case of the warning about the customer, if the question was read for one officer."""


def ask_desk(services: Services, actor: Actor, opening_id: int, *, note: str, outlet_id: int) -> int:
    """Asks the desk about an opening in progress of the outlet; returns the id of the question. An opening has one open
    question at a time: asking again returns that one, with the note if it had none. Raises `NotFound`, and `Conflict`
    for an opening that has its result or was not checked.
    """
    real = services.real.now()
    with services.act(actor, Permission.ENTER_OPENINGS) as act:
        outlet = outlet_of(act.tx, outlet_id)
        row = own_opening(act.tx, opening_id, outlet_id=outlet_id, lock=True)
        if row["result"] != OpeningResult.IN_PROGRESS.value:
            raise Conflict("this opening has its result already", current=row["result"])
        checked = last_check(act.tx, opening_id)
        if checked is None:
            raise Conflict("check the opening first", current="unchecked")
        open_id = open_question_about(act.tx, opening_id)
        if open_id is not None:
            if add_note(act.tx, open_id, note.strip(), real_now=real):
                _note(act, "ask_desk", open_id, {"outlet": outlet.code})
            else:
                act.needs_no_record()
            return open_id
        return ask_about(
            act, opening_id, check_id=checked["id"], outlet=outlet, note=note.strip(), real_now=real
        )


def _note(
    act: OpenAct, name: str, question_id: int, facts: Mapping[str, object] | None = None, why: str = ""
) -> None:
    act.audit(name, f"card_question/{question_id}", why=why, facts=facts)


def lapse_questions(services: Services) -> int:
    """Ends questions that nobody answered in time, which leaves the decision to the outlet, raises an alarm, and warns
    possible victims to whom the desk should have spoken; returns how many questions ended.
    """
    real, now = services.real.now(), services.clock.now()
    before = real - timedelta(seconds=services.cards.lapse_seconds)
    with services.store.begin() as tx:
        lapsed = lapse_waiting_since(tx, before, real_now=real)
        if lapsed:
            raise_alarm_once(tx, AlarmCode.CARD_QUESTION_LAPSED, now=now, facts={"count": len(lapsed)})
        is_warned = warn_unanswered(tx, services, lapsed, now=now)
    if is_warned:
        services.enqueue("dial")
    return len(lapsed)


def _after(row: Row, event: QuestionEvent, *, otherwise: str) -> QuestionState:
    return state_after(QUESTION_MOVES, QuestionState(row["state"]), event, otherwise=otherwise)


def claim_question(services: Services, actor: Actor, question_id: int) -> None:
    """The officer claims the question. From `second_seconds` on a second officer can take it over. Raises `NotFound`,
    `Overtaken` and `Conflict`.
    """
    real, closed = services.real.now(), gettext_noop("this question is not open any more")
    with services.act(actor, _ACT) as act:
        row = lock_question(act.tx, question_id, visible_to=actor.unit_id)
        after = _after(row, QuestionEvent.CLAIMED, otherwise=closed)
        holder = row["claimed_by"]
        if holder is not None and actor.signed(holder):
            act.needs_no_record()
            return
        stage = stage_of(row["asked_at"], now=real, rules=services.cards)
        if holder is not None and stage not in {WaitStage.SECOND, WaitStage.OVER}:
            raise Overtaken(Text("%(who)s has this question already", who=holder), who=holder, what="claimed")
        change_question(
            act.tx, question_id, real_now=real, state=after.value, claimed_by=act.by, claimed_at=real
        )
        _note(act, "claim_question", question_id, {} if holder is None else {"from": holder})


def answer_question(
    services: Services, actor: Actor, question_id: int, *, answer: DeskAnswer, reason: str, basis: str
) -> None:
    """Stores the answer of the officer who has claimed the question; the outlet still decides. A late answer is
    accepted until the outlet has decided. Raises `NotFound`, `Invalid` without reason or basis, and `Conflict`.
    """
    real = services.real.now()
    with services.act(actor, _ACT) as act:
        row = lock_question(act.tx, question_id, visible_to=actor.unit_id)
        if row["state"] == QuestionState.OVERTAKEN.value:
            raise Conflict("the outlet has decided meanwhile", current=row["state"])
        if row["state"] == QuestionState.ANSWERED.value:
            raise Conflict("this question is answered already", current=row["state"])
        if not actor.signed(row["claimed_by"] or ""):
            raise Conflict("claim the question first", current=row["state"])
        after = _after(row, QuestionEvent.ANSWERED, otherwise=gettext_noop("claim the question first"))
        result = result_of_opening(act.tx, row["opening_id"])
        if result != OpeningResult.IN_PROGRESS.value:
            raise Conflict("the outlet has decided meanwhile", current=result)
        why, law = required_text("reason", reason), required_text("basis", basis)
        change_question(
            act.tx,
            question_id,
            real_now=real,
            reason=why,
            state=after.value,
            answer=answer.value,
            basis=law,
            answered_by=act.by,
            answered_at=real,
        )
        _note(act, "answer_question", question_id, {"answer": answer.value}, why)


def warn_customer(services: Services, actor: Actor, question_id: int) -> int | None:
    """Opens a warning about the customer, whom the robot then calls; returns its case, None if the customer left no
    phone that may be called or the warning waits for a person. The officer has claimed the question. Raises
    `NotFound`, and `Conflict` when the question is somebody else's or the warning is open already.
    """
    with services.act(actor, _ACT) as act:
        row = lock_question(act.tx, question_id, visible_to=actor.unit_id)
        if not actor.signed(row["claimed_by"] or ""):
            raise Conflict("claim the question first", current=row["state"])
        known = case_of_opening(act.tx, row["opening_id"])
        if known is not None:
            raise Conflict("the customer is warned already", current=str(known))
        [opening] = openings_with(act.tx, [row["opening_id"]])
        case_id = open_warning(act.tx, services, opening, now=act.now)
        change_question(act.tx, question_id, real_now=services.real.now())
        _note(act, "warn_customer", question_id, {} if case_id is None else {"case": case_id})
    services.enqueue("dial")
    return case_id


def order_onsite(services: Services, actor: Actor, question_id: int, *, team: str) -> None:
    """Orders a team to the outlet. Raises `NotFound`, `Invalid` without a team, and `Conflict` when one is ordered
    already.
    """
    real, people = services.real.now(), required_text("team", team)
    with services.act(actor, _ACT) as act:
        row = lock_question(act.tx, question_id, visible_to=actor.unit_id)
        if not insert_onsite(act, question_id, outlet_id=row["outlet_id"], team=people, real_now=real):
            raise Conflict("a team is ordered already", current="ordered")
        change_question(act.tx, question_id, real_now=real)
        _note(act, "order_onsite", question_id, {"team": people})


def arrive_onsite(services: Services, actor: Actor, question_id: int) -> None:
    """Records the arrival of the team. Raises `NotFound`, and `Conflict` when no team is on its way."""
    real = services.real.now()
    with services.act(actor, _ACT) as act:
        lock_question(act.tx, question_id, visible_to=actor.unit_id)
        if not arrive_onsite_check(act.tx, question_id, real_now=real):
            raise Conflict("no team is on its way", current="arrived")
        change_question(act.tx, question_id, real_now=real)
        _note(act, "arrive_onsite", question_id)


def end_onsite(
    services: Services, actor: Actor, question_id: int, *, finding: OnsiteFinding, persons: int, note: str
) -> None:
    """Records what the team found and how many persons it checked. Raises `NotFound`, `Invalid`, and `Conflict` before
    the arrival and after the end.
    """
    real = services.real.now()
    if persons < 0:
        raise Invalid(field="persons", problem="is below zero")
    with services.act(actor, _ACT) as act:
        lock_question(act.tx, question_id, visible_to=actor.unit_id)
        if not end_onsite_check(
            act, question_id, finding=finding, persons=persons, note=note.strip(), real_now=real
        ):
            raise Conflict("no team is at the outlet", current="onsite")
        change_question(act.tx, question_id, real_now=real)
        _note(act, "end_onsite", question_id, {"finding": finding.value, "persons": persons})


def open_questions(services: Services, *, visible_to: int | None) -> list[DeskQuestion]:
    """Open questions, oldest first, then those of the last hours whose outlet has not decided or whose team is still
    out.
    """
    since = services.real.now() - _SHOWN
    with services.store.begin() as tx:
        rows = questions_shown(tx, since=since, visible_to=visible_to)
        return [_question(tx, row, services, masked=True) for row in rows]


def question_for(services: Services, actor: Actor, question_id: int) -> DeskQuestion:
    """The question. The officer who has claimed it sees the person in clear, which is audited. Raises `NotFound`."""
    with services.act(actor, _ACT) as act:
        row = question_with(act.tx, question_id, visible_to=actor.unit_id)
        is_mine = actor.signed(row["claimed_by"] or "") and row["state"] == QuestionState.CLAIMED.value
        if is_mine:
            subject = f"opening/{row['opening_id']}"
            note_work_reveal(act.tx, services, who=act.by, act="reveal", subject=subject, why="desk")
        else:
            act.needs_no_record()
        question = _question(act.tx, row, services, masked=not is_mine)
        return replace(question, case_id=case_of_opening(act.tx, row["opening_id"]))


def question_of_outlet(
    services: Services, opening_id: int, *, outlet_id: int
) -> tuple[DeskQuestion, int] | None:
    """The newest question about an opening of this outlet, and how many open questions are before it; None without a
    question.
    """
    with services.store.begin() as tx:
        row = newest_question(tx, opening_id, outlet_id=outlet_id)
        return (
            None if row is None else (_question(tx, row, services, masked=True), count_open_before(tx, row))
        )


def _question(tx: Tx, row: Row, services: Services, *, masked: bool) -> DeskQuestion:
    note, reason = opened_words(tx, row, "sealed"), opened_words(tx, row, "reason_sealed")
    of_opening = row["opening_id"], row["person_sealed"]
    end = row["answered_at"] or services.real.now()
    findings = tuple(map(CheckFinding.of, row["findings"]))
    return record_of(
        DeskQuestion,
        row,
        outlet=outlet_of(tx, row["outlet_id"]),
        stage=stage_of(row["asked_at"], now=end, rules=services.cards),
        seconds=(end - row["asked_at"]).total_seconds(),
        note=hide_numbers(note) if masked else note,
        reason=hide_numbers(reason) if masked else reason,
        findings=findings,
        waits_for_desk=waits_for_desk(findings),
        case_id=None,
        person=masked_opener(tx, *of_opening) if masked else opening_personal(tx, *of_opening),
        onsite=None if row["onsite_id"] is None else record_of(Onsite, row, prefix="onsite_"),
    )


def desk_mark(services: Services, *, visible_to: int | None) -> str:
    """A text that changes with every change of a question that the unit sees."""
    with services.store.begin() as tx:
        return desk_version(tx, visible_to=visible_to)


def count_open(services: Services, *, visible_to: int | None) -> int:
    """How many questions wait or are claimed."""
    with services.store.begin() as tx:
        return count_open_questions(tx, visible_to=visible_to)
