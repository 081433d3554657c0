"""What the carrier reports about calls and messages: its terms, and the one table that maps them to our telephony
results.

Within Twilio's protocol a forwarded call or a switched-off phone cannot always be recognised. Our own carrier adds
`X-LineResult`; it may make a result more exact within the same status, never better, so no decision about safety
depends on it. A field that is missing or malformed is left out; the rest still counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import lru_cache
from typing import Final

from dialer.core.errors import Invalid
from dialer.core.values import Announcement, MessageState, TelephonyResult
from dialer.scripts.answers import Heard
from dialer.telephony.channels import MessageProgress


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
    forwarded: bool = False
    """Another telephone than the one that was called has answered."""
    unplayed: bool = False
    is_unfetched: bool = False
    """The last turn was not played because our sound could not be fetched."""
    """Part of the last turn was not played."""
    is_cut_off: bool = False
    """The carrier lost the call after its answer: neither the person nor we ended it."""
    announcement: Announcement | None = None
    """What the network announced instead of putting the call through; its score is from 0 to 1."""
    announcement_score: float | None = None


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
"""By CallStatus. An unknown status is ignored: the carrier is asked about the call later."""

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
        "assistant": TelephonyResult.MACHINE,
        "no_sound": TelephonyResult.DEAD_AIR,
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
        "lost": TelephonyResult.UNKNOWN,
    },
}
"""What `X-LineResult` may say of each status; anything else is ignored."""

_MACHINES: Final = ("machine", "fax")
_COMPLETED: Final = "completed"


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
    """The state that the carrier lists, as progress of the call."""
    return CallProgress(
        stage=STAGES.get(state.status, Stage.INITIATED),
        sid=state.sid,
        # A carrier that was killed knows no length of the calls that were up; every other completed call has one.
        is_cut_off=state.status == _COMPLETED and state.duration_seconds is None,
        result=result_of(status=state.status, answered_by=state.answered_by),
        duration_seconds=state.duration_seconds,
        answered_by=state.answered_by,
    )


MESSAGE_STATES: Mapping[str, MessageState] = {
    "accepted": MessageState.ACCEPTED,
    "scheduled": MessageState.ACCEPTED,
    "queued": MessageState.ACCEPTED,
    "sending": MessageState.ACCEPTED,
    "sent": MessageState.SENT,
    "delivered": MessageState.DELIVERED,
    "read": MessageState.DELIVERED,
    "undelivered": MessageState.UNDELIVERED,
    "failed": MessageState.FAILED,
    "canceled": MessageState.FAILED,
}
"""By Twilio's MessageStatus."""
_MAX_DIGITS = 9
_DIAL_STATUSES = frozenset({*_BY_STATUS, "answered"})
_KEYS = re.compile(r"[0-9*#A-D]{1,64}")


def status_event(params: Mapping[str, str]) -> CallProgress:
    """Reads a status callback. Raises `Invalid` when it names no call or no status that we know."""
    status = params.get("CallStatus", "")
    stage = STAGES.get(status)
    if stage is None:
        raise Invalid(field="CallStatus", problem="is not a known value")
    sip_code = _number(params.get("SipResponseCode", ""))
    answered_by = params.get("AnsweredBy", "")
    announcement, score = _announced(params.get("X-Announcement", ""))
    return CallProgress(
        stage=stage,
        sid=_sid(params),
        sequence=_number(params.get("SequenceNumber", "")),
        result=result_of(
            status=status,
            sip_code=sip_code,
            answered_by=answered_by,
            line_result=params.get("X-LineResult", ""),
        ),
        duration_seconds=_number(params.get("CallDuration", "")),
        answered_by=answered_by,
        sip_code=sip_code,
        at=_moment(params.get("Timestamp", "")),
        forwarded=was_forwarded(params),
        unplayed=was_unplayed(params),
        is_unfetched=bool(unfetched_sound(params)),
        is_cut_off=status == _COMPLETED and params.get("X-LineResult") == "lost",
        announcement=announcement,
        announcement_score=score,
    )


_ANNOUNCED = re.compile(r"([a-z_]{1,20}) ([01]\.[0-9]{1,4})")


def _announced(text: str) -> tuple[Announcement | None, float | None]:
    """The announcement and its score, from a text such as `powered_off 0.87`; None for both where the text is not
    known.
    """
    found = _ANNOUNCED.fullmatch(text)
    if found is None or found[1] not in _ANNOUNCEMENTS:
        return None, None
    return Announcement(found[1]), min(1.0, float(found[2]))


_ANNOUNCEMENTS: Final = frozenset(Announcement)


def was_forwarded(params: Mapping[str, str]) -> bool:
    """Whether the carrier names the telephone from which the call was forwarded, or reports that it was."""
    return bool(params.get("ForwardedFrom", "").strip()) or params.get("X-LineResult") == "forwarded"


def was_unplayed(params: Mapping[str, str]) -> bool:
    """Whether our own carrier reports that part of the turn before was not played: its sound could not be fetched, or
    the line has no voice for a text. Other carriers do not report it.
    """
    return params.get("X-Unplayed") == "true"


