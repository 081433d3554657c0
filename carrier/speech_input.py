"""Recognition of spoken answers by any engine, one utterance at a time and within a time limit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

TYPED_CONFIDENCE = 0.9
"""The confidence of typed words: they are certain, but still count as speech, which a key must confirm."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """One utterance: its sound (a WAV file), or its words where the line carries no sound."""

    words: str = ""
    wav: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """SpeechResult and Confidence (0 to 1) of Twilio."""

    text: str
    confidence: float


class SpeechRecogniser(Protocol):
    """A recognition engine. `language` is a Twilio code such as cmn-Hans-CN; `hints` are the expected phrases."""

    def recognise(self, wav: bytes, *, hints: tuple[str, ...], language: str) -> Recognised | None:
        """The recognised phrase, or None. May take seconds; runs in a thread."""


OnRecognised = Callable[[Recognised | None], None]


_T = TypeVar("_T")


class Engine:
    """Runs the work of an engine in a thread, one at a time. A thread cannot be stopped: one that hangs keeps the
    others waiting.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()

    async def do(self, work: Callable[[], _T], *, within_seconds: float) -> _T:
        """Returns the result of the work, or raises its exception. Raises `TimeoutError` where the wait and the work
        together take longer than `within_seconds`.
        """
        async with asyncio.timeout(within_seconds):
            await self._turn.acquire()
            task = asyncio.get_running_loop().create_task(self._work(work))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return await asyncio.shield(task)

    async def _work(self, work: Callable[[], _T]) -> _T:
        try:
            return await asyncio.to_thread(work)
        finally:
            self._turn.release()


_HEARING_SECONDS = 8.0
"""A person who has answered waits no longer: the question then goes on as if nothing had been recognised."""


class Hearing:
    """Passes utterances to the engine, one at a time, and its answers back to the event loop. An utterance that is not
    recognised in time counts as not recognised.
    """

    def __init__(
        self, recogniser: SpeechRecogniser | None, *, patience_seconds: float = _HEARING_SECONDS
    ) -> None:
        self._recogniser = recogniser
        self._patience_seconds = patience_seconds
        self._engine = Engine()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def has_engine(self) -> bool:
        """Whether sound is recognised; words always are."""
        return self._recogniser is not None

    def understand(
        self, speech: Speech, *, hints: tuple[str, ...], language: str, then: OnRecognised
    ) -> None:
        """Recognises the utterance. `then` is called once, later, on the event loop."""
        loop = asyncio.get_running_loop()
        if speech.words:
            loop.call_soon(then, Recognised(text=speech.words, confidence=TYPED_CONFIDENCE))
        elif self._recogniser is None:
            loop.call_soon(then, None)
        else:
            task = loop.create_task(self._ask(self._recogniser, speech.wav, hints, language, then))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Cancels the recognition under way."""
        for task in self._tasks:
            task.cancel()

    async def _ask(
        self,
        recogniser: SpeechRecogniser,
        wav: bytes,
        hints: tuple[str, ...],
        language: str,
        then: OnRecognised,
    ) -> None:
        found = None
        try:
            found = await self._engine.do(
                partial(recogniser.recognise, wav, hints=hints, language=language),
                within_seconds=self._patience_seconds,
            )
        except TimeoutError:
            _log.warning("an answer was not recognised in time")
        except Exception as fault:  # noqa: BLE001 - when an engine fails nothing is recognised
            _log.warning("recogniser failed: %s", type(fault).__name__)
        then(found)
