"""Shares of few among many, with their intervals: Wilson's of a plain share, and of outlets a share drawn towards that
of all (beta-binomial). Pure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_Z95: Final = 1.959964
_LEAST_STRENGTH, _MOST_STRENGTH = 2.0, 1e6
_STEPS: Final = 60
_TINY: Final = 1e-30


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A share between 0 and 1 with the ends of its interval of 95 %."""

    share: float
    low: float
    high: float


def wilson(part: int, whole: int) -> Interval | None:
    """Of `part` among `whole`; None when `whole` is 0."""
    if not whole:
        return None
    share, square = part / whole, _Z95 * _Z95
    middle = (share + square / (2 * whole)) / (1 + square / whole)
    reach = (
        _Z95 / (1 + square / whole) * math.sqrt(share * (1 - share) / whole + square / (4 * whole * whole))
    )
    return Interval(share=share, low=max(0.0, middle - reach), high=min(1.0, middle + reach))


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """The shares of all outlets: their mean, and how many openings it is worth against an outlet's own."""

    mean: float
    strength: float


def prior_of(counts: Sequence[tuple[int, int]]) -> Prior:
    """Of (involved, opened) by outlet, by the method of moments. The more the outlets differ beyond chance, the less
    the mean is worth.
    """
    opened = sum(n for _, n in counts)
    involved = sum(k for k, _ in counts)
    mean = involved / opened if opened else 0.0
    spread = sum(n * (k / n - mean) ** 2 for k, n in counts if n)
    many = sum(1 for _, n in counts if n)
    room = opened - sum(n * n for _, n in counts) / opened if opened else 0.0
    chance = mean * (1 - mean)
    if many < 2 or chance <= 0 or room <= 0:  # noqa: PLR2004  # nothing to compare
        return Prior(mean=mean, strength=_MOST_STRENGTH)
    between = (spread - (many - 1) * chance) / room
    strength = chance / between - 1 if between > 0 else _MOST_STRENGTH
    return Prior(mean=mean, strength=min(_MOST_STRENGTH, max(_LEAST_STRENGTH, strength)))


def drawn(involved: int, opened: int, prior: Prior) -> Interval:
    """The outlet's share drawn towards the mean, with the interval of 95 % of what is known of it."""
    a = prior.mean * prior.strength + involved
    b = (1 - prior.mean) * prior.strength + opened - involved
    if (
        a <= 0
    ):  # no card of any outlet is involved: all outlets together say nothing, so the outlet's own openings do
        return wilson(0, opened) or Interval(share=0.0, low=0.0, high=1.0)
    return Interval(share=a / (a + b), low=beta_quantile(0.025, a, b), high=beta_quantile(0.975, a, b))


def beta_quantile(p: float, a: float, b: float) -> float:
    """Below it the Beta distribution of `a` and `b` has `p`."""
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if beta_below(middle, a, b) < p:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def beta_below(x: float, a: float, b: float) -> float:
    """The incomplete beta function, regularised, by Lentz's continued fraction."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > _TINY else _TINY)
    result = d
    for m in range(1, 10_000):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 + numerator * d
            c = 1 + numerator / c
            d = 1 / (d if abs(d) > _TINY else _TINY)
            c = c if abs(c) > _TINY else _TINY
            result *= c * d
        if abs(c * d - 1) < 1e-12:  # noqa: PLR2004  # exact enough
            break
    return result
