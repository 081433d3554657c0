"""Reports of success rates: the report of a window, a cut with the cases behind each count, and the refresh of the
rollup.

All figures of a report are of one moment. `ReportOut` is the one JSON schema of `dialer report --json` and the API;
docs/json.md describes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Annotated, TypeVar

from pydantic import Field, TypeAdapter

from dialer.cases.search import CasePage, case_lines
from dialer.core.access import actor_name
from dialer.core.errors import Invalid, NotFound, Unavailable
from dialer.core.intervals import Adjusted, HitCount, ShareComparison, adjust_each
from dialer.core.periods import day_of, period_before, period_year_before
from dialer.core.rates import (
    COUNT_NAMES,
    FUNNEL,
    Breakdown,
    CaseFilter,
    Counts,
    Dimension,
    Period,
    Rate,
    Report,
    Slice,
    Waits,
    period_of,
    rates_of,
)
from dialer.core.text import gettext_noop
from dialer.core.values import FraudType, Grade
from dialer.db.audit import write_audit
from dialer.db.leases import ROLLUP, Lease, process_name, take_lease
from dialer.db.unit_of_work import Tx, hold_snapshot
from dialer.db.units import get_unit, is_unit_visible, list_units_of_tree, subtree_ids
from dialer.figures.breakdown import (
    MEASURES_WITH_CASES,
    CutWindow,
    Workload,
    count_behind,
    list_versioned_scripts,
    list_warning_sources,
    loss_name,
    read_strata,
    read_workload,
)
from dialer.figures.cuts import (
    read_cut_case_ids,
    read_cut_days,
    read_cut_figures,
    read_cut_total,
    rollup_cut_figures,
    rollup_cut_strata,
)
from dialer.figures.rollup import (
    ChangedCases,
    is_rollup_waiting,
    keep_report,
    kept_report,
    read_changed,
    refresh_rollup_once,
    rollup_figures,
)
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
                name=report.unit_names.get(value, "") if breakdown.dimension is Dimension.UNIT else value,
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
        by_grade={grade.value: _slice(one, period) for grade, one in figures.by_grade.items()},
        by_fraud_type={kind.value: _slice(one, period) for kind, one in figures.by_fraud_type.items()},
        trials=[_trial(one) for one in trials],
        **dict(_slice(figures.total, period)),
    )


def _slice(one: Slice, period: Period) -> SliceOut:
    return SliceOut(
        counts={name: getattr(one.counts, name) for name in COUNT_NAMES},
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
        low=rate.interval.low if rate.interval else None,
        high=rate.interval.high if rate.interval else None,
        window=RateWindowOut(start=period.start, end=period.end, basis=rate.definition.basis.value),
        excludes=dict(rate.excludes),
        version=rate.definition.version,
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


def _measure(one: MeasuredVersion) -> MeasureOut:
    return MeasureOut(
        hits=one.tally.hits,
        people=one.tally.people,
        share=one.tally.share,
        low=one.interval.low if one.interval else None,
        high=one.interval.high if one.interval else None,
        finding=one.verdict.finding if one.verdict else None,
        more_each=one.verdict.more_each if one.verdict else None,
    )


def make_report(services: Services, period: Period | None = None, *, at: datetime | None = None) -> Report:
    """The report of a period, or of all time; all its numbers are of one moment. A drill database reports its drill;
    any other leaves drill records out and counts them in `left_out`.

    With `at`, the report that the page of success rates showed as of that moment. Raises `Invalid` if it is not kept.
    """
    period = period or Period()
    if at is not None:
        with services.store.begin() as tx:
            return _kept(kept_report(tx, _REPORTS, _whole(period), at=at))
    timezone = services.centre.timezone
    with services.store.begin() as tx:
        hold_snapshot(tx)
        now = services.clock.now()
        figures = rollup_figures(tx, period, drill=services.drill, now=now, timezone=timezone)
    return Report(generated_at=now, drill=services.drill, timezone=timezone, period=period, figures=figures)


_REPORTS = TypeAdapter(Report)
_T = TypeVar("_T")


def _whole(period: Period) -> tuple[object, ...]:
    return ("whole", period)


def _kept(report: _T | None) -> _T:
    if report is None:
        raise Invalid(
            field="at",
            problem=gettext_noop("the figures of this moment are not kept"),
            fix=gettext_noop("count them anew, without it"),
        )
    return report


def moment_of(text: str) -> datetime | None:
    """Reads the moment of a report in an address; None for empty text. Raises `Invalid` for text that is not a moment
    with a time zone.
    """
    if not text.strip():
        return None
    try:
        at = datetime.fromisoformat(text.strip())
        moment = None if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise Invalid(
            field="at",
            problem=gettext_noop("is not a moment"),
            fix=gettext_noop("a moment such as 2026-11-25T09:00:00.000000Z"),
        )
    return moment


def moment_text(at: datetime) -> str:
    """The moment in UTC to the microsecond, as `moment_of` reads it."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def report_period(services: Services, start: str | None, end: str | None) -> Period:
    """The window between two typed moments, in the centre's time zone. Raises `Invalid` for one that cannot be read."""
    return period_of(start, end, timezone=services.centre.timezone)


