"""The words of docs/lists.md, made of the lists in dialer/intake.

python -m tests.docs.list_words    # writes them anew into the page
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from dialer.intake.cells import BLANK_MARKS, FRAUD_TYPE_WORDS, GRADE_WORDS, KIND_WORDS, TAG_WORDS
from dialer.intake.headings import HEADING_WORDS, WEAK_HEADING_WORDS
from dialer.intake.unit_lists import CLOSED_WORDS, OPEN_WORDS, UNIT_HEADING_WORDS
from tests.docs.pages import ROOT

PAGE = ROOT / "docs" / "lists.md"
_PLACE = re.compile(r"<!-- words: ([a-z ]+) -->\n(.*?)<!-- end -->", re.DOTALL)


def _table(name: str, rows: Iterable[tuple[str, Iterable[str]]]) -> str:
    lines = [f"| {name} | words |", "|---|---|"]
    lines += [f"| `{value}` | {_joined(words)} |" for value, words in rows]
    return "\n".join(lines)


def _joined(words: Iterable[str]) -> str:
    return " · ".join(word.replace("|", "\\|") for word in words)


def _split(words: Mapping[str, str]) -> Iterable[tuple[str, Iterable[str]]]:
    return [(field, line.split()) for field, line in words.items()]


TABLES = {
    "headings": _table("field", _split(HEADING_WORDS)),
    "weak headings": _table("field", [(field, [word]) for word, field in WEAK_HEADING_WORDS.items()]),
    "grades": _table("grade", _split(GRADE_WORDS)),
    "fraud types": _table("fraud type", FRAUD_TYPE_WORDS),
    "kinds": _table("kind", KIND_WORDS),
    "tags": _table("tag", TAG_WORDS),
    "blank": "`" + "` `".join(sorted(BLANK_MARKS - {""})) + "`",
    "unit headings": _table("field", _split(UNIT_HEADING_WORDS)),
    "unit states": _table("state", [("open", sorted(OPEN_WORDS)), ("closed", sorted(CLOSED_WORDS))]),
}


def page(text: str) -> str:
    """The page with the words as they are in the code. KeyError for a place that has no words."""
    return _PLACE.sub(lambda place: f"<!-- words: {place[1]} -->\n{TABLES[place[1]]}\n<!-- end -->", text)


def places(text: str) -> list[str]:
    """The names of the places in their order."""
    return [place[1] for place in _PLACE.finditer(text)]


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
