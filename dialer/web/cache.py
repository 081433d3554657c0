"""A cache for counts over the whole database, so that pages spend at most a fixed share of it, however many are open.

Each reading runs on a thread of its own. A page waits for it, or waits a moment and shows that it is being counted.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from cachetools import LRUCache, TLRUCache

from dialer.core.errors import CountsBusy

_SHARE = 0.02
_FEWEST_SECONDS = 5.0
"""The shortest time that a value stays which a page did not wait for: the page asks again within this time."""
_FORGET_SECONDS = 900.0
_MOST_KEPT = 200
_AT_ONCE = 2
_MOST_WAITING = 50
"""Of one cache: further readings are refused, or the old value is shown; all of them wait for the same two."""
_Key = TypeVar("_Key", bound=Hashable)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedValue(Generic[_T]):
    """`value` None: not known yet. `is_coming`: the value is being read, for the first time or again."""

    value: _T | None
    is_coming: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known(Generic[_T]):
    value: _T
    good_until: float
    forgotten_at: float


class Cache(Generic[_Key, _T]):
    """Values by key, each valid for `seconds`. One that takes longer to read than `patience_seconds` is valid for fifty
    times its reading time, so the database spends at most a fiftieth of one core on it. An older value is shown until
    the next one is there, for at most a quarter of an hour. Two readings run at a time, each shared by all its readers.
    Where fifty wait for their turn, another one raises `CountsBusy`.
    """

    def __init__(
        self,
        read: Callable[[_Key], _T],
        *,
        seconds: float = 0.0,
        patience_seconds: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._seconds = seconds
        self._patience_seconds = patience_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._known: TLRUCache[_Key, _Known[_T]] = TLRUCache(
            _MOST_KEPT, ttu=lambda _key, known, _now: known.forgotten_at, timer=clock
        )
        self._running: LRUCache[_Key, Future[_T]] = LRUCache(_MOST_KEPT)
        """Also a reading that failed after a page gave up waiting: the next `get` raises its fault. Only such ones are
        dropped: fewer than these wait, and they are read in their order.
        """
        self._waiting: set[_Key] = set()
        """Those of them that no thread has begun."""
        self._missed: set[_Key] = set()
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="cache")

    def begin(self, key: _Key) -> None:
        """Starts the reading, if one is needed and has a place, while the caller does something else."""
        with suppress(CountsBusy):
            self._begun(key)

    def wait(self, key: _Key) -> _T:
        """The value, however long that takes. Raises what the reading raises; the next call reads again."""
        begun = self._begun(key)
        return begun.value if isinstance(begun, _Known) else self._taken(key, begun)

    def get(self, key: _Key, *, waited_seconds: float = 0.0) -> CountedValue[_T]:
        """What is known after `patience_seconds`, less `waited_seconds`. Raises what the reading raises, once; the next
        call reads again. Raises `CountsBusy` where nothing is known and too many wait.
        """
        try:
            begun = self._begun(key)
        except CountsBusy:
            with self._lock:
                known = self._known.get(key)
            if known is None:
                raise
            return CountedValue(value=known.value, is_coming=True)
        if isinstance(begun, _Known):
            return CountedValue(value=begun.value)
        wait([begun], timeout=max(0.0, self._patience_seconds - waited_seconds))
        with self._lock:
            if self._running.get(key) is begun and not begun.done():
                self._missed.add(key)
                known = self._known.get(key)
                return CountedValue(value=known.value if known is not None else None, is_coming=True)
        return CountedValue(value=self._taken(key, begun))

    def forget(self, key: _Key) -> None:
        """Drops the value: the next call reads again, and finds what was committed before this."""
        with self._lock:
            reading = self._running.get(key)
        if reading is not None:
            wait([reading])
        with self._lock:
            self._known.pop(key, None)

    def _begun(self, key: _Key) -> _Known[_T] | Future[_T]:
        """A value that is still good, or the reading that is under way. Raises `CountsBusy`."""
        with self._lock:
            known = self._known.get(key)
            if known is not None and self._clock() < known.good_until:
                return known
            if key not in self._running:
                if len(self._waiting) >= _MOST_WAITING:
                    raise CountsBusy
                self._waiting.add(key)
                self._running[key] = self._threads.submit(self._read_now, key)
            return self._running[key]

    def _taken(self, key: _Key, reading: Future[_T]) -> _T:
        try:
            return reading.result()
        finally:
            with self._lock:
                if self._running.get(key) is reading:
                    del self._running[key]

    def _read_now(self, key: _Key) -> _T:
        with self._lock:
            self._waiting.discard(key)
        begun = self._clock()
        try:
            value = self._read(key)
        except BaseException:
            with self._lock:
                if key not in self._missed:
                    self._running.pop(key, None)
                self._missed.discard(key)
            raise
        ended = self._clock()
        with self._lock:
            was_missed = key in self._missed
            self._missed.discard(key)
            self._running.pop(key, None)
            good_seconds = self._good_seconds(ended - begun, was_missed=was_missed)
            self._known[key] = _Known(
                value=value,
                good_until=ended + good_seconds,
                forgotten_at=max(begun + _FORGET_SECONDS, ended + good_seconds),
            )
        return value

    def _good_seconds(self, took: float, *, was_missed: bool) -> float:
        if was_missed:
            return max(self._seconds, took / _SHARE, _FEWEST_SECONDS)
        return max(self._seconds, took / _SHARE) if took > self._patience_seconds else self._seconds
