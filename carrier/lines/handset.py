"""Telephones of the simulated line that a person operates; only their ringing is automatic."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from carrier.config import Timers
from carrier.lines import Cause, Clip, Leg, LegEvents, MachineDetection, Recorder
from carrier.lines.sound import OURS, PERSON, RATE, BadSound, TwoSides, key_tone, telephone_samples
from carrier.people import AnsweredBy
from carrier.speech_input import Speech

_SETUP_SECONDS = 1.0
_VERDICT_SECONDS = 2.5
_KEEP_CLIPS = 12


class HandsetState(StrEnum):
    """What a handset is doing."""

    IDLE = "idle"
    """No call yet."""
    RINGING = "ringing"
    TALKING = "talking"
    OVER = "over"
    """The last call has ended; the next one may come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One prompt that was, or is, played to the handset. `cut`: stopped before its end."""

    n: int
    clip: Clip
    cut: bool = False


class Handset:
    """The telephone of one number. `asking` is the number of the open question of the call, 0 without one."""

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

    @property
    def is_free(self) -> bool:
        """Whether a new call may come in."""
        return self._leg is None or self._leg.is_over

    def dial(self, events: LegEvents) -> HandsetLeg:
        """A new call to this handset, which must be free."""
        self.calls += 1
        self.asking = 0
        self.played.clear()
        self._leg = HandsetLeg(self, self._timers, events)
        return self._leg

    def call_in(self, events: LegEvents) -> HandsetLeg:
        """A call to us from this handset, which must be free. It is answered at once."""
        leg = self.dial(events)
        leg.is_answered = True
        leg.begin(self._call_in)
        return leg

    def _call_in(self) -> None:
        self.state = HandsetState.TALKING
        if self._leg is not None:
            self._leg.events.answered(None)

    # Acts of the person. Each returns whether it had an effect.

    def answer(self) -> bool:
        """Answers the call that rings; False if none does."""
        return self._leg is not None and self._leg.answer_now()

    def hang_up(self) -> bool:
        """Hangs up while talking, rejects while ringing."""
        if self._leg is None or self.state not in {HandsetState.RINGING, HandsetState.TALKING}:
            return False
        self._leg.hang_up()
        self._leg.events.ended(Cause.HUNG_UP if self._leg.is_answered else Cause.REJECTED)
        return True

    def press(self, keys: str) -> bool:
        """Sends the keys one after the other. False if no call is in progress."""
        if self._leg is None or self.state is not HandsetState.TALKING:
            return False
        for key in keys:
            if self._leg.taping is not None:
                self._leg.taping.pressed(key)
            self._leg.events.pressed(key)
        return True

    def say(self, speech: Speech) -> bool:
        """Sends an utterance. False if no call is in progress."""
        if self._leg is None or self.state is not HandsetState.TALKING:
            return False
        if self._leg.taping is not None:
            self._leg.taping.said(speech.wav)
        self._leg.events.said(speech)
        return True

    def clip(self, n: int) -> Clip | None:
        """The prompt of that number, while it is kept."""
        return next((played.clip for played in self.played if played.n == n), None)

    # Used by the leg.

    def plays(self, clip: Clip) -> None:
        """Adds a clip to what the handset has played, with the next number."""
        self._clips += 1
        self.played.append(Played(n=self._clips, clip=clip))

    def cut(self) -> None:
        """Marks the newest prompt as stopped before its end."""
        if self.played:
            self.played[-1] = replace(self.played[-1], cut=True)


_LONGEST_SECONDS = 900.0
"""The longest recorded part of one prompt that repeats until the call ends."""


class Taping:
    """Records a call on a line without sound of its own: what was played, pressed and said, each at its time. The
    recorder gets all of it at the end.
    """

    def __init__(self, recorder: Recorder, timers: Timers) -> None:
        self._recorder = recorder
        self._timers = timers
        self._began = timers.monotonic()
        self._sides = TwoSides()

    @property
    def _at(self) -> float:
        return (self._timers.monotonic() - self._began) * self._timers.clock.speed

    def played(self, clip: Clip) -> None:
        """A prompt of ours begins; text without sound is silence."""
        samples = _samples_of(clip.wav)
        wanted = 2 * round(min(clip.seconds, _LONGEST_SECONDS) * RATE)
        if samples:
            self._sides.put(OURS, (samples * (-(-wanted // len(samples))))[:wanted], begins=self._at)

    def stopped(self) -> None:
        """The prompt of ours is cut off."""
        self._sides.cut(OURS, at=self._at)

    def pressed(self, key: str) -> None:
        self._sides.put(PERSON, key_tone(key), begins=self._at)

    def said(self, wav: bytes) -> None:
        """An utterance of the person, which ends now."""
        samples = _samples_of(wav)
        self._sides.put(PERSON, samples, begins=max(0.0, self._at - len(samples) / (2 * RATE)))

    def over(self) -> None:
        self._recorder.sound(self._sides.take(self._at))
        self._recorder.over()


def _samples_of(wav: bytes) -> bytes:
    try:
        return telephone_samples(wav)
    except BadSound:
        return b""


class SoundlessLeg:
    """A leg on a line without sound of its own: a prompt takes its time, and nobody hears the other leg."""

    announcement = ""

    def __init__(self, timers: Timers) -> None:
        self.is_over = False
        self.taping: Taping | None = None
        self.hears: tuple[Leg, ...] = ()
        """Who would be heard in a conference, if there were voices."""
        self._timers = timers
        self._speech: asyncio.TimerHandle | None = None

    def speak(self, clip: Clip, done: Callable[[], None]) -> None:
        def heard() -> None:
            self._speech = None
            done()

        self._speech = self._timers.later(clip.seconds, heard)
        if self.taping is not None:
            self.taping.played(clip)

    def stop_speaking(self) -> None:
        if self._speech is not None:
            self._speech.cancel()
            self._speech = None
            self._cut()
            if self.taping is not None:
                self.taping.stopped()

    def join(self, other: Leg) -> None:
        """Has no effect: there are no voices to exchange."""

    def hear(self, others: Sequence[Leg]) -> None:
        """Notes who would be heard."""
        self.hears = tuple(others)

    def record(self, recorder: Recorder) -> None:
        """Records prompts, the tones of keys, and sound that was sent to a handset."""
        self.taping = Taping(recorder, self._timers)

    def hang_up(self) -> None:
        if self.is_over:
            return
        self.is_over = True
        self.stop_speaking()
        if self.taping is not None:
            self.taping.over()
        self._left()

    def _cut(self) -> None:
        """The prompt that plays is stopped before its end."""

    def _left(self) -> None:
        """The call is over."""


class HandsetLeg(SoundlessLeg):
    """One call to a handset, which rings after a short set-up."""

    line_result = ""

    def __init__(self, handset: Handset, timers: Timers, events: LegEvents) -> None:
        super().__init__(timers)
        self.events = events
        self.is_answered = False
        self._handset = handset
        self._setup = timers.later(_SETUP_SECONDS, self._ring)

    def begin(self, then: Callable[[], None]) -> None:
        """Calls `then` in place of ringing."""
        self._setup.cancel()
        self._setup = self._timers.later(0.0, then)

    def _ring(self) -> None:
        self._handset.state = HandsetState.RINGING
        self.events.ringing()

    def answer_now(self) -> bool:
        """Answers now; False if the handset does not ring."""
        if self.is_over or self._handset.state is not HandsetState.RINGING:
            return False
        self.is_answered = True
        self._handset.state = HandsetState.TALKING
        self.events.answered(
            MachineDetection(
                answered_by=AnsweredBy.HUMAN, after_seconds=_VERDICT_SECONDS, greeting_seconds=0.0
            )
        )
        return True

    def speak(self, clip: Clip, done: Callable[[], None]) -> None:
        self._handset.plays(clip)
        super().speak(clip, done)

    def listen(self, question: int) -> None:
        self._handset.asking = question

    def stop_listening(self) -> None:
        self._handset.asking = 0

    def _cut(self) -> None:
        self._handset.cut()

    def _left(self) -> None:
        self.stop_listening()
        self._setup.cancel()
        self._handset.state = HandsetState.OVER


class Handsets:
    """The handsets of a line. Beyond the limit the oldest one without a call is released, else the oldest of all."""

    _MOST = 32

    def __init__(self, timers: Timers) -> None:
        self._timers = timers
        self._by_number: dict[str, Handset] = {}

    def take(self, number: str) -> Handset:
        """The handset of that number, made if it is missing."""
        handset = self._by_number.get(number)
        if handset is None:
            self._release_oldest()
            handset = self._by_number[number] = Handset(number, self._timers)
        return handset

    def of(self, number: str) -> Handset | None:
        """The handset of this number (E.164); None where no person operates one."""
        return self._by_number.get(number)

    def find(self, handset_id: str) -> Handset | None:
        return next((handset for handset in self._by_number.values() if handset.id == handset_id), None)

    def release(self, handset: Handset) -> None:
        """Returns the number to a simulated person; a call in progress ends."""
        handset.hang_up()
        self._by_number.pop(handset.number, None)

    def _release_oldest(self) -> None:
        if len(self._by_number) < self._MOST:
            return
        idle_states = {HandsetState.IDLE, HandsetState.OVER}
        oldest = next((handset for handset in self._by_number.values() if handset.state in idle_states), None)
        self.release(oldest or next(iter(self._by_number.values())))
