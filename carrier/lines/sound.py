"""Telephone sound: converts prompts to 8 kHz samples, makes tones, and puts the two sides of a recorded call on one
timeline.

Samples are signed 16 bit, 8 kHz, one channel, in the machine's byte order; a recording is A-law at 8 kHz. Pure: moments
are seconds from the answer on.
"""

from __future__ import annotations

import audioop
import io
import math
import struct
import wave
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from carrier.lines import Clip

RATE: Final = 8000
BYTES_A_SECOND: Final = 2 * RATE
_PCM, _ALAW, _MULAW = 1, 6, 7
_LEAST_RATE, _MOST_RATE = 4000, 384_000
"""A header may state 1 Hz: at 8 kHz such a file has eight thousand times its size."""


class BadSound(ValueError):
    """Not a WAV file, or not one of PCM, A-law or mu-law."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WavFile:
    """What the header of a WAV file states, and its data. `width`: bytes of one sample of one channel."""

    coding: int
    channels: int
    rate: int
    bytes_a_second: int
    width: int
    data: bytes

    @property
    def seconds(self) -> float:
        """The length; a streamed file may claim more data than it has."""
        return len(self.data) / self.bytes_a_second


def read_wav(wav: bytes) -> WavFile:
    """Reads a RIFF WAVE file of any coding of constant rate. Raises `BadSound`."""
    if wav[:4] != b"RIFF" or wav[8:12] != b"WAVE":
        raise BadSound("no RIFF WAVE header")
    at, format_ = 12, None
    while at + 8 <= len(wav):
        name, size = wav[at : at + 4], struct.unpack_from("<I", wav, at + 4)[0]
        at += 8
        if name == b"fmt " and at + 16 <= len(wav):
            format_ = struct.unpack_from("<HHIIHH", wav, at)
        elif name == b"data":
            if format_ is None or not format_[3]:
                raise BadSound("no byte rate before the data")
            coding, channels, rate, bytes_a_second, _, bits = format_
            return WavFile(
                coding=coding,
                channels=channels,
                rate=rate,
                bytes_a_second=bytes_a_second,
                width=bits // 8,
                data=wav[at : at + size],
            )
        at += size + (size & 1)
    raise BadSound("no data in it")


def telephone_samples(wav: bytes) -> bytes:
    """The sound of a WAV file (PCM, A-law or mu-law; any rate, width and number of channels) for a telephone. Raises
    `BadSound`.
    """
    file = read_wav(wav)
    width, data = file.width, file.data
    if not _LEAST_RATE <= file.rate <= _MOST_RATE:
        raise BadSound("a sample rate out of range")
    if file.channels not in {1, 2}:
        raise BadSound("neither mono nor stereo")
    if file.coding == _ALAW:
        data, width = audioop.alaw2lin(data, 2), 2
    elif file.coding == _MULAW:
        data, width = audioop.ulaw2lin(data, 2), 2
    elif file.coding != _PCM or width not in {1, 2, 3, 4}:
        raise BadSound("neither PCM nor A-law nor mu-law")
    data = data[: len(data) // (width * file.channels) * width * file.channels]
    if width == 1:
        data = audioop.bias(data, 1, -128)
    if width != 2:  # noqa: PLR2004 - 16 bit
        data = audioop.lin2lin(data, width, 2)
    if file.channels == 2:  # noqa: PLR2004 - stereo
        data = audioop.tomono(data, 2, 0.5, 0.5)
    if file.rate != RATE:
        data, _ = audioop.ratecv(data, 2, 1, file.rate, RATE, None)
    return data


def wav_of(samples: bytes) -> bytes:
    """The samples as a WAV file."""
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples)
    return made.getvalue()


FRAME_BYTES: Final = BYTES_A_SECOND // 50
"""20 ms."""


PERSON: Final = 0
"""The side of the phone that was called."""
OURS: Final = 1
"""What that phone hears: prompts, or the officer who was connected."""
SIDES: Final = 2
ALAW_BYTES_A_SECOND: Final = SIDES * RATE
_SILENCE: Final = audioop.lin2alaw(b"\0\0", 2)
_TOLERANCE: Final = RATE // 10
"""Samples. Sound that comes at most this much later than it should is appended without a gap: the clocks of both sides
differ a little.
"""


class TwoSides:
    """Puts the sound of two sides on one timeline: takes 16-bit samples by side, and gives A-law with a byte of each
    side in turn. Times are in seconds.
    """

    def __init__(self) -> None:
        self._sides = (bytearray(), bytearray())
        self._taken = 0

    def put(self, side: int, samples: bytes, *, begins: float) -> None:
        """Puts the samples at `begins`, over what was there before."""
        track, place = self._sides[side], max(0, round(begins * RATE) - self._taken)
        self._fill(track, place)
        sound = audioop.lin2alaw(samples, 2)
        track[place : place + len(sound)] = sound

    def follow(self, side: int, samples: bytes, *, ends: float) -> None:
        """Appends the samples, which end at `ends`, to that side. Where nothing came for a while, silence fills the
        gap.
        """
        track = self._sides[side]
        place = round(ends * RATE) - self._taken - len(samples) // 2
        if place - len(track) > _TOLERANCE:
            self._fill(track, place)
        track += audioop.lin2alaw(samples, 2)

    def cut(self, side: int, *, at: float) -> None:
        """Removes the sound of that side from `at` on."""
        del self._sides[side][max(0, round(at * RATE) - self._taken) :]

    def take(self, until: float) -> bytes:
        """The sound of both sides up to `until` that was not taken before; a side without sound is silent."""
        count = max(0, round(until * RATE) - self._taken)
        made = bytearray(SIDES * count)
        for place, track in enumerate(self._sides):
            self._fill(track, count)
            made[place::SIDES] = track[:count]
            del track[:count]
        self._taken += count
        return bytes(made)

    @staticmethod
    def _fill(track: bytearray, length: int) -> None:
        track += _SILENCE * (length - len(track))


_TONES: Final = {
    key: (low, high)
    for low, row in ((697, "123A"), (770, "456B"), (852, "789C"), (941, "*0#D"))
    for high, key in zip((1209, 1336, 1477, 1633), row, strict=True)
}
_TONE_SECONDS: Final = 0.1
_LOUDNESS: Final = 6000


def key_tone(key: str) -> bytes:
    """The tone of a key, as 16-bit samples; empty for a key that no telephone has."""
    if key not in _TONES:
        return b""
    turns = [2 * math.pi * hertz / RATE for hertz in _TONES[key]]
    samples = (
        round(_LOUDNESS * sum(math.sin(turn * n) for turn in turns))
        for n in range(round(_TONE_SECONDS * RATE))
    )
    return b"".join(struct.pack("<h", sample) for sample in samples)


def sine_tone(hertz: float, seconds: float, *, level: int = 8000) -> bytes:
    """A sine tone, as samples."""
    count = round(seconds * RATE)
    return struct.pack(
        f"<{count}h", *(round(level * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(count))
    )


@lru_cache(maxsize=16)
def ringback(rings: int) -> Clip:
    """What a caller hears while another telephone rings, as in mainland China: 450 Hz for one second of each five."""
    ring = sine_tone(_RINGBACK_HERTZ, _RINGBACK_SECONDS, level=_RINGBACK_LEVEL)
    wav = wav_of(ring.ljust(round(RING_SECONDS * BYTES_A_SECOND), b"\0"))
    return Clip(seconds=rings * RING_SECONDS, wav=wav, name="ringback", times=rings)


@lru_cache(maxsize=1)
def hold_sound() -> Clip:
    """What is heard on hold and while a conference has not started, where nothing else is named: two soft tones every
    six seconds, so that nobody takes the call for ended.
    """
    tones = sine_tone(440.0, 0.35, level=1500) + sine_tone(554.37, 0.45, level=1500)
    wav = wav_of(tones.ljust(round(_HOLD_SECONDS * BYTES_A_SECOND), b"\0"))
    return Clip(seconds=_HOLD_TIMES * _HOLD_SECONDS, wav=wav, name="hold", times=_HOLD_TIMES)


@lru_cache(maxsize=1)
def entry_tone() -> Clip:
    """The tone that participants hear when another enters or leaves."""
    return Clip(seconds=0.2, wav=wav_of(sine_tone(620.0, 0.2, level=3000)), name="entry")


_HOLD_SECONDS: Final = 6.0
_HOLD_TIMES: Final = 10
RING_SECONDS: Final = 5.0
"""From one ring to the next."""
_RINGBACK_HERTZ, _RINGBACK_SECONDS = 450.0, 1.0
_RINGBACK_LEVEL: Final = 3000


def other_side_first(sound: bytes) -> bytes:
    """The sound that `TwoSides` gave, with our side before the person's."""
    return audioop.byteswap(sound[: len(sound) - len(sound) % SIDES], 2)


def wav_of_sides(sound: bytes, *, channels: int) -> bytes:
    """A WAV file (A-law, 8 kHz) of the sound that `TwoSides` gave: the person left and us right, or both in one
    channel.
    """
    if channels == 1:
        person, ours = (audioop.alaw2lin(sound[place::SIDES], 2) for place in (PERSON, OURS))
        sound = audioop.lin2alaw(audioop.add(person, ours, 2), 2)
    form = struct.pack("<HHIIHHH", 6, channels, RATE, channels * RATE, channels, 8, 0)
    padding = b"\0" * (len(sound) % 2)
    fact = b"fact" + struct.pack("<II", 4, len(sound) // channels)
    body = b"WAVE" + b"fmt " + struct.pack("<I", len(form)) + form + fact
    body += b"data" + struct.pack("<I", len(sound)) + sound + padding
    return b"RIFF" + struct.pack("<I", len(body)) + body
