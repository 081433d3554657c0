"""A report from the sums of days is the direct report, to the last digit, whatever happened before and since."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from dialer.domain.values import AmountKind, Grade
from dialer.outcomes.figures import Figures, Money
from dialer.outcomes.period import Period, period_of
from dialer.store import rollup
from dialer.store import tables as t
from dialer.store.reads import snapshot
from dialer.store.reads.fact_rows import FIGURES, state_of
from dialer.store.reads.figures import figures
from dialer.store.reads.measures import MONEY
from dialer.store.reads.rolled import rolled_figures
from dialer.usecases.fold_figures import fold_figures
from dialer.usecases.make_report import make_report
from tests.seeds import seeds
from tests.store.reads.histories import MIDNIGHT, History
from tests.store.reads.town import MORNING, Town

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
    town: Town, period: Period, *, now: datetime, drill: bool = False, timezone: str = ZONE
) -> tuple[Figures, Figures]:
    with town.tx() as tx:
        snapshot.hold(tx)
        return (
            rolled_figures(tx, period, drill=drill, now=now, timezone=timezone),
            figures(tx, period, drill=drill, now=now),
        )


def agree(town: Town, *, now: datetime, timezone: str = ZONE) -> None:
    for period in windows():
        for drill in (False, True):
            rolled, direct = both(town, period, now=now, drill=drill, timezone=timezone)
            assert rolled == direct, (period, drill)


def fold(town: Town, *, now: datetime, timezone: str = ZONE, limit: int = 5000) -> int:
    return rollup.fold(town.store, timezone=timezone, now=now, limit=limit)


def counted(town: Town, table: sa.Table) -> int:
    with town.tx() as tx:
        return int(tx.scalar(sa.select(sa.func.count()).select_from(table)))


@seeds(4)
def test_whatever_happens_both_reports_agree_before_and_after_every_fold(town: Town, seed: int):
    history = History(town, seed)
    for turn in range(4):
        for _ in range(14):
            history.step()
        now = MORNING + turn * 5 * HOUR
        agree(town, now=now)
        fold(town, now=now, limit=7)  # a part of what waits
        agree(town, now=now)
        while fold(town, now=now):
            pass
        agree(town, now=now)
        agree(town, now=now + 20 * DAY)  # nothing but time has passed


def test_the_sums_of_days_are_what_is_read(town: Town):
    """Agreement would be worth nothing if both counted directly."""
    town.case()
    fold_figures(town.engine)
    with town.tx() as tx:
        tx.execute(sa.update(t.day_figure).values(cases=t.day_figure.c.cases + 1))
    rolled, direct = both(town, Period(), now=MORNING)
    assert direct.total.counts.cases == 1
    assert rolled.total.counts.cases == 2


def money(town: Town) -> Money:
    rolled, direct = both(town, Period(), now=MORNING + DAY)
    assert rolled == direct
    return rolled.total.amounts[AmountKind.INTENDED]


def test_money_moves_from_state_to_state_before_and_after_every_fold(town: Town):
    line = town.outcome(town.case(), intended_fen=70_00)
    assert money(town) == Money(unapproved_fen=70_00)
    fold_figures(town.engine)
    town.approve(line)
    assert money(town) == Money(approved_fen=70_00)
    fold_figures(town.engine)
    assert money(town) == Money(approved_fen=70_00)
    # A correction may stand in another case than what it corrects.
    town.outcome(town.case(), reverses=line)
    assert money(town) == Money(reversed_fen=70_00)
    fold_figures(town.engine)
    assert counted(town, t.tally_mark) == 0
    assert money(town) == Money(reversed_fen=70_00)


def test_lines_with_money_are_read_from_the_sums_of_days(town: Town):
    town.outcome(town.case(), intended_fen=70_00)
    fold_figures(town.engine)
    with town.tx() as tx:
        tx.execute(sa.update(t.day_figure).values({name: t.day_figure.c[name] * 2 for name in MONEY}))
    rolled, direct = both(town, Period(), now=MORNING)
    assert direct.total.amounts[AmountKind.INTENDED] == Money(unapproved_fen=70_00)
    assert rolled.total.amounts[AmountKind.INTENDED] == Money(unapproved_fen=140_00)


def test_a_case_that_changed_is_counted_as_it_is_now_before_any_fold(town: Town):
    case_id = town.case(grade=Grade.LOW)
    fold_figures(town.engine)
    with town.tx() as tx:
        tx.execute(sa.update(t.case).values(grade="high").where(t.case.c.id == case_id))
    report = make_report(town.engine)
    assert report.figures.by_grade[Grade.LOW].counts.cases == 0
    assert report.figures.by_grade[Grade.HIGH].counts.cases == 1
    assert report.figures.total.counts.robot_calls == 0


def test_what_no_figure_asks_leaves_no_mark(town: Town):
    """The steps of a ring between its sending and its end are many, and cost the report nothing."""
    case_id = town.case()
    attempt_id = town.attempt(case_id, result=None)
    fold_figures(town.engine)
    for values in ({"state": "answered"}, {"poll_at": MORNING}, {"answered_at": MORNING, "last_step": 3}):
        with town.tx() as tx:
            tx.execute(sa.update(t.attempt).values(**values).where(t.attempt.c.id == attempt_id))
            tx.execute(sa.update(t.case).values(revision=t.case.c.revision + 1, due_at=MORNING + HOUR))
    assert counted(town, t.tally_mark) == 0
    with town.tx() as tx:
        tx.execute(sa.update(t.attempt).values(state="ended", result="busy"))
    assert counted(town, t.tally_mark) == 1


def test_a_fold_in_one_batch_or_in_many_gives_the_same_sums(town: Town):
    history = History(town, 11)
    for _ in range(40):
        history.step()
    fold_figures(town.engine, at_once=3)
    in_many = tallied(town)
    with town.tx() as tx:
        tx.execute(sa.delete(t.meta).where(t.meta.c.key == "tally"))
    fold_figures(town.engine)
    assert tallied(town) == in_many
    assert counted(town, t.tally_mark) == 0


def tallied(town: Town) -> set[tuple[object, ...]]:
    statement = sa.select(t.day_figure).where(sa.or_(*(t.day_figure.c[name] != 0 for name in FIGURES)))
    with town.tx() as tx:
        return {tuple(row.values()) for row in tx.rows(statement)}


def test_a_fold_that_has_nothing_to_do_writes_nothing(town: Town):
    town.case()
    assert fold_figures(town.engine) > 0
    with town.tx() as tx:
        before = tx.scalar(sa.text("SELECT xmin::text FROM meta WHERE key = 'tally'"))
    assert fold_figures(town.engine) == 0
    with town.tx() as tx:
        assert tx.scalar(sa.text("SELECT xmin::text FROM meta WHERE key = 'tally'")) == before


def test_another_zone_is_counted_directly_until_the_facts_are_made_anew(town: Town):
    town.case(opened_at=MIDNIGHT - HOUR)
    fold_figures(town.engine)
    tokyo = "Asia/Tokyo"
    day = period_of("2026-11-26", "2026-11-26", timezone=tokyo)  # begins an hour before Shanghai's
    rolled, direct = both(town, day, now=MORNING + DAY, timezone=tokyo)
    assert rolled == direct
    assert rolled.total.counts.cases == 1
    while fold(town, now=MORNING, timezone=tokyo):
        pass
    with town.tx() as tx:
        state = state_of(tx)
    assert state is not None
    assert state.timezone == tokyo
    rolled, direct = both(town, day, now=MORNING + DAY, timezone=tokyo)
    assert rolled == direct


def test_facts_by_other_definitions_are_not_believed(town: Town):
    town.case()
    fold_figures(town.engine)
    with town.tx() as tx:
        tx.execute(sa.update(t.day_figure).values(cases=1000))
        tx.execute(
            sa.text("UPDATE meta SET value = jsonb_set(value, '{form}', '\"older\"') WHERE key = 'tally'")
        )
    assert make_report(town.engine).figures.total.counts.cases == 1
    fold_figures(town.engine)
    assert make_report(town.engine).figures.total.counts.cases == 1


def test_a_report_of_an_earlier_moment_than_the_facts_counts_directly(town: Town):
    town.case()  # medium: late after a quarter of an hour
    fold(town, now=MORNING + DAY)
    rolled, direct = both(town, Period(), now=MORNING)
    assert rolled == direct
    assert rolled.total.counts.first_attempt_pending == 1


def test_only_one_folds_at_a_time(town: Town):
    town.case()
    with town.store.hold_advisory_lock(rollup.LOCK) as held:
        assert held is not None
        assert fold_figures(town.engine) == 0
    assert fold_figures(town.engine) > 0


def test_percentiles_of_many_equal_and_many_near_values(town: Town):
    for seconds in (0, 0, 7, 7, 7.000001, 7.000002, 7.2, 90, 90, 86_400 * 45):
        town.case(first_attempt_at=MORNING + timedelta(seconds=seconds), grade=Grade.HIGH)
        fold(town, now=MORNING)
        rolled, direct = both(town, Period(), now=MORNING)
        assert rolled == direct
    assert direct.total.first_attempt.p50_seconds == pytest.approx(7.0000015)
