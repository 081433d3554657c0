"""What a page reads of the whole database is kept for a while, so that reading it never takes more than its share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

_SHARE = 0.02
_T = TypeVar("_T")


class Kept(Generic[_T]):
    """A value that is read anew when it is older than `seconds`, and than fifty times what the last reading took:
    counting a large table then costs the database a fiftieth of one core at most, however many look at it. Several at
    once read it once.
    """

    def __init__(
        self, read: Callable[[], _T], *, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read = read
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: tuple[float, _T] | None = None

    def get(self) -> _T:
        """Raises what the reading raises; then nothing is kept, and the next one reads again."""
        with self._lock:
            if self._kept is None or self._clock() >= self._kept[0]:
                self._kept = None
                begun = self._clock()
                found = self._read()
                ended = self._clock()
                self._kept = (begun + max(self._seconds, (ended - begun) / _SHARE), found)
            return self._kept[1]

    def forget(self) -> None:
        """The next one reads again."""
        with self._lock:
            self._kept = None
