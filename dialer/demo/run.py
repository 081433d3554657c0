"""The demo from a clean ground to its report: load, ring, work, settle."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from dialer.bootstrap import Application
from dialer.demo import ground, staff, witness
from dialer.demo.sample_list import build
from dialer.errors import DialerError, Unavailable
from dialer.language import Text
from dialer.store import facts, tallies
from dialer.store.tallies import NotRung, Progress

_UP_SECONDS = 60.0
_ALIVE = timedelta(seconds=8)
_STAFF_SECONDS = 0.25
_WATCH_SECONDS = 0.5
_SETTLED_LOOKS = 3
"""So often in a row must nothing be left: between two rows of one story nothing may seem to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What the demo can say of itself when it has settled; the JSON of `dialer demo --until-settled --json`."""

    load: dict[str, Any]
    progress: Progress
    rings: witness.Rings
    not_rung: NotRung
    report: dict[str, Any]
    seconds: float

    def plain(self) -> dict[str, Any]:
        return {
            "load": self.load,
            "cases": self.progress.cases,
            "attempts": self.progress.attempts,
            "rings": self.rings.rings,
            "not_rung": asdict(self.not_rung),
            "max_rings_per_attempt": self.rings.max_rings_per_attempt,
            "report": self.report,
            "seconds": round(self.seconds, 1),
        }


def wait_until_up(app: Application, *, tend: Callable[[], None], stopped: Callable[[], bool]) -> bool:
    """The carrier and a worker answer. False when asked to stop meanwhile."""
    assert app.carrier is not None
    deadline = time.monotonic() + _UP_SECONDS
    while not stopped():
        if witness.is_up(app.carrier) and _workers(app) >= 2:  # noqa: PLR2004  # dial and bulk
            return True
        if time.monotonic() > deadline:
            raise Unavailable(
                part="demo",
                problem=Text("its processes were not up after %(seconds)s s", seconds=f"{_UP_SECONDS:.0f}"),
            )
        tend()
    return False


def _workers(app: Application) -> int:
    with app.engine.store.begin() as tx:
        beats = facts.alive(tx, since=app.engine.real.now() - _ALIVE)
    return sum(beat.kind == "worker" for beat in beats)


def set_pace(app: Application, *, speed: float) -> None:
    """Ours and the line's clock, together."""
    assert app.carrier is not None
    witness.set_clock(app.carrier, ground.set_pace(app, speed=speed))


def write_sample(app: Application) -> Path:
    """The project's own list, its times set to the demo's clock."""
    path = app.settings.data_dir / "sample.csv"
    path.touch(mode=0o600)
    path.write_bytes(build(app.engine.clock.now()))
    return path


class Staff(threading.Thread):
    """Simulated callers and officers, until told to go home."""

    def __init__(self, app: Application) -> None:
        super().__init__(name="staff", daemon=True)
        self._app = app
        self._home = threading.Event()

    def run(self) -> None:
        while not self._home.wait(_STAFF_SECONDS):
            try:
                staff.work_once(self._app.engine)
            except DialerError as fault:
                sys.stderr.write(f"demo staff: {fault}\n")

    def go_home(self) -> None:
        self._home.set()
        self.join(timeout=5.0)


def look(app: Application) -> Progress:
    with app.engine.store.begin() as tx:
        return tallies.progress(tx)


class Watch:
    """Whether the demo has settled: nothing left, several looks in a row."""

    def __init__(self) -> None:
        self._quiet = 0
        self._next = 0.0
        self.progress: Progress | None = None

    def look(self, app: Application) -> bool:
        if time.monotonic() < self._next:
            return self._quiet >= _SETTLED_LOOKS
        self._next = time.monotonic() + _WATCH_SECONDS
        try:
            self.progress = look(app)
        except Unavailable:
            self._quiet = 0
            return False
        self._quiet = self._quiet + 1 if self.progress.is_settled and self.progress.attempts else 0
        return self._quiet >= _SETTLED_LOOKS


def account(app: Application, *, load: dict[str, Any], report: dict[str, Any], seconds: float) -> Account:
    assert app.carrier is not None
    with app.engine.store.begin() as tx:
        progress = tallies.progress(tx)
        silent = tallies.not_rung(tx)
    return Account(
        load=load,
        progress=progress,
        rings=witness.rings(app.carrier),
        not_rung=silent,
        report=report,
        seconds=seconds,
    )
