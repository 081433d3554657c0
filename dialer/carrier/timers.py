"""Timers in service seconds on the loop's clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime

from dialer.carrier.config import ServiceClock


class Timers:
    """Every wait of the line goes through here. A changed clock holds for waits begun after it."""

    __slots__ = ("_loop", "clock")

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: ServiceClock) -> None:
        self._loop = loop
        self.clock = clock

    def later(self, service_seconds: float, call: Callable[[], None]) -> asyncio.TimerHandle:
        """Calls back after that many service seconds."""
        return self._loop.call_later(service_seconds / self.clock.speed, call)

    def really_later(self, seconds: float, call: Callable[[], None]) -> asyncio.TimerHandle:
        """Calls back after that many seconds of the wall clock."""
        return self._loop.call_later(seconds, call)

    def soon(self, call: Callable[[], None]) -> None:
        self._loop.call_soon(call)

    def service_now(self) -> datetime:
        return self.clock.now(time.time())

    @staticmethod
    def unix() -> float:
        """The real clock, in seconds since 1970."""
        return time.time()
