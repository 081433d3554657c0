"""The life of an assignment: a human call or a visit that somebody has to make."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class AssignmentState(StrEnum):
    OPEN = "open"
    SIGNED = "signed"
    """签收: somebody has taken it."""
    DONE = "done"
    WITHDRAWN = "withdrawn"
    """The person was reached on another track, or the case ended."""


PENDING_STATES: Final = frozenset({AssignmentState.OPEN, AssignmentState.SIGNED})
"""Somebody still has to call or to go."""
BEGUN_STATES: Final = frozenset({AssignmentState.SIGNED, AssignmentState.DONE})


class VisitStage(StrEnum):
    """How far an officer has come."""

    NONE = "none"
    ACCEPTED = "accepted"
    ON_THE_WAY = "on_the_way"
    ARRIVED = "arrived"
    SEEN = "seen"
    """It is told who was seen; the report is still to come."""

    @property
    def rank(self) -> int:
        return list(VisitStage).index(self)

    def under(self, state: AssignmentState) -> VisitStage:
        """As it stands with the assignment in this state: signing for a visit accepts it, on whatever way it was
        signed for, and a visit that is open again is nobody's.
        """
        if state is AssignmentState.OPEN:
            return VisitStage.NONE
        return VisitStage.ACCEPTED if state is AssignmentState.SIGNED and self is VisitStage.NONE else self


class WhoSeen(StrEnum):
    """Who was met at the door."""

    PERSON = "person"
    FAMILY = "family"
    NEIGHBOUR = "neighbour"
    NOBODY = "nobody"


class TransferState(StrEnum):
    ASKED = "asked"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    """It stays with whoever sent it."""


class DeskCallState(StrEnum):
    """A call that a caller had put through: first to his own telephone, then to the person."""

    ASKED = "asked"
    """The carrier was asked; whether it took the call may not be known yet."""
    RINGING = "ringing"
    """The caller's own telephone rings."""
    JOINED = "joined"
    """The caller is on the line: the person is rung, or the two talk."""
    ENDED = "ended"
