"""The limits by which a beep, a greeting and our own sound are recognised, frame by frame."""

from __future__ import annotations

import audioop
import random
import struct

import pytest

from carrier.lines.sound import BYTES_A_SECOND, FRAME_BYTES, sine_tone
from carrier.lines.voice import BeepDetector, GreetingJudge, OwnSound, tone_of
from carrier.people import AnsweredBy

QUIET = bytes(FRAME_BYTES)


def frames(hertz: float, count: int, *, level: int = 8000) -> list[bytes]:
    sound = sine_tone(hertz, count * 0.02, level=level)
    return [sound[at : at + FRAME_BYTES] for at in range(0, len(sound), FRAME_BYTES)]


def noise(count: int, *, level: int, seed: int) -> bytes:
    """Frames of noise, whose samples lie below this level."""
    chance = random.Random(seed)
    samples = count * FRAME_BYTES // 2
    return struct.pack(f"<{samples}h", *(chance.randint(-level, level) for _ in range(samples)))


RUSTLE = noise(1, level=9000, seed=1)
"""A frame that is loud and no tone."""


# A tone, and a beep


@pytest.mark.parametrize("hertz", [300, 450, 1000, 2500, 3500])
def test_the_pitch_of_a_tone_is_exact(hertz: float):
    assert tone_of(frames(hertz, 1)[0]) == pytest.approx(hertz, rel=0.002)


def test_what_is_quiet_or_no_tone_has_no_pitch():
    assert tone_of(frames(1000, 1, level=480)[0]) == 0
    assert tone_of(frames(1000, 1, level=510)[0]) == pytest.approx(1000, rel=0.01)
    for samples in ([8000] * 160, [8000, -8000] * 80):
        assert tone_of(struct.pack("<160h", *samples)) == 0
    assert tone_of(RUSTLE) == 0


@pytest.mark.parametrize(("share", "is_tone"), [(0.05, True), (0.2, False)])
def test_noise_in_a_tone_is_borne_up_to_a_limit(share: float, is_tone: bool):
    mixed = audioop.add(frames(1000, 1)[0], noise(1, level=round(8000 * share), seed=2), 2)
    assert bool(tone_of(mixed)) is is_tone


def over_at(*fed: tuple[bytes, bool]) -> list[int]:
    """The numbers of the frames at which a beep was over."""
    detector = BeepDetector()
    return [n for n, (frame, voice) in enumerate(fed) if detector.feed(frame, voice=voice)]


def tone(hertz: float, count: int, *, voice: bool = True) -> list[tuple[bytes, bool]]:
    return [(frame, voice) for frame in frames(hertz, count)]


def quiet(count: int) -> list[tuple[bytes, bool]]:
    return [(QUIET, False)] * count


@pytest.mark.parametrize(("count", "is_beep"), [(6, False), (7, True), (100, True), (101, False)])
def test_a_beep_lasts_seven_to_a_hundred_frames_and_is_over_with_the_third_quiet_one(
    count: int, is_beep: bool
):
    assert over_at(*quiet(5), *tone(1000, count), *quiet(10)) == ([5 + count + 2] if is_beep else [])


@pytest.mark.parametrize(("hertz", "is_beep"), [(490, False), (510, True), (2480, True), (2520, False)])
def test_a_beep_is_neither_low_nor_high(hertz: float, is_beep: bool):
    assert bool(over_at(*tone(hertz, 20), *quiet(5))) is is_beep


@pytest.mark.parametrize(("hertz", "is_same"), [(965, True), (1035, True), (955, False), (1045, False)])
def test_a_beep_keeps_its_pitch(hertz: float, is_same: bool):
    assert bool(over_at(*tone(1000, 5), *tone(hertz, 5), *quiet(5))) is is_same


@pytest.mark.parametrize(("edges", "is_beep"), [(1, True), (3, True), (4, False)])
def test_the_end_of_a_beep_may_sound_otherwise_for_three_frames(edges: int, is_beep: bool):
    assert bool(over_at(*tone(1000, 10), *[(RUSTLE, True)] * edges, *quiet(5))) is is_beep


@pytest.mark.parametrize(("count", "is_beep"), [(6, False), (7, True), (100, True), (101, False)])
def test_a_beep_of_any_length_may_end_so(count: int, is_beep: bool):
    assert bool(over_at(*tone(1000, count), (RUSTLE, True), *quiet(5))) is is_beep


def test_two_short_tones_with_a_pause_are_no_beep():
    assert over_at(*tone(1000, 5), *quiet(2), *tone(1000, 5), *quiet(5)) == []
    assert over_at(*tone(1000, 8), *quiet(2), *tone(1000, 8), *quiet(5)) == [20]


def test_a_tone_that_is_no_voice_any_more_goes_on():
    assert over_at(*tone(1000, 4), *tone(1000, 4, voice=False), *quiet(5)) == [10]


def test_each_beep_is_over_once():
    fed = [*tone(1000, 10), *quiet(20), *tone(800, 10), *quiet(20)]
    assert over_at(*fed) == [12, 42]


# A greeting


def judged(*fed: tuple[bytes, bool]) -> list[tuple[AnsweredBy, float, float]]:
    judge, found = GreetingJudge(), []
    for frame, voice in fed:
        verdict = judge.feed(frame, voice=voice)
        if verdict is not None:
            seconds = round(verdict.after_seconds, 2), round(verdict.greeting_seconds, 2)
            found.append((verdict.answered_by, *seconds))
    return found


def spoken(seconds: float) -> list[tuple[bytes, bool]]:
    return [(RUSTLE, True)] * round(seconds * 50)


def silent(seconds: float) -> list[tuple[bytes, bool]]:
    return quiet(round(seconds * 50))


