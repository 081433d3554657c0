"""What success rates ask and are told: the filter's choices, one value of a dimension, and the cases behind a count."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from pydantic import TypeAdapter

from dialer.core.access import Role
from dialer.core.case import CaseStatus
from dialer.core.errors import Invalid, NotFound
from dialer.core.intervals import HitCount
from dialer.core.rates import (
    Breakdown,
    CaseFilter,
    Counts,
    Dimension,
    FirstAttempt,
    Period,
    Slice,
    Waits,
)
from dialer.core.values import Contact, FraudType, Grade
from dialer.db import tables as t
from dialer.db.units import add_unit
from dialer.figures.progress import NotCalled, RobotProgress, read_progress
from dialer.figures.reader import CutWindow, RecordSource, loss_name, read_cut, read_strata, read_workload
from dialer.figures.report import (
    CutReport,
    RatesQuery,
    cases_behind,
    check_behind,
    clicked_count,
    count_of_measure,
    cut_breakdown,
    cut_choices,
    cut_rates,
    make_report,
    moment_of,
    moment_text,
    read_case_page,
    read_centre_reports,
    refresh_figures,
    report_period,
)
from dialer.figures.report_json import cut_report_out
from dialer.figures.stored import store_report, stored_report
from dialer.figures.verify import verify_figures
from tests.accounts import add_account
from tests.figures.sources import fact_source, window_of
from tests.outcomes.town import MORNING, Scenario

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("by", "value", "narrowed"),
    [
        (Dimension.UNIT, "7", {"unit_id": 7}),
        (Dimension.GRADE, "high", {"cut": CaseFilter(hour=1, grade=Grade.HIGH)}),
        (Dimension.FRAUD_TYPE, "loan", {"cut": CaseFilter(hour=1, fraud_type=FraudType.LOAN)}),
        (Dimension.SOURCE, "bank", {"cut": CaseFilter(hour=1, source="bank")}),
        (Dimension.SCRIPT, "own", {"cut": CaseFilter(hour=1, script_id="own")}),
        (Dimension.VERSION, "own@3", {"cut": CaseFilter(hour=1, version="own@3")}),
        (Dimension.PERSON, "li", {"cut": CaseFilter(hour=1, person="li")}),
        (Dimension.HOUR, "9", {"cut": CaseFilter(hour=9)}),
    ],
)
def test_a_query_is_narrowed_to_one_value(by: Dimension, value: str, narrowed: dict[str, object]):
    asked = RatesQuery(by=by, cut=CaseFilter(hour=1), period=Period(start=MORNING))
    assert asked.narrowed(value) == replace(asked, **narrowed)  # type: ignore[arg-type]


@pytest.mark.parametrize("by", [Dimension.UNIT, Dimension.GRADE, Dimension.FRAUD_TYPE, Dimension.HOUR])
def test_what_is_no_value_of_the_dimension_is_refused(by: Dimension):
    with pytest.raises(Invalid, match="is not known") as refused:
        RatesQuery(by=by).narrowed("blue")
    assert refused.value.field == "value"


def test_a_moment_in_an_address_is_exact():
    at = MORNING + timedelta(microseconds=7)
    assert moment_text(at) == "2026-11-25T02:00:00.000007Z"
    assert moment_of(f" {moment_text(at)} ") == at
    assert moment_of("2026-11-25T10:00:00+08:00") == MORNING
    assert moment_of(" ") is None
    for text in ("yesterday", "2026-11-25T10:00:00", "0001-01-01T00:00:00+14:00"):
        with pytest.raises(Invalid, match="is not a moment") as refused:
            moment_of(text)
        assert refused.value.field == "at"


def part(**counts: int) -> Slice:
    return Slice(counts=Counts(**counts), first_attempt=FirstAttempt(), amounts={})


def test_a_figure_of_a_report_is_found_again():
    report = CutReport(
        generated_at=MORNING,
        breakdown=Breakdown(
            dimension=Dimension.GRADE, total=part(cases=9, cases_ours=7), slices={"high": part(cases=3)}
        ),
        waits=Waits(by_grade={}),
        unit_names={},
        today=part(cases=2),
    )
    assert clicked_count(report, "cases", "") == 9
    assert clicked_count(report, "cases", "high") == 3
    assert clicked_count(report, "cases", "low") == 0
    assert clicked_count(report, "cases", "", today=True) == 2
    assert clicked_count(replace(report, today=None), "cases", "", today=True) is None
    assert clicked_count(report, loss_name("cases_ours"), "") == 2
    assert count_of_measure(None, "cases") == 0
    assert count_of_measure(part(cases=1), "first_cases") is None


@pytest.fixture(scope="module")
def town(module_database: str) -> Iterator[Scenario]:
    """Fifty-two closed cases of the last unit of three, of which two are below the first."""
    built = Scenario(module_database)
    with built.tx() as tx:
        city = add_unit(tx, name="市局", parent_id=None)
        east = add_unit(tx, name="东区", parent_id=city)
        gate = add_unit(tx, name="东门", parent_id=east)
    first = built.case(status=CaseStatus.CLOSED, outcome="cannot_find", unit_id=gate, source="通联")
    with built.tx() as tx:
        row = tx.one(sa.select(t.case).where(t.case.c.id == first))
        assert row is not None
        tx.execute(
            sa.insert(t.case),
            [{name: value for name, value in row.items() if name != "id"} for _ in range(51)],
        )
    yield built
    built.close()


def units(town: Scenario) -> tuple[int, int, int]:
    with town.tx() as tx:
        city, east, gate = (row["id"] for row in tx.rows(sa.select(t.unit.c.id).order_by(t.unit.c.id)))
    return city, east, gate


def test_the_filters_that_a_reader_can_choose(town: Scenario):
    city, east, gate = units(town)
    every = cut_choices(town.services, RatesQuery(), reader_unit_id=None)
    assert every.units == ((city, "市局"), (east, "市局 / 东区"), (gate, "市局 / 东区 / 东门"))
    assert every.sources == ("bureau",)  # of warnings
    assert every.scripts == tuple(sorted(every.scripts))
    below = cut_choices(town.services, RatesQuery(), reader_unit_id=east)
    assert below.units == ((east, "东区"), (gate, "东区 / 东门"))
    for asked in (RatesQuery(unit_id=city), RatesQuery(unit_id=gate + 1)):
        with pytest.raises(NotFound) as refused:
            cut_choices(town.services, asked, reader_unit_id=east)
        assert (refused.value.kind, refused.value.key) == ("unit", asked.unit_id)
        with pytest.raises(NotFound):
            check_behind(town.services, asked, "cases", reader_unit_id=east)
    with pytest.raises(NotFound):
        cut_choices(town.services, RatesQuery(unit_id=gate + 1), reader_unit_id=None)


def test_an_unknown_count_has_no_cases(town: Scenario):
    check_behind(town.services, RatesQuery(), "cases", reader_unit_id=None)
    with pytest.raises(Invalid, match="is not known") as refused:
        check_behind(town.services, RatesQuery(), "name", reader_unit_id=None)
    assert refused.value.field == "measure"


def test_the_cases_behind_a_count_come_fifty_at_a_time(town: Scenario):
    first = cases_behind(town.services, RatesQuery(), "cases", reader_unit_id=None)
    assert (first.at, first.count, len(first.ids)) == (town.clock.now(), 52, 51)
    page = read_case_page(town.services, first.ids)
    assert [line.id for line in page.cases] == sorted(first.ids, reverse=True)[:50]
    assert page.next_before_id == first.ids[49]
    rest = cases_behind(
        town.services, RatesQuery(), "cases", reader_unit_id=None, before_id=page.next_before_id
    )
    assert (rest.count, len(rest.ids)) == (None, 2)
    assert rest.ids[0] == first.ids[50]
    assert read_case_page(town.services, rest.ids).next_before_id is None
    assert read_case_page(town.services, first.ids[:50]).next_before_id is None


def test_a_count_that_no_report_shows_is_counted_from_the_records(town: Scenario):
    found = cases_behind(town.services, RatesQuery(), "first_cases", reader_unit_id=None)
    assert (found.count, found.ids) == (0, ())
    lost_cases = cases_behind(town.services, RatesQuery(), loss_name("cases_tried"), reader_unit_id=None)
    assert (lost_cases.count, len(lost_cases.ids)) == (52, 51)


def test_units_are_compared_right_below_the_readers_own(town: Scenario):
    city, east, gate = units(town)
    of_reader = {
        reader: list(cut_breakdown(town.services, RatesQuery(), reader_unit_id=reader).slices)
        for reader in (None, city, east, gate)
    }
    assert of_reader == {None: [str(city)], city: [str(east)], east: [str(gate)], gate: [str(gate)]}
    with town.tx() as tx:
        report, whole = read_centre_reports(RecordSource(tx), town.services, RatesQuery())
        assert list(report.breakdown.slices) == [str(east)]  # all stand below one
        add_unit(tx, name="另一市局", parent_id=None)
        report, _ = read_centre_reports(RecordSource(tx), town.services, RatesQuery())
        assert list(report.breakdown.slices) == [str(city)]
        tx.execute(sa.delete(t.unit).where(t.unit.c.name == "另一市局"))
    assert whole.figures.total.counts.cases == 52
    assert (whole.generated_at, whole.drill, whole.timezone) == (town.clock.now(), False, "Asia/Shanghai")


def test_a_cut_is_told_as_json(town: Scenario):
    city, east, gate = units(town)
    services = town.services
    for asked, reader, told in (
        (RatesQuery(by=Dimension.UNIT), None, (str(city), "市局")),
        (RatesQuery(by=Dimension.SOURCE), east, ("通联", "通联")),
    ):
        out = cut_report_out(services, asked, cut_rates(services, asked, reader_unit_id=reader))
        assert [(one.value, one.name, one.counts["cases"]) for one in out.parts] == [(*told, 52)]
        assert (out.by, out.drill, out.total.counts["cases"]) == (asked.by, False, 52)
        assert (out.window.start, out.window.end, out.window.timezone) == (None, None, "Asia/Shanghai")
    period = report_period(services, "2026-11-25", "2026-11-25")
    assert period == Period(
        start=datetime(2026, 11, 24, 16, tzinfo=UTC), end=datetime(2026, 11, 25, 16, tzinfo=UTC)
    )
    asked = RatesQuery(by=Dimension.GRADE, period=period, unit_id=gate)
    plain = cut_report_out(services, asked, cut_rates(services, asked, reader_unit_id=None)).plain()
    assert plain["window"] == {
        "from": "2026-11-24T16:00:00+00:00", "to": "2026-11-25T16:00:00+00:00", "timezone": "Asia/Shanghai",
    }  # fmt: skip
    assert plain["parts"][0]["rates"]["dissuaded"]["window"]["basis"] == "case_opened"


def test_a_cut_by_person_tells_names_beside_logins(scenario: Scenario):
    add_account(scenario.services.store, "li", role=Role.CALLER, name="李警官")
    for login in ("li", "gone"):
        scenario.assignment(
            scenario.case(), state="done", done_at=MORNING, done_by=login, outcome="cannot_find"
        )
    asked = RatesQuery(by=Dimension.PERSON)
    report = cut_rates(scenario.services, asked, reader_unit_id=None)
    assert report.staff_names == {"li": "李警官"}
    parts = cut_report_out(scenario.services, asked, report).parts
    assert {one.value: one.name for one in parts} == {"li": "李警官", "gone": "gone"}
    assert cut_rates(scenario.services, asked, reader_unit_id=None, at=report.generated_at) == report


def test_a_report_names_the_twenty_newest_cases_that_were_filed_after_their_warning(town: Scenario):
    with town.tx() as tx:
        ids = [row["id"] for row in tx.rows(sa.select(t.case.c.id).order_by(t.case.c.id.desc()).limit(21))]
    for case_id in ids:
        town.put_filed(case_id, f"A{case_id}")
    report = cut_rates(town.services, RatesQuery(), reader_unit_id=None)
    assert report.defrauded == tuple(ids[:20])
    assert cut_rates(town.services, RatesQuery(), reader_unit_id=None, at=report.generated_at) == report
    assert make_report(town.services, at=report.generated_at).figures.total.counts.cases == 52
    for asked, reader in ((RatesQuery(by=Dimension.GRADE), None), (RatesQuery(), units(town)[0])):
        with pytest.raises(Invalid, match="are not kept") as refused:
            cut_rates(town.services, asked, reader_unit_id=reader, at=report.generated_at)
        assert refused.value.field == "at"
    with pytest.raises(Invalid):
        make_report(town.services, at=report.generated_at + SECOND)
    narrowed = RatesQuery(
        by=Dimension.GRADE, cut=CaseFilter(grade=Grade.MEDIUM), period=Period(start=MORNING - DAY)
    )
    at = cut_rates(town.services, narrowed, reader_unit_id=None).generated_at
    with pytest.raises(Invalid):  # the whole was not counted with it
        make_report(town.services, narrowed.period, at=at)


def test_five_thousand_reports_are_kept(town: Scenario):
    kind = TypeAdapter(int)
    with town.tx() as tx:
        store_report(tx, kind, "first", 1, at=MORNING)
        first = tx.scalar(sa.select(sa.func.max(t.kept_report.c.id)))
        serial = "pg_get_serial_sequence('kept_report', 'id')"
        tx.execute(sa.text(f"SELECT setval({serial}, :last)"), {"last": first + 4998})
        store_report(tx, kind, "second", 2, at=MORNING)
        assert stored_report(tx, kind, "first", at=MORNING) == 1
        store_report(tx, kind, "second", 3, at=MORNING)  # the same again takes the next number
        store_report(tx, kind, "third", 4, at=MORNING)
        assert stored_report(tx, kind, "first", at=MORNING) is None
        assert stored_report(tx, kind, "second", at=MORNING) == 3
        assert stored_report(tx, kind, "second", at=MORNING + SECOND) is None


def test_the_two_hundred_who_reported_most_are_shown(town: Scenario):
    case_id = town.case()
    signed = MORNING - DAY
    row = {
        "case_id": case_id, "kind": "human", "state": "done", "drill": False, "reason": "not_verified",
        "urgency_at": signed, "opened_at": signed, "sign_by": signed, "due_at": signed, "feedback_by": signed,
        "signed_at": signed, "done_at": MORNING, "outcome": "cannot_find",
    }  # fmt: skip
    window = CutWindow(
        cut=CaseFilter(), period=Period(), drill=False, now=MORNING, timezone="Asia/Shanghai", depth=0
    )
    with town.tx() as tx:
        logins = [*(f"p{n:03}" for n in range(201)), "p200"]
        tx.execute(sa.insert(t.assignment), [row | {"done_by": who, "signed_by": who} for who in logins])
        found = read_workload(RecordSource(tx), window)
        tx.execute(sa.delete(t.assignment))
    assert [one.login for one in found] == ["p200", *(f"p{n:03}" for n in range(199))]
    assert (found[0].human_calls, found[0].days, found[0].minutes) == (2, 1, 24 * 60)


def test_nothing_that_was_not_called_is_none():
    assert NotCalled() == NotCalled(refused=0, cancelled=0, unreachable=0, unknown=0)


@pytest.mark.parametrize("busy", ["loading", "robots", "live"])
def test_progress_is_settled_when_the_robot_has_nothing_to_do(busy: str):
    nothing = RobotProgress(
        loading=0, robots=0, live=0, attempts=3, rung=2, waiting_work=1, cases={"open": 1}
    )
    assert nothing.is_settled is True
    assert replace(nothing, **{busy: 1}).is_settled is False  # type: ignore[arg-type]


def test_progress_counts_what_the_robot_still_has_to_do(scenario: Scenario):
    pending = scenario.case(robot_state="pending", robot_reason="retry", robot_attempts=1)
    scenario.case(status=CaseStatus.CLOSED, outcome="cannot_find", robot_state="done")
    scenario.case()
    scenario.attempt(pending, n=1, ringing_at=MORNING)
    scenario.attempt(pending, n=2, result=None)
    scenario.attempt(pending, n=3, result=None, reason="follow_up")
    scenario.attempt(pending, n=4, result=None, sent_at=None, state="ready")
    scenario.assignment(pending)
    scenario.assignment(pending, kind="visit", state="signed", signed_at=MORNING, signed_by="li")
    for state in ("waiting", "running", "done"):
        listed = {"filename": "a.csv", "state": state, "content_hash": state.encode(), "size_bytes": 1}
        scenario.put(t.list_load, created_at=MORNING, **listed)
    with scenario.tx() as tx:
        assert read_progress(tx) == RobotProgress(
            loading=2, robots=1, live=1, attempts=4, rung=1, waiting_work=2, cases={"open": 2, "closed": 1}
        )


@contextmanager
def meanwhile(scenario: Scenario, act: Callable[[], object]) -> Iterator[None]:
    """Before each of the first statements of a report somebody else acts, and commits."""
    is_busy, left = False, 12

    def before(*_: object) -> None:
        nonlocal is_busy, left
        if is_busy or not left:
            return
        is_busy, left = True, left - 1
        act()
        is_busy = False

    engine = scenario.store.sql_engine
    sa.event.listen(engine, "before_cursor_execute", before)
    try:
        yield
    finally:
        sa.event.remove(engine, "before_cursor_execute", before)


def test_all_figures_of_a_report_are_of_one_moment(scenario: Scenario):
    services, asked = scenario.services, RatesQuery(by=Dimension.GRADE)
    scenario.case()
    with meanwhile(scenario, scenario.case):
        counts = make_report(services).figures.total.counts
    assert counts.warnings == counts.cases > 0
    with meanwhile(scenario, scenario.case):
        counts = cut_rates(services, asked, reader_unit_id=None).breakdown.total.counts
    assert counts.warnings == counts.cases
    with meanwhile(scenario, scenario.case):
        counts = cut_breakdown(services, asked, reader_unit_id=None).total.counts
    assert counts.warnings == counts.cases
    with meanwhile(scenario, scenario.case):
        found = cases_behind(services, asked, "cases", reader_unit_id=None)
    assert found.count == len(found.ids)
    refresh_figures(services)
    with meanwhile(scenario, scenario.case):
        assert verify_figures(services).different == 0


def test_a_report_of_nothing(scenario: Scenario):
    refresh_figures(scenario.services)
    report = cut_rates(scenario.services, RatesQuery(), reader_unit_id=None)
    assert (report.breakdown.total.counts.cases, report.breakdown.slices, report.days) == (0, {}, {})
    assert (report.adjusted, report.defrauded, report.workload) == ({}, (), ())


def test_the_parts_of_days_at_the_ends_of_a_window_are_counted(scenario: Scenario):
    """Each with its time to the first call, its unit and its amounts."""
    with scenario.tx() as tx:
        east, west = (add_unit(tx, name=name, parent_id=None) for name in ("东区", "西区"))
    noon = MORNING + timedelta(hours=2)
    for days, unit, seconds in ((0, east, 5), (0, west, 50), (1, east, 500), (2, east, 7), (2, west, 70)):
        at = noon + days * DAY
        case_id = scenario.case(
            opened_at=at,
            unit_id=unit,
            contact=Contact.VERIFIED,
            status=CaseStatus.WATCHING,
            outcome="dissuaded_by_phone",
            first_attempt_at=at + seconds * SECOND,
        )
        scenario.attempt(case_id, sent_at=at, result="answered", contact="verified")
        scenario.outcome(case_id, at=at, intended_fen=days + 1)
    refresh_figures(scenario.services)
    period = Period(start=noon, end=noon + 2 * DAY + SECOND)
    now = MORNING + 9 * DAY
    with fact_source(scenario) as facts:
        window, records = window_of(period, now=now), RecordSource(facts.tx)
        cut = read_cut(facts, Dimension.UNIT, window)
        assert cut == read_cut(records, Dimension.UNIT, window)
        assert (cut.breakdown.total.counts.cases, cut.breakdown.total.first_attempt.p50_seconds) == (5, 50)
        strata = read_strata(facts, window)
        assert strata == read_strata(records, window)
    assert strata["dissuaded"] == {
        str(east): {"medium loan": HitCount(people=3, hits=3)},
        str(west): {"medium loan": HitCount(people=2, hits=2)},
    }
