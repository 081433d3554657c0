"""Rows of supervisors who listen to calls from desks."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.core.case import DeskCallState
from dialer.core.errors import NotFound
from dialer.core.listening import ListenEvent, Listening, ListenState
from dialer.db import tables as t
from dialer.db.bulk import word_literal
from dialer.db.unit_of_work import Row, Tx, record_of
from dialer.db.units import is_visible_to


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One leg of a supervisor in a call from a desk."""

    id: uuid.UUID
    call_id: uuid.UUID
    by: str
    extension: str
    is_announced: bool
    """Caller and person hear that somebody listens, and the caller sees who."""
    leg: Listening
    sid: str | None
    asked_at: datetime
    due_at: datetime | None
    """In real time: when the carrier is asked about it next."""
    state_since: datetime
    """In real time."""
    alarm_at: datetime | None


_L = t.desk_listener.c
_IS_LIVE = _L.state != word_literal(ListenState.ENDED)


def _listener(row: Row) -> Listener:
    return record_of(Listener, row, leg=record_of(Listening, row))


def add_listener(
    tx: Tx,
    listener_id: uuid.UUID,
    leg: Listening,
    *,
    call_id: uuid.UUID,
    by: str,
    extension: str,
    is_announced: bool,
    asked_at: datetime,
    real_now: datetime,
    due_at: datetime,
) -> bool:
    """Stores a new leg; False while somebody listens to this call or the telephone is in another one."""
    values: dict[str, Any] = {
        "id": listener_id,
        "call_id": call_id,
        "by": by,
        "extension": extension,
        "is_announced": is_announced,
        "asked_at": asked_at,
        "state_since": real_now,
        "due_at": due_at,
        **asdict(leg),
    }
    added = insert(t.desk_listener).values(values).on_conflict_do_nothing().returning(_L.id)
    return tx.scalar(added) is not None


def lock_listener(tx: Tx, listener_id: uuid.UUID) -> Listener:
    """The leg, locked. Raises `NotFound`."""
    row = tx.one(sa.select(t.desk_listener).where(_L.id == listener_id).with_for_update())
    if row is None:
        raise NotFound(kind="call", key=listener_id)
    return _listener(row)


def change_listener(tx: Tx, listener_id: uuid.UUID, leg: Listening | None = None, **values: object) -> None:
    """Stores what the leg does, and other columns."""
    changed = (asdict(leg) if leg is not None else {}) | values
    tx.execute(sa.update(t.desk_listener).where(_L.id == listener_id).values(changed))


def listeners_of(tx: Tx, call_ids: Collection[uuid.UUID]) -> list[Listener]:
    """The legs in these calls that have not ended. Not locked."""
    if not call_ids:
        return []
    which = _L.call_id.in_(list(call_ids))
    return [_listener(row) for row in tx.rows(sa.select(t.desk_listener).where(which, _IS_LIVE))]


def due_listeners(tx: Tx, *, real_now: datetime) -> list[uuid.UUID]:
    """Legs about which the carrier is to be asked, at most 100."""
    which = sa.select(_L.id).where(_IS_LIVE, _L.due_at <= real_now).order_by(_L.due_at).limit(100)
    return [row["id"] for row in tx.rows(which)]


def end_listeners(tx: Tx, call_id: uuid.UUID, *, now: datetime, real_now: datetime) -> None:
    """The call is over: its legs leave, or are not called any more. `now`: service time."""
    rows = tx.rows(sa.select(t.desk_listener).where(_L.call_id == call_id, _IS_LIVE).with_for_update())
    for listener in [_listener(row) for row in rows]:
        leg = listener.leg.after(ListenEvent.CALL_OVER)
        if leg is not listener.leg:
            store_leg(tx, listener, leg, now=now, real_now=real_now, due_at=real_now + _LEFT_BY)


_LEFT_BY: Final = timedelta(seconds=5)
"""In real time: with the room every leg in it ends by itself."""


def store_leg(
    tx: Tx, before: Listener, leg: Listening, *, now: datetime, real_now: datetime, due_at: datetime
) -> None:
    """Stores the leg with the times that follow from its state. `due_at`: when it is looked after, unless it is
    over.
    """
    values: dict[str, object] = {"due_at": due_at}
    if leg.state is not before.leg.state:
        values["state_since"] = real_now
    if leg.state is ListenState.ENDED:
        values |= {"ended_at": now, "due_at": None}
    change_listener(tx, before.id, leg, **values)


def case_of_listener(tx: Tx, listener_id: uuid.UUID) -> int:
    """The case of the call that the leg is in. Raises `NotFound`."""
    found: int | None = tx.scalar(
        sa.select(t.desk_call.c.case_id)
        .join(t.desk_listener, _L.call_id == t.desk_call.c.id)
        .where(_L.id == listener_id)
    )
    if found is None:
        raise NotFound(kind="call", key=listener_id)
    return found


def talk_at_desk(tx: Tx, staff_id: int, *, visible_to: int | None) -> uuid.UUID | None:
    """The call under way of this account, which these units see; None without one. Not locked."""
    d, s = t.desk_call.c, t.staff.c
    found: uuid.UUID | None = tx.scalar(
        sa.select(d.id)
        .join(t.staff, s.login == d.by)
        .where(
            s.id == staff_id,
            is_visible_to(s.unit_id, visible_to),
            d.state == word_literal(DeskCallState.JOINED),
            ~d.settled,
        )
        .order_by(d.asked_at.desc())
        .limit(1)
    )
    return found
