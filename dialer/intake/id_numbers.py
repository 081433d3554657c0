"""Resident identity numbers (GB 11643): normalised, and checked by region, birth date and check character."""

from __future__ import annotations

import re
from datetime import date
from operator import mul
from typing import Final

from dialer.intake.text import folded

_EIGHTEEN: Final = re.compile(r"[1-9][0-9]{16}[0-9X]")
_FIFTEEN: Final = re.compile(r"[1-9][0-9]{14}")
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ZERO: Final = ord("0") * sum(_WEIGHTS)
_CHECKS: Final = "10X98765432"
_PROVINCES: Final = frozenset(
    [
        "11",
        "12",
        "13",
        "14",
        "15",
        "21",
        "22",
        "23",
        "31",
        "32",
        "33",
        "34",
        "35",
        "36",
        "37",
        "41",
        "42",
        "43",
        "44",
        "45",
        "46",
        "50",
        "51",
        "52",
        "53",
        "54",
        "61",
        "62",
        "63",
        "64",
        "65",
        "71",
        "81",
        "82",
        "83",
    ]
)
_NOISE: Final = re.compile(r"[\s\-‐-―_.]+")
_CROSSES: Final = str.maketrans({"×": "X", "х": "X", "Х": "X", "╳": "X", "x": "X"})


def normalise(text: str) -> tuple[str, bool]:
    """The number in upper case without spaces, and whether it is a valid resident identity number.

    A valid one of fifteen digits comes back in its form of eighteen. Anything else (a passport, a mistyped
    number) comes back as it was written, and is not valid. ("", False) for an empty cell.
    """
    number = text if _EIGHTEEN.fullmatch(text) else _NOISE.sub("", folded(text)).translate(_CROSSES).upper()
    if _EIGHTEEN.fullmatch(number):
        return number, number[:2] in _PROVINCES and check_character(number) == number[17] and _is_born(number)
    if _FIFTEEN.fullmatch(number):
        longer = number[:6] + "19" + number[6:]
        if number[:2] in _PROVINCES and _is_born(longer):
            return longer + check_character(longer), True
    return number, False


def check_character(number: str) -> str:
    """The eighteenth character that belongs to the first seventeen digits."""
    return _CHECKS[(sum(map(mul, _WEIGHTS, number.encode())) - _ZERO) % 11]


def _is_born(number: str) -> bool:
    try:
        born = date.fromisoformat(number[6:14])
    except ValueError:
        return False
    return born.year >= 1880  # noqa: PLR2004 - nobody alive was born before
