"""Intervals of shares and of their differences. Pure.

A usual confidence interval is valid for one look at a sample of a size chosen beforehand; looking every morning and
stopping when the result seems clear finds differences that do not exist. `share_interval` and `compare_shares` are
valid at all looks together: they invert the mixture sequential probability ratio test of H. Robbins (1970), as R.
Johari, P. Koomen, L. Pekelis and D. Walsh use it for comparisons of shares ("Always Valid Inference", Operations
Research 70(3), 2022, section 4).

The package confseq (0.0.11) offers such intervals, but is distributed only as source: its installation needs a C++
compiler and Boost, and the web process would need NumPy. `_half_width` is the formula.

`wilson`, `estimate`, `adjust_shares` and `shrunk_estimate` are valid for one look: a plain share, shares with the same
mix of cases, and the share of one among many (an outlet) drawn towards that of all (beta-binomial).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist
from typing import Final

ERROR = 0.05
"""Probability that a true share is ever outside its interval, over all looks."""
MARGIN = 0.03
"""Differences below this share do not matter for a decision."""
LEAST_PEOPLE = 30
"""With fewer people the normal approximation is not valid, and there is no conclusion."""
_TYPICAL = 0.08
"""The difference at which the test has most power; any choice is valid."""
_MOST_PEOPLE = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class HitCount:
    """How many of `people` count as `hits`."""

    people: int
    hits: int

    @property
    def share(self) -> float | None:
        """The share; None without people."""
        return self.hits / self.people if self.people else None

    @property
    def variance(self) -> float:
        """The variance of the share of one more person; never 0, even if all people so far are alike."""
        likely = (self.hits + 1) / (self.people + 2)
        return likely * (1 - likely)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A confidence interval of a share, both ends between 0 and 1."""

    low: float
    high: float


