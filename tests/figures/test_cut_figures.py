"""A cut counts what the whole report counts, of fewer cases; its parts add up, and every count opens to its cases."""

from __future__ import annotations

from bisect import bisect
from datetime import timedelta
from itertools import pairwise
from random import Random

import pytest
import sqlalchemy as sa

from dialer.core.errors import Invalid
from dialer.core.rates import (
    COUNT_NAMES,
    FUNNEL,
    TREND,
    WAIT_BOUNDS_SECONDS,
    Breakdown,
    CaseFilter,
    Counts,
    Dimension,
    Money,
    Period,
    Slice,
)
from dialer.core.values import AmountKind, Contact, FraudType, Grade, TelephonyResult
from dialer.db import tables as t
from dialer.db.measures import CASE_MEASURES, CONTACT_BAR, FIRST_BAR
from dialer.db.unit_of_work import Tx
from dialer.db.units import add_unit
from dialer.figures.reader import (
    MEASURES_WITH_CASES,
    CutWindow,
    RecordSource,
    loss_name,
    read_case_ids,
    read_count,
    read_cut,
    read_days,
    read_waits,
    read_workload,
)
from tests.figures.sources import fact_source, figures
from tests.figures.test_any_town import fill
from tests.outcomes.town import MORNING, Scenario
from tests.seeds import seeds

NOW = MORNING + timedelta(hours=24)
ZONE = "Asia/Shanghai"


def read_breakdown(tx: Tx, dimension: Dimension, window: CutWindow) -> Breakdown:
    return read_cut(RecordSource(tx), dimension, window).breakdown


def window(
    scenario: Scenario, cut: CaseFilter | None = None, *, period: Period | None = None, depth: int = 0
) -> CutWindow:
    return CutWindow(
        cut=cut or CaseFilter(),
        period=period or Period(),
        drill=scenario.drill,
        now=NOW,
        timezone=ZONE,
        depth=depth,
    )


def parts(
    dimension: Dimension, scenario: Scenario, cut: CaseFilter | None = None, *, depth: int = 0
) -> dict[str, Slice]:
    with scenario.tx() as tx:
        return dict(read_breakdown(tx, dimension, window(scenario, cut, depth=depth)).slices)


def scatter(scenario: Scenario, seed: int) -> dict[str, int]:
    """Cases of many kinds, over three units of which two stand below the third, some rung with a script."""
    fill(scenario, seed)
    chance = Random(seed)
    with scenario.tx() as tx:
        city = add_unit(tx, name="市局", parent_id=None)
        east = add_unit(tx, name="东区分局", parent_id=city)
        gate = add_unit(tx, name="东门派出所", parent_id=east)
        for row in tx.rows(sa.select(t.case.c.id)):
            tx.execute(
                sa.update(t.case)
                .where(t.case.c.id == row["id"])
                .values(unit_id=chance.choice([None, city, east, gate]), source=chance.choice("AB"))
            )
        for row in tx.rows(sa.select(t.attempt.c.id)):
            script = chance.choice(["", "loan", "general"])
            tx.execute(sa.update(t.attempt).where(t.attempt.c.id == row["id"]).values(script_id=script))
    return {"city": city, "east": east, "gate": gate}


@seeds(2)
def test_the_whole_is_what_the_report_says(scenario: Scenario, seed: int):
    scatter(scenario, seed)
    for period in (Period(), Period(start=MORNING + timedelta(hours=9), end=MORNING + timedelta(hours=30))):
        with scenario.tx() as tx:
            whole = figures(tx, period, drill=scenario.drill, now=NOW)
            for dimension in Dimension:
                assert read_breakdown(tx, dimension, window(scenario, period=period)).total == whole.total


def test_the_parts_add_up_to_the_whole(scenario: Scenario):
    scatter(scenario, 7)
    for dimension in Dimension:
        with scenario.tx() as tx:
            found = read_breakdown(tx, dimension, window(scenario))
        for name in COUNT_NAMES:
            of_parts = sum(getattr(one.counts, name) for one in found.slices.values())
            assert of_parts == getattr(found.total.counts, name), (dimension, name)
        for kind in AmountKind:
            for state in ("approved_fen", "unapproved_fen", "reversed_fen"):
                of_parts = sum(getattr(one.amounts[kind], state) for one in found.slices.values())
                assert of_parts == getattr(found.total.amounts[kind], state) > 0, (dimension, kind, state)
        for result in TelephonyResult:
            of_parts = sum(one.counts.results[result] for one in found.slices.values())
            assert of_parts == found.total.counts.results[result], (dimension, result)


