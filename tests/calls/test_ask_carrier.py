"""Questions to the carrier run side by side, bounded, and stop once it is silent."""

from __future__ import annotations

import asyncio

import pytest

from dialer.calls.reconcile import ask_carrier
from dialer.core.errors import Unavailable


class Carrier:
    """Answers when `go` is set; notes how many questions are open at once."""

    def __init__(self, *, answers: bool = True) -> None:
        self.answers = answers
        self.go = asyncio.Event()
        self.asked: list[int] = []
        self.open = 0
        self.most = 0

    async def __call__(self, one: int) -> bool:
        self.asked.append(one)
        self.open += 1
        self.most = max(self.most, self.open)
        await self.go.wait()
        self.open -= 1
        return self.answers


async def test_all_are_asked_once_some_side_by_side():
    carrier = Carrier()
    asking = asyncio.create_task(ask_carrier(range(100), carrier))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert carrier.open == 16
    carrier.go.set()
    assert await asking == 100
    assert sorted(carrier.asked) == list(range(100))
    assert carrier.most == 16


async def test_a_silent_carrier_is_waited_for_once_and_not_by_everyone():
    carrier = Carrier(answers=False)
    carrier.go.set()
    assert await ask_carrier(range(200), carrier) == 0
    assert len(carrier.asked) == 16


async def test_a_fault_of_ours_is_raised_when_those_under_way_are_over():
    over: list[int] = []

    async def ask(one: int) -> bool:
        if one == 0:
            raise Unavailable(part="database", problem="gone")
        for _ in range(9):
            await asyncio.sleep(0)
        over.append(one)
        return True

    with pytest.raises(Unavailable, match="gone"):
        await ask_carrier(range(10), ask)
    assert sorted(over) == list(range(1, 10))


async def test_nothing_to_ask_about_asks_nothing():
    assert await ask_carrier([], Carrier()) == 0
