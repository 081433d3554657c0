"""One Gather under way: prompts that a key or a word interrupts, keys, speech, and the silence that ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from dialer.carrier.ears import Hearing, Recognised, Saying
from dialer.carrier.timers import Timers
from dialer.carrier.twiml import Gather, Prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What ended a question: keys, with the one that closed them; words that were understood; or nothing."""

    digits: str = ""
    finished_on: str = ""
    speech: Recognised | None = None

    @property
    def is_empty(self) -> bool:
        return not self.digits and not self.finished_on and self.speech is None


OnAnswer = Callable[[Gather, Answer], None]


class Speaker(Protocol):
    """What plays the question's prompts."""

    def prompt(self, prompt: Prompt, then: Callable[[], None]) -> None: ...

    def hush(self) -> None: ...


class Question:
    """Calls `done(gather, answer)` once, unless stopped. Keys count before speech: one that is pressed while words are
    being recognised is the answer.
    """

    __slots__ = (
        "_digits",
        "_done",
        "_hearing",
        "_over",
        "_player",
        "_prompt_at",
        "_silence",
        "_talking",
        "_timers",
        "_verb",
    )

    def __init__(
        self, verb: Gather, *, player: Speaker, hearing: Hearing, timers: Timers, done: OnAnswer
    ) -> None:
        self._verb = verb
        self._hearing = hearing
        self._player = player
        self._timers = timers
        self._done = done
        self._digits = ""
        self._prompt_at = 0
        self._talking = True
        self._over = False
        self._silence: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """The first prompt plays; after the last one the wait for a key begins."""
        if self._over or not self._talking:
            return
        prompts = self._verb.prompts
        if self._prompt_at < len(prompts):
            prompt = prompts[self._prompt_at]
            self._prompt_at += 1
            self._player.prompt(prompt, self.start)
        else:
            self._talking = False
            self._await_key()

    def pressed(self, key: str) -> None:
        if self._over:
            return
        self._interrupt()
        if key in self._verb.finish_on_key:
            self._finish(key)
            return
        self._digits += key
        if self._verb.num_digits is not None and len(self._digits) >= self._verb.num_digits:
            self._finish("")
        else:
            self._await_key()

    def said(self, saying: Saying) -> None:
        """The prompt stops at once; the silence is counted anew when nothing was understood."""
        if self._over or not self._verb.hears_speech or self._digits:
            return
        self._interrupt()
        self._stop_waiting()
        verb = self._verb
        self._hearing.understand(saying, hints=verb.hints, language=verb.language, then=self._understood)

    def stop(self) -> None:
        """It is over without an answer."""
        self._over = True
        self._stop_waiting()

    def _understood(self, told: Recognised | None) -> None:
        if self._over or self._digits:
            return
        if told is None:
            self._await_key()
            return
        self.stop()
        self._done(self._verb, Answer(speech=told))

    def _interrupt(self) -> None:
        if self._talking:
            self._talking = False
            self._player.hush()

    def _await_key(self) -> None:
        self._stop_waiting()
        self._silence = self._timers.later(self._verb.timeout_seconds, lambda: self._finish(""))

    def _stop_waiting(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None

    def _finish(self, key: str) -> None:
        self.stop()
        self._done(self._verb, Answer(digits=self._digits, finished_on=key))
