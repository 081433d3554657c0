"""How many warnings may become calls, which ones, and how well the robot works: budget, random draw, estimate of what
is missed, and the tests of its rules and sources. Pure.

Nothing is dropped: what exceeds the budget stays held and is considered again the next time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final

from dialer.core.values import Grade

_HOUR: Final = 3600
_LIMITED: Final = (Grade.HIGH, Grade.MEDIUM, Grade.LOW)
_Z: Final = 1.959963984540054
LEAST_PROBABILITY: Final = 1e-6
"""A lower probability counts as this one in the turn."""
HALF_LIFE: Final = timedelta(days=1)
"""After this long a warning that waits counts half."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What is free: lines of the robot, and callers at desks."""

    lines: int
    desks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What one warning of a grade takes on average: seconds of a line and of a caller."""

    line_seconds: float
    desk_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetPolicy:
    """`shares` of the free capacity by grade; what a grade leaves over goes to the next lower one."""

    needs: Mapping[Grade, Need] = field(
        default_factory=lambda: {
            Grade.EXTRA_HIGH: Need(line_seconds=120, desk_seconds=600),
            Grade.HIGH: Need(line_seconds=120, desk_seconds=300),
            Grade.MEDIUM: Need(line_seconds=120, desk_seconds=60),
            Grade.LOW: Need(line_seconds=120, desk_seconds=15),
        }
    )
    shares: Mapping[Grade, float] = field(
        default_factory=lambda: {Grade.HIGH: 0.5, Grade.MEDIUM: 0.3, Grade.LOW: 0.2}
    )


def hourly_budget(free: Capacity, policy: BudgetPolicy) -> Mapping[Grade, int]:
    """How many warnings of each limited grade an hour of the free capacity can handle. Extra high has no budget: it is
    never held, and what its calls take is not free.
    """
    lines, desks = free.lines * _HOUR, free.desks * _HOUR
    budget: dict[Grade, int] = {}
    over_lines = over_desks = 0.0
    for grade in _LIMITED:
        need, share = policy.needs[grade], policy.shares[grade]
        mine, mine_desks = over_lines + lines * share, over_desks + desks * share
        ways = [mine // need.line_seconds] if need.line_seconds else []
        ways += [mine_desks // need.desk_seconds] if need.desk_seconds else []
        count = budget[grade] = int(min(ways, default=0))
        over_lines, over_desks = mine - count * need.line_seconds, mine_desks - count * need.desk_seconds
    return budget


def needed_hours(counts: Mapping[Grade, int], policy: BudgetPolicy) -> tuple[float, float]:
    """Hours of lines and hours of desks that these numbers of warnings of each grade take, to a tenth."""
    lines = sum(count * policy.needs[grade].line_seconds for grade, count in counts.items())
    desks = sum(count * policy.needs[grade].desk_seconds for grade, count in counts.items())
    return round(lines / _HOUR, 1), round(desks / _HOUR, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A warning that waits to be released. `key` identifies it; `at` is the strongest moment of its incident."""

    key: str
    grade: Grade
    score: int
    probability: float
    at: datetime


def turn(probability: float, at: datetime) -> float:
    """The rank of a waiting warning among those of its grade; the highest is sent first. It is the base-2 logarithm of
    the probability that the warning is right, halved with every day since `at`, because the money is paid hours or days
    after the contact. The order of two waiting warnings never changes with time.
    """
    return math.log2(max(probability, LEAST_PROBABILITY)) + at.timestamp() / HALF_LIFE.total_seconds()


@dataclass(frozen=True, slots=True)
class Release:
    """The warnings that are sent now, in their order, and those that stay held."""

    released: tuple[Candidate, ...]
    held: tuple[Candidate, ...]


def choose_released(
    waiting: Iterable[Candidate], budget: Mapping[Grade, int], used: Mapping[Grade, int]
) -> Release:
    """Chooses the warnings to send: all extra-high ones, and of each other grade, by `turn`, as many as are left of its
    budget. `used`: how many of each grade were sent in the last hour. Unused places of a grade go to the next lower
    grade, and count as used by that one alone; the higher grade can still take its places within the hour. The grade
    already contains the money at risk.
    """
    ordered = sorted(
        waiting,
        key=lambda candidate: (
            -candidate.grade.rank,
            -turn(candidate.probability, candidate.at),
            -candidate.score,
            candidate.key,
        ),
    )
    released = [candidate for candidate in ordered if candidate.grade is Grade.EXTRA_HIGH]
    held: list[Candidate] = []
    over = 0
    for grade in _LIMITED:
        mine = [candidate for candidate in ordered if candidate.grade is grade]
        places = max(0, over + budget.get(grade, 0) - used.get(grade, 0))
        released += mine[:places]
        held += mine[places:]
        over = max(0, places - len(mine))
    return Release(tuple(released), tuple(held))


@dataclass(frozen=True, slots=True)
class Drawn:
    """A verdict drawn at random from below the threshold, with the probability of being drawn."""

    key: str
    probability: float


def draw(below: Iterable[str], expected: float, *, seed: bytes) -> tuple[Drawn, ...]:
    """Draws each of the keys with the same probability, so that `expected` are drawn on average. The same keys and the
    same secret seed give the same draw.
    """
    keys = sorted(set(below))
    if not keys or expected <= 0:
        return ()
    probability = min(1.0, expected / len(keys))
    return tuple(Drawn(key, probability) for key in keys if _uniform(key, seed) < probability)


def _uniform(key: str, seed: bytes) -> float:
    """A number in [0, 1) determined by key and seed."""
    return (int.from_bytes(blake2b(key.encode(), key=seed[:64], digest_size=8).digest()) >> 11) / (1 << 53)


