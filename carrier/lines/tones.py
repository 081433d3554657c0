"""Keys as tones in the sound (DTMF, ITU-T Q.23), for a telephone whose trunk sends keys in no other way.

Samples as in `sound`, in frames of 20 ms. Pure.
"""

from __future__ import annotations

import audioop
import math
import struct
from typing import Final

from carrier.lines.sound import FRAME_BYTES, RATE

_LOW: Final = (697, 770, 852, 941)
_HIGH: Final = (1209, 1336, 1477, 1633)
_KEYS: Final = ("123A", "456B", "789C", "*0#D")
_AMPLITUDE: Final = 16_384
_LEAST_LEVEL: Final = 250
"""Root mean square of a frame, -42 dBFS: a weaker tone is none."""
_LEAST_SHARE: Final = 0.55
"""Of the power of a frame that its two tones have; a voice has its power in more places."""
_MOST_TWIST: Final = 6.3
"""8 dB: so far the power of the two tones may differ."""
_OVER_OTHERS: Final = 6.3
"""8 dB: so far each tone is above the next one of its group."""
_LEAST_FRAMES: Final = 2
"""A frame that a tone fills in part is none: a tone of 60 ms always fills two."""
_END_FRAMES: Final = 2
"""A single lost packet does not make one key two."""


def _wave(hertz: int, phase: float) -> bytes:
    samples = (_AMPLITUDE * math.sin(2 * math.pi * hertz * n / RATE + phase) for n in range(FRAME_BYTES // 2))
    return struct.pack(f"={FRAME_BYTES // 2}h", *(round(sample) for sample in samples))


_WAVES: Final = {
    hertz: (_wave(hertz, 0.0), _wave(hertz, math.pi / 2)) for group in (_LOW, _HIGH) for hertz in group
}


def _power(frame: bytes, hertz: int) -> float:
    """The power of a tone in the frame, as the square of its root mean square."""
    sine, cosine = (audioop.findfactor(frame, wave) for wave in _WAVES[hertz])
    return (sine * sine + cosine * cosine) * _AMPLITUDE * _AMPLITUDE / 2


def key_in(frame: bytes) -> str:
    """The key whose two tones fill this frame; '' for anything else."""
    level = audioop.rms(frame, 2)
    if level < _LEAST_LEVEL:
        return ""
    low, high = ([_power(frame, hertz) for hertz in group] for group in (_LOW, _HIGH))
    row, column = max(low), max(high)
    if row + column < _LEAST_SHARE * level * level or not row / _MOST_TWIST <= column <= row * _MOST_TWIST:
        return ""
    if any(sorted(group)[-2] * _OVER_OTHERS > max(group) for group in (low, high)):
        return ""
    return _KEYS[low.index(row)][high.index(column)]


class KeyTones:
    """Finds keys in received sound. `sounds`: a tone is in the newest frames, which are no voice then."""

    def __init__(self) -> None:
        self.sounds = False
        self._key = ""
        self._frames = 0
        self._others = 0

    def feed(self, frame: bytes) -> str:
        """Takes a frame. Returns the key once, 40 ms after its tone began; else ''."""
        key = key_in(frame)
        if key and key == self._key:
            self._frames += 1
            self._others = 0
        elif key:
            self._key, self._frames, self._others = key, 1, 0
        else:
            self._others += 1
            if self._others >= _END_FRAMES:
                self._key, self._frames = "", 0
        self.sounds = self._frames >= _LEAST_FRAMES
        return key if key and self._frames == _LEAST_FRAMES else ""
