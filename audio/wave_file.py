"""Sound in memory, and WAV files in and out. 16-bit mono inside."""

from __future__ import annotations

import io
import wave
from array import array
from dataclasses import dataclass
from pathlib import Path


class Flaw:
    """What is wrong with a sound, as data: an English template and the values at its `%(name)s` places. `str()` is
    the English sentence.
    """

    __slots__ = ("template", "values")

    def __init__(self, template: str, /, **values: object) -> None:
        self.template = template
        self.values = values

    def __str__(self) -> str:
        return self.template % self.values if self.values else self.template


class SoundFault(Exception):
    """A prompt cannot be made, or must not be played; `flaw` says why."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(str(flaw))
        self.flaw = flaw


class NoSound(SoundFault):
    """The bytes are no WAV that a telephone prompt could be made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """16-bit mono samples, little endian, and their rate."""

    pcm: bytes
    rate_hz: int

    @property
    def samples(self) -> array[int]:
        return array("h", self.pcm)

    @property
    def seconds(self) -> float:
        return len(self.pcm) / 2 / self.rate_hz


def wav_bytes(sound: Sound) -> bytes:
    """The same sound always gives the same bytes."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(sound.rate_hz)
        out.writeframes(sound.pcm)
    return buffer.getvalue()


def read_wav(source: Path | bytes) -> Sound:
    """A mono or stereo 16-bit WAV as mono. Raises `NoSound`."""
    try:
        with wave.open(
            io.BytesIO(source if isinstance(source, bytes) else source.read_bytes()), "rb"
        ) as found:
            channels, width, rate = found.getnchannels(), found.getsampwidth(), found.getframerate()
            pcm = found.readframes(found.getnframes())
    except (wave.Error, EOFError, OSError) as error:
        raise NoSound(Flaw("is no readable WAV: %(error)s", error=error)) from error
    if width != 2 or channels not in {1, 2} or len(pcm) % (2 * channels):  # noqa: PLR2004 - bytes, stereo
        raise NoSound(
            Flaw(
                "has %(channels)s channels of %(bits)s bits; 16-bit mono or stereo is needed",
                channels=channels,
                bits=8 * width,
            )
        )
    if channels == 2:  # noqa: PLR2004 - stereo
        both = array("h", pcm)
        pcm = array("h", [(a + b) // 2 for a, b in zip(both[::2], both[1::2], strict=True)]).tobytes()
    return Sound(pcm=pcm, rate_hz=rate)