def refresh_rollup(services: Services, *, for_seconds: float | None = None, at_once: int = 5000) -> int:
    """Refreshes the rollup until nothing waits or `for_seconds` of real time have passed; returns the number of changes
    that it has included.

    Does nothing while another process refreshes. Reports count the cases that still wait from the records.
    """
    zone = services.centre.timezone
    with services.store.begin() as tx:
        if not is_rollup_waiting(tx, timezone=zone, now=services.clock.now()):
            return 0
    end = None if for_seconds is None else services.real.now() + timedelta(seconds=for_seconds)
    total = 0
    lease = _take_rollup_lease(services)
    if lease is None:
        return 0
    try:
        while True:
            done = refresh_rollup_once(services.store, timezone=zone, now=services.clock.now(), limit=at_once)
            total += done
            if not done or (end is not None and services.real.now() >= end):
                return total
            with services.store.begin() as tx:
                if not lease.renew(tx.connection):
                    return total
    finally:
        with suppress(Unavailable), services.store.begin() as tx:
            lease.end(tx.connection)


_ROLLUP_SECONDS = 60.0
"""The length of the lease: much longer than one transaction of a refresh takes."""


def _take_rollup_lease(services: Services) -> Lease | None:
    """The lease of the refresh, or None if another process has it: two refreshes at once would only wait for each
    other.
    """
    with services.store.begin() as tx:
        return take_lease(tx.connection, ROLLUP, holder=process_name(), seconds=_ROLLUP_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class RatesQuery:
    """The filters of a cut, and the dimension that splits it. `unit_id` None: everything that the reader may see."""

    by: Dimension = Dimension.UNIT
    period: Period = field(default_factory=Period)
    unit_id: int | None = None
    cut: CaseFilter = field(default_factory=CaseFilter)
    """Its `unit_ids` are those of `unit_id` and all units below it."""

    def narrowed(self, value: str) -> RatesQuery:  # noqa: PLR0911  # one return for each dimension
        """The query narrowed to one value of the dimension. Raises `Invalid`."""
        try:
            match self.by:
                case Dimension.UNIT:
                    return replace(self, unit_id=int(value))
                case Dimension.GRADE:
                    return replace(self, cut=replace(self.cut, grade=Grade(value)))
                case Dimension.FRAUD_TYPE:
                    return replace(self, cut=replace(self.cut, fraud_type=FraudType(value)))
                case Dimension.SOURCE:
                    return replace(self, cut=replace(self.cut, source=value))
                case Dimension.SCRIPT:
                    return replace(self, cut=replace(self.cut, script_id=value))
                case Dimension.VERSION:
                    return replace(self, cut=replace(self.cut, version=value))
                case Dimension.PERSON:
                    return replace(self, cut=replace(self.cut, person=value))
                case Dimension.HOUR:
                    return replace(self, cut=replace(self.cut, hour=int(value)))
        except ValueError:
            raise Invalid(field="value", problem="is not known") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class CutReport:
    """Figures, waiting times and comparisons of one `RatesQuery`."""

    generated_at: datetime
    breakdown: Breakdown
    waits: Waits
    unit_names: Mapping[str, str]
    """Names of the compared units, by id as text."""
    adjusted: Mapping[str, Mapping[str, Adjusted]] = field(default_factory=dict)
    """By unit and rate, only for a cut by unit: the unit compared with the rest, for the same mix of grades and fraud
    types.
    """
    today: Slice | None = None
    """All records of today so far, whatever the period; None in a report that an older version kept."""
    yesterday: Slice | None = None
    """The same for yesterday, until the same time of day."""
    before: Slice | None = None
    """All records of the period before 环比; None if the period has no beginning or no end. Like `today` and
    `yesterday`, it lacks the median and the ninth decile of the times to the first attempt, which are not compared.
    """
    year_before: Slice | None = None
    """The same for the period a year before 同比."""
    days: Mapping[date, Mapping[str, int]] = field(default_factory=dict)
    """The counts of `TREND`, by day in the centre's time zone."""
    days_before: Mapping[date, Mapping[str, int]] = field(default_factory=dict)
    days_year_before: Mapping[date, Mapping[str, int]] = field(default_factory=dict)
    contacted: Waits | None = None
    """Times to the first verified contact."""
    workload: tuple[Workload, ...] = ()
    defrauded: tuple[int, ...] = ()
    """Ids of the newest cases that were filed after their warning, at most `MOST_DEFRAUDED`."""


_CUTS = TypeAdapter(CutReport)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterChoices:
    """The filters that a reader can choose."""

    units: tuple[tuple[int, str], ...]
    """The id of each unit, with the names on the path to it."""
    sources: tuple[str, ...]
    scripts: tuple[str, ...]


def cut_choices(services: Services, asked: RatesQuery, *, reader_unit_id: int | None) -> FilterChoices:
    """The filters that the reader can choose. Raises `NotFound` for a unit that the reader does not see."""
    with services.store.begin() as tx:
        _window(tx, services, asked, reader_unit_id)
        return FilterChoices(
            units=_choices(tx, reader_unit_id),
            sources=tuple(list_warning_sources(tx)),
            scripts=tuple(list_versioned_scripts(tx)),
        )


def cut_rates(
    services: Services, asked: RatesQuery, *, reader_unit_id: int | None, at: datetime | None = None
) -> CutReport:
    """The figures of a cut, all of one moment. Keeps them for a day; with `at`, returns those that were kept as of that
    moment.

    Raises `NotFound` for a unit that the reader does not see, and `Invalid` if no figures are kept for `at`.
    """
    with services.store.begin() as tx:
        hold_snapshot(tx)
        window = _window(tx, services, asked, reader_unit_id)
        if at is not None:
            return _kept(kept_report(tx, _CUTS, (asked, reader_unit_id), at=at))
        whole = _whole_report(tx, window) if window.cut.is_whole else None
        report = _cut_report(tx, asked.by, window)
    with services.store.begin() as tx:
        keep_report(tx, _CUTS, (asked, reader_unit_id), report, at=report.generated_at)
        if whole is not None:
            keep_report(tx, _REPORTS, _whole(asked.period), whole, at=report.generated_at)
    return report


def read_centre_reports(tx: Tx, services: Services, asked: RatesQuery) -> tuple[CutReport, Report]:
    """The figures of the cut, and those by grade and fraud type, of the whole centre in the snapshot of a transaction;
    they are not kept. If all units are below a single top unit, the units right below it are compared.
    """
    roots = [unit for unit in list_units_of_tree(tx) if len(unit.path) == 1]
    window = replace(_window(tx, services, asked, None), depth=1 if len(roots) == 1 else 0)
    return _cut_report(tx, asked.by, window), _whole_report(tx, window)


def _cut_report(tx: Tx, by: Dimension, window: CutWindow) -> CutReport:
    before = period_before(window.period, timezone=window.timezone, now=window.now)
    year_before = period_year_before(window.period, timezone=window.timezone, now=window.now)
    changed = read_changed(tx, now=window.now, timezone=window.timezone)
    figures = read_cut_figures(tx, by, window, changed)
    today = day_of(window.now, timezone=window.timezone)
    return CutReport(
        generated_at=window.now,
        today=_total(tx, window, today, changed),
        yesterday=_total(tx, window, period_before(today, timezone=window.timezone, now=window.now), changed),
        breakdown=figures.breakdown,
        waits=figures.waits,
        unit_names={str(unit.id): unit.name for unit in list_units_of_tree(tx)},
        adjusted=_adjusted(rollup_cut_strata(tx, window, changed) or read_strata(tx, window))
        if by is Dimension.UNIT
        else {},
        before=_total(tx, window, before, changed),
        year_before=_total(tx, window, year_before, changed),
        days=_days(tx, window, window.period, changed),
        days_before=_days(tx, window, before, changed),
        days_year_before=_days(tx, window, year_before, changed),
        contacted=figures.contacted,
        workload=read_workload(tx, window),
        defrauded=tuple(
            read_cut_case_ids(
                tx, "defrauded_after_warning", window, changed, before_id=None, limit=MOST_DEFRAUDED
            )
        ),
    )


MOST_DEFRAUDED = 20
"""The most cases filed after a warning that a report lists; the count links to all of them."""


def _total(tx: Tx, window: CutWindow, period: Period | None, changed: ChangedCases | None) -> Slice | None:
    return None if period is None else read_cut_total(tx, replace(window, period=period), changed)


def _days(
    tx: Tx, window: CutWindow, period: Period | None, changed: ChangedCases | None
) -> Mapping[date, Mapping[str, int]]:
    return {} if period is None else read_cut_days(tx, replace(window, period=period), changed)


def _whole_report(tx: Tx, window: CutWindow) -> Report:
    return Report(
        generated_at=window.now,
        drill=window.drill,
        timezone=window.timezone,
        period=window.period,
        figures=rollup_figures(
            tx, window.period, drill=window.drill, now=window.now, timezone=window.timezone
        ),
    )


def _adjusted(by_rate: Mapping[str, Mapping[str, Mapping[str, HitCount]]]) -> dict[str, dict[str, Adjusted]]:
    """By unit and rate: the unit compared with all others."""
    found: dict[str, dict[str, Adjusted]] = {}
    for rate, by_unit in by_rate.items():
        for unit, one in adjust_each(by_unit).items():
            found.setdefault(unit, {})[rate] = one
    return found


def cut_breakdown(services: Services, asked: RatesQuery, *, reader_unit_id: int | None) -> Breakdown:
    """The figures of a cut without waiting times and comparisons. Raises `NotFound` for a unit that the reader does not
    see.
    """
    with services.store.begin() as tx:
        hold_snapshot(tx)
        return read_cut_figures(tx, asked.by, _window(tx, services, asked, reader_unit_id)).breakdown


PAGE = 50
"""Cases on one page of a list of cases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CasesBehind:
    """A count and the cases behind it, of one moment."""

    at: datetime
    count: int | None
    """The number of records counted; None for a later page."""
    ids: tuple[int, ...]
    """Case ids, newest first: one page, and one id more if another page follows."""


def cases_behind(
    services: Services,
    asked: RatesQuery,
    measure: str,
    *,
    reader_unit_id: int | None,
    before_id: int | None = None,
) -> CasesBehind:
    """The current count with its cases, in one snapshot.

    Raises `NotFound` for a unit that the reader does not see.
    """
    with services.store.begin() as tx:
        hold_snapshot(tx)
        window = _window(tx, services, asked, reader_unit_id)
        return CasesBehind(
            at=window.now,
            count=_count(tx, measure, window) if before_id is None else None,
            ids=tuple(read_cut_case_ids(tx, measure, window, before_id=before_id, limit=PAGE + 1)),
        )


def _count(tx: Tx, measure: str, window: CutWindow) -> int:
    """The count from the rollup where it can be used, which is as exact as counting the records, and faster."""
    found = rollup_cut_figures(tx, Dimension.GRADE, window)
    count = count_of_measure(found.breakdown.total, measure) if found is not None else None
    return count if count is not None else count_behind(tx, measure, window)


def clicked_count(report: CutReport, measure: str, value: str, *, today: bool = False) -> int | None:
    """The figure of the report from which a list of cases was opened: of one `value` of its dimension, of the whole for
    `''`, or with `today` of the report's day so far. None if the report does not show it.
    """
    if today:
        return count_of_measure(report.today, measure) if report.today is not None else None
    part = report.breakdown.slices.get(value) if value else report.breakdown.total
    return count_of_measure(part, measure)


def count_of_measure(part: Slice | None, measure: str) -> int | None:
    """A count of a slice by its name, or a loss of its funnel by the name of the loss; None for an unknown name. Every
    count of a missing slice is 0.
    """
    counts = part.counts if part is not None else Counts()
    if measure in COUNT_NAMES:
        return int(getattr(counts, measure))
    losses = (getattr(counts, a) - getattr(counts, b) for a, b in pairwise(FUNNEL) if loss_name(b) == measure)
    return next(losses, None)


def check_behind(services: Services, asked: RatesQuery, measure: str, *, reader_unit_id: int | None) -> None:
    """Raises `Invalid` for an unknown count, and `NotFound` for a unit that the reader does not see."""
    if measure not in MEASURES_WITH_CASES:
        raise Invalid(field="measure", problem="is not known", fix="a count of the report")
    with services.store.begin() as tx:
        _window(tx, services, asked, reader_unit_id)


def read_case_page(services: Services, ids: Sequence[int]) -> CasePage:
    """One page of cases, masked, from the `ids` of `cases_behind`."""
    shown = ids[:PAGE]
    with services.store.begin() as tx:
        return CasePage(cases=case_lines(tx, shown), next_before_id=shown[-1] if len(ids) > PAGE else None)


def note_export(services: Services, *, who: str, subject: str, facts: Mapping[str, object]) -> None:
    """Audits an export. Call it before the file is sent."""
    name = actor_name(who)
    now = services.clock.now()
    with services.store.begin() as tx:
        write_audit(tx, who=name, act="export", subject=subject, why="", now=now, facts=facts)


def _window(tx: Tx, services: Services, asked: RatesQuery, reader_unit_id: int | None) -> CutWindow:
    top = asked.unit_id if asked.unit_id is not None else reader_unit_id
    unit_ids: tuple[int, ...] | None = None
    depth = 0
    if top is not None:
        unit_ids = tuple(subtree_ids(tx, top))
        if not unit_ids or not is_unit_visible(tx, top, reader_unit_id):
            raise NotFound(kind="unit", key=top)
        depth = len(get_unit(tx, top).path)
    return CutWindow(
        cut=replace(asked.cut, unit_ids=unit_ids),
        period=asked.period,
        drill=services.drill,
        now=services.clock.now(),
        timezone=services.centre.timezone,
        depth=depth,
    )


def _choices(tx: Tx, reader_unit_id: int | None) -> tuple[tuple[int, str], ...]:
    seen = [unit for unit in list_units_of_tree(tx) if reader_unit_id is None or reader_unit_id in unit.path]
    names = {unit.id: unit.name for unit in seen}
    return tuple(
        (unit.id, " / ".join(names[step] for step in unit.path if step in names))
        for unit in sorted(seen, key=lambda unit: [names.get(step, "") for step in unit.path])
    )
