"""The life of a call attempt: what each state means, and any story of workers, a carrier and its late news."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from dialer.core import attempt
from dialer.core.attempt import (
    DOUBTFUL_STATES,
    LIVE_STATES,
    MOVES,
    OPEN_STATES,
    SENT_STATES,
    TAKEN_STATES,
    UNSENT_STATES,
    WAITING_STATES,
    AttemptEvent,
    AttemptState,
    state_after,
)

S, E = AttemptState, AttemptEvent
NEWS = (E.ACCEPTED, E.RINGING, E.ANSWERED, E.ENDED)
REACHED = dict(zip(NEWS, (S.ACCEPTED, S.RINGING, S.ANSWERED, S.ENDED), strict=True))


def test_every_state_is_unsent_in_doubt_taken_or_over():
    assert sorted([*UNSENT_STATES, *DOUBTFUL_STATES, *TAKEN_STATES, S.ENDED]) == sorted(S)
    assert OPEN_STATES == UNSENT_STATES | SENT_STATES


def test_an_attempt_holds_its_line_from_the_claim_to_the_end():
    assert LIVE_STATES == OPEN_STATES - WAITING_STATES
    assert {S.PLANNED, S.READY} == WAITING_STATES
    assert {S.CLAIMED} == UNSENT_STATES - WAITING_STATES


@pytest.mark.parametrize("event", E)
def test_nothing_changes_an_attempt_that_has_ended(event: AttemptEvent):
    assert state_after(S.ENDED, event) is None


@pytest.mark.parametrize("event", E)
def test_only_proof_that_the_carrier_has_no_call_makes_a_sent_attempt_waiting_again(event: AttemptEvent):
    back = {state for state in SENT_STATES if state_after(state, event) in UNSENT_STATES}
    assert back == (DOUBTFUL_STATES if event is E.NOT_TAKEN else set())


@pytest.mark.parametrize("state", S)
def test_only_a_claimed_attempt_is_posted_and_only_a_ready_one_is_claimed(state: AttemptState):
    assert state_after(state, E.POSTING) == (S.SENDING if state is S.CLAIMED else None)
    assert state_after(state, E.CLAIMED) == (S.CLAIMED if state is S.READY else None)


@given(
    first=st.sampled_from(sorted(OPEN_STATES)),
    news=st.lists(st.sampled_from(NEWS), min_size=1, max_size=6),
    data=st.data(),
)
def test_news_of_the_carrier_gives_the_same_state_in_any_order_and_however_often(
    first: AttemptState, news: list[AttemptEvent], data: st.DataObject
):
    furthest = max(news, key=NEWS.index)
    if first in TAKEN_STATES:
        furthest = max(furthest, *(e for e in NEWS if REACHED[e] is first), key=NEWS.index)
    for event in [*data.draw(st.permutations(news)), *news]:
        first = state_after(first, event) or first
    assert first is REACHED[furthest]


def test_the_tables_of_the_docstring_are_true():
    rows = [re.split(r"  +", line) for line in (attempt.__doc__ or "").splitlines()]
    states = {row[0]: row[2:4] for row in rows if len(row) == 5 and row[0] in set(S)}
    carrier = {
        "not asked": UNSENT_STATES,
        "in doubt": DOUBTFUL_STATES,
        "has taken": TAKEN_STATES,
        "is done": {S.ENDED},
    }
    assert states == {
        state: ["yes" if state in LIVE_STATES else "no", next(k for k, v in carrier.items() if state in v)]
        for state in S
    }
    events = {row[0]: (row[1], row[2]) for row in rows if len(row) == 3 and row[0] in set(E)}
    assert events.keys() == set(E)
    for event, (moves, to) in events.items():
        if moves.startswith("every state"):
            assert event in NEWS
            assert REACHED[event] == to
            assert MOVES[event].keys() == OPEN_STATES
        else:
            assert MOVES[AttemptEvent(event)] == dict.fromkeys(moves.split(", "), to)


class AttemptStory(RuleBasedStateMachine):
    """One attempt between workers that may die at any moment and a carrier whose news comes late, twice or never."""

    def __init__(self) -> None:
        super().__init__()
        self.state = S.PLANNED
        self.taken: list[int] = []
        """How far each call at the carrier has come, as a place in `NEWS`."""
        self.in_flight: bool | None = None
        """Of a POST whose answer is not known yet: whether the carrier took it."""
        self.lines = 0

    def happens(self, event: AttemptEvent) -> bool:
        before, to = self.state, state_after(self.state, event)
        if to is None:
            return False
        self.state = to
        self.lines += (to in LIVE_STATES) - (before in LIVE_STATES)
        return True

    @rule(event=st.sampled_from([E.DUE, E.PUT_OFF, E.CLAIMED]))
    def waits_and_is_claimed(self, event: AttemptEvent) -> None:
        self.happens(event)

    @rule(is_taken=st.booleans())
    def a_worker_posts_it(self, *, is_taken: bool) -> None:
        if self.happens(E.POSTING):
            self.in_flight = is_taken
            if is_taken:
                self.taken.append(0)

    @precondition(lambda self: self.state is S.CLAIMED)
    @rule()
    def its_worker_dies_before_the_post(self) -> None:
        assert self.happens(E.NOT_TAKEN)

    @precondition(lambda self: self.in_flight is not None)
    @rule(is_lost=st.booleans())
    def the_post_is_answered(self, *, is_lost: bool) -> None:
        is_taken, self.in_flight = self.in_flight, None
        if is_lost:
            self.happens(E.IN_DOUBT)
        else:
            self.happens(E.ACCEPTED if is_taken else E.NOT_TAKEN)

    @precondition(lambda self: self.state is S.SENDING)
    @rule()
    def its_worker_dies_after_the_post(self) -> None:
        self.in_flight = None
        assert self.happens(E.IN_DOUBT)

    @precondition(lambda self: self.state is S.UNKNOWN)
    @rule()
    def the_carrier_is_asked(self) -> None:
        assert self.happens(NEWS[self.taken[-1]] if self.taken else E.NOT_TAKEN)

    @precondition(lambda self: self.state is S.UNKNOWN)
    @rule()
    def the_carrier_cannot_be_asked_for_long(self) -> None:
        assert self.happens(E.ENDED)

    @precondition(lambda self: self.taken)
    @rule(places=st.integers(1, 3))
    def the_call_goes_on(self, places: int) -> None:
        self.taken[-1] = min(self.taken[-1] + places, len(NEWS) - 1)

    @precondition(lambda self: self.taken)
    @rule(data=st.data())
    def news_arrives(self, data: st.DataObject) -> None:
        news = data.draw(st.sampled_from(NEWS[: self.taken[-1] + 1]))
        was_over = self.state is S.ENDED
        assert self.happens(news) is not was_over

    @rule()
    def its_case_withdraws_it(self) -> None:
        was = self.state
        assert self.happens(E.WITHDRAWN) is (was in UNSENT_STATES)

    @invariant()
    def the_carrier_takes_it_once_at_most(self) -> None:
        assert len(self.taken) <= 1

    @invariant()
    def what_the_carrier_has_does_not_wait_to_be_dialled(self) -> None:
        if self.taken:
            assert self.state in SENT_STATES | {S.ENDED}

    @invariant()
    def it_is_never_ahead_of_the_carrier(self) -> None:
        if self.state in TAKEN_STATES:
            assert self.taken
            assert self.state in {REACHED[event] for event in NEWS[: self.taken[-1] + 1]}

    @invariant()
    def it_holds_one_line_while_it_is_live(self) -> None:
        assert self.lines == (1 if self.state in LIVE_STATES else 0)


TestAttemptStories = AttemptStory.TestCase
TestAttemptStories.settings = settings(stateful_step_count=40)
