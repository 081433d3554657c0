"""The counts of a report, its period, and the definition of every rate (docs/metrics.md explains each). Pure.

A rate carries its numerator, its denominator, the moment by which records are chosen, and the records that it excludes.
A numerator counts a part of what its denominator counts, so no rate exceeds one. Periods are half-open, in the time
zone of the centre.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from dialer.core.case import contact_of_outcome
from dialer.core.errors import Invalid
from dialer.core.intervals import Interval, wilson
from dialer.core.text import gettext_noop
from dialer.core.values import AmountKind, Contact, FraudType, Grade, OutcomeKind, TelephonyResult

_DAY = timedelta(days=1)
_FIX = gettext_noop("a day such as 2026-11-25, or a moment such as 2026-11-25T09:00")


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From `start` (included) to `end` (excluded), aware UTC; None means unbounded on that side."""

    start: datetime | None = None
    end: datetime | None = None


def period_of(start: str | None, end: str | None, *, timezone: str) -> Period:
    """The period between two days or moments as typed, in the centre's zone. An end that is given as a day includes the
    whole day. Raises `Invalid`.
    """
    zone = ZoneInfo(timezone)
    period = Period(
        start=_moment(start, zone, field="from", is_end=False) if start else None,
        end=_moment(end, zone, field="to", is_end=True) if end else None,
    )
    if period.start is not None and period.end is not None and period.end <= period.start:
        raise Invalid(field="to", problem="is not after from")
    return period


def _moment(text: str, zone: ZoneInfo, *, field: str, is_end: bool) -> datetime:
    try:
        try:
            day = date.fromisoformat(text.strip())
        except ValueError:
            moment = datetime.fromisoformat(text.strip())
        else:
            moment = datetime.combine(day + _DAY if is_end else day, time.min)
        found = (moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)).astimezone(UTC)
    except ValueError:
        raise Invalid(field=field, problem="is not a day and not a moment", fix=_FIX) from None
    except OverflowError:
        found = None
    if found is None or not is_in_range(found):
        raise Invalid(field=field, problem="is out of range", fix=_FIX)
    return found


def is_in_range(day: date) -> bool:
    """Whether figures can be computed for this day or moment. The limits leave out a year at either end, since a period
    is compared with the one before it and days are local.
    """
    return _FIRST_YEAR < day.year < _LAST_YEAR


_FIRST_YEAR, _LAST_YEAR = 1971, 2140

REACHED_OUTCOMES = frozenset(kind for kind in OutcomeKind if contact_of_outcome(kind) is Contact.VERIFIED)
"""A report with one of these outcomes means that somebody spoke to the right person."""

WRONG_RECORD = frozenset({OutcomeKind.NOT_THE_PERSON, OutcomeKind.MISMATCH})
"""误报: the warning's record was wrong."""

CLARIFYING_OUTCOMES = REACHED_OUTCOMES | WRONG_RECORD
"""Outcomes that tell what was behind the warning."""

NOT_OURS = frozenset({OutcomeKind.DUPLICATE, OutcomeKind.TRANSFERRED, OutcomeKind.WITHDRAWN})
"""Excluded from the rates of what the centre achieved."""

OWN_FAULT = frozenset({TelephonyResult.BLOCKED, TelephonyResult.DEAD_AIR})
"""Failures on our side of the call, which say nothing about the person."""

