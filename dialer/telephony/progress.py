"""What is known of a call at one moment, whoever told it: a webhook, or the carrier when asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dialer.domain.values import TelephonyResult


class Stage(StrEnum):
    INITIATED = "initiated"
    RINGING = "ringing"
    ANSWERED = "answered"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallProgress:
    """`result` is set exactly when the call has ended. Answered says nothing about who answered."""

    stage: Stage
    sid: str
    sequence: int | None = None
    """Counts the status events of a call, from 0; None when the news is no status event. Order is not guaranteed."""
    result: TelephonyResult | None = None
    duration_seconds: int | None = None
    answered_by: str = ""
    """human, machine_*, fax or unknown, in Twilio's words; empty when nothing was said about it."""
    sip_code: int | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallState:
    """A call as the carrier lists it; `status` in Twilio's words. `date_created` is exact to the second."""

    sid: str
    status: str
    date_created: datetime | None
    answered_by: str = ""
    duration_seconds: int | None = None
