"""A rotation gives a shift to people in turn: days outside its weekdays move nobody; each instant has one answer."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import cycle, islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.rota import DutyEntry, Roster, Shift, who_is_on
from dialer.core.rotations import EVERY_DAY, HolidayCalendar, Rotation, double_shifts, rotation_entries

WHOLE = Shift(mark="值", starts=time(2, 30), ends=time(2, 30))
MONDAY = date(2026, 9, 28)
OCTOBER = HolidayCalendar(
    holidays=frozenset(date(2026, 10, day) for day in range(1, 8)),
    working_days=frozenset({date(2026, 10, 10)}),
)


def days_of(rotation: Rotation, calendar: HolidayCalendar = OCTOBER) -> list[tuple[str, int]]:
    return [(f"{entry.day:%m-%d}", entry.staff_id) for entry in rotation_entries(rotation, calendar)]


def rotation(weekdays: str = "1234567", *, days: int = 14, each: int = 1, weekly: bool = False) -> Rotation:
    return Rotation(
        mark="值",
        persons=(1, 2, 3),
        first=MONDAY,
        last=MONDAY + timedelta(days=days - 1),
        weekdays=frozenset(map(int, weekdays)),
        each=each,
        weekly=weekly,
    )


def test_a_holiday_is_a_sunday_and_a_working_day_instead_a_monday():
    counted = [OCTOBER.weekday(date(2026, 10, day)) for day in (1, 7, 8, 9, 10, 11)]
    assert counted == [7, 7, 4, 5, 1, 7]
    assert [OCTOBER.lacks(year) for year in (2026, 2027)] == [False, True]
    assert not HolidayCalendar().lacks(2026)


def test_working_days_go_on_after_the_holiday_with_the_next_person():
    assert days_of(rotation("12345")) == [
        ("09-28", 1), ("09-29", 2), ("09-30", 3), ("10-08", 1), ("10-09", 2), ("10-10", 3),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "persons"),
    [
        (rotation(days=7, each=2), [1, 1, 2, 2, 3, 3, 1]),
        (rotation("12345", days=28, weekly=True), [1] * 3 + [2] * 3 + [3] * 5 + [1] * 5),
        (rotation("17", days=14, each=2, weekly=True), [1] * 5 + [1] * 5),
    ],
)
def test_a_person_has_some_shifts_or_weeks_in_a_row(given: Rotation, persons: list[int]):
    assert [entry.staff_id for entry in rotation_entries(given, OCTOBER)] == persons


DAYS = st.integers(0, 400).map(lambda n: date(2026, 1, 1) + timedelta(days=n))
CALENDARS = st.builds(
    HolidayCalendar, holidays=st.frozensets(DAYS, max_size=40), working_days=st.frozensets(DAYS, max_size=10)
)
ROTATIONS = st.builds(
    lambda persons, first, days, weekdays, each, weekly: Rotation(
        mark="值",
        persons=tuple(persons),
        first=first,
        last=first + timedelta(days=days),
        weekdays=weekdays,
        each=each,
        weekly=weekly,
    ),
    st.lists(st.integers(1, 9), min_size=1, max_size=5, unique=True),
    DAYS,
    st.integers(0, 120),
    st.frozensets(st.integers(1, 7), min_size=1),
    st.integers(1, 9),
    st.booleans(),
)


@given(made=ROTATIONS, calendar=CALENDARS)
def test_days_outside_the_weekdays_move_nobody_forward(made: Rotation, calendar: HolidayCalendar):
    entries = rotation_entries(made, calendar)
    within = [made.first + timedelta(days=n) for n in range((made.last - made.first).days + 1)]
    assert [entry.day for entry in entries] == [
        day for day in within if calendar.weekday(day) in made.weekdays
    ]
    steps = [entry.day.isocalendar()[:2] if made.weekly else (entry.day.toordinal(), 0) for entry in entries]
    order = {step: place for place, step in enumerate(dict.fromkeys(steps))}
    due = list(islice(cycle([person for person in made.persons for _ in range(made.each)]), len(order)))
    assert [entry.staff_id for entry in entries] == [due[order[step]] for step in steps]


@given(weekdays=st.frozensets(st.integers(1, 7), min_size=1, max_size=6), calendar=CALENDARS, first=DAYS)
def test_rotations_of_different_weekdays_share_no_day_and_leave_none_out(
    weekdays: frozenset[int], calendar: HolidayCalendar, first: date
):
    halves = [
        Rotation(mark="值", persons=(1,), first=first, last=first + timedelta(days=60), weekdays=days)
        for days in (weekdays, EVERY_DAY - weekdays)
    ]
    one, other = ({entry.day for entry in rotation_entries(half, calendar)} for half in halves)
    assert (one & other, len(one | other)) == (set(), 61)


@given(
    made=ROTATIONS,
    zone=st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
    minutes=st.integers(0, 24 * 60 - 1),
    day=st.integers(0, 120),
)
def test_every_instant_of_a_rotation_without_days_off_has_one_person(
    made: Rotation, zone: str, minutes: int, day: int
):
    every = Rotation(mark="值", persons=made.persons, first=made.first, last=made.last, each=made.each)
    roster = Roster(zone=ZoneInfo(zone), shifts=(WHOLE,), entries=rotation_entries(every, HolidayCalendar()))
    start = WHOLE.span(made.first, roster.zone)[0]
    end = WHOLE.span(made.last, roster.zone)[1]
    instant = start + timedelta(days=day, minutes=minutes)
    assert len(who_is_on(roster, instant)) == (1 if instant < end else 0)


def test_who_has_two_shifts_at_once_is_found_also_over_midnight():
    late, early = (
        Shift(mark="夜", starts=time(20), ends=time(8)),
        Shift(mark="早", starts=time(7), ends=time(12)),
    )
    day, next_day = date(2026, 12, 1), date(2026, 12, 2)
    night = DutyEntry(day=day, mark="夜", staff_id=1)
    others = (
        DutyEntry(day=day, mark="早", staff_id=1),
        DutyEntry(day=next_day, mark="早", staff_id=2),
        DutyEntry(day=next_day, mark="休", staff_id=1),
    )
    roster = Roster(zone=ZoneInfo("Asia/Shanghai"), shifts=(late, early), entries=(night, *others))
    assert double_shifts(roster, roster.entries) == ()
    clash = DutyEntry(day=next_day, mark="早", staff_id=1)
    both = Roster(zone=roster.zone, shifts=roster.shifts, entries=(*roster.entries, clash))
    assert double_shifts(both, both.entries) == (night, clash)
    assert double_shifts(both, (night,)) == (night,)
    assert late.span(day, roster.zone)[1] == datetime(2026, 12, 2, tzinfo=UTC)
