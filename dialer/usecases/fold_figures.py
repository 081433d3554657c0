"""Brings the fact rows of the report up to what has been committed."""

from __future__ import annotations

from datetime import timedelta

from dialer.store import rollup
from dialer.usecases.engine import Engine

_AT_ONCE = 5000


def fold_figures(engine: Engine, *, for_seconds: float | None = None, at_once: int = _AT_ONCE) -> int:
    """Everything that was waiting is in the sums of days, or `for_seconds` of the real clock are over; how much it was.

    Nothing is done while another process folds. What is left waits for the next tick, and reports count it themselves.
    """
    zone = engine.centre.timezone
    with engine.store.begin() as tx:
        if not rollup.is_waiting(tx, timezone=zone, now=engine.clock.now()):
            return 0
    end = None if for_seconds is None else engine.real.now() + timedelta(seconds=for_seconds)
    total = 0
    with engine.store.hold_advisory_lock(rollup.LOCK) as still_held:
        if still_held is None:
            return 0
        while True:
            folded = rollup.fold(engine.store, timezone=zone, now=engine.clock.now(), limit=at_once)
            total += folded
            if not folded or (end is not None and engine.real.now() >= end):
                return total
