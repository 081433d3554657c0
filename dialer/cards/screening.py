"""Openings of daily files, and stored accounts, are checked in batches: what has no verdict yet gets one. A killed
process loses nothing, and several may work at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from dialer.cards.counter import answer_of
from dialer.cards.store import Outlet, opening_personal, outlet_of
from dialer.core.cards import CardProduct, OpeningChannel, OpeningResult
from dialer.db import tables as t
from dialer.db.system_state import UNCHECKED_OPENING
from dialer.db.unit_of_work import Row, Tx
from dialer.intake.opening_lists import OpeningRecord
from dialer.services import Services

_BATCH = 200
_o = t.opening.c
_WAITING = UNCHECKED_OPENING


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened:
    """`listed`: openings whose person or ring is on the morning's list."""

    done: int = 0
    listed: int = 0
    left: int = 0


def record_of_row(row: Row, personal: Mapping[str, Any]) -> OpeningRecord:
    """The opening as it was entered."""
    names = ("name", "id_number", "phone", "address", "employer", "purpose", "agent", "number", "iccid")
    return OpeningRecord(
        line=0,
        opening_no=row["opening_no"],
        outlet="",
        channel=OpeningChannel(row["channel"]),
        product=CardProduct(row["product"]),
        asked_at=row["asked_at"],
        opened_at=row["opened_at"],
        result=OpeningResult(row["result"]),
        teller=row["teller"],
        limit_fen=row["limit_fen"],
        accompanied=row["accompanied"],
        guided=row["guided"],
        **{name: personal.get(name, "") for name in names},
    )


def screen_batch(services: Services, *, at_most: int = _BATCH) -> Screened:
    """The next openings without a verdict, oldest first, in one transaction; each as of its own time."""
    with services.store.begin() as tx:
        rows = tx.rows(
            sa.select(t.opening)
            .where(_WAITING)
            .order_by(_o.id)
            .limit(at_most)
            .with_for_update(skip_locked=True)
        )
        outlets: dict[int, Outlet] = {}
        listed = sum(_screen(tx, services, row, outlets) for row in rows)
    return Screened(done=len(rows), listed=listed)


def _screen(tx: Tx, services: Services, row: Row, outlets: dict[int, Outlet]) -> bool:
    outlet = outlets.get(row["outlet_id"]) or outlet_of(tx, row["outlet_id"])
    outlets[outlet.id] = outlet
    record = record_of_row(row, opening_personal(tx, row["id"], row["sealed"]))
    answer, is_listed = answer_of(tx, services, record, row, outlet, now=row["asked_at"])
    tx.execute(sa.update(t.opening).where(_o.id == row["id"]).values(verdict=answer.verdict.value))
    return is_listed


def screen_all(services: Services, *, stopping: Callable[[], bool] = lambda: False) -> Iterator[Screened]:
    """Batch after batch, with what was done so far and what is left, until nothing is."""
    with services.store.begin() as tx:
        left = int(tx.scalar(sa.select(sa.func.count()).select_from(t.opening).where(_WAITING)))
    done = listed = 0
    while not stopping():
        found = screen_batch(services)
        done, listed, left = done + found.done, listed + found.listed, max(0, left - found.done)
        yield Screened(done=done, listed=listed, left=left)
        if not found.done:
            return
