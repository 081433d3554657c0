"""The organisation as a spreadsheet: name, parent, level, aliases, state, our own number. Pure; it stores nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from dialer.core.errors import UnusableFile
from dialer.core.units import UnitFault, UnitField, UnitLine
from dialer.intake.cells import cleaned, folded, is_blank
from dialer.intake.headings import KnownTable, Row, Table, heading_row, known_table
from dialer.language import Text

UNIT_HEADING_WORDS: Final = {
    UnitField.NAME: "名称 单位 单位名称 机构 机构名称 name unit",
    UnitField.PARENT: "上级 上级单位 上级机构 上级名称 所属 所属单位 parent",
    UnitField.LEVEL: "级别 层级 类型 level kind",
    UnitField.ALIASES: "别名 简称 其他名称 aliases alias",
    UnitField.STATE: "状态 是否启用 state active",
    # Never 编号 or id alone: other systems' lists have numbers of their own.
    UnitField.NUMBER: "系统编号 system_no",
}
_KNOWN: Final = {word: field for field, words in UNIT_HEADING_WORDS.items() for word in words.split()}
CLOSED_WORDS: Final = frozenset({"停用", "撤销", "关闭", "否", "closed", "no", "false", "0", "inactive"})
OPEN_WORDS: Final = frozenset({"启用", "在用", "正常", "是", "open", "yes", "true", "1", "active"})
_PARTS: Final = re.compile(r"[;；、,，|\n]+")
_MOST: Final = 20_000
_LONGEST_NUMBER: Final = 18

_STRANGE_STATE: Final = UnitFault(
    line=0,
    field=UnitField.STATE,
    problem=Text("the state is neither open nor closed"),
    mend=Text("write open or closed"),
)
_STRANGE_NUMBER: Final = UnitFault(
    line=0,
    field=UnitField.NUMBER,
    problem=Text("this is no number of ours"),
    mend=Text("as in the exported list; blank for a new unit"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitSheet:
    """The lines, and what each known column is headed, so that a fault can name it."""

    lines: tuple[UnitLine, ...]
    headings: dict[UnitField, str]
    faults: tuple[UnitFault, ...]
    """Of the cells that cannot be read."""


def read_units(tables: Iterator[Table]) -> UnitSheet:
    """Raises `UnusableFile` for a file without a column of names."""
    table = known_table(tables, unit_heading)
    if table is None:
        raise UnusableFile("no column of unit names: head one 名称 or name, and the parent's 上级 or parent")
    return _lines(table)


def unit_heading(rows: Sequence[Row]) -> tuple[int, dict[UnitField, int]] | None:
    """As `heading_row`: the name, and something else."""
    return heading_row(
        rows,
        lambda heading: _KNOWN.get(folded(heading)),
        lambda known: UnitField.NAME in known and len(known) > 1,
    )


def _lines(table: KnownTable[UnitField]) -> UnitSheet:
    lines: list[UnitLine] = []
    faults: list[UnitFault] = []
    for number, cells in table.rows:
        text = {
            field: cleaned(cells[place]) if place < len(cells) else ""
            for field, place in table.fields.items()
        }
        if not any(text.values()):
            continue
        if len(lines) == _MOST:
            raise UnusableFile(Text("the list has more than %(most)s units", most=_MOST))
        state = folded(text.get(UnitField.STATE, ""))
        if state and state not in OPEN_WORDS | CLOSED_WORDS:
            faults.append(replace(_STRANGE_STATE, line=number))
        given = text.get(UnitField.NUMBER, "").removesuffix(".0")
        if given and not (given.isascii() and given.isdecimal() and len(given) < _LONGEST_NUMBER):
            faults.append(replace(_STRANGE_NUMBER, line=number))
            given = ""
        parent = text.get(UnitField.PARENT, "")
        lines.append(
            UnitLine(
                line=number,
                name=text[UnitField.NAME],
                parent="" if is_blank(folded(parent)) else parent,
                level=text.get(UnitField.LEVEL, ""),
                aliases=tuple(
                    part.strip() for part in _PARTS.split(text.get(UnitField.ALIASES, "")) if part.strip()
                ),
                active=None if not state else state not in CLOSED_WORDS,
                unit_id=int(given) if given else None,
            )
        )
    return UnitSheet(lines=tuple(lines), headings=dict(table.headings), faults=tuple(faults))
