"""What understands a spoken answer: one interface, whatever engine stands behind it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

TYPED_CONFIDENCE = 0.9
"""Of words that came as words: nothing was misheard, and yet it is speech, which a key has to confirm."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """What somebody said: its sound (a WAV file), or, where a line carries words alone, the words."""

    words: str = ""
    wav: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """As Twilio tells it: `confidence` from 0 to 1."""

    text: str
    confidence: float


class Ear(Protocol):
    """An engine. `language` is Twilio's name of it, such as cmn-Hans-CN; `hints` are the phrases that are expected."""

    def recognise(self, wav: bytes, *, hints: tuple[str, ...], language: str) -> Recognised | None:
        """What was said, or None for nothing that can be told. May take seconds; runs in a thread of its own."""


OnRecognised = Callable[[Recognised | None], None]


class Hearing:
    """Takes what was said to the engine, one after the other, and its answer back to the loop."""

    __slots__ = ("_ear", "_tasks", "_turn")

    def __init__(self, ear: Ear | None) -> None:
        self._ear = ear
        self._turn = asyncio.Semaphore(1)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def has_engine(self) -> bool:
        """Whether sound is understood; words always are."""
        return self._ear is not None

    def understand(
        self, saying: Saying, *, hints: tuple[str, ...], language: str, then: OnRecognised
    ) -> None:
        """`then` is called once, later, on the loop."""
        loop = asyncio.get_running_loop()
        if saying.words:
            told = Recognised(text=saying.words, confidence=TYPED_CONFIDENCE)
            loop.call_soon(then, told)
        elif self._ear is None:
            loop.call_soon(then, None)
        else:
            task = loop.create_task(self._ask(self._ear, saying.wav, hints, language, then))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """What is being recognised has no effect any more."""
        for task in self._tasks:
            task.cancel()

    async def _ask(
        self, ear: Ear, wav: bytes, hints: tuple[str, ...], language: str, then: OnRecognised
    ) -> None:
        async with self._turn:
            try:
                told = await asyncio.to_thread(ear.recognise, wav, hints=hints, language=language)
            except Exception as fault:  # noqa: BLE001  # an engine that fails is an ear that heard nothing
                _log.warning("recogniser failed: %s", type(fault).__name__)
                told = None
        then(told)
