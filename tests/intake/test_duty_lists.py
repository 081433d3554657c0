"""A month of a roster as stations keep it: its heading, its month, and what is refused as a whole."""

from __future__ import annotations

import io
from datetime import date

import pytest

from dialer.core.errors import UnusableFile
from dialer.intake.duty_lists import RosterSheet, read_roster
from dialer.intake.files import known_tables
from dialer.intake.headings import KnownList
from tests.duty.grids import grid

DAYS = ",".join(map(str, range(1, 32)))


def read(text: str, *, month: date | None = None) -> RosterSheet:
    return read_roster(known_tables(io.BytesIO(text.encode()), KnownList.ROSTERS), month=month)


def test_the_month_is_read_from_the_title_and_the_cells_by_day():
    sheet = read(grid("2026-12", {"张 三": {1: "白", 31: "夜"}, "": "白", "李四": "休"}).read().decode())
    assert (sheet.month, len(sheet.days), sheet.name_heading) == (date(2026, 12, 1), 31, "姓名")
    assert [(line.line, line.name) for line in sheet.lines] == [(3, "张三"), (5, "李四")]
    assert sheet.lines[0].cells == {date(2026, 12, 1): "白", date(2026, 12, 31): "夜"}


@pytest.mark.parametrize(
    "heading",
    ["{}日", "12月{}日", "12-{}", "2026-12-{:02}", "2026年12月{}日", "{}.0", "2026-12-{:02} 00:00:00"],
)
def test_days_are_written_in_many_ways(heading: str):
    days = ",".join(heading.format(day) for day in range(1, 32))
    sheet = read(f"人员,{days}\n张三,白\n", month=date(2026, 12, 9))
    assert (sheet.month, sheet.days[30], sheet.headings[date(2026, 12, 2)]) == (
        date(2026, 12, 1),
        date(2026, 12, 31),
        heading.format(2),
    )


def test_the_month_may_stand_in_the_headings_alone():
    days = ",".join(f"2026-11-{day:02}" for day in range(1, 31))
    assert read(f"login,{days}\nli,白\n").month == date(2026, 11, 1)


def test_a_login_stands_beside_the_name():
    sheet = read(f"2026年12月\n姓名,警号,{DAYS}\n张三,zhang,白\n,li,夜\n")
    assert [(line.name, line.login) for line in sheet.lines] == [("张三", "zhang"), ("", "li")]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("姓名,单位\n张三,城关\n", "no roster found"),
        (f"姓名,{DAYS}\n张三,白\n", "the file does not say its month"),
        (f"9999年12月\n姓名,{DAYS}\n张三,白\n", "the file does not say its month"),
        (f"2026年11月\n姓名,{DAYS}\n张三,白\n", "2026-11 has no day 31"),
        (f"2026年12月\n姓名,{DAYS},31日\n张三,白\n", "two columns are for day 31"),
        (f"2026年12月\n姓名,{DAYS.removesuffix(',31')}\n张三,白\n", "2026-12 has no column for day 31"),
    ],
)
def test_a_month_that_is_not_whole_is_refused(text: str, why: str):
    with pytest.raises(UnusableFile, match=why):
        read(text)
