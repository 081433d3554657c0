"""What stands between the call engine and a phone network. The simulated line and a SIP trunk both fit it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from dialer.carrier.people import AnsweredBy
from dialer.carrier.speech_input import Speech


class Cause(StrEnum):
    """Why the network or the far end ended a leg."""

    HUNG_UP = "hung_up"
    BUSY = "busy"
    REJECTED = "rejected"
    NO_ANSWER = "no_answer"
    POWERED_OFF = "powered_off"
    INVALID = "invalid"
    BLOCKED = "blocked"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What machine detection hears: who, after how many service seconds, and when a machine's greeting is
    over.
    """

    answered_by: AnsweredBy
    after_seconds: float
    greeting_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """Something to be heard, of known length. A simulated line needs the length, a real one the sound or the
    text.
    """

    seconds: float
    wav: bytes = b""
    text: str = ""
    name: str = ""
    """Where the sound came from; empty for words."""


class LegEvents(Protocol):
    """The call engine as a leg sees it. Events after `ended` are ignored."""

    def rings(self) -> None:
        """The callee's phone alerts."""

    def answered(self, verdict: Verdict) -> None: ...

    def pressed(self, key: str) -> None: ...

    def said(self, speech: Speech) -> None:
        """Whole, when it has been said: where speech begins and ends is for the line to tell."""

    def ended(self, cause: Cause) -> None: ...


class Leg(Protocol):
    """One phone being called, from the dial to the end."""

    @property
    def line_result(self) -> str:
        """What the line knows beyond Twilio's protocol (`forwarded`, `powered_off`), else empty."""

    def speak(self, clip: Clip, done: Callable[[], None]) -> None:
        """Plays the clip to the far end; `done` is called when it has been heard, unless `hush` came
        before.
        """

    def hush(self) -> None:
        """What is being spoken stops; its `done` is not called."""

    def listen(self, question: int) -> None:
        """Question number `question` of this call (from 1) takes keys from now on, while its prompts play
        too.
        """

    def stop_listening(self) -> None:
        """The question is over; keys for it that were not pressed yet never are."""

    def answer_now(self) -> bool:
        """Makes a ringing phone answer at this instant if the line can do that; says whether it did."""

    def hang_up(self) -> None:
        """Our side ends it; no event follows."""


class Line(Protocol):
    """A way to phones."""

    def refusal(self, number: str) -> int:
        """Twilio's error code if the number is refused when the call is created, else 0."""

    def dial(self, number: str, *, nth: int, events: LegEvents) -> Leg:
        """Starts calling; `nth` says how many calls to that number there have been, this one included."""
