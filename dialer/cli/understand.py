"""`dialer understand`: what a sentence means to the robot, as JSON or in words. Needs no service and no database."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from dialer.cli.output import AsJson, print_json
from dialer.core.text import Lang
from dialer.language.words import word_of
from dialer.understanding.head import Head
from dialer.understanding.reading import Decision, Meaning, shipped_head, understand

_MODULES = ("marks.toml", "features.py", "head.py", "slots.py", "wordings.py", "wordings.toml")


def understand_command(
    text: Annotated[
        str, typer.Argument(help="what a person said; default: every line of standard input")
    ] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """What a sentence means: intent, probability, facts, and whether the robot would act or ask again."""
    # Arguments and lines may hold any bytes: what is no UTF-8 is read as signs that mean nothing.
    said = [text] if text else [line for line in sys.stdin.read().splitlines() if line.strip()]
    head = _kept_head()
    for line in said:
        meaning = understand(line.encode(errors="replace").decode(), head)
        if as_json:
            print_json(_plain(meaning))
        else:
            typer.echo(_in_words(meaning))


def _plain(meaning: Meaning) -> dict[str, object]:
    slots = meaning.slots
    return {
        "intent": meaning.intent.value,
        "probability": round(meaning.probability, 4),
        "decision": meaning.decision.value,
        "slots": {
            "amount_fen": slots.amount_fen,
            "minutes_ago": slots.minutes_ago,
            "bank": slots.bank,
            "app": slots.app,
        },
        "node": meaning.response.node,
        "answer": meaning.response.answer.value,
    }


def _in_words(meaning: Meaning) -> str:
    does = "处理 act" if meaning.decision is Decision.ACT else "再问 ask again"
    facts = " ".join(f"{name}={value}" for name, value in meaning.slots.as_json().items())
    word = f"{word_of(meaning.intent, Lang.ZH)} {meaning.intent.value}"
    return f"{word}  {meaning.probability:.2f}  {does}  {facts}".rstrip()


def _kept_head() -> Head:
    """The head of the shipped wordings, kept in the user's cache folder: training takes seconds, reading a tenth."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "dialer"
    digest = hashlib.sha256()
    for name in _MODULES:
        digest.update(files("dialer.understanding").joinpath(name).read_bytes())
    file = folder / f"understanding-{digest.hexdigest()[:20]}.json"
    with suppress(OSError, ValueError):
        if file.stat().st_uid == os.getuid():
            return Head(json.loads(file.read_bytes()))
    head = shipped_head()
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(f".{os.getpid()}")
        weights = {name: [round(value, 4) for value in row] for name, row in head.weights.items()}
        draft.write_text(json.dumps(weights), encoding="utf-8")
        draft.replace(file)
    return head
