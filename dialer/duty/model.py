"""A month of a roster against the shifts and the accounts: its entries, or what is wrong with which cell. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from dialer.core.access import Permission
from dialer.core.rota import DutyEntry, DutyKind, Shift, overlapping
from dialer.core.text import Text
from dialer.intake.cells import folded, is_blank
from dialer.intake.duty_lists import RosterFault, RosterLine, RosterSheet

RIGHTS: Final[Mapping[DutyKind, Permission]] = {
    DutyKind.CALLER: Permission.WORK_DESK,
    DutyKind.OFFICER: Permission.WORK_VISITS,
    DutyKind.VERIFICATION_DESK: Permission.ANSWER_OUTLETS,
    DutyKind.SUPERVISOR: Permission.APPROVE,
    DutyKind.CHIEF: Permission.APPROVE,
}
"""The right that the work of each kind of roster needs."""
_BETWEEN: Final = re.compile(r"[\s/、,，;；+]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An account that sees the unit's work. `able`: enabled, and its role may do the work."""

    staff_id: int
    name: str
    login: str
    able: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthPlan:
    """What a sheet means. With any fault nothing of it is stored."""

    month: date
    days: tuple[date, ...]
    entries: tuple[DutyEntry, ...]
    faults: tuple[RosterFault, ...]


def plan_month(
    sheet: RosterSheet, people: Sequence[Candidate], shifts: Sequence[Shift], *, off_marks: Collection[str]
) -> MonthPlan:
    """The entries of the sheet, in the order of its rows, and every fault of it."""
    entries: list[DutyEntry] = []
    faults: list[RosterFault] = []
    lines_of: dict[int, int] = {}
    known = _by_text(people)
    for line in sheet.lines:
        found = _person(line, known, sheet.name_heading)
        if isinstance(found, RosterFault):
            faults.append(found)
            continue
        if found.staff_id in lines_of:
            faults.append(_twice(line, sheet.name_heading, earlier=lines_of[found.staff_id]))
            continue
        lines_of[found.staff_id] = line.line
        for day, cell in line.cells.items():
            marks = _marks(cell, shifts, off_marks)
            if isinstance(marks, Text):
                fault = _unread(line, sheet.headings[day], marks, shifts, off_marks)
                faults.append(fault)
            else:
                entries += (DutyEntry(day=day, mark=mark, staff_id=found.staff_id) for mark in marks)
    return MonthPlan(month=sheet.month, days=sheet.days, entries=tuple(entries), faults=tuple(faults))


def _by_text(people: Sequence[Candidate]) -> Mapping[str, Sequence[Candidate]]:
    known: dict[str, list[Candidate]] = defaultdict(list)
    for person in people:
        for text in {person.name.casefold(), person.login.casefold()}:
            known[text].append(person)
    return known


def _person(
    line: RosterLine, known: Mapping[str, Sequence[Candidate]], heading: str
) -> Candidate | RosterFault:
    said = line.login or line.name
    found = known.get(said.casefold(), ())
    if not found:
        return RosterFault(
            line=line.line,
            column=heading,
            problem=Text("nobody with this name or login sees the work of this unit: %(name)s", name=said),
            fix=Text("correct the name, or add the account first"),
        )
    if len(found) > 1:
        return RosterFault(
            line=line.line,
            column=heading,
            problem=Text("several accounts have this name: %(name)s", name=said),
            fix=Text("add a column 账号 or login"),
        )
    if not found[0].able:
        return RosterFault(
            line=line.line,
            column=heading,
            problem=Text("this account is disabled, or its role does not do this work: %(name)s", name=said),
            fix=Text("enter somebody else, or change the account first"),
        )
    return found[0]


def _twice(line: RosterLine, heading: str, *, earlier: int) -> RosterFault:
    return RosterFault(
        line=line.line,
        column=heading,
        problem=Text("this person is already in line %(line)s", line=earlier),
        fix=Text("keep one of the two lines"),
    )


def _marks(cell: str, shifts: Sequence[Shift], off_marks: Collection[str]) -> tuple[str, ...] | Text:
    """The marks of a cell, or what is wrong with it."""
    off = {folded(mark) for mark in off_marks}
    marks: list[str] = []
    for part in filter(None, _BETWEEN.split(cell.strip())):
        if folded(part) in off or is_blank(folded(part)):
            continue
        found = _split(part, [shift.mark for shift in shifts])
        if found is None:
            return Text("this is no shift: %(mark)s", mark=part)
        marks += (mark for mark in found if mark not in marks)
    if overlapping(shifts, marks):
        return Text("these shifts overlap: %(marks)s", marks="、".join(marks))
    return tuple(marks)


def _split(part: str, known: Sequence[str]) -> list[str] | None:
    """`part` as marks one after another, longer ones first: 白夜 is 白 and 夜."""
    if not part:
        return []
    for mark in sorted(known, key=len, reverse=True):
        if folded(part).startswith(folded(mark)):
            rest = _split(part[len(mark) :], known)
            if rest is not None:
                return [mark, *rest]
    return None


def _unread(
    line: RosterLine, heading: str, problem: Text, shifts: Sequence[Shift], off_marks: Collection[str]
) -> RosterFault:
    return RosterFault(
        line=line.line,
        column=heading,
        problem=problem,
        fix=Text(
            "shifts: %(shifts)s; days off: %(off)s",
            shifts="、".join(shift.mark for shift in shifts),
            off="、".join(off_marks),
        ),
    )
