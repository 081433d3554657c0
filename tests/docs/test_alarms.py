"""Whoever is woken by an alarm finds a paragraph about it."""

from __future__ import annotations

import re

import pytest

from dialer.core.events import AlarmCode
from dialer.core.text import Lang
from dialer.language.words import word_of
from tests.docs.pages import ROOT

_PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
_SECTIONS = dict(re.findall(r"^### `([a-z_]+)` (.*?)(?=^##|\Z)", _PAGE, re.MULTILINE | re.DOTALL))
_ENOUGH_WORDS = 20


@pytest.mark.parametrize("code", list(AlarmCode), ids=lambda code: code.value)
def test_every_alarm_has_its_paragraph_under_the_name_that_pages_show(code: AlarmCode) -> None:
    section = _SECTIONS[code.value]
    heading, _, paragraph = section.partition("\n")
    assert word_of(code, Lang.ZH) in heading
    assert len(paragraph.split()) >= _ENOUGH_WORDS


def test_no_paragraph_is_about_an_alarm_that_is_gone() -> None:
    assert set(_SECTIONS) == {code.value for code in AlarmCode}
