"""What a caller of the REST API asks for when a call is created: the form, checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

from dialer.carrier.address import BadAddress, parse_address
from dialer.carrier.problems import bad_parameter, number_refused
from dialer.carrier.twiml import BadTwiml, parse_twiml

_CALLED = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{3,4}")
"""In E.164, or an extension of the exchange behind us, which Twilio does not have."""
_CALLER = re.compile(r"\+?[0-9]{3,15}")
_EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
_MAX_TWIML = 4_000
_MAX_URL = 4_000
_MAX_TIMEOUT = 600
_MAX_TIME_LIMIT = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOrder:
    """One call as ordered. Empty strings mean not given; seconds are service seconds."""

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
    send_digits: str = ""
    machine_detection: str = ""
    detection_timeout_seconds: float = 30.0
    async_amd: bool = False
    async_amd_callback: str = ""
    async_amd_method: str = "POST"


class Form:
    """A decoded form: single values by name, and all values of a repeated one."""

    __slots__ = ("_pairs", "_single")

    def __init__(self, body: bytes) -> None:
        self._pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
        self._single = dict(self._pairs)

    def get(self, name: str) -> str:
        """The last value given, without blanks around it; empty when none was."""
        return self._single.get(name, "").strip()

    def all(self, name: str) -> list[str]:
        """Every value given; lists inside one value (`initiated ringing`) are taken apart too."""
        return [
            word for key, value in self._pairs if key == name for word in re.split(r"[\s,]+", value) if word
        ]


def read_order(form: Form) -> CallOrder:
    """The checked order; anything wrong raises a `RestProblem` with Twilio's code for it."""
    to = form.get("To")
    if not to:
        raise bad_parameter(21201, "No 'To' number is specified")
    if not _CALLED.fullmatch(to):
        raise number_refused(21211)
    from_ = form.get("From")
    if not from_:
        raise bad_parameter(21213, "No 'From' number is specified")
    if not _CALLER.fullmatch(from_):
        raise bad_parameter(
            21212, "The 'From' number is not a valid phone number, shortcode, or alphanumeric sender ID"
        )
    url, twiml = form.get("Url"), form.get("Twiml")
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
    time_limit = _whole(form, "TimeLimit", 0, _MAX_TIME_LIMIT)
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
        timeout_seconds=_whole(form, "Timeout", 60, _MAX_TIMEOUT),
        time_limit_seconds=time_limit or None,
        send_digits=form.get("SendDigits"),
        machine_detection="" if form.get("SendDigits") else detection,
        detection_timeout_seconds=_whole(form, "MachineDetectionTimeout", 30, 59),
        async_amd=form.get("AsyncAmd").lower() == "true",
        async_amd_callback=checked_url(
            form.get("AsyncAmdStatusCallback"), 21609, "Invalid 'AsyncAmdStatusCallback' URL"
        ),
        async_amd_method=read_method(form, "AsyncAmdStatusCallbackMethod"),
    )


def read_method(form: Form, name: str) -> str:
    """GET or POST, POST when not given."""
    method = form.get(name).upper() or "POST"
    if method not in {"GET", "POST"}:
        raise bad_parameter(21206, f"{name} must be GET or POST")
    return method


def check_twiml(twiml: str) -> None:
    """Refuses a document that could never be played."""
    try:
        parse_twiml(twiml.encode())
    except BadTwiml as problem:
        raise bad_parameter(12100, f"Twiml cannot be parsed: {problem}") from problem


def checked_url(url: str, code: int, message: str) -> str:
    """The URL itself, or empty; what cannot be called is refused with `code`."""
    if not url:
        return ""
    if len(url) > _MAX_URL:
        raise bad_parameter(code, message)
    try:
        parse_address(url)
    except BadAddress as problem:
        raise bad_parameter(code, message) from problem
    return url


def _whole(form: Form, name: str, default: int, most: int) -> int:
    text = form.get(name)
    if not text:
        return default
    if not text.isdecimal():
        raise bad_parameter(20001, f"{name} must be a whole number")
    return min(int(text), most)
