"""Resident identity numbers (GB 11643): normalised, and checked by region, birth date and check character.

The check character and the birth date are python-stdnum's. The region is checked here by its province alone:
`stdnum.cn.ric.validate` wants the county in its table at the year of birth, which lacks Hong Kong, Macau and counties
of today (150822, 460400), and a number that is wrongly invalid parts two cases of one person.
"""

from __future__ import annotations

import re
from typing import Final

from stdnum.cn import ric
from stdnum.exceptions import InvalidComponent

from dialer.intake.text import folded

_EIGHTEEN: Final = re.compile(r"[1-9][0-9]{16}[0-9X]")
_FIFTEEN: Final = re.compile(r"[1-9][0-9]{14}")
_PROVINCE: Final = re.compile("1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]")
_NOISE: Final = re.compile(r"[\s\-‐-―_.]+")
_CROSSES: Final = str.maketrans({"×": "X", "х": "X", "Х": "X", "╳": "X", "x": "X"})


def normalise(text: str) -> tuple[str, bool]:
    """The number in upper case without spaces, and whether it is a valid resident identity number.

    A valid one of fifteen digits comes back in its form of eighteen. Anything else (a passport, a mistyped
    number) comes back as it was written, and is not valid. ("", False) for an empty cell.
    """
    number = text if _EIGHTEEN.fullmatch(text) else _NOISE.sub("", folded(text)).translate(_CROSSES).upper()
    if _EIGHTEEN.fullmatch(number):
        return number, _is_possible(number) and check_character(number) == number[17]
    if _FIFTEEN.fullmatch(number):
        longer = number[:6] + "19" + number[6:]
        if _is_possible(longer):
            return longer + check_character(longer), True
    return number, False


def check_character(number: str) -> str:
    """The eighteenth character that belongs to the first seventeen digits."""
    any_character = "0"
    return ric.calc_check_digit(number[:17] + any_character)


def _is_possible(number: str) -> bool:
    """Whether there is such a province and such a day of birth."""
    if not _PROVINCE.match(number):
        return False
    try:
        return ric.get_birth_date(number).year >= 1880  # noqa: PLR2004 - nobody alive was born before
    except (InvalidComponent, ValueError):
        return False
