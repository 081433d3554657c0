"""Rows of frequent openers, and of the openings of a ring."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dialer.cards.determinations.store import has_open_objection
from dialer.core.cards import OpenerState
from dialer.core.errors import NotFound
from dialer.db import tables as t
from dialer.db.unit_of_work import Row, Tx
from dialer.db.units import is_visible_to

_p, _o, _r = t.card_opener.c, t.opening.c, t.card_ring.c
_MOST_SHOWN = 200


def newest_openers(tx: Tx, *, visible_to: int | None, state: OpenerState | None, now: datetime) -> list[Row]:
    """Findings that have not expired, newest first, each with the sealed person of its opening and with persons and
    cards of its ring. `objected`: an objection is open.
    """
    statement = (
        sa.select(
            t.card_opener,
            _o.sealed,
            _r.persons,
            _r.cards,
            has_open_objection(t.card_objection.c.opener_id == _p.id).label("objected"),
        )
        .join(t.opening, _o.id == _p.opening_id)
        .join(t.card_ring, _r.id == _p.ring_id, isouter=True)
        .where(_p.expires_at > now, is_visible_to(_p.unit_id, visible_to))
        .order_by(_p.listed_at.desc(), _p.id.desc())
        .limit(_MOST_SHOWN)
    )
    return tx.rows(statement if state is None else statement.where(_p.state == state.value))


def lock_opener(tx: Tx, opener_id: int, *, visible_to: int | None) -> Row:
    """The finding, locked. Raises `NotFound`, also for one that the unit does not see."""
    seen = is_visible_to(_p.unit_id, visible_to)
    row = tx.one(sa.select(t.card_opener).where(_p.id == opener_id, seen).with_for_update())
    if row is None:
        raise NotFound(kind="frequent opener", key=opener_id)
    return row


def change_opener(tx: Tx, opener_id: int, *, why: str | None = None, **columns: object) -> None:
    """Stores these columns of the finding, and what was found, sealed, if that is given."""
    if why is not None:
        place: dict[str, Any] = {"table": "card_opener", "column": "why_sealed", "row": opener_id}
        columns["why_sealed"] = tx.vault.seal(why.encode(), **place)
    tx.execute(sa.update(t.card_opener).where(_p.id == opener_id).values(columns))


def openings_of_ring(tx: Tx, ring_id: int, *, visible_to: int | None) -> list[Row]:
    """The openings of the ring, in their order. Raises `NotFound`, also if no outlet of the unit has one of them."""
    rows = tx.rows(sa.select(t.opening).where(_o.ring_id == ring_id).order_by(_o.asked_at, _o.id))
    seen = tx.scalar(
        sa.select(sa.func.count())
        .select_from(t.opening.join(t.outlet, t.outlet.c.id == _o.outlet_id))
        .where(_o.ring_id == ring_id, is_visible_to(t.outlet.c.unit_id, visible_to))
    )
    if not seen:
        raise NotFound(kind="ring", key=ring_id)
    return rows
