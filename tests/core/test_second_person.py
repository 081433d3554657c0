"""A request for a second person and the states of two-card control: what each event moves, in the order of random
stories.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from itertools import product
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from dialer.core import second_person
from dialer.core.cards import (
    DETERMINATION_MOVES,
    DETERMINATION_WORDS,
    FREED_DETERMINATIONS,
    OBJECTION_MOVES,
    OPEN_QUESTIONS,
    OPENER_MOVES,
    QUESTION_MOVES,
    DeterminationState,
    ObjectionState,
    OpenerEvent,
    OpenerState,
    QuestionEvent,
    QuestionState,
)
from dialer.core.errors import Conflict
from dialer.core.second_person import (
    REQUEST_MOVES,
    RequestEvent,
    RequestState,
    moves_in_words,
    state_after,
)

_Q, _P, _D = QuestionState, OpenerState, DeterminationState
MACHINES: dict[str, tuple[Any, type[StrEnum], StrEnum]] = {
    "request": (REQUEST_MOVES, RequestState, RequestState.WAITING),
    "question": (QUESTION_MOVES, QuestionState, QuestionState.WAITING),
    "finding": (OPENER_MOVES, OpenerState, OpenerState.LISTED),
    "determination": (DETERMINATION_MOVES, DeterminationState, DeterminationState.WAITING),
    "objection": (OBJECTION_MOVES, ObjectionState, ObjectionState.OPEN),
}


def test_the_table_of_the_docstring_is_true():
    rows = [re.split(r"  +", line) for line in (second_person.__doc__ or "").splitlines()]
    said = {
        row[0]: tuple(row[1].split(" to ")) for row in rows if len(row) == 3 and row[0] in set(RequestEvent)
    }
    assert said == {event: next(iter(moves.items())) for event, moves in REQUEST_MOVES.items()}
    assert all(len(moves) == 1 for moves in REQUEST_MOVES.values())


@pytest.mark.parametrize("name", MACHINES)
def test_every_state_is_reached_and_every_impossible_act_is_a_conflict(name: str):
    moves, states, first = MACHINES[name]
    reached = {first} | {after for each in moves.values() for after in each.values()}
    assert reached == set(states)
    for state, event in product(states, moves):
        if state in moves[event]:
            assert state_after(moves, state, event, otherwise="no") is moves[event][state]
        else:
            with pytest.raises(Conflict) as refused:
                state_after(moves, state, event, otherwise="no")
            assert (str(refused.value), refused.value.current) == ("no", state.value)


def test_a_decision_is_made_once():
    for event in (RequestEvent.APPROVED, RequestEvent.REFUSED, RequestEvent.WITHDRAWN, RequestEvent.EXPIRED):
        assert REQUEST_MOVES[event].keys() == {RequestState.WAITING}
    assert {
        state for state in _D if state not in {_D.WAITING, _D.IN_FORCE, _D.LIFTED}
    } == FREED_DETERMINATIONS
    assert OBJECTION_MOVES[RequestEvent.EXPIRED] == {}


def test_a_kind_without_a_state_has_no_move_to_it():
    words = {RequestState.WAITING: _D.WAITING, RequestState.APPROVED: _D.IN_FORCE}
    assert moves_in_words(words) == {
        RequestEvent.APPROVED: {_D.WAITING: _D.IN_FORCE},
        **{event: {} for event in RequestEvent if event is not RequestEvent.APPROVED},
    }
    assert moves_in_words(DETERMINATION_WORDS) == DETERMINATION_MOVES


class _Story(RuleBasedStateMachine):
    """Events in any order; an impossible one changes nothing."""

    moves: Mapping[Any, Mapping[Any, Any]]
    first: Any

    def __init__(self) -> None:
        super().__init__()
        self.state = self.first
        self.happened: list[Any] = []

    @rule(data=st.data())
    def something_happens(self, data: st.DataObject) -> None:
        event = data.draw(st.sampled_from(sorted(self.moves)))
        try:
            self.state = state_after(self.moves, self.state, event, otherwise="no")
        except Conflict:
            return
        self.happened.append(event)


class QuestionStory(_Story):
    moves, first = QUESTION_MOVES, _Q.WAITING

    @invariant()
    def an_answer_follows_a_claim_or_silence_and_nothing_follows_what_the_outlet_decided(self) -> None:
        events = self.happened
        assert (self.state in OPEN_QUESTIONS) == (set(events) <= {QuestionEvent.CLAIMED})
        if QuestionEvent.OVERTAKEN in events:
            assert (events[-1], self.state) == (QuestionEvent.OVERTAKEN, _Q.OVERTAKEN)
        if QuestionEvent.ANSWERED in events:
            assert events[-1] is QuestionEvent.ANSWERED
            assert {QuestionEvent.CLAIMED, QuestionEvent.LAPSED} & set(events)


class FindingStory(_Story):
    moves, first = OPENER_MOVES, _P.LISTED

    @invariant()
    def nobody_decides_before_somebody_has_signed_and_a_decision_is_made_once(self) -> None:
        decisions = [one for one in self.happened if one is not OpenerEvent.SIGNED]
        assert decisions in (
            [],
            [OpenerEvent.CONFIRMED],
            [OpenerEvent.LIFTED],
            [OpenerEvent.CONFIRMED, OpenerEvent.OBJECTION_UPHELD],
        )
        if decisions:
            assert self.happened[0] is OpenerEvent.SIGNED
            assert self.happened[-len(decisions) :] == decisions


class DeterminationStory(_Story):
    moves, first = DETERMINATION_MOVES, _D.WAITING

    @invariant()
    def nobody_is_restricted_without_approval_or_after_the_lifting(self) -> None:
        approved, undone = RequestEvent.APPROVED, RequestEvent.UNDONE
        assert (self.state is _D.IN_FORCE) == (self.happened == [approved])
        assert (self.state is _D.LIFTED) == (self.happened == [approved, undone])
        assert (self.state in FREED_DETERMINATIONS) == bool(
            {RequestEvent.REFUSED, RequestEvent.EXPIRED} & set(self.happened)
        )
        assert len(self.happened) < 3


class ObjectionStory(_Story):
    moves, first = OBJECTION_MOVES, ObjectionState.OPEN

    @invariant()
    def it_is_open_until_it_is_decided_once(self) -> None:
        assert (self.state is ObjectionState.OPEN) == (self.happened == [])
        assert len(self.happened) <= 1


TestQuestion = QuestionStory.TestCase
TestFinding = FindingStory.TestCase
TestDetermination = DeterminationStory.TestCase
TestObjection = ObjectionStory.TestCase
