"""Sums of money as people write them (3万元, 12,000.50, ￥5000, 三万), as whole fen."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from dialer.intake.text import folded, is_blank
from dialer.intake.unreadable import Unreadable

LARGEST_FEN: Final = 10**14
_PLAIN: Final = re.compile(r"[0-9]{1,12}")
_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]*)?(?:e\+?[0-9]{1,2})?|\.[0-9]+")
_GROUPED: Final = re.compile(r"([0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,4}(?:,[0-9]{4})+)(?![0-9,])")
_CURRENCY: Final = re.compile(r"^(?:约|大约|共|共计|合计)?(?:人民币|rmb|cny|[¥￥])?(.*?)(?:rmb|cny|人民币)?$")
_YUAN: Final = re.compile(r"(?:元|圆|块|块钱|yuan)?(?:整|正)?$")
_MIXED: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)([亿万千百])")
_DIGITS: Final = {
    **dict(zip("零一二三四五六七八九", range(10), strict=True)),
    **dict(zip("〇壹贰叁肆伍陆柒捌玖", range(10), strict=True)),
    "两": 2,
    "俩": 2,
}
_SMALL_UNITS: Final = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_LARGE_UNITS: Final = {"万": 10_000, "萬": 10_000, "亿": 100_000_000}
_TEN: Final = 10
"""The one unit that stands alone: 十万 is said, 百万 needs its 一."""
_UNITS: Final = _SMALL_UNITS | _LARGE_UNITS


def read_fen(cell: str, *, yuan_per_unit: int = 1) -> int | None:
    """The sum in fen, or None for an empty cell.

    `yuan_per_unit` is what a bare number counts (10,000 under a heading in 万元); a sum with its own unit
    keeps it. Raises Unreadable for anything that is no single sum of zero or more.
    """
    if _PLAIN.fullmatch(cell):
        return _bounded(int(cell) * 100 * yuan_per_unit)
    text = "".join(folded(cell).split())
    if is_blank(text):
        return None
    stripped = _CURRENCY.fullmatch(text)
    text = stripped[1] if stripped else text
    bare = _YUAN.sub("", text)
    is_in_yuan = bare != text
    text = _GROUPED.sub(lambda group: group[0].replace(",", ""), bare)
    if _NUMBER.fullmatch(text):
        return _fen(Decimal(text) * (1 if is_in_yuan else yuan_per_unit))
    yuan = _mixed(text)
    if yuan is None:
        yuan = _chinese(text)
    if yuan is None:
        raise Unreadable
    return _fen(yuan)


def _fen(yuan: Decimal) -> int:
    return _bounded(int((yuan * 100).to_integral_value(rounding=ROUND_HALF_UP)))


def _bounded(fen: int) -> int:
    if fen > LARGEST_FEN:
        raise Unreadable
    return fen


def _mixed(text: str) -> Decimal | None:
    """3万, 1.5万, 3万5千, 3万5 (which is said for 3万5千): digits with Chinese units."""
    total, position, last_unit = Decimal(0), 0, 0
    for part in _MIXED.finditer(text):
        unit = _UNITS[part[2]]
        if part.start() != position or (last_unit and unit >= last_unit):
            return None
        total += Decimal(part[1]) * unit
        position, last_unit = part.end(), unit
    rest = text[position:]
    if not last_unit:
        return None
    if not rest:
        return total
    if not rest.isdecimal() or int(rest) >= last_unit:
        return None
    return total + (int(rest) * last_unit // 10 if len(rest) == 1 else int(rest))


def _chinese(text: str) -> Decimal | None:
    """三万, 一万二千, 十二万, 三万五: numerals in characters. None for any other text."""
    if not text or any(char not in _DIGITS and char not in _UNITS for char in text):
        return None
    if len(text) > 1 and not any(char in _UNITS for char in text):
        return Decimal("".join(str(_DIGITS[char]) for char in text))
    total, section, digit, last_unit, after_zero = 0, 0, -1, 0, False
    for char in text:
        if char in _DIGITS:
            if digit > 0:
                return None
            digit = _DIGITS[char]
            after_zero = after_zero or digit == 0
            continue
        unit = _UNITS[char]
        if digit < 0 and unit != _TEN and (unit < _LARGE_UNITS["万"] or not total + section):
            return None
        if unit in _LARGE_UNITS.values():
            total = (
                (total + section + max(digit, 0)) * unit
                if unit > total
                else total + (section + max(digit, 0)) * unit
            )
            section = 0
        else:
            section += (1 if digit < 0 else digit) * unit
        digit, last_unit, after_zero = -1, unit, False
    if digit > 0:
        spoken_short = last_unit >= 100 and not after_zero  # noqa: PLR2004 - 三万五 is 35,000
        section += digit * (last_unit // 10 if spoken_short else 1)
    return Decimal(total + section)
