"""A third party's leg and the hand-over: whatever is lost, late or repeated, nobody is cut off or left alone."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from dialer.core.third_party import (
    PARTY_STATES,
    HandOverStep,
    PartyEvent,
    PartyKind,
    PartyLeg,
    PartyState,
    ThirdParty,
    read_party,
)

_E, _S, _H = PartyEvent, PartyState, HandOverStep


class Conference(RuleBasedStateMachine):
    """A carrier with its own truth, whose reports and answers may be lost, and the desk that speaks to it."""

    def __init__(self) -> None:
        super().__init__()
        self.leg = PartyLeg()
        self.seen = [self.leg.state]
        self.desk = self.person = True
        self.party_exists = self.party = False
        self.held = self.desk_ends = True
        self.party_ends = False
        self.desk_left_known = False
        self.requests: list[HandOverStep] = []
        self.cut_off = ""

    def apply(self, event: PartyEvent) -> None:
        before = self.leg.state
        self.leg = self.leg.after(event)
        self.seen.append(self.leg.state)
        if self.leg.state is _S.CALLING and before is _S.MOVING:
            self.party_exists = True
        self.ask()

    def ask(self) -> None:
        step = self.leg.next_step()
        if step is not None:
            assert not self.requests, "two requests at once could overtake each other"
            self.leg = self.leg.ask(step)
            self.requests.append(step)

    def leaves(self, who: str) -> None:
        """What the carrier does when one is out of the room."""
        ends = {"desk": self.desk_ends, "person": True, "party": self.party_ends}[who]
        if who == "desk":
            self.desk = False
        elif who == "person":
            self.person = False
        else:
            self.party = self.party_exists = False
        if ends:
            if who == "party" and self.desk and self.person:
                self.cut_off = "the person and the desk, by a third party that left"
            self.desk = self.person = self.party = self.party_exists = False

    # What happens at the carrier.

    @precondition(lambda self: self.desk and self.person)
    @rule()
    def the_room_begins(self) -> None:
        self.apply(_E.ROOM_BEGAN)

    @precondition(lambda self: self.party_exists and self.leg.is_live and not self.party)
    @rule(is_reported=st.booleans())
    def the_third_party_answers(self, is_reported: bool) -> None:
        if self.person and self.desk:
            self.party = True
            if is_reported:
                self.apply(_E.ENTERED)

    @precondition(lambda self: self.party)
    @rule()
    def the_entry_is_found(self) -> None:
        self.apply(_E.ENTERED)

    @precondition(lambda self: self.party_exists)
    @rule(is_reported=st.booleans())
    def the_third_party_hangs_up(self, is_reported: bool) -> None:
        self.leaves("party")
        if is_reported:
            self.apply(_E.LEG_OVER)

    @precondition(lambda self: self.desk)
    @rule()
    def the_desk_hangs_up(self) -> None:
        self.leaves("desk")

    @precondition(lambda self: not self.desk and not self.desk_left_known)
    @rule()
    def the_end_of_the_desk_is_reported(self) -> None:
        self.desk_left_known = True
        self.apply(_E.DESK_LEFT)

    @precondition(lambda self: self.person)
    @rule()
    def the_person_hangs_up(self) -> None:
        self.leaves("person")

    @precondition(lambda self: not self.person)
    @rule()
    def the_end_of_the_person_is_reported(self) -> None:
        self.apply(_E.CALL_OVER)

    @precondition(lambda self: not self.party_exists)
    @rule()
    def the_end_of_the_third_party_is_found(self) -> None:
        if self.leg.state is not _S.MOVING:
            self.apply(_E.LEG_OVER)

    # What the desk wants.

    @rule()
    def the_desk_hands_over(self) -> None:
        self.apply(_E.HAND_OVER)

    @rule()
    def the_desk_sends_away(self) -> None:
        if self.desk:
            self.apply(_E.STOPPED)

    # What the carrier is asked for.

    @precondition(lambda self: self.requests)
    @rule(arrives=st.booleans(), is_answered=st.booleans())
    def a_request_is_made(self, arrives: bool, is_answered: bool) -> None:
        step = self.requests.pop()
        done: bool | None = False
        if arrives:
            done = self.carry_out(step)
        self.leg = self.leg.answered(is_done=done is True and is_answered)
        if done is None and is_answered:
            self.apply(_E.LEG_OVER)

    @precondition(lambda self: not self.requests)
    @rule()
    def it_is_asked_again(self) -> None:
        self.ask()

    def carry_out(self, step: HandOverStep) -> bool | None:
        match step:
            case _H.LET_DESK_GO:
                self.desk_ends = self.desk_ends and not self.desk
                return self.desk
            case _H.TAKE_BACK:
                self.held = self.held and not self.person
                return self.person
            case _H.HANG_UP_DESK:
                if not self.party:
                    return None
                if self.desk:
                    assert not self.held, "the person is on hold, and the desk leaves"
                    assert not self.desk_ends, "the room ends, and the third party is to have the call"
                    self.leaves("desk")
                return True
            case _H.BIND:
                if not self.party:
                    return None
                self.party_ends = True
                return True

    # What must never be.

    @invariant()
    def nobody_is_cut_off(self) -> None:
        assert not self.cut_off

    @invariant()
    def what_is_over_stays_over(self) -> None:
        if _S.ENDED in self.seen:
            assert self.leg.state is _S.ENDED

    @invariant()
    def only_who_was_handed_the_call_has_it(self) -> None:
        if self.leg.state is _S.HAS_CALL:
            assert _S.TAKING_OVER in self.seen
            assert self.desk_left_known

    def teardown(self) -> None:
        """When every report and answer comes, the person has somebody, or is hung up by the rule for who is alone."""
        for _ in range(12):
            if not self.person:
                self.apply(_E.CALL_OVER)
            if not self.desk and not self.desk_left_known:
                self.desk_left_known = True
                self.apply(_E.DESK_LEFT)
            if not self.party_exists and self.leg.state is not _S.MOVING:
                self.apply(_E.LEG_OVER)
            if self.leg.state is _S.LEAVING:
                self.leaves("party")
            if self.requests:
                done = self.carry_out(self.requests.pop())
                self.leg = self.leg.answered(is_done=done is True)
                if done is None:
                    self.apply(_E.LEG_OVER)
            self.ask()
            if self.desk_left_known and self.leg.state is not _S.HAS_CALL:
                self.person = False  # nobody has them: their leg is ended
        if self.person and not self.desk:
            assert self.party
            assert self.party_ends
            assert self.leg.state is _S.HAS_CALL
        if not self.person:
            assert self.leg.state is _S.ENDED
        assert self.leg.state is not _S.TAKING_OVER


TestConference = Conference.TestCase


@pytest.mark.parametrize("state", PartyState)
@pytest.mark.parametrize("event", PartyEvent)
def test_what_the_table_does_not_name_changes_nothing(state: PartyState, event: PartyEvent):
    leg = PartyLeg(state=state, done=_H.LET_DESK_GO)
    after = leg.after(event)
    if (state, event) in PARTY_STATES:
        assert after == PartyLeg(state=PARTY_STATES[state, event], done=_H.LET_DESK_GO)
    else:
        assert after is leg


def test_the_requests_of_a_hand_over_come_in_their_order_and_one_at_a_time():
    leg = PartyLeg(state=_S.CONNECTED).after(_E.HAND_OVER)
    for step in (_H.LET_DESK_GO, _H.TAKE_BACK, _H.HANG_UP_DESK):
        assert leg.next_step() is step
        leg = leg.ask(step)
        assert leg.next_step() is None
        assert leg.answered(is_done=False).next_step() is step
        leg = leg.answered(is_done=True)
    assert leg.next_step() is None
    leg = leg.after(_E.DESK_LEFT)
    assert leg.next_step() is _H.BIND
    assert leg.ask(_H.BIND).answered(is_done=True).next_step() is None
    assert PartyLeg(state=_S.HAS_CALL).next_step() is _H.BIND


@pytest.mark.parametrize("state", PartyState)
def test_who_leaves_is_not_live(state: PartyState):
    assert PartyLeg(state=state).is_live is (state not in {_S.LEAVING, _S.ENDED})


def test_an_entry_of_the_list():
    found = read_party("bank:工商银行 止付专线=95588")
    assert found == ThirdParty(
        key="list:工商银行 止付专线", kind=PartyKind.BANK, name="工商银行 止付专线", number="95588"
    )
    assert read_party("interpreter:Mongolian=+8647812345678") is not None


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "bank=95588",
        "bank:=95588",
        "bank: =95588",
        "police:x=110",
        "bank:x=9",
        "bank:x=13800138000a",
        "bank:a=b=95588",
    ],
)
def test_what_is_no_entry(entry: str):
    assert read_party(entry) is None
