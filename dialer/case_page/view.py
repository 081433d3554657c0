"""What the page of a case shows: the case's facts and allowed acts, and its timeline, in which each call attempt
appears once with its conversation, between the acts of people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from dialer.calls.recordings import StoredRecording
from dialer.case_page.acts import changed_since
from dialer.case_page.reading import CaseSheet, units_to_hand_to
from dialer.cases.persons import Person
from dialer.core.access import Permission, RevealReason, is_same_actor
from dialer.core.attempt import WAITING_STATES, AttemptState
from dialer.core.case import ActRefusal, CaseStatus, DeskCallState, Reason, acts_allowed
from dialer.core.reach import HeardPrompt
from dialer.core.text import Lang, gettext_noop
from dialer.core.timeline import ActKind, Entry, EntryKind, Obstacle, WaitReason
from dialer.core.values import (
    SUCCESSES,
    Announcement,
    Answer,
    Contact,
    FraudType,
    Grade,
    OutcomeKind,
    RecordedCall,
    TelephonyResult,
)
from dialer.language.catalogue import say
from dialer.language.sentences import VIEWS, ahead_words, entry_sentence, step_sentence, waiting_sentence
from dialer.language.words import actor_word, script_word, stored_word, word_of
from dialer.runtime.services import Services
from dialer.script_versions.view import language_name
from dialer.staff.names import read_display_names
from dialer.web.console import RequestContext
from dialer.web.formats import unit_names
from dialer.work.desk import SpokenTurn
from dialer.work.desk_store import DeskCall
from dialer.work.desk_view import call_checklist, dialled_number
from dialer.work.stop_requests import BANK_ANSWERS

_TYPED: Mapping[str, str] = {
    "paid_yuan": gettext_noop("typed the amount paid"),
    "payee_account_last4": gettext_noop("typed the last digits of the payee's account"),
    "paid_when": gettext_noop("typed when it was paid"),
}


_OF_ATTEMPT = frozenset(
    {
        EntryKind.ATTEMPT_PLANNED,
        EntryKind.ATTEMPT_SENT,
        EntryKind.RINGING,
        EntryKind.ANSWERED,
        EntryKind.SPOKEN,
        EntryKind.ATTEMPT_ENDED,
    }
)
_GROUPS: Mapping[EntryKind, str] = {
    EntryKind.WARNING: "list",
    EntryKind.RELEASED: "list",
    EntryKind.MESSAGE: "message",
    EntryKind.OUTCOME: "money",
    EntryKind.REVERSAL: "money",
    EntryKind.APPROVAL: "money",
    EntryKind.STOP_OPENED: "money",
    EntryKind.STOP_ASKED: "money",
    EntryKind.STOP_ANSWERED: "money",
    EntryKind.STOP_ENDED: "money",
    EntryKind.FILED: "money",
    EntryKind.FILING_UNDONE: "money",
    EntryKind.ALARM: "alarm",
    EntryKind.ALARM_TAKEN: "alarm",
    EntryKind.ALARM_SEEN: "alarm",
    EntryKind.ALARM_ENDED: "alarm",
    EntryKind.VIEWED: "seen",
}
_TROUBLE = frozenset({EntryKind.ALARM, EntryKind.REVERSAL, EntryKind.FILED})
_DESK = "desk"
_DESK_LINE: Mapping[str, TelephonyResult] = {
    "answered": TelephonyResult.ANSWERED,
    "completed": TelephonyResult.ANSWERED,
    "busy": TelephonyResult.BUSY,
    "no-answer": TelephonyResult.NO_ANSWER,
    "failed": TelephonyResult.FAILED,
    "canceled": TelephonyResult.CANCELED,
}
"""How a transfer to the duty desk ended, by the carrier's status."""
_ONE_REQUEST = timedelta(seconds=1)
"""An act and its line in the audit are less apart than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnLine:
    """What the person did, and the robot's answer to it."""

    at: datetime
    heard: str
    quote: str
    """What the person said or typed; '' while it is sealed."""
    asked_at: str
    lines: tuple[tuple[str, str, HeardPrompt | None, str], ...]
    """Each prompt as it was spoken, the file of its sound ('' without one), how much of it was heard, and the
    language that it was said in, '' for the call's own.
    """
    desk: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAttempt:
    """One call attempt from its plan to its end; None or '' for what is not known, or not yet."""

    n: int
    number: int
    why: str
    is_live: bool
    result: TelephonyResult | None
    contact: Contact
    answer: Answer
    last_node: str
    script: str
    heard_seconds: int | None
    talk_seconds: int | None
    code: str
    is_answered: bool
    turns: tuple[TurnLine, ...]
    answer_words: str = ""
    """What the person answered, and that their last keys were no choice of the question."""
    recording: StoredRecording | None = None

    @property
    def is_bad(self) -> bool:
        """Whether the attempt failed on our side or the network's, not the person's."""
        return self.result in {
            TelephonyResult.FAILED,
            TelephonyResult.BLOCKED,
            TelephonyResult.DEAD_AIR,
            TelephonyResult.UNKNOWN,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineItem:
    """One line of the timeline. `group` is ring (a call attempt), people, list, message, money, alarm or seen."""

    id: str
    at: datetime
    group: str
    text: str
    by: str = ""
    login: str = ""
    why: str = ""
    sealed: bool = False
    """Words were written with it that are not shown here in clear."""
    trouble: bool = False
    agreed_for: datetime | None = None
    """When the person wants to be called."""
    talk_seconds: int | None = None
    """Of a call from a desk."""
    attempt: CallAttempt | None = None
    photo: UUID | None = None
    recording: StoredRecording | None = None
    """Of a call from a desk, or of an inbound call."""


def story_items(sheet: CaseSheet, names: Mapping[str, str], lang: Lang) -> list[TimelineItem]:
    """The timeline, newest first. A call attempt is placed at the moment when it was sent, or at its end if it was
    never sent.
    """
    timeline = sheet.story.file.timeline
    items = [
        *_attempts(sheet, timeline, lang),
        *_others(sheet, timeline, names, lang),
        *(_call(call, names, lang) for call in sheet.calls if call.state is not DeskCallState.ENDED),
    ]
    # Sorting is stable: of items of one moment, the later one comes first.
    return sorted(items, key=lambda item: item.at)[::-1]


def _attempts(sheet: CaseSheet, timeline: Iterable[Entry], lang: Lang) -> Iterator[TimelineItem]:
    entries: dict[int, dict[EntryKind, Entry]] = {}
    for entry in timeline:
        if entry.kind in _OF_ATTEMPT and entry.kind is not EntryKind.SPOKEN:
            entries.setdefault(int(str(entry.facts["n"])), {})[entry.kind] = entry
    turns: dict[int, list[SpokenTurn]] = {}
    for said in sheet.said:
        turns.setdefault(said.n, []).append(said)
    recordings = {
        recording.n: recording for recording in sheet.recordings if recording.call is RecordedCall.ROBOT
    }
    for n, parts in entries.items():
        sent, ended = parts.get(EntryKind.ATTEMPT_SENT), parts.get(EntryKind.ATTEMPT_ENDED)
        at = sent or ended
        if at is None:
            continue  # the top of the page shows a planned attempt
        attempt = replace(_attempt(n, parts, turns.get(n, ()), lang), recording=recordings.get(n))
        words = _attempt_words(attempt, lang)
        yield TimelineItem(id=f"ring-{n}", at=at.at, group="ring", text=words, attempt=attempt)


def _attempt(n: int, parts: Mapping[EntryKind, Entry], said: Iterable[SpokenTurn], lang: Lang) -> CallAttempt:
    facts: dict[str, Any] = {}
    for kind in (EntryKind.ATTEMPT_PLANNED, EntryKind.ATTEMPT_SENT, EntryKind.ATTEMPT_ENDED):
        if kind in parts:
            facts |= parts[kind].facts
    said = list(said)
    answer = Answer(facts.get("answer") or Answer.NONE)
    result = facts.get("result")
    codes = (("SIP", facts.get("sip_code")), ("", facts.get("error_code")), ("", _announced(facts, lang)))
    return CallAttempt(
        n=n,
        number=int(facts.get("number") or 1),
        why=stored_word(Reason, str(facts.get("reason") or Reason.NONE.value), lang),
        is_live=facts.get("state") not in {AttemptState.ENDED.value, None} and result is None,
        result=TelephonyResult(result) if result else None,
        contact=Contact(facts.get("contact") or Contact.NONE),
        answer=answer,
        last_node=str(facts.get("last_node") or ""),
        script=_script(facts, lang),
        heard_seconds=facts.get("heard_seconds"),
        talk_seconds=facts.get("talk_seconds"),
        code=" ".join(f"{name} {code}".strip() for name, code in codes if code),
        is_answered=EntryKind.ANSWERED in parts,
        turns=tuple(_turn(turn, lang) for turn in said),
        answer_words=_answer_words(answer, said, lang),
    )


def _answer_words(answer: Answer, said: Iterable[SpokenTurn], lang: Lang) -> str:
    answers = [one for one in said if one.asked_at and not one.desk]
    words = [
        word_of(answer, lang) if answer is not Answer.NONE else "",
        say(lang, "wrong keys pressed") if answers and answers[-1].wrong_key else "",
    ]
    return " · ".join(word for word in words if word)


def _announced(facts: Mapping[str, Any], lang: Lang) -> str:
    """What the network said instead of putting the call through, with the recogniser's score."""
    if not facts.get("announcement"):
        return ""
    words = stored_word(Announcement, str(facts["announcement"]), lang)
    score = facts.get("announcement_score")
    return f"{words} ({score:.2f})" if score else words


def _script(facts: Mapping[str, Any], lang: Lang) -> str:
    if not facts.get("script"):
        return ""
    version = f" v{facts['version']}" if facts.get("version") else ""
    return say(lang, "script %(name)s", name=script_word(str(facts["script"]), lang) + version)


def _turn(said: SpokenTurn, lang: Lang) -> TurnLine:
    if said.typed:
        known = _TYPED.get(said.typed)
        heard = say(lang, known) if known else say(lang, "typed %(what)s", what=said.typed)
        quote = said.pressed
    elif said.wrong_key:
        # Several keys may be a number, which stays sealed.
        heard = say(lang, "pressed %(key)s, which is no choice", key=said.pressed or "…")
        quote = ""
    elif said.pressed:
        heard, quote = say(lang, "pressed %(key)s", key=said.pressed), ""
    elif said.spoke:
        heard, quote = say(lang, "spoke"), said.speech
    else:
        heard, quote = (say(lang, "silent") if said.asked_at and said.robot else ""), ""
    return TurnLine(
        at=said.at,
        heard=heard,
        quote=quote,
        asked_at=said.asked_at,
        lines=tuple(
            zip(
                said.robot,
                said.sounds,
                said.heard,
                (language_name(language, lang) for language in said.languages),
                strict=True,
            )
        ),
        desk=word_of(_DESK_LINE[said.desk], lang) if said.desk in _DESK_LINE else said.desk,
    )


def _attempt_words(attempt: CallAttempt, lang: Lang) -> str:
    if attempt.result is not None:
        return word_of(attempt.result, lang)
    return say(lang, "talking now") if attempt.is_answered else say(lang, "ringing now")


def _others(
    sheet: CaseSheet, timeline: Iterable[Entry], names: Mapping[str, str], lang: Lang
) -> Iterator[TimelineItem]:
    reasons = [
        entry
        for entry in timeline
        if entry.kind is EntryKind.VIEWED and entry.facts["act"] not in VIEWS and entry.facts["why"]
    ]
    written = sheet.words.acts if sheet.words is not None else {}
    photos = iter(sheet.photos)
    recordings = {str(recording.call_id): recording for recording in sheet.recordings}
    signed = {
        (entry.by, entry.facts["assignment_id"])
        for entry in timeline
        if entry.kind is EntryKind.ASSIGNMENT_SIGNED
    }
    for entry in timeline:
        accepts = entry.kind is EntryKind.ACT and entry.facts.get("act") == ActKind.VISIT_ACCEPTED.value
        if accepts and (entry.by, entry.facts.get("assignment_id")) in signed:
            continue  # accepting a visit signs for it, which has its own line
        if entry.kind in _OF_ATTEMPT or is_repeated(entry):
            continue
        act = entry.facts.get("act")
        why = _reason(entry, reasons) if entry.kind is EntryKind.ACT else ""
        photo = next(photos, None) if act == ActKind.VISIT_PHOTO.value else None
        event = int(entry.id.partition("/")[2]) if entry.kind is EntryKind.ACT else 0
        words = written.get(event) or why
        call_at, talked = entry.facts.get("call_at"), entry.facts.get("talk_seconds")
        yield TimelineItem(
            id=f"{entry.kind.value}-{entry.id}".replace("/", "-"),
            at=entry.at,
            group=_GROUPS.get(entry.kind, "people"),
            text=entry_sentence(entry, lang),
            by=actor_word(entry.by, lang, names),
            login=entry.by,
            why=words,
            sealed=bool(entry.facts.get("words")) and not words,
            trouble=entry.kind in _TROUBLE,
            agreed_for=datetime.fromisoformat(call_at) if isinstance(call_at, str) else None,
            talk_seconds=talked if isinstance(talked, int) else None,
            photo=photo.client_id if photo is not None else None,
            recording=recordings.get(str(entry.facts.get("call_id"))),
        )


def is_repeated(entry: Entry) -> bool:
    """Whether the entry is shown elsewhere in the timeline: an act's line in the audit with the act, a desk's answer
    with its call.
    """
    if entry.kind is EntryKind.VIEWED:
        return entry.facts["act"] not in VIEWS
    return entry.kind is EntryKind.ACT and entry.facts.get("act") == _DESK


def _reason(act: Entry, audited: Iterable[Entry]) -> str:
    """The reason of an act in the audit: one request writes both."""
    found = (line for line in audited if line.by == act.by and abs(line.at - act.at) < _ONE_REQUEST)
    return next((str(line.facts["why"]) for line in found), "")


def _call(call: DeskCall, names: Mapping[str, str], lang: Lang) -> TimelineItem:
    """A live call from a desk; one that has ended is among the acts."""
    return TimelineItem(
        id=f"call-{call.id}",
        at=call.asked_at,
        group="people",
        text=say(lang, "call from the desk to number %(number)s", number=call.number + 1)
        + say(lang, ": %(why)s", why=word_of(call.state, lang)),
        by=actor_word(call.by, lang, names),
        login=call.by,
    )


TEMPLATE = "console/case.html"
CLEAR_SECONDS = 120
"""Revealed data is hidden again after this long."""
_OWN_ACT = frozenset({OutcomeKind.DUPLICATE, OutcomeKind.MISSED, OutcomeKind.WITHDRAWN})
_ANY_MOMENT = frozenset({WaitReason.UNDER_WAY, WaitReason.PACING})
_HIDDEN = frozenset({ActRefusal.HIGHEST_GRADE, ActRefusal.LOWEST_GRADE})
"""Bars without a sentence: there is nothing to choose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedAct:
    """A refused form: what was typed and why it was refused. `wrong` is by field."""

    act: str
    fields: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)
    refused: str = ""
    shown_at: datetime | None = None
    """When its page was shown, if the case has changed since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Playing:
    """The recording of a call, and what opens its sound for a while."""

    recording_id: int
    ticket: str


def case_facts(
    request: RequestContext,
    sheet: CaseSheet,
    *,
    person: Person | None = None,
    typed: RefusedAct | None = None,
    plays: Playing | None = None,
) -> dict[str, Any]:
    """What the template needs. `plays`: the recording of a call that may be listened to now."""
    lang, story = request.lang, sheet.story
    stored = story.file.stored
    case = stored.case
    names = staff_names(request.services, sheet)
    form = typed or RefusedAct(act="")
    allowed = acts_allowed(case)
    may_work = request.may(Permission.WORK_CASES)
    return {
        "sheet": sheet,
        "story": story,
        "case": case,
        "stored": stored,
        "masked": story.file.person,
        "person": person,
        "clear_seconds": CLEAR_SECONDS,
        "plays": plays,
        "items": story_items(sheet, names, lang),
        "is_filed": bool(sheet.filings),
        "filing_choices": [(number, number) for number in sheet.filings],
        "may_undo_filing": bool(sheet.filings) and request.may(Permission.DECIDE_FILED),
        "steps": [(step, step_sentence(step, lang)) for step in story.next_steps],
        "waiting": _waiting_words(story.waiting, lang),
        "ahead": ahead_words(story.pending.ahead, lang) if story.pending is not None else "",
        "is_live": _is_live(sheet),
        "who": lambda login: actor_word(login, lang, names),
        "named": lambda kind, value: stored_word(kind, value, lang),
        "form": form,
        "changed": _changed(request, case.id, form),
        "may_work": may_work,
        "may_reveal": request.may(Permission.REVEAL),
        "reveal_reasons": list(RevealReason),
        "allowed": {act.value: bar for act, bar in allowed.items() if bar not in _HIDDEN},
        "higher": [grade for grade in Grade if grade.rank > case.grade.rank],
        "lower": [grade for grade in Grade if grade.rank < case.grade.rank],
        "outcomes": [kind for kind in OutcomeKind if kind not in _OWN_ACT | SUCCESSES],
        "units": _units(request, stored.unit_id) if may_work and case.status is CaseStatus.OPEN else [],
        "approvable": _approvable(request, sheet) if request.may(Permission.APPROVE) else set(),
        "may_stop": request.may(Permission.WORK_DESK),
        "stop_answers": BANK_ANSWERS,
        "said_words": _point_names(request, case.fraud_type),
        "lower_act": Permission.LOWER_CASES,
        "correct_act": Permission.ORDER_CORRECTIONS,
        "may_lists": request.may(Permission.LOAD_LISTS),
        "may_sort": request.may(Permission.SORT_UNITS),
        "may_visit": request.may(Permission.WORK_VISITS),
        "dialled": lambda number: dialled_number(number, request.services.centre.area_code),
        "Reason": Reason,
    }


def _approvable(request: RequestContext, sheet: CaseSheet) -> set[int]:
    """The outcomes that wait for a second person, if this one may be it."""
    return {
        line.id
        for line in sheet.rows.outcomes
        if line.needs_approval
        and not line.approved_by
        and line.reversed_by is None
        and not is_same_actor(line.recorded_by, request.who)
    }


def _point_names(request: RequestContext, fraud_type: FraudType) -> Callable[[Iterable[str]], str]:
    """Makes one line of the names of points of the call checklist from their keys."""
    points = call_checklist(fraud_type, request.lang, bureau="", hotline="")
    names = {point.key: point.name for point in points}
    between = "、" if request.lang is Lang.ZH else ", "
    return lambda said: between.join(names.get(key, key) for key in said)


def _units(request: RequestContext, own: int | None) -> list[str]:
    """The names of all units but the case's own, sorted."""
    names = unit_names(units_to_hand_to(request.services))
    return sorted(name for unit_id, name in names.items() if unit_id != own)


def _waiting_words(waiting: Obstacle | None, lang: Lang) -> str:
    """Why the call has not been made yet; '' where the next step says it: the call is planned for later."""
    if waiting is None or waiting.reason is WaitReason.PLANNED_FOR_LATER:
        return ""
    return waiting_sentence(waiting, lang)


def _is_live(sheet: CaseSheet) -> bool:
    """Whether a call is under way, or is about to be."""
    pending, waiting = sheet.story.pending, sheet.story.waiting
    if any(call.state is not DeskCallState.ENDED for call in sheet.calls):
        return True
    if pending is None:
        return False
    return pending.state not in WAITING_STATES or (waiting is not None and waiting.reason in _ANY_MOMENT)


def _changed(request: RequestContext, case_id: int, form: RefusedAct) -> list[tuple[datetime, str, str]]:
    """What happened since the page of a refused form was shown, oldest first."""
    if form.shown_at is None:
        return []
    entries = [
        entry
        for entry in changed_since(request.services, case_id, since=form.shown_at)
        if not is_repeated(entry)
    ]
    names = read_display_names(request.services, {entry.by for entry in entries})
    return [
        (entry.at, entry_sentence(entry, request.lang), actor_word(entry.by, request.lang, names))
        for entry in entries
    ]


def staff_names(services: Services, sheet: CaseSheet) -> dict[str, str]:
    """The display names of everybody who did something in the case, by login."""
    return read_display_names(services, _logins(sheet))


def _logins(sheet: CaseSheet) -> set[str]:
    work = {who for line in sheet.rows.work for who in (line.signed_by, line.done_by)}
    money = {who for line in sheet.rows.outcomes for who in (line.recorded_by, line.approved_by)}
    stops = {line.done_by for line in sheet.rows.stops}
    stops |= {who for request in sheet.stop_requests for who in (request.recorded_by, request.confirmed_by)}
    acts = {entry.by for entry in sheet.story.file.timeline}
    calls = {call.by for call in sheet.calls}
    return (work | money | stops | acts | calls) - {""}
