"""The states of a verdict: nothing is sent that was neither above the threshold nor drawn, and what was sent stays."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from dialer.core.values import VerdictState
from dialer.signals.verdicts import VERDICT_MOVES, VerdictEvent, moved

WARNED = {VerdictState.SENT, VerdictState.DRAWN}


class VerdictLife(RuleBasedStateMachine):
    """A verdict as the robot moves it: evaluations come at any time, warnings where the state allows one."""

    def __init__(self) -> None:
        super().__init__()
        self.state, self.is_above, self.first = VerdictState.BELOW, False, ""
        self.is_dropped = False

    def move(self, event: VerdictEvent) -> None:
        before, self.state = self.state, moved(self.state, event)
        if self.state in WARNED and before not in WARNED:
            self.first = event

    @rule()
    def is_evaluated_above(self) -> None:
        self.is_above = True
        self.move(VerdictEvent.ABOVE)

    @rule()
    def is_evaluated_below(self) -> None:
        self.is_above = False
        self.move(VerdictEvent.BELOW)

    @rule()
    def is_evaluated_with_a_higher_grade(self) -> None:
        self.is_above, self.is_dropped = True, False
        self.move(VerdictEvent.RISEN)

    @precondition(lambda self: self.state is VerdictState.HELD)
    @rule()
    def is_dropped_by_a_person(self) -> None:
        self.is_dropped = True
        self.move(VerdictEvent.DROPPED)

    @precondition(lambda self: self.state not in {VerdictState.BELOW, VerdictState.DROPPED})
    @rule()
    def is_sent(self) -> None:
        self.move(VerdictEvent.WARNED)

    @precondition(lambda self: self.state is VerdictState.BELOW)
    @rule()
    def is_drawn(self) -> None:
        self.move(VerdictEvent.DRAWN)

    @invariant()
    def what_waits_is_as_it_was_evaluated_and_what_was_sent_stays(self) -> None:
        if self.is_dropped:
            assert self.state is VerdictState.DROPPED
        elif not self.first:
            assert self.state is (VerdictState.HELD if self.is_above else VerdictState.BELOW)
        else:
            assert self.state is {"warned": VerdictState.SENT, "drawn": VerdictState.DRAWN}[self.first]


TestVerdictLife = VerdictLife.TestCase
TestVerdictLife.settings = settings(max_examples=50, stateful_step_count=12)


@pytest.mark.parametrize("event", VerdictEvent)
@pytest.mark.parametrize("state", VerdictState)
def test_an_event_that_cannot_happen_is_refused(state: VerdictState, event: VerdictEvent):
    impossible = {
        (VerdictState.BELOW, VerdictEvent.WARNED),
        (VerdictState.DROPPED, VerdictEvent.WARNED),
        *((other, VerdictEvent.DRAWN) for other in VerdictState if other is not VerdictState.BELOW),
        *((other, VerdictEvent.DROPPED) for other in VerdictState if other is not VerdictState.HELD),
    }
    if (state, event) in impossible:
        with pytest.raises(ValueError, match=f"is {state} is not {event}"):
            moved(state, event)
    else:
        assert moved(state, event) is VERDICT_MOVES[event][state]
