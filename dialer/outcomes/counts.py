"""What a report counts. Each number says whose moment must lie in the window; none is a rate yet."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from dialer.domain.values import TelephonyResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Counts of one slice: everything, one grade, or one fraud type. Drill records are in none of them, except in a
    drill database, where there is nothing else.
    """

    # Warnings loaded in the window.
    warnings: int = 0

    # Cases opened in the window, as they are now.
    cases: int = 0
    cases_open: int = 0
    cases_watching: int = 0
    cases_proven: int = 0
    cases_reversed: int = 0
    cases_closed: int = 0
    cases_missed: int = 0
    cases_not_ours: int = 0
    """Ended as a duplicate, or transferred elsewhere."""
    cases_ours: int = 0
    cases_rung: int = 0
    """At least one robot call that counts."""
    cases_answered: int = 0
    verified_contact: int = 0
    succeeded: int = 0
    """Provisional, proven and reversed: every success that was ever claimed."""
    dissuaded: int = 0
    """Successes that stand: provisional and proven."""
    dissuaded_by_phone: int = 0
    dissuaded_in_person: int = 0
    saw_through_it: int = 0
    judged: int = 0
    """Successes whose watch period is over, or that a filed case has undone."""
    defrauded_after_warning: int = 0
    found: int = 0
    """Somebody has found out what was behind the warning."""
    found_nothing: int = 0
    """Ended without that: nobody found, missed, duplicate, transferred."""
    false_alarms: int = 0
    raised: int = 0
    handed_to_person: int = 0
    first_attempt_counted: int = 0
    first_attempt_in_time: int = 0
    first_attempt_pending: int = 0
    first_attempt_not_wanted: int = 0
    """Settled within the limit before anybody rang."""

    # Robot calls sent in the window.
    robot_calls: int = 0
    robot_calls_counted: int = 0
    robot_calls_answered: int = 0
    robot_calls_verified: int = 0
    robot_calls_under_way: int = 0
    robot_calls_own_fault: int = 0
    robot_calls_cancelled: int = 0
    robot_calls_unknown: int = 0

    # Human calls and visits opened in the window.
    human_calls: int = 0
    """Made and reported."""
    human_calls_waiting: int = 0
    human_calls_withdrawn: int = 0
    human_calls_reached: int = 0
    visits: int = 0
    visits_waiting: int = 0
    visits_withdrawn: int = 0
    visits_met: int = 0
    sign_counted: int = 0
    signed_in_time: int = 0
    sign_pending: int = 0
    sign_withdrawn: int = 0
    feedback_counted: int = 0
    feedback_in_time: int = 0
    feedback_pending: int = 0
    feedback_withdrawn: int = 0

    results: dict[TelephonyResult, int] = field(default_factory=dict)
    """How the robot calls sent in the window ended; those under way are in none."""


COUNTED = tuple(item.name for item in fields(Counts) if item.name != "results")
"""The names of the plain numbers, in order."""
