"""The charts of *Success rates*, and the tables beside them: the funnel with its losses, the trend by day or week, the
comparison with the period before and a year before, the calendar, and the map.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup

from dialer.core.periods import period_before, period_year_before
from dialer.core.rates import FUNNEL, TREND, Counts, Period, Rate, Slice, Waits, rate_of, rates_of
from dialer.core.text import Lang, gettext_noop
from dialer.core.values import AmountKind, Grade
from dialer.figures.reader import loss_name
from dialer.figures.report import CutReport
from dialer.language.catalogue import say
from dialer.language.figure_words import count_word, rate_word
from dialer.language.words import actor_word, word_of
from dialer.web.charts import Area, Chart, ChartKind, Series, draw_calendar, draw_map, shade_bounds, shade_of
from dialer.web.formats import Sheet

_HUNDRED = 100
_WEEK = 7
_MOST_DAYS = 62
"""A longer period is drawn by week."""
_MOST_POINTS = 160
_FEWEST_CALENDAR_DAYS = 14
_MOST_CALENDAR_DAYS = 372
COMPARED = (
    "warnings",
    "cases",
    "robot_calls",
    "human_calls",
    "visits",
    "verified_contact",
    "dissuaded",
    "defrauded_after_warning",
)
_COMPARED_RATES = (
    "verified_contact",
    "dissuaded",
    "first_attempt_in_time",
    "signed_in_time",
    "feedback_in_time",
)

LOST: Mapping[str, str] = {
    loss_name("cases"): gettext_noop("joined a case that was open already"),
    loss_name("cases_ours"): gettext_noop("left as duplicate, transferred or withdrawn"),
    loss_name("cases_tried"): gettext_noop("neither called nor visited"),
    loss_name("cases_reached"): gettext_noop("nobody was spoken to"),
    loss_name("verified_contact"): gettext_noop("not verified as the right person"),
    loss_name("succeeded"): gettext_noop("verified, not dissuaded"),
    loss_name("dissuaded"): gettext_noop("undone by a filed case"),
    loss_name("cases_proven"): gettext_noop("not proven yet"),
}
"""The words for what each step of the funnel loses, by the name of the loss."""


def measure_word(name: str, lang: Lang) -> str:
    """The words for a count, or for a loss of the funnel."""
    return say(lang, LOST[name]) if name in LOST else count_word(name, lang)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelStep:
    """A step of the funnel: how many are left, and how many were lost since the step before."""

    name: str
    count: int
    share: float
    """Share of the first step."""
    kept: float | None
    """Share of the step before; None for the first one."""
    lost_name: str
    lost_count: int


def funnel_steps(counts: Counts) -> tuple[FunnelStep, ...]:
    """The steps of the funnel from the warnings on."""
    first = getattr(counts, FUNNEL[0])
    steps, before = [], None
    for name in FUNNEL:
        count = getattr(counts, name)
        steps.append(
            FunnelStep(
                name=name,
                count=count,
                share=count / first if first else 0,
                kept=None if not before else count / before,
                lost_name=loss_name(name),
                lost_count=0 if before is None else before - count,
            )
        )
        before = count
    return tuple(steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedLine:
    """A figure beside those of a year before and of the period before, in words."""

    name: str
    now: str
    year_before: str
    on_year: str
    before: str
    on_before: str


def compared_lines(report: CutReport, lang: Lang) -> tuple[ComparedLine, ...]:
    """Counts, rates and approved amounts; empty without an earlier period to compare with."""
    if report.before is None or report.year_before is None:
        return ()
    return _compare((report.breakdown.total, report.year_before, report.before), lang)


def _compare(parts: tuple[Slice, Slice, Slice], lang: Lang) -> tuple[ComparedLine, ...]:
    """The first beside the second, which is `year_before`, and the third, which is `before`."""
    lines = [
        _counted(count_word(name, lang), *(getattr(part.counts, name) for part in parts)) for name in COMPARED
    ]
    for name in _COMPARED_RATES:
        now, then, last = (rate_of(part, name) for part in parts)
        lines.append(_shares(rate_word(now.definition, lang), now.value, then.value, last.value))
    for kind in AmountKind:
        fen = (part.amounts[kind].approved_fen for part in parts)
        lines.append(_counted(say(lang, "%(kind)s, yuan", kind=word_of(kind, lang)), *fen, money=True))
    return tuple(lines)


TODAY_HEAD = (
    gettext_noop("Figure"),
    gettext_noop("Today so far"),
    gettext_noop("Yesterday until then"),
    gettext_noop("Against yesterday"),
    gettext_noop("Chosen period"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TodayLine:
    """A figure of today so far beside yesterday until the same time, and the period, in words."""

    name: str
    today: str
    yesterday: str
    change: str
    """In percent; for a rate in percentage points."""
    period: str
    count: str = ""
    """The count whose cases the figure of today links to; '' for a rate or an amount."""


def today_lines(report: CutReport, lang: Lang) -> tuple[TodayLine, ...]:
    """Counts, rates and approved amounts; empty for a report that was kept without today's figures."""
    if report.today is None or report.yesterday is None:
        return ()
    compared = _compare((report.today, report.yesterday, report.breakdown.total), lang)
    counts = (*COMPARED, *("" for _ in compared[len(COMPARED) :]))
    return tuple(
        TodayLine(
            name=line.name,
            today=line.now,
            yesterday=line.year_before,
            change=line.on_year,
            period=line.before,
            count=count,
        )
        for line, count in zip(compared, counts, strict=True)
    )


