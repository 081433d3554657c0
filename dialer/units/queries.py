"""What waits in each unit: human calls and visits by their clocks, transfers on their way, and what rose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from dialer.core.case import PENDING_STATES, AssignmentState, TransferState, VisitStage
from dialer.core.timeline import ActKind
from dialer.core.values import FraudType, Grade, Track
from dialer.db import tables as t
from dialer.db.bulk import in_words, word
from dialer.db.unit_of_work import Row, Tx
from dialer.org.unit_store import is_within_unit
from dialer.work.transfer_store import transfer_reason


class Waiting(StrEnum):
    """Which of the work that waits."""

    ALL = "all"
    UNSIGNED = "unsigned"
    OVERDUE = "overdue"
    FEEDBACK = "feedback"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkCounts:
    unsigned: int = 0
    """Nobody has signed for it; one that is kept for an agreed call is none."""
    unsigned_late: int = 0
    overdue: int = 0
    """Not reported, and the time that runs now has passed."""
    feedback: int = 0
    """Signed for and not reported."""
    feedback_late: int = 0

    def __add__(self, other: WorkCounts) -> WorkCounts:
        names = self.__dataclass_fields__
        return WorkCounts(**{name: getattr(self, name) + getattr(other, name) for name in names})


_PENDING = in_words(t.assignment.c.state, PENDING_STATES)


def is_overdue(now: datetime) -> sa.ColumnElement[bool]:
    """Of an assignment that is not reported: the time that runs now is over, which is that to sign for it, then that to
    get through or there, and after an officer's arrival that to report. One that is kept for an agreed call is none.
    """
    a = t.assignment.c
    arrived = a.stage.in_([stage.value for stage in VisitStage if stage.rank >= VisitStage.ARRIVED.rank])
    signing = (a.state == AssignmentState.OPEN.value, sa.func.least(a.sign_by, a.due_at))
    runs = sa.case(signing, (arrived, a.feedback_by), else_=a.due_at)
    return sa.and_(runs <= now, sa.not_(_kept(now)))


def _kept(now: datetime) -> sa.ColumnElement[bool]:
    return sa.func.coalesce(t.assignment.c.kept_until > now, sa.false())


def count_unit_work(tx: Tx, *, now: datetime) -> dict[int, WorkCounts]:
    """Of each unit itself; a unit where nothing waits is left out."""
    a = t.assignment.c
    unsigned = sa.and_(a.state == AssignmentState.OPEN.value, sa.not_(_kept(now)))
    signed = a.state == AssignmentState.SIGNED.value
    wanted = {
        "unsigned": unsigned,
        "unsigned_late": sa.and_(unsigned, a.sign_by <= now),
        "overdue": is_overdue(now),
        "feedback": signed,
        "feedback_late": sa.and_(signed, a.feedback_by <= now),
    }
    statement = (
        sa.select(a.unit_id, *(sa.func.count().filter(one).label(name) for name, one in wanted.items()))
        .where(_PENDING, a.unit_id.is_not(None))
        .group_by(a.unit_id)
    )
    return {row["unit_id"]: WorkCounts(**{name: row[name] for name in wanted}) for row in tx.rows(statement)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One human call or visit that waits, without the person."""

    id: int
    case_id: int
    kind: Track
    state: AssignmentState
    grade: Grade
    fraud_type: FraudType
    unit_id: int
    sign_by: datetime
    due_at: datetime
    feedback_by: datetime
    signed_by: str
    call_at: datetime | None
    raises: int
    transfers: int
    leaves: bool
    """It asks to be accepted by another unit."""


def work_of_unit(
    tx: Tx, unit_id: int, *, which: Waiting = Waiting.ALL, now: datetime, limit: int = 50
) -> list[Work]:
    """Of the unit and all below, the most urgent first."""
    a = t.assignment.c
    names = ("id", "case_id", "kind", "state", "unit_id", "sign_by", "due_at", "feedback_by", "signed_by")
    leaves = sa.exists().where(
        t.assignment_transfer.c.assignment_id == a.id,
        t.assignment_transfer.c.state == TransferState.ASKED.value,
    )
    # Of each unit its own first ones, which an index has in order; the first of all are among these.
    own = (
        sa.select(a.id, a.urgency_at)
        .where(a.unit_id == t.unit.c.id, _PENDING, *_wanted(which, now))
        .order_by(a.urgency_at)
        .limit(limit)
        .lateral("own")
    )
    first = (
        sa.select(own.c.id)
        .select_from(t.unit)
        .join(own, sa.true())
        .where(is_within_unit(t.unit.c.id, unit_id))
        .order_by(own.c.urgency_at, own.c.id)
        .limit(limit)
    )
    statement = (
        sa.select(
            *(a[name] for name in (*names, "call_at", "raises", "transfers")),
            t.case.c.grade,
            t.case.c.fraud_type,
            leaves.label("leaves"),
        )
        .join(t.case, t.case.c.id == a.case_id)
        .where(a.id.in_(first))
        .order_by(a.urgency_at, a.id)
    )
    return [
        Work(
            **dict(row)
            | {
                "kind": Track(row["kind"]),
                "state": AssignmentState(row["state"]),
                "grade": Grade(row["grade"]),
                "fraud_type": FraudType(row["fraud_type"]),
                "signed_by": row["signed_by"] or "",
            }
        )
        for row in tx.rows(statement)
    ]


