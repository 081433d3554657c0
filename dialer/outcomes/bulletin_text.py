"""A bulletin in words: sentences as a police bulletin has them, tables and charts, for the page and for docx alike.

Every figure is one of `BulletinFigures`; a rate stands with its numerator, denominator and interval.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from dialer.core.intervals import Standing
from dialer.core.periods import (
    BulletinDays,
    BulletinKind,
    BulletinState,
    period_before,
    period_year_before,
)
from dialer.core.rates import DEFINITIONS, Rate, Slice, rates_of
from dialer.core.values import AmountKind, Grade
from dialer.language import Lang, gettext_noop, say
from dialer.outcomes.bulletins import Bulletin, BulletinFigures, day_series
from dialer.outcomes.report import CutReport
from dialer.web.charts import Chart, ChartKind, Series
from dialer.web.documents import Document
from dialer.web.formats import format_span
from dialer.words import count_word, rate_sentence, rate_word, word_of

_HUNDRED = 100
_TEN_THOUSAND_YUAN = 1_000_000
"""In fen."""
_MOST_UNITS = 30
_LEAST_SHARE = 0.00005


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of text; `shares` of the width, by column; the first `words` columns are words, the others figures."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    shares: Sequence[float]
    words: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A section: its heading, and what stands below it."""

    heading: str
    paragraphs: Sequence[str] = ()
    tables: Sequence[Table] = ()
    charts: Sequence[Chart] = ()


_TITLES = {
    BulletinKind.DAY: gettext_noop("Daily bulletin of warning and dissuasion"),
    BulletinKind.WEEK: gettext_noop("Weekly bulletin of warning and dissuasion"),
    BulletinKind.MONTH: gettext_noop("Monthly bulletin of warning and dissuasion"),
}
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")  # fmt: skip


def title_of(days: BulletinDays, lang: Lang) -> str:
    """What the bulletin is called, without its days."""
    return say(lang, _TITLES[days.kind])


def days_words(days: BulletinDays, lang: Lang) -> str:
    """2026年11月; 2026年第48周（11月23日至29日）; November 2026."""
    match days.kind:
        case BulletinKind.DAY:
            return _day(days.first, lang, year=True)
        case BulletinKind.MONTH:
            if lang is Lang.ZH:
                return f"{days.first.year}年{days.first.month}月"
            return f"{_MONTHS[days.first.month - 1]} {days.first.year}"
        case BulletinKind.WEEK:
            year, week, _ = days.first.isocalendar()
            if lang is Lang.ZH:
                return f"{year}年第{week}周（{_day(days.first, lang)}至{_day(days.last, lang)}）"
            return f"week {week} of {year} ({_day(days.first, lang)} to {_day(days.last, lang)})"


def _day(day: date, lang: Lang, *, year: bool = False) -> str:
    if lang is Lang.ZH:
        return (f"{day.year}年" if year else "") + f"{day.month}月{day.day}日"
    return f"{day.day} {_MONTHS[day.month - 1]}" + (f" {day.year}" if year else "")


def _moment(at: datetime, timezone: str, lang: Lang) -> str:
    local = at.astimezone(ZoneInfo(timezone))
    return f"{_day(local.date(), lang, year=True)}{'' if lang is Lang.ZH else ','} {local:%H:%M}"


def state_words(bulletin: Bulletin, lang: Lang) -> str:
    """Below the title: whether it may leave the centre."""
    line = bulletin.line
    if not bulletin.figures.is_over:
        text = gettext_noop("The period is not over: figures until %(at)s. Not for issue.")
    elif line.state is BulletinState.APPROVED:
        text = gettext_noop("Figures as of %(at)s. Approved by %(who)s.")
    elif line.state is BulletinState.REFUSED:
        text = gettext_noop("Figures as of %(at)s. Refused: not for issue.")
    else:
        text = gettext_noop("Draft for review. Figures as of %(at)s. Not for issue before it is approved.")
    at = _moment(bulletin.figures.report.generated_at, bulletin.figures.timezone, lang)
    return say(lang, text, at=at, who=line.decided_by or "")


def percent(share: float | None) -> str:
    """62.4%; a dash of nothing."""
    return "—" if share is None else f"{share * _HUNDRED:.1f}%"