class ShareComparison(StrEnum):
    """The result of a comparison of two shares."""

    TOO_FEW = "too_few"
    BETTER = "better"
    WORSE = "worse"
    ALIKE = "alike"
    """Any difference is below the margin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialConclusion:
    """The conclusion about one version compared with the live one. `more_each`: about how many more people each version
    needs before there is a conclusion.
    """

    finding: ShareComparison
    difference: float | None
    interval: Interval | None
    more_each: int = 0


_Z = 1.959963984540054
"""The quantile of the normal distribution for a 95 % interval."""


def wilson(hits: int, people: int) -> Interval | None:
    """The 95 % interval of the true share, for one look; None without people. E. B. Wilson, "Probable Inference, the
    Law of Succession, and Statistical Inference", JASA 22 (1927), 209-212.
    """
    if people == 0:
        return None
    share, square = hits / people, _Z**2 / people
    middle = (share + square / 2) / (1 + square)
    half = math.sqrt(share * (1 - share) * square + square**2 / 4) / (1 + square)
    return Interval(low=max(0.0, middle - half), high=min(1.0, middle + half))


def share_interval(count: HitCount) -> Interval | None:
    """The interval of the true share, valid at all looks together; None below `LEAST_PEOPLE`."""
    if count.people < LEAST_PEOPLE or count.share is None:
        return None
    half = _half_width(count.variance / count.people, ERROR)
    return Interval(low=max(0.0, count.share - half), high=min(1.0, count.share + half))


def compare_shares(
    live: HitCount, other: HitCount, *, more_is_better: bool, error: float = ERROR
) -> TrialConclusion:
    """The conclusion so far, valid at every look. With several versions against one, divide `error` among them."""
    if live.share is None or other.share is None:
        return TrialConclusion(
            finding=ShareComparison.TOO_FEW,
            difference=None,
            interval=None,
            more_each=_needed(live, other, error),
        )
    difference = other.share - live.share
    enough = min(live.people, other.people) >= LEAST_PEOPLE
    half = _half_width(_variance(live, other, live.people, other.people), error)
    interval = Interval(low=max(-1.0, difference - half), high=min(1.0, difference + half))
    if enough and (interval.low > 0 or interval.high < 0):
        finding = ShareComparison.BETTER if (difference > 0) is more_is_better else ShareComparison.WORSE
        return TrialConclusion(finding=finding, difference=difference, interval=interval)
    if enough and max(-interval.low, interval.high) < MARGIN:
        return TrialConclusion(finding=ShareComparison.ALIKE, difference=difference, interval=interval)
    return TrialConclusion(
        finding=ShareComparison.TOO_FEW,
        difference=difference,
        interval=interval if enough else None,
        more_each=_needed(live, other, error),
    )


def _variance(live: HitCount, other: HitCount, live_people: int, other_people: int) -> float:
    """The variance of the difference of the two shares, with these numbers of people."""
    return live.variance / live_people + other.variance / other_people


def _half_width(variance: float, error: float) -> float:
    mixed = variance + _TYPICAL**2
    return math.sqrt(
        2 * variance * mixed / _TYPICAL**2 * (math.log(1 / error) + math.log(mixed / variance) / 2)
    )


def _needed(live: HitCount, other: HitCount, error: float) -> int:
    """How many more people each version needs until the test could detect the difference seen so far, or the margin if
    that is larger.
    """
    seen = abs(other.share - live.share) if live.share is not None and other.share is not None else 0.0
    wanted = max(seen, MARGIN)
    have = min(live.people, other.people)
    low, high = max(have, LEAST_PEOPLE), _MOST_PEOPLE
    while low < high:
        middle = (low + high) // 2
        if _half_width(_variance(live, other, middle, middle), error) <= wanted:
            high = middle
        else:
            low = middle + 1
    return _about(low - have)


def _about(number: int) -> int:
    """The number rounded up to two significant figures."""
    size: int = 10 ** max(0, len(str(number)) - 2)
    return -(-number // size) * size


class Standing(StrEnum):
    """How the share of one part compares with that of all others, adjusted for the mix of their cases."""

    TOO_FEW = "too_few"
    NOISE = "noise"
    """Chance alone explains a difference of this size."""
    ABOVE = "above"
    BELOW = "below"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """The cases of one kind: those of the part that is compared, and those of all others."""

    part: HitCount
    rest: HitCount


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjusted:
    """The shares that a part and the rest would have with the same mix of cases; None if they have no kind of case in
    common.
    """

    standing: Standing
    share: float | None = None
    rest: float | None = None
    difference: float | None = None
    interval: Interval | None = None
    """The interval of the difference, between -1 and 1; None below `LEAST_PEOPLE`."""
    compared: int = 0
    """Cases of the part that are of a kind which the rest has too."""


def adjust_shares(strata: Iterable[Stratum], *, error: float = ERROR) -> Adjusted:
    """Direct standardisation to the mix of all: both shares are sums of w_s * p_s over the kinds s that both have,
    where w_s is the portion of s in all cases of these kinds. P. Armitage, G. Berry, J. N. S. Matthews, "Statistical
    Methods in Medical Research" (4th edition, 2002), chapter 19. For one look; with several parts divide `error` among
    them (O. J. Dunn, "Multiple Comparisons Among Means", JASA 56, 1961).
    """
    common = [pair for pair in strata if pair.part.people and pair.rest.people]
    of_part, of_rest = sum(pair.part.people for pair in common), sum(pair.rest.people for pair in common)
    if not common:
        return Adjusted(standing=Standing.TOO_FEW)
    share = rest = variance = 0.0
    for pair in common:
        weight = (pair.part.people + pair.rest.people) / (of_part + of_rest)
        share += weight * pair.part.hits / pair.part.people
        rest += weight * pair.rest.hits / pair.rest.people
        variance += weight**2 * _variance(pair.part, pair.rest, pair.part.people, pair.rest.people)
    interval, standing = None, Standing.TOO_FEW
    if min(of_part, of_rest) >= LEAST_PEOPLE:
        half = NormalDist().inv_cdf(1 - error / 2) * math.sqrt(variance)
        interval = Interval(low=max(-1.0, share - rest - half), high=min(1.0, share - rest + half))
        standing = (
            Standing.ABOVE if interval.low > 0 else Standing.BELOW if interval.high < 0 else Standing.NOISE
        )
    return Adjusted(
        standing=standing,
        share=share,
        rest=rest,
        difference=share - rest,
        interval=interval,
        compared=of_part,
    )


def adjust_each(kinds: Mapping[str, Mapping[str, HitCount]], *, error: float = ERROR) -> dict[str, Adjusted]:
    """Compares each part with all others; `kinds` has the cases of each part by their kind. The probability of any
    wrong result is `error` for all parts together.
    """
    total: dict[str, HitCount] = {}
    for parts in kinds.values():
        for kind, pair in parts.items():
            of_all = total.get(kind, HitCount(people=0, hits=0))
            total[kind] = HitCount(people=of_all.people + pair.people, hits=of_all.hits + pair.hits)
    return {
        part: adjust_shares(
            [
                Stratum(
                    part=pair,
                    rest=HitCount(people=total[kind].people - pair.people, hits=total[kind].hits - pair.hits),
                )
                for kind, pair in sorted(parts.items())
            ],
            error=error / len(kinds),
        )
        for part, parts in kinds.items()
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The places that a part may have among others, 1 for the smallest: from `first` to `last`, both included."""

    first: int
    last: int


