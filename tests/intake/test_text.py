from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.intake.cells import SHOWN_LENGTH, cleaned, folded, is_blank, joined_name, shown


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (" 王伟 ", "王伟"),
        ("　王伟　", "王伟"),
        ("\u200b王伟\ufeff", "王伟"),
        ("\u202a13800138000\u202c", "13800138000"),
        ('="00123"', "00123"),
        ("'00123", "00123"),
        ("'", "'"),
        ("第一行\r\n第二行", "第一行\n\n第二行"),
        ("=1+1", "=1+1"),
        ("\x00\x01", ""),
        ("Ａ", "Ａ"),
    ],
)
def test_a_cleaned_cell_has_its_text_and_nothing_else(cell: str, text: str):
    assert cleaned(cell) == text


@pytest.mark.parametrize(
    ("cell", "text"), [("ＨＩＧＨ", "high"), ("１级", "1级"), ("Ⅰ级", "i级"), ("（高）", "(高)")]
)
def test_folding_makes_widths_and_cases_one(cell: str, text: str):
    assert folded(cell) == text


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("王　伟", "王伟"),
        ("王 伟", "王伟"),
        ("Wang  Wei", "Wang Wei"),
        ("王\n伟", "王伟"),
        ("巴特尔·苏和", "巴特尔·苏和"),
        ("Bator 苏和", "Bator 苏和"),
    ],
)
def test_names_lose_the_spaces_that_only_align_them(cell: str, name: str):
    assert joined_name(cell) == name


def test_marks_for_nothing_are_blank_and_words_are_not():
    assert all(is_blank(mark) for mark in ("", "-", "—", "/", "无", "n/a", "null"))
    assert not any(is_blank(word) for word in ("不详", "未知", "0", "x"))


def test_what_is_shown_of_a_cell_is_short_and_masked():
    assert shown("13800138000") == "138****"
    assert shown("付给13800138000的3万") == "付给138****的3万"
    assert shown("11010519491231002X") == "110****X"
    assert len(shown("长" * 100)) == SHOWN_LENGTH + 1


@given(st.text(max_size=50))
def test_cleaning_twice_is_cleaning_once_for_cells_without_marks(text: str):
    once = cleaned(text)
    if once[:1] not in {"'", "="}:
        assert cleaned(once) == once


@given(st.text("0123456789 王-", max_size=60))
def test_no_long_run_of_digits_is_ever_shown(text: str):
    runs = "".join(char if char.isdigit() else " " for char in shown(text)).split()
    assert all(len(run) < 5 for run in runs)
