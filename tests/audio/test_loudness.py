"""How loud a sound is, and WAV files in and out."""

from __future__ import annotations

import io
import math
import wave
from array import array
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.loudness import SILENCE_DBFS, active_level, dbfs, frame_levels, peak
from audio.resample import to_telephone
from audio.wave_file import NoSound, Sound, read_wav, wav_bytes

Make = Callable[..., Sound]


def steady(level: float, seconds: float = 1.0, hz: float = 500.0) -> Sound:
    pcm = array(
        "h",
        [round(32767 * level * math.sin(2 * math.pi * hz * n / 8000)) for n in range(round(8000 * seconds))],
    )
    return Sound(pcm=pcm.tobytes(), rate_hz=8000)


class TestLevel:
    @pytest.mark.parametrize(("level", "expected"), [(1.0, -3.0), (0.5, -9.0), (0.1, -23.0), (0.01, -43.0)])
    def test_a_tone_is_three_decibels_below_its_peak(self, level: float, expected: float):
        assert active_level(steady(level)) == pytest.approx(expected, abs=0.2)
        assert peak(steady(level)) == pytest.approx(expected + 3.0, abs=0.2)

    def test_pauses_do_not_make_speech_softer(self):
        spoken = steady(0.3)
        padded = Sound(pcm=bytes(16000) + spoken.pcm + bytes(32000), rate_hz=8000)
        assert active_level(padded) == pytest.approx(active_level(spoken), abs=0.1)

    def test_silence_has_the_lowest_level(self):
        for sound in (Sound(pcm=bytes(16000), rate_hz=8000), Sound(pcm=b"", rate_hz=8000)):
            assert active_level(sound) == SILENCE_DBFS
            assert peak(sound) == SILENCE_DBFS

    def test_a_frame_is_a_fiftieth_of_a_second(self):
        assert len(frame_levels(steady(0.5))) == 50
        assert len(frame_levels(Sound(pcm=bytes(2 * 170), rate_hz=8000))) == 1

    def test_full_scale_is_zero(self):
        assert dbfs(32768) == 0
        assert dbfs(0) == SILENCE_DBFS


class TestFiles:
    @given(st.lists(st.integers(-32768, 32767), max_size=200), st.sampled_from([8000, 16000, 24000, 44100]))
    def test_what_is_written_is_read(self, samples: list[int], rate_hz: int):
        sound = Sound(pcm=array("h", samples).tobytes(), rate_hz=rate_hz)
        assert read_wav(wav_bytes(sound)) == sound
        assert list(sound.samples) == samples
        assert sound.seconds == len(samples) / rate_hz

    def test_a_file_on_disk(self, tmp_path: Path):
        path = tmp_path / "a.wav"
        path.write_bytes(wav_bytes(steady(0.1)))
        assert read_wav(path) == steady(0.1)

    @pytest.mark.parametrize(("channels", "width"), [(1, 1), (1, 3), (1, 4), (3, 2)])
    def test_other_kinds_are_refused_by_name(self, channels: int, width: int):
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as out:
            out.setnchannels(channels)
            out.setsampwidth(width)
            out.setframerate(8000)
            out.writeframes(bytes(channels * width * 100))
        with pytest.raises(NoSound, match=f"{channels} channels of {8 * width} bits"):
            read_wav(buffer.getvalue())


class TestResampling:
    @given(st.sampled_from([8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000]), st.integers(0, 400))
    def test_any_length_at_any_rate(self, rate_hz: int, count: int):
        out = to_telephone(array("h", [1000] * count), rate_hz)
        assert abs(len(out) - count * 8000 / rate_hz) <= 1

    def test_a_level_stays_a_level(self):
        out = to_telephone(array("h", [10000] * 4800), 24000)
        middle = out[100:-100]
        assert max(abs(sample - 10000) for sample in middle) <= 2

    def test_nothing_overflows(self):
        square = array("h", ([32767] * 30 + [-32768] * 30) * 20)
        out = to_telephone(square, 24000)
        assert max(out) <= 32767
        assert min(out) >= -32768
