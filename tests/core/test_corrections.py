"""Orders to correct: whatever happens, an order is open exactly while somebody has to act by a time, and ends once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import given
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from dialer.core.corrections import (
    BY_THE_UNIT,
    LONGEST_DEADLINE,
    ORDER_TRANSITIONS,
    OrderEvent,
    OrderState,
    checked_deadline,
    is_above,
    next_due,
    order_after,
)
from dialer.core.errors import Conflict, Invalid
from dialer.core.units import Unit

E, S = OrderEvent, OrderState
START = datetime(2026, 12, 3, 8, tzinfo=UTC)
WITHIN = timedelta(hours=31)
HOURS = st.integers(min_value=1, max_value=24 * 80)


class Course(RuleBasedStateMachine):
    """A unit and the supervisor above it do what they like, in any order and at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.state = OrderState.ISSUED
        self.deadline = START + timedelta(days=3)
        self.due = next_due(E.ISSUED, deadline=self.deadline, now=self.now, decided_within=WITHIN)
        self.answers = self.decided = 0

    def _happens(self, event: OrderEvent, *, deadline: datetime | None = None) -> bool:
        before = self.state
        try:
            self.state = order_after(before, event)
        except Conflict:
            assert (before, event) not in ORDER_TRANSITIONS
            return False
        self.deadline = deadline or self.deadline
        self.due = next_due(event, deadline=self.deadline, now=self.now, decided_within=WITHIN)
        return True

    @rule(hours=HOURS)
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def sign(self) -> None:
        was = self.state
        assert self._happens(E.SIGNED) == (was is S.ISSUED)

    @rule()
    def answer(self) -> None:
        was = self.state
        if self._happens(E.ANSWERED):
            assert was in {S.ISSUED, S.SIGNED}
            assert self.due == self.now + WITHIN
            self.answers += 1

    @rule(hours=HOURS)
    def send_back(self, hours: int) -> None:
        fresh = checked_deadline(self.now + timedelta(hours=hours), now=self.now)
        if self._happens(E.SENT_BACK, deadline=fresh):
            self.decided += 1
            assert self.state is S.ISSUED
            assert self.due == fresh

    @rule()
    def close(self) -> None:
        was = self.state
        if self._happens(E.CLOSED):
            assert was is S.ANSWERED
            self.decided += 1

    @rule()
    def withdraw(self) -> None:
        was = self.state
        assert self._happens(E.WITHDRAWN) == was.is_open

    @rule()
    def issue_again(self) -> None:
        assert not self._happens(E.ISSUED)

    @precondition(lambda self: not self.state.is_open)
    @rule(event=st.sampled_from(OrderEvent))
    def come_too_late(self, event: OrderEvent) -> None:
        ended = self.state
        assert not self._happens(event)
        assert self.state is ended

    @invariant()
    def somebody_has_to_act_exactly_while_it_is_open(self) -> None:
        assert self.state.is_open == (self.due is not None)

    @invariant()
    def every_answer_is_decided_once(self) -> None:
        waits = 1 if self.state is S.ANSWERED else 0
        assert self.decided <= self.answers
        if self.state is not S.WITHDRAWN:
            assert self.answers == self.decided + waits


TestCourse = Course.TestCase


def test_the_unit_never_decides_and_the_supervisor_never_answers():
    assert {E.SIGNED, E.ANSWERED} == BY_THE_UNIT
    assert {after for (_, event), after in ORDER_TRANSITIONS.items() if event in BY_THE_UNIT} == {
        S.SIGNED,
        S.ANSWERED,
    }


def test_what_comes_too_late_is_refused_with_the_state():
    with pytest.raises(Conflict, match="has changed meanwhile") as refused:
        order_after(S.CLOSED, E.ANSWERED)
    assert refused.value.current == "closed"


@given(offset=st.timedeltas(min_value=timedelta(days=-200), max_value=timedelta(days=200)))
def test_a_deadline_is_ahead_and_not_too_far(offset: timedelta):
    if timedelta() < offset <= LONGEST_DEADLINE:
        assert checked_deadline(START + offset, now=START) == START + offset
    else:
        with pytest.raises(Invalid) as refused:
            checked_deadline(START + offset, now=START)
        assert refused.value.field == "deadline"


def test_only_who_stands_above_a_unit_orders_it():
    station = Unit(id=3, name="所", parent_id=2, level="", path=(1, 2, 3), active=True)
    assert [is_above(unit_id, station) for unit_id in (None, 1, 2, 3, 4)] == [True, True, True, False, False]
