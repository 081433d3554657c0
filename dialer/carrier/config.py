"""What a carrier is started with. Values only; who reads files or the environment is no business of this
package.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dialer.carrier.ears import Ear
from dialer.carrier.people import PeopleConfig, practice_mix


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
    ear: Ear | None = None
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
