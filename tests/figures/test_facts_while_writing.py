"""Reports and writers at once: no change is lost, none is counted twice, and every report is exact."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random

import sqlalchemy as sa

from dialer.core.values import Grade
from dialer.db import tables as t
from dialer.db.unit_of_work import Store
from dialer.figures.reader import RecordSource, read_figures
from dialer.figures.report import refresh_figures
from tests.figures.sources import fact_source, window_of
from tests.outcomes.town import MORNING, Scenario

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


def keep_comparing(scenario: Scenario, store: Store, stopped: threading.Event) -> int:
    compared = 0
    while not stopped.is_set():
        with fact_source(scenario, store=store) as facts:
            found = read_figures(facts, window_of())
            assert found == read_figures(RecordSource(facts.tx), window_of())
            assert found.total.counts.cases == CASES
        compared += 1
    return compared


def test_every_report_is_exact_while_two_read_and_three_write(scenario: Scenario):
    cases = [scenario.case() for _ in range(CASES)]
    for case_id in cases:
        scenario.attempt(case_id)
    stopped = threading.Event()
    store = Store(scenario.store.url, scenario.store.vault, pool_size=8)
    try:
        with ThreadPoolExecutor(max_workers=WRITERS + 2) as pool:
            comparing = [pool.submit(keep_comparing, scenario, store, stopped) for _ in range(2)]
            writing = [pool.submit(write, store, cases, seed) for seed in range(WRITERS)]
            for written in writing:
                written.result()
            stopped.set()
            assert sum(compared.result() for compared in comparing) > 0
    finally:
        store.dispose()
    with fact_source(scenario) as facts:
        assert read_figures(facts, window_of()) == read_figures(RecordSource(facts.tx), window_of())


def test_a_change_that_is_not_committed_when_facts_are_read_is_not_lost(scenario: Scenario):
    case_id = scenario.case(grade=Grade.LOW)
    assert refresh_figures(scenario.services) == 1
    with scenario.store.begin() as open_tx:
        open_tx.execute(sa.update(t.case).where(t.case.c.id == case_id).values(grade="high"))
        # Another transaction, with a higher number, is committed first.
        scenario.case()
        assert refresh_figures(scenario.services) == 1
    with fact_source(scenario) as facts:
        report = read_figures(facts, window_of())
    assert report.by_grade[Grade.HIGH].counts.cases == 1
    assert report.by_grade[Grade.LOW].counts.cases == 0
