"""What a carrier is started with. Values only; who reads files or the environment is no business of this
package.

Timers in service seconds on the loop's clock.

Faults that can be switched on while the carrier runs. The same seed gives the same schedule of each.

Where a webhook goes: the URL cut into what is connected to, requested and signed, and its connection
overrides.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from dialer.carrier.people import PeopleConfig, practice_mix
from dialer.carrier.speech_input import SpeechRecogniser


class BadCarrierConfig(ValueError):
    """The carrier cannot start like this; the line names the field and never shows a secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceClock:
    """Service time: at the real moment `anchor_unix` it was `epoch` (aware UTC), and it runs `speed` times as
    fast.

    The line's durations (ring, talk, prompts, keys, Timeout, Pause) are service seconds. What the REST API
    and the webhooks say about moments (date_created, start_time, end_time, Timestamp) is the real clock's
    UTC, since those who reconcile compare it with their own HTTP deadlines.
    """

    anchor_unix: float = 0.0
    epoch: datetime | None = None
    speed: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.speed <= 1_000_000:  # noqa: PLR2004 - a bound, said once
            raise BadCarrierConfig("clock.speed: must be above 0 and at most 1000000")
        if self.epoch is not None and self.epoch.utcoffset() is None:
            raise BadCarrierConfig("clock.epoch: must carry a zone")

    def now(self, unix: float) -> datetime:
        """The service time at the real moment `unix`."""
        epoch = self.epoch if self.epoch is not None else datetime.fromtimestamp(self.anchor_unix, UTC)
        return epoch + timedelta(seconds=(unix - self.anchor_unix) * self.speed)

    def anchored(self, unix: float) -> ServiceClock:
        """Itself; without an epoch, the same speed from the real moment `unix` on."""
        if self.epoch is not None:
            return self
        return ServiceClock(anchor_unix=unix, epoch=datetime.fromtimestamp(unix, UTC), speed=self.speed)

    def real_seconds(self, service_seconds: float) -> float:
        """How long that takes on the wall clock."""
        return service_seconds / self.speed


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierConfig:
    """Everything a carrier needs.

    `port` 0 takes a free one. `calls_per_second` None places calls at once; otherwise calls above it stay
    queued, as Twilio's do. `max_lines` None means any number of calls at a time. `attempt_pattern` picks the
    attempt out of the StatusCallback (or Url) by its first group, for the count of rings per attempt; without
    it the whole URL is the attempt. Without an `ear` only words that come as words are understood. Keys, tokens
    and the seed never appear in `repr`.
    """

    account_sid: str
    auth_token: str = field(repr=False)
    state_dir: Path
    host: str = "127.0.0.1"
    port: int = 0
    signing_token: str = field(default="", repr=False)
    signing_algorithm: str = "HMAC_SHA1"
    signing_key_name: str = ""
    admin_token: str = field(default="", repr=False)
    seed: str = "1"
    calls_per_second: float | None = None
    max_lines: int | None = None
    clock: ServiceClock = field(default_factory=ServiceClock)
    people: PeopleConfig = field(default_factory=practice_mix)
    attempt_pattern: str = ""
    desk_numbers: tuple[str, ...] = ()
    recogniser: SpeechRecogniser | None = None
    allow_any_host: bool = False
    keep_calls: int = 100_000
    keep_hours: float = 24.0
    webhook_timeout_seconds: float = 15.0

    def __post_init__(self) -> None:
        if len(self.account_sid) != 34 or not self.account_sid.startswith("AC"):  # noqa: PLR2004 - Twilio's form
            raise BadCarrierConfig("account_sid: AC and 32 hexadecimal digits")
        if not self.auth_token:
            raise BadCarrierConfig("auth_token: must not be empty")
        if self.signing_algorithm not in {"HMAC_SHA1", "HMAC_SHA256"}:
            raise BadCarrierConfig("signing_algorithm: HMAC_SHA1 or HMAC_SHA256")
        if self.calls_per_second is not None and self.calls_per_second <= 0:
            raise BadCarrierConfig("calls_per_second: above zero, or none for no limit")
        if self.max_lines is not None and self.max_lines < 1:
            raise BadCarrierConfig("max_lines: at least 1, or none for no limit")
        if not self.allow_any_host and not _is_loopback(self.host):
            raise BadCarrierConfig("host: only a loopback address, unless allow_any_host is set")

    @property
    def signer_token(self) -> str:
        """What webhooks are signed with: the signing token, else the account's auth token."""
        return self.signing_token or self.auth_token


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Timers:
    """Every wait of the line goes through here. A changed clock holds for waits begun after it."""

    __slots__ = ("_loop", "clock")

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: ServiceClock) -> None:
        self._loop = loop
        self.clock = clock

    def later(self, service_seconds: float, call: Callable[[], None]) -> asyncio.TimerHandle:
        """Calls back after that many service seconds."""
        return self._loop.call_later(service_seconds / self.clock.speed, call)

    def really_later(self, seconds: float, call: Callable[[], None]) -> asyncio.TimerHandle:
        """Calls back after that many seconds of the wall clock."""
        return self._loop.call_later(seconds, call)

    def soon(self, call: Callable[[], None]) -> None:
        self._loop.call_soon(call)

    def service_now(self) -> datetime:
        return self.clock.now(time.time())

    @staticmethod
    def unix() -> float:
        """The real clock, in seconds since 1970."""
        return time.time()


