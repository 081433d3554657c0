"""What the application must know to speak to a carrier, checked at start, and the addresses that the carrier calls.
Each address names its attempt and, within a call, its step; none names a person.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from dialer.core.errors import SettingsError
from dialer.core.text import Text
from dialer.intake.allowed_numbers import AllowedNumbers

_ACCOUNT_SID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CALLER = re.compile(r"\+?[0-9]{3,20}")
_MAX_RINGING_SECONDS = 600
"""Twilio's own limit of `Timeout`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TelephonyConfig:
    """`base_url` None is Twilio itself. `public_url` is the address that the carrier is given and signs."""

    base_url: str | None
    account_sid: str
    auth_token: str = field(repr=False)
    auth_token_next: str | None = field(default=None, repr=False)
    caller_number: str
    public_url: str
    timeout_seconds: float = 10.0
    """From the first byte of a request to the last of its answer; connecting may take half of it."""
    ring_timeout_seconds: int = 30
    talk_limit_seconds: int = 600
    """A call is ended after this, whatever we answer: none may use a line for ever."""
    machine_detection: bool = True
    officer_number: str = ""
    """Where a call is handed over to; empty: no hand-over, the script goes on."""
    officer_ring_seconds: int = 20
    hear_speech: bool = False
    """Lets the carrier's recogniser listen beside the keys. A spoken answer alone never counts as success."""
    numbers: AllowedNumbers = field(default_factory=AllowedNumbers)
    """Which numbers may be called. The duty line is a telephone of the organisation too."""

    def __post_init__(self) -> None:
        if self.base_url is not None:
            _check_url("telephony.base_url", self.base_url)
        _check_url("telephony.public_url", self.public_url)
        if not _ACCOUNT_SID.fullmatch(self.account_sid):
            raise SettingsError(key="telephony.account_sid", problem="is not an account id")
        if not self.auth_token:
            raise SettingsError(key="telephony.auth_token", problem="is empty")
        if not _CALLER.fullmatch(self.caller_number):
            raise SettingsError(key="telephony.caller_number", problem="is not a telephone number")
        if self.officer_number and not _CALLER.fullmatch(self.officer_number):
            raise SettingsError(key="telephony.officer_number", problem="is not a telephone number")
        if self.timeout_seconds <= 0:
            raise SettingsError(key="telephony.timeout_seconds", problem="must be above 0")
        for name in ("ring_timeout_seconds", "officer_ring_seconds"):
            if not 1 <= getattr(self, name) <= _MAX_RINGING_SECONDS:
                problem = Text("must be from 1 to %(most)s", most=_MAX_RINGING_SECONDS)
                raise SettingsError(key=f"telephony.{name}", problem=problem)
        if self.talk_limit_seconds < 1:
            raise SettingsError(key="telephony.talk_limit_seconds", problem="must be above 0")

    def is_desk(self, number: str) -> bool:
        """Whether a call may be connected to this number as a telephone of the organisation."""
        return bool(number) and (number == self.officer_number or self.numbers.is_extension(number))

    @property
    def signing_tokens(self) -> tuple[str, ...]:
        """The tokens that a webhook may be signed with: the one in use and, in a rotation, the next one."""
        return (self.auth_token, self.auth_token_next) if self.auth_token_next else (self.auth_token,)


