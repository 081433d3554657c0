"""The next step of an inbound call. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class InboundStep(StrEnum):
    """The next step of an inbound call."""

    ASK = "ask"
    """The caller is asked for the number that was warned."""
    RING = "ring"
    """A desk's telephone rings."""
    WAIT = "wait"
    """The caller waits in the queue."""
    CALL_BACK = "call_back"
    """Nobody is free. If the case is known, its call task is at the top of the queue."""
    NO_OFFICER = "no_officer"
    """No number is known, so nobody can call back."""


MOST_ASKED: Final = 2
"""How often a caller is asked for the number, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundSituation:
    """The state of an inbound call. `has_number`: its case is known, or a telephone number was typed. `asked`: how
    often the caller was asked for the number.
    """

    has_number: bool
    asked: int
    is_desk_free: bool
    waited_seconds: float


def next_inbound_step(now: InboundSituation, *, wait_seconds: int) -> InboundStep:
    """The caller is asked for the number first; then a free desk or the duty line rings at once. Whether a typed number
    has an open case makes no difference, so that the caller cannot find that out.
    """
    if not now.has_number and now.asked < MOST_ASKED:
        return InboundStep.ASK
    if now.is_desk_free:
        return InboundStep.RING
    if not now.has_number:
        return InboundStep.NO_OFFICER
    return InboundStep.WAIT if now.waited_seconds < wait_seconds else InboundStep.CALL_BACK
