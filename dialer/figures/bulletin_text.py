"""A bulletin in words: sentences as a police bulletin has them, tables and charts, for the page and for docx alike.

Every figure is one of `BulletinFigures`; a rate is shown with its numerator, denominator and interval.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from dialer.core.intervals import Adjusted, Standing
from dialer.core.periods import (
    BulletinDays,
    BulletinKind,
    period_before,
    period_year_before,
)
from dialer.core.rates import DEFINITIONS, Slice, rate_of
from dialer.core.text import Lang, gettext_noop
from dialer.core.values import AmountKind, Grade
from dialer.figures.bulletin_words import (
    change_words,
    count_change,
    days_words,
    joined_words,
    local_words,
    money_words,
    percent,
    rate_cell,
    rate_change,
    rate_words,
    state_words,
    title_of,
)
from dialer.figures.bulletins import Bulletin, BulletinFigures, day_series
from dialer.figures.rate_charts import COMPARED
from dialer.figures.reader import slice_of
from dialer.figures.report import CutReport
from dialer.language.catalogue import say
from dialer.language.figure_words import count_word, rate_sentence, rate_word
from dialer.language.words import word_of
from dialer.web.charts import Chart, ChartKind, Series
from dialer.web.documents import Document
from dialer.web.formats import format_span

_HUNDRED = 100
_MOST_UNITS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTable:
    """A table of texts. `shares`: the relative width of each column. The first `words` columns are text, the others
    figures.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    shares: Sequence[float]
    words: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class BulletinSection:
    """A section of a bulletin."""

    heading: str
    paragraphs: Sequence[str] = ()
    tables: Sequence[TextTable] = ()
    charts: Sequence[Chart] = ()


def bulletin_sections(figures: BulletinFigures, lang: Lang) -> tuple[BulletinSection, ...]:
    """All sections of a bulletin, in order; those without records are left out."""
    return tuple(
        part
        for part in (
            _overall(figures, lang),
            _filed(figures, lang),
            _units(figures, lang),
            _kinds(figures, lang),
            _times(figures, lang),
            _attention(figures, lang),
            _definitions(lang),
        )
        if part is not None
    )


def _overall(figures: BulletinFigures, lang: Lang) -> BulletinSection:
    total, counts = figures.report.breakdown.total, figures.report.breakdown.total.counts
    money = total.amounts
    paragraphs = [
        say(
            lang,
            "In %(days)s the centre received %(warnings)s warnings%(change)s, which made %(cases)s"
            " cases%(cases_change)s.",
            days=days_words(figures.days, lang),
            warnings=f"{counts.warnings:,}",
            change=count_change(figures, "warnings", lang),
            cases=f"{counts.cases:,}",
            cases_change=count_change(figures, "cases", lang),
        ),
        say(
            lang,
            "The dissuasion robot made %(robot)s calls%(robot_change)s, callers made %(human)s"
            " calls%(human_change)s, and officers made %(visits)s visits%(visits_change)s.",
            robot=f"{counts.robot_calls:,}",
            robot_change=count_change(figures, "robot_calls", lang),
            human=f"{counts.human_calls:,}",
            human_change=count_change(figures, "human_calls", lang),
            visits=f"{counts.visits:,}",
            visits_change=count_change(figures, "visits", lang),
        ),
        say(
            lang,
            "The rate of verified contact is %(rate)s%(change)s.",
            rate=rate_words(rate_of(total, "verified_contact"), lang),
            change=rate_change(figures, "verified_contact", lang),
        ),
        say(
            lang,
            "The rate of dissuasion is %(rate)s%(change)s. Of the successes %(proven)s are proven, and %(watching)s are"
            " provisional until their watch period is over.",
            rate=rate_words(rate_of(total, "dissuaded"), lang),
            change=rate_change(figures, "dissuaded", lang),
            proven=f"{counts.cases_proven:,}",
            watching=f"{counts.cases_watching:,}",
        ),
        say(
            lang,
            "Approved by a second person: loss prevented %(intended)s, stopped at the bank %(stopped)s, returned"
            " %(returned)s. The three are different things and are not added up.",
            **{kind.value: money_words(money[kind].approved_fen, lang) for kind in AmountKind},
        ),
    ]
    waiting = {kind: money[kind].unapproved_fen for kind in AmountKind if money[kind].unapproved_fen}
    if waiting:
        named = joined_words(
            [f"{word_of(kind, lang)} {money_words(fen, lang)}" for kind, fen in waiting.items()], lang
        )
        paragraphs.append(say(lang, "Not counted, since they wait for approval: %(amounts)s.", amounts=named))
    return BulletinSection(
        heading=say(lang, "Overall"),
        paragraphs=paragraphs,
        tables=[_compared(figures, lang)],
        charts=[chart] if (chart := trend_chart(figures.report, figures.days, lang)) else [],
    )


