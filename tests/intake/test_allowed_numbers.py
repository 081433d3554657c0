"""Which numbers may be called: countries, kinds, prefixes, and the telephones of the organisation."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from dialer.core.errors import SettingsError
from dialer.intake.allowed_numbers import AllowedNumbers, NumberKind, is_extension_entry
from dialer.intake.records import Accepted, IntakeOptions, Rejected
from dialer.runtime.settings import load_settings
from tests.intake.in_process import read_list

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = AllowedNumbers()
REFUSED = [
    "+19001234567",  # premium, United States
    "+881612345678",  # satellite
    "+870773123456",  # satellite at sea
    "+979123456789",  # international premium
    "+449091234567",  # 0909: premium, United Kingdom
    "+85291234567",
    "+864006123456",  # shared cost
    "+868008101234",
    "+8613491234567",  # satellite of mainland China
    "+8617401234567",
    "+8616812345",
    "+8616012345678",
    "+8600852912345",
    "+8695588",
    "+8647896110",
    "110",
    "8001",
    "sip:x@anyhost",
    "",
    "+",
]


@pytest.mark.parametrize("number", REFUSED)
def test_a_number_that_costs_or_is_elsewhere_is_refused(number: str):
    assert DEFAULT.refusal(number)


@pytest.mark.parametrize(
    "number",
    [
        "+8613800138000",
        "+8619900000507",
        "+8615400000000",
        "+8614812345678",
        "+864784125566",
        "+861062345678",
    ],
)
def test_mobiles_and_fixed_lines_of_mainland_china_may_be_called_also_of_new_ranges(number: str):
    assert DEFAULT.refusal(number) is None


def test_the_list_is_widened_by_country_kind_and_prefix_and_narrowed_by_prefix():
    assert AllowedNumbers(countries=frozenset({"CN", "HK"})).refusal("+85291234567") is None
    kinds = DEFAULT.kinds | {NumberKind.SHARED_COST}
    assert AllowedNumbers(kinds=kinds).refusal("+864006123456") is None
    assert AllowedNumbers(prefixes=("+852",)).refusal("+85291234567") is None
    assert AllowedNumbers(refused_prefixes=("+86138",)).refusal("+8613800138000")
    assert AllowedNumbers(countries=frozenset({"HK"})).refusal("+8613800138000")
    assert AllowedNumbers(kinds=frozenset({NumberKind.FIXED_LINE})).refusal("+8613800138000")
    both = AllowedNumbers(prefixes=("+86160",))
    assert both.refusal("+8616012345678")


@pytest.mark.parametrize("number", ["8001", "200", "899", "1000", "9999"])
def test_extensions_of_three_and_four_digits_are_telephones_of_the_centre(number: str):
    assert DEFAULT.is_extension(number)


@pytest.mark.parametrize(
    "number",
    ["110", "120", "999", "199", "95588", "10086", "+19001234567", "+8613800138000", "sip:x@anyhost", ""],
)
def test_nothing_else_is_a_telephone_of_the_centre(number: str):
    assert not DEFAULT.is_extension(number)


def test_what_is_listed_is_a_telephone_of_the_centre_and_an_emergency_number_never():
    given = AllowedNumbers(extensions=("100-199", "80000-80099", "sip:wang@10.1.1.1", "+8613800138000"))
    for number in ("101", "80050", "sip:wang@10.1.1.1", "+8613800138000"):
        assert given.is_extension(number)
    for number in ("110", "119", "120", "8005", "800500", "sip:wang@10.1.1.2", "+8613800138001"):
        assert not given.is_extension(number)
    assert given.listed == ("sip:wang@10.1.1.1", "+8613800138000")


@pytest.mark.parametrize("entry", ["8001", "8000-8099", "sip:a-b@c-d.cn", "+8613800138000"])
def test_what_can_be_listed(entry: str):
    assert is_extension_entry(entry)


@pytest.mark.parametrize("entry", ["8099-8000", "800-8099", "-8001", "8001-", "x", "sip:a", ""])
def test_what_cannot_be_listed(entry: str):
    assert not is_extension_entry(entry)


def test_a_wrong_entry_is_refused_at_start():
    with pytest.raises(SettingsError, match="8099-8000 is not a telephone"):
        load_settings({"DIALER_NUMBERS__EXTENSIONS": '["8099-8000"]'}, ROOT / "settings.toml")


def read_one(phone: str, *, numbers: AllowedNumbers = DEFAULT) -> Accepted | Rejected:
    data = f"姓名,手机号,等级\n王伟,{phone},高危\n".encode()
    options = IntakeOptions(
        now=datetime(2026, 11, 25, tzinfo=UTC), source="s", derive_key=b"k", numbers=numbers
    )
    (row,) = read_list(data, filename="名单.csv", options=options)
    return row


@pytest.mark.parametrize(
    ("phone", "why"),
    [
        ("+1 900 123 4567", "no usable phone number"),
        ("+979123456789", "numbers of that country are not called: give one of here"),
        ("+881612345678", "numbers of that country are not called: give one of here"),
        ("00449091234567", "numbers of that country are not called: give one of here"),
        ("0400-612-3456", "such numbers are not called: give a mobile or a fixed line"),
        ("13491234567", "such numbers are not called: give a mobile or a fixed line"),
    ],
)
def test_a_row_with_such_a_number_alone_comes_back_with_its_line_its_column_and_what_mends_it(
    phone: str, why: str
):
    row = read_one(phone)
    assert isinstance(row, Rejected)
    assert (row.line, row.column) == (2, "手机号")
    assert why in str(row.reason)


def test_a_row_that_has_another_number_is_taken_with_that_one_and_a_notice():
    row = read_one("+979123456789/13800138000")
    assert isinstance(row, Accepted)
    assert row.record.phones == ("+8613800138000",)
    assert [notice.code.value for notice in row.notices].count("phone_part_unusable") == 1


def test_a_centre_that_calls_abroad_says_so():
    row = read_one("+85291234567", numbers=AllowedNumbers(countries=frozenset({"CN", "HK"})))
    assert isinstance(row, Accepted)
    assert row.record.phones == ("+85291234567",)
