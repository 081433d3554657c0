"""One Gather under way: prompts that a key interrupts, keys, and the silence that ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from dialer.carrier.timers import Timers
from dialer.carrier.twiml import Gather, Prompt

OnAnswer = Callable[[Gather, str, str], None]


class Speaker(Protocol):
    """What plays the question's prompts."""

    def prompt(self, prompt: Prompt, then: Callable[[], None]) -> None: ...

    def hush(self) -> None: ...


class Question:
    """Calls `done(gather, digits, finish key)` once, unless stopped."""

    __slots__ = (
        "_digits",
        "_done",
        "_over",
        "_player",
        "_prompt_at",
        "_silence",
        "_talking",
        "_timers",
        "_verb",
    )

    def __init__(self, verb: Gather, *, player: Speaker, timers: Timers, done: OnAnswer) -> None:
        self._verb = verb
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
        if self._talking:
            self._talking = False
            self._player.hush()
        if key in self._verb.finish_on_key:
            self._finish(key)
            return
        self._digits += key
        if self._verb.num_digits is not None and len(self._digits) >= self._verb.num_digits:
            self._finish("")
        else:
            self._await_key()

    def stop(self) -> None:
        """It is over without an answer."""
        self._over = True
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None

    def _await_key(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
        self._silence = self._timers.later(self._verb.timeout_seconds, lambda: self._finish(""))

    def _finish(self, key: str) -> None:
        self.stop()
        self._done(self._verb, self._digits, key)
