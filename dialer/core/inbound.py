"""What becomes of a call of a person to us at its next step. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class InboundStep(StrEnum):
    """The next step of a call to us."""

    ASK = "ask"
    """For the number that was warned."""
    RING = "ring"
    """A desk's telephone rings."""
    WAIT = "wait"
    """In the queue."""
    CALL_BACK = "call_back"
    """Nobody is free. Where a case is known, the task stands at the top of the queue."""
    NO_OFFICER = "no_officer"
    """No number is known, so nobody can call back."""


MOST_ASKED: Final = 2
"""How often a caller is asked for the number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundSituation:
    """Where a call stands. `has_number`: its case is known, or a telephone number was typed. `asked`: how often the
    caller was asked for it.
    """

    has_number: bool
    asked: int
    is_desk_free: bool
    waited_seconds: float


def next_inbound_step(now: InboundSituation, *, wait_seconds: int) -> InboundStep:
    """Whose number it is comes first; a free desk or duty line then rings at once. Whether a case of a typed number is
    open changes nothing, so that nobody learns it.
    """
    if not now.has_number and now.asked < MOST_ASKED:
        return InboundStep.ASK
    if now.is_desk_free:
        return InboundStep.RING
    if not now.has_number:
        return InboundStep.NO_OFFICER
    return InboundStep.WAIT if now.waited_seconds < wait_seconds else InboundStep.CALL_BACK
