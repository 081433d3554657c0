"""What an officer reads of a visit: clocks, the course of it, and why the server did not take what his phone sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dialer.domain.acts import ActKind
from dialer.domain.case import Reason
from dialer.domain.errand import AssignmentState, VisitStage, WhoSeen
from dialer.domain.values import OutcomeKind
from dialer.errors import Conflict, Invalid, NotFound, Overtaken, Refusal
from dialer.language import Lang, mark, say
from dialer.store.reads.visit_list import Told, VisitClock, VisitLine
from dialer.web.console.refusals import problem
from dialer.words import word

CLOCKS: Final[Mapping[VisitClock, str]] = {
    VisitClock.SIGN: mark("Acknowledge by"),
    VisitClock.ARRIVE: mark("Arrive by"),
    VisitClock.REPORT: mark("Report by"),
}
RESULTS: Final[tuple[tuple[str, tuple[OutcomeKind, ...]], ...]] = (
    (
        mark("The person will not pay"),
        (OutcomeKind.DISSUADED_IN_PERSON, OutcomeKind.SAW_THROUGH_IT, OutcomeKind.DISSUADED_BY_PHONE),
    ),
    (
        mark("Not dissuaded"),
        (OutcomeKind.HALF_BELIEVES, OutcomeKind.REFUSES, OutcomeKind.ALREADY_DEFRAUDED),
    ),
    (
        mark("Not met, or the record is wrong"),
        (
            OutcomeKind.CANNOT_FIND_YET,
            OutcomeKind.CANNOT_FIND,
            OutcomeKind.LANGUAGE_OR_HEARING,
            OutcomeKind.NOT_THE_PERSON,
            OutcomeKind.MISMATCH,
        ),
    ),
)
_CONFLICTS: Final[Mapping[str, str]] = {
    "asked": mark("It is asked of another unit already."),
    "accepted": mark("The transfer has been accepted already."),
    "refused": mark("The transfer has been refused already."),
    "repeated": mark("This was sent before with other words."),
    "closed": mark("That unit is closed."),
}
_CONFLICT: Final = mark("It does not fit what the case has become meanwhile.")
_AT_MOST: Final = " at most"
KNOWN: Final = (
    mark("is one too many"),
    mark("is too large"),
    mark("is no picture that we read"),
    mark("JPEG, PNG or WebP"),
    mark("is damaged"),
    mark("take it again"),
    mark("is missing"),
    mark("money on record needs its evidence, such as a receipt"),
    mark("is no amount"),
    mark("yuan, such as 12000 or 12000.50"),
    mark("has parts of a fen"),
    mark("two decimals at most"),
    mark("is not between 0 and a trillion yuan"),
    mark("say it in a few words"),
)
"""Refusals of what an officer enters."""
STEPS: Final = (VisitStage.ACCEPTED, VisitStage.ON_THE_WAY, VisitStage.ARRIVED, VisitStage.SEEN)


def refused_words(fault: Refusal, lang: Lang) -> str:
    """Why it was not taken, in one sentence."""
    match fault:
        case Overtaken():
            return overtaken_words(fault, lang)
        case Conflict():
            return say(lang, _CONFLICTS.get(fault.current, _CONFLICT))
        case NotFound():
            return say(lang, "The visit is not there, or belongs to another unit now.")
        case Invalid():
            return _invalid_words(fault, lang)
        case _:
            return str(fault)


def _invalid_words(fault: Invalid, lang: Lang) -> str:
    most = fault.mend.removesuffix(_AT_MOST)
    if most == fault.mend:
        return problem(fault, lang)
    return f"{say(lang, fault.problem)}: " + say(lang, "%(most)s at most", most=most)


def overtaken_words(fault: Overtaken, lang: Lang) -> str:
    """Who did what to the visit meanwhile."""
    outcome = next((kind for kind in OutcomeKind if kind.value == fault.what), None)
    if fault.who and outcome is not None:
        what = word(outcome, lang)
        return say(lang, "%(who)s has reported it already: %(what)s.", who=fault.who, what=what)
    if fault.who:
        return say(lang, "%(who)s has it now.", who=fault.who)
    if fault.what == AssignmentState.OPEN.value:
        return say(lang, "It went back to the queue. Accept it again.")
    return withdrawn_words(fault.what, lang)


def withdrawn_words(why: str, lang: Lang) -> str:
    reason = next((one for one in Reason if one.value == why), None)
    told = word(reason, lang) if reason is not None else why
    return say(lang, "No visit is needed any more: %(why)s.", why=told)


def over_words(line: VisitLine, lang: Lang) -> str:
    """How a visit ended."""
    if line.state is AssignmentState.WITHDRAWN:
        return withdrawn_words(line.withdrawn_why, lang)
    what = word(line.outcome, lang) if line.outcome is not None else ""
    return say(lang, "%(who)s reported: %(what)s.", who=line.done_by, what=what)


def course_words(told: Told, lang: Lang) -> str:
    """One act, without what was typed."""
    facts = told.facts
    match told.kind:
        case ActKind.VISIT_SEEN:
            seen = word(WhoSeen(facts["who"]), lang)
            return say(lang, "seen: %(who)s", who=seen)
        case ActKind.VISIT_NOTE if facts.get("late"):
            what = word(OutcomeKind(facts["outcome"]), lang)
            return say(lang, "report that came too late, kept as a note: %(what)s", what=what)
        case ActKind.TRANSFER_ASKED | ActKind.TRANSFER_ACCEPTED | ActKind.UNIT_RAISED if facts.get("to"):
            return f"{word(told.kind, lang)}: {facts['to']}"
        case _:
            return word(told.kind, lang)
