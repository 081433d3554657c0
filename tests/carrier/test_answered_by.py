"""Person, mailbox and assistant told apart by what is heard first, and a beep by its sound."""

from __future__ import annotations

import audioop
import random
import struct
from pathlib import Path

import pytest

from bench.line import a_law, frames_of, heard
from carrier.lines import MachineDetection
from carrier.lines.sip.peer import greetings, sine_tone, voice
from carrier.lines.sound import BYTES_A_SECOND, FRAME_BYTES, telephone_samples
from carrier.lines.voice import BeepDetector, GreetingJudge, tone_of
from tests.carrier.test_announcements import CLIPS

PROMPTS = Path(__file__).resolve().parents[2] / "audio" / "prompts"
SECOND = bytes(BYTES_A_SECOND)


def beeps(samples: bytes) -> list[int]:
    """The frames at which a beep was over."""
    detector = BeepDetector()
    frames = heard(a_law(samples))
    return [n for n, (frame, voice) in enumerate(frames) if detector.feed(frame, voice=voice)]


def verdicts(samples: bytes, sent: bytes = b"") -> list[MachineDetection]:
    judge = GreetingJudge()
    found = (judge.feed(frame, voice=voice) for frame, voice in heard(a_law(samples), sent))
    return [one for one in found if one is not None]


def clip(name: str) -> bytes:
    return telephone_samples((CLIPS / f"{name}.wav").read_bytes())


def words(samples: bytes) -> list[str]:
    return [verdict.answered_by.value for verdict in verdicts(samples)]


@pytest.mark.parametrize("hertz", [600, 850, 1000, 1400, 2000])
@pytest.mark.parametrize("seconds", [0.2, 0.5, 1.5])
def test_a_beep_is_heard_at_its_end(hertz: float, seconds: float):
    (at,) = beeps(SECOND + sine_tone(hertz, seconds) + SECOND)
    assert at * 0.02 == pytest.approx(1 + seconds + 0.1, abs=0.07)


@pytest.mark.parametrize(
    ("hertz", "seconds"), [(450, 1.0), (450, 0.35), (440, 0.4), (1000, 0.08), (1000, 3.0), (3000, 0.4)]
)
def test_a_tone_of_the_network_or_of_another_length_is_no_beep(hertz: float, seconds: float):
    assert not beeps(SECOND + sine_tone(hertz, seconds) + SECOND)


def test_keys_noise_and_a_melody_are_no_beep():
    dice = random.Random(1)
    key = audioop.add(sine_tone(770, 0.3, level=5000), sine_tone(1336, 0.3, level=5000), 2)
    noise = struct.pack("<8000h", *(dice.randint(-9000, 9000) for _ in range(8000)))
    notes = b"".join(sine_tone(hertz, 0.2) for hertz in (523, 587, 659, 784) * 5)
    for sound in (key + SECOND, noise + SECOND, notes):
        assert not beeps(sound)


def test_no_voice_of_ours_is_a_beep():
    """Every prompt and every announcement that was rendered: some 160 clips."""
    files = [*sorted(PROMPTS.glob("*.wav")), *sorted(CLIPS.glob("*.wav"))]
    assert len(files) > 100
    for path in files:
        assert not beeps(telephone_samples(path.read_bytes())), path.name


def test_the_pitch_of_a_tone():
    (frame, *_) = frames_of(a_law(sine_tone(1000, 0.1)))
    assert tone_of(frame) == pytest.approx(1000, rel=0.01)
    assert tone_of(bytes(FRAME_BYTES)) == 0


def test_a_person_says_something_short():
    (verdict,) = verdicts(clip("zh-assistant")[: BYTES_A_SECOND // 2] + 8 * SECOND)
    assert verdict.answered_by.value == "human"
    assert verdict.after_seconds < 2.0


@pytest.mark.parametrize("gap", [0.0, 0.3, 1.5])
def test_a_mailbox_speaks_long_and_beeps(gap: float):
    pause = bytes(round(gap * 8000) * 2)
    greeting = clip("zh-assistant") + clip("zh-assistant")
    first, end = verdicts(greeting + pause + sine_tone(1000, 0.4) + 4 * SECOND)
    assert (first.answered_by.value, end.answered_by.value) == ("machine_start", "machine_end_beep")
    assert first.after_seconds < 4.5
    assert end.after_seconds == pytest.approx(len(greeting + pause) / BYTES_A_SECOND + 0.5, abs=0.1)


def test_an_assistant_speaks_long_and_waits():
    assert words(clip("zh-assistant") + clip("zh-unknown") + 4 * SECOND) == [
        "machine_start",
        "machine_end_silence",
    ]


def test_a_short_greeting_with_a_beep_is_a_mailbox():
    assert words(voice(0.5) + sine_tone(1400, 0.3) + 4 * SECOND) == ["machine_end_beep"]


def test_nobody_knows_who_says_nothing():
    assert words(8 * SECOND) == ["unknown"]


def test_what_the_simulated_people_say_is_a_person_s_and_a_mailbox_s():
    short, long = greetings()
    assert words(SECOND[:4000] + short + 3 * SECOND) == ["human"]
    assert words(SECOND[:4000] + long + 3 * SECOND) == ["machine_start", "machine_end_beep"]
