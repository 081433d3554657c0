"""Requests of a sender: counted in the broker, and by each process alone while the broker is away."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from dialer.api.gate import BurstLimiter, RateLimiter
from dialer.runtime.broker import redis_url


@pytest.fixture
def limiter(broker_url: str) -> Iterator[RateLimiter]:
    limiter = RateLimiter(broker_url, per_second=0.01, burst=5)
    yield limiter
    limiter.close()


def test_a_burst_passes_and_then_the_wait_is_told(limiter: RateLimiter):
    assert [limiter.take("1") for _ in range(5)] == [0.0] * 5
    assert 0 < limiter.take("1") <= 500


def test_senders_do_not_spend_each_others_permits(limiter: RateLimiter):
    for _ in range(6):
        limiter.take("1")
    assert limiter.take("2") == 0


def test_two_processes_share_one_bucket(limiter: RateLimiter, broker_url: str):
    other = RateLimiter(broker_url, per_second=0.01, burst=5)
    waits = [one.take("1") for one in (limiter, other) * 4]
    assert waits.count(0.0) == 5
    other.close()


def test_no_permit_is_spent_twice_by_many_at_once(limiter: RateLimiter):
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda _: limiter.take("1"), range(40)))
    assert waits.count(0.0) == 5


def test_requests_may_be_made_again_after_a_time(broker_url: str):
    shared, own = RateLimiter(broker_url, per_second=1, burst=1), BurstLimiter(per_second=1, burst=1)
    for limiter in (shared, own):
        assert limiter.take("1") == 0
        assert 0 < limiter.take("1") <= 1
        deadline = time.monotonic() + 5
        while limiter.take("1") > 0:
            assert time.monotonic() < deadline
    shared.close()


@pytest.mark.parametrize(
    ("per_second", "burst", "at_once"),
    [(20.0, 40, 40), (0.5, 1, 1), (0.3, 2, 2), (10.0, 1, 10), (7.0, 16, 14)],
)
def test_as_many_as_the_burst_at_once_but_never_fewer_than_in_a_second(
    per_second: float, burst: int, at_once: int
):
    limiter = BurstLimiter(per_second=per_second, burst=burst)
    assert [limiter.take("1") for _ in range(at_once)] == [0.0] * at_once
    assert limiter.take("1") > 0


def test_what_was_counted_leaves_the_broker(broker_url: str):
    limiter = RateLimiter(broker_url, per_second=1, burst=60)
    limiter.take("1")
    with redis.Redis.from_url(broker_url) as client:
        (key,) = client.keys("dialer:rate*")
        assert 0 < client.pttl(key) <= 61_000
    limiter.close()


def test_while_the_broker_is_away_permits_are_counted_here_and_quickly():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        limiter = RateLimiter(f"redis://127.0.0.1:{nobody.getsockname()[1]}/0", per_second=0.01, burst=3)
        begun = time.monotonic()
        waits = [limiter.take("1") for _ in range(4)]
    assert waits[:3] == [0.0] * 3
    assert waits[3] > 0
    assert time.monotonic() - begun < 2
    limiter.close()


def test_a_broker_that_takes_the_connection_and_says_nothing_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as mute:
        limiter = RateLimiter(f"redis://127.0.0.1:{mute.getsockname()[1]}/0", per_second=1, burst=3)
        begun = time.monotonic()
        assert limiter.take("1") == 0
        assert time.monotonic() - begun < 2
        limiter.close()


@pytest.mark.parametrize(
    ("configured", "known"),
    [
        ("redis://:p@host:6379/2", "redis://:p@host:6379/2"),
        ("rediss://host/0", "rediss://host/0"),
        ("redis+socket:///run/valkey.sock?virtual_host=3", "redis+unix:///run/valkey.sock?db=3"),
        ("redis+socket:///run/valkey.sock", "redis+unix:///run/valkey.sock?db=0"),
    ],
)
def test_addresses_of_the_settings_are_understood(configured: str, known: str):
    assert redis_url(configured) == known
