"""How many requests a sender may make: a bucket of permits, shared by every web process through the broker.

While the broker does not answer each process keeps a bucket of its own: a warning is never refused for that.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

_TIMEOUT_SECONDS = 0.3
_AGAIN_SECONDS = 5.0
"""A broker that did not answer is left alone for so long."""
_MOST_BUCKETS = 10_000
_KEY = "dialer:rate:"
_TAKE = """
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local held = redis.call('HMGET', KEYS[1], 'permits', 'at')
local permits = tonumber(held[1]) or burst
local passed = math.max(0, now - (tonumber(held[2]) or now))
permits = math.min(burst, permits + passed * rate)
local wait = 0
if permits >= 1 then permits = permits - 1 else wait = (1 - permits) / rate end
redis.call('HSET', KEYS[1], 'permits', tostring(permits), 'at', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rate * 1000) + 1000)
return tostring(wait)
"""
"""By the broker's own clock, in one step, so that no two processes spend the same permit."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Bucket:
    permits: float
    at: float


class LocalLimiter:
    """Buckets of this process alone."""

    def __init__(self, *, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = per_second
        self._burst = burst
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}
        self._lock = threading.Lock()

    def take(self, key: str) -> float:
        """0 when a permit was taken, else the seconds until there is one."""
        now = self._clock()
        with self._lock:
            if len(self._buckets) >= _MOST_BUCKETS:
                self._buckets.clear()
            bucket = self._buckets.setdefault(key, _Bucket(permits=self._burst, at=now))
            bucket.permits = min(self._burst, bucket.permits + (now - bucket.at) * self._rate)
            bucket.at = now
            if bucket.permits >= 1:
                bucket.permits -= 1
                return 0.0
            return (1 - bucket.permits) / self._rate


class RateLimiter:
    """Buckets in the broker at `url`, each refilled by `per_second` up to `burst`."""

    def __init__(self, url: str, *, per_second: float, burst: int) -> None:
        self._rate = per_second
        self._burst = burst
        self._client = redis.Redis.from_url(
            redis_url(url),
            socket_timeout=_TIMEOUT_SECONDS,
            socket_connect_timeout=_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._take = self._client.register_script(_TAKE)
        self._own = LocalLimiter(per_second=per_second, burst=burst)
        self._left_alone_until = 0.0

    def take(self, key: str) -> float:
        """0 when a permit was taken, else the seconds until there is one. Never fails."""
        if time.monotonic() < self._left_alone_until:
            return self._own.take(key)
        try:
            wait = self._take(keys=[_KEY + key], args=[self._rate, self._burst])
        except (redis.RedisError, OSError) as fault:
            self._left_alone_until = time.monotonic() + _AGAIN_SECONDS
            _log.warning("broker does not answer, requests are counted here: %s", type(fault).__name__)
            return self._own.take(key)
        return float(wait)

    def close(self) -> None:
        self._client.close()


def redis_url(broker_url: str) -> str:
    """The address as redis-py knows it: a socket is unix:// there and redis+socket:// in the settings."""
    if not broker_url.startswith("redis+socket://"):
        return broker_url
    parts = urlsplit(broker_url)
    number = parse_qs(parts.query).get("virtual_host", ["0"])[0].lstrip("/")
    return f"unix://{parts.path}?db={number}"
