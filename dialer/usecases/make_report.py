"""The report of a window: every figure with what it counts, as things stand now."""

from __future__ import annotations

from dialer.outcomes.figures import Report
from dialer.outcomes.period import Period, period_of
from dialer.store.reads import snapshot
from dialer.store.reads.rolled import rolled_figures
from dialer.usecases.engine import Engine


def make_report(engine: Engine, period: Period | None = None) -> Report:
    """All numbers of one moment. A drill database reports its drill; elsewhere drill records are left out, counted."""
    chosen = period if period is not None else Period()
    with engine.store.begin() as tx:
        snapshot.hold(tx)
        now = engine.clock.now()
        return Report(
            generated_at=now,
            drill=engine.drill,
            timezone=engine.centre.timezone,
            period=chosen,
            figures=rolled_figures(tx, chosen, drill=engine.drill, now=now, timezone=engine.centre.timezone),
        )


def report_period(engine: Engine, start: str | None, end: str | None) -> Period:
    """The window that was typed, in the centre's zone. Raises `Invalid`."""
    return period_of(start, end, timezone=engine.centre.timezone)
