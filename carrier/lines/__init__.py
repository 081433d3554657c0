"""The interface between the exchange and a phone network, for the simulated line and for a SIP trunk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from carrier.people import AnsweredBy
from carrier.speech_input import Speech


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
    LOST = "lost"
    """The line lost track of the call; its phone may have rung."""
    NO_SOUND = "no_sound"
    """No sound came from the far side after the answer: a fault of ours or of the network."""
    NO_WAY = "no_way"
    """The telephone was answered in a way that lets no sound of ours leave, as with a codec that we do not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineDetection:
    """The result of machine detection, available `after_seconds`, and the length of a machine's greeting."""

    answered_by: AnsweredBy
    after_seconds: float
    greeting_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """The sound quality of a call that was answered. Packets are of 20 ms; `lost` counts those that were sent to us and
    did not arrive.

    `mos`: 1 (bad) to 4.4, estimated from loss, jitter and delay. `gaps`: how often we had nothing to send within a
    prompt. `one_way`: no sound at all came from the far side.
    """

    seconds: float
    sent: int
    received: int
    lost: int
    jitter_ms: float
    mos: float
    gaps: int
    one_way: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A prompt of known length. A simulated line needs the length, a real one the sound or the text."""

    seconds: float
    wav: bytes = b""
    text: str = ""
    name: str = ""
    """The address of the sound; empty for text."""
    times: int = 1
    """How often the sound or the text is played; `seconds` covers all repetitions."""


class LegEvents:
    """Receives the events of a leg; a class that inherits from it ignores those that it does not define. Events after
    `ended` are ignored.
    """

    def ringing(self) -> None:
        """The callee's phone alerts."""

    def answered(self, verdict: MachineDetection | None) -> None:
        """`verdict` None: the line listens, and calls `judged` when it knows."""

    def judged(self, verdict: MachineDetection) -> None:
        """The verdict on a call that was answered without one; `after_seconds` have passed since the answer. After
        `machine_start` a second verdict follows where the end of the greeting is detected.
        """

    def pressed(self, key: str) -> None:
        """A key of the telephone."""

    def said(self, speech: Speech) -> None:
        """One complete utterance; the line decides where speech begins and ends."""

    def unplayed(self) -> None:
        """A clip has no sound on this line: silence is played in its place."""

    def ended(self, cause: Cause) -> None:
        """The network or the far end ended the call."""

    def measured(self, quality: Quality) -> None:
        """The sound quality of an answered call, where the line has sound; reported once, after its end, whichever side
        hung up.
        """


class Recorder(Protocol):
    """Receives the sound of a call that is recorded."""

    def sound(self, data: bytes) -> None:
        """The next piece of both sides: A-law at 8 kHz, in turn a byte of the person and one of what they hear."""

    def over(self) -> None:
        """The sound is complete; nothing follows."""


class Leg(Protocol):
    """One call to one phone, from the dial to the end."""

    @property
    def line_result(self) -> str:
        """What the line knows beyond Twilio's protocol (`forwarded`, `powered_off`, `lost`); may be empty."""

    @property
    def announcement(self) -> str:
        """What the network announced before the call ended unanswered, with its score (`powered_off 0.87`); may be
        empty.
        """

    def speak(self, clip: Clip, done: Callable[[], None]) -> None:
        """Plays the clip; `done` is called at its end, unless `stop_speaking` came before."""

    def stop_speaking(self) -> None:
        """The clip that plays stops; its `done` is not called."""

    def listen(self, question: int) -> None:
        """Question number `question` of this call (from 1) takes an answer, also while its prompts play if they can be
        interrupted. Keys are reported whether or not a question is open.
        """

    def stop_listening(self) -> None:
        """The question is over; a simulated person presses no more keys for it."""

    def answer_now(self) -> bool:
        """Makes a ringing phone answer now, if the line can; returns whether it did."""

    def join(self, other: Leg) -> None:
        """Connects the persons of both legs until one of the legs ends. Both have been answered, by the same line."""

    def hear(self, others: Sequence[Leg]) -> None:
        """The person hears these persons from now on, mixed, in place of whom they heard before, also by `join`; none:
        nobody. While a clip plays, the person hears that alone. All legs have been answered, by the same line.
        """

    def record(self, recorder: Recorder) -> None:
        """Records both sides from the answer on. Called when the call is answered; the recorder's `over` is called
        once, at the end of the call or soon after it.
        """

    def hang_up(self) -> None:
        """The carrier ends the call; no event follows."""


class Line(Protocol):
    """A connection to a phone network: the simulated one, or trunks of the centre's own."""

    def refusal(self, number: str) -> int:
        """Twilio's error code if the number is refused when the call is created, else 0."""

    def dial(self, number: str, *, nth: int, events: LegEvents) -> Leg:
        """Starts a call; `nth` is the number of calls to that number so far, this one included."""
