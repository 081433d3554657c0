"""What every task does around its one use case: an application, patience with what is away, a note for the cycle."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from dialer.errors import Unavailable
from dialer.tasks import application
from dialer.usecases import watch_cycle as cycling

_NOTE_SECONDS = 2.0

_noted: dict[str, float] = {}

_log = logging.getLogger(__name__)


def part(name: str, *works: Callable[[], object]) -> None:
    """One part of the engine's cycle: when all of it was done to its end, that is noted, now and then."""
    engine = application.current().engine
    began_at = engine.real.now()
    done = [patiently(work) for work in works]
    if all(done) and time.monotonic() - _noted.get(name, -_NOTE_SECONDS) >= _NOTE_SECONDS:
        _noted[name] = time.monotonic()
        patiently(lambda: cycling.note_part(engine, name, began_at=began_at))


def patiently(work: Callable[[], object]) -> bool:
    """A part that does not answer costs a log line: the next tick tries again. Whether the work was done."""
    try:
        work()
    except Unavailable as fault:
        _log.warning("%s", fault)
        return False
    return True
