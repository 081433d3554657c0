"""The cache behind pages: how long a reader waits, how long a value is good, what a failure does."""

from __future__ import annotations

import threading

import pytest

from dialer.core.errors import CountsBusy, Unavailable
from dialer.web.cache import Cache, CountedValue

LONG = 30.0


class Reading:
    """A reading that lasts until the test releases it, on a clock of the test."""

    def __init__(self) -> None:
        self.now = 100.0
        self.takes = 0.0
        self.times = 0
        self.lock = threading.Lock()
        self.at_once = self.most_at_once = 0
        self.free = threading.Event()
        self.free.set()
        self.begun = threading.Semaphore(0)
        self.fault: Exception | None = None

    def read(self, key: str) -> str:
        with self.lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        self.begun.release()
        assert self.free.wait(LONG)
        with self.lock:
            self.at_once -= 1
        self.now += self.takes
        self.times += 1
        if self.fault is not None:
            raise self.fault
        return f"{key}{self.times}"

    def cache(self, *, patience_seconds: float = LONG, seconds: float = 0.0) -> Cache[str, str]:
        return Cache(self.read, patience_seconds=patience_seconds, seconds=seconds, clock=lambda: self.now)


def full(reading: Reading, cache: Cache[str, str]) -> None:
    """Two are being read, and fifty wait."""
    reading.free.clear()
    for n in range(2):
        cache.begin(f"r{n}-")
        assert reading.begun.acquire(timeout=LONG)
    for n in range(50):
        cache.begin(f"w{n}-")


def settled(cache: Cache[str, str], key: str) -> CountedValue[str]:
    """The value that a reader without patience did not get."""
    for _ in range(1000):
        found = cache.get(key)
        if not found.is_coming:
            return found
    raise AssertionError("it never came")


def test_a_quick_reading_is_not_kept():
    cache = Reading().cache()
    assert [cache.get("a").value, cache.get("a").value, cache.get("b").value] == ["a1", "a2", "b3"]


def test_a_reading_begun_ahead_is_done_once():
    reading = Reading()
    cache = reading.cache(seconds=10.0)
    reading.free.clear()
    cache.begin("a")
    cache.begin("a")
    reading.free.set()
    assert [cache.get("a").value, cache.get("a").value, reading.times] == ["a1", "a1", 1]


def test_a_reader_without_patience_gets_the_value_the_next_time():
    reading = Reading()
    cache = reading.cache(patience_seconds=0.01)
    reading.free.clear()
    assert cache.get("a") == CountedValue(value=None, is_coming=True)
    assert cache.get("a") == CountedValue(value=None, is_coming=True)
    reading.free.set()
    assert settled(cache, "a") == CountedValue(value="a1")
    assert reading.times == 1


def test_patience_that_was_used_up_elsewhere_is_used_up():
    reading = Reading()
    cache = reading.cache()
    reading.free.clear()
    cache.begin("a")
    assert cache.get("a", waited_seconds=LONG) == CountedValue(value=None, is_coming=True)
    reading.free.set()
    assert settled(cache, "a") == CountedValue(value="a1")


def test_a_slow_value_is_good_for_fifty_times_its_reading_time():
    reading = Reading()
    reading.takes = LONG + 1
    cache = reading.cache()
    assert cache.get("a").value == "a1"
    reading.now += 49 * reading.takes
    assert cache.get("a").value == "a1"
    reading.now += 2 * reading.takes
    assert cache.get("a").value == "a2"


def test_an_old_value_is_shown_until_the_next_one_is_there_but_not_for_ever():
    reading = Reading()
    cache = reading.cache(patience_seconds=0.01)
    reading.free.clear()
    cache.get("a")
    reading.free.set()
    assert settled(cache, "a").value == "a1"
    reading.now += 60
    reading.free.clear()
    assert cache.get("a") == CountedValue(value="a1", is_coming=True)
    reading.now += 900
    assert cache.get("a") == CountedValue(value=None, is_coming=True)
    reading.free.set()
    assert settled(cache, "a").value == "a2"


