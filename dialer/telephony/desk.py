"""Click to call: the carrier rings the caller's own telephone, and when he is there the person's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID
from xml.sax.saxutils import escape, quoteattr

from dialer.telephony.callbacks import PersonLeg
from dialer.telephony.client import LOST, UNREADABLE, CallClient, Placed, Refused, Unsure, asked, trouble
from dialer.telephony.results import result_of
from dialer.telephony.wire import TooFast

TALK_LIMIT_SECONDS: Final = 3600
"""People talk longer than robots; a line must still never stay taken."""
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
    """The same connection and the same account as for the robot's calls."""

    async def ring(self, order: DeskOrder) -> Placed | Refused | Unsure:
        """Asks once. Trouble with carrier or network is an answer, not an exception."""
        config = self.config
        try:
            call = await self.api.calls.create_async(
                to=order.extension,
                from_=config.caller_number,
                twiml=self.twiml(order),
                status_callback=self.urls.desk(order.call_id, "status"),
                status_callback_event=_EVENTS,
                status_callback_method="POST",
                timeout=config.ring_timeout_seconds,
                time_limit=TALK_LIMIT_SECONDS,
            )
        except (TooFast, *LOST, *UNREADABLE) as error:
            return trouble(error)
        if not call.sid or not isinstance(call.sid, str):
            return Unsure(detail="the answer names no call")
        return Placed(sid=call.sid, status=str(call.status or "queued"))

    def twiml(self, order: DeskOrder) -> str:
        """What the caller's telephone plays when he picks up: the person is rung and joined."""
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