def places_of(intervals: Mapping[str, Interval]) -> dict[str, Places]:
    """The places that the intervals allow. Where each interval has the true value in it, each true place is among
    them: a part stands before another one only where its whole interval is below the other's.
    """
    return {
        name: Places(
            first=1 + sum(other.high < own.low for other in intervals.values()),
            last=len(intervals) - sum(other.low > own.high for other in intervals.values()),
        )
        for name, own in intervals.items()
    }


_LEAST_STRENGTH, _MOST_STRENGTH = 2.0, 1e6
_STEPS: Final = 60
_TINY: Final = 1e-30


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A share between 0 and 1, with the ends of its 95 % interval, valid for one look."""

    share: float
    low: float
    high: float


def estimate(part: int, whole: int) -> Estimate | None:
    """The share of `part` among `whole`, with Wilson's interval; None when `whole` is 0."""
    interval = wilson(part, whole)
    if interval is None:
        return None
    return Estimate(share=part / whole, low=interval.low, high=interval.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """The distribution of the shares of all outlets: its mean, and its strength, as the number of openings that the
    mean weighs against an outlet's own.
    """

    mean: float
    strength: float


def prior_of(counts: Sequence[tuple[int, int]]) -> Prior:
    """The prior of (involved, opened) by outlet, by the method of moments. The more the outlets differ beyond chance,
    the less the mean is worth.
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


def shrunk_estimate(involved: int, opened: int, prior: Prior) -> Estimate:
    """The outlet's share, drawn towards the mean of all outlets, with its 95 % credible interval."""
    a = prior.mean * prior.strength + involved
    b = (1 - prior.mean) * prior.strength + opened - involved
    if (
        a <= 0
    ):  # no card of any outlet is involved: all outlets together say nothing, so the outlet's own openings do
        return estimate(0, opened) or Estimate(share=0.0, low=0.0, high=1.0)
    return Estimate(share=a / (a + b), low=beta_quantile(0.025, a, b), high=beta_quantile(0.975, a, b))


def beta_quantile(p: float, a: float, b: float) -> float:
    """The quantile of the Beta distribution with `a` and `b`: a value is below it with probability `p`."""
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if beta_cdf(middle, a, b) < p:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def beta_cdf(x: float, a: float, b: float) -> float:
    """The probability of a value below `x` in the Beta distribution with `a` and `b`: the regularised incomplete beta
    function, by Lentz's continued fraction.
    """
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
