"""The pages of the documentation, and what the tests pick out of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"^(?:    |\t)\S.*$", re.MULTILINE)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"")
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
_OWN_ANCHOR = re.compile(r"\{#([a-z0-9_-]+)\}$")


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def code(text: str) -> Iterator[str]:
    """Each line of code on a page: fenced, indented, or between backticks; without its remark."""
    for block in _FENCE.findall(text):
        yield from (_bare(line) for line in block.splitlines()[1:-1])
    rest = _FENCE.sub("", text)
    yield from (_bare(line) for line in _INDENTED.findall(rest))
    yield from (found.strip() for found in _INLINE.findall(_INDENTED.sub("", rest)))


def _bare(line: str) -> str:
    return line.split(" #", maxsplit=1)[0].strip()


def links(text: str) -> Iterator[str]:
    for in_brackets, source in _LINK.findall(text):
        yield in_brackets or source


def anchors(text: str) -> set[str]:
    """The names by which a page's headings can be linked to: in the manual their own, elsewhere those that
    Git hosts make.
    """
    return {
        own[1]
        if (own := _OWN_ANCHOR.search(heading.strip()))
        else re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        for heading in _HEADING.findall(text)
    }
