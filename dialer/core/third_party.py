"""A third party in a call from a desk: an officer on duty, a bank's stop-payment desk, an interpreter. What their leg
does, and how the call is handed over to them, so that the person is never alone and never cut off. Pure.

To hand over, one request at a time is made at the carrier, each after the one before was carried out: the call may go
on without the desk, the person is taken back from hold, the desk's telephone is hung up; and when it is, the call ends
with the third party. A request without an answer is made again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final


class PartyKind(StrEnum):
    """Who is brought into a call."""

    OFFICER = "officer"
    """An officer on duty, or the duty line."""
    BANK = "bank"
    """A bank's stop-payment desk."""
    INTERPRETER = "interpreter"


class PartyState(StrEnum):
    """What the leg of a third party does."""

    MOVING = "moving"
    """The call is moved into its room first; the third party is not called yet."""
    CALLING = "calling"
    CONNECTED = "connected"
    """In the room with the desk."""
    TAKING_OVER = "taking_over"
    """The desk hands the call over, and is still on the line."""
    HAS_CALL = "has_call"
    """The desk has left: the third party has the person."""
    LEAVING = "leaving"
    """The carrier is asked to end the leg until it says that the leg is over."""
    ENDED = "ended"


class PartyEvent(StrEnum):
    """What happens to the leg."""

    ROOM_BEGAN = "room_began"
    ENTERED = "entered"
    HAND_OVER = "hand_over"
    """The desk asked for it."""
    DESK_LEFT = "desk_left"
    """The desk's leg is over."""
    STOPPED = "stopped"
    """The desk asked for the end of the leg."""
    CALL_OVER = "call_over"
    """The person's leg is over."""
    LEG_OVER = "leg_over"
    """The carrier says that the leg is over, or was never made."""


_S, _E = PartyState, PartyEvent
PARTY_STATES: Final[Mapping[tuple[PartyState, PartyEvent], PartyState]] = {
    (_S.MOVING, _E.ROOM_BEGAN): _S.CALLING,
    (_S.MOVING, _E.DESK_LEFT): _S.ENDED,
    (_S.MOVING, _E.STOPPED): _S.ENDED,
    (_S.MOVING, _E.CALL_OVER): _S.ENDED,
    (_S.CALLING, _E.ENTERED): _S.CONNECTED,
    (_S.CALLING, _E.DESK_LEFT): _S.LEAVING,
    (_S.CALLING, _E.STOPPED): _S.LEAVING,
    (_S.CALLING, _E.CALL_OVER): _S.LEAVING,
    (_S.CALLING, _E.LEG_OVER): _S.ENDED,
    (_S.CONNECTED, _E.HAND_OVER): _S.TAKING_OVER,
    (_S.CONNECTED, _E.DESK_LEFT): _S.LEAVING,
    (_S.CONNECTED, _E.STOPPED): _S.LEAVING,
    (_S.CONNECTED, _E.CALL_OVER): _S.LEAVING,
    (_S.CONNECTED, _E.LEG_OVER): _S.ENDED,
    (_S.TAKING_OVER, _E.DESK_LEFT): _S.HAS_CALL,
    (_S.TAKING_OVER, _E.STOPPED): _S.LEAVING,
    (_S.TAKING_OVER, _E.CALL_OVER): _S.LEAVING,
    (_S.TAKING_OVER, _E.LEG_OVER): _S.ENDED,
    (_S.HAS_CALL, _E.CALL_OVER): _S.LEAVING,
    (_S.HAS_CALL, _E.LEG_OVER): _S.ENDED,
    (_S.LEAVING, _E.LEG_OVER): _S.ENDED,
}
"""What changes the state; any other event leaves it as it is: it is late, or came twice."""


class HandOverStep(StrEnum):
    """A request to the carrier on the way of a call from a desk to a third party, in their order."""

    LET_DESK_GO = "let_desk_go"
    """The call goes on when the desk leaves."""
    TAKE_BACK = "take_back"
    """The person is not on hold any more."""
    HANG_UP_DESK = "hang_up_desk"
    """The third party is in the room; the desk's telephone is hung up."""
    BIND = "bind"
    """The call ends when the third party leaves."""


_NEXT: Final[Mapping[PartyState, Mapping[HandOverStep | None, HandOverStep]]] = {
    _S.TAKING_OVER: {
        None: HandOverStep.LET_DESK_GO,
        HandOverStep.LET_DESK_GO: HandOverStep.TAKE_BACK,
        HandOverStep.TAKE_BACK: HandOverStep.HANG_UP_DESK,
    },
    _S.HAS_CALL: dict.fromkeys(
        (None, HandOverStep.LET_DESK_GO, HandOverStep.TAKE_BACK, HandOverStep.HANG_UP_DESK), HandOverStep.BIND
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyLeg:
    """One leg of a third party."""

    state: PartyState = PartyState.MOVING
    done: HandOverStep | None = None
    """The last request of the hand-over that was carried out."""
    asked: HandOverStep | None = None
    """The request that is under way; None: there is none."""

    @property
    def is_live(self) -> bool:
        """Whether the leg is to stay, or to come."""
        return self.state not in {PartyState.LEAVING, PartyState.ENDED}

    def after(self, event: PartyEvent) -> PartyLeg:
        """The leg after this event; the same one if it changes nothing."""
        state = PARTY_STATES.get((self.state, event), self.state)
        return self if state is self.state else replace(self, state=state)

    def next_step(self) -> HandOverStep | None:
        """What to ask the carrier for now; None: nothing, or an answer is awaited."""
        return None if self.asked is not None else _NEXT.get(self.state, {}).get(self.done)

    def ask(self, step: HandOverStep) -> PartyLeg:
        """The leg while this request is under way."""
        return replace(self, asked=step)

    def answered(self, *, is_done: bool) -> PartyLeg:
        """The leg after the request under way was carried out, or nobody knows whether it was."""
        return replace(self, asked=None, done=self.asked if is_done else self.done)


@dataclass(frozen=True, slots=True, kw_only=True)
class ThirdParty:
    """Somebody whom the organisation lists as a third party. `number`: E.164, or a telephone of the organisation."""

    key: str
    """Names the entry, and stays while the list does not change."""
    kind: PartyKind
    name: str
    number: str


_ENTRY: Final = re.compile(
    rf"(?P<kind>{'|'.join(PartyKind)}):(?P<name>[^=:\r\n]{{1,40}})=(?P<number>\+?[0-9]{{3,15}})"
)


def read_party(entry: str) -> ThirdParty | None:
    """The third party of an entry such as `bank:ICBC=95588`; None for a text that is none."""
    found = _ENTRY.fullmatch(entry)
    if found is None or not found["name"].strip():
        return None
    name = found["name"].strip()
    return ThirdParty(key=f"list:{name}", kind=PartyKind(found["kind"]), name=name, number=found["number"])
