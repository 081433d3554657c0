"""Scorecard: the points of the rules that fired make a score, and the score a calibrated probability. Stored as JSON.
Pure.

`fitting.py` learns points and probability from labelled cases.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from dialer.core.errors import Refusal
from dialer.core.text import Text
from dialer.signals.rules import Effect, RuleSet

Steps = tuple[tuple[float, float], ...]


class ScorecardUnreadable(Refusal):
    """A stored scorecard that is not valid."""

    def __init__(self, problem: Text) -> None:
        super().__init__(Text("scorecard: %(problem)s", problem=problem))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """`points` replace those of rules by id and are never negative; those of a mitigator are subtracted. The
    probability of a score is 1 / (1 + exp(-(slope * score + intercept))), or is read from `steps` (score, probability;
    rising) if there are any.
    """

    points: Mapping[str, int] = field(default_factory=dict)
    slope: float = 0.058
    intercept: float = -4.6
    steps: tuple[tuple[float, float], ...] = ()

    def points_of(self, rules: RuleSet) -> tuple[int, ...]:
        """The points of each rule, in the order of the rules; negative for mitigators."""
        return tuple(
            self.points.get(rule.id, rule.points) * (-1 if rule.effect is Effect.MITIGATOR else 1)
            for rule in rules.rules
        )

    def probability(self, score: float) -> float:
        """The probability that a warning at this score is right, 0 to 1; never falls as the score rises."""
        if self.steps:
            return _between(self.steps, score)
        return _logistic(self.slope * score + self.intercept)

    def to_json(self) -> str:
        """The scorecard as JSON; equal scorecards give the same text."""
        return json.dumps(
            {
                "points": dict(sorted(self.points.items())), "slope": self.slope, "intercept": self.intercept,
                "steps": [list(step) for step in self.steps],
            },
            sort_keys=True,
        )  # fmt: skip

    @classmethod
    def from_json(cls, text: str) -> Scorecard:
        """The scorecard in this JSON. Raises `ScorecardUnreadable`."""
        try:
            raw = json.loads(text)
            made = cls(
                points={str(name): int(points) for name, points in raw["points"].items()}, slope=float(raw["slope"]),
                intercept=float(raw["intercept"]), steps=tuple((float(x), float(y)) for x, y in raw["steps"]),
            )  # fmt: skip
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ScorecardUnreadable(Text("is not the JSON of a scorecard")) from None
        rising = all(lower <= upper for lower, upper in pairwise(made.steps))
        if any(points < 0 for points in made.points.values()) or made.slope <= 0 or not rising:
            raise ScorecardUnreadable(
                Text("points are never negative, and the probability rises with the score")
            )
        return made

    @property
    def content_hash(self) -> str:
        """The hash of its JSON."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0  # noqa: PLR2004 - below this exp overflows


def _between(steps: Sequence[tuple[float, float]], score: float) -> float:
    before = steps[0]
    for step in steps:
        if score <= step[0]:
            if step[0] == before[0]:
                return step[1]
            share = (score - before[0]) / (step[0] - before[0])
            return before[1] + max(0.0, share) * (step[1] - before[1])
        before = step
    return steps[-1][1]
