"""Rows of inbound calls, the persons who have a number, and the desks that are free for a call."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.core.access import Role
from dialer.core.case import DESK_HAS_LEFT, AssignmentState, InboundResult, InboundState
from dialer.core.errors import NotFound
from dialer.core.presence import PresenceState
from dialer.core.values import Track
from dialer.db import tables as t
from dialer.db.bulk import in_words, word_literal
from dialer.db.unit_of_work import Tx, record_of
from dialer.db.vault import BlindKind


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundCall:
    """An inbound call of a person. `number`: which of the person's numbers it came from; None with a case: the number
    was typed.
    """

    id: uuid.UUID
    sid: str
    state: InboundState
    case_id: int | None
    person_id: int | None
    number: int | None
    assignment_id: int | None
    turn: int
    """How many turns the person has had."""
    asked: int
    typed: bool
    """A telephone number was typed, whether or not it has an open case."""
    extension: str
    """The telephone of ours that rings or is on the call."""
    by: str
    """The login of the person whose telephone it is."""
    tried: tuple[str, ...]
    """Telephones of ours that did not answer this call."""
    arrived_at: datetime
    joined_at: datetime | None
    ended_at: datetime | None
    result: InboundResult | None
    talk_seconds: int | None
    records: bool
    """The talk with a telephone of ours is recorded, and the person is told so before it rings."""
    drill: bool


_LIVE_AT_DESK: Final = (InboundState.RINGING.value, InboundState.JOINED.value)


def lock_arrived_call(tx: Tx, sid: str, *, now: datetime, real_now: datetime, drill: bool) -> InboundCall:
    """The call with this sid, locked; a call that is not known yet is stored as arrived now."""
    arrived = insert(t.inbound_call).values(
        id=uuid.uuid4(),
        sid=sid,
        state=InboundState.ASKING.value,
        arrived_at=now,
        arrived_real_at=real_now,
        drill=drill,
    )
    tx.execute(arrived.on_conflict_do_nothing(index_elements=["sid"]))
    return lock_inbound_call(tx, sid)


def lock_inbound_call(tx: Tx, sid: str) -> InboundCall:
    """The call, locked. Raises `NotFound`."""
    row = tx.one(sa.select(t.inbound_call).where(t.inbound_call.c.sid == sid).with_for_update())
    if row is None:
        raise NotFound(kind="call", key=sid)
    return record_of(InboundCall, row, tried=tuple(row["tried"]))


def change_inbound_call(tx: Tx, call_id: uuid.UUID, **values: object) -> None:
    """Sets columns of the call."""
    tx.execute(sa.update(t.inbound_call).where(t.inbound_call.c.id == call_id).values(**values))


def live_inbound_sids(tx: Tx, *, real_before: datetime) -> list[str]:
    """The sids of calls that arrived before this moment (real time) and have not ended, the oldest first, at most
    200.
    """
    c = t.inbound_call.c
    statement = sa.select(c.sid).where(c.state != InboundState.ENDED.value, c.arrived_real_at < real_before)
    return [row["sid"] for row in tx.rows(statement.order_by(c.arrived_real_at).limit(200))]


def inbound_queue_position(tx: Tx, call: InboundCall) -> int:
    """The place in the queue, from 1: how many calls of the same state came earlier, and this one."""
    c = t.inbound_call.c
    earlier = sa.or_(c.arrived_at < call.arrived_at, sa.and_(c.arrived_at == call.arrived_at, c.id < call.id))
    waiting = c.state == InboundState.WAITING.value
    return 1 + int(tx.scalar(sa.select(sa.func.count()).where(waiting, earlier)))


def earlier_in_inbound_queue(tx: Tx, call: InboundCall, *, since: datetime) -> list[int]:
    """The assignments of the calls in the queue that arrived after `since` and before this one; the earliest first."""
    c = t.inbound_call.c
    earlier = sa.or_(c.arrived_at < call.arrived_at, sa.and_(c.arrived_at == call.arrived_at, c.id < call.id))
    statement = sa.select(c.assignment_id).where(
        c.state == InboundState.WAITING.value, c.arrived_at > since, earlier, c.assignment_id.is_not(None)
    )
    return [row["assignment_id"] for row in tx.rows(statement.order_by(c.arrived_at, c.id))]


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberOwner:
    """A person who has the number, and which of theirs it is."""

    person_id: int
    position: int


def owners_of_number(tx: Tx, number: str) -> list[NumberOwner]:
    """Everybody with this number (E.164)."""
    p = t.person_phone.c
    rows = tx.rows(
        sa.select(p.person_id, p.position)
        .where(p.phone_blind.in_(tx.vault.blinds(number, kind=BlindKind.PHONE)))
        .order_by(p.person_id)
    )
    return [NumberOwner(**row) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeDesk:
    """A caller who can take a call now."""

    login: str
    extension: str
    unit_id: int | None


_AT_DESK: Final = timedelta(minutes=10)
"""In real time: a session that was used since then counts as somebody at the desk."""


def free_desks(tx: Tx, *, holder: str, without: Collection[str], real_now: datetime) -> list[FreeDesk]:
    """Callers with a telephone of their own who are signed in, have no other task in hand and are in no call, without
    those whose telephone is in `without` and those on a break or off. The `holder` of the task comes first, whatever
    else they have in hand, then who has said that they are free, the longest free first, then whoever has waited
    longest for a call.
    """
    s, v, a, d, i = t.staff.c, t.staff_session.c, t.assignment.c, t.desk_call.c, t.inbound_call.c
    is_there = sa.exists().where(v.staff_id == s.id, v.ended_at.is_(None), v.seen_at > real_now - _AT_DESK)
    is_busy = sa.exists().where(
        a.kind == Track.HUMAN.value,
        a.state == word_literal(AssignmentState.SIGNED),
        a.signed_by == s.login,
        a.lease_until > real_now,
    )
    calls_out = sa.exists().where(d.by == s.login, ~in_words(d.state, DESK_HAS_LEFT), ~d.settled)
    is_called = sa.exists().where(i.extension == s.extension, i.state.in_(_LIVE_AT_DESK))
    p = t.presence.c
    away = sa.or_(p.state == word_literal(PresenceState.OFF), p.state == word_literal(PresenceState.BREAK))
    is_away = sa.and_(p.staff_id.is_not(None), away)
    is_free = sa.func.coalesce(p.state == word_literal(PresenceState.FREE), sa.false())
    free_since = sa.case((is_free, p.since))
    newest = sa.select(sa.func.max(i.arrived_at)).where(i.by == s.login).scalar_subquery()
    is_holder = s.login == holder
    statement = (
        sa.select(s.login, s.extension, s.unit_id)
        .outerjoin(t.presence, p.staff_id == s.id)
        .where(
            ~is_away,
            s.disabled_at.is_(None),
            s.extension != "",
            s.extension.not_in(list(without)),
            sa.or_(is_holder, sa.and_(s.role == Role.CALLER.value, ~is_busy)),
            is_there,
            ~calls_out,
            ~is_called,
        )
        .order_by(is_holder.desc(), is_free.desc(), free_since.asc(), newest.asc().nulls_first(), s.id)
    )
    return [FreeDesk(**row) for row in tx.rows(statement)]


def take_telephone(tx: Tx, call_id: uuid.UUID, *, extension: str, by: str) -> bool:
    """Has the telephone ring for this call; False if another call already rings or talks on it."""
    if not is_telephone_free(tx, extension):
        return False
    change_inbound_call(tx, call_id, state=InboundState.RINGING.value, extension=extension, by=by)
    return True


def is_telephone_free(tx: Tx, extension: str) -> bool:
    """Whether no inbound call rings or talks on this telephone. If so, none begins to until this transaction ends."""
    found = tx.one(
        sa.select(sa.func.pg_try_advisory_xact_lock(sa.func.hashtext(f"inbound/{extension}")).label("ok"))
    )
    i = t.inbound_call.c
    taken = sa.select(i.id).where(i.extension == extension, i.state.in_(_LIVE_AT_DESK))
    return found is not None and bool(found["ok"]) and tx.one(taken) is None


@dataclass(frozen=True, slots=True, kw_only=True)
class RingingCall:
    """An inbound call that rings at a caller's telephone."""

    case_id: int
    records: bool


def ringing_for(tx: Tx, login: str) -> Sequence[RingingCall]:
    """Inbound calls of known cases that ring at this caller's telephone now."""
    i = t.inbound_call.c
    rows = tx.rows(
        sa.select(i.case_id, i.records).where(
            i.by == login, i.state == InboundState.RINGING.value, i.case_id.is_not(None)
        )
    )
    return [RingingCall(**row) for row in rows]
