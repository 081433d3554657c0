"""Rows of presences: what each account does now, its changes, and the work that decides it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.core.access import Role
from dialer.core.case import DESK_HAS_LEFT, AssignmentState, InboundState
from dialer.core.presence import BreakReason, Presence, PresenceEvent, PresenceState
from dialer.db import tables as t
from dialer.db.bulk import in_words, word_literal
from dialer.db.unit_of_work import Row, Tx, record_of
from dialer.db.units import is_visible_to

_SEEN_EVERY_SECONDS: Final = 10.0
MOST_ONLINE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPresence:
    """What an account does now; `since` is service time, `seen_at` real time. Both None: it never did anything."""

    staff_id: int
    login: str
    presence: Presence
    since: datetime | None
    seen_at: datetime | None
    set_by: str
    """Who said it: a login, or '' where the work did."""
    why: str
    """What a supervisor gave as the reason."""
    changes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceAndWork:
    """A presence, and the work that the account has."""

    stored: StoredPresence
    has_task: bool
    has_call: bool
    is_disabled: bool


def _presence_of(row: Row) -> StoredPresence:
    presence = Presence()
    if row["state"] is not None:
        presence = record_of(Presence, row)
    return StoredPresence(
        staff_id=row["staff_id"],
        login=row["login"],
        presence=presence,
        since=row["since"],
        seen_at=row["seen_at"],
        set_by=row["set_by"] or "",
        why=row["why"] or "",
        changes=row["changes"] or 0,
    )


_P: Final = t.presence.c
_OWN: Final = (
    t.staff.c.id.label("staff_id"),
    t.staff.c.login,
    _P.state,
    _P.reason,
    _P.then,
    _P.then_reason,
    _P.since,
    _P.seen_at,
    _P.set_by,
    _P.why,
    _P.changes,
)


def has_task(real_now: datetime) -> sa.ColumnElement[bool]:
    """The condition that a row of `staff` has a call, under a running lease if it has one, or a visit that was
    accepted.
    """
    a, s = t.assignment.c, t.staff.c
    return sa.exists().where(
        a.state == word_literal(AssignmentState.SIGNED),
        a.signed_by == s.login,
        sa.or_(a.lease_until.is_(None), a.lease_until > real_now),
    )


def has_call() -> sa.ColumnElement[bool]:
    """The condition that a row of `staff` is in a call: put through from the desk, or of a person who called in."""
    d, i, s = t.desk_call.c, t.inbound_call.c, t.staff.c
    out = sa.exists().where(d.by == s.login, ~in_words(d.state, DESK_HAS_LEFT), ~d.settled)
    called_in = sa.exists().where(i.by == s.login, i.state == word_literal(InboundState.JOINED))
    return sa.or_(out, called_in)


def _with_work(real_now: datetime) -> sa.Select[Any]:
    return sa.select(
        *_OWN,
        has_task(real_now).label("has_task"),
        has_call().label("has_call"),
        t.staff.c.disabled_at.is_not(None).label("is_disabled"),
    )


def _work_of(row: Row) -> PresenceAndWork:
    return PresenceAndWork(
        stored=_presence_of(row),
        has_task=row["has_task"],
        has_call=row["has_call"],
        is_disabled=row["is_disabled"],
    )


def presence_and_work(tx: Tx, login: str, *, real_now: datetime) -> PresenceAndWork | None:
    """The presence of this account beside its work; None for a name that is no account's."""
    row = tx.one(
        _with_work(real_now)
        .select_from(t.staff.outerjoin(t.presence, _P.staff_id == t.staff.c.id))
        .where(t.staff.c.login == login)
    )
    return None if row is None else _work_of(row)


