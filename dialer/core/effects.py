"""What a decision asks the shell to do. Values: they become rows before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dialer.core.case import Reason
from dialer.core.values import Contact, MessagePurpose, OutcomeKind, Track


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanAttempt:
    """One numbered call attempt, with its earliest time and its place in the queue."""

    n: int
    number: int
    not_before: datetime
    urgency_at: datetime
    windowed: bool
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawAttempt:
    """Attempt `n` is not wanted any more; one at the carrier is cancelled there."""

    n: int
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpediteAttempt:
    """The pending attempt gets another place in the queue and another earliest time."""

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
    """The duty desk gets the open assignment, unless somebody has signed for it."""

    track: Track


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMessage:
    """A message to one of the person's numbers; at most one for each purpose and case."""

    purpose: MessagePurpose
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenStopPayment:
    """Money has left: somebody has to ask the bank to stop the payment 止付, also after the case has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawAssignment:
    track: Track
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOutcome:
    """A line for the ledger of outcomes."""

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
    """Only trial calls are sent to the carrier."""
    NOBODY_ANSWERS = "nobody_answers"
    """No web process runs, so dialling has stopped."""
    SCHEMA_MOVED = "schema_moved"
    """A newer version migrated the database while an older process runs, which claims nothing from then on."""
    CLOCK_JUMPED = "clock_jumped"
    """The clock of a machine went back, or two machines disagree."""
    NO_NEXT_STEP = "no_future"
    UNSIGNED = "unsigned"
    """An assignment was not signed for in time."""
    SOUND_BROKEN = "sound_broken"
    """An approved prompt could not be played in a call; a synthesised voice spoke it instead."""


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
