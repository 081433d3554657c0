"""How well sentences are understood: the lines of `bench/understanding.toml`, which are in no training.

    python -m bench.understanding [--seed N] [--families] [--json]

*Wrong* acted on an intent that the line does not have; *asked again* of the lines with a meaning. Beside the head it
counts what the closed list of phrases does with the same lines, at each question of the general script. With
`--families` the head is also trained five times without a fifth of the families of wordings, drawn by `--seed`, and
measured on these: a wording that nobody thought of. Intervals are Wilson's, 95 %.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dialer.core.intervals import wilson
from dialer.core.values import Intent
from dialer.scripts.answers import Heard, interpret_answer
from dialer.scripts.model import Ask
from dialer.scripts.reading import shipped_scripts
from dialer.understanding.head import Head, train
from dialer.understanding.reading import Decision, Meaning, shipped_head, understand
from dialer.understanding.wordings import Family, read_wordings, shipped_source

LINES = Path(__file__).with_name("understanding.toml")
_FOLDS = 5
_LINES_A_FAMILY = 4


@dataclass(frozen=True, slots=True)
class Measured:
    """One line: what it means and what was understood."""

    right: Intent
    text: str
    meaning: Meaning

    @property
    def acts(self) -> bool:
        return self.meaning.decision is Decision.ACT


def measured_lines() -> list[tuple[Intent, str]]:
    """The lines of the file with their meaning."""
    held = tomllib.loads(LINES.read_text(encoding="utf-8"))
    return [(Intent(name), line) for name, lines in held.items() for line in lines]


def measure(lines: Iterable[tuple[Intent, str]], head: Head) -> list[Measured]:
    return [Measured(intent, text, understand(text, head)) for intent, text in lines]


def counts(found: Sequence[Measured]) -> dict[str, tuple[int, int]]:
    """Numerator and denominator of each share."""
    meant = [one for one in found if one.right is not Intent.UNCLEAR]
    people = [one for one in found if one.right is Intent.WANTS_PERSON]
    return {
        "wrong": (sum(one.acts and one.meaning.intent is not one.right for one in found), len(found)),
        "asked again": (sum(not one.acts for one in meant), len(meant)),
        "wants_person": (sum(one.acts and one.meaning.intent is one.right for one in people), len(people)),
        "likeliest intent right": (sum(one.meaning.intent is one.right for one in found), len(found)),
    }


def by_families(families: Sequence[Family], seed: int) -> list[Measured]:
    """The families, each measured by a head that was trained without its fold."""
    shuffled = list(families)
    random.Random(seed).shuffle(shuffled)
    found: list[Measured] = []
    for fold in range(_FOLDS):
        head = train(
            (one.intent, line)
            for place, one in enumerate(shuffled)
            if place % _FOLDS != fold
            for line in one.lines
        )
        held_out = [
            (one.intent, line) for one in shuffled[fold::_FOLDS] for line in one.lines[:_LINES_A_FAMILY]
        ]
        found += measure(held_out, head)
    return found


def phrase_list(lines: Sequence[tuple[Intent, str]]) -> int:
    """How many lines the closed list of phrases takes for an answer, at any question of the general script."""
    script = shipped_scripts()["general"]
    asks = [node for node in script.nodes.values() if isinstance(node, Ask)]
    heard = [
        [interpret_answer(script, node, Heard.said(text), ("zh", "en")) for node in asks] for _, text in lines
    ]
    return sum(any(one.choice is not None or one.wants_key for one in each) for each in heard)


def confusion(found: Sequence[Measured]) -> list[str]:
    """Each meaning with what was made of its lines: acted on as, or asked again."""
    rows = []
    for intent in Intent:
        made = Counter(
            one.meaning.intent.value if one.acts else "ask again" for one in found if one.right is intent
        )
        rows.append(f"{intent.value:18} {dict(made.most_common())}")
    return rows


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.understanding")
    parser.add_argument("--seed", type=int, default=34)
    parser.add_argument("--families", action="store_true")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(words)
    begun = time.perf_counter()
    head = shipped_head()
    trained = time.perf_counter() - begun
    lines = measured_lines()
    milliseconds: list[float] = []
    for _, text in lines:
        at = time.perf_counter()
        understand(text, head)
        milliseconds.append((time.perf_counter() - at) * 1000)
    found = measure(lines, head)
    meant = [line for line in lines if line[0] is not Intent.UNCLEAR]
    shares = {"lines": counts(found)}
    if chosen.families:
        shares["families"] = counts(by_families(read_wordings(shipped_source()), chosen.seed))
    figures: dict[str, object] = {
        "lines": len(lines),
        "features": len(head.weights),
        "trained_seconds": round(trained, 2),
        "p50_ms": round(statistics.median(milliseconds), 2),
        "p95_ms": round(statistics.quantiles(milliseconds, n=20)[-1], 2),
        "phrase_list_understood": phrase_list(meant),
        "meant": len(meant),
    }
    for kind, each in shares.items():
        for name, (part, whole) in each.items():
            bounds = wilson(part, whole)
            figures[f"{kind}: {name}"] = (
                f"{part} of {whole}, {part / whole:.1%} ({bounds.low:.1%} to {bounds.high:.1%})"
            )
    if chosen.json:
        print(json.dumps({"figures": figures, "confusion": confusion(found)}, ensure_ascii=False))
        return 0
    for name, value in figures.items():
        print(f"{name:36} {value}")
    print(*confusion(found), sep="\n")
    for one in found:
        if one.acts and one.meaning.intent is not one.right:
            print(f"wrong: {one.text}  {one.right.value} -> {one.meaning.intent.value}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
