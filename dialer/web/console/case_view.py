"""What the page of a case shows, put together from what is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dialer.domain.access import Act
from dialer.domain.attempt import WAITING_STATES
from dialer.domain.case import CaseStatus, Reason
from dialer.domain.case_acts import Bar, acts_allowed
from dialer.domain.errand import DeskCallState
from dialer.domain.people import SUCCESSES
from dialer.domain.values import Contact, Grade, OutcomeKind
from dialer.language import Lang
from dialer.outcomes.next_steps import Waiting, WaitReason
from dialer.sentences import ahead_words, entry_sentence, step_sentence, waiting_sentence
from dialer.store.people import Person
from dialer.usecases.act_on_case import changed_since
from dialer.usecases.name_staff import name_staff
from dialer.usecases.read_case import CaseSheet, units_to_hand_to
from dialer.web.console.case_story import is_told_twice, story_items
from dialer.web.console.case_words import by_words
from dialer.web.console.desk_words import dialled
from dialer.web.console.unit_choice import unit_names
from dialer.web.console.visit import Visit
from dialer.words import stored_word

TEMPLATE = "console/case.html"
CLEAR_SECONDS = 120
"""So long stays in clear what was revealed."""
_OWN_ACT = frozenset({OutcomeKind.DUPLICATE, OutcomeKind.MISSED})
_ANY_MOMENT = frozenset({WaitReason.UNDER_WAY, WaitReason.PACING})
_HIDDEN = frozenset({Bar.HIGHEST_GRADE, Bar.LOWEST_GRADE})
"""Bars that need no words: there is nothing to choose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A form that was refused: what was typed, and why not. `wrong` is by field."""

    act: str
    fields: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)
    refused: str = ""
    shown_at: datetime | None = None
    """When the page that it was typed on was shown, where the case has changed since."""


def case_facts(
    visit: Visit, sheet: CaseSheet, *, person: Person | None = None, typed: Typed | None = None
) -> dict[str, Any]:
    """Everything the template asks for."""
    lang, story = visit.lang, sheet.story
    stored = story.file.stored
    case = stored.case
    names = name_staff(visit.engine, _logins(sheet))
    form = typed or Typed(act="")
    allowed = acts_allowed(case)
    may_work = visit.may(Act.WORK_CASES)
    return {
        "sheet": sheet,
        "story": story,
        "case": case,
        "stored": stored,
        "masked": story.file.person,
        "person": person,
        "clear_seconds": CLEAR_SECONDS,
        "items": story_items(sheet, names, lang),
        "steps": [(step, step_sentence(step, lang)) for step in story.next_steps],
        "waiting": _waiting(story.waiting, lang),
        "ahead": ahead_words(story.ring.ahead, lang) if story.ring is not None else "",
        "is_live": _is_live(sheet),
        "who": lambda login: by_words(login, names, lang),
        "named": lambda kind, value: stored_word(kind, value, lang),
        "form": form,
        "changed": _changed(visit, case.id, form),
        "may_work": may_work,
        "may_reveal": visit.may(Act.REVEAL),
        "allowed": {act.value: bar for act, bar in allowed.items() if bar not in _HIDDEN},
        "higher": [grade for grade in Grade if grade.rank > case.grade.rank],
        "lower": [grade for grade in Grade if grade.rank < case.grade.rank],
        "outcomes": _closings(case.contact),
        "units": _units(visit, stored.unit_id) if may_work and case.status is CaseStatus.OPEN else [],
        "approvable": {
            line.id
            for line in sheet.rows.outcomes
            if visit.may(Act.APPROVE)
            and line.has_money
            and not line.approved_by
            and line.recorded_by != visit.who
        },
        "lower_act": Act.LOWER_CASES,
        "may_lists": visit.may(Act.LOAD_LISTS),
        "may_sort": visit.may(Act.SORT_UNITS),
        "may_visit": visit.may(Act.WORK_VISITS),
        "dialled": lambda number: dialled(number, visit.engine.centre.area_code),
        "Reason": Reason,
    }


def _units(visit: Visit, own: int | None) -> list[str]:
    """Where it may go: anywhere but to where it is."""
    names = unit_names(units_to_hand_to(visit.engine))
    return sorted(name for unit_id, name in names.items() if unit_id != own)


def _waiting(waiting: Waiting | None, lang: Lang) -> str:
    """'' where the step itself says it: its time has not come."""
    if waiting is None or waiting.reason is WaitReason.PLANNED_FOR_LATER:
        return ""
    return waiting_sentence(waiting, lang)


def _closings(contact: Contact) -> list[OutcomeKind]:
    """A success needs verified contact; a duplicate names the case that stays."""
    barred = _OWN_ACT if contact is Contact.VERIFIED else _OWN_ACT | SUCCESSES
    return [kind for kind in OutcomeKind if kind not in barred]


def _is_live(sheet: CaseSheet) -> bool:
    """A call is under way, or is about to be."""
    ring, waiting = sheet.story.ring, sheet.story.waiting
    if any(call.state is not DeskCallState.ENDED for call in sheet.calls):
        return True
    if ring is None:
        return False
    return ring.state not in WAITING_STATES or (waiting is not None and waiting.reason in _ANY_MOMENT)


def _changed(visit: Visit, case_id: int, form: Typed) -> list[tuple[datetime, str, str]]:
    """What happened since the page was shown on which somebody typed, oldest first."""
    if form.shown_at is None:
        return []
    entries = [
        entry
        for entry in changed_since(visit.engine, case_id, since=form.shown_at)
        if not is_told_twice(entry)
    ]
    names = name_staff(visit.engine, {entry.by for entry in entries})
    return [
        (entry.at, entry_sentence(entry, visit.lang), by_words(entry.by, names, visit.lang))
        for entry in entries
    ]


def _logins(sheet: CaseSheet) -> set[str]:
    work = {who for line in sheet.rows.work for who in (line.signed_by, line.done_by)}
    money = {who for line in sheet.rows.outcomes for who in (line.recorded_by, line.approved_by)}
    stops = {line.done_by for line in sheet.rows.stops}
    acts = {entry.by for entry in sheet.story.file.timeline}
    calls = {call.by for call in sheet.calls}
    return (work | money | stops | acts | calls) - {""}
