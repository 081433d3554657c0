"""The voices of prompts: a centre's own recording first, then Kokoro, and espeak-ng as the last resort.

The engines are optional (the extra `speech`) and needed only to render new text, never to make a call.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from audio.wave_file import Flaw, Sound, SoundFault, read_wav

SLOWER = 0.85
"""How fast a slower reading is, against the usual one."""


class VoiceMissing(SoundFault):
    """An engine or one of its parts is not installed."""


class Voice(Protocol):
    """One speaker. `parameters` are all that changes the sound of the same words."""

    @property
    def name(self) -> str: ...

    @property
    def parameters(self) -> tuple[str, ...]: ...

    def languages(self) -> frozenset[str]: ...

    def say(self, spoken: str, language: str) -> Sound:
        """One sentence, figures already put into words."""
        ...

    def slower(self) -> Voice:
        """The same speaker for people who do not hear well."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Recordings:
    """A folder of a centre's own clips: `<language>/<prompt id>.wav`, mono or stereo, 16-bit, any rate."""

    folder: Path

    def find(self, prompt_id: str, language: str) -> Sound | None:
        """Raises `NoSound` when the clip is there but is no WAV."""
        path = self.folder / language / f"{prompt_id}.wav"
        return read_wav(path) if path.is_file() else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Espeak:
    """The last resort. Its Mandarin is hard to understand, so its name stays visible in the manifest."""

    words_per_minute: int = 150

    @property
    def name(self) -> str:
        return "espeak-ng"

    @property
    def parameters(self) -> tuple[str, ...]:
        return (f"wpm={self.words_per_minute}",)

    def languages(self) -> frozenset[str]:
        return frozenset(_ESPEAK_VOICES) if shutil.which("espeak-ng") else frozenset()

    def slower(self) -> Espeak:
        return Espeak(words_per_minute=round(SLOWER * self.words_per_minute))

    def say(self, spoken: str, language: str) -> Sound:
        program = shutil.which("espeak-ng")
        if program is None:
            raise VoiceMissing(Flaw("espeak-ng is not installed (Debian: apt-get install espeak-ng)"))
        options = ("-v", _ESPEAK_VOICES[language], "-s", str(self.words_per_minute), "--stdout", "--stdin")
        done = subprocess.run(  # noqa: S603 - espeak-ng with fixed options; the text goes in through stdin
            (program, *options), input=spoken.encode(), capture_output=True, check=False, timeout=60
        )
        if done.returncode:
            raise VoiceMissing(Flaw("espeak-ng cannot speak %(language)s", language=language))
        return read_wav(_with_true_length(done.stdout))


_ESPEAK_VOICES = {"zh": "cmn", "en": "en-us"}
_RIFF_SIZE, _DATA_SIZE, _HEADER = 4, 40, 44


def _with_true_length(streamed: bytes) -> bytes:
    """A WAV with the right length in its header, which a WAV written to a pipe has not."""
    body = streamed[_HEADER:]
    head = bytearray(streamed[:_HEADER])
    head[_RIFF_SIZE : _RIFF_SIZE + 4] = (len(body) + _HEADER - 8).to_bytes(4, "little")
    head[_DATA_SIZE : _DATA_SIZE + 4] = len(body).to_bytes(4, "little")
    return bytes(head) + body


def voice_for(language: str, voices: Sequence[Voice], *, slow: bool = False) -> Voice:
    """The first that speaks the language. Raises `VoiceMissing`."""
    for voice in voices:
        if language in voice.languages():
            return voice.slower() if slow else voice
    raise VoiceMissing(
        Flaw(
            "no voice speaks %(language)s; record its prompts, or install the extra 'speech'",
            language=language,
        )
    )
