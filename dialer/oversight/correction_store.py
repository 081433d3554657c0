"""Rows of orders to correct and of what happened to them. What was said is sealed: it may name persons of a case."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa

from dialer.core.corrections import OrderEvent, OrderState
from dialer.core.errors import NotFound
from dialer.core.notifications import NotificationChannel, NotificationState
from dialer.db import tables as t
from dialer.db.bulk import among, in_words, word_literal
from dialer.db.unit_of_work import Tx, record_of
from dialer.db.units import is_within_unit

_O: Final = t.correction_order.c
_S: Final = t.correction_step.c
_MOST_TOLD: Final = 100
OPEN_STATES: Final = tuple(state for state in OrderState if state.is_open)


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionOrder:
    """An order to correct, without what was said."""

    id: int
    unit_id: int
    case_id: int | None
    month: date | None
    """The first day of the month whose record it is about."""
    state: OrderState
    deadline: datetime
    due_at: datetime | None
    issued_by: str
    issued_at: datetime
    answered_by: str | None
    """Who gave the last answer."""

    def is_overdue(self, now: datetime) -> bool:
        """Whether somebody should have acted by now."""
        return self.due_at is not None and self.due_at <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionStep:
    """What happened to an order."""

    number: int
    event: OrderEvent
    by: str
    at: datetime
    deadline: datetime | None
    text: str
    """'' where nothing was said, or once the person of its case is erased."""


def _seen_by(unit_id: int | None) -> sa.ColumnElement[bool]:
    return sa.true() if unit_id is None else is_within_unit(_O.unit_id, unit_id)


def step_place(order_id: int, number: int) -> str:
    """What the text of a step is bound to."""
    return f"{order_id}/{number}"


def add_order(
    tx: Tx,
    *,
    unit_id: int,
    case_id: int | None,
    month: date | None,
    deadline: datetime,
    due_at: datetime | None,
    by: str,
    now: datetime,
) -> int:
    """Adds an order that is issued; its id. Its first step says what is to be corrected."""
    row = tx.one(
        sa.insert(t.correction_order)
        .values(
            unit_id=unit_id,
            case_id=case_id,
            month=month,
            state=OrderState.ISSUED.value,
            deadline=deadline,
            due_at=due_at,
            issued_by=by,
            issued_at=now,
        )
        .returning(_O.id)
    )
    assert row is not None
    return int(row["id"])


def change_order(tx: Tx, order_id: int, **values: object) -> None:
    """Changes columns of an order that is locked."""
    tx.execute(sa.update(t.correction_order).where(_O.id == order_id).values(**values))


def add_step(
    tx: Tx,
    order_id: int,
    event: OrderEvent,
    *,
    by: str,
    now: datetime,
    text: str = "",
    deadline: datetime | None = None,
) -> None:
    """Adds what happened to an order that is locked, or new."""
    last = tx.scalar(sa.select(sa.func.max(_S.number)).where(_S.order_id == order_id)) or 0
    number = int(last) + 1
    sealed = tx.vault.seal(
        text.encode(), table="correction_step", column="sealed", row=step_place(order_id, number)
    )
    tx.execute(
        sa.insert(t.correction_step).values(
            order_id=order_id,
            number=number,
            event=event.value,
            by=by,
            at=now,
            deadline=deadline,
            sealed=sealed,
        )
    )


def lock_order(tx: Tx, order_id: int, *, visible_to: int | None) -> CorrectionOrder:
    """The order, locked. Raises `NotFound`, also for one of a unit that the reader does not see."""
    return _order(tx, order_id, visible_to, locked=True)


def get_order(tx: Tx, order_id: int, *, visible_to: int | None) -> CorrectionOrder:
    """The order. Raises `NotFound` as `lock_order` does."""
    return _order(tx, order_id, visible_to, locked=False)


def _order(tx: Tx, order_id: int, visible_to: int | None, *, locked: bool) -> CorrectionOrder:
    found = sa.select(t.correction_order).where(_O.id == order_id, _seen_by(visible_to))
    row = tx.one(found.with_for_update() if locked else found)
    if row is None:
        raise NotFound(kind="order to correct", key=order_id)
    return record_of(CorrectionOrder, row)


def steps_of(tx: Tx, order_id: int) -> list[CorrectionStep]:
    """What happened to the order, from the first on."""
    rows = tx.rows(sa.select(t.correction_step).where(_S.order_id == order_id).order_by(_S.number))
    found = []
    for row in rows:
        place = step_place(order_id, row["number"])
        text = tx.vault.open(row["sealed"], table="correction_step", column="sealed", row=place)
        found.append(record_of(CorrectionStep, row, text=text.decode()))
    return found


def list_orders(
    tx: Tx,
    *,
    visible_to: int | None,
    open_only: bool,
    unit_id: int | None = None,
    case_id: int | None = None,
    before: int | None = None,
    limit: int,
) -> list[CorrectionOrder]:
    """Orders of the units that the reader sees, the newest first; of one unit, of one case, or older than the order
    `before`.
    """
    chosen: list[sa.ColumnElement[bool]] = [_seen_by(visible_to)]
    if open_only:
        chosen.append(_O.due_at.is_not(None))
    if unit_id is not None:
        chosen.append(is_within_unit(_O.unit_id, unit_id))
    if case_id is not None:
        chosen.append(_O.case_id == case_id)
    if before is not None:
        chosen.append(_O.id < before)
    rows = tx.rows(sa.select(t.correction_order).where(*chosen).order_by(_O.id.desc()).limit(limit))
    return [record_of(CorrectionOrder, row) for row in rows]


def case_unit(tx: Tx, case_id: int, *, visible_to: int | None) -> int | None:
    """The unit of the case; None for a case without one. Raises `NotFound`, also for a case that the reader does not
    see.
    """
    seen = sa.true() if visible_to is None else is_within_unit(t.case.c.unit_id, visible_to)
    row = tx.one(sa.select(t.case.c.unit_id).where(t.case.c.id == case_id, seen))
    if row is None:
        raise NotFound(kind="case", key=case_id)
    found: int | None = row["unit_id"]
    return found


def units_overdue(tx: Tx, *, now: datetime) -> list[int]:
    """The units of orders on which somebody should have acted by now."""
    found = sa.select(_O.unit_id).where(_O.due_at.is_not(None), _O.due_at <= now).distinct()
    return [row["unit_id"] for row in tx.rows(found.order_by(_O.unit_id))]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderToTell:
    """An order that its unit has not signed for."""

    id: int
    unit_id: int
    deadline: datetime


def lock_orders_to_tell(tx: Tx, *, limit: int) -> list[OrderToTell]:
    """Orders of which nobody of the unit was told since they were issued or sent back; locked."""
    found = _to_tell().where(_O.notified_at.is_(None)).order_by(_O.id).limit(limit)
    rows = tx.rows(found.with_for_update(skip_locked=True))
    return [record_of(OrderToTell, row) for row in rows]


def orders_still_to_tell(tx: Tx, order_ids: Collection[int]) -> dict[int, OrderToTell]:
    """Those of these orders for which nobody has signed, by their ids."""
    if not order_ids:
        return {}
    rows = tx.rows(_to_tell().where(among(_O.id, order_ids)))
    return {row["id"]: record_of(OrderToTell, row) for row in rows}


def _to_tell() -> sa.Select[Any]:
    return sa.select(_O.id, _O.unit_id, _O.deadline).where(_O.state == word_literal(OrderState.ISSUED))


def mark_orders_told(tx: Tx, order_ids: Collection[int], *, now: datetime) -> None:
    """Records that people on duty are told of these orders."""
    told = sa.update(t.correction_order).where(among(_O.id, order_ids), in_words(_O.state, OPEN_STATES))
    tx.execute(told.values(notified_at=now))


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldOfOrder:
    """Somebody was told of an order by a channel, or is still to be."""

    login: str
    channel: NotificationChannel
    state: NotificationState
    at: datetime
    """When it was sent; else when it is or was due."""


def told_of_order(tx: Tx, order: CorrectionOrder) -> list[ToldOfOrder]:
    """Who of the people on duty was told of the order, from the first on; as long as notifications are kept."""
    n, s = t.notification.c, t.staff.c
    at = sa.func.coalesce(n.sent_at, n.due_at).label("at")
    rows = (
        sa.select(s.login, n.channel, n.state, at)
        .join(t.staff, s.id == n.staff_id)
        .where(
            n.created_at >= order.issued_at,
            n.order_ids.op("@>")(sa.cast([order.id], n.order_ids.type)),
            n.state != word_literal(NotificationState.DROPPED),
        )
        .order_by(at, s.login)
        .limit(_MOST_TOLD)
    )
    return [record_of(ToldOfOrder, row) for row in tx.rows(rows)]
