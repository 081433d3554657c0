"""What pages read of the whole database, and how often."""

from __future__ import annotations

import pytest

from dialer.errors import Unavailable
from dialer.web.kept import Kept


class Reading:
    """A reading that takes so long on a clock of the test's own."""

    def __init__(self, *, takes: float = 0.0) -> None:
        self.now = 100.0
        self.takes = takes
        self.times = 0

    def read(self) -> int:
        self.now += self.takes
        self.times += 1
        return self.times

    def clock(self) -> float:
        return self.now

    def kept(self, *, seconds: float) -> Kept[int]:
        return Kept(self.read, seconds=seconds, clock=self.clock)


def test_a_value_is_kept_for_its_seconds_and_no_longer():
    reading = Reading()
    kept = reading.kept(seconds=5)
    assert [kept.get(), kept.get()] == [1, 1]
    reading.now += 4.9
    assert kept.get() == 1
    reading.now += 0.2
    assert kept.get() == 2


def test_a_reading_that_takes_long_is_taken_at_most_a_fiftieth_of_the_time():
    reading = Reading(takes=2.0)
    kept = reading.kept(seconds=5)
    end = reading.now + 1000
    while reading.now < end:
        kept.get()
        reading.now += 0.5
    assert 8 <= reading.times <= 11


def test_a_reading_that_fails_is_not_kept():
    reading = Reading()

    def read() -> int:
        if reading.read() == 1:
            raise Unavailable(part="database", problem="gone")
        return reading.times

    kept = Kept(read, seconds=5, clock=reading.clock)
    with pytest.raises(Unavailable):
        kept.get()
    assert kept.get() == 2
