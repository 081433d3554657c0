"""Calls that callers had put through. While one is under way it holds the person's number, as a robot's ring does.

What a caller sees of the queue, of the own day, and of whoever else is busy with the same person.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.cases.attempts import release_numbers
from dialer.core.attempt import LIVE_STATES
from dialer.core.case import PENDING_STATES, AssignmentState, DeskCallState, VisitStage
from dialer.core.errors import NotFound
from dialer.core.values import Grade, OutcomeKind, TelephonyResult, Track
from dialer.db import tables as t
from dialer.db.bulk import in_words, word
from dialer.db.unit_of_work import Tx
from dialer.work.assignments import Scope
from dialer.work.transfer_store import StopPayment


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskCall:
    id: uuid.UUID
    assignment_id: int
    case_id: int
    person_id: int
    number: int
    """Which of the person's numbers, from 0."""
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


_NAMES = (
    "id",
    "assignment_id",
    "case_id",
    "person_id",
    "number",
    "extension",
    "by",
    "state",
    "sid",
    "asked_at",
    "joined_at",
    "ended_at",
    "result",
    "talk_seconds",
    "settled",
)


def _call(row: Mapping[str, Any]) -> DeskCall:
    values = {name: row[name] for name in _NAMES}
    values["state"] = DeskCallState(row["state"])
    values["result"] = TelephonyResult(row["result"]) if row["result"] else None
    return DeskCall(**values)


def take_number_for_desk_call(tx: Tx, call_id: uuid.UUID, *, person_id: int, number: int) -> bool:
    """The number is this call's; False when somebody talks on it or it rings now. A rest after a ring is not waited."""
    blind = tx.scalar(
        sa.select(t.person_phone.c.phone_blind).where(
            t.person_phone.c.person_id == person_id, t.person_phone.c.position == number
        )
    )
    if blind is None:
        raise NotFound(kind="telephone number", key=number)
    taking = insert(t.live_number).values(phone_blind=blind, attempt_id=call_id)
    taken = tx.scalar(
        taking.on_conflict_do_update(
            index_elements=["phone_blind"],
            set_={"attempt_id": taking.excluded.attempt_id, "free_at": None},
            where=t.live_number.c.attempt_id.is_(None),
        ).returning(t.live_number.c.attempt_id)
    )
    return taken is not None


def add_desk_call(
    tx: Tx,
    call_id: uuid.UUID,
    *,
    assignment_id: int,
    case_id: int,
    person_id: int,
    number: int,
    extension: str,
    by: str,
    drill: bool,
    now: datetime,
    real_now: datetime,
) -> None:
    tx.execute(
        sa.insert(t.desk_call).values(
            id=call_id,
            assignment_id=assignment_id,
            case_id=case_id,
            person_id=person_id,
            number=number,
            extension=extension,
            by=by,
            state=DeskCallState.ASKED.value,
            asked_at=now,
            asked_real_at=real_now,
            drill=drill,
        )
    )


def lock_desk_call(tx: Tx, call_id: uuid.UUID) -> DeskCall:
    row = tx.one(sa.select(t.desk_call).where(t.desk_call.c.id == call_id).with_for_update())
    if row is None:
        raise NotFound(kind="call", key=call_id)
    return _call(row)


def desk_calls_of_case(tx: Tx, case_id: int) -> list[DeskCall]:
    statement = sa.select(t.desk_call).where(t.desk_call.c.case_id == case_id)
    return [_call(row) for row in tx.rows(statement.order_by(t.desk_call.c.asked_at, t.desk_call.c.id))]


def change_desk_call(tx: Tx, call_id: uuid.UUID, **values: object) -> None:
    tx.execute(sa.update(t.desk_call).where(t.desk_call.c.id == call_id).values(**values))


def end_desk_call_row(
    tx: Tx,
    call: DeskCall,
    *,
    result: TelephonyResult,
    talk_seconds: int | None,
    settled: bool,
    now: datetime,
    free_at: datetime,
) -> None:
    """Over; the number rests until `free_at`."""
    change_desk_call(
        tx,
        call.id,
        state=DeskCallState.ENDED.value,
        result=result.value,
        talk_seconds=talk_seconds,
        settled=settled,
        ended_at=call.ended_at or now,
    )
    if call.state is not DeskCallState.ENDED:
        release_numbers(tx, [call.id], free_at=free_at)


