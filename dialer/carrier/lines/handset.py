"""A telephone of the simulated line in somebody's hand: nothing on it happens by itself but the ringing."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from dialer.carrier.config import Timers
from dialer.carrier.lines.line import Cause, Clip, LegEvents, Verdict
from dialer.carrier.people import AnsweredBy
from dialer.carrier.speech_input import Speech

_SETUP_SECONDS = 1.0
_VERDICT_SECONDS = 2.5
_KEEP_CLIPS = 12


class HandsetState(StrEnum):
    IDLE = "idle"
    """No call yet."""
    RINGING = "ringing"
    TALKING = "talking"
    OVER = "over"
    """The last call has ended; the next one may come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One thing that was, or is, spoken to the handset. `cut`: stopped before its end."""

    n: int
    clip: Clip
    cut: bool = False


class Handset:
    """The telephone of one number. `asking` counts the questions of the call; 0 while none is open."""

    def __init__(self, number: str, timers: Timers) -> None:
        self.id = secrets.token_hex(12)
        self.number = number
        self.state = HandsetState.IDLE
        self.calls = 0
        self.asking = 0
        self.played: deque[Played] = deque(maxlen=_KEEP_CLIPS)
        self._timers = timers
        self._leg: HandsetLeg | None = None
        self._clips = 0

    def rung(self, events: LegEvents) -> HandsetLeg:
        """A call comes; one that finds another going on is told busy."""
        if self._leg is not None and not self._leg.is_over:
            leg = HandsetLeg(None, self._timers, events)
            self._timers.soon(leg.busy)
            return leg
        self.calls += 1
        self.asking = 0
        self.played.clear()
        self._leg = HandsetLeg(self, self._timers, events)
        self._leg.start()
        return self._leg

    # The hand. Each says whether it did anything.

    def answer(self) -> bool:
        return self._leg is not None and self._leg.answer_now()

    def hang_up(self) -> bool:
        """Put down while talking, rejected while ringing."""
        if self._leg is None or self.state not in {HandsetState.RINGING, HandsetState.TALKING}:
            return False
        self._leg.put_down(Cause.REJECTED if self.state is HandsetState.RINGING else Cause.HUNG_UP)
        return True

    def press(self, keys: str) -> bool:
        if self._leg is None or self.state is not HandsetState.TALKING:
            return False
        for key in keys:
            self._leg.events.pressed(key)
        return True

    def say(self, speech: Speech) -> bool:
        if self._leg is None or self.state is not HandsetState.TALKING:
            return False
        self._leg.events.said(speech)
        return True

    def clip(self, n: int) -> Clip | None:
        """What was played under that number, while it is remembered."""
        return next((one.clip for one in self.played if one.n == n), None)

    # The leg's side.

    def plays(self, clip: Clip) -> None:
        self._clips += 1
        self.played.append(Played(n=self._clips, clip=clip))

    def cut(self) -> None:
        """The newest clip was stopped."""
        if self.played:
            self.played[-1] = replace(self.played[-1], cut=True)


class HandsetLeg:
    """One call to a handset; without one it is a call that finds the line busy."""

    line_result = ""

    def __init__(self, handset: Handset | None, timers: Timers, events: LegEvents) -> None:
        self.events = events
        self.is_over = False
        self._handset = handset
        self._timers = timers
        self._setup: asyncio.TimerHandle | None = None
        self._speech: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._setup = self._timers.later(_SETUP_SECONDS, self._ring)

    def busy(self) -> None:
        if not self.is_over:
            self.is_over = True
            self.events.ended(Cause.BUSY)

    def put_down(self, cause: Cause) -> None:
        """By the hand."""
        self.hang_up()
        self.events.ended(cause)

    def _ring(self) -> None:
        self._show(HandsetState.RINGING)
        self.events.ringing()

    def answer_now(self) -> bool:
        handset = self._handset
        if handset is None or self.is_over or handset.state is not HandsetState.RINGING:
            return False
        self._show(HandsetState.TALKING)
        self.events.answered(
            Verdict(answered_by=AnsweredBy.HUMAN, after_seconds=_VERDICT_SECONDS, greeting_seconds=0.0)
        )
        return True

    def speak(self, clip: Clip, done: Callable[[], None]) -> None:
        if self._handset is not None:
            self._handset.plays(clip)

        def heard() -> None:
            self._speech = None
            done()

        self._speech = self._timers.later(clip.seconds, heard)

    def stop_speaking(self) -> None:
        if self._speech is not None:
            self._speech.cancel()
            self._speech = None
            if self._handset is not None:
                self._handset.cut()

    def listen(self, question: int) -> None:
        if self._handset is not None:
            self._handset.asking = question

    def stop_listening(self) -> None:
        if self._handset is not None:
            self._handset.asking = 0

    def hang_up(self) -> None:
        if self.is_over:
            return
        self.is_over = True
        self.stop_speaking()
        self.stop_listening()
        if self._setup is not None:
            self._setup.cancel()
        self._show(HandsetState.OVER)

    def _show(self, state: HandsetState) -> None:
        if self._handset is not None:
            self._handset.state = state


class Handsets:
    """The handsets of a line, a bounded number: whoever has waited longest without a call is let go."""

    _MOST = 32

    def __init__(self, timers: Timers) -> None:
        self._timers = timers
        self._by_number: dict[str, Handset] = {}

    def take(self, number: str) -> Handset:
        """The handset of that number, in hand from now on."""
        handset = self._by_number.get(number)
        if handset is None:
            self._let_go_of_one()
            handset = self._by_number[number] = Handset(number, self._timers)
        return handset

    def of(self, number: str) -> Handset | None:
        return self._by_number.get(number)

    def find(self, handset_id: str) -> Handset | None:
        return next((one for one in self._by_number.values() if one.id == handset_id), None)

    def let_go(self, handset: Handset) -> None:
        """Its number is a simulated person's again; a call that is going on ends."""
        handset.hang_up()
        self._by_number.pop(handset.number, None)

    def _let_go_of_one(self) -> None:
        if len(self._by_number) < self._MOST:
            return
        still = {HandsetState.IDLE, HandsetState.OVER}
        oldest = next((one for one in self._by_number.values() if one.state in still), None)
        self.let_go(oldest or next(iter(self._by_number.values())))
