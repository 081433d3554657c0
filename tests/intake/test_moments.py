from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.intake.cells import Unreadable, read_moment

SHANGHAI = ZoneInfo("Asia/Shanghai")
AT_0805 = datetime(2026, 11, 19, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-19 08:05:00", "2026-11-19 08:05", "2026/11/19 8:05", "2026.11.19 8:05:00", "20261119080500",
        "202611190805", "2026年11月19日 8时05分",
        "2026年11月19日8时5分0秒", "2026年11月19日 08:05", "2026-11-19T08:05:00",
        "2026-11-19T08:05:00+08:00", "2026-11-19T00:05:00Z", "2026-11-19 00:05:00 UTC", "2026-11-19T08:05:00.123+0800",
        "2026/11/19 上午 8:05", "2026-11-19 8:05 AM", "２０２６-１１-１９　０８：０５", "46345.336805555555",
        "1795046700",
        "1795046700000", "2026-11-19 星期四 8:05", "2026-11-19 08:05:00.0",
        "20261119080500.0", " 2026-11-19 08:05:00 ",
    ],
)  # fmt: skip
def test_every_way_of_writing_a_moment(written: str):
    assert read_moment(written, SHANGHAI) == AT_0805


@pytest.mark.parametrize(
    ("written", "hour"),
    [
        ("2026-11-19 下午3:05", 15),
        ("2026-11-19 3:05 PM", 15),
        ("2026-11-19 12:05 AM", 0),
        ("2026-11-19 12:05 PM", 12),
        ("2026-11-19 中午1点05分", 13),
        ("2026-11-18 晚上12点05分", 0),
    ],
)
def test_halves_of_the_day(written: str, hour: int):
    moment = read_moment(written, SHANGHAI)
    assert moment is not None
    assert (moment.astimezone(SHANGHAI).hour, moment.minute) == (hour, 5)


@pytest.mark.parametrize(
    "written", ["2026-11-19", "2026/11/19", "20261119", "2026年11月19日", "46345", "46345.0"]
)
def test_a_bare_date_begins_at_midnight_and_expires_at_its_end(written: str):
    assert read_moment(written, SHANGHAI) == datetime(2026, 11, 18, 16, 0, tzinfo=UTC)
    assert read_moment(written, SHANGHAI, end_of_day=True) == datetime(2026, 11, 19, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "now", "read"),
    [
        ("12月1日", datetime(2026, 12, 1, 8, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=SHANGHAI)),
        ("11月19日 下午3:05", datetime(2026, 12, 1, 8, tzinfo=UTC), datetime(2026, 11, 19, 15, 5, tzinfo=SHANGHAI)),
        ("12 月 31 号 8时", datetime(2027, 1, 2, tzinfo=UTC), datetime(2026, 12, 31, 8, tzinfo=SHANGHAI)),
        ("1月5日", datetime(2026, 12, 30, tzinfo=UTC), datetime(2027, 1, 5, tzinfo=SHANGHAI)),
    ],
)  # fmt: skip
def test_a_day_without_a_year_is_of_the_closest_one(written: str, now: datetime, read: datetime):
    assert read_moment(written, SHANGHAI, now=now) == read
    with pytest.raises(Unreadable):
        read_moment(written, SHANGHAI)


@pytest.mark.parametrize("written", ["2月30日", "13月1日", "2月29日", "12月", "12月1日x"])
def test_a_day_that_no_year_has_is_unreadable(written: str):
    with pytest.raises(Unreadable):
        read_moment(written, SHANGHAI, now=datetime(2026, 12, 1, tzinfo=UTC))


@pytest.mark.parametrize("written", ["2026-11-18 24:00", "2026-11-18 24:00:00", "2026年11月18日24时"])
def test_twenty_four_hours_are_the_end_of_the_day_and_nothing_is_later(written: str):
    assert read_moment(written, SHANGHAI) == datetime(2026, 11, 18, 16, 0, tzinfo=UTC)
    with pytest.raises(Unreadable):
        read_moment("2026-11-18 24:01", SHANGHAI)


def test_an_expiry_with_a_time_is_that_time():
    assert read_moment("2026-11-19 08:05", SHANGHAI, end_of_day=True) == AT_0805


def test_text_without_a_zone_is_local_time_of_the_office():
    assert read_moment("2026-11-19 08:05", ZoneInfo("Asia/Urumqi")) == datetime(
        2026, 11, 19, 2, 5, tzinfo=UTC
    )


@pytest.mark.parametrize(
    "written",
    [
        "昨天下午", "2026-13-01", "2026-02-30", "2026-11-19 25:00", "2026-11-19 08:61", "2026-02-30 08:05:00",
        "2026-13-40 99:99:99", "11月19日", "26-11-19", "19/11/2026", "1899-01-01", "0001-01-01 00:00:00",
        "9999-12-31 23:59:59", "待定", "0", "12", "2026", "=NOW()", "2026-11-19 08:05 09:05", "99999999999999",
    ],
)  # fmt: skip
def test_a_date_that_is_there_but_unclear_is_unreadable(written: str):
    with pytest.raises(Unreadable):
        read_moment(written, SHANGHAI)


@pytest.mark.parametrize("written", ["", " ", "-", "/", "无", "——"])
def test_an_empty_date_is_none(written: str):
    assert read_moment(written, SHANGHAI) is None
    assert read_moment(written, SHANGHAI, end_of_day=True) is None


@given(st.datetimes(min_value=datetime(2001, 1, 1), max_value=datetime(2098, 12, 31)))  # noqa: DTZ001 - local text
def test_a_second_survives_every_format(local: datetime):
    local = local.replace(microsecond=0)
    expected = local.replace(tzinfo=SHANGHAI).astimezone(UTC)
    for layout in ("%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y%m%d%H%M%S", "%Y年%m月%d日 %H时%M分%S秒"):
        assert read_moment(local.strftime(layout), SHANGHAI) == expected


@given(
    st.text(max_size=40)
    | st.text("0123456789零一二三十百千万亿年月日号时分点秒上下午星期:/.-+z ", max_size=20)
)
def test_any_text_is_an_aware_moment_or_unreadable(text: str):
    try:
        moment = read_moment(text, SHANGHAI)
    except Unreadable:
        return
    assert moment is None or moment.tzinfo is UTC
