"""The desk in words: the report form and what it means, sentences about the task and its calls, and the checklist of
what is said on a call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import File, Form, UploadFile

from dialer.core.case import (
    DESK_HAS_LEFT,
    AssignmentState,
    DeskCallState,
    FamilyResult,
    VisitStage,
    contact_of_outcome,
)
from dialer.core.errors import Invalid
from dialer.core.listening import ListenMode, ListenState
from dialer.core.rates import is_in_range
from dialer.core.talk import Talk
from dialer.core.text import Lang, gettext_noop
from dialer.core.third_party import PartyState
from dialer.core.timeline import EntryKind
from dialer.core.values import (
    SUCCESSES,
    Amounts,
    Contact,
    FraudType,
    OutcomeKind,
    ScammerContact,
    Tag,
    TelephonyResult,
    check_evidence,
    parse_yuan,
    typed_evidence,
)
from dialer.language.catalogue import say
from dialer.language.sentences import entry_sentence
from dialer.language.words import actor_word, word_of
from dialer.work.assignments import Assignment
from dialer.work.desk import DeskView, call_points
from dialer.work.desk_store import BusyKind, BusyWithPerson, DeskCall
from dialer.work.listening_store import Listener
from dialer.work.stop_requests import StopForm, typed_stop_form
from dialer.work.tasks import WorkReport
from dialer.work.third_party_store import PartyInCall

_LONGEST = 2000
MONEY = ("intended", "stopped", "returned")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeChoice:
    """An outcome that a caller may choose, by its key; `money`: the amounts that may be entered with it."""

    key: str
    outcome: OutcomeKind
    money: tuple[str, ...] = ()

    @property
    def asks_who(self) -> bool:
        """Whether the form asks if the identity was verified, and if a scammer was in contact."""
        return contact_of_outcome(self.outcome) is Contact.VERIFIED

    @property
    def needs_verified(self) -> bool:
        """Whether the outcome is accepted only after verified contact."""
        return self.outcome in SUCCESSES


CHOICES = (
    OutcomeChoice(key="1", outcome=OutcomeKind.DISSUADED_BY_PHONE, money=("intended",)),
    OutcomeChoice(key="2", outcome=OutcomeKind.SAW_THROUGH_IT, money=("intended",)),
    OutcomeChoice(key="3", outcome=OutcomeKind.HALF_BELIEVES),
    OutcomeChoice(key="4", outcome=OutcomeKind.REFUSES),
    OutcomeChoice(key="5", outcome=OutcomeKind.ALREADY_DEFRAUDED, money=("stopped", "returned")),
    OutcomeChoice(key="6", outcome=OutcomeKind.CANNOT_FIND_YET),
    OutcomeChoice(key="7", outcome=OutcomeKind.CANNOT_FIND),
    OutcomeChoice(key="8", outcome=OutcomeKind.NOT_THE_PERSON),
    OutcomeChoice(key="9", outcome=OutcomeKind.LANGUAGE_OR_HEARING),
    OutcomeChoice(key="0", outcome=OutcomeKind.MISMATCH),
)
_BY_OUTCOME = {choice.outcome.value: choice for choice in CHOICES}


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyChoice:
    """What a call to the family brought, in place of an `OutcomeChoice`."""

    key: str
    outcome: FamilyResult
    money: tuple[str, ...] = ()
    asks_who: bool = False


FAMILY_CHOICES = tuple(
    FamilyChoice(key=str(number), outcome=result) for number, result in enumerate(FamilyResult, 1)
)

WHO_MISSING = gettext_noop("say whether the identity was verified")
NEEDS_VERIFIED = gettext_noop("a success needs the verified contact of the right person")
SCAMMER_MISSING = gettext_noop("say whether a scammer was in contact with the person")
OUTCOME_MISSING = gettext_noop("choose the outcome")


@dataclass(slots=True)
class ReportForm:
    """The outcome form as it was typed."""

    token: Annotated[int, Form()] = 0
    outcome: Annotated[str, Form()] = ""
    verified: Annotated[str, Form()] = ""
    scammer: Annotated[str, Form()] = ""
    no_call: Annotated[str, Form()] = ""
    intended: Annotated[str, Form()] = ""
    stopped: Annotated[str, Form()] = ""
    returned: Annotated[str, Form()] = ""
    evidence_kind: Annotated[str, Form()] = ""
    evidence_yuan: Annotated[str, Form()] = ""
    evidence: Annotated[str, Form()] = ""
    note: Annotated[str, Form()] = ""
    said: Annotated[list[str] | None, Form()] = None
    used: Annotated[list[str] | None, Form()] = None
    """Passages of knowledge cards, each as the id of its version and its number with a hyphen between."""
    evidence_files: Annotated[list[UploadFile] | None, File()] = None
    following: Annotated[str, Form()] = ""
    """Not empty: the next task is claimed at once."""

    def parsed_report(self, *, to_family: bool = False) -> tuple[WorkReport | None, dict[str, Invalid]]:
        """The report, or None and every fault by its field; `to_family`: of a call to the family."""
        if to_family:
            return self._family_report()
        wrong: dict[str, Invalid] = {}
        choice = _BY_OUTCOME.get(self.outcome)
        if choice is None:
            wrong["outcome"] = Invalid(field="outcome", problem=OUTCOME_MISSING)
        elif choice.asks_who and self.verified not in {"yes", "no"}:
            wrong["verified"] = Invalid(field="verified", problem=WHO_MISSING)
        elif choice.needs_verified and self.verified != "yes":
            wrong["verified"] = Invalid(field="verified", problem=NEEDS_VERIFIED)
        scammer = ScammerContact(self.scammer) if self.scammer in set(ScammerContact) else None
        if choice is not None and choice.asks_who and scammer is None:
            wrong["scammer"] = Invalid(field="scammer", problem=SCAMMER_MISSING)
        fen: dict[str, int] = {}
        for name in MONEY:
            try:
                typed = str(getattr(self, name)) if choice is None or name in choice.money else ""
                fen[f"{name}_fen"] = parse_yuan(typed, field=name) if typed.strip() else 0
            except Invalid as fault:
                wrong[name] = fault
        amounts, evidence = Amounts(), None
        try:
            amounts = Amounts(**fen)
            if not amounts.is_nothing:
                evidence = typed_evidence(self.evidence_kind, self.evidence_yuan, self.evidence[:_LONGEST])
            check_evidence(amounts, evidence)
        except Invalid as fault:
            wrong[fault.field.removesuffix("_fen")] = fault
        if wrong or choice is None:
            return None, wrong
        report = WorkReport(
            outcome=choice.outcome,
            contact=self._contact(choice),
            amounts=amounts,
            evidence=evidence,
            note=self.note.strip()[:_LONGEST],
            scammer_contact=scammer if choice.asks_who else None,
            no_call=self.no_call.strip()[:_LONGEST],
        )
        return report, {}

    def _family_report(self) -> tuple[WorkReport | None, dict[str, Invalid]]:
        if self.outcome not in set(FamilyResult):
            return None, {"outcome": Invalid(field="outcome", problem=OUTCOME_MISSING)}
        note, result = self.note.strip()[:_LONGEST], FamilyResult(self.outcome)
        return WorkReport(outcome=OutcomeKind.CANNOT_FIND_YET, family=result, note=note), {}

    def _contact(self, choice: OutcomeChoice) -> Contact:
        if not choice.asks_who:
            return contact_of_outcome(choice.outcome)
        return Contact.VERIFIED if self.verified == "yes" else Contact.UNVERIFIED


@dataclass(slots=True)
class StopRequestForm:
    """A request to a bank as it was typed; the amount in yuan, the time local, '' for now."""

    bank: Annotated[str, Form()] = ""
    account: Annotated[str, Form()] = ""
    amount: Annotated[str, Form()] = ""
    at: Annotated[str, Form()] = ""
    receipt: Annotated[str, Form()] = ""
    back: Annotated[str, Form()] = ""
    """The case whose page the form is on; '' on the desk."""

    def read(self, *, now: datetime, timezone: str) -> StopForm:
        """The request that was typed. Raises `Invalid`."""
        return typed_stop_form(
            bank=self.bank,
            account=self.account,
            amount=self.amount,
            at=self.at,
            receipt=self.receipt,
            now=now,
            timezone=timezone,
        )


_WAIT_DIGITS = 5
"""A longer number is not a number of minutes."""


def call_time(soon: str, at: str, *, now: datetime, timezone: str) -> datetime:
    """The agreed time: in `soon` minutes, `tomorrow` at nine, or at a local time. Raises `Invalid`."""
    zone = ZoneInfo(timezone)
    if soon.isdecimal() and len(soon) <= _WAIT_DIGITS:
        return now + timedelta(minutes=int(soon))
    if soon == "tomorrow":
        local = now.astimezone(zone) + timedelta(days=1)
        return local.replace(hour=9, minute=0, second=0, microsecond=0)
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise Invalid(field="at", problem="is not a time", fix="choose a day and a time") from None
    if not is_in_range(moment):
        raise Invalid(field="at", problem="is out of range", fix="choose a day and a time")
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)


_HIDDEN = frozenset({EntryKind.VIEWED, EntryKind.ATTEMPT_SENT, EntryKind.RINGING, EntryKind.SPOKEN})
"""Entries of no use before a call; the page of the case shows them."""
_MOST_SHOWN = 12
_MOBILE_DIGITS = 11


def busy_sentence(busy: BusyWithPerson, lang: Lang, names: Mapping[str, str], *, case_id: int) -> str:
    """Who else is busy with the same person, and how."""
    who = names.get(busy.who, busy.who)
    match busy.busy:
        case BusyKind.ROBOT if busy.talking:
            text = say(lang, "The robot is speaking with the person now")
        case BusyKind.ROBOT:
            text = say(lang, "The robot is calling the person now")
        case BusyKind.CALL if busy.is_handed_over:
            party = party_name(busy.party, lang)
            told = gettext_noop("%(who)s handed over: the person talks with %(party)s now")
            text = say(lang, told, party=party, who=who)
        case BusyKind.CALL if busy.talking:
            text = say(lang, "%(who)s is on the telephone with the person now", who=who)
        case BusyKind.CALL:
            text = say(lang, "%(who)s is being put through to the person", who=who)
        case BusyKind.CALLED_IN if busy.talking and who:
            text = say(lang, "The person has called us and is on the line with %(who)s", who=who)
        case BusyKind.CALLED_IN if busy.talking:
            text = say(lang, "The person has called us and is on the line with the duty line")
        case BusyKind.CALLED_IN:
            text = say(lang, "The person calls us now and is in the queue: do not dial")
        case BusyKind.CALLER:
            text = say(lang, "%(who)s has signed for a call to the same person", who=who)
        case BusyKind.OFFICER if busy.stage.rank <= VisitStage.ACCEPTED.rank:
            text = say(lang, "Officer %(who)s has signed for a visit", who=who)
        case BusyKind.OFFICER:
            text = say(lang, "Officer %(who)s: %(stage)s", who=who, stage=word_of(busy.stage, lang))
    return text if busy.case_id == case_id else text + say(lang, " (case #%(id)s)", id=busy.case_id)


def lost_sentence(task: Assignment, lang: Lang, names: Mapping[str, str], *, who: str) -> str:
    """Why this desk does not have the task any more."""
    match task.state:
        case AssignmentState.OPEN:
            return say(lang, "This task went back to the queue: this desk did not renew it.")
        case AssignmentState.SIGNED if task.signed_by == who:
            return say(lang, "You reclaimed this task in another window.")
        case AssignmentState.SIGNED:
            return say(lang, "%(who)s has this task now.", who=actor_word(task.signed_by, lang, names))
        case AssignmentState.DONE:
            by = task.done_by
            return say(lang, "%(who)s has reported on this task already.", who=actor_word(by, lang, names))
        case AssignmentState.WITHDRAWN:
            return say(lang, "This task is not needed any more: the person was reached, or the case ended.")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLine:
    """One call from the desk. `since`: when the current state of a call under way began; None for an ended call.
    `talks`: the person may be on the line; then they may be put on hold, and the caller be muted.
    """

    text: str
    live: bool
    since: datetime | None
    at: datetime
    number: int
    talks: bool = False
    holds: bool = False
    mutes: bool = False
    muted_text: str = ""
    """What the page says while the caller is muted; '' while not."""
    may_have_party: bool = False
    """A third party may be in the call."""


def call_line(call: DeskCall, lang: Lang) -> CallLine:
    """What the page says about the call that the caller asked for."""
    live = call.state not in DESK_HAS_LEFT
    match call.state:
        case DeskCallState.ASKED:
            text = say(lang, "Your telephone is being called")
        case DeskCallState.RINGING:
            text = say(lang, "Your telephone rings: pick up")
        case DeskCallState.JOINED:
            text = _talking(call.talk, lang)
        case DeskCallState.HANDED_OVER:
            text = say(lang, "Handed over: the person is still on the line")
        case DeskCallState.ENDED:
            text = _ended(call, lang)
    talk = call.talk
    return CallLine(
        text=text,
        live=live,
        since=(talk.hold_since or call.joined_at) if live else None,
        at=call.asked_at,
        number=call.number,
        talks=call.may_hold,
        holds=talk.holds,
        mutes=talk.mutes,
        muted_text=_muted(talk, lang) if call.may_hold else "",
        may_have_party=may_have_party(call),
    )


def may_have_party(call: DeskCall) -> bool:
    """Whether a third party may be in this call."""
    return not call.settled and (call.talk.needs_room or call.state is DeskCallState.HANDED_OVER)


def _talking(talk: Talk, lang: Lang) -> str:
    if talk.holds:
        if talk.is_held:
            return say(lang, "The person is on hold and hears that they should wait")
        return say(lang, "The person is being put on hold")
    if talk.is_held:
        return say(lang, "The person is being taken back")
    if talk.in_room:
        return say(lang, "The person is on the line")
    return say(lang, "You are connected; the person is being called or is on the line")


def _muted(talk: Talk, lang: Lang) -> str:
    if talk.mutes:
        if talk.is_muted:
            return say(lang, "You are muted: the person does not hear you")
        return say(lang, "You are being muted")
    return say(lang, "You are still muted") if talk.is_muted else ""


def party_name(name: str, lang: Lang) -> str:
    """The name of a third party; '' is that of the duty line."""
    return name or say(lang, "the duty line")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyLine:
    """The third party in a call, for its caller: what the page says, and what may be done."""

    text: str
    may_hand_over: bool = False
    may_send_away: bool = False


def party_line(party: PartyInCall, lang: Lang) -> PartyLine:
    """What the page says about a third party that has not ended."""
    state = party.leg.state
    return PartyLine(
        text=say(lang, _PARTY[state], name=party_name(party.name, lang)),
        may_hand_over=state is PartyState.CONNECTED,
        may_send_away=state in _MAY_BE_SENT_AWAY,
    )


_PARTY: Final[Mapping[PartyState, str]] = {
    PartyState.MOVING: gettext_noop("The call is being prepared; then %(name)s is called"),
    PartyState.CALLING: gettext_noop("%(name)s is being called"),
    PartyState.CONNECTED: gettext_noop("%(name)s is in this call"),
    PartyState.TAKING_OVER: gettext_noop(
        "%(name)s takes the call over: stay on the line until you are hung up"
    ),
    PartyState.HAS_CALL: gettext_noop("%(name)s has the call and talks with the person"),
    PartyState.LEAVING: gettext_noop("%(name)s is being hung up"),
    PartyState.ENDED: "",
}
_MAY_BE_SENT_AWAY: Final = frozenset(
    {PartyState.MOVING, PartyState.CALLING, PartyState.CONNECTED, PartyState.TAKING_OVER}
)


def own_ear_sentence(listener: Listener, lang: Lang) -> str:
    """What the leg of a supervisor does, for the supervisor."""
    leg = listener.leg
    match leg.state:
        case ListenState.MOVING:
            return say(lang, "The call is being prepared; then your telephone rings")
        case ListenState.CALLING:
            return say(lang, "Your telephone rings: pick up")
        case ListenState.CONNECTED:
            if not leg.is_settled:
                return say(lang, "The network has not confirmed it yet: say nothing")
            return say(lang, _OWN_EAR[leg.wants])
        case ListenState.LEAVING:
            return say(lang, "Your telephone is being hung up")
        case ListenState.ENDED:
            return ""


_OWN_EAR: Final[Mapping[ListenMode, str]] = {
    ListenMode.LISTEN: gettext_noop("You hear both; nobody hears you"),
    ListenMode.WHISPER: gettext_noop("You hear both; the caller alone hears you"),
    ListenMode.STEP_IN: gettext_noop("You hear both, and both hear you"),
}
_ANNOUNCED_EAR: Final[Mapping[ListenMode, str]] = {
    ListenMode.LISTEN: gettext_noop("%(name)s listens to this call"),
    ListenMode.WHISPER: gettext_noop("%(name)s speaks to you; the person does not hear it"),
    ListenMode.STEP_IN: gettext_noop("%(name)s speaks to you and the person"),
}


def announced_ear_sentence(listener: Listener, name: str, lang: Lang) -> str:
    """Who listens, for the caller; '' before they do and afterwards."""
    leg = listener.leg
    if leg.state is not ListenState.CONNECTED or leg.has is None:
        return ""
    return say(lang, _ANNOUNCED_EAR[leg.has], name=name)


def _ended(call: DeskCall, lang: Lang) -> str:
    if call.result is TelephonyResult.CANCELED:
        return say(lang, "your telephone was not picked up")
    if not call.settled:
        return say(lang, "ended; its result is being requested")
    result = word_of(call.result, lang) if call.result is not None else ""
    if call.talk_seconds is None:
        return result
    return f"{result} · {call.talk_seconds // 60}:{call.talk_seconds % 60:02}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistPoint:
    """One line of the checklist; `name` appears in the note of the report if it was ticked."""

    key: str
    name: str
    text: str
    hint: str


def dialled_number(number: str, area_code: str) -> str:
    """An E.164 number as it is dialled here: 138 0013 8000, 0478-96110; a foreign number is unchanged."""
    national = number.removeprefix("+86")
    if national == number:
        return number
    if len(national) == _MOBILE_DIGITS and national.startswith("1"):
        return f"{national[:3]} {national[3:7]} {national[7:]}"
    own = area_code.lstrip("0")
    return f"0{own}-{national[len(own) :]}" if own and national.startswith(own) else f"0{national}"


_OPENING = gettext_noop(
    "This is %(bureau)s. Please do not transfer any money now, and hang up on anybody else on the line."
)
_FALSE_POLICE = gettext_noop(
    "Fraudsters may call us false police. Hang up and call %(hotline)s, 110 or the police station yourself."
)


def call_checklist(
    fraud_type: FraudType, lang: Lang, *, bureau: str, hotline: str
) -> tuple[ChecklistPoint, ...]:
    """The points to ask and say on this call, in order."""
    points = call_points(fraud_type, lang.value)
    identity = say(lang, "May I ask for your full name and the last four of your id number?")
    own_words = say(lang, "Please tell me in your own words what you will do now.")
    lines = (
        ("open", say(lang, "warned first"), say(lang, _OPENING, bureau=bureau), say(lang, "First sentence")),
        (
            "who",
            say(lang, "identity verified"),
            identity,
            say(lang, "Before any detail of the case is named"),
        ),
        ("asked", say(lang, "scene asked"), points.question, say(lang, "Ask")),
        ("said", say(lang, "rule said"), points.must_say, say(lang, "Must be said")),
        (
            "police",
            say(lang, "false police explained"),
            say(lang, _FALSE_POLICE, hotline=hotline),
            say(lang, "Must be said"),
        ),
        ("repeat", say(lang, "repeated in own words"), own_words, say(lang, "At the end")),
    )
    return tuple(ChecklistPoint(key=key, name=name, text=text, hint=hint) for key, name, text, hint in lines)


def family_checklist(lang: Lang, *, bureau: str, name: str, hotline: str) -> tuple[ChecklistPoint, ...]:
    """The points of a call to the family, in order: who is on the line, then the agreed wording and nothing more."""
    lines = (
        (
            "open",
            say(lang, "asked who it is"),
            say(lang, _FAMILY_OPENING, bureau=bureau),
            say(lang, "First sentence: nothing of the case, and no name"),
        ),
        (
            "who",
            say(lang, "family verified"),
            say(lang, "Whose family are you, and how are you related?"),
            say(lang, "They name the person and the relation by themselves, as under Family contact"),
        ),
        (
            "said",
            say(lang, "agreed wording said"),
            say(lang, _FAMILY_WORDING, name=name, hotline=hotline),
            say(lang, "Only once they are known, and only this"),
        ),
        (
            "beside",
            say(lang, "asked whether the person is there"),
            say(lang, "Is %(name)s with you now?", name=name),
            say(lang, "Ask"),
        ),
        (
            "police",
            say(lang, "false police explained"),
            say(lang, _FALSE_POLICE, hotline=hotline),
            say(lang, "Must be said"),
        ),
    )
    return tuple(ChecklistPoint(key=key, name=name, text=text, hint=hint) for key, name, text, hint in lines)


_FAMILY_OPENING = gettext_noop("This is %(bureau)s. May I ask who I am speaking with?")
_FAMILY_WORDING = gettext_noop(
    "We cannot reach %(name)s by telephone. Please ask them to transfer no money now and to call %(hotline)s."
    " We explain the reason to them alone."
)


def care_notes(tags: frozenset[Tag], lang: Lang) -> tuple[str, ...]:
    """Advice on how to talk with this person."""
    return tuple(say(lang, _CARE[tag]) for tag in sorted(tags) if tag in _CARE)


_CARE: Mapping[Tag, str] = {
    Tag.MINOR: gettext_noop("A minor: speak with the guardian."),
    Tag.ELDERLY: gettext_noop("Elderly: speak slowly, and ask for the family."),
    Tag.HEARING: gettext_noop("Hard of hearing: short sentences; ask for the family, or send a message."),
    Tag.MONGOLIAN: gettext_noop("Speaks Mongolian: pass it on to a colleague who does, where needed."),
}


def note_with_points(note: str, said: Sequence[str], points: Sequence[ChecklistPoint], lang: Lang) -> str:
    """The note of a report, with the ticked points below it."""
    ticked = [point.name for point in points if point.key in said]
    if not ticked:
        return note
    line = say(lang, "Ticked: %(points)s", points=("、" if lang is Lang.ZH else ", ").join(ticked))
    return f"{note}\n{line}" if note else line


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    """A line of the case's history; `trouble`: it is shown as a warning."""

    at: datetime
    text: str
    by: str
    trouble: bool = False


def contact_history(view: DeskView, lang: Lang) -> list[HistoryLine]:
    """The latest entries of the timeline, newest first, with what people wrote where the case is opened."""
    lines = [
        HistoryLine(
            at=entry.at,
            text=entry_sentence(entry, lang),
            by=entry.by,
            trouble=entry.kind in {EntryKind.ALARM, EntryKind.FILED, EntryKind.REVERSAL},
        )
        for entry in view.timeline
        if entry.kind not in _HIDDEN
    ]
    if view.opened is not None:
        lines += [
            HistoryLine(at=written.at, text=f"“{written.words}”", by=written.by)
            for written in view.opened.words
        ]
    return sorted(lines, key=lambda line: line.at, reverse=True)[:_MOST_SHOWN]
