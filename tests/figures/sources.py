"""Both sources of figures, and a way to spoil the fact rows: a test of agreement must be able to fail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import duckdb

from dialer.core.rates import CaseFilter, Figures, Period
from dialer.db.unit_of_work import Store, Tx
from dialer.figures.facts import EVERY_CASE, FactFile, FactSource, open_source
from dialer.figures.reader import CutWindow, RecordSource, read_figures
from tests.outcomes.town import MORNING, Scenario

ZONE = "Asia/Shanghai"


def window_of(
    period: Period | None = None,
    *,
    cut: CaseFilter | None = None,
    drill: bool = False,
    now: datetime = MORNING,
    timezone: str = ZONE,
    depth: int = 0,
) -> CutWindow:
    return CutWindow(
        cut=cut or CaseFilter(),
        period=period or Period(),
        drill=drill,
        now=now,
        timezone=timezone,
        depth=depth,
    )


def figures(tx: Tx, period: Period, *, drill: bool, now: datetime) -> Figures:
    """Counted from the records."""
    return read_figures(RecordSource(tx), window_of(period, drill=drill, now=now))


def facts_of(scenario: Scenario, timezone: str = ZONE) -> FactFile:
    return FactFile(folder=scenario.services.facts_folder, timezone=timezone)


@contextmanager
def fact_source(
    scenario: Scenario, *, timezone: str = ZONE, store: Store | None = None
) -> Iterator[FactSource]:
    """The fact rows, whatever has changed since they were written."""
    facts = facts_of(scenario, timezone)
    with open_source(store or scenario.store, facts, most_behind=EVERY_CASE) as source:
        assert isinstance(source, FactSource)
        yield source


def spoil(scenario: Scenario, *statements: str) -> None:
    """Changes the fact rows behind the back of whoever reads them."""
    with duckdb.connect(facts_of(scenario).path) as connection:
        for statement in statements:
            connection.execute(statement)
