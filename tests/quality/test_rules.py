"""Rules over the words of a call: what passes, what is found, and when they abstain."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.errors import Invalid
from dialer.core.inspection import Outcome, Side
from dialer.core.text import Lang
from dialer.quality.model import Word
from dialer.quality.rules import Catalogue, HeardCall, Judgement, Span, find_said, judge, read_catalogue

OURS, PERSON = Side.OURS, Side.PERSON
TEXT = resources.files("dialer.quality").joinpath("rules.toml").read_text(encoding="utf-8")
SHIPPED = read_catalogue(TEXT)
GOOD = (
    "您好，我是市公安局反诈中心的民警。请问您是王先生吗？有人以刷单返利的名义联系您吗？"
    "请您千万不要转账。有问题请拨打96110，再见。"
)


def says(
    text: str, *, side: Side = OURS, at: float = 0.0, pace: float = 4.0, confidence: float = 0.95
) -> list[Word]:
    """A word for each character; a mark belongs to the one before it."""
    words: list[Word] = []
    for sign in text:
        if sign in "，。？！,.?!" and words:
            words[-1] = replace(words[-1], text=words[-1].text + sign)
            continue
        begin = at + len(words) / pace
        words.append(Word(side=side, begin=begin, end=begin + 1 / pace, confidence=confidence, text=sign))
    return words


def call(*parts: list[Word], seconds: float | None = None) -> HeardCall:
    words = tuple(word for part in parts for word in part)
    return HeardCall(words=words, seconds=seconds or max((word.end for word in words), default=0.0))


def outcomes(heard: HeardCall, catalogue: Catalogue = SHIPPED) -> dict[str, Judgement]:
    return {one.rule_id: one for one in judge(catalogue, heard)}


def test_a_good_call_passes_every_rule():
    assert {one.outcome for one in outcomes(call(says(GOOD))).values()} == {Outcome.PASSED}


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("identity_first", GOOD.replace("请问您是王先生吗？", "")),
        ("asks_for_secrets", GOOD.replace("请您千万", "请把收到的验证码告诉我。请您千万")),
        ("asks_for_secrets", GOOD.replace("请您千万", "不要挂电话，把密码报给我。请您千万")),
        ("promises", GOOD.replace("请您千万", "您的钱我们保证能给您追回。请您千万")),
        ("threats", GOOD.replace("请您千万", "再转就把您拘留。请您千万")),
        ("other_case", GOOD.replace("请您千万", "上一个受害人被骗了八万。请您千万")),
        ("do_not_transfer", GOOD.replace("请您千万不要转账。", "")),
        ("greeting", GOOD.replace("您好，我是市公安局反诈中心的民警。", "")),
    ],
)
def test_a_mistake_is_found_by_its_rule_alone(rule: str, text: str):
    found = outcomes(call(says(text)))
    assert {name for name, one in found.items() if one.outcome is not Outcome.PASSED} == {rule}
    assert found[rule].outcome is Outcome.FAILED


@pytest.mark.parametrize(
    "text",
    ["我们绝不会让您把验证码告诉我。", "民警不会要您的密码，请您不要给我。", "我们不能保证能给您追回。"],
)
def test_what_is_denied_is_no_mistake(text: str):
    found = outcomes(call(says(GOOD.replace("请您千万", text + "请您千万"))))
    assert [name for name, one in found.items() if one.outcome is not Outcome.PASSED] == []


def test_a_finding_names_its_seconds():
    before = "您好，我是民警。"
    found = outcomes(call(says(before + "请把验证码告诉我。")))["asks_for_secrets"]
    at = len(says(before + "请把")) / 4
    assert found.spans == (Span(begin=at, end=at + 6 / 4),)


def test_what_the_person_says_is_no_mistake_of_ours():
    heard = call(says(GOOD), says("请把验证码告诉我", side=PERSON, at=60))
    assert outcomes(heard)["asks_for_secrets"].outcome is Outcome.PASSED


@pytest.mark.parametrize(
    "rule", ["asks_for_secrets", "identity_first", "do_not_transfer", "greeting", "pace"]
)
def test_too_many_unsure_words_are_not_judged(rule: str):
    heard = call(says(GOOD), says("天地玄黄宇宙洪荒日月盈昃辰宿列张" * 4, at=50, confidence=0.3))
    sure = outcomes(call(says(GOOD.replace("您好，我是市公安局反诈中心的民警。", ""))))
    assert sure["greeting"].outcome is Outcome.FAILED
    found = outcomes(heard)[rule]
    # What was said for sure stays said.
    assert found.outcome is (Outcome.PASSED if rule in {"do_not_transfer", "greeting"} else Outcome.ABSTAINED)


def test_a_mistake_in_unsure_words_is_to_be_listened_to():
    found = outcomes(call(says(GOOD), says("请把验证码告诉我", at=60, confidence=0.5)))["asks_for_secrets"]
    assert found.outcome is Outcome.ABSTAINED
    assert [span.begin >= 60 for span in found.spans] == [True]


def test_speaking_into_somebody_is_found_where_it_begins():
    person = says("我在和客服说话他说要退款给我", side=PERSON, at=20, pace=4)
    short = outcomes(call(says(GOOD), person, says("嗯", at=21)))["talk_over"]
    assert short.outcome is Outcome.PASSED
    long = outcomes(call(says(GOOD), person, says("您听我说不要相信", at=21)))["talk_over"]
    assert (long.outcome, long.spans[0].begin) == (Outcome.FAILED, 21)
    reverse = outcomes(
        call(says("您听我说不要相信他们的话", at=20), says("可是他说得很真", side=PERSON, at=21))
    )
    assert reverse["talk_over"].outcome is Outcome.PASSED, "the person spoke into ours"


def test_silence_waiting_and_pace():
    quiet = outcomes(call(says(GOOD), says("好的再见谢谢", at=60)))["silence"]
    end = max(word.end for word in says(GOOD))
    assert (quiet.outcome, quiet.spans) == (Outcome.FAILED, (Span(begin=end, end=60),))
    held = outcomes(
        call(
            says(GOOD),
            says("请稍等", at=30),
            says("好的再见谢谢", side=PERSON, at=50),
            says("我回来了再见", at=90),
        )
    )
    assert held["hold"].outcome is Outcome.FAILED
    assert held["hold"].spans[0].end == 90
    assert outcomes(call(says(GOOD, pace=4)))["pace"].outcome is Outcome.PASSED
    assert outcomes(call(says(GOOD, pace=8)))["pace"].outcome is Outcome.FAILED


def test_english_words_are_compared_without_spaces():
    words = ["Hello,", " this", " is", " the", " police.", " Am", " I", " speaking", " to", " Mr", " Wang?"]
    words += [" Please", " tell", " me", " the", " code."]
    heard = call(
        [
            Word(side=OURS, begin=n / 3, end=(n + 1) / 3, confidence=0.9, text=one)
            for n, one in enumerate(words)
        ]
    )
    found = outcomes(heard)
    assert found["greeting"].outcome is Outcome.PASSED
    assert found["asks_for_secrets"].outcome is Outcome.FAILED


WORDS = st.lists(
    st.builds(
        lambda side, begin, seconds, confidence, text: Word(
            side=side, begin=round(begin, 2), end=round(begin + seconds, 2), confidence=confidence, text=text
        ),
        st.sampled_from(Side),
        st.floats(0, 90),
        st.floats(0, 2),
        st.sampled_from([0.2, 0.59, 0.6, 0.95]),
        st.sampled_from(
            [
                "验证码",
                "告诉我",
                "不要",
                "转账",
                "，",
                "您好",
                "民警",
                "请问您是",
                "刷单",
                "稍等",
                "再见",
                " code",
                "",
                "拘留",
            ]
        ),
    ),
    max_size=25,
)


@given(WORDS)
def test_every_rule_answers_once_within_the_call(words: list[Word]):
    heard = call(words)
    found = judge(SHIPPED, heard)
    assert [one.rule_id for one in found] == [rule.id for rule in SHIPPED.rule]
    for one in found:
        assert all(0 <= span.begin <= span.end <= heard.seconds + 1e-6 for span in one.spans)
        assert one.outcome is not Outcome.PASSED or len(one.spans) <= 1


@given(WORDS)
def test_with_every_word_unsure_nothing_fails_and_nothing_passes(words: list[Word]):
    heard = call([replace(word, confidence=0.3) for word in words])
    assert {one.outcome for one in judge(SHIPPED, heard)} == {Outcome.ABSTAINED}


@given(WORDS, st.floats(0.1, 500))
def test_when_a_call_begins_changes_nothing(words: list[Word], later: float):
    moved = [replace(word, begin=word.begin + later, end=word.end + later) for word in words]
    before, after = call(words), call(moved)
    if not words:
        return
    assert [(one.rule_id, one.outcome) for one in judge(SHIPPED, before)] == [
        (one.rule_id, one.outcome) for one in judge(SHIPPED, after)
    ]


@given(WORDS)
def test_a_word_that_becomes_unsure_never_makes_a_gate_of_forbidden_words_fail(words: list[Word]):
    gates = {rule.id for rule in SHIPPED.rule if rule.kind == "never"}
    before = outcomes(call(words))
    for number in range(min(len(words), 4)):
        doubted = [replace(word, confidence=0.1) if n == number else word for n, word in enumerate(words)]
        after = outcomes(call(doubted))
        for name in gates:
            if before[name].outcome is not Outcome.FAILED:
                assert after[name].outcome is not Outcome.FAILED


def test_the_shipped_catalogue_is_whole():
    assert {rule.id for rule in SHIPPED.rule if rule.gate} == {
        *("identity_first", "asks_for_secrets", "promises", "threats", "other_case", "do_not_transfer")
    }
    assert all(rule.text(lang) for rule in SHIPPED.rule for lang in Lang)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("\n[concepts]", "\n[concept]"), "concepts"),
        (
            ('says = [["dont", "move"]]', 'says = [["dont", "moved"]]'),
            "names concepts that are not in the file: moved",
        ),
        (('id = "pace"', 'id = "silence"'), "two rules are called silence"),
        (('kind = "pace"', 'kind = "speed"'), "kind"),
        (("points = 10\n", "points = 10\ngate = true\n"), "is either a hard gate or has points"),
        (
            ('{ zh = "语速过快", en = "Speaks too fast" }', '{ zh = "语速过快" }'),
            "no title in both languages",
        ),
        (("most_syllables_a_second = 6.5", ""), "pace lacks what its kind needs"),
        (('threat = ["抓你"', 'threat = ["！"'), "nothing is said for the concept threat"),
        (("[[rule]]", "[[rule"), "rule"),
    ],
)
def test_a_catalogue_that_is_not_whole_is_refused(change: tuple[str, str], problem: str):
    with pytest.raises(Invalid) as refused:
        read_catalogue(TEXT.replace(*change, 1))
    assert refused.value.field == "rules"
    if problem != "rule":
        assert problem in str(refused.value.problem)


def test_what_is_looked_for_is_found_whatever_its_marks_on_both_sides():
    words = [*says("请把验证码告诉我", at=10), *says("什么验证码？", side=PERSON, at=20, confidence=0.4)]
    found = find_said(words, " 验证，码 ")
    assert [(one.side, one.begin, one.is_sure) for one in found] == [
        (OURS, 10.5, True),
        (PERSON, 20.5, False),
    ]
    assert find_said(words, "，！") == []
    assert find_said(words, "密码") == []
