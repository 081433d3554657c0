"""Moments, spans, money and numbers as they are read in each language."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest

from dialer.core.text import Lang
from dialer.web.formats import (
    Cell,
    Sheet,
    csv_file,
    escape_formula,
    format_ago,
    format_clock,
    format_day,
    format_moment,
    format_money,
    format_number,
    format_span,
    workbook,
)

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fen", "told"),
    [
        (0, "¥0"),
        (5, "¥0.05"),
        (1_234_500, "¥12,345"),
        (1_234_567, "¥12,345.67"),
        (-150, "-¥1.50"),
        (None, ""),
    ],
)
def test_money(fen: int | None, told: str):
    assert format_money(fen) == told


def test_numbers():
    assert [format_number(n) for n in (1234, 12.34, None)] == ["1,234", "12.3", ""]


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (0, "0秒", "0 s"),
        (59, "59秒", "59 s"),
        (60, "1分钟", "1 min"),
        (200, "3分钟20秒", "3 min 20 s"),
        (7_500, "2小时5分钟", "2 h 5 min"),
        (7_230, "2小时", "2 h"),
        (86_400, "1天", "1 day"),
        (360_000, "4天4小时", "4 days 4 h"),
        (None, "", ""),
    ],
)
def test_spans(seconds: int | None, zh: str, en: str):
    assert (format_span(seconds, Lang.ZH), format_span(seconds, Lang.EN)) == (zh, en)


@pytest.mark.parametrize(
    ("at", "zh", "en"),
    [
        (NOW - timedelta(minutes=3), "09:57", "09:57"),
        (NOW - timedelta(hours=11), "11月24日 23:00", "24 Nov 23:00"),
        (NOW.replace(year=2025), "2025年11月25日 10:00", "25 Nov 2025 10:00"),
        (None, "", ""),
    ],
)
def test_a_moment_says_as_little_of_the_day_as_it_may(at: datetime | None, zh: str, en: str):
    assert format_moment(at, NOW, Lang.ZH, ZONE) == zh
    assert format_moment(at, NOW, Lang.EN, ZONE) == en


def test_how_far_away():
    assert format_ago(NOW - timedelta(minutes=3), NOW, Lang.ZH) == "3分钟前"
    assert format_ago(NOW + timedelta(minutes=3), NOW, Lang.EN) == "in 3 min"
    assert format_ago(None, NOW, Lang.EN) == ""


def test_the_clock_is_the_centres():
    assert format_clock(NOW, ZONE, seconds=True) == "10:00:00"
    assert format_day(NOW + timedelta(hours=15), Lang.EN, ZONE) == "26 Nov 2026"


@pytest.mark.parametrize(
    "cell",
    [
        *("=1+1", "＝1+1", "﹦1", "@SUM(A1)", "＠x", "﹫x", "+1", "＋1", "-1", "－1", "\N{MINUS SIGN}1"),
        *("\n=1", "\r=1", "\t=1", "\nx", "  =1", "\u3000＝1", "\ufeff=1", "\u200b@x", "\x00=1", " \n ＝1"),
    ],
)
def test_what_a_spreadsheet_may_calculate_is_text_in_every_kind_of_file(cell: str):
    assert escape_formula(cell) == "'" + cell
    sheet = Sheet(title="t", head=["h"], rows=[[cell]])
    [_, [written]] = csv.reader(StringIO(csv_file([sheet]).decode("utf-8-sig"), newline=""))
    assert written == "'" + cell
    assert b"<f>" not in workbook([sheet])


@pytest.mark.parametrize("cell", ["", "王小明", "a=1", "1-2", " x", "（=", 5, -5, -1.5, None])
def test_what_it_does_not_calculate_is_unchanged(cell: Cell):
    assert escape_formula(cell) == cell
