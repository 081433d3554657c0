"""What a decision asks the shell to do. Values: they become rows before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dialer.core.case import Reason
from dialer.core.values import Contact, MessagePurpose, OutcomeKind, Track


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanAttempt:
    """One ring, numbered, not before a time, at a place in the queue."""

    n: int
    number: int
    not_before: datetime
    urgency_at: datetime
    windowed: bool
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawAttempt:
    """Attempt `n` must not ring any more; if it rings or talks now it is cancelled at the carrier."""

    n: int
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpediteAttempt:
    """The pending attempt moves: a new place in the queue, and another earliest time."""

    n: int
    not_before: datetime
    urgency_at: datetime
    windowed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAssignment:
    """An assignment for a caller or an officer, with its three clocks."""

    track: Track
    reason: Reason
    sign_by: datetime
    due_at: datetime
    feedback_by: datetime
    urgency_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpediteAssignment:
    """The open assignment goes to the top of the queue, for a reason that outweighs its first."""

    track: Track
    reason: Reason
    urgency_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignToDutyDesk:
    """The duty desk has the open assignment; one that somebody signed for stays theirs."""

    track: Track


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMessage:
    """A message to one of the person's numbers, unless the case had one for that purpose."""

    purpose: MessagePurpose
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenStopPayment:
    """Money has left: somebody asks the bank to stop it 止付, now, whatever becomes of the case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawAssignment:
    track: Track
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOutcome:
    """A line for the ledger of outcomes that the machine itself came to (a robot call, an expiry)."""

    outcome: OutcomeKind
    contact: Contact
    track: Track | None
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class ReverseOutcome:
    """A filed case undoes the success on record."""

    reason: Reason


class AlarmCode(StrEnum):
    MISSED_WARNING = "missed_warning"
    HUMAN_OVERDUE = "human_overdue"
    VISIT_OVERDUE = "visit_overdue"
    OWN_FAULTS = "own_faults"
    ALREADY_PAID = "already_paid"
    CANNOT_FIND = "cannot_find"
    REFUSED_IN_PERSON = "refused_in_person"
    DEFRAUDED_AFTER_SUCCESS = "defrauded_after_success"
    WAITED_TOO_LONG = "waited_too_long"
    REJECTED_HIGH_ROW = "rejected_high_row"
    UNKNOWN_SUBMISSION = "unknown_submission"
    CARRIER_TROUBLE = "carrier_trouble"
    CARRIER_DOWN = "carrier_down"
    """Nothing is sent to the carrier but one trial call now and then."""
    NOBODY_ANSWERS = "nobody_answers"
    """No web process runs, so nobody is rung."""
    SCHEMA_MOVED = "schema_moved"
    """The database was migrated by a newer version while an older process still ran: that one claims nothing."""
    CLOCK_JUMPED = "clock_jumped"
    """The clock of a machine went back, or two machines disagree."""
    NO_NEXT_STEP = "no_future"
    UNSIGNED = "unsigned"
    """Nobody has signed for an assignment in time."""
    SOUND_BROKEN = "sound_broken"
    """An approved prompt could not be played to somebody, and a machine's voice spoke it instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseAlarm:
    code: AlarmCode


Effect = (
    PlanAttempt
    | WithdrawAttempt
    | ExpediteAttempt
    | OpenAssignment
    | ExpediteAssignment
    | AssignToDutyDesk
    | OpenStopPayment
    | SendMessage
    | WithdrawAssignment
    | RecordOutcome
    | ReverseOutcome
    | RaiseAlarm
)
