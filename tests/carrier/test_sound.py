"""Sound of a telephone to the sample: files of every coding, two sides on one timeline, tones and their lengths."""

from __future__ import annotations

import audioop
import io
import math
import struct
import wave

import pytest

from carrier.lines.sound import (
    BYTES_A_SECOND,
    OURS,
    PERSON,
    BadSound,
    TwoSides,
    key_tone,
    other_side_first,
    read_wav,
    ringback,
    sine_tone,
    telephone_samples,
    wav_of,
    wav_of_sides,
)

SAMPLES = struct.pack("<6h", 0, 8000, -8000, 256, -256, 32000)


def file(data: bytes, *, coding: int = 1, channels: int = 1, rate: int = 8000, width: int = 2) -> bytes:
    """A WAV file with this header."""
    form = struct.pack(
        "<HHIIHH", coding, channels, rate, rate * channels * width, channels * width, 8 * width
    )
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


# Files


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_samples_of_any_width_are_read(width: int):
    data = audioop.lin2lin(SAMPLES, 2, width)
    data = audioop.bias(data, 1, 128) if width == 1 else data
    least = audioop.lin2lin(audioop.lin2lin(SAMPLES, 2, width), width, 2)
    assert telephone_samples(file(data, width=width)) == least


def test_a_law_and_mu_law_are_read():
    assert telephone_samples(file(audioop.lin2alaw(SAMPLES, 2), coding=6, width=1)) == audioop.alaw2lin(
        audioop.lin2alaw(SAMPLES, 2), 2
    )
    assert telephone_samples(file(audioop.lin2ulaw(SAMPLES, 2), coding=7, width=1)) == audioop.ulaw2lin(
        audioop.lin2ulaw(SAMPLES, 2), 2
    )


def test_both_channels_are_heard_each_at_half():
    left_right = struct.pack("<6h", 1000, 3000, -2000, -2000, 0, 500)
    assert telephone_samples(file(left_right, channels=2)) == struct.pack("<3h", 2000, -2000, 250)


