"""What the answer of a person to a question means: the choice of a key, of a phrase, of a spoken key. Keys take
precedence over speech.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dialer.core.values import Answer
from dialer.intake.cells import Unreadable, read_fen
from dialer.scripts.model import LANGUAGE_KEY, Ask, Choice, Script

SURE_ENOUGH = 0.5
"""A recogniser's confidence below this is treated as not understood; the question is asked again."""

_NOISE = re.compile(r"[\s，。、！？；：,.!?;:'\"“”‘’…·-]+")
_PAUSE = re.compile(r"[，。、！？；,.!?;]+")
_WHOLE_ONLY = 2
"""Phrases of at most this many characters count only as a whole clause."""
_FILLERS_BEFORE, _FILLERS_AFTER = "嗯啊呃哦喂那", "啊呀呢吧嘛哦"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """An answer: `digits` pressed, or `speech` recognised with its confidence, or neither, which is silence."""

    digits: str = ""
    speech: str = ""
    confidence: float = 1.0

    @classmethod
    def keys(cls, digits: str) -> Heard:
        """The person pressed these keys."""
        return cls(digits=digits)

    @classmethod
    def silence(cls) -> Heard:
        """The person neither pressed a key nor spoke."""
        return cls()

    @classmethod
    def said(cls, text: str, confidence: float = 1.0) -> Heard:
        """The person said this; `confidence` of the recognition is between 0 and 1."""
        return cls(speech=text, confidence=confidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """What an answer means: a choice, or digits typed for a fact, or neither. `wants_key`: the choice was spoken, but
    only its key counts. `is_greeting`: no answer yet, such as 喂. `paid_yuan`: the amount that was said with "I have
    paid", in whole yuan.
    """

    choice: Choice | None = None
    digits: str = ""
    wants_key: bool = False
    is_greeting: bool = False
    paid_yuan: str = ""


OTHER_LANGUAGE = Choice(key=LANGUAGE_KEY, next="")
"""Leads to no node: the call begins again."""


def interpret_answer(
    script: Script, node: Ask, heard: Heard, voices: Sequence[str], *, offers_language: bool = False
) -> Understood:
    """What an answer to a question means. Keys take precedence over speech, and a question's own keys over those that
    work anywhere. With `offers_language` the key of the other language counts too.
    """
    choices = {**script.anywhere, **node.choices}
    if offers_language:
        choices[LANGUAGE_KEY] = OTHER_LANGUAGE
    if heard.digits:
        return _by_key(node, choices, heard.digits)
    if heard.speech and heard.confidence >= SURE_ENOUGH:
        return (
            _by_phrase(choices, heard.speech, voices)
            or _by_spoken_key(choices, heard.speech)
            or Understood(is_greeting=_is_greeting(script, heard.speech, voices))
        )
    return Understood()


def _by_key(node: Ask, choices: Mapping[str, Choice], pressed: str) -> Understood:
    digits = pressed.strip().rstrip("#")
    if digits in choices:
        return Understood(choice=choices[digits])
    is_typed = digits.isdecimal() and digits.isascii() and len(digits) <= node.max_digits
    return Understood(digits=digits) if node.collect and node.next and is_typed else Understood()


_SPOKEN_KEY = re.compile(
    r"(?:我?(?:按|选|摁)|press)?(?:数字)?([零一幺二两三四五六七八九0-9]|[a-z]+)(?:号键|号|键)?"
)
_KEYS_SPOKEN = dict(zip("零一二三四五六七八九", "0123456789", strict=True)) | {"幺": "1", "两": "2"}
_KEYS_SPOKEN |= {
    word: str(key)
    for key, word in enumerate(
        ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    )
}


def _by_spoken_key(choices: Mapping[str, Choice], speech: str) -> Understood | None:
    """A key that is spoken instead of pressed: 一, 按一, press one. None: the speech names no key."""
    found = _SPOKEN_KEY.fullmatch(normalise_speech(speech))
    key = _KEYS_SPOKEN.get(found[1], found[1]) if found else ""
    return _spoken(choices[key]) if key in choices else None


def _is_greeting(script: Script, speech: str, voices: Sequence[str]) -> bool:
    known = {normalise_speech(greeting) for voice in voices for greeting in script.greetings.get(voice, ())}
    clauses = [normalise_speech(clause) for clause in _PAUSE.split(speech) if clause.strip()]
    return bool(clauses) and (normalise_speech(speech) in known or all(clause in known for clause in clauses))


def _spoken(choice: Choice, speech: str = "") -> Understood:
    if choice.needs_key:
        return Understood(wants_key=True)
    paid = _amount_said(speech) if choice.answer is Answer.ALREADY_PAID else ""
    return Understood(choice=choice, paid_yuan=paid)


_ABOUT = re.compile(r"\s+|[多来几](?=[百千万])")
_AMOUNT = re.compile(
    r"[0-9零一二两三四五六七八九十百千万亿.]*[0-9一二两三四五六七八九十百千万](?=[块元多]|$|[，。,.])"
)
_LEAST_YUAN = 10
"""A smaller number is not an amount lost to a fraud: 我转了一次."""


def _amount_said(speech: str) -> str:
    """The amount in the speech, in whole yuan as digits; '' without one."""
    for said in _AMOUNT.findall(_ABOUT.sub("", speech)):
        try:
            fen = read_fen(said)
        except Unreadable:
            continue
        if fen is not None and fen >= _LEAST_YUAN * 100:
            return str(fen // 100)
    return ""


def _by_phrase(choices: Mapping[str, Choice], speech: str, voices: Sequence[str]) -> Understood | None:
    """The choice whose phrase occurs in the speech. The longest phrase wins, so that 不是 is not taken for 是; a tie of
    two choices is no answer. None: no phrase occurs.

    Short phrases (one or two characters) must be a whole clause: 是 also occurs inside 可是.
    """
    said = normalise_speech(speech)
    clauses = {normalise_speech(clause) for clause in _PAUSE.split(speech)} | {said}
    found: list[tuple[int, str]] = []
    for key, choice in choices.items():
        for voice in voices:
            for phrase in choice.phrases.get(voice, ()):
                wanted = normalise_speech(phrase)
                if wanted in clauses or (len(wanted) > _WHOLE_ONLY and wanted in said):
                    found.append((len(wanted), key))
    if not found:
        return None
    longest = max(length for length, _ in found)
    keys = {key for length, key in found if length == longest}
    if len(keys) != 1:
        return Understood()
    return _spoken(choices[keys.pop()], speech)


def normalise_speech(text: str) -> str:
    """The text in lower case, without punctuation, spaces and filler words."""
    bare = _NOISE.sub("", text).lower()
    return bare.lstrip(_FILLERS_BEFORE).rstrip(_FILLERS_AFTER) or bare