def _counted(name: str, now: int, then: int, last: int, *, money: bool = False) -> ComparedLine:
    def shown(value: int) -> str:
        return f"{value / _HUNDRED:,.2f}" if money else f"{value:,}"

    def change(value: int) -> str:
        return "—" if not value else f"{round((now - value) / value * _HUNDRED, 1) + 0.0:+.1f}%"

    return ComparedLine(
        name=name,
        now=shown(now),
        year_before=shown(then),
        on_year=change(then),
        before=shown(last),
        on_before=change(last),
    )


def _shares(name: str, now: float | None, then: float | None, last: float | None) -> ComparedLine:
    def shown(value: float | None) -> str:
        return "—" if value is None else f"{value * _HUNDRED:.1f}%"

    def change(value: float | None) -> str:
        return "—" if value is None or now is None else f"{round((now - value) * _HUNDRED, 1) + 0.0:+.1f}"

    return ComparedLine(
        name=name,
        now=shown(now),
        year_before=shown(then),
        on_year=change(then),
        before=shown(last),
        on_before=change(last),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """The counts of a period day by day or week by week. `starts`: the first day of each point."""

    is_weekly: bool
    starts: tuple[date, ...]
    counts: tuple[Mapping[str, int], ...]
    before: tuple[Mapping[str, int] | None, ...]
    """The counts of the period before, at the same number of days from its start; None beyond its end."""
    year_before: tuple[Mapping[str, int] | None, ...]


_Days = Mapping[date, Mapping[str, int]]


def trend_of(report: CutReport, period: Period, timezone: str) -> Trend | None:
    """The trend of the period by day or week; None for a period of less than two days."""
    zone, now = ZoneInfo(timezone), report.generated_at
    first, last = _edges(report.days, period, now, zone)
    if first is None or last is None or first >= last:
        return None
    length = (last - first).days + 1
    step = _WEEK if length > _MOST_DAYS else 1
    began = first
    if step == _WEEK:
        first -= timedelta(days=first.weekday())
    starts = tuple(first + timedelta(days=n) for n in range(0, (last - first).days + 1, step))[-_MOST_POINTS:]
    befores = [
        None if earlier is None or earlier.start is None else (earlier.start.astimezone(zone).date(), days)
        for earlier, days in (
            (period_before(period, timezone=timezone, now=now), report.days_before),
            (period_year_before(period, timezone=timezone, now=now), report.days_year_before),
        )
    ]
    shifted = [
        tuple(
            None
            if found is None
            else _summed(found[1], found[0] + (start - began), step, until=max(found[1], default=None))
            for start in starts
        )
        for found in befores
    ]
    return Trend(
        is_weekly=step == _WEEK,
        starts=starts,
        counts=tuple(_summed(report.days, start, step) or {} for start in starts),
        before=shifted[0],
        year_before=shifted[1],
    )


def _edges(days: _Days, period: Period, now: datetime, zone: ZoneInfo) -> tuple[date | None, date | None]:
    first = period.start.astimezone(zone).date() if period.start else min(days, default=None)
    end = min(period.end or now, now)
    last = max((end - timedelta(microseconds=1)).astimezone(zone).date(), max(days, default=date.min))
    return first, last


def _summed(
    days: _Days, start: date, length: int, *, until: date | None = date.max
) -> Mapping[str, int] | None:
    if until is None or start > until:
        return None
    found: dict[str, int] = {}
    for n in range(length):
        for name, count in days.get(start + timedelta(days=n), {}).items():
            found[name] = found.get(name, 0) + count
    return found


def count_chart(course: Trend, name: str, lang: Lang) -> Chart:
    """One count with that of the period before and of a year before."""
    text = gettext_noop("%(count)s by week") if course.is_weekly else gettext_noop("%(count)s by day")
    series = [Series(name=say(lang, "This period"), values=[counts.get(name, 0) for counts in course.counts])]
    for title, parts in (
        (gettext_noop("Period before"), course.before),
        (gettext_noop("A year before"), course.year_before),
    ):
        if any(parts):
            series.append(
                Series(
                    name=say(lang, title),
                    values=[None if part is None else part.get(name, 0) for part in parts],
                )
            )
    return Chart(
        kind=ChartKind.LINES,
        title=say(lang, text, count=count_word(name, lang)),
        labels=[f"{day.month}-{day.day}" for day in course.starts],
        series=series,
    )


def rate_chart(course: Trend, lang: Lang) -> Chart:
    """Verified contact and dissuaded, of our cases opened on the day or in the week."""
    definitions = {rate.definition.name: rate.definition for rate in rates_of(Counts())}
    return Chart(
        kind=ChartKind.LINES,
        title=say(lang, "Rates by the day or week in which the case was opened"),
        labels=[f"{day.month}-{day.day}" for day in course.starts],
        series=[
            Series(
                name=rate_word(definitions[name], lang),
                values=[
                    counts.get(name, 0) / counts["cases_ours"] if counts.get("cases_ours") else None
                    for counts in course.counts
                ],
            )
            for name in ("verified_contact", "dissuaded")
        ],
        percent=True,
    )


def waits_chart(waits: Waits, bars: Sequence[str], title: str, lang: Lang) -> Chart:
    """Cases by waiting time, stacked by grade."""
    return Chart(
        kind=ChartKind.COLUMNS,
        title=title,
        labels=bars,
        series=[Series(name=word_of(grade, lang), values=waits.by_grade[grade]) for grade in Grade],
    )


def beside_chart(names: Sequence[str], rates: Sequence[Sequence[Rate]], title: str, lang: Lang) -> Chart:
    """Verified contact and dissuaded of each value, with their intervals."""
    series = []
    for name in ("verified_contact", "dissuaded"):
        found = [next(rate for rate in each if rate.definition.name == name) for each in rates]
        series.append(
            Series(
                name=rate_word(found[0].definition, lang),
                values=[rate.value for rate in found],
                low=[rate.interval.low if rate.interval else None for rate in found],
                high=[rate.interval.high if rate.interval else None for rate in found],
            )
        )
    return Chart(kind=ChartKind.BARS, title=title, labels=names, series=series, percent=True)


def calendar_of(report: CutReport, lang: Lang) -> Markup:
    """A calendar of warnings by day; '' for a short period."""
    days = {day: counts.get("warnings", 0) for day, counts in report.days.items()}
    if not days:
        return Markup("")
    last = max(days)
    first = max(min(days), last - timedelta(days=_MOST_CALENDAR_DAYS - 1))
    if (last - first).days + 1 < _FEWEST_CALENDAR_DAYS:
        return Markup("")
    every = {
        first + timedelta(days=n): days.get(first + timedelta(days=n), 0)
        for n in range((last - first).days + 1)
    }
    months = (
        [f"{n}月" for n in range(1, 13)]
        if lang is Lang.ZH
        else ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    )
    weekdays = (
        list("一二三四五六日") if lang is Lang.ZH else ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    )
    return draw_calendar(
        every, name="calendar", title=say(lang, "Warnings by day"), months=months, weekdays=weekdays
    )


def map_of(
    report: CutReport,
    boundaries: Mapping[int, Sequence[Sequence[Sequence[float]]]],
    addresses: Mapping[str, str],
    lang: Lang,
) -> Markup:
    """A map of the units of a cut by unit, darker for a higher rate of dissuasion; '' without boundaries."""
    shares = {
        value: rate_of(part, "dissuaded")
        for value, part in report.breakdown.slices.items()
        if value and int(value) in boundaries
    }
    bounds = shade_bounds([rate.value for rate in shares.values() if rate.value])
    areas = []
    for unit_id, rings in sorted(boundaries.items()):
        rate = shares.get(str(unit_id))
        name = report.unit_names.get(str(unit_id), str(unit_id))
        rate_text = (
            "—"
            if rate is None or rate.value is None
            else f"{rate.value * _HUNDRED:.1f}% ({rate.numerator:,}/{rate.denominator:,})"
        )
        areas.append(
            Area(
                name=name,
                rings=rings,
                shade=shade_of(rate.value or 0, bounds) if rate is not None else 0,
                hint=f"{name}: {rate_text}",
                href=addresses.get(str(unit_id), ""),
            )
        )
    return draw_map(areas, name="map", title=say(lang, "Rate of dissuasion on the map"))


def further_sheets(report: CutReport, bars: Sequence[str], lang: Lang) -> tuple[Sheet, ...]:
    """The sheets of an exported file beside the rates: losses, days, workload, comparison, today, and times
    to contact.
    """
    sheets = [_losses(report, lang), _days(report, lang), _workload(report, lang)]
    if compared := compared_lines(report, lang):
        heads = (
            gettext_noop("Figure"),
            gettext_noop("This period"),
            "A year before",
            "On the year",
            "Period before",
            "On the period before",
        )
        sheets.append(
            Sheet(
                title=say(lang, "Compared with earlier periods"),
                head=[say(lang, text) for text in heads],
                rows=[
                    [line.name, line.now, line.year_before, line.on_year, line.before, line.on_before]
                    for line in compared
                ],
            )
        )
    if today := today_lines(report, lang):
        sheets.append(
            Sheet(
                title=say(lang, "Today"),
                head=[say(lang, text) for text in TODAY_HEAD],
                rows=[[line.name, line.today, line.yesterday, line.change, line.period] for line in today],
            )
        )
    if report.contacted is not None:
        sheets.append(
            Sheet(
                title=say(lang, "Time to verified contact"),
                head=[say(lang, "Grade"), *bars],
                rows=[[word_of(grade, lang), *counts] for grade, counts in report.contacted.by_grade.items()],
            )
        )
    return tuple(sheets)


def _losses(report: CutReport, lang: Lang) -> Sheet:
    return Sheet(
        title=say(lang, "From the warning to the success"),
        head=[say(lang, "Figure"), say(lang, "Value"), say(lang, "Lost"), ""],
        rows=[
            [
                count_word(step.name, lang),
                step.count,
                step.lost_count if step.kept is not None else None,
                measure_word(step.lost_name, lang) if step.kept is not None else "",
            ]
            for step in funnel_steps(report.breakdown.total.counts)
        ],
    )


def _days(report: CutReport, lang: Lang) -> Sheet:
    return Sheet(
        title=say(lang, "Day"),
        head=[say(lang, "Day"), *(count_word(name, lang) for name in TREND)],
        rows=[
            [day.isoformat(), *(counts.get(name, 0) for name in TREND)]
            for day, counts in sorted(report.days.items())
        ],
    )


def _workload(report: CutReport, lang: Lang) -> Sheet:
    return Sheet(
        title=say(lang, "Work load"),
        head=[
            say(lang, "Member of staff"),
            *(count_word(name, lang) for name in ("human_calls", "visits")),
            say(lang, "Right person reached"),
            count_word("feedback_in_time", lang),
            say(lang, "Held now"),
            say(lang, "Days"),
            say(lang, "Minutes to the report, median"),
        ],
        rows=[
            [
                actor_word(work.login, lang, report.staff_names),
                work.human_calls,
                work.visits,
                work.reached,
                work.feedback_in_time,
                work.held,
                work.days,
                work.minutes,
            ]
            for work in report.workload
        ],
    )
