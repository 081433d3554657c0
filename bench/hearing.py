"""Spoken answers through 8 kHz A-law into the carrier's recogniser: how many are recognised.

    python -m bench.hearing [--styles var/voices] [--speakers zf_xiaoxiao,zm_yunjian] [--write bench/hearing.md]

Needs the extras `speech` (the speakers) and `hearing` (the recogniser). Every phrase of every question of the shipped
scripts is spoken; right is what leads to the same key, wrong what leads to another, none what is asked again.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from audio import compose
from audio.kokoro import Kokoro
from audio.spoken import as_spoken
from audio.wave_file import wav_bytes
from dialer.carrier.speech_input import Recognised, WhisperRecogniser, is_installed
from dialer.scripts.dialogue import Heard, meant
from dialer.scripts.model import Ask, Script
from dialer.scripts.reading import shipped_scripts

_LANGUAGES = {"zh": "cmn-Hans-CN", "en": "en-US"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Every question with other phrases, once."""

    script: Script
    node: Ask
    language: str
    phrases: tuple[tuple[str, str], ...]


def questions(language: str) -> list[Question]:
    found: dict[tuple[tuple[str, str], ...], Question] = {}
    for script in shipped_scripts().values():
        for node in script.nodes.values():
            if not isinstance(node, Ask) or node.max_digits > 1:
                continue
            choices = {**script.anywhere, **node.choices}
            phrases = tuple(
                (key, phrase)
                for key, choice in choices.items()
                for phrase in choice.phrases.get(language, ())
            )
            found.setdefault(phrases, Question(script=script, node=node, language=language, phrases=phrases))
    return list(found.values())


def verdict(question: Question, key: str, told: Recognised | None) -> str:
    if told is None:
        return "none"
    choices = {**question.script.anywhere, **question.node.choices}
    heard = Heard.said(told.text, told.confidence)
    understood = meant(question.script, question.node, heard, (question.language,))
    if understood.choice is None and not understood.wants_key:
        return "none"
    same = {k for k, choice in choices.items() if told.text in choice.phrases.get(question.language, ())}
    return "right" if key in same else "wrong"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--styles", type=Path, default=Path("var/voices"))
    parser.add_argument("--speakers", default="zh=zf_xiaoxiao,zh=zm_yunjian,en=af_heart,en=am_michael")
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    if not is_installed():
        sys.exit("the extra `hearing` is not installed")
    recogniser = WhisperRecogniser(threads=2)
    rows: dict[tuple[str, str], Counter[str]] = {}
    seconds: list[float] = []
    for language, speaker in (one.split("=") for one in options.speakers.split(",")):
        voice = Kokoro(language=language, speaker=speaker, styles=options.styles)
        counted = rows.setdefault((language, speaker), Counter())
        for question in questions(language):
            hints = tuple(phrase for _, phrase in question.phrases)
            for key, phrase in question.phrases:
                spoken = compose.prompt([voice.say(as_spoken(phrase, language), language)])
                wav = wav_bytes(compose.from_a_law(compose.a_law(spoken)))
                began = time.perf_counter()
                told = recogniser.recognise(wav, hints=hints, language=_LANGUAGES[language])
                seconds.append(time.perf_counter() - began)
                outcome = verdict(question, key, told)
                counted[outcome] += 1
                if outcome != "right":
                    sys.stderr.write(f"{outcome}: {speaker} {question.node.id} {phrase} -> {told}\n")
    median = sorted(seconds)[len(seconds) // 2]
    lines = [
        "# Spoken answers, heard",
        "",
        "`python -m bench.hearing --write bench/hearing.md`: every phrase of every question of the shipped scripts,",
        "spoken by Kokoro, through 8 kHz A-law, scored against the question's own list by Whisper base (int8).",
        "",
        "| language | speaker | right | wrong | asked again |",
        "|---|---|---|---|---|",
        *(
            f"| {language} | {speaker} | {n['right']} | {n['wrong']} | {n['none']} |"
            for (language, speaker), n in rows.items()
        ),
        "",
        f"Seconds an answer: median {median:.2f}, longest after the first {max(seconds[1:], default=0):.2f}.",
        "",
        "Synthetic voices only: a spoken answer alone never makes a success, a key confirms it.",
    ]
    text = "\n".join(lines) + "\n"
    if options.write:
        options.write.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
