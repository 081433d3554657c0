"""Refusals, the timeline of a case and its next steps as sentences, for the terminal and the pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from dialer.core.attempt import AttemptState
from dialer.core.case import (
    CLAIM_ENDED,
    NO_CALL,
    FamilyResult,
    InboundResult,
    PersonMet,
    Reason,
    StopResult,
    StopState,
)
from dialer.core.errors import DialerError, Invalid
from dialer.core.events import AlarmCode
from dialer.core.notifications import NotificationChannel, NotificationFault
from dialer.core.reach import Reach
from dialer.core.sources import HoldReason
from dialer.core.text import Lang, gettext_noop
from dialer.core.third_party import PartyKind
from dialer.core.timeline import (
    AHEAD_AT_MOST,
    ActKind,
    AuditedAct,
    Entry,
    EntryKind,
    Fact,
    NextStep,
    Obstacle,
    StepKind,
    WaitReason,
)
from dialer.core.values import (
    MONEY_CORRECTED,
    MONEY_REFUSED,
    MONEY_REPLACED,
    Answer,
    Contact,
    FraudType,
    Grade,
    MessageChannel,
    MessagePurpose,
    MessageState,
    OutcomeKind,
    PauseScope,
    TelephonyResult,
    Track,
    format_yuan,
)
from dialer.language.catalogue import say
from dialer.language.words import sentence, stored_word, word_of


def refusal_sentence(fault: DialerError, lang: Lang) -> str:
    """The reason of the refusal in one sentence; of an invalid input, to show beside its field."""
    return sentence(fault.advice if isinstance(fault, Invalid) else fault.text, lang)


_RESTS = gettext_noop("the telephone network asked for a rest")
_NO_LINE = gettext_noop("no line is set up")
_NUMBER_RESTS = gettext_noop("the number rests after a call")
_WAITS: Mapping[WaitReason, tuple[str, str]] = {
    WaitReason.UNDER_WAY: (
        gettext_noop("the call is under way"),
        gettext_noop("the call is under way: %(state)s"),
    ),
    WaitReason.PAUSED: (
        gettext_noop("dialling is paused (%(what)s)"),
        gettext_noop("dialling is paused (%(what)s) by %(by)s: %(why)s"),
    ),
    WaitReason.HELD: (gettext_noop("its pause is over: it is being released"),) * 2,
    WaitReason.NUMBER_BUSY: (gettext_noop("the same number is being called for another case"),) * 2,
    WaitReason.PLANNED_FOR_LATER: (
        gettext_noop("its time has not come"),
        gettext_noop("its time has not come: %(why)s"),
    ),
    WaitReason.WINDOW_CLOSED: (
        gettext_noop("the dialling window is closed"),
        gettext_noop("the dialling window is closed: the robot calls from %(opens)s to %(closes)s"),
    ),
    WaitReason.CARRIER_TROUBLE: (
        gettext_noop("there is trouble with the telephone network"),
        gettext_noop(
            "there is trouble with the telephone network: %(troubles)s failures in a row, "
            "only a trial call leaves now and then"
        ),
    ),
    WaitReason.LINES_FULL: (
        gettext_noop("every line is in use"),
        gettext_noop("every line is in use: %(in_use)s of %(lines)s"),
    ),
    WaitReason.QUEUE: (
        gettext_noop("more urgent ones go first"),
        gettext_noop("more urgent ones go first: %(ahead)s"),
    ),
    WaitReason.PACING: (
        gettext_noop("it is next, at the permitted pace"),
        gettext_noop("it is next, at the permitted pace: %(pace)s calls a second"),
    ),
}
"""For each reason the short form, for the step, and the long form, with the facts of the reason. Both use the same
words, so that they can be shown side by side.
"""


def step_sentence(step: NextStep, lang: Lang) -> str:  # noqa: PLR0911  # one arm a kind, in one place
    """What comes next and why, without the time."""
    why = word_of(step.reason, lang)
    track = word_of(step.track, lang) if step.track is not None else ""
    match step.kind:
        case StepKind.SETTLED:
            return say(lang, "no next step: %(why)s", why=why)
        case StepKind.WATCH_ENDS:
            return say(lang, "the watch period ends; without a filed case it is proven")
        case StepKind.FOLLOW_UP if step.track is Track.ROBOT:
            return say(lang, "a follow-up call is planned")
        case StepKind.FOLLOW_UP:
            return say(lang, "a %(track)s is opened (%(why)s)", track=track, why=why)
        case StepKind.EXPIRES:
            return say(lang, "the warning expires")
        case StepKind.CALL:
            return say(lang, "the robot's call is under way (%(why)s)", why=why)
        case StepKind.ATTEMPT:
            if step.waiting is None:
                return say(lang, "the robot calls (%(why)s)", why=why)
            waits = wait_words(step.waiting, lang)
            return say(lang, "the robot calls (%(why)s); waiting: %(waits)s", why=why, waits=waits)
        case StepKind.ASSIGNMENT_OPENS:
            return say(lang, "a %(track)s is opened (%(why)s)", track=track, why=why)
        case StepKind.ASSIGNMENT_DUE:
            return say(lang, "a %(track)s is to be reported, or is overdue (%(why)s)", track=track, why=why)


def wait_words(waiting: Obstacle, lang: Lang) -> str:
    """What the call waits for, in short."""
    return _waiting(waiting, lang, in_short=True)


def waiting_sentence(waiting: Obstacle, lang: Lang) -> str:
    """What the call waits for, in full, without the time since when."""
    return _waiting(waiting, lang, in_short=False)


def _waiting(waiting: Obstacle, lang: Lang, *, in_short: bool) -> str:
    f = waiting.facts
    facts: dict[str, object] = dict(f)
    short, whole = _WAITS[waiting.reason]
    match waiting.reason:
        case WaitReason.UNDER_WAY:
            facts["state"] = stored_word(AttemptState, f["state"], lang)
        case WaitReason.PAUSED:
            facts["what"] = _paused(f, lang)
        case WaitReason.PLANNED_FOR_LATER:
            facts["why"] = stored_word(Reason, f["reason"], lang)
        case WaitReason.NUMBER_BUSY if "rests" in f:
            short = whole = _NUMBER_RESTS
        case WaitReason.CARRIER_TROUBLE if not f["troubles"]:
            short = whole = _RESTS
        case WaitReason.LINES_FULL if not f:
            short = whole = _NO_LINE
        case WaitReason.LINES_FULL if f["ahead"]:
            whole = gettext_noop(
                "every line is in use: %(in_use)s of %(lines)s, and %(ahead)s more urgent ones go first"
            )
            facts["ahead"] = ahead_words(int(f["ahead"]), lang)
        case WaitReason.QUEUE:
            facts["ahead"] = ahead_words(int(f["ahead"]), lang)
        case _:
            pass
    return say(lang, short if in_short else whole, **facts)


def ahead_words(ahead: int, lang: Lang) -> str:
    """How many attempts go first, as counted up to `AHEAD_AT_MOST`."""
    if ahead >= AHEAD_AT_MOST:
        return say(lang, "at least %(n)s", n=f"{AHEAD_AT_MOST:,}")
    return f"{ahead:,}"


def _paused(f: Mapping[str, str | int], lang: Lang) -> str:
    scope, subject = PauseScope(str(f["scope"])), str(f["subject"])
    what = stored_word(Grade, subject, lang) if scope is PauseScope.GRADE else subject
    return " ".join(part for part in (word_of(scope, lang), what) if part)


def _phrases(parts: Sequence[str], lang: Lang) -> str:
    return ("，" if lang is Lang.ZH else ", ").join(parts)


def entry_sentence(entry: Entry, lang: Lang) -> str:
    """What happened, without the time and the actor."""
    return _SENTENCES[entry.kind](entry.facts, lang)


Facts = Mapping[str, Fact]
Tell = Callable[[Facts, Lang], str]


def _yuan(fen: Fact) -> str:
    assert isinstance(fen, int)
    return format_yuan(fen)


def _warning(f: Facts, lang: Lang) -> str:
    facts = {
        "no": f["instruction_no"],
        "source": f["source"],
        "grade": stored_word(Grade, f["grade"], lang),
        "type": stored_word(FraudType, f["fraud_type"], lang),
    }
    risk = f["amount_at_risk_fen"]
    if not risk:
        return say(lang, "warning %(no)s (%(source)s): %(grade)s, %(type)s", **facts)
    return say(
        lang,
        "warning %(no)s (%(source)s): %(grade)s, %(type)s, %(yuan)s yuan at risk",
        yuan=_yuan(risk),
        **facts,
    )


def _numbered(text: str) -> Tell:
    return lambda f, lang: say(lang, text, n=f["n"])


def _attempt_planned(f: Facts, lang: Lang) -> str:
    why = stored_word(Reason, f["reason"], lang)
    return say(
        lang, "call %(n)s planned, to number %(number)s (%(why)s)", n=f["n"], number=f["number"], why=why
    )


def _spoken(f: Facts, lang: Lang) -> str:
    key, at = f["key"], f["heard_at"]
    if key:
        heard = say(lang, 'pressed %(key)s at "%(at)s"', key=key, at=at)
    elif f.get("spoke", False):
        heard = say(lang, 'spoke at "%(at)s"', at=at)
    else:
        heard = say(lang, "the robot speaks")
    return f"{heard} → {f['then']}" + (say(lang, ", the end") if f["end"] else "")


def _attempt_ended(f: Facts, lang: Lang) -> str:
    parts = [stored_word(TelephonyResult, f["result"], lang)]
    if f.get("reach") in {Reach.HUNG_UP_EARLY.value, Reach.CUT_OFF.value, Reach.SILENT.value}:
        parts.append(stored_word(Reach, f["reach"], lang))
    elif f["contact"] != Contact.NONE.value:
        parts.append(stored_word(Contact, f["contact"], lang))
    if f["answer"] != Answer.NONE.value:
        parts.append(stored_word(Answer, f["answer"], lang))
    return say(lang, "call %(n)s ended: %(how)s", n=f["n"], how=_phrases(parts, lang))


def _late(f: Facts, lang: Lang) -> str:
    return "" if f["in_time"] else say(lang, " (late)")


def _assignment(text: str, *, why: type[StrEnum] | None = None) -> Tell:
    def sentence_of(f: Facts, lang: Lang) -> str:
        told = say(lang, text, track=stored_word(Track, f["track"], lang))
        if why is None:
            return told + _late(f, lang)
        return told + say(lang, ": %(why)s", why=stored_word(why, f["reason"], lang))

    return sentence_of


def _assignment_reported(f: Facts, lang: Lang) -> str:
    track, outcome = stored_word(Track, f["track"], lang), stored_word(OutcomeKind, f["outcome"], lang)
    return say(lang, "%(track)s reported: %(outcome)s", track=track, outcome=outcome) + _late(f, lang)


_AMOUNTS: Mapping[str, str] = {
    "intended_fen": gettext_noop("intended %(yuan)s yuan"),
    "stopped_fen": gettext_noop("stopped %(yuan)s yuan"),
    "returned_fen": gettext_noop("returned %(yuan)s yuan"),
}


def _outcome(f: Facts, lang: Lang) -> str:
    parts = [stored_word(OutcomeKind, f["outcome"], lang), stored_word(Contact, f["contact"], lang)]
    parts += [say(lang, text, yuan=_yuan(f[name])) for name, text in _AMOUNTS.items() if f[name]]
    if f.get("reason") == NO_CALL:
        parts.append(say(lang, "without a staff call"))
    return say(lang, "outcome %(id)s: %(what)s", id=f["outcome_id"], what=_phrases(parts, lang))


def _reversal(f: Facts, lang: Lang) -> str:
    if f.get("reason") == MONEY_REFUSED and f.get("without_call"):
        return say(
            lang, "outcome %(id)s, without a staff call, is refused and does not count", id=f["reverses"]
        )
    if f.get("reason") == MONEY_REFUSED:
        return say(lang, "the amounts of outcome %(id)s are refused", id=f["reverses"])
    if f.get("reason") == CLAIM_ENDED:
        return say(
            lang,
            "outcome %(id)s, without a call of ours, does not count: its task ended before anybody approved it",
            id=f["reverses"],
        )
    if f.get("reason") == MONEY_REPLACED:
        return say(lang, "the amounts of outcome %(id)s are replaced by others", id=f["reverses"])
    if f.get("reason") == MONEY_CORRECTED:
        return say(lang, "refused amounts recorded again; %(instead)s", instead=_outcome(f, lang))
    return say(lang, "outcome %(id)s reversed; %(instead)s", id=f["reverses"], instead=_outcome(f, lang))


def _said(text: str, name: str) -> Tell:
    return lambda f, lang: say(lang, text, what=f[name])


def _alarm(text: str) -> Tell:
    return lambda f, lang: say(lang, text, alarm=stored_word(AlarmCode, f["code"], lang))


def _message(f: Facts, lang: Lang) -> str:
    channel = stored_word(MessageChannel, f["channel"], lang)
    purpose = stored_word(MessagePurpose, f["purpose"], lang)
    state = stored_word(MessageState, f["state"], lang)
    return say(lang, "%(channel)s (%(purpose)s): %(state)s", channel=channel, purpose=purpose, state=state)


VIEWS: Mapping[str, str] = {
    "reveal": gettext_noop("saw the person in clear"),
    "conversation": gettext_noop("read what was said and written"),
    "view_photo": gettext_noop("looked at a photo"),
    "view_file": gettext_noop("looked at a file that proves an amount"),
    "hear_recording": gettext_noop("listened to the recording of a call"),
    "view_evidence": gettext_noop("read the evidence of amounts"),
    "print_notice": gettext_noop("printed the notice"),
    "export": gettext_noop("exported records"),
    "look_back": gettext_noop("opened the look-back"),
}
"""The acts by which somebody saw or exported hidden data."""
_OF_WORK: Mapping[str, str] = {
    "desk": gettext_noop("at the desk"),
    "approval": gettext_noop("before an approval"),
    "phone": gettext_noop("answered on the simulated line"),
    "visit": gettext_noop("the visit in hand"),
}
"""Reasons that the work itself gives, so that nobody types one."""
_VISIT_BEFORE = re.compile(r"见面劝阻在办 visit \d+ in hand")
"""How lines of the audit of before say it, which never change."""
_WORK_ACTS = frozenset({"reveal", "conversation", "view_evidence", "view_file", "view_photo"})
"""Acts that the work writes without asking for a reason; where a person gave one, its kind is in the audit too."""


def why_words(why: str, lang: Lang, *, act: str, is_typed: bool) -> str:
    """The reason as typed; a reason that the work gave, in this language."""
    if not is_typed and _VISIT_BEFORE.fullmatch(why):
        why = "visit"
    return say(lang, _OF_WORK[why]) if why in _OF_WORK and act in _WORK_ACTS and not is_typed else why


def _viewed(f: Facts, lang: Lang) -> str:
    known = VIEWS.get(str(f["act"]))
    what = say(lang, known) if known else stored_word(ActKind, f["act"], lang)
    why = why_words(str(f["why"]), lang, act=str(f["act"]), is_typed=bool(f.get("is_typed")))
    return what + say(lang, ": %(why)s", why=why) if why else what


_AUDITED: Mapping[str, str] = {
    AuditedAct.REPORT_PAID: gettext_noop("reported that the person has sent money"),
    AuditedAct.NO_ANSWER: gettext_noop("asked the bank again, no answer"),
    AuditedAct.DELETE_RECORDING: gettext_noop("the recording of a call was deleted"),
}


def _stop_asked(f: Facts, lang: Lang) -> str:
    return say(lang, "%(bank)s was asked to stop %(yuan)s yuan", bank=f["bank"], yuan=_yuan(f["amount_fen"]))


def _stop_answered(f: Facts, lang: Lang) -> str:
    told = f"{f['bank']}{say(lang, ': %(why)s', why=stored_word(StopState, f['result'], lang))}"
    stopped = [say(lang, _AMOUNTS["stopped_fen"], yuan=_yuan(f["stopped_fen"]))] if f["stopped_fen"] else []
    return _phrases([told, *stopped], lang)


def _stop_ended(f: Facts, lang: Lang) -> str:
    why = stored_word(StopResult, f["result"], lang)
    return say(lang, "stop payment ended") + say(lang, ": %(why)s", why=why)


def _act(f: Facts, lang: Lang) -> str:
    """What was done, with its target, result or reason where there is one."""
    told = stored_word(ActKind, f["act"], lang)
    if f.get("by_channel"):
        words = [str(f["told"]), stored_word(NotificationChannel, f["by_channel"], lang)]
        words += [stored_word(NotificationFault, f["fault"], lang)] if f.get("fault") else []
        return told + say(lang, ": %(why)s", why=" · ".join(words))
    about = f.get("to") or f.get("unit") or f.get("why") or _about(f, lang)
    return told + say(lang, ": %(why)s", why=about) if about else told


def _about(f: Facts, lang: Lang) -> str:
    if f.get("grade"):
        grades = (f[name] for name in ("from", "grade") if f.get(name))
        return " → ".join(stored_word(Grade, grade, lang) for grade in grades)
    if f.get("party"):
        return stored_word(PartyKind, f["party"], lang)
    if f.get("of"):
        return say(lang, "of case #%(id)s", id=f["of"])
    for name, kind in (
        ("outcome", OutcomeKind),
        ("who", PersonMet),
        ("family", FamilyResult),
        ("inbound", InboundResult),
        ("result", TelephonyResult),
        ("track", Track),
    ):
        if f.get(name):
            return stored_word(kind, f[name], lang)
    return ""


def _alarm_taken(f: Facts, lang: Lang) -> str:
    told = say(lang, "alarm taken: %(alarm)s", alarm=stored_word(AlarmCode, f["code"], lang))
    return _phrases([told, str(f["why"])], lang) if f.get("why") else told


def _released(f: Facts, lang: Lang) -> str:
    told = say(lang, "released: the warning had waited for a person")
    why = stored_word(HoldReason, f["held_for"], lang) if f.get("held_for") else f.get("why")
    return told + say(lang, ": %(why)s", why=why) if why else told


_SENTENCES: Mapping[EntryKind, Tell] = {
    EntryKind.WARNING: _warning,
    EntryKind.ATTEMPT_PLANNED: _attempt_planned,
    EntryKind.ATTEMPT_SENT: _numbered(gettext_noop("call %(n)s placed")),
    EntryKind.RINGING: _numbered(gettext_noop("call %(n)s rings")),
    EntryKind.ANSWERED: _numbered(gettext_noop("call %(n)s was answered")),
    EntryKind.SPOKEN: _spoken,
    EntryKind.ATTEMPT_ENDED: _attempt_ended,
    EntryKind.MESSAGE: _message,
    EntryKind.ASSIGNMENT_OPENED: _assignment(gettext_noop("%(track)s opened"), why=Reason),
    EntryKind.ASSIGNMENT_SIGNED: _assignment(gettext_noop("%(track)s signed for")),
    EntryKind.ASSIGNMENT_REPORTED: _assignment_reported,
    EntryKind.ASSIGNMENT_WITHDRAWN: _assignment(gettext_noop("%(track)s withdrawn"), why=Reason),
    EntryKind.OUTCOME: _outcome,
    EntryKind.REVERSAL: _reversal,
    EntryKind.APPROVAL: _said(gettext_noop("approved outcome %(what)s"), "outcome_id"),
    EntryKind.STOP_OPENED: lambda _f, lang: say(lang, "a payment is to be stopped"),
    EntryKind.STOP_ASKED: _stop_asked,
    EntryKind.STOP_ANSWERED: _stop_answered,
    EntryKind.STOP_ENDED: _stop_ended,
    EntryKind.AUDITED: lambda f, lang: say(lang, _AUDITED[str(f["act"])]),
    EntryKind.FILED: _said(gettext_noop("a case was filed with the police: %(what)s"), "case_number"),
    EntryKind.FILING_UNDONE: _said(
        gettext_noop("the filed case %(what)s was another person's"), "case_number"
    ),
    EntryKind.ALARM: _alarm(gettext_noop("alarm: %(alarm)s")),
    EntryKind.ALARM_SEEN: _alarm(gettext_noop("alarm acknowledged: %(alarm)s")),
    EntryKind.ALARM_ENDED: _alarm(gettext_noop("alarm over, it was done: %(alarm)s")),
    EntryKind.ALARM_TAKEN: _alarm_taken,
    EntryKind.RELEASED: _released,
    EntryKind.DUPLICATE_KEPT: _said(
        gettext_noop("case #%(what)s was closed as a duplicate of this one"), "case_id"
    ),
    EntryKind.HOLD_PLACED: lambda _f, lang: say(lang, "legal hold: the person is not erased"),
    EntryKind.HOLD_LIFTED: lambda _f, lang: say(lang, "legal hold lifted"),
    EntryKind.ACT: _act,
    EntryKind.VIEWED: _viewed,
}


def moment_words(moment: datetime | None, now: datetime, lang: Lang) -> str:
    """How far away a moment is: `in 2m`, `in 3h`, `4d ago`, and the same in Chinese; '' without a moment."""
    if moment is None:
        return ""
    seconds = (moment - now).total_seconds()
    length, unit = next((step for step in _UNITS if abs(seconds) >= step[0]), _UNITS[-1])
    amount = say(lang, unit, n=int(abs(seconds) // length))
    if seconds < 0:
        return say(lang, "%(amount)s ago", amount=amount)
    return say(lang, "in %(amount)s", amount=amount)


_UNITS = (
    (86_400, gettext_noop("%(n)sd")),
    (3_600, gettext_noop("%(n)sh")),
    (60, gettext_noop("%(n)sm")),
    (1, gettext_noop("%(n)ss")),
)
