"""Which rows of a table are no records: blank ones, notes, totals and headings printed again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from dialer.intake.headings import field_of
from dialer.intake.layout import Layout
from dialer.intake.records import Field
from dialer.intake.text import folded

_TOTALS: Final = re.compile(
    r"(?:本页|本表|本次|全市|全部|累计)?(?:合计|总计|小计|共计|总数|总人数|汇总|累计|grandtotal|subtotal|total|sum)"
    r"[::]?(?:共?[0-9.,]+(?:人|条|名|户|元|万元|rows?)?)?(?:[(].*[)])?"
)
_COUNT: Final = re.compile(r"(?:本页|本表|以上)?共(?:计)?[0-9]+(?:人|条|名|户|行|页).*")
_NOTE: Final = re.compile(
    r"(?:备?注|说明|备注说明|填表说明|填报说明|提示|温馨提示|注意|注意事项|附注?|制表|填表|填报|审核|审批|复核|打印|导出|报送|联系人"
    r"|数据来源|统计|note|notes|remark|remarks|preparedby|approvedby|printed|exported|generated)"
    r"(?:人|人员|单位|时间|日期|人签字|电话|说明|人姓名|领导|于|at|on)?(?:[::]|[0-9]|$)"
)
_SIGNED: Final = re.compile(
    r"(?:制表|填表|填报|审核|审批|复核|打印|导出|报送)(?:人|人员|单位|时间|日期|人签字)?[::].*"
)
_MARKED: Final = re.compile(r"[※*★#—=_~-]{1,3}.*|第[0-9]+页.*|以上.*|[(].*[)]|-+")
_SENTENCE: Final = re.compile(r"[::;。,、!?]")
_NAME_LENGTH: Final = 6
_NUMBER_LIKE: Final = re.compile(r"[0-9a-z\-_/.]+")
_IDENTIFYING: Final = frozenset({Field.NAME, Field.ID_NUMBER, Field.INSTRUCTION_NO})
_HEADINGS_MIN: Final = 2


def is_blank_row(cells: Sequence[str], layout: Layout) -> bool:
    """True when no column but the counting one holds anything; rows numbered in advance are blank too."""
    fields = layout.fields
    width = len(fields)
    return not any(
        cell and not cell.isspace() and (index >= width or fields[index] is not Field.ROW_NUMBER)
        for index, cell in enumerate(cells)
    )


def is_note_or_total(cells: Sequence[str], layout: Layout) -> bool:
    """True for a row without a usable phone that is no record but a remark on the list, or its sum.

    A row that may be a person whose phone is missing is not one: it is better refused aloud than skipped.
    """
    filled = [(index, text) for index, cell in enumerate(cells) if (text := "".join(folded(cell).split()))]
    if not filled:
        return True
    first_index, first = filled[0]
    if (
        len(filled) > 1
        and layout.fields[first_index : first_index + 1] == (Field.ROW_NUMBER,)
        and first.isdecimal()
    ):
        first_index, first = filled[1]
    if _TOTALS.fullmatch(first) or _COUNT.fullmatch(first) or _SIGNED.fullmatch(first):
        return True
    phones = layout.places(Field.PHONE)
    if any(index in phones for index, _ in filled):
        return False
    if _NOTE.match(first):
        return True
    if len({text for _, text in filled}) > 1:
        return False
    return _is_lone_note(first_index, first, layout)


def is_heading_again(cells: Sequence[str], layout: Layout) -> bool:
    """True for a row of heading words, as long lists print them on every page, or the second row of a
    heading.
    """
    filled = [(index, cell) for index, cell in enumerate(cells) if cell.strip()]
    if not filled or not all(field_of(cell) for _, cell in filled):
        return False
    phones = layout.places(Field.PHONE)
    return len(filled) >= _HEADINGS_MIN or any(index in phones for index, _ in filled)


def is_footer_with_phone(cells: Sequence[str]) -> bool:
    """True for a line such as 制表人：… 电话：… whose number is an officer's, not a target's."""
    first = next((cell for cell in cells if cell.strip()), "")
    return (":" in first or "：" in first) and bool(_SIGNED.fullmatch("".join(folded(first).split())))


def _is_lone_note(index: int, text: str, layout: Layout) -> bool:
    field = layout.fields[index] if index < layout.width else None
    if _MARKED.fullmatch(text) or _SENTENCE.search(text):
        return True
    if field is Field.NAME:
        return len(text) > _NAME_LENGTH and not text.isascii()
    if field in _IDENTIFYING:
        return not _NUMBER_LIKE.fullmatch(text)
    return True
