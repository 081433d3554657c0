"""The interface of channels. A channel carries something to one of a person's numbers: a robot call or a message.

Voice and SMS (`client.py`) go through Twilio's protocol; another channel is one module beside it that implements
`MessageClient`. A request is sent once, and has one of three results. One whose result is uncertain is looked up before
anything is sent again: `conclude_listing` decides what a listing proves.
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


class RefusalCause(StrEnum):
    """Why a channel refused a request."""

    NUMBER = "number"
    """The channel will never take anything for this number: the next number is used, or a person."""
    OURS = "ours"
    """A fault of our configuration or account, or no connection to the channel: it does not count as a try, and an
    alarm is raised.
    """
    SLOW_DOWN = "slow_down"
    """The channel asks for fewer requests: it does not count as a try, and we wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The channel has taken the call or message."""

    sid: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """There is certainly no call or message. Without `http_status` the request was never sent."""

    cause: RefusalCause
    code: int | None = None
    http_status: int | None = None
    retry_after_seconds: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UncertainResult:
    """There may be a call or message, or none: it must be looked up before it is sent again."""

    detail: str


SendResult = Placed | Refused | UncertainResult

_Order_contra = TypeVar("_Order_contra", contravariant=True)
_State_co = TypeVar("_State_co", covariant=True)


class ChannelClient(Protocol[_Order_contra, _State_co]):
    """What every channel must provide. The methods may run concurrently."""

    async def send(self, order: _Order_contra, /) -> SendResult:
        """Sends the request once. A fault of the channel or the network is a result, not an exception; what is not
        certainly refused is an `UncertainResult`.
        """

    async def state(self, sid: str, /) -> _State_co | None:
        """The state of the call or message; None when the channel does not know it. Raises `Unavailable`."""

    async def find(
        self,
        order: _Order_contra,  # noqa: ARG002  # these are the arguments of those that can look
        /,
        *,
        since: datetime,  # noqa: ARG002 - a channel that can list uses it
        until: datetime,  # noqa: ARG002 - a channel that can list uses it
    ) -> Sequence[_State_co]:
        """What the channel may have made of this order from `since` to `until`, both included, to the second: by our
        own id where the channel stores it, else everything to that number. The list is complete, or `Unavailable` is
        raised. A channel that cannot list inherits this method: the order is given up in the end, never sent again.
        """
        raise Unavailable(part="channel", problem="cannot say what it has made")


@dataclass(frozen=True, slots=True, kw_only=True)
class SendText:
    """`to` in E.164. `message_id` is our own, the same if this message is ever sent again."""

    message_id: UUID
    to: str
    text: str
    flash: bool = False
    """Of class 0, where the channel has classes: it opens on the screen at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageProgress:
    """The state of a message, in our terms. `sid` is the channel's id of it."""

    state: MessageState
    sid: str
    error_code: int | None = None


class MessageClient(ChannelClient[SendText, MessageProgress], Protocol):
    """A channel of messages. Enter it once for all messages that are sent together: `async with`."""

    channel: MessageChannel

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


EMPTY_LISTINGS: Final = 2
"""This many complete listings after the deadline of a request, all without it, prove that it does not exist."""
CLOCK_SKEW: Final = timedelta(seconds=5)
"""Between our clock and that of a channel."""
GIVE_UP_AFTER: Final = timedelta(minutes=10)
"""A channel that has not answered this long after the deadline is asked about that request no more."""


class Conclusion(StrEnum):
    """What a complete listing proves about a request whose result was uncertain."""

    FOUND = "found"
    UNCLEAR = "unclear"
    """It is not clear which one is ours, or whether one is: the request is given up, and never sent again."""
    ABSENT = "absent"
    """The channel did not make it."""
    NOT_YET = "not_yet"
    """Nothing was listed, and it may still come: the channel is asked again."""


def conclude_listing(*, fitting: int, others: int, empty_before: int, past_deadline: bool) -> Conclusion:
    """What follows from a listing with `fitting` entries that match our request and `others` that match no request of
    ours, after `empty_before` empty listings. Before the deadline an empty listing proves nothing.
    """
    if fitting == 1:
        return Conclusion.FOUND
    if fitting or others:
        return Conclusion.UNCLEAR
    if past_deadline and empty_before + 1 >= EMPTY_LISTINGS:
        return Conclusion.ABSENT
    return Conclusion.NOT_YET
