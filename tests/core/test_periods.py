"""Which days are compared with which."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.errors import Invalid
from dialer.core.periods import (
    BulletinKind,
    add_months,
    bulletin_days,
    days_around,
    midnight,
    period_before,
    period_year_before,
)
from dialer.core.rates import Period, period_of

ZONE = "Asia/Shanghai"
LATER = datetime(2030, 1, 1, tzinfo=UTC)


def days(first: str, last: str) -> Period:
    return period_of(first, last, timezone=ZONE)


@pytest.mark.parametrize(
    ("window", "before", "year_before"),
    [
        (("2026-11-01", "2026-11-30"), ("2026-10-01", "2026-10-31"), ("2025-11-01", "2025-11-30")),
        (("2026-03-01", "2026-03-31"), ("2026-02-01", "2026-02-28"), ("2025-03-01", "2025-03-31")),
        (("2026-01-01", "2026-12-31"), ("2025-01-01", "2025-12-31"), ("2025-01-01", "2025-12-31")),
        (("2026-11-23", "2026-11-29"), ("2026-11-16", "2026-11-22"), ("2025-11-24", "2025-11-30")),
        (("2026-11-25", "2026-11-25"), ("2026-11-24", "2026-11-24"), ("2025-11-25", "2025-11-25")),
        (("2026-11-20", "2026-11-29"), ("2026-11-10", "2026-11-19"), ("2025-11-20", "2025-11-29")),
        (("2028-02-29", "2028-02-29"), ("2028-02-28", "2028-02-28"), ("2027-02-28", "2027-02-28")),
    ],
)
def test_a_period_has_one_before_it_and_one_a_year_before(
    window: tuple[str, str], before: tuple[str, str], year_before: tuple[str, str]
):
    assert period_before(days(*window), timezone=ZONE, now=LATER) == days(*before)
    found = period_year_before(days(*window), timezone=ZONE, now=LATER)
    if window[0] != "2028-02-29":  # its end is the first of March in both years
        assert found == days(*year_before)
    else:
        assert found is not None
        assert found.start == days(*year_before).start


def test_a_running_month_is_compared_until_the_same_moment():
    month = days("2026-11-01", "2026-11-30")
    now = datetime(2026, 11, 20, 4, tzinfo=UTC)
    before = period_before(month, timezone=ZONE, now=now)
    assert before == Period(
        start=days("2026-10-01", "2026-10-02").start, end=datetime(2026, 10, 20, 4, tzinfo=UTC)
    )


def test_without_an_end_nothing_is_compared():
    assert period_before(Period(), timezone=ZONE, now=LATER) is None
    assert period_year_before(Period(start=LATER), timezone=ZONE, now=LATER) is None


@pytest.mark.parametrize(
    ("day", "months", "moved"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 11, 30), 2, date(2027, 1, 30)),
        (date(2026, 11, 1), 1, date(2026, 12, 1)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
        (date(2027, 1, 1), -1, date(2026, 12, 1)),
    ],
)
def test_the_same_day_of_another_month(day: date, months: int, moved: date):
    assert add_months(day, months) == moved


def test_a_day_begins_at_midnight_of_its_zone():
    assert midnight(date(2026, 11, 26), ZONE) == datetime(2026, 11, 25, 16, 0, tzinfo=UTC)


@given(st.dates(date(1980, 1, 1), date(2100, 1, 1)), st.integers(-500, 500))
def test_months_added_and_taken_off_stay_in_the_month(day: date, months: int):
    moved = add_months(day, months)
    assert (moved.year * 12 + moved.month) - (day.year * 12 + day.month) == months
    assert moved.day <= day.day
    assert moved.day == day.day or (moved + timedelta(days=1)).day == 1


@given(st.sampled_from(BulletinKind), st.dates(date(1980, 1, 1), date(2100, 1, 1)))
def test_a_bulletin_is_named_by_its_days_and_follows_the_one_before(kind: BulletinKind, day: date):
    found = days_around(kind, day)
    assert found.first <= day <= found.last
    assert bulletin_days(kind, found.name) == found
    assert days_around(kind, found.last + timedelta(days=1)).first == found.last + timedelta(days=1)
    assert found.period(ZONE) == days(found.first.isoformat(), found.last.isoformat())


@pytest.mark.parametrize(
    ("kind", "text"),
    [("month", "2026-13"), ("week", "2026-W60"), ("day", "yesterday"), ("month", "2026-11-05")],
)
def test_what_is_no_day_week_or_month_is_refused_with_an_example(kind: str, text: str):
    with pytest.raises(Invalid, match="such as"):
        bulletin_days(BulletinKind(kind), text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (BulletinKind.DAY, "0001-01-01"),
        (BulletinKind.DAY, "9999-12-31"),
        (BulletinKind.WEEK, "0001-01-01"),
        (BulletinKind.MONTH, "0001-06"),
        (BulletinKind.MONTH, "9999-12"),
        (BulletinKind.DAY, "1971-12-31"),
        (BulletinKind.DAY, "2140-01-01"),
    ],
)
def test_a_bulletin_of_a_year_that_cannot_be_counted_is_refused(kind: BulletinKind, text: str):
    with pytest.raises(Invalid) as refused:
        bulletin_days(kind, text)
    assert (refused.value.field, str(refused.value.problem)) == (kind.value, "is out of range")
