"""What was heard after a question, and which of its answers it means. Keys first; speech is weaker."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dialer.scripts.model import Ask, Choice, Script

SURE_ENOUGH = 0.5
"""A recogniser's confidence below this is treated as not understood; the question is asked again."""

_NOISE = re.compile(r"[\s，。、！？；：,.!?;:'\"“”‘’…·-]+")
_PAUSE = re.compile(r"[，。、！？；,.!?;]+")
_FILLERS = re.compile(r"^[嗯啊呃哦喂那]+|[啊呀呢吧嘛哦]+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One of three: `digits` pressed, `speech` recognised with its confidence, or neither: silence."""

    digits: str = ""
    speech: str = ""
    confidence: float = 1.0

    @classmethod
    def keys(cls, digits: str) -> Heard:
        return cls(digits=digits)

    @classmethod
    def silence(cls) -> Heard:
        return cls()

    @classmethod
    def said(cls, text: str, confidence: float = 1.0) -> Heard:
        return cls(speech=text, confidence=confidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """A choice, or digits typed for a fact, or neither. `wants_key`: said, but only its key counts."""

    choice: Choice | None = None
    digits: str = ""
    wants_key: bool = False


def meant(script: Script, node: Ask, heard: Heard, voices: Sequence[str]) -> Understood:
    """Keys win over speech. A question's own keys win over those that work anywhere."""
    choices = {**script.anywhere, **node.choices}
    if heard.digits:
        return _by_key(node, choices, heard.digits)
    if heard.speech and heard.confidence >= SURE_ENOUGH:
        return _by_phrase(choices, heard.speech, voices)
    return Understood()


def _by_key(node: Ask, choices: Mapping[str, Choice], pressed: str) -> Understood:
    digits = pressed.strip().rstrip("#")
    if digits in choices:
        return Understood(choice=choices[digits])
    if (
        node.collect
        and node.next
        and digits.isdecimal()
        and digits.isascii()
        and len(digits) <= node.max_digits
    ):
        return Understood(digits=digits)
    return Understood()


def _by_phrase(choices: Mapping[str, Choice], speech: str, voices: Sequence[str]) -> Understood:
    """The longest phrase that occurs wins, so that 不是 is not taken for 是; a tie of two is no answer.

    Short phrases (one or two signs) must be a whole clause: 是 also occurs inside 可是.
    """
    said = plain(speech)
    clauses = {plain(clause) for clause in _PAUSE.split(speech)} | {said}
    found: list[tuple[int, str]] = []
    for key, choice in choices.items():
        for voice in voices:
            for phrase in choice.phrases.get(voice, ()):
                wanted = plain(phrase)
                if wanted in clauses or (len(wanted) > _WHOLE_ONLY and wanted in said):
                    found.append((len(wanted), key))
    if not found:
        return Understood()
    longest = max(length for length, _ in found)
    keys = {key for length, key in found if length == longest}
    if len(keys) != 1:
        return Understood()
    choice = choices[keys.pop()]
    return Understood(wants_key=True) if choice.needs_key else Understood(choice=choice)


_WHOLE_ONLY = 2


def plain(text: str) -> str:
    """Letters and signs alone, lower case, without punctuation, spaces and the small words people add."""
    bare = _NOISE.sub("", text).lower()
    return _FILLERS.sub("", bare) or bare
