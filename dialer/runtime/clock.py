"""The service clock, for due times, windows and talk time; leases, HTTP timeouts, pacing and heartbeats use the real
clock. On real lines both are the same; a demo or a drill runs the service clock faster.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Gives the time, aware and in UTC. Only entry points have one; everything below takes `now` as an argument."""

    def now(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaledClock:
    """At the real moment `anchor_unix` (seconds since 1970) it was `epoch`; since then `speed` seconds pass per second.

    The three are written once to a row, so that every process and the carrier have the same time.
    """

    anchor_unix: float
    epoch: datetime
    speed: float

    def __post_init__(self) -> None:
        if self.epoch.tzinfo is None:
            raise ValueError("epoch needs a time zone")
        if self.speed <= 0:
            raise ValueError("speed must be above 0")

    def now(self) -> datetime:
        return self.at(time.time())

    def at(self, unix_seconds: float) -> datetime:
        """The service time at a real moment."""
        passed = timedelta(seconds=(unix_seconds - self.anchor_unix) * self.speed)
        return self.epoch.astimezone(UTC) + passed

    def at_speed(self, speed: float, *, unix_seconds: float) -> ScaledClock:
        """A clock of another speed from that real moment on; the time does not jump."""
        return ScaledClock(anchor_unix=unix_seconds, epoch=self.at(unix_seconds), speed=speed)
