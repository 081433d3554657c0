"""The thresholds of a rule, changed in its text, and two sets of rules compared in words."""

from __future__ import annotations

import pytest

from dialer.core.errors import Invalid
from dialer.core.values import Grade
from dialer.signals.rules import read_rule, shipped_rules
from dialer.signals.thresholds import compare_rules, thresholds_of, with_thresholds

RULE = """# the remark stays
id = "talk"
title.zh = "通话"
title.en = "Talk"
points = 10
fraud_type = "unknown"
when = ["longest >= 300", "paid >= 2.5 * before"]
reason.zh = "通话{longest:minutes}分钟"
reason.en = "{longest:minutes} minutes"

[features.longest]
max = "call.duration_seconds"
where = ["direction = in", "known_hours < 24"]
within = "24h"

[features.paid]
sum = "payment_attempt.amount_fen"
where = ["amount_fen >= 100000"]
within = "30m"

[features.before]
sum = "payment_attempt.amount_fen"
within = "7d"
"""


def changed(**given: str) -> str:
    rule = read_rule(RULE, file="talk.toml")
    names = {name.replace("__", "."): value for name, value in given.items()}
    return with_thresholds(rule, names, points=names.pop("points", "10"), floor=names.pop("floor", ""))


def test_thresholds_are_in_the_units_that_people_write():
    found = {one.name: (one.value, one.unit) for one in thresholds_of(read_rule(RULE, file="talk.toml"))}
    assert found == {
        "when.0": ("5", "minutes"),
        "when.1": ("2.5", "times"),
        "within.longest": ("24", "hours"),
        "where.longest.1": ("24", ""),
        "within.paid": ("0.5", "hours"),
        "where.paid.0": ("1000", "yuan"),
        "within.before": ("168", "hours"),
    }


@pytest.mark.parametrize(
    ("given", "old", "new"),
    [
        ({"when__0": "7.5"}, "longest >= 300", "longest >= 450"),
        ({"when__1": "3"}, "paid >= 2.5 * before", "paid >= 3 * before"),
        ({"within__paid": "0.75"}, '"30m"', '"45m"'),
        ({"within__before": "24"}, '"7d"', '"24h"'),
        ({"where__longest__1": "48"}, "known_hours < 24", "known_hours < 48"),
        ({"where__paid__0": "2000"}, "amount_fen >= 100000", "amount_fen >= 200000"),
        ({"points": "15"}, "points = 10", "points = 15"),
        ({"floor": "high"}, "points = 10", 'points = 10\nfloor = "high"'),
    ],
)
def test_a_threshold_changes_its_figure_in_the_text_and_nothing_else(
    given: dict[str, str], old: str, new: str
):
    assert changed(**given) == RULE.replace(old, new)


def test_a_least_grade_is_taken_out_again():
    rule = read_rule(changed(floor="high"), file="talk.toml")
    assert rule.floor is Grade.HIGH
    assert with_thresholds(rule, {}, points="10", floor="") == RULE


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"when__0": "much"}, "when.0"),
        ({"when__0": "-1"}, "when.0"),
        ({"where__paid__0": "0.001"}, "where.paid.0"),
        ({"points": "1.5"}, "points"),
        ({"floor": "top"}, "floor"),
    ],
)
def test_what_is_no_figure_is_refused_with_its_field(given: dict[str, str], field: str):
    with pytest.raises(Invalid) as caught:
        changed(**given)
    assert caught.value.field == field


def test_each_figure_of_each_shipped_rule_is_found_in_its_text():
    for rule in shipped_rules().rules:
        floor = rule.floor.value if rule.floor else ""
        for one in thresholds_of(rule):
            text = with_thresholds(rule, {one.name: "9"}, points=str(rule.points), floor=floor)
            assert one.value == "9" or text != rule.text, (rule.id, one.name)


def test_a_change_is_told_in_words_and_one_of_examples_alone_has_none():
    old = read_rule(RULE, file="talk.toml")
    new = read_rule(changed(when__0="10", points="20"), file="talk.toml")
    (change,) = compare_rules([(old, 10)], [(new, 20)])
    told = {
        one.what: ([str(line) for line in one.before], [str(line) for line in one.after])
        for one in change.differences
    }
    assert told["Points"] == (["10"], ["20"])
    condition = "Within 24 hours, greatest length of calls (incoming, first seen less than 24 hours before): "
    assert told["All of these must hold"] == (
        [condition + "5 minutes or more"],
        [condition + "10 minutes or more"],
    )
    (remark,) = compare_rules([(old, 10)], [(read_rule(RULE + "# more\n", file="talk.toml"), 10)])
    assert remark.differences == ()
    (gone,) = compare_rules([(old, 10)], [])
    assert gone.after is None
    assert compare_rules([(old, 10)], [(old, 10)]) == ()
