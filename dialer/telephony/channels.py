"""The port of channels. A channel carries what we have for a person to one of their numbers: a robot call, a message.

Voice and SMS (`client.py`) go through Twilio's protocol; another channel is one module beside it that does what
`MessageClient` says. A request is sent once. What is known of it afterwards is one of three answers, and one whose
result is uncertain is looked for before anything is sent again: `conclude` says what a listing proves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import TracebackType
from typing import Final, Protocol, Self, TypeVar
from uuid import UUID

from dialer.core.errors import Unavailable
from dialer.core.values import MessageChannel, MessageState


class Fault(StrEnum):
    """Why a channel refused a request."""

    NUMBER = "number"
    """Nothing to this number will ever be taken: the next number, or a person."""
    OURS = "ours"
    """Configuration, account, or no way to the channel: nothing is used up, alarm."""
    SLOW_DOWN = "slow_down"
    """The channel asks for fewer requests: nothing is used up, wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The channel has taken the call or message."""

    sid: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """There is certainly no call or message. Without `http_status` the request never left."""

    fault: Fault
    code: int | None = None
    http_status: int | None = None
    retry_after_seconds: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UncertainResult:
    """There may be a call or message, or none: it must be looked for before it is sent again."""

    detail: str


SendResult = Placed | Refused | UncertainResult

_Order_contra = TypeVar("_Order_contra", contravariant=True)
_State_co = TypeVar("_State_co", covariant=True)


class ChannelClient(Protocol[_Order_contra, _State_co]):
    """What we ask of every channel. The methods may run side by side."""

    async def send(self, order: _Order_contra, /) -> SendResult:
        """Asks once. Trouble with the channel or the network is an answer, not an exception; what is not certainly
        refused is an `UncertainResult`.
        """

    async def state(self, sid: str, /) -> _State_co | None:
        """How far it came; None when the channel does not know it. Raises `Unavailable`."""

    async def find(
        self,
        order: _Order_contra,  # noqa: ARG002  # these are the arguments of those that can look
        /,
        *,
        since: datetime,  # noqa: ARG002 - a channel that can list uses it
        until: datetime,  # noqa: ARG002 - a channel that can list uses it
    ) -> Sequence[_State_co]:
        """What the channel may have made of this order from `since` to `until`, both included, to the second: by our
        own id where the channel keeps it, else everything to that number. The list is complete, or `Unavailable` is
        raised. A channel that cannot look inherits this: the order is given up in the end, never sent again.
        """
        raise Unavailable(part="channel", problem="cannot say what it has made")


@dataclass(frozen=True, slots=True, kw_only=True)
class SendText:
    """`to` in E.164. `message_id` is our own, the same if this message is ever sent again."""

    message_id: UUID
    to: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageProgress:
    """How far a message has come, in our words. `sid` is the channel's id of it."""

    state: MessageState
    sid: str
    error_code: int | None = None


class MessageClient(ChannelClient[SendText, MessageProgress], Protocol):
    """A channel of messages, entered once for the messages of a moment: `async with`."""

    channel: MessageChannel

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


EMPTY_LISTINGS: Final = 2
"""So many complete listings past the deadline of a request, all without it, prove that it does not exist."""
CLOCK_SKEW: Final = timedelta(seconds=5)
"""Between our clock and that of a channel."""
GIVE_UP: Final = timedelta(minutes=10)
"""A channel that has not answered this long after the deadline is asked about that request no more."""


class Conclusion(StrEnum):
    """What a complete listing proves about a request whose result was uncertain."""

    FOUND = "found"
    UNCLEAR = "unclear"
    """It cannot be told which one is ours, or whether one is: given up, and never sent again."""
    ABSENT = "absent"
    """The channel did not make it."""
    NOT_YET = "not_yet"
    """Nothing was listed, and it may still come: asked again."""


def conclude(*, fitting: int, others: int, empty_before: int, past_deadline: bool) -> Conclusion:
    """Of a listing with `fitting` that fit our request and `others` that nobody knows, after
    `empty_before` empty ones. Before the deadline an empty listing proves nothing.
    """
    if fitting == 1:
        return Conclusion.FOUND
    if fitting or others:
        return Conclusion.UNCLEAR
    if past_deadline and empty_before + 1 >= EMPTY_LISTINGS:
        return Conclusion.ABSENT
    return Conclusion.NOT_YET
