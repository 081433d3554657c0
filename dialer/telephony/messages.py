"""Messages sent, and looked for, through the official client of Twilio's API. As with calls there is no idempotency
key: a request of which we do not know what became is never sent again here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final
from uuid import UUID

from dialer.errors import Unavailable
from dialer.telephony.callbacks import MESSAGE_STATES, MessageProgress
from dialer.telephony.client import LOST, UNREADABLE, CallClient, Placed, Refused, Unsure, asked, trouble
from dialer.telephony.wire import TooFast

_MOST: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SendText:
    """`to` in E.164."""

    message_id: UUID
    to: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSeen:
    """A message as the carrier lists it; `status` in Twilio's words."""

    sid: str
    status: str
    date_created: datetime | None


class MessageClient(CallClient):
    """The same connection and the same account as for calls."""

    async def send(self, order: SendText) -> Placed | Refused | Unsure:
        """Asks once for one message. Trouble with carrier or network is an answer, not an exception."""
        try:
            message = await self.api.messages.create_async(
                to=order.to,
                from_=self.config.caller_number,
                body=order.text,
                status_callback=self.urls.message(order.message_id),
            )
        except (TooFast, *LOST, *UNREADABLE) as error:
            return trouble(error)
        if not message.sid or not isinstance(message.sid, str):
            return Unsure(detail="the answer names no message")
        return Placed(sid=message.sid, status=str(message.status or "queued"))

    async def message_state(self, sid: str) -> MessageProgress | None:
        """How far it came; None for one that the carrier does not know, or a status that we do not. Raises
        `Unavailable`.
        """
        found = await asked(lambda: self.api.messages(sid).fetch_async(), absent=HTTPStatus.NOT_FOUND)
        state = MESSAGE_STATES.get(str(found.status)) if found is not None else None
        if found is None or state is None:
            return None
        code = found.error_code if isinstance(found.error_code, int) else None
        return MessageProgress(state=state, sid=sid, error_code=code)

    async def find_messages(self, to: str, *, since: datetime, until: datetime) -> list[MessageSeen]:
        """Ours to a number that were created in the interval, both ends included, to the second. The list is
        complete, or `Unavailable` is raised.
        """
        first, last = since.astimezone(UTC).replace(microsecond=0), until.astimezone(UTC)
        found = await asked(
            lambda: self.api.messages.list_async(to=to, limit=_MOST, page_size=_MOST), absent=None
        )
        if found is None or len(found) >= _MOST:
            raise Unavailable(
                part="carrier", problem="more messages to one number than can be looked through"
            )
        seen = [
            MessageSeen(
                sid=str(one.sid),
                status=str(one.status),
                date_created=one.date_created if isinstance(one.date_created, datetime) else None,
            )
            for one in found
        ]
        return [one for one in seen if one.date_created is not None and first <= one.date_created <= last]
