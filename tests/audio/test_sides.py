"""The two sides of a recorded call, whatever the coding of the file."""

from __future__ import annotations

import audioop
import io
import wave
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.sides import read_sides
from audio.wave_file import NoSound
from carrier.lines.sound import wav_of_sides
from tests.quality.recorded import alaw_wav, silence, tone


def test_a_recording_of_our_carrier_parts_into_its_sides():
    person, ours = tone(1), tone(1, level=500)
    data = bytearray(2 * 8000)
    data[0::2], data[1::2] = audioop.lin2alaw(person, 2), audioop.lin2alaw(ours, 2)
    found = read_sides(wav_of_sides(bytes(data), channels=2))
    assert (found.rate_hz, found.seconds, len(found.channels)) == (8000, 1.0, 2)
    assert audioop.rms(found.channels[0], 2) > 10 * audioop.rms(found.channels[1], 2)
    assert len(read_sides(wav_of_sides(bytes(data), channels=1)).channels) == 1


def test_sixteen_bits_are_read_as_they_are():
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(array("h", [1, -1, 2, -2, 3, -3]).tobytes())
    found = read_sides(made.getvalue())
    assert [list(array("h", channel)) for channel in found.channels] == [[1, 2, 3], [-1, -2, -3]]
    assert found.rate_hz == 16_000


@pytest.mark.parametrize(
    "wav",
    [
        b"",
        b"RIFF....WAVE",
        b"RIFF\0\0\0\0WAVEdata\x04\0\0\0abcd",
        alaw_wav(silence(0), silence(0)),
        alaw_wav(silence(1), silence(1)).replace(b"\x06\0\x02\0", b"\x55\0\x02\0"),
        alaw_wav(silence(1), silence(1)).replace(b"\x06\0\x02\0", b"\x06\0\x09\0"),
    ],
)
def test_what_is_no_such_file_is_refused(wav: bytes):
    with pytest.raises(NoSound):
        read_sides(wav)


@given(st.integers(0, 16_058), st.binary(max_size=40))
def test_a_file_that_was_cut_or_changed_gives_sides_of_one_length_or_is_refused(cut: int, other: bytes):
    whole = alaw_wav(tone(1), silence(1))
    try:
        found = read_sides(whole[:cut] + other)
    except NoSound:
        return
    assert len({len(channel) for channel in found.channels}) == 1
    assert found.seconds > 0
