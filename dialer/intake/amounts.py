"""Sums of money as people write them (3万元, 12,000.50, ￥5000, 三万), as whole fen.

cn2an reads Chinese numerals; currency words, groups of digits and what a bare number counts are read here.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

import cn2an

from dialer.intake.text import folded, is_blank
from dialer.intake.unreadable import Unreadable

LARGEST_FEN: Final = 10**14
_PLAIN: Final = re.compile(r"[0-9]{1,12}")
_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]*)?(?:e\+?[0-9]{1,2})?|\.[0-9]+")
_GROUPED: Final = re.compile(r"([0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,4}(?:,[0-9]{4})+)(?![0-9,])")
_CURRENCY: Final = re.compile(r"^(?:约|大约|共|共计|合计)?(?:人民币|rmb|cny|[¥￥])?(.*?)(?:rmb|cny|人民币)?$")
_YUAN: Final = re.compile(r"(?:元|圆|块|块钱|yuan)?(?:整|正)?$")
_ONE_UNIT: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)([亿万千百])")
_UNITS: Final = {"百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
_WITH_NUMERALS: Final = re.compile(
    r"[0-9.]*[零〇一二三四五六七八九十百千万亿壹贰叁肆伍陆柒捌玖拾佰仟萬两俩][^负点]{0,40}"
)
_AS_CN2AN: Final = str.maketrans("萬俩", "万两")


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
    return _fen(_chinese(text))


def _fen(yuan: Decimal) -> int:
    return _bounded(int((yuan * 100).to_integral_value(rounding=ROUND_HALF_UP)))


def _bounded(fen: int) -> int:
    if fen > LARGEST_FEN:
        raise Unreadable
    return fen


def _chinese(text: str) -> Decimal:
    """三万, 一万二千, 三万五 (which is said for 三万五千), 3万, 1.5万, 3万5千.

    A decimal fraction of one unit is multiplied here: cn2an cuts 1.23456万 to whole yuan.
    """
    if one := _ONE_UNIT.fullmatch(text):
        return Decimal(one[1]) * _UNITS[one[2]]
    if not _WITH_NUMERALS.fullmatch(text):
        raise Unreadable
    try:
        return Decimal(str(cn2an.cn2an(text.translate(_AS_CN2AN), "smart")))
    except ValueError:
        raise Unreadable from None
