"""The addresses that the carrier calls. Each names its attempt and, within a call, its step; none names a person."""

from __future__ import annotations

from typing import Final
from uuid import UUID

CALL_ROUTE: Final = "/hooks/call/{attempt_id}/{step}/{position}"
STATUS_ROUTE: Final = "/hooks/status/{attempt_id}"
AMD_ROUTE: Final = "/hooks/amd/{attempt_id}"
FALLBACK_ROUTE: Final = "/hooks/fallback/{attempt_id}"
MESSAGE_ROUTE: Final = "/hooks/message/{message_id}"
OFFICER_ROUTE: Final = "/hooks/officer/{attempt_id}/{step}"
DIAL_ROUTE: Final = "/hooks/dial/{attempt_id}/{step}/{position}"
DESK_ROUTE: Final = "/hooks/desk/{call_id}/{what}"

START: Final = "start"
"""The position of a call that nobody has answered yet; no script's position looks like it."""

RETRIES: Final = "#rc=3&rp=ct,rt,5xx"
"""Without it a webhook that meets a 500, or takes too long, is never sent again (Twilio, connection overrides)."""


class HookUrls:
    """Everything below `public_url`, which may hold a path of its own."""

    __slots__ = ("_base",)

    def __init__(self, public_url: str) -> None:
        self._base = public_url.rstrip("/")

    def call(self, attempt_id: UUID, *, step: int, position: str = START) -> str:
        """Gives the TwiML of a step. `position` is what a script wrote: nothing to be escaped in a path."""
        return f"{self._base}/hooks/call/{attempt_id}/{step}/{position}{RETRIES}"

    def status(self, attempt_id: UUID) -> str:
        return f"{self._base}/hooks/status/{attempt_id}{RETRIES}"

    def amd(self, attempt_id: UUID) -> str:
        return f"{self._base}/hooks/amd/{attempt_id}{RETRIES}"

    def fallback(self, attempt_id: UUID) -> str:
        """Where the carrier turns when `call` fails."""
        return f"{self._base}/hooks/fallback/{attempt_id}{RETRIES}"

    def message(self, message_id: UUID) -> str:
        """Told how far a message came."""
        return f"{self._base}/hooks/message/{message_id}{RETRIES}"

    def dial(self, attempt_id: UUID, *, step: int, position: str) -> str:
        """Told how a hand-over to an officer ended."""
        return f"{self._base}/hooks/dial/{attempt_id}/{step}/{position}{RETRIES}"

    def desk(self, call_id: UUID, what: str) -> str:
        """Told how far a call from a desk came: `status` of the desk's own leg, `dial` of the person's."""
        return f"{self._base}/hooks/desk/{call_id}/{what}{RETRIES}"

    def officer(self, attempt_id: UUID, *, step: int) -> str:
        """Told, while the call goes on, when the officer's telephone is answered."""
        return f"{self._base}/hooks/officer/{attempt_id}/{step}{RETRIES}"
