"""Rotations: a rule that gives a shift to people in turn, and the public holidays that it respects. Pure.

A rotation makes entries of a roster, as a loaded month does; `rota.who_is_on` alone says who is on duty. The hours of
the shift and the zone are those of the roster, so a rotation counts shifts and never hours: days without its shift
move nobody forward.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from dialer.core.rota import DutyEntry, Roster, swapped_entries

EVERY_DAY: Final = frozenset(range(1, 8))
_MONDAY: Final = 1
_SUNDAY: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class HolidayCalendar:
    """The public holidays, and the days at weekends on which people work instead."""

    holidays: frozenset[date] = frozenset()
    working_days: frozenset[date] = frozenset()

    def weekday(self, day: date) -> int:
        """The weekday that the day counts as, from 1 for Monday to 7: a public holiday is a Sunday, and a working day
        instead of one a Monday.
        """
        if day in self.holidays:
            return _SUNDAY
        return _MONDAY if day in self.working_days else day.isoweekday()

    def lacks(self, year: int) -> bool:
        """Whether it has holidays, but none of this year."""
        return bool(self.holidays) and all(day.year != year for day in self.holidays)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """From day `first` to day `last` the shift `mark` goes to the persons in turn, on these weekdays (1 is Monday)."""

    mark: str
    persons: tuple[int, ...]
    first: date
    last: date
    weekdays: frozenset[int] = EVERY_DAY
    each: int = 1
    """After this many shifts the next person follows; with `weekly`, after this many weeks that have one."""
    weekly: bool = False


def rotation_entries(rotation: Rotation, calendar: HolidayCalendar) -> tuple[DutyEntry, ...]:
    """The entries of the rotation, by day."""
    entries: list[DutyEntry] = []
    steps: dict[date, int] = {}
    for number in range((rotation.last - rotation.first).days + 1):
        day = rotation.first + timedelta(days=number)
        if calendar.weekday(day) not in rotation.weekdays:
            continue
        step = day - timedelta(days=day.weekday()) if rotation.weekly else day
        place = steps.setdefault(step, len(steps)) // rotation.each % len(rotation.persons)
        entries.append(DutyEntry(day=day, mark=rotation.mark, staff_id=rotation.persons[place]))
    return tuple(entries)


def double_shifts(roster: Roster, among: Iterable[DutyEntry]) -> tuple[DutyEntry, ...]:
    """The entries of `among` whose person has another shift of the roster at the same time, by day."""
    shifts = {shift.mark: shift for shift in roster.shifts}
    spans = {
        entry: shifts[entry.mark].span(entry.day, roster.zone)
        for entry in swapped_entries(roster)
        if entry.mark in shifts
    }
    others: dict[int, list[DutyEntry]] = {}
    for entry in spans:
        others.setdefault(entry.staff_id, []).append(entry)
    return tuple(
        entry
        for entry in sorted(among)
        if entry in spans
        and any(
            other != entry and spans[other][0] < spans[entry][1] and spans[entry][0] < spans[other][1]
            for other in others[entry.staff_id]
        )
    )
