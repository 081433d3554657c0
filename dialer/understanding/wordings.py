"""The wordings that the head learns from: families of patterns in `wordings.toml`, written out. Pure.

A pattern is text with `(a|b|)` for one of these or nothing, `x?` for an optional sign, and `{name}` for one of the
words of that name.
"""

from __future__ import annotations

import hashlib
import random
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Final

from dialer.core.errors import Invalid
from dialer.core.text import Text
from dialer.core.values import Intent

LINES_A_FAMILY: Final = 10
"""The most lines of a family: a family with many alternatives is not worth more than one with few."""
_TRIES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Lines that one pattern writes, all with the same meaning."""

    intent: Intent
    pattern: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Pattern:
    """Parts in order; each is one of several texts or patterns."""

    parts: tuple[tuple[_Pattern | str, ...], ...]

    def write(self, chance: random.Random) -> str:
        """One line of the pattern."""
        chosen = (part[chance.randrange(len(part))] if len(part) > 1 else part[0] for part in self.parts)
        return "".join(one if isinstance(one, str) else one.write(chance) for one in chosen)


def parse_pattern(pattern: str, words: Mapping[str, Sequence[str]]) -> _Pattern:
    """The pattern as parts. Raises `Invalid` for one with an open bracket or an unknown name."""
    parsed, at = _alternatives(pattern, 0, words)
    if at != len(pattern) or len(parsed) != 1:
        raise Invalid(
            field="wordings", problem=Text("a bracket or stroke stands alone in %(pattern)s", pattern=pattern)
        )
    return parsed[0]


def _alternatives(text: str, at: int, words: Mapping[str, Sequence[str]]) -> tuple[list[_Pattern], int]:
    found: list[_Pattern] = []
    parts: list[tuple[_Pattern | str, ...]] = []
    while at < len(text) and text[at] != ")":
        sign = text[at]
        if sign == "|":
            found.append(_Pattern(tuple(parts)))
            parts = []
            at += 1
            continue
        if sign == "(":
            inner, at = _alternatives(text, at + 1, words)
            if at >= len(text):
                raise Invalid(
                    field="wordings", problem=Text("a bracket is open in %(pattern)s", pattern=text)
                )
            parts.append(tuple(inner))
        elif sign == "{":
            end = text.find("}", at)
            name = text[at + 1 : end]
            if end < 0 or name not in words:
                raise Invalid(
                    field="wordings", problem=Text("%(pattern)s names words that are not there", pattern=text)
                )
            parts.append(tuple(words[name]))
            at = end
        elif sign == "?":
            parts[-1] = (*parts[-1], "")
        else:
            parts.append((sign,))
        at += 1
    found.append(_Pattern(tuple(parts)))
    return found, at


def write_out(
    pattern: str, words: Mapping[str, Sequence[str]], most: int = LINES_A_FAMILY
) -> tuple[str, ...]:
    """Up to `most` different lines of the pattern, always the same ones."""
    parsed = parse_pattern(pattern, words)
    seed = int.from_bytes(hashlib.sha256(pattern.encode()).digest()[:8])
    chance = random.Random(seed)  # noqa: S311  # the same lines on every machine, no secret
    lines = (parsed.write(chance).strip() for _ in range(most * _TRIES))
    return tuple(dict.fromkeys(line for line in lines if line))[:most]


def shipped_source() -> str:
    """The text of `wordings.toml`."""
    return files("dialer.understanding").joinpath("wordings.toml").read_text(encoding="utf-8")


@lru_cache(maxsize=4)
def read_wordings(source: str) -> tuple[Family, ...]:
    """The families of a file of wordings. Raises `Invalid` with what is wrong with it."""
    try:
        held = tomllib.loads(source)
    except tomllib.TOMLDecodeError as fault:
        raise Invalid(field="wordings", problem=Text("is no TOML: %(error)s", error=str(fault))) from fault
    words = held.pop("words", {})
    found: list[Family] = []
    for name, section in held.items():
        if name not in {intent.value for intent in Intent}:
            raise Invalid(field="wordings", problem=Text("%(name)s is no intent", name=name))
        found += (
            Family(intent=Intent(name), pattern=pattern, lines=write_out(pattern, words))
            for pattern in section["families"]
        )
    return tuple(found)
