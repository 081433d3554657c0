"""Assignments: human calls and visits that somebody has to make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dialer.domain.effects import HastenErrand, TakeErrand
from dialer.domain.errand import AssignmentState
from dialer.domain.values import Grade, OutcomeKind, Track
from dialer.errors import Conflict, NotFound
from dialer.store import tables as t
from dialer.store.unit_of_work import Tx

_PENDING = (AssignmentState.OPEN.value, AssignmentState.SIGNED.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    id: int
    case_id: int
    kind: Track
    state: AssignmentState
    grade: Grade
    reason: str
    unit: str
    opened_at: datetime
    sign_by: datetime
    due_at: datetime
    feedback_by: datetime
    signed_at: datetime | None
    signed_by: str
    withdrawn_why: str


_COLUMNS = (
    "id",
    "case_id",
    "kind",
    "state",
    "reason",
    "unit",
    "opened_at",
    "sign_by",
    "due_at",
    "feedback_by",
    "signed_at",
    "signed_by",
    "withdrawn_why",
)


def _assignment(row: Mapping[str, Any]) -> Assignment:
    return Assignment(
        **{
            name: row[name]
            for name in _COLUMNS
            if name not in {"kind", "state", "signed_by", "withdrawn_why"}
        },
        kind=Track(row["kind"]),
        state=AssignmentState(row["state"]),
        grade=Grade(row["grade"]),
        signed_by=row["signed_by"] or "",
        withdrawn_why=row["withdrawn_why"] or "",
    )


def _select() -> sa.Select[Any]:
    return sa.select(*(t.assignment.c[name] for name in _COLUMNS), t.case.c.grade).join(
        t.case, t.case.c.id == t.assignment.c.case_id
    )


def waiting(tx: Tx, *, kind: Track | None = None, limit: int = 100) -> list[Assignment]:
    """Open and signed ones, most urgent first."""
    statement = _select().where(t.assignment.c.state.in_(_PENDING))
    if kind is not None:
        statement = statement.where(t.assignment.c.kind == kind.value)
    return [_assignment(row) for row in tx.rows(statement.order_by(t.assignment.c.urgency_at).limit(limit))]


def get(tx: Tx, assignment_id: int) -> Assignment:
    row = tx.one(_select().where(t.assignment.c.id == assignment_id))
    if row is None:
        raise NotFound(kind="assignment", key=assignment_id)
    return _assignment(row)


def lock(tx: Tx, assignment_id: int) -> Assignment:
    """Locked; its case must have been locked before."""
    row = tx.one(_select().where(t.assignment.c.id == assignment_id).with_for_update(of=t.assignment))
    if row is None:
        raise NotFound(kind="assignment", key=assignment_id)
    return _assignment(row)


def sign(tx: Tx, assignment_id: int, *, by: str, now: datetime) -> None:
    """签收: it is this person's from now on. Raises `Conflict` when it is somebody else's or over."""
    signed = tx.execute(
        sa.update(t.assignment)
        .where(t.assignment.c.id == assignment_id, t.assignment.c.state == AssignmentState.OPEN.value)
        .values(state=AssignmentState.SIGNED.value, signed_by=by, signed_at=now)
    )
    if not signed.rowcount:
        current = get(tx, assignment_id)
        if current.state is AssignmentState.SIGNED and current.signed_by == by:
            return
        raise Conflict(f"assignment {assignment_id} is {current.state} already", current=current.state.value)


def hasten(tx: Tx, case_id: int, effect: HastenErrand) -> None:
    """The case's open or signed assignment of that kind stands at its new place in the queue."""
    tx.execute(
        sa.update(t.assignment)
        .where(
            t.assignment.c.case_id == case_id,
            t.assignment.c.kind == effect.track.value,
            t.assignment.c.state.in_(_PENDING),
        )
        .values(urgency_at=effect.urgency_at, reason=effect.reason.value)
    )


def take(tx: Tx, case_id: int, effect: TakeErrand, *, by: str, now: datetime) -> None:
    """The case's open assignment of that kind is this desk's; a signed one stays whose it is."""
    tx.execute(
        sa.update(t.assignment)
        .where(
            t.assignment.c.case_id == case_id,
            t.assignment.c.kind == effect.track.value,
            t.assignment.c.state == AssignmentState.OPEN.value,
        )
        .values(state=AssignmentState.SIGNED.value, signed_by=by, signed_at=now)
    )


def done(tx: Tx, assignment_id: int, *, by: str, outcome: OutcomeKind, now: datetime) -> None:
    tx.execute(
        sa.update(t.assignment)
        .where(t.assignment.c.id == assignment_id, t.assignment.c.state.in_(_PENDING))
        .values(
            state=AssignmentState.DONE.value,
            done_by=by,
            done_at=now,
            outcome=outcome.value,
            signed_by=sa.func.coalesce(t.assignment.c.signed_by, by),
            signed_at=sa.func.coalesce(t.assignment.c.signed_at, now),
        )
    )
