"""Telephone numbers as offices write them, brought to E.164, with the time zone of their prefix (mainland numbers by
shape, the rest by phonenumbers); and resident identity numbers (GB 11643), checked by region, birth date and check
character.

The check character and the birth date are python-stdnum's. The region is checked here by its province alone:
`stdnum.cn.ric.validate` wants the county in its table at the year of birth, which lacks Hong Kong, Macau and
counties of today (150822, 460400), and a number that is wrongly invalid splits one person into two.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Final

import phonenumbers
from stdnum.cn import ric
from stdnum.exceptions import InvalidComponent

from dialer.core.policy import Window
from dialer.intake.cells import cleaned, folded

_MOBILE: Final = re.compile(r"1[3-9][0-9]{9}")
_PREFIXED_MOBILE: Final = re.compile(r"(?:\+?(?:00)?86|0)?(1[3-9][0-9]{9})")
_LANDLINE: Final = re.compile(r"(?:\+?(?:00)?86)?0?((?:10|2[0-9])[2-8][0-9]{7}|[3-9][0-9]{2}[2-8][0-9]{6,7})")
_LOCAL: Final = re.compile(r"[2-8][0-9]{6,7}")
_AREA: Final = re.compile(r"0(?:10|2[0-9]|[3-9][0-9]{2})")
_SCIENTIFIC: Final = re.compile(r"([0-9])\.([0-9]+)e\+?([0-9]{1,2})")
_FLOAT: Final = re.compile(r"([0-9]{7,15})\.0+")
_SEPARATORS: Final = re.compile(r"[,/、;|\n\\]|或者|或|和|以及")
_EXTENSION: Final = re.compile(r"(?:转|分机|ext\.?|#).*$")
_LABELS: Final = re.compile(r"[^0-9+]*[\u4e00-\u9fffa-z][^0-9+]*")
_FILLING: Final = re.compile(r"[\s\-‐-―－_.·()\[\]]+")
_DASH_EXTENSION: Final = re.compile(r"(0[0-9]{2,3}-[2-8][0-9]{6,7})-[0-9]{1,6}")


class LineKind(StrEnum):
    MOBILE = "mobile"
    LANDLINE = "landline"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """A number that can be called, in E.164."""

    e164: str
    kind: LineKind


def normalise_phone(text: str, default_area: str) -> Phone | None:
    """The one number in `text`, or None where it holds none that can be called, or several.

    `default_area` is the area code, with its 0, of landlines written without one. Short service numbers such
    as 96110 are no target's number.
    """
    if _MOBILE.fullmatch(text):
        return Phone(e164="+86" + text, kind=LineKind.MOBILE)
    numbers, _ = normalise_phones(text, default_area)
    return numbers[0] if len(numbers) == 1 else None


def normalise_phones(text: str, default_area: str) -> tuple[list[Phone], int]:
    """Every number of a cell in its order, each once, and how many of its parts were no usable number."""
    if _MOBILE.fullmatch(text):
        return [Phone(e164="+86" + text, kind=LineKind.MOBILE)], 0
    found: dict[str, Phone] = {}
    unusable = 0
    for part in _SEPARATORS.split(folded(text).replace("。", ".")):
        if not part.strip():
            continue
        phones = _of_part(part, default_area)
        unusable += not phones
        for phone in phones:
            found.setdefault(phone.e164, phone)
    return list(found.values()), unusable


def last_four_digits(e164: str) -> str:
    """The last four digits, by which a caller finds a person."""
    return e164[-4:]


def _of_part(part: str, default_area: str) -> list[Phone]:
    phone = _one(part, default_area)
    if phone is not None:
        return [phone]
    pieces = [piece for piece in _LABELS.sub(" ", part).split() if piece]
    phones = [_one(piece, default_area) for piece in pieces]
    if pieces and all(phones):
        return [phone for phone in phones if phone is not None]
    # A label in words stands beside one number that is itself written with spaces.
    stripped = _one(_LABELS.sub(" ", part), default_area)
    return [stripped] if stripped is not None else []


def _one(part: str, default_area: str) -> Phone | None:
    text = _DASH_EXTENSION.sub(r"\1", _EXTENSION.sub("", cleaned(part)))
    text = _restored(text.replace(" ", "")) or text
    if exact := _FLOAT.fullmatch(text):
        text = exact[1]
    digits = _FILLING.sub("", text)
    if mobile := _PREFIXED_MOBILE.fullmatch(digits):
        return Phone(e164="+86" + mobile[1], kind=LineKind.MOBILE)
    if (
        digits[:1] in {"0", "+", "8"}
        and (landline := _LANDLINE.fullmatch(digits))
        and _is_long_distance(digits)
    ):
        return Phone(e164="+86" + landline[1], kind=LineKind.LANDLINE)
    if _LOCAL.fullmatch(digits) and _AREA.fullmatch(default_area):
        return Phone(e164="+86" + default_area[1:] + digits, kind=LineKind.LANDLINE)
    return _foreign(digits)


def _is_long_distance(digits: str) -> bool:
    return digits[0] in "0+" or digits.startswith("86")


def _restored(text: str) -> str | None:
    """The digits of a number in scientific form, when it still has them all; None when any was lost."""
    scientific = _SCIENTIFIC.fullmatch(text)
    if scientific is None or len(scientific[2]) < int(scientific[3]):
        return None
    kept = int(scientific[3])
    return scientific[1] + scientific[2][:kept] if not scientific[2][kept:].strip("0") else None


def _foreign(digits: str) -> Phone | None:
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    if not digits.startswith("+") or digits.startswith("+86") or not digits[1:].isdecimal():
        return None
    try:
        number = phonenumbers.parse(digits, None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return Phone(e164=digits, kind=LineKind.FOREIGN)


def zone_of(number: str) -> str | None:
    """The time zone of an E.164 number; None for the mainland's, whose zone is the centre's own, and where the prefix
    spans several zones or tells none.
    """
    return None if number.startswith("+86") else _foreign_zone(number)


@lru_cache(maxsize=4096)
def _foreign_zone(number: str) -> str | None:
    from phonenumbers.timezone import time_zones_for_number  # noqa: PLC0415  # a large table, seldom needed

    try:
        zones = time_zones_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return None
    known = [zone for zone in zones if zone != "Etc/Unknown"]
    return known[0] if len(known) == 1 else None


def closed_until(number: str, window: Window, now: datetime) -> datetime | None:
    """When a robot may next call this number; None: now. The window also holds in the number's own time zone."""
    zone = zone_of(number)
    if zone is None:
        return None
    there = replace(window, zone=zone)
    return None if there.is_open(now) else there.next_open(now)