@pytest.mark.parametrize(("rate", "of_a_second"), [(4000, 8000), (16_000, 8000), (384_000, 8000)])
def test_any_rate_keeps_the_length(rate: int, of_a_second: int):
    heard = telephone_samples(file(bytes(2 * rate), rate=rate))
    assert abs(len(heard) // 2 - of_a_second) <= 2


@pytest.mark.parametrize("rate", [8192, 11_025, 16_000])
def test_any_rate_keeps_the_pitch(rate: int):
    wave_of = [round(8000 * math.sin(2 * math.pi * 500 * n / rate)) for n in range(rate)]
    heard = telephone_samples(file(struct.pack(f"<{rate}h", *wave_of), rate=rate))
    factor = audioop.findfactor(heard[: 2 * 7900], sine_tone(500, 1.0, level=8000)[: 2 * 7900])
    assert factor == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("rate", [3999, 384_001])
def test_a_rate_out_of_range_is_refused(rate: int):
    with pytest.raises(BadSound, match="rate"):
        telephone_samples(file(SAMPLES, rate=rate))


@pytest.mark.parametrize(
    "header", [{"channels": 3}, {"channels": 0}, {"coding": 2}, {"coding": 85, "width": 1}, {"width": 5}]
)
def test_a_coding_of_another_kind_is_refused(header: dict[str, int]):
    with pytest.raises(BadSound):
        telephone_samples(file(SAMPLES * 5, **header))


def test_a_sample_that_is_cut_off_is_left_out():
    assert telephone_samples(file(SAMPLES + b"\x7f")) == SAMPLES
    assert telephone_samples(file(SAMPLES + b"\x7f\x01", channels=2)) == telephone_samples(
        file(SAMPLES, channels=2)
    )


def test_chunks_before_the_data_are_passed_over_with_their_padding():
    made = file(SAMPLES)
    note = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    with_note = made[:12] + note + made[12:]
    assert read_wav(with_note).data == SAMPLES
    assert read_wav(made).seconds == len(SAMPLES) / BYTES_A_SECOND


@pytest.mark.parametrize(
    ("wav", "why"),
    [
        (b"", "no RIFF"),
        (b"RIFX" + file(SAMPLES)[4:], "no RIFF"),
        (file(SAMPLES)[:8] + b"AVI " + file(SAMPLES)[12:], "no RIFF"),
        (file(SAMPLES)[:36], "no data"),
        (file(SAMPLES)[:12] + file(SAMPLES)[36:], "no byte rate"),
        (file(SAMPLES, rate=0), "no byte rate"),
    ],
)
def test_what_is_no_sound_is_refused_and_says_why(wav: bytes, why: str):
    with pytest.raises(BadSound, match=why):
        read_wav(wav)


def test_a_file_that_claims_more_than_it_has_is_as_long_as_its_data():
    made = file(SAMPLES)
    longer = made[:40] + struct.pack("<I", 1 << 30) + made[44:]
    assert (read_wav(longer).data, read_wav(longer).seconds) == (SAMPLES, len(SAMPLES) / BYTES_A_SECOND)


def test_samples_are_written_as_others_read_them():
    with wave.open(io.BytesIO(wav_of(SAMPLES))) as made:
        assert (made.getnchannels(), made.getsampwidth(), made.getframerate()) == (1, 2, 8000)
        assert made.readframes(100) == SAMPLES


# Two sides on one timeline


def tone(samples: int) -> bytes:
    return sine_tone(1000, samples / 8000)


def loud(sound: bytes, side: int) -> list[int]:
    """The samples of that side that are not silent: the first, and the one after the last."""
    track = audioop.alaw2lin(sound[side::2], 2)
    heard = [n for n in range(len(track) // 2) if abs(struct.unpack_from("<h", track, 2 * n)[0]) > 100]
    return [heard[0], heard[-1] + 1] if heard else []


def test_what_is_put_lies_where_it_begins_also_after_some_was_taken():
    sides = TwoSides()
    sides.put(OURS, tone(800), begins=0.5)
    assert loud(sides.take(0.25), OURS) == []
    sides.put(PERSON, tone(400), begins=0.3)
    made = sides.take(1.0)
    assert len(made) == 2 * 6000
    assert loud(made, OURS) == [2001, 2800]
    assert loud(made, PERSON) == [401, 800]


def test_what_is_put_replaces_what_was_there():
    sides = TwoSides()
    sides.put(OURS, tone(800), begins=0.0)
    sides.put(OURS, bytes(1600), begins=0.0)
    assert loud(sides.take(0.2), OURS) == []


@pytest.mark.parametrize(("late", "begins"), [(800, 800), (801, 1601), (-400, 800)])
def test_a_gap_of_more_than_a_tenth_of_a_second_is_silence(late: int, begins: int):
    sides = TwoSides()
    sides.follow(PERSON, bytes(1600), ends=0.1)
    sides.follow(PERSON, tone(400), ends=(800 + late + 400) / 8000)
    assert loud(sides.take(1.0), PERSON)[0] == begins + 1


def test_what_is_cut_is_gone_from_that_moment_on():
    sides = TwoSides()
    for side in (PERSON, OURS):
        sides.put(side, tone(800), begins=0.0)
    assert len(sides.take(0.025)) == 400
    sides.cut(OURS, at=0.05)
    made = sides.take(0.1)
    assert loud(made, OURS)[1] <= 200
    assert loud(made, PERSON)[1] == 600


def test_what_is_cut_before_its_beginning_is_gone_as_a_whole():
    sides = TwoSides()
    sides.put(OURS, tone(800), begins=0.0)
    assert len(sides.take(0.05)) == 800
    sides.cut(OURS, at=0.02)
    sides.follow(OURS, tone(400), ends=0.1)
    assert loud(sides.take(0.1), OURS) == [1, 400]


def test_nothing_is_taken_twice():
    sides = TwoSides()
    sides.put(OURS, tone(800), begins=0.0)
    assert len(sides.take(0.1)) == 1600
    assert sides.take(0.1) == sides.take(0.05) == b""


def test_the_other_side_comes_first():
    assert other_side_first(b"\1\2\3\4\5") == b"\2\1\4\3"


def test_one_channel_has_the_sum_and_two_have_each_side():
    person, ours = (struct.pack("<3h", *values) for values in ((1000, 0, 500), (0, 2000, 500)))
    coded = bytes(
        byte
        for pair in zip(audioop.lin2alaw(person, 2), audioop.lin2alaw(ours, 2), strict=True)
        for byte in pair
    )
    both, one = read_wav(wav_of_sides(coded, channels=2)), read_wav(wav_of_sides(coded, channels=1))
    assert (both.coding, both.channels, both.rate, both.bytes_a_second, both.width) == (6, 2, 8000, 16_000, 1)
    assert (one.coding, one.channels, one.rate, one.bytes_a_second, one.width) == (6, 1, 8000, 8000, 1)
    assert both.data == coded
    heard = struct.unpack("<3h", audioop.alaw2lin(one.data, 2))
    assert heard == pytest.approx((1000, 2000, 1000), rel=0.05)


@pytest.mark.parametrize("channels", [1, 2])
def test_the_header_counts_the_samples_and_an_odd_length_is_padded(channels: int):
    wav = wav_of_sides(bytes(2 * 3), channels=channels)
    assert len(wav) % 2 == 0
    assert struct.unpack_from("<I", wav, 4)[0] == len(wav) - 8
    at = wav.index(b"fact")
    assert struct.unpack_from("<II", wav, at + 4) == (4, 3)


# Tones


def power(samples: bytes, hertz: float) -> float:
    """How strong this frequency is, 0 to about 1 for a tone of level 1."""
    wanted = sine_tone(hertz, len(samples) / BYTES_A_SECOND, level=10_000)
    return audioop.findfactor(samples, wanted) * 10_000


@pytest.mark.parametrize(
    ("key", "low", "high"),
    [("1", 697, 1209), ("5", 770, 1336), ("#", 941, 1477), ("D", 941, 1633), ("*", 941, 1209)],
)
def test_a_key_has_its_two_tones(key: str, low: int, high: int):
    made = key_tone(key)
    assert len(made) == BYTES_A_SECOND // 10
    assert [round(power(made, hertz) / 1000) for hertz in (low, high)] == [6, 6]
    assert max(abs(power(made, hertz)) for hertz in (600, 1090, 1800)) < 1500


def test_a_tone_has_its_level_and_length():
    made = sine_tone(1000, 0.25, level=5000)
    assert len(made) == BYTES_A_SECOND // 4
    assert audioop.max(made, 2) == 5000
    assert struct.unpack_from("<3h", made) == (0, 3536, 5000)


def test_a_ring_is_a_second_of_tone_in_each_five():
    clip = ringback(3)
    sound = telephone_samples(clip.wav)
    assert (clip.seconds, clip.times, len(sound)) == (15.0, 3, 5 * BYTES_A_SECOND)
    assert audioop.max(sound[:BYTES_A_SECOND], 2) == 3000
    assert power(sound[:BYTES_A_SECOND], 450) == pytest.approx(3000, rel=0.01)
    assert not any(sound[BYTES_A_SECOND:])
