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


NOT_UNDERSTOOD = Recognised(text="…", confidence=0.0)
"""What is reported of an utterance that no expected phrase fits: the application can ask again at once."""


class SpeechRecogniser(Protocol):
    """A recognition engine. `language` is a Twilio code such as cmn-Hans-CN; `hints` are the expected phrases."""

    def recognise(self, wav: bytes, *, hints: tuple[str, ...], language: str) -> Recognised | None:
        """The recognised phrase, or None. May take seconds; runs in a thread."""


OnRecognised = Callable[[Recognised | None], None]


_T = TypeVar("_T")


class Engine:
    """Runs the work of a recogniser in a thread, one at a time, beside the event loop. A thread cannot be stopped: one
    that hangs keeps the others waiting.
    """

    def __init__(self, *, patience_seconds: float) -> None:
        self._patience_seconds = patience_seconds
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()

    def ask(self, work: Callable[[], _T], *, otherwise: _T, then: Callable[[_T], None]) -> None:
        """`then` is called once, later, on the event loop, with the result of the work; with `otherwise` where the work
        fails, or the wait and the work together take longer than `patience_seconds`.
        """
        loop = asyncio.get_running_loop()
        self._keep(loop.create_task(self._answer(work, otherwise, then)))

    def close(self) -> None:
        """Cancels the work under way: its `then` is not called."""
        for task in self._tasks:
            task.cancel()

    async def _answer(self, work: Callable[[], _T], otherwise: _T, then: Callable[[_T], None]) -> None:
        found = otherwise
        try:
            async with asyncio.timeout(self._patience_seconds):
                await self._turn.acquire()
                task = asyncio.get_running_loop().create_task(self._work(work))
                self._keep(task)
                found = await asyncio.shield(task)
        except TimeoutError:
            _log.warning("what was said was not recognised in time")
        except Exception as fault:  # noqa: BLE001 - when a recogniser fails nothing is recognised
            _log.warning("the recogniser failed: %s", type(fault).__name__)
        then(found)

    def _keep(self, task: asyncio.Task[Any]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, work: Callable[[], _T]) -> _T:
        try:
            return await asyncio.to_thread(work)
        finally:
            self._turn.release()


_HEARING_SECONDS = 8.0
"""A person who has answered waits no longer: the question then goes on as if nothing had been recognised."""


class Hearing:
    """Passes utterances to the engine, one at a time, and its answers back to the event loop. An utterance that is not
    recognised in time counts as not understood.
    """

    def __init__(
        self, recogniser: SpeechRecogniser | None, *, patience_seconds: float = _HEARING_SECONDS
    ) -> None:
        self._recogniser = recogniser
        self._engine = Engine(patience_seconds=patience_seconds)

    @property
    def has_engine(self) -> bool:
        """Whether sound is recognised; words always are."""
        return self._recogniser is not None

    def understand(
        self, speech: Speech, *, hints: tuple[str, ...], language: str, then: OnRecognised
    ) -> None:
        """Recognises the utterance. `then` is called once, later, on the event loop; with None where nothing recognises
        sound.
        """
        loop = asyncio.get_running_loop()
        if speech.words:
            loop.call_soon(then, Recognised(text=speech.words, confidence=TYPED_CONFIDENCE))
        elif self._recogniser is None:
            loop.call_soon(then, None)
        else:
            recognise = partial(self._recogniser.recognise, speech.wav, hints=hints, language=language)
            self._engine.ask(recognise, otherwise=None, then=lambda found: then(found or NOT_UNDERSTOOD))

    def close(self) -> None:
        """Cancels the recognition under way."""
        self._engine.close()
