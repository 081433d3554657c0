"""The SQL conditions of every count of the report, by kind of record, on the columns that `dialer.figures.records`
names. PostgreSQL and DuckDB evaluate the same text.
"""

from __future__ import annotations

from collections.abc import Mapping

from dialer.core.attempt import UNSENT_STATES
from dialer.core.case import PENDING_STATES
from dialer.core.follow_up import UNDOING_ANSWERS
from dialer.core.rates import (
    CLARIFYING_OUTCOMES,
    COUNTED_RESULTS,
    NOT_OURS,
    OWN_FAULT,
    REACHED_OUTCOMES,
    WAIT_BOUNDS_SECONDS,
    WRONG_RECORD,
)
from dialer.core.values import AmountKind, Grade, TelephonyResult
from dialer.db.columns import words


def _rank(column: str) -> str:
    arms = " ".join(f"WHEN '{grade.value}' THEN {grade.rank}" for grade in Grade)
    return f"CASE {column} {arms} END"


def _assignments(kind: str, plural: str, reached: str) -> dict[str, str]:
    return {
        plural: f"kind = '{kind}' AND state = 'done'",
        f"{plural}_waiting": f"kind = '{kind}' AND state IN {words(PENDING_STATES)}",
        f"{plural}_withdrawn": f"kind = '{kind}' AND state = 'withdrawn'",
        f"{plural}_{reached}": f"kind = '{kind}' AND state = 'done' AND outcome IN {words(REACHED_OUTCOMES)}",
    }


COUNTED_RESULT = f"result IN {words(COUNTED_RESULTS)}"
NOT_OURS_OUTCOME = f"outcome IN {words(NOT_OURS)}"

WARNING_MEASURES: Mapping[str, str] = {"warnings": "true"}

CASE_STATES: Mapping[str, str] = {"pending": "waits AND CAST(:now AS timestamptz) <= late_at"}
"""What the conditions read of a case that depends on `now`, as SQL on its columns."""

CASE_MEASURES: Mapping[str, str] = {
    "cases": "true",
    "cases_open": "status = 'open'",
    "cases_watching": "status = 'watching'",
    "cases_proven": "status = 'proven'",
    "cases_reversed": "status = 'reversed'",
    "cases_closed": "status = 'closed'",
    "cases_missed": "missed",
    "cases_not_ours": "not_ours",
    "cases_ours": "NOT not_ours",
    "cases_rung": "rung",
    "cases_answered": "rung AND answered",
    "cases_tried": "NOT not_ours AND (has_first OR contact <> 'none')",
    "cases_reached": "NOT not_ours AND contact <> 'none'",
    "cases_called_back": "rung AND called_back",
    "verified_contact": "NOT not_ours AND contact = 'verified'",
    "succeeded": "stands OR status = 'reversed'",
    "dissuaded": "stands",
    "dissuaded_by_phone": "stands AND outcome = 'dissuaded_by_phone'",
    "dissuaded_in_person": "stands AND outcome = 'dissuaded_in_person'",
    "saw_through_it": "stands AND outcome = 'saw_through_it'",
    "judged": "status IN ('proven', 'reversed')",
    "defrauded_after_warning": "filed",
    "found": f"status <> 'open' AND outcome IN {words(CLARIFYING_OUTCOMES)}",
    "found_nothing": f"status <> 'open' AND (outcome IN {words(CLARIFYING_OUTCOMES)}) IS NOT TRUE",
    "false_alarms": f"status <> 'open' AND outcome IN {words(WRONG_RECORD)}",
    "raised": f"{_rank('grade')} > {_rank('first_grade')}",
    "handed_to_person": "handed",
    "followed_up": "(stands OR status = 'reversed') AND followed",
    "first_attempt_counted": "NOT not_wanted AND NOT pending",
    "first_attempt_in_time": "in_time",
    "first_attempt_pending": "pending",
    "first_attempt_not_wanted": "not_wanted",
    "first_cases": "has_first",
}
"""Conditions on the columns of a case and on `CASE_STATES`."""


def bar_of(seconds: str) -> str:
    """The SQL for the bar in which a number of seconds lies; NULL of NULL."""
    bounds = ", ".join(str(bound) for bound in WAIT_BOUNDS_SECONDS)
    return f"width_bucket(CAST({seconds} AS double precision), CAST(ARRAY[{bounds}] AS double precision[]))"


