"""Rows of offers: which calls could be offered, who is free, and what each is offered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.core.access import Permission, Role, may
from dialer.core.case import AssignmentState
from dialer.core.offers import FreePerson, OfferableTask, OfferEvent, OfferState, ended_by
from dialer.core.presence import PresenceState
from dialer.core.values import Grade, Track
from dialer.db import tables as t
from dialer.db.bulk import word_literal
from dialer.db.unit_of_work import Tx, record_of
from dialer.db.units import is_within_unit

_WAITING: Final = word_literal(OfferState.WAITING)
_AT_DESK: Final = tuple(role.value for role in Role if may(role, Permission.WORK_DESK))
_SEEN: Final = timedelta(seconds=75)
"""In real time. A page in the background speaks once a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingOffer:
    """An offer that waits, with what has become of its task and its person."""

    id: int
    assignment_id: int
    token: int
    staff_id: int
    until: datetime
    """Real time."""
    is_open: bool
    """The task is still as it was offered."""
    is_free: bool
    """The person still is."""


def _still_there() -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    o, a, p = t.task_offer.c, t.assignment.c, t.presence.c
    is_open = sa.and_(a.state == word_literal(AssignmentState.OPEN), a.token == o.token)
    return is_open, p.state == word_literal(PresenceState.FREE)


def waiting_offers(tx: Tx) -> list[WaitingOffer]:
    """All offers that wait."""
    o = t.task_offer.c
    is_open, is_free = _still_there()
    rows = tx.rows(
        sa.select(
            o.id,
            o.assignment_id,
            o.token,
            o.staff_id,
            o.until,
            is_open.label("is_open"),
            sa.func.coalesce(is_free, sa.false()).label("is_free"),
        )
        .join(t.assignment, t.assignment.c.id == o.assignment_id)
        .outerjoin(t.presence, t.presence.c.staff_id == o.staff_id)
        .where(o.state == _WAITING)
        .order_by(o.id)
    )
    return [record_of(WaitingOffer, row) for row in rows]


def end_offer(tx: Tx, offer_id: int, event: OfferEvent, *, now: datetime) -> bool:
    """Ends the offer; False if it has ended already."""
    o = t.task_offer.c
    ended = (
        sa.update(t.task_offer)
        .where(o.id == offer_id, o.state == _WAITING)
        .values(state=ended_by(event).value, ended_at=now)
    )
    return bool(tx.execute(ended).rowcount)


def add_offers(
    tx: Tx, planned: Iterable[tuple[OfferableTask, FreePerson]], *, now: datetime, until: datetime
) -> int:
    """Stores these offers; one whose task or person has another by now is left out. Returns how many are new."""
    rows = [
        {
            "assignment_id": task.id,
            "token": task.token,
            "staff_id": person.staff_id,
            "state": OfferState.WAITING.value,
            "offered_at": now,
            "until": until,
        }
        for task, person in planned
    ]
    if not rows:
        return 0
    new = insert(t.task_offer).values(rows).on_conflict_do_nothing()
    return len(tx.rows(new.returning(t.task_offer.c.id)))


def free_people(tx: Tx, *, real_now: datetime) -> list[FreePerson]:
    """Who is free, works at a desk, has a page open and is offered nothing."""
    p, s, o, u = t.presence.c, t.staff.c, t.task_offer.c, t.unit.c
    offered = sa.exists().where(o.staff_id == s.id, o.state == _WAITING)
    passed_at = (
        sa.select(sa.func.max(o.ended_at))
        .where(o.staff_id == s.id, o.offered_at >= p.since, o.state == word_literal(OfferState.PASSED))
        .scalar_subquery()
    )
    rows = tx.rows(
        sa.select(
            s.id.label("staff_id"),
            s.login,
            s.unit_id,
            sa.func.greatest(p.since, passed_at).label("since"),
            sa.and_(s.unit_id.is_not(None), u.parent_id.is_(None)).label("is_top"),
        )
        .join(t.staff, s.id == p.staff_id)
        .outerjoin(t.unit, u.id == s.unit_id)
        .where(
            p.state == word_literal(PresenceState.FREE),
            p.seen_at > real_now - _SEEN,
            s.disabled_at.is_(None),
            s.role.in_(_AT_DESK),
            ~offered,
        )
    )
    return [record_of(FreePerson, row) for row in rows]