def unfetched_sound(params: Mapping[str, str]) -> str:
    """The address of the sound of ours that our own carrier could not fetch for the turn before; '' for none."""
    return params.get("X-Unfetched", "")


def caller_of(params: Mapping[str, str]) -> str:
    """The number of a caller as the network reports it; '' where it is hidden or no number."""
    number = params.get("From", "").strip()
    return "" if number in _HIDDEN_CALLERS or not _CALLER.fullmatch(number) else number


_CALLER = re.compile(r"\+?[0-9]{5,15}")
_HIDDEN_CALLERS = frozenset({"+266696687", "266696687", "+7378742833", "+2562533", "+8656696"})
"""What Twilio sends for anonymous, restricted, blocked and unavailable callers: the words on a keypad."""


def typed_digits(params: Mapping[str, str]) -> str:
    """The digits of a typed number; '' for none."""
    digits = params.get("Digits", "").strip("#*")
    return digits if digits.isascii() and digits.isdecimal() else ""


def call_sid(params: Mapping[str, str]) -> str:
    """The sid of the call. Raises `Invalid` without one."""
    return _sid(params)


def parent_sid(params: Mapping[str, str]) -> str:
    """The sid of the call that this one is the second leg of. Raises `Invalid` without one."""
    sid = params.get("ParentCallSid", "")
    if not sid:
        raise Invalid(field="ParentCallSid", problem="is missing")
    return sid


def talk_seconds(params: Mapping[str, str]) -> int | None:
    """How long a dialled leg talked; None where that is not reported."""
    return _number(params.get("DialCallDuration", ""))


def machine_verdict(params: Mapping[str, str]) -> CallProgress:
    """The result of asynchronous machine detection. It may come after the end of the call."""
    answered_by = params.get("AnsweredBy", "")
    if not answered_by:
        raise Invalid(field="AnsweredBy", problem="is missing")
    return CallProgress(stage=Stage.ANSWERED, sid=_sid(params), answered_by=answered_by)


LONGEST_SPEECH: Final = 500
"""Characters of an answer that are read: two minutes of speech. What is looked for in it takes time with its length."""


def read_gather(params: Mapping[str, str]) -> Heard:
    """What a Gather received. Keys take precedence over speech; keys that no telephone has count as silence."""
    digits = params.get("Digits", "")
    if _KEYS.fullmatch(digits):
        return Heard.keys(digits)
    speech = params.get("SpeechResult", "").strip()[:LONGEST_SPEECH]
    return Heard.said(speech, _confidence(params.get("Confidence", ""))) if speech else Heard.silence()


def message_event(params: Mapping[str, str]) -> MessageProgress:
    """Reads a status callback of a message. Raises `Invalid` when it names no message or no status that we know."""
    state = MESSAGE_STATES.get(params.get("MessageStatus", ""))
    if state is None:
        raise Invalid(field="MessageStatus", problem="is not a known value")
    sid = params.get("MessageSid", "")
    if not sid:
        raise Invalid(field="MessageSid", problem="is missing")
    return MessageProgress(state=state, sid=sid, error_code=_number(params.get("ErrorCode", "")))


def hand_over_taken(params: Mapping[str, str]) -> bool:
    """True when the officer answered and the two have spoken."""
    return params.get("DialCallStatus") in {"completed", "answered"}


def caller_left(params: Mapping[str, str]) -> bool:
    """True when the person's own call was over by then: they hung up before or during the hand-over."""
    return STAGES.get(params.get("CallStatus", "")) is Stage.ENDED


def desk_answered(params: Mapping[str, str]) -> bool:
    """True when the officer answered."""
    return STAGES.get(params.get("CallStatus", "")) is Stage.ANSWERED


def dial_status(params: Mapping[str, str]) -> str:
    """How a dialled leg ended, in Twilio's words; '' for one that we do not know."""
    status = params.get("DialCallStatus", "")
    return status if status in _DIAL_STATUSES else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLeg:
    """How the second leg of a call from a desk ended."""

    result: TelephonyResult
    talk_seconds: int | None = None


def person_leg(params: Mapping[str, str]) -> PersonLeg:
    """How the person's leg of a call from a desk ended. Raises `Invalid` for an unknown status."""
    status = dial_status(params)
    if not status:
        raise Invalid(field="DialCallStatus", problem="is not a known value")
    result = result_of(status="completed" if status == "answered" else status)
    assert result is not None
    return PersonLeg(result=result, talk_seconds=_number(params.get("DialCallDuration", "")))


def _confidence(text: str) -> float:
    """The confidence from 0 to 1; 0 where it is missing or not valid."""
    try:
        confidence = float(text)
    except ValueError:
        return 0.0
    return confidence if 0.0 <= confidence <= 1.0 else 0.0


def _sid(params: Mapping[str, str]) -> str:
    sid = params.get("CallSid", "")
    if not sid:
        raise Invalid(field="CallSid", problem="is missing")
    return sid


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS else None


@lru_cache(maxsize=64)  # to the second: a busy second has one for all
def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
