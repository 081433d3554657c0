"""Cells as people type them, brought to one form: half-width, without invisible characters."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_INVISIBLE: Final = dict.fromkeys(
    [*range(0x20), 0x7F, 0xAD, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, *range(0x202A, 0x202F), 0x2060, 0xFEFF]
)
_SPACES: Final = {0x09: " ", 0x0A: "\n", 0x0D: "\n", 0xA0: " ", 0x3000: " "}
_CLEAN: Final = _INVISIBLE | _SPACES
_GUARDED: Final = re.compile(r'="(?P<text>[^"]*)"')
_CJK_GAP: Final = re.compile(r"(?<=[\u2e80-\u9fff\uf900-\ufaff])\s+(?=[\u2e80-\u9fff\uf900-\ufaff])")
_BLANK_MARKS: Final = frozenset(
    {"", "-", "--", "---", "—", "——", "/", "\\", "无", "空", "暂无", "null", "none", "n/a", "nil", "(null)"}
)
_LONG_DIGITS: Final = re.compile(r"\d{5,}")
SHOWN_LENGTH: Final = 16


def cleaned(cell: str) -> str:
    """The cell without invisible characters, outer space, and the `="…"` or `'` that forces text."""
    text = cell.strip()
    if not text.isprintable():
        text = text.translate(_CLEAN).strip()
    if text[:2] == '="' and (guarded := _GUARDED.fullmatch(text)):
        return guarded["text"].strip()
    if text[:1] == "'" and len(text) > 1:
        return text[1:].strip()
    return text


def folded(cell: str) -> str:
    """The cleaned cell in half-width and lower case: what the word lists are looked up with."""
    text = cleaned(cell)
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", text).lower().strip()


def joined_name(cell: str) -> str:
    """A name without the spaces that align two-character names in a column."""
    text = cleaned(cell)
    if text.isalpha():
        return text
    return " ".join(_CJK_GAP.sub("", text).split())


def is_blank(folded_text: str) -> bool:
    """True for an empty cell and for the marks by which people say that there is nothing."""
    return folded_text in _BLANK_MARKS


def shown(cell: str) -> str:
    """The offending cell as it may appear in a reason: short, with long runs of digits masked."""
    text = _LONG_DIGITS.sub(lambda run: run[0][:3] + "****", " ".join(cleaned(cell).split()))
    return text if len(text) <= SHOWN_LENGTH else text[:SHOWN_LENGTH] + "…"