def offerable_tasks(
    tx: Tx, people: Sequence[FreePerson], *, now: datetime, limit: int
) -> list[OfferableTask]:
    """Calls that wait, are due and are offered to nobody, of the units of these people; the most urgent first. Agreed
    calls that are due come before all others.
    """
    a, o, u = t.assignment.c, t.task_offer.c, t.unit.c
    within = [is_within_unit(a.unit_id, person.unit_id) for person in people if person.unit_id is not None]
    if any(person.is_top for person in people):
        within.append(a.unit_id.is_(None))
    if any(person.unit_id is None for person in people):
        within = [sa.true()]
    passed_by = (
        sa.select(sa.func.array_agg(o.staff_id))
        .where(o.assignment_id == a.id, o.token == a.token, o.state == word_literal(OfferState.PASSED))
        .scalar_subquery()
    )
    is_kept = sa.func.coalesce(a.kept_until > now, sa.false())
    statement: sa.Select[Any] = (
        sa.select(
            a.id,
            a.token,
            u.path,
            sa.case((is_kept, sa.func.coalesce(a.kept_for, "")), else_="").label("kept_for"),
            passed_by.label("passed_by"),
        )
        .outerjoin(t.unit, u.id == a.unit_id)
        .where(
            a.state == word_literal(AssignmentState.OPEN),
            a.kind == Track.HUMAN.value,
            sa.or_(*within),
            sa.or_(a.call_at.is_(None), a.call_at <= now),
            # Kept for a second person's approval: nobody is offered it.
            sa.or_(~is_kept, a.kept_for.is_not(None)),
            ~sa.exists().where(o.assignment_id == a.id, o.state == _WAITING),
        )
        .order_by(is_kept.desc(), a.urgency_at, a.id)
        .limit(limit)
    )
    return [
        OfferableTask(
            id=row["id"],
            token=row["token"],
            path=tuple(row["path"] or ()),
            kept_for=row["kept_for"],
            passed_by=frozenset(row["passed_by"] or ()),
        )
        for row in tx.rows(statement)
    ]


def passed_in_a_row(tx: Tx, staff_id: int) -> int:
    """How many offers somebody has passed on since they became free."""
    o, p = t.task_offer.c, t.presence.c
    counted = (
        sa.select(sa.func.count())
        .join(t.presence, p.staff_id == o.staff_id)
        .where(o.staff_id == staff_id, o.offered_at >= p.since, o.state == word_literal(OfferState.PASSED))
    )
    return int(tx.scalar(counted) or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnOffer:
    """What somebody is offered now."""

    id: int
    assignment_id: int
    token: int
    case_id: int
    grade: Grade
    until: datetime
    """Real time."""


def offer_of(tx: Tx, login: str, *, real_now: datetime) -> OwnOffer | None:
    """What this account is offered now and may still take; None if nothing."""
    o, a, s = t.task_offer.c, t.assignment.c, t.staff.c
    row = tx.one(
        sa.select(o.id, o.assignment_id, o.token, a.case_id, t.case.c.grade, o.until)
        .join(t.staff, s.id == o.staff_id)
        .join(t.assignment, a.id == o.assignment_id)
        .join(t.case, t.case.c.id == a.case_id)
        .where(
            s.login == login,
            o.state == _WAITING,
            o.until > real_now,
            a.state == word_literal(AssignmentState.OPEN),
            a.token == o.token,
        )
    )
    return None if row is None else record_of(OwnOffer, row)


def lock_offered(tx: Tx, offer: OwnOffer) -> bool:
    """Locks the task of this offer; False if somebody has it, or is changing it."""
    a = t.assignment.c
    locked = (
        sa.select(a.id)
        .where(
            a.id == offer.assignment_id,
            a.state == word_literal(AssignmentState.OPEN),
            a.token == offer.token,
        )
        .with_for_update(skip_locked=True)
    )
    return tx.scalar(locked) is not None


def units_stalled(tx: Tx, *, since: datetime) -> list[str]:
    """The units of calls of which nothing was heard since that moment, while somebody who may take them has been free:
    neither was the call taken, nor came it back, nor did anything else happen in its case. '' for calls without a unit.
    """
    a, u, p, s, e = t.assignment.c, t.unit.c, t.presence.c, t.staff.c, t.event.c
    own = t.unit.alias("own")
    sees = sa.or_(
        s.unit_id.is_(None),
        s.unit_id == sa.any_(u.path),
        sa.and_(a.unit_id.is_(None), own.c.parent_id.is_(None)),
    )
    is_free = (
        sa.exists()
        .select_from(t.presence.join(t.staff, s.id == p.staff_id).outerjoin(own, own.c.id == s.unit_id))
        .where(
            p.state == word_literal(PresenceState.FREE),
            p.since <= since,
            s.disabled_at.is_(None),
            s.role.in_(_AT_DESK),
            sees,
        )
    )
    statement = (
        sa.select(a.unit)
        .outerjoin(t.unit, u.id == a.unit_id)
        .where(
            a.state == word_literal(AssignmentState.OPEN),
            a.kind == Track.HUMAN.value,
            a.opened_at <= since,
            sa.or_(a.call_at.is_(None), a.call_at <= since),
            sa.or_(a.kept_until.is_(None), a.kept_until <= since),
            is_free,
            ~sa.exists().where(e.case_id == a.case_id, e.at > since),
        )
        .distinct()
        .order_by(a.unit)
    )
    return [row["unit"] for row in tx.rows(statement)]


def delete_old_offers(tx: Tx, *, before: datetime) -> None:
    """Deletes offers that were made earlier and have ended."""
    o = t.task_offer.c
    tx.execute(sa.delete(t.task_offer).where(o.offered_at < before, o.state != _WAITING))
