"""Which trunk takes a call, and the health of trunks: rests, trials, and what a call may show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from carrier.lines.sip.board import Health, Sign, TrunkBoard, TrunkState, sign_of
from carrier.lines.sip.trunks import SipEnd, Trunk
from tests.carrier.test_trunks import NUMBER, Called, trunk

FIRST, LONGEST = 15.0, 300.0


def test_order_weight_channels_and_rate():
    board = TrunkBoard([trunk("a", weight=2, channels=4), trunk("b", channels=2), trunk("c", order=2)])
    choices = [board.choose(NUMBER, now=0.0) for _ in range(7)]
    names = [choice.trunk.name for choice in choices if choice is not None]
    assert sorted(names[:6]) == ["a"] * 4 + ["b"] * 2
    assert set(names[:3]) == {"a", "b"}
    assert names[6] == "c"
    at = [choice.at for choice in choices if choice is not None and choice.trunk.name == "a"]
    assert at == pytest.approx([0.0, 0.2, 0.4, 0.6])


def test_a_trunk_whose_seconds_are_taken_for_long_takes_no_more_calls():
    """A call that waited a minute and a half was given up, and the person counted as not answering."""
    board = TrunkBoard([trunk("slow", calls_per_second=0.2), trunk("next", order=2)])
    choices = [board.choose(NUMBER, now=0.0) for _ in range(8)]
    assert [choice.trunk.name for choice in choices if choice is not None] == ["slow"] * 7 + ["next"]
    at = [choice.at for choice in choices[:7] if choice is not None]
    assert at == pytest.approx([0, 5, 10, 15, 20, 25, 30])


def test_a_trunk_that_is_not_registered_or_not_there_takes_no_call():
    board = TrunkBoard([trunk(registers=True, user="u", password="p")])
    assert board.choose(NUMBER, now=0.0) is None
    board.states["one"].is_registered = True
    assert board.choose(NUMBER, now=0.0) is not None
    board.states["one"].is_reachable = False
    assert board.choose(NUMBER, now=0.0) is None


def rest_of(sign: Sign) -> TrunkState:
    """A trunk that rests from 0 to 15 after three of this sign."""
    state = TrunkState(trunk=trunk())
    assert [state.note(sign, rests=0, now=0.0) for _ in range(3)] == [False, False, True]
    return state


def is_used(state: TrunkState, now: float) -> bool:
    return not state.problem(now)


@pytest.mark.parametrize("sign", [Sign.FAULT, Sign.SILENT])
def test_a_rest_doubles_with_each_trial_that_fails(sign: Sign):
    state, now, lengths = rest_of(sign), 0.0, []
    for _ in range(7):
        lengths.append(state.rests_until - now)
        assert not is_used(state, state.rests_until - 0.1)
        assert is_used(state, state.rests_until)
        now = state.rests_until + 0.1
        if sign is Sign.SILENT:
            assert not state.note(Sign.REACHED, rests=state.rests, now=now)
        assert state.note(sign, rests=state.rests, now=now)
    assert lengths == pytest.approx([15, 30, 60, 120, 240, 300, 300])


@pytest.mark.parametrize("sign", list(Sign))
def test_a_call_from_before_the_rest_neither_ends_nor_lengthens_it(sign: Sign):
    """One that still rang ended the rest of a trunk that failed."""
    for kind in (Sign.FAULT, Sign.SILENT):
        state = rest_of(kind)
        for now in (1.0, 15.1):
            assert not state.note(sign, rests=0, now=now)
        assert (state.rests, state.rests_until, state.rest_seconds) == (1, FIRST, FIRST)
        assert state.note(kind, rests=1, now=15.2), "it is still on trial"
        assert state.rest_seconds == 2 * FIRST


def test_what_ends_a_trial():
    for sign, proofs in ((Sign.FAULT, {Sign.REACHED, Sign.VOICE}), (Sign.SILENT, {Sign.VOICE})):
        for proof in (Sign.REACHED, Sign.VOICE):
            state = rest_of(sign)
            assert not state.note(proof, rests=1, now=16.0)
            is_proven = proof in proofs
            assert (state.health is Health.WORKING) == is_proven
            assert state.note(sign, rests=1, now=17.0) != is_proven, "a working trunk rests after three"


def test_a_trunk_that_was_proven_begins_with_the_first_rest_again():
    state = rest_of(Sign.FAULT)
    assert state.note(Sign.FAULT, rests=1, now=state.rests_until), "the rest is over at its last moment"
    assert state.rest_seconds == 2 * FIRST
    state.note(Sign.REACHED, rests=2, now=state.rests_until)
    assert [state.note(Sign.FAULT, rests=2, now=51.0) for _ in range(3)] == [False, False, True]
    assert state.rest_seconds == FIRST


def test_a_trunk_that_is_silent_on_trial_stays_suspected_of_silence_though_its_trial_fails_otherwise():
    state = rest_of(Sign.SILENT)
    assert state.note(Sign.FAULT, rests=1, now=16.0)
    assert state.health is Health.RESTING_SILENT
    state.note(Sign.REACHED, rests=2, now=50.0)
    assert state.health is Health.ON_TRIAL_SILENT


def test_three_in_a_row_are_three_without_another_between():
    state = TrunkState(trunk=trunk())
    for sign, clear in ((Sign.FAULT, Sign.REACHED), (Sign.FAULT, Sign.VOICE), (Sign.SILENT, Sign.VOICE)):
        for _ in range(2):
            for _ in range(2):
                assert not state.note(sign, rests=0, now=0.0)
            state.note(clear, rests=0, now=0.0)
    for _ in range(2):
        assert not state.note(Sign.SILENT, rests=0, now=0.0)
        state.note(Sign.REACHED, rests=0, now=0.0)
    assert state.note(Sign.SILENT, rests=0, now=0.0), "that each of them rang is no sound"


def test_a_call_in_says_nothing_of_a_trunk_that_rests():
    board = TrunkBoard([trunk()])
    state = board.states["one"]
    for _ in range(3):
        state.note(Sign.SILENT, rests=board.came_in("one"), now=0.0)
    assert state.health is Health.RESTING_SILENT
    assert not state.note(Sign.VOICE, rests=board.came_in("one"), now=20.0)
    assert not state.note(Sign.SILENT, rests=board.came_in("one"), now=20.0)
    assert (state.rests, state.rest_seconds, state.in_use) == (1, FIRST, 5)
    state.note(Sign.VOICE, rests=board.sent("one"), now=21.0)
    assert state.health is Health.WORKING


def test_what_the_end_of_a_call_shows():
    assert sign_of(SipEnd(status=503)) is Sign.FAULT
    assert sign_of(SipEnd(problem="Connection timed out")) is Sign.FAULT
    assert sign_of(SipEnd(status=486)) is Sign.REACHED


# Calls


def rested(called: Called) -> TrunkState:
    """Three calls over trunk `a` fail while the first one waits for its telephone."""
    for _ in range(3):
        leg = called.line.dial(NUMBER, nth=1, events=called.log)
        called.timers.run(1.0)
        called.line.heard({"on": "ended", "id": leg.id, "text": "503 Service Unavailable"})
        called.line.heard({"on": "ended", "id": leg.id, "text": "486 Busy Here"})
    state = called.line.board.states["a"]
    assert state.problem(called.timers.now) == "resting"
    return state


def test_a_telephone_that_rings_ends_no_rest_that_began_after_its_call_was_sent():
    called = Called()
    state = rested(called)
    called.hears("ringing")
    assert state.problem(called.timers.now) == "resting"
    called.hears("answered")
    called.hears("ended", text="", voice=True)
    assert state.problem(called.timers.now) == "resting"


def test_a_call_that_waited_for_its_second_goes_elsewhere_when_its_trunk_rests():
    called = Called()
    slow = {"calls_per_second": 0.25}
    called.line.board = TrunkBoard([trunk("a", **slow), trunk("b", order=2)])
    first = called.line.dial(NUMBER, nth=1, events=called.log)
    second = called.line.dial(NUMBER, nth=1, events=called.log)
    called.timers.run(1.0)
    state = called.line.board.states["a"]
    for _ in range(2):
        state.note(Sign.FAULT, rests=0, now=called.timers.now)
    called.line.heard({"on": "ended", "id": first.id, "text": "503 Service Unavailable"})
    called.timers.run(5.0)
    told = {(message["id"], message["trunk"]) for message in called.told[1:] if message["do"] == "dial"}
    assert told == {(first.id, "a"), (first.id, "b"), (second.id, "b")}
    assert (state.in_use, state.placed) == (0, 1)


@pytest.mark.parametrize("ended_by_us", [False, True])
def test_every_answered_call_with_sound_ends_a_row_of_silent_ones(ended_by_us: bool):
    """The robot ends most calls itself: only those that the person hung up counted."""
    called = Called()
    state = called.line.board.states["a"]
    for _ in range(2):
        state.note(Sign.SILENT, rests=0, now=0.0)
    called.hears("answered")
    if ended_by_us:
        called.leg.hang_up()
    called.hears("ended", text="", voice=True)
    assert state.in_a_row[Sign.SILENT] == 0


def test_a_call_that_ends_before_any_sound_could_come_is_no_sign():
    called = Called()
    state = called.line.board.states["a"]
    for _ in range(2):
        state.note(Sign.SILENT, rests=0, now=0.0)
    called.hears("answered")
    called.hears("ended", text="", voice=False)
    assert state.in_a_row[Sign.SILENT] == 2
    assert called.what == ["rings", "answered", "hung_up"]


def test_three_silent_calls_rest_the_trunk():
    called = Called()
    for _ in range(3):
        called.hears("answered")
        called.hears("silent")
        called.hears("ended", text="", voice=False)
        assert called.leg.line_result == "no_sound"
        called.leg = called.line.dial(NUMBER, nth=1, events=called.log)
        called.timers.run(1.0)
    state = called.line.board.states["a"]
    assert state.ends == {"no_sound": 3}
    assert state.problem(called.timers.now) == "resting"
    assert called.told[-1]["trunk"] == "b"


@dataclass(slots=True)
class Placed:
    """A call of the story: when it was sent, and whether its telephone has rung and was answered."""

    sent_at: float
    rests: int
    is_in: bool = False
    rang: bool = False
    answered: bool = False


class TrunkStory(RuleBasedStateMachine):
    """Calls over one trunk in any order, compared with what a rest means, told without its states."""

    def __init__(self) -> None:
        super().__init__()
        self.board = TrunkBoard([Trunk(name="one", address="127.0.0.1", number="110", channels=1000)])
        self.state = self.board.states["one"]
        self.now = 0.0
        self.calls: list[Placed] = []
        self.rest: tuple[float, float] | None = None
        """The last rest since the trunk was last proven: when it began, and its seconds."""
        self.is_silence = False
        self.faults = self.silences = 0

    def note(self, call: Placed, sign: Sign) -> None:
        began = self.state.note(sign, rests=call.rests, now=self.now)
        if self.rest is None:
            self.working(call, sign, began=began)
        else:
            self.on_trial(call, sign, began=began)

    def working(self, call: Placed, sign: Sign, *, began: bool) -> None:
        if call.sent_at <= self.proven_from:
            assert not began, "a call from before the last rest"
            return
        if sign is Sign.VOICE:
            self.faults = self.silences = 0
        elif sign is Sign.REACHED:
            self.faults = 0
        elif sign is Sign.FAULT:
            self.faults += 1
        else:
            self.silences += 1
        assert began == (self.faults == 3 or self.silences == 3)
        if began:
            self.begins(15.0, silence=self.silences == 3)

    def on_trial(self, call: Placed, sign: Sign, *, began: bool) -> None:
        assert self.rest is not None
        start, seconds = self.rest
        if call.is_in or call.sent_at < start + seconds:
            assert not began, "only a call that was sent after the rest says something"
        elif sign is Sign.VOICE or (sign is Sign.REACHED and not self.is_silence):
            assert not began
            self.rest, self.proven_from = None, start
        elif sign is not Sign.REACHED:
            assert began
            self.begins(min(2 * seconds, 300.0), silence=self.is_silence)

    proven_from = -1.0
    """When the last rest began that is over and disproved."""

    def begins(self, seconds: float, *, silence: bool) -> None:
        self.rest, self.is_silence, self.faults, self.silences = (self.now, seconds), silence, 0, 0
        assert self.state.rests_until == self.now + seconds

    @rule(seconds=st.sampled_from([0.1, 1.0, 14.0, 16.0, 70.0, 310.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def call(self) -> None:
        self.now += 0.001
        choice = self.board.choose(NUMBER, now=self.now)
        rests = self.rest is not None and self.now < sum(self.rest)
        if choice is None:
            assert rests or self.state.next_slot - self.now > 30
            return
        assert not rests, "a trunk that rests takes no call"
        self.calls.append(Placed(sent_at=self.now, rests=self.board.sent("one")))

    @rule()
    def call_in(self) -> None:
        self.now += 0.001
        is_unproven = self.rest is not None
        made = Placed(sent_at=self.now, rests=self.board.came_in("one"), is_in=True, rang=True)
        assert (made.rests != self.state.rests) == is_unproven
        made.sent_at = -1.0 if is_unproven else made.sent_at
        self.calls.append(made)

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def ring(self, data: Any) -> None:  # noqa: ANN401 - Hypothesis
        call = data.draw(st.sampled_from(self.calls))
        if not call.rang:
            call.rang = True
            self.note(call, Sign.REACHED)

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), sign=st.sampled_from([Sign.FAULT, Sign.REACHED, Sign.VOICE, Sign.SILENT]))
    def end(self, data: Any, sign: Sign) -> None:  # noqa: ANN401 - Hypothesis
        call = self.calls.pop(data.draw(st.integers(0, len(self.calls) - 1)))
        if call.is_in and sign is Sign.FAULT:
            sign = Sign.VOICE
        if sign in {Sign.VOICE, Sign.SILENT} and not call.rang:
            self.note(call, Sign.REACHED)
        self.board.released("one")
        self.note(call, sign)

    @invariant()
    def channels_are_those_of_calls(self) -> None:
        assert self.state.in_use == len(self.calls)

    @invariant()
    def it_rests_exactly_as_long_as_it_should(self) -> None:
        rests = self.rest is not None and self.now < sum(self.rest)
        assert self.state.problem(self.now) == ("resting" if rests else "")


TestTrunkStory = TrunkStory.TestCase
