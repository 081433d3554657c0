"""Rows of the desk: calls put through for a caller, the queue by grade, stop-payment tasks, the caller's own day, and
who else is busy with the same person. A desk call holds the person's number while it is under way.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.cases.effects import success_stands
from dialer.core.access import DESK
from dialer.core.attempt import LIVE_STATES
from dialer.core.case import AssignmentState, DeskCallState, InboundState, StopResult, VisitStage
from dialer.core.errors import Conflict, NotFound
from dialer.core.talk import Talk
from dialer.core.third_party import PartyState
from dialer.core.values import Grade, TelephonyResult, Track
from dialer.db import tables as t
from dialer.db.bulk import in_words, word_literal
from dialer.db.columns import is_of_actor
from dialer.db.unit_of_work import Row, Tx, record_of
from dialer.db.vault import BlindKind
from dialer.outcomes.ledger import ProvenCall
from dialer.work.assignments import Assignment, Scope, is_overdue


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskCall:
    """A call that a caller had put through: the caller's telephone first, then the person's."""

    id: uuid.UUID
    assignment_id: int
    case_id: int
    person_id: int
    number: int
    """Which of the person's numbers, from 0; for a call to the family, which number of the family contact."""
    family: bool
    extension: str
    by: str
    state: DeskCallState
    sid: str | None
    asked_at: datetime
    joined_at: datetime | None
    ended_at: datetime | None
    result: TelephonyResult | None
    """What the person's telephone did."""
    talk_seconds: int | None
    settled: bool
    """True: the carrier need not be asked any more."""
    records: bool
    """The talk is recorded, and the person is told so."""
    drill: bool
    told_at: datetime | None
    """When the carrier asked for the notice that the call is recorded."""
    talk: Talk
    talk_due_at: datetime | None
    """In real time: when the carrier is asked about hold and mute if it has not reported by then. None: all is as
    wanted.
    """
    hold_alarm_at: datetime | None
    """When an alarm was raised that the person is on hold for too long; None: not in this hold."""

    @property
    def may_hold(self) -> bool:
        """Whether the person may be on the line."""
        return self.state is DeskCallState.JOINED and not self.settled


def _desk_call(row: Row) -> DeskCall:
    return record_of(DeskCall, row, talk=record_of(Talk, row))


def take_number_for_desk_call(tx: Tx, call_id: uuid.UUID, *, person_id: int, number: int) -> bool:
    """Takes the number for this call; False while another call holds it. A number's rest after a call is ignored."""
    blind: bytes | None = tx.scalar(
        sa.select(t.person_phone.c.phone_blind)
        .where(t.person_phone.c.person_id == person_id, t.person_phone.c.position == number)
        .with_for_update(read=True)  # no other blind index of the number before this call holds it
    )
    if blind is None:
        raise NotFound(kind="telephone number", key=number)
    return _take(tx, call_id, blind)


def take_family_number(tx: Tx, call_id: uuid.UUID, phone: str) -> bool:
    """As `take_number_for_desk_call`, for a number of a family contact, in E.164 form. It is the same number as that of
    a person who is called.
    """
    return _take(tx, call_id, tx.vault.blind(phone, kind=BlindKind.PHONE))


def _take(tx: Tx, call_id: uuid.UUID, blind: bytes) -> bool:
    taking = insert(t.live_number).values(phone_blind=blind, attempt_id=call_id)
    taken = tx.scalar(
        taking.on_conflict_do_update(
            index_elements=["phone_blind"],
            set_={"attempt_id": taking.excluded.attempt_id, "free_at": None},
            where=t.live_number.c.attempt_id.is_(None),
        ).returning(t.live_number.c.attempt_id)
    )
    return taken is not None


def add_desk_call(tx: Tx, call_id: uuid.UUID, **values: object) -> None:
    """Stores a new call, not yet placed; `values` are its other columns."""
    tx.execute(sa.insert(t.desk_call).values(id=call_id, state=DeskCallState.ASKED.value, **values))
    tx.acts_recorded.add(t.desk_call.name)