def unsettled_desk_calls(tx: Tx, *, limit: int = 200) -> list[tuple[DeskCall, datetime]]:
    """Calls whose last word is not known, with the real moment at which the carrier was asked; the oldest first."""
    statement = (
        sa.select(t.desk_call)
        .where(~t.desk_call.c.settled)
        .order_by(t.desk_call.c.asked_real_at)
        .limit(limit)
    )
    return [(_call(row), row["asked_real_at"]) for row in tx.rows(statement)]


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeQueue:
    """Calls of one grade that somebody may take now."""

    grade: Grade
    count: int
    oldest_at: datetime
    overdue: int


def desk_queue(tx: Tx, scope: Scope, *, now: datetime) -> list[GradeQueue]:
    """By grade, the highest first; a grade in which nothing waits is not there."""
    a, grade = t.assignment.c, t.case.c.grade
    rows = tx.rows(
        sa.select(
            grade,
            sa.func.count().label("count"),
            sa.func.min(a.opened_at).label("oldest_at"),
            sa.func.count().filter(a.due_at < now).label("overdue"),
        )
        .join(t.case, t.case.c.id == a.case_id)
        .where(
            a.state == word(AssignmentState.OPEN),
            a.kind == Track.HUMAN.value,
            scope.covers(tx),
            sa.or_(a.call_at.is_(None), a.call_at <= now),
        )
        .group_by(grade)
    )
    found = [
        GradeQueue(
            grade=Grade(row["grade"]), count=row["count"], oldest_at=row["oldest_at"], overdue=row["overdue"]
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: -one.grade.rank)


def calls_signed_by(tx: Tx, by: str, scope: Scope) -> list[int]:
    """Calls that this person has signed for, the most urgent first."""
    a = t.assignment.c
    return [
        row["id"]
        for row in tx.rows(
            sa.select(a.id)
            .where(
                a.state == word(AssignmentState.SIGNED),
                a.signed_by == by,
                a.kind == Track.HUMAN.value,
                scope.covers(tx),
            )
            .order_by(a.urgency_at)
            .limit(20)
        )
    ]


def transfers_asked(tx: Tx, scope: Scope, *, kind: Track, limit: int = 20) -> list[int]:
    """Transfers of this kind of work that ask to be accepted here, oldest first."""
    x, a = t.assignment_transfer.c, t.assignment.c
    statement = (
        sa.select(x.id)
        .join(t.assignment, a.id == x.assignment_id)
        .where(
            x.state == "asked",
            in_words(a.state, PENDING_STATES),
            a.kind == kind.value,
            scope.includes(tx, x.to_unit_id),
        )
        .order_by(x.at)
        .limit(limit)
    )
    return [row["id"] for row in tx.rows(statement)]


def waiting_stop_payments(
    tx: Tx, scope: Scope, *, case_id: int | None = None, limit: int = 20
) -> list[StopPayment]:
    """Banks that are still to be asked, the oldest first: of one case, or of all that these units see."""
    p = t.stop_payment.c
    statement = (
        sa.select(p.id, p.case_id, p.attempt_id, p.opened_at)
        .join(t.case, t.case.c.id == p.case_id)
        .where(p.done_at.is_(None))
        .order_by(p.opened_at)
        .limit(limit)
    )
    if case_id is None:
        statement = statement.where(scope.includes(tx, t.case.c.unit_id))
    else:
        statement = statement.where(p.case_id == case_id)
    return [StopPayment(**row) for row in tx.rows(statement)]


def check_stop_payment_visible(tx: Tx, stop_payment_id: int, scope: Scope) -> None:
    """Raises `NotFound` for one that is not there, or of a case that these units do not see."""
    p = t.stop_payment.c
    found = (
        sa.select(p.id)
        .join(t.case, t.case.c.id == p.case_id)
        .where(p.id == stop_payment_id, scope.includes(tx, t.case.c.unit_id))
    )
    if tx.scalar(found) is None:
        raise NotFound(kind="stop payment", key=stop_payment_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerDay:
    """What one person did since the beginning of a day."""

    calls: int
    answered: int
    reported: int
    succeeded: int


def day_of_caller(tx: Tx, by: str, *, since: datetime, successes: Collection[OutcomeKind]) -> CallerDay:
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
            sa.func.count().filter(o.kind.in_([kind.value for kind in successes])).label("succeeded"),
        ).where(o.recorded_by == by, o.at >= since, o.reverses.is_(None))
    )
    assert calls is not None  # an aggregate without groups is always one row
    assert outcomes is not None
    return CallerDay(**dict(calls), **dict(outcomes))


