"""What waits in each unit: human calls and visits by their clocks, and what was escalated from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa

from dialer.core.case import PENDING_STATES, AssignmentState, TransferState
from dialer.core.timeline import ActKind
from dialer.core.values import Grade, Track
from dialer.db import tables as t
from dialer.db.bulk import in_words, word_literal
from dialer.db.unit_of_work import Tx, record_of
from dialer.db.units import is_within_unit
from dialer.work.assignments import Assignment, assignment_of, is_kept, is_overdue, select_assignments


class Waiting(StrEnum):
    """A part of the work that waits."""

    ALL = "all"
    UNSIGNED = "unsigned"
    OVERDUE = "overdue"
    FEEDBACK = "feedback"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkCounts:
    """How much work of a unit waits for what."""

    unsigned: int = 0
    """Without a signature, unless it is kept for an agreed call."""
    unsigned_late: int = 0
    overdue: int = 0
    """Not reported, and past the time limit that runs now."""
    feedback: int = 0
    """Signed for and not reported."""
    feedback_late: int = 0

    def __add__(self, other: WorkCounts) -> WorkCounts:
        names = self.__dataclass_fields__
        return WorkCounts(**{name: getattr(self, name) + getattr(other, name) for name in names})


_PENDING = in_words(t.assignment.c.state, PENDING_STATES)


def count_unit_work(tx: Tx, *, now: datetime) -> dict[int, WorkCounts]:
    """The work of each unit itself; a unit where nothing waits is left out."""
    a = t.assignment.c
    unsigned = sa.and_(a.state == AssignmentState.OPEN.value, sa.not_(is_kept(now)))
    signed = a.state == AssignmentState.SIGNED.value
    wanted = {
        "unsigned": unsigned,
        "unsigned_late": sa.and_(unsigned, a.sign_by <= now),
        "overdue": is_overdue(now),
        "feedback": signed,
        "feedback_late": sa.and_(signed, a.feedback_by <= now),
    }
    statement = (
        sa.select(
            a.unit_id, *(sa.func.count().filter(condition).label(name) for name, condition in wanted.items())
        )
        .where(_PENDING, a.unit_id.is_not(None))
        .group_by(a.unit_id)
    )
    return {row["unit_id"]: WorkCounts(**{name: row[name] for name in wanted}) for row in tx.rows(statement)}


def work_of_unit(
    tx: Tx, unit_id: int, *, which: Waiting = Waiting.ALL, now: datetime, limit: int = 50
) -> list[tuple[Assignment, bool]]:
    """The work of the unit and all below, the most urgent first; True: a transfer to another unit waits for an
    answer.
    """
    a = t.assignment.c
    leaves = sa.exists().where(
        t.assignment_transfer.c.assignment_id == a.id,
        t.assignment_transfer.c.state == TransferState.ASKED.value,
    )
    # An index gives the first ones of each unit in order; the first of all are among these.
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
    statement = select_assignments().add_columns(leaves.label("leaves")).where(a.id.in_(first))
    rows = tx.rows(statement.order_by(a.urgency_at, a.id))
    return [(assignment_of(row), row["leaves"]) for row in rows]


def _wanted(which: Waiting, now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    a = t.assignment.c
    match which:
        case Waiting.ALL:
            return ()
        case Waiting.UNSIGNED:
            return (a.state == AssignmentState.OPEN.value, sa.not_(is_kept(now)))
        case Waiting.OVERDUE:
            return (is_overdue(now),)
        case Waiting.FEEDBACK:
            return (a.state == AssignmentState.SIGNED.value,)


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalatedWork:
    """Work for which nobody of the unit signed in time, and which went to the next unit above."""

    at: datetime
    case_id: int
    track: Track
    grade: Grade
    from_id: int
    to_id: int
    sign_seconds: int
    """How long there was to sign."""
    without_duty: bool
    """It was escalated at once: nobody was on duty."""


def escalated_work(
    tx: Tx, unit_ids: Sequence[int], *, since: datetime, limit: int = 20
) -> list[EscalatedWork]:
    """Work escalated from these units, newest first."""
    e = t.event.c
    statement = (
        sa.select(e.at, e.case_id, e.facts)
        .where(
            e.kind == word_literal(ActKind.UNIT_RAISED),
            e.at >= since,
            e.facts["from_id"].astext.in_([str(unit_id) for unit_id in unit_ids]),
        )
        .order_by(e.at.desc(), e.case_id)
        .limit(limit)
    )
    return [
        record_of(
            EscalatedWork,
            row["facts"],
            at=row["at"],
            case_id=row["case_id"],
            without_duty=row["facts"].get("without_duty", False),
        )
        for row in tx.rows(statement)
    ]
