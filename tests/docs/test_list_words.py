"""The page of lists has every word that a list may use."""

from __future__ import annotations

from tests.docs import list_words

_TEXT = list_words.PAGE.read_text(encoding="utf-8")


def test_the_words_of_the_page_are_those_that_are_read() -> None:
    assert list_words.page(_TEXT) == _TEXT, "write them anew: python -m tests.docs.list_words"


def test_every_list_of_words_is_on_the_page_once() -> None:
    assert sorted(list_words.places(_TEXT)) == sorted(list_words.TABLES)
