"""Who is on duty: the planned turns of a roster by day, and what changed them afterwards. Pure.

A roster names its shifts, such as 白 from 08:30 to 17:30 and 夜 from 17:30 to 08:30 of the next day, in the centre's
time zone, and has one entry for each person, day and shift. A swap gives one entry to somebody else, whatever the hours
of its shift are. A change takes somebody off, puts somebody on, or both, from one instant to another. Who is on leave
is not on duty. `who_is_on` is the only answer to who is on duty, for pages, other systems and escalation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

_DAY: Final = timedelta(days=1)


class LeaveReason(StrEnum):
    """Why somebody is on leave."""

    ANNUAL = "annual"
    SICK = "sick"
    PERSONAL = "personal"
    TRAINING = "training"
    ASSIGNMENT = "assignment"
    """Work elsewhere."""
    OTHER = "other"


class DutyKind(StrEnum):
    """The kind of work that a roster is for."""

    CALLER = "caller"
    OFFICER = "officer"
    VERIFICATION_DESK = "verification_desk"
    SUPERVISOR = "supervisor"
    CHIEF = "chief"
    """The duty chief, to whom escalation comes last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A shift of a roster by local time; one that ends at or before its start ends on the next day."""

    mark: str
    """What the month's grid has in its cells, such as 白."""
    starts: time
    ends: time

    def span(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Its start and end in UTC when it starts on this day. A local time that the clocks skip is an hour later; of
        one that they repeat the first is meant.
        """
        last = day if self.ends > self.starts else day + _DAY
        return _instant(day, self.starts, zone), _instant(last, self.ends, zone)


def _instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class DutyEntry:
    """One person has one shift, which starts on this day."""

    day: date
    mark: str
    staff_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftSwap:
    """`on` has the shift of `off` that starts on this day. Without such an entry the swap changes nothing."""

    day: date
    mark: str
    off: int
    on: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyLeave:
    """From `start` until before `end` (UTC) the person is not on duty, whatever else the roster says."""

    staff_id: int
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyChange:
    """From `start` until before `end` (UTC) `off` is not on duty and `on` is; None: nobody."""

    start: datetime
    end: datetime
    off: int | None = None
    on: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """The roster of one unit and kind of work; `swaps` and `changes` in the order in which they were made."""

    zone: ZoneInfo
    shifts: tuple[Shift, ...]
    entries: tuple[DutyEntry, ...] = ()
    swaps: tuple[ShiftSwap, ...] = ()
    changes: tuple[DutyChange, ...] = ()
    leaves: tuple[DutyLeave, ...] = ()

    def has_shift(self, mark: str) -> bool:
        """Whether the mark is one of a shift, and not of a day off or of a shift that there is no more."""
        return any(shift.mark == mark for shift in self.shifts)


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyTurn:
    """These persons, in the order of their names in the roster, are on duty from `start` until before `end` (UTC)."""

    start: datetime
    end: datetime
    staff_ids: tuple[int, ...]


def swapped_entries(roster: Roster) -> tuple[DutyEntry, ...]:
    """The entries with the swaps made, in their order."""
    if not roster.swaps:
        return roster.entries
    entries = dict.fromkeys(roster.entries)
    for swap in roster.swaps:
        given = DutyEntry(day=swap.day, mark=swap.mark, staff_id=swap.off)
        taken = replace(given, staff_id=swap.on)
        if given in entries and taken not in entries:
            entries = {taken if entry == given else entry: None for entry in entries}
    return tuple(entries)


def persons_in(roster: Roster) -> frozenset[int]:
    """Everybody whom the roster may have on duty."""
    named = {entry.staff_id for entry in roster.entries}
    named |= {staff_id for swap in roster.swaps for staff_id in (swap.off, swap.on)}
    return frozenset(named | {change.on for change in roster.changes if change.on is not None})


def who_is_on(roster: Roster, instant: datetime) -> tuple[int, ...]:
    """The persons on duty at this instant, those planned first. A later change counts above an earlier one, and leave
    above all.
    """
    planned = (staff_id for start, end, staff_id in _planned(roster, instant) if start <= instant < end)
    on = dict.fromkeys(planned)
    for change in roster.changes:
        if change.start <= instant < change.end:
            if change.off is not None:
                on.pop(change.off, None)
            if change.on is not None:
                on[change.on] = None
    away = {leave.staff_id for leave in roster.leaves if leave.start <= instant < leave.end}
    return tuple(staff_id for staff_id in on if staff_id not in away)


def unchanged_since(roster: Roster, instant: datetime) -> datetime | None:
    """Since when the persons on duty at this instant certainly have been the same; None: no shift, change or leave of
    the roster has begun or ended until then.
    """
    borders = [border for start, end, _ in _planned(roster, instant) for border in (start, end)]
    borders += [border for change in roster.changes for border in (change.start, change.end)]
    borders += [border for leave in roster.leaves for border in (leave.start, leave.end)]
    return max((border for border in borders if border <= instant), default=None)


def end_of_turn(roster: Roster, staff_id: int, instant: datetime) -> datetime | None:
    """Until when the person stays on duty; None if they are not on duty at this instant."""
    if staff_id not in who_is_on(roster, instant):
        return None
    for turn in final_schedule(roster, instant, instant + 40 * _DAY):
        if staff_id not in turn.staff_ids:
            return turn.start
    return instant + 40 * _DAY


def final_schedule(roster: Roster, start: datetime, end: datetime) -> tuple[DutyTurn, ...]:
    """Who is on duty from `start` until `end`, without a gap between turns; a turn without persons is a gap."""
    borders = {start, end}
    for first, last, _ in _planned(roster, start, end):
        borders |= {first, last}
    for change in roster.changes:
        borders |= {change.start, change.end}
    for leave in roster.leaves:
        borders |= {leave.start, leave.end}
    within = sorted(border for border in borders if start <= border <= end)
    turns: list[DutyTurn] = []
    for first, last in pairwise(within):
        staff_ids = who_is_on(roster, first)
        if turns and turns[-1].staff_ids == staff_ids:
            turns[-1] = DutyTurn(start=turns[-1].start, end=last, staff_ids=staff_ids)
        else:
            turns.append(DutyTurn(start=first, end=last, staff_ids=staff_ids))
    return tuple(turns)


def gaps(
    roster: Roster, start: datetime, end: datetime, *, able: Iterable[int] | None = None
) -> tuple[DutyTurn, ...]:
    """When nobody is on duty from `start` until `end`; with `able`, also when none of these persons is: the others'
    accounts are disabled.
    """
    may = None if able is None else frozenset(able)
    found: list[DutyTurn] = []
    for turn in final_schedule(roster, start, end):
        if turn.staff_ids and (may is None or not may.isdisjoint(turn.staff_ids)):
            continue
        if found and found[-1].end == turn.start:
            found[-1] = DutyTurn(start=found[-1].start, end=turn.end, staff_ids=())
        else:
            found.append(DutyTurn(start=turn.start, end=turn.end, staff_ids=()))
    return tuple(found)


def new_gaps(
    before: Roster, after: Roster, start: datetime, end: datetime, *, able: Iterable[int]
) -> tuple[DutyTurn, ...]:
    """The parts of the gaps of `after` that are no gaps of `before`."""
    may = frozenset(able)
    known = gaps(before, start, end, able=may)
    found: list[DutyTurn] = []
    for gap in gaps(after, start, end, able=may):
        at = gap.start
        for earlier in known:
            if at < earlier.start < gap.end:
                found.append(DutyTurn(start=at, end=earlier.start, staff_ids=()))
            if earlier.start < gap.end:
                at = max(at, earlier.end)
        if at < gap.end:
            found.append(DutyTurn(start=at, end=gap.end, staff_ids=()))
    return tuple(found)


def overlapping(shifts: Sequence[Shift], marks: Sequence[str]) -> bool:
    """Whether a person with all these shifts on one day would have two of them at once."""
    spans = sorted((_minutes(shift) for shift in shifts if shift.mark in marks), key=lambda span: span[0])
    return any(earlier[1] > later[0] for earlier, later in pairwise(spans))


def _minutes(shift: Shift) -> tuple[int, int]:
    start, end = (60 * at.hour + at.minute for at in (shift.starts, shift.ends))
    return start, end if end > start else end + 24 * 60


def _planned(
    roster: Roster, start: datetime, end: datetime | None = None
) -> Iterator[tuple[datetime, datetime, int]]:
    """Entries that may touch these instants, with the spans of their shifts."""
    shifts = {shift.mark: shift for shift in roster.shifts}
    first = (start - 2 * _DAY).astimezone(roster.zone).date()
    last = ((end or start) + _DAY).astimezone(roster.zone).date()
    for entry in swapped_entries(roster):
        if first <= entry.day <= last and entry.mark in shifts:
            yield (*shifts[entry.mark].span(entry.day, roster.zone), entry.staff_id)
