"""The life of one ring."""

from __future__ import annotations

from enum import StrEnum


class AttemptState(StrEnum):
    PLANNED = "planned"
    """Its time has not come."""
    READY = "ready"
    """Waits for its place in the queue and for a line."""
    CLAIMED = "claimed"
    """A worker holds it under a lease; nothing has been sent, so a lapsed claim is safe to dial again."""
    SENDING = "sending"
    """Committed just before the POST: from here on it may have rung, and a lapse is unknown."""
    ACCEPTED = "accepted"
    """The carrier gave a sid."""
    RINGING = "ringing"
    ANSWERED = "answered"
    UNKNOWN = "unknown"
    """Nobody can say yet whether the carrier took it. Never redialled until proven absent."""
    ENDED = "ended"
