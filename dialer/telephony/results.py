"""What is known of a call at one moment, and the one table from the carrier's words to our telephony results.

Within Twilio's protocol a forwarded call or a switched-off phone cannot always be told. Our own carrier adds
`X-LineResult`. It may make a result more exact within the same status, never better, so nothing safe depends on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from dialer.core.values import TelephonyResult


class Stage(StrEnum):
    """How far a call has come."""

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
    """Counts the status events of a call from 0; None for other news. Events may arrive in any order."""
    result: TelephonyResult | None = None
    duration_seconds: int | None = None
    answered_by: str = ""
    """human, machine_*, fax or unknown, in Twilio's words; empty when not reported."""
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


STAGES: Final[Mapping[str, Stage]] = {
    "queued": Stage.INITIATED,
    "initiated": Stage.INITIATED,
    "ringing": Stage.RINGING,
    "in-progress": Stage.ANSWERED,
    "answered": Stage.ANSWERED,
    "completed": Stage.ENDED,
    "busy": Stage.ENDED,
    "no-answer": Stage.ENDED,
    "failed": Stage.ENDED,
    "canceled": Stage.ENDED,
}
"""By CallStatus. An unknown status is ignored: the call is asked about later."""

_BY_STATUS: Final[Mapping[str, TelephonyResult]] = {
    "completed": TelephonyResult.ANSWERED,
    "busy": TelephonyResult.BUSY,
    "no-answer": TelephonyResult.NO_ANSWER,
    "failed": TelephonyResult.FAILED,
    "canceled": TelephonyResult.CANCELED,
}

# 603 Decline, 607 Unwanted: the person refused the call; Twilio reports it as busy.
_REFUSED: Final = (603, 607)
_OF_FAILED: Final[Mapping[TelephonyResult, tuple[int, ...]]] = {
    # Not found, gone, incomplete, ambiguous, nowhere: it is no number.
    TelephonyResult.INVALID_NUMBER: (404, 410, 484, 485, 604),
    # Not available now.
    TelephonyResult.NO_ANSWER: (408, 480, 487),
    TelephonyResult.BUSY: (486, 600),
    TelephonyResult.REJECTED: _REFUSED,
    # Ours or an operator's: forbidden, unpaid, not agreed, stopped on the way, out of order.
    TelephonyResult.BLOCKED: (401, 402, 403, 407, 415, 488, 606, 608, 500, 502, 503, 504),
}
_BY_SIP_CODE: Final[Mapping[str, Mapping[int, TelephonyResult]]] = {
    "busy": dict.fromkeys(_REFUSED, TelephonyResult.REJECTED),
    "no-answer": dict.fromkeys(_REFUSED, TelephonyResult.REJECTED),
    "failed": {code: result for result, codes in _OF_FAILED.items() for code in codes},
}

_BY_LINE_RESULT: Final[Mapping[str, Mapping[str, TelephonyResult]]] = {
    "completed": {
        "forwarded": TelephonyResult.FORWARDED,
        "voicemail": TelephonyResult.MACHINE,
        "machine": TelephonyResult.MACHINE,
    },
    "busy": {"rejected": TelephonyResult.REJECTED},
    "no-answer": {
        "powered_off": TelephonyResult.POWERED_OFF,
        "rejected": TelephonyResult.REJECTED,
        "forwarded": TelephonyResult.FORWARDED,
    },
    "failed": {
        "powered_off": TelephonyResult.POWERED_OFF,
        "rejected": TelephonyResult.REJECTED,
        "invalid_number": TelephonyResult.INVALID_NUMBER,
        "blocked": TelephonyResult.BLOCKED,
    },
}
"""What `X-LineResult` may say of each status; anything else is ignored."""

_MACHINES: Final = ("machine", "fax")


def result_of(
    *, status: str, sip_code: int | None = None, answered_by: str = "", line_result: str = ""
) -> TelephonyResult | None:
    """The result of a finished call; None while it is not finished. `unknown` in AnsweredBy is not a person."""
    base = _BY_STATUS.get(status)
    if base is None:
        return None
    exact = _BY_LINE_RESULT.get(status, {}).get(line_result)
    if exact is not None:
        return exact
    if base is TelephonyResult.ANSWERED and answered_by.startswith(_MACHINES):
        return TelephonyResult.MACHINE
    if sip_code is not None:
        return _BY_SIP_CODE.get(status, {}).get(sip_code, base)
    return base


def progress_of(state: CallState) -> CallProgress:
    """The state that the carrier lists, as news of the call."""
    return CallProgress(
        stage=STAGES.get(state.status, Stage.INITIATED),
        sid=state.sid,
        result=result_of(status=state.status, answered_by=state.answered_by),
        duration_seconds=state.duration_seconds,
        answered_by=state.answered_by,
    )
