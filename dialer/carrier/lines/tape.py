"""The sound of a call that is recorded: two sides on one timeline, in A-law at 8 kHz. Pure: moments are seconds from
the answer on.
"""

from __future__ import annotations

import audioop
import math
import struct
from typing import Final

RATE: Final = 8000
PERSON: Final = 0
"""The side of the phone that was called."""
OURS: Final = 1
"""What that phone hears: prompts, or the officer who was connected."""
SIDES: Final = 2
BYTES_A_SECOND: Final = SIDES * RATE
_SILENCE: Final = audioop.lin2alaw(b"\0\0", 2)
_TOLERANCE: Final = RATE // 10
"""Sound that comes so much later than it should goes on without a gap: the clocks of both sides differ a little."""


class TwoSides:
    """Sound goes in by side, as 16 bit samples, and comes out with a byte of each side in turn."""

    def __init__(self) -> None:
        self._sides = (bytearray(), bytearray())
        self._taken = 0

    def put(self, side: int, samples: bytes, *, begins: float) -> None:
        """Exactly there, over what was there before."""
        track, place = self._sides[side], max(0, round(begins * RATE) - self._taken)
        self._fill(track, place)
        sound = audioop.lin2alaw(samples, 2)
        track[place : place + len(sound)] = sound

    def follow(self, side: int, samples: bytes, *, ends: float) -> None:
        """After what came before of that side; where nothing came for a while, silence is between the two."""
        track = self._sides[side]
        place = round(ends * RATE) - self._taken - len(samples) // 2
        if place - len(track) > _TOLERANCE:
            self._fill(track, place)
        track += audioop.lin2alaw(samples, 2)

    def cut(self, side: int, *, at: float) -> None:
        """What was put there from then on is not heard."""
        del self._sides[side][max(0, round(at * RATE) - self._taken) :]

    def take(self, until: float) -> bytes:
        """All up to then that was not taken before; a side without sound is silent."""
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


def tone(key: str) -> bytes:
    """The tone of a key, as 16 bit samples; empty for a key that no telephone has."""
    if key not in _TONES:
        return b""
    turns = [2 * math.pi * hertz / RATE for hertz in _TONES[key]]
    samples = (
        round(_LOUDNESS * sum(math.sin(turn * n) for turn in turns))
        for n in range(round(_TONE_SECONDS * RATE))
    )
    return b"".join(struct.pack("<h", one) for one in samples)


def other_side_first(sound: bytes) -> bytes:
    """Sound that `TwoSides` gave, with our side before the person's."""
    return audioop.byteswap(sound[: len(sound) - len(sound) % SIDES], 2)


def wav_of_sides(sound: bytes, *, channels: int) -> bytes:
    """A WAV file (A-law, 8 kHz) of sound that `TwoSides` gave: the person left and us right, or both in one."""
    if channels == 1:
        person, ours = (audioop.alaw2lin(sound[place::SIDES], 2) for place in (PERSON, OURS))
        sound = audioop.lin2alaw(audioop.add(person, ours, 2), 2)
    form = struct.pack("<HHIIHHH", 6, channels, RATE, channels * RATE, channels, 8, 0)
    padding = b"\0" * (len(sound) % 2)
    fact = b"fact" + struct.pack("<II", 4, len(sound) // channels)
    body = b"WAVE" + b"fmt " + struct.pack("<I", len(form)) + form + fact
    body += b"data" + struct.pack("<I", len(sound)) + sound + padding
    return b"RIFF" + struct.pack("<I", len(body)) + body
