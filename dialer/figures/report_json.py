"""The JSON of reports: `ReportOut` is the one schema of `dialer report --json` and the API, `CutOut` that of a cut;
docs/json.md describes both.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from dialer.core.intervals import ShareComparison
from dialer.core.rates import COUNT_NAMES, Dimension, Period, Rate, Report, Slice, rates_of
from dialer.core.values import Grade
from dialer.figures.report import CutReport, RatesQuery
from dialer.runtime.services import JsonResource, Services
from dialer.script_versions.trials import Comparison, MeasuredVersion


class _Window(JsonResource):
    start: Annotated[datetime | None, Field(alias="from")]
    end: Annotated[datetime | None, Field(alias="to")]


class RateWindowOut(_Window):
    """统计期间 · The records that are counted: those whose moment `basis` is from `from` on and before `to`."""

    basis: str


class ReportWindowOut(_Window):
    """报告期间 · What the report is of; days begin in `timezone`."""

    timezone: str


class RateOut(JsonResource):
    """率 · A rate with what it counts; docs/metrics.md defines each."""

    numerator: int
    denominator: int
    value: float | None
    low: float | None
    high: float | None
    window: RateWindowOut
    excludes: dict[str, int]
    version: int


class FirstAttemptOut(JsonResource):
    """首次触达用时 · Seconds to the first attempt."""

    cases: int
    p50_seconds: float | None
    p90_seconds: float | None


class MoneyOut(JsonResource):
    """金额，分 · One kind of amount, in fen."""

    approved_fen: int
    unapproved_fen: int
    reversed_fen: int


class SliceOut(JsonResource):
    """The figures of the whole, of a grade or of a type."""

    counts: dict[str, int]
    results: dict[str, int]
    rates: dict[str, RateOut]
    first_attempt: FirstAttemptOut
    amounts: dict[str, MoneyOut]


class MeasureOut(JsonResource):
    """一项指标 · One measure of one version; `finding` says how it compares with the live one, which has none."""

    hits: int
    people: int
    share: float | None
    low: float | None
    high: float | None
    finding: ShareComparison | None
    more_each: int | None


class TriedOut(JsonResource):
    """试验中的一个版本 · One version of a trial."""

    version: int
    weight: float
    live: bool
    measures: dict[str, MeasureOut]


class TrialOut(JsonResource):
    """话术对比试验 · A trial under way, of one grade or of all that have none of their own."""

    script: str
    grade: Grade | None
    begun_at: datetime
    filed_loaded: bool
    versions: list[TriedOut]


class _ReportHead(JsonResource):
    drill: bool
    generated_at: datetime
    window: ReportWindowOut
    left_out: dict[str, int]
    by_grade: dict[str, SliceOut]
    by_fraud_type: dict[str, SliceOut]


class ReportOut(SliceOut, _ReportHead):
    """报告 · The report of a window; all figures of one moment."""

    trials: list[TrialOut]


class PartOut(SliceOut):
    """一个取值 · One value of the dimension; `value` narrows a query to it."""

    value: str
    name: str


class CutOut(JsonResource):
    """分项报告 · A cut: the whole and its parts, all of one moment."""

    drill: bool
    generated_at: datetime
    window: ReportWindowOut
    by: Dimension
    total: SliceOut
    parts: list[PartOut]


def _name(report: CutReport, value: str) -> str:
    match report.breakdown.dimension:
        case Dimension.UNIT:
            return report.unit_names.get(value, "")
        case Dimension.PERSON:
            return report.staff_names.get(value, value)
        case _:
            return value


def cut_report_out(services: Services, asked: RatesQuery, report: CutReport) -> CutOut:
    """The cut as JSON: the figures of the page of success rates with the same filter."""
    period, breakdown = asked.period, report.breakdown
    return CutOut(
        drill=services.drill,
        generated_at=report.generated_at,
        window=ReportWindowOut(start=period.start, end=period.end, timezone=services.centre.timezone),
        by=breakdown.dimension,
        total=_slice(breakdown.total, period),
        parts=[
            PartOut(
                value=value,
                name=_name(report, value),
                **dict(_slice(part, period)),
            )
            for value, part in breakdown.slices.items()
        ],
    )


def report_out(report: Report, trials: Sequence[Comparison]) -> ReportOut:
    """The report as JSON. Trials count their own time, not the report's window."""
    period, figures = report.period, report.figures
    return ReportOut(
        drill=report.drill,
        generated_at=report.generated_at,
        window=ReportWindowOut(start=period.start, end=period.end, timezone=report.timezone),
        left_out=dict(figures.left_out),
        by_grade={grade.value: _slice(part, period) for grade, part in figures.by_grade.items()},
        by_fraud_type={kind.value: _slice(part, period) for kind, part in figures.by_fraud_type.items()},
        trials=[_trial(comparison) for comparison in trials],
        **dict(_slice(figures.total, period)),
    )


def _slice(part: Slice, period: Period) -> SliceOut:
    return SliceOut(
        counts={name: getattr(part.counts, name) for name in COUNT_NAMES},
        results={result.value: count for result, count in part.counts.results.items()},
        rates={rate.definition.name: _rate(rate, period) for rate in rates_of(part.counts)},
        first_attempt=FirstAttemptOut.model_validate(part.first_attempt),
        amounts={kind.value: MoneyOut.model_validate(money) for kind, money in part.amounts.items()},
    )


def _rate(rate: Rate, period: Period) -> RateOut:
    return RateOut(
        numerator=rate.numerator,
        denominator=rate.denominator,
        value=rate.value,
        low=rate.interval.low if rate.interval else None,
        high=rate.interval.high if rate.interval else None,
        window=RateWindowOut(start=period.start, end=period.end, basis=rate.definition.basis.value),
        excludes=dict(rate.excludes),
        version=rate.definition.version,
    )


def _trial(comparison: Comparison) -> TrialOut:
    return TrialOut(
        script=comparison.trial.script_id,
        grade=Grade(comparison.trial.grade) if comparison.trial.grade else None,
        begun_at=comparison.trial.at,
        filed_loaded=comparison.filed_loaded,
        versions=[
            TriedOut(
                version=version.number,
                weight=version.weight,
                live=version.is_live,
                measures={measured.measure: _measure(measured) for measured in version.measured},
            )
            for version in comparison.versions
        ],
    )


def _measure(measured: MeasuredVersion) -> MeasureOut:
    return MeasureOut(
        hits=measured.tally.hits,
        people=measured.tally.people,
        share=measured.tally.share,
        low=measured.interval.low if measured.interval else None,
        high=measured.interval.high if measured.interval else None,
        finding=measured.verdict.finding if measured.verdict else None,
        more_each=measured.verdict.more_each if measured.verdict else None,
    )
