"""Whisper base reads a window of one side of a recorded call: words with times and confidence.

It runs on one thread of the lowest priority, so that calls go first. Needs the extra `hearing`, and downloads nothing.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import threading
from array import array
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Protocol, Self

from carrier.whisper import at_rate, load_model
from carrier.whisper import is_installed as is_model_installed
from dialer.core.inspection import Side
from dialer.quality.model import Piece, Word, unsure_count

_ENGINE_HZ: Final = 16_000
_LOWEST_PRIORITY: Final = 19
_FULL_SCALE: Final = 32_768
_SURE_OF_LANGUAGE: Final = 0.6
"""Below this the language is taken for Chinese: a few words alone are taken for anything."""
_READ: Final = ("zh", "en", "yue")


class Recogniser(Protocol):
    """What reads sound."""

    def read(self, samples: bytes, rate_hz: int, *, side: Side, begin: float, language: str = "") -> Piece:
        """The words in 16-bit samples that begin `begin` seconds after the recording. `language`: what this side spoke
        before; '': not known.
        """
        ...


def is_installed() -> bool:
    """Whether the extra `hearing` is installed."""
    return is_model_installed() and importlib.util.find_spec("zhconv") is not None


class WhisperReader:
    """The recogniser with its own thread; the model is loaded at the first window. Used as a context, at whose end the
    model is given back.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, initializer=_give_way)
        self._model: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown()
        self._model = None

    def read(self, samples: bytes, rate_hz: int, *, side: Side, begin: float, language: str = "") -> Piece:
        """As `Recogniser.read`. A window without speech costs hardly anything."""
        return self._thread.submit(self._read, samples, rate_hz, side, begin, language).result()

    def _read(self, samples: bytes, rate_hz: int, side: Side, begin: float, expected: str) -> Piece:
        if self._model is None:
            # Its own threads inherit the priority of this one.
            self._model = load_model(threads=1)
        numpy = importlib.import_module("numpy")
        if not samples:
            return Piece(words=(), language="zh", speech_seconds=0.0)
        sound = numpy.array(array("h", samples), dtype=numpy.float32) / _FULL_SCALE
        if rate_hz != _ENGINE_HZ:
            sound = at_rate(sound, rate_hz).astype(numpy.float32)
        if expected in _READ:
            # To tell the language takes half as long as to read: only where what comes of this one is doubtful.
            piece = self._piece(*self._transcribe(sound, expected), side, begin)
            if not piece.words or unsure_count(piece.words) <= len(piece.words) / 2:
                return piece
        segments, found = self._transcribe(sound, None)
        if found.language not in _READ and found.language_probability < _SURE_OF_LANGUAGE:
            segments, found = self._transcribe(sound, "zh")
        return self._piece(segments, found, side, begin)

    def _piece(self, segments: Any, found: Any, side: Side, begin: float) -> Piece:  # noqa: ANN401 - the engine is optional
        """The words of these segments, which the engine reads as they are asked for."""
        language, speech = found.language, float(found.duration_after_vad)
        if not speech or language not in _READ:
            return Piece(words=(), language=language, speech_seconds=speech)
        simplified: Callable[[str, str], str] = importlib.import_module("zhconv").convert
        words = tuple(
            Word(
                side=side,
                begin=begin + float(word.start),
                end=begin + max(float(word.end), float(word.start)),
                confidence=min(max(float(word.probability), 0.0), 1.0),
                text=simplified(word.word, "zh-cn"),
            )
            for segment in segments
            for word in segment.words or ()
            if word.word.strip()
        )
        return Piece(words=words, language=language, speech_seconds=speech)

    def _transcribe(self, sound: Any, language: str | None) -> tuple[Any, Any]:  # noqa: ANN401 - the engine is optional
        segments, found = self._model.transcribe(
            sound,
            language=language,
            beam_size=1,
            word_timestamps=True,
            vad_filter=True,
            condition_on_previous_text=False,
        )
        return segments, found


def _give_way() -> None:
    """Gives this thread, and those that it starts, the lowest priority, where the system can."""
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST_PRIORITY)
