"""Learns the points and the probability of a scorecard from labelled cases. Pure. It alone imports scikit-learn (extra
`learning`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dialer.core.errors import Refusal
from dialer.core.text import Text
from dialer.signals.rules import Effect, RuleSet
from dialer.signals.scorecard import Scorecard, Steps

LEAST_LABELS: Final = 30
"""Labels of each kind, right and wrong, below which nothing is learned."""
PLATT_LABELS: Final = 300
"""The weight of Platt's curve, in labels, where the calibration bends from the curve to the labels."""
ANSWER_HALF_LIFE_DAYS: Final = 7.0
"""An answer this many days old counts half in the calibration."""
POINTS_PER_DOUBLING: Final = 12
"""Points that double the odds."""
BACKGROUND_WEIGHT: Final = 0.3
"""The weight of a verdict below the threshold whose person nobody called; an answered call has 1. Some of these persons
are victims without a filed case.
"""
_PENALTY: Final = 0.2
_FOLDS: Final = 5


class TooFewLabels(Refusal):
    """Not enough labelled cases to learn from."""

    def __init__(self, *, positive: int, negative: int) -> None:
        super().__init__(
            Text(
                "%(positive)s right and %(negative)s wrong warnings are labelled; fitting needs %(least)s of each",
                positive=positive, negative=negative, least=LEAST_LABELS,
            )
        )  # fmt: skip