def lock_desk_call(tx: Tx, call_id: uuid.UUID) -> DeskCall:
    """The call, locked. Raises `NotFound`."""
    row = tx.one(sa.select(t.desk_call).where(t.desk_call.c.id == call_id).with_for_update())
    if row is None:
        raise NotFound(kind="call", key=call_id)
    return _desk_call(row)


def note_person_told(tx: Tx, call_id: uuid.UUID, *, now: datetime) -> int:
    """Notes that the person hears the notice of a recorded call; returns the id of the case. Raises `NotFound`."""
    c = t.desk_call.c
    case_id: int | None = tx.scalar(
        sa.update(t.desk_call).where(c.id == call_id).values(told_at=now).returning(c.case_id)
    )
    if case_id is None:
        raise NotFound(kind="call", key=call_id)
    return case_id


def joined_desk_call(tx: Tx, assignment_id: int, *, by: str) -> DeskCall | None:
    """The call under way that this person had put through for the assignment; None without one. Not locked."""
    c = t.desk_call.c
    row = tx.one(
        sa.select(t.desk_call)
        .where(
            c.assignment_id == assignment_id,
            c.by == by,
            c.state == DeskCallState.JOINED.value,
            ~c.settled,
        )
        .order_by(c.asked_at.desc())
        .limit(1)
    )
    return None if row is None else _desk_call(row)


def change_talk(tx: Tx, call_id: uuid.UUID, talk: Talk, *, due_at: datetime | None, **values: object) -> None:
    """Stores hold and mute of the call, when to ask the carrier about them, and other columns."""
    change_desk_call(tx, call_id, **asdict(talk), talk_due_at=due_at, **values)


def desk_calls_of_case(tx: Tx, case_id: int) -> list[DeskCall]:
    """Calls from desks in this case, oldest first."""
    statement = sa.select(t.desk_call).where(t.desk_call.c.case_id == case_id)
    return [_desk_call(row) for row in tx.rows(statement.order_by(t.desk_call.c.asked_at, t.desk_call.c.id))]


def language_of_case(tx: Tx, case_id: int) -> str:
    """The language in which the person last spoke with the robot; '' if they never did."""
    a = t.attempt.c
    spoken = sa.select(a.language).where(a.case_id == case_id, a.answered_at.is_not(None))
    return str(tx.scalar(spoken.order_by(a.n.desc()).limit(1)) or "")


_SECOND = timedelta(seconds=1)
_TAKEN_BY_DESK = ("answered", "completed")


def longest_staff_call(tx: Tx, assignment: Assignment, *, by: str) -> ProvenCall | None:
    """The longest staff call with the person that can prove this report; None without one. It was answered and is over.
    It is a call put through for `by` since they took this assignment, the call in which the robot handed the person
    over to the duty line, or an inbound call that `by` or the duty line took and that had not ended when the assignment
    was signed for.
    """
    if assignment.signed_at is None:
        return None
    c = t.desk_call.c
    own = tx.one(
        sa.select(c.asked_at.label("at"), c.talk_seconds)
        .where(
            c.assignment_id == assignment.id,
            c.by == by,
            ~c.family,
            c.asked_at >= assignment.signed_at,
            c.result == TelephonyResult.ANSWERED.value,
            c.talk_seconds.is_not(None),
        )
        .order_by(c.talk_seconds.desc())
        .limit(1)
    )
    # The duty line signs for the assignment at the moment when it answers.
    e = t.event.c
    begun = sa.func.min(e.at)
    seconds = sa.cast(sa.extract("epoch", sa.func.max(e.at) - begun), sa.Integer)
    handed_over = tx.one(
        sa.select(begun.label("at"), seconds.label("talk_seconds"))
        .where(
            e.case_id == assignment.case_id,
            e.attempt_id.is_not(None),
            e.kind == "desk",
            e.facts["desk"].astext.in_(_TAKEN_BY_DESK),
            e.at >= assignment.signed_at - _SECOND,
        )
        .group_by(e.attempt_id)
        .having(begun <= assignment.signed_at + _SECOND)
    )
    i = t.inbound_call.c
    called_in = tx.one(
        sa.select(i.joined_at.label("at"), i.talk_seconds)
        .where(
            i.assignment_id == assignment.id,
            i.by.in_([by, DESK]),
            i.talk_seconds.is_not(None),
            i.ended_at >= assignment.signed_at - _SECOND,
        )
        .order_by(i.talk_seconds.desc())
        .limit(1)
    )
    found = [ProvenCall(**row) for row in (own, handed_over, called_in) if row is not None]
    return max(found, key=lambda call: call.talk_seconds, default=None)


