"""The head: a softmax over the features of a sentence, trained from the wordings in seconds. Pure.

No weights are stored with the program: the same wordings give the same head on every machine.
"""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dialer.core.values import Intent
from dialer.understanding.features import features_of

_INTENTS: Final = tuple(Intent)
_ROUNDS: Final = 8
_STEP: Final = 0.5
_SETTLED: Final = 0.97
"""A line whose probability is above this teaches nothing more."""
_MARK_WEIGHT: Final = 2.0
_SEED: Final = 34


@dataclass(frozen=True, slots=True)
class Head:
    """Weights by feature, one for each intent in the order of `Intent`."""

    weights: Mapping[str, Sequence[float]]

    def scores(self, text: str) -> list[float]:
        """The score of every intent; the log of a probability but for a constant."""
        return _scores(self.weights, _weighted(features_of(text)))

    def coverage(self, text: str) -> float:
        """The share of the sentence's features that the wordings have, between 0 and 1."""
        features = features_of(text)
        return sum(feature in self.weights for feature in features) / max(1, len(features))


_Weighted = tuple[tuple[str, ...], tuple[str, ...], float]


def _weighted(features: Sequence[str]) -> _Weighted:
    grams = tuple(feature for feature in features if not feature.startswith("m:"))
    marks = tuple(feature for feature in features if feature.startswith("m:"))
    return grams, marks, 1 / math.sqrt(max(1, len(grams)) + _MARK_WEIGHT**2 * len(marks))


def _scores(weights: Mapping[str, Sequence[float]], features: _Weighted) -> list[float]:
    grams, marks, scale = features
    rows = [weights[name] for name in grams if name in weights]
    loud = [weights[name] for name in marks if name in weights]
    plain = [sum(column) for column in zip(*rows, strict=True)] if rows else [0.0] * len(_INTENTS)
    if loud:
        plain = [
            one + _MARK_WEIGHT * sum(column)
            for one, column in zip(plain, zip(*loud, strict=True), strict=True)
        ]
    return [value * scale for value in plain]


def softmax(scores: Sequence[float], temperature: float = 1.0) -> list[float]:
    """Probabilities that add up to 1."""
    top = max(scores)
    powers = [math.exp((score - top) / temperature) for score in scores]
    total = sum(powers)
    return [power / total for power in powers]


def train(lines: Iterable[tuple[Intent, str]], *, rounds: int = _ROUNDS) -> Head:
    """The head that these lines teach; the same lines in the same order give the same head."""
    examples = [(_INTENTS.index(intent), _weighted(features_of(text))) for intent, text in lines]
    seen: dict[str, int] = {}
    for _, (grams, marks, _scale) in examples:
        for name in (*grams, *marks):
            seen[name] = seen.get(name, 0) + 1
    weights: dict[str, list[float]] = {name: [0.0] * len(_INTENTS) for name in seen}
    chance = random.Random(_SEED)  # noqa: S311  # the same order on every machine, no secret
    for turn in range(rounds):
        chance.shuffle(examples)
        step = _STEP * 8 / (1 + turn)
        for right, features in examples:
            found = softmax(_scores(weights, features))
            if found[right] > _SETTLED:
                continue
            grams, marks, scale = features
            change = [-step * scale * value for value in found]
            change[right] += step * scale
            for name in grams:
                weights[name] = [a + b for a, b in zip(weights[name], change, strict=True)]
            loud = [_MARK_WEIGHT * value for value in change]
            for name in marks:
                weights[name] = [a + b for a, b in zip(weights[name], loud, strict=True)]
    return Head({name: array("f", row) for name, row in weights.items()})
