"""What can happen to a case. Provider and clock events that no longer fit change nothing; human ones conflict."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dialer.domain.reach import Reach
from dialer.domain.values import Answer, Contact, FraudType, Grade, OutcomeKind, Tag, TelephonyResult, Track


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOpened:
    """The first warning made the case; its tracks start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningJoined:
    """Another warning of the same person and incident."""

    grade: Grade
    fraud_type: FraudType
    expires_at: datetime | None = None
    amount_at_risk_fen: int | None = None
    tags: frozenset[Tag] = frozenset()
    numbers: int = 0
    """How many numbers the person has now, the new ones last."""
    missed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEnded:
    """Attempt `n` is over, rung or not. Contact and answer are what the conversation came to."""

    n: int
    result: TelephonyResult
    contact: Contact = Contact.NONE
    answer: Answer = Answer.NONE
    reach: Reach | None = None
    """Whom it reached; None where the end came without a conversation to judge by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerWanted:
    """During the call: "speak to an officer", or "I have already paid". The call goes on; a person is needed now."""

    n: int
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerTook:
    """The duty line was answered, and the officer has spoken with whoever was in the call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowClosed:
    """The pending attempt came to its turn when no robot may ring."""

    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed:
    """`due_at` has come: silence is an event."""

    ringing: bool = False
    """The pending attempt is at the carrier now: it has left the queue, and its end will decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrandReported:
    """A caller or an officer says what came of it."""

    track: Track
    outcome: OutcomeKind
    contact: Contact


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeChanged:
    """A person set the grade; a fall needs the reason that the caller of this has kept."""

    grade: Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class RingRequested:
    """A person wants the robot to ring now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRequested:
    """A person wants a human call (or a visit) for this case now."""

    track: Track


@dataclass(frozen=True, slots=True, kw_only=True)
class OptedOut:
    """The person asked not to be rung by a robot for this incident."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseClosed:
    """A person closes the case with an outcome."""

    outcome: OutcomeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFiled:
    """The person reported to the police that money was lost after all (立案)."""


Event = (
    CaseOpened
    | WarningJoined
    | AttemptEnded
    | OfficerWanted
    | OfficerTook
    | WindowClosed
    | TimePassed
    | ErrandReported
    | GradeChanged
    | RingRequested
    | PersonRequested
    | OptedOut
    | CaseClosed
    | CaseFiled
)