def _wanted(which: Waiting, now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    a = t.assignment.c
    match which:
        case Waiting.ALL:
            return ()
        case Waiting.UNSIGNED:
            return (a.state == AssignmentState.OPEN.value, sa.not_(_kept(now)))
        case Waiting.OVERDUE:
            return (is_overdue(now),)
        case Waiting.FEEDBACK:
            return (a.state == AssignmentState.SIGNED.value,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """Work that asks to be accepted by another unit."""

    id: int
    assignment_id: int
    case_id: int
    from_unit_id: int | None
    to_unit_id: int
    by: str
    why: str
    at: datetime
    kind: Track
    grade: Grade
    fraud_type: FraudType
    due_at: datetime
    feedback_by: datetime
    case_unit_id: int | None


def transfers_moving(
    tx: Tx, *, into: int | None = None, out_of: int | None = None, limit: int = 50
) -> list[Moving]:
    """Oldest first: what asks to come into the unit or one below, or what asks to leave it for one that is not below;
    all of it where neither is given. What has ended is left out.
    """
    m, a = t.assignment_transfer.c, t.assignment.c
    names = ("id", "assignment_id", "from_unit_id", "to_unit_id", "by", "at")
    statement = (
        sa.select(
            *(m[name] for name in names),
            m.why,
            m.why_sealed,
            a.case_id,
            a.kind,
            a.due_at,
            a.feedback_by,
            t.case.c.grade,
            t.case.c.fraud_type,
            t.case.c.unit_id.label("case_unit_id"),
        )
        .join(t.assignment, a.id == m.assignment_id)
        .join(t.case, t.case.c.id == a.case_id)
        .where(m.state == word(TransferState.ASKED), _PENDING)
        .order_by(m.at, m.id)
        .limit(limit)
    )
    if into is not None:
        statement = statement.where(is_within_unit(m.to_unit_id, into))
    if out_of is not None:
        statement = statement.where(
            is_within_unit(m.from_unit_id, out_of), sa.not_(is_within_unit(m.to_unit_id, out_of))
        )
    return [
        Moving(
            **{name: row[name] for name in (*names, "case_id", "due_at", "feedback_by", "case_unit_id")},
            why=transfer_reason(tx.vault, row),
            kind=Track(row["kind"]),
            grade=Grade(row["grade"]),
            fraud_type=FraudType(row["fraud_type"]),
        )
        for row in tx.rows(statement)
    ]


def count_transfers_moving(tx: Tx, *, into: int | None = None) -> int:
    """How many ask to come into the unit or one below; anywhere where none is given."""
    m = t.assignment_transfer.c
    statement = (
        sa.select(sa.func.count())
        .select_from(t.assignment_transfer)
        .join(t.assignment, t.assignment.c.id == m.assignment_id)
        .where(m.state == word(TransferState.ASKED), _PENDING)
    )
    if into is not None:
        statement = statement.where(is_within_unit(m.to_unit_id, into))
    return int(tx.scalar(statement))


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalatedWork:
    """Nobody of the unit signed in time, and the next one above had the work from then on."""

    at: datetime
    case_id: int
    track: Track
    grade: Grade
    from_id: int
    to_id: int
    sign_seconds: int
    """So long there was to sign."""


def escalated_work(
    tx: Tx, unit_ids: Sequence[int], *, since: datetime, limit: int = 20
) -> list[EscalatedWork]:
    """From these units, newest first."""
    e = t.event.c
    statement = (
        sa.select(e.at, e.case_id, e.facts)
        .where(
            e.kind == word(ActKind.UNIT_RAISED),
            e.at >= since,
            e.facts["from_id"].astext.in_([str(unit_id) for unit_id in unit_ids]),
        )
        .order_by(e.at.desc(), e.case_id)
        .limit(limit)
    )
    return [_risen(row) for row in tx.rows(statement)]


def _risen(row: Row) -> EscalatedWork:
    facts: dict[str, Any] = row["facts"]
    return EscalatedWork(
        at=row["at"],
        case_id=row["case_id"],
        track=Track(facts["track"]),
        grade=Grade(facts["grade"]),
        from_id=facts["from_id"],
        to_id=facts["to_id"],
        sign_seconds=facts["sign_seconds"],
    )
