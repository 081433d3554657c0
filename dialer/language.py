"""What is said to people: English sentences in the code, Chinese ones in one gettext catalogue, `locale/`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path

_CATALOGUE = Path(__file__).resolve().parent / "locale" / "zh" / "LC_MESSAGES" / "dialer.po"

Key = tuple[str, str]
"""Context and English text; the context is '' but for a word of the trade, whose enumeration it names."""


class Lang(StrEnum):
    ZH = "zh"
    EN = "en"


def say(lang: Lang, text: str, /, **facts: object) -> str:
    """`text` in this language, with the facts at its `%(name)s` places. Without facts a percent sign is one."""
    told = text if lang is Lang.EN else _chinese().get(("", text), text)
    return told % facts if facts else told


def say_many(lang: Lang, one: str, many: str, n: int, /, **facts: object) -> str:
    """As `say`, in the number that `n` asks for; `%(n)s` is `n` itself."""
    told = (one if n == 1 else many) if lang is Lang.EN else _chinese().get(("", one), many)
    return told % {"n": f"{n:,}", **facts}


def say_word(lang: Lang, kind: str, text: str) -> str:
    """A word of the enumeration named `kind`: the same English word may be two in Chinese."""
    return text if lang is Lang.EN else _chinese().get((kind, text), text)


def mark(text: str) -> str:
    """The same text, noted as one that is said somewhere else: it goes into the catalogue."""
    return text


@cache
def _chinese() -> Mapping[Key, str]:
    """Read when the first Chinese sentence is said, so that a process that says none holds none."""
    from babel.messages.pofile import read_po  # noqa: PLC0415  # as above

    with _CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="zh")
    texts: dict[Key, str] = {}
    for message in catalogue:
        english = message.id if isinstance(message.id, str) else message.id[0]
        chinese = message.string if isinstance(message.string, str) else (message.string or ("",))[0]
        if english and chinese:
            texts[message.context or "", english] = chinese
    return texts