class InjectedFault(StrEnum):
    """What can go wrong, by the moment it strikes."""

    # When a call is created over REST (`only` filters by the To number).
    REFUSE_CONNECTION = "refuse_connection"
    TOO_MANY = "too_many"
    REJECT_NUMBER = "reject_number"
    ERROR_BEFORE = "error_before"
    ACCEPT_THEN_TIMEOUT = "accept_then_timeout"
    ACCEPT_THEN_ERROR = "accept_then_error"
    # When a message is created over REST (`only` filters by the To number).
    MESSAGE_TOO_MANY = "message_too_many"
    MESSAGE_ERROR_BEFORE = "message_error_before"
    MESSAGE_ACCEPT_THEN_CUT = "message_accept_then_cut"
    # Any other REST request (list, fetch, update).
    REST_ERROR = "rest_error"
    REST_REFUSE = "rest_refuse"
    # When a status webhook is sent (`only` filters by event: initiated, ringing, answered, completed, amd).
    WEBHOOK_DELAY = "webhook_delay"
    WEBHOOK_DROP = "webhook_drop"
    WEBHOOK_DOUBLE = "webhook_double"
    WEBHOOK_REORDER = "webhook_reorder"
    LAST_WEBHOOK_DROP = "last_webhook_drop"
    # While the call lives.
    TWIML_SKIP = "twiml_skip"
    ANSWER_ON_CANCEL = "answer_on_cancel"


class BadFault(ValueError):
    """A fault that cannot be set so; the line says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRule:
    """How often a fault strikes: with `probability`, and at most `count` times when that is given.

    `seconds` is real time: how long a webhook is late, how long an accepted request hangs before it is cut
    off, or what Retry-After says (none without it). `code` is Twilio's error code for a rejected number.
    """

    probability: float = 1.0
    count: int | None = None
    seconds: float | None = None
    code: int = 21211
    only: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise BadFault("probability: from 0 to 1")
        if self.count is not None and self.count < 0:
            raise BadFault("count: not below 0")
        if self.seconds is not None and not 0 <= self.seconds <= 3600:  # noqa: PLR2004 - an hour is a bound
            raise BadFault("seconds: from 0 to 3600")


class Faults:
    """The knobs now set. With none set, asking costs one look into an empty dictionary."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._knobs: dict[InjectedFault, FaultRule] = {}
        self._draws: dict[InjectedFault, Random] = {}
        self._struck: dict[InjectedFault, int] = {}

    def set(self, fault: InjectedFault, knob: FaultRule | None) -> None:
        """The fault strikes as `knob` says from now on; None switches it off. Its schedule starts anew."""
        self._knobs.pop(fault, None)
        self._draws[fault] = Random(f"{self._seed}:{fault.value}")  # noqa: S311 - a schedule, not a secret
        if knob is not None and knob.count != 0 and knob.probability > 0:
            self._knobs[fault] = knob

    def clear(self) -> None:
        """No fault strikes any more; the counts of those that struck remain."""
        self._knobs.clear()

    def strikes(self, fault: InjectedFault, about: str = "") -> FaultRule | None:
        """The knob if the fault strikes now; this use of it is then spent."""
        if not self._knobs:
            return None
        knob = self._knobs.get(fault)
        if knob is None or (knob.only and about not in knob.only):
            return None
        if knob.probability < 1 and self._draws[fault].random() >= knob.probability:
            return None
        self._struck[fault] = self._struck.get(fault, 0) + 1
        if knob.count is not None:
            left = knob.count - 1
            if left == 0:
                del self._knobs[fault]
            else:
                self._knobs[fault] = FaultRule(**{**asdict(knob), "count": left})
        return knob

    def as_json(self) -> dict[str, Any]:
        """What is set and how often each has struck."""
        return {
            "set": {fault.value: asdict(knob) for fault, knob in self._knobs.items()},
            "struck": {fault.value: n for fault, n in self._struck.items()},
        }


