"""How long our voice takes to say something, in service seconds, by the length of its sound files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dialer.scripts.dialogue import Context, Utterance, start
from dialer.usecases.editions import Edition

_LETTERS_PER_SECOND = {"zh": 4.0}
_OTHER_LETTERS_PER_SECOND = 13.0
"""Of a synthetic voice, where a text has no sound file of ours; slow, so that nobody counts as warned too soon."""


def spoken_seconds(edition: Edition, utterances: Iterable[Utterance]) -> float:
    return sum(_seconds(utterance, edition.seconds) for utterance in utterances)


def warning_seconds(edition: Edition, context: Context) -> float:
    """How long the first thing said takes: the bureau's name, and not to transfer and to hang up."""
    return spoken_seconds(edition, start(edition.script, context).utterances[:1])


def _seconds(utterance: Utterance, known: Mapping[str, float]) -> float:
    if utterance.audio and all(file in known for file in utterance.audio):
        return sum(known[file] for file in utterance.audio)
    return len(utterance.text) / _LETTERS_PER_SECOND.get(utterance.language, _OTHER_LETTERS_PER_SECOND)
