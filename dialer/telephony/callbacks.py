"""Webhooks read into our words. A field that is missing or malformed is left out; the rest still counts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from dialer.core.errors import Invalid
from dialer.core.values import MessageState, TelephonyResult
from dialer.scripts.dialogue import Heard
from dialer.telephony.results import STAGES, CallProgress, Stage, result_of

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
_DIAL_STATUSES = frozenset({"completed", "answered", "busy", "no-answer", "failed", "canceled"})
_KEYS = re.compile(r"[0-9*#A-D]{1,64}")


def status_event(params: Mapping[str, str]) -> CallProgress:
    """A status callback. Raises `Invalid` when it names no call or no status that we know."""
    status = params.get("CallStatus", "")
    stage = STAGES.get(status)
    if stage is None:
        raise Invalid(field="CallStatus", problem="is none that we know")
    sip_code = _number(params.get("SipResponseCode", ""))
    answered_by = params.get("AnsweredBy", "")
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
    )


def machine_verdict(params: Mapping[str, str]) -> CallProgress:
    """The result of asynchronous machine detection. It may come after the end of the call."""
    answered_by = params.get("AnsweredBy", "")
    if not answered_by:
        raise Invalid(field="AnsweredBy", problem="is missing")
    return CallProgress(stage=Stage.ANSWERED, sid=_sid(params), answered_by=answered_by)


def heard(params: Mapping[str, str]) -> Heard:
    """What a Gather received. Keys take precedence over speech; keys that no telephone has count as silence."""
    digits = params.get("Digits", "")
    if _KEYS.fullmatch(digits):
        return Heard.keys(digits)
    speech = params.get("SpeechResult", "").strip()
    return Heard.said(speech, _confidence(params.get("Confidence", ""))) if speech else Heard.silence()


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageProgress:
    """How far a message has come."""

    state: MessageState
    sid: str
    error_code: int | None = None


def message_event(params: Mapping[str, str]) -> MessageProgress:
    """A status callback of a message. Raises `Invalid` when it names no message or no status that we know."""
    state = MESSAGE_STATES.get(params.get("MessageStatus", ""))
    if state is None:
        raise Invalid(field="MessageStatus", problem="is none that we know")
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
    """Raises `Invalid` when it says nothing that we know."""
    status = dial_status(params)
    if not status:
        raise Invalid(field="DialCallStatus", problem="is none that we know")
    result = result_of(status="completed" if status == "answered" else status, sip_code=None, answered_by="")
    assert result is not None
    return PersonLeg(result=result, talk_seconds=_number(params.get("DialCallDuration", "")))


def _confidence(text: str) -> float:
    """From 0 to 1; what is missing or odd is no confidence at all."""
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
