"""Rows of every desk at once: what its person does, the task in hand, and the numbers of the day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from dialer.cases.effects import success_stands
from dialer.core.access import Role
from dialer.core.case import AssignmentState
from dialer.core.presence import BreakReason, Presence, PresenceEvent, PresenceState
from dialer.core.values import Grade, TelephonyResult, Track
from dialer.db import tables as t
from dialer.db.bulk import word_literal
from dialer.db.unit_of_work import Row, Tx, record_of
from dialer.db.units import is_visible_to

MOST_DESKS: Final = 500
_LOOK_BACK: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskInHand:
    """The newest task that somebody has in hand."""

    case_id: int
    track: Track
    grade: Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What one account does now."""

    staff_id: int
    login: str
    name: str
    role: Role
    unit_id: int | None
    presence: Presence
    since: datetime
    set_by: str
    """Who set it: a login, the robot, or '' where the work did."""
    why: str
    task: TaskInHand | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskDay:
    """The work of one account since the beginning of the day."""

    calls: int = 0
    answered: int = 0
    reported: int = 0
    succeeded: int = 0
    """Reports of a success that was not reversed."""


def desks(
    tx: Tx, *, visible_to: int | None, since: datetime, real_now: datetime, staff_id: int | None = None
) -> list[Desk]:
    """The accounts that are not off, and those that were on since that moment; of these units, at most 500. With
    `staff_id` this one alone, if it ever was on.
    """
    p, s, a, c = t.presence.c, t.staff.c, t.assignment.c, t.case.c
    in_hand = (
        sa.select(a.case_id, a.kind, c.grade)
        .join(t.case, c.id == a.case_id)
        .where(
            a.state == word_literal(AssignmentState.SIGNED),
            a.signed_by == s.login,
            sa.or_(a.lease_until.is_(None), a.lease_until > real_now),
        )
        .order_by(a.signed_at.desc(), a.id.desc())
        .limit(1)
        .lateral("in_hand")
    )
    which = (
        sa.or_(p.state != word_literal(PresenceState.OFF), p.since >= since)
        if staff_id is None
        else s.id == staff_id
    )
    statement = (
        sa.select(
            s.id.label("staff_id"),
            s.login,
            s.display_name.label("name"),
            s.role,
            s.unit_id,
            p.state,
            p.reason,
            p.then,
            p.then_reason,
            p.since,
            p.set_by,
            p.why,
            in_hand.c.case_id,
            in_hand.c.kind,
            in_hand.c.grade,
        )
        .select_from(t.presence.join(t.staff, s.id == p.staff_id).outerjoin(in_hand, sa.literal(value=True)))
        .where(which, s.disabled_at.is_(None), is_visible_to(s.unit_id, visible_to))
        .order_by(p.since, s.id)
        .limit(MOST_DESKS)
    )
    return [_desk_of(row) for row in tx.rows(statement)]


def _desk_of(row: Row) -> Desk:
    task = None
    if row["case_id"] is not None:
        task = TaskInHand(case_id=row["case_id"], track=Track(row["kind"]), grade=Grade(row["grade"]))
    return record_of(Desk, row, presence=record_of(Presence, row), task=task)


def days_of_desks(tx: Tx, logins: Sequence[str], *, since: datetime) -> dict[str, DeskDay]:
    """Calls and reports of these accounts since that moment, by login."""
    c, o = t.desk_call.c, t.outcome.c
    called = tx.rows(
        sa.select(
            c.by.label("login"),
            sa.func.count().label("calls"),
            sa.func.count().filter(c.result == TelephonyResult.ANSWERED.value).label("answered"),
        )
        .where(c.by.in_(logins), c.asked_at >= since)
        .group_by(c.by)
    )
    reported = tx.rows(
        sa.select(
            o.recorded_by.label("login"),
            sa.func.count().label("reported"),
            sa.func.count().filter(success_stands()).label("succeeded"),
        )
        .where(o.recorded_by.in_(logins), o.at >= since, o.reverses.is_(None))
        .group_by(o.recorded_by)
    )
    found: dict[str, dict[str, int]] = {}
    for row in (*called, *reported):
        found.setdefault(row["login"], {}).update({name: row[name] for name in row if name != "login"})
    return {login: DeskDay(**counts) for login, counts in found.items()}


def seconds_by_state(
    tx: Tx, staff_ids: Sequence[int], *, since: datetime, now: datetime
) -> dict[int, dict[PresenceState, float]]:
    """How many seconds of service time each of these accounts has been in each state since that moment; what it was
    in then counts from then on, where it changed to it within the day before.
    """
    h = t.presence_change.c
    begins = sa.func.greatest(h.at, since)
    ends = sa.func.coalesce(sa.func.lead(h.at).over(partition_by=h.staff_id, order_by=h.id), now)
    spans = (
        sa.select(h.staff_id, h.state, begins.label("begins"), ends.label("ends"))
        .where(h.staff_id.in_(staff_ids), h.at >= since - _LOOK_BACK)
        .subquery()
    )
    seconds = sa.func.sum(sa.extract("epoch", spans.c.ends - spans.c.begins))
    rows = tx.rows(
        sa.select(spans.c.staff_id, spans.c.state, seconds.label("seconds"))
        .where(spans.c.ends > since)
        .group_by(spans.c.staff_id, spans.c.state)
    )
    found: dict[int, dict[PresenceState, float]] = {}
    for row in rows:
        found.setdefault(row["staff_id"], {})[PresenceState(row["state"])] = float(row["seconds"])
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceChange:
    """One change of what an account does."""

    at: datetime
    state: PresenceState
    reason: BreakReason | None
    event: PresenceEvent
    set_by: str


def changes_of(tx: Tx, staff_id: int, *, limit: int = 50) -> list[PresenceChange]:
    """The last changes of an account, the newest first."""
    h = t.presence_change.c
    statement = sa.select(t.presence_change).where(h.staff_id == staff_id).order_by(h.at.desc(), h.id.desc())
    return [record_of(PresenceChange, row) for row in tx.rows(statement.limit(limit))]
