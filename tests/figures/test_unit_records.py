"""A unit's record counts what the report counts, compares units for the same mix of cases, and ranks no further than
the intervals allow.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
import sqlalchemy as sa

from dialer.core.case import CaseStatus
from dialer.core.errors import Invalid, NotFound
from dialer.core.intervals import HitCount, Places
from dialer.core.rates import Period
from dialer.core.text import Lang
from dialer.core.values import Contact, FraudType, Grade, OutcomeKind
from dialer.db import tables as t
from dialer.db.units import add_unit
from dialer.figures.reader import RECORD_MEASURES, RecordSource, read_case_ids, read_count, read_months
from dialer.figures.report import refresh_figures
from dialer.figures.unit_record_tables import place_sentence, ranked_of, record_sheets, records_out
from dialer.figures.unit_records import MONTHS, SHARES, RecordsQuery, read_unit_records, typed_month
from tests.figures.sources import fact_source, window_of
from tests.figures.test_cut_figures import NOW, scatter
from tests.outcomes.town import MORNING, Scenario

NOVEMBER = date(2026, 11, 1)
_COUNTS = ("given", "signed_late", "feedback_late", "sign_counted", "feedback_counted", "cases", "cases_ours")
_ALL = tuple(dict.fromkeys((*_COUNTS, *RECORD_MEASURES, "cases_reversed", "succeeded")))


def units_of(scenario: Scenario, *names: str) -> list[int]:
    with scenario.tx() as tx:
        city = add_unit(tx, name="市局", parent_id=None)
        return [city, *(add_unit(tx, name=name, parent_id=city) for name in names)]


def put_cases(scenario: Scenario, unit_id: int, many: int, *, reached: int, **columns: object) -> None:
    """Closed cases of a unit, of which the right person was spoken to in so many."""
    for place in range(many):
        given = {"outcome": OutcomeKind.REFUSES.value, **columns}
        case_id = scenario.case(
            status=CaseStatus.CLOSED,
            contact=Contact.VERIFIED if place < reached else Contact.NONE,
            **given,  # type: ignore[arg-type]
        )
        with scenario.tx() as tx:
            tx.execute(sa.update(t.case).where(t.case.c.id == case_id).values(unit_id=unit_id))


def test_both_sources_count_alike_and_each_count_lists_its_cases(scenario: Scenario):
    scatter(scenario, 11)
    window = replace(window_of(now=NOW), depth=1)
    with scenario.tx() as tx:
        source = RecordSource(tx)
        found = read_months(source, window, _ALL)
        sums = dict.fromkeys(_ALL, 0)
        for units, name in product(found.values(), _ALL):
            sums[name] += sum(counts.get(name, 0) for kinds in units.values() for counts in kinds.values())
        assert sums == {name: read_count(source, name, window) for name in _ALL}
        assert sums["given"] >= sums["signed_late"] > 0
        assert sums["never_dissuaded"] > 0
        for name in _ALL:
            listed = read_case_ids(source, name, window, before_id=None, limit=10_000)
            assert bool(listed) == bool(sums[name])
    with fact_source(scenario) as facts:
        assert read_months(facts, window, _ALL) == found


def test_late_is_what_is_not_in_time(scenario: Scenario):
    scatter(scenario, 12)
    window = window_of(now=NOW)
    with scenario.tx() as tx:
        counts = {
            name: read_count(RecordSource(tx), name, window)
            for name in ("signed_late", "sign_counted", "signed_in_time")
        }
        reports = {
            name: read_count(RecordSource(tx), name, window)
            for name in ("feedback_late", "feedback_counted", "feedback_in_time")
        }
    assert counts["signed_late"] == counts["sign_counted"] - counts["signed_in_time"]
    assert reports["feedback_late"] == reports["feedback_counted"] - reports["feedback_in_time"]


def test_a_unit_is_ranked_only_where_its_interval_allows(scenario: Scenario):
    _, good, alike, bad, few = units_of(scenario, "东所", "西所", "南所", "北所")
    for unit_id, many, reached in ((good, 60, 58), (alike, 60, 57), (bad, 60, 5), (few, 10, 0)):
        put_cases(scenario, unit_id, many, reached=reached)
    found = read_unit_records(scenario.services, RecordsQuery(month=NOVEMBER), reader_unit_id=None)
    figures = {unit: line.shares["never_dissuaded"] for unit, line in found.units.items()}
    assert figures[str(bad)].places == Places(first=3, last=3)
    assert figures[str(good)].places == figures[str(alike)].places == Places(first=1, last=2)
    assert figures[str(few)].places is None
    assert figures[str(bad)].count == HitCount(people=60, hits=55)
    ranked = ranked_of(found, "never_dissuaded")
    assert ranked == 3
    assert place_sentence(figures[str(bad)], ranked, Lang.EN) == "place 3"
    assert place_sentence(figures[str(good)], ranked, Lang.EN) == "place 1 to 2"
    assert place_sentence(figures[str(few)], ranked, Lang.ZH) == "不排名次：记录太少或缺项多"


def test_units_of_the_same_work_are_not_ranked(scenario: Scenario):
    _, one, other = units_of(scenario, "东所", "西所")
    put_cases(scenario, one, 40, reached=20)
    put_cases(scenario, other, 40, reached=22)
    found = read_unit_records(scenario.services, RecordsQuery(month=NOVEMBER), reader_unit_id=None)
    figure = found.units[str(one)].shares["never_dissuaded"]
    assert place_sentence(figure, 2, Lang.EN) == "no place: the intervals overlap"


def test_the_mix_of_grades_and_types_is_no_fault(scenario: Scenario):
    """Each of two units is alike in each kind of case; one has more of the hard kind."""
    _, easy, hard = units_of(scenario, "东所", "西所")
    for unit_id, plain, high in ((easy, 90, 10), (hard, 10, 90)):
        put_cases(scenario, unit_id, plain, reached=plain * 9 // 10, fraud_type=FraudType.LOAN)
        put_cases(
            scenario, unit_id, high, reached=high * 2 // 10, fraud_type=FraudType.ROMANCE, grade=Grade.HIGH
        )
    found = read_unit_records(scenario.services, RecordsQuery(month=NOVEMBER), reader_unit_id=None)
    figure = found.units[str(hard)].shares["never_dissuaded"]
    assert figure.count.share == pytest.approx(0.73)
    assert figure.adjusted is not None
    assert figure.adjusted.difference == pytest.approx(0.0)
    assert figure.places == Places(first=1, last=2)


def test_a_unit_whose_entries_are_missing_has_no_place(scenario: Scenario):
    _, one, other, careless = units_of(scenario, "东所", "西所", "南所")
    put_cases(scenario, one, 40, reached=40)
    put_cases(scenario, other, 40, reached=1)
    put_cases(scenario, careless, 30, reached=0)
    put_cases(scenario, careless, 10, reached=0, fraud_type=FraudType.UNKNOWN)
    found = read_unit_records(scenario.services, RecordsQuery(month=NOVEMBER), reader_unit_id=None)
    assert found.units[str(careless)].missing == HitCount(people=40, hits=10)
    assert found.units[str(careless)].shares["never_dissuaded"].places is None
    assert found.units[str(one)].shares["never_dissuaded"].places == Places(first=1, last=1)


def test_months_are_the_centres_and_one_month_is_compared(scenario: Scenario):
    _, unit_id = units_of(scenario, "东所")
    for opened_at in (
        datetime(2026, 10, 31, 15, 59, tzinfo=UTC),  # 23:59 of October in Shanghai
        datetime(2026, 10, 31, 16, 0, tzinfo=UTC),  # the first minute of November
        MORNING - timedelta(days=31 * (MONTHS + 1)),
    ):
        put_cases(scenario, unit_id, 1, reached=0, opened_at=opened_at)
    found = read_unit_records(scenario.services, RecordsQuery(month=NOVEMBER), reader_unit_id=None)
    assert {month: line.missing.people for month, line in found.course.items()} == {
        date(2026, 10, 1): 1,
        NOVEMBER: 1,
    }
    assert found.whole.missing.people == 1
    assert found.period == Period(
        start=datetime(2026, 10, 31, 16, 0, tzinfo=UTC), end=datetime(2026, 11, 30, 16, 0, tzinfo=UTC)
    )


def test_a_reader_sees_the_units_below_the_own_alone(scenario: Scenario):
    city, east, west = units_of(scenario, "东所", "西所")
    put_cases(scenario, east, 3, reached=0)
    put_cases(scenario, west, 4, reached=0)
    query = RecordsQuery(month=NOVEMBER)
    own = read_unit_records(scenario.services, query, reader_unit_id=east)
    assert set(own.units) == {str(east)}
    assert own.whole.missing.people == 3
    assert own.units[str(east)].shares["never_dissuaded"].adjusted is None
    with pytest.raises(NotFound):
        read_unit_records(scenario.services, replace(query, unit_id=west), reader_unit_id=east)
    assert set(read_unit_records(scenario.services, query, reader_unit_id=city).units) == {
        str(east),
        str(west),
    }


def test_what_has_no_unit_yet_is_counted_and_not_compared(scenario: Scenario):
    _, east = units_of(scenario, "东所")
    put_cases(scenario, east, 2, reached=0)
    scenario.case()
    found = read_unit_records(scenario.services, RecordsQuery(month=NOVEMBER), reader_unit_id=None)
    assert found.units[""].missing.people == 1
    assert all(figure.adjusted is None for figure in found.units[""].shares.values())
    out = records_out(scenario.services, found).plain()
    assert [unit["id"] for unit in out["units"]] == [None, east]
    assert out["whole"]["cases_ours"] == 3


def test_fact_rows_give_the_same_record(scenario: Scenario):
    _, east, west = units_of(scenario, "东所", "西所")
    put_cases(scenario, east, 35, reached=30)
    put_cases(scenario, west, 35, reached=3)
    query = RecordsQuery(month=NOVEMBER)
    before = read_unit_records(scenario.services, query, reader_unit_id=None)
    refresh_figures(scenario.services)
    assert read_unit_records(scenario.services, query, reader_unit_id=None) == before


def test_the_sheets_hold_each_share_with_its_definition(scenario: Scenario):
    _, east, west = units_of(scenario, "东所", "西所")
    put_cases(scenario, east, 35, reached=30)
    put_cases(scenario, west, 35, reached=3)
    found = read_unit_records(scenario.services, RecordsQuery(month=NOVEMBER), reader_unit_id=None)
    units, course, meanings = record_sheets(found, Lang.ZH)
    assert [row[0] for row in units.rows] == ["东所", "西所"]
    assert all(len(row) == len(units.head) for row in units.rows)
    assert [row[0] for row in course.rows] == ["2026-11"]
    assert len(course.rows[0]) == len(course.head)
    assert [row[0] for row in meanings.rows] == ["逾期签收", "逾期反馈", "劝阻无效", "预警后被骗", "未劝阻"]
    assert len(meanings.rows) == len(SHARES)


def test_a_month_that_is_none_is_refused():
    assert typed_month("", date(2026, 12, 3)) == date(2026, 12, 1)
    assert typed_month(" 2026-02 ", date(2026, 12, 3)) == date(2026, 2, 1)
    for text in ("2026-13", "x", "1900-01"):
        with pytest.raises(Invalid):
            typed_month(text, date(2026, 12, 3))
