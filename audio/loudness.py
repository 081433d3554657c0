"""How loud speech is: the level of the parts where somebody speaks, in dB below full scale, as P.56 means it."""

from __future__ import annotations

import audioop
import math

from audio.wave_file import Sound

TARGET_DBFS = -20.0
"""The level of active speech. Loud enough for a noisy street, with room for the peaks of a voice."""
PEAK_DBFS = -2.0
FRAME_SECONDS = 0.02
_GATE_DB = 22.0
_FULL_SCALE = 32768
SILENCE_DBFS = -96.0


def frame_levels(sound: Sound) -> list[float]:
    """The level of each 20 ms, in dBFS; a last part that is shorter is left out."""
    width = 2 * round(sound.rate_hz * FRAME_SECONDS)
    return [
        dbfs(audioop.rms(sound.pcm[at : at + width], 2)) for at in range(0, len(sound.pcm) - width + 1, width)
    ]


def active_level(sound: Sound) -> float:
    """Mean power in dBFS over the frames that are at most 22 dB below the loudest; silence is -96."""
    levels = frame_levels(sound)
    if not levels or max(levels) <= SILENCE_DBFS:
        return SILENCE_DBFS
    gate = max(levels) - _GATE_DB
    powers = [10 ** (level / 10) for level in levels if level >= gate]
    return 10 * math.log10(sum(powers) / len(powers))


def peak(sound: Sound) -> float:
    """The largest sample in dBFS."""
    return dbfs(audioop.max(sound.pcm, 2)) if sound.pcm else SILENCE_DBFS


def dbfs(value: float) -> float:
    """The level of an amplitude of 16-bit samples, in dB below full scale."""
    return 20 * math.log10(value / _FULL_SCALE) if value >= 1 else SILENCE_DBFS
