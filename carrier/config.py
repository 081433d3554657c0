"""The configuration of a carrier, its service clock, and timers that run on that clock."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from carrier.people import PeopleConfig, practice_mix
from carrier.speech_input import SpeechRecogniser


class BadCarrierConfig(ValueError):
    """The carrier cannot start with this configuration. The text names the field and never shows a secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceClock:
    """At the real moment `anchor_unix` service time was `epoch` (aware UTC); it runs `speed` times as fast.

    Durations on the line (ring, talk, prompts, keys, Timeout, Pause) are service seconds. Moments in the REST API and
    in webhooks (date_created, start_time, end_time, Timestamp) are real UTC, because a client compares them with its
    own HTTP deadlines.
    """

    anchor_unix: float = 0.0
    epoch: datetime | None = None
    speed: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.speed <= 1_000_000:  # noqa: PLR2004 - stated in the message
            raise BadCarrierConfig("clock.speed: must be above 0 and at most 1000000")
        if self.epoch is not None and self.epoch.utcoffset() is None:
            raise BadCarrierConfig("clock.epoch: must have a time zone")

    def now(self, unix: float) -> datetime:
        """The service time at the real moment `unix`."""
        epoch = self.epoch if self.epoch is not None else datetime.fromtimestamp(self.anchor_unix, UTC)
        return epoch + timedelta(seconds=(unix - self.anchor_unix) * self.speed)

    def anchored(self, unix: float) -> ServiceClock:
        """This clock; without an epoch, a clock of the same speed that starts at the real moment `unix`."""
        if self.epoch is not None:
            return self
        return ServiceClock(anchor_unix=unix, epoch=datetime.fromtimestamp(unix, UTC), speed=self.speed)


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierConfig:
    """Everything a carrier needs. Tokens do not appear in `repr`.

    `port` 0 takes a free one. `calls_per_second` None places calls at once; otherwise calls above the rate stay queued,
    as Twilio's do. `max_lines` None sets no limit. The first group of `attempt_pattern` finds the attempt in the
    StatusCallback (or Url), so that rings can be counted per attempt; without a pattern the whole URL is the attempt.
    Without a `recogniser` only typed words are understood. Inbound calls are reported to `inbound_url`, as to the voice
    address of a number at Twilio, and their end to `inbound_status`; without `inbound_url` they are refused.
    `inbound_number`: the number that was called. Without `has_messages` there is no Messages resource, since a trunk
    carries no messages.
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
    inbound_url: str = ""
    inbound_fallback: str = ""
    inbound_status: str = ""
    inbound_number: str = ""
    has_messages: bool = True
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
        if not _is_loopback(self.host):
            raise BadCarrierConfig("host: only a loopback address")

    @property
    def signer_token(self) -> str:
        """The token that signs webhooks: the signing token, else the account's auth token."""
        return self.signing_token or self.auth_token


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Timers:
    """All timers of the line. A changed clock applies to timers started afterwards."""

    __slots__ = ("_loop", "clock")

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: ServiceClock) -> None:
        self._loop = loop
        self.clock = clock

    def later(self, service_seconds: float, call: Callable[[], None]) -> asyncio.TimerHandle:
        """Calls `call` after `service_seconds`."""
        return self._loop.call_later(service_seconds / self.clock.speed, call)

    def really_later(self, seconds: float, call: Callable[[], None]) -> asyncio.TimerHandle:
        """Calls `call` after `seconds` of real time."""
        return self._loop.call_later(seconds, call)

    def soon(self, call: Callable[[], None]) -> None:
        """Calls `call` in the next round of the event loop."""
        self._loop.call_soon(call)

    def service_now(self) -> datetime:
        """The service clock's time, aware UTC."""
        return self.clock.now(time.time())

    @staticmethod
    def monotonic() -> float:
        """Real seconds of the monotonic clock."""
        return time.monotonic()

    @staticmethod
    def unix() -> float:
        """The real time, in seconds since 1970."""
        return time.time()
