"""A window is cut at the centre's midnights, and nowhere near a change of its clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.rates import Period, Spans, period_of, spans_of

SHANGHAI = "Asia/Shanghai"


def test_whole_days_have_no_edges():
    period = period_of("2026-11-20", "2026-11-25", timezone=SHANGHAI)
    assert spans_of(period, timezone=SHANGHAI) == Spans(
        first=date(2026, 11, 20), last=date(2026, 11, 26), edges=()
    )


def test_without_limit_there_is_nothing_to_cut():
    assert spans_of(Period(), timezone=SHANGHAI) == Spans(first=None, last=None, edges=())


def test_what_is_left_at_either_end_is_an_edge():
    period = period_of("2026-11-20T09:00", "2026-11-25T10:30", timezone=SHANGHAI)
    spans = spans_of(period, timezone=SHANGHAI)
    assert spans is not None
    assert (spans.first, spans.last) == (date(2026, 11, 21), date(2026, 11, 25))
    first, last = spans.edges
    assert (first.start, first.end) == (period.start, datetime(2026, 11, 20, 16, tzinfo=UTC))
    assert (last.start, last.end) == (datetime(2026, 11, 24, 16, tzinfo=UTC), period.end)


@pytest.mark.parametrize(
    ("start", "end"), [("2026-11-25T00:01", "2026-11-25T23:59"), ("2026-11-24T12:00", "2026-11-25T12:00")]
)
def test_a_window_without_a_whole_day_is_not_cut(start: str, end: str):
    assert spans_of(period_of(start, end, timezone=SHANGHAI), timezone=SHANGHAI) is None


def test_a_window_from_beyond_all_days_is_not_cut():
    assert spans_of(Period(start=datetime(1, 1, 1, tzinfo=UTC)), timezone=SHANGHAI) is None
    assert spans_of(Period(end=datetime(9999, 12, 31, tzinfo=UTC)), timezone=SHANGHAI) is None


def test_the_years_from_1971_to_2140_are_cut():
    early, late = datetime(1971, 6, 1, 16, tzinfo=UTC), datetime(2140, 6, 1, 16, tzinfo=UTC)
    assert spans_of(Period(start=early), timezone=SHANGHAI) == Spans(
        first=date(1971, 6, 2), last=None, edges=()
    )
    assert spans_of(Period(end=late), timezone=SHANGHAI) == Spans(first=None, last=date(2140, 6, 2), edges=())
    assert spans_of(Period(start=early.replace(year=1970)), timezone=SHANGHAI) is None
    assert spans_of(Period(end=late.replace(year=2141)), timezone=SHANGHAI) is None


def test_a_change_of_the_clocks_more_than_three_hours_from_midnight_moves_no_border():
    """Helsinki's clocks go from 4:00 to 3:00 on 2026-10-25, London's from 2:00 to 1:00."""
    for zone, edges in (("Europe/Helsinki", 0), ("Europe/London", 1)):
        spans = spans_of(period_of("2026-10-25", "2026-10-27", timezone=zone), timezone=zone)
        assert spans is not None
        assert len(spans.edges) == edges, zone


def test_a_midnight_at_which_the_clocks_change_is_no_border():
    """Beirut's clocks go from 0:00 to 1:00 on 2026-03-29: that day is left to the edge."""
    beirut = "Asia/Beirut"
    spans = spans_of(period_of("2026-03-29", "2026-04-10", timezone=beirut), timezone=beirut)
    assert spans is not None
    assert spans.first == date(2026, 3, 30)
    assert len(spans.edges) == 1


_MOMENTS = st.integers(0, 730 * 86_400).map(
    lambda seconds: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


@given(start=_MOMENTS, length=st.timedeltas(min_value=timedelta(seconds=1), max_value=timedelta(days=400)))
@pytest.mark.parametrize("zone", [SHANGHAI, "Europe/Berlin", "America/Havana"])
def test_every_moment_lies_in_one_part_of_the_window(zone: str, start: datetime, length: timedelta):
    period = Period(start=start, end=start + length)
    spans = spans_of(period, timezone=zone)
    if spans is None:
        return
    assert spans.first is not None
    assert spans.last is not None
    days = period_of(spans.first.isoformat(), (spans.last - timedelta(days=1)).isoformat(), timezone=zone)
    parts = sorted([*spans.edges, days], key=lambda part: part.start or start)
    assert parts[0].start == period.start
    assert parts[-1].end == period.end
    assert all(one.end == following.start for one, following in pairwise(parts))
