"""What an officer reads of a visit: clocks, the course of it, and why the server did not take what his phone sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dialer.domain.acts import ActKind
from dialer.domain.case import Reason
from dialer.domain.errand import AssignmentState, VisitStage, WhoSeen
from dialer.domain.values import OutcomeKind
from dialer.errors import NotFound, Refusal
from dialer.language import Lang, mark, say
from dialer.sentences import refusal_sentence
from dialer.store.reads.visit_list import Told, VisitClock, VisitLine
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
STEPS: Final = (VisitStage.ACCEPTED, VisitStage.ON_THE_WAY, VisitStage.ARRIVED, VisitStage.SEEN)


def refused_words(fault: Refusal, lang: Lang) -> str:
    """Why it was not taken, in one sentence."""
    if isinstance(fault, NotFound):
        return say(lang, "The visit is not there, or belongs to another unit now.")
    return refusal_sentence(fault, lang)


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
