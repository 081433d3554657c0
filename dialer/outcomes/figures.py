"""The figures of a report: the whole, every grade, every fraud type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from dialer.domain.values import AmountKind, FraudType, Grade
from dialer.outcomes.counts import Counts
from dialer.outcomes.period import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstAttempt:
    """Seconds from the start of a case's clock to its first ring, human call or visit; None of nothing."""

    cases: int = 0
    p50_seconds: float | None = None
    p90_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """One kind of amount in fen. A line that a later one reverses counts as reversed and nowhere else."""

    approved_fen: int = 0
    unapproved_fen: int = 0
    reversed_fen: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    counts: Counts
    first_attempt: FirstAttempt
    amounts: Mapping[AmountKind, Money]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    total: Slice
    by_grade: Mapping[Grade, Slice]
    by_fraud_type: Mapping[FraudType, Slice]
    left_out: Mapping[str, int]
    """Drill records in the window, by kind, that are in none of the figures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    generated_at: datetime
    drill: bool
    """True: every figure is of a drill, and none of it happened to anybody."""
    timezone: str
    period: Period
    figures: Figures
