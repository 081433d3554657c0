"""Everything a page or a terminal may have to say has a word in both languages."""

from __future__ import annotations

import re
from enum import StrEnum

import pytest

from dialer.core.text import Lang
from dialer.core.values import Contact, FraudType, TelephonyResult
from dialer.language.enumerations import ENUMERATIONS
from dialer.language.words import script_word, word_of
from dialer.scripts.reading import shipped_scripts

HAN = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize("kind", sorted(ENUMERATIONS, key=lambda kind: kind.__name__))
def test_every_member_has_both_languages(kind: type[StrEnum]):
    for member in kind:
        zh, en = word_of(member, Lang.ZH), word_of(member, Lang.EN)
        assert HAN.search(zh), member
        assert en.isascii(), member
        assert en.strip(), member


@pytest.mark.parametrize("kind", sorted(ENUMERATIONS, key=lambda kind: kind.__name__))
@pytest.mark.parametrize("lang", list(Lang))
def test_no_two_members_of_one_kind_are_called_the_same(kind: type[StrEnum], lang: Lang):
    words = [word_of(member, lang) for member in kind]
    assert len(set(words)) == len(words)


def test_equal_values_of_two_enumerations_are_not_mixed_up():
    assert word_of(Contact.NONE, Lang.EN) == "nobody reached"
    assert word_of(FraudType.UNKNOWN, Lang.EN) != word_of(TelephonyResult.UNKNOWN, Lang.EN)


def test_every_shipped_script_has_a_name_in_figures():
    shipped = shipped_scripts()
    assert [one for one in shipped if not HAN.search(script_word(one, Lang.ZH))] == []
    for lang in Lang:
        for script_id in ("general", "follow_up"):
            assert script_word(script_id, lang) == shipped[script_id].title_in(lang.value)
    assert script_word("flood_relief", Lang.ZH) == "flood_relief"