def change_desk_call(tx: Tx, call_id: uuid.UUID, **values: object) -> None:
    """Sets columns of the call; an unknown id changes nothing."""
    tx.execute(sa.update(t.desk_call).where(t.desk_call.c.id == call_id).values(**values))


def unsettled_desk_calls(tx: Tx) -> list[tuple[DeskCall, datetime]]:
    """Calls whose end is not known for good, with the real time of their request; the oldest first, at most 200."""
    c = t.desk_call.c
    statement = sa.select(t.desk_call).where(~c.settled).order_by(c.asked_real_at).limit(200)
    return [(_desk_call(row), row["asked_real_at"]) for row in tx.rows(statement)]


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeQueue:
    """Open calls of one grade that may be claimed now."""

    grade: Grade
    count: int
    oldest_at: datetime
    overdue: int


def desk_queue(tx: Tx, scope: Scope, *, now: datetime) -> list[GradeQueue]:
    """The queue of the desk by grade, the highest first; without grades that have none."""
    a, grade = t.assignment.c, t.case.c.grade
    rows = tx.rows(
        sa.select(
            grade,
            sa.func.count().label("count"),
            sa.func.min(a.opened_at).label("oldest_at"),
            sa.func.count().filter(is_overdue(now)).label("overdue"),
        )
        .join(t.case, t.case.c.id == a.case_id)
        .where(
            a.state == word_literal(AssignmentState.OPEN),
            a.kind == Track.HUMAN.value,
            scope.covers(tx),
            sa.or_(a.call_at.is_(None), a.call_at <= now),
        )
        .group_by(grade)
    )
    return sorted((record_of(GradeQueue, row) for row in rows), key=lambda queue: -queue.grade.rank)


@dataclass(frozen=True, slots=True, kw_only=True)
class StopPayment:
    """A stop-payment task 止付: the bank is to be asked to stop a payment. A case has at most one that is open."""

    id: int
    case_id: int
    attempt_id: uuid.UUID | None
    opened_at: datetime


def waiting_stop_payments(
    tx: Tx, *, scope: Scope | None = None, case_id: int | None = None, limit: int = 100
) -> list[StopPayment]:
    """Stop-payment tasks that are not done, the oldest first: of the cases of these units, of one case, or all."""
    p = t.stop_payment.c
    statement = (
        sa.select(p.id, p.case_id, p.attempt_id, p.opened_at)
        .where(p.done_at.is_(None))
        .order_by(p.opened_at)
        .limit(limit)
    )
    if scope is not None:
        statement = statement.join(t.case, t.case.c.id == p.case_id).where(
            scope.includes(tx, t.case.c.unit_id)
        )
    if case_id is not None:
        statement = statement.where(p.case_id == case_id)
    return [StopPayment(**row) for row in tx.rows(statement)]


def _works_on_case(tx: Tx, scope: Scope, by: str) -> sa.ColumnElement[bool]:
    """The condition that a row of `case` is of these units, or that this person has a call or visit of it in hand,
    which may belong to another unit by then.
    """
    a = t.assignment.c
    held = sa.exists().where(
        a.case_id == t.case.c.id, a.state == word_literal(AssignmentState.SIGNED), a.signed_by == by
    )
    return sa.or_(scope.includes(tx, t.case.c.unit_id), held)


