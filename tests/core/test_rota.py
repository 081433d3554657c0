"""Who is on duty: one answer at every instant, also where the clocks change, and a gap exactly where nobody is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.rota import (
    DutyChange,
    DutyEntry,
    DutyLeave,
    Roster,
    Shift,
    ShiftSwap,
    end_of_turn,
    final_schedule,
    gaps,
    new_gaps,
    overlapping,
    persons_in,
    swapped_entries,
    unchanged_since,
    who_is_on,
)

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
DAY = Shift(mark="白", starts=time(8, 30), ends=time(17, 30))
NIGHT = Shift(mark="夜", starts=time(17, 30), ends=time(8, 30))
FIRST = date(2026, 12, 1)
ANN, BEN, CID = 1, 2, 3


def local(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def roster(*entries: DutyEntry, changes: tuple[DutyChange, ...] = (), zone: ZoneInfo = SHANGHAI) -> Roster:
    return Roster(zone=zone, shifts=(DAY, NIGHT), entries=entries, changes=changes)


def entry(mark: str, staff_id: int, day: date = FIRST) -> DutyEntry:
    return DutyEntry(day=day, mark=mark, staff_id=staff_id)


@pytest.mark.parametrize(
    ("at", "on"),
    [
        ("2026-12-01T08:29:59", ()),
        ("2026-12-01T08:30:00", (ANN,)),
        ("2026-12-01T17:29:59", (ANN,)),
        ("2026-12-01T17:30:00", (BEN,)),
        ("2026-12-02T08:29:59", (BEN,)),
        ("2026-12-02T08:30:00", ()),
    ],
)
def test_a_shift_counts_from_its_start_until_before_its_end(at: str, on: tuple[int, ...]):
    assert who_is_on(roster(entry("白", ANN), entry("夜", BEN)), local(at)) == on


def test_a_shift_that_ends_when_it_starts_lasts_a_day():
    whole = Shift(mark="班", starts=time(9), ends=time(9))
    start, end = whole.span(FIRST, SHANGHAI)
    assert end - start == timedelta(days=1)


def test_an_entry_with_a_mark_that_is_no_shift_is_nobody():
    assert who_is_on(roster(entry("休", ANN)), local("2026-12-01T10:00:00")) == ()


def test_those_planned_come_in_their_order_and_each_once():
    twice = roster(entry("白", BEN), entry("白", ANN), entry("白", BEN))
    assert who_is_on(twice, local("2026-12-01T10:00:00")) == (BEN, ANN)


def test_a_change_takes_one_off_and_puts_one_on_between_its_instants_only():
    change = DutyChange(start=local("2026-12-01T12:00"), end=local("2026-12-01T14:00"), off=ANN, on=CID)
    changed = roster(entry("白", ANN), changes=(change,))
    seen = [
        who_is_on(changed, local(f"2026-12-01T{at}")) for at in ("11:59:59", "12:00", "13:59:59", "14:00")
    ]
    assert seen == [(ANN,), (CID,), (CID,), (ANN,)]


def test_a_later_change_counts_above_an_earlier_one():
    start, end = local("2026-12-01T12:00"), local("2026-12-01T14:00")
    first = DutyChange(start=start, end=end, off=ANN, on=BEN)
    second = DutyChange(start=start, end=end, off=BEN, on=ANN)
    assert who_is_on(roster(entry("白", ANN), changes=(first, second)), start) == (ANN,)
    assert who_is_on(roster(entry("白", ANN), changes=(second, first)), start) == (BEN,)


def test_leave_without_a_replacement_is_a_gap():
    start, end = local("2026-12-01T12:00"), local("2026-12-01T14:00")
    found = gaps(
        roster(entry("白", ANN), changes=(DutyChange(start=start, end=end, off=ANN),)),
        local("2026-12-01T09:00"),
        local("2026-12-01T17:00"),
    )
    assert [(gap.start, gap.end) for gap in found] == [(start, end)]


def test_a_turn_of_a_disabled_account_is_a_gap_joined_with_those_beside_it():
    planned = roster(entry("白", ANN), entry("夜", BEN))
    start, end = local("2026-12-01T08:30"), local("2026-12-02T10:00")
    found = gaps(planned, start, end, able={ANN})
    assert [(gap.start, gap.end) for gap in found] == [(local("2026-12-01T17:30"), end)]
    assert gaps(planned, start, local("2026-12-02T08:30"), able={ANN, BEN}) == ()


def test_a_turn_ends_when_the_next_one_without_the_person_starts():
    planned = roster(entry("白", ANN), entry("夜", ANN), entry("夜", BEN))
    assert end_of_turn(planned, ANN, local("2026-12-01T09:00")) == local("2026-12-02T08:30")
    assert end_of_turn(planned, BEN, local("2026-12-01T09:00")) is None


def test_swaps_are_made_one_after_the_other_and_one_without_its_shift_changes_nothing():
    made = replace(
        roster(entry("白", ANN), entry("夜", CID)),
        swaps=(
            ShiftSwap(day=FIRST, mark="白", off=ANN, on=BEN),
            ShiftSwap(day=FIRST, mark="白", off=BEN, on=CID),
            ShiftSwap(day=FIRST, mark="夜", off=ANN, on=BEN),
            ShiftSwap(day=FIRST, mark="夜", off=CID, on=CID),
        ),
    )
    assert swapped_entries(made) == (entry("白", CID), entry("夜", CID))
    assert persons_in(made) == {ANN, BEN, CID}
    both = replace(
        roster(entry("白", ANN), entry("白", BEN)),
        swaps=(ShiftSwap(day=FIRST, mark="白", off=ANN, on=BEN),),
    )
    assert swapped_entries(both) == both.entries, "who has the shift already takes no other one's"


def test_who_is_on_leave_is_off_duty_also_after_a_change_that_puts_them_on():
    start, end = local("2026-12-01T12:00"), local("2026-12-01T14:00")
    away = DutyLeave(staff_id=ANN, start=start, end=end)
    change = DutyChange(start=start, end=end, on=ANN)
    made = replace(roster(entry("白", ANN), entry("白", BEN), changes=(change,)), leaves=(away,))
    assert [who_is_on(made, at) for at in (start, end - timedelta(seconds=1), end)] == [
        (BEN,),
        (BEN,),
        (ANN, BEN),
    ]
    assert end_of_turn(made, ANN, local("2026-12-01T09:00")) == start


def test_new_gaps_are_those_that_were_none_before():
    planned = roster(entry("白", ANN), entry("夜", BEN, FIRST + timedelta(days=1)))
    start, end = local("2026-12-01T06:00"), local("2026-12-03T09:00")
    away = replace(planned, leaves=(DutyLeave(staff_id=ANN, start=start, end=local("2026-12-01T10:00")),))
    found = new_gaps(planned, away, start, end, able={ANN, BEN})
    assert [(gap.start, gap.end) for gap in found] == [(local("2026-12-01T08:30"), local("2026-12-01T10:00"))]
    nobody = replace(planned, entries=())
    found = new_gaps(planned, nobody, start, end, able={ANN, BEN})
    assert [(gap.start, gap.end) for gap in found] == [
        (local("2026-12-01T08:30"), local("2026-12-01T17:30")),
        (local("2026-12-02T17:30"), local("2026-12-03T08:30")),
    ]
    assert new_gaps(planned, planned, start, end, able={BEN}) == ()


def test_two_shifts_of_one_person_overlap_or_follow_each_other():
    late = Shift(mark="晚", starts=time(17), ends=time(23))
    assert not overlapping((DAY, NIGHT, late), "白夜")
    assert overlapping((DAY, NIGHT, late), "白晚")
    assert overlapping((DAY, NIGHT, late), "晚夜")
    assert not overlapping((DAY, NIGHT, late), "白")


def test_a_local_time_that_the_clocks_skip_or_repeat_has_one_instant():
    early = Shift(mark="早", starts=time(2, 30), ends=time(10))
    assert early.span(date(2026, 3, 29), BERLIN)[0] == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert early.span(date(2026, 10, 25), BERLIN)[0] == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


DAYS = st.integers(0, 364).map(lambda n: date(2026, 1, 1) + timedelta(days=n))
NEAR = st.integers(-2, 2)
ENTRIES = st.lists(
    st.builds(
        lambda day, mark, staff: entry(mark, staff, date(2026, 3, 29) + timedelta(days=day)),
        NEAR,
        st.sampled_from("白夜"),
        st.integers(1, 4),
    ),
    max_size=8,
)
INSTANTS = st.integers(0, 4 * 24 * 60).map(
    lambda minutes: datetime(2026, 3, 27, tzinfo=UTC) + timedelta(minutes=minutes)
)
CHANGES = st.lists(
    st.builds(
        lambda start, minutes, off, on: DutyChange(
            start=start, end=start + timedelta(minutes=minutes), off=off, on=on
        ),
        INSTANTS,
        st.integers(1, 2000),
        st.none() | st.integers(1, 4),
        st.none() | st.integers(1, 4),
    ),
    max_size=4,
)


@given(entries=ENTRIES, changes=CHANGES, instant=INSTANTS)
def test_the_final_schedule_and_the_answer_at_an_instant_are_the_same(
    entries: list[DutyEntry], changes: list[DutyChange], instant: datetime
):
    made = roster(*entries, changes=tuple(changes), zone=BERLIN)
    start, end = datetime(2026, 3, 27, tzinfo=UTC), datetime(2026, 3, 31, 1, tzinfo=UTC)
    turns = final_schedule(made, start, end)
    assert [turn.start for turn in turns] == [start, *(turn.end for turn in turns[:-1])]
    assert turns[-1].end == end
    [turn] = [turn for turn in turns if turn.start <= instant < turn.end]
    assert turn.staff_ids == who_is_on(made, instant)


@given(entries=ENTRIES, changes=CHANGES, instant=INSTANTS, before=st.floats(0, 1))
def test_the_people_on_duty_have_been_the_same_since_that_moment(
    entries: list[DutyEntry], changes: list[DutyChange], instant: datetime, before: float
):
    planned = roster(*entries, changes=tuple(changes))
    since = unchanged_since(planned, instant)
    at = instant - timedelta(days=1) if since is None else since + before * (instant - since)
    assert who_is_on(planned, at) == who_is_on(planned, instant)
    if since is not None:
        assert since <= instant


@given(entries=ENTRIES, changes=CHANGES, instant=INSTANTS)
def test_a_gap_is_found_exactly_when_nobody_is_assigned(
    entries: list[DutyEntry], changes: list[DutyChange], instant: datetime
):
    made = roster(*entries, changes=tuple(changes), zone=BERLIN)
    start, end = datetime(2026, 3, 27, tzinfo=UTC), datetime(2026, 3, 31, 1, tzinfo=UTC)
    found = any(gap.start <= instant < gap.end for gap in gaps(made, start, end))
    assert found is (who_is_on(made, instant) == ())


@given(
    entries=ENTRIES, changes=CHANGES, last=st.builds(DutyChange, start=INSTANTS, end=INSTANTS, on=st.just(9))
)
def test_a_change_that_puts_somebody_on_is_never_missing(
    entries: list[DutyEntry], changes: list[DutyChange], last: DutyChange
):
    made = roster(*entries, changes=(*changes, last), zone=BERLIN)
    for turn in final_schedule(made, last.start, last.end) if last.start < last.end else ():
        assert 9 in turn.staff_ids


@given(entries=ENTRIES, instant=INSTANTS, starts=st.times(), ends=st.times())
def test_a_swap_follows_a_shift_whose_hours_move(
    entries: list[DutyEntry], instant: datetime, starts: time, ends: time
):
    day = Shift(mark="白", starts=starts.replace(second=0), ends=ends.replace(second=0))
    swaps = tuple(ShiftSwap(day=one.day, mark=one.mark, off=one.staff_id, on=9) for one in entries[:1])
    made = Roster(zone=BERLIN, shifts=(day, NIGHT), entries=tuple(entries), swaps=swaps)
    typed = replace(
        made,
        swaps=(),
        entries=tuple(replace(one, staff_id=9) if one == entries[0] else one for one in entries),
    )
    assert set(who_is_on(made, instant)) == set(who_is_on(typed, instant))


@given(entries=ENTRIES, changes=CHANGES, instant=INSTANTS, start=INSTANTS, end=INSTANTS)
def test_nobody_on_leave_is_on_duty_and_leave_makes_exactly_the_new_gaps(
    entries: list[DutyEntry], changes: list[DutyChange], instant: datetime, start: datetime, end: datetime
):
    before = roster(*entries, changes=tuple(changes), zone=BERLIN)
    after = replace(before, leaves=(DutyLeave(staff_id=1, start=start, end=end),))
    first, last = datetime(2026, 3, 27, tzinfo=UTC), datetime(2026, 3, 31, 1, tzinfo=UTC)
    assert (1 in who_is_on(after, instant)) is (
        1 in who_is_on(before, instant) and not start <= instant < end
    )
    found = new_gaps(before, after, first, last, able={1, 2, 3, 4})
    is_new = who_is_on(after, instant) == () != who_is_on(before, instant)
    assert any(gap.start <= instant < gap.end for gap in found) is is_new


@given(
    day=DAYS, zone=st.sampled_from([SHANGHAI, BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Asia/Kolkata")])
)
def test_day_and_night_cover_every_instant_of_a_year_once(day: date, zone: ZoneInfo):
    every = tuple(entry(mark, ord(mark), day + timedelta(days=n)) for n in (-1, 0, 1) for mark in "白夜")
    start = datetime.combine(day, time(0), tzinfo=zone).astimezone(UTC)
    for minutes in range(0, 24 * 60, 15):
        assert len(who_is_on(roster(*every, zone=zone), start + timedelta(minutes=minutes))) == 1