LEAST_CONFIRMED: Final = 0.1
"""The share of the people who touched an item that must be confirmed before the item counts as suspected."""


def is_worth_listing(confirmed: int, denied: int, touched: int) -> bool:
    """Whether an item counts as suspected, if of the people who touched it `confirmed` had a right and `denied` a wrong
    warning, and `touched` are all who touched it in the last days. A scammer's number reaches few people, while half a
    city knows a courier's.
    """
    return (
        confirmed > 0 and confirmed >= touched * LEAST_CONFIRMED and not is_worth_removing(confirmed, denied)
    )


def is_worth_removing(confirmed: int, denied: int) -> bool:
    """Whether more of the people who were called about an item deny than confirm it."""
    return denied > confirmed


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberEstimate:
    """An estimated number, the ends of its 95 % interval, and how many labels it rests on."""

    value: float
    low: float
    high: float
    labelled: int


def missed_fraud(labelled: Iterable[tuple[float, bool]]) -> NumberEstimate:
    """Estimates how much fraud lay below the threshold, from drawn verdicts with a label: (probability of being drawn,
    was fraud).

    Unbiased: each fraud found stands for 1 / probability (Horvitz and Thompson). If not all labels arrive, give the
    probability of being drawn times that of being labelled. If no fraud is found, the upper end is that of a zero count
    (three divided by the smallest probability).
    """
    pairs = [(p, fraud) for p, fraud in labelled if 0 < p <= 1]
    value = sum(1 / p for p, fraud in pairs if fraud)
    variance = sum((1 - p) / p**2 for p, fraud in pairs if fraud)
    half = _Z * math.sqrt(variance)
    high = value + half
    if pairs and not value:
        high = 3 / min(p for p, _ in pairs)
    return NumberEstimate(value=value, low=max(0.0, value - half), high=high, labelled=len(pairs))


def is_runaway(count: int, usual: Sequence[int], *, times: float = 5.0, least: int = 20) -> bool:
    """Whether a rule fires far more often than usual: `count` in this hour against the counts of the hours before.

    The count must exceed `least`, and `times` the usual mean by more than the random spread of such a mean. For a rule
    without a history only `least` applies.
    """
    mean = sum(usual) / len(usual) if usual else 0.0
    return count > max(least, times * mean + 4 * math.sqrt(times * mean))


def doubtful_source(firings: Mapping[tuple[str, ...], Sequence[int]]) -> str | None:
    """The one source that makes a rule fire far more often than usual: without what depends on it, the rule does not.
    None if there is no such source. `firings`: by sources, the counts of this hour and of the hours before.

    Of several, the one without which the most remains; of these, the one that grew most.
    """
    found: list[tuple[int, float, str]] = []
    for source in sorted({source for sources in firings for source in sources}):
        own = [counts for sources, counts in firings.items() if source in sources]
        others = [counts for sources, counts in firings.items() if source not in sources]
        rest = [sum(hour) for hour in zip(*others, strict=True)] or [0]
        if not is_runaway(rest[0], rest[1:]):
            mine = [sum(hour) for hour in zip(*own, strict=True)]
            found.append((rest[0], mine[0] / (1 + sum(mine[1:])), source))
    return max(found)[2] if found else None


def psi(expected: Sequence[float], actual: Sequence[float]) -> float:
    """Population stability index of two histograms over the same bins; from 0.25 on the feature has drifted.

    0.0 if either is empty. An empty bin counts as half a case. Raises `ValueError` for different numbers of bins.
    """
    if len(expected) != len(actual):
        raise ValueError("the histograms have different bins")
    if not sum(expected) or not sum(actual):
        return 0.0
    first, second = _shares(expected), _shares(actual)
    return sum((b - a) * math.log(b / a) for a, b in zip(first, second, strict=True))


def _shares(counts: Sequence[float]) -> list[float]:
    smoothed = [max(count, 0.5) for count in counts]
    return [count / sum(smoothed) for count in smoothed]


SILENT_ERROR: Final = 1e-6
_SHORTEST, _LONGEST = timedelta(minutes=5), timedelta(hours=24)


def silent_after(usual_per_hour: float) -> timedelta:
    """How long a source with its usual rate may be silent before chance no longer explains it (one in a million); at
    least five minutes and at most a day.
    """
    if usual_per_hour <= 0:
        return _LONGEST
    return min(_LONGEST, max(_SHORTEST, timedelta(hours=-math.log(SILENT_ERROR) / usual_per_hour)))


def is_silent(usual_per_hour: float, last_at: datetime, *, now: datetime) -> bool:
    """Whether a source has been silent for too long. One minute is added, because `last_at` is the beginning of a
    minute.
    """
    return now - last_at > silent_after(usual_per_hour) + timedelta(minutes=1)


def has_fallen(before: tuple[int, int], now: tuple[int, int]) -> bool:
    """Whether a precision fell by more than chance; both arguments are (right, labelled), of the reference period and
    of the recent one.

    A one-sided test of two shares at 0.5 %; False with fewer than 20 labels in either period.
    """
    (right, labelled), (right_now, labelled_now) = before, now
    if min(labelled, labelled_now) < 20:  # noqa: PLR2004  # as many labels as a share needs
        return False
    pooled = (right + right_now) / (labelled + labelled_now)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / labelled + 1 / labelled_now))
    return spread > 0 and (right / labelled - right_now / labelled_now) / spread > 2.576  # noqa: PLR2004  # 99 % of a normal distribution