def test_a_failed_reading_raises_and_is_tried_again():
    reading = Reading()
    reading.fault = Unavailable(part="database", problem="gone")
    cache = reading.cache()
    with pytest.raises(Unavailable):
        cache.get("a")
    reading.fault = None
    assert cache.get("a").value == "a2"


def test_a_failure_without_a_waiting_reader_is_raised_to_the_next_one():
    reading = Reading()
    reading.fault = Unavailable(part="database", problem="gone")
    cache = reading.cache(patience_seconds=0.01)
    reading.free.clear()
    assert cache.get("a").is_coming
    reading.free.set()
    with pytest.raises(Unavailable):
        settled(cache, "a")
    reading.fault = None
    assert settled(cache, "a").value == "a2"


def test_two_are_read_at_a_time_and_the_others_wait_their_turn():
    reading = Reading()
    cache = reading.cache(patience_seconds=0.01)
    reading.free.clear()
    assert all(cache.get(key).is_coming for key in "abcd")
    reading.free.set()
    assert all(settled(cache, key).value is not None for key in "abcd")
    assert reading.times == 4
    assert reading.most_at_once == 2


def test_only_so_many_are_remembered():
    reading = Reading()
    reading.takes = LONG + 1
    cache = reading.cache()
    for n in range(201):
        cache.get(f"k{n}-")
    assert cache.get("k200-").value == "k200-201"
    assert cache.get("k0-").value == "k0-202"


def test_a_value_is_kept_for_its_seconds_and_no_longer():
    reading = Reading()
    cache = reading.cache(patience_seconds=0, seconds=5)
    assert [cache.wait("a"), cache.wait("a")] == ["a1", "a1"]
    reading.now += 4.9
    assert cache.wait("a") == "a1"
    reading.now += 0.2
    assert cache.wait("a") == "a2"


def test_a_reading_that_takes_long_is_taken_at_most_a_fiftieth_of_the_time():
    reading = Reading()
    reading.takes = 2.0
    cache = reading.cache(patience_seconds=0, seconds=5)
    end = reading.now + 1000
    while reading.now < end:
        cache.wait("a")
        reading.now += 0.5
    assert 8 <= reading.times <= 11


def test_a_waiting_reader_gets_the_failure_and_reads_again():
    reading = Reading()
    reading.fault = Unavailable(part="database", problem="gone")
    cache = reading.cache(patience_seconds=0, seconds=5)
    with pytest.raises(Unavailable):
        cache.wait("a")
    reading.fault = None
    assert cache.wait("a") == "a2"


def test_what_was_forgotten_is_read_again():
    reading = Reading()
    cache = reading.cache(seconds=100)
    assert cache.wait("a") == "a1"
    cache.forget("a")
    assert cache.wait("a") == "a2"


def test_where_fifty_wait_another_one_is_refused_and_never_read():
    reading = Reading()
    cache = reading.cache(patience_seconds=0.0, seconds=1000)
    full(reading, cache)
    for ask in (cache.get, cache.wait):
        with pytest.raises(CountsBusy):
            ask("x")
    cache.begin("x")
    assert cache.get("w7-").is_coming
    reading.free.set()
    for key in ["r0-", "r1-", *(f"w{n}-" for n in range(50))]:
        assert cache.wait(key).startswith(key)
    assert cache.wait("x") == "x53"
    assert reading.times == 53


def test_an_older_value_is_shown_while_too_many_wait():
    reading = Reading()
    cache = reading.cache(patience_seconds=0.01)
    reading.free.clear()
    assert cache.get("a").is_coming
    reading.free.set()
    assert settled(cache, "a").value == "a1"
    assert reading.begun.acquire(timeout=LONG)
    reading.now += 60
    full(reading, cache)
    assert cache.get("a") == CountedValue(value="a1", is_coming=True)
    reading.free.set()
