"""The Calls resource of Twilio's REST API: the order that creates a call, the record of a call, and refusals.

No refusal repeats data of the caller.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from carrier.lines import Quality
from carrier.outbound import BadAddress, parse_address
from carrier.twiml import BadTwiml, parse_twiml


class RestProblem(Exception):
    """An error answer: HTTP `status`, Twilio's `code` and message, and the value of Retry-After, if any."""

    def __init__(
        self, *, status: int, code: int, message: str, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after_seconds = retry_after_seconds

    def body(self) -> dict[str, object]:
        """The JSON object of the answer, as the official client reads it."""
        return {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }


_NUMBER_REFUSALS = {
    21211: "The 'To' number is not a valid phone number.",
    21214: "'To' number cannot be reached",
    21215: "Account not authorized to call this number",
    21216: "Account not allowed to call this number",
    21217: "Phone number does not appear to be valid",
    13224: "Dial: the number is not valid or is blocked",
    21610: "The message From/To pair violates a blacklist rule",
}


def no_such(what: str) -> RestProblem:
    """404, Twilio's error 20404."""
    return RestProblem(status=404, code=20404, message=f"The requested {what} was not found")


def unauthorised() -> RestProblem:
    """401, Twilio's error 20003."""
    return RestProblem(status=401, code=20003, message="Authenticate")


def too_many(retry_after_seconds: float | None) -> RestProblem:
    """429: the request was not processed and may be sent again."""
    return RestProblem(
        status=429, code=20429, message="Too Many Requests", retry_after_seconds=retry_after_seconds
    )


def server_error() -> RestProblem:
    """500, Twilio's error 20500."""
    return RestProblem(status=500, code=20500, message="Internal Server Error")


def bad_parameter(code: int, message: str) -> RestProblem:
    """400 with the code of Twilio's error list for that parameter."""
    return RestProblem(status=400, code=code, message=message)


def number_refused(code: int) -> RestProblem:
    """The number cannot be called (21211 and similar codes)."""
    return bad_parameter(code, _NUMBER_REFUSALS.get(code, _NUMBER_REFUSALS[21211]))


_CALLED = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{3,4}")
"""E.164, or an extension of the exchange behind the carrier, which Twilio does not have."""
CALLER = re.compile(r"\+?[0-9]{3,15}")
_EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
_RECORDING_EVENTS = frozenset({"in-progress", "completed", "absent"})
_CHANNELS = {"": 1, "mono": 1, "dual": 2}
_MAX_TWIML = 4_000
_MAX_URL = 4_000
_MAX_TIMEOUT = 600
_MAX_TIME_LIMIT = 86_400
_MOST_DIGITS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOrder:
    """The order for one call. An empty string means that a field was not given; seconds are service seconds."""

    to: str
    from_: str
    url: str = ""
    method: str = "POST"
    twiml: str = ""
    fallback_url: str = ""
    fallback_method: str = "POST"
    status_callback: str = ""
    status_method: str = "POST"
    events: frozenset[str] = frozenset({"completed"})
    timeout_seconds: int = 60
    time_limit_seconds: int | None = None
    machine_detection: str = ""
    detection_timeout_seconds: float = 30.0
    async_amd: bool = False
    async_amd_callback: str = ""
    async_amd_method: str = "POST"
    records: bool = False
    recording_channels: int = 1
    recording_callback: str = ""
    recording_method: str = "POST"
    recording_events: frozenset[str] = frozenset({"completed"})


class Form:
    """The fields of a URL-encoded form."""

    def __init__(self, body: bytes) -> None:
        self._pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
        self._single = dict(self._pairs)

    def get(self, name: str) -> str:
        """The last value of that name, stripped; empty without one."""
        return self._single.get(name, "").strip()

    def all(self, name: str) -> list[str]:
        """Every value of that name; a value with a list (`initiated ringing`) counts as several."""
        return [
            word for key, value in self._pairs if key == name for word in re.split(r"[\s,]+", value) if word
        ]


def read_order(form: Form, *, default_twiml: str = "") -> CallOrder:
    """Reads and checks the order for a call; `default_twiml` where it names no document. Raises `RestProblem` with
    Twilio's code.
    """
    to = form.get("To")
    if not to:
        raise bad_parameter(21201, "No 'To' number is specified")
    if not _CALLED.fullmatch(to):
        raise number_refused(21211)
    from_ = form.get("From")
    if not from_:
        raise bad_parameter(21213, "No 'From' number is specified")
    if not CALLER.fullmatch(from_):
        raise bad_parameter(
            21212, "The 'From' number is not a valid phone number, shortcode, or alphanumeric sender ID"
        )
    url, twiml = form.get("Url"), form.get("Twiml") or default_twiml
    if not url and not twiml:
        raise bad_parameter(21205, "Url parameter is required")
    if len(twiml) > _MAX_TWIML:
        raise bad_parameter(21205, "Twiml is longer than 4000 characters")
    if twiml:
        check_twiml(twiml)
    events = frozenset(form.all("StatusCallbackEvent"))
    if not events <= _EVENTS:
        raise bad_parameter(21626, "Invalid StatusCallbackEvent")
    detection = form.get("MachineDetection")
    if detection not in {"", "Enable", "DetectMessageEnd"}:
        raise bad_parameter(20001, "Invalid MachineDetection")
    return CallOrder(
        to=to,
        from_=from_,
        url=checked_url(url, 21205, "Url is not a valid URL"),
        method=read_method(form, "Method"),
        twiml=twiml,
        fallback_url=checked_url(form.get("FallbackUrl"), 21502, "Fallback URL is not a valid URL"),
        fallback_method=read_method(form, "FallbackMethod"),
        status_callback=checked_url(form.get("StatusCallback"), 21609, "Invalid 'StatusCallback' URL"),
        status_method=read_method(form, "StatusCallbackMethod"),
        events=events or frozenset({"completed"}),
        timeout_seconds=_seconds(form, "Timeout", 60, _MAX_TIMEOUT),
        time_limit_seconds=_seconds(form, "TimeLimit", 0, _MAX_TIME_LIMIT) or None,
        machine_detection="" if form.get("SendDigits") else detection,
        detection_timeout_seconds=_seconds(form, "MachineDetectionTimeout", 30, 59),
        async_amd=form.get("AsyncAmd").lower() == "true",
        async_amd_callback=checked_url(
            form.get("AsyncAmdStatusCallback"), 21609, "Invalid 'AsyncAmdStatusCallback' URL"
        ),
        async_amd_method=read_method(form, "AsyncAmdStatusCallbackMethod"),
        **_recording_order(form),
    )


def _recording_order(form: Form) -> dict[str, Any]:
    """The fields of the order that concern recording. Raises `RestProblem`."""
    events = frozenset(form.all("RecordingStatusCallbackEvent"))
    if not events <= _RECORDING_EVENTS:
        raise bad_parameter(21626, "Invalid RecordingStatusCallbackEvent")
    if form.get("RecordingChannels") not in _CHANNELS:
        raise bad_parameter(20001, "RecordingChannels must be mono or dual")
    if form.get("RecordingTrack") not in {"", "both"}:
        raise bad_parameter(20001, "RecordingTrack can only be both here")
    callback = form.get("RecordingStatusCallback")
    return {
        "records": form.get("Record").lower() == "true",
        "recording_channels": _CHANNELS[form.get("RecordingChannels")],
        "recording_callback": checked_url(callback, 21609, "Invalid 'RecordingStatusCallback' URL"),
        "recording_method": read_method(form, "RecordingStatusCallbackMethod"),
        "recording_events": events or frozenset({"completed"}),
    }


def _seconds(form: Form, name: str, default: int, most: int) -> int:
    return min(whole_number(form.get(name), name, default), most)


def read_method(form: Form, name: str) -> str:
    """GET or POST; POST when not given. Raises `RestProblem` for another method."""
    method = form.get(name).upper() or "POST"
    if method not in {"GET", "POST"}:
        raise bad_parameter(21206, f"{name} must be GET or POST")
    return method


def check_twiml(twiml: str) -> None:
    """Raises `RestProblem` (12100) for a document that cannot be played."""
    try:
        parse_twiml(twiml.encode())
    except BadTwiml as problem:
        raise bad_parameter(12100, f"Twiml cannot be parsed: {problem}") from problem


def checked_url(url: str, code: int, message: str) -> str:
    """Returns `url` unchanged; it may be empty. Raises `RestProblem` with `code` for a URL that cannot be requested."""
    try:
        if url:
            parse_address(url)
    except BadAddress as problem:
        raise bad_parameter(code, message) from problem
    if len(url) > _MAX_URL:
        raise bad_parameter(code, message)
    return url


def whole_number(text: str, name: str, default: int) -> int:
    """The number in `text`; `default` when it is empty. Raises `RestProblem` (20001) for anything else."""
    if text and not (text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise bad_parameter(20001, f"{name} must be a whole number")
    return int(text) if text else default


API_VERSION = "2010-04-01"


class Status(StrEnum):
    """Twilio's CallStatus. The last five are final."""

    QUEUED = "queued"
    RINGING = "ringing"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    BUSY = "busy"
    FAILED = "failed"
    NO_ANSWER = "no-answer"
    CANCELED = "canceled"

    @property
    def final(self) -> bool:
        """Whether no other status follows."""
        return self not in {Status.QUEUED, Status.RINGING, Status.IN_PROGRESS}


@lru_cache(maxsize=1024)
def _rfc2822_second(second: int) -> str:
    return format_datetime(datetime.fromtimestamp(second, UTC))


def rfc2822(unix: float | None) -> str | None:
    """The moment in the form of RFC 2822, in UTC, as Twilio writes it; None without a moment."""
    return None if unix is None else _rfc2822_second(int(unix))


@dataclass(slots=True, kw_only=True, eq=False)
class Call:
    """The record of a call, written only by the live call that owns it. Times are real Unix seconds."""

    sid: str
    account_sid: str
    to: str
    from_: str
    created: float
    updated: float
    number: int
    """Counts the calls of this carrier in the order of their creation."""
    order: CallOrder | None = None
    """None once nothing of it is needed any more."""
    status: Status = Status.QUEUED
    direction: str = "outbound-api"
    parent_sid: str | None = None
    start: float | None = None
    end: float | None = None
    duration_seconds: int | None = None
    answered_by: str | None = None
    quality: Quality | None = None
    """Of a call that was answered, on a line with sound; known soon after its end."""
    queue_ms: int = 0
    rang: bool = False
    sequence: int = 0

    def as_json(self) -> dict[str, object]:
        """As Twilio's API description defines it."""
        base = f"/{API_VERSION}/Accounts/{self.account_sid}/Calls/{self.sid}"
        return {
            "sid": self.sid,
            "date_created": rfc2822(self.created),
            "date_updated": rfc2822(self.updated),
            "parent_call_sid": self.parent_sid,
            "account_sid": self.account_sid,
            "to": self.to,
            "to_formatted": self.to,
            "from": self.from_,
            "from_formatted": self.from_,
            "phone_number_sid": None,
            "status": self.status.value,
            "start_time": rfc2822(self.start),
            "end_time": rfc2822(self.end),
            "duration": None if self.duration_seconds is None else str(self.duration_seconds),
            "price": None,
            "price_unit": "USD",
            "direction": self.direction,
            "answered_by": self.answered_by,
            "api_version": API_VERSION,
            "forwarded_from": None,
            "group_sid": None,
            "caller_name": None,
            "queue_time": str(self.queue_ms),
            "trunk_sid": None,
            "uri": f"{base}.json",
            "subresource_uris": {name: f"{base}/{path}.json" for name, path in _SUBRESOURCES.items()},
        }


_SUBRESOURCES = {
    "notifications": "Notifications",
    "recordings": "Recordings",
    "payments": "Payments",
    "events": "Events",
    "siprec": "Siprec",
    "streams": "Streams",
    "transcriptions": "Transcriptions",
    "user_defined_message_subscriptions": "UserDefinedMessageSubscriptions",
    "user_defined_messages": "UserDefinedMessages",
}
