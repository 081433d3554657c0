"""What pages of two-card control show: sentences of findings, the drawing of a ring, and the monthly notice 通报."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from dialer.cards.checks import CheckFinding, shipped_checks
from dialer.cards.openers import RingMember
from dialer.cards.outlets import MonthlyNotice
from dialer.cards.rings import KeyKind, Ring
from dialer.cards.store import Outlet
from dialer.core.intervals import Estimate
from dialer.core.text import Lang, Text, gettext_noop
from dialer.language.catalogue import say
from dialer.language.words import word_of
from dialer.web.documents import Document

PER: Final = 10_000
VICTIM_QUESTIONS: Final = (
    Text("Who asked you to open this card today, and have you met this person?"),
    Text(
        "Did somebody tell you to transfer money, to share your screen, or to keep this secret from the bank?"
    ),
    Text("Did somebody promise you a loan, earnings or a refund, or say that you are part of a case?"),
)
KEY_WORDS: Final[Mapping[KeyKind, str]] = {
    KeyKind.PHONE: gettext_noop("phone left"),
    KeyKind.ADDRESS: gettext_noop("address"),
    KeyKind.AGENT: gettext_noop("agent"),
    KeyKind.STORY: gettext_noop("purpose"),
    KeyKind.HOME: gettext_noop("county of the id number"),
}
REASON_WORDS: Final[Mapping[str, str]] = {
    "cards_each": gettext_noop("several cards each"),
    "out_of_town": gettext_noop("most from another place"),
    "top_limits": gettext_noop("most ask for the highest limit"),
    "institutions": gettext_noop("at several institutions each"),
    "same_agent": gettext_noop("the same agent"),
    "same_story": gettext_noop("the same purpose"),
    "same_phone": gettext_noop("the same phone left"),
    "family": gettext_noop("looks like a family"),
    "one_employer": gettext_noop("hired by one employer"),
    "students": gettext_noop("looks like students"),
}
NOTICE_WORDS: Final[Mapping[str, str]] = {
    "restriction_lifted": gettext_noop(
        "A restriction or finding of this customer is lifted: it no longer applies."
    ),
    "objection_upheld": gettext_noop(
        "The objection to this decision is upheld: offer the customer to open the card."
    ),
}
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
_ROW, _TOP, _LEFT, _RIGHT, _WIDTH, _PERSON, _KEY = 46, 36, 150, 520, 700, 15, 9


def sentences(findings: Sequence[CheckFinding], lang: Lang) -> list[tuple[str, CheckFinding]]:
    """Each finding in words, and the finding with its basis in this language."""
    checks = shipped_checks()
    return [
        (checks.sentence(one, lang), replace(one, basis=checks.basis_in(one.basis, lang))) for one in findings
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A person (left) or a shared key (right) of the drawing."""

    x: int
    y: int
    radius: int
    text: str
    is_person: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A ring as two columns: persons, what they share, and a line from each person to each key."""

    width: int
    height: int
    dots: tuple[Dot, ...]
    lines: tuple[tuple[int, int, int, int], ...]


def draw_ring(ring: Ring, members: Sequence[RingMember], lang: Lang) -> Drawing:
    """Draws a ring. Persons are in the order of their first opening; a key is beside the middle of its persons."""
    owner = {opening_id: place for place, one in enumerate(members) for opening_id in one.opening_ids}
    shared: list[tuple[float, str, list[int]]] = []
    for key, ids in ring.links.items():
        persons = sorted({owner[one] for one in ids if one in owner})
        if len(persons) > 1:
            kind = " + ".join(say(lang, KEY_WORDS[part[0]]) for part in key)
            shared.append((sum(persons) / len(persons), kind, persons))
    shared.sort()
    rows = max(len(members), len(shared), 1)
    heights = [_TOP + _ROW * place for place in range(len(members))]
    step = math.floor(_ROW * rows / max(1, len(shared)))
    dots = [
        Dot(
            x=_LEFT,
            y=heights[place],
            radius=_PERSON,
            text=say(lang, gettext_noop("%(name)s, %(n)s cards"), name=one.name, n=len(one.opening_ids)),
            is_person=True,
        )
        for place, one in enumerate(members)
    ]
    lines = []
    for place, (_, kind, persons) in enumerate(shared):
        y = _TOP + step * place + (step - _ROW) // 2
        text = say(lang, gettext_noop("%(kind)s of %(n)s persons"), kind=kind, n=len(persons))
        dots.append(Dot(x=_RIGHT, y=y, radius=_KEY, text=text, is_person=False))
        lines += [(_LEFT + _PERSON, heights[person], _RIGHT - _KEY, y) for person in persons]
    return Drawing(width=_WIDTH, height=2 * _TOP + _ROW * (rows - 1), dots=tuple(dots), lines=tuple(lines))


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
            openings=sum(one.openings for one in notice.outlets),
            asked=sum(one.asked for one in notice.outlets),
            refused=sum(one.refused for one in notice.outlets),
            onsite=notice.onsite,
            persons=notice.persons,
            suspects=notice.suspects,
        )
    )
    document.heading(say(lang, "Outlets in this month"))
    document.table(
        [say(lang, one) for one in _MONTH_HEAD],
        [
            [
                _name(one.outlet),
                str(one.openings),
                str(one.flagged),
                str(one.asked),
                str(one.refused),
                percent(one.entered / one.reported if one.reported else None, lang),
            ]
            for one in notice.outlets
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
        [say(lang, one) for one in _COHORT_HEAD],
        [
            [
                _name(one.outlet),
                str(one.opened),
                str(one.involved),
                per_ten_thousand(one.drawn),
                percent(one.completeness, lang),
            ]
            for one in notice.cohort.outlets
            if one.involved
        ],
        shares=(4, 1.2, 1.2, 2.4, 2),
    )


def _steps(document: Document, notice: MonthlyNotice, lang: Lang, zone: ZoneInfo) -> None:
    if not notice.steps:
        return
    document.heading(say(lang, "What was done about outlets"))
    document.table(
        [say(lang, one) for one in _STEP_HEAD],
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
