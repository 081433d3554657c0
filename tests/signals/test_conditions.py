"""What would have kept a rule from firing, in words."""

from __future__ import annotations

import re

import pytest

from dialer.core.text import Lang, Text
from dialer.language.catalogue import say
from dialer.signals.conditions import kept_from_firing
from dialer.signals.rules import Rule, read_rule, shipped_rules

RULE = """
id = "own"
title.zh = "自"
title.en = "Own"
points = 10
when = [{when}]
reason.zh = "自"
reason.en = "Own"
[features.figure]
{feature}
within = "{within}"
"""


def told(
    feature: str, when: str = '"figure >= 2"', *, within: str = "72h", figure: int = 3
) -> tuple[str, str]:
    rule = read_rule(RULE.format(when=when, feature=feature, within=within), file="own.toml")
    (test,) = rule.all_of
    text = kept_from_firing(test, rule.features["figure"], figure=figure, bound=test.factor)
    return say(Lang.EN, text), say(Lang.ZH, text)


@pytest.mark.parametrize(
    ("feature", "when", "figure", "english", "chinese"),
    [
        (
            'max = "call.duration_seconds"\nwhere = ["listed = fraud"]', '"figure >= 600"', 1260,
            ("Within 72 hours, greatest length of calls (on a fraud list): 21 minutes."
            " At a figure below 10 minutes the rule would not have fired."),
            "72小时内通话（涉诈名单）最长时长：21分钟；若低于10分钟，则不会触发。",
        ),
        (
            'count = "payment_attempt"\nwhere = ["direction = out", "new_payee = true"]', '"figure >= 1"', 1,
            ("Within 72 hours, number of payments (made, to new payees): 1."
            " Without any the rule would not have fired."),
            "72小时内转账（转出，付给新账户）次数：1；若一次也没有，则不会触发。",
        ),
        (
            'sum = "payment_attempt.amount_fen"', '"figure > 5000000"', 5_000_100,
            ("Within 72 hours, total amount of payments: 50,001 yuan."
            " At a figure of 50,000 yuan or less the rule would not have fired."),
            "72小时内转账合计金额：50,001元；若不超过50,000元，则不会触发。",
        ),
        (
            'distinct = "sms.number"\nwhere = ["topic in credit justice"]', '"figure >= 2"', 3,
            ("Within 72 hours, different numbers of text messages (about the credit record or police and courts): 3."
            " At a figure below 2 the rule would not have fired."),
            "72小时内短信（内容涉及征信或公检法）涉及的不同号码数：3；若低于2，则不会触发。",
        ),
        (
            'count = "call"\nper_item = true\nwhere = ["known_hours < 24", "duration_seconds >= 60"]',
            '"figure < 2"', 1,
            ("Within 72 hours, number of calls (first seen less than 24 hours before, of 60 seconds or more)"
            " with one number: 1. At a figure of 2 or more the rule would not have fired."),
            "72小时内通话（首次接触不足24小时，60秒及以上）次数（同一号码）：1；若达到2，则不会触发。",
        ),
    ],
)  # fmt: skip
def test_a_condition_is_a_sentence_in_both_languages(
    feature: str, when: str, figure: int, english: str, chinese: str
):
    assert told(feature, when, figure=figure) == (english, chinese)


def test_a_type_that_the_platform_names_is_told():
    english, chinese = told(
        'count = "platform_push"\nwhere = ["fraud_type = loan"]', '"figure >= 1"', figure=1
    )
    assert "of a named type of fraud" in english
    assert not re.search("[A-Za-z_%]", chinese), chinese


def test_a_figure_that_follows_another_names_it():
    rule = shipped_rules()["refund_talk_then_codes"]
    test = next(one for one in rule.all_of if rule.features[one.feature].after)
    text = kept_from_firing(test, rule.features[test.feature], figure=3, bound=test.factor)
    assert "up to 2 hours after text messages and visits to sites (about refunds" in say(Lang.EN, text)
    assert "后2小时以内的短信（内容涉及验证码）" in say(Lang.ZH, text)


@pytest.mark.parametrize("rule", shipped_rules().rules, ids=lambda rule: rule.id)
def test_every_shipped_rule_is_told_without_a_raw_name_and_survives_storage(rule: Rule):
    for test in (*rule.all_of, *rule.any_of):
        text = kept_from_firing(test, rule.features[test.feature], figure=1000, bound=test.factor)
        chinese = say(Lang.ZH, Text.of_plain(text.plain()))
        assert not re.search("[A-Za-z_%]", chinese), chinese
        assert "_" not in say(Lang.EN, text)
