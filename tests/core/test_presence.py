"""Presence: it always fits the work that a person has, and what somebody asks for comes when the work is over."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from dialer.core.presence import SAID, TRANSITIONS, BreakReason, Presence, PresenceEvent, PresenceState

WORKING = {PresenceState.ON_TASK, PresenceState.ON_CALL, PresenceState.AFTER_WORK}
REASONS = st.sampled_from(BreakReason)


class Desk(RuleBasedStateMachine):
    """A desk: tasks and calls come and go, its person and a supervisor ask for states, and its pages fall silent."""

    def __init__(self) -> None:
        super().__init__()
        self.presence = Presence()
        self.has_task = self.has_call = self.has_called = False
        self.asked: tuple[PresenceState, BreakReason | None] | None = None
        """What was asked for since the work began, if anything."""

    def _settle(self) -> None:
        before = self.presence.state
        _, self.presence = self.presence.settled(has_task=self.has_task, has_call=self.has_call)
        self.has_called = (self.has_called or self.has_call) and (self.has_task or self.has_call)
        if before in WORKING and not (self.has_task or self.has_call):
            state, reason = self.asked or (PresenceState.FREE, None)
            assert (self.presence.state, self.presence.reason) == (state, reason)
            self.asked = None

    @rule()
    def take_task(self) -> None:
        self.has_task = True
        self._settle()

    @rule()
    def end_task(self) -> None:
        self.has_task = False
        self._settle()

    @rule()
    def begin_call(self) -> None:
        self.has_call = True
        self._settle()

    @rule()
    def end_call(self) -> None:
        self.has_call = False
        self._settle()

    @rule()
    def begin_both(self) -> None:
        """A call that comes in gives its desk the task."""
        self.has_task = self.has_call = True
        self._settle()

    @rule()
    def end_both(self) -> None:
        self.has_task = self.has_call = False
        self._settle()

    @rule(event=st.sampled_from(sorted(SAID)), reason=REASONS)
    def ask(self, event: PresenceEvent, reason: BreakReason) -> None:
        wanted = SAID[event], reason if event is PresenceEvent.BREAK else None
        before = self.presence
        self.presence = before.after(event, reason)
        if before.state in WORKING:
            assert self.presence.state is before.state
            self.asked = None if event is PresenceEvent.FREE else wanted
        else:
            assert (self.presence.state, self.presence.reason) == wanted

    @rule()
    def fall_silent(self) -> None:
        before = self.presence
        self.presence = before.after(PresenceEvent.SILENT)
        if before.state in WORKING:
            assert self.presence == before
        else:
            assert self.presence == Presence()

    @rule()
    def let_offers_pass(self) -> None:
        before = self.presence
        self.presence = before.after(PresenceEvent.UNTAKEN)
        assert self.presence == (Presence() if before.state is PresenceState.FREE else before)

    @rule(event=st.sampled_from(PresenceEvent))
    def repeat(self, event: PresenceEvent) -> None:
        """News that comes twice or late changes nothing once the work is looked at."""
        if event not in {*SAID, PresenceEvent.SILENT, PresenceEvent.UNTAKEN}:
            late = self.presence.after(event)
            _, settled = late.settled(has_task=self.has_task, has_call=self.has_call)
            assert settled.state.is_working == self.presence.state.is_working

    @invariant()
    def fits_the_work(self) -> None:
        state = self.presence.state
        assert (state is PresenceState.ON_CALL) == self.has_call
        assert state.is_working == (self.has_task or self.has_call)
        if self.has_task and not self.has_call:
            assert (state is PresenceState.AFTER_WORK) == self.has_called
        assert self.presence.settled(has_task=self.has_task, has_call=self.has_call) == ((), self.presence)

    @invariant()
    def only_a_break_has_a_reason(self) -> None:
        presence = self.presence
        assert (presence.reason is not None) == (presence.state is PresenceState.BREAK)
        assert (presence.then_reason is not None) == (presence.then is PresenceState.BREAK)
        assert presence.then is None or presence.state.is_working


TestDesk = Desk.TestCase


@pytest.mark.parametrize("state", PresenceState)
@pytest.mark.parametrize("event", PresenceEvent)
def test_a_pair_that_is_not_in_the_table_changes_no_state(state: PresenceState, event: PresenceEvent) -> None:
    reason = BreakReason.MEAL if state is PresenceState.BREAK else None
    after = Presence(state=state, reason=reason).after(event)
    assert after.state is TRANSITIONS.get((state, event), state)


def test_a_break_is_a_rest_unless_a_reason_is_given() -> None:
    assert Presence().after(PresenceEvent.BREAK).reason is BreakReason.REST
    eating = Presence().after(PresenceEvent.BREAK, BreakReason.MEAL)
    assert eating.reason is BreakReason.MEAL
    assert eating.after(PresenceEvent.FREE) == Presence(state=PresenceState.FREE)


def test_free_takes_back_a_planned_break() -> None:
    busy = Presence(state=PresenceState.ON_CALL).after(PresenceEvent.BREAK, BreakReason.MEAL)
    assert (busy.then, busy.then_reason) == (PresenceState.BREAK, BreakReason.MEAL)
    assert busy.after(PresenceEvent.FREE) == Presence(state=PresenceState.ON_CALL)


def test_a_call_that_outlives_its_task_is_a_call_until_its_end() -> None:
    """The report was sent before the telephone was hung up."""
    events, talking = Presence(state=PresenceState.ON_CALL).settled(has_task=False, has_call=True)
    assert (events, talking.state) == ((), PresenceState.ON_CALL)
    events, free = talking.settled(has_task=False, has_call=False)
    assert events == (PresenceEvent.CALL_ENDED, PresenceEvent.TASK_ENDED)
    assert free.state is PresenceState.FREE
