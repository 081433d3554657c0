"""The lives of what is sent: of messages to people, and of deliveries to other systems. Pure.

Messages
===========  ============================================  =============================================
state        meaning                                       may it be sent again?
===========  ============================================  =============================================
planned      waits for its time                            it will be
sending      committed just before the request             only when the channel certainly has not taken it
unknown      the request got no answer                     only when the channel certainly has not taken it
accepted     the channel has it                            no
sent         the network has it                            no
delivered    the telephone has it                          no
undelivered  the telephone did not take it                 no
failed       refused, unfit, given up, or never found out  no
===========  ============================================  =============================================

News comes late, repeated and in any order. It only ever moves a message forward, even one that was planned again.

Deliveries of outgoing webhooks
===========  ============================================
delivered    the receiver answered 2xx
given_up     every try failed
dropped      the webhook ended before it was delivered
===========  ============================================

A delivery waits until one of these, and any of them can be sent again by a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeVar

from dialer.core.case import CaseStatus
from dialer.core.values import MESSAGES_IN_DOUBT, Contact, DeliveryState, MessageState


class MessageEvent(StrEnum):
    """What moves a message from one state to the next."""

    SENDING = "sending"
    IN_DOUBT = "in_doubt"
    """The request may or may not have reached the channel."""
    NOT_TAKEN = "not_taken"
    """Refused for a reason other than the number, or proven absent at the channel."""
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"


class DeliveryEvent(StrEnum):
    """What moves a delivery of an outgoing webhook from one state to the next."""

    DELIVERED = "delivered"
    GIVEN_UP = "given_up"
    WEBHOOK_ENDED = "webhook_ended"
    SENT_AGAIN = "sent_again"
    """A person has it sent again."""


_State = TypeVar("_State", bound=StrEnum)
_M, _D = MessageState, DeliveryState
_NOT_TAKEN: Final = frozenset({_M.PLANNED}) | MESSAGES_IN_DOUBT
ON_THE_WAY: Final = frozenset({_M.ACCEPTED, _M.SENT})
"""The channel has it, and more news of it may come."""
UNDELIVERED_YET: Final = _NOT_TAKEN | ON_THE_WAY
"""Not over."""


def _to(target: _State, states: frozenset[_State]) -> Mapping[_State, _State]:
    return MappingProxyType(dict.fromkeys(sorted(states), target))


MESSAGE_MOVES: Final[Mapping[MessageEvent, Mapping[MessageState, MessageState]]] = MappingProxyType(
    {
        MessageEvent.SENDING: _to(_M.SENDING, frozenset({_M.PLANNED})),
        MessageEvent.IN_DOUBT: _to(_M.UNKNOWN, MESSAGES_IN_DOUBT),
        MessageEvent.NOT_TAKEN: _to(_M.PLANNED, MESSAGES_IN_DOUBT),
        MessageEvent.ACCEPTED: _to(_M.ACCEPTED, _NOT_TAKEN),
        MessageEvent.SENT: _to(_M.SENT, _NOT_TAKEN | {_M.ACCEPTED}),
        MessageEvent.DELIVERED: _to(_M.DELIVERED, UNDELIVERED_YET),
        MessageEvent.UNDELIVERED: _to(_M.UNDELIVERED, UNDELIVERED_YET),
        MessageEvent.FAILED: _to(_M.FAILED, UNDELIVERED_YET),
    }
)
"""For each event, the next state by the present state. The store builds its updates from this."""

DELIVERY_MOVES: Final[Mapping[DeliveryEvent, Mapping[DeliveryState, DeliveryState]]] = MappingProxyType(
    {
        DeliveryEvent.DELIVERED: _to(_D.DELIVERED, frozenset({_D.WAITING})),
        DeliveryEvent.GIVEN_UP: _to(_D.GIVEN_UP, frozenset({_D.WAITING})),
        DeliveryEvent.WEBHOOK_ENDED: _to(_D.DROPPED, frozenset({_D.WAITING})),
        DeliveryEvent.SENT_AGAIN: _to(_D.WAITING, frozenset(_D)),
    }
)
"""For each event, the next state by the present state."""


def may_flash(status: CaseStatus, contact: Contact, *, opted_out: bool) -> bool:
    """Whether a flash message may still go: the case is open, the person was not reached and has not refused."""
    return status is CaseStatus.OPEN and contact is not Contact.VERIFIED and not opted_out


def news_of(state: MessageState) -> MessageEvent:
    """The event by which a channel reports that a message is in this state. Raises `ValueError` for a state that no
    channel knows.
    """
    return MessageEvent(state.value)
