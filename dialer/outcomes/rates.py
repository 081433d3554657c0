"""The definition of every rate, and nothing else: docs/metrics.md explains each one of these, which a test holds.

A rate is never a bare percentage: it carries its numerator, its denominator, whose moment the window selects, and
what was left out. A numerator counts a part of what its denominator counts, so no rate exceeds one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from dialer.outcomes.counts import Counts


class Basis(StrEnum):
    """Whose moment must lie in the window."""

    WARNING_LOADED = "warning_loaded"
    CASE_OPENED = "case_opened"
    CALL_SENT = "call_sent"
    ASSIGNMENT_OPENED = "assignment_opened"
    OUTCOME_RECORDED = "outcome_recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    name: str
    title: str
    basis: Basis
    numerator: str
    """A field of `Counts`; so are the denominator and everything left out."""
    denominator: str
    says: str
    excludes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    definition: Definition
    numerator: int
    denominator: int
    excludes: Mapping[str, int]

    def __post_init__(self) -> None:
        if not 0 <= self.numerator <= self.denominator:
            raise ValueError(
                f"{self.definition.name}: {self.numerator} of {self.denominator} is no part of a whole"
            )

    @property
    def value(self) -> float | None:
        """Between 0 and 1; None of nothing."""
        return None if self.denominator == 0 else self.numerator / self.denominator


_NOT_COUNTED_CALLS = (
    "robot_calls_under_way",
    "robot_calls_own_fault",
    "robot_calls_cancelled",
    "robot_calls_unknown",
)

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        name="answered_per_attempt",
        title="Answered, per attempt",
        basis=Basis.CALL_SENT,
        numerator="robot_calls_answered",
        denominator="robot_calls_counted",
        says="Of the robot calls that ended at the person's own phone or network, those that somebody answered.",
        excludes=_NOT_COUNTED_CALLS,
    ),
    Definition(
        name="answered_per_person",
        title="Answered, per person",
        basis=Basis.CASE_OPENED,
        numerator="cases_answered",
        denominator="cases_rung",
        says="Of the cases rung at least once, those where at least one ring was answered; a case is one person in"
        " one incident.",
    ),
    Definition(
        name="verified_contact",
        title="Verified contact",
        basis=Basis.CASE_OPENED,
        numerator="verified_contact",
        denominator="cases_ours",
        says="Of our cases, those where the right person said who they are, to the robot, a caller or an officer.",
        excludes=("cases_not_ours",),
    ),
    Definition(
        name="dissuaded",
        title="Dissuaded",
        basis=Basis.CASE_OPENED,
        numerator="dissuaded",
        denominator="cases_ours",
        says="Of our cases, the successes that stand: provisional while the watch period runs, proven after it.",
        excludes=("cases_not_ours",),
    ),
    Definition(
        name="dissuaded_by_phone",
        title="Dissuaded by phone",
        basis=Basis.CASE_OPENED,
        numerator="dissuaded_by_phone",
        denominator="cases_ours",
        says="As dissuaded, where the robot or a caller did it.",
        excludes=("cases_not_ours",),
    ),
    Definition(
        name="dissuaded_in_person",
        title="Dissuaded in person",
        basis=Basis.CASE_OPENED,
        numerator="dissuaded_in_person",
        denominator="cases_ours",
        says="As dissuaded, where an officer did it face to face.",
        excludes=("cases_not_ours",),
    ),
    Definition(
        name="proven",
        title="Successes proven",
        basis=Basis.CASE_OPENED,
        numerator="cases_proven",
        denominator="judged",
        says="Of the successes whose watch period is over or that a filed case has undone, those that held.",
        excludes=("cases_watching",),
    ),
    Definition(
        name="defrauded_after_success",
        title="Defrauded after a success",
        basis=Basis.CASE_OPENED,
        numerator="cases_reversed",
        denominator="succeeded",
        says="Of all successes ever claimed, those that a filed case has reversed.",
    ),
    Definition(
        name="defrauded_after_warning",
        title="Defrauded after warning",
        basis=Basis.CASE_OPENED,
        numerator="defrauded_after_warning",
        denominator="cases",
        says="Of all cases, reached or not, those whose person filed a case with the police after the warning.",
    ),
    Definition(
        name="first_attempt_in_time",
        title="First attempt in time",
        basis=Basis.CASE_OPENED,
        numerator="first_attempt_in_time",
        denominator="first_attempt_counted",
        says="Of the cases that were rung, called or visited, or should have been by now, those tried first within"
        " their grade's limit; low and medium grades count from the opening of the dialling window.",
        excludes=("first_attempt_pending", "first_attempt_not_wanted"),
    ),
    Definition(
        name="human_reached",
        title="Reached by a caller",
        basis=Basis.ASSIGNMENT_OPENED,
        numerator="human_calls_reached",
        denominator="human_calls",
        says="Of the human calls that were made, those that spoke to the right person.",
        excludes=("human_calls_waiting", "human_calls_withdrawn"),
    ),
    Definition(
        name="visits_met",
        title="Met in person",
        basis=Basis.ASSIGNMENT_OPENED,
        numerator="visits_met",
        denominator="visits",
        says="Of the visits that were made, those that met the right person.",
        excludes=("visits_waiting", "visits_withdrawn"),
    ),
    Definition(
        name="signed_in_time",
        title="Signed in time",
        basis=Basis.ASSIGNMENT_OPENED,
        numerator="signed_in_time",
        denominator="sign_counted",
        says="Of the human calls and visits that somebody signed for, or should have by now, those signed in time.",
        excludes=("sign_pending", "sign_withdrawn"),
    ),
    Definition(
        name="feedback_in_time",
        title="Feedback in time",
        basis=Basis.ASSIGNMENT_OPENED,
        numerator="feedback_in_time",
        denominator="feedback_counted",
        says="Of the human calls and visits that were reported, or should have been by now, those reported in time.",
        excludes=("feedback_pending", "feedback_withdrawn"),
    ),
    Definition(
        name="raised",
        title="Raised",
        basis=Basis.CASE_OPENED,
        numerator="raised",
        denominator="cases",
        says="Of all cases, those whose grade is higher now than their first warning's.",
    ),
    Definition(
        name="handed_to_person",
        title="Handed to a person",
        basis=Basis.CASE_OPENED,
        numerator="handed_to_person",
        denominator="cases",
        says="Of all cases, those for which a human call or a visit was ever opened.",
    ),
    Definition(
        name="false_alarms",
        title="False alarms",
        basis=Basis.CASE_OPENED,
        numerator="false_alarms",
        denominator="found",
        says="Of the cases where somebody found out what was behind the warning, those where its record was wrong:"
        " not the person, or a mismatch.",
        excludes=("cases_open", "found_nothing"),
    ),
)


def rate_of(definition: Definition, counts: Counts) -> Rate:
    return Rate(
        definition=definition,
        numerator=getattr(counts, definition.numerator),
        denominator=getattr(counts, definition.denominator),
        excludes={name: getattr(counts, name) for name in definition.excludes},
    )


def rates_of(counts: Counts) -> tuple[Rate, ...]:
    """Every rate of one slice, in the order of the report."""
    return tuple(rate_of(definition, counts) for definition in DEFINITIONS)
