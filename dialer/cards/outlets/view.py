"""Shares in words, and the monthly notice 通报 as a document."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from dialer.cards.openings.store import Outlet
from dialer.cards.outlets.actions import MonthlyNotice
from dialer.core.intervals import Estimate
from dialer.core.text import Lang, gettext_noop
from dialer.language.catalogue import say
from dialer.language.words import word_of
from dialer.web.documents import Document

PER: Final = 10_000
_MONTH_HEAD = (
    gettext_noop("Outlet"),
    gettext_noop("Openings"),
    gettext_noop("Asked about"),
    gettext_noop("Asked the desk"),
    gettext_noop("Openings refused"),
    gettext_noop("Entered of reported"),
)
_COHORT_HEAD = (
    gettext_noop("Outlet"),
    gettext_noop("Cards opened"),
    gettext_noop("Involved"),
    gettext_noop("For each 10,000"),
    gettext_noop("Entered of reported"),
)
_STEP_HEAD = (
    gettext_noop("Outlet"),
    gettext_noop("Measure"),
    gettext_noop("When"),
    gettext_noop("Document"),
    gettext_noop("Until"),
)


def per_ten_thousand(interval: Estimate) -> str:
    """The share and its interval for each 10,000, such as `12.3 (8.0–18.1)`."""
    return f"{PER * interval.share:.1f} ({PER * interval.low:.1f}–{PER * interval.high:.1f})"


def percent(share: float | None, lang: Lang) -> str:
    """The share in per cent, such as `97 %`; the words for nothing reported if it is None."""
    return say(lang, gettext_noop("nothing reported")) if share is None else f"{100 * share:.0f} %"


def notice_document(notice: MonthlyNotice, *, lang: Lang, timezone: str, who: str, now: datetime) -> Document:
    """The notice as a document, which names no customer."""
    zone, month = ZoneInfo(timezone), notice.first.month
    title = say(
        lang, "Notice on two-card control, %(year)s-%(month)s", year=notice.first.year, month=f"{month:02d}"
    )
    document = Document(title=title, lang=lang, made_at=now)
    _month_of_outlets(document, notice, lang)
    _cohort(document, notice, lang)
    _steps(document, notice, lang, zone)
    document.paragraph(
        say(
            lang,
            "The centre only proposes; the competent authority suspends an outlet"
            " (Anti-Telecom and Online Fraud Law, Arts 39 and 40).",
        )
    )
    at = f"{now.astimezone(zone):%Y-%m-%d %H:%M}"
    document.footer(say(lang, "Made by %(who)s on %(when)s; it names no customer", who=who, when=at))
    return document


def _month_of_outlets(document: Document, notice: MonthlyNotice, lang: Lang) -> None:
    document.paragraph(
        say(
            lang,
            "In this month outlets entered %(openings)s openings, asked the verification desk %(asked)s times, and"
            " refused %(refused)s. Teams checked on the spot %(onsite)s times, %(persons)s persons; suspects were"
            " found %(suspects)s times.",
            openings=sum(month.openings for month in notice.outlets),
            asked=sum(month.asked for month in notice.outlets),
            refused=sum(month.refused for month in notice.outlets),
            onsite=notice.onsite,
            persons=notice.persons,
            suspects=notice.suspects,
        )
    )
    document.heading(say(lang, "Outlets in this month"))
    document.table(
        [say(lang, title) for title in _MONTH_HEAD],
        [
            [
                _name(month.outlet),
                str(month.openings),
                str(month.flagged),
                str(month.asked),
                str(month.refused),
                percent(month.entered / month.reported if month.reported else None, lang),
            ]
            for month in notice.outlets
        ],
        shares=(4, 1.4, 1.4, 1.6, 1.2, 2),
    )


def _cohort(document: Document, notice: MonthlyNotice, lang: Lang) -> None:
    document.heading(
        say(lang, "Involved cards of what was opened in %(quarter)s", quarter=notice.cohort.quarter.name)
    )
    document.paragraph(
        say(
            lang,
            "For each 10,000 opened; all outlets together %(mean)s. In brackets the interval of 95 %%. An outlet with"
            " few openings is drawn towards the mean; one that enters little of what it opens looks better than it is.",
            mean=f"{PER * notice.cohort.mean:.1f}",
        )
    )
    document.table(
        [say(lang, title) for title in _COHORT_HEAD],
        [
            [
                _name(quarter.outlet),
                str(quarter.opened),
                str(quarter.involved),
                per_ten_thousand(quarter.drawn),
                percent(quarter.completeness, lang),
            ]
            for quarter in notice.cohort.outlets
            if quarter.involved
        ],
        shares=(4, 1.2, 1.2, 2.4, 2),
    )


def _steps(document: Document, notice: MonthlyNotice, lang: Lang, zone: ZoneInfo) -> None:
    if not notice.steps:
        return
    document.heading(say(lang, "What was done about outlets"))
    document.table(
        [say(lang, title) for title in _STEP_HEAD],
        [
            [
                _name(outlet),
                word_of(step.step, lang),
                f"{step.at.astimezone(zone):%Y-%m-%d}",
                f"{step.authority} {step.document_no}".strip(),
                "" if step.until_on is None else step.until_on.isoformat(),
            ]
            for outlet, step in notice.steps
        ],
        shares=(3.5, 1.6, 1.4, 3, 1.4),
    )


def _name(outlet: Outlet) -> str:
    return f"{outlet.institution} {outlet.name}"
