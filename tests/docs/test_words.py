"""What no page may say: where it was written, how the work was done, secrets, other people's data."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, name

_UNFINISHED = ("to" + "do", "fix" + "me", "tbd", "lorem ipsum", "coming soon")
_FORBIDDEN = re.compile(
    r"/work/|/root/|/home/\w|" + "|".join(rf"\b{word}\b" for word in _UNFINISHED), re.IGNORECASE
)
_SECRET = re.compile(r"AC[0-9a-f]{32}|[0-9a-f]{64}")
_ID_NUMBER = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_page_says_nothing_that_does_not_belong(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for pattern in (_FORBIDDEN, _SECRET, _ID_NUMBER):
        found = pattern.search(text)
        assert found is None, f"{name(page)}: {found.group() if found else ''}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_page_has_one_title_and_closes_its_code(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert text.count("```") % 2 == 0
    assert text.endswith("\n")
