"""Sentences in two languages: English templates in the code, Chinese ones in one gettext catalogue, `locale/`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

_CATALOGUE = Path(__file__).resolve().parent / "locale" / "zh" / "LC_MESSAGES" / "dialer.po"

_LINES = "%(first)s\n  %(next)s"
"""Without words, so the same in both languages."""

Key = tuple[str, str]
"""Context and English text. The context of a word of an enumeration is the name of that enumeration; otherwise it is
''.
"""


class Lang(StrEnum):
    """The languages of the console."""

    ZH = "zh"
    EN = "en"


class Text:
    """A sentence as data: a literal English template, which is its key in the catalogue, and the values at its
    `%(name)s` places. It is put into words where a person reads it; `str()` is the English.
    """

    __slots__ = ("template", "values")

    def __init__(self, template: str, /, **values: object) -> None:
        self.template = template
        self.values = values

    @classmethod
    def of(cls, text: str | Text) -> Text:
        """A `str` is a template without places."""
        return text if isinstance(text, Text) else cls(text)

    @classmethod
    def load(cls, stored: str) -> Text:
        """The text that `dump` wrote; any other string is a template without places."""
        try:
            plain = json.loads(stored)
        except ValueError:
            return cls(stored)
        is_text = isinstance(plain, dict) and isinstance(plain.get("text"), str) and "values" in plain
        return cls.of_plain(plain) if is_text else cls(stored)

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Text:
        """The text that `plain` wrote as JSON."""
        values = plain["values"].items()
        return cls(
            plain["text"],
            **{name: cls.of_plain(one) if isinstance(one, dict) else one for name, one in values},
        )

    def dump(self) -> str:
        """The text for a column of the database."""
        return json.dumps(self.plain(), ensure_ascii=False)

    def plain(self) -> dict[str, Any]:
        """The text as JSON-ready data: its template and its values."""
        values = {
            name: one.plain() if isinstance(one, Text) else str(one) for name, one in self.values.items()
        }
        return {"text": self.template, "values": values}

    def __bool__(self) -> bool:
        return bool(self.template)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Text):
            return NotImplemented
        return (self.template, self.values) == (other.template, other.values)

    def __hash__(self) -> int:
        return hash((self.template, str(self)))

    def __repr__(self) -> str:
        return f"Text({str(self)!r})"

    def __str__(self) -> str:
        return self.template % self.values if self.values else self.template


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


def joined(texts: Sequence[Text]) -> Text:
    """The texts, joined by semicolons."""
    first, *rest = texts
    for text in rest:
        first = Text("%(first)s; %(next)s", first=first, next=text)
    return first


def listed(texts: Sequence[Text]) -> Text:
    """The texts, joined by commas."""
    first, *rest = texts
    for text in rest:
        first = Text("%(first)s, %(next)s", first=first, next=text)
    return first


def stacked(texts: Sequence[Text]) -> Text:
    """The texts, each on a line of its own, indented; a text without words for none."""
    first, *rest = texts or [Text("")]
    for text in rest:
        first = Text(_LINES, first=first, next=text)
    return first


def say_many(lang: Lang, one: str, many: str, n: int, /, **facts: object) -> str:
    """As `say`, in the singular or plural that `n` requires; `%(n)s` is `n` itself."""
    translated = (one if n == 1 else many) if lang is Lang.EN else _chinese().get(("", one), many)
    return translated % {"n": f"{n:,}", **facts}


def say_word(lang: Lang, kind: str, text: str) -> str:
    """A word of the enumeration named `kind`: the same English word may have two Chinese words."""
    return text if lang is Lang.EN else _chinese().get((kind, text), text)


def gettext_noop(text: str) -> str:
    """The same text, marked for the catalogue."""
    return text


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