COUNTED_RESULTS = frozenset(TelephonyResult) - OWN_FAULT - {TelephonyResult.CANCELED, TelephonyResult.UNKNOWN}
"""A robot call that ended at the person's own phone or network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Counts of one slice: everything, one grade, or one fraud type. No count includes drill records, except in a
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
    """Ended as a duplicate, transferred elsewhere, or withdrawn with their list."""
    cases_ours: int = 0
    cases_rung: int = 0
    """Cases with at least one robot call that counts."""
    cases_answered: int = 0
    cases_tried: int = 0
    """Of `cases_ours`, those that somebody called, visited or reached."""
    cases_reached: int = 0
    """Of `cases_tried`, those where we spoke to somebody, the right person or not."""
    cases_called_back: int = 0
    """Of `cases_rung`, those whose person called us: from one of their own numbers, or through to a desk."""
    verified_contact: int = 0
    succeeded: int = 0
    """Successes that no follow-up has undone: provisional, proven and reversed."""
    dissuaded: int = 0
    """Successes that have not been reversed: provisional and proven."""
    dissuaded_by_phone: int = 0
    dissuaded_in_person: int = 0
    saw_through_it: int = 0
    judged: int = 0
    """Successes whose watch period is over, or that a filed case has undone."""
    defrauded_after_warning: int = 0
    found: int = 0
    """Cases that are no longer open and where somebody found out what was behind the warning."""
    found_nothing: int = 0
    """Cases that ended without such a finding: the person was not found, or the case was missed, a duplicate,
    transferred or withdrawn.
    """
    false_alarms: int = 0
    raised: int = 0
    handed_to_person: int = 0
    followed_up: int = 0
    """Of `succeeded`, those with whose person somebody spoke in a follow-up."""
    first_attempt_counted: int = 0
    first_attempt_in_time: int = 0
    first_attempt_pending: int = 0
    first_attempt_not_wanted: int = 0
    """Settled within the limit before anybody called."""

    # Robot calls sent in the window.
    robot_calls: int = 0
    robot_calls_counted: int = 0
    robot_calls_answered: int = 0
    robot_calls_verified: int = 0
    robot_calls_under_way: int = 0
    robot_calls_own_fault: int = 0
    robot_calls_cancelled: int = 0
    robot_calls_unknown: int = 0

    # Follow-up calls by the robot sent in the window, which no count above includes.
    follow_up_calls_counted: int = 0
    follow_up_calls_not_counted: int = 0
    """Under way, failed on our side, cancelled, or without a known result."""
    follow_up_calls_answered: int = 0
    follow_up_calls_verified: int = 0
    follow_up_calls_undoing: int = 0
    """The answer opened the case again."""

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
    """Robot calls sent in the window, by result; those under way are left out."""


COUNT_NAMES = tuple(item.name for item in fields(Counts) if item.name != "results")
"""The names of the count fields, in order."""


class Basis(StrEnum):
    """The event whose time must lie in the window."""

    WARNING_LOADED = "warning_loaded"
    CASE_OPENED = "case_opened"
    CALL_SENT = "call_sent"
    ASSIGNMENT_OPENED = "assignment_opened"
    OUTCOME_RECORDED = "outcome_recorded"
    CASE_FILED = "case_filed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """The definition of one rate: what it counts, out of what, and by which time."""

    name: str
    title: str
    basis: Basis
    numerator: str
    """The name of a field of `Counts` (for `WARNED_BEFORE_FILED`, of a count of filed cases), as are the denominator
    and `excludes`.
    """
    denominator: str
    says: str
    excludes: tuple[str, ...] = ()
    version: int = 1
    """Raised whenever the rate counts something else than before: figures of two versions are not compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A rate with its counts, and how many records were excluded for each reason."""

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
        """Between 0 and 1; None when the denominator is 0."""
        return None if self.denominator == 0 else self.numerator / self.denominator

    @property
    def interval(self) -> Interval | None:
        """The 95 % interval of the true share (Wilson); None when the denominator is 0."""
        return wilson(self.numerator, self.denominator)


FUNNEL = (
    "warnings",
    "cases",
    "cases_ours",
    "cases_tried",
    "cases_reached",
    "verified_contact",
    "succeeded",
    "dissuaded",
    "cases_proven",
)
"""The steps from the warning to the proven success: each counts a part of what the step before counts. Of a case only
the first warning continues in the funnel, and a success requires verified contact with the right person.
"""

TREND = (
    "warnings",
    "cases",
    "cases_ours",
    "robot_calls",
    "human_calls",
    "visits",
    "verified_contact",
    "dissuaded",
    "defrauded_after_warning",
)
"""The counts that are shown day by day."""

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
        says="Of the cases called at least once, those where at least one call was answered; a case is one person"
        " in one incident.",
    ),
    Definition(
        name="called_back",
        title="Called back",
        basis=Basis.CASE_OPENED,
        numerator="cases_called_back",
        denominator="cases_rung",
        says="Of the cases called at least once, those whose person called us: from one of their own numbers, or from"
        " another one and talked to a desk. It is no contact by itself.",
    ),
    Definition(
        name="verified_contact",
        title="Verified contact",
        basis=Basis.CASE_OPENED,
        numerator="verified_contact",
        denominator="cases_ours",
        says="Of our cases, those where the right person said who they are, to the robot, a caller or an officer.",
        excludes=("cases_not_ours",),
        version=2,
    ),
    Definition(
        name="dissuaded",
        title="Dissuaded",
        basis=Basis.CASE_OPENED,
        numerator="dissuaded",
        denominator="cases_ours",
        says="Of our cases, the successes that stand: provisional while the watch period runs, proven after it.",
        excludes=("cases_not_ours",),
        version=2,
    ),
    Definition(
        name="dissuaded_by_phone",
        title="Dissuaded by phone",
        basis=Basis.CASE_OPENED,
        numerator="dissuaded_by_phone",
        denominator="cases_ours",
        says="As dissuaded, where the robot or a caller did it.",
        excludes=("cases_not_ours",),
        version=2,
    ),
    Definition(
        name="dissuaded_in_person",
        title="Dissuaded in person",
        basis=Basis.CASE_OPENED,
        numerator="dissuaded_in_person",
        denominator="cases_ours",
        says="As dissuaded, where an officer did it face to face.",
        excludes=("cases_not_ours",),
        version=2,
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
        name="followed_up",
        title="Followed up",
        basis=Basis.CASE_OPENED,
        numerator="followed_up",
        denominator="succeeded",
        says="Of the successes that no follow-up has undone, those whose person was spoken to again in a follow-up,"
        " by the robot, a caller or an officer.",
    ),
    Definition(
        name="follow_up_verified",
        title="Reached in a follow-up call",
        basis=Basis.CALL_SENT,
        numerator="follow_up_calls_verified",
        denominator="follow_up_calls_counted",
        says="Of the robot's follow-up calls that ended at the person's own phone or network, those where the right"
        " person said who they are.",
        excludes=("follow_up_calls_not_counted",),
    ),
    Definition(
        name="follow_up_undoing",
        title="Opened again by a follow-up call",
        basis=Basis.CALL_SENT,
        numerator="follow_up_calls_undoing",
        denominator="follow_up_calls_answered",
        says="Of the robot's follow-up calls that somebody answered, those whose answer opened the case again: paid"
        " since, in contact again, does not believe it, wants an officer.",
    ),
    Definition(
        name="defrauded_after_success",
        title="Defrauded after a success",
        basis=Basis.CASE_OPENED,
        numerator="cases_reversed",
        denominator="succeeded",
        says="Of the successes that no follow-up has undone, those that a filed case has reversed.",
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
        says="Of the cases that were called or visited, or should have been by now, those first tried within"
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
        version=2,
    ),
)


WARNED_BEFORE_FILED = Definition(
    name="warned_before_filed",
    title="Warned before filed",
    basis=Basis.CASE_FILED,
    numerator="filed_warned",
    denominator="filed_decided",
    says="Of the cases filed with the police of which it is decided who they concern, those whose person we had warned"
    " before the loss: of this type of fraud, at most 180 days earlier.",
    excludes=("filed_doubtful",),
)
"""A rate of filed cases, which `Counts` does not include (`outcomes/filed_figures.py`)."""


def rates_of(counts: Counts) -> tuple[Rate, ...]:
    """Every rate of one slice, in the order of the report."""
    return tuple(
        Rate(
            definition=definition,
            numerator=getattr(counts, definition.numerator),
            denominator=getattr(counts, definition.denominator),
            excludes={name: getattr(counts, name) for name in definition.excludes},
        )
        for definition in DEFINITIONS
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstAttempt:
    """Seconds from the start of a case's clock to its first call attempt, human call or visit; None without cases."""

    cases: int = 0
    p50_seconds: float | None = None
    p90_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """One kind of amount in fen. A ledger line that a later line reverses counts as reversed only."""

    approved_fen: int = 0
    unapproved_fen: int = 0
    reversed_fen: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """The figures of everything, one grade, or one fraud type."""

    counts: Counts
    first_attempt: FirstAttempt
    amounts: Mapping[AmountKind, Money]


