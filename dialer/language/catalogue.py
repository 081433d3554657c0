"""The Chinese of English templates, from one gettext catalogue, `dialer/locale`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from dialer.core.text import Lang, Text

_CATALOGUE = Path(__file__).resolve().parent.parent / "locale" / "zh" / "LC_MESSAGES" / "dialer.po"

Key = tuple[str, str]
"""Context and English text. The context of a word of an enumeration is the name of that enumeration; otherwise it is
''.
"""


def say(lang: Lang, text: str | Text, /, **facts: object) -> str:
    """`text` in this language, with the facts at its `%(name)s` places. Without facts a percent sign stands for
    itself.
    """
    if isinstance(text, Text):
        facts = {**text.values, **facts}
        text = text.template
    translated = text if lang is Lang.EN else _chinese().get(("", text), text)
    if not facts:
        return translated
    return translated % {
        name: say(lang, fact) if isinstance(fact, Text) else fact for name, fact in facts.items()
    }


def say_many(lang: Lang, one: str, many: str, n: int, /, **facts: object) -> str:
    """As `say`, in the singular or plural that `n` requires; `%(n)s` is `n` itself."""
    translated = (one if n == 1 else many) if lang is Lang.EN else _chinese().get(("", one), many)
    return translated % {"n": f"{n:,}", **facts}


def say_word(lang: Lang, kind: str, text: str) -> str:
    """A word of the enumeration named `kind`: the same English word may have two Chinese words."""
    return text if lang is Lang.EN else _chinese().get((kind, text), text)


@cache
def _chinese() -> Mapping[Key, str]:
    """The Chinese texts by key, read with the first Chinese sentence, so that a process without one does not load
    them.
    """
    from babel.messages.pofile import read_po  # noqa: PLC0415  # only where Chinese is said

    with _CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="zh")
    texts: dict[Key, str] = {}
    for message in catalogue:
        english = message.id if isinstance(message.id, str) else message.id[0]
        chinese = message.string if isinstance(message.string, str) else (message.string or ("",))[0]
        if english and chinese:
            texts[message.context or "", english] = chinese
    return texts