def _compared(figures: BulletinFigures, lang: Lang) -> TextTable:
    report = figures.report
    rows = []
    for name in COMPARED:
        now = getattr(report.breakdown.total.counts, name)
        then = [
            None if earlier is None else getattr(earlier.counts, name)
            for earlier in (report.year_before, report.before)
        ]
        rows.append([count_word(name, lang), f"{now:,}", *_differences(now, then)])
    for kind in AmountKind:
        now = report.breakdown.total.amounts[kind].approved_fen
        then = [
            None if earlier is None else earlier.amounts[kind].approved_fen
            for earlier in (report.year_before, report.before)
        ]
        changes = _differences(now, then, money=True)
        rows.append([say(lang, "%(kind)s, yuan", kind=word_of(kind, lang)), _yuan(now), *changes])
    return TextTable(
        head=[
            say(lang, "Figure"),
            say(lang, "This period"),
            say(lang, "A year before"),
            say(lang, "On the year"),
            say(lang, "Period before"),
            say(lang, "On the period before"),
        ],
        rows=rows,
        shares=(2.4, 1.6, 1.6, 1.2, 1.6, 1.2),
    )


def _yuan(fen: int) -> str:
    """Whole yuan; the sentences have the fen."""
    return f"{fen / _HUNDRED:,.0f}"


def _differences(now: int, then: Sequence[int | None], *, money: bool = False) -> list[str]:
    cells = []
    for value in then:
        if value is None:
            cells += ["—", "—"]
        else:
            change = "—" if value == 0 else f"{(now - value) / value * _HUNDRED:+.1f}%"
            cells += [_yuan(value) if money else f"{value:,}", change]
    return cells


def trend_chart(report: CutReport, days: BulletinDays, lang: Lang, name: str = "warnings") -> Chart | None:
    """The count day by day, with the same days of the period before and of a year before; None for a period
    of one day.
    """
    length = (days.last - days.first).days + 1
    if length < 2:  # noqa: PLR2004  # a single day is no line
        return None
    shown = [(say(lang, "This period"), report.days, days.first)]
    period = days.period("UTC")
    later = datetime.max.replace(tzinfo=UTC)
    for text, counts, move in (
        (gettext_noop("Period before"), report.days_before, period_before),
        (gettext_noop("A year before"), report.days_year_before, period_year_before),
    ):
        then = move(period, timezone="UTC", now=later)
        if counts and then is not None and then.start is not None:
            shown.append((say(lang, text), counts, then.start.date()))
    return Chart(
        kind=ChartKind.LINES,
        title=say(lang, "%(count)s by day", count=count_word(name, lang)),
        labels=[_label(days, days.first + timedelta(days=n)) for n in range(length)],
        series=[
            Series(name=text, values=day_series(counts, name, first, length)) for text, counts, first in shown
        ],
    )


def _label(days: BulletinDays, day: date) -> str:
    return str(day.day) if days.kind is BulletinKind.MONTH else f"{day.month}-{day.day}"


def _filed(figures: BulletinFigures, lang: Lang) -> BulletinSection | None:
    now, before, year_before = figures.filed.total, figures.filed_before, figures.filed_year_before
    known = [earlier.total for earlier in (before, year_before) if earlier is not None]
    if not now.filed and not any(count.filed for count in known):
        return None
    then = year_before.total if year_before else None
    last = before.total if before else None
    filed_change = change_words(now.filed, last.filed if last else None, then.filed if then else None, lang)
    loss_change = change_words(
        now.amount_fen, last.amount_fen if last else None, then.amount_fen if then else None, lang
    )
    paragraphs = [
        say(
            lang,
            "%(filed)s cases were filed with the police%(filed_change)s, with losses of %(loss)s%(loss_change)s.",
            filed=f"{now.filed:,}",
            filed_change=say(lang, " (%(change)s)", change=filed_change) if filed_change else "",
            loss=money_words(now.amount_fen, lang),
            loss_change=say(lang, " (%(change)s)", change=loss_change) if loss_change else "",
        )
    ]
    rate = now.rate
    if rate.interval is not None:
        paragraphs.append(
            say(
                lang,
                "Of %(decided)s filed cases that are matched, %(warned)s had been warned before the loss: %(rate)s"
                " (95%% interval %(low)s to %(high)s). %(missed)s had no warning in time.",
                decided=f"{rate.denominator:,}",
                warned=f"{rate.numerator:,}",
                rate=percent(rate.value),
                low=percent(rate.interval.low),
                high=percent(rate.interval.high),
                missed=f"{now.missed:,}",
            )
        )
    tables = []
    if then is not None and figures.report.year_before is not None and then.filed:
        table, held = _two_up_two_down(figures, lang)
        tables.append(table)
        paragraphs.append(
            say(
                lang,
                "Two up, two down against the same period of the year before: %(held)s of 4 hold.",
                held=held,
            )
        )
    return BulletinSection(heading=say(lang, "Filed cases"), paragraphs=paragraphs, tables=tables)


