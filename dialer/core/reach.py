"""What a person has heard of a call, and whom the call reached. Pure.

Answered is not reached: a machine, a forwarded phone, a call that ended before the warning was heard, and silence are
each a reach of their own, and none is a contact of the right person.

What was heard is computed from the call's own clock. A prompt counts as heard to its end when the time between the
moment its turn was sent and the moment the turn was over covers it and all prompts before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from dialer.core.values import Answer, Contact, TelephonyResult

_ROUNDING_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class HeardPrompt:
    """One prompt of a call: its length, and the longest part of it that was heard at one time, in service seconds.
    `language`: the language in which it was spoken, if not the call's own.
    """

    id: str
    seconds: float
    must_say: bool = False
    heard: float = 0.0
    language: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether the prompt was heard to its end."""
        return self.heard >= self.seconds - _ROUNDING_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """What was spoken in a call so far, and how much of it the person had time to hear. `turn` has been playing since
    `at` (service time), in response to step `step`; it counts only when it is over.
    """

    step: int = -1
    at: datetime | None = None
    turn: tuple[HeardPrompt, ...] = ()
    prompts: tuple[HeardPrompt, ...] = ()
    """The prompts of earlier turns, in the order in which they were first spoken; each prompt once per language."""

    @classmethod
    def of(cls, kept: Mapping[str, Any] | None) -> Self:
        """Restores what `as_json` wrote; None means that nothing was said yet."""
        if kept is None:
            return cls()
        return cls(
            step=kept["step"],
            at=datetime.fromisoformat(kept["at"]) if kept["at"] else None,
            turn=tuple(HeardPrompt(*prompt) for prompt in kept["turn"]),
            prompts=tuple(HeardPrompt(*prompt) for prompt in kept["prompts"]),
        )

    def as_json(self) -> dict[str, Any]:
        """Names and seconds only; nothing of it is personal."""
        return {
            "step": self.step,
            "at": self.at.isoformat() if self.at else None,
            "turn": [_plain(prompt)[:3] if not prompt.language else _plain(prompt) for prompt in self.turn],
            "prompts": [_plain(prompt) for prompt in self.prompts],
        }

    @property
    def whole(self) -> frozenset[str]:
        """The prompts that were heard to their end at least once, in whatever language. Two halves in two languages do
        not count.
        """
        return frozenset(prompt.id for prompt in self.prompts if prompt.is_whole)

    @property
    def missed(self) -> tuple[str, ...]:
        """The prompts that must be heard, were said, and were not heard to their end."""
        whole = self.whole
        said = dict.fromkeys(prompt.id for prompt in self.prompts if prompt.must_say)
        return tuple(name for name in said if name not in whole)

    def after_turn(self, over_at: datetime, *, sent_at: datetime | None = None) -> Hearing:
        """The hearing after the turn was over at `over_at`. `sent_at`: when the turn was sent, if the carrier requested
        it again.
        """
        began = sent_at or self.at
        left = max(timedelta(0), over_at - began).total_seconds() if began is not None else 0.0
        known = {(prompt.id, prompt.language): prompt for prompt in self.prompts}
        for said in self.turn:
            heard = min(said.seconds, max(0.0, left))
            left -= said.seconds
            before = known.get((said.id, said.language))
            if before is None or heard / (said.seconds or 1.0) >= before.heard / (before.seconds or 1.0):
                must_say = said.must_say or (before is not None and before.must_say)
                known[said.id, said.language] = replace(said, heard=heard, must_say=must_say)
        return replace(self, at=None, turn=(), prompts=tuple(known.values()))

    def without_turn(self) -> Hearing:
        """The hearing after a turn that was not played completely: since it is unknown which part was, none of it
        counts.
        """
        return self if self.at is None else self.after_turn(self.at)

    @property
    def turn_seconds(self) -> float:
        """The length of the current turn."""
        return sum(prompt.seconds for prompt in self.turn)

    def with_turn(self, step: int, turn: Iterable[HeardPrompt], at: datetime) -> Hearing:
        """The hearing when the next turn is sent at `at`, in response to `step`."""
        return replace(self, step=step, at=at, turn=tuple(turn))


def _plain(prompt: HeardPrompt) -> list[Any]:
    """The prompt as a list. If it was spoken in the call's own language, processes of versions without a choice of
    language can read it.
    """
    language = [prompt.language] if prompt.language else []
    return [prompt.id, prompt.seconds, prompt.must_say, prompt.heard, *language]


class Reach(StrEnum):
    """Whom an ended call reached, worst first."""

    NOBODY = "nobody"
    """Not answered, or not known."""
    MACHINE = "machine"
    """Voicemail or an assistant."""
    FORWARDED = "forwarded"
    """Somebody else's telephone, whatever was pressed there: scammers set forwarding."""
    HUNG_UP_EARLY = "hung_up_early"
    """Answered, and over before the warning sentence was complete."""
    CUT_OFF = "cut_off"
    """Answered, and cut off by a fault of ours before the warning was complete, or before the person said anything."""
    SILENT = "silent"
    """The warning was spoken, but no key was pressed and no word said."""
    WRONG_PERSON = "wrong_person"
    UNVERIFIED = "unverified"
    """Somebody answered and did not say who they are."""
    VERIFIED = "verified"
    """The right person said who they are, and the warning sentence was spoken."""


_NO_LISTENER = {TelephonyResult.MACHINE: Reach.MACHINE, TelephonyResult.FORWARDED: Reach.FORWARDED}

NO_CONTACT = frozenset({Reach.NOBODY, Reach.MACHINE, Reach.FORWARDED, Reach.HUNG_UP_EARLY, Reach.CUT_OFF})


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """What is known about the conversation of a call when it ends."""

    contact: Contact = Contact.NONE
    """The contact, judged by the keys pressed."""
    answer: Answer = Answer.NONE
    spoke: bool = False
    """A key was pressed or a word said, the right one or not."""
    warned: bool = False
    """Every sentence of the warning was heard to its end."""
    cut_off: bool = False
    """A fault of ours ended the call, and not the person."""


def reach_of(result: TelephonyResult, talk: Conversation) -> Reach:
    """The reach of an ended call."""
    if result is not TelephonyResult.ANSWERED:
        return _NO_LISTENER.get(result, Reach.NOBODY)
    if talk.answer is Answer.WRONG_PERSON:
        return Reach.WRONG_PERSON
    if talk.cut_off and not (talk.warned and talk.spoke):
        return Reach.CUT_OFF
    if not talk.warned:
        return Reach.HUNG_UP_EARLY
    if not talk.spoke:
        return Reach.SILENT
    return Reach.VERIFIED if talk.contact is Contact.VERIFIED else Reach.UNVERIFIED


def contact_of_reach(reach: Reach) -> Contact:
    """The contact that a call counts as, in every report."""
    if reach in NO_CONTACT:
        return Contact.NONE
    return Contact.VERIFIED if reach is Reach.VERIFIED else Contact.UNVERIFIED


def heard_seconds(*, elapsed_seconds: float | None, played_seconds: float) -> int | None:
    """The whole seconds of our voice that can have been heard: at most the time connected, and at most the time played.
    None: not known.
    """
    return None if elapsed_seconds is None else int(max(0.0, min(elapsed_seconds, played_seconds)))
