from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.intake.phones import id_check_character, normalise_id_number

VALID = "11010519491231002X"


@pytest.mark.parametrize(
    "written",
    [
        VALID,
        "11010519491231002x",
        " 110105 19491231 002X ",
        "１１０１０５１９４９１２３１００２Ｘ",
        "110105-19491231-002×",
    ],
)
def test_a_valid_number_in_every_way_of_writing(written: str):
    assert normalise_id_number(written) == (VALID, True)


@pytest.mark.parametrize(
    "written",
    [
        "110105194912310021",
        "11010519491331002X",
        "99010519491231002X",
        "E12345678",
        "1101051949123100",
        "身份证",
    ],
)
def test_what_fails_the_check_comes_back_as_it_was_written(written: str):
    number, is_valid = normalise_id_number(written)
    assert not is_valid
    assert number == written


def test_a_number_of_fifteen_digits_gets_its_longer_form():
    assert normalise_id_number("110105491231002") == (VALID, True)


def test_fifteen_digits_without_a_birth_date_are_not_valid():
    assert normalise_id_number("110105499931002") == ("110105499931002", False)


def test_an_empty_cell():
    assert normalise_id_number("") == ("", False)


@given(st.integers(0, 999), st.dates(min_value=date(1900, 1, 1), max_value=date(2025, 12, 31)))
def test_one_wrong_digit_is_always_found(serial: int, born: date):
    body = f"150822{born:%Y%m%d}{serial:03d}"
    number = body + id_check_character(body)
    assert normalise_id_number(number) == (number, True)
    for place in (14, 15, 16):
        changed = number[:place] + str((int(number[place]) + 1) % 10) + number[place + 1 :]
        assert normalise_id_number(changed) == (changed, False)


@given(st.text(max_size=40) | st.text("0123456789零一二三十百千万亿xX -", max_size=20))
def test_any_text_is_read_without_a_fault(text: str):
    number, is_valid = normalise_id_number(text)
    assert not is_valid or len(number) == 18


@pytest.mark.parametrize("cross", "×хХ╳xX")
def test_everything_that_looks_like_the_last_x_is_one(cross: str):
    assert normalise_id_number(VALID[:17] + cross) == (VALID, True)


def checked(first: str) -> str:
    return first + id_check_character(first)


def test_the_provinces_are_those_of_the_standard():
    known = [
        11,
        12,
        13,
        14,
        15,
        21,
        22,
        23,
        31,
        32,
        33,
        34,
        35,
        36,
        37,
        41,
        42,
        43,
        44,
        45,
        46,
        50,
        51,
        52,
        53,
        54,
    ]
    known += [61, 62, 63, 64, 65, 71, 81, 82, 83]
    numbers = {code: checked(f"{code}010119491231002") for code in range(10, 100)}
    assert [code for code, number in numbers.items() if normalise_id_number(number)[1]] == known


def test_nobody_was_born_before_1880():
    assert normalise_id_number(checked("11010518800101002"))[1] is True
    assert normalise_id_number(checked("11010518791231002"))[1] is False
