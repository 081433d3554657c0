"""What the figures of a report are called, for the terminal and the pages; the Chinese is in the catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dialer.language import Lang, say_word
from dialer.outcomes.rates import DEFINITIONS, Basis, Definition

_COUNT, _BASIS, _RATE, _SAYS = "count", "basis", "rate", "rate says"

COUNTS: Mapping[str, str] = {
    "warnings": "warnings",
    "cases": "cases",
    "cases_open": "open",
    "cases_watching": "dissuaded, provisional",
    "cases_proven": "dissuaded, proven",
    "cases_reversed": "reversed",
    "cases_closed": "closed otherwise",
    "cases_missed": "missed",
    "cases_not_ours": "duplicate or transferred",
    "cases_ours": "our cases",
    "cases_rung": "cases called",
    "cases_answered": "cases answered",
    "verified_contact": "verified contact",
    "succeeded": "ever dissuaded",
    "dissuaded": "dissuaded",
    "dissuaded_by_phone": "dissuaded by phone",
    "dissuaded_in_person": "dissuaded in person",
    "saw_through_it": "saw through it",
    "judged": "watch period judged",
    "defrauded_after_warning": "defrauded after warning",
    "found": "found out",
    "found_nothing": "ended without a finding",
    "false_alarms": "false alarms",
    "raised": "raised",
    "handed_to_person": "handed to a person",
    "first_attempt_counted": "first attempts counted",
    "first_attempt_in_time": "first attempts in time",
    "first_attempt_pending": "not tried, not late yet",
    "first_attempt_not_wanted": "settled before any attempt",
    "robot_calls": "robot calls",
    "robot_calls_counted": "robot calls counted",
    "robot_calls_answered": "robot calls answered",
    "robot_calls_verified": "robot calls verified",
    "robot_calls_under_way": "under way",
    "robot_calls_own_fault": "our own line",
    "robot_calls_cancelled": "cancelled",
    "robot_calls_unknown": "unknown whether it rang",
    "human_calls": "human calls",
    "human_calls_waiting": "human calls waiting",
    "human_calls_withdrawn": "human calls withdrawn",
    "human_calls_reached": "reached by a caller",
    "visits": "visits",
    "visits_waiting": "visits waiting",
    "visits_withdrawn": "visits withdrawn",
    "visits_met": "met in person",
    "sign_counted": "to be signed for",
    "signed_in_time": "signed in time",
    "sign_pending": "not signed, not late yet",
    "sign_withdrawn": "withdrawn before signing was late",
    "feedback_counted": "to be reported",
    "feedback_in_time": "reported in time",
    "feedback_pending": "not reported, not late yet",
    "feedback_withdrawn": "withdrawn before the report was late",
}
"""The fields of `Counts`."""

_BASES: Mapping[Basis, str] = {
    Basis.WARNING_LOADED: "by when the warning was loaded",
    Basis.CASE_OPENED: "by when the case was opened",
    Basis.CALL_SENT: "by when the call was sent",
    Basis.ASSIGNMENT_OPENED: "by when the task was opened",
    Basis.OUTCOME_RECORDED: "by when it was recorded",
}


def count_word(name: str, lang: Lang) -> str:
    """What a field of `Counts` is called."""
    return say_word(lang, _COUNT, COUNTS[name])


def basis_word(basis: Basis, lang: Lang) -> str:
    """Whose moment lies in the window."""
    return say_word(lang, _BASIS, _BASES[basis])


def rate_word(definition: Definition, lang: Lang) -> str:
    return say_word(lang, _RATE, definition.title)


def rate_sentence(definition: Definition, lang: Lang) -> str:
    """What the rate says, in one sentence."""
    return say_word(lang, _SAYS, definition.says)


def english() -> Iterator[tuple[str, str]]:
    """Every one of them with its context, for the catalogue."""
    yield from ((_COUNT, text) for text in COUNTS.values())
    yield from ((_BASIS, text) for text in _BASES.values())
    for definition in DEFINITIONS:
        yield _RATE, definition.title
        yield _SAYS, definition.says
