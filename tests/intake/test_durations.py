from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.intake.cells import LONGEST_SECONDS, Unreadable, read_seconds


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("125", 125), ("125秒", 125), ("2分5秒", 125), ("2分钟5秒", 125), ("00:02:05", 125), ("2:05", 125),
        ("１２５", 125),
        ("1小时2分5秒", 3725), ("5分钟", 300), ("125.0", 125), ("0", 0), ("", None), ("-", None), ("无", None),
    ],
)  # fmt: skip
def test_lengths_of_talk(written: str, seconds: int | None):
    assert read_seconds(written) == seconds


@pytest.mark.parametrize("written", ["很久", "2:99", "-5", "9999999", "5刻"])
def test_a_length_that_means_nothing_is_unreadable(written: str):
    with pytest.raises(Unreadable):
        read_seconds(written)


def test_a_call_lasts_a_week_at_most():
    assert read_seconds("168小时") == read_seconds("604800") == LONGEST_SECONDS == 604_800
    for longer in ("168小时1秒", "604801", "100000分钟"):
        with pytest.raises(Unreadable):
            read_seconds(longer)


def test_under_a_heading_in_minutes_a_bare_number_is_minutes():
    assert read_seconds("2.5", seconds_per_unit=60) == 150
    assert read_seconds("90秒", seconds_per_unit=60) == 90


@given(st.text(max_size=30) | st.text("0123456789零一二三十百千万亿小时分钟秒hms:. ", max_size=12))
def test_any_text_is_a_bounded_length_or_unreadable(text: str):
    try:
        seconds = read_seconds(text)
    except Unreadable:
        return
    assert seconds is None or 0 <= seconds <= LONGEST_SECONDS