def _check_url(key: str, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SettingsError(key=key, problem="must begin with http:// or https:// and a host")
    if parts.query or parts.fragment or parts.username or parts.password:
        raise SettingsError(key=key, problem="must have no query, fragment or password")


CALL_ROUTE: Final = "/hooks/call/{attempt_id}/{step}/{position}"
STATUS_ROUTE: Final = "/hooks/status/{attempt_id}"
AMD_ROUTE: Final = "/hooks/amd/{attempt_id}"
FALLBACK_ROUTE: Final = "/hooks/fallback/{attempt_id}"
RECORDING_ROUTE: Final = "/hooks/recording/{attempt_id}"
MESSAGE_ROUTE: Final = "/hooks/message/{message_id}"
OFFICER_ROUTE: Final = "/hooks/officer/{attempt_id}/{step}"
DIAL_ROUTE: Final = "/hooks/dial/{attempt_id}/{step}/{position}"
DESK_ROUTE: Final = "/hooks/desk/{call_id}/{what}"
LISTENER_ROUTE: Final = "/hooks/listener/{listener_id}/{what}"
PARTY_ROUTE: Final = "/hooks/party/{party_id}/{what}"
NOTIFICATION_ROUTE: Final = "/hooks/notification/{notification_id}/{what}"
INBOUND_ROUTE: Final = "/hooks/inbound/{what}"
"""Inbound calls, identified by their sid. `voice` is the voice address of our number at the carrier."""
INBOUND_TURN_ROUTE: Final = "/hooks/inbound/{what}/{step}"
"""What comes after a turn of an inbound call, by the number of the turn."""
CHECK_ROUTE: Final = "/hooks/check/{nonce}"
"""Requested by ourselves, through the public address: see `dialer.telephony.public_address`."""

START_STEP: Final = "start"
"""The position of a call before its first answer; no position of a script looks like it."""

RETRIES: Final = "#rc=3&rp=ct,rt,5xx"
"""Without it a webhook that fails or takes too long is never sent again (Twilio, connection overrides)."""


def recording_of_dial(callback: str) -> dict[str, str]:
    """The attributes of a `<Dial>` that is recorded: from the answer on, each side in a channel of its own, the
    caller's first, without trimming silence.
    """
    return {
        "record": "record-from-answer-dual",
        "recordingStatusCallback": callback,
        "recordingStatusCallbackMethod": "POST",
        "recordingStatusCallbackEvent": "completed absent",
        "trim": "do-not-trim",
    }


class HookUrls:
    """The webhook addresses below `public_url`, which may have a path of its own."""

    __slots__ = ("_base",)

    def __init__(self, public_url: str) -> None:
        self._base = public_url.rstrip("/")

    def call(self, attempt_id: UUID, *, step: int, position: str = START_STEP) -> str:
        """Gives the TwiML of a step. `position` comes from a script and needs no escaping in a path."""
        return f"{self._base}/hooks/call/{attempt_id}/{step}/{position}{RETRIES}"

    def status(self, attempt_id: UUID) -> str:
        """Receives the stages of a call."""
        return f"{self._base}/hooks/status/{attempt_id}{RETRIES}"

    def amd(self, attempt_id: UUID) -> str:
        """Receives the result of machine detection."""
        return f"{self._base}/hooks/amd/{attempt_id}{RETRIES}"

    def fallback(self, attempt_id: UUID) -> str:
        """The address that the carrier requests when `call` fails."""
        return f"{self._base}/hooks/fallback/{attempt_id}{RETRIES}"

    def recording(self, call_id: UUID) -> str:
        """Receives that the recording of a call is ready, or that there is none. The id is that of the attempt, of the
        call from a desk, or of the inbound call.
        """
        return f"{self._base}/hooks/recording/{call_id}{RETRIES}"

    def message(self, message_id: UUID) -> str:
        """Receives how far a message came."""
        return f"{self._base}/hooks/message/{message_id}{RETRIES}"

    def dial(self, attempt_id: UUID, *, step: int, position: str) -> str:
        """Receives how a hand-over to an officer ended."""
        return f"{self._base}/hooks/dial/{attempt_id}/{step}/{position}{RETRIES}"

    def desk(self, call_id: UUID, what: str) -> str:
        """Receives how far a call from a desk came: `status` of the desk's own leg, `dial` of the person's, `person` of
        the person's in the room, `room` of the room itself. Or gives what the person hears: the notice before the
        caller of a recorded one, and what is said on `hold`.
        """
        return f"{self._base}/hooks/desk/{call_id}/{what}{RETRIES}"

    def listener(self, listener_id: UUID, what: str) -> str:
        """Requested for a supervisor's leg: `answer` gives its TwiML, `status` receives that it ended. Or
        gives the notice that caller and person hear before it enters.
        """
        return f"{self._base}/hooks/listener/{listener_id}/{what}{RETRIES}"

    def party(self, party_id: UUID, what: str) -> str:
        """Requested for the leg of a third party: `answer` gives its TwiML, `status` receives that it ended."""
        return f"{self._base}/hooks/party/{party_id}/{what}{RETRIES}"

    def notification(self, notification_id: UUID, what: str) -> str:
        """Requested for a call to somebody on duty: `call` gives its TwiML, `key` receives the key that was pressed,
        `status` that it ended.
        """
        return f"{self._base}/hooks/notification/{notification_id}/{what}{RETRIES}"

    def officer(self, attempt_id: UUID, *, step: int) -> str:
        """Receives, during the call, that the officer answered."""
        return f"{self._base}/hooks/officer/{attempt_id}/{step}{RETRIES}"

    def inbound(self, what: str) -> str:
        """Requested for an inbound call: `voice` first; `status` and `fallback` as with our own calls."""
        return f"{self._base}/hooks/inbound/{what}{RETRIES}"

    def inbound_turn(self, what: str, *, turn: int) -> str:
        """Requested after this turn of an inbound call: `number` (typed), `wait` (in the queue), `desk` (a desk
        answered), `dial` (a desk's call ended).
        """
        return f"{self._base}/hooks/inbound/{what}/{turn}{RETRIES}"

    def check(self, nonce: str) -> str:
        """The address that we request ourselves; without the fragment, which is meant for the carrier."""
        return f"{self._base}/hooks/check/{nonce}"
