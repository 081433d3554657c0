"""The English words for counts and rates of the report and for measures of a trial."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dialer.core.intervals import MARGIN, ShareComparison, TrialConclusion
from dialer.core.rates import COUNT_NAMES, DEFINITIONS, WARNED_BEFORE_FILED, Basis, Definition
from dialer.core.text import Lang, gettext_noop
from dialer.language.catalogue import say, say_word
from dialer.language.enumerations import ENUMERATIONS, english_word

_COUNT, _BASIS, _RATE, _SAYS = "count", "basis", "rate", "rate says"

COUNT_WORDS: Mapping[str, str] = {
    "cases_open": "open",
    "cases_watching": "dissuaded, provisional",
    "cases_proven": "dissuaded, proven",
    "cases_reversed": "reversed",
    "cases_closed": "closed otherwise",
    "cases_missed": "missed",
    "cases_not_ours": "duplicate, transferred or withdrawn",
    "cases_ours": "our cases",
    "cases_rung": "cases called",
    "cases_tried": "called or visited",
    "cases_reached": "spoken to",
    "succeeded": "ever dissuaded",
    "judged": "watch period judged",
    "found": "found out",
    "found_nothing": "ended without a finding",
    "handed_to_person": "handed to a person",
    "first_attempt_counted": "first attempts counted",
    "first_attempt_in_time": "first attempts in time",
    "first_attempt_pending": "not tried, not late yet",
    "first_attempt_not_wanted": "settled before any attempt",
    "robot_calls_under_way": "under way",
    "robot_calls_own_fault": "our own line",
    "robot_calls_cancelled": "cancelled",
    "robot_calls_unknown": "unknown whether it rang",
    "follow_up_calls_counted": "follow-up calls",
    "follow_up_calls_not_counted": "follow-up calls that do not count",
    "follow_up_calls_answered": "follow-up calls answered",
    "follow_up_calls_verified": "reached in a follow-up call",
    "follow_up_calls_undoing": "opened again by a follow-up call",
    "human_calls_reached": "reached by a caller",
    "visits_met": "met in person",
    "sign_counted": "to be signed for",
    "sign_pending": "not signed, not late yet",
    "sign_withdrawn": "withdrawn before signing was late",
    "feedback_counted": "to be reported",
    "feedback_in_time": "reported in time",
    "feedback_pending": "not reported, not late yet",
    "feedback_withdrawn": "withdrawn before the report was late",
    "filed_warned": "filed cases warned before",
    "filed_decided": "filed cases decided",
    "filed_doubtful": "filed cases to be decided",
}
"""The words for the fields of `Counts` whose name is not their word, and for the counts of filed cases."""

RECORD_WORDS: Mapping[str, str] = {
    "given": "tasks given",
    "signed_late": "signed for late",
    "feedback_late": "fed back late",
    "cases_ended": "our cases that ended",
    "never_dissuaded": "never spoken to",
    "entries_missing": "entries missing",
}
"""The words for the counts of a unit's record that are no fields of `Counts`."""

_BASES: Mapping[Basis, str] = {
    Basis.WARNING_LOADED: "by when the warning was loaded",
    Basis.CASE_OPENED: "by when the case was opened",
    Basis.CALL_SENT: "by when the call was sent",
    Basis.ASSIGNMENT_OPENED: "by when the task was opened",
    Basis.OUTCOME_RECORDED: "by when it was recorded",
    Basis.CASE_FILED: "by when the case was filed",
}


def count_word(name: str, lang: Lang) -> str:
    """The word for a field of `Counts`."""
    return say_word(lang, _COUNT, _english_count(name))


def _english_count(name: str) -> str:
    return COUNT_WORDS.get(name) or RECORD_WORDS.get(name) or name.replace("_", " ")


def basis_word(basis: Basis, lang: Lang) -> str:
    """Which moment of a record lies in the window."""
    return say_word(lang, _BASIS, _BASES[basis])


def rate_word(definition: Definition, lang: Lang) -> str:
    """The title of a rate in this language."""
    return say_word(lang, _RATE, definition.title)


def rate_sentence(definition: Definition, lang: Lang) -> str:
    """What the rate says, in one sentence."""
    return say_word(lang, _SAYS, definition.says)


TRIAL_MEASURES: Mapping[str, str] = {
    "dissuaded": gettext_noop("Dissuaded by phone or in person"),
    "verified": gettext_noop("Verified contact"),
    "hung_up_early": gettext_noop("Hung up early"),
    "defrauded": gettext_noop("Defrauded after the warning"),
}
TRIAL_MEASURE_SENTENCES: Mapping[str, str] = {
    "dissuaded": gettext_noop(
        "Of the people who picked up, those whose case ended as dissuaded by phone or in person. "
        "A trial is decided by this."
    ),
    "verified": gettext_noop("Of the people who picked up, those who said that they are the right person."),
    "hung_up_early": gettext_noop(
        "Of the people who picked up, those who were gone before the warning was spoken."
    ),
    "defrauded": gettext_noop(
        "Of the people who picked up, those with a case that was filed with the police, "
        "as far as filed cases were loaded."
    ),
}
NO_FILED_CASES = gettext_noop("no filed cases loaded")
_PERCENT = 100


def trial_sentence(lang: Lang, verdict: TrialConclusion, live: int) -> str:
    """What is known now of a version in a trial, compared with the live version, as one sentence."""
    if verdict.finding is ShareComparison.TOO_FEW:
        text = gettext_noop("not enough people yet: about %(more)s more each")
        return say(lang, text, more=f"{verdict.more_each:,}")
    if verdict.finding is ShareComparison.ALIKE:
        text = gettext_noop("no difference to version %(live)s that matters (below %(margin)s points)")
        return say(lang, text, live=live, margin=f"{_PERCENT * MARGIN:.0f}")
    assert verdict.difference is not None
    points = f"{_PERCENT * abs(verdict.difference):.1f}"
    text = gettext_noop("worse than version %(live)s, by about %(points)s points")
    if verdict.finding is ShareComparison.BETTER:
        text = gettext_noop("better than version %(live)s, by about %(points)s points")
    return say(lang, text, live=live, points=points)


def words_for_catalogue() -> Iterator[tuple[str, str]]:
    """Every word with its context, which for an enumeration is its name."""
    for kind in ENUMERATIONS:
        for member in kind:
            yield kind.__name__, english_word(member)
    of_filed = (WARNED_BEFORE_FILED.numerator, WARNED_BEFORE_FILED.denominator, *WARNED_BEFORE_FILED.excludes)
    yield from ((_COUNT, _english_count(name)) for name in (*COUNT_NAMES, *of_filed, *RECORD_WORDS))
    yield from ((_BASIS, text) for text in _BASES.values())
    for definition in (*DEFINITIONS, WARNED_BEFORE_FILED):
        yield _RATE, definition.title
        yield _SAYS, definition.says
