"""Checks a WAV before it may be played in a call: its format, loudness, silence and clipping."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from audio.loudness import FRAME_SECONDS, PEAK_DBFS, TARGET_DBFS, active_level, frame_levels, peak
from audio.resample import TELEPHONE_HZ
from audio.wave_file import Flaw, NoSound, Sound, read_wav

LEVEL_TOLERANCE_DB = 1.5
LONGEST_EDGE_SECONDS = 0.55
LONGEST_PAUSE_SECONDS = 1.2
SHORTEST_SECONDS = 0.4
_QUIET_BELOW_DB = 32.0


def problems(source: Path | bytes) -> tuple[Flaw, ...]:
    """Everything that is wrong with a prompt's file; empty when it may be played."""
    try:
        sound = read_wav(source)
    except NoSound as error:
        return (error.flaw,)
    if sound.rate_hz != TELEPHONE_HZ:
        return (Flaw("is sampled at %(rate)s Hz, not %(wanted)s", rate=sound.rate_hz, wanted=TELEPHONE_HZ),)
    if sound.seconds < SHORTEST_SECONDS:
        return (Flaw("lasts %(seconds)s s, too short to say anything", seconds=f"{sound.seconds:.2f}"),)
    return (*_loudness(sound), *_silence(sound))


def _loudness(sound: Sound) -> list[Flaw]:
    level, top = active_level(sound), peak(sound)
    found = []
    if abs(level - TARGET_DBFS) > LEVEL_TOLERANCE_DB:
        wanted = f"{TARGET_DBFS:.0f} +- {LEVEL_TOLERANCE_DB}"
        found.append(Flaw("speaks at %(level)s dBFS, not %(wanted)s", level=f"{level:.1f}", wanted=wanted))
    # A sound with a lower peak has no sample at the end of the scale, so that none was cut off there.
    if top > PEAK_DBFS + 0.5:
        found.append(
            Flaw("peaks at %(level)s dBFS, above %(most)s", level=f"{top:.1f}", most=f"{PEAK_DBFS:.0f}")
        )
    return found


def _silence(sound: Sound) -> list[Flaw]:
    levels = frame_levels(sound)
    quiet = [level < max(levels) - _QUIET_BELOW_DB for level in levels]
    if all(quiet):
        return [Flaw("is silent")]
    lead, tail = quiet.index(False) * FRAME_SECONDS, quiet[::-1].index(False) * FRAME_SECONDS
    longest = max((len(list(run)) for is_quiet, run in groupby(quiet) if is_quiet), default=0)
    found = []
    if max(lead, tail) > LONGEST_EDGE_SECONDS:
        found.append(Flaw("is silent for %(seconds)s s at an end", seconds=f"{max(lead, tail):.2f}"))
    if longest * FRAME_SECONDS > LONGEST_PAUSE_SECONDS:
        found.append(Flaw("pauses for %(seconds)s s", seconds=f"{longest * FRAME_SECONDS:.2f}"))
    return found
