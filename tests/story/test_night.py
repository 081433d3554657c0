"""The dialling window, decided at the moment of dialling: at its edges, over midnight, on a server elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dialer.calls.dial import dial
from dialer.calls.reconcile import sweep_attempts, sweep_cases
from dialer.core.case import Reason
from dialer.core.values import Grade
from tests.clock import FrozenClock
from tests.story.world import World

pytestmark = pytest.mark.story

CLOSING = datetime(2026, 11, 25, 13, 0, tzinfo=UTC)
"""21:00 in Shanghai."""
OPENING = datetime(2026, 11, 26, 1, 0, tzinfo=UTC)
"""09:00 of the next day there."""


@pytest.fixture(params=["Asia/Shanghai", "America/New_York", "Pacific/Kiritimati"])
def server_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where the server believes itself to be: no matter to anybody."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def at(w: World, moment: datetime) -> None:
    w.scene.clock.set(moment)
    w.scene.services = replace(w.scene.services, clock=FrozenClock(moment))


async def dialled(w: World) -> int:
    """How many calls leave now."""
    sweep_attempts(w.scene.services)
    sweep_cases(w.scene.services)
    return await dial(w.scene.services, w.client, for_seconds=0.2, stopping=lambda: False)


async def test_a_call_is_placed_at_the_last_moment_of_the_window_and_none_at_closing_time(
    w: World, server_zone: str
):
    assert server_zone
    at(w, CLOSING - timedelta(microseconds=1))
    first, second = w.open_case(), w.open_case()
    w.scene.lines(calls_per_second=0.5, lines=50)
    assert await dialled(w) == 1
    at(w, CLOSING)
    assert await dialled(w) == 0
    waiting = [case_id for case_id in (first, second) if not w.times_called(w.attempt(case_id))]
    assert len(waiting) == 1
    at(w, OPENING - timedelta(microseconds=1))
    assert await dialled(w) == 0
    w.scene.lines(calls_per_second=200.0, lines=50)
    at(w, OPENING)
    await w.until(lambda: w.calls == 2)


@pytest.mark.parametrize("hour", [23, 25], ids=["before midnight", "after midnight"])
async def test_a_high_grade_at_night_goes_to_a_person_and_says_so(w: World, hour: int):
    at(w, CLOSING + timedelta(hours=hour - 21))
    high, medium = w.open_case(grade=Grade.HIGH), w.open_case(grade=Grade.MEDIUM)
    assert await dialled(w) == 0
    human = w.scene.assignments_of(high)
    assert [(row["kind"], row["reason"]) for row in human] == [("human", Reason.OUTSIDE_WINDOW.value)]
    assert w.scene.assignments_of(medium) == []
    for case_id in (high, medium):
        planned = w.scene.case_of(case_id).robot.at
        assert planned is not None
        assert planned >= OPENING
    assert w.calls == 0


async def test_claimed_before_closing_time_and_due_after_it_the_next_time_is_in_the_future(w: World):
    """It came to its turn in the window, and no line was free until it had closed."""
    at(w, CLOSING - timedelta(minutes=1))
    case_id = w.open_case(grade=Grade.HIGH)
    at(w, CLOSING + timedelta(seconds=1))
    assert await dialled(w) == 0
    planned = w.scene.case_of(case_id).robot.at
    assert planned == OPENING
    assert [row["kind"] for row in w.scene.assignments_of(case_id)] == ["human"]
    assert len(w.scene.attempts_of(case_id)) == 1
