"""Sounds made by arithmetic: speech-like bursts at any rate and level."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable
from functools import cache

import pytest

from audio.wave_file import Sound


@cache
def burst(seconds: float, *, rate_hz: int = 24000, hz: float = 440.0, level: float = 0.3) -> Sound:
    """A tone that swells and fades five times a second, as syllables do."""
    samples = array("h")
    for n in range(round(seconds * rate_hz)):
        t = n / rate_hz
        swell = 0.55 - 0.45 * math.cos(2 * math.pi * 5 * t)
        samples.append(round(32767 * level * swell * math.sin(2 * math.pi * hz * t)))
    return Sound(pcm=samples.tobytes(), rate_hz=rate_hz)


def silence(seconds: float, rate_hz: int = 24000) -> Sound:
    return Sound(pcm=bytes(2 * round(seconds * rate_hz)), rate_hz=rate_hz)


@pytest.fixture
def tone() -> Callable[..., Sound]:
    return burst


@pytest.fixture
def quiet() -> Callable[..., Sound]:
    return silence
