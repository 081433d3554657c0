"""A month of a roster against the shifts and the accounts: its entries, or what is wrong with which cell. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from dialer.core.access import Permission
from dialer.core.rota import DutyEntry, DutyKind, Roster, Shift, ShiftSwap, overlapping, swapped_entries
from dialer.core.text import Text, gettext_noop
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapOffer:
    """`off` gives a shift to `on` and has one of theirs in return, or none."""

    given: DutyEntry
    to_id: int
    back: DutyEntry | None = None

    def swaps(self) -> tuple[ShiftSwap, ...]:
        """What changes in the roster."""
        given, back = self.given, self.back
        swap = ShiftSwap(day=given.day, mark=given.mark, off=given.staff_id, on=self.to_id)
        if back is None:
            return (swap,)
        return swap, ShiftSwap(day=back.day, mark=back.mark, off=self.to_id, on=given.staff_id)

    def starts_at(self, roster: Roster) -> datetime:
        """When the first of its shifts starts (UTC)."""
        entries = [entry for entry in (self.given, self.back) if entry is not None]
        return min(_span(roster, entry)[0] for entry in entries)


def problem_of_swap(offer: SwapOffer, roster: Roster, able: Collection[int], now: datetime) -> str:
    """Why the shifts cannot be swapped; '' if they can. `able`: who may do the work of this roster."""
    given, back = offer.given, offer.back
    own = {entry for entry in swapped_entries(roster) if roster.has_shift(entry.mark)}
    if given not in own or (back is not None and (back not in own or back.staff_id != offer.to_id)):
        return gettext_noop("the roster has no such shift of this person any more: look again")
    takers = {offer.to_id} if back is None else {offer.to_id, given.staff_id}
    after = replace(roster, swaps=roster.swaps + offer.swaps())
    problems = {
        gettext_noop("choose another person"): given.staff_id == offer.to_id,
        gettext_noop("a shift that has begun is not swapped"): offer.starts_at(roster) <= now,
        gettext_noop("who takes the shift is disabled or may not do this work"): not takers <= set(able),
        gettext_noop("who takes the shift has another one at that time"): any(
            _is_double(after, swap, before=own) for swap in offer.swaps()
        ),
        gettext_noop("who takes the shift is on leave then"): any(
            _is_away(after, swap) for swap in offer.swaps()
        ),
    }
    return next((problem for problem, is_so in problems.items() if is_so), "")


def _is_double(roster: Roster, swap: ShiftSwap, *, before: Collection[DutyEntry]) -> bool:
    """Whether who takes the shift has another one at that time, or has this one already."""
    taken = DutyEntry(day=swap.day, mark=swap.mark, staff_id=swap.on)
    start, end = _span(roster, taken)
    others = (
        _span(roster, entry)
        for entry in swapped_entries(roster)
        if entry.staff_id == swap.on and entry != taken and roster.has_shift(entry.mark)
    )
    return taken in before or any(first < end and start < last for first, last in others)


def _is_away(roster: Roster, swap: ShiftSwap) -> bool:
    start, end = _span(roster, DutyEntry(day=swap.day, mark=swap.mark, staff_id=swap.on))
    return any(
        leave.staff_id == swap.on and leave.start < end and start < leave.end for leave in roster.leaves
    )


def _span(roster: Roster, entry: DutyEntry) -> tuple[datetime, datetime]:
    shift = next(shift for shift in roster.shifts if shift.mark == entry.mark)
    return shift.span(entry.day, roster.zone)
