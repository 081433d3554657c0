"""Folds, reports and writers at once: no change is lost, none is counted twice, and every report is exact."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random

import sqlalchemy as sa

from dialer.domain.values import Grade
from dialer.errors import Unavailable
from dialer.outcomes.period import Period
from dialer.store import rollup
from dialer.store import tables as t
from dialer.store.reads import snapshot
from dialer.store.reads.figures import figures
from dialer.store.reads.rolled import rolled_figures
from dialer.store.unit_of_work import Store
from tests.store.reads.town import MORNING, Town

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


def keep_folding(store: Store, stopped: threading.Event) -> int:
    """Two of these, without the lock that keeps them apart: the database itself refuses what would count twice."""
    folded = 0
    while not stopped.is_set():
        try:
            folded += rollup.fold(store, timezone=ZONE, now=MORNING, limit=5)
        except Unavailable:
            continue
    return folded


def keep_comparing(store: Store, stopped: threading.Event) -> int:
    compared = 0
    while not stopped.is_set():
        with store.begin() as tx:
            snapshot.hold(tx)
            rolled = rolled_figures(tx, Period(), drill=False, now=MORNING, timezone=ZONE)
            assert rolled == figures(tx, Period(), drill=False, now=MORNING)
            assert rolled.total.counts.cases == CASES
        compared += 1
    return compared


def test_every_report_is_exact_while_two_fold_and_three_write(town: Town):
    cases = [town.case() for _ in range(CASES)]
    for case_id in cases:
        town.attempt(case_id)
    rollup.fold(town.store, timezone=ZONE, now=MORNING, limit=5)
    stopped = threading.Event()
    store = Store(town.store.url, town.store.vault, pool_size=8)
    try:
        with ThreadPoolExecutor(max_workers=WRITERS + 3) as pool:
            folding = [pool.submit(keep_folding, store, stopped) for _ in range(2)]
            comparing = pool.submit(keep_comparing, store, stopped)
            writing = [pool.submit(write, store, cases, seed) for seed in range(WRITERS)]
            for one in writing:
                one.result()
            stopped.set()
            assert comparing.result() > 0
            assert sum(one.result() for one in folding) > 0
    finally:
        store.dispose()
    while rollup.fold(town.store, timezone=ZONE, now=MORNING, limit=500):
        pass
    with town.tx() as tx:
        snapshot.hold(tx)
        rolled = rolled_figures(tx, Period(), drill=False, now=MORNING, timezone=ZONE)
        assert rolled == figures(tx, Period(), drill=False, now=MORNING)


def test_a_change_that_is_not_committed_when_a_fold_runs_is_not_lost(town: Town):
    case_id = town.case(grade=Grade.LOW)
    while rollup.fold(town.store, timezone=ZONE, now=MORNING, limit=500):
        pass
    with town.store.begin() as open_tx:
        open_tx.execute(sa.update(t.case).where(t.case.c.id == case_id).values(grade="high"))
        assert rollup.fold(town.store, timezone=ZONE, now=MORNING, limit=500) == 0
    assert rollup.fold(town.store, timezone=ZONE, now=MORNING, limit=500) == 1
    with town.tx() as tx:
        tx.execute(sa.delete(t.tally_mark))
        report = rolled_figures(tx, Period(), drill=False, now=MORNING, timezone=ZONE)
    assert report.by_grade[Grade.HIGH].counts.cases == 1
    assert report.by_grade[Grade.LOW].counts.cases == 0
