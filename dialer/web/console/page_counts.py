"""What is counted behind pages, once for everybody of this process who asks the same."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from starlette.requests import Request

from dialer.store.reads.load_lines import CameOfIt
from dialer.usecases.cut_rates import Asked, CutReport, cut_rates, ids_behind
from dialer.usecases.engine import Engine
from dialer.usecases.show_loads import came_of_load
from dialer.web.cache import Cache
from dialer.web.console.door import House

_making = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class PageCounts:
    reports: Cache[tuple[Asked, int | None], CutReport]
    """By what is asked and the reader's unit."""
    behind: Cache[tuple[Asked, str, int | None, int | None], tuple[int, ...]]
    """The cases of a count, by that, its name, and where the last page ended."""
    came: Cache[tuple[int, int | None], CameOfIt]
    """Of a list, as far as somebody of this unit sees it."""


def page_counts(request: Request) -> PageCounts:
    """The one of this application."""
    state = request.app.state
    with _making:
        if not hasattr(state, "page_counts"):
            house: House = state.house
            state.page_counts = _counts(
                house.app.engine, patience_seconds=house.app.settings.console.patience_seconds
            )
    counts: PageCounts = state.page_counts
    return counts


def _counts(engine: Engine, *, patience_seconds: float) -> PageCounts:
    def report(key: tuple[Asked, int | None]) -> CutReport:
        asked, unit_id = key
        return cut_rates(engine, asked, reader_unit_id=unit_id)

    def behind(key: tuple[Asked, str, int | None, int | None]) -> tuple[int, ...]:
        asked, measure, unit_id, before = key
        return ids_behind(engine, asked, measure, reader_unit_id=unit_id, before_id=before)

    def came(key: tuple[int, int | None]) -> CameOfIt:
        load_id, unit_id = key
        return came_of_load(engine, load_id, seen_by=unit_id)

    return PageCounts(
        reports=Cache(report, patience_seconds=patience_seconds),
        behind=Cache(behind, patience_seconds=patience_seconds),
        came=Cache(came, patience_seconds=patience_seconds),
    )
