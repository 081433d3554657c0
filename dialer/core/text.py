"""A sentence as data, and the languages that it can be said in. `dialer.language` says it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

_LINES = "%(first)s\n  %(next)s"
"""Without words, so the same in both languages."""


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
            **{name: cls.of_plain(value) if isinstance(value, dict) else value for name, value in values},
        )

    def dump(self) -> str:
        """The text for a column of the database."""
        return json.dumps(self.plain(), ensure_ascii=False)

    def plain(self) -> dict[str, Any]:
        """The text as JSON-ready data: its template and its values."""
        values = {
            name: value.plain() if isinstance(value, Text) else str(value)
            for name, value in self.values.items()
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


def gettext_noop(text: str) -> str:
    """The same text, marked for the catalogue."""
    return text