def _large_money(fen: int, lang: Lang) -> str:
    """万元 with two places; below ten thousand yuan, and in English, yuan."""
    if lang is Lang.ZH and abs(fen) >= _TEN_THOUSAND_YUAN:
        return f"{fen / _TEN_THOUSAND_YUAN:,.2f}万元"
    yuan, rest = divmod(fen, _HUNDRED)
    figure = f"{yuan:,}" + (f".{rest:02}" if rest else "")
    return f"{figure}元" if lang is Lang.ZH else f"{figure} yuan"


def change_words(now: float, before: float | None, year_before: float | None, lang: Lang) -> str:
    """同比上升12.3%，环比下降4.0%: how a count differs from a year before and from the period before."""
    return _joined(
        (
            _change(now, year_before, lang, *_ON_YEAR),
            _change(now, before, lang, *_ON_BEFORE),
        ),
        lang,
    )


_ON_YEAR = (
    gettext_noop("up %(n)s%% on the year"),
    gettext_noop("down %(n)s%% on the year"),
    gettext_noop("as many as a year before"),
    gettext_noop("none a year before"),
)
_ON_BEFORE = (
    gettext_noop("up %(n)s%% on the period before"),
    gettext_noop("down %(n)s%% on the period before"),
    gettext_noop("as many as in the period before"),
    gettext_noop("none in the period before"),
)
_POINTS_ON_YEAR = (
    gettext_noop("up %(n)s points on the year"),
    gettext_noop("down %(n)s points on the year"),
    gettext_noop("unchanged on the year"),
)
_POINTS_ON_BEFORE = (
    gettext_noop("up %(n)s points on the period before"),
    gettext_noop("down %(n)s points on the period before"),
    gettext_noop("unchanged on the period before"),
)


def _joined(texts: Sequence[str], lang: Lang) -> str:
    return ("，" if lang is Lang.ZH else ", ").join(text for text in texts if text)


def _change(now: float, then: float | None, lang: Lang, up: str, down: str, same: str, none: str) -> str:
    if then is None:
        return ""
    if then == 0:
        return say(lang, none) if now else say(lang, same)
    share = (now - then) / then
    if abs(share) < _LEAST_SHARE * 10:
        return say(lang, same)
    return say(lang, up if share > 0 else down, n=f"{abs(share) * _HUNDRED:.1f}")


def _points(now: float | None, then: float | None, lang: Lang, up: str, down: str, same: str) -> str:
    if now is None or then is None:
        return ""
    points = (now - then) * _HUNDRED
    if abs(points) < _LEAST_SHARE * 1_000:
        return say(lang, same)
    return say(lang, up if points > 0 else down, n=f"{abs(points):.1f}")


def _rate(part: Slice, name: str) -> Rate:
    return next(rate for rate in rates_of(part.counts) if rate.definition.name == name)


def rate_words(rate: Rate, lang: Lang) -> str:
    """62.4% (57/91, 95% interval 51.9% to 71.6%)."""
    if rate.value is None or rate.interval is None:
        return say(lang, "no rate: nothing to divide by")
    return say(
        lang,
        "%(rate)s (%(n)s of %(of)s; 95%% interval %(low)s to %(high)s)",
        rate=percent(rate.value),
        n=f"{rate.numerator:,}",
        of=f"{rate.denominator:,}",
        low=percent(rate.interval.low),
        high=percent(rate.interval.high),
    )


def _rate_change(figures: BulletinFigures, name: str, lang: Lang) -> str:
    report = figures.report
    now = _rate(report.breakdown.total, name).value
    year_before = _rate(report.year_before, name).value if report.year_before else None
    before = _rate(report.before, name).value if report.before else None
    told = _joined(
        (
            _points(now, year_before, lang, *_POINTS_ON_YEAR),
            _points(now, before, lang, *_POINTS_ON_BEFORE),
        ),
        lang,
    )
    return ("，" if lang is Lang.ZH else ", ") + told if told else ""


def _count_change(figures: BulletinFigures, name: str, lang: Lang) -> str:
    report = figures.report
    told = change_words(
        getattr(report.breakdown.total.counts, name),
        getattr(report.before.counts, name) if report.before else None,
        getattr(report.year_before.counts, name) if report.year_before else None,
        lang,
    )
    return say(lang, " (%(change)s)", change=told) if told else ""


def parts_of(figures: BulletinFigures, lang: Lang) -> tuple[Part, ...]:
    """All sections, in order."""
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


