"""Hold and mute: whatever is lost, late or repeated, in the end it is as the desk wants, and asked for no more."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from dialer.core.talk import (
    RoomNews,
    RoomVoice,
    Talk,
    TalkChange,
    TalkStep,
    ask_talk,
    next_talk_step,
    report_talk,
)

NOW = datetime(2026, 12, 3, 9, 0, tzinfo=UTC)
ROOM = "CF1"


class Talks(RuleBasedStateMachine):
    """A desk, a carrier with its own truth, requests that overtake each other, and reports that do too or are lost."""

    def __init__(self) -> None:
        super().__init__()
        self.talk = Talk()
        self.now = NOW
        self.moved = False
        self.begun = False
        self.held = self.muted = False
        self.sequence = 0
        self.requests: list[TalkStep] = []
        self.reports: list[RoomNews] = []

    def ask(self) -> None:
        step = next_talk_step(self.talk)
        if step is not None:
            if step.enters:
                self.talk = replace(self.talk, in_room=True)
            self.requests.append(step)

    def carry_out(self, step: TalkStep) -> None:
        if step.enters:
            assert not self.moved, "a leg that enters again would end the call"
            self.moved = True
            return
        assert self.begun, "nobody is changed in a room that has not begun"
        if step.hold is not None and step.hold != self.held:
            self.held = step.hold
            self.report(RoomVoice.PERSON)
        if step.mute is not None and step.mute != self.muted:
            self.muted = step.mute
            self.report(RoomVoice.DESK)

    def report(self, voice: RoomVoice | None) -> None:
        self.sequence += 1
        self.reports.append(
            RoomNews(
                room_sid=ROOM,
                sequence=self.sequence,
                has_begun=voice is None,
                voice=voice,
                is_held=self.held and voice is RoomVoice.PERSON,
                is_muted=self.muted and voice is RoomVoice.DESK,
            )
        )

    @rule(change=st.sampled_from(TalkChange))
    def the_desk_asks(self, change: TalkChange) -> None:
        self.now += timedelta(seconds=1)
        self.talk = ask_talk(self.talk, change, now=self.now)
        self.ask()

    @precondition(lambda self: self.requests)
    @rule(data=st.data())
    def a_request_arrives(self, data: st.DataObject) -> None:
        self.carry_out(self.requests.pop(data.draw(st.integers(0, len(self.requests) - 1))))

    @precondition(lambda self: self.moved and not self.begun)
    @rule()
    def both_are_in_the_room(self) -> None:
        self.begun = True
        self.report(None)

    @precondition(lambda self: self.reports)
    @rule(data=st.data(), again=st.booleans())
    def a_report_arrives(self, data: st.DataObject, again: bool) -> None:
        place = data.draw(st.integers(0, len(self.reports) - 1))
        news = self.reports[place] if again else self.reports.pop(place)
        self.talk = report_talk(self.talk, news)
        self.ask()

    @rule()
    def a_report_of_another_room_changes_nothing(self) -> None:
        if self.talk.room_sid is None:
            return
        news = RoomNews(room_sid="CF2", sequence=10**6, voice=RoomVoice.PERSON, is_held=True)
        assert report_talk(self.talk, news) == self.talk

    @invariant()
    def without_a_wish_nothing_is_asked_of_a_plain_call(self) -> None:
        if not self.talk.in_room:
            assert not self.moved
            assert self.talk.is_settled

    @invariant()
    def what_differs_has_a_step_or_awaits_a_report(self) -> None:
        step = next_talk_step(self.talk)
        if self.talk.is_settled:
            assert step is None
        elif self.talk.room_sid is not None:
            assert step is not None
            assert (step.hold is None) == (self.talk.holds == self.talk.is_held)
            assert (step.mute is None) == (self.talk.mutes == self.talk.is_muted)

    def teardown(self) -> None:
        for _ in range(10):
            while self.requests:
                self.carry_out(self.requests.pop(0))
            if self.moved and not self.begun:
                self.both_are_in_the_room()
            while self.reports:
                self.talk = report_talk(self.talk, self.reports.pop(0))
                self.ask()
        assert not self.requests
        assert self.talk.is_settled
        assert (self.held, self.muted) == (self.talk.holds, self.talk.mutes)


TestTalks = Talks.TestCase


def test_a_second_press_of_hold_keeps_the_moment_of_the_first():
    talk = ask_talk(Talk(), TalkChange.HOLD, now=NOW)
    assert ask_talk(talk, TalkChange.HOLD, now=NOW + timedelta(seconds=9)) == talk
    assert ask_talk(talk, TalkChange.RESUME, now=NOW).hold_since is None


def test_a_report_before_the_legs_move_is_not_of_this_room():
    news = RoomNews(room_sid=ROOM, sequence=1, has_begun=True)
    assert report_talk(Talk(), news) == Talk()
