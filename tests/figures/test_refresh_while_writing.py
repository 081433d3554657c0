"""Folds, reports and writers at once: no change is lost, none is counted twice, and every report is exact."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random

import sqlalchemy as sa

from dialer.core.errors import Unavailable
from dialer.core.rates import Period
from dialer.core.values import Grade
from dialer.db import tables as t
from dialer.db.unit_of_work import Store, hold_snapshot
from dialer.figures.measures import figures
from dialer.figures.rollup import refresh_rollup_once, rollup_figures
from tests.outcomes.town import MORNING, Scenario

ZONE = "Asia/Shanghai"
WRITERS, CHANGES, CASES = 3, 60, 12


def write(store: Store, cases: list[int], seed: int) -> None:
    chance = Random(seed)
    for _ in range(CHANGES):
        with store.begin() as tx:
            case_id = chance.choice(cases)
            tx.execute(
                sa.update(t.case)
                .where(t.case.c.id == case_id)
                .values(
                    grade=chance.choice(list(Grade)).value,
                    first_attempt_at=MORNING + timedelta(seconds=chance.randrange(10_000)),
                )
            )
            tx.execute(
                sa.update(t.attempt)
                .where(t.attempt.c.case_id == case_id)
                .values(result=chance.choice(("busy", "answered")), state="ended")
            )


def keep_refreshing(store: Store, stopped: threading.Event) -> int:
    """Two of these, without the lock that keeps them apart: the database itself refuses what would count twice."""
    refreshed = 0
    while not stopped.is_set():
        try:
            refreshed += refresh_rollup_once(store, timezone=ZONE, now=MORNING, limit=5)
        except Unavailable:
            continue
    return refreshed


def keep_comparing(store: Store, stopped: threading.Event) -> int:
    compared = 0
    while not stopped.is_set():
        with store.begin() as tx:
            hold_snapshot(tx)
            rolled = rollup_figures(tx, Period(), drill=False, now=MORNING, timezone=ZONE)
            assert rolled == figures(tx, Period(), drill=False, now=MORNING)
            assert rolled.total.counts.cases == CASES
        compared += 1
    return compared


def test_every_report_is_exact_while_two_refresh_and_three_write(scenario: Scenario):
    cases = [scenario.case() for _ in range(CASES)]
    for case_id in cases:
        scenario.attempt(case_id)
    refresh_rollup_once(scenario.store, timezone=ZONE, now=MORNING, limit=5)
    stopped = threading.Event()
    store = Store(scenario.store.url, scenario.store.vault, pool_size=8)
    try:
        with ThreadPoolExecutor(max_workers=WRITERS + 3) as pool:
            refreshing = [pool.submit(keep_refreshing, store, stopped) for _ in range(2)]
            comparing = pool.submit(keep_comparing, store, stopped)
            writing = [pool.submit(write, store, cases, seed) for seed in range(WRITERS)]
            for one in writing:
                one.result()
            stopped.set()
            assert comparing.result() > 0
            assert sum(one.result() for one in refreshing) > 0
    finally:
        store.dispose()
    while refresh_rollup_once(scenario.store, timezone=ZONE, now=MORNING, limit=500):
        pass
    with scenario.tx() as tx:
        hold_snapshot(tx)
        rolled = rollup_figures(tx, Period(), drill=False, now=MORNING, timezone=ZONE)
        assert rolled == figures(tx, Period(), drill=False, now=MORNING)


def test_a_change_that_is_not_committed_when_a_refresh_runs_is_not_lost(scenario: Scenario):
    case_id = scenario.case(grade=Grade.LOW)
    while refresh_rollup_once(scenario.store, timezone=ZONE, now=MORNING, limit=500):
        pass
    with scenario.store.begin() as open_tx:
        open_tx.execute(sa.update(t.case).where(t.case.c.id == case_id).values(grade="high"))
        assert refresh_rollup_once(scenario.store, timezone=ZONE, now=MORNING, limit=500) == 0
    assert refresh_rollup_once(scenario.store, timezone=ZONE, now=MORNING, limit=500) == 1
    with scenario.tx() as tx:
        tx.execute(sa.delete(t.tally_mark))
        report = rollup_figures(tx, Period(), drill=False, now=MORNING, timezone=ZONE)
    assert report.by_grade[Grade.HIGH].counts.cases == 1
    assert report.by_grade[Grade.LOW].counts.cases == 0