def read_faults(data: dict[str, Any]) -> dict[InjectedFault, FaultRule | None]:
    """Reads `{"webhook_drop": {"probability": 0.1}, "twiml_skip": null}`; what cannot be is `BadFault`."""
    faults: dict[InjectedFault, FaultRule | None] = {}
    for name, values in data.items():
        try:
            fault = InjectedFault(name)
        except ValueError as error:
            raise BadFault(f"{name}: no such fault") from error
        if values is None:
            faults[fault] = None
            continue
        if not isinstance(values, dict):
            raise BadFault(f"{name}: an object or null")
        try:
            faults[fault] = FaultRule(**{**values, "only": tuple(values.get("only", ()))})
        except TypeError as error:
            raise BadFault(f"{name}: unknown or unfit field") from error
    return faults


_MAX_RETRIES = 5
_MIN_MILLISECONDS = 100
_MAX_MILLISECONDS = 15_000
_MAX_CONNECT_MILLISECONDS = 10_000


class BadAddress(ValueError):
    """A URL that cannot be called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """Twilio's connection overrides, which ride in the URL's fragment. Defaults are Twilio's: one retry, only
    when the connection could not be made.
    """

    retries: int = 1
    retry_on: frozenset[str] = frozenset({"ct"})
    connect_seconds: float = 5.0
    read_seconds: float = 15.0
    total_seconds: float = 15.0

    def wants_retry(self, failure: str) -> bool:
        """Whether a failure of this kind (`ct`, `rt`, `4xx`, `5xx`) is tried again."""
        return failure in self.retry_on or ("all" in self.retry_on and bool(failure))


@lru_cache(maxsize=256)
def parse_overrides(fragment: str) -> Overrides:
    """Reads `rc=3&rp=ct,rt,5xx`; what is unknown or out of bounds is left at its default, as Twilio does."""
    values = dict(part.split("=", 1) for part in fragment.split("&") if "=" in part)
    default = Overrides()
    policy = frozenset(values.get("rp", "").split(",")) & {"4xx", "5xx", "ct", "rt", "all"}
    return Overrides(
        retries=_bounded(values.get("rc"), default.retries, 0, _MAX_RETRIES),
        retry_on=policy or default.retry_on,
        connect_seconds=_seconds(values.get("ct"), default.connect_seconds, _MAX_CONNECT_MILLISECONDS),
        read_seconds=_seconds(values.get("rt"), default.read_seconds, _MAX_MILLISECONDS),
        total_seconds=_seconds(values.get("tt"), default.total_seconds, _MAX_MILLISECONDS),
    )


def _bounded(text: str | None, default: int, least: int, most: int) -> int:
    if text is None or not text.isdigit():
        return default
    value = int(text)
    return value if least <= value <= most else default


def _seconds(text: str | None, default: float, most: int) -> float:
    milliseconds = _bounded(text, -1, _MIN_MILLISECONDS, most)
    return default if milliseconds < 0 else milliseconds / 1000


class Address(NamedTuple):
    """`url` is what is requested and signed: everything but the fragment."""

    url: str
    host: str
    port: int
    tls: bool
    authority: str
    target: str
    overrides: Overrides


@lru_cache(maxsize=512)
def _origin(origin: str) -> tuple[str, int, bool, str]:
    parts = urlsplit(origin)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
        raise BadAddress("not an http or https URL")
    tls = parts.scheme == "https"
    try:
        port = parts.port or (443 if tls else 80)
    except ValueError as error:
        raise BadAddress("its port is no number") from error
    return parts.hostname, port, tls, parts.netloc


def parse_address(url: str) -> Address:
    """Cuts an absolute URL; one that is not http(s), has no host or holds blanks raises `BadAddress`."""
    url, _, fragment = url.partition("#")
    scheme_end = url.find("://")
    if scheme_end < 0 or not url.isascii() or not url.isprintable() or " " in url:
        raise BadAddress("not an absolute URL")
    cut = len(url)
    for mark in "/?":
        at = url.find(mark, scheme_end + 3)
        if 0 <= at < cut:
            cut = at
    host, port, tls, authority = _origin(url[:cut])
    target = url[cut:]
    if not target.startswith("/"):
        target = "/" + target
    return Address(url, host, port, tls, authority, target, parse_overrides(fragment))
