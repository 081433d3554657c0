"""Look-back 倒查: after a case was filed, everything that was done in it with its time, as a page and as docx. Masked;
each opening is audited.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from dialer.case_page.reading import CaseSheet, read_case
from dialer.case_page.view import TimelineItem, staff_names, story_items
from dialer.cases.timeline import filings
from dialer.core.access import Actor, Permission
from dialer.core.errors import NotFound
from dialer.core.text import Lang, gettext_noop
from dialer.db.units import check_case_visible
from dialer.language.catalogue import say
from dialer.language.words import word_of
from dialer.runtime.services import Services
from dialer.web.documents import Document
from dialer.web.formats import format_money, format_span


@dataclass(frozen=True, slots=True, kw_only=True)
class LookBack:
    """All that the look-back shows."""

    sheet: CaseSheet
    numbers: tuple[str, ...]
    """Numbers of the filed cases that are matched to the case."""
    filed_at: datetime
    """When the first of them was recorded."""
    items: tuple[TimelineItem, ...]
    """Oldest first."""
    steps: tuple[tuple[str, datetime, float | None], ...]
    """What was reached, when, and how many seconds after the opening; None for what came before it."""


def open_look_back(services: Services, actor: Actor, case_id: int, *, lang: Lang, kind: str) -> LookBack:
    """The look-back of a case. `kind` is page or docx, for the audit, which is written first. Raises `NotFound`, also
    for a case that the actor does not see or that has no filed case.
    """
    with services.act(actor, Permission.SEE_CASES) as act:
        check_case_visible(act.tx, case_id, actor.unit_id)
        standing = filings(act.tx, case_id)
        if not standing:
            raise NotFound(kind="look-back of case", key=case_id)
        act.audit("look_back", f"case/{case_id}", facts={"kind": kind})
    sheet = read_case(services, case_id, visible_to=actor.unit_id)
    items = story_items(sheet, staff_names(services, sheet), lang)[::-1]
    return LookBack(
        sheet=sheet,
        numbers=tuple(number for number, _ in standing),
        filed_at=standing[0][1],
        items=tuple(items),
        steps=_steps(sheet, standing[0][1]),
    )


_STEPS: Mapping[str, str] = {
    "produced": gettext_noop("The source produced the warning"),
    "opened": gettext_noop("The case was opened"),
    "attempt": gettext_noop("First call attempt"),
    "talked": gettext_noop("First answered call"),
    "success": gettext_noop("Counted as dissuaded"),
    "filed": gettext_noop("The filed case was recorded"),
}


def _steps(sheet: CaseSheet, filed_at: datetime) -> tuple[tuple[str, datetime, float | None], ...]:
    file = sheet.story.file
    opened = file.stored.case.opened_at
    produced = [warning.produced_at for warning in sheet.rows.warnings if warning.produced_at is not None]
    talked = [turn.at for turn in sheet.said]
    moments = {
        "produced": min(produced, default=None),
        "opened": opened,
        "attempt": file.stored.first_attempt_at,
        "talked": min(talked, default=None),
        "success": file.succeeded_at,
        "filed": filed_at,
    }
    return tuple(
        (name, at, (at - opened).total_seconds() if at > opened else None)
        for name, at in moments.items()
        if at is not None
    )


def step_words(look: LookBack, lang: Lang) -> tuple[tuple[str, datetime, str], ...]:
    """Each step in words, its moment, and how long after the opening it was."""
    return tuple(
        (
            say(lang, _STEPS[name]),
            at,
            "" if after is None else say(lang, "%(span)s after the opening", span=format_span(after, lang)),
        )
        for name, at, after in look.steps
    )


def item_lines(item: TimelineItem, lang: Lang) -> list[str]:
    """What was done and what was heard, one line each."""
    attempt = item.attempt
    if attempt is None:
        sealed = [say(lang, "words hidden")] if item.sealed else []
        talked = (
            [say(lang, "talked %(span)s", span=format_span(item.talk_seconds, lang))]
            if item.talk_seconds
            else []
        )
        return [item.text, *talked, *([item.why] if item.why else sealed)]
    parts = [
        say(lang, "Call %(n)s", n=attempt.n),
        item.text,
        word_of(attempt.contact, lang) if attempt.contact.value != "none" else "",
        attempt.answer_words,
        say(lang, "number %(n)s", n=attempt.number),
        attempt.why,
        say(lang, "talked %(span)s", span=format_span(attempt.talk_seconds, lang))
        if attempt.talk_seconds
        else "",
        attempt.script,
    ]
    lines = [" · ".join(part for part in parts if part)]
    for turn in attempt.turns:
        if turn.heard:
            lines.append(f"→ {turn.heard}")
        for text, _, heard, _ in turn.lines:
            whole = heard is not None and heard.is_whole
            lines.append(f"“{text}”" + (f" ({say(lang, 'heard to its end')})" if whole else ""))
    return lines


def look_back_document(look: LookBack, *, lang: Lang, timezone: str, who: str, now: datetime) -> Document:
    """The look-back as docx; who made it and when is on every page."""
    zone = ZoneInfo(timezone)

    def local(at: datetime) -> str:
        return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"

    stored = look.sheet.story.file.stored
    case, person = stored.case, look.sheet.story.file.person
    document = Document(title=say(lang, "Look-back of case #%(id)s", id=case.id), lang=lang, made_at=now)
    document.table(
        (),
        [
            [say(lang, "Filed case"), ", ".join(look.numbers)],
            [say(lang, "Person"), " ".join((person.name, *person.phones, person.id_number)).strip()],
            [say(lang, "Grade"), word_of(case.grade, lang)],
            [say(lang, "Fraud type"), word_of(case.fraud_type, lang)],
            [say(lang, "Unit"), look.sheet.unit],
            [say(lang, "At risk"), format_money(case.amount_at_risk_fen)],
        ],
        shares=(1, 3),
    )
    document.heading(say(lang, "Times of the steps"))
    document.table(
        [say(lang, "Step"), say(lang, "When"), ""],
        [[text, local(at), after] for text, at, after in step_words(look, lang)],
        shares=(2, 2, 2),
    )
    document.heading(say(lang, "Every act, oldest first"))
    document.table(
        [say(lang, "When"), say(lang, "Who"), say(lang, "What happened")],
        [[local(item.at), item.by, "\n".join(item_lines(item, lang))] for item in look.items],
        shares=(2, 1.4, 5),
    )
    document.footer(say(lang, "Made by %(who)s on %(when)s; persons are masked", who=who, when=local(now)))
    return document
