"""What a caller sees of the queue, of the own day, and of whoever else is busy with the same person."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa

from dialer.domain.attempt import LIVE_STATES
from dialer.domain.errand import PENDING_STATES, AssignmentState, DeskCallState, VisitStage
from dialer.domain.values import Grade, OutcomeKind, TelephonyResult, Track
from dialer.errors import NotFound
from dialer.store import tables as t
from dialer.store.desk import Scope
from dialer.store.rowset import in_words, word
from dialer.store.stop_payments import StopPayment
from dialer.store.unit_of_work import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Calls of one grade that somebody may take now."""

    grade: Grade
    count: int
    oldest_at: datetime
    overdue: int


def queue(tx: Tx, scope: Scope, *, now: datetime) -> list[Waiting]:
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
        Waiting(
            grade=Grade(row["grade"]), count=row["count"], oldest_at=row["oldest_at"], overdue=row["overdue"]
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: -one.grade.rank)


def signed_by(tx: Tx, by: str, scope: Scope) -> list[int]:
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


def asked_transfers(tx: Tx, scope: Scope, *, kind: Track, limit: int = 20) -> list[int]:
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


def stop_payments(tx: Tx, scope: Scope, *, case_id: int | None = None, limit: int = 20) -> list[StopPayment]:
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


def check_stop_payment_seen(tx: Tx, stop_payment_id: int, scope: Scope) -> None:
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
class Day:
    """What one person did since the beginning of a day."""

    calls: int
    answered: int
    reported: int
    succeeded: int


def day(tx: Tx, by: str, *, since: datetime, successes: Collection[OutcomeKind]) -> Day:
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
    return Day(**dict(calls), **dict(outcomes))


class Busy(StrEnum):
    """Who else is at it."""

    ROBOT = "robot"
    """Its call is under way."""
    CALL = "call"
    """Somebody is put through from a desk."""
    CALLER = "caller"
    OFFICER = "officer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Somebody who is busy with the same person now, for this case or another."""

    busy: Busy
    case_id: int
    who: str = ""
    stage: VisitStage = VisitStage.NONE
    talking: bool = False


def beside(tx: Tx, *, person_id: int, assignment_id: int, by: str) -> tuple[Beside, ...]:
    """Everybody but `by` on this assignment: the robot first."""
    p = t.attempt.c
    found = [
        Beside(busy=Busy.ROBOT, case_id=row["case_id"], talking=row["answered_at"] is not None)
        for row in tx.rows(
            sa.select(p.case_id, p.answered_at)
            .where(p.person_id == person_id, in_words(p.state, LIVE_STATES))
            .order_by(p.id)
        )
    ]
    c = t.desk_call.c
    found += [
        Beside(
            busy=Busy.CALL,
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
        Beside(
            busy=Busy.OFFICER if row["kind"] == Track.VISIT.value else Busy.CALLER,
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
class Warned:
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


def warned(tx: Tx, case_id: int) -> Warned | None:
    w = t.warning.c
    row = tx.one(sa.select(t.warning).where(w.case_id == case_id).order_by(w.id.desc()).limit(1))
    if row is None:
        return None
    told = tx.vault.open_record(row["sealed"], table="warning", column="sealed", row=row["id"])
    return Warned(
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


def person_of(tx: Tx, case_id: int) -> int:
    return int(tx.scalar(sa.select(t.case.c.person_id).where(t.case.c.id == case_id)))
