"""Messages beside the voice: why one is sent, and how far it came. A message never counts as a contact."""

from __future__ import annotations

from enum import StrEnum


class MessagePurpose(StrEnum):
    """One message at most for each, and for each case."""

    UNREACHABLE = "unreachable"
    """The telephone could not be reached by voice, or nobody there could hear or speak."""
    AFTER_WARNING = "after_warning"
    """The right person was warned: something to read again, since warnings fade."""


class MessageState(StrEnum):
    PLANNED = "planned"
    SENDING = "sending"
    """About to be given to the network, or given by a process that died over it."""
    UNKNOWN = "unknown"
    """Given, and no answer: looked for before anything else, and never sent again blindly."""
    ACCEPTED = "accepted"
    """The network has it."""
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    """The telephone did not take it."""
    FAILED = "failed"
    """Never sent: refused, unfit, or not known for good."""

    @property
    def rank(self) -> int:
        """News of a lower or the same rank is late, and changes nothing."""
        return _RANK[self]


_RANK = {
    MessageState.PLANNED: 0,
    MessageState.SENDING: 1,
    MessageState.UNKNOWN: 1,
    MessageState.ACCEPTED: 2,
    MessageState.SENT: 3,
    MessageState.DELIVERED: 4,
    MessageState.UNDELIVERED: 4,
    MessageState.FAILED: 4,
}