def _two_up_two_down(figures: BulletinFigures, lang: Lang) -> tuple[TextTable, int]:
    """两升两降: successes and the loss prevented rise, filed cases and their losses fall. Also
    returns how many of the four do.
    """
    report, then = figures.report, figures.report.year_before
    assert then is not None
    assert figures.filed_year_before is not None
    total, filed, filed_then = report.breakdown.total, figures.filed.total, figures.filed_year_before.total
    prevented = AmountKind.INTENDED
    lines = (
        (count_word("dissuaded", lang), total.counts.dissuaded, then.counts.dissuaded, True, False),
        (
            word_of(prevented, lang),
            total.amounts[prevented].approved_fen,
            then.amounts[prevented].approved_fen,
            True,
            True,
        ),
        (say(lang, "Filed cases"), filed.filed, filed_then.filed, False, False),
        (say(lang, "Losses"), filed.amount_fen, filed_then.amount_fen, False, True),
    )
    rows, held = [], 0
    for name, now, before, must_rise, is_money in lines:
        holds = now > before if must_rise else now < before
        held += holds
        changes = _differences(now, [before], money=is_money)
        rows.append(
            [
                say(lang, "%(kind)s, yuan", kind=name) if is_money else name,
                say(lang, "should rise") if must_rise else say(lang, "should fall"),
                _yuan(now) if is_money else f"{now:,}",
                *changes,
                say(lang, "holds") if holds else say(lang, "does not hold"),
            ]
        )
    head = [
        say(lang, "Two up, two down"),
        say(lang, "Aim"),
        say(lang, "This period"),
        say(lang, "A year before"),
        say(lang, "On the year"),
        say(lang, "Whether it holds"),
    ]
    return TextTable(head=head, rows=rows, shares=(2.2, 1.2, 1.5, 1.5, 1.3, 1.4), words=2), held


_STANDINGS = {
    Standing.ABOVE: gettext_noop("above the rest"),
    Standing.BELOW: gettext_noop("below the rest"),
    Standing.NOISE: gettext_noop("within chance"),
    Standing.TOO_FEW: gettext_noop("too few"),
}


def ranked_units(figures: BulletinFigures) -> list[tuple[str, Slice]]:
    """Units with cases, highest rate of dissuasion first; of equal rates the one with more cases first."""
    parts = [
        (value, part)
        for value, part in figures.report.breakdown.slices.items()
        if value and part.counts.cases_ours
    ]
    return sorted(
        parts, key=lambda part: (-(rate_of(part[1], "dissuaded").value or 0), -part[1].counts.cases_ours)
    )


def _units(figures: BulletinFigures, lang: Lang) -> BulletinSection | None:
    report, ranked = figures.report, ranked_units(figures)
    if not ranked:
        return None

    def names(standing: Standing) -> str:
        found = [
            report.unit_names.get(value, value)
            for value, _ in ranked
            if value in report.adjusted and report.adjusted[value]["dissuaded"].standing is standing
        ]
        return ("、" if lang is Lang.ZH else ", ").join(found)

    paragraphs = [
        say(
            lang,
            "Ranked by the rate of dissuasion. Units are compared for the same mix of grades and fraud types; where the"
            " difference is within chance, the rank says nothing.",
        )
    ]
    if above := names(Standing.ABOVE):
        paragraphs.append(say(lang, "Above the rest: %(units)s.", units=above))
    if below := names(Standing.BELOW):
        paragraphs.append(say(lang, "Below the rest: %(units)s.", units=below))
    if not above and not below:
        paragraphs.append(say(lang, "No unit differs from the others by more than chance."))
    table = _units_table(figures, ranked[:_MOST_UNITS], lang)
    chart = _units_chart(figures, ranked[:_MOST_UNITS], lang)
    return BulletinSection(
        heading=say(lang, "Units"),
        paragraphs=paragraphs,
        tables=[table],
        charts=[chart] if len(ranked) > 1 else [],
    )


