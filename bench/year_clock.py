"""The clock of the made-up year, and what the machine used for it."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import psutil
import sqlalchemy as sa

from dialer.runtime.services import Services


class Clock:
    """Goes where it is set; several callers may move it at the same time."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self._moving = threading.Lock()

    def now(self) -> datetime:
        return self.at

    def pass_seconds(self, seconds: float) -> None:
        with self._moving:
            self.at += timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class Used:
    """Seconds by the clock, and of processor time in this process and in PostgreSQL."""

    elapsed: float = 0.0
    python: float = 0.0
    postgres: float = 0.0

    def __add__(self, other: Used) -> Used:
        return Used(self.elapsed + other.elapsed, self.python + other.python, self.postgres + other.postgres)

    def __sub__(self, other: Used) -> Used:
        return self + Used(-other.elapsed, -other.python, -other.postgres)

    def plain(self) -> dict[str, float]:
        return {name: round(getattr(self, name), 1) for name in ("elapsed", "python", "postgres")}


class Meter:
    """What this process and its PostgreSQL have used since they began."""

    def __init__(self, services: Services) -> None:
        with services.store.begin() as tx:
            found = psutil.Process(tx.scalar(sa.text("SELECT pg_backend_pid()"))).parent()
        assert found is not None
        self._postmaster = found

    def read(self) -> Used:
        own = os.times()
        postgres = 0.0
        for one in (self._postmaster, *self._postmaster.children()):
            with suppress(psutil.Error):
                times = one.cpu_times()
                # Of the sessions that have ended in the children of the first process.
                postgres += times.user + times.system + times.children_user + times.children_system
        return Used(time.monotonic(), own.user + own.system, postgres)
