"""The one catalogue: everything that is said has its Chinese, and nothing else is in it."""

from __future__ import annotations

import re

import pytest

from dialer.core.text import Lang
from dialer.language.catalogue import say, say_many, say_word
from tools.words import CATALOGUE, read, renewed, said, untranslated, written

HAN = re.compile(r"[一-鿿]")
PLACE = re.compile(r"%\((\w+)\)s")


ONE_SIDED = frozenset(
    {
        # Only the Chinese repeats what stood in the cell of a list.
        "amount not readable: write it like 12000.50",
        "date not readable: write it like 2026-11-20 08:05",
        "expired: if it still holds, correct the expiry time",
        "grade not readable: write extra_high, high, medium or low",
        "no usable phone number: give the full number",
        "grade blank: %(default)s is taken",
        # The Chinese says what is wrong, the English the name as well.
        "no such %(kind)s",
        "no valid JSON: line %(line)s, column %(column)s",
        "the token has no scope %(scope)s: ask for one that has it",
    }
)


def test_the_catalogue_is_what_the_code_says():
    """Nothing missing, nothing unused, in its order: `make words` changes nothing."""
    assert written(renewed(read())) == CATALOGUE.read_bytes()


def test_everything_has_its_chinese():
    assert untranslated(read()) == []


def test_what_is_said_would_be_noticed_where_it_is_new():
    found = set(said())
    assert ("", "Sign in", "") in found
    assert ("Grade", "extra high", "") in found
    assert ("", "is silent", "") in found, "faults of sound files are named in audio/"
    assert ("", "%(n)s day", "%(n)s days") in found


def test_both_languages_have_the_same_places():
    for message in read():
        english = message.id if isinstance(message.id, str) else message.id[-1]
        chinese = message.string if isinstance(message.string, str) else message.string[0]
        if english:
            assert english in ONE_SIDED or set(PLACE.findall(english)) == set(PLACE.findall(chinese)), english


def test_the_same_english_word_may_be_two_in_chinese():
    assert say_word(Lang.ZH, "CaseStatus", "open") == "办理中"
    assert say_word(Lang.ZH, "StaffTrackState", "open") == "待办"
    assert say_word(Lang.EN, "StaffTrackState", "open") == "open"


def test_facts_take_their_places_and_a_percent_sign_is_one_without_facts():
    assert say(Lang.EN, "%(amount)s ago", amount="3m") == "3m ago"
    assert say(Lang.ZH, "%(amount)s ago", amount="3m") == "3m前"
    assert say(Lang.EN, "99 %") == "99 %"


def test_what_has_no_chinese_is_told_as_it_stands():
    assert say(Lang.ZH, "never translated") == "never translated"


@pytest.mark.parametrize(("n", "told"), [(1, "1 day"), (2, "2 days"), (0, "0 days"), (1200, "1,200 days")])
def test_numbers(n: int, told: str):
    assert say_many(Lang.EN, "%(n)s day", "%(n)s days", n) == told
    assert say_many(Lang.ZH, "%(n)s day", "%(n)s days", n) == f"{n:,}天"