def _units_chart(figures: BulletinFigures, shown: Sequence[tuple[str, Slice]], lang: Lang) -> Chart:
    rates = [rate_of(part, "dissuaded") for _, part in shown]
    return Chart(
        kind=ChartKind.BARS,
        title=say(lang, "Rate of dissuasion by unit, with its 95% interval"),
        labels=[figures.report.unit_names.get(value, value) for value, _ in shown],
        series=[
            Series(
                name=rate_word(rates[0].definition, lang),
                values=[rate.value for rate in rates],
                low=[rate.interval.low if rate.interval else None for rate in rates],
                high=[rate.interval.high if rate.interval else None for rate in rates],
            )
        ],
        percent=True,
    )


def _units_table(figures: BulletinFigures, shown: Sequence[tuple[str, Slice]], lang: Lang) -> TextTable:
    report = figures.report
    head = [
        say(lang, "Rank"),
        say(lang, "Unit"),
        count_word("cases_ours", lang),
        say(lang, "Verified contact"),
        say(lang, "Dissuaded"),
        say(lang, "95 % interval"),
        say(lang, "Comparison"),
    ]
    rows = [
        _unit_row(str(place), report.unit_names.get(value, value), part, report.adjusted.get(value, {}), lang)
        for place, (value, part) in enumerate(shown, start=1)
    ]
    unassigned = report.breakdown.slices.get("", _NOTHING)
    if unassigned.counts.cases_ours:
        rows.append(_unit_row("—", say(lang, "No unit yet"), unassigned, {}, lang))
    return TextTable(head=head, rows=rows, shares=(0.8, 1.8, 1.0, 1.9, 1.9, 1.8, 1.5), words=2)


_NOTHING = slice_of({})


def _unit_row(place: str, name: str, part: Slice, adjusted: Mapping[str, Adjusted], lang: Lang) -> list[str]:
    rate = rate_of(part, "dissuaded")
    interval = rate.interval
    return [
        place,
        name,
        f"{part.counts.cases_ours:,}",
        rate_cell(rate_of(part, "verified_contact")),
        rate_cell(rate),
        f"{percent(interval.low)}—{percent(interval.high)}" if interval else "—",
        say(lang, _STANDINGS[adjusted["dissuaded"].standing]) if adjusted else "—",
    ]


def _kinds(figures: BulletinFigures, lang: Lang) -> BulletinSection:
    def table(head: str, lines: Sequence[tuple[str, Slice]]) -> TextTable:
        return TextTable(
            head=[
                head,
                *(count_word(name, lang) for name in ("warnings", "cases", "verified_contact", "dissuaded")),
                say(lang, "Dissuaded, rate"),
                count_word("defrauded_after_warning", lang),
            ],
            rows=[
                [
                    name,
                    *(
                        f"{getattr(part.counts, count):,}"
                        for count in ("warnings", "cases", "verified_contact", "dissuaded")
                    ),
                    rate_cell(rate_of(part, "dissuaded")),
                    f"{part.counts.defrauded_after_warning:,}",
                ]
                for name, part in lines
            ],
            shares=(1.9, 1.4, 1.0, 1.3, 1.6, 1.6, 1.5),
        )

    types = sorted(
        (
            (kind, part)
            for kind, part in figures.by_fraud_type.items()
            if part.counts.warnings or part.counts.cases
        ),
        key=lambda part: -part[1].counts.warnings,
    )
    paragraphs = []
    received = figures.report.breakdown.total.counts.warnings
    if types and received:
        first = types[:3]
        named = ("、" if lang is Lang.ZH else ", ").join(
            say(
                lang,
                "%(type)s %(n)s (%(share)s)",
                type=word_of(kind, lang),
                n=f"{part.counts.warnings:,}",
                share=percent(part.counts.warnings / received),
            )
            for kind, part in first
        )
        paragraphs.append(say(lang, "Most warnings are of these types: %(types)s.", types=named))
    return BulletinSection(
        heading=say(lang, "Grades and fraud types"),
        paragraphs=paragraphs,
        tables=[
            table(say(lang, "Grade"), [(word_of(grade, lang), figures.by_grade[grade]) for grade in Grade]),
            table(say(lang, "Fraud type"), [(word_of(kind, lang), part) for kind, part in types]),
        ]
        if types
        else [],
    )


