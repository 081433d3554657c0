"""Telephone numbers as offices write them, converted to E.164, with the time zone of their prefix (mainland numbers by
their shape, others by phonenumbers); and resident identity numbers (GB 11643), checked by region, birth date and check
character.

python-stdnum checks the check character and the birth date. The region is checked here, by its province alone:
`stdnum.cn.ric.validate` requires the county in its table for the year of birth, which lacks Hong Kong, Macau and some
present counties (150822, 460400), and a number that is wrongly invalid splits one person into two.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Final

from dialer.core.policy import Window
from dialer.intake.cells import LONGEST_VALUE, cleaned, folded

_MOBILE: Final = re.compile(r"1[3-9][0-9]{9}")
_PREFIXED_MOBILE: Final = re.compile(r"(?:\+?(?:00)?86|0)?(1[3-9][0-9]{9})")
_LANDLINE: Final = re.compile(r"(?:\+?(?:00)?86)?0?((?:10|2[0-9])[2-8][0-9]{7}|[3-9][0-9]{2}[2-8][0-9]{6,7})")
_LOCAL: Final = re.compile(r"[2-8][0-9]{6,7}")
_AREA: Final = re.compile(r"0(?:10|2[0-9]|[3-9][0-9]{2})")
_SCIENTIFIC: Final = re.compile(r"([0-9])\.([0-9]+)e\+?([0-9]{1,2})")
_FLOAT: Final = re.compile(r"([0-9]{7,15})\.0+")
_SEPARATORS: Final = re.compile(r"[,/、;|\n\\]|或者|或|和|以及")
_EXTENSION: Final = re.compile(r"(?:转|分机|ext\.?|#).*$")
_BETWEEN: Final = re.compile(r"[^0-9+]+")
_LETTER: Final = re.compile(r"[\u4e00-\u9fffa-z]")
LONGEST_PHONES: Final = 20 * LONGEST_VALUE
"""The most characters of a cell with numbers; a longer cell is taken to have none."""
_FILLING: Final = re.compile(r"[\s\-‐-―－_.·()\[\]]+")
_SPACED_MOBILE: Final = re.compile(r"(?<![0-9])(1[3-9][0-9]) ([0-9]{4}) ([0-9]{4})(?![0-9])")
_DASH_EXTENSION: Final = re.compile(r"(0[0-9]{2,3}-[2-8][0-9]{6,7})-[0-9]{1,6}")


def normalise_phone(text: str, default_area: str) -> str | None:
    """The one number in `text` as E.164; None if it contains several, or none that can be called.

    `default_area` is the area code, with its leading 0, of landline numbers written without one. Short service numbers
    such as 96110 do not count.
    """
    numbers, _ = normalise_phones(text, default_area)
    return numbers[0] if len(numbers) == 1 else None


def normalise_phones(text: str, default_area: str) -> tuple[list[str], int]:
    """Every number in a cell as E.164, in order and each once, and how many parts of the cell are
    not usable numbers.
    """
    if _MOBILE.fullmatch(text):
        return ["+86" + text], 0
    if len(text) > LONGEST_PHONES:
        return [], 1
    found: list[str] = []
    unusable = 0
    for part in _SEPARATORS.split(folded(text).replace("。", ".")):
        if part.strip():
            phones = _phones_of_part(part, default_area)
            unusable += not phones
            found += phones
    return list(dict.fromkeys(found)), unusable


def _phones_of_part(part: str, default_area: str) -> list[str]:
    if len(part) > LONGEST_VALUE:
        return []
    phone = _single_phone(part, default_area)
    if phone is not None:
        return [phone]
    plain = _BETWEEN.sub(_without_label, part)
    pieces = _SPACED_MOBILE.sub(r"\1\2\3", plain).split()
    phones = [_single_phone(piece, default_area) for piece in pieces]
    if pieces and all(phones):
        return [phone for phone in phones if phone is not None]
    # There is a label in words next to one number that is itself written with spaces.
    stripped = _single_phone(plain, default_area)
    return [stripped] if stripped is not None else []


def _without_label(between: re.Match[str]) -> str:
    """The text between digits, or a space if it contains words."""
    return " " if _LETTER.search(between[0]) else between[0]


def _single_phone(part: str, default_area: str) -> str | None:
    text = _DASH_EXTENSION.sub(r"\1", _EXTENSION.sub("", cleaned(part)))
    text = _restored(text.replace(" ", "")) or text
    if exact := _FLOAT.fullmatch(text):
        text = exact[1]
    digits = _FILLING.sub("", text)
    if mobile := _PREFIXED_MOBILE.fullmatch(digits):
        return "+86" + mobile[1]
    if digits.startswith(("0", "+", "86")) and (landline := _LANDLINE.fullmatch(digits)):
        return "+86" + landline[1]
    if _LOCAL.fullmatch(digits) and _AREA.fullmatch(default_area):
        return "+86" + default_area[1:] + digits
    return _foreign_phone(digits)


def _restored(text: str) -> str | None:
    """The digits of a number in scientific notation, if it still has them all; None if any was lost."""
    scientific = _SCIENTIFIC.fullmatch(text)
    if scientific is None or len(scientific[2]) < int(scientific[3]):
        return None
    kept = int(scientific[3])
    return scientific[1] + scientific[2][:kept] if not scientific[2][kept:].strip("0") else None


def _foreign_phone(digits: str) -> str | None:
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    if not digits.startswith("+") or digits.startswith("+86") or not digits[1:].isdecimal():
        return None
    import phonenumbers  # noqa: PLC0415  # the start of a process that reads a file

    try:
        number = phonenumbers.parse(digits, None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return digits


def zone_of(number: str) -> str | None:
    """The time zone of an E.164 number; None for mainland numbers, whose zone is that of the centre, and if the prefix
    has several zones or none is known.
    """
    return None if number.startswith("+86") else _foreign_zone(number)


@lru_cache(maxsize=4096)
def _foreign_zone(number: str) -> str | None:
    import phonenumbers  # noqa: PLC0415  # the start of a process that reads a file
    from phonenumbers.timezone import time_zones_for_number  # noqa: PLC0415  # a large table, seldom needed

    try:
        zones = time_zones_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return None
    known = [zone for zone in zones if zone != "Etc/Unknown"]
    return known[0] if len(known) == 1 else None


def closed_until(number: str, window: Window, now: datetime) -> datetime | None:
    """When a robot may next call this number; None: now. A foreign number is called only if the window is also open in
    its own time zone.
    """
    zone = zone_of(number)
    if zone is None:
        return None
    there = replace(window, zone=zone)
    return None if there.is_open(now) else there.next_open(now)


_EIGHTEEN: Final = re.compile(r"[1-9][0-9]{16}[0-9X]")
_FIFTEEN: Final = re.compile(r"[1-9][0-9]{14}")
_PROVINCE: Final = re.compile("1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]")
_FIRST_YEAR: Final = 1880
"""Nobody alive was born before this year."""
_NOISE: Final = re.compile(r"[\s\-‐-―_.]+")
_CROSSES: Final = str.maketrans({"×": "X", "х": "X", "Х": "X", "╳": "X", "x": "X"})


def normalise_id_number(text: str) -> tuple[str, bool]:
    """The number in upper case without separators, and whether it is a valid resident identity number.

    A valid number of fifteen digits is returned in its form with eighteen. Anything else (a passport, a mistyped
    number) is returned as written, and is not valid. ("", False) for an empty cell.
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
    """The eighteenth character that the first seventeen digits require."""
    from stdnum.cn import ric  # noqa: PLC0415  # the start of a process that reads a file

    return ric.calc_check_digit(number[:17] + "0")


def _is_possible(number: str) -> bool:
    """Whether the province and the day of birth exist."""
    if not _PROVINCE.match(number):
        return False
    from stdnum.cn import ric  # noqa: PLC0415  # the start of a process that reads a file
    from stdnum.exceptions import InvalidComponent  # noqa: PLC0415  # the start of a process that reads a file

    try:
        return ric.get_birth_date(number).year >= _FIRST_YEAR
    except (InvalidComponent, ValueError):
        return False