_EIGHTEEN: Final = re.compile(r"[1-9][0-9]{16}[0-9X]")
_FIFTEEN: Final = re.compile(r"[1-9][0-9]{14}")
_PROVINCE: Final = re.compile("1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]")
_NOISE: Final = re.compile(r"[\s\-‐-―_.]+")
_CROSSES: Final = str.maketrans({"×": "X", "х": "X", "Х": "X", "╳": "X", "x": "X"})


def normalise_id_number(text: str) -> tuple[str, bool]:
    """The number in upper case without spaces, and whether it is a valid resident identity number.

    A valid one of fifteen digits comes back in its form of eighteen. Anything else (a passport, a mistyped
    number) comes back as it was written, and is not valid. ("", False) for an empty cell.
    """
    number = text if _EIGHTEEN.fullmatch(text) else _NOISE.sub("", folded(text)).translate(_CROSSES).upper()
    if _EIGHTEEN.fullmatch(number):
        return number, _is_possible(number) and id_check_character(number) == number[17]
    if _FIFTEEN.fullmatch(number):
        longer = number[:6] + "19" + number[6:]
        if _is_possible(longer):
            return longer + id_check_character(longer), True
    return number, False


def id_check_character(number: str) -> str:
    """The eighteenth character that belongs to the first seventeen digits."""
    return ric.calc_check_digit(number[:17] + "0")


def _is_possible(number: str) -> bool:
    """Whether there is such a province and such a day of birth."""
    if not _PROVINCE.match(number):
        return False
    try:
        return ric.get_birth_date(number).year >= 1880  # noqa: PLR2004  # nobody alive was born before
    except (InvalidComponent, ValueError):
        return False