def _times(figures: BulletinFigures, lang: Lang) -> BulletinSection:
    total = figures.report.breakdown.total
    first = total.first_attempt
    paragraphs = []
    if first.cases:
        paragraphs.append(
            say(
                lang,
                "Half of the cases were first called within %(half)s, nine of ten within %(most)s.",
                half=format_span(first.p50_seconds, lang),
                most=format_span(first.p90_seconds, lang),
            )
        )
    for name in ("first_attempt_in_time", "signed_in_time", "feedback_in_time"):
        rate = rate_of(total, name)
        if rate.denominator:
            paragraphs.append(
                say(
                    lang,
                    "%(name)s: %(rate)s%(change)s.",
                    name=rate_word(rate.definition, lang),
                    rate=rate_words(rate, lang),
                    change=rate_change(figures, name, lang),
                )
            )
    return BulletinSection(
        heading=say(lang, "In time"),
        paragraphs=paragraphs or [say(lang, "Nothing was due in this period.")],
    )


def _attention(figures: BulletinFigures, lang: Lang) -> BulletinSection:
    counts = figures.report.breakdown.total.counts
    found: list[str] = []
    rate = rate_of(figures.report.breakdown.total, "defrauded_after_warning")
    if rate.numerator:
        found.append(
            say(
                lang,
                "Defrauded after a warning: %(rate)s.",
                rate=rate_words(rate, lang),
            )
        )
    if counts.cases_missed:
        found.append(
            say(lang, "%(n)s warnings expired before anybody was reached.", n=f"{counts.cases_missed:,}")
        )
    late = counts.feedback_counted - counts.feedback_in_time
    if late:
        found.append(say(lang, "%(n)s human calls and visits were not reported in time.", n=f"{late:,}"))
    if counts.cases_reversed:
        found.append(
            say(lang, "%(n)s successes were reversed by a filed case.", n=f"{counts.cases_reversed:,}")
        )
    return BulletinSection(
        heading=say(lang, "Needs attention"),
        paragraphs=found or [say(lang, "Nothing is to be named here.")],
    )


_DEFINED = (
    "verified_contact",
    "dissuaded",
    "proven",
    "defrauded_after_warning",
    "first_attempt_in_time",
    "signed_in_time",
    "feedback_in_time",
)


def _definitions(lang: Lang) -> BulletinSection:
    known = {definition.name: definition for definition in DEFINITIONS}
    return BulletinSection(
        heading=say(lang, "What the figures mean"),
        paragraphs=[
            say(
                lang,
                "%(name)s: %(says)s",
                name=rate_word(known[name], lang),
                says=rate_sentence(known[name], lang),
            )
            for name in _DEFINED
        ]
        + [
            say(
                lang,
                "A success is provisional for the watch period and is taken back when a case is filed, so a later"
                " count of the same period may differ. Intervals are Wilson's at 95 percent. A difference within"
                " chance says nothing about a unit.",
            )
        ],
    )


def bulletin_document(bulletin: Bulletin, *, lang: Lang, who: str, now: datetime) -> Document:
    """The bulletin as docx; every page names who exported it and when."""
    figures = bulletin.figures
    opens, closes = ("（", "）") if lang is Lang.ZH else (" (", ")")
    title = f"{title_of(figures.days, lang)}{opens}{days_words(figures.days, lang)}{closes}"
    document = Document(title=title, lang=lang, made_at=now)
    document.line(state_words(bulletin, lang))
    if figures.drill:
        document.line(say(lang, "Drill data only"))
    for place, part in enumerate(bulletin_sections(figures, lang)):
        document.heading(_numbered(place, part.heading, lang))
        for text in part.paragraphs:
            document.paragraph(text)
        for table in part.tables:
            document.table(table.head, table.rows, shares=table.shares, words=table.words)
            document.paragraph("")
        for chart in part.charts:
            document.chart(chart)
    document.footer(
        say(
            lang,
            "Taken by %(who)s on %(when)s; no personal data",
            who=who,
            when=local_words(now, figures.timezone, lang),
        )
    )
    return document


_NUMERALS = "一二三四五六七八九十"


def _numbered(place: int, heading: str, lang: Lang) -> str:
    return f"{_NUMERALS[place]}、{heading}" if lang is Lang.ZH else f"{place + 1}. {heading}"


def numbered_sections(figures: BulletinFigures, lang: Lang) -> Iterator[tuple[str, BulletinSection]]:
    """Each section with its numbered heading, for the page."""
    for place, part in enumerate(bulletin_sections(figures, lang)):
        yield _numbered(place, part.heading, lang), part
