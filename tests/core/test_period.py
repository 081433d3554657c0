"""The window that a person types is the centre's own days."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dialer.core.errors import Invalid
from dialer.core.rates import Period, period_of


def typed(start: str | None, end: str | None) -> Period:
    return period_of(start, end, timezone="Asia/Shanghai")


def test_without_limits():
    assert typed(None, None) == Period(start=None, end=None)
    assert typed("", "") == Period(start=None, end=None)


def test_one_day_is_the_whole_of_it():
    period = typed("2026-11-25", "2026-11-25")
    assert period.start == datetime(2026, 11, 24, 16, tzinfo=UTC)
    assert period.end == datetime(2026, 11, 25, 16, tzinfo=UTC)


def test_a_moment_is_that_moment():
    assert typed(None, "2026-11-25T09:30").end == datetime(2026, 11, 25, 1, 30, tzinfo=UTC)
    assert typed("2026-11-25T09:30+00:00", None).start == datetime(2026, 11, 25, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "25.11.2026", "2026-11-25T25:00"])
def test_what_is_no_day_is_refused_by_name(text: str):
    with pytest.raises(Invalid, match="from: is not a day"):
        typed(text, None)
    with pytest.raises(Invalid, match="to: is not a day"):
        typed(None, text)


@pytest.mark.parametrize(("start", "end"), [("0001-01-01", None), (None, "9999-12-31")])
def test_the_ends_of_time_are_refused(start: str | None, end: str | None):
    with pytest.raises(Invalid, match="out of range"):
        typed(start, end)


def test_the_years_between_1971_and_2140_are_read():
    assert typed("1972-01-01T12:00", "2139-12-31T12:00") == Period(
        start=datetime(1972, 1, 1, 4, tzinfo=UTC), end=datetime(2139, 12, 31, 4, tzinfo=UTC)
    )
    for beyond in ("1971-12-31T12:00", "2140-01-01T12:00"):
        with pytest.raises(Invalid, match="from: is out of range"):
            typed(beyond, None)
        with pytest.raises(Invalid, match="to: is out of range"):
            typed(None, beyond)


@pytest.mark.parametrize(
    ("start", "end"), [("2026-11-26", "2026-11-25"), ("2026-11-26T09:00", "2026-11-26T09:00")]
)
def test_an_end_that_is_not_after_the_start_is_refused(start: str, end: str):
    with pytest.raises(Invalid, match="to: is not after from"):
        typed(start, end)


def test_a_moment_later_by_a_minute_is_after():
    assert typed("2026-11-26T09:00", "2026-11-26T09:01").end == datetime(2026, 11, 26, 1, 1, tzinfo=UTC)
