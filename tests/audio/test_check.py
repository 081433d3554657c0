"""A WAV is refused for each thing that would be heard as a fault on the telephone."""

from __future__ import annotations

import io
import wave
from array import array
from collections.abc import Callable
from pathlib import Path

import pytest

from audio import compose
from audio.check import problems
from audio.wave_file import NoSound, Sound, read_wav, wav_bytes

Make = Callable[..., Sound]


@pytest.fixture
def good(tone: Make) -> Sound:
    return compose.prompt([tone(1.0)])


def changed(sound: Sound, factor: float) -> bytes:
    scaled = array("h", [max(-32768, min(32767, round(s * factor))) for s in sound.samples])
    return wav_bytes(Sound(pcm=scaled.tobytes(), rate_hz=sound.rate_hz))


def test_a_good_one_passes_from_memory_and_from_disk(good: Sound, tmp_path: Path):
    path = tmp_path / "good.wav"
    path.write_bytes(wav_bytes(good))
    assert problems(path) == problems(wav_bytes(good)) == ()


def test_the_wrong_rate(good: Sound):
    assert "16000 Hz" in str(problems(wav_bytes(Sound(pcm=good.pcm, rate_hz=16000)))[0])


@pytest.mark.parametrize("body", [b"", b"RIFF", b"not a sound at all", b"ID3\x03" + bytes(200)])
def test_no_wav(body: bytes):
    assert "no readable WAV" in str(problems(body)[0])


def test_a_file_cut_short(good: Sound):
    assert problems(wav_bytes(good)[:200]) != ()


def test_a_file_that_is_not_there(tmp_path: Path):
    assert "no readable WAV" in str(problems(tmp_path / "gone.wav")[0])


def test_eight_bits_are_refused():
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(1)
        out.setframerate(8000)
        out.writeframes(bytes(8000))
    assert "8 bits" in str(problems(buffer.getvalue())[0])


def test_too_soft_and_too_loud(good: Sound):
    assert "dBFS" in str(problems(changed(good, 0.3))[0])
    assert "dBFS" in str(problems(changed(good, 1.6))[0])


def test_clipped(good: Sound):
    assert any("peaks" in str(problem) for problem in problems(changed(good, 20)))


def test_too_short(good: Sound):
    assert "too short" in str(problems(wav_bytes(Sound(pcm=good.pcm[:3000], rate_hz=8000)))[0])


@pytest.mark.parametrize(("before", "after"), [(0.6, 0.0), (0.0, 0.6)])
def test_silence_at_an_end(good: Sound, before: float, after: float):
    pcm = bytes(2 * round(8000 * before)) + good.pcm + bytes(2 * round(8000 * after))
    assert "at an end" in str(problems(wav_bytes(Sound(pcm=pcm, rate_hz=8000)))[0])


def test_a_hole_in_the_middle(good: Sound):
    pcm = good.pcm + bytes(2 * 8000 * 2) + good.pcm
    assert "pauses" in str(problems(wav_bytes(Sound(pcm=pcm, rate_hz=8000)))[0])


def test_nothing_but_silence():
    assert problems(wav_bytes(Sound(pcm=bytes(16000), rate_hz=8000))) != ()


def test_stereo_is_mixed_down(good: Sound):
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(array("h", [s for sample in good.samples for s in (sample, sample)]).tobytes())
    assert read_wav(buffer.getvalue()).pcm == good.pcm


def test_reading_what_is_no_sound_says_so():
    with pytest.raises(NoSound):
        read_wav(b"")
