"""Telephone sound: converts prompts to 8 kHz samples, cuts received sound into utterances, distinguishes persons from
machines, and puts the two sides of a recorded call on one timeline.

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

from carrier.lines import Clip, MachineDetection
from carrier.people import AnsweredBy

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
_FRAME_SECONDS: Final = 0.02
_VOICE_LEVEL: Final = 350
"""Root mean square from which a frame is voice; line noise after A-law stays below 100."""


def is_voice(frame: bytes) -> bool:
    """Whether this frame is loud enough to be a voice."""
    return audioop.rms(frame, 2) >= _VOICE_LEVEL


_LEAST_VOICE_FRAMES: Final = 6
_END_SILENCE_FRAMES: Final = 35
_MOST_FRAMES: Final = 400
_BEFORE_FRAMES: Final = 10


class UtteranceDetector:
    """Cuts received sound into utterances: from a little before the voice to 0.7 s of silence, 8 s at most."""

    def __init__(self) -> None:
        self._kept: list[bytes] = []
        self._voiced = 0
        self._silent = 0

    def feed(self, frame: bytes, *, voice: bool) -> bytes | None:
        """Takes a frame of 20 ms. Returns the samples of an utterance when it is complete, else None."""
        self._kept.append(frame)
        if voice:
            self._voiced += 1
            self._silent = 0
        elif self._voiced:
            self._silent += 1
        if not self._voiced:
            del self._kept[:-_BEFORE_FRAMES]
            return None
        if self._silent < _END_SILENCE_FRAMES and len(self._kept) < _MOST_FRAMES:
            return None
        made = b"".join(self._kept) if self._voiced >= _LEAST_VOICE_FRAMES else None
        self._kept, self._voiced, self._silent = [], 0, 0
        return made


_TONE_ERROR: Final = 0.01
"""The largest relative error with which the two neighbours of a sample predict it in a tone; in a voice the error is
larger.
"""
_LEAST_BEEP_HERTZ, _MOST_BEEP_HERTZ = 500.0, 2500.0
"""The tones of networks in China (ringing, busy) are at 450 Hz."""
_SAME_TONE: Final = 0.04
_LEAST_BEEP_FRAMES, _MOST_BEEP_FRAMES = 7, 100
_QUIET_FRAMES: Final = 5


def tone_of(frame: bytes) -> float:
    """The pitch of a pure tone, in Hz; 0 for anything else. In a tone each sample is predicted by its two
    neighbours.
    """
    before, middle, after = frame[:-4], frame[2:-2], frame[4:]
    power = audioop.rms(middle, 2)
    if power < _VOICE_LEVEL:
        return 0.0
    # For a tone x[n+1] + x[n-1] = 2 cos(w) x[n].
    both = audioop.add(audioop.mul(before, 2, 0.5), audioop.mul(after, 2, 0.5), 2)
    cosine = audioop.findfactor(both, middle)
    if not -1.0 < cosine < 1.0:
        return 0.0
    left = audioop.rms(audioop.add(both, audioop.mul(middle, 2, -cosine), 2), 2)
    if (left / power) ** 2 > _TONE_ERROR:
        return 0.0
    return math.acos(cosine) * RATE / (2 * math.pi)


class BeepDetector:
    """Detects the beep after which a mailbox records: a tone that stays the same for 0.14 to 2 s, and then 0.1 s of
    silence.
    """

    def __init__(self) -> None:
        self._pitch = 0.0
        self._frames = 0
        self._quiet = 0
        self._edges = 0

    def feed(self, frame: bytes, *, voice: bool) -> bool:
        """Takes a frame of 20 ms. True when a beep is over."""
        if not voice:
            self._quiet += 1
            is_beep = _LEAST_BEEP_FRAMES <= self._frames <= _MOST_BEEP_FRAMES
            if self._quiet < _QUIET_FRAMES:
                return False
            self._frames = 0
            return is_beep
        pitch = tone_of(frame)
        is_same = self._frames and not self._quiet and abs(pitch / self._pitch - 1) <= _SAME_TONE
        self._quiet = 0
        if is_same:
            self._frames += 1
        else:
            is_heard = _LEAST_BEEP_HERTZ <= pitch <= _MOST_BEEP_HERTZ
            # The frame in which a tone ends is not a tone itself.
            is_end = (
                not pitch and _LEAST_BEEP_FRAMES <= self._frames <= _MOST_BEEP_FRAMES and self._edges == 0
            )
            self._edges = 1 if is_end else 0
            if not is_end:
                self._pitch, self._frames = pitch, int(is_heard)
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class GreetingRules:
    """A greeting longer than `machine_seconds` is a machine's; one that ends before is a person's, after
    `pause_seconds` of silence. Without a voice for `silence_seconds` the verdict is unknown. A machine records after
    its beep; one that is silent for `end_seconds` without a beep waits for an answer, as an assistant does.
    """

    machine_seconds: float = 3.0
    pause_seconds: float = 1.0
    silence_seconds: float = 5.0
    end_seconds: float = 2.5


class GreetingJudge:
    """Distinguishes a person from a machine by the length of the first utterance: 喂 is short, a mailbox explains
    itself. For a machine, it also finds how the greeting ended.
    """

    def __init__(self, rules: GreetingRules = GreetingRules()) -> None:
        self._rules = rules
        self._seconds = 0.0
        self._voice_began: float | None = None
        self._voice_seen = 0.0
        self._beeps = BeepDetector()
        self._is_machine = False
        self._done = False

    def feed(self, frame: bytes, *, voice: bool) -> MachineDetection | None:
        """Takes a frame of 20 ms. Returns the verdict once; after `machine_start` a second one, on how the greeting
        ended.
        """
        if self._done:
            return None
        self._seconds += _FRAME_SECONDS
        if voice:
            self._voice_seen = self._seconds
            if self._voice_began is None:
                self._voice_began = self._seconds
        # A beep decides, whatever came before it: a person does not beep.
        by = AnsweredBy.MACHINE_END_BEEP if self._beeps.feed(frame, voice=voice) else self._judge()
        if by is None:
            return None
        self._is_machine = by is AnsweredBy.MACHINE_START
        self._done = not self._is_machine
        return MachineDetection(
            answered_by=by, after_seconds=self._seconds, greeting_seconds=self._greeting_seconds
        )

    def _judge(self) -> AnsweredBy | None:
        rules, silent = self._rules, self._seconds - self._voice_seen
        if self._is_machine:
            return AnsweredBy.MACHINE_END_SILENCE if silent >= rules.end_seconds else None
        if self._voice_began is None:
            return AnsweredBy.UNKNOWN if self._seconds >= rules.silence_seconds else None
        if self._greeting_seconds >= rules.machine_seconds:
            return AnsweredBy.MACHINE_START
        return AnsweredBy.HUMAN if silent >= rules.pause_seconds else None

    @property
    def _greeting_seconds(self) -> float:
        return 0.0 if self._voice_began is None else self._voice_seen - self._voice_began


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
