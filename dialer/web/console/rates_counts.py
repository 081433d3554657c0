"""What the success rates count behind their pages, once for everybody of this process who asks the same."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from starlette.requests import Request

from dialer.usecases.cut_rates import Asked, CutReport, cut_rates, ids_behind
from dialer.usecases.engine import Engine
from dialer.web.console.door import House
from dialer.web.counted import Counted

_making = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class RatesCounts:
    reports: Counted[tuple[Asked, int | None], CutReport]
    """By what is asked and the reader's unit."""
    behind: Counted[tuple[Asked, str, int | None, int | None], tuple[int, ...]]
    """The cases of a count, by that, its name, and where the last page ended."""


def rates_counts(request: Request) -> RatesCounts:
    """The one of this application."""
    state = request.app.state
    with _making:
        if not hasattr(state, "rates_counts"):
            house: House = state.house
            state.rates_counts = _counts(
                house.app.engine, patience_seconds=house.app.settings.console.patience_seconds
            )
    counts: RatesCounts = state.rates_counts
    return counts


def _counts(engine: Engine, *, patience_seconds: float) -> RatesCounts:
    def report(key: tuple[Asked, int | None]) -> CutReport:
        asked, unit_id = key
        return cut_rates(engine, asked, reader_unit_id=unit_id)

    def behind(key: tuple[Asked, str, int | None, int | None]) -> tuple[int, ...]:
        asked, measure, unit_id, before = key
        return ids_behind(engine, asked, measure, reader_unit_id=unit_id, before_id=before)

    return RatesCounts(
        reports=Counted(report, patience_seconds=patience_seconds),
        behind=Counted(behind, patience_seconds=patience_seconds),
    )
