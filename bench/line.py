"""What a telephone line does to an answer, for the bench of hearing and the tests of the detector: the noise of a
street, lost packets, our own prompt that comes back, and A-law.

Samples are signed 16 bit, 8 kHz, one channel. The same seed gives the same sound.
"""

from __future__ import annotations

import audioop
import math
import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from audio.render import Manifest
from carrier.lines.sound import BYTES_A_SECOND, FRAME_BYTES, RATE, telephone_samples
from carrier.lines.voice import UtteranceDetector, VoiceDetector


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`noise_db`: how far the noise is below the voice; None: none. `loss`: share of the packets. `has_echo`: our
    prompt comes back, and is still spoken during the first half of the answer.
    """

    name: str
    noise_db: float | None = None
    loss: float = 0.0
    has_echo: bool = False


LINES: Final = (
    Line(name="clean"),
    Line(name="noise 20 dB below", noise_db=20.0),
    Line(name="noise 15 dB below", noise_db=15.0),
    Line(name="noise 10 dB below", noise_db=10.0),
    Line(name="loss 3 %", loss=0.03),
    Line(name="echo", has_echo=True),
)
ECHO_SECONDS, ECHO_DB = 0.12, 20.0
_BEFORE_SECONDS: Final = (1.2, 2.0)
"""The question is spoken for so long before the answer; without echo it ends a little earlier."""
_ENDS_BEFORE_SECONDS: Final = 0.2
_AFTER_SECONDS: Final = 1.5
_LOUD_SHARE: Final = 0.1
"""Frames at most 20 dB below the loudest one are the voice."""
_AT_ONCE_BYTES: Final = 3 * FRAME_BYTES
"""The SIP process reads every third tick."""


def frames_of(samples: bytes) -> list[bytes]:
    """The whole frames of 20 ms."""
    return [samples[at : at + FRAME_BYTES] for at in range(0, len(samples) - FRAME_BYTES + 1, FRAME_BYTES)]


def a_law(samples: bytes) -> bytes:
    """The samples after A-law."""
    return audioop.alaw2lin(audioop.lin2alaw(samples, 2), 2)


def loud_frames(samples: bytes) -> list[int]:
    """The numbers of the frames that are the voice."""
    levels = [audioop.rms(frame, 2) for frame in frames_of(samples)]
    return [n for n, level in enumerate(levels) if level > _LOUD_SHARE * max(levels)]


def voice_level(samples: bytes) -> float:
    """The root mean square of the frames that are the voice."""
    frames = frames_of(samples)
    return audioop.rms(b"".join(frames[n] for n in loud_frames(samples)), 2)


@lru_cache(maxsize=4)
def street_noise(seconds: float, seed: int = 1) -> bytes:
    """Noise as of a street: most of it low, its level rising and falling by a few decibels within a second."""
    chance = random.Random(seed)
    low = middle = high = level_db = target_db = 0.0
    made = []
    for n in range(round(seconds * RATE)):
        if n % 2000 == 0:
            target_db = chance.gauss(0.0, 2.0)
        level_db += (target_db - level_db) / 1500
        white = chance.gauss(0.0, 1.0)
        low = 0.98 * low + 0.1 * white
        middle = 0.85 * middle + 0.3 * white
        high = 0.3 * high + 0.4 * white
        made.append((low + middle + high) * 10 ** (level_db / 20))
    mean = math.sqrt(sum(one * one for one in made) / len(made))
    return struct.pack(f"<{len(made)}h", *(round(max(-8.0, min(8.0, one / mean)) * 4000) for one in made))


def with_noise(samples: bytes, level: float, chance: random.Random) -> bytes:
    """With a part of the street's noise of this root mean square."""
    street = street_noise(60.0)
    at = chance.randrange(0, len(street) - len(samples)) & ~1
    part = street[at : at + len(samples)]
    return audioop.add(samples, audioop.mul(part, 2, level / audioop.rms(part, 2)), 2)


