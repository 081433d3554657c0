"""How many different pages of masked people each account opens in an hour, for all web processes together.

Masked values do not say who somebody is, but page after page copies what the centre knows of everybody. The count is
kept in the broker, so that a page costs no statement more; while the broker does not answer, each process counts for
itself. It holds hashes of accounts and addresses under a key of this installation, nothing personal.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from dialer.runtime.broker import redis_url

SEEN, REFUSED = 0, -1
"""What `PagesOfPeople.open` answers instead of a count: the page was open already in this hour; it is one too many."""
_HOUR_SECONDS: Final = 3600
_KEPT_SECONDS: Final = 2 * _HOUR_SECONDS
_AGAIN_SECONDS: Final = 5.0
"""A broker that did not answer is not asked again for this long."""
_OPEN: Final = """
if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 1 then return 0 end
local count = redis.call('SCARD', KEYS[1])
if count >= tonumber(ARGV[2]) then return -1 end
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return count + 1
"""
"""In one step, so that of requests at the same moment no more are answered than one after the other."""

_log = logging.getLogger(__name__)


class PagesOfPeople:
    """Counts in the broker at `url`. `key` is secret; `most` different pages in an hour of the clock are open to one
    account.
    """

    def __init__(self, url: str, *, key: bytes, most: int, real_now: Callable[[], datetime]) -> None:
        self._most = most
        self._key = key
        self._real_now = real_now
        self._client: Any = redis.Redis.from_url(
            redis_url(url, scheme="unix"),
            socket_timeout=0.3,
            socket_connect_timeout=0.3,
            retry=Retry(NoBackoff(), 0),
        )
        self._count = self._client.register_script(_OPEN)
        self._down_until = 0.0
        self._own: dict[str, set[bytes]] = {}
        self._own_hour = 0
        self._lock = threading.Lock()

    def open(self, account_id: int, address: str) -> int:
        """The number of different pages that the account has opened in this hour, with this one; `SEEN` for one that it
        has opened before, and `REFUSED` above the limit. Never fails.
        """
        hour = int(self._real_now().timestamp()) // _HOUR_SECONDS
        name, page = self._digest(f"{hour} {account_id}").hex(), self._digest(address)
        if time.monotonic() >= self._down_until:
            try:
                counted = self._count(keys=[f"dialer:pages:{name}"], args=[page, self._most, _KEPT_SECONDS])
                return int(counted)
            except RedisError as fault:
                self._down_until = time.monotonic() + _AGAIN_SECONDS
                _log.warning(
                    "the broker does not answer, this process counts pages: %s", type(fault).__name__
                )
        return self._open_here(hour, name, page)

    def _open_here(self, hour: int, name: str, page: bytes) -> int:
        with self._lock:
            if hour != self._own_hour:
                self._own, self._own_hour = {}, hour
            pages = self._own.setdefault(name, set())
            if page in pages:
                return SEEN
            if len(pages) >= self._most:
                return REFUSED
            pages.add(page)
            return len(pages)

    def _digest(self, text: str) -> bytes:
        return hashlib.blake2b(text.encode(), key=self._key, digest_size=12).digest()

    def close(self) -> None:
        """Closes the connections to the broker."""
        self._client.close()