class LearningMissing(Refusal):
    """The extra `learning` is not installed here."""

    def __init__(self) -> None:
        super().__init__(
            Text("fitting a scorecard needs scikit-learn; install it with: pip install 'dialer[learning]'")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledVerdict:
    """A verdict that a call or a filed case answered: the rules that fired, mitigators too, and whether it was right.
    `weight`: 1 / probability for one drawn from below the threshold, 1 for the others. `called`: False for a case that
    was filed without a call. Such a case shows which rules matter, but not how often a score is right: of cases without
    a call only those that were fraud are known. `age_days`: days since the warning was sent.
    """

    fired: frozenset[str]
    is_fraud: bool
    weight: float = 1.0
    called: bool = True
    age_days: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedScorecard:
    """A draft and what it rests on: `changes` (rule, points now, points in the draft), the numbers of labels, and the
    calibration error before and after: the mean difference between the probability and the share of right ones over ten
    bins of equal size (after: with points learned without the case).
    """

    scorecard: Scorecard
    changes: tuple[tuple[str, int, int], ...]
    positive: int
    negative: int
    error_before: float
    error_after: float


def fit_scorecard(
    rules: RuleSet,
    current: Scorecard,
    labelled: Iterable[LabelledVerdict],
    background: Mapping[frozenset[str], int] | None = None,
) -> FittedScorecard:
    """Fits a draft to labels. A rule that never fired among them keeps its points. The same labels give the same draft.
    Raises `TooFewLabels` and `LearningMissing`.

    `background`: how many verdicts below the threshold, whose persons nobody called, had exactly these rules. They are
    not labels: they show how common each rule is among people, against which filed cases without a call are weighed.
    Without it only the drawn verdicts represent them, each with 1 / probability.
    """
    cases = list(labelled)
    positive = sum(case.is_fraud for case in cases)
    if min(positive, len(cases) - positive) < LEAST_LABELS:
        raise TooFewLabels(positive=positive, negative=len(cases) - positive)
    np, _ = _learning()
    signs = [-1 if rule.effect is Effect.MITIGATOR else 1 for rule in rules.rules]
    ids = [rule.id for rule in rules.rules]
    common = sorted((background or {}).items(), key=lambda pattern: sorted(pattern[0]))
    patterns = [*(case.fired for case in cases), *(pattern for pattern, _ in common)]
    matrix = np.array([[rule_id in fired for rule_id in ids] for fired in patterns], dtype=float)
    labels = np.array([float(case.is_fraud) for case in cases] + [0.0] * len(common))
    counts = [BACKGROUND_WEIGHT * count for _, count in common]
    weights = np.array([1.0 if common else case.weight for case in cases] + counts)
    called = np.array([case.called for case in cases] + [False] * len(common))
    if len(set(labels[called].tolist())) < 2:  # noqa: PLR2004 - both answers
        raise TooFewLabels(positive=int(labels[called].sum()), negative=int((1 - labels[called]).sum()))
    now = np.array(current.points_of(rules), dtype=float)
    seen = matrix.any(axis=0)
    points, held_out = points_of(matrix, labels, weights, signs, now)
    points = np.where(seen, points, now)
    ages = np.array([case.age_days for case in cases] + [0.0] * len(common))
    slope, intercept, steps = calibration(
        held_out[called], labels[called], 0.5 ** (ages[called] / ANSWER_HALF_LIFE_DAYS)
    )
    draft = Scorecard(
        points={rule_id: int(abs(value)) for rule_id, value in zip(ids, points, strict=True)},
        slope=slope, intercept=intercept, steps=steps,
    )  # fmt: skip
    answered = labels[called].tolist()
    own = [1.0] * len(answered)
    before = [current.probability(max(0.0, score)) for score in matrix[called] @ now]
    after = [draft.probability(score) for score in held_out[called]]
    return FittedScorecard(
        scorecard=draft,
        changes=tuple(
            (rule_id, int(abs(old)), int(abs(new)))
            for rule_id, old, new in zip(ids, now, points, strict=True)
            if old != new
        ),
        positive=positive,
        negative=len(cases) - positive,
        error_before=calibration_error(before, answered, own),
        error_after=calibration_error(after, answered, own),
    )


def _learning() -> tuple[Any, Any]:
    try:
        import numpy as np  # noqa: PLC0415 - the extra
        from scipy import optimize  # noqa: PLC0415 - the extra
    except ImportError as error:
        raise LearningMissing from error
    return np, optimize


def points_of(
    matrix: Any,  # noqa: ANN401 - numpy's
    labels: Any,  # noqa: ANN401  # an array of the optional extra
    weights: Any,  # noqa: ANN401  # an array of the optional extra
    signs: Sequence[int],
    now: Any,  # noqa: ANN401  # an array of the optional extra
    *,
    folds_of: int = _FOLDS,
) -> tuple[Any, Any]:
    """Whole points of each column (with its sign, or 0), and the score of each row by points learned without that row.

    A logistic regression whose coefficients keep their sign and are drawn towards the current points (`now`, with their
    sign), so that few labels change little. Scores are never below 0. With `folds_of` 0 no row gets a score.
    """
    np, optimize = _learning()
    signed = matrix * np.array(signs, dtype=float)
    a_point = math.log(2) / POINTS_PER_DOUBLING
    prior = np.abs(now) * a_point

    def learned(chosen: Any) -> Any:  # noqa: ANN401  # an array of the optional extra
        x, y, w = signed[chosen], labels[chosen], weights[chosen]

        def loss(values: Any) -> tuple[float, Any]:  # noqa: ANN401  # an array of the optional extra
            margin = x @ values[:-1] + values[-1]
            error = (1 / (1 + np.exp(-np.clip(margin, -500, 500))) - y) * w
            off = values[:-1] - prior
            value = (w * (np.logaddexp(0, margin) - y * margin)).sum() + _PENALTY / 2 * (off**2).sum()
            return float(value), np.append(x.T @ error + _PENALTY * off, error.sum())

        share = np.average(y, weights=w)
        start = np.append(prior, math.log(share / (1 - share)))
        bounds = [(0.0, None)] * x.shape[1] + [(None, None)]
        found = optimize.minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
        return np.minimum(np.rint(found.x[:-1] / a_point), 100) * np.array(signs)

    held_out = np.zeros(len(labels))
    # Every fold gets its share of both answers, without a random number.
    order = np.argsort(labels, kind="stable")
    folds = np.empty(len(labels), dtype=int)
    folds[order] = np.arange(len(labels)) % max(1, folds_of)
    for fold in range(folds_of):
        held_out[folds == fold] = np.maximum(0, matrix[folds == fold] @ learned(folds != fold))
    return learned(np.ones(len(labels), dtype=bool)), held_out


def calibration(
    scores: Any,  # noqa: ANN401 - numpy's
    labels: Any,  # noqa: ANN401  # an array of the optional extra
    weights: Any,  # noqa: ANN401  # an array of the optional extra
) -> tuple[float, float, Steps]:
    """Slope and intercept (Platt) of answered calls, and steps that bend from that curve to the labels: an isotonic
    regression over both.

    The scorecard of the day decides whom the robot calls, so those called at a score represent the others at that score
    only as long as the scorecard stays the same. `weights` therefore depend on the age of the calls, not on how they
    were chosen.
    """
    np, _ = _learning()
    try:
        from sklearn.isotonic import IsotonicRegression  # noqa: PLC0415 - the extra
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - the extra
    except ImportError as error:
        raise LearningMissing from error
    model = LogisticRegression(C=1e6).fit(scores.reshape(-1, 1), labels, sample_weight=weights)
    slope, intercept = max(1e-6, float(model.coef_[0][0])), float(model.intercept_[0])
    at = np.concatenate([[0.0], np.quantile(scores, np.linspace(0.005, 0.995, 98)), [scores.max() + 100]])
    curve = 1 / (1 + np.exp(-(slope * at + intercept)))
    share = PLATT_LABELS / len(at)
    bent = IsotonicRegression(y_min=0.0, y_max=1.0).fit(
        np.concatenate([scores, at, at]),
        np.concatenate([labels, np.ones(len(at)), np.zeros(len(at))]),
        sample_weight=np.concatenate([weights, curve * share, (1 - curve) * share]),
    )
    steps = zip(bent.X_thresholds_.tolist(), bent.y_thresholds_.tolist(), strict=True)
    return slope, intercept, tuple((round(x, 3), round(y, 6)) for x, y in steps)


def calibration_error(
    probabilities: Sequence[float], labels: Sequence[float], weights: Sequence[float]
) -> float:
    """Expected calibration error: over about ten bins of equal weight, the mean of |mean probability - share of ones|.
    Equal probabilities stay in one bin.
    """
    total = sum(weights)
    error = gap = filled = 0.0
    rows = sorted(zip(probabilities, labels, weights, strict=True), key=lambda row: row[0])
    for n, (p, label, weight) in enumerate(rows):
        gap += (p - label) * weight
        filled += weight
        if n + 1 == len(rows) or (filled >= total / 10 and rows[n + 1][0] != p):
            error += abs(gap)
            gap = filled = 0.0
    return error / total if total else 0.0
