"""A report as plain data: what `dialer report --json` prints. docs/json.md describes it, which a test holds."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from dialer.outcomes.counts import COUNTED
from dialer.outcomes.figures import Report, Slice
from dialer.outcomes.period import Period
from dialer.outcomes.rates import Basis, Rate, rates_of

RateWindow = TypedDict("RateWindow", {"from": str | None, "to": str | None, "basis": str})
ReportWindow = TypedDict("ReportWindow", {"from": str | None, "to": str | None, "timezone": str})


class RateForm(TypedDict):
    numerator: int
    denominator: int
    value: float | None
    window: RateWindow
    excludes: dict[str, int]


class FirstAttemptForm(TypedDict):
    cases: int
    p50_seconds: float | None
    p90_seconds: float | None


class MoneyForm(TypedDict):
    approved_fen: int
    unapproved_fen: int
    reversed_fen: int


class SliceForm(TypedDict):
    counts: dict[str, int]
    results: dict[str, int]
    rates: dict[str, RateForm]
    first_attempt: FirstAttemptForm
    amounts: dict[str, MoneyForm]


class ReportForm(SliceForm):
    drill: bool
    generated_at: str
    window: ReportWindow
    left_out: dict[str, int]
    by_grade: dict[str, SliceForm]
    by_fraud_type: dict[str, SliceForm]


def report_form(report: Report) -> ReportForm:
    """JSON-ready: moments as ISO 8601 in UTC, money in fen, rates between 0 and 1 or null of nothing."""
    period = report.period
    figures = report.figures
    return ReportForm(
        drill=report.drill,
        generated_at=report.generated_at.isoformat(),
        window={"from": _iso(period.start), "to": _iso(period.end), "timezone": report.timezone},
        left_out=dict(figures.left_out),
        by_grade={grade.value: _slice(one, period) for grade, one in figures.by_grade.items()},
        by_fraud_type={kind.value: _slice(one, period) for kind, one in figures.by_fraud_type.items()},
        **_slice(figures.total, period),
    )


def _slice(one: Slice, period: Period) -> SliceForm:
    return SliceForm(
        counts={name: getattr(one.counts, name) for name in COUNTED},
        results={result.value: count for result, count in one.counts.results.items()},
        rates={rate.definition.name: _rate(rate, period) for rate in rates_of(one.counts)},
        first_attempt=FirstAttemptForm(
            cases=one.first_attempt.cases,
            p50_seconds=one.first_attempt.p50_seconds,
            p90_seconds=one.first_attempt.p90_seconds,
        ),
        amounts={
            kind.value: MoneyForm(
                approved_fen=money.approved_fen,
                unapproved_fen=money.unapproved_fen,
                reversed_fen=money.reversed_fen,
            )
            for kind, money in one.amounts.items()
        },
    )


def _rate(rate: Rate, period: Period) -> RateForm:
    return RateForm(
        numerator=rate.numerator,
        denominator=rate.denominator,
        value=rate.value,
        window=_window(period, rate.definition.basis),
        excludes=dict(rate.excludes),
    )


def _window(period: Period, basis: Basis) -> RateWindow:
    return {"from": _iso(period.start), "to": _iso(period.end), "basis": basis.value}


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
