"""The lives of messages and of deliveries: any story of senders, a channel and its late news."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from dialer.core import outbox
from dialer.core.outbox import (
    DELIVERY_MOVES,
    MESSAGE_MOVES,
    ON_THE_WAY,
    UNDELIVERED_YET,
    DeliveryEvent,
    MessageEvent,
    news_of,
)
from dialer.core.values import MESSAGES_IN_DOUBT, DeliveryState, MessageState

S, E = MessageState, MessageEvent
ENDS = frozenset({S.DELIVERED, S.UNDELIVERED, S.FAILED})
NEWS = (E.ACCEPTED, E.SENT, E.DELIVERED, E.UNDELIVERED, E.FAILED)
ORDER = {S.PLANNED: 0, S.SENDING: 1, S.UNKNOWN: 1, S.ACCEPTED: 2, S.SENT: 3} | dict.fromkeys(ENDS, 4)


class MessageStory(RuleBasedStateMachine):
    """Senders take a message and die or answer; the channel, once it has it, says so late, repeated and disordered."""

    def __init__(self) -> None:
        super().__init__()
        self.state = S.PLANNED
        self.is_at_channel = False
        self.times_sent = 0

    def tell(self, event: MessageEvent) -> bool:
        before = self.state
        self.state = MESSAGE_MOVES[event].get(before, before)
        return self.state is not before

    @rule(arrives=st.booleans())
    def a_sender_takes_it(self, arrives: bool) -> None:
        if self.tell(E.SENDING):
            assert not self.is_at_channel, "it would be sent twice"
            self.times_sent += arrives
            self.is_at_channel = arrives

    @rule()
    def its_answer_is_lost(self) -> None:
        before = self.state
        self.tell(E.IN_DOUBT)
        assert (self.state is S.UNKNOWN) == (before in MESSAGES_IN_DOUBT)

    @precondition(lambda self: not self.is_at_channel)
    @rule()
    def the_channel_certainly_has_not_taken_it(self) -> None:
        self.tell(E.NOT_TAKEN)

    @precondition(lambda self: self.is_at_channel)
    @rule(news=st.sampled_from(NEWS))
    def news_comes(self, news: MessageEvent) -> None:
        before = self.state
        self.tell(news)
        assert ORDER[self.state] >= ORDER[before], "news only ever moves it forward"
        assert ORDER[self.state] >= ORDER[S(news.value)], "and at least to what it says"
        assert self.state is before or before not in ENDS, "an end stays"

    @invariant()
    def it_is_sent_once(self) -> None:
        assert self.times_sent <= 1


TestAnyStoryOfAMessage = MessageStory.TestCase


def test_every_state_waits_is_in_doubt_on_its_way_or_over():
    assert sorted([S.PLANNED, *MESSAGES_IN_DOUBT, *ON_THE_WAY, *ENDS]) == sorted(S)
    assert set(S) - ENDS == UNDELIVERED_YET


@pytest.mark.parametrize("event", E)
def test_each_event_has_one_end_and_changes_none(event: MessageEvent):
    assert len(set(MESSAGE_MOVES[event].values())) == 1
    assert ENDS.isdisjoint(MESSAGE_MOVES[event])


def test_what_no_channel_can_say_is_no_news():
    assert {news_of(S(event.value)) for event in NEWS} == set(NEWS)
    for state in (S.PLANNED, S.UNKNOWN):
        with pytest.raises(ValueError, match="is not a valid MessageEvent"):
            news_of(state)


class DeliveryStory(RuleBasedStateMachine):
    """Tries, the end of the webhook, and a person who has it sent again."""

    def __init__(self) -> None:
        super().__init__()
        self.state = DeliveryState.WAITING

    @rule(event=st.sampled_from(DeliveryEvent))
    def tell(self, event: DeliveryEvent) -> None:
        before = self.state
        self.state = DELIVERY_MOVES[event].get(before, before)
        if event is DeliveryEvent.SENT_AGAIN:
            assert self.state is DeliveryState.WAITING
        elif before is not DeliveryState.WAITING:
            assert self.state is before, "only a person moves what is over"
        else:
            assert self.state is not before


TestAnyStoryOfADelivery = DeliveryStory.TestCase


@pytest.mark.parametrize("states", [MessageState, DeliveryState])
def test_the_tables_in_its_text_name_every_state(states: type[StrEnum]):
    named = set(re.findall(r"^(\w+)  +\w", outbox.__doc__ or "", re.MULTILINE))
    assert {state.value for state in states} - {"waiting"} <= named


@pytest.mark.parametrize("moves", [MESSAGE_MOVES, DELIVERY_MOVES])
def test_nobody_changes_the_tables(moves: Mapping[StrEnum, Mapping[StrEnum, StrEnum]]):
    with pytest.raises(TypeError):
        moves[next(iter(moves))][next(iter(DeliveryState))] = DeliveryState.GIVEN_UP  # type: ignore[index]
