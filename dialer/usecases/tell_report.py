"""A report as plain data, with the trials under way: what `dialer report --json` prints. docs/json.md describes it,
which a test holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from dialer.outcomes.figures import Report
from dialer.outcomes.report_form import ReportForm, report_form
from dialer.usecases.try_scripts import Comparison, Measured


class MeasureForm(TypedDict):
    hits: int
    people: int
    share: float | None
    low: float | None
    high: float | None
    finding: str | None
    more_each: int | None


class TriedForm(TypedDict):
    version: int
    weight: float
    live: bool
    measures: dict[str, MeasureForm]


class TrialForm(TypedDict):
    script: str
    grade: str | None
    begun_at: str
    filed_loaded: bool
    versions: list[TriedForm]


class PrintedReport(ReportForm):
    trials: list[TrialForm]


def tell_report(report: Report, trials: Sequence[Comparison]) -> PrintedReport:
    """JSON-ready. Trials count their own time, whatever the report's window."""
    return PrintedReport(**report_form(report), trials=[_trial(one) for one in trials])


def _trial(one: Comparison) -> TrialForm:
    return TrialForm(
        script=one.trial.script_id,
        grade=one.trial.grade or None,
        begun_at=one.trial.at.isoformat(),
        filed_loaded=one.filed_loaded,
        versions=[
            TriedForm(
                version=version.number,
                weight=version.weight,
                live=version.is_live,
                measures={measured.measure: _measure(measured) for measured in version.measured},
            )
            for version in one.versions
        ],
    )


def _measure(one: Measured) -> MeasureForm:
    return MeasureForm(
        hits=one.tally.hits,
        people=one.tally.people,
        share=one.tally.share,
        low=one.interval.low if one.interval else None,
        high=one.interval.high if one.interval else None,
        finding=one.verdict.finding.value if one.verdict else None,
        more_each=one.verdict.more_each if one.verdict else None,
    )
