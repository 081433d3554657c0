"""The roster of a month as stations keep it in a spreadsheet: a row for each person, a column for each day, and in each
cell the marks of the shifts, such as 白 or 夜, or of a day off, such as 休. Pure; it stores nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from dialer.core.errors import UnusableFile
from dialer.core.text import Text, gettext_noop
from dialer.intake.cells import cleaned, folded, joined_name
from dialer.intake.headings import KnownTable, Row, SourceTable, heading_row, known_tables

NAME: Final = "name"
LOGIN: Final = "login"
_HEADINGS: Final = {
    **dict.fromkeys(
        ["姓名", "名字", "人员", "值班人", "值班人员", "值班民警", "民警", "name", "person"], NAME
    ),
    **dict.fromkeys(["账号", "登录名", "警号", "login", "account"], LOGIN),
}
_DAY: Final = re.compile(r"(?:(?:\d{4}[-/.年])?0?\d{1,2}[-/.月])?0?(\d{1,2})[日号]?")
_FULL: Final = re.compile(r"(20\d{2})[-/.年]0?(\d{1,2})(?:月|[-/.]|$|\D)")
_LEAST_DAYS: Final = 7
"""A row with this many different days is the heading."""
_MOST_PEOPLE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterFault:
    """What is wrong with a cell, and how to correct it. `column` is its heading."""

    line: int
    column: str
    problem: Text
    fix: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterLine:
    """A row: whose, and what the cell of each day says, blank cells left out."""

    line: int
    name: str
    login: str
    cells: dict[date, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterSheet:
    """The rows of a month; `headings` has the heading of each day."""

    month: date
    """Its first day."""
    days: tuple[date, ...]
    lines: tuple[RosterLine, ...]
    headings: dict[date, str]
    name_heading: str


def roster_heading(rows: Sequence[Row]) -> tuple[int, dict[str, int]] | None:
    """The row with a column of names or logins and at least seven different days."""
    return heading_row(
        rows,
        _field,
        lambda known: (NAME in known or LOGIN in known) and len(set(known) - {NAME, LOGIN}) >= _LEAST_DAYS,
    )


def _field(heading: str) -> str | None:
    text = folded(heading).removesuffix(" 00:00:00").removesuffix(".0")
    known = _HEADINGS.get(text)
    if known is not None:
        return known
    found = _DAY.fullmatch(text)
    return str(int(found[1])) if found and 1 <= int(found[1]) <= 31 else None  # noqa: PLR2004  # days of a month


def read_roster(tables: Iterator[SourceTable], *, month: date | None = None) -> RosterSheet:
    """The first table that is a roster. `month`: any day of its month; None where the file says it, as 2026年12月 above
    the heading, in the sheet's name or in the headings. Raises `UnusableFile`.
    """
    for table in tables:
        heading = roster_heading(table.first)
        found = next(known_tables(iter((table,)), roster_heading), None)
        if heading is not None and found is not None:
            above = [cell for _, cells in table.first[: heading[0]] for cell in cells]
            return _sheet(found, month or _month_said(found, above))
    raise UnusableFile(
        gettext_noop(
            "no roster found: the heading row needs a column 姓名 or name and a column for each day, 1 to 31"
        )
    )


def _month_said(table: KnownTable[str], above: Sequence[str]) -> date:
    for text in (*(column.heading for column in table.columns), table.sheet, *above):
        said = _FULL.search(folded(text))
        if said and 1 <= int(said[2]) <= 12:  # noqa: PLR2004  # months of a year
            return date(int(said[1]), int(said[2]), 1)
    raise UnusableFile(
        gettext_noop("the file does not say its month: write it above the table, as 2026年12月")
    )


def _sheet(table: KnownTable[str], month: date) -> RosterSheet:
    first = month.replace(day=1)
    length = ((first + timedelta(days=31)).replace(day=1) - first).days
    _check_days(table, first, length)
    places = {int(field): place for field, place in table.fields.items() if field.isdecimal()}
    lines: list[RosterLine] = []
    for number, cells in table.rows:
        text = {field: cleaned(_at(cells, place)) for field, place in table.fields.items()}
        name, login = joined_name(text.get(NAME, "")), text.get(LOGIN, "")
        if not (name or login):
            continue
        if len(lines) == _MOST_PEOPLE:
            raise UnusableFile(Text("the roster has more than %(most)s persons", most=_MOST_PEOPLE))
        days = {first.replace(day=day): cleaned(_at(cells, place)) for day, place in places.items()}
        filled = {day: cell for day, cell in days.items() if cell}
        lines.append(RosterLine(line=number, name=name, login=login, cells=filled))
    return RosterSheet(
        month=first,
        days=tuple(first.replace(day=day) for day in sorted(places)),
        lines=tuple(lines),
        headings={first.replace(day=int(field)): table.headings[field] for field in map(str, places)},
        name_heading=table.headings.get(NAME) or table.headings[LOGIN],
    )


def _check_days(table: KnownTable[str], first: date, length: int) -> None:
    """Raises `UnusableFile` for a day that is there twice or that the month does not have, and for a missing one."""
    days = [int(field) for column in table.columns if (field := _field(column.heading) or "").isdecimal()]
    twice = sorted({day for day in days if days.count(day) > 1})
    if twice:
        raise UnusableFile(
            Text("two columns are for day %(day)s of the month: keep one of them", day=twice[0])
        )
    said = f"{first:%Y-%m}"
    beyond = sorted(day for day in days if day > length)
    if beyond:
        raise UnusableFile(
            Text("%(month)s has no day %(day)s: check the month above the table", month=said, day=beyond[0])
        )
    missing = sorted(set(range(1, length + 1)) - set(days))
    if missing:
        raise UnusableFile(
            Text("%(month)s has no column for day %(day)s: add it", month=said, day=missing[0])
        )


def _at(cells: Sequence[str], place: int) -> str:
    return cells[place] if place < len(cells) else ""
