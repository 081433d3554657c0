"""Sound at any rate to the telephone's 8 kHz, with a filter so that nothing above 3.6 kHz folds back. Pure.

A windowed-sinc filter is evaluated only where an output sample is due, so that it needs no numeric library.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from operator import mul

TELEPHONE_HZ = 8000
_EDGE_HZ = 3700
_ZERO_CROSSINGS = 24
_FULL_SCALE = 32767


def to_telephone(samples: Sequence[int], rate_hz: int) -> array[int]:
    """16-bit mono samples at 8 kHz; a quarter of a millisecond may be lost at the end."""
    if rate_hz == TELEPHONE_HZ:
        return array("h", samples)
    edge = min(_EDGE_HZ, rate_hz * 0.45) / rate_hz
    half = math.ceil(_ZERO_CROSSINGS / (2 * edge))
    step = math.gcd(rate_hz, TELEPHONE_HZ)
    up, down = TELEPHONE_HZ // step, rate_hz // step
    phases = [_taps(edge, half, phase / up) for phase in range(up)]
    padded = [0] * half + list(samples) + [0] * (half + 1)
    count = len(samples) * up // down
    out = array("h", bytes(2 * count))
    for index in range(count):
        at, phase = divmod(index * down, up)
        value = sum(map(mul, phases[phase], padded[at : at + 2 * half + 1]))
        out[index] = max(-_FULL_SCALE, min(_FULL_SCALE, round(value)))
    return out


def _taps(edge: float, half: int, offset: float) -> list[float]:
    """A Blackman-windowed low pass of unit gain, shifted by a part of a sample."""
    taps = []
    for n in range(-half, half + 1):
        x = n - offset
        sinc = 2 * edge if x == 0 else math.sin(2 * math.pi * edge * x) / (math.pi * x)
        place = (x + half) / (2 * half)
        window = 0.42 - 0.5 * math.cos(2 * math.pi * place) + 0.08 * math.cos(4 * math.pi * place)
        taps.append(sinc * max(window, 0.0))
    total = sum(taps)
    return [tap / total for tap in taps]
