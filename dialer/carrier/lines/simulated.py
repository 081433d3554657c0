"""The simulated line: every number has a person whose behaviour follows from the seed and the number alone.

It cannot reach a real phone: it opens no socket and imports nothing that could.
"""

from __future__ import annotations

import asyncio
import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace
from hashlib import blake2b
from itertools import accumulate

from dialer.carrier.config import Timers
from dialer.carrier.lines.handset import Handsets
from dialer.carrier.lines.line import Cause, Clip, Leg, LegEvents, Verdict
from dialer.carrier.people import Behaviour, PeopleConfig, Pickup, Range
from dialer.carrier.speech_input import Speech

_NETWORK_GIVES_UP_SECONDS = 120.0
_BETWEEN_KEYS_SECONDS = 0.4
_EXTENSION = re.compile(r"[0-9]{3,4}")
"""A telephone of the centre's own exchange."""
_DESK_ANSWERS: Range = (1.0, 4.0)
_DESK_TALKS: Range = (20.0, 60.0)
_NO_ATTEMPT = {
    Pickup.BUSY: Cause.BUSY,
    Pickup.POWERED_OFF: Cause.POWERED_OFF,
    Pickup.INVALID: Cause.INVALID,
    Pickup.BLOCKED: Cause.BLOCKED,
}


_TEXT_ERRORS = {Pickup.POWERED_OFF: 30003, Pickup.INVALID: 30005, Pickup.BLOCKED: 30004}
"""Unreachable handset, unknown handset, blocked."""


def _desk() -> Behaviour:
    """An officer's desk: answers soon, speaks a while, hangs up."""
    return Behaviour(name="desk", answer_after_seconds=_DESK_ANSWERS, hang_up_after_seconds=_DESK_TALKS)


def chance(seed: str, *parts: object) -> float:
    """A number in [0, 1) that depends on its arguments alone."""
    text = "\x1f".join([seed, *map(str, parts)])
    return int.from_bytes(blake2b(text.encode(), digest_size=7).digest()) / 2**56


class SimulatedLine:
    """Rings simulated people. `assign` gives one number a behaviour of its own; one of `handsets` is in a hand."""

    def __init__(
        self, timers: Timers, *, people: PeopleConfig, seed: str, desk_numbers: tuple[str, ...] = ()
    ) -> None:
        self._timers = timers
        self._seed = seed
        self._assigned: dict[str, Behaviour] = {number: _desk() for number in desk_numbers}
        self._desks: dict[str, SimulatedLeg | None] = dict.fromkeys(desk_numbers)
        self.handsets = Handsets(timers)
        self._behaviours = [one for one in people.behaviours if one.share > 0]
        self._bounds = list(accumulate(one.share for one in self._behaviours))

    def behaviour_of(self, number: str) -> Behaviour:
        """Who answers there: as assigned, else a desk at an extension, and a person drawn from the mix by seed and
        number at any other number.
        """
        assigned = self._assigned.get(number)
        if assigned is not None:
            return assigned
        if _EXTENSION.fullmatch(number):
            return _desk()
        point = chance(self._seed, "person", number) * self._bounds[-1]
        return self._behaviours[min(bisect_right(self._bounds, point), len(self._behaviours) - 1)]

    def assign(self, number: str, behaviour: Behaviour | None) -> None:
        """That number now behaves so; None gives it back to the mix."""
        if behaviour is None:
            self._assigned.pop(number, None)
        else:
            self._assigned[number] = behaviour

    def refusal(self, number: str) -> int:
        if self.handsets.of(number) is not None:
            return 0
        behaviour = self.behaviour_of(number)
        return behaviour.refusal_code if behaviour.pickup is Pickup.REFUSED_AT_CREATION else 0

    def text_error(self, number: str) -> int:
        """Why a message to that number is never delivered, by Twilio's code; 0 when it is."""
        if self.handsets.of(number) is not None:
            return 0
        return _TEXT_ERRORS.get(self.behaviour_of(number).pickup, 0)

    def dial(self, number: str, *, nth: int, events: LegEvents) -> Leg:
        handset = self.handsets.of(number)
        if handset is not None:
            return handset.rung(events)
        behaviour = self.behaviour_of(number)
        speaking = self._desks.get(number)
        if speaking is not None and not speaking.is_over:
            behaviour = replace(behaviour, pickup=Pickup.BUSY)  # A desk is one telephone.
        leg = SimulatedLeg(self._timers, behaviour, f"{self._seed}\x1f{number}\x1f{nth}", nth, events)
        if number in self._desks and behaviour.pickup is not Pickup.BUSY:
            self._desks[number] = leg
        leg.start()
        return leg


