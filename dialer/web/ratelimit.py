"""How many requests a sender may make, counted for every web process together in the broker.

While the broker does not answer each process counts for itself: a warning is never refused for that.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from limits import RateLimitItemPerSecond
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis.backoff import NoBackoff
from redis.retry import Retry

_OPTIONS: Final[Mapping[str, Any]] = {
    "socket_timeout": 0.3,
    "socket_connect_timeout": 0.3,
    "retry": Retry(NoBackoff(), 0),
}
"""Of the connection to the broker: a sender does not wait for it."""
_AGAIN_SECONDS = 5.0
"""A broker that did not answer is left alone for so long."""
_PREFIX = "dialer:rate"

_log = logging.getLogger(__name__)


class LocalLimiter:
    """`burst` requests of a sender, and then `per_second`, counted in this process alone."""

    def __init__(self, *, per_second: float, burst: int) -> None:
        self._limit = _limit(per_second, burst)
        self._window = MovingWindowRateLimiter(MemoryStorage())

    def take(self, key: str) -> float:
        """0 when the request may be made, else the seconds until one may."""
        return _take(self._window, self._limit, key)


class RateLimiter:
    """The same, counted in the broker at `url`."""

    def __init__(self, url: str, *, per_second: float, burst: int) -> None:
        self._limit = _limit(per_second, burst)
        self._storage = RedisStorage(redis_url(url), wrap_exceptions=True, key_prefix=_PREFIX, **_OPTIONS)
        self._window = MovingWindowRateLimiter(self._storage)
        self._own = LocalLimiter(per_second=per_second, burst=burst)
        self._left_alone_until = 0.0

    def take(self, key: str) -> float:
        """0 when the request may be made, else the seconds until one may. Never fails."""
        if time.monotonic() < self._left_alone_until:
            return self._own.take(key)
        try:
            return _take(self._window, self._limit, key)
        except StorageError as fault:
            self._left_alone_until = time.monotonic() + _AGAIN_SECONDS
            _log.warning(
                "broker does not answer, requests are counted here: %s", type(fault.storage_error).__name__
            )
            return self._own.take(key)

    def close(self) -> None:
        self._storage.storage.close()


def _limit(per_second: float, burst: int) -> RateLimitItemPerSecond:
    """A moving window that holds `burst` requests, or those of one second where these are more."""
    seconds = max(1, round(burst / per_second))
    return RateLimitItemPerSecond(max(1, round(per_second * seconds)), seconds)


def _take(window: MovingWindowRateLimiter, limit: RateLimitItemPerSecond, key: str) -> float:
    if window.hit(limit, key):
        return 0.0
    return max(0.001, window.get_window_stats(limit, key).reset_time - time.time())


def redis_url(broker_url: str) -> str:
    """The address as `limits` knows it: a socket is redis+unix:// there and redis+socket:// in the settings."""
    if not broker_url.startswith("redis+socket://"):
        return broker_url
    parts = urlsplit(broker_url)
    number = parse_qs(parts.query).get("virtual_host", ["0"])[0].lstrip("/")
    return f"redis+unix://{parts.path}?db={number}"
