"""Whether a WAV is fit to be played to somebody: its format, loudness, silence and clipping."""

from __future__ import annotations

from pathlib import Path

from audio.loudness import (
    FRAME_SECONDS,
    PEAK_DBFS,
    TARGET_DBFS,
    active_level,
    frame_levels,
    peak,
)
from audio.resample import TELEPHONE_HZ
from audio.wave_file import NoSound, Sound, read_wav

LEVEL_TOLERANCE_DB = 1.5
LONGEST_EDGE_SECONDS = 0.3
LONGEST_PAUSE_SECONDS = 1.2
SHORTEST_SECONDS = 0.4
_QUIET_BELOW_DB = 32.0


def problems(source: Path | bytes) -> tuple[str, ...]:
    """Everything that is wrong with a prompt's file, in words; empty when it may be played."""
    try:
        sound = read_wav(source)
    except NoSound as error:
        return (str(error),)
    if sound.rate_hz != TELEPHONE_HZ:
        return (f"is sampled at {sound.rate_hz} Hz, not {TELEPHONE_HZ}",)
    if sound.seconds < SHORTEST_SECONDS:
        return (f"lasts {sound.seconds:.2f} s, too short to say anything",)
    return (*_level(sound), *_silence(sound), *_clipping(sound))


def _level(sound: Sound) -> list[str]:
    level = active_level(sound)
    if abs(level - TARGET_DBFS) > LEVEL_TOLERANCE_DB:
        return [f"speaks at {level:.1f} dBFS, not {TARGET_DBFS:.0f} +- {LEVEL_TOLERANCE_DB}"]
    return []


def _silence(sound: Sound) -> list[str]:
    levels = frame_levels(sound)
    quiet = [level < max(levels) - _QUIET_BELOW_DB for level in levels]
    if all(quiet):
        return ["is silent"]
    lead, tail = quiet.index(False) * FRAME_SECONDS, quiet[::-1].index(False) * FRAME_SECONDS
    longest = run = 0
    for frame in quiet:
        run = run + 1 if frame else 0
        longest = max(longest, run)
    found = []
    if max(lead, tail) > LONGEST_EDGE_SECONDS:
        found.append(f"is silent for {max(lead, tail):.2f} s at an end")
    if longest * FRAME_SECONDS > LONGEST_PAUSE_SECONDS:
        found.append(f"pauses for {longest * FRAME_SECONDS:.2f} s")
    return found


def _clipping(sound: Sound) -> list[str]:
    """What peaks below has no sample at the end of the scale, and so none that was cut off there."""
    if peak(sound) > PEAK_DBFS + 0.5:
        return [f"peaks at {peak(sound):.1f} dBFS, above {PEAK_DBFS:.0f}"]
    return []
