"""A report as JSON: one schema for `dialer report --json` and the API. A test holds docs/json.md to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from dialer.domain.values import Grade
from dialer.outcomes.counts import COUNTED
from dialer.outcomes.figures import Report, Slice
from dialer.outcomes.period import Period
from dialer.outcomes.rates import Rate, rates_of
from dialer.outcomes.sequential import Finding
from dialer.usecases.tell_case import Resource
from dialer.usecases.try_scripts import Comparison, Measured


class _Window(Resource):
    start: Annotated[datetime | None, Field(alias="from")]
    end: Annotated[datetime | None, Field(alias="to")]


class RateWindowOut(_Window):
    basis: str


class ReportWindowOut(_Window):
    timezone: str


class RateOut(Resource):
    """率 · A rate with what it counts; docs/metrics.md defines each."""

    numerator: int
    denominator: int
    value: float | None
    window: RateWindowOut
    excludes: dict[str, int]


class FirstAttemptOut(Resource):
    """首次触达用时 · Seconds to the first attempt."""

    cases: int
    p50_seconds: float | None
    p90_seconds: float | None


class MoneyOut(Resource):
    """金额，分 · One kind of amount, in fen."""

    approved_fen: int
    unapproved_fen: int
    reversed_fen: int


class SliceOut(Resource):
    """The figures of the whole, of a grade or of a type."""

    counts: dict[str, int]
    results: dict[str, int]
    rates: dict[str, RateOut]
    first_attempt: FirstAttemptOut
    amounts: dict[str, MoneyOut]


class MeasureOut(Resource):
    """一项指标 · One measure of one version; `finding` says how it compares with the live one, which has none."""

    hits: int
    people: int
    share: float | None
    low: float | None
    high: float | None
    finding: Finding | None
    more_each: int | None


class TriedOut(Resource):
    """试验中的一个版本 · One version of a trial."""

    version: int
    weight: float
    live: bool
    measures: dict[str, MeasureOut]


class TrialOut(Resource):
    """话术对比试验 · A trial under way, of one grade or of all that have none of their own."""

    script: str
    grade: Grade | None
    begun_at: datetime
    filed_loaded: bool
    versions: list[TriedOut]


class _ReportHead(Resource):
    drill: bool
    generated_at: datetime
    window: ReportWindowOut
    left_out: dict[str, int]
    by_grade: dict[str, SliceOut]
    by_fraud_type: dict[str, SliceOut]


class ReportOut(SliceOut, _ReportHead):
    """报告 · The report of a window; all figures of one moment."""

    trials: list[TrialOut]


def tell_report(report: Report, trials: Sequence[Comparison]) -> ReportOut:
    """Trials count their own time, whatever the report's window."""
    period = report.period
    figures = report.figures
    return ReportOut(
        drill=report.drill,
        generated_at=report.generated_at,
        window=ReportWindowOut(start=period.start, end=period.end, timezone=report.timezone),
        left_out=dict(figures.left_out),
        by_grade={grade.value: _slice(one, period) for grade, one in figures.by_grade.items()},
        by_fraud_type={kind.value: _slice(one, period) for kind, one in figures.by_fraud_type.items()},
        trials=[_trial(one) for one in trials],
        **dict(_slice(figures.total, period)),
    )


def _slice(one: Slice, period: Period) -> SliceOut:
    return SliceOut(
        counts={name: getattr(one.counts, name) for name in COUNTED},
        results={result.value: count for result, count in one.counts.results.items()},
        rates={rate.definition.name: _rate(rate, period) for rate in rates_of(one.counts)},
        first_attempt=FirstAttemptOut.model_validate(one.first_attempt),
        amounts={kind.value: MoneyOut.model_validate(money) for kind, money in one.amounts.items()},
    )


def _rate(rate: Rate, period: Period) -> RateOut:
    return RateOut(
        numerator=rate.numerator,
        denominator=rate.denominator,
        value=rate.value,
        window=RateWindowOut(start=period.start, end=period.end, basis=rate.definition.basis.value),
        excludes=dict(rate.excludes),
    )


def _trial(one: Comparison) -> TrialOut:
    return TrialOut(
        script=one.trial.script_id,
        grade=Grade(one.trial.grade) if one.trial.grade else None,
        begun_at=one.trial.at,
        filed_loaded=one.filed_loaded,
        versions=[
            TriedOut(
                version=version.number,
                weight=version.weight,
                live=version.is_live,
                measures={measured.measure: _measure(measured) for measured in version.measured},
            )
            for version in one.versions
        ],
    )


def _measure(one: Measured) -> MeasureOut:
    return MeasureOut(
        hits=one.tally.hits,
        people=one.tally.people,
        share=one.tally.share,
        low=one.interval.low if one.interval else None,
        high=one.interval.high if one.interval else None,
        finding=one.verdict.finding if one.verdict else None,
        more_each=one.verdict.more_each if one.verdict else None,
    )