class BusyKind(StrEnum):
    """Who else is at it."""

    ROBOT = "robot"
    """Its call is under way."""
    CALL = "call"
    """Somebody is put through from a desk."""
    CALLER = "caller"
    OFFICER = "officer"


@dataclass(frozen=True, slots=True, kw_only=True)
class BusyWithPerson:
    """Somebody who is busy with the same person now, for this case or another."""

    busy: BusyKind
    case_id: int
    who: str = ""
    stage: VisitStage = VisitStage.NONE
    talking: bool = False


def busy_with_person(tx: Tx, *, person_id: int, assignment_id: int, by: str) -> tuple[BusyWithPerson, ...]:
    """Everybody but `by` on this assignment: the robot first."""
    p = t.attempt.c
    found = [
        BusyWithPerson(busy=BusyKind.ROBOT, case_id=row["case_id"], talking=row["answered_at"] is not None)
        for row in tx.rows(
            sa.select(p.case_id, p.answered_at)
            .where(p.person_id == person_id, in_words(p.state, LIVE_STATES))
            .order_by(p.id)
        )
    ]
    c = t.desk_call.c
    found += [
        BusyWithPerson(
            busy=BusyKind.CALL,
            case_id=row["case_id"],
            who=row["by"],
            talking=row["state"] == DeskCallState.JOINED.value,
        )
        for row in tx.rows(
            sa.select(c.case_id, c.by, c.state)
            .where(
                ~c.settled,
                c.person_id == person_id,
                c.state != DeskCallState.ENDED.value,
                c.by != by,
            )
            .order_by(c.asked_at)
        )
    ]
    a = t.assignment.c
    found += [
        BusyWithPerson(
            busy=BusyKind.OFFICER if row["kind"] == Track.VISIT.value else BusyKind.CALLER,
            case_id=row["case_id"],
            who=row["signed_by"] or "",
            stage=VisitStage(row["stage"]).under(AssignmentState.SIGNED),
        )
        for row in tx.rows(
            sa.select(a.case_id, a.kind, a.signed_by, a.stage)
            .join(t.case, t.case.c.id == a.case_id)
            .where(
                t.case.c.person_id == person_id,
                a.id != assignment_id,
                a.state == word(AssignmentState.SIGNED),
            )
            .order_by(a.id)
        )
    ]
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class FraudDetails:
    """What the newest warning of a case knows of the fraud, in clear: for whoever may see the person."""

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
    w = t.warning.c
    row = tx.one(sa.select(t.warning).where(w.case_id == case_id).order_by(w.id.desc()).limit(1))
    if row is None:
        return None
    told = tx.vault.open_record(row["sealed"], table="warning", column="sealed", row=row["id"])
    return FraudDetails(
        source=row["source"],
        instruction_no=row["instruction_no"],
        event_at=row["event_at"],
        amount_paid_fen=row["amount_paid_fen"],
        talk_seconds=row["talk_seconds"],
        numbers=told.get("fraud_numbers") or "",
        url=told.get("fraud_url") or "",
        app=told.get("fraud_app") or "",
        account=told.get("fraud_account") or "",
        remarks=told.get("remarks") or "",
    )


def masked_person_of_case(tx: Tx, case_id: int) -> int:
    return int(tx.scalar(sa.select(t.case.c.person_id).where(t.case.c.id == case_id)))
