"""Sound of a telephone: prompts to 8 kHz samples, and what is heard to utterances and to person or machine.

Samples are signed 16 bit, 8 kHz, one channel, in the machine's byte order. Pure.
"""

from __future__ import annotations

import audioop
import io
import struct
import wave
from dataclasses import dataclass
from typing import Final

from dialer.carrier.lines import Verdict
from dialer.carrier.people import AnsweredBy

RATE: Final = 8000
BYTES_A_SECOND: Final = 2 * RATE
_PCM, _ALAW, _MULAW = 1, 6, 7


class BadSound(ValueError):
    """Not a WAV file of PCM, A-law or mu-law."""


def telephone_samples(wav: bytes) -> bytes:
    """The sound of a WAV file (PCM, A-law or mu-law; any rate, width and number of channels) for a telephone."""
    coding, channels, rate, width, data = _chunks(wav)
    if coding == _ALAW:
        data, width = audioop.alaw2lin(data, 2), 2
    elif coding == _MULAW:
        data, width = audioop.ulaw2lin(data, 2), 2
    elif coding != _PCM or width not in {1, 2, 3, 4}:
        raise BadSound("neither PCM nor A-law nor mu-law")
    data = data[: len(data) // (width * channels) * width * channels]
    if width == 1:
        data = audioop.bias(data, 1, -128)
    if width != 2:  # noqa: PLR2004 - 16 bit
        data = audioop.lin2lin(data, width, 2)
    if channels == 2:  # noqa: PLR2004 - stereo
        data = audioop.tomono(data, 2, 0.5, 0.5)
    elif channels != 1:
        raise BadSound("more than two channels")
    if rate != RATE:
        data, _ = audioop.ratecv(data, 2, 1, rate, RATE, None)
    return data


def _chunks(wav: bytes) -> tuple[int, int, int, int, bytes]:
    """Coding, channels, rate, bytes of a sample, and the data."""
    if wav[:4] != b"RIFF" or wav[8:12] != b"WAVE":
        raise BadSound("no RIFF WAVE header")
    at, format_ = 12, None
    while at + 8 <= len(wav):
        name, size = wav[at : at + 4], struct.unpack_from("<I", wav, at + 4)[0]
        at += 8
        if name == b"fmt " and at + 16 <= len(wav):
            format_ = struct.unpack_from("<HHIIHH", wav, at)
        elif name == b"data":
            if format_ is None or not 1 <= format_[5] // 8 <= 4 or not format_[1] or not format_[2]:  # noqa: PLR2004
                break
            return format_[0], format_[1], format_[2], format_[5] // 8, wav[at : at + size]
        at += size + (size & 1)
    raise BadSound("no data in it")


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
    """Whether somebody speaks in this frame."""
    return audioop.rms(frame, 2) >= _VOICE_LEVEL


_LEAST_VOICE_FRAMES: Final = 6
_END_SILENCE_FRAMES: Final = 35
_MOST_FRAMES: Final = 400
_BEFORE_FRAMES: Final = 10


class UtteranceDetector:
    """Cuts what is heard into utterances: from a little before the voice to 0.7 s of silence, 8 s at most."""

    def __init__(self) -> None:
        self._kept: list[bytes] = []
        self._voiced = 0
        self._silent = 0

    def feed(self, frame: bytes, *, voice: bool) -> bytes | None:
        """Takes 20 ms; the samples of an utterance when it is complete."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class GreetingRules:
    """A greeting longer than `machine_seconds` is a machine's; one that ends before is a person's, after
    `pause_seconds` of silence. Nothing for `silence_seconds`: nobody knows.
    """

    machine_seconds: float = 3.0
    pause_seconds: float = 1.0
    silence_seconds: float = 5.0


class GreetingJudge:
    """Tells a person from a machine by the length of the first thing said: 喂 is short, a mailbox explains itself."""

    def __init__(self, rules: GreetingRules = GreetingRules()) -> None:
        self._rules = rules
        self._seconds = 0.0
        self._voice_began: float | None = None
        self._voice_seen = 0.0
        self._done = False

    def feed(self, *, voice: bool) -> Verdict | None:
        """Takes 20 ms; the verdict, once."""
        if self._done:
            return None
        self._seconds += _FRAME_SECONDS
        rules = self._rules
        if voice:
            if self._voice_began is None:
                self._voice_began = self._seconds
            self._voice_seen = self._seconds
            length = self._seconds - self._voice_began
            return self._say(AnsweredBy.MACHINE_START, length) if length >= rules.machine_seconds else None
        if self._voice_began is None:
            if self._seconds >= rules.silence_seconds:
                return self._say(AnsweredBy.UNKNOWN, 0.0)
            return None
        if self._seconds - self._voice_seen >= rules.pause_seconds:
            return self._say(AnsweredBy.HUMAN, self._voice_seen - self._voice_began)
        return None

    def _say(self, answered_by: AnsweredBy, greeting_seconds: float) -> Verdict:
        self._done = True
        return Verdict(
            answered_by=answered_by, after_seconds=self._seconds, greeting_seconds=greeting_seconds
        )
