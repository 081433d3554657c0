"""From parts of speech to a telephone prompt."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import pytest

from audio import compose
from audio.check import problems
from audio.loudness import PEAK_DBFS, TARGET_DBFS, active_level, frame_levels, peak
from audio.resample import to_telephone
from audio.wave_file import NoSound, Sound, read_wav, wav_bytes

Make = Callable[..., Sound]


def after(first: Sound, second: Sound) -> Sound:
    return Sound(pcm=first.pcm + second.pcm, rate_hz=first.rate_hz)


@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050, 24000, 44100, 48000])
def test_any_rate_becomes_8_khz_of_the_same_length_and_pitch(tone: Make, rate_hz: int):
    sound = tone(1.0, rate_hz=rate_hz, hz=1000)
    out = to_telephone(sound.samples, rate_hz)
    assert abs(len(out) - 8000) <= 2
    crossings = sum(a < 0 <= b for a, b in pairwise(out))
    assert abs(crossings - 1000) <= 5


def test_what_a_telephone_cannot_carry_does_not_fold_back(tone: Make):
    sound = tone(0.5, rate_hz=24000, hz=5000, level=0.9)
    middle = to_telephone(sound.samples, 24000)[200:-200]
    assert peak(Sound(pcm=middle.tobytes(), rate_hz=8000)) < peak(sound) - 50


def test_what_it_can_carry_is_left_as_it_is(tone: Make):
    for hz in (300, 1000, 3000):
        sound = tone(0.5, rate_hz=24000, hz=hz)
        out = Sound(pcm=to_telephone(sound.samples, 24000).tobytes(), rate_hz=8000)
        assert abs(peak(out) - peak(sound)) < 0.5


@pytest.mark.parametrize("level", [0.02, 0.1, 0.5, 1.0])
def test_soft_and_loud_speakers_end_at_one_level_unclipped(tone: Make, level: float):
    out = compose.prompt([tone(1.5, level=level)])
    assert out.rate_hz == 8000
    assert abs(active_level(out) - TARGET_DBFS) < 1.0
    assert peak(out) <= PEAK_DBFS + 0.1
    assert problems(wav_bytes(out)) == ()


def test_silence_before_and_after_is_cut(tone: Make, quiet: Make):
    padded = after(after(quiet(1.0), tone(1.0)), quiet(2.0))
    out = compose.prompt([padded])
    assert 1.0 < out.seconds < 1.5


def test_parts_are_joined_with_a_pause(tone: Make):
    one, two = compose.prompt([tone(0.6)]), compose.prompt([tone(0.6), tone(0.6)])
    assert abs((two.seconds - one.seconds) - 0.6 - 0.4) < 0.03
    assert min(frame_levels(two)[30:60]) < -80


def test_nothing_but_silence_is_refused(quiet: Make):
    with pytest.raises(NoSound):
        compose.prompt([quiet(1.0)])


def test_a_peak_is_bent_and_never_cut(tone: Make):
    spiky = after(tone(2.0, level=0.05), tone(0.2, level=1.0))
    out = compose.levelled(Sound(pcm=to_telephone(spiky.samples, 24000).tobytes(), rate_hz=8000))
    assert peak(out) <= PEAK_DBFS
    top = max(abs(sample) for sample in out.samples)
    assert sum(abs(sample) == top for sample in out.samples) < 10


def test_a_law_keeps_the_speech(tone: Make):
    out = compose.prompt([tone(1.0)])
    assert len(compose.a_law(out)) == len(out.pcm) // 2
    back = compose.from_a_law(compose.a_law(out))
    error = [a - b for a, b in zip(out.samples, back.samples, strict=True)]
    noise = math.sqrt(sum(e * e for e in error) / len(error))
    signal = math.sqrt(sum(s * s for s in out.samples) / len(error))
    assert 20 * math.log10(signal / noise) > 30


def test_prompts_one_after_the_other(tone: Make):
    one = compose.prompt([tone(0.5)])
    assert abs(compose.joined([one, one], gap_seconds=0.3).seconds - (2 * one.seconds + 0.3)) < 0.001


def test_the_same_sound_is_the_same_file(tone: Make):
    one = wav_bytes(compose.prompt([tone(0.5)]))
    assert one == wav_bytes(compose.prompt([tone(0.5)]))
    assert read_wav(one).rate_hz == 8000
