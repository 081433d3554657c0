"""A cut from the sums is the cut counted from the records, whatever it is by and of, and whatever happened since."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from dialer.core.rates import COUNT_NAMES, FUNNEL, TREND, CaseFilter, Dimension, Period, period_of
from dialer.core.values import FraudType, Grade
from dialer.db import tables as t
from dialer.db.unit_of_work import hold_snapshot
from dialer.figures.breakdown import (
    CutWindow,
    case_ids_behind,
    loss_name,
    read_breakdown,
    read_days,
    read_strata,
    read_waits,
)
from dialer.figures.cuts import (
    rollup_cut_case_ids,
    rollup_cut_days,
    rollup_cut_figures,
    rollup_cut_strata,
    rollup_cut_total,
)
from dialer.figures.report import refresh_rollup
from dialer.figures.rollup import ChangedCases, read_changed, refresh_rollup_once
from dialer.figures.verify import verify_rollup
from tests.figures.histories import MIDNIGHT, History
from tests.outcomes.town import MORNING, Scenario
from tests.seeds import seeds

ZONE = "Asia/Shanghai"
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
FIRST_OF_OCTOBER = MIDNIGHT - 56 * DAY
FIRST_OF_NOVEMBER = MIDNIGHT - 25 * DAY

PERIODS = (
    Period(),
    Period(start=FIRST_OF_OCTOBER, end=FIRST_OF_NOVEMBER),
    Period(start=FIRST_OF_OCTOBER + 20 * DAY),
    Period(end=MIDNIGHT),
    Period(start=MIDNIGHT - DAY, end=MIDNIGHT),
    Period(start=MORNING - 33 * DAY, end=MORNING + HOUR),
    Period(start=MORNING - 60 * DAY - HOUR, end=MIDNIGHT + 3 * DAY),
)


def cuts(history: History, chance: Random) -> Iterator[tuple[CaseFilter, int]]:
    """A cut of everything, one of each thing alone, and some of two or three; each with the depth of its units."""
    city, east, gate = history.units
    below = {0: (city, east, gate), 1: (east, gate), 2: (gate,)}
    depth = chance.choice(list(below))
    alone: list[dict[str, object]] = [
        {"unit_ids": below[depth]},
        {"grade": chance.choice(list(Grade))},
        {"fraud_type": chance.choice(list(FraudType))},
        {"source": chance.choice(("bureau", "通联", "bank@2"))},
        {"script_id": chance.choice(("loan", "general"))},
        {"version": chance.choice(("loan@?", "general@?", "loan@9"))},
        {"hour": chance.randrange(24)},
        {"person": chance.choice(("li", "bai"))},
    ]
    yield CaseFilter(), 0
    yield CaseFilter(), 1
    chosen = chance.sample(alone, 3)
    for given in (chosen[0], chosen[1], chosen[0] | chosen[1], chosen[0] | chosen[1] | chosen[2]):
        yield CaseFilter(**given), depth + 1 if "unit_ids" in given else 0  # type: ignore[arg-type]


def agree(scenario: Scenario, window: CutWindow, dimension: Dimension) -> None:
    with scenario.tx() as tx:
        hold_snapshot(tx)
        found = rollup_cut_figures(tx, dimension, window)
        assert found is not None
        assert found.breakdown == read_breakdown(tx, dimension, window), (dimension, window)
        assert found.waits == read_waits(tx, window), window
        assert found.contacted == read_waits(tx, window, "contact"), window
        days = read_days(tx, window)
        assert rollup_cut_days(tx, window) == {
            day: {name: counts.get(name, 0) for name in TREND}
            for day, counts in days.items()
            if any(counts.values())
        }, window
        if dimension is Dimension.UNIT:
            ours = {
                rate: {
                    unit: {kind: one for kind, one in kinds.items() if one.people}
                    for unit, kinds in by_unit.items()
                }
                for rate, by_unit in read_strata(tx, window).items()
            }
            assert rollup_cut_strata(tx, window) == {
                rate: {unit: kinds for unit, kinds in by_unit.items() if kinds}
                for rate, by_unit in ours.items()
            }, window


def agree_anyhow(scenario: Scenario, history: History, chance: Random, *, now: datetime) -> None:
    for cut, depth in cuts(history, chance):
        window = CutWindow(
            cut=cut,
            period=chance.choice(PERIODS),
            drill=chance.random() < 0.2,
            now=now,
            timezone=ZONE,
            depth=depth,
        )
        agree(scenario, window, chance.choice(list(Dimension)))


@seeds(3)
def test_every_cut_is_its_recount_before_and_after_every_refresh(scenario: Scenario, seed: int):
    history, chance = History(scenario, seed), Random(seed)
    for turn in range(3):
        for _ in range(25):
            history.step()
        now = MORNING + turn * 5 * HOUR
        while refresh_rollup_once(scenario.store, timezone=ZONE, now=now, limit=7):
            if chance.random() < 0.5:
                history.step()
            if chance.random() < 0.1:
                break
        agree_anyhow(scenario, history, chance, now=now)
    while refresh_rollup_once(scenario.store, timezone=ZONE, now=now, limit=500):
        pass
    agree_anyhow(scenario, history, chance, now=now)
    agree_anyhow(scenario, history, chance, now=now + 20 * DAY)  # nothing but time has passed
    scenario.clock.set(now)
    assert verify_rollup(scenario.services).differences == ()


@seeds(2)
def test_the_cases_behind_a_count_are_those_found_in_the_records(scenario: Scenario, seed: int):
    history, chance = History(scenario, seed), Random(seed)
    for _ in range(60):
        history.step()
    refresh_rollup(scenario.services)
    for _ in range(3):
        history.step()
    for cut, depth in cuts(history, chance):
        window = CutWindow(
            cut=cut, period=chance.choice(PERIODS), drill=False, now=MORNING, timezone=ZONE, depth=depth
        )
        for measure in (*chance.sample(COUNT_NAMES, 8), *(loss_name(step) for step in FUNNEL[2:])):
            with scenario.tx() as tx:
                hold_snapshot(tx)
                every = case_ids_behind(tx, measure, window, before_id=None, limit=1_000)
                assert rollup_cut_case_ids(tx, measure, window, before_id=None, limit=1_000) == every, (
                    measure,
                    window,
                )
                if every:
                    later = rollup_cut_case_ids(tx, measure, window, before_id=every[0], limit=2)
                    assert later == every[1:3], (measure, window)


@pytest.mark.parametrize(
    ("dimension", "cut", "cases", "in_a_day"),
    [
        (Dimension.SOURCE, CaseFilter(), 14, 2),
        (Dimension.HOUR, CaseFilter(grade=Grade.MEDIUM), 7, 2),
        (Dimension.GRADE, CaseFilter(source="bureau"), 7, 9),
    ],
)
def test_the_sums_of_months_are_what_is_read(
    scenario: Scenario, dimension: Dimension, cut: CaseFilter, cases: int, in_a_day: int
):
    """Agreement would be worth nothing if both counted directly."""
    scenario.case()
    elsewhere = scenario.case()
    with scenario.tx() as tx:
        tx.execute(sa.update(t.case).where(t.case.c.id == elsewhere).values(source="bank"))
    refresh_rollup(scenario.services)
    with scenario.tx() as tx:
        tx.execute(sa.update(t.month_figure).values(cases=7))
        tx.execute(sa.update(t.day_trend).values(cases=9))
        window = CutWindow(cut=cut, period=Period(), drill=False, now=MORNING, timezone=ZONE, depth=0)
        found = rollup_cut_figures(tx, dimension, window)
        days = rollup_cut_days(tx, window)
    assert found is not None
    assert found.breakdown.total.counts.cases == cases
    assert days is not None
    assert [day["cases"] for day in days.values()] == [in_a_day]


@pytest.mark.parametrize(
    ("first", "last", "cases"),
    [
        ("2026-11-25", "2026-11-26", 70),  # nothing has happened in the other days of the month
        ("2026-11-26", "2026-11-26", 1),
        ("2026-11-25", "2026-11-25", 1),
        ("2026-11-01", "2026-11-30", 70),
        ("2026-10-01", "2026-11-26", 70),
        ("2026-11-20", "2026-12-10", 70),
        ("2026-10-20", "2026-11-25", 1),
    ],
)
def test_a_month_is_read_from_its_sums_where_all_of_it_is_in_the_window(
    module_town: Scenario, first: str, last: str, cases: int
):
    with module_town.tx() as tx:
        period = period_of(first, last, timezone=ZONE)
        window = CutWindow(cut=CaseFilter(), period=period, drill=False, now=MORNING, timezone=ZONE, depth=0)
        found = rollup_cut_figures(tx, Dimension.SOURCE, window)
    assert found is not None
    assert found.breakdown.total.counts.cases == cases


@pytest.fixture(scope="module")
def module_town(module_database: str) -> Iterator[Scenario]:
    """A case on each of two days, in a month whose sums say seventy."""
    built = Scenario(module_database)
    for days in (0, 1):
        built.case(opened_at=MORNING + days * DAY)
    refresh_rollup(built.services)
    with built.tx() as tx:
        tx.execute(sa.update(t.month_figure).values(cases=70))
    yield built
    built.close()


def test_what_is_known_to_have_changed_is_not_looked_for_again(scenario: Scenario):
    scenario.case()
    refresh_rollup(scenario.services)
    scenario.case()
    window = CutWindow(cut=CaseFilter(), period=Period(), drill=False, now=MORNING, timezone=ZONE, depth=0)
    with scenario.tx() as tx:
        changed = read_changed(tx, now=MORNING, timezone=ZONE)
        for known, cases in ((None, 2), (changed, 2), (ChangedCases(ids=()), 1)):
            total = rollup_cut_total(tx, window, known)
            assert total is not None
            assert total.counts.cases == cases


def test_a_verification_names_what_differs_in_a_cut(scenario: Scenario):
    for days in (-1, 0, 1):
        scenario.case(opened_at=MORNING + days * DAY)
    refresh_rollup(scenario.services)
    with scenario.tx() as tx:
        tx.execute(sa.update(t.month_figure).where(t.month_figure.c.dimension == "hour").values(cases_open=5))
        tx.execute(sa.update(t.day_trend).where(t.day_trend.c.dimension == "source").values(warnings=6))
        tx.execute(sa.update(t.case_fact).values(person="bai"))
    found = verify_rollup(scenario.services)
    told = {
        (str(one.day), one.part, one.value, one.name, one.rollup, one.recount) for one in found.differences
    }
    hour = str(MORNING.astimezone(ZoneInfo(ZONE)).hour)
    assert told >= {
        ("2026-11-01", "hour", hour, "month.cases_open", 5, 3),
        ("2026-11-25", "source", "bureau", "trend.warnings", 6, 1),
        ("2026-11-25", "person", "bai", "cases", 1, 0),
        ("2026-11-25", "person", "", "cases", 0, 1),
    }
    assert {part for _, part, *_ in told} == {"hour", "source", "person"}
    with scenario.tx() as tx:
        tx.execute(sa.delete(t.day_trend).where(t.day_trend.c.dimension == "source"))
    assert ("source", "trend.warnings", 0, 1) in {
        (one.part, one.name, one.rollup, one.recount) for one in verify_rollup(scenario.services).differences
    }


def test_whoever_sees_every_unit_reads_the_sums_of_the_whole(scenario: Scenario):
    history = History(scenario, 1)
    inside = scenario.case()
    with scenario.tx() as tx:
        tx.execute(sa.update(t.case).values(unit_id=history.units[1]))
    refresh_rollup(scenario.services)
    with scenario.tx() as tx:
        tx.execute(sa.update(t.month_figure).where(t.month_figure.c.dimension == "hour").values(cases=7))
    window = CutWindow(
        cut=CaseFilter(unit_ids=history.units),
        period=Period(),
        drill=False,
        now=MORNING,
        timezone=ZONE,
        depth=1,
    )

    def counted() -> int:
        with scenario.tx() as tx:
            found = rollup_cut_figures(tx, Dimension.HOUR, window)
            assert found is not None
            return found.breakdown.total.counts.cases

    assert counted() == 7
    scenario.case()  # of no unit: what is seen is not the whole any more
    assert counted() == 1
    with scenario.tx() as tx:
        tx.execute(sa.update(t.case).where(t.case.c.id == inside).values(unit_id=None))
    assert counted() == 0
