"""What a message may say, and how many the network makes of it."""

from __future__ import annotations

import time

import pytest

from dialer.core.text import Text
from dialer.scripts.lint import message_findings, parts
from dialer.scripts.reading import shipped_scripts

BUREAU = "巴彦淖尔市公安局"
GOOD = f"【{BUREAU}】反诈预警：请马上停止转账，尽快告诉家人。本短信无需回复。"
ENGLISH = "Bayannur Public Security Bureau: do not transfer any money. No reply is needed."


def findings(text: str) -> str:
    return "; ".join(map(str, message_findings(text, "zh", bureau=BUREAU)))


@pytest.mark.parametrize("script", sorted(shipped_scripts()))
@pytest.mark.parametrize(("language", "bureau"), [("zh", BUREAU), ("en", "Bayannur Public Security Bureau")])
def test_every_shipped_message_may_leave(script: str, language: str, bureau: str):
    text = shipped_scripts()[script].message[language].replace("{bureau}", bureau)
    assert message_findings(text, language, bureau=bureau) == ()


def test_a_good_one_has_no_findings():
    assert findings(GOOD) == ""
    assert message_findings(ENGLISH, "en", bureau="Bayannur Public Security Bureau") == ()


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("详见https://fz.example", "link"),
        ("详见www.example", "link"),
        ("登录fanzha.cn。", "link"),
        ("请点击查看。", "link"),
        ("加微信咨询。", "link"),
        ("请拨打96110。", "number"),
        ("请拨打110。", "number"),
        ("请拨打１１０。", "number"),
        ("请拨打幺幺零。", "number"),
        ("请拨打九六一一零。", "number"),
        ("收到请回复。", "reply"),
        ("请回电。", "reply"),
        ("请转到安全账户。", "fraudsters"),
        ("请把验证码告诉我们。", "asked for"),
    ],
)
def test_what_it_must_not_hold(more: str, problem: str):
    assert problem in findings(GOOD + more)


def test_a_long_message_takes_no_longer_than_its_length():
    begun = time.process_time()
    assert "link" not in findings("a" * 100_000)
    assert "link" in findings("a" * 100_000 + "://x")
    assert time.process_time() - begun < 5


def test_it_names_the_bureau():
    assert "does not name the bureau" in findings(GOOD.replace(BUREAU, "中心"))
    assert "does not name the bureau" in str(message_findings(GOOD, "zh", bureau=""))


def test_it_says_that_no_reply_is_needed():
    assert "no reply is needed" in findings(GOOD.replace("本短信无需回复。", ""))


def test_an_empty_one_is_none():
    assert message_findings("  ", "zh", bureau=BUREAU) == (Text("says nothing"),)


def test_it_is_not_too_long():
    assert findings(GOOD + "请注意。" * 30).endswith("parts; 2 are allowed")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("转" * 70, 1),
        ("转" * 71, 2),
        ("转" * 134, 2),
        ("转" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
    ],
)
def test_how_many_parts_the_network_makes_of_it(text: str, count: int):
    assert parts(text) == count
