"""The final schedule of a month by person, and its calendar file: lines of RFC 5545 that say the same."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from dialer.core.rota import DutyChange, DutyEntry, DutyLeave, Roster, Shift, who_is_on
from dialer.duty.view import CalendarEvent, PersonTurn, calendar_file, month_turns, person_turns

ZONE = ZoneInfo("Asia/Shanghai")
SHIFTS = (
    Shift(mark="白", starts=time(8, 30), ends=time(17, 30)),
    Shift(mark="夜", starts=time(17, 30), ends=time(8, 30)),
)
FIRST = date(2026, 2, 1)
START, END = (datetime(2026, 1, 31, 16, tzinfo=UTC), datetime(2026, 2, 28, 16, tzinfo=UTC))


def at(day: int, hour: int, minute: int = 30) -> datetime:
    """Local time of February 2026."""
    return datetime(2026, 2, day, hour, minute, tzinfo=ZONE).astimezone(UTC)


def entry(day: int, mark: str, staff_id: int) -> DutyEntry:
    return DutyEntry(day=date(2026, 2, day), mark=mark, staff_id=staff_id)


def test_shifts_one_after_the_other_are_one_turn_and_the_last_night_is_whole():
    roster = Roster(
        zone=ZONE, shifts=SHIFTS, entries=(entry(28, "白", 1), entry(28, "夜", 1), entry(28, "夜", 2))
    )
    end = at(28, 8) + timedelta(days=1)
    assert person_turns(roster, FIRST) == (
        PersonTurn(start=at(28, 8), end=end, staff_id=1),
        PersonTurn(start=at(28, 17), end=end, staff_id=2),
    )
    assert [(turn.start, turn.end) for turn in month_turns(roster, FIRST)] == [
        (START, at(28, 8)), (at(28, 8), at(28, 17)), (at(28, 17), end),
    ]  # fmt: skip


def test_a_gap_at_the_end_ends_with_the_month_and_an_empty_month_is_one_gap():
    empty = Roster(zone=ZONE, shifts=SHIFTS)
    assert [(turn.start, turn.end, turn.staff_ids) for turn in month_turns(empty, FIRST)] == [
        (START, END, ())
    ]
    assert person_turns(empty, FIRST) == ()
    next_month = DutyChange(start=END + timedelta(hours=1), end=END + timedelta(hours=2), on=3)
    assert person_turns(Roster(zone=ZONE, shifts=SHIFTS, changes=(next_month,)), FIRST) == ()


HOURS = st.integers(0, 28 * 24)
ROSTERS = st.builds(
    lambda entries, changes, leaves: Roster(
        zone=ZONE,
        shifts=SHIFTS,
        entries=tuple(entry(*one) for one in entries),
        changes=tuple(
            DutyChange(
                start=START + timedelta(hours=hour), end=START + timedelta(hours=hour + 5), off=off, on=on
            )
            for hour, off, on in changes
        ),
        leaves=tuple(
            DutyLeave(
                staff_id=staff, start=START + timedelta(hours=hour), end=START + timedelta(hours=hour + 30)
            )
            for hour, staff in leaves
        ),
    ),
    st.lists(st.tuples(st.integers(1, 28), st.sampled_from("白夜"), st.integers(1, 3)), max_size=8),
    st.lists(st.tuples(HOURS, st.none() | st.integers(1, 3), st.integers(1, 3)), max_size=3),
    st.lists(st.tuples(HOURS, st.integers(1, 3)), max_size=3),
)


@given(roster=ROSTERS, hour=st.integers(0, 28 * 24 - 1))
def test_the_turns_of_persons_say_what_who_is_on_says(roster: Roster, hour: int):
    instant = START + timedelta(hours=hour)
    turns = person_turns(roster, FIRST)
    assert {turn.staff_id for turn in turns if turn.start <= instant < turn.end} == set(
        who_is_on(roster, instant)
    )
    assert all(
        one.end < other.start or other.end < one.start
        for place, one in enumerate(turns)
        for other in turns[place + 1 :]
        if one.staff_id == other.staff_id
    ), "a person has one turn for what is without a break"


TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("\n\\;,城关"), max_size=120)


@given(texts=st.lists(TEXTS, max_size=3), name=TEXTS)
def test_a_calendar_has_short_lines_that_say_the_same_when_read(texts: list[str], name: str):
    events = [
        CalendarEvent(uid=str(place), start=at(1, 8), end=at(1, 17), summary=text)
        for place, text in enumerate(texts)
    ]
    data = calendar_file(events, name=name, now=datetime(2026, 1, 5, 3, 4, 5, tzinfo=UTC))
    assert data.endswith(b"\r\n")
    raw = data.split(b"\r\n")
    assert all(len(line) <= 75 and line.decode() is not None for line in raw)
    lines = data.decode().replace("\r\n ", "").split("\r\n")
    read = [
        re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], line.partition(":")[2])
        for line in lines
        if line.startswith(("SUMMARY:", "X-WR-CALNAME:"))
    ]
    assert read == [name, *texts]
    assert (lines[0], lines[1], lines[-2]) == ("BEGIN:VCALENDAR", "VERSION:2.0", "END:VCALENDAR")
    assert lines.count("BEGIN:VEVENT") == lines.count("END:VEVENT") == len(texts)
    for line in ("DTSTAMP:20260105T030405Z", "DTSTART:20260201T003000Z", "DTEND:20260201T093000Z"):
        assert lines.count(line) == len(texts)
