"""The yardstick of the reading-back bench: what counts as an error and what does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audio.clips import Clip
from bench.hearing import hints_of, outcome, sayings
from bench.speech import (
    MUST_SAY_AIM,
    Reading,
    bad_line,
    distance,
    error_rate,
    misses,
    page,
    plain,
    with_name,
)
from carrier.speech_input import Recognised


@pytest.mark.parametrize(
    ("wanted", "heard", "errors"),
    [
        ("转账", "转账", 0),
        ("转账", "转张", 1),
        ("转账", "转", 1),
        ("转", "转账了", 2),
        ("", "转账", 2),
        ("abc", "", 3),
    ],
)
def test_errors_are_signs_put_in_left_out_or_changed(wanted: str, heard: str, errors: int):
    assert distance(wanted, heard) == distance(heard, wanted) == errors


@pytest.mark.parametrize(
    ("text", "heard", "language"),
    [
        ("拨打96110，请按1。", "拨打九六一一零请按一", "zh"),
        ("两点", "二点", "zh"),
        ("Dial 96110. Press 1!", "dial nine six one one zero, press one", "en"),
        ("the anti-fraud centre", "The Anti-Fraud Center", "en"),
        ("打96110，或者打110", "打96-110或者打妖腰灵", "zh"),
        ("Dial 047896110, 110, 110.", "dial 047896-110. 110-110", "en"),
    ],
)
def test_figures_spelling_and_marks_are_no_errors(text: str, heard: str, language: str):
    assert plain(text, language) == plain(heard, language)


def test_a_name_of_the_right_sounds_is_right_however_it_is_spelt():
    pytest.importorskip("pypinyin")
    assert with_name("我是巴雁闹尔是公安局机器人", "巴彦淖尔市公安局") == "我是巴彦淖尔市公安局机器人"
    for wrong in ("我是巴雁罗尔是公安局机器人", "我是巴雁闹是公安局机器人", ""):
        assert with_name(wrong, "巴彦淖尔市公安局") == wrong


def test_the_words_around_a_name_are_counted():
    pytest.importorskip("pypinyin")
    clip = replace(reading("a", "zh", 0.0, must_say=True).clip, text="我是巴彦淖尔市公安局机器人")
    assert error_rate(clip, "我是巴雁闹尔是公安局机器人", name="巴彦淖尔市公安局") == 0.0
    assert error_rate(clip, "我是巴雁闹尔是公安局机器人") == 3 / 13
    assert error_rate(clip, "我只巴雁闹尔是公安局机器人", name="巴彦淖尔市公安局") == 1 / 13


def test_a_wrong_number_is_an_error():
    assert plain("拨打96110", "zh") != plain("拨打9110", "zh")


def test_a_bad_line_loses_whole_packets_and_the_same_ones_each_time():
    coded = bytes(range(1, 161)) * 100
    lossy = bad_line(coded, loss=0.05, seed=1)
    assert lossy == bad_line(coded, loss=0.05, seed=1) != bad_line(coded, loss=0.05, seed=2)
    packets = [lossy[at : at + 160] for at in range(0, len(lossy), 160)]
    lost = [one for one in packets if one != bytes(range(1, 161))]
    assert set(lost) == {b"\xd5" * 160}
    assert 1 <= len(lost) <= 15
    assert bad_line(coded, loss=0.0, seed=1) == coded


@pytest.mark.parametrize(
    ("said", "node", "told", "verdict"),
    [
        ("没有人", "scene", "没有", "right"),
        ("没有人", "scene", "转了", "wrong"),
        ("没有人", "scene", "重听", "again"),
        ("没有人", "scene", "", "again"),
        ("是我", "identity", "不是", "right"),
        ("没有上当", "scene", "没有", "wrong"),
        ("我在开车等一会儿", "scene", "有", "wrong"),
        ("我在开车等一会儿", "scene", "", "again"),
        ("喂", "scene", "你好", "right"),
        ("喂", "scene", "有", "wrong"),
        ("喂", "identity", "是", "again"),
        ("是", "identity", "喂", "again"),
    ],
)
def test_an_answer_is_right_when_the_call_goes_on_as_for_the_words_as_text(
    said: str, node: str, told: str, verdict: str
):
    saying = next(one for one in sayings() if (one.words, one.node.id) == (said, node))
    assert outcome(saying, Recognised(text=told, confidence=0.9) if told else None) == verdict
    assert not saying.answers or said in hints_of(saying)


def reading(key: str, language: str, rate: float, *, must_say: bool) -> Reading:
    clip = Clip(
        prompt_id=key,
        language=language,
        text="x",
        text_hash="x",
        voice="x",
        file="x",
        duration_seconds=1.0,
        sha256="x",
    )
    return Reading(clip=clip, heard="y", rate=rate, must_say=must_say)


@pytest.mark.parametrize(
    ("must", "other", "is_missed"),
    [(MUST_SAY_AIM, 0.0, False), (MUST_SAY_AIM + 0.01, 0.0, True), (0.0, 0.09, False), (0.0, 0.11, True)],
)
def test_an_aim_is_missed_by_one_line_that_must_be_said_or_by_the_mean(
    must: float, other: float, *, is_missed: bool
):
    readings = [reading("a", "zh", must, must_say=True), reading("b", "zh", other, must_say=False)]
    assert misses(readings) is is_missed


def test_the_page_puts_the_worst_first_and_counts_by_language():
    text = page(
        [
            reading("a.good", "zh", 0.0, must_say=True),
            reading("a.bad", "zh", 0.2, must_say=False),
            reading("a.must", "en", 0.1, must_say=True),
        ]
    )
    assert "- zh: 2 prompts, mean 10.0%, worst must-say line 0.0%, in pinyin 0.0%;" in text
    assert "- en: 1 prompts, mean 10.0%, worst must-say line 10.0%" in text
    assert "- zh before: mean 8.5%" in text
    assert text.index("a.bad") < text.index("a.must") < text.index("a.good")
