"""What the head sees of a sentence: its signs in ones, twos and threes, its English words, and marks of meaning. Pure.

The marks name what letters alone confuse: who did what, done, not done or about to be done.
"""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files
from typing import Final

from dialer.intake.cells import folded
from dialer.understanding.slots import marked

LONGEST: Final = 200
"""Signs of a sentence that are read; longer text comes from no answer."""
_PUNCTUATION: Final = re.compile(r"[，。、！？；：,.!?;:'\"“”‘’…·~～()（）【】\[\]<>《》-]+")
_LATIN: Final = re.compile(r"[a-z]+(?:'[a-z]+)?")
_SPACE_BESIDE_CJK: Final = re.compile(r"(?<![a-z0-9])\s+|\s+(?![a-z0-9])")


def _read_marks() -> tuple[tuple[str, re.Pattern[str]], ...]:
    held = tomllib.loads(files("dialer.understanding").joinpath("marks.toml").read_text(encoding="utf-8"))
    found: list[tuple[str, re.Pattern[str]]] = []
    for name, patterns in held["marks"].items():
        for pattern in patterns:
            whole = pattern
            for part, stands_for in held["parts"].items():
                whole = whole.replace(f"<{part}>", stands_for)
            found.append((name, re.compile(whole)))
    return tuple(found)


_MARKS: Final = _read_marks()
_SCRIPTS: Final = (
    ("script:mongolian", "᠀", "᢯"),
    ("script:tibetan", "ༀ", "࿿"),
    ("script:cyrillic", "Ѐ", "ӿ"),
    ("script:arabic", "؀", "ۿ"),
    ("script:hangul", "가", "힣"),
    ("script:kana", "ぁ", "ヿ"),
)


def closed(text: str) -> str:
    """The text in lower case and half width, spaces left between Latin words alone, cut to `LONGEST` signs."""
    said = " ".join(folded(text[: 4 * LONGEST]).lower().split())[:LONGEST]
    return _SPACE_BESIDE_CJK.sub("", said)


def features_of(text: str) -> tuple[str, ...]:
    """The features of a sentence, each once."""
    said = closed(text)
    plain = marked(_PAUSES.sub("，", said))
    bare = _PUNCTUATION.sub(" ", plain).strip()
    return tuple(dict.fromkeys((*_words(bare), *_grams(bare), *_marks(plain), *_scripts(said))))


def _words(bare: str) -> list[str]:
    words = _LATIN.findall(bare)
    pairs = zip(["^", *words], [*words, "$"], strict=True) if words else ()
    return [*(f"w:{word}" for word in words), *(f"w:{first} {second}" for first, second in pairs)]


def _grams(bare: str) -> list[str]:
    rest = _LATIN.sub("a", bare).replace(" ", "")
    signs = f"^{rest}$"
    grams = [signs[start : start + size] for size in (1, 2, 3) for start in range(len(signs) - size + 1)]
    # A short answer is one thing as a whole.
    whole = [f"={rest}"] if len(rest) <= _SHORT else []
    return [*(gram for gram in grams if gram not in _EMPTY), *whole]


def _marks(plain: str) -> list[str]:
    names = sorted({name for name, pattern in _MARKS if pattern.search(plain)})
    pairs = ((name, other) for place, name in enumerate(names) for other in names[place + 1 :])
    return [*(f"m:{name}" for name in names), *(f"m:{name}+{other}" for name, other in pairs)]


def _scripts(said: str) -> list[str]:
    found = [name for name, first, last in _SCRIPTS if any(first <= sign <= last for sign in said)]
    return [f"m:{name}" for name in (*found, "foreign script")] if found else []


_PAUSES: Final = re.compile(r"[，。、！？；：,!?;:]+")
_EMPTY: Final = frozenset({"^", "$", "a"})
_SHORT: Final = 6