def rate_of(part: Slice, name: str) -> Rate:
    """The rate of `part` with this name. Raises `KeyError` for an unknown name."""
    return {rate.definition.name: rate for rate in rates_of(part.counts)}[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The counts and rates of a period, in total and by grade and fraud type."""

    total: Slice
    by_grade: Mapping[Grade, Slice]
    by_fraud_type: Mapping[FraudType, Slice]
    left_out: Mapping[str, int]
    """Drill records in the window, by kind, that no figure includes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The report of a period as computed at `generated_at` (UTC)."""

    generated_at: datetime
    drill: bool
    """True: every figure comes from a drill; none of it really happened."""
    timezone: str
    period: Period
    figures: Figures


_HOURS_A_DAY = 24


class Dimension(StrEnum):
    """The dimensions by which cases are compared, as each case is now. `SCRIPT` is the script of its first call, `HOUR`
    the local hour in which it was opened.
    """

    UNIT = "unit"
    GRADE = "grade"
    FRAUD_TYPE = "fraud_type"
    SOURCE = "source"
    SCRIPT = "script"
    VERSION = "version"
    """As `SCRIPT`, with the number of the version: loan@3."""
    HOUR = "hour"
    PERSON = "person"
    """Who reported the last human call or visit of the case; nobody for a case that the robot ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """A filter of cases: a case must match every field that is given. `unit_ids` None means the whole centre, including
    cases without a unit.
    """

    unit_ids: tuple[int, ...] | None = None
    grade: Grade | None = None
    fraud_type: FraudType | None = None
    source: str = ""
    script_id: str = ""
    version: str = ""
    hour: int | None = None
    person: str = ""

    def __post_init__(self) -> None:
        if self.hour is not None and not 0 <= self.hour < _HOURS_A_DAY:
            raise Invalid(field="hour", problem="is not an hour of the day", fix="0 to 23")

    @property
    def is_whole(self) -> bool:
        """Whether the filter selects every case."""
        return self == CaseFilter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """Figures by the values of a dimension, as text ("" for records without one); a value without records is
    omitted.
    """

    dimension: Dimension
    total: Slice
    slices: Mapping[str, Slice]


WAIT_BOUNDS_SECONDS = (10, 30, 60, 120, 300, 600, 1_800, 3_600, 14_400, 43_200, 86_400)
"""The bounds between the bars of the distribution of times to the first call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """The number of cases by grade and bar: bar n holds times from bound n-1 (included) to bound n (excluded)."""

    by_grade: Mapping[Grade, tuple[int, ...]]

    @property
    def total(self) -> tuple[int, ...]:
        """All grades together."""
        bars = [0] * (len(WAIT_BOUNDS_SECONDS) + 1)
        for counts in self.by_grade.values():
            for place, count in enumerate(counts):
                bars[place] += count
        return tuple(bars)
