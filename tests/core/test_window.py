from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.policy import Window
from tests.core.samples import SHANGHAI

OVERNIGHT = Window(opens=time(20), closes=time(6), zone="Asia/Shanghai")


def shanghai(hour: int, minute: int = 0, second: int = 0, *, day: int = 25) -> datetime:
    return datetime(2026, 11, day, hour, minute, second, tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC)


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        (shanghai(8, 59, 59), False),
        (shanghai(9), True),
        (shanghai(20, 59, 59), True),
        (shanghai(21), False),
        (shanghai(0), False),
    ],
)
def test_opening_belongs_to_the_window_and_closing_does_not(at: datetime, is_open: bool):
    assert SHANGHAI.is_open(at) is is_open


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        (shanghai(19, 59), False),
        (shanghai(20), True),
        (shanghai(0), True),
        (shanghai(5, 59), True),
        (shanghai(6), False),
        (shanghai(12), False),
    ],
)
def test_a_window_may_cross_midnight(at: datetime, is_open: bool):
    assert OVERNIGHT.is_open(at) is is_open


def test_equal_times_are_always_open():
    always = Window(opens=time(9), closes=time(9), zone="Asia/Shanghai")
    assert always.is_open(shanghai(3))
    assert always.next_open(shanghai(3)) == shanghai(3)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (shanghai(12), shanghai(12)),
        (shanghai(3), shanghai(9)),
        (shanghai(8, 59, 59), shanghai(9)),
        (shanghai(21), shanghai(9, day=26)),
        (shanghai(23, 59), shanghai(9, day=26)),
    ],
)
def test_next_open_is_now_or_the_next_opening(at: datetime, expected: datetime):
    assert SHANGHAI.next_open(at) == expected


def test_the_callee_s_zone_decides_and_not_the_server_s():
    urumqi_style = Window(opens=time(9), closes=time(21), zone="Asia/Urumqi")
    at = shanghai(9, 30)
    assert SHANGHAI.is_open(at)
    assert not urumqi_style.is_open(at)
    assert urumqi_style.next_open(at) == shanghai(11)


def test_the_answer_keeps_the_zone_of_the_question():
    assert SHANGHAI.next_open(shanghai(3)).tzinfo is UTC


def test_where_clocks_go_back_the_next_opening_is_not_the_one_that_has_passed():
    window = Window(opens=time(1, 30), closes=time(23), zone="America/New_York")
    second_one_ten = datetime(2026, 11, 1, 6, 10, tzinfo=UTC)
    assert not window.is_open(second_one_ten)
    assert window.next_open(second_one_ten) == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)


def test_where_clocks_go_forward_an_opening_that_does_not_come_is_left_out():
    window = Window(opens=time(2, 15), closes=time(2, 45), zone="America/New_York")
    night = datetime(2026, 3, 8, 5, 0, tzinfo=UTC)
    assert window.next_open(night) == datetime(2026, 3, 9, 6, 15, tzinfo=UTC)


_quarters = st.builds(time, st.integers(0, 23), st.sampled_from((0, 15, 30, 45)))


@given(
    opens=_quarters,
    closes=_quarters,
    zone=st.sampled_from(
        (
            "Asia/Shanghai",
            "Asia/Urumqi",
            "America/New_York",
            "Europe/London",
            "Australia/Lord_Howe",
            "Pacific/Apia",
        )
    ),
    at=st.datetimes(
        datetime(2010, 1, 1),  # noqa: DTZ001  # the strategy wants naive bounds
        datetime(2027, 1, 1),  # noqa: DTZ001  # the strategy wants naive bounds
        timezones=st.just(UTC),
    ),
)
def test_the_next_opening_is_open_and_strictly_future_unless_it_is_now(
    opens: time, closes: time, zone: str, at: datetime
):
    window = Window(opens=opens, closes=closes, zone=zone)
    found = window.next_open(at)
    assert window.is_open(found)
    if window.is_open(at):
        assert found == at
    else:
        assert at < found <= at + timedelta(days=2, hours=2)
