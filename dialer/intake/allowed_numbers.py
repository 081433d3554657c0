"""Which telephone numbers may be called: one list, asked before a number is stored from a list and before every leg of
every line.

A person's number must be in a country of the list and of a kind of the list, as phonenumbers tells it; premium,
satellite and shared-cost numbers bill whoever calls them, and a caller who may name a number could earn by it. A desk's
telephone is one that the organisation lists.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from typing import Final

from dialer.core.text import Text

_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_HOME: Final = "+86"
_HOME_MOBILE: Final = re.compile(r"\+861[3-9][0-9]{9}")
_HOME_LANDLINE: Final = re.compile(r"\+86(?:10|2[0-9]|(?!400|800)[3-9][0-9]{2})[2-8][0-9]{6,7}")


class NumberKind(StrEnum):
    """The kinds of number that phonenumbers tells apart."""

    MOBILE = "mobile"
    FIXED_LINE = "fixed_line"
    TOLL_FREE = "toll_free"
    SHARED_COST = "shared_cost"
    PREMIUM_RATE = "premium_rate"
    VOIP = "voip"
    PERSONAL = "personal"
    PAGER = "pager"
    UAN = "uan"
    VOICEMAIL = "voicemail"
    UNKNOWN = "unknown"


SATELLITE: Final = ("+861349", "+861740", "+861749")
"""Satellite telephones of mainland China, which phonenumbers takes for mobile ones."""
PREMIUM: Final = ("+86160", "+86168", "+860")
"""Premium services of mainland China; and what no national number begins with: with one more zero than its own a trunk
dials another country.
"""
INTERNAL: Final = ("200-899", "1000-9999")
"""Extensions of an exchange: no public service has such a number, those of three digits begin with 1 or 9 (110, 999),
the others are longer.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedNumbers:
    """The list. By default: mobile and fixed lines of mainland China, and extensions of three or four digits.

    `countries`: ISO codes. `prefixes` (E.164): numbers that are allowed whatever their country and kind;
    `refused_prefixes` are refused whatever they are, and come first. `extensions`: telephones of the organisation, each
    a number, a range such as 8000-8099, or sip:name@host.
    """

    countries: frozenset[str] = frozenset({"CN"})
    kinds: frozenset[NumberKind] = frozenset({NumberKind.MOBILE, NumberKind.FIXED_LINE})
    prefixes: tuple[str, ...] = ()
    refused_prefixes: tuple[str, ...] = SATELLITE + PREMIUM
    extensions: tuple[str, ...] = INTERNAL

    def refusal(self, number: str) -> Text | None:
        """Why a person's number (E.164) is not called, with what mends it; None: it may be called."""
        if not _E164.fullmatch(number):
            return Text("not a telephone number: give the full number")
        if number.startswith(self.refused_prefixes):
            return Text("such numbers are not called: give a mobile or a fixed line")
        is_home_mobile = NumberKind.MOBILE in self.kinds and "CN" in self.countries
        if number.startswith(self.prefixes) or (is_home_mobile and _HOME_MOBILE.fullmatch(number)):
            return None
        kind, country = _described(number)
        if country not in self.countries:
            return Text("numbers of that country are not called: give one of here")
        is_allowed = kind in self.kinds
        return None if is_allowed else Text("such numbers are not called: give a mobile or a fixed line")

    @property
    def listed(self) -> tuple[str, ...]:
        """The telephones of the organisation that are listed one by one."""
        return tuple(entry for entry in self.extensions if "-" not in entry or entry.startswith("sip:"))

    def is_extension(self, number: str) -> bool:
        """Whether it is a telephone of the organisation. An emergency number never is."""
        if any(_is_emergency(number, country) for country in self.countries):
            return False
        return any(_fits(number, listed) for listed in self.extensions)


def is_extension_entry(text: str) -> bool:
    """Whether `text` can stand in the list of extensions."""
    first, dash, last = text.partition("-")
    if dash and first.isdecimal() and last.isdecimal():
        return len(first) == len(last) and first <= last
    return _ENTRY.fullmatch(text) is not None


_ENTRY: Final = re.compile(r"\+?[0-9]{3,15}|sip:[A-Za-z0-9_.+-]{1,64}@[A-Za-z0-9.-]{1,128}")


def _fits(number: str, listed: str) -> bool:
    first, dash, last = listed.partition("-")
    if dash and first.isdecimal():
        return number.isdecimal() and len(number) == len(first) and first <= number <= last
    return number == listed


@lru_cache(maxsize=256)
def _is_emergency(number: str, country: str) -> bool:
    from phonenumbers import connects_to_emergency_number  # noqa: PLC0415  # the memory of a process that calls nobody

    return bool(number.isdecimal() and connects_to_emergency_number(number, country))


@cache
def _kinds() -> dict[int, NumberKind]:
    from phonenumbers import PhoneNumberType  # noqa: PLC0415  # the memory of a process that calls nobody

    same = {
        getattr(PhoneNumberType, kind.name): kind
        for kind in NumberKind
        if kind not in {NumberKind.PERSONAL, NumberKind.UNKNOWN}
    }
    return same | {
        PhoneNumberType.PERSONAL_NUMBER: NumberKind.PERSONAL,
        PhoneNumberType.FIXED_LINE_OR_MOBILE: NumberKind.FIXED_LINE,
    }


@lru_cache(maxsize=4096)
def _described(number: str) -> tuple[NumberKind, str]:
    """The kind and the ISO code of the country ('' where it has none). What phonenumbers does not know yet of mainland
    China is told by its shape: a new range of mobiles must not keep anybody from being warned.
    """
    import phonenumbers  # noqa: PLC0415  # the memory of a process that calls nobody

    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return NumberKind.UNKNOWN, ""
    kind = _kinds().get(phonenumbers.number_type(parsed), NumberKind.UNKNOWN)
    country = phonenumbers.region_code_for_number(parsed) or ""
    if kind is NumberKind.UNKNOWN and number.startswith(_HOME):
        if _HOME_MOBILE.fullmatch(number):
            kind = NumberKind.MOBILE
        elif _HOME_LANDLINE.fullmatch(number):
            kind = NumberKind.FIXED_LINE
    return kind, country