class SimulatedLeg:
    """One call to one simulated person."""

    __slots__ = (
        "_alerting",
        "_behaviour",
        "_draws",
        "_events",
        "_nth",
        "_over",
        "_speech",
        "_talking",
        "_timers",
        "_waits",
    )

    def __init__(self, timers: Timers, behaviour: Behaviour, draws: str, nth: int, events: LegEvents) -> None:
        self._timers = timers
        self._behaviour = behaviour
        self._draws = draws
        self._nth = nth
        self._events = events
        self._over = False
        self._alerting = False
        self._talking = False
        self._speech: asyncio.TimerHandle | None = None
        self._waits: dict[str, asyncio.TimerHandle] = {}

    @property
    def is_over(self) -> bool:
        return self._over

    @property
    def line_result(self) -> str:
        return self._behaviour.line_result

    def _within(self, span: Range, *what: object) -> float:
        least, most = span
        return least if least == most else least + (most - least) * chance(self._draws, *what)

    def start(self) -> None:
        behaviour = self._behaviour
        setup = self._within(behaviour.ring_after_seconds, "setup")
        cause = _NO_ATTEMPT.get(behaviour.pickup)
        if cause is not None:
            self._wait("setup", setup, lambda: self._end(cause))
        elif behaviour.pickup is Pickup.REFUSED_AT_CREATION:
            self._wait("setup", setup, lambda: self._end(Cause.INVALID))
        else:
            self._wait("setup", setup, self._ring)

    def _ring(self) -> None:
        behaviour = self._behaviour
        self._alerting = True
        self._events.ringing()
        if self._over:
            return
        after = self._within(behaviour.answer_after_seconds, "answer")
        if behaviour.pickup is Pickup.REJECTED:
            self._wait("pickup", after, lambda: self._end(Cause.REJECTED))
        elif behaviour.pickup is Pickup.RINGS_THEN_FAILS:
            self._wait("pickup", after, lambda: self._end(Cause.FAILED))
        elif behaviour.pickup is Pickup.NO_ANSWER or self._nth < behaviour.answers_from_call:
            self._wait("pickup", _NETWORK_GIVES_UP_SECONDS, lambda: self._end(Cause.NO_ANSWER))
        else:
            self._wait("pickup", after, self._pick_up)

    def _pick_up(self) -> None:
        behaviour = self._behaviour
        self._alerting = False
        self._talking = True
        if behaviour.hang_up_after_seconds is not None:
            after = self._within(behaviour.hang_up_after_seconds, "hang up")
            self._wait("hang up", after, lambda: self._end(Cause.HUNG_UP))
        self._events.answered(
            Verdict(
                answered_by=behaviour.answered_by,
                after_seconds=behaviour.verdict_after_seconds,
                greeting_seconds=behaviour.greeting_seconds,
            )
        )

    def answer_now(self) -> bool:
        if not self._alerting or self._over:
            return False
        pending = self._waits.pop("pickup", None)
        if pending is not None:
            pending.cancel()
        self._pick_up()
        return True

    def speak(self, clip: Clip, done: Callable[[], None]) -> None:
        self._speech = self._timers.later(clip.seconds, done)

    def stop_speaking(self) -> None:
        if self._speech is not None:
            self._speech.cancel()
            self._speech = None

    def listen(self, question: int) -> None:
        behaviour = self._behaviour
        text = behaviour.keys[question - 1] if question <= len(behaviour.keys) else ""
        words = behaviour.says[question - 1] if question <= len(behaviour.says) else ""
        if not text and not words:
            return
        after = self._within(behaviour.key_after_seconds, "key", question)
        if text:
            self._wait("key", after, lambda: self._press(text))
        else:
            self._wait("key", after, lambda: self._events.said(Speech(words=words)))

    def _press(self, text: str) -> None:
        if len(text) > 1:
            self._wait("key", _BETWEEN_KEYS_SECONDS, lambda: self._press(text[1:]))
        self._events.pressed(text[0])

    def stop_listening(self) -> None:
        pending = self._waits.pop("key", None)
        if pending is not None:
            pending.cancel()

    def hang_up(self) -> None:
        self._over = True
        self._alerting = False
        self.stop_speaking()
        for pending in self._waits.values():
            pending.cancel()
        self._waits.clear()

    def _end(self, cause: Cause) -> None:
        self.hang_up()
        self._events.ended(cause)

    def _wait(self, name: str, seconds: float, then: Callable[[], None]) -> None:
        self._waits[name] = self._timers.later(seconds, then)
