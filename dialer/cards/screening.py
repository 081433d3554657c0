"""Openings of daily files, and stored accounts, are checked in batches: what has no verdict yet gets one. A killed
process loses nothing, and several may work at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from dialer.cards.counter import ToCheck, answers_of
from dialer.cards.store import Outlet, opening_personal, outlets_of
from dialer.db import tables as t
from dialer.db.bulk import RowSet
from dialer.db.system_state import UNCHECKED_OPENING
from dialer.db.unit_of_work import Row
from dialer.services import Services

_BATCH: Final = 500
SHARDS: Final = 2
_SHARE: Final = 512
"""Ids in a row of one shard."""
_SCREEN_LOCK: Final = 0x53435200
_FOUND: Final = RowSet("found", {"id": sa.BigInteger(), "verdict": sa.Text()})
_o = t.opening.c
_WAITING = UNCHECKED_OPENING


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened:
    """`listed`: openings whose person or ring is on the morning's list."""

    done: int = 0
    listed: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What a batch did. `after`: the last id that it looked at; None: nothing is left."""

    done: int = 0
    listed: int = 0
    after: int | None = None


def _to_check(row: Row, personal: Mapping[str, Any], outlet: Outlet) -> ToCheck:
    return ToCheck(
        row=row,
        phone=personal["phone"],
        id_number=personal["id_number"],
        outlet=outlet,
        at=row["asked_at"],
    )


def screen_batch(services: Services, *, after: int = 0, shard: int = 0, at_most: int = _BATCH) -> Batch:
    """The next openings of a shard without a verdict, in the order of their ids, in one transaction; each as of its own
    time. Nothing is done where another process works on the shard. Rows are locked only while the verdicts are
    written, so that a batch and the counters never wait for each other in a circle.
    """
    with services.store.begin() as tx:
        if not tx.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_SCREEN_LOCK + shard))):
            return Batch(after=None)
        mine = (_o.id // _SHARE) % SHARDS == shard
        rows = tx.rows(
            sa.select(t.opening).where(_WAITING, _o.id > after, mine).order_by(_o.id).limit(at_most)
        )
        if not rows:
            return Batch(after=None)
        outlets = outlets_of(tx, {row["outlet_id"] for row in rows})
        given = [
            _to_check(row, opening_personal(tx, row["id"], row["sealed"]), outlets[row["outlet_id"]])
            for row in rows
        ]
        answers = answers_of(tx, services, given)
        tx.execute(
            sa.update(t.opening)
            .where(_o.id == _FOUND.c.id, _o.verdict.is_(None))
            .values(verdict=_FOUND.c.verdict),
            _FOUND.given(
                [
                    {"id": row["id"], "verdict": answer.verdict.value}
                    for row, (answer, _) in zip(rows, answers, strict=True)
                ]
            ),
        )
    return Batch(done=len(rows), listed=sum(listed for _, listed in answers), after=rows[-1]["id"])


def screen_all(services: Services, *, stopping: Callable[[], bool] = lambda: False) -> Iterator[Screened]:
    """Batch after batch, with what was done so far and what is left, until nothing is; the shards work side by side,
    so that the database and this process do.
    """
    with services.store.begin() as tx:
        left = int(tx.scalar(sa.select(sa.func.count()).select_from(t.opening).where(_WAITING)))
    done = listed = 0
    with ThreadPoolExecutor(SHARDS) as pool:

        def begin(shard: int, after: int) -> Future[Batch]:
            return pool.submit(screen_batch, services, shard=shard, after=after)

        working = {begin(shard, 0): shard for shard in range(SHARDS)}
        while working:
            ended, _ = wait(working, return_when=FIRST_COMPLETED)
            for future in ended:
                shard, found = working.pop(future), future.result()
                done, listed, left = done + found.done, listed + found.listed, max(0, left - found.done)
                if found.after is not None and not stopping():
                    working[begin(shard, found.after)] = shard
            yield Screened(done=done, listed=listed, left=left)
