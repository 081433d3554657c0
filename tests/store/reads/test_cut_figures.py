"""A cut counts what the whole report counts, of fewer cases; its parts add up, and every count opens to its cases."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
import sqlalchemy as sa

from dialer.domain.values import AmountKind, FraudType, Grade, TelephonyResult
from dialer.errors import Invalid
from dialer.outcomes.counts import COUNTED, Counts
from dialer.outcomes.cuts import WAIT_BOUNDS_SECONDS, Cut, Dimension
from dialer.outcomes.figures import Money, Slice
from dialer.outcomes.period import Period
from dialer.store import tables as t
from dialer.store import units
from dialer.store.reads.cut_figures import BEHIND, Window, behind, breakdown, waits
from dialer.store.reads.figures import figures
from dialer.store.reads.measures import CASE_MEASURES
from tests.seeds import seeds
from tests.store.reads.test_any_town import fill
from tests.store.reads.town import MORNING, Town

NOW = MORNING + timedelta(hours=24)
ZONE = "Asia/Shanghai"


def window(town: Town, cut: Cut | None = None, *, period: Period | None = None, depth: int = 0) -> Window:
    return Window(
        cut=cut or Cut(),
        period=period or Period(),
        drill=town.drill,
        now=NOW,
        timezone=ZONE,
        depth=depth,
    )


def parts(dimension: Dimension, town: Town, cut: Cut | None = None, *, depth: int = 0) -> dict[str, Slice]:
    with town.tx() as tx:
        return dict(breakdown(tx, dimension, window(town, cut, depth=depth)).slices)


def scatter(town: Town, seed: int) -> dict[str, int]:
    """Cases of many kinds, over three units of which two stand below the third, some rung with a script."""
    fill(town, seed)
    chance = Random(seed)
    with town.tx() as tx:
        city = units.add(tx, name="市局", parent_id=None)
        east = units.add(tx, name="东区分局", parent_id=city)
        gate = units.add(tx, name="东门派出所", parent_id=east)
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
def test_the_whole_is_what_the_report_says(town: Town, seed: int):
    scatter(town, seed)
    for period in (Period(), Period(start=MORNING + timedelta(hours=9), end=MORNING + timedelta(hours=30))):
        with town.tx() as tx:
            whole = figures(tx, period, drill=town.drill, now=NOW)
            for dimension in Dimension:
                assert breakdown(tx, dimension, window(town, period=period)).total == whole.total


@pytest.mark.parametrize("dimension", Dimension)
def test_the_parts_add_up_to_the_whole(town: Town, dimension: Dimension):
    scatter(town, 7)
    with town.tx() as tx:
        found = breakdown(tx, dimension, window(town))
    for name in COUNTED:
        of_parts = sum(getattr(one.counts, name) for one in found.slices.values())
        assert of_parts == getattr(found.total.counts, name), name
    for kind in AmountKind:
        for state in ("approved_fen", "unapproved_fen", "reversed_fen"):
            of_parts = sum(getattr(one.amounts[kind], state) for one in found.slices.values())
            assert of_parts == getattr(found.total.amounts[kind], state) > 0, (kind, state)
    for result in TelephonyResult:
        assert (
            sum(one.counts.results[result] for one in found.slices.values())
            == (found.total.counts.results[result])
        )


def test_a_part_is_the_cut_of_its_value(town: Town):
    ids = scatter(town, 3)
    by_unit = parts(Dimension.UNIT, town, depth=1)
    below_city = {str(ids["city"]): (ids["city"],), str(ids["east"]): (ids["east"], ids["gate"])}
    cuts = [(value, by_unit, Cut(unit_ids=units_of)) for value, units_of in below_city.items()]
    cuts += [(g.value, parts(Dimension.GRADE, town), Cut(grade=g)) for g in Grade]
    cuts += [(f.value, parts(Dimension.FRAUD_TYPE, town), Cut(fraud_type=f)) for f in FraudType]
    cuts += [(s, parts(Dimension.SOURCE, town), Cut(source=s)) for s in "AB"]
    cuts += [(s, parts(Dimension.SCRIPT, town), Cut(script_id=s)) for s in ("loan", "general")]
    cuts += [(str(hour), parts(Dimension.HOUR, town), Cut(hour=hour)) for hour in (8, 12, 20)]
    with town.tx() as tx:
        for value, slices, cut in cuts:
            total = breakdown(tx, Dimension.GRADE, window(town, cut)).total
            if value in slices:
                assert total == slices[value], value
            else:
                assert total.counts == Counts(results=dict.fromkeys(TelephonyResult, 0)), value
                assert set(total.amounts.values()) == {Money()}, value


def test_units_stand_side_by_side_below_the_readers_own(town: Town):
    ids = scatter(town, 5)
    assert set(parts(Dimension.UNIT, town)) == {"", str(ids["city"])}
    assert set(parts(Dimension.UNIT, town, depth=1)) == {"", str(ids["city"]), str(ids["east"])}
    below = Cut(unit_ids=(ids["east"], ids["gate"]))
    assert set(parts(Dimension.UNIT, town, below, depth=2)) == {str(ids["east"]), str(ids["gate"])}


def test_every_count_opens_to_the_cases_behind_it(town: Town):
    scatter(town, 11)
    with town.tx() as tx:
        counts = breakdown(tx, Dimension.GRADE, window(town)).total.counts
        for measure in CASE_MEASURES:
            ids = behind(tx, measure, window(town), before_id=None, limit=1_000)
            assert ids == sorted(set(ids), reverse=True)
            if measure in COUNTED:
                assert len(ids) == getattr(counts, measure), measure
        for measure in BEHIND - set(CASE_MEASURES):
            ids = behind(tx, measure, window(town), before_id=None, limit=1_000)
            if measure in COUNTED:
                assert bool(ids) == bool(getattr(counts, measure)), measure
                assert len(ids) <= getattr(counts, measure), measure


def test_the_cases_behind_a_count_come_a_page_at_a_time(town: Town):
    scatter(town, 13)
    with town.tx() as tx:
        every = behind(tx, "cases", window(town), before_id=None, limit=1_000)
        first = behind(tx, "cases", window(town), before_id=None, limit=10)
        second = behind(tx, "cases", window(town), before_id=first[-1], limit=10)
    assert first + second == every[:20]


def test_times_to_the_first_ring_stand_in_the_bar_that_holds_them(town: Town):
    for seconds in (0, 9, 10, 3_599, 3_600, 90_000):
        town.case(
            grade=Grade.HIGH,
            opened_at=MORNING,
            first_attempt_at=MORNING + timedelta(seconds=seconds),
        )
    with town.tx() as tx:
        found = waits(tx, window(town))
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
        Cut(hour=24)
