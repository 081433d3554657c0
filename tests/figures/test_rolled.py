"""A report from the sums of days is the direct report, to the last digit, whatever happened before and since."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
import sqlalchemy as sa
from rich.console import Console

from dialer.cli.report import verification_view
from dialer.core.errors import Unavailable
from dialer.core.rates import TREND, Figures, Money, Period, period_of
from dialer.core.text import Lang
from dialer.core.values import AmountKind, FraudType, Grade
from dialer.db import tables as t
from dialer.db.leases import ROLLUP, take_lease
from dialer.db.measures import COUNTED, MONEY, money_name
from dialer.db.unit_of_work import hold_snapshot
from dialer.db.units import add_unit
from dialer.figures.measures import LEFT_OUT, figures, slice_of
from dialer.figures.report import make_report, refresh_rollup
from dialer.figures.rollup import FIGURES, read_fact_state, refresh_rollup_once, rollup_figures
from dialer.figures.verify import numbers_of, verify_rollup
from tests.figures.histories import MIDNIGHT, History
from tests.outcomes.town import MORNING, Scenario
from tests.seeds import seeds

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
    scenario: Scenario, period: Period, *, now: datetime, drill: bool = False, timezone: str = ZONE
) -> tuple[Figures, Figures]:
    with scenario.tx() as tx:
        hold_snapshot(tx)
        return (
            rollup_figures(tx, period, drill=drill, now=now, timezone=timezone),
            figures(tx, period, drill=drill, now=now),
        )


def agree(scenario: Scenario, *, now: datetime, timezone: str = ZONE) -> None:
    for period in windows():
        for drill in (False, True):
            rolled, direct = both(scenario, period, now=now, drill=drill, timezone=timezone)
            assert rolled == direct, (period, drill)


def refresh(scenario: Scenario, *, now: datetime, timezone: str = ZONE, limit: int = 5000) -> int:
    return refresh_rollup_once(scenario.store, timezone=timezone, now=now, limit=limit)


def counted(scenario: Scenario, table: sa.Table) -> int:
    with scenario.tx() as tx:
        return int(tx.scalar(sa.select(sa.func.count()).select_from(table)))


@seeds(1)
def test_whatever_happens_both_reports_agree_before_and_after_every_refresh(scenario: Scenario, seed: int):
    history = History(scenario, seed)
    for turn in range(3):
        for _ in range(14):
            history.step()
        now = MORNING + turn * 5 * HOUR
        agree(scenario, now=now)
        refresh(scenario, now=now, limit=7)  # a part of what waits
        agree(scenario, now=now)
        while refresh(scenario, now=now):
            pass
        agree(scenario, now=now)
        scenario.clock.set(now)
        found = verify_rollup(scenario.services)
        assert found.differences == ()
        assert found.days > 2
        agree(scenario, now=now + 20 * DAY)  # nothing but time has passed


def test_the_sums_of_days_are_what_is_read(scenario: Scenario):
    """Agreement would be worth nothing if both counted directly."""
    scenario.case()
    refresh_rollup(scenario.services)
    with scenario.tx() as tx:
        tx.execute(sa.update(t.day_figure).values(cases=t.day_figure.c.cases + 1))
    rolled, direct = both(scenario, Period(), now=MORNING)
    assert direct.total.counts.cases == 1
    assert rolled.total.counts.cases == 2


_UNAPPROVED = money_name(AmountKind.INTENDED, "unapproved")


def test_verification_names_every_difference(scenario: Scenario):
    case_id = scenario.case()
    scenario.outcome(case_id, intended_fen=70_00)
    scenario.attempt(case_id, result="answered")
    with pytest.raises(Unavailable, match="not built yet"):
        verify_rollup(scenario.services)
    refresh_rollup(scenario.services)
    clean = verify_rollup(scenario.services)
    assert (clean.days, clean.different) == (1, 0)
    scenario.case(opened_at=MORNING - DAY)  # waits for a refresh, which is no difference
    assert verify_rollup(scenario.services).different == 0
    with scenario.tx() as tx:
        tx.execute(
            sa.update(t.day_figure).values(
                warnings=t.day_figure.c.warnings + 3,
                **{_UNAPPROVED: t.day_figure.c[_UNAPPROVED] - 1},
            )
        )
    found = verify_rollup(scenario.services)
    told = {
        (str(one.day), one.part, one.value, one.name, one.rollup, one.recount) for one in found.differences
    }
    assert told >= {
        ("2026-11-25", "all", "", "warnings", 4, 1),
        ("2026-11-25", "grade", "medium", "warnings", 4, 1),
        ("2026-11-25", "fraud_type", "loan", "intended.unapproved_fen", 69_99, 70_00),
        ("None", "all", "", "warnings", 5, 2),
    }
    assert found.different == len(told) == 12
    assert {one.name for one in found.differences} == {"warnings", "intended.unapproved_fen"}
    text = Console(width=200, file=StringIO())
    text.print(verification_view(found, Lang.EN))
    assert "12 differ" in text.file.getvalue()  # type: ignore[attr-defined]


def test_verification_counts_what_it_compares_and_what_it_does_not_name(scenario: Scenario):
    with scenario.tx() as tx:
        unit = add_unit(tx, name="东区", parent_id=None)
    scenario.case(unit_id=unit)
    for days in (1, 2):
        scenario.case(opened_at=MORNING + days * DAY)
    refresh_rollup(scenario.services)
    clean = verify_rollup(scenario.services)
    assert (clean.begun_at, clean.timezone, clean.not_summed) == (MORNING, ZONE, ())
    numbers = len(list(numbers_of(slice_of({}))))
    by_cuts = 5 * numbers
    whole = (1 + len(Grade) + len(FraudType)) * numbers + len(LEFT_OUT)
    of_days = 3 * (whole + by_cuts + 5 * len(TREND))
    # The month has cases of a unit and of none.
    assert clean.figures == of_days + whole + by_cuts + numbers
    with scenario.tx() as tx:
        tx.execute(sa.update(t.day_figure).values(dict.fromkeys((*COUNTED, *MONEY), 7)))
    found = verify_rollup(scenario.services)
    assert len(found.differences) == 1_000 < found.different


def test_verification_needs_the_facts_of_the_moment(scenario: Scenario):
    scenario.case()
    refresh_rollup(scenario.services)
    scenario.clock.advance(-10)  # the moment of which the facts are
    assert verify_rollup(scenario.services).different == 0
    scenario.clock.advance(-0.001)
    with pytest.raises(Unavailable, match="not built yet"):
        verify_rollup(scenario.services)
    scenario.clock.set(MORNING)
    with scenario.tx() as tx:
        tx.execute(sa.text("INSERT INTO tally_mark SELECT n FROM generate_series(1000001, 1050001) n"))
    with pytest.raises(Unavailable, match="too many changed cases"):
        verify_rollup(scenario.services)


def test_the_facts_are_read_from_the_moment_on_of_which_they_are(scenario: Scenario):
    scenario.case()
    refresh(scenario, now=MORNING)
    with scenario.tx() as tx:
        tx.execute(sa.update(t.day_figure).values(cases=7))
    for seconds, cases in ((10, 7), (10.001, 1)):
        rolled, _ = both(scenario, Period(), now=MORNING - timedelta(seconds=seconds))
        assert rolled.total.counts.cases == cases


def money(scenario: Scenario) -> Money:
    rolled, direct = both(scenario, Period(), now=MORNING + DAY)
    assert rolled == direct
    return rolled.total.amounts[AmountKind.INTENDED]


def test_money_moves_from_state_to_state_before_and_after_every_refresh(scenario: Scenario):
    line = scenario.outcome(scenario.case(), intended_fen=70_00)
    assert money(scenario) == Money(unapproved_fen=70_00)
    refresh_rollup(scenario.services)
    scenario.approve(line)
    assert money(scenario) == Money(approved_fen=70_00)
    refresh_rollup(scenario.services)
    assert money(scenario) == Money(approved_fen=70_00)
    # A correction may stand in another case than what it corrects.
    scenario.outcome(scenario.case(), reverses=line)
    assert money(scenario) == Money(reversed_fen=70_00)
    refresh_rollup(scenario.services)
    assert counted(scenario, t.tally_mark) == 0
    assert money(scenario) == Money(reversed_fen=70_00)


def test_lines_with_money_are_read_from_the_sums_of_days(scenario: Scenario):
    scenario.outcome(scenario.case(), intended_fen=70_00)
    refresh_rollup(scenario.services)
    with scenario.tx() as tx:
        tx.execute(sa.update(t.day_figure).values({name: t.day_figure.c[name] * 2 for name in MONEY}))
    rolled, direct = both(scenario, Period(), now=MORNING)
    assert direct.total.amounts[AmountKind.INTENDED] == Money(unapproved_fen=70_00)
    assert rolled.total.amounts[AmountKind.INTENDED] == Money(unapproved_fen=140_00)


def test_a_case_that_changed_is_counted_as_it_is_now_before_any_refresh(scenario: Scenario):
    case_id = scenario.case(grade=Grade.LOW)
    refresh_rollup(scenario.services)
    with scenario.tx() as tx:
        tx.execute(sa.update(t.case).values(grade="high").where(t.case.c.id == case_id))
    report = make_report(scenario.services)
    assert report.figures.by_grade[Grade.LOW].counts.cases == 0
    assert report.figures.by_grade[Grade.HIGH].counts.cases == 1
    assert report.figures.total.counts.robot_calls == 0


def test_what_no_figure_asks_leaves_no_mark(scenario: Scenario):
    """The steps of a call between its sending and its end are many, and cost the report nothing."""
    case_id = scenario.case()
    attempt_id = scenario.attempt(case_id, result=None)
    refresh_rollup(scenario.services)
    for values in ({"state": "answered"}, {"poll_at": MORNING}, {"answered_at": MORNING, "last_step": 3}):
        with scenario.tx() as tx:
            tx.execute(sa.update(t.attempt).values(**values).where(t.attempt.c.id == attempt_id))
            tx.execute(sa.update(t.case).values(revision=t.case.c.revision + 1, due_at=MORNING + HOUR))
    assert counted(scenario, t.tally_mark) == 0
    with scenario.tx() as tx:
        tx.execute(sa.update(t.attempt).values(state="ended", result="busy"))
    assert counted(scenario, t.tally_mark) == 1


def test_a_refresh_in_one_batch_or_in_many_gives_the_same_sums(scenario: Scenario):
    history = History(scenario, 11)
    for _ in range(40):
        history.step()
    refresh_rollup(scenario.services, at_once=3)
    in_many = rolled_up(scenario)
    with scenario.tx() as tx:
        tx.execute(sa.delete(t.meta).where(t.meta.c.key == "tally"))
    refresh_rollup(scenario.services)
    assert rolled_up(scenario) == in_many
    assert counted(scenario, t.tally_mark) == 0


def rolled_up(scenario: Scenario) -> set[tuple[object, ...]]:
    statement = sa.select(t.day_figure).where(sa.or_(*(t.day_figure.c[name] != 0 for name in FIGURES)))
    with scenario.tx() as tx:
        return {tuple(row.values()) for row in tx.rows(statement)}


def test_a_refresh_that_has_nothing_to_do_writes_nothing(scenario: Scenario):
    scenario.case()
    assert refresh_rollup(scenario.services) > 0
    with scenario.tx() as tx:
        before = tx.scalar(sa.text("SELECT xmin::text FROM meta WHERE key = 'tally'"))
    assert refresh_rollup(scenario.services) == 0
    with scenario.tx() as tx:
        assert tx.scalar(sa.text("SELECT xmin::text FROM meta WHERE key = 'tally'")) == before


def test_another_zone_is_counted_directly_until_the_facts_are_made_anew(scenario: Scenario):
    scenario.case(opened_at=MIDNIGHT - HOUR)
    refresh_rollup(scenario.services)
    tokyo = "Asia/Tokyo"
    day = period_of("2026-11-26", "2026-11-26", timezone=tokyo)  # begins an hour before Shanghai's
    rolled, direct = both(scenario, day, now=MORNING + DAY, timezone=tokyo)
    assert rolled == direct
    assert rolled.total.counts.cases == 1
    while refresh(scenario, now=MORNING, timezone=tokyo):
        pass
    with scenario.tx() as tx:
        state = read_fact_state(tx)
    assert state is not None
    assert state.timezone == tokyo
    rolled, direct = both(scenario, day, now=MORNING + DAY, timezone=tokyo)
    assert rolled == direct


def test_facts_by_other_definitions_are_not_believed(scenario: Scenario):
    scenario.case()
    refresh_rollup(scenario.services)
    with scenario.tx() as tx:
        tx.execute(sa.update(t.day_figure).values(cases=1000))
        tx.execute(
            sa.text("UPDATE meta SET value = jsonb_set(value, '{form}', '\"older\"') WHERE key = 'tally'")
        )
    assert make_report(scenario.services).figures.total.counts.cases == 1
    refresh_rollup(scenario.services)
    assert make_report(scenario.services).figures.total.counts.cases == 1


def test_a_report_of_an_earlier_moment_than_the_facts_counts_directly(scenario: Scenario):
    scenario.case()  # medium: late after a quarter of an hour
    refresh(scenario, now=MORNING + DAY)
    rolled, direct = both(scenario, Period(), now=MORNING)
    assert rolled == direct
    assert rolled.total.counts.first_attempt_pending == 1


def test_only_one_refreshes_at_a_time(scenario: Scenario):
    scenario.case()
    with scenario.store.begin() as tx:
        held = take_lease(tx.connection, ROLLUP, holder="another machine", seconds=60)
    assert held is not None
    assert refresh_rollup(scenario.services) == 0
    with scenario.store.begin() as tx:
        held.end(tx.connection)
    assert refresh_rollup(scenario.services) > 0


def test_percentiles_of_many_equal_and_many_near_values(scenario: Scenario):
    for seconds in (0, 0, 7, 7, 7.000001, 7.000002, 7.2, 90, 90, 86_400 * 45):
        scenario.case(first_attempt_at=MORNING + timedelta(seconds=seconds), grade=Grade.HIGH)
        refresh(scenario, now=MORNING)
        rolled, direct = both(scenario, Period(), now=MORNING)
        assert rolled == direct
    assert direct.total.first_attempt.p50_seconds == pytest.approx(7.0000015)


def test_a_day_near_which_the_clocks_change_is_named_and_not_compared(scenario: Scenario):
    centre = replace(scenario.services.centre, timezone="Europe/London")
    services = replace(scenario.services, centre=centre)
    for opened_at in (datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 12, tzinfo=UTC)):
        scenario.case(opened_at=opened_at)
    refresh_rollup(services)
    found = verify_rollup(services)
    assert date(2026, 10, 25) in found.not_summed  # summer time ends at one o'clock
    assert found.days == 2 - len(found.not_summed)
    assert found.differences == ()
