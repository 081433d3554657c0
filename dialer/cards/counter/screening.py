"""The screening: checks the openings of daily files, and stored accounts, in batches, until every opening has a
verdict. A killed process loses nothing, and several processes can work at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from dialer.cards.counter.actions import check_openings
from dialer.cards.counter.facts import ToCheck
from dialer.cards.openings.store import (
    SHARDS,
    count_unchecked,
    opening_personal,
    outlets_of,
    store_verdicts,
    unchecked_openings,
)
from dialer.runtime.services import Services

_BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened:
    """The progress of the screening. `listed`: openings whose person or ring is on the morning list."""

    done: int = 0
    listed: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreeningBatch:
    """The result of a batch. `after`: the last id that was checked; None if nothing is left."""

    done: int = 0
    listed: int = 0
    after: int | None = None


def screen_batch(services: Services, *, shard: int, after: int) -> ScreeningBatch:
    """Checks the next openings of a shard without a verdict, in the order of their ids, in one transaction, each as of
    its own time. Does nothing while another process works on the shard. Rows are locked only while the verdicts are
    written, so that a batch and the counters never deadlock.
    """
    with services.store.begin() as tx:
        rows = unchecked_openings(tx, after=after, shard=shard, limit=_BATCH)
        if not rows:
            return ScreeningBatch()
        outlets = outlets_of(tx, {row["outlet_id"] for row in rows})
        openings = []
        for row in rows:
            person = opening_personal(tx, row["id"], row["sealed"])
            openings.append(
                ToCheck(
                    row=row,
                    phone=person["phone"],
                    id_number=person["id_number"],
                    outlet=outlets[row["outlet_id"]],
                    at=row["asked_at"],
                )
            )
        answers = check_openings(tx, services, openings)
        verdicts = {row["id"]: answer.verdict for row, (answer, _) in zip(rows, answers, strict=True)}
        store_verdicts(tx, verdicts)
    return ScreeningBatch(done=len(rows), listed=sum(listed for _, listed in answers), after=rows[-1]["id"])


def screen_all(services: Services, *, stopping: Callable[[], bool] = lambda: False) -> Iterator[Screened]:
    """Screens batch after batch until nothing is left; yields what was done so far and what is left. The shards work in
    parallel, so that the database and this process are both busy.
    """
    with services.store.begin() as tx:
        left = count_unchecked(tx)
    done = listed = 0
    with ThreadPoolExecutor(SHARDS) as pool:

        def begin(shard: int, after: int) -> Future[ScreeningBatch]:
            return pool.submit(screen_batch, services, shard=shard, after=after)

        working = {begin(shard, 0): shard for shard in range(SHARDS)}
        while working:
            ended, _ = wait(working, return_when=FIRST_COMPLETED)
            for future in ended:
                shard, batch = working.pop(future), future.result()
                done, listed, left = done + batch.done, listed + batch.listed, max(0, left - batch.done)
                if batch.after is not None and not stopping():
                    working[begin(shard, batch.after)] = shard
            yield Screened(done=done, listed=listed, left=left)
