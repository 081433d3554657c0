from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.intake.phones import normalise_phone, normalise_phones

MOBILE = "+8613800138000"


@pytest.mark.parametrize(
    "written",
    [
        "13800138000",
        "138 0013 8000",
        "138-0013-8000",
        "１３８００１３８０００",
        "+8613800138000",
        "+86 138-0013-8000",
        "0086138 0013 8000",
        "8613800138000",
        "(+86)13800138000",
        "013800138000",
        "13800138000.0",
        "13800138000.00",
        "1.3800138E+10 ".replace("1.3800138E", "1.3800138000E"),
        "\u202d13800138000\u202c",
        "\ufeff13800138000",
        "13800138000\t",
        "　13800138000　",
        "13800138000\u00a0",
        '="13800138000"',
        "'13800138000",
        "13800138000(本人)",
        "手机：13800138000",
        "手机：138 0013 8000",
        "138.0013.8000",
    ],
)
def test_every_way_of_writing_a_mobile_gives_the_same_number(written: str):
    phone = normalise_phone(written, "0478")
    assert phone is not None
    assert phone == MOBILE


@pytest.mark.parametrize(
    "written",
    [
        "",
        " ",
        "无",
        "-",
        "见备注",
        "电话不详",
        "12345",
        "96110",
        "110",
        "1380013",
        "1380013800",
        "138001380001",
        "12800138000",
        "00000000000",
        "1.38E+10",
        "1.38E10",
        "1.3800E+10",
        "138001380OO",
        "+86 12345",
        "+999 123456",
        "0086",
        "+",
        "٣٣٣٣٣٣٣٣٣٣٣",
    ],
)
def test_what_is_no_number_that_can_be_rung_is_none(written: str):
    assert normalise_phone(written, "0478") is None


@pytest.mark.parametrize(
    ("written", "e164"),
    [
        ("0478-8221234", "+864788221234"),
        ("04788221234", "+864788221234"),
        ("(0478)8221234", "+864788221234"),
        ("（0478）8221234", "+864788221234"),
        ("0478 822 1234", "+864788221234"),
        ("+86-478-8221234", "+864788221234"),
        ("0086-0478-8221234", "+864788221234"),
        ("8221234", "+864788221234"),
        ("822-1234", "+864788221234"),
        ("0478-8221234转801", "+864788221234"),
        ("0478-8221234-801", "+864788221234"),
        ("010-62345678", "+861062345678"),
        ("02162345678", "+862162345678"),
    ],
)
def test_landlines_take_their_area_code_or_the_default_one(written: str, e164: str):
    phone = normalise_phone(written, "0478")
    assert phone is not None
    assert phone == e164


def test_a_local_number_without_a_default_area_is_unusable():
    assert normalise_phone("8221234", "") is None


def test_the_default_area_is_that_of_the_centre():
    phone = normalise_phone("62345678", "010")
    assert phone is not None
    assert phone == "+861062345678"


def test_a_foreign_number_needs_its_country_code():
    phone = normalise_phone("+852 9123 4567", "0478")
    assert phone is not None
    assert phone == "+85291234567"
    assert normalise_phone("00852 91234567", "0478") == phone


@pytest.mark.parametrize(
    "written",
    [
        "13800138000,13900139000",
        "13800138000，13900139000",
        "13800138000/13900139000",
        "13800138000、13900139000",
        "13800138000;13900139000",
        "13800138000；13900139000",
        "13800138000 13900139000",
        "13800138000\n13900139000",
        "13800138000|13900139000",
        "13800138000或13900139000",
        "138 0013 8000 / 139-0013-9000",
        "138 0013 8000 139 0013 9000",
        "本人 138 0013 8000 单位 13900139000",
        "13800138000、13900139000、13800138000",
        "本人13800138000 单位13900139000",
    ],
)
def test_several_numbers_keep_their_order_and_come_once(written: str):
    phones, unusable = normalise_phones(written, "0478")
    assert phones == [MOBILE, "+8613900139000"]
    assert unusable == 0


def test_unusable_parts_are_counted_and_take_no_other_number_with_them():
    phones, unusable = normalise_phones("13800138000/1234/见备注", "0478")
    assert phones == [MOBILE]
    assert unusable == 2


def test_a_cell_longer_than_any_list_of_numbers_holds_none():
    assert normalise_phones("13800138000," * 800, "0478") == ([MOBILE], 0)
    assert normalise_phones("13800138000," * 900, "0478") == ([], 1)
    assert normalise_phones(("-" * 499 + ",") * 3000, "0478") == ([], 1)


def test_two_numbers_are_no_single_one():
    assert normalise_phone("13800138000/13900139000", "0478") is None


@given(st.text(max_size=60) | st.text("0123456789零一二三十百千万亿+-()/,;.e转号电话 ", max_size=30))
def test_any_text_gives_numbers_in_e164_or_none(text: str):
    phones, unusable = normalise_phones(text, "0478")
    assert unusable >= 0
    for phone in phones:
        assert phone[0] == "+"
        assert phone[1:].isascii()
        assert phone[1:].isdecimal()


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True))
def test_normalising_a_normal_number_needs_no_record(digits: str):
    once = normalise_phone(digits, "0478")
    assert once is not None
    assert normalise_phone(once, "0478") == once