def check_stop_payment_open_to(tx: Tx, case_id: int, *, scope: Scope, by: str) -> None:
    """Raises `NotFound` for a case of other units if this person has no call or visit of it in hand."""
    if tx.scalar(sa.select(t.case.c.id).where(t.case.c.id == case_id, _works_on_case(tx, scope, by))) is None:
        raise NotFound(kind="case", key=case_id)


def finish_stop_payment(
    tx: Tx, stop_payment_id: int, *, scope: Scope, by: str, result: StopResult, now: datetime
) -> int:
    """Ends the stop-payment task; returns the id of its case. Raises `NotFound`, also for one of a case of other units
    of which this person has no call or visit in hand, and `Conflict` when it is done already.
    """
    p = t.stop_payment.c
    found = (
        sa.select(p.case_id, p.done_at, p.result)
        .join(t.case, t.case.c.id == p.case_id)
        .where(p.id == stop_payment_id, _works_on_case(tx, scope, by))
        .with_for_update(of=t.stop_payment)
    )
    row = tx.one(found)
    if row is None:
        raise NotFound(kind="stop payment", key=stop_payment_id)
    if row["done_at"] is not None:
        raise Conflict("the stop payment is done already", current=row["result"])
    done = {"done_at": now, "done_by": by, "result": result.value}
    tx.execute(sa.update(t.stop_payment).where(p.id == stop_payment_id).values(done))
    return int(row["case_id"])


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerDay:
    """The work of one person since the beginning of a day."""

    calls: int
    answered: int
    reported: int
    succeeded: int
    """Reports of a success that was not reversed."""


def day_of_caller(tx: Tx, by: str, *, since: datetime) -> CallerDay:
    """Calls and reports of one person since that moment."""
    c, o = t.desk_call.c, t.outcome.c
    calls = tx.one(
        sa.select(
            sa.func.count().label("calls"),
            sa.func.count().filter(c.result == TelephonyResult.ANSWERED.value).label("answered"),
        ).where(c.by == by, c.asked_at >= since)
    )
    outcomes = tx.one(
        sa.select(
            sa.func.count().label("reported"),
            sa.func.count().filter(success_stands()).label("succeeded"),
        ).where(is_of_actor(o.recorded_by, by), o.at >= since, o.reverses.is_(None))
    )
    assert calls is not None  # an aggregate without groups is always one row
    assert outcomes is not None
    return CallerDay(**dict(calls), **dict(outcomes))


class BusyKind(StrEnum):
    """Who is busy with the person, and how."""

    ROBOT = "robot"
    """A call attempt is under way."""
    CALL = "call"
    """A desk call is under way."""
    CALLED_IN = "called_in"
    """The person calls us: in the queue, or talking to a desk."""
    CALLER = "caller"
    OFFICER = "officer"


@dataclass(frozen=True, slots=True, kw_only=True)
class BusyWithPerson:
    """A call or a member of staff that is busy with the same person now, for this case or another."""

    busy: BusyKind
    case_id: int
    who: str = ""
    stage: VisitStage = VisitStage.NONE
    talking: bool = False
    party: str = ""
    """The third party to whom `who` handed the call over, by name; the duty line has none."""
    is_handed_over: bool = False


def busy_with_person(tx: Tx, assignment: Assignment, *, by: str) -> tuple[BusyWithPerson, ...]:
    """Who else is busy with the person of this assignment, the robot first; `by` and the assignment itself are left
    out.
    """
    person_id = tx.scalar(sa.select(t.case.c.person_id).where(t.case.c.id == assignment.case_id))
    return (
        *_robot_with(tx, person_id),
        *_desk_calls_with(tx, person_id, by=by),
        *_inbound_calls_of(tx, person_id),
        *_staff_with(tx, person_id, beside=assignment.id),
    )


