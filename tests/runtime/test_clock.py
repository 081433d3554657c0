from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from dialer.runtime.clock import ScaledClock, SystemClock
from tests.clock import FrozenClock

NINE = datetime(2026, 11, 25, 9, tzinfo=timezone(timedelta(hours=8)))


def test_the_system_clock_is_aware_and_in_utc():
    before = time.time()
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert before <= now.timestamp() <= time.time()


@pytest.mark.parametrize(("unix", "expected"), [(1000.0, 0), (1001.0, 60), (1000.5, 30), (999.0, -60)])
def test_a_scaled_clock_begins_at_its_epoch_and_runs_at_its_speed(unix: float, expected: int):
    clock = ScaledClock(anchor_unix=1000.0, epoch=NINE, speed=60)
    assert clock.at(unix) == NINE + timedelta(seconds=expected)
    assert clock.at(unix).tzinfo is UTC


def test_now_follows_the_real_time():
    clock = ScaledClock(anchor_unix=time.time() - 10, epoch=NINE, speed=100)
    assert timedelta(seconds=1000) <= clock.now() - NINE < timedelta(seconds=1500)


def test_a_change_of_speed_does_not_jump():
    fast = ScaledClock(anchor_unix=1000.0, epoch=NINE, speed=60)
    slow = fast.at_speed(1, unix_seconds=1100.0)
    assert slow.at(1100.0) == fast.at(1100.0)
    assert slow.at(1101.0) - slow.at(1100.0) == timedelta(seconds=1)


@pytest.mark.parametrize("speed", [0, -1])
def test_time_never_stands_or_runs_back(speed: float):
    with pytest.raises(ValueError, match="above 0"):
        ScaledClock(anchor_unix=0, epoch=NINE, speed=speed)


def test_a_moment_without_zone_is_refused():
    naive = NINE.replace(tzinfo=None)
    with pytest.raises(ValueError, match="time zone"):
        ScaledClock(anchor_unix=0, epoch=naive, speed=1)
    with pytest.raises(ValueError, match="time zone"):
        FrozenClock(naive)


def test_a_frozen_clock_moves_only_when_it_is_set():
    clock = FrozenClock(NINE)
    assert clock.now() == clock.now() == NINE
    assert clock.advance(90) == NINE + timedelta(seconds=90) == clock.now()
    clock.set(NINE)
    assert clock.now() == NINE
    assert clock.now().tzinfo is UTC
