"""What everybody may see of a person tells nobody who it is."""

from __future__ import annotations

import pytest

from dialer.cases.persons import Person, mask_id_number, mask_name, mask_person, mask_phone


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("+8613800138000", "138****8000"),
        ("+864788123456", "****3456"),
        ("+8647896110", "****6110"),
        ("+14155550123", "****0123"),
        ("+12345", "****"),
        ("", "****"),
    ],
)
def test_phones(phone: str, shown: str):
    assert mask_phone(phone) == shown


@pytest.mark.parametrize(("name", "shown"), [("王小明", "王*"), ("王", "王*"), ("Li Lei", "L*"), ("", "")])
def test_names(name: str, shown: str):
    assert mask_name(name) == shown


@pytest.mark.parametrize(
    ("id_number", "shown"), [("150402199001011234", "15****1234"), ("123456", "****"), ("", "")]
)
def test_id_numbers(id_number: str, shown: str):
    assert mask_id_number(id_number) == shown


def test_a_person_keeps_only_that_there_is_an_address():
    person = Person(
        name="王小明", phones=("+8613800138000",), id_number="", address="胜利路1号", family_contact=""
    )
    shown = mask_person(person)
    assert "胜利路" not in repr(shown)
    assert (shown.has_address, shown.has_family_contact) == (True, False)
