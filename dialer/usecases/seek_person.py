"""What somebody typed about a person, brought to the one form that the blind indexes know."""

from __future__ import annotations

from dialer.errors import Invalid
from dialer.intake import id_numbers, phones
from dialer.intake.text import cleaned, joined_name
from dialer.store.reads.finding import Sought
from dialer.usecases.engine import Engine

_TAIL_DIGITS = 4


def seek_person(engine: Engine, *, phone: str = "", name: str = "", id_number: str = "") -> Sought:
    """A number of four digits is the end of a phone. Raises `Invalid`, which never repeats what was typed."""
    typed = cleaned(phone)
    if len(typed) == _TAIL_DIGITS and typed.isascii() and typed.isdigit():
        return Sought(last4=typed, name=joined_name(name), id_number=_id_number(id_number))
    return Sought(
        phone=_phone(engine, typed),
        name=joined_name(name),
        id_number=_id_number(id_number),
    )


def _phone(engine: Engine, typed: str) -> str:
    if not typed:
        return ""
    area = engine.centre.area_code
    number = phones.normalise(typed, area)
    if number is None:
        raise Invalid(
            field="phone", problem="is no telephone number", mend="all of it, or its last four digits"
        )
    return number.e164


def _id_number(typed: str) -> str:
    if not typed.strip():
        return ""
    number, is_valid = id_numbers.normalise(typed)
    if not is_valid:
        raise Invalid(field="id number", problem="is not a valid resident identity number")
    return number
