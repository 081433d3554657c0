"""Whom one ring really reached, from what the network, the keys and the seconds say. Pure.

Picked up is not reached: a machine, a forwarded telephone, a hand that put it down before the warning sentence had
been spoken, and silence are each a result of their own, and none is a contact of the right person.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dialer.domain.values import Answer, Contact, TelephonyResult


class Reach(StrEnum):
    """What one ended ring reached, worst first."""

    NOBODY = "nobody"
    """Nobody picked up, or it is not known."""
    MACHINE = "machine"
    """Voicemail or an assistant."""
    FORWARDED = "forwarded"
    """Somebody else's telephone, whatever was pressed there: those who defraud set forwarding."""
    HUNG_UP_EARLY = "hung_up_early"
    """Picked up, and over before the warning sentence was complete: nothing was delivered."""
    SILENT = "silent"
    """The warning was spoken, and no key was pressed and no word said all the time."""
    WRONG_PERSON = "wrong_person"
    UNVERIFIED = "unverified"
    """Somebody answered, and did not say who."""
    VERIFIED = "verified"
    """The right person said who they are, and the warning sentence was spoken."""


_NO_EAR = {TelephonyResult.MACHINE: Reach.MACHINE, TelephonyResult.FORWARDED: Reach.FORWARDED}

NO_CONTACT = frozenset({Reach.NOBODY, Reach.MACHINE, Reach.FORWARDED, Reach.HUNG_UP_EARLY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """What is known of the talk of a ring when it ends."""

    contact: Contact = Contact.NONE
    """As the keys say it."""
    answer: Answer = Answer.NONE
    spoke: bool = False
    """A key was pressed or a word said, the right one or not."""
    heard_seconds: int | None = None
    """Service seconds of our voice that went out between pick-up and end; None: not known."""
    warning_seconds: float = 0.0
    """How long the warning sentence takes."""

    @property
    def was_warned(self) -> bool:
        """The whole warning sentence was spoken. Where the seconds are not known, only a reaction shows it."""
        if self.heard_seconds is None:
            return self.spoke
        return self.heard_seconds >= self.warning_seconds


def reach_of(result: TelephonyResult, talk: Conversation) -> Reach:
    """Every ring has exactly one."""
    if result is not TelephonyResult.ANSWERED:
        return _NO_EAR.get(result, Reach.NOBODY)
    if talk.answer is Answer.WRONG_PERSON:
        return Reach.WRONG_PERSON
    if not talk.was_warned:
        return Reach.HUNG_UP_EARLY
    if not talk.spoke:
        return Reach.SILENT
    return Reach.VERIFIED if talk.contact is Contact.VERIFIED else Reach.UNVERIFIED


def contact_of(reach: Reach) -> Contact:
    """The contact that a ring counts as, in every report."""
    if reach in NO_CONTACT:
        return Contact.NONE
    return Contact.VERIFIED if reach is Reach.VERIFIED else Contact.UNVERIFIED


def heard_seconds(*, elapsed_seconds: float | None, played_seconds: float) -> int | None:
    """Whole seconds of our voice that can have reached an ear: never more than the line stood, nor than was played."""
    return None if elapsed_seconds is None else int(max(0.0, min(elapsed_seconds, played_seconds)))
