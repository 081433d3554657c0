"""Items that wait while a batch runs share the next one, and each gets its own answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from dialer.server import Batch


class Held:
    """Applies batches once `go` is set, and remembers them."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun = threading.Event()
        self.batches: list[list[int]] = []

    def __call__(self, items: Sequence[int]) -> list[str | Exception]:
        self.batches.append(list(items))
        self.begun.set()
        self.go.wait()
        return [ValueError(str(item)) if item < 0 else str(item) for item in items]


async def started(held: Held, batch: Batch[int, str], *items: int) -> list[asyncio.Task[str]]:
    """The first item's batch runs and is held; the others wait."""
    first = asyncio.create_task(batch.add(items[0]))
    await asyncio.to_thread(held.begun.wait)
    rest = [asyncio.create_task(batch.add(item)) for item in items[1:]]
    await asyncio.sleep(0)
    return [first, *rest]


def test_the_first_begins_at_once_and_the_rest_share_the_next() -> None:
    held = Held()

    async def run() -> list[str]:
        tasks = await started(held, Batch(held), 1, 2, 3, 4)
        held.go.set()
        return await asyncio.gather(*tasks)

    assert asyncio.run(run()) == ["1", "2", "3", "4"]
    assert held.batches == [[1], [2, 3, 4]]


def test_a_batch_is_never_larger_than_it_may_be() -> None:
    held = Held()

    async def run() -> None:
        tasks = await started(held, Batch(held, at_most=2), 1, 2, 3, 4)
        held.go.set()
        await asyncio.gather(*tasks)

    asyncio.run(run())
    assert held.batches == [[1], [2, 3], [4]]


def test_one_item_s_fault_is_its_own() -> None:
    held = Held()
    held.go.set()

    async def run() -> list[object]:
        batch: Batch[int, str] = Batch(held)
        return await asyncio.gather(*(batch.add(item) for item in (1, -2, 3)), return_exceptions=True)

    one, two, three = asyncio.run(run())
    assert (one, three) == ("1", "3")
    assert isinstance(two, ValueError)


def test_a_batch_that_fails_as_a_whole_fails_each_item_and_the_next_one_works() -> None:
    broken = [True]

    def apply(items: Sequence[int]) -> list[str]:
        if broken:
            broken.clear()
            raise RuntimeError("broken")
        return [str(item) for item in items]

    async def run() -> str:
        batch: Batch[int, str] = Batch(apply)
        with pytest.raises(RuntimeError):
            await batch.add(1)
        return await batch.add(2)

    assert asyncio.run(run()) == "2"


def test_a_cancelled_item_does_not_delay_the_others() -> None:
    held = Held()

    async def run() -> list[str]:
        gone, *rest = await started(held, Batch(held), 1, 2, 3)
        gone.cancel()
        held.go.set()
        return await asyncio.gather(*rest)

    assert asyncio.run(run()) == ["2", "3"]


def test_after_a_full_batch_the_next_one_waits_a_moment() -> None:
    """Else a busy process would commit for every few events."""
    held = Held()

    async def run() -> None:
        batch: Batch[int, str] = Batch(held, linger_seconds=0.2)
        tasks = await started(held, batch, 1, 2, 3, 4, 5)
        held.go.set()
        await asyncio.gather(*tasks)
        await asyncio.gather(*(batch.add(item) for item in (6, 7)))

    asyncio.run(run())
    assert held.batches == [[1], [2, 3, 4, 5], [6, 7]]
