"""Figures from fact rows are the figures counted from the records, to the last digit, whatever happened before and
since.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from random import Random
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from rich.console import Console

from dialer.cli.report import verification_view
from dialer.core.errors import Unavailable
from dialer.core.rates import COUNT_NAMES, FUNNEL, CaseFilter, Dimension, Money, Period, period_of
from dialer.core.text import Lang
from dialer.core.values import AmountKind, FraudType, Grade
from dialer.db import tables as t
from dialer.db.measures import money_name
from dialer.db.units import add_unit
from dialer.figures.facts import FactSource, delete_old_marks, next_piece, open_source
from dialer.figures.reader import (
    CutWindow,
    RecordSource,
    loss_name,
    read_case_ids,
    read_count,
    read_cut,
    read_days,
    read_figures,
    read_strata,
    read_total,
    read_workload,
    slice_of,
)
from dialer.figures.refreshing import is_behind, refresh_if_behind
from dialer.figures.report import make_report, refresh_figures
from dialer.figures.verify import numbers_of, verify_figures
from tests.figures.histories import MIDNIGHT, History
from tests.figures.sources import ZONE, fact_source, facts_of, spoil, window_of
from tests.outcomes.town import MORNING, Scenario
from tests.seeds import seeds

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PERIODS = (
    Period(),
    Period(start=MIDNIGHT - DAY, end=MIDNIGHT),
    Period(start=MIDNIGHT - 31 * DAY),
    Period(end=MIDNIGHT + timedelta(microseconds=1)),
    Period(start=MORNING - 33 * DAY, end=MORNING + HOUR),
    Period(start=MORNING, end=MORNING + 3 * HOUR),
    period_of("2026-10-20", "2026-12-01", timezone=ZONE),
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


LOSSES = tuple(loss_name(step) for step in FUNNEL[1:])
READS = (read_figures, read_total, read_days, read_strata, read_workload)


def agree(
    scenario: Scenario,
    window: CutWindow,
    dimension: Dimension,
    reads: Sequence[Callable[..., object]] = READS,
) -> None:
    with fact_source(scenario, timezone=window.timezone) as facts:
        records = RecordSource(facts.tx)
        assert read_cut(facts, dimension, window) == read_cut(records, dimension, window), (dimension, window)
        for read in reads:
            assert read(facts, window) == read(records, window), (read, window)


def agree_anyhow(scenario: Scenario, history: History, chance: Random, *, now: datetime) -> None:
    for cut, depth in cuts(history, chance):
        window = window_of(chance.choice(PERIODS), cut=cut, drill=chance.random() < 0.3, now=now, depth=depth)
        agree(scenario, window, chance.choice(list(Dimension)), chance.sample(READS, 2))


@seeds(3)
def test_every_figure_is_its_recount_before_and_after_every_refresh(scenario: Scenario, seed: int):
    history, chance = History(scenario, seed), Random(seed)
    for turn in range(3):
        for _ in range(20):
            history.step()
        now = MORNING + turn * 5 * HOUR
        if chance.random() < 0.7:
            refresh_figures(scenario.services)
            history.step()
        agree_anyhow(scenario, history, chance, now=now)
    agree_anyhow(scenario, history, chance, now=now + 20 * DAY)  # nothing but time has passed
    if seed == 0:  # every day of a long history
        scenario.clock.set(now)
        found = verify_figures(scenario.services)
        assert found.differences == ()
        assert found.days > 2


@seeds(2)
def test_the_cases_behind_a_count_are_those_found_in_the_records(scenario: Scenario, seed: int):
    history, chance = History(scenario, seed), Random(seed)
    for _ in range(60):
        history.step()
    with fact_source(scenario) as facts:
        records = RecordSource(facts.tx)
        for cut, depth in cuts(history, chance):
            window = window_of(chance.choice(PERIODS), cut=cut, depth=depth)
            for measure in (*chance.sample(COUNT_NAMES, 3), *chance.sample(LOSSES, 2)):
                every = read_case_ids(records, measure, window, before_id=None, limit=1_000)
                found = read_case_ids(facts, measure, window, before_id=None, limit=1_000)
                assert found == every, (measure, window)
                if every:
                    later = read_case_ids(facts, measure, window, before_id=every[0], limit=2)
                    assert later == every[1:3], (measure, window)
                assert read_count(facts, measure, window) == read_count(records, measure, window)


def test_the_fact_rows_are_what_is_read(scenario: Scenario):
    """Agreement would be worth nothing if both counted directly."""
    scenario.outcome(scenario.case(), intended_fen=70_00)
    refresh_figures(scenario.services)
    spoil(scenario, "INSERT INTO cases SELECT * FROM cases", "UPDATE outcomes SET intended_fen = 1")
    total = make_report(scenario.services).figures.total
    assert total.counts.cases == 2
    assert total.amounts[AmountKind.INTENDED] == Money(unapproved_fen=1)


_UNAPPROVED = money_name(AmountKind.INTENDED, "unapproved")


def test_verification_names_every_difference(scenario: Scenario):
    case_id = scenario.case()
    scenario.outcome(case_id, intended_fen=70_00)
    scenario.attempt(case_id, result="answered")
    clean = verify_figures(scenario.services)
    assert (clean.days, clean.different) == (1, 0)
    scenario.case(opened_at=MORNING - DAY)  # waits for a refresh, which is no difference
    assert verify_figures(scenario.services).different == 0
    spoil(
        scenario,
        "INSERT INTO warnings SELECT * FROM warnings WHERE day = DATE '2026-11-25'",
        "UPDATE outcomes SET intended_fen = 6999",
    )
    found = verify_figures(scenario.services)
    told = {
        (
            str(difference.day),
            difference.part,
            difference.value,
            difference.name,
            difference.facts,
            difference.recount,
        )
        for difference in found.differences
    }
    hour = str(MORNING.astimezone(ZoneInfo(ZONE)).hour)
    assert told >= {
        ("2026-11-25", "all", "", "warnings", 2, 1),
        ("2026-11-25", "grade", "medium", "warnings", 2, 1),
        ("2026-11-25", "hour", hour, "warnings", 2, 1),
        ("2026-11-25", "day", "", "trend.warnings", 2, 1),
        ("2026-11-25", "fraud_type", "loan", "intended.unapproved_fen", 69_99, 70_00),
        ("None", "all", "", "warnings", 3, 2),
    }
    assert found.different == len(found.differences) == len(told)
    assert {difference.name for difference in found.differences} == {
        "warnings",
        "trend.warnings",
        "intended.unapproved_fen",
    }
    text = Console(width=200, file=StringIO())
    text.print(verification_view(found, Lang.EN))
    assert f"{len(told)} differ" in text.file.getvalue()  # type: ignore[attr-defined]


def test_verification_finds_a_day_that_only_fact_rows_have(scenario: Scenario):
    scenario.case()
    refresh_figures(scenario.services)
    spoil(scenario, "UPDATE cases SET moment = moment - INTERVAL 9 DAY, day = day - 9, person = 'bai'")
    told = {
        (
            str(difference.day),
            difference.part,
            difference.value,
            difference.name,
            difference.facts,
            difference.recount,
        )
        for difference in verify_figures(scenario.services).differences
    }
    assert ("2026-11-16", "all", "", "cases", 1, 0) in told
    assert ("2026-11-16", "person", "bai", "cases", 1, 0) in told
    assert ("2026-11-25", "all", "", "cases", 0, 1) in told


def test_verification_counts_what_it_compares_and_what_it_does_not_name(scenario: Scenario):
    with scenario.tx() as tx:
        unit = add_unit(tx, name="东区", parent_id=None)
    scenario.case(unit_id=unit)
    for days in (1, 2):
        scenario.case(opened_at=MORNING + days * DAY)
    clean = verify_figures(scenario.services)
    assert (clean.begun_at, clean.timezone, clean.days) == (MORNING, ZONE, 3)
    numbers = len(list(numbers_of(slice_of({}))))
    by_cuts, trend = 6 * numbers, 9
    whole = (1 + len(Grade) + len(FraudType)) * numbers + 5
    assert clean.figures == 3 * (whole + trend + by_cuts) + whole + 3 * trend
    spoil(scenario, "DELETE FROM cases", "DELETE FROM warnings", *["INSERT INTO cases SELECT * FROM cases"])
    assert verify_figures(scenario.services).different > 0


def test_a_report_does_not_wait_for_fact_rows_that_another_process_has(scenario: Scenario):
    scenario.case()
    refresh_figures(scenario.services)
    with facts_of(scenario).path.with_name("facts.lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert refresh_figures(scenario.services) == 0
        with open_source(scenario.store, facts_of(scenario), lock_seconds=0) as source:
            assert isinstance(source, RecordSource)
            assert read_figures(source, window_of()).total.counts.cases == 1


def test_with_many_changed_cases_the_records_are_counted_until_the_next_refresh(scenario: Scenario):
    for _ in range(4):
        scenario.case()
    for most, kind in ((3, RecordSource), (4, FactSource), (0, FactSource)):
        with open_source(scenario.store, facts_of(scenario), most_behind=most) as source:
            assert isinstance(source, kind)
            assert read_figures(source, window_of()).total.counts.cases == 4
    for _ in range(3):
        scenario.case()
    for most, kind in ((2, RecordSource), (3, FactSource), (0, FactSource)):
        with open_source(scenario.store, facts_of(scenario), most_behind=most) as source:
            assert isinstance(source, kind)
            assert read_figures(source, window_of()).total.counts.cases == 7
    assert refresh_figures(scenario.services) == 0


def money(scenario: Scenario) -> Money:
    with fact_source(scenario) as facts:
        found = read_figures(facts, window_of(now=MORNING + DAY))
        assert found == read_figures(RecordSource(facts.tx), window_of(now=MORNING + DAY))
    return found.total.amounts[AmountKind.INTENDED]


def test_money_moves_from_state_to_state(scenario: Scenario):
    line = scenario.outcome(scenario.case(), intended_fen=70_00)
    assert money(scenario) == Money(unapproved_fen=70_00)
    scenario.approve(line)
    assert money(scenario) == Money(approved_fen=70_00)
    # A correction may stand in another case than what it corrects.
    scenario.outcome(scenario.case(), reverses=line)
    assert money(scenario) == Money(reversed_fen=70_00)
    assert refresh_figures(scenario.services) == 0


def marks(scenario: Scenario) -> int:
    with scenario.tx() as tx:
        return int(tx.scalar(sa.select(sa.func.count()).select_from(t.fact_mark)))


def test_what_no_figure_asks_leaves_no_mark_and_a_transaction_leaves_one(scenario: Scenario):
    """The steps of a call between its sending and its end are many, and cost the report nothing."""
    case_id = scenario.case()
    attempt_id = scenario.attempt(case_id, result=None)
    before = marks(scenario)
    for values in ({"state": "answered"}, {"poll_at": MORNING}, {"answered_at": MORNING, "last_step": 3}):
        with scenario.tx() as tx:
            tx.execute(sa.update(t.attempt).values(**values).where(t.attempt.c.id == attempt_id))
            tx.execute(sa.update(t.case).values(revision=t.case.c.revision + 1, due_at=MORNING + HOUR))
    assert marks(scenario) == before
    with scenario.tx() as tx:
        tx.execute(sa.update(t.attempt).values(state="ended", result="busy"))
        tx.execute(sa.update(t.case).values(contact="unverified"))
        tx.execute(sa.update(t.case).values(first_attempt_at=MORNING))
    assert marks(scenario) == before + 1


def test_who_signed_is_of_the_snapshot(scenario: Scenario):
    assignment = scenario.assignment(scenario.case(), state="signed", signed_by="li", signed_at=MORNING)
    refresh_figures(scenario.services)
    with scenario.tx() as tx:
        tx.execute(sa.update(t.assignment).where(t.assignment.c.id == assignment).values(signed_by="bai"))
    with fact_source(scenario) as facts:
        assert [one.login for one in read_workload(facts, window_of())] == ["bai"]


def test_fact_rows_of_other_definitions_or_another_database_are_made_again(scenario: Scenario):
    scenario.case()
    for column, value in (("definitions", "'older'"), ("place", "'1/1/1'"), ("timezone", "'Asia/Tokyo'")):
        refresh_figures(scenario.services)
        spoil(scenario, "INSERT INTO cases SELECT * FROM cases", f"UPDATE state SET {column} = {value}")
        assert make_report(scenario.services).figures.total.counts.cases == 1


def test_fact_rows_older_than_the_marks_are_made_again(scenario: Scenario):
    scenario.case()
    for days, cases in ((6, 2), (7, 1)):
        refresh_figures(scenario.services)
        spoil(
            scenario,
            "INSERT INTO cases SELECT * FROM cases",
            f"UPDATE state SET taken_at = taken_at - INTERVAL {days} DAY",
        )
        with fact_source(scenario) as facts:
            assert read_figures(facts, window_of()).total.counts.cases == cases
        spoil(scenario, "DELETE FROM state")
    with scenario.tx() as tx:
        tx.execute(
            sa.text(
                "UPDATE fact_mark SET at = at - make_interval(days => CAST(7 + case_id % 2 * 2 AS integer))"
            )
        )
    before = marks(scenario)
    assert delete_old_marks(scenario.store) == before - marks(scenario) > 0


def test_another_zone_has_other_days(scenario: Scenario):
    scenario.case(opened_at=MIDNIGHT - HOUR)
    tokyo = "Asia/Tokyo"
    period = period_of("2026-11-26", "2026-11-26", timezone=tokyo)  # begins an hour before Shanghai's
    for timezone in (ZONE, tokyo, ZONE):
        agree(scenario, window_of(period, now=MORNING + DAY, timezone=timezone), Dimension.HOUR)
    centre = replace(scenario.services.centre, timezone="Europe/London")
    for opened_at in (datetime(2026, 10, 25, 0, 30, tzinfo=ZoneInfo("UTC")), MORNING):
        scenario.case(opened_at=opened_at)  # summer time ends at one o'clock
    assert verify_figures(replace(scenario.services, centre=centre)).differences == ()


def test_a_table_that_was_emptied_empties_the_fact_rows(scenario: Scenario, fresh_database: str):
    scenario.case()
    refresh_figures(scenario.services)
    owner = sa.create_engine(fresh_database)
    with owner.begin() as connection:
        for table in t.metadata.tables:
            if table != "case":  # some of them refuse to be emptied
                connection.execute(sa.text(f'ALTER TABLE "{table}" DISABLE TRIGGER USER'))
        connection.execute(sa.text('TRUNCATE "case" CASCADE'))
    owner.dispose()
    assert make_report(scenario.services).figures.total.counts.cases == 0


def test_a_case_that_was_deleted_is_gone(scenario: Scenario):
    first, second = scenario.case(), scenario.case()
    refresh_figures(scenario.services)
    with scenario.tx() as tx:
        tx.execute(sa.delete(t.warning).where(t.warning.c.case_id == first))
        tx.execute(sa.delete(t.case).where(t.case.c.id == first))
    with fact_source(scenario) as facts:
        assert read_case_ids(facts, "cases", window_of(), before_id=None, limit=9) == [second]
        assert read_figures(facts, window_of()).total.counts.warnings == 1


def test_a_damaged_file_is_made_again(scenario: Scenario):
    scenario.case()
    refresh_figures(scenario.services)
    facts_of(scenario).path.write_bytes(b"damaged" * 5_000)
    assert make_report(scenario.services).figures.total.counts.cases == 1
    with fact_source(scenario) as facts:
        assert read_figures(facts, window_of()).total.counts.cases == 1


def test_fact_rows_are_for_the_service_alone_and_name_nobody(scenario: Scenario):
    person = scenario.person(name="王小明", phones=("+8613800138000",), id_number="150402199001011237")
    scenario.attempt(scenario.case(person_id=person), result="answered")
    refresh_figures(scenario.services)
    folder = facts_of(scenario).folder
    assert folder is not None
    for path in folder.iterdir():
        data = path.read_bytes()
        for secret in ("王小明", "13800138000", "150402199001011237"):
            assert secret.encode() not in data
        assert not stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO) or not stat.S_IMODE(
            folder.stat().st_mode
        ) & (stat.S_IRWXG | stat.S_IRWXO)
    assert {path.suffix for path in folder.iterdir()} <= {".duckdb", ".lock", ".wal"}


def test_without_a_folder_the_records_are_counted(scenario: Scenario):
    scenario.case()
    services = replace(scenario.services, facts_folder=None)
    assert make_report(services).figures.total.counts.cases == 1
    assert refresh_figures(services) == 0
    assert not is_behind(services)
    with pytest.raises(Unavailable):
        verify_figures(services)


def test_a_process_of_its_own_refreshes_what_is_far_behind(scenario: Scenario):
    scenario.case()
    assert not refresh_if_behind(scenario.services)
    refresh_figures(scenario.services)
    spoil(scenario, "INSERT INTO cases SELECT * FROM cases")
    os.utime(facts_of(scenario).path, (1_000_000_000, 1_000_000_000))
    with scenario.tx() as tx:
        tx.execute(sa.text("INSERT INTO fact_mark (case_id) SELECT n FROM generate_series(1, 999) n"))
    assert not refresh_if_behind(scenario.services)
    with scenario.tx() as tx:
        tx.execute(sa.text("INSERT INTO fact_mark (case_id) VALUES (1000)"))
    assert refresh_if_behind(scenario.services)
    with open_source(scenario.store, facts_of(scenario), most_behind=0) as source:
        assert isinstance(source, FactSource)
        assert read_figures(source, window_of()).total.counts.cases == 1


def test_percentiles_of_many_equal_and_many_near_values(scenario: Scenario):
    for seconds in (0, 0, 7, 7, 7.000001, 7.000002, 7.2, 90, 90, 86_400 * 45):
        scenario.case(first_attempt_at=MORNING + timedelta(seconds=seconds), grade=Grade.HIGH)
        agree(scenario, window_of(), Dimension.GRADE)
    with fact_source(scenario) as facts:
        found = read_figures(facts, window_of()).total.first_attempt
    assert found.p50_seconds == pytest.approx(7.0000015)


def test_a_small_database_has_no_file(scenario: Scenario):
    for _ in range(3):
        scenario.case()
    facts = facts_of(scenario)
    make_report(scenario.services)
    assert not facts.path.exists(), "a process at rest does not load DuckDB for a handful of cases"
    for fewest, kind in ((4, RecordSource), (3, FactSource), (4, FactSource)):
        with open_source(scenario.store, facts, fewest=fewest) as source:
            assert isinstance(source, kind), "a file that is there is used"
            assert read_figures(source, window_of()).total.counts.cases == 3


@pytest.mark.parametrize(
    ("piece", "seconds", "cases"),
    [
        (1_000, 0.1, 2_000),
        (2_000, 1.0, 2_000),
        (4_000, 2.0, 2_000),
        (4_000, 60.0, 1_000),
        (4_000, 0.1, 5_000),
    ],
)
def test_a_piece_of_a_refresh_takes_about_a_second(piece: int, seconds: float, cases: int):
    assert next_piece(piece, seconds=seconds) == cases
