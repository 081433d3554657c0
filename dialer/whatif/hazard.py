"""When people pay the fraudster unless somebody speaks to them before: a hazard over the time since the warning, by
fraud type and grade. Pure.

The hazard is constant within bands of time. It is fitted from filed cases as deaths are from a life table: cases filed
in a band over the time that people spent in it without having been spoken to. A fraud type with too few filed cases
has the stated default.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from dialer.core.values import FraudType, Grade
from dialer.whatif.model import Draws, WarnedCase, uniform

BANDS: Final = (0, 10, 30, 120, 480, 1_440, 10_080)
"""Borders of the bands, in minutes since the case was opened; later than a week nobody pays because of it."""
LEAST_FILED: Final = 30
"""With fewer filed cases of a fraud type the default applies."""
_QUICK: Final = (0.03, 0.05, 0.07, 0.05, 0.03, 0.02)
_USUAL: Final = (0.01, 0.02, 0.05, 0.06, 0.04, 0.03)
_SLOW: Final = (0.002, 0.004, 0.01, 0.03, 0.05, 0.12)
_DEFAULTS: Final[Mapping[FraudType, Sequence[float]]] = {
    FraudType.FAKE_CUSTOMER_SERVICE: _QUICK,
    FraudType.POLICE_IMPERSONATION: _QUICK,
    FraudType.BOSS_OR_ACQUAINTANCE: _QUICK,
    FraudType.SHOPPING: _QUICK,
    FraudType.INVESTMENT: _SLOW,
    FraudType.ROMANCE: _SLOW,
}
"""Shares of people of medium grade who pay within each band unless spoken to: our own assumption, from how the frauds
go. Shared screens and false police take minutes, tasks and loans hours, investments days. Every other type: as usual.
"""
GRADE_FACTORS: Final[Mapping[Grade, float]] = {
    Grade.EXTRA_HIGH: 6.0,
    Grade.HIGH: 3.0,
    Grade.MEDIUM: 1.0,
    Grade.LOW: 0.3,
}
"""The hazard of a grade over that of medium: our own assumption, since grades are by likelihood and urgency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposed:
    """A case as a hazard sees it."""

    fraud_type: FraudType
    grade: Grade
    seconds: float
    """From its opening until the person paid, was spoken to, or was seen last."""
    has_paid: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard:
    """Payments per minute of people of medium grade in each band, by fraud type."""

    rates: Mapping[FraudType, Sequence[float]]
    fitted: frozenset[FraudType]
    """The types whose rates were fitted; those of the others are defaults."""

    def pays_at(self, seed: int, number: int, warned: WarnedCase) -> datetime | None:
        """When the person of a case would pay; None: never. The same seed and number give the same moment."""
        left = -math.log(1.0 - uniform(seed, number, Draws.PAYS))
        factor = GRADE_FACTORS[warned.grade]
        for rate, (first, last) in zip(self.rates[warned.fraud_type], pairwise(BANDS), strict=True):
            whole = factor * rate * (last - first)
            if left < whole:
                return warned.opened_at + timedelta(minutes=first + left / (factor * rate))
            left -= whole
        return None


def _rates(shares: Sequence[float]) -> tuple[float, ...]:
    return tuple(
        -math.log(1.0 - share) / (last - first)
        for share, (first, last) in zip(shares, pairwise(BANDS), strict=True)
    )


DEFAULT: Final = Hazard(
    rates={kind: _rates(_DEFAULTS.get(kind, _USUAL)) for kind in FraudType}, fitted=frozenset()
)


def fitted(cases: Iterable[Exposed]) -> Hazard:
    """The hazard that these cases show: in each band those who paid over the minutes for which people were at risk,
    those of a grade weighted by its factor.
    """
    paid: Counter[tuple[FraudType, int]] = Counter()
    minutes: dict[tuple[FraudType, int], float] = defaultdict(float)
    for case in cases:
        until = case.seconds / 60
        for band, (first, last) in enumerate(pairwise(BANDS)):
            if until < first:
                break
            at_risk = min(until, last) - first
            minutes[case.fraud_type, band] += GRADE_FACTORS[case.grade] * at_risk
            if case.has_paid and until < last:
                paid[case.fraud_type, band] += 1
    bands = range(len(BANDS) - 1)
    enough = frozenset(kind for kind in FraudType if sum(paid[kind, band] for band in bands) >= LEAST_FILED)
    rates = {
        kind: tuple(paid[kind, band] / minutes[kind, band] if minutes[kind, band] else 0.0 for band in bands)
        for kind in enough
    }
    return replace(DEFAULT, rates={**DEFAULT.rates, **rates}, fitted=enough)
