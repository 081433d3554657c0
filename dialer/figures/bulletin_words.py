"""The words of bulletins: their titles, how a figure differs from an earlier one, and a rate with what it counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from dialer.core.periods import BulletinDays, BulletinKind, BulletinState
from dialer.core.rates import Rate, rate_of
from dialer.core.text import Lang, gettext_noop
from dialer.figures.bulletins import Bulletin, BulletinFigures
from dialer.language.catalogue import say

_HUNDRED = 100
_TEN_THOUSAND_YUAN = 1_000_000
"""Ten thousand yuan, in fen."""
_LEAST_SHARE, _LEAST_POINTS = 0.0005, 0.05
"""A smaller change is written as no change."""


_TITLES = {
    BulletinKind.DAY: gettext_noop("Daily bulletin of warning and dissuasion"),
    BulletinKind.WEEK: gettext_noop("Weekly bulletin of warning and dissuasion"),
    BulletinKind.MONTH: gettext_noop("Monthly bulletin of warning and dissuasion"),
}
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def title_of(days: BulletinDays, lang: Lang) -> str:
    """The title of a bulletin, without its days."""
    return say(lang, _TITLES[days.kind])


def days_words(days: BulletinDays, lang: Lang) -> str:
    """The days in words: 2026年11月; 2026年第48周（11月23日至29日）; November 2026."""
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


def local_words(at: datetime, timezone: str, lang: Lang) -> str:
    """A moment in words, in the centre's time zone."""
    local = at.astimezone(ZoneInfo(timezone))
    return f"{_day(local.date(), lang, year=True)}{'' if lang is Lang.ZH else ','} {local:%H:%M}"


def state_words(bulletin: Bulletin, lang: Lang) -> str:
    """The line below the title: whether the bulletin may leave the centre."""
    line = bulletin.line
    if not bulletin.figures.is_over:
        text = gettext_noop("The period is not over: figures until %(at)s. Not for issue.")
    elif line.state is BulletinState.APPROVED:
        text = gettext_noop("Figures as of %(at)s. Approved by %(who)s.")
    elif line.state is BulletinState.REFUSED:
        text = gettext_noop("Figures as of %(at)s. Refused: not for issue.")
    else:
        text = gettext_noop("Draft for review. Figures as of %(at)s. Not for issue before it is approved.")
    at = local_words(bulletin.figures.report.generated_at, bulletin.figures.timezone, lang)
    return say(lang, text, at=at, who=line.decided_by or "")


def percent(share: float | None) -> str:
    """A share such as 62.4%; a dash for None."""
    return "—" if share is None else f"{share * _HUNDRED:.1f}%"


def money_words(fen: int, lang: Lang) -> str:
    """An amount in 万元 with two decimals; below ten thousand yuan, and in English, in yuan."""
    if lang is Lang.ZH and abs(fen) >= _TEN_THOUSAND_YUAN:
        return f"{fen / _TEN_THOUSAND_YUAN:,.2f}万元"
    yuan, rest = divmod(fen, _HUNDRED)
    figure = f"{yuan:,}" + (f".{rest:02}" if rest else "")
    return f"{figure}元" if lang is Lang.ZH else f"{figure} yuan"


def change_words(now: float, before: float | None, year_before: float | None, lang: Lang) -> str:
    """同比上升12.3%，环比下降4.0%: how a count differs from a year before and from the period before."""
    return joined_words(
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


def joined_words(texts: Sequence[str], lang: Lang) -> str:
    """The texts that are not empty, joined by commas."""
    return ("，" if lang is Lang.ZH else ", ").join(text for text in texts if text)


def _change(now: float, then: float | None, lang: Lang, up: str, down: str, same: str, none: str) -> str:
    if then is None:
        return ""
    if then == 0:
        return say(lang, none) if now else say(lang, same)
    share = (now - then) / then
    if abs(share) < _LEAST_SHARE:
        return say(lang, same)
    return say(lang, up if share > 0 else down, n=f"{abs(share) * _HUNDRED:.1f}")


def _points(now: float | None, then: float | None, lang: Lang, up: str, down: str, same: str) -> str:
    if now is None or then is None:
        return ""
    points = (now - then) * _HUNDRED
    if abs(points) < _LEAST_POINTS:
        return say(lang, same)
    return say(lang, up if points > 0 else down, n=f"{abs(points):.1f}")


def rate_words(rate: Rate, lang: Lang) -> str:
    """A rate such as 62.4% (57 of 91; 95% interval 51.9% to 71.6%)."""
    if rate.interval is None:
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


def rate_cell(rate: Rate) -> str:
    """A rate in a table, with what it divides: 62.4% (57/91)."""
    if rate.interval is None:
        return "—"
    return f"{percent(rate.value)} ({rate.numerator:,}/{rate.denominator:,})"


def rate_change(figures: BulletinFigures, name: str, lang: Lang) -> str:
    """How the rate differs, in points, from a year before and the period before, with a comma in front; '' without
    either.
    """
    report = figures.report
    now = rate_of(report.breakdown.total, name).value
    year_before = rate_of(report.year_before, name).value if report.year_before else None
    before = rate_of(report.before, name).value if report.before else None
    changes = joined_words(
        (
            _points(now, year_before, lang, *_POINTS_ON_YEAR),
            _points(now, before, lang, *_POINTS_ON_BEFORE),
        ),
        lang,
    )
    return ("，" if lang is Lang.ZH else ", ") + changes if changes else ""


def count_change(figures: BulletinFigures, name: str, lang: Lang) -> str:
    """How the count differs from a year before and the period before, in brackets; '' without either."""
    report = figures.report
    changes = change_words(
        getattr(report.breakdown.total.counts, name),
        getattr(report.before.counts, name) if report.before else None,
        getattr(report.year_before.counts, name) if report.year_before else None,
        lang,
    )
    return say(lang, " (%(change)s)", change=changes) if changes else ""