def _robot_with(tx: Tx, person_id: int) -> Iterator[BusyWithPerson]:
    p = t.attempt.c
    for row in tx.rows(
        sa.select(p.case_id, p.answered_at)
        .where(p.person_id == person_id, in_words(p.state, LIVE_STATES))
        .order_by(p.id)
    ):
        yield BusyWithPerson(
            busy=BusyKind.ROBOT, case_id=row["case_id"], talking=row["answered_at"] is not None
        )


_TALKING = (DeskCallState.JOINED.value, DeskCallState.HANDED_OVER.value)


def _desk_calls_with(tx: Tx, person_id: int, *, by: str) -> Iterator[BusyWithPerson]:
    c, p = t.desk_call.c, t.third_party.c
    for row in tx.rows(
        sa.select(c.case_id, c.by, c.state, p.name)
        .select_from(t.desk_call)
        .outerjoin(t.third_party, sa.and_(p.call_id == c.id, p.state == word_literal(PartyState.HAS_CALL)))
        .where(~c.settled, c.person_id == person_id, c.state != DeskCallState.ENDED.value, c.by != by)
        .order_by(c.asked_at)
    ):
        yield BusyWithPerson(
            busy=BusyKind.CALL,
            case_id=row["case_id"],
            who=row["by"],
            talking=row["state"] in _TALKING,
            party=row["name"] or "",
            is_handed_over=row["state"] == DeskCallState.HANDED_OVER.value,
        )


def _inbound_calls_of(tx: Tx, person_id: int) -> Iterator[BusyWithPerson]:
    i = t.inbound_call.c
    for row in tx.rows(
        sa.select(i.case_id, i.by, i.state)
        .where(i.person_id == person_id, i.state != InboundState.ENDED.value)
        .order_by(i.arrived_at)
    ):
        yield BusyWithPerson(
            busy=BusyKind.CALLED_IN,
            case_id=row["case_id"],
            who=row["by"] if row["by"] != DESK else "",
            talking=row["state"] == InboundState.JOINED.value,
        )


def _staff_with(tx: Tx, person_id: int, *, beside: int) -> Iterator[BusyWithPerson]:
    a = t.assignment.c
    for row in tx.rows(
        sa.select(a.case_id, a.kind, a.signed_by, a.stage)
        .join(t.case, t.case.c.id == a.case_id)
        .where(
            t.case.c.person_id == person_id,
            a.id != beside,
            a.state == word_literal(AssignmentState.SIGNED),
        )
        .order_by(a.id)
    ):
        yield BusyWithPerson(
            busy=BusyKind.OFFICER if row["kind"] == Track.VISIT.value else BusyKind.CALLER,
            case_id=row["case_id"],
            who=row["signed_by"] or "",
            stage=VisitStage(row["stage"]).under(AssignmentState.SIGNED),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FraudDetails:
    """What the newest warning of a case says about the fraud, in clear."""

    source: str
    instruction_no: str
    event_at: datetime | None
    amount_paid_fen: int | None
    talk_seconds: int | None
    numbers: str = ""
    url: str = ""
    app: str = ""
    account: str = ""
    remarks: str = ""


def fraud_details(tx: Tx, case_id: int) -> FraudDetails | None:
    """What the newest warning of a case says about the fraud; None for a case without a warning."""
    w = t.warning.c
    row = tx.one(sa.select(t.warning).where(w.case_id == case_id).order_by(w.id.desc()).limit(1))
    if row is None:
        return None
    opened = tx.vault.open_record(row["sealed"], table="warning", column="sealed", row=row["id"])
    return record_of(
        FraudDetails,
        row,
        numbers=opened.get("fraud_numbers") or "",
        url=opened.get("fraud_url") or "",
        app=opened.get("fraud_app") or "",
        account=opened.get("fraud_account") or "",
        remarks=opened.get("remarks") or "",
    )
