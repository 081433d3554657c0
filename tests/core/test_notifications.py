"""When a person is told, and the life of a notification: a table, driven by random news."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from dialer.core.notifications import (
    DEFAULT_RULES,
    MERGED_FOR,
    NOTIFICATION_MOVES,
    REACHING,
    NotificationChannel,
    NotificationEvent,
    NotificationRules,
    NotificationState,
    due_times,
    end_of_quiet,
)

ZONE = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 11, 25, 4, tzinfo=UTC)
C, E, S = NotificationChannel, NotificationEvent, NotificationState
ALL = frozenset(C)


def quiet(begins: str, ends: str) -> NotificationRules:
    after = {C.DESKTOP: timedelta(), C.SMS: timedelta(minutes=2)}
    return NotificationRules(
        after=after, quiet_from=time.fromisoformat(begins), quiet_to=time.fromisoformat(ends)
    )


def due(rules: NotificationRules, at: datetime = NOON, *, urgent: bool = False, last: datetime | None = None):
    before = {} if last is None else {C.DESKTOP: last}
    return due_times(rules, ALL, now=at, zone=ZONE, is_urgent=urgent, last=before)


def test_who_has_set_nothing_is_told_on_the_page_then_by_text_then_by_a_call():
    assert due(DEFAULT_RULES) == {
        C.DESKTOP: NOON,
        C.SMS: NOON + timedelta(minutes=2),
        C.CALL: NOON + timedelta(minutes=5),
    }


def test_a_channel_without_a_number_is_left_out():
    found = due_times(DEFAULT_RULES, {C.DESKTOP}, now=NOON, zone=ZONE, is_urgent=False, last={})
    assert list(found) == [C.DESKTOP]


def test_what_comes_soon_after_the_last_is_told_together_unless_it_is_urgent():
    last = NOON - timedelta(seconds=20)
    assert due(DEFAULT_RULES, last=last)[C.DESKTOP] == last + MERGED_FOR
    assert due(DEFAULT_RULES, last=last, urgent=True)[C.DESKTOP] == NOON
    assert due(DEFAULT_RULES, last=NOON - timedelta(minutes=2))[C.DESKTOP] == NOON


@pytest.mark.parametrize(
    ("begins", "ends", "at", "told"),
    [
        ("22:00", "07:00", "2026-11-25 21:59", "2026-11-25 21:59"),
        ("22:00", "07:00", "2026-11-25 22:00", "2026-11-26 07:00"),
        ("22:00", "07:00", "2026-11-26 00:30", "2026-11-26 07:00"),
        ("22:00", "07:00", "2026-11-26 07:00", "2026-11-26 07:00"),
        ("12:30", "14:00", "2026-11-26 13:00", "2026-11-26 14:00"),
        ("12:30", "14:00", "2026-11-26 14:00", "2026-11-26 14:00"),
        ("12:30", "14:00", "2026-11-26 12:29", "2026-11-26 12:29"),
    ],
)
def test_quiet_hours_end_first(begins: str, ends: str, at: str, told: str):
    instant, wanted = (
        datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC) for text in (at, told)
    )
    rules = quiet(begins, ends)
    assert due(rules, instant)[C.DESKTOP] == wanted
    assert due(rules, instant, urgent=True)[C.DESKTOP] == instant
    found = end_of_quiet(rules, instant, ZONE)
    assert (found is None) is (instant == wanted)


def test_a_text_whose_wait_ends_in_quiet_hours_waits_for_their_end():
    before = datetime(2026, 11, 25, 13, 59, tzinfo=UTC)
    assert due(quiet("22:00", "07:00"), before) == {
        C.DESKTOP: before,
        C.SMS: datetime(2026, 11, 25, 23, tzinfo=UTC),
    }


@given(
    begins=st.times(),
    ends=st.times(),
    at=st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2030, 1, 1)),  # noqa: DTZ001
    zone=st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York"]),
)
@settings(max_examples=60)
def test_the_end_of_quiet_hours_is_later_and_within_a_day(begins: time, ends: time, at: datetime, zone: str):
    rules = NotificationRules(quiet_from=begins, quiet_to=ends)
    instant = at.replace(tzinfo=UTC)
    found = end_of_quiet(rules, instant, ZoneInfo(zone))
    if found is not None:
        # On the day on which the clocks are set back quiet hours are an hour longer.
        assert instant - timedelta(hours=1) < found <= instant + timedelta(hours=25)


class Life(RuleBasedStateMachine):
    """Random news in any order: what was told stays told, and what is over is over."""

    def __init__(self) -> None:
        super().__init__()
        self.state = S.WAITING
        self.was = [S.WAITING]

    @rule(event=st.sampled_from(list(E)))
    def news(self, event: NotificationEvent) -> None:
        after = NOTIFICATION_MOVES[event].get(self.state)
        if after is not None:
            self.state = after
            self.was.append(after)

    @invariant()
    def nothing_is_sent_twice(self) -> None:
        assert self.was.count(S.SENDING) <= 1
        assert self.was.count(S.SENT) <= 1

    @invariant()
    def a_pressed_key_is_final_and_so_is_work_that_was_taken(self) -> None:
        for over in (S.ACCEPTED, S.DROPPED):
            assert over not in self.was[:-1]

    @invariant()
    def nothing_goes_back(self) -> None:
        order = list(S)
        if S.FAILED not in self.was:
            assert [order.index(state) for state in self.was] == sorted(map(order.index, self.was))

    @invariant()
    def only_what_was_told_is_told(self) -> None:
        assert (self.state in REACHING) is (self.state not in {S.FAILED, S.DROPPED})


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=40, stateful_step_count=12)
