"""A case: one person, one incident, up to three tracks. Frozen; the machine returns a changed copy."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from dialer.domain.values import Contact, FraudType, Grade, OutcomeKind, Tag


class CaseStatus(StrEnum):
    """What a case is in life."""

    OPEN = "open"
    """Somebody or something is still to reach the person."""
    WATCHING = "watching"
    """Dissuaded, provisionally: the watch period runs."""
    PROVEN = "proven"
    """The watch period passed with no case filed."""
    REVERSED = "reversed"
    """A case was filed after a success: it was none."""
    CLOSED = "closed"
    """Ended otherwise; the outcome says how."""

    @property
    def is_settled(self) -> bool:
        return self in {CaseStatus.PROVEN, CaseStatus.REVERSED, CaseStatus.CLOSED}


class Reason(StrEnum):
    """Why a step was taken or is waited for; every page and timeline speaks from these."""

    NEW_WARNING = "new_warning"
    GRADE_RAISED = "grade_raised"
    RETRY = "retry"
    NEXT_NUMBER = "next_number"
    OWN_FAULT = "own_fault"
    BUSY_ON_HIGH = "busy_on_high"
    OUTSIDE_WINDOW = "outside_window"
    PARALLEL_TRACKS = "parallel_tracks"
    NO_CONTACT_IN_TIME = "no_contact_in_time"
    ROBOT_TRIES_USED = "robot_tries_used"
    NO_USABLE_NUMBER = "no_usable_number"
    FORWARDED_OR_MACHINE = "forwarded_or_machine"
    NOT_VERIFIED = "not_verified"
    HUNG_UP_EARLY = "hung_up_early"
    LEFT_UNANSWERED = "left_unanswered"
    """The right person was on the line, and put it down before they said what they will do."""
    SILENT = "silent"
    DOUBTFUL = "doubtful"
    REFUSED = "refused"
    WANTS_OFFICER = "wants_officer"
    ALREADY_PAID = "already_paid"
    WRONG_PERSON = "wrong_person"
    LANGUAGE_OR_HEARING = "language_or_hearing"
    UNKNOWN_SUBMISSION = "unknown_submission"
    WAITED_TOO_LONG = "waited_too_long"
    EXPIRED = "expired"
    SAMPLE = "sample"
    NOT_IN_SAMPLE = "not_in_sample"
    HUMAN_FAILED = "human_failed"
    HUMAN_OVERDUE = "human_overdue"
    VISIT_AGAIN = "visit_again"
    ON_REQUEST = "on_request"
    OPTED_OUT = "opted_out"
    MINOR = "minor"
    VERIFIED_SUCCESS = "verified_success"
    CASE_CLOSED = "case_closed"
    CASE_FILED = "case_filed"
    WATCH_ENDED = "watch_ended"
    NONE = "none"


WISHES = frozenset({Reason.WANTS_OFFICER, Reason.ALREADY_PAID})
"""A ring under way that carries one of these was told so by the person; nothing but the end of the call undoes it."""


class RobotState(StrEnum):
    OFF = "off"
    PENDING = "pending"
    """Exactly one attempt row, the case's newest, is planned or live."""
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Robot:
    state: RobotState = RobotState.OFF
    attempts: int = 0
    """Attempt rows made so far; the newest has this number."""
    tries: int = 0
    """Attempts that counted against the grade's tries."""
    own_faults: int = 0
    """Faults of ours since the last attempt that counted."""
    number: int = 0
    """Which of the person's numbers the newest attempt rings, from 0."""
    dead_numbers: frozenset[int] = frozenset()
    at: datetime | None = None
    """Not before this is the pending attempt rung."""
    patience_at: datetime | None = None
    reason: Reason = Reason.NONE


class ErrandState(StrEnum):
    NONE = "none"
    SCHEDULED = "scheduled"
    """Opens at `at` unless the person has been reached."""
    OPEN = "open"
    """Somebody has it, or is being looked for; overdue at `at`."""
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """A human call or a visit."""

    state: ErrandState = ErrandState.NONE
    at: datetime | None = None
    tries: int = 0
    reason: Reason = Reason.NONE

    @property
    def is_pending(self) -> bool:
        return self.state in {ErrandState.SCHEDULED, ErrandState.OPEN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`due_at` is the earliest of everything it waits for itself; an attempt's own time lives in its row."""

    id: int
    grade: Grade
    fraud_type: FraudType
    opened_at: datetime
    policy_version: int
    numbers: int
    """How many telephone numbers the person has."""
    status: CaseStatus = CaseStatus.OPEN
    outcome: OutcomeKind | None = None
    contact: Contact = Contact.NONE
    expires_at: datetime | None = None
    amount_at_risk_fen: int | None = None
    missed: bool = False
    opted_out: bool = False
    tags: frozenset[Tag] = frozenset()
    warnings: int = 1
    robot: Robot = field(default_factory=Robot)
    human: Errand = field(default_factory=Errand)
    visit: Errand = field(default_factory=Errand)
    watch_until: datetime | None = None

    @property
    def due_at(self) -> datetime | None:
        """When silence becomes an event; None only where nothing is waited for by the clock."""
        times: list[datetime] = []
        if self.status is CaseStatus.OPEN:
            times.extend(e.at for e in (self.human, self.visit) if e.is_pending and e.at is not None)
            if self.robot.state is RobotState.PENDING and self.robot.patience_at is not None:
                times.append(self.robot.patience_at)
            if self.expires_at is not None and not self.missed and self.contact is not Contact.VERIFIED:
                times.append(self.expires_at)
        elif self.status is CaseStatus.WATCHING and self.watch_until is not None:
            times.append(self.watch_until)
        return min(times, default=None)

    @property
    def has_future(self) -> bool:
        """True when the case is settled or something will move it: a time, an errand, or a pending attempt."""
        return (
            self.status.is_settled
            or self.due_at is not None
            or self.robot.state is RobotState.PENDING
            or self.human.is_pending
            or self.visit.is_pending
        )
