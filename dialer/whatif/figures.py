"""Figures of a period, seen or replayed; their intervals over seeds; and whether a replay gives back what was seen.
Pure.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import NormalDist, fmean, stdev
from typing import Final

from dialer.core.values import OutcomeKind, Track
from dialer.whatif.engine import Life, Replayed, Task

COUNTS: Final = (
    "robot_calls",
    "robot_calls_answered",
    "cases_reached",
    "human_calls",
    "visits",
    "dissuaded_by_phone",
    "dissuaded_in_person",
)
"""Figures that are counts; the others are shares, or seconds, as their names say."""
TIMES: Final = ("human_wait_p90_seconds", "visit_wait_p90_seconds")
SHARES: Final = ("high_called_in_time", "high_reached_in_time")
MONEY: Final = ("averted_yuan",)
"""What people would have paid unless they had been spoken to in time; nobody sees it in a past period."""
OF_STAFF: Final = ("callers_busy", "officers_busy")
"""Shares of the time on duty; of a period that was seen nobody knows them."""
FIGURES: Final = (*COUNTS, *SHARES, *TIMES, *MONEY, *OF_STAFF)
PARTS: Final = 4
"""A replay must give back the figures of each quarter of the period too: people who changed meanwhile are noticed."""
LEAST_SEEDS: Final = 6
LEAST_TASKS: Final = 20
"""Of fewer there is no share and no percentile."""
ERROR: Final = 0.05
LEAST_COUNT: Final = 3.0
"""No interval of a count is narrower to each side: what happens once a month happens twice, or not at all."""
_OF: Final = {"high_called_in_time": "high_calls", "high_reached_in_time": "high_cases"}
"""Of how many a share is one."""

Figures = Mapping[str, float]
"""By name; one that there was too little for is left out."""


def figures_of(
    lives: Iterable[Life], *, start: datetime, end: datetime, promise_seconds: float
) -> dict[str, float]:
    """The figures of the cases opened from `start` until `end`, with what became of them until the period was over."""
    chosen = [life for life in lives if start <= life.warned.opened_at < end]
    tasks = [task for life in chosen for task in life.tasks]
    outcomes = [life.success for life in chosen]
    found: dict[str, float] = {
        "robot_calls": sum(life.robot_calls for life in chosen),
        "robot_calls_answered": sum(life.answered for life in chosen),
        "cases_reached": sum(life.spoken_at is not None for life in chosen),
        "human_calls": sum(_is_done(task, Track.HUMAN) for task in tasks),
        "visits": sum(_is_done(task, Track.VISIT) for task in tasks),
        "dissuaded_by_phone": outcomes.count(OutcomeKind.DISSUADED_BY_PHONE),
        "dissuaded_in_person": outcomes.count(OutcomeKind.DISSUADED_IN_PERSON),
    }
    high = [life for life in chosen if life.warned.grade.is_high]
    called = [task for life in high for task in life.tasks if task.track is Track.HUMAN and _counts(task)]
    if len(called) >= LEAST_TASKS:
        in_time = sum(_wait_seconds(task) <= promise_seconds for task in called)
        found["high_called_in_time"] = in_time / len(called)
        found["high_calls"] = len(called)
    if len(high) >= LEAST_TASKS:
        spoken = [life.spoken_at - life.warned.opened_at for life in high if life.spoken_at is not None]
        in_time = sum(wait.total_seconds() <= promise_seconds for wait in spoken)
        found["high_reached_in_time"] = in_time / len(high)
        found["high_cases"] = len(high)
    for track in (Track.HUMAN, Track.VISIT):
        waits = sorted(_wait_seconds(task) for task in tasks if task.track is track and task.taken_at)
        if len(waits) >= LEAST_TASKS:
            found[f"{track.value}_wait_p90_seconds"] = waits[int(0.9 * len(waits))]
    return found


def figures_of_replay(
    replayed: Replayed, *, start: datetime, end: datetime, promise_seconds: float
) -> dict[str, float]:
    """As `figures_of`, with the money averted and how busy the staff was."""
    found = figures_of(replayed.lives, start=start, end=end, promise_seconds=promise_seconds)
    money = averted(life for life in replayed.lives if start <= life.warned.opened_at < end)
    found["averted_yuan"] = (money.by_robot_fen + money.by_staff_fen) / 100
    for name, track in zip(OF_STAFF, (Track.HUMAN, Track.VISIT), strict=True):
        if replayed.duty_seconds[track]:
            found[name] = replayed.busy_seconds[track] / replayed.duty_seconds[track]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Averted:
    """Money that people would have paid unless spoken to before, in fen."""

    at_risk_fen: int
    by_robot_fen: int
    """Of it, that of people whom the robot spoke to first, in time."""
    by_staff_fen: int
    """The same, for callers and officers: the order of tasks decides it."""


def averted(lives: Iterable[Life]) -> Averted:
    """What of the money at risk was averted. A case whose amount nobody knows counts for nothing."""
    at_risk = by_robot = by_staff = 0
    for life in lives:
        fen = life.warned.amount_fen or 0
        if life.pays_at is None:
            continue
        at_risk += fen
        if life.spoken_at is not None and life.spoken_at < life.pays_at:
            if any(task.done_at == life.spoken_at for task in life.tasks):
                by_staff += fen
            else:
                by_robot += fen
    return Averted(at_risk_fen=at_risk, by_robot_fen=by_robot, by_staff_fen=by_staff)


def _is_done(task: Task, track: Track) -> bool:
    return task.track is track and task.done_at is not None


def _counts(task: Task) -> bool:
    """Not one that the robot's success withdrew before anybody had taken it."""
    return task.taken_at is not None or not task.withdrawn


