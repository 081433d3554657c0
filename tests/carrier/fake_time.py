"""Timers on a clock that only moves when told, so that a test sees every second of a call and waits for
none.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from typing import Any

from dialer.carrier.config import ServiceClock
from dialer.carrier.timers import Timers


class Handle:
    """A timer that can be cancelled."""

    def __init__(self, at: float, call: Callable[[], None]) -> None:
        self.at = at
        self.call = call
        self.gone = False

    def cancel(self) -> None:
        self.gone = True

    def cancelled(self) -> bool:
        return self.gone


class FakeTimers(Timers):
    """Service seconds are counted from 0; `run` moves on."""

    def __init__(self) -> None:
        super().__init__(asyncio.new_event_loop(), ServiceClock())
        self._loop.close()
        self.now = 0.0
        self._heap: list[tuple[float, int, Handle]] = []
        self._made = 0

    def later(self, service_seconds: float, call: Callable[[], None]) -> Any:  # noqa: ANN401 - a stand-in's handle
        handle = Handle(self.now + service_seconds, call)
        self._made += 1
        heapq.heappush(self._heap, (handle.at, self._made, handle))
        return handle

    def really_later(self, seconds: float, call: Callable[[], None]) -> Any:  # noqa: ANN401 - as above
        return self.later(seconds, call)

    def soon(self, call: Callable[[], None]) -> None:
        self.later(0.0, call)

    def run(self, seconds: float = 1e9) -> None:
        """Everything due within so many seconds happens, in order."""
        until = self.now + seconds
        while self._heap and self._heap[0][0] <= until:
            self.now, _, handle = heapq.heappop(self._heap)
            if not handle.gone:
                handle.call()
        self.now = until if seconds < 1e9 else self.now

    @property
    def pending(self) -> int:
        return sum(1 for _, _, handle in self._heap if not handle.gone)