def test_without_a_voice_the_verdict_comes_after_five_seconds_and_once():
    [(by, after, greeting)] = judged(*silent(12))
    assert (by, greeting) == (AnsweredBy.UNKNOWN, 0.0)
    assert after == pytest.approx(5.0, abs=0.03)


def test_a_person_is_known_a_second_after_the_end_of_a_short_greeting():
    [(by, after, greeting)] = judged(*silent(1), *spoken(0.6), *silent(5))
    assert by is AnsweredBy.HUMAN
    assert after == pytest.approx(2.6, abs=0.03)
    assert greeting == pytest.approx(0.58, abs=0.03)


@pytest.mark.parametrize(("pause", "by"), [(0.9, AnsweredBy.MACHINE_START), (1.1, AnsweredBy.HUMAN)])
def test_a_pause_within_a_greeting_counts_as_its_end_from_a_second_on(pause: float, by: AnsweredBy):
    assert judged(*spoken(1.5), *silent(pause), *spoken(2), *silent(0.5))[0][0] is by


@pytest.mark.parametrize(("seconds", "by"), [(2.9, AnsweredBy.HUMAN), (3.1, AnsweredBy.MACHINE_START)])
def test_three_seconds_of_greeting_are_a_machine_s(seconds: float, by: AnsweredBy):
    assert judged(*spoken(seconds), *silent(1.2))[0][0] is by


def test_a_machine_that_waits_is_told_two_seconds_and_a_half_after_its_greeting():
    begun, ended = judged(*spoken(5), *silent(6))
    assert begun[0] is AnsweredBy.MACHINE_START
    assert begun[1] == pytest.approx(3.02, abs=0.03)
    assert ended[0] is AnsweredBy.MACHINE_END_SILENCE
    assert ended[1:] == pytest.approx((7.5, 4.98), abs=0.03)


def test_a_beep_decides_whatever_came_before_it():
    [(by, after, _)] = judged(*spoken(1), *tone(1000, 20), *silent(5))
    assert by is AnsweredBy.MACHINE_END_BEEP
    assert after == pytest.approx(1.46, abs=0.03)


# Our own sound


class Line:
    """What we send comes back after a delay, frame by frame, and more comes with it."""

    def __init__(self) -> None:
        self.own = OwnSound()
        self._heard: list[bytes] = []

    def run(self, sent: bytes, heard: bytes) -> list[bool]:
        """Whether our own sound was found with each frame."""
        found = []
        for at in range(0, len(sent), FRAME_BYTES):
            self.own.sent(sent[at : at + FRAME_BYTES])
            self.own.received(FRAME_BYTES)
            self._heard = [*self._heard[-4:], heard[at : at + FRAME_BYTES]]
            newest = b"".join(self._heard)
            # Silence is no voice, and nobody asks whose it is.
            found.append(audioop.rms(newest, 2) > 20 and self.own.is_in(newest, before_end=0))
        return found


def back(sent: bytes, *, seconds: float, factor: float = 0.2) -> bytes:
    return (bytes(round(seconds * BYTES_A_SECOND / 2) * 2) + audioop.mul(sent, 2, factor))[: len(sent)]


OURS = noise(100, level=9000, seed=3)


@pytest.mark.parametrize("seconds", [0.02, 0.31, 0.9, 1.0])
def test_our_sound_is_found_at_any_delay_up_to_a_second(seconds: float):
    found = Line().run(OURS, back(OURS, seconds=seconds))
    # Within three frames of the first whole tenth of a second, which is the fifth frame.
    assert all(found[round(seconds * 50) + 7 :])


def test_another_sound_is_not_ours():
    assert not any(Line().run(OURS, noise(100, level=2000, seed=4)))


def test_what_comes_back_more_than_a_second_after_our_sound_has_ended_is_not_looked_for():
    sent = OURS[: 20 * FRAME_BYTES] + bytes(80 * FRAME_BYTES)
    assert any(Line().run(sent, back(sent, seconds=0.9)))
    assert not any(Line().run(sent, back(sent, seconds=1.45)))


@pytest.mark.parametrize(("level", "is_found"), [(95, False), (105, True)])
def test_what_nobody_can_hear_does_not_come_back(level: int, is_found: bool):
    sent = noise(100, level=level, seed=5)
    assert any(Line().run(sent, back(sent, seconds=0.3, factor=10.0))) is is_found


def test_at_a_delay_that_is_known_less_of_it_is_enough():
    """Two fifths of the power of what is heard are ours: no proof by themselves."""
    mixed = audioop.add(
        back(OURS, seconds=0.3, factor=0.2), noise(100, level=round(9000 * 0.2 * 1.5**0.5), seed=6), 2
    )
    assert sum(Line().run(OURS, mixed)) <= 15
    line = Line()
    line.run(OURS, back(OURS, seconds=0.3))
    found = line.run(OURS, mixed)
    assert sum(found[20:]) >= 0.9 * len(found[20:])


def test_a_delay_that_changed_is_found_again():
    line = Line()
    line.run(OURS, back(OURS, seconds=0.3))
    found = line.run(OURS, back(OURS, seconds=0.5))
    assert all(found[35:])


def test_what_was_not_sent_counts_as_silence():
    """Half a second is received before we send anything, and a second while we pause."""
    line = Line()
    line.own.received(BYTES_A_SECOND // 2)
    assert all(line.run(OURS, back(OURS, seconds=0.3))[20:])
    line.own.received(BYTES_A_SECOND)
    assert all(line.run(OURS, back(OURS, seconds=0.3))[20:])


def test_what_was_sent_while_nothing_was_received_does_not_part_the_two():
    line = Line()
    line.own.sent(OURS[: BYTES_A_SECOND // 2])
    assert all(line.run(OURS, back(OURS, seconds=0.3))[20:])
