"""A supervisor who listens to a call from a desk: what their leg does, whom they are heard by, and what is to be asked
of the carrier next. Pure.

The leg enters the room of the call muted. What it is to be is stored first; one request at a time changes it, and only
the carrier's answer says what it is. After a request without an answer nothing is known, and it is asked again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final


class ListenMode(StrEnum):
    """Who hears the supervisor."""

    LISTEN = "listen"
    """Nobody."""
    WHISPER = "whisper"
    """The caller alone."""
    STEP_IN = "step_in"
    """Everybody in the call."""


class ListenState(StrEnum):
    """What the supervisor's leg does."""

    MOVING = "moving"
    """The call is moved into its room first; the supervisor's telephone is not called yet."""
    CALLING = "calling"
    CONNECTED = "connected"
    """In the room."""
    LEAVING = "leaving"
    """The carrier is asked to end the leg until it says that the leg is over."""
    ENDED = "ended"


class ListenEvent(StrEnum):
    """What happens to the leg."""

    ROOM_BEGAN = "room_began"
    ENTERED = "entered"
    STOPPED = "stopped"
    """The supervisor asked for the end."""
    CALL_OVER = "call_over"
    """The call between caller and person is over."""
    LEG_OVER = "leg_over"
    """The carrier says that the leg is over, or was never made."""


_S, _E = ListenState, ListenEvent
LISTEN_STATES: Final[Mapping[tuple[ListenState, ListenEvent], ListenState]] = {
    (_S.MOVING, _E.ROOM_BEGAN): _S.CALLING,
    (_S.MOVING, _E.STOPPED): _S.ENDED,
    (_S.MOVING, _E.CALL_OVER): _S.ENDED,
    (_S.CALLING, _E.ENTERED): _S.CONNECTED,
    (_S.CALLING, _E.STOPPED): _S.LEAVING,
    (_S.CALLING, _E.CALL_OVER): _S.LEAVING,
    (_S.CALLING, _E.LEG_OVER): _S.ENDED,
    (_S.CONNECTED, _E.STOPPED): _S.LEAVING,
    (_S.CONNECTED, _E.CALL_OVER): _S.LEAVING,
    (_S.CONNECTED, _E.LEG_OVER): _S.ENDED,
    (_S.LEAVING, _E.LEG_OVER): _S.ENDED,
}
"""What changes the state; any other event leaves it as it is: it is late, or came twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """One leg of a supervisor."""

    state: ListenState = ListenState.MOVING
    wants: ListenMode = ListenMode.LISTEN
    has: ListenMode | None = None
    """What the carrier answered last; None: not in the room yet, or not known."""
    asked: ListenMode | None = None
    """The request that is under way; None: there is none."""

    @property
    def is_live(self) -> bool:
        """Whether the leg is to stay, or to come."""
        return self.state not in {ListenState.LEAVING, ListenState.ENDED}

    @property
    def is_settled(self) -> bool:
        """Whether all is as wanted, and the leg in the room or over."""
        return self.state is ListenState.ENDED or (
            self.state is ListenState.CONNECTED and self.asked is None and self.has is self.wants
        )

    def after(self, event: ListenEvent) -> Listening:
        """The leg after this event. Who enters is muted."""
        state = LISTEN_STATES.get((self.state, event), self.state)
        if state is self.state:
            return self
        if state is ListenState.CONNECTED:
            return replace(self, state=state, has=ListenMode.LISTEN)
        return replace(self, state=state)

    def choose(self, mode: ListenMode) -> Listening:
        """The leg after its supervisor asked for this; a leg that leaves stays as it is."""
        return replace(self, wants=mode) if self.is_live else self

    def next_request(self) -> ListenMode | None:
        """What to ask the carrier for now; None: nothing, or an answer is awaited."""
        if self.state is not ListenState.CONNECTED or self.asked is not None or self.has is self.wants:
            return None
        return self.wants

    def answered(self, mode: ListenMode | None) -> Listening:
        """The leg after the request under way was answered; None: no answer came in time."""
        return replace(self, asked=None, has=mode)


def mode_of(*, is_muted: bool, coaches: bool) -> ListenMode:
    """What a participant is, by the carrier's two facts."""
    if is_muted:
        return ListenMode.LISTEN
    return ListenMode.WHISPER if coaches else ListenMode.STEP_IN