def echo_of(sent: bytes, *, seconds: float = ECHO_SECONDS, decibels: float = ECHO_DB) -> bytes:
    """What comes back of what was sent, as long as that."""
    delay = bytes(2 * round(seconds * RATE))
    return (delay + audioop.mul(sent, 2, 10 ** (-decibels / 20)))[: len(sent)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What was received and what was sent meanwhile, equally long; the answer's first and last frame."""

    received: bytes
    sent: bytes
    begins: int
    ends: int


def arrival(said: bytes, prompt: bytes, line: Line, *, seed: int) -> Arrival:
    """The answer to a question on this line."""
    chance = random.Random(seed)
    before = round(chance.uniform(*_BEFORE_SECONDS) * 50) * FRAME_BYTES
    received = bytes(before) + said + bytes(round(_AFTER_SECONDS * BYTES_A_SECOND))
    received += bytes(-len(received) % _AT_ONCE_BYTES)
    spoken = before - round(_ENDS_BEFORE_SECONDS * BYTES_A_SECOND)
    if line.has_echo:
        spoken = before + len(said) // 4 * 2
    sent = prompt[:spoken].ljust(len(received), b"\0")
    if line.has_echo:
        received = audioop.add(received, echo_of(sent), 2)
    if line.noise_db is not None:
        received = with_noise(received, voice_level(said) / 10 ** (line.noise_db / 20), chance)
    received = b"".join(
        bytes(FRAME_BYTES) if chance.random() < line.loss else frame for frame in frames_of(a_law(received))
    )
    loud = loud_frames(said)
    first = before // FRAME_BYTES
    return Arrival(received=received, sent=sent, begins=first + loud[0], ends=first + loud[-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the detector makes of it. `voices`: for each frame whether a voice is in it. `said`: the first utterance;
    empty: none. `begins` and `ends`: its first and last frame with a voice; `complete`: the one at which it was
    reported.
    """

    voices: tuple[bool, ...]
    said: bytes = b""
    begins: int = 0
    ends: int = 0
    complete: int = 0


def find(arrived: Arrival) -> Found:
    """As the SIP process does."""
    detector, voices, said = UtteranceDetector(), [], b""
    begins = ends = complete = 0
    for frame, voice in heard(arrived.received, arrived.sent):
        voices.append(voice)
        made = b"" if said else detector.feed(frame, voice=voice)
        if made:
            said = made
            whole = range(len(voices) - len(made) // FRAME_BYTES, len(voices))
            loud = [n for n in whole if voices[n]]
            begins, ends, complete = loud[0], loud[-1], whole[-1]
    return Found(voices=tuple(voices), said=said, begins=begins, ends=ends, complete=complete)


def heard(received: bytes, sent: bytes = b"") -> Iterator[tuple[bytes, bool]]:
    """The frames as the line's detector hears them, each with whether a voice is in it."""
    detector = VoiceDetector()
    for at in range(0, len(received), _AT_ONCE_BYTES):
        detector.sent(sent[at : at + _AT_ONCE_BYTES])
        yield from detector.hear(received[at : at + _AT_ONCE_BYTES])


_PART_SECONDS: Final = (0.4, 1.6)
_PART_LEVEL: Final = 3000
"""-21 dBFS."""
_LEAST_PART_LEVEL: Final = 500


@lru_cache(maxsize=1)
def _prompts() -> dict[str, bytes]:
    manifest = Manifest.load()
    return {
        clip.prompt_id: telephone_samples((manifest.folder / clip.file).read_bytes())
        for clip in manifest.clips
        if clip.language == "zh"
    }


def shipped_prompts() -> tuple[bytes, ...]:
    """The shipped prompts in Chinese."""
    return tuple(_prompts().values())


def prompt_of(prompt_id: str) -> bytes:
    """The shipped prompt, or another one where it has no sound."""
    return _prompts().get(prompt_id) or shipped_prompts()[0]


def parts_of_prompts(count: int, *, seed: int) -> list[bytes]:
    """Parts of shipped prompts, as answers of one level."""
    chance, prompts = random.Random(seed), shipped_prompts()
    found: list[bytes] = []
    while len(found) < count:
        prompt = chance.choice(prompts)
        size = round(chance.uniform(*_PART_SECONDS) * 50) * FRAME_BYTES
        at = chance.randrange(0, max(1, len(prompt) - size)) & ~1
        part = prompt[at : at + size]
        if audioop.rms(part, 2) >= _LEAST_PART_LEVEL:
            found.append(audioop.mul(part, 2, _PART_LEVEL / voice_level(part)))
    return found
