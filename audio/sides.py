"""The two sides of a recorded call as samples: 16-bit PCM, A-law and mu-law files of one or two channels."""

from __future__ import annotations

import audioop
import struct
from dataclasses import dataclass
from typing import Final

from audio.wave_file import Flaw, NoSound

_PCM: Final = 1
_TO_LINEAR: Final = {6: audioop.alaw2lin, 7: audioop.ulaw2lin}
_LEAST_RATE, _MOST_RATE = 4000, 48_000
_FORMAT: Final = struct.Struct("<HHIIHH")
_CHUNK: Final = struct.Struct("<I")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """The channels of a file in their order, each as signed 16-bit samples in the machine's byte order, and the rate in
    Hz.
    """

    channels: tuple[bytes, ...]
    rate_hz: int

    @property
    def seconds(self) -> float:
        """The length."""
        return len(self.channels[0]) / 2 / self.rate_hz


def read_sides(wav: bytes) -> Sides:
    """The channels of a WAV file. Raises `NoSound` for what is none, or of another coding."""
    coding, channels, rate, width, data = _parts_of(wav)
    if channels not in {1, 2} or not _LEAST_RATE <= rate <= _MOST_RATE:
        raise NoSound(Flaw("has %(n)s channels at %(rate)s Hz", n=channels, rate=rate))
    if coding in _TO_LINEAR and width == 1:
        data = _TO_LINEAR[coding](data[: len(data) // channels * channels], 2)
    elif coding != _PCM or width != 2:  # noqa: PLR2004 - 16 bit
        raise NoSound(Flaw("has the coding %(coding)s with %(bits)s bits", coding=coding, bits=8 * width))
    data = data[: len(data) // (2 * channels) * 2 * channels]
    if not data:
        raise NoSound(Flaw("is empty"))
    if channels == 1:
        return Sides(channels=(data,), rate_hz=rate)
    halves = (audioop.tomono(data, 2, 1, 0), audioop.tomono(data, 2, 0, 1))
    return Sides(channels=halves, rate_hz=rate)


def _parts_of(wav: bytes) -> tuple[int, int, int, int, bytes]:
    """Coding, channels, rate, bytes of a sample, and the data."""
    if wav[:4] != b"RIFF" or wav[8:12] != b"WAVE":
        raise NoSound(Flaw("is no WAV"))
    at, form = 12, None
    while at + 8 <= len(wav):
        name, (size,) = wav[at : at + 4], _CHUNK.unpack_from(wav, at + 4)
        at += 8
        if name == b"fmt " and at + _FORMAT.size <= len(wav):
            form = _FORMAT.unpack_from(wav, at)
        elif name == b"data" and form is not None:
            coding, channels, rate, _, _, bits = form
            return coding, channels, rate, bits // 8, wav[at : at + size]
        at += size + (size & 1)
    raise NoSound(Flaw("has no sound in it"))
