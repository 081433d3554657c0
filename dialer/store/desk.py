"""The queue of people's work: the next one is claimed with a lease, and what nobody works on comes back by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dialer.domain.errand import AssignmentState
from dialer.domain.values import Track
from dialer.errors import NotFound
from dialer.store import tables as t
from dialer.store import units
from dialer.store.rowset import word
from dialer.store.unit_of_work import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whose work a person may take: a unit's and all below it, or, without one, the whole centre's. Work without a unit
    waits at the centre: whoever sees the top of the tree may take it.
    """

    unit_id: int | None = None

    def covers(self, tx: Tx) -> sa.ColumnElement[bool]:
        return self.includes(tx, t.assignment.c.unit_id)

    def includes(self, tx: Tx, column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        """For a WHERE: the row of this column is of these units."""
        if self.unit_id is None:
            return sa.true()
        inside = units.within(column, self.unit_id)
        is_top = units.get(tx, self.unit_id).parent_id is None
        return sa.or_(inside, column.is_(None)) if is_top else inside


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenBack:
    id: int
    case_id: int
    kind: Track
    by: str
    """Who had it."""


def claimed_by(tx: Tx, by: str, *, kind: Track, real_now: datetime) -> int | None:
    """What this desk holds already."""
    found: int | None = tx.scalar(
        sa.select(t.assignment.c.id)
        .where(
            t.assignment.c.state == word(AssignmentState.SIGNED),
            t.assignment.c.signed_by == by,
            t.assignment.c.kind == kind.value,
            t.assignment.c.lease_until > real_now,
        )
        .order_by(t.assignment.c.id)
        .limit(1)
    )
    return found


def claim(
    tx: Tx, *, by: str, kind: Track, scope: Scope, now: datetime, lease_until: datetime, idle_at: datetime
) -> int | None:
    """The id of the one that is this desk's now: its own call-back whose time has come, else the most urgent one that
    nobody has. What another session looks at this very moment is passed over.
    """
    a = t.assignment.c
    free = (a.state == word(AssignmentState.OPEN), a.kind == kind.value, scope.covers(tx))
    due = sa.or_(a.call_at.is_(None), a.call_at <= now)
    own = sa.select(a.id).where(*free, a.kept_for == by, due).order_by(a.call_at)
    anybody = (
        sa.select(a.id)
        .where(*free, due, sa.or_(a.kept_until.is_(None), a.kept_until <= now))
        .order_by(a.urgency_at, a.id)
    )
    for queue in (own, anybody):
        found: int | None = tx.scalar(queue.limit(1).with_for_update(skip_locked=True))
        if found is not None:
            hand_to(tx, found, by=by, now=now, lease_until=lease_until, idle_at=idle_at)
            return found
    return None


def hand_to(
    tx: Tx, assignment_id: int, *, by: str, now: datetime, lease_until: datetime, idle_at: datetime
) -> None:
    """It is this desk's, under a new token; when it was signed first stays."""
    a = t.assignment.c
    tx.execute(
        sa.update(t.assignment)
        .where(a.id == assignment_id)
        .values(
            state=AssignmentState.SIGNED.value,
            signed_by=by,
            signed_at=sa.func.coalesce(a.signed_at, now),
            token=a.token + 1,
            lease_until=lease_until,
            idle_at=sa.func.greatest(a.due_at, idle_at),
            call_at=None,
            kept_for=None,
            kept_until=None,
        )
    )


def is_work_seen(tx: Tx, assignment_id: int, scope: Scope) -> bool:
    covered = sa.select(t.assignment.c.id).where(t.assignment.c.id == assignment_id, scope.covers(tx))
    return tx.scalar(covered) is not None


def check_work_seen(tx: Tx, assignment_id: int, scope: Scope) -> None:
    """Raises `NotFound` for work that is not there, or not of these units: which, is not told."""
    if not is_work_seen(tx, assignment_id, scope):
        raise NotFound(kind="assignment", key=assignment_id)


def renew(tx: Tx, assignment_id: int, *, lease_until: datetime | None, idle_at: datetime) -> None:
    """A word of whoever has it. Without a lease the desk's stays as it was."""
    values = {"idle_at": sa.func.greatest(t.assignment.c.due_at, idle_at)}
    if lease_until is not None:
        values["lease_until"] = sa.func.greatest(t.assignment.c.lease_until, lease_until)
    tx.execute(sa.update(t.assignment).where(t.assignment.c.id == assignment_id).values(**values))


def keep(tx: Tx, assignment_id: int, *, by: str, call_at: datetime, kept_until: datetime) -> None:
    """Back in the queue until the person wants to be rung; this caller's first, then anybody's."""
    _free(tx, [assignment_id], call_at=call_at, kept_for=by, kept_until=kept_until)


def give_back(tx: Tx, ids: Sequence[int]) -> None:
    """Open again for whoever takes them. Their clocks go on, and nobody has signed for them."""
    _free(tx, ids, call_at=None, kept_for=None, kept_until=None)


def _free(tx: Tx, ids: Sequence[int], **values: object) -> None:
    tx.execute(
        sa.update(t.assignment)
        .where(t.assignment.c.id.in_(ids))
        .values(
            state=AssignmentState.OPEN.value,
            signed_by=None,
            signed_at=None,
            token=t.assignment.c.token + 1,
            lease_until=None,
            idle_at=None,
            escalated_at=None,
            **values,
        )
    )


def lock_idle(tx: Tx, *, now: datetime, real_now: datetime, limit: int) -> list[GivenBack]:
    """Signed ones whose desk is silent, or of which nothing was heard until they were overdue; locked."""
    a = t.assignment.c
    # Where a desk keeps its lease alive somebody sits before it, however long the call takes.
    silent = sa.case((a.lease_until.is_not(None), a.lease_until <= real_now), else_=a.idle_at <= now)
    return _lock_signed(tx, silent, limit=limit)


def lock_held_by(tx: Tx, by: str, *, limit: int) -> list[GivenBack]:
    """Everything that this person has signed for, locked."""
    return _lock_signed(tx, t.assignment.c.signed_by == by, limit=limit)


def _lock_signed(tx: Tx, which: sa.ColumnElement[bool], *, limit: int) -> list[GivenBack]:
    statement = (
        sa.select(t.assignment.c.id, t.assignment.c.case_id, t.assignment.c.kind, t.assignment.c.signed_by)
        .where(t.assignment.c.state == word(AssignmentState.SIGNED), which)
        .order_by(t.assignment.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [
        GivenBack(id=row["id"], case_id=row["case_id"], kind=Track(row["kind"]), by=row["signed_by"] or "")
        for row in tx.rows(statement)
    ]


def call_backs(tx: Tx, *, scope: Scope, limit: int = 100) -> list[tuple[int, int, datetime, str]]:
    """Agreed calls that wait for their time: assignment, case, when, with whom; the soonest first."""
    a = t.assignment.c
    statement = (
        sa.select(a.id, a.case_id, a.call_at, a.kept_for)
        .where(a.state == word(AssignmentState.OPEN), a.kept_for.is_not(None), scope.covers(tx))
        .order_by(a.call_at)
        .limit(limit)
    )
    return [(row["id"], row["case_id"], row["call_at"], row["kept_for"]) for row in tx.rows(statement)]
