"""Voices between the calls of the SIP process, with sound buffers in place of the stack."""

from __future__ import annotations

import struct
from types import SimpleNamespace

import pytest

from carrier.lines.sip.stack_call import StackCall
from carrier.lines.sip.stack_voices import CUSHION_BYTES, Voices
from carrier.lines.sound import FRAME_BYTES


class Ended(Exception):
    """What the stack raises for a call that has just ended."""


class Audio:
    """The sound buffers of one call: what came in, and what is to go out."""

    def __init__(self) -> None:
        self.received = b""
        self.sent = b""
        self.is_gone = False

    def read(self, most: int) -> bytes:
        if self.is_gone:
            raise Ended
        taken, self.received = self.received[:most], self.received[most:]
        return taken

    def write(self, samples: bytes) -> int:
        if self.is_gone:
            raise Ended
        self.sent += samples
        return len(samples)


def frame(value: int) -> bytes:
    return struct.pack("<h", value) * (FRAME_BYTES // 2)


class Talk:
    """Answered calls and who of them hears whom."""

    def __init__(self, count: int) -> None:
        self.voices = Voices(Ended)
        self.calls = [StackCall(n) for n in range(count)]
        self.audio = [Audio() for _ in self.calls]
        for call, audio in zip(self.calls, self.audio, strict=True):
            call.native = SimpleNamespace(audio=audio)
            call.answered_at = 0.0
        self.now = 0.0

    def tick(self, *values: int | None) -> None:
        """Twenty milliseconds, in which each of the calls received a frame of this value, or nothing."""
        self.now += 0.02
        for audio, value in zip(self.audio, values, strict=True):
            if value is not None:
                audio.received += frame(value)
        self.voices.exchange(self.now)
        for call in self.calls:
            if call.joined is not None:
                self.voices.bridge(call, self.now)

    def heard(self) -> list[bytes]:
        """What each was sent since the last look."""
        found = [audio.sent for audio in self.audio]
        for audio in self.audio:
            audio.sent = b""
        return found


CUSHION = bytes(CUSHION_BYTES)


@pytest.fixture
def three() -> Talk:
    talk = Talk(3)
    first, second, third = talk.calls
    talk.voices.hear(first, (second, third))
    talk.voices.hear(second, (first, third))
    talk.voices.hear(third, (first, second))
    assert talk.heard() == [CUSHION] * 3
    return talk


def test_each_of_three_hears_the_sum_of_the_others(three: Talk):
    three.tick(1, 20, 300)
    assert three.heard() == [frame(320), frame(301), frame(21)]
    three.tick(None, 5, None)
    assert three.heard() == [frame(5), b"", frame(5)]
    assert all(three.voices.are_of(call) for call in three.calls)
    assert [call.heard_bytes for call in three.calls] == [FRAME_BYTES, 2 * FRAME_BYTES, FRAME_BYTES]


def test_a_prompt_is_heard_alone_and_what_was_said_meanwhile_does_not_follow(three: Talk):
    first = three.calls[0]
    first.speaks = True
    three.tick(1, 20, 300)
    assert three.heard() == [b"", frame(301), frame(21)]
    first.speaks, first.silent_until = False, three.now + 0.045
    three.tick(None, 20, 300)
    three.tick(None, 20, 300)
    assert three.heard()[0] == b""
    three.tick(None, 7, None)
    assert three.heard()[0] == CUSHION + frame(7)
    three.tick(None, 8, None)
    assert three.heard()[0] == frame(8)


def test_who_is_on_hold_is_heard_by_nobody_and_costs_nothing_here(three: Talk):
    first, second, third = three.calls
    three.voices.hear(second, ())
    three.voices.hear(first, (third,))
    three.voices.hear(third, (first,))
    assert second.mix is None
    assert not three.voices.are_of(second)
    three.tick(1, 20, 300)
    assert three.heard() == [frame(300), b"", frame(1)]
    assert three.audio[1].received == frame(20), "its keys are looked for by the process"


def test_an_ended_call_is_heard_no_more_and_the_last_one_is_in_no_conference(three: Talk):
    first, second, third = three.calls
    three.voices.over(third)
    three.tick(1, 20, 300)
    assert three.heard() == [frame(20), frame(1), b""]
    three.voices.over(second)
    assert [call.mix for call in three.calls] == [None, None, None]
    assert not three.voices.are_of(first)


def test_a_call_that_ends_within_a_tick_spoils_nothing_for_the_others(three: Talk):
    three.audio[2].is_gone = True
    three.tick(1, 20, 300)
    assert three.heard() == [frame(20), frame(1), b""]


def test_one_that_is_hung_up_is_neither_read_nor_written(three: Talk):
    three.calls[2].hung_up = True
    three.tick(1, 20, 300)
    assert three.heard() == [frame(20), frame(1), b""]
    assert three.audio[2].received == frame(300)


def test_two_that_are_joined_hear_each_other_at_once():
    talk = Talk(2)
    talk.voices.join(*talk.calls)
    assert talk.heard() == [CUSHION] * 2
    talk.tick(1, 20)
    assert talk.heard() == [frame(20), frame(1)]
    assert all(call.mix is None for call in talk.calls)


def test_joined_ones_are_parted_when_one_of_them_hears_others():
    talk = Talk(3)
    first, second, third = talk.calls
    talk.voices.join(first, second)
    talk.heard()
    talk.voices.hear(second, (third,))
    assert (first.joined, second.joined) == (None, None)
    talk.tick(1, 20, 300)
    assert talk.heard() == [b"", CUSHION + frame(300), b""]


def test_a_call_leaves_its_conference_when_it_is_joined(three: Talk):
    first, second, _ = three.calls
    three.voices.join(first, second)
    three.heard()
    assert first.mix is None
    three.tick(1, 20, 300)
    assert three.heard()[:2] == [frame(20), frame(1)]


def test_the_end_of_one_that_is_joined_parts_the_other():
    talk = Talk(2)
    talk.voices.join(*talk.calls)
    talk.voices.over(talk.calls[0])
    assert talk.calls[1].joined is None
