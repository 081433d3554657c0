"""A supervisor's leg: what is lost, late or repeated changes nothing in the end, and it never stays after the call."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from dialer.core.listening import (
    LISTEN_STATES,
    ListenEvent,
    Listening,
    ListenMode,
    ListenState,
    mode_of,
)

_E, _S = ListenEvent, ListenState


class Ears(RuleBasedStateMachine):
    """A supervisor, and a carrier with its own truth, whose answers and reports may be lost."""

    def __init__(self) -> None:
        super().__init__()
        self.leg = Listening()
        self.is_over = False
        self.leg_exists = self.in_room = False
        self.truth = ListenMode.LISTEN
        self.requests: list[ListenMode] = []
        self.seen = [self.leg.state]

    def apply(self, event: ListenEvent) -> None:
        self.leg = self.leg.after(event)
        if self.leg.state is _S.CALLING and not self.leg_exists and self.seen[-1] is _S.MOVING:
            self.leg_exists = True
        self.seen.append(self.leg.state)
        self.ask()

    def ask(self) -> None:
        mode = self.leg.next_request()
        if mode is not None:
            assert not self.requests, "two requests at once could overtake each other"
            self.leg = replace(self.leg, asked=mode)
            self.requests.append(mode)

    @precondition(lambda self: not self.is_over)
    @rule()
    def the_room_begins(self) -> None:
        self.apply(_E.ROOM_BEGAN)

    @rule(mode=st.sampled_from(ListenMode))
    def the_supervisor_chooses(self, mode: ListenMode) -> None:
        self.leg = self.leg.choose(mode)
        self.ask()

    @precondition(lambda self: self.leg_exists and not self.is_over and not self.in_room)
    @rule(is_reported=st.booleans())
    def the_supervisor_answers(self, is_reported: bool) -> None:
        if self.leg.is_live:
            self.in_room, self.truth = True, ListenMode.LISTEN
            if is_reported:
                self.apply(_E.ENTERED)

    @precondition(lambda self: self.in_room)
    @rule()
    def the_entry_is_found(self) -> None:
        self.apply(_E.ENTERED)

    @precondition(lambda self: self.requests)
    @rule(is_answered=st.booleans(), is_carried_out=st.booleans())
    def a_request_arrives(self, is_answered: bool, is_carried_out: bool) -> None:
        mode = self.requests.pop()
        if self.in_room and (is_carried_out or is_answered):
            self.truth = mode
        if self.leg.asked is mode:
            self.leg = self.leg.answered(mode if is_answered and self.in_room else None)
        self.ask()

    @rule()
    def the_supervisor_leaves(self) -> None:
        self.apply(_E.STOPPED)

    @rule()
    def the_call_ends(self) -> None:
        self.is_over, self.in_room = True, False
        self.apply(_E.CALL_OVER)

    @precondition(lambda self: self.leg_exists)
    @rule()
    def the_leg_ends(self) -> None:
        self.leg_exists = self.in_room = False
        self.apply(_E.LEG_OVER)

    @invariant()
    def what_is_said_to_hold_holds(self) -> None:
        if self.leg.state is _S.CONNECTED and self.in_room and self.leg.is_settled:
            assert self.truth is self.leg.wants

    @invariant()
    def nothing_stays_after_the_call(self) -> None:
        if self.is_over:
            assert self.leg.state in {_S.LEAVING, _S.ENDED}

    @invariant()
    def an_ended_leg_is_called_no_more(self) -> None:
        if _S.ENDED in self.seen:
            assert self.leg.state is _S.ENDED

    def teardown(self) -> None:
        """When every answer comes, it is as the supervisor wants."""
        for _ in range(3):
            if self.requests:
                mode = self.requests.pop()
                self.truth = mode if self.in_room else self.truth
                self.leg = self.leg.answered(mode)
            self.ask()
        if self.leg.state is _S.CONNECTED:
            assert self.leg.is_settled


TestEars = Ears.TestCase


@pytest.mark.parametrize("state", ListenState)
@pytest.mark.parametrize("event", ListenEvent)
def test_what_the_table_does_not_name_changes_nothing(state: ListenState, event: ListenEvent):
    leg = Listening(state=state, wants=ListenMode.WHISPER)
    after = leg.after(event)
    if (state, event) in LISTEN_STATES:
        assert after.state is LISTEN_STATES[state, event]
        assert after.wants is ListenMode.WHISPER
    else:
        assert after is leg


def test_who_enters_is_muted_and_who_leaves_chooses_no_more():
    leg = Listening(state=_S.CALLING, wants=ListenMode.STEP_IN)
    assert not leg.is_settled
    entered = leg.after(_E.ENTERED)
    assert (entered.has, entered.next_request()) == (ListenMode.LISTEN, ListenMode.STEP_IN)
    leaving = entered.after(_E.STOPPED)
    assert leaving.choose(ListenMode.LISTEN) is leaving
    assert leaving.next_request() is None
    assert leaving.after(_E.LEG_OVER).is_settled


@pytest.mark.parametrize(
    ("is_muted", "coaches", "mode"),
    [
        (True, False, ListenMode.LISTEN),
        (True, True, ListenMode.LISTEN),
        (False, True, ListenMode.WHISPER),
        (False, False, ListenMode.STEP_IN),
    ],
)
def test_what_a_participant_is(is_muted: bool, coaches: bool, mode: ListenMode):
    assert mode_of(is_muted=is_muted, coaches=coaches) is mode
