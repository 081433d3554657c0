"""Assignments that nobody has signed for in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from dialer.domain.errand import AssignmentState
from dialer.domain.values import Grade, Track
from dialer.store import tables as t
from dialer.store.unit_of_work import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsigned:
    id: int
    case_id: int
    kind: Track
    unit: str
    unit_id: int | None
    sign_by: datetime
    grade: Grade
    policy_version: int


def lock_late(tx: Tx, *, now: datetime, limit: int) -> list[Unsigned]:
    """Open ones past their sign-off time that no supervisor has been told of, locked, the longest overdue first. One
    that is kept for an agreed call is not late before that time.
    """
    a = t.assignment.c
    names = ("id", "case_id", "kind", "unit", "unit_id", "sign_by")
    statement = (
        sa.select(*(a[name] for name in names), t.case.c.grade, t.case.c.policy_version)
        .join(t.case, t.case.c.id == a.case_id)
        .where(
            a.state == AssignmentState.OPEN.value,
            a.escalated_at.is_(None),
            a.sign_by <= now,
            sa.or_(a.rise_at.is_(None), a.rise_at <= now),
            sa.or_(a.call_at.is_(None), a.kept_until <= now),
        )
        .order_by(a.sign_by)
        .limit(limit)
        .with_for_update(of=t.assignment, skip_locked=True)
    )
    return [
        Unsigned(**dict(row) | {"kind": Track(row["kind"]), "grade": Grade(row["grade"])})
        for row in tx.rows(statement)
    ]


def mark_escalated(tx: Tx, ids: Sequence[int], *, now: datetime) -> None:
    """A supervisor's alarm stands for these."""
    if ids:
        tx.execute(sa.update(t.assignment).where(t.assignment.c.id.in_(ids)).values(escalated_at=now))


def rise(tx: Tx, assignment_id: int, *, unit_id: int, label: str, rise_at: datetime) -> None:
    """The unit above has it, and until `rise_at` to sign. The clocks that are reported stay as they were."""
    tx.execute(
        sa.update(t.assignment)
        .where(t.assignment.c.id == assignment_id)
        .values(
            unit_id=unit_id,
            unit=label,
            rise_at=rise_at,
            raises=t.assignment.c.raises + 1,
            token=t.assignment.c.token + 1,
        )
    )