def _overall(figures: BulletinFigures, lang: Lang) -> Part:
    total, counts = figures.report.breakdown.total, figures.report.breakdown.total.counts
    money = total.amounts
    paragraphs = [
        say(
            lang,
            "In %(days)s the centre received %(warnings)s warnings%(change)s, which made %(cases)s cases%(cases_change)s.",
            days=days_words(figures.days, lang),
            warnings=f"{counts.warnings:,}",
            change=_count_change(figures, "warnings", lang),
            cases=f"{counts.cases:,}",
            cases_change=_count_change(figures, "cases", lang),
        ),
        say(
            lang,
            "The dissuasion robot made %(robot)s calls%(robot_change)s, callers made %(human)s calls%(human_change)s, and"
            " officers made %(visits)s visits%(visits_change)s.",
            robot=f"{counts.robot_calls:,}",
            robot_change=_count_change(figures, "robot_calls", lang),
            human=f"{counts.human_calls:,}",
            human_change=_count_change(figures, "human_calls", lang),
            visits=f"{counts.visits:,}",
            visits_change=_count_change(figures, "visits", lang),
        ),
        say(
            lang,
            "The rate of verified contact is %(rate)s%(change)s.",
            rate=rate_words(_rate(total, "verified_contact"), lang),
            change=_rate_change(figures, "verified_contact", lang),
        ),
        say(
            lang,
            "The rate of dissuasion is %(rate)s%(change)s. Of the successes %(proven)s are proven, and %(watching)s are"
            " provisional until their watch period is over.",
            rate=rate_words(_rate(total, "dissuaded"), lang),
            change=_rate_change(figures, "dissuaded", lang),
            proven=f"{counts.cases_proven:,}",
            watching=f"{counts.cases_watching:,}",
        ),
        say(
            lang,
            "Approved by a second person: loss prevented %(intended)s, stopped at the bank %(stopped)s, returned"
            " %(returned)s. The three are different things and are not added up.",
            **{kind.value: _large_money(money[kind].approved_fen, lang) for kind in AmountKind},
        ),
    ]
    waiting = {kind: money[kind].unapproved_fen for kind in AmountKind if money[kind].unapproved_fen}
    if waiting:
        named = _joined(
            [f"{word_of(kind, lang)} {_large_money(fen, lang)}" for kind, fen in waiting.items()], lang
        )
        paragraphs.append(say(lang, "Not counted, since they wait for approval: %(amounts)s.", amounts=named))
    return Part(
        heading=say(lang, "Overall"),
        paragraphs=paragraphs,
        tables=[_compared(figures, lang)],
        charts=[chart] if (chart := trend_chart(figures.report, figures.days, lang)) else [],
    )


_COMPARED = (
    "warnings",
    "cases",
    "robot_calls",
    "human_calls",
    "visits",
    "verified_contact",
    "dissuaded",
    "defrauded_after_warning",
)


def _compared(figures: BulletinFigures, lang: Lang) -> Table:
    report = figures.report
    rows = []
    for name in _COMPARED:
        now = getattr(report.breakdown.total.counts, name)
        then = [
            None if one is None else getattr(one.counts, name) for one in (report.year_before, report.before)
        ]
        rows.append([count_word(name, lang), f"{now:,}", *_differences(now, then)])
    for kind in AmountKind:
        now = report.breakdown.total.amounts[kind].approved_fen
        then = [
            None if one is None else one.amounts[kind].approved_fen
            for one in (report.year_before, report.before)
        ]
        told = _differences(now, then, money=True)
        rows.append([say(lang, "%(kind)s, yuan", kind=word_of(kind, lang)), _yuan(now), *told])
    return Table(
        head=[
            say(lang, "Figure"),
            say(lang, "This period"),
            say(lang, "A year before"),
            say(lang, "On the year"),
            say(lang, "Period before"),
            say(lang, "On the period before"),
        ],
        rows=rows,
        shares=(2.6, 1.5, 1.5, 1.3, 1.5, 1.3),
    )


def _yuan(fen: int) -> str:
    return f"{fen / _HUNDRED:,.2f}"


def _differences(now: int, then: Sequence[int | None], *, money: bool = False) -> list[str]:
    told = []
    for value in then:
        if value is None:
            told += ["—", "—"]
        else:
            change = "—" if value == 0 else f"{(now - value) / value * _HUNDRED:+.1f}%"
            told += [_yuan(value) if money else f"{value:,}", change]
    return told


