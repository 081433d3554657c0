"""A line of phones in somebody's hands: expect a call, answer it, press a key. Any other number is an error.

Made for tests that tell a story from the callee's side; nothing happens by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from carrier.config import Timers
from carrier.lines import Cause, Clip, Leg, LegEvents, MachineDetection, Recorder
from carrier.people import AnsweredBy
from carrier.speech_input import Speech

_PATIENCE_SECONDS = 30.0


class DeviceCall:
    """One call to a phone in hand. The phone alerts by itself; the rest is done with `answer`, `press`,
    `hang_up`.
    """

    announcement = ""

    def __init__(self, phone: Phone, events: LegEvents, *, nth: int) -> None:
        self.nth = nth
        self.over = False
        self.answered_at_all = False
        self.heard: list[Clip] = []
        self.questions = 0
        self.joined: list[Leg] = []
        self.hears: tuple[Leg, ...] = ()
        self.recorder: Recorder | None = None
        self._phone = phone
        self._events = events
        self._speaking: tuple[Clip, Callable[[], None]] | None = None
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def line_result(self) -> str:
        return self._phone.line_result

    @property
    def is_spoken_to(self) -> bool:
        """Whether something is playing."""
        return self._speaking is not None

    # The callee's hand

    def answer(
        self, answered_by: AnsweredBy = AnsweredBy.HUMAN, *, verdict_after_seconds: float = 0.0
    ) -> None:
        """Picks up; machine detection will say `answered_by`."""
        self.answered_at_all = True
        self._events.answered(
            MachineDetection(
                answered_by=answered_by, after_seconds=verdict_after_seconds, greeting_seconds=0.0
            )
        )

    def press(self, keys: str) -> None:
        """Presses the keys one after the other."""
        for key in keys:
            self._events.pressed(key)

    def say(self, words: str = "", *, wav: bytes = b"") -> None:
        """Speaks: words as words, or their sound."""
        self._events.said(Speech(words=words, wav=wav))

    def hang_up_phone(self, cause: Cause = Cause.HUNG_UP) -> None:
        """The callee, or the network, ends it."""
        self.over = True
        self._events.ended(cause)
        self._tell()

    def hear_out(self) -> Clip:
        """The clip now playing is heard to its end; returns it."""
        assert self._speaking is not None, "nothing is playing"
        clip, done = self._speaking
        self._speaking = None
        done()
        return clip

    async def question(self, nth: int) -> None:
        """Waits until the nth question takes keys."""
        await self._until(lambda: self.questions >= nth, f"question {nth}")

    async def speech(self, *, text: str = "") -> Clip:
        """Waits until something is playing, or until this text is."""
        await self._until(
            lambda: self._speaking is not None and text in self._speaking[0].text, f"speech {text}"
        )
        assert self._speaking is not None
        return self._speaking[0]

    async def end(self) -> None:
        """Waits until the other side has hung up."""
        await self._until(lambda: self.over, "the end")

    # The engine's side

    def speak(self, clip: Clip, done: Callable[[], None]) -> None:
        self.heard.append(clip)
        self._speaking = (clip, done)
        self._tell()

    def stop_speaking(self) -> None:
        self._speaking = None

    def listen(self, question: int) -> None:
        self.questions = question
        self._tell()

    def stop_listening(self) -> None:
        """A hand presses when it likes."""

    def answer_now(self) -> bool:
        self.answer()
        return True

    def join(self, other: Leg) -> None:
        self.joined.append(other)

    def hear(self, others: Sequence[Leg]) -> None:
        self.hears = tuple(others)
        self._tell()

    def record(self, recorder: Recorder) -> None:
        """The phone in hand gives the sound: `recorder.sound`, then `recorder.over`."""
        self.recorder = recorder

    def hang_up(self) -> None:
        self.over = True
        self._speaking = None
        self._tell()

    def _tell(self) -> None:
        task = asyncio.get_running_loop().create_task(self._notify())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _until(self, true: Callable[[], bool], what: str) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS), self._changed:
                await self._changed.wait_for(true)
        except TimeoutError as error:
            raise AssertionError(f"no {what} within {_PATIENCE_SECONDS} s") from error


class Phone:
    """A phone that rings in a test."""

    def __init__(self, number: str) -> None:
        self.number = number
        self.line_result = ""
        self.calls: list[DeviceCall] = []
        self._ringing: asyncio.Queue[DeviceCall] = asyncio.Queue()

    async def rings(self) -> DeviceCall:
        """Waits for the next call to this phone."""
        try:
            return await asyncio.wait_for(self._ringing.get(), _PATIENCE_SECONDS)
        except TimeoutError as error:
            raise AssertionError("the phone did not ring") from error

    def incoming(self, call: DeviceCall) -> None:
        self.calls.append(call)
        self._ringing.put_nowait(call)


class DeviceLine:
    """Rings phones that were taken in hand before; a call to any other fails and is kept in `unexpected`."""

    def __init__(self, timers: Timers) -> None:
        self._timers = timers
        self._phones: dict[str, Phone] = {}
        self.unexpected = 0

    def phone(self, number: str) -> Phone:
        """Takes a phone in hand."""
        return self._phones.setdefault(number, Phone(number))

    def refusal(self, number: str) -> int:
        return 0

    def dial(self, number: str, *, nth: int, events: LegEvents) -> Leg:
        phone = self._phones.get(number)
        if phone is None:
            self.unexpected += 1
            call = DeviceCall(Phone(number), events, nth=nth)
            self._timers.soon(lambda: events.ended(Cause.INVALID))
            return call
        call = DeviceCall(phone, events, nth=nth)

        def ring() -> None:
            if not call.over:
                events.ringing()
                phone.incoming(call)

        self._timers.soon(ring)
        return call
