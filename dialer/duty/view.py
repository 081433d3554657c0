"""The final schedule of a month as files: spans by person, and a calendar as RFC 5545 describes it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from dialer.core.rota import DutyTurn, Roster, final_schedule

_DAY: Final = timedelta(days=1)
_LONGEST_LINE: Final = 75
"""Bytes of a line without its end (RFC 5545, 3.1)."""
_ESCAPED: Final = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class PersonTurn:
    """The person is on duty from `start` until before `end` (UTC), without a break."""

    start: datetime
    end: datetime
    staff_id: int


def month_turns(roster: Roster, first: date) -> tuple[DutyTurn, ...]:
    """The final schedule of the shifts of a month, with swaps, changes and leave: from the start of its first day
    until the last of its shifts has ended. `first`: its first day; the roster has the entries of this month alone.
    """
    start, end = _month(roster, first)
    turns = [turn for turn in final_schedule(roster, start, end + 2 * _DAY) if turn.start < end]
    if turns and not turns[-1].staff_ids:
        last = turns.pop()
        turns.append(DutyTurn(start=last.start, end=min(last.end, end), staff_ids=()))
    return tuple(turns)


def person_turns(roster: Roster, first: date) -> tuple[PersonTurn, ...]:
    """When each person is on duty in the final schedule of the month, by time."""
    open_since: dict[int, datetime] = {}
    found: list[PersonTurn] = []
    turns = month_turns(roster, first)
    for turn in turns:
        for staff_id in [one for one in open_since if one not in turn.staff_ids]:
            start = open_since.pop(staff_id)
            found.append(PersonTurn(start=start, end=turn.start, staff_id=staff_id))
        for staff_id in turn.staff_ids:
            open_since.setdefault(staff_id, turn.start)
    found += (
        PersonTurn(start=start, end=turns[-1].end, staff_id=staff_id)
        for staff_id, start in open_since.items()
    )
    return tuple(sorted(found))


def _month(roster: Roster, first: date) -> tuple[datetime, datetime]:
    after = (first + 31 * _DAY).replace(day=1)
    start, end = (datetime.combine(day, time(), tzinfo=roster.zone) for day in (first, after))
    return start.astimezone(UTC), end.astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEvent:
    """One event of a calendar; `uid` is the same whenever the same turn is exported again."""

    uid: str
    start: datetime
    end: datetime
    summary: str


def calendar_file(events: Sequence[CalendarEvent], *, name: str, now: datetime) -> bytes:
    """The calendar as a file of the type text/calendar, in UTC."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//dialer//duty//ZH", f"X-WR-CALNAME:{_text(name)}"]
    for event in events:
        lines += (
            "BEGIN:VEVENT",
            f"UID:{event.uid}",
            f"DTSTAMP:{_utc(now)}",
            f"DTSTART:{_utc(event.start)}",
            f"DTEND:{_utc(event.end)}",
            f"SUMMARY:{_text(event.summary)}",
            "END:VEVENT",
        )
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line)).encode()


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(text: str) -> str:
    return text.translate(_ESCAPED)


def _folded(line: str) -> Iterator[str]:
    """The line in parts of at most 75 bytes, no character cut; each after the first begins with a space."""
    part = ""
    for character in line:
        if len((part + character).encode()) > _LONGEST_LINE:
            yield part
            part = " "
        part += character
    yield part
