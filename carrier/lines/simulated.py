"""The simulated line: the seed and the number alone decide how the person at a number behaves.

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

from carrier.config import Timers
from carrier.lines import Cause, Leg, LegEvents, MachineDetection
from carrier.lines.handset import Handsets, SoundlessLeg
from carrier.people import Behaviour, PeopleConfig, Pickup, Range
from carrier.speech_input import Speech

_NETWORK_GIVES_UP_SECONDS = 120.0
_BETWEEN_KEYS_SECONDS = 0.4
_EXTENSION = re.compile(r"[0-9]{3,4}")
"""An extension of the centre's own exchange."""
_DESK = Behaviour(name="desk", answer_after_seconds=(1.0, 4.0), hang_up_after_seconds=(20.0, 60.0))
"""An officer's desk answers soon, talks a while and hangs up."""
_WITHOUT_RINGING = {
    Pickup.BUSY: Cause.BUSY,
    Pickup.POWERED_OFF: Cause.POWERED_OFF,
    Pickup.INVALID: Cause.INVALID,
    Pickup.REFUSED_AT_CREATION: Cause.INVALID,
    Pickup.BLOCKED: Cause.BLOCKED,
}
_TEXT_ERRORS = {Pickup.POWERED_OFF: 30003, Pickup.INVALID: 30005, Pickup.BLOCKED: 30004}
"""Twilio's codes for an unreachable handset, an unknown one, and a blocked message."""


def chance(seed: str, *parts: object) -> float:
    """A number in [0, 1) that depends on its arguments alone."""
    text = "\x1f".join([seed, *map(str, parts)])
    return int.from_bytes(blake2b(text.encode(), digest_size=7).digest()) / 2**56


class SimulatedLine:
    """Calls simulated people. `assign` sets the behaviour of one number; a person operates each of `handsets`."""

    def __init__(
        self, timers: Timers, *, people: PeopleConfig, seed: str, desk_numbers: tuple[str, ...] = ()
    ) -> None:
        self._timers = timers
        self._seed = seed
        self._assigned: dict[str, Behaviour] = dict.fromkeys(desk_numbers, _DESK)
        self._desks: dict[str, SimulatedLeg | None] = dict.fromkeys(desk_numbers)
        self.handsets = Handsets(timers)
        self.receive: Callable[[str, Callable[[LegEvents], Leg]], object] = lambda _caller, _connect: None
        """What takes inbound calls; the exchange sets it."""
        self._rang_back: set[str] = set()
        self._asked_before: set[str] = set()
        """Numbers whose person has pressed all their keys in a call."""
        self._behaviours = [behaviour for behaviour in people.behaviours if behaviour.share > 0]
        self._bounds = list(accumulate(behaviour.share for behaviour in self._behaviours))

    def behaviour_of(self, number: str) -> Behaviour:
        """The behaviour assigned to the number; else that of a desk for an extension; else one drawn from the mix by
        seed and number.
        """
        assigned = self._assigned.get(number)
        if assigned is not None:
            return assigned
        if _EXTENSION.fullmatch(number):
            return _DESK
        point = chance(self._seed, "person", number) * self._bounds[-1]
        return self._behaviours[min(bisect_right(self._bounds, point), len(self._behaviours) - 1)]

    def assign(self, number: str, behaviour: Behaviour | None) -> None:
        """Sets the behaviour of the number; None returns it to the mix."""
        if behaviour is None:
            self._assigned.pop(number, None)
        else:
            self._assigned[number] = behaviour

    def refusal(self, number: str) -> int:
        """Twilio's error code with which creating a call to this number is refused; 0: it is not."""
        if self.handsets.of(number) is not None:
            return 0
        behaviour = self.behaviour_of(number)
        return behaviour.refusal_code if behaviour.pickup is Pickup.REFUSED_AT_CREATION else 0

    def text_error(self, number: str) -> int:
        """Twilio's code of the reason why a message to that number is not delivered; 0 when it is."""
        if self.handsets.of(number) is not None:
            return 0
        return _TEXT_ERRORS.get(self.behaviour_of(number).pickup, 0)

    def dial(self, number: str, *, nth: int, events: LegEvents) -> Leg:
        """Starts a leg to a person, a handset or a desk; a handset or desk that is in a call is busy. `nth` is how
        often the number has been called, so that a person may behave differently each time.
        """
        handset = self.handsets.of(number)
        if handset is not None and handset.is_free:
            return handset.dial(events)
        behaviour = self.behaviour_of(number)
        at_desk = self._desks.get(number)
        if handset is not None or (at_desk is not None and not at_desk.is_over):
            behaviour = replace(behaviour, pickup=Pickup.BUSY)
        if number in self._asked_before and behaviour.later_keys:
            behaviour = replace(behaviour, keys=behaviour.later_keys, says=())
        draws = f"{self._seed}\x1f{number}\x1f{nth}"
        leg = SimulatedLeg(
            self._timers,
            behaviour,
            draws,
            nth,
            events,
            lambda: self._asked_before.add(number),
            lambda: self._over(number, behaviour, draws),
        )
        if number in self._desks and behaviour.pickup is not Pickup.BUSY:
            self._desks[number] = leg
        leg.start()
        return leg

    def _over(self, number: str, behaviour: Behaviour, draws: str) -> None:
        """After a call the person calls back, once at most, where their behaviour says so."""
        span = behaviour.rings_back_after_seconds
        if span is None or number in self._rang_back:
            return
        self._rang_back.add(number)
        after = within(span, draws, "rings back")
        self._timers.later(after, lambda: self.call_in(number))

    def call_in(self, number: str, behaviour: Behaviour | None = None) -> None:
        """The person at this number calls us, with this behaviour, else with their own."""
        given = behaviour or self.behaviour_of(number)
        own = number.removeprefix("+86") + "#"
        calls = replace(
            given,
            # A person who hides their number is asked for it.
            keys=given.rings_back_keys or ((own,) if given.hides_number else ()),
            says=(),
            hang_up_after_seconds=(given.waits_seconds, given.waits_seconds),
            rings_back_after_seconds=None,
        )

        def connect(events: LegEvents) -> Leg:
            leg = SimulatedLeg(
                self._timers, calls, f"{self._seed}\x1f{number}\x1fin", 1, events, _nothing, _nothing
            )
            leg.call_in()
            return leg

        self.receive("" if given.hides_number else number, connect)


