"""What is counted behind a page: who waits for it, who is told that it is coming, and how long it is good."""

from __future__ import annotations

import threading

import pytest

from dialer.errors import Unavailable
from dialer.web.counted import Count, Counted

LONG = 30.0


class Reading:
    """A reading that goes on until it is let go, on a clock of the test's own."""

    def __init__(self) -> None:
        self.now = 100.0
        self.takes = 0.0
        self.times = 0
        self.free = threading.Event()
        self.free.set()
        self.fault: Exception | None = None

    def read(self, key: str) -> str:
        assert self.free.wait(LONG)
        self.now += self.takes
        self.times += 1
        if self.fault is not None:
            raise self.fault
        return f"{key}{self.times}"

    def counted(self, *, patience_seconds: float = LONG, seconds: float = 0.0) -> Counted[str, str]:
        return Counted(self.read, patience_seconds=patience_seconds, seconds=seconds, clock=lambda: self.now)


def settled(counted: Counted[str, str], key: str) -> Count[str]:
    """The value for which somebody did not wait."""
    for _ in range(1000):
        found = counted.get(key)
        if not found.is_coming:
            return found
    raise AssertionError("it never came")


def test_what_is_read_quickly_is_read_for_everybody_anew():
    counted = Reading().counted()
    assert [counted.get("a").value, counted.get("a").value, counted.get("b").value] == ["a1", "a2", "b3"]


def test_what_was_begun_ahead_is_read_once():
    reading = Reading()
    counted = reading.counted(seconds=10.0)
    reading.free.clear()
    counted.begin("a")
    counted.begin("a")
    reading.free.set()
    assert [counted.get("a").value, counted.get("a").value, reading.times] == ["a1", "a1", 1]


def test_whoever_comes_too_early_is_told_and_finds_it_the_next_time():
    reading = Reading()
    counted = reading.counted(patience_seconds=0.01)
    reading.free.clear()
    assert counted.get("a") == Count(value=None, is_coming=True)
    assert counted.get("a") == Count(value=None, is_coming=True)
    reading.free.set()
    assert settled(counted, "a") == Count(value="a1")
    assert reading.times == 1


def test_patience_that_was_used_up_elsewhere_is_used_up():
    reading = Reading()
    counted = reading.counted()
    reading.free.clear()
    counted.begin("a")
    assert counted.get("a", waited_seconds=LONG) == Count(value=None, is_coming=True)
    reading.free.set()
    assert settled(counted, "a") == Count(value="a1")


def test_what_took_long_is_good_for_fifty_times_as_long():
    reading = Reading()
    reading.takes = LONG + 1
    counted = reading.counted()
    assert counted.get("a").value == "a1"
    reading.now += 49 * reading.takes
    assert counted.get("a").value == "a1"
    reading.now += 2 * reading.takes
    assert counted.get("a").value == "a2"


def test_an_old_value_is_shown_until_the_next_one_is_there_but_not_for_ever():
    reading = Reading()
    counted = reading.counted(patience_seconds=0.01)
    reading.free.clear()
    counted.get("a")
    reading.free.set()
    assert settled(counted, "a").value == "a1"
    reading.now += 60
    reading.free.clear()
    assert counted.get("a") == Count(value="a1", is_coming=True)
    reading.now += 900
    assert counted.get("a") == Count(value=None, is_coming=True)
    reading.free.set()
    assert settled(counted, "a").value == "a2"


def test_a_reading_that_fails_is_told_and_tried_again():
    reading = Reading()
    reading.fault = Unavailable(part="database", problem="gone")
    counted = reading.counted()
    with pytest.raises(Unavailable):
        counted.get("a")
    reading.fault = None
    assert counted.get("a").value == "a2"


def test_a_failure_that_nobody_waited_for_is_told_to_the_next_one():
    reading = Reading()
    reading.fault = Unavailable(part="database", problem="gone")
    counted = reading.counted(patience_seconds=0.01)
    reading.free.clear()
    assert counted.get("a").is_coming
    reading.free.set()
    with pytest.raises(Unavailable):
        settled(counted, "a")
    reading.fault = None
    assert settled(counted, "a").value == "a2"


def test_two_are_read_at_a_time_and_the_others_wait_their_turn():
    reading = Reading()
    counted = reading.counted(patience_seconds=0.01)
    reading.free.clear()
    assert all(counted.get(key).is_coming for key in "abcd")
    assert sum(thread.name == "counted" for thread in threading.enumerate()) == 2
    reading.free.set()
    assert all(settled(counted, key).value is not None for key in "abcd")
    assert reading.times == 4


def test_only_so_many_are_remembered():
    reading = Reading()
    reading.takes = LONG + 1
    counted = reading.counted()
    for n in range(201):
        counted.get(f"k{n}-")
    assert counted.get("k200-").value == "k200-201"
    assert counted.get("k0-").value == "k0-202"