def presences_on(tx: Tx, *, real_now: datetime) -> list[PresenceAndWork]:
    """The presences that are not off, beside the work of each."""
    rows = tx.rows(
        _with_work(real_now)
        .select_from(t.presence.join(t.staff, _P.staff_id == t.staff.c.id))
        .where(_P.state != word_literal(PresenceState.OFF))
        .order_by(t.staff.c.id)
    )
    return [_work_of(row) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class OnlineUser:
    """An account with a session that is used; all times but `since` are real."""

    name: str
    role: Role
    unit_id: int | None
    signed_in_at: datetime
    """Of its first session that is still used."""
    active_at: datetime
    """When it last asked for something, to half a minute."""
    sessions: int
    """In how many browsers."""
    state: PresenceState | None
    """None where it is off, or never said or took anything."""
    reason: BreakReason | None
    since: datetime | None
    """Service time since when the presence is so."""


def users_online(
    tx: Tx, *, visible_to: int | None, real_now: datetime, idle_since: datetime
) -> list[OnlineUser]:
    """Enabled accounts of this unit and all below (None: of all) with a session that has neither ended nor expired and
    was used after `idle_since`; the last active first, at most 500.
    """
    s, n = t.staff.c, t.staff_session.c
    used = (
        sa.select(
            n.staff_id,
            sa.func.min(n.created_at).label("signed_in_at"),
            sa.func.max(n.seen_at).label("active_at"),
            sa.func.count().label("sessions"),
        )
        .where(n.ended_at.is_(None), n.expires_at > real_now, n.seen_at > idle_since)
        .group_by(n.staff_id)
        .subquery()
    )
    is_on = sa.and_(_P.staff_id == s.id, _P.state != word_literal(PresenceState.OFF))
    rows = tx.rows(
        sa.select(
            s.display_name.label("name"),
            s.role,
            s.unit_id,
            used.c.signed_in_at,
            used.c.active_at,
            used.c.sessions,
            _P.state,
            _P.reason,
            _P.since,
        )
        .select_from(t.staff.join(used, used.c.staff_id == s.id).outerjoin(t.presence, is_on))
        .where(s.disabled_at.is_(None), is_visible_to(s.unit_id, visible_to))
        .order_by(used.c.active_at.desc(), s.id)
        .limit(MOST_ONLINE)
    )
    return [record_of(OnlineUser, row) for row in rows]


def presence_of(tx: Tx, staff_id: int, *, visible_to: int | None = None) -> StoredPresence | None:
    """The presence of an account; None for one that `visible_to` does not see."""
    row = tx.one(
        sa.select(*_OWN)
        .select_from(t.staff.outerjoin(t.presence, _P.staff_id == t.staff.c.id))
        .where(t.staff.c.id == staff_id, is_visible_to(t.staff.c.unit_id, visible_to))
    )
    return None if row is None else _presence_of(row)


def store_presence(
    tx: Tx,
    before: StoredPresence,
    after: Presence,
    events: Sequence[PresenceEvent],
    *,
    set_by: str,
    why: str = "",
    now: datetime,
    real_now: datetime,
) -> bool:
    """Stores what the account does after these events, set by somebody or, with '', by its work; False where it was
    changed meanwhile. Whoever sets their own, and whoever was off, is seen now.
    """
    changed = after.state is not before.presence.state or after.reason is not before.presence.reason
    values: dict[str, object] = {
        "state": after.state.value,
        "reason": after.reason and after.reason.value,
        "then": after.then and after.then.value,
        "then_reason": after.then_reason and after.then_reason.value,
        "set_by": set_by,
        "why": why,
        "changes": before.changes + 1,
    }
    if changed or before.since is None:
        values["since"] = now
    if set_by == before.login or before.presence.state is PresenceState.OFF:
        values["seen_at"] = real_now
    if before.changes:
        mine = sa.and_(_P.staff_id == before.staff_id, _P.changes == before.changes)
        stored = tx.execute(sa.update(t.presence).where(mine).values(values))
    else:
        new = insert(t.presence).values(staff_id=before.staff_id, **values)
        stored = tx.execute(new.on_conflict_do_nothing(index_elements=["staff_id"]))
    if not stored.rowcount:
        return False
    row = {
        "staff_id": before.staff_id,
        "at": now,
        "state": after.state.value,
        "reason": after.reason and after.reason.value,
        "event": events[-1].value,
        "set_by": set_by,
    }
    if changed:
        tx.execute(sa.insert(t.presence_change).values(row))
    return True


def mark_present(tx: Tx, staff_ids: Iterable[int], *, real_now: datetime) -> None:
    """A page of each of these accounts is open now."""
    tx.execute(
        sa.update(t.presence)
        .where(
            _P.staff_id.in_(sorted(staff_ids)),
            _P.state != word_literal(PresenceState.OFF),
            sa.extract("epoch", sa.literal(real_now) - _P.seen_at) >= _SEEN_EVERY_SECONDS,
        )
        .values(seen_at=real_now)
    )


def delete_old_changes(tx: Tx, *, before: datetime) -> None:
    """Deletes changes of presences that are older."""
    tx.execute(sa.delete(t.presence_change).where(t.presence_change.c.at < before))
