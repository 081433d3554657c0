"""Every number, window and rate of a report has a name in both languages."""

from __future__ import annotations

import re

import pytest

from dialer.core.rates import COUNT_NAMES, DEFINITIONS, WARNED_BEFORE_FILED, Basis
from dialer.core.text import Lang
from dialer.language.figure_words import COUNT_WORDS, basis_word, count_word, rate_sentence, rate_word

ALL = (*DEFINITIONS, WARNED_BEFORE_FILED)
OF_FILED = {WARNED_BEFORE_FILED.numerator, WARNED_BEFORE_FILED.denominator, *WARNED_BEFORE_FILED.excludes}
HAN = re.compile(r"[\u4e00-\u9fff]")


def names(lang: Lang) -> list[str]:
    return [
        *(count_word(name, lang) for name in (*COUNT_NAMES, *OF_FILED)),
        *(basis_word(basis, lang) for basis in Basis),
        *(rate_word(definition, lang) for definition in ALL),
        *(rate_sentence(definition, lang) for definition in ALL),
    ]


def test_every_word_of_a_count_is_of_a_count_of_the_report():
    assert set(COUNT_WORDS) <= {*COUNT_NAMES, *OF_FILED}


def test_names_are_in_their_language():
    assert all(HAN.search(name) for name in names(Lang.ZH))
    assert all(name.isascii() for name in names(Lang.EN))


@pytest.mark.parametrize("lang", Lang)
def test_names_tell_counts_apart(lang: Lang):
    told = [count_word(name, lang) for name in (*COUNT_NAMES, *OF_FILED)]
    assert len(set(told)) == len(told)
