"""Figures as they are said: a telephone number is no amount, a key is no telephone number."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.spoken import as_spoken, calendar_date, clock_time, digits, number, pieces


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("拨打区号加96110，或者110", "拨打区号加九六幺幺零，或者幺幺零"),
        ("拨打12381", "拨打幺二三八幺"),
        ("请按1；请按2；请按0；请按9", "请按一；请按二；请按零；请按九"),
        ("电话13800138000", "电话幺三八零零幺三八零零零"),
        ("转了30000元", "转了三万元"),
        ("转了12,000.50元", "转了一万二千点五元"),
        ("110元", "一百一十元"),
        ("2000元", "两千元"),
        ("2026-11-25的14:05", "二零二六年十一月二十五日的十四点零五分"),
        ("2026年1月2日", "二零二六年一月二日"),
        ("高达99.6%", "高达百分之九十九点六"),
        ("２个人", "两个人"),
        ("2026-13-45", "二零二六幺三四五"),
        ("没有数字", "没有数字"),
    ],
)
def test_mandarin(text: str, said: str):
    assert as_spoken(text, "zh") == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "dial your area code and 96110, or 110",
            "dial your area code and nine six one one zero, or one one zero",
        ),
        ("press 1. Press 2.", "press one. Press two."),
        ("ring 0478-8123456", "ring zero four seven eight eight one two three four five six"),
        ("you paid 30,000 yuan", "you paid thirty thousand yuan"),
        ("on 2026-11-25 at 9:00", "on November twenty-five, twenty twenty-six at nine o'clock"),
        ("99.6% of 145", "ninety-nine point six percent of one hundred and forty-five"),
    ],
)
def test_english(text: str, said: str):
    assert as_spoken(text, "en") == said


@pytest.mark.parametrize(
    ("text", "language", "found"),
    [
        ("您自己打电话：0478 96110，110。", "zh",
         [("您自己打电话：", 0), ("零四七八 九六幺幺零，", 9), ("幺幺零。", 3)]),
        ("请打110报警", "zh", [("请", 0), ("打幺幺零", 4), ("报警", 0)]),
        ("2026年11月25日转了12000.125元，请按1。", "zh", None),
        ("Dial 0478 96110. Or 110!", "en",
         [("Dial", 0), ("zero four seven eight nine six one one zero.", 9), ("Or", 0), ("one one zero!", 3)]),
        ("you paid 0.2512 yuan. Press 1, 2 or 3.", "en", None),
        ("96110", "mn", None),
    ],
)  # fmt: skip
def test_a_telephone_number_is_a_part_of_its_own(
    text: str, language: str, found: list[tuple[str, int]] | None
):
    spoken = as_spoken(text, language)
    assert pieces(spoken, language) == (tuple(found) if found else ((spoken, 0),))


def test_another_language_is_left_alone():
    assert as_spoken("96110 ᠪᠠᠶᠢᠨ᠎ᠠ", "mn") == "96110 ᠪᠠᠶᠢᠨ᠎ᠠ"


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        (0, "零", "zero"),
        (10, "十", "ten"),
        (15, "十五", "fifteen"),
        (105, "一百零五", "one hundred and five"),
        (1010, "一千零一十", "one thousand ten"),
        (10050, "一万零五十", "ten thousand fifty"),
        (857200, "八十五万七千二百", "eight hundred and fifty-seven thousand two hundred"),
        (100000001, "一亿零一", "one hundred million one"),
        (Decimal("-3.50"), "负三点五", "minus three point five"),
    ],
)
def test_cardinals(value: int | Decimal, zh: str, en: str):
    assert (number(value, "zh"), number(value, "en")) == (zh, en)


def test_dates_and_times():
    assert calendar_date(date(2005, 10, 1), "en") == "October one, two thousand five"
    assert calendar_date(date(2005, 10, 1), "zh") == "二零零五年十月一日"
    assert (clock_time(time(9, 0), "zh"), clock_time(time(9, 5), "en")) == ("九点", "nine oh five")


@given(st.text("0123456789", min_size=1, max_size=20))
def test_digit_by_digit_loses_no_digit(run: str):
    assert len(digits(run, "zh")) == len(run)
    assert len(digits(run, "en").split()) == len(run)


@given(st.integers(0, 10**12 - 1))
def test_a_cardinal_holds_no_figure_and_is_told_from_its_neighbour(value: int):
    for language in ("zh", "en"):
        said = number(value, language)
        assert not any(sign.isdigit() and sign.isascii() for sign in said)
        assert said != number(value + 1, language)