def test_a_part_is_the_cut_of_its_value(scenario: Scenario):
    ids = scatter(scenario, 3)
    by_unit = parts(Dimension.UNIT, scenario, depth=1)
    below_city = {str(ids["city"]): (ids["city"],), str(ids["east"]): (ids["east"], ids["gate"])}
    cuts = [(value, by_unit, CaseFilter(unit_ids=units_of)) for value, units_of in below_city.items()]
    cuts += [(g.value, parts(Dimension.GRADE, scenario), CaseFilter(grade=g)) for g in Grade]
    cuts += [(f.value, parts(Dimension.FRAUD_TYPE, scenario), CaseFilter(fraud_type=f)) for f in FraudType]
    cuts += [(s, parts(Dimension.SOURCE, scenario), CaseFilter(source=s)) for s in "AB"]
    cuts += [(s, parts(Dimension.SCRIPT, scenario), CaseFilter(script_id=s)) for s in ("loan", "general")]
    cuts += [(v, parts(Dimension.VERSION, scenario), CaseFilter(version=v)) for v in ("loan@?", "general@?")]
    cuts += [(p, parts(Dimension.PERSON, scenario), CaseFilter(person=p)) for p in ("li", "nobody")]
    cuts += [(str(hour), parts(Dimension.HOUR, scenario), CaseFilter(hour=hour)) for hour in (8, 12, 20)]
    with scenario.tx() as tx:
        for value, slices, cut in cuts:
            total = read_breakdown(tx, Dimension.GRADE, window(scenario, cut)).total
            if value in slices:
                assert total == slices[value], value
            else:
                assert total.counts == Counts(results=dict.fromkeys(TelephonyResult, 0)), value
                assert set(total.amounts.values()) == {Money()}, value


def test_units_stand_side_by_side_below_the_readers_own(scenario: Scenario):
    ids = scatter(scenario, 5)
    assert set(parts(Dimension.UNIT, scenario)) == {"", str(ids["city"])}
    assert set(parts(Dimension.UNIT, scenario, depth=1)) == {"", str(ids["city"]), str(ids["east"])}
    below = CaseFilter(unit_ids=(ids["east"], ids["gate"]))
    assert set(parts(Dimension.UNIT, scenario, below, depth=2)) == {str(ids["east"]), str(ids["gate"])}


def test_every_count_opens_to_the_cases_behind_it(scenario: Scenario):
    scatter(scenario, 11)
    with scenario.tx() as tx:
        counts = read_breakdown(tx, Dimension.GRADE, window(scenario)).total.counts
        for measure in CASE_MEASURES:
            ids = read_case_ids(RecordSource(tx), measure, window(scenario), before_id=None, limit=1_000)
            assert ids == sorted(set(ids), reverse=True)
            if measure in COUNT_NAMES:
                assert len(ids) == getattr(counts, measure), measure
        for measure in MEASURES_WITH_CASES - set(CASE_MEASURES):
            ids = read_case_ids(RecordSource(tx), measure, window(scenario), before_id=None, limit=1_000)
            if measure in COUNT_NAMES:
                assert bool(ids) == bool(getattr(counts, measure)), measure
                assert len(ids) <= getattr(counts, measure), measure


def test_the_cases_behind_a_count_come_a_page_at_a_time(scenario: Scenario):
    scatter(scenario, 13)
    with scenario.tx() as tx:
        every = read_case_ids(RecordSource(tx), "cases", window(scenario), before_id=None, limit=1_000)
        first = read_case_ids(RecordSource(tx), "cases", window(scenario), before_id=None, limit=10)
        second = read_case_ids(RecordSource(tx), "cases", window(scenario), before_id=first[-1], limit=10)
    assert first + second == every[:20]


def test_times_to_the_first_call_stand_in_the_bar_that_holds_them(scenario: Scenario):
    for seconds in (0, 9, 10, 3_599, 3_600, 90_000):
        scenario.case(
            grade=Grade.HIGH, opened_at=MORNING, first_attempt_at=MORNING + timedelta(seconds=seconds)
        )
    with scenario.tx() as tx:
        found = read_waits(RecordSource(tx), window(scenario), FIRST_BAR)
    bars = found.by_grade[Grade.HIGH]
    places = {place: count for place, count in enumerate(bars) if count}
    assert places == {
        0: 2,
        1: 1,
        WAIT_BOUNDS_SECONDS.index(3_600): 1,
        WAIT_BOUNDS_SECONDS.index(3_600) + 1: 1,
        11: 1,
    }
    assert found.total == bars


