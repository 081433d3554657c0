"""A knowledge card is read as it was typed, kept as JSON, and searched in Chinese and English."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.errors import Invalid
from dialer.core.knowledge import (
    LEAST_SHARE,
    LONGEST_LINE,
    LONGEST_TITLE,
    MOST_LINES,
    CardContent,
    CardText,
    Objection,
    TypedText,
    card_as_json,
    card_of_json,
    find_passages,
    read_card,
    search_terms,
    typed_of,
)
from dialer.core.text import Lang
from dialer.core.values import FraudType

ZH = TypedText(
    title=" 虚假  贷款 ",
    course="先交钱\n\n 再失联 ",
    objections="卡号填错了\n卡号是他们\n改的\n\n \n急用钱\n先别交",
    variants="假文件",
    never="先试试",
)
NOTHING = TypedText()
_WORD = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)
_LINES = st.lists(_WORD, max_size=4).map(tuple)
_TEXTS = st.builds(
    CardText,
    title=_WORD,
    course=st.lists(_WORD, min_size=1, max_size=4).map(tuple),
    objections=st.lists(st.builds(Objection, says=_WORD, answer=_WORD), min_size=2, max_size=2).map(tuple),
    variants=_LINES,
    never=_LINES,
)
_CARDS = st.builds(
    CardContent,
    fraud_type=st.sampled_from(FraudType),
    chinese=_TEXTS,
    english=st.none() | _TEXTS,
)


def test_a_card_is_lines_and_paragraphs_without_stray_spaces():
    card = read_card(FraudType.LOAN, ZH, NOTHING)
    assert card.english is None
    assert card.chinese == CardText(
        title="虚假 贷款",
        course=("先交钱", "再失联"),
        objections=(
            Objection(says="卡号填错了", answer="卡号是他们 改的"),
            Objection(says="急用钱", answer="先别交"),
        ),
        variants=("假文件",),
        never=("先试试",),
    )
    assert card.text(Lang.EN) is card.chinese
    assert [card.has_passage(number) for number in (-1, 0, 1, 2, 3)] == [False, True, True, True, False]


@given(_CARDS)
def test_a_card_stands_in_its_form_and_in_json_as_it_is(card: CardContent):
    english = NOTHING if card.english is None else typed_of(card.english)
    assert read_card(card.fraud_type, typed_of(card.chinese), english) == card
    assert card_of_json(card_as_json(card)) == card
    assert card.text(Lang.EN) == (card.english or card.chinese)
    assert card.text(Lang.ZH) == card.chinese


@given(_CARDS, _CARDS)
def test_cards_have_the_same_digest_only_when_they_are_the_same(one: CardContent, other: CardContent):
    assert len(one.digest) == 64
    assert (one.digest == other.digest) == (one == other)


@pytest.mark.parametrize(
    ("field", "given", "problem"),
    [
        ("title_zh", {"title": " "}, "is empty"),
        ("title_zh", {"title": "贷" * (LONGEST_TITLE + 1)}, "80 characters"),
        ("course_zh", {"course": "\n "}, "is empty"),
        ("course_zh", {"course": "\n".join(["步"] * (MOST_LINES + 1))}, "more than 30 lines"),
        ("course_zh", {"course": "步" * (LONGEST_LINE + 1)}, "600 characters"),
        ("objections_zh", {"objections": ""}, "is empty"),
        ("objections_zh", {"objections": "甲\n乙\n\n丙"}, "has no answer below: 丙"),
        ("objections_zh", {"objections": "甲\n" + "乙" * (LONGEST_LINE + 1)}, "600 characters"),
        ("objections_zh", {"objections": "\n\n".join(["甲\n乙"] * (MOST_LINES + 1))}, "more than 30 lines"),
        ("never_zh", {"never": "话" * (LONGEST_LINE + 1)}, "600 characters"),
        ("variants_zh", {"variants": "\n".join(["变"] * (MOST_LINES + 1))}, "more than 30 lines"),
    ],
)
def test_what_is_wrong_is_named_with_its_field(field: str, given: dict[str, str], problem: str):
    typed = {name: getattr(ZH, name) for name in ("title", "course", "objections", "variants", "never")}
    with pytest.raises(Invalid, match=problem) as refused:
        read_card(FraudType.LOAN, TypedText(**(typed | given)), NOTHING)
    assert refused.value.field == field


def test_english_has_as_many_objections_as_the_chinese_has():
    english = TypedText(title="Loans", course="A fee", objections="I need it\nWait")
    with pytest.raises(Invalid, match="has 1 objections and the Chinese 2") as refused:
        read_card(FraudType.LOAN, ZH, english)
    assert refused.value.field == "objections_en"
    with pytest.raises(Invalid, match="is empty") as refused:
        read_card(FraudType.LOAN, ZH, TypedText(never="x"))
    assert refused.value.field == "title_en"


def test_as_much_as_is_allowed_is_allowed():
    full = TypedText(
        title="贷" * LONGEST_TITLE,
        course="\n".join(["步" * LONGEST_LINE] * MOST_LINES),
        objections="\n\n".join(["甲" * LONGEST_LINE + "\n" + "乙" * LONGEST_LINE] * MOST_LINES),
    )
    assert len(read_card(FraudType.LOAN, full, NOTHING).chinese.objections) == MOST_LINES


def test_chinese_is_looked_for_in_pairs_of_characters_and_english_in_words():
    assert search_terms("假警察 False-Police 96110 贷") == {"假警", "警察", "false", "police", "96110", "贷"}
    assert search_terms("，。 -") == frozenset()


def test_the_best_passage_comes_first_and_what_says_too_little_is_left_out():
    loan = read_card(FraudType.LOAN, ZH, NOTHING)
    other = read_card(
        FraudType.CREDIT,
        TypedText(title="征信", course="借钱", objections="卡号\n不说\n\n填错\n不填"),
        TypedText(title="Credit", course="Borrow", objections="Card number\nNo\n\nTypo\nNo"),
    )
    found = find_passages([loan, other], "卡号填错", most=9)
    assert [(one.card, one.number, one.share) for one in found] == [(0, 1, 1.0)]
    assert [(one.card, one.number) for one in find_passages([loan, other], "CARD number", most=9)] == [(1, 1)]
    assert [(one.card, one.number) for one in find_passages([loan, other], "先交钱", most=9)] == [(0, 0)]
    assert [(one.card, one.number) for one in find_passages([other, loan], "卡号", most=9)] == [
        (0, 1),
        (1, 1),
    ]
    assert [(one.card, one.number) for one in find_passages([other, loan], "卡号", most=1)] == [(0, 1)]
    assert find_passages([loan], " ", most=9) == []


@given(st.lists(_CARDS, max_size=3), _WORD)
def test_a_passage_that_is_found_has_enough_of_what_was_looked_for(cards: list[CardContent], words: str):
    found = find_passages(cards, words, most=50)
    assert all(LEAST_SHARE <= one.share <= 1 for one in found)
    assert [one.share for one in found] == sorted((one.share for one in found), reverse=True)
    assert all(cards[one.card].has_passage(one.number) for one in found)
