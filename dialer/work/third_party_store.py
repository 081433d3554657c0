"""Rows of third parties in calls from desks."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.cases.store import Act, note_acts
from dialer.core.errors import NotFound
from dialer.core.third_party import PartyEvent, PartyKind, PartyLeg, PartyState
from dialer.core.timeline import ActKind
from dialer.db import tables as t
from dialer.db.bulk import word_literal
from dialer.db.unit_of_work import Row, Tx, record_of


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyInCall:
    """One leg of a third party in a call from a desk."""

    id: uuid.UUID
    call_id: uuid.UUID
    case_id: int
    by: str
    """The caller who asked for it."""
    party: str
    """The key of its entry."""
    kind: PartyKind
    name: str
    leg: PartyLeg
    sid: str | None
    asked_at: datetime
    due_at: datetime | None
    """In real time: when the carrier is asked about it next."""
    state_since: datetime
    """In real time."""
    alarm_at: datetime | None


_P = t.third_party.c
_IS_LIVE = _P.state != word_literal(PartyState.ENDED)


def _party(row: Row) -> PartyInCall:
    return record_of(PartyInCall, row, leg=record_of(PartyLeg, row))


def add_party(tx: Tx, party_id: uuid.UUID, leg: PartyLeg, **values: object) -> bool:
    """Stores a new leg with its other columns; False while another one is in this call."""
    row: dict[str, Any] = {"id": party_id, **asdict(leg), **values}
    added = insert(t.third_party).values(row).on_conflict_do_nothing().returning(_P.id)
    return tx.scalar(added) is not None


def lock_party(tx: Tx, party_id: uuid.UUID) -> PartyInCall:
    """The leg, locked. Raises `NotFound`."""
    row = tx.one(sa.select(t.third_party).where(_P.id == party_id).with_for_update())
    if row is None:
        raise NotFound(kind="call", key=party_id)
    return _party(row)


def change_party(tx: Tx, party_id: uuid.UUID, leg: PartyLeg | None = None, **values: object) -> None:
    """Stores what the leg does, and other columns."""
    changed = (asdict(leg) if leg is not None else {}) | values
    tx.execute(sa.update(t.third_party).where(_P.id == party_id).values(changed))


def party_of(tx: Tx, call_id: uuid.UUID) -> PartyInCall | None:
    """The leg in this call that has not ended; None without one. Not locked."""
    row = tx.one(sa.select(t.third_party).where(_P.call_id == call_id, _IS_LIVE))
    return None if row is None else _party(row)


def due_parties(tx: Tx, *, real_now: datetime) -> list[uuid.UUID]:
    """Legs about which the carrier is to be asked: no more than there are desks."""
    which = sa.select(_P.id).where(_IS_LIVE, _P.due_at <= real_now).order_by(_P.due_at)
    return [row["id"] for row in tx.rows(which)]


def move_party_of(
    tx: Tx, call_id: uuid.UUID, event: PartyEvent, *, now: datetime, real_now: datetime
) -> PartyInCall | None:
    """Applies this to the leg in the call, if there is one; it is looked after at once. `now`: service time. The leg as
    it is then; None without one.
    """
    row = tx.one(sa.select(t.third_party).where(_P.call_id == call_id, _IS_LIVE).with_for_update())
    if row is None:
        return None
    before = _party(row)
    leg = before.leg.after(event)
    if leg is not before.leg:
        store_party(tx, before, leg, now=now, real_now=real_now, due_at=real_now + _SOON)
    return party_of(tx, call_id)


_SOON: Final = timedelta(seconds=2)
"""In real time: what follows from it is asked for at once; should that be lost, then."""


def store_party(
    tx: Tx, before: PartyInCall, leg: PartyLeg, *, now: datetime, real_now: datetime, due_at: datetime
) -> None:
    """Stores the leg with the times that follow from its state, and notes in the timeline who came, left or has the
    call. `due_at`: when it is looked after, unless it is over.
    """
    values: dict[str, object] = {"due_at": due_at}
    if leg.state is not before.leg.state:
        values["state_since"] = real_now
    if leg.state is PartyState.ENDED:
        values |= {"ended_at": now, "due_at": None}
    change_party(tx, before.id, leg, **values)
    if leg.state is not before.leg.state and leg.state in _TOLD:
        facts = party_facts(before.kind, before.name)
        act = Act(case_id=before.case_id, kind=_TOLD[leg.state], by=before.by, facts=facts)
        note_acts(tx, [act], now=now)


def party_facts(kind: PartyKind, name: str) -> dict[str, object]:
    """What an act of the timeline says about a third party. '' is the name of the duty line."""
    facts: dict[str, object] = {"party": kind.value}
    return facts | {"to": name} if name else facts


_TOLD: Final = {
    PartyState.CONNECTED: ActKind.PARTY_JOINED,
    PartyState.HAS_CALL: ActKind.CALL_HANDED_OVER,
    PartyState.ENDED: ActKind.PARTY_LEFT,
}
"""What the timeline tells of a leg that comes into this state."""


def telephones_of(tx: Tx, staff_ids: Collection[int]) -> Sequence[tuple[int, str, str]]:
    """Account, display name and telephone at the desk of those who have one, by name."""
    s = t.staff.c
    statement = (
        sa.select(s.id, s.display_name, s.extension)
        .where(s.id.in_(sorted(set(staff_ids))), s.extension != "", s.disabled_at.is_(None))
        .order_by(s.display_name, s.id)
    )
    return [(row["id"], row["display_name"], row["extension"]) for row in tx.rows(statement)]
