"""The verification desk 核查席: an outlet asks while its customer waits, an officer claims the question and answers it
with a reason and its legal basis, and a team may go to the outlet. The clocks are those of the customer, in real
seconds. Silence never refuses: after `lapse_seconds` the outlet decides by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from dialer.cards.checks import CheckFinding
from dialer.cards.store import Outlet, last_check, opening_personal, outlet_of
from dialer.cases.persons import mask_id_number, mask_name, mask_phone
from dialer.cases.reveals import note_work_reveal
from dialer.cases.store import take_next_ids
from dialer.core.access import actor_name, required_text
from dialer.core.cards import (
    OPEN_QUESTIONS,
    QUESTION_MOVES,
    CardProduct,
    CheckVerdict,
    DeskAnswer,
    OnsiteFinding,
    OpeningResult,
    QuestionEvent,
    QuestionState,
)
from dialer.core.errors import Conflict, Invalid, NotFound, Overtaken
from dialer.core.events import AlarmCode
from dialer.core.second_person import state_after
from dialer.core.text import Text, gettext_noop
from dialer.db import tables as t
from dialer.db.alarms import raise_alarm_once
from dialer.db.audit import write_audit
from dialer.db.bulk import in_words
from dialer.db.unit_of_work import Row, Tx
from dialer.db.units import is_visible_to
from dialer.intake.records import hide_numbers
from dialer.runtime.sections import CardsSettings
from dialer.runtime.services import Services

_q, _o, _s = t.card_question.c, t.opening.c, t.onsite_check.c
MOST_SHOWN = 100
_SHOWN_HOURS = 12


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


def ask_desk(services: Services, opening_id: int, *, note: str, outlet_id: int, by: str) -> int:
    """Asks the desk about an opening in progress of the outlet; returns the id of the question. An opening has one open
    question at a time: asking again returns that one. Raises `NotFound`, and `Conflict` for an opening that has its
    result or was not checked.
    """
    who, real = actor_name(by), services.real.now()
    with services.store.begin() as tx:
        outlet = outlet_of(tx, outlet_id)
        row = tx.one(
            sa.select(t.opening).where(_o.id == opening_id, _o.outlet_id == outlet_id).with_for_update()
        )
        if row is None:
            raise NotFound(kind="opening", key=opening_id)
        if row["result"] != OpeningResult.IN_PROGRESS.value:
            raise Conflict("this opening has its result already", current=row["result"])
        checked = last_check(tx, opening_id)
        if checked is None:
            raise Conflict("check the opening first", current="unchecked")
        open_id = tx.scalar(
            sa.select(_q.id).where(_q.opening_id == opening_id, in_words(_q.state, OPEN_QUESTIONS))
        )
        if open_id is not None:
            return int(open_id)
        [question_id] = take_next_ids(tx, t.card_question, 1)
        place: dict[str, Any] = {"table": "card_question", "column": "sealed", "row": question_id}
        tx.execute(
            sa.insert(t.card_question).values(
                id=question_id,
                opening_id=opening_id,
                check_id=checked["id"],
                outlet_id=outlet_id,
                unit_id=outlet.unit_id,
                state=QuestionState.WAITING.value,
                asked_at=real,
                asked_by=who,
                sealed=tx.vault.seal(note.strip().encode(), **place),
                changed_at=real,
            )
        )
        _note(tx, services, who, "ask_desk", question_id, {"outlet": outlet.code})
    return question_id


def _note(
    tx: Tx,
    services: Services,
    who: str,
    act: str,
    question_id: int,
    facts: Mapping[str, object],
    why: str = "",
) -> None:
    write_audit(
        tx,
        who=who,
        act=act,
        subject=f"card_question/{question_id}",
        why=why,
        now=services.clock.now(),
        facts=facts,
    )


def lapse_questions(services: Services) -> int:
    """Ends questions that nobody answered in time, which leaves the decision to the outlet, and raises an alarm;
    returns how many.
    """
    real, rules = services.real.now(), services.cards
    before = real - timedelta(seconds=rules.lapse_seconds)
    with services.store.begin() as tx:
        moves = QUESTION_MOVES[QuestionEvent.LAPSED]
        late = sa.and_(in_words(_q.state, moves), _q.asked_at <= before)
        if tx.scalar(sa.select(_q.id).where(late).limit(1)) is None:
            return 0
        done = tx.execute(
            sa.update(t.card_question)
            .where(late)
            .values(state=QuestionState.LAPSED.value, changed_at=real)
            .returning(_q.id)
        )
        lapsed = len(done.all())
        raise_alarm_once(
            tx, AlarmCode.CARD_QUESTION_LAPSED, now=services.clock.now(), facts={"count": lapsed}
        )
    return lapsed


def _locked(tx: Tx, question_id: int, visible_to: int | None) -> Row:
    row = tx.one(
        sa.select(t.card_question)
        .where(_q.id == question_id, is_visible_to(_q.unit_id, visible_to))
        .with_for_update()
    )
    if row is None:
        raise NotFound(kind="question", key=question_id)
    return row


def _after(row: Row, event: QuestionEvent, *, otherwise: str) -> QuestionState:
    return state_after(QUESTION_MOVES, QuestionState(row["state"]), event, otherwise=otherwise)


def claim_question(services: Services, question_id: int, *, by: str, visible_to: int | None) -> None:
    """The officer claims the question. From `second_seconds` on a second officer can take it over. Raises `NotFound`,
    `Overtaken` and `Conflict`.
    """
    who, real = actor_name(by), services.real.now()
    with services.store.begin() as tx:
        row = _locked(tx, question_id, visible_to)
        after = _after(
            row, QuestionEvent.CLAIMED, otherwise=gettext_noop("this question is not open any more")
        )
        holder = row["claimed_by"]
        if holder == who:
            return
        stage = stage_of(row["asked_at"], now=real, rules=services.cards)
        if holder is not None and stage not in {WaitStage.SECOND, WaitStage.OVER}:
            raise Overtaken(Text("%(who)s has this question already", who=holder), who=holder, what="claimed")
        tx.execute(
            sa.update(t.card_question)
            .where(_q.id == question_id)
            .values(state=after.value, claimed_by=who, claimed_at=real, changed_at=real)
        )
        _note(tx, services, who, "claim_question", question_id, {} if holder is None else {"from": holder})


def answer_question(
    services: Services,
    question_id: int,
    *,
    answer: DeskAnswer,
    reason: str,
    basis: str,
    by: str,
    visible_to: int | None,
) -> None:
    """Stores the answer of the officer who has claimed the question; the outlet still decides. A late answer is
    accepted until the outlet has decided. Raises `NotFound`, `Invalid` without reason or basis, and `Conflict`.
    """
    who, real = actor_name(by), services.real.now()
    why, law = required_text("reason", reason), required_text("basis", basis)
    with services.store.begin() as tx:
        row = _locked(tx, question_id, visible_to)
        if row["state"] == QuestionState.OVERTAKEN.value:
            raise Conflict("the outlet has decided meanwhile", current=row["state"])
        if row["state"] == QuestionState.ANSWERED.value:
            raise Conflict("this question is answered already", current=row["state"])
        if row["claimed_by"] != who:
            raise Conflict("claim the question first", current=row["state"])
        after = _after(row, QuestionEvent.ANSWERED, otherwise=gettext_noop("claim the question first"))
        result = tx.scalar(sa.select(_o.result).where(_o.id == row["opening_id"]))
        if result != OpeningResult.IN_PROGRESS.value:
            raise Conflict("the outlet has decided meanwhile", current=result)
        place: dict[str, Any] = {"table": "card_question", "column": "reason_sealed", "row": question_id}
        tx.execute(
            sa.update(t.card_question)
            .where(_q.id == question_id)
            .values(
                state=after.value,
                answer=answer.value,
                basis=law,
                reason_sealed=tx.vault.seal(why.encode(), **place),
                answered_by=who,
                answered_at=real,
                changed_at=real,
            )
        )
        _note(tx, services, who, "answer_question", question_id, {"answer": answer.value}, why)


def order_onsite(services: Services, question_id: int, *, team: str, by: str, visible_to: int | None) -> None:
    """Orders a team to the outlet. Raises `NotFound`, `Invalid` without a team, and `Conflict` when one is ordered
    already.
    """
    who, real, people = actor_name(by), services.real.now(), required_text("team", team)
    with services.store.begin() as tx:
        row = _locked(tx, question_id, visible_to)
        if tx.scalar(sa.select(_s.id).where(_s.question_id == question_id)) is not None:
            raise Conflict("a team is ordered already", current="ordered")
        tx.execute(
            sa.insert(t.onsite_check).values(
                question_id=question_id,
                outlet_id=row["outlet_id"],
                team=people,
                ordered_by=who,
                ordered_at=real,
            )
        )
        tx.execute(sa.update(t.card_question).where(_q.id == question_id).values(changed_at=real))
        _note(tx, services, who, "order_onsite", question_id, {"team": people})


def arrive_onsite(services: Services, question_id: int, *, by: str, visible_to: int | None) -> None:
    """Records the arrival of the team. Raises `NotFound`, and `Conflict` when no team is on its way."""
    who, real = actor_name(by), services.real.now()
    with services.store.begin() as tx:
        _locked(tx, question_id, visible_to)
        done = tx.execute(
            sa.update(t.onsite_check)
            .where(_s.question_id == question_id, _s.arrived_at.is_(None))
            .values(arrived_at=real)
        )
        if not done.rowcount:
            raise Conflict("no team is on its way", current="arrived")
        tx.execute(sa.update(t.card_question).where(_q.id == question_id).values(changed_at=real))
        _note(tx, services, who, "arrive_onsite", question_id, {})


def end_onsite(
    services: Services,
    question_id: int,
    *,
    finding: OnsiteFinding,
    persons: int,
    note: str,
    by: str,
    visible_to: int | None,
) -> None:
    """Records what the team found and how many persons it checked. Raises `NotFound`, `Invalid`, and `Conflict` before
    the arrival and after the end.
    """
    who, real = actor_name(by), services.real.now()
    if persons < 0:
        raise Invalid(field="persons", problem="is below zero")
    with services.store.begin() as tx:
        _locked(tx, question_id, visible_to)
        row = tx.one(
            sa.select(t.onsite_check).where(
                _s.question_id == question_id, _s.arrived_at.is_not(None), _s.ended_at.is_(None)
            )
        )
        if row is None:
            raise Conflict("no team is at the outlet", current="onsite")
        place: dict[str, Any] = {"table": "onsite_check", "column": "note_sealed", "row": row["id"]}
        tx.execute(
            sa.update(t.onsite_check)
            .where(_s.id == row["id"])
            .values(
                ended_at=real,
                ended_by=who,
                finding=finding.value,
                persons=persons,
                note_sealed=tx.vault.seal(note.strip().encode(), **place),
            )
        )
        tx.execute(sa.update(t.card_question).where(_q.id == question_id).values(changed_at=real))
        _note(tx, services, who, "end_onsite", question_id, {"finding": finding.value, "persons": persons})


_QUESTIONS = (
    sa.select(
        t.card_question,
        _o.product,
        _o.result,
        _o.age,
        _o.ring_id,
        _o.sealed.label("person_sealed"),
        t.opening_check.c.verdict,
        t.opening_check.c.findings,
        *(
            _s[name].label(f"onsite_{name}")
            for name in ("id", "team", "ordered_at", "arrived_at", "ended_at", "persons", "finding")
        ),
    )
    .join(t.opening, _o.id == _q.opening_id)
    .join(t.opening_check, t.opening_check.c.id == _q.check_id)
    .join(t.onsite_check, _s.question_id == _q.id, isouter=True)
)


def open_questions(services: Services, *, visible_to: int | None) -> list[DeskQuestion]:
    """Open questions, oldest first, then those of the last hours whose outlet has not decided or whose team is still
    out.
    """
    real = services.real.now()
    since = real - timedelta(hours=_SHOWN_HOURS)
    unsettled = sa.and_(
        _q.asked_at >= since,
        sa.or_(
            _o.result == OpeningResult.IN_PROGRESS.value,
            sa.and_(_s.id.is_not(None), _s.ended_at.is_(None)),
        ),
    )
    with services.store.begin() as tx:
        rows = tx.rows(
            _QUESTIONS.where(
                sa.or_(in_words(_q.state, OPEN_QUESTIONS), unsettled), is_visible_to(_q.unit_id, visible_to)
            )
            .order_by(in_words(_q.state, OPEN_QUESTIONS).desc(), _q.asked_at, _q.id)
            .limit(MOST_SHOWN)
        )
        return [_question(tx, row, services, masked=True) for row in rows]


def question_for(services: Services, question_id: int, *, by: str, visible_to: int | None) -> DeskQuestion:
    """The question. The officer who has claimed it sees the person in clear, which is audited. Raises `NotFound`."""
    who = actor_name(by)
    with services.store.begin() as tx:
        row = tx.one(_QUESTIONS.where(_q.id == question_id, is_visible_to(_q.unit_id, visible_to)))
        if row is None:
            raise NotFound(kind="question", key=question_id)
        is_mine = row["claimed_by"] == who and row["state"] == QuestionState.CLAIMED.value
        if is_mine:
            note_work_reveal(
                tx, services, who=who, act="reveal", subject=f"opening/{row['opening_id']}", why="desk"
            )
        return _question(tx, row, services, masked=not is_mine)


def question_of_outlet(
    services: Services, opening_id: int, *, outlet_id: int
) -> tuple[DeskQuestion, int] | None:
    """The newest question about an opening of this outlet, and how many open questions are before it; None without a
    question.
    """
    with services.store.begin() as tx:
        row = tx.one(
            _QUESTIONS.where(_q.opening_id == opening_id, _q.outlet_id == outlet_id)
            .order_by(_q.id.desc())
            .limit(1)
        )
        if row is None:
            return None
        before = tx.scalar(
            sa.select(sa.func.count()).where(
                in_words(_q.state, OPEN_QUESTIONS),
                sa.tuple_(_q.asked_at, _q.id) < sa.tuple_(row["asked_at"], row["id"]),
            )
        )
        return _question(tx, row, services, masked=True), int(before)


def _question(tx: Tx, row: Row, services: Services, *, masked: bool) -> DeskQuestion:
    vault, question_id = tx.vault, row["id"]
    person = opening_personal(tx, row["opening_id"], row["person_sealed"])
    if masked:
        person = masked_opener(person)
    note = vault.open(row["sealed"], table="card_question", column="sealed", row=question_id).decode()
    reason = ""
    if row["reason_sealed"] is not None:
        place: dict[str, Any] = {"table": "card_question", "column": "reason_sealed", "row": question_id}
        reason = vault.open(row["reason_sealed"], **place).decode()
    if masked:
        note, reason = hide_numbers(note), hide_numbers(reason)
    end = row["answered_at"] or services.real.now()
    onsite = None
    if row["onsite_id"] is not None:
        names = ("id", "team", "ordered_at", "arrived_at", "ended_at", "persons")
        found = row["onsite_finding"]
        onsite = Onsite(
            **{name: row[f"onsite_{name}"] for name in names},
            finding=None if found is None else OnsiteFinding(found),
        )
    return DeskQuestion(
        id=question_id,
        opening_id=row["opening_id"],
        outlet=outlet_of(tx, row["outlet_id"]),
        state=QuestionState(row["state"]),
        stage=stage_of(row["asked_at"], now=end, rules=services.cards),
        seconds=(end - row["asked_at"]).total_seconds(),
        asked_at=row["asked_at"],
        asked_by=row["asked_by"],
        note=note,
        claimed_by=row["claimed_by"] or "",
        answer=None if row["answer"] is None else DeskAnswer(row["answer"]),
        reason=reason,
        basis=row["basis"],
        answered_by=row["answered_by"] or "",
        product=CardProduct(row["product"]),
        result=OpeningResult(row["result"]),
        verdict=CheckVerdict(row["verdict"]),
        findings=tuple(CheckFinding.of(one) for one in row["findings"]),
        person=person,
        age=row["age"],
        ring_id=row["ring_id"],
        onsite=onsite,
    )


def masked_opener(person: Mapping[str, Any]) -> dict[str, Any]:
    """The personal data of an opening with name and numbers masked and the rest emptied, as everybody at the desk sees
    it.
    """
    hidden = dict.fromkeys(("address", "agent", "employer", "number", "iccid"), "")
    return {
        **person,
        **hidden,
        "name": mask_name(person["name"]),
        "id_number": mask_id_number(person["id_number"]),
        "phone": mask_phone(person["phone"]) if person["phone"] else "",
    }


def desk_mark(services: Services, *, visible_to: int | None) -> str:
    """A text that changes with every change of a question that the unit sees."""
    with services.store.begin() as tx:
        row = tx.one(
            sa.select(sa.func.max(_q.changed_at).label("at"), sa.func.max(_q.id).label("id")).where(
                is_visible_to(_q.unit_id, visible_to)
            )
        )
    assert row is not None
    return f"{row['at']}/{row['id']}"


def count_open(services: Services, *, visible_to: int | None) -> int:
    """How many questions wait or are claimed."""
    with services.store.begin() as tx:
        return int(
            tx.scalar(
                sa.select(sa.func.count()).where(
                    in_words(_q.state, OPEN_QUESTIONS), is_visible_to(_q.unit_id, visible_to)
                )
            )
        )