FIRST_BAR, CONTACT_BAR = "first_bar", "contact_bar"
"""The columns of a case that give the bar of its time to the first attempt and to verified contact."""
MOST_BARS = len(WAIT_BOUNDS_SECONDS) + 1

NO_FOLLOW_UP = "reason <> 'follow_up'"
"""Excludes calls and assignments of a follow-up, which say nothing about how a warning reached its person."""

# Of an attempt `a`. One that was refused, waited again and was then withdrawn was never a call.
SENT = (
    f"a.state NOT IN {words(UNSENT_STATES)} AND (a.sid IS NOT NULL OR a.result IS DISTINCT FROM 'canceled')"
)

_WARNING_CALLS: Mapping[str, str] = {
    "robot_calls": "true",
    "robot_calls_counted": COUNTED_RESULT,
    "robot_calls_answered": "result = 'answered'",
    "robot_calls_verified": "result = 'answered' AND contact = 'verified'",
    "robot_calls_under_way": "result IS NULL",
    "robot_calls_own_fault": f"result IN {words(OWN_FAULT)}",
    "robot_calls_cancelled": "result = 'canceled'",
    "robot_calls_unknown": "result = 'unknown'",
} | {f"result_{result.value}": f"result = '{result.value}'" for result in TelephonyResult}
_FOLLOW_UP_CALLS: Mapping[str, str] = {
    "follow_up_calls_counted": COUNTED_RESULT,
    "follow_up_calls_not_counted": f"({COUNTED_RESULT}) IS NOT TRUE",
    "follow_up_calls_answered": "result = 'answered'",
    "follow_up_calls_verified": "result = 'answered' AND contact = 'verified'",
    "follow_up_calls_undoing": f"result = 'answered' AND answer IN {words(UNDOING_ANSWERS)}",
}

CALL_MEASURES: Mapping[str, str] = {
    name: f"called AND NOT follow_up AND ({condition})" for name, condition in _WARNING_CALLS.items()
} | {name: f"called AND follow_up AND ({condition})" for name, condition in _FOLLOW_UP_CALLS.items()}
"""Conditions on the columns of a call; `called` says whether it meets `SENT`."""

# The moment until which an assignment could be signed or reported: a withdrawn one is late only if it was late by then.
_OVER_AT = "(CASE WHEN state = 'withdrawn' THEN done_at ELSE CAST(:now AS timestamptz) END)"
ASSIGNMENT_STATES: Mapping[str, str] = {
    "sign_counts": f"signed_at IS NOT NULL OR sign_by < {_OVER_AT}",
    "feedback_counts": f"state = 'done' OR feedback_by < {_OVER_AT}",
}
"""What the conditions read of an assignment that depends on `now`, as SQL on its columns."""

ASSIGNMENT_MEASURES: Mapping[str, str] = {
    **_assignments("human", "human_calls", "reached"),
    **_assignments("visit", "visits", "met"),
    "sign_counted": "sign_counts",
    "signed_in_time": "signed_early",
    "sign_pending": "NOT sign_counts AND state <> 'withdrawn'",
    "sign_withdrawn": "NOT sign_counts AND state = 'withdrawn'",
    "feedback_counted": "feedback_counts",
    "feedback_in_time": "reported_early",
    "feedback_pending": "NOT feedback_counts AND state <> 'withdrawn'",
    "feedback_withdrawn": "NOT feedback_counts AND state = 'withdrawn'",
}
"""Conditions on the columns of an assignment and on `ASSIGNMENT_STATES`."""


MONEY_STATES: Mapping[str, str] = {
    "approved": "NOT reversed AND approved",
    "unapproved": "NOT reversed AND NOT approved",
    "reversed": "reversed",
}
"""The three states of a ledger line with money, as conditions on its columns."""


def money_name(kind: AmountKind, state: str) -> str:
    """The name of the sum of the lines of this kind and state, in fen."""
    return f"{kind.value}_{state}_fen"


MONEY = tuple(money_name(kind, state) for kind in AmountKind for state in MONEY_STATES)

BARS = tuple(f"{name}_{bar}" for name in (FIRST_BAR, CONTACT_BAR) for bar in range(MOST_BARS))


def counts_of(measures: Mapping[str, str]) -> str:
    """The SELECT list that counts the rows that meet each condition."""
    return ",\n    ".join(
        f"count(*) FILTER (WHERE {condition}) AS {name}" for name, condition in measures.items()
    )