def test_there_is_no_twenty_fifth_hour():
    with pytest.raises(Invalid, match="hour"):
        CaseFilter(hour=24)


def make_successes_true_to_life(scenario: Scenario) -> None:
    """No success without the verified contact of the right person, as the rules have it."""
    with scenario.tx() as tx:
        won = t.case.c.status.in_(["watching", "proven", "reversed"])
        tx.execute(sa.update(t.case).where(won).values(contact="verified"))


@seeds(3)
def test_each_step_of_the_funnel_is_a_part_of_the_one_before_and_its_loss_opens(
    scenario: Scenario, seed: int
):
    scatter(scenario, seed)
    make_successes_true_to_life(scenario)
    with scenario.tx() as tx:
        counts = read_breakdown(tx, Dimension.GRADE, window(scenario)).total.counts
        for before, after in pairwise(FUNNEL):
            left = getattr(counts, before) - getattr(counts, after)
            assert left >= 0, after
            assert read_count(RecordSource(tx), loss_name(after), window(scenario)) == left, after
            ids = set(
                read_case_ids(
                    RecordSource(tx), loss_name(after), window(scenario), before_id=None, limit=1_000
                )
            )
            if before in CASE_MEASURES:
                assert len(ids) == left
                kept = set(
                    read_case_ids(RecordSource(tx), after, window(scenario), before_id=None, limit=1_000)
                )
                assert not ids & kept


@seeds(3)
def test_the_days_add_up_to_the_window(scenario: Scenario, seed: int):
    scatter(scenario, seed)
    for period in (Period(), Period(start=MORNING + timedelta(hours=9), end=MORNING + timedelta(hours=40))):
        with scenario.tx() as tx:
            counts = figures(tx, period, drill=False, now=NOW).total.counts
            days = read_days(RecordSource(tx), window(scenario, period=period))
        for name in TREND:
            assert sum(day[name] for day in days.values()) == getattr(counts, name), name
        with fact_source(scenario) as facts:
            assert read_days(facts, window(scenario, period=period)) == days


def test_the_time_to_contact_ends_with_the_first_call_or_visit_that_spoke_to_the_person(scenario: Scenario):
    robot = scenario.case(grade=Grade.HIGH, contact=Contact.VERIFIED, opened_at=MORNING)
    scenario.attempt(robot, n=1, sent_at=MORNING)
    scenario.attempt(
        robot,
        n=2,
        result="answered",
        contact="verified",
        ended_at=MORNING + timedelta(seconds=45),
        sent_at=MORNING,
    )
    visited = scenario.case(grade=Grade.HIGH, contact=Contact.VERIFIED, opened_at=MORNING)
    scenario.assignment(
        visited,
        kind="visit",
        state="done",
        done_by="li",
        done_at=MORNING + timedelta(hours=2),
        outcome="dissuaded_in_person",
    )
    scenario.case(grade=Grade.HIGH, opened_at=MORNING)
    with scenario.tx() as tx:
        waits = read_waits(RecordSource(tx), window(scenario), CONTACT_BAR)
    bars = {place: n for place, n in enumerate(waits.by_grade[Grade.HIGH]) if n}
    assert bars == {
        bisect(WAIT_BOUNDS_SECONDS, 45): 1,
        bisect(WAIT_BOUNDS_SECONDS, 7_200): 1,
    }


def test_the_work_of_each_member_of_staff(scenario: Scenario):
    case_id = scenario.case()
    for n in range(3):
        scenario.assignment(
            scenario.case(),
            state="done",
            signed_at=MORNING,
            done_at=MORNING + timedelta(minutes=10 * (n + 1)),
            done_by="li",
            outcome="dissuaded_by_phone" if n else "cannot_find",
        )
    scenario.assignment(case_id, kind="visit", state="signed", signed_at=MORNING, signed_by="bai")
    scenario.assignment(scenario.case())
    with scenario.tx() as tx:
        li, bai = read_workload(RecordSource(tx), window(scenario))
    assert (li.login, li.human_calls, li.visits, li.reached, li.held, li.days) == ("li", 3, 0, 2, 0, 1)
    assert li.minutes == 20
    assert (bai.login, bai.held, bai.minutes) == ("bai", 1, None)
