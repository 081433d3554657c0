"""Reports of success rates: the report of a window, a cut with the cases behind each count. All figures of a report are
of one moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import TypeVar

from pydantic import TypeAdapter

from dialer.cases.search import CasePage, case_lines
from dialer.core.errors import Invalid, NotFound
from dialer.core.intervals import Adjusted, HitCount, adjust_each
from dialer.core.periods import day_of, period_before, period_year_before
from dialer.core.rates import (
    COUNT_NAMES,
    FUNNEL,
    Breakdown,
    CaseFilter,
    Counts,
    Dimension,
    Period,
    Report,
    Slice,
    Waits,
    period_of,
)
from dialer.core.text import gettext_noop
from dialer.core.values import FraudType, Grade
from dialer.db.policies import first_policy_at
from dialer.db.unit_of_work import Tx
from dialer.db.units import get_unit, is_unit_visible, list_units_of_tree, subtree_ids
from dialer.figures.facts import WORTH_A_FILE, FactFile, has_cases, open_source, refresh_facts
from dialer.figures.reader import (
    MEASURES_WITH_CASES,
    CutWindow,
    Source,
    Workload,
    list_versioned_scripts,
    list_warning_sources,
    loss_name,
    read_case_ids,
    read_count,
    read_cut,
    read_days,
    read_figures,
    read_strata,
    read_total,
    read_workload,
    slice_of,
)
from dialer.figures.stored import store_report, stored_report
from dialer.runtime.services import Services
from dialer.staff.store import display_names


def fact_file(services: Services) -> FactFile:
    """Where this process finds fact rows."""
    return FactFile(folder=services.facts_folder, timezone=services.centre.timezone)


@contextmanager
def open_figures(services: Services) -> Iterator[Source]:
    """A source of figures, of one snapshot."""
    with open_source(services.store, fact_file(services), fewest=WORTH_A_FILE) as source:
        yield source


def make_report(services: Services, period: Period | None = None, *, at: datetime | None = None) -> Report:
    """The report of a period, or of all time; all its numbers are of one moment. A drill database reports its drill;
    any other leaves drill records out and counts them in `left_out`.

    With `at`, the report that the page of success rates showed as of that moment. Raises `Invalid` if it is not kept.
    """
    period = period or Period()
    if at is not None:
        with services.store.begin() as tx:
            return _kept(stored_report(tx, _REPORTS, _whole(period), at=at))
    with open_figures(services) as source:
        return _whole_report(source, _centre_window(services, period))


def _centre_window(services: Services, period: Period) -> CutWindow:
    return CutWindow(
        period=period,
        drill=services.drill,
        now=services.clock.now(),
        timezone=services.centre.timezone,
    )


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


def refresh_figures(services: Services) -> int:
    """Brings the fact rows of this machine up to date; returns the number of cases that it has fetched."""
    return refresh_facts(services.store, fact_file(services))


def refresh_figures_if_large(services: Services) -> int:
    """As `refresh_figures`, but no file is made for so few cases that they are better counted."""
    facts = fact_file(services)
    if facts.folder is not None and not facts.path.exists():
        with services.store.begin() as tx:
            if not has_cases(tx, WORTH_A_FILE):
                return 0
    return refresh_facts(services.store, facts)


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
    staff_names: Mapping[str, str] = field(default_factory=dict)
    """Display names by login of those who are compared or have work; empty in a report that an older version kept."""
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
        query_window(tx, services, asked, reader_unit_id)
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
    if at is not None:
        with services.store.begin() as tx:
            query_window(tx, services, asked, reader_unit_id)
            return _kept(stored_report(tx, _CUTS, (asked, reader_unit_id), at=at))
    with open_figures(services) as source:
        window = query_window(source.tx, services, asked, reader_unit_id)
        whole = _whole_report(source, window) if window.cut.is_whole else None
        report = _cut_report(source, asked.by, window)
    with services.store.begin() as tx:
        store_report(tx, _CUTS, (asked, reader_unit_id), report, at=report.generated_at)
        if whole is not None:
            store_report(tx, _REPORTS, _whole(asked.period), whole, at=report.generated_at)
    return report


def read_centre_reports(source: Source, services: Services, asked: RatesQuery) -> tuple[CutReport, Report]:
    """The figures of the cut, and those by grade and fraud type, of the whole centre; they are not stored. If all units
    are below a single top unit, the units right below it are compared.
    """
    roots = [unit for unit in list_units_of_tree(source.tx) if len(unit.path) == 1]
    window = replace(query_window(source.tx, services, asked, None), depth=1 if len(roots) == 1 else 0)
    return _cut_report(source, asked.by, window), _whole_report(source, window)


def _cut_report(source: Source, by: Dimension, window: CutWindow) -> CutReport:
    before = period_before(window.period, timezone=window.timezone, now=window.now)
    year_before = period_year_before(window.period, timezone=window.timezone, now=window.now)
    figures = read_cut(source, by, window)
    today = day_of(window.now, timezone=window.timezone)
    workload = read_workload(source, window)
    compared = figures.breakdown.slices if by is Dimension.PERSON else ()
    logins = {work.login for work in workload}.union(compared) - {""}
    return CutReport(
        generated_at=window.now,
        today=_total(source, window, today),
        yesterday=_total(source, window, period_before(today, timezone=window.timezone, now=window.now)),
        breakdown=figures.breakdown,
        waits=figures.waits,
        unit_names={str(unit.id): unit.name for unit in list_units_of_tree(source.tx)},
        staff_names=display_names(source.tx, logins) if logins else {},
        adjusted=_adjusted(read_strata(source, window)) if by is Dimension.UNIT else {},
        before=_earlier_total(source, window, before),
        year_before=_earlier_total(source, window, year_before),
        days=_days(source, window, window.period),
        days_before=_days(source, window, before),
        days_year_before=_days(source, window, year_before),
        contacted=figures.contacted,
        workload=workload,
        defrauded=tuple(
            read_case_ids(source, "defrauded_after_warning", window, before_id=None, limit=MOST_DEFRAUDED)
        ),
    )


MOST_DEFRAUDED = 20
"""The most cases filed after a warning that a report lists; the count links to all of them."""


def _total(source: Source, window: CutWindow, period: Period | None) -> Slice | None:
    return None if period is None else read_total(source, replace(window, period=period))


def _earlier_total(source: Source, window: CutWindow, period: Period | None) -> Slice | None:
    """None also where the database is younger than the period and has nothing of it: nobody knows that it was zero."""
    total = _total(source, window, period)
    return total if total != slice_of({}) or covers(source.tx, period) else None


def covers(tx: Tx, period: Period | None) -> bool:
    """Whether the database was in use when this period began."""
    return period is not None and period.start is not None and first_policy_at(tx) <= period.start


def _days(source: Source, window: CutWindow, period: Period | None) -> Mapping[date, Mapping[str, int]]:
    return {} if period is None else read_days(source, replace(window, period=period))


def _whole_report(source: Source, window: CutWindow) -> Report:
    return Report(
        generated_at=window.now,
        drill=window.drill,
        timezone=window.timezone,
        period=window.period,
        figures=read_figures(source, window),
    )


def _adjusted(by_rate: Mapping[str, Mapping[str, Mapping[str, HitCount]]]) -> dict[str, dict[str, Adjusted]]:
    """By unit and rate: the unit compared with all others."""
    found: dict[str, dict[str, Adjusted]] = {}
    for rate, by_unit in by_rate.items():
        for unit, adjusted in adjust_each(by_unit).items():
            found.setdefault(unit, {})[rate] = adjusted
    return found


def cut_breakdown(services: Services, asked: RatesQuery, *, reader_unit_id: int | None) -> Breakdown:
    """The figures of a cut without waiting times and comparisons. Raises `NotFound` for a unit that the reader does not
    see.
    """
    with open_figures(services) as source:
        return read_cut(source, asked.by, query_window(source.tx, services, asked, reader_unit_id)).breakdown


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
    with open_figures(services) as source:
        window = query_window(source.tx, services, asked, reader_unit_id)
        return CasesBehind(
            at=window.now,
            count=read_count(source, measure, window) if before_id is None else None,
            ids=tuple(read_case_ids(source, measure, window, before_id=before_id, limit=PAGE + 1)),
        )


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
        query_window(tx, services, asked, reader_unit_id)


def read_case_page(services: Services, ids: Sequence[int]) -> CasePage:
    """One page of cases, masked, from the `ids` of `cases_behind`."""
    shown = ids[:PAGE]
    with services.store.begin() as tx:
        return CasePage(cases=case_lines(tx, shown), next_before_id=shown[-1] if len(ids) > PAGE else None)


def query_window(tx: Tx, services: Services, asked: RatesQuery, reader_unit_id: int | None) -> CutWindow:
    """The records of the query that the reader sees, as of now. Raises `NotFound` for a unit that the reader does not
    see.
    """
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
