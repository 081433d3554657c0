"""Every number and every window of a report has a name in both languages."""

from __future__ import annotations

import re

from dialer.outcomes.count_words import BASIS_WORDS, COUNT_WORDS
from dialer.outcomes.counts import COUNTED
from dialer.outcomes.rates import DEFINITIONS, Basis

HAN = re.compile(r"[\u4e00-\u9fff]")


def test_every_count_and_every_basis_is_named():
    assert set(COUNT_WORDS) == set(COUNTED)
    assert set(BASIS_WORDS) == set(Basis)


def test_names_are_in_their_language_and_tell_counts_apart():
    for zh, en in (*COUNT_WORDS.values(), *BASIS_WORDS.values(), *((d.zh, d.en) for d in DEFINITIONS)):
        assert HAN.search(zh)
        assert en.isascii()
    for place in (0, 1):
        names = [words[place] for words in COUNT_WORDS.values()]
        assert len(set(names)) == len(names)