def trend_chart(report: CutReport, days: BulletinDays, lang: Lang, name: str = "warnings") -> Chart | None:
    """The count day by day, with the days of the period before and of a year before at the same place."""
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
        labels=[f"{day.month}-{day.day}" for day in (days.first + timedelta(days=n) for n in range(length))],
        series=[
            Series(name=text, values=day_series(counts, name, first, length)) for text, counts, first in shown
        ],
    )


def _filed(figures: BulletinFigures, lang: Lang) -> Part | None:
    now, before, year_before = figures.filed.total, figures.filed_before, figures.filed_year_before
    known = [one.total for one in (before, year_before) if one is not None]
    if not now.filed and not any(one.filed for one in known):
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
            loss=_large_money(now.amount_fen, lang),
            loss_change=say(lang, " (%(change)s)", change=loss_change) if loss_change else "",
        )
    ]
    if now.share is not None and now.interval is not None:
        paragraphs.append(
            say(
                lang,
                "Of %(decided)s filed cases that are matched, %(warned)s had been warned before the loss: %(rate)s (95%%"
                " interval %(low)s to %(high)s). %(missed)s had no warning in time.",
                decided=f"{now.decided:,}",
                warned=f"{now.warned:,}",
                rate=percent(now.share),
                low=percent(now.interval.low),
                high=percent(now.interval.high),
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
    return Part(heading=say(lang, "Filed cases"), paragraphs=paragraphs, tables=tables)


def _two_up_two_down(figures: BulletinFigures, lang: Lang) -> tuple[Table, int]:
    """两升两降: successes and the loss prevented rise, filed cases and their losses fall. The second: how many hold."""
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
        told = _differences(now, [before], money=is_money)
        rows.append(
            [
                say(lang, "%(kind)s, yuan", kind=name) if is_money else name,
                say(lang, "should rise") if must_rise else say(lang, "should fall"),
                _yuan(now) if is_money else f"{now:,}",
                *told,
                say(lang, "holds") if holds else say(lang, "does not hold"),
            ]
        )
    head = [
        say(lang, "Two up, two down"),
        say(lang, "Aim"),
        say(lang, "This period"),
        say(lang, "A year before"),
        say(lang, "On the year"),
        say(lang, "Result"),
    ]
    return Table(head=head, rows=rows, shares=(2.2, 1.2, 1.5, 1.5, 1.3, 1.4), words=2), held


_STANDINGS = {
    Standing.ABOVE: gettext_noop("above the rest"),
    Standing.BELOW: gettext_noop("below the rest"),
    Standing.NOISE: gettext_noop("within chance"),
    Standing.TOO_FEW: gettext_noop("too few"),
}


def ranked_units(figures: BulletinFigures) -> list[tuple[str, Slice]]:
    """Units with cases, by the rate of dissuasion; of equal rates the one with more cases first."""
    parts = [
        (value, part)
        for value, part in figures.report.breakdown.slices.items()
        if value and part.counts.cases_ours
    ]
    return sorted(
        parts, key=lambda one: (-(_rate(one[1], "dissuaded").value or 0), -one[1].counts.cases_ours)
    )


def _units(figures: BulletinFigures, lang: Lang) -> Part | None:
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
        paragraphs.append(say(lang, "Above all others: %(units)s.", units=above))
    if below := names(Standing.BELOW):
        paragraphs.append(say(lang, "Below all others: %(units)s.", units=below))
    if not above and not below:
        paragraphs.append(say(lang, "No unit differs from the others by more than chance."))
    rows, rates = [], []
    for place, (value, part) in enumerate(ranked[:_MOST_UNITS], start=1):
        rate, contact = _rate(part, "dissuaded"), _rate(part, "verified_contact")
        rates.append(rate)
        adjusted = report.adjusted.get(value, {}).get("dissuaded")
        interval = rate.interval
        rows.append(
            [
                str(place),
                report.unit_names.get(value, value),
                f"{part.counts.cases_ours:,}",
                percent(contact.value),
                percent(rate.value),
                f"{percent(interval.low)}—{percent(interval.high)}" if interval else "—",
                say(lang, _STANDINGS[adjusted.standing]) if adjusted else "—",
            ]
        )
    chart = Chart(
        kind=ChartKind.BARS,
        title=say(lang, "Rate of dissuasion by unit, with its 95% interval"),
        labels=[row[1] for row in rows],
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
    head = [
        say(lang, "Rank"),
        say(lang, "Unit"),
        count_word("cases_ours", lang),
        say(lang, "Verified contact"),
        say(lang, "Dissuaded"),
        say(lang, "95 % interval"),
        say(lang, "Comparison"),
    ]
    table = Table(head=head, rows=rows, shares=(0.7, 2.4, 1.1, 1.1, 1.1, 1.8, 1.5), words=2)
    return Part(
        heading=say(lang, "Units"),
        paragraphs=paragraphs,
        tables=[table],
        charts=[chart] if len(rows) > 1 else [],
    )


def _kinds(figures: BulletinFigures, lang: Lang) -> Part:
    def table(head: str, lines: Sequence[tuple[str, Slice]]) -> Table:
        return Table(
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
                    percent(_rate(part, "dissuaded").value),
                    f"{part.counts.defrauded_after_warning:,}",
                ]
                for name, part in lines
            ],
            shares=(2.2, 1, 1, 1.2, 1.2, 1.3, 1.4),
        )

    types = sorted(
        (
            (kind, part)
            for kind, part in figures.by_fraud_type.items()
            if part.counts.warnings or part.counts.cases
        ),
        key=lambda one: -one[1].counts.warnings,
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
    return Part(
        heading=say(lang, "Grades and fraud types"),
        paragraphs=paragraphs,
        tables=[
            table(say(lang, "Grade"), [(word_of(grade, lang), figures.by_grade[grade]) for grade in Grade]),
            table(say(lang, "Fraud type"), [(word_of(kind, lang), part) for kind, part in types]),
        ]
        if types
        else [],
    )


def _times(figures: BulletinFigures, lang: Lang) -> Part:
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
        rate = _rate(total, name)
        if rate.denominator:
            paragraphs.append(
                say(
                    lang,
                    "%(name)s: %(rate)s%(change)s.",
                    name=rate_word(rate.definition, lang),
                    rate=rate_words(rate, lang),
                    change=_rate_change(figures, name, lang),
                )
            )
    return Part(
        heading=say(lang, "In time"),
        paragraphs=paragraphs or [say(lang, "Nothing was due in this period.")],
    )


def _attention(figures: BulletinFigures, lang: Lang) -> Part:
    counts = figures.report.breakdown.total.counts
    found: list[str] = []
    rate = _rate(figures.report.breakdown.total, "defrauded_after_warning")
    if rate.numerator:
        found.append(
            say(
                lang,
                "Defrauded after a warning: %(rate)s. Each of these cases has its look-back file.",
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
    return Part(
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


def _definitions(lang: Lang) -> Part:
    known = {definition.name: definition for definition in DEFINITIONS}
    return Part(
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
                "A success is provisional for the watch period and is taken back when a case is filed, so a later count of"
                " the same period may differ. Intervals are Wilson's at 95 percent. A difference within chance says"
                " nothing about a unit.",
            )
        ],
    )


def bulletin_document(bulletin: Bulletin, *, lang: Lang, who: str, now: datetime) -> Document:
    """The bulletin as docx; who took it away and when is on every page."""
    figures = bulletin.figures
    title = f"{title_of(figures.days, lang)}{'（' if lang is Lang.ZH else ' ('}{days_words(figures.days, lang)}{'）' if lang is Lang.ZH else ')'}"
    document = Document(title=title, lang=lang, made_at=now)
    document.line(state_words(bulletin, lang))
    if figures.drill:
        document.line(say(lang, "Drill data only"))
    for place, part in enumerate(parts_of(figures, lang)):
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
            when=_moment(now, figures.timezone, lang),
        )
    )
    return document


_NUMERALS = "一二三四五六七八九十"


def _numbered(place: int, heading: str, lang: Lang) -> str:
    return f"{_NUMERALS[place]}、{heading}" if lang is Lang.ZH else f"{place + 1}. {heading}"


def numbered_parts(figures: BulletinFigures, lang: Lang) -> Iterator[tuple[str, Part]]:
    """For the page: each section with its numbered heading."""
    for place, part in enumerate(parts_of(figures, lang)):
        yield _numbered(place, part.heading, lang), part
