"""Messages, and calls from a desk, through the official client of Twilio's API. As with calls of the robot, a request
whose result is unknown is never sent again here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final
from uuid import UUID
from xml.sax.saxutils import escape, quoteattr

from dialer.core.errors import Unavailable
from dialer.telephony.callbacks import MESSAGE_STATES, MessageProgress, PersonLeg, result_of
from dialer.telephony.client import AccountClient, CallClient, Placed, Refused, UncertainResult, asked

TALK_LIMIT_SECONDS: Final = 3600
"""People talk longer than the robot; a line must still never stay in use."""
_FINAL: Final = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})
_MOST: Final = 20
_EVENTS: Final = ["initiated", "ringing", "answered", "completed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskOrder:
    """`extension` is the caller's own telephone, `to` the person's in E.164."""

    call_id: UUID
    extension: str
    to: str


class DeskClient(CallClient):
    """Calls from a desk, and of the robot."""

    async def ring(self, order: DeskOrder) -> Placed | Refused | UncertainResult:
        """As `create`: the caller's own telephone is called first."""
        return await self.create(
            lambda: self.api.calls.create_async(
                to=order.extension,
                from_=self.config.caller_number,
                twiml=self.twiml(order),
                status_callback=self.urls.desk(order.call_id, "status"),
                status_callback_event=_EVENTS,
                status_callback_method="POST",
                timeout=self.config.ring_timeout_seconds,
                time_limit=TALK_LIMIT_SECONDS,
            )
        )

    def twiml(self, order: DeskOrder) -> str:
        """What happens when the caller answers: the person is called and connected."""
        config = self.config
        action = quoteattr(self.urls.desk(order.call_id, "dial"))
        return (
            f'<Response><Dial callerId={quoteattr(config.caller_number)} timeout="{config.ring_timeout_seconds}"'
            f' timeLimit="{TALK_LIMIT_SECONDS}" method="POST" action={action}>'
            f"<Number>{escape(order.to)}</Number></Dial></Response>"
        )

    async def second_leg(self, sid: str) -> PersonLeg | None:
        """How the person's leg of that call ended; None: there was none, or it is not over. Raises `Unavailable`."""
        found = await asked(
            lambda: self.api.calls.list_async(parent_call_sid=sid, limit=_MOST, page_size=_MOST), absent=None
        )
        for leg in found or ():
            status = str(leg.status)
            result = result_of(status=status, sip_code=None, answered_by="") if status in _FINAL else None
            if result is not None:
                duration = str(leg.duration or "")
                seconds = int(duration) if duration.isdecimal() and int(duration) > 0 else None
                return PersonLeg(result=result, talk_seconds=seconds)
        return None


_MOST_MESSAGES: Final = 1_000


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
    date_created: datetime


class MessageClient(AccountClient):
    """Messages of the robot."""

    async def send(self, order: SendText) -> Placed | Refused | UncertainResult:
        """As `create`."""
        return await self.create(
            lambda: self.api.messages.create_async(
                to=order.to,
                from_=self.config.caller_number,
                body=order.text,
                status_callback=self.urls.message(order.message_id),
            )
        )

    async def message_state(self, sid: str) -> MessageProgress | None:
        """How far it came; None for an unknown message or status. Raises `Unavailable`."""
        found = await asked(lambda: self.api.messages(sid).fetch_async(), absent=HTTPStatus.NOT_FOUND)
        state = MESSAGE_STATES.get(str(found.status)) if found is not None else None
        if found is None or state is None:
            return None
        code = found.error_code if isinstance(found.error_code, int) else None
        return MessageProgress(state=state, sid=sid, error_code=code)

    async def find_messages(self, to: str, *, since: datetime, until: datetime) -> list[MessageSeen]:
        """Messages to a number that were created in the interval, both ends included, to the second. The list is
        complete, or `Unavailable` is raised.
        """
        first, last = since.astimezone(UTC).replace(microsecond=0), until.astimezone(UTC)
        found = await asked(
            lambda: self.api.messages.list_async(to=to, limit=_MOST_MESSAGES, page_size=_MOST_MESSAGES),
            absent=None,
        )
        if found is None or len(found) >= _MOST_MESSAGES:
            raise Unavailable(
                part="carrier", problem="more messages to one number than can be looked through"
            )
        seen = [
            MessageSeen(sid=str(one.sid), status=str(one.status), date_created=one.date_created)
            for one in found
            if isinstance(one.date_created, datetime)
        ]
        return [one for one in seen if first <= one.date_created <= last]
