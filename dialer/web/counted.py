"""What takes long to count is counted behind the page: whoever asks waits a moment, or hears that it is coming."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

_SHARE = 0.02
_FEWEST_SECONDS = 5.0
_FORGET_SECONDS = 900.0
_MOST_KEPT = 200
_AT_ONCE = 2
_Key = TypeVar("_Key", bound=Hashable)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Count(Generic[_T]):
    """`value` None: nobody knows it yet. `is_coming`: it is being counted (anew)."""

    value: _T | None
    is_coming: bool = False


@dataclass(slots=True, eq=False)
class _Reading(Generic[_T]):
    over: threading.Event = field(default_factory=threading.Event)
    values: list[_T] = field(default_factory=list)
    """The one that was read; empty before, and where reading failed."""
    fault: Exception | None = None
    was_missed: bool = False
    """Somebody went away without it."""


@dataclass(slots=True, eq=False)
class _Known(Generic[_T]):
    running: _Reading[_T] | None = None
    last: tuple[_T, float, float] | None = None
    """A value with the moment it was read, and until when nobody reads it anew."""


class Counted(Generic[_Key, _T]):
    """Values by key, each good for `seconds`. One that is read within `patience_seconds` comes at once. One that takes
    longer comes to whoever asks again, and is good for fifty times what reading it took; older, it is shown until the
    next one is there, for a quarter of an hour at most. Two are read at a time, and each for all who ask for it.
    """

    def __init__(
        self,
        read: Callable[[_Key], _T],
        *,
        patience_seconds: float,
        seconds: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._patience_seconds = patience_seconds
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[_Key, _Known[_T]] = OrderedDict()
        self._queue: deque[tuple[_Key, _Known[_T], _Reading[_T]]] = deque()
        self._readers = 0

    def begin(self, key: _Key) -> None:
        """Reads it, if it must be read, while the caller does something else. A `get` within `seconds` of that reads
        no more.
        """
        self._begun(key)

    def get(self, key: _Key, *, waited_seconds: float = 0.0) -> Count[_T]:
        """Raises what the reading raises, once; the next one reads again. `waited_seconds`: of the patience this much
        is used up.
        """
        begun = self._begun(key)
        if isinstance(begun, Count):
            return begun
        known, reading = begun
        if not reading.over.wait(max(0.0, self._patience_seconds - waited_seconds)):
            return self._too_early(known, reading)
        return self._taken(known, reading)

    def _begun(self, key: _Key) -> Count[_T] | tuple[_Known[_T], _Reading[_T]]:
        """What is known well enough, or the reading that somebody has begun."""
        with self._lock:
            known = self._known.setdefault(key, _Known())
            self._known.move_to_end(key)
            while len(self._known) > _MOST_KEPT:
                self._known.popitem(last=False)
            if known.last is not None and self._clock() < known.last[2]:
                return Count(value=known.last[0])
            reading = known.running
            if reading is None:
                reading = known.running = _Reading()
                self._queue.append((key, known, reading))
                if self._readers < _AT_ONCE:
                    self._readers += 1
                    threading.Thread(target=self._work, name="counted", daemon=True).start()
            return known, reading

    def _too_early(self, known: _Known[_T], reading: _Reading[_T]) -> Count[_T]:
        with self._lock:
            if not reading.over.is_set():
                reading.was_missed = True
                last = known.last
                is_recent = last is not None and self._clock() < last[1] + _FORGET_SECONDS
                return Count(value=last[0] if last is not None and is_recent else None, is_coming=True)
        return self._taken(known, reading)

    def _taken(self, known: _Known[_T], reading: _Reading[_T]) -> Count[_T]:
        with self._lock:
            if known.running is reading:
                known.running = None
        if reading.fault is not None:
            raise reading.fault
        return Count(value=reading.values[0])

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._queue:
                    self._readers -= 1
                    return
                key, known, reading = self._queue.popleft()
            begun = self._clock()
            try:
                reading.values.append(self._read(key))
            except Exception as fault:  # noqa: BLE001  # it is raised to whoever asked
                reading.fault = fault
            ended = self._clock()
            with self._lock:
                took = ended - begun
                if reading.values:
                    slow = max(took / _SHARE, _FEWEST_SECONDS) if self._is_slow(took, reading) else 0.0
                    known.last = (reading.values[0], begun, ended + max(slow, self._seconds))
                    known.running = None
                elif not reading.was_missed:
                    known.running = None
                reading.over.set()

    def _is_slow(self, took: float, reading: _Reading[_T]) -> bool:
        return reading.was_missed or took > self._patience_seconds