def _nothing() -> None:
    """Does nothing: an inbound call changes nothing that the line knows of the person."""


def within(span: Range, draws: str, *what: object) -> float:
    """A number in the range that depends on the other arguments alone."""
    least, most = span
    return least if least == most else least + (most - least) * chance(draws, *what)


class SimulatedLeg(SoundlessLeg):
    """One call to, or from, one simulated person."""

    def __init__(
        self,
        timers: Timers,
        behaviour: Behaviour,
        draws: str,
        nth: int,
        events: LegEvents,
        all_pressed: Callable[[], object],
        over: Callable[[], object],
    ) -> None:
        super().__init__(timers)
        self._behaviour = behaviour
        self._draws = draws
        self._nth = nth
        self._events = events
        self._all_pressed = all_pressed
        self._when_over = over
        self._alerting = False
        self._waits: dict[str, asyncio.TimerHandle] = {}

    @property
    def line_result(self) -> str:
        """What our own carrier adds to Twilio's status, such as `powered_off`; may be empty."""
        return self._behaviour.line_result

    def _within(self, span: Range, *what: object) -> float:
        return within(span, self._draws, *what)

    def call_in(self) -> None:
        """The call is answered at once."""
        self._wait("setup", 0.0, self._pick_up)

    def start(self) -> None:
        """Schedules the first event that the person's behaviour causes in this call."""
        behaviour = self._behaviour
        setup = self._within(behaviour.ring_after_seconds, "setup")
        cause = _WITHOUT_RINGING.get(behaviour.pickup)
        if cause is not None:
            self._wait("setup", setup, lambda: self._end(cause))
        else:
            self._wait("setup", setup, self._ring)

    def _ring(self) -> None:
        behaviour = self._behaviour
        self._alerting = True
        self._events.ringing()
        if self.is_over:
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
        if behaviour.hang_up_after_seconds is not None:
            after = self._within(behaviour.hang_up_after_seconds, "hang up")
            self._wait("hang up", after, lambda: self._end(Cause.HUNG_UP))
        self._events.answered(
            MachineDetection(
                answered_by=behaviour.answered_by,
                after_seconds=behaviour.verdict_after_seconds,
                greeting_seconds=behaviour.greeting_seconds,
            )
        )

    def answer_now(self) -> bool:
        """Answers a ringing phone at once. False if it does not ring."""
        if not self._alerting or self.is_over:
            return False
        self._cancel("pickup")
        self._pick_up()
        return True

    def listen(self, question: int) -> None:
        """Schedules the keys or words with which the behaviour answers this question, counted from 1."""
        behaviour = self._behaviour
        text = behaviour.keys[question - 1] if question <= len(behaviour.keys) else ""
        words = behaviour.says[question - 1] if question <= len(behaviour.says) else ""
        if not text and not words:
            return
        after = self._within(behaviour.key_after_seconds, "key", question)
        if text:
            if question == len(behaviour.keys):
                self._all_pressed()
            self._wait("key", after, lambda: self._press(text))
        else:
            self._wait("key", after, lambda: self._events.said(Speech(words=words)))

    def _press(self, text: str) -> None:
        if len(text) > 1:
            self._wait("key", _BETWEEN_KEYS_SECONDS, lambda: self._press(text[1:]))
        if self.taping is not None:
            self.taping.pressed(text[0])
        self._events.pressed(text[0])

    def stop_listening(self) -> None:
        self._cancel("key")

    def _left(self) -> None:
        self._alerting = False
        for name in list(self._waits):
            self._cancel(name)
        self._when_over()

    def _end(self, cause: Cause) -> None:
        self.hang_up()
        self._events.ended(cause)

    def _wait(self, name: str, seconds: float, then: Callable[[], None]) -> None:
        self._waits[name] = self._timers.later(seconds, then)

    def _cancel(self, name: str) -> None:
        pending = self._waits.pop(name, None)
        if pending is not None:
            pending.cancel()
