"""Items that wait while a batch runs share the next one, urgent ones first, and each gets its own answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from dialer.core.errors import Unavailable
from dialer.web.write_batcher import WriteBatcher


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


async def started(held: Held, batch: WriteBatcher[int, str], *items: int) -> list[asyncio.Task[str]]:
    """The first item's batch runs and is held; the others wait."""
    first = asyncio.create_task(batch.add(items[0]))
    await asyncio.to_thread(held.begun.wait)
    rest = [asyncio.create_task(batch.add(item)) for item in items[1:]]
    await asyncio.sleep(0)
    return [first, *rest]


def test_the_first_begins_at_once_and_the_rest_share_the_next() -> None:
    held = Held()

    async def run() -> list[str]:
        tasks = await started(held, WriteBatcher(held, at_most=200), 1, 2, 3, 4)
        held.go.set()
        return await asyncio.gather(*tasks)

    assert asyncio.run(run()) == ["1", "2", "3", "4"]
    assert held.batches == [[1], [2, 3, 4]]


def test_a_batch_is_never_larger_than_it_may_be() -> None:
    held = Held()

    async def run() -> None:
        tasks = await started(held, WriteBatcher(held, at_most=2), 1, 2, 3, 4)
        held.go.set()
        await asyncio.gather(*tasks)

    asyncio.run(run())
    assert held.batches == [[1], [2, 3], [4]]


def test_an_exception_among_the_answers_is_raised_for_its_item_only() -> None:
    held = Held()
    held.go.set()

    async def run() -> list[object]:
        batch: WriteBatcher[int, str] = WriteBatcher(held, at_most=200)
        return await asyncio.gather(*(batch.add(item) for item in (1, -2, 3)), return_exceptions=True)

    one, two, three = asyncio.run(run())
    assert (one, three) == ("1", "3")
    assert isinstance(two, ValueError)


def test_the_next_batch_is_written_after_one_that_failed() -> None:
    broken = [True]

    def apply(items: Sequence[int]) -> list[str]:
        if broken:
            broken.clear()
            raise RuntimeError("broken")
        return [str(item) for item in items]

    async def run() -> str:
        batch: WriteBatcher[int, str] = WriteBatcher(apply, at_most=200)
        with pytest.raises(RuntimeError):
            await batch.add(1)
        return await batch.add(2)

    assert asyncio.run(run()) == "2"


def test_an_item_whose_caller_was_cancelled_in_its_batch_costs_the_others_nothing() -> None:
    held = Held()

    async def run() -> list[str]:
        gone, *rest = await started(held, WriteBatcher(held, at_most=200), 1, 2, 3)
        gone.cancel()
        held.go.set()
        return await asyncio.gather(*rest)

    assert asyncio.run(run()) == ["2", "3"]


def test_a_large_batch_is_followed_by_a_short_wait_for_more() -> None:
    """Else a busy process would commit for every few events."""
    held = Held()

    async def run() -> None:
        batch: WriteBatcher[int, str] = WriteBatcher(held, at_most=200, linger_seconds=0.2)
        tasks = await started(held, batch, 1, 2, 3, 4, 5)
        held.go.set()
        await asyncio.gather(*tasks)
        await asyncio.gather(*(batch.add(item) for item in (6, 7)))

    asyncio.run(run())
    assert held.batches == [[1], [2, 3, 4, 5], [6, 7]]


def test_an_item_whose_caller_was_cancelled_before_its_turn_is_not_written() -> None:
    held = Held()

    async def run() -> None:
        first, gone, stays = await started(held, WriteBatcher(held, at_most=200), 1, 2, 3)
        gone.cancel()
        await asyncio.sleep(0)
        held.go.set()
        await asyncio.gather(first, stays)

    asyncio.run(run())
    assert held.batches == [[1], [3]]


def test_urgent_items_go_first_and_large_ones_wait() -> None:
    held = Held()

    async def run() -> None:
        batcher: WriteBatcher[int, str] = WriteBatcher(
            held, at_most=10, size=lambda item: item, is_urgent=lambda item: item == 4
        )
        tasks = await started(held, batcher, 1, 6, 5, 4)
        held.go.set()
        await asyncio.gather(*tasks)

    asyncio.run(run())
    assert held.batches == [[1], [4, 6], [5]]


def failing(bad: dict[int, Exception], tried: list[list[int]]) -> WriteBatcher[int, str]:
    def apply(items: Sequence[int]) -> list[str]:
        tried.append(list(items))
        for item in items:
            if item in bad:
                raise bad[item]
        return [str(item) for item in items]

    return WriteBatcher(apply, at_most=200)


async def all_of(batcher: WriteBatcher[int, str], *items: int) -> list[object]:
    return await asyncio.gather(*(batcher.add(item) for item in items), return_exceptions=True)


def test_when_a_batch_fails_each_item_is_tried_alone() -> None:
    tried: list[list[int]] = []
    fault = RuntimeError("broken")
    answers = asyncio.run(all_of(failing({2: fault}, tried), 1, 2, 3))
    assert answers == ["1", fault, "3"]
    assert tried == [[1, 2, 3], [1], [2], [3]]


def test_two_items_that_find_no_database_are_enough_to_refuse_the_rest() -> None:
    tried: list[list[int]] = []
    down = Unavailable(part="database", problem="is down")
    answers = asyncio.run(all_of(failing(dict.fromkeys(range(1, 6), down), tried), 1, 2, 3, 4, 5))
    assert answers == [down] * 5
    assert tried == [[1, 2, 3, 4, 5], [1], [2]]
