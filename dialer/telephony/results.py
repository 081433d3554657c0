"""The one table from what the carrier says of a finished call to our telephony results.

Within Twilio's protocol a forwarded call or a switched-off phone cannot always be told. Our own carrier adds
`X-LineResult`; it may make a result more exact within the same status, never better, so nothing safe depends on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dialer.domain.values import TelephonyResult as Result
from dialer.telephony.progress import CallProgress, CallState, Stage

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
"""By CallStatus. A status that Twilio has not invented yet tells nothing: the call is asked about later."""

_BY_STATUS: Final[Mapping[str, Result]] = {
    "completed": Result.ANSWERED,
    "busy": Result.BUSY,
    "no-answer": Result.NO_ANSWER,
    "failed": Result.FAILED,
    "canceled": Result.CANCELED,
}

_BY_SIP_CODE: Final[Mapping[str, Mapping[int, Result]]] = {
    # 603 Decline, 607 Unwanted: a hand pressed the red button; Twilio reports it as busy.
    "busy": {603: Result.REJECTED, 607: Result.REJECTED},
    "no-answer": {603: Result.REJECTED, 607: Result.REJECTED},
    "failed": {
        # Not found, gone, incomplete, ambiguous, nowhere: the number is not one.
        404: Result.INVALID_NUMBER,
        410: Result.INVALID_NUMBER,
        484: Result.INVALID_NUMBER,
        485: Result.INVALID_NUMBER,
        604: Result.INVALID_NUMBER,
        # Nobody there now.
        408: Result.NO_ANSWER,
        480: Result.NO_ANSWER,
        487: Result.NO_ANSWER,
        486: Result.BUSY,
        600: Result.BUSY,
        603: Result.REJECTED,
        607: Result.REJECTED,
        # Ours or an operator's: forbidden, unpaid, not agreed, stopped on the way, out of order.
        401: Result.BLOCKED,
        402: Result.BLOCKED,
        403: Result.BLOCKED,
        407: Result.BLOCKED,
        415: Result.BLOCKED,
        488: Result.BLOCKED,
        606: Result.BLOCKED,
        608: Result.BLOCKED,
        500: Result.BLOCKED,
        502: Result.BLOCKED,
        503: Result.BLOCKED,
        504: Result.BLOCKED,
    },
}

_BY_LINE_RESULT: Final[Mapping[str, Mapping[str, Result]]] = {
    "completed": {"forwarded": Result.FORWARDED, "voicemail": Result.MACHINE, "machine": Result.MACHINE},
    "busy": {"rejected": Result.REJECTED},
    "no-answer": {
        "powered_off": Result.POWERED_OFF,
        "rejected": Result.REJECTED,
        "forwarded": Result.FORWARDED,
    },
    "failed": {
        "powered_off": Result.POWERED_OFF,
        "rejected": Result.REJECTED,
        "invalid_number": Result.INVALID_NUMBER,
        "blocked": Result.BLOCKED,
    },
}
"""What `X-LineResult` may say of each status; anything else is not listened to."""

_MACHINES: Final = ("machine", "fax")


def result_of(
    *, status: str, sip_code: int | None = None, answered_by: str = "", line_result: str = ""
) -> Result | None:
    """The result of a finished call; None while it is not finished. `unknown` in AnsweredBy is not a person."""
    base = _BY_STATUS.get(status)
    if base is None:
        return None
    exact = _BY_LINE_RESULT.get(status, {}).get(line_result)
    if exact is not None:
        return exact
    if base is Result.ANSWERED and answered_by.startswith(_MACHINES):
        return Result.MACHINE
    if sip_code is not None:
        return _BY_SIP_CODE.get(status, {}).get(sip_code, base)
    return base


def progress_of(state: CallState) -> CallProgress:
    """What asking the carrier tells of a call, as if a webhook had told it."""
    return CallProgress(
        stage=STAGES.get(state.status, Stage.INITIATED),
        sid=state.sid,
        result=result_of(status=state.status, answered_by=state.answered_by),
        duration_seconds=state.duration_seconds,
        answered_by=state.answered_by,
    )
