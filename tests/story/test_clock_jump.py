"""The machine's clock jumps, forward and back: said aloud, nobody waits for it to come round, nobody is rung twice."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from carrier.faults import InjectedFault
from dialer.calls.dial import dial
from tests.story.world import RULES, World

pytestmark = pytest.mark.story

HOUR = timedelta(hours=1)


class Jumps:
    """The machine's clock, as somebody sets it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock(w: World) -> Jumps:
    made = Jumps()
    w.scene.services = replace(w.scene.services, real=made, lines=replace(RULES, horizon_seconds=1.0))
    return made


def times_called(w: World, case_ids: list[int]) -> set[int]:
    return {w.times_called(w.attempt(case_id)) for case_id in case_ids}


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forward", "back"])
async def test_a_worker_in_the_middle_of_its_claims_calls_each_of_them_once(
    w: World, clock: Jumps, jump: timedelta
):
    w.scene.lines(calls_per_second=10.0, lines=50)
    case_ids = [w.open_case() for _ in range(12)]
    dialling = asyncio.create_task(dial(w.scene.services, w.client, for_seconds=0.3, stopping=lambda: False))
    await w.until(lambda: w.calls >= 2, dialling=False)
    clock.ahead = jump
    await dialling
    await w.until_over(*case_ids)
    assert times_called(w, case_ids) == {1}
    assert w.held_numbers() == 0


async def test_after_a_jump_back_nothing_waits_for_the_clock_to_come_round(w: World, clock: Jumps):
    """A claim whose worker died, a call that nothing more is heard of, and one that has not been rung."""
    w.fault(InjectedFault.LAST_WEBHOOK_DROP)
    silent = w.open_case()
    await w.until(lambda: w.scene.attempts_of(silent) and w.attempt(silent)["sid"])
    lost = w.open_case()
    assert w.claim()
    w.no_fault()
    clock.ahead = -HOUR
    waiting = w.open_case()
    await w.until_over(silent, lost, waiting)
    assert times_called(w, [silent, lost, waiting]) == {1}
    assert w.scene.alarms_of(None)["clock_jumped"] >= 1
    assert w.held_numbers() == 0


async def test_what_was_sent_by_a_wrong_clock_is_not_taken_for_absent(w: World, clock: Jumps):
    """An hour behind, it was sent, and its answer lost. Set right again, its call is not where it is sought."""
    early = w.open_case()
    await w.until_over(early)
    # The carrier remembers a call from before, so that it is believed.
    w.scene.change_attempt(w.attempt(early)["id"], posted_at=clock.now() - 2 * HOUR)
    w.fault(InjectedFault.WEBHOOK_DROP)
    w.fault(InjectedFault.TWIML_SKIP)
    clock.ahead = -HOUR
    await w.tick(dialling=False)
    case_id = w.open_case()
    await w.until(lambda: bool(w.claim()), dialling=False)
    (claimed,) = w.claimed
    assert w.fence([claimed])
    await w.place(claimed)
    clock.ahead = timedelta()
    await w.until_over(case_id)
    assert w.attempt(case_id)["result"] == "unknown"
    assert w.times_called(w.attempt(case_id)) == 1
    await w.until(lambda: w.scene.assignments_of(case_id), dialling=False)


async def test_a_clock_that_keeps_time_raises_nothing(w: World):
    await w.until_over(*[w.open_case() for _ in range(3)])
    assert w.scene.alarms_of(None) == {}
