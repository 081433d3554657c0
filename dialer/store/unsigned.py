"""Assignments that nobody has signed for in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from dialer.domain.errand import AssignmentState
from dialer.domain.values import Track
from dialer.store import tables as t
from dialer.store.unit_of_work import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsigned:
    id: int
    case_id: int
    kind: Track
    unit: str
    sign_by: datetime


def lock_late(tx: Tx, *, now: datetime, limit: int) -> list[Unsigned]:
    """Open ones past their sign-off time that no supervisor has been told of, locked, the longest overdue first."""
    statement = (
        sa.select(*(t.assignment.c[name] for name in ("id", "case_id", "kind", "unit", "sign_by")))
        .where(
            t.assignment.c.state == AssignmentState.OPEN.value,
            t.assignment.c.escalated_at.is_(None),
            t.assignment.c.sign_by <= now,
        )
        .order_by(t.assignment.c.sign_by)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [Unsigned(**dict(row) | {"kind": Track(row["kind"])}) for row in tx.rows(statement)]


def mark_escalated(tx: Tx, ids: Sequence[int], *, now: datetime) -> None:
    """A supervisor's alarm stands for these."""
    if ids:
        tx.execute(sa.update(t.assignment).where(t.assignment.c.id.in_(ids)).values(escalated_at=now))
