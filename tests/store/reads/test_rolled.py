"""A report from the tally is the direct report, to the last digit, whatever happened before and since."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from dialer.outcomes.figures import Figures
from dialer.outcomes.period import Period, period_of
from dialer.store import rollup
from dialer.store.reads import snapshot
from dialer.store.reads.figures import figures
from dialer.store.reads.rolled import rolled_figures
from tests.store.reads.histories import MIDNIGHT, History
from tests.store.reads.town import MORNING, Town

ZONE = "Asia/Shanghai"
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def windows() -> Iterator[Period]:
    yield Period()
    yield Period(start=MIDNIGHT - DAY, end=MIDNIGHT)
    yield Period(start=MIDNIGHT - 31 * DAY)
    yield Period(end=MIDNIGHT + timedelta(microseconds=1))
    yield Period(start=MORNING - 33 * DAY, end=MORNING + HOUR)
    yield Period(start=MORNING, end=MORNING + 3 * HOUR)
    yield period_of("2026-10-20", "2026-12-01", timezone=ZONE)


def both(
    town: Town, period: Period, *, now: datetime, drill: bool = False, timezone: str = ZONE
) -> tuple[Figures, Figures]:
    with town.tx() as tx:
        snapshot.hold(tx)
        return (
            rolled_figures(tx, period, drill=drill, now=now, timezone=timezone),
            figures(tx, period, drill=drill, now=now),
        )


def agree(town: Town, *, now: datetime, timezone: str = ZONE) -> None:
    for period in windows():
        for drill in (False, True):
            rolled, direct = both(town, period, now=now, drill=drill, timezone=timezone)
            assert rolled == direct, (period, drill)


def fold(town: Town, *, now: datetime, timezone: str = ZONE, limit: int = 5000) -> int:
    return rollup.fold(town.store, timezone=timezone, now=now, limit=limit)


def counted(town: Town, table: sa.Table) -> int:
    with town.tx() as tx:
        return int(tx.scalar(sa.select(sa.func.count()).select_from(table)))


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_both_reports_agree_before_and_after_every_fold(town: Town, seed: int):
    history = History(town, seed)
    for turn in range(5):
        for _ in range(14):
            history.step()
        now = MORNING + turn * 5 * HOUR
        agree(town, now=now)
        fold(town, now=now, limit=7)  # a part of what waits
        agree(town, now=now)
        while fold(town, now=now):
            pass
        agree(town, now=now)
        agree(town, now=now + 20 * DAY)  # nothing but time has passed
