"""Recordings of calls at the carrier: Twilio's Recordings resource. Their addresses are built here, never taken from a
webhook.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from dialer.core.errors import Unavailable
from dialer.core.text import gettext_noop
from dialer.telephony.client import AccountClient, ask_account

_PART: Final = gettext_noop("carrier")
_SID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MOST: Final = 20
"""The most recordings of one call."""
MOST_BYTES: Final = 128 << 20
"""The largest recording: an hour in two channels of 16 bit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierRecording:
    """A recording as the carrier lists it; `status` in Twilio's words."""

    sid: str
    status: str
    seconds: int | None

    @property
    def is_ready(self) -> bool:
        return self.status == "completed"

    @property
    def is_being_made(self) -> bool:
        return self.status in {"processing", "in-progress", "paused", "stopped"}


class RecordingClient(AccountClient):
    """Lists, fetches and deletes recordings of calls."""

    async def of_call(self, call_sid: str) -> list[CarrierRecording]:
        """All recordings of one call. Raises `Unavailable`."""
        if not _SID.fullmatch(call_sid):
            return []
        found = await ask_account(
            lambda: self.api.recordings.list_async(call_sid=call_sid, limit=_MOST, page_size=_MOST),
            absent=None,
        )
        return [
            CarrierRecording(
                sid=str(recording.sid), status=str(recording.status), seconds=_whole(recording.duration)
            )
            for recording in found or ()
            if _SID.fullmatch(str(recording.sid)) and str(recording.call_sid) == call_sid
        ]

    async def sound(self, sid: str) -> bytes | None:
        """The WAV file; None where the carrier no longer has it. Raises `Unavailable`."""
        wire, config = self.wire, self.config
        path = f"/2010-04-01/Accounts/{config.account_sid}/Recordings/{sid}.wav"
        answer = await ask_account(
            lambda: wire.download(
                f"https://api.twilio.com{path}?RequestedChannels=2",
                auth=(config.account_sid, config.auth_token),
                most_bytes=MOST_BYTES,
            ),
            absent=None,
        )
        assert answer is not None
        status, body = answer
        if status == HTTPStatus.NOT_FOUND:
            return None
        if status != HTTPStatus.OK or body[:4] != b"RIFF" or body[8:12] != b"WAVE":
            raise Unavailable(part=_PART, problem="a recording could not be fetched")
        return body

    async def delete(self, sid: str) -> None:
        """Deletes the recording at the carrier; one that is gone already is no error. Raises `Unavailable`."""
        await ask_account(lambda: self.api.recordings(sid).delete_async(), absent=HTTPStatus.NOT_FOUND)


def _whole(text: object) -> int | None:
    return int(str(text)) if str(text).isdecimal() else None