def _wait_seconds(task: Task) -> float:
    return math.inf if task.taken_at is None else (task.taken_at - task.opened_at).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure over the seeds, with its interval."""

    mean: float
    low: float
    high: float

    def holds(self, seen: float) -> bool:
        """Whether the interval has this value, rounding apart."""
        slack = 1e-9 * max(1.0, abs(seen))
        return self.low - slack <= seen <= self.high + slack


def student(part: float, freedom: int) -> float:
    """The quantile of Student's t (its expansion at the normal quantile; R. A. Fisher and E. A. Cornish, 1960): below
    0.3 % off from five degrees of freedom on.
    """
    z, v = NormalDist().inv_cdf(part), freedom
    return (
        z
        + (z**3 + z) / (4 * v)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
    )


def predicted(values: Sequence[float], *, error: float = ERROR, least: float = 0.0) -> Estimate:
    """The mean, and the interval in which one more period lies with probability 1 - `error`; never narrower than
    `least` to each side.
    """
    return _estimate(values, error=error, spread=1 + 1 / len(values), least=least)


def predicted_time(values: Sequence[float], *, error: float = ERROR) -> Estimate:
    """As `predicted`, for seconds: their logarithms are spread evenly, since one bad hour makes a long wait. Never
    narrower than 5 % or 5 seconds to each side.
    """
    found = predicted([math.log1p(value) for value in values], error=error)
    low, high, mean = math.expm1(found.low), math.expm1(found.high), fmean(values)
    least = max(5.0, 0.05 * mean)
    return Estimate(mean=mean, low=min(low, mean - least), high=max(high, mean + least))


def _predicted(name: str, values: Sequence[float], number: float, error: float) -> Estimate:
    """`number`: of how many a share is one."""
    if name in TIMES:
        return predicted_time(values, error=error)
    if name in COUNTS:
        return predicted(values, error=error, least=LEAST_COUNT)
    # A share of few differs by chance even where all seeds agree (A. Agresti and B. A. Coull, 1998).
    share = (fmean(values) * number + 2) / (number + 4)
    z = NormalDist().inv_cdf(1 - error / 2)
    return predicted(values, error=error, least=z * math.sqrt(share * (1 - share) / (number + 4)))


def averaged(values: Sequence[float], *, error: float = ERROR) -> Estimate:
    """The mean, and the interval in which the mean of all seeds lies."""
    return _estimate(values, error=error, spread=1 / len(values), least=0.0)


def _estimate(values: Sequence[float], *, error: float, spread: float, least: float) -> Estimate:
    mean = fmean(values)
    half = student(1 - error / 2, len(values) - 1) * stdev(values) * math.sqrt(spread)
    half = max(half, least)
    return Estimate(mean=mean, low=mean - half, high=mean + half)


def _possible(name: str, estimate: Estimate) -> Estimate:
    """No count, time or share is below 0, and no share above 1."""
    most = math.inf if name in {*COUNTS, *TIMES, *MONEY} else 1.0
    return replace(estimate, low=max(0.0, estimate.low), high=min(most, estimate.high))


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A figure of the period, or of a quarter of it, as seen and as replayed."""

    name: str
    part: int
    """0: the whole period; 1 to 4: a quarter."""
    seen: float
    replayed: Estimate

    @property
    def holds(self) -> bool:
        """Whether the replay gives back what was seen."""
        return self.replayed.holds(self.seen)


def checked(seen: Sequence[Figures], replayed: Sequence[Sequence[Figures]]) -> tuple[Check, ...]:
    """The figures seen of the whole period and its quarters against those replayed, `replayed[seed][part]`. All the
    intervals together hold with probability 95 %. A figure that a part lacks is not compared there.
    """
    pairs = [
        (name, part, figures[name], values)
        for part, figures in enumerate(seen)
        for name in FIGURES
        if name in figures
        and len(values := [one[part][name] for one in replayed if name in one[part]]) == len(replayed)
    ]
    error = ERROR / max(1, len(pairs))
    return tuple(
        Check(
            name=name,
            part=part,
            seen=value,
            replayed=_possible(name, _predicted(name, values, seen[part].get(_OF.get(name, ""), 1), error)),
        )
        for name, part, value, values in pairs
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A figure under what was in force and under what is asked, and their difference with the same people."""

    name: str
    before: Estimate
    after: Estimate
    difference: Estimate


def changes(before: Sequence[Figures], after: Sequence[Figures]) -> tuple[Change, ...]:
    """Each figure that every seed of both has, in the order of `FIGURES`."""
    found = []
    for name in FIGURES:
        pairs = [
            (one[name], other[name])
            for one, other in zip(before, after, strict=True)
            if name in one and name in other
        ]
        if len(pairs) == len(before):
            found.append(
                Change(
                    name=name,
                    before=_possible(name, averaged([one for one, _ in pairs])),
                    after=_possible(name, averaged([other for _, other in pairs])),
                    difference=averaged([other - one for one, other in pairs]),
                )
            )
    return tuple(found)


def quarters(start: datetime, end: datetime) -> tuple[tuple[datetime, datetime], ...]:
    """The whole period, then its quarters."""
    step = (end - start) / PARTS
    return ((start, end), *((start + n * step, start + (n + 1) * step) for n in range(PARTS)))
