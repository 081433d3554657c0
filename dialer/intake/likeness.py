"""Columns that nobody has mapped although they look important: of a grade, a name, a phone or an amount. They are told
to a person, never read as what they look like.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from dialer.intake.cells import Unreadable, cleaned, filled, folded, read_fen, read_grade
from dialer.intake.headings import normal_heading
from dialer.intake.records import Field

_HEADINGS: Final[Mapping[Field, re.Pattern[str]]] = {
    Field.GRADE: re.compile(
        r"等级|级别|程度|危险|风险|紧急|高危|分级|grade|level|risk|severity|urgency|priority"
    ),
    Field.PHONE: re.compile(r"电话|手机|联系方式|phone|mobile"),
    Field.AMOUNT_AT_RISK: re.compile(r"金额|资金|损失|数额|钱款|款项|amount|money|loss"),
    Field.NAME: re.compile(r"姓名|名字|人名|当事人|受害|被害|事主|大名|name|victim"),
}
_MOBILE: Final = re.compile(r"(?:\+?86|0086)?1[3-9][0-9]{9}")
_GAPS: Final = re.compile(r"[\s()（）-]+")
_DIGITS: Final = re.compile(r"[0-9]{7}")
_BARE_GRADE: Final = re.compile(r"[0-9a-z]{0,3}|[零一二三四]")
_MONEY: Final = re.compile(r"[0-9.]+[元万亿千w]|[¥￥$][0-9]")
_SURNAMES: Final = frozenset(
    "王李张刘陈杨黄赵周吴徐孙朱胡郭何林罗郑梁谢宋唐许韩冯邓曹彭曾萧田董潘袁蔡蒋余于杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范廖贾夏韦"
    "邹孟熊秦邱尹薛闫段侯龙史陶黎贺顾毛郝龚邵钱严覃武戴莫孔汤"
)
_NAME: Final = re.compile(r"[\u4e00-\u9fff]{2,4}|[a-z]{2,20}(?: [a-z]{1,20}){1,3}")
_LONGEST_GRADE: Final = 10
_MOST_GRADES: Final = 8
_ENOUGH: Final = 0.6
"""The share of the filled cells that must be like the field."""


def likely_field(heading: str, cells: Sequence[str], *, mapped: Collection[Field]) -> Field | None:
    """The field that an unmapped column looks like, by its heading and some of its cells; None for none of the four.
    `mapped`: the fields of the other columns. A second column of names is only one of somebody else.
    """
    values = [text for cell in cells if (text := filled(cell))]
    if values and _share(values, _is_mobile) >= _ENOUGH:
        return Field.PHONE
    if _are_grades(values):
        return Field.GRADE
    if values and _share(values, _is_money) >= _ENOUGH:
        return Field.AMOUNT_AT_RISK
    if Field.NAME not in mapped and _are_names(values):
        return Field.NAME
    word = normal_heading(heading)
    for field, pattern in _HEADINGS.items():
        if pattern.search(word) and _may_be(field, values) and not (field is Field.NAME and field in mapped):
            return field
    return None


def _share(values: Sequence[str], is_like: Callable[[str], bool]) -> float:
    return sum(is_like(value) for value in values) / len(values)


def _is_mobile(text: str) -> bool:
    return _MOBILE.fullmatch(_GAPS.sub("", folded(text))) is not None


def _is_grade(text: str) -> bool:
    try:
        return not _BARE_GRADE.fullmatch(folded(text)) and read_grade(text) is not None
    except Unreadable:
        return False


def _is_amount(text: str) -> bool:
    try:
        return read_fen(text) is not None
    except Unreadable:
        return False


def _is_money(text: str) -> bool:
    return _MONEY.match("".join(folded(text).split())) is not None and _is_amount(text)


def _is_name(text: str) -> bool:
    return _NAME.fullmatch(folded(text)) is not None


def _is_chinese_name(text: str) -> bool:
    return _is_name(text) and cleaned(text)[0] in _SURNAMES


def _are_grades(values: Sequence[str]) -> bool:
    return bool(values) and _share(values, _is_grade) >= _ENOUGH


def _are_names(values: Sequence[str]) -> bool:
    """Chinese names begin with one of few characters, and hardly two rows have the same."""
    named = [text for text in values if _is_chinese_name(text)]
    return len(named) >= _ENOUGH * len(values) > 0 and len(set(named)) > len(named) // 2


def _may_be(field: Field, values: Sequence[str]) -> bool:
    """False if the cells say that the heading means something else; without cells the heading decides."""
    if not values:
        return True
    match field:
        case Field.GRADE:
            return len(set(values)) <= _MOST_GRADES and all(len(text) <= _LONGEST_GRADE for text in values)
        case Field.PHONE:
            return any(_DIGITS.search(_GAPS.sub("", folded(text))) for text in values)
        case Field.NAME:
            return _share(values, _is_name) >= _ENOUGH
        case _:
            return _share(values, _is_amount) >= _ENOUGH
