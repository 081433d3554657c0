"""Rules: their examples, what the reader and the lint refuse, exact windows, and what a verdict says."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dialer.core.text import Lang
from dialer.core.values import FraudType, Grade
from dialer.language.catalogue import say
from dialer.signals.evaluation import Evaluator
from dialer.signals.lint import check_rule, check_texts
from dialer.signals.model import Direction, Item, ItemKind, ListChange, ListKind, Signal, SignalKind
from dialer.signals.rules import RuleSet, RuleUnreadable, read_rule, shipped_rules, shipped_texts
from dialer.signals.scorecard import Scorecard
from dialer.signals.verdicts import Bands, fill_reason

START = datetime(2026, 3, 2, 1, tzinfo=UTC)
PERSON = b"p" * 16
GOOD = shipped_texts()["app_listed"]


def test_every_shipped_rule_comes_out_as_its_examples_say_and_every_fraud_type_is_covered():
    assert [str(check_text) for check_text in check_texts(shipped_texts())] == []
    assert len(shipped_rules().rules) >= 20


def test_a_window_may_be_as_long_as_the_memory():
    rule = read_rule(GOOD.replace('within = "72h"', 'within = "336h"'), file="app_listed.toml")
    assert rule.features["uses"].within_seconds == 336 * 3600


@pytest.mark.parametrize(
    ("old", "new", "problem", "fix"),
    [
        ("points = 35", "points = -3", "points are -3", "mitigator"),
        ("points = 35", "punkte = 35", "punkte is not known in rule", "points"),
        ('"uses >= 1"', '"use >= 1"', "use is not a feature of this rule", "uses"),
        ('"uses >= 1"', '"uses at least 1"', "is not a condition", "feature >= 2"),
        ("listed = fraud", "listed = bad", "listed is never bad", "suspected"),
        ("listed = fraud", "amount_fen >= 3", "amount_fen is not known of app", "from_store"),
        ('count = "app"', 'sum = "app.duration_seconds"', "cannot take the sum", "allowed"),
        ('count = "app"', 'count = ["app", "list_change"]', "counts list changes", "listed"),
        (
            'count = "app"',
            'sum = ["call.duration_seconds", "report.amount_fen"]',
            "mixes fields",
            "one field",
        ),
        ('within = "72h"', 'within = "90d"', "is too long", "336 hours"),
        ('within = "72h"', 'within = "three days"', "is not a period", "72h"),
        ('at = "1h", kind = "app", app = "A"', 'at = "20000d", kind = "app"', "is too long", "277777 hours"),
        ("{uses}次", "{number}次", "names a value that is not a feature", "uses"),
        ("title.en", "title.fr", "not in both languages", "title.en"),
        ("points = 35", "points = ", "is not TOML", "correct that line"),
        ("points = 35", 'points = 35\nfloor = "top"', "top is not known", "extra_high"),
        (
            "points = 35",
            "points = 35\nfrom = 2026-05-01\nuntil = 2026-04-01",
            "until is not after from",
            "days",
        ),
    ],
)
def test_a_wrong_rule_names_file_rule_fault_and_fix(old: str, new: str, problem: str, fix: str):
    assert old in GOOD
    with pytest.raises(RuleUnreadable) as caught:
        read_rule(GOOD.replace(old, new), file="app_listed.toml")
    assert str(caught.value).startswith("app_listed.toml: rule ")
    assert problem in str(caught.value.problem)
    assert fix in str(caught.value.fix)
    assert say(Lang.ZH, caught.value.problem) != str(caught.value.problem)


def test_the_lint_finds_what_reads_well_and_is_wrong():
    texts = {
        "renamed": GOOD,
        "app_listed": GOOD.replace("fires = true", "fires = false"),
    }
    found = [str(check_text) for check_text in check_texts(texts)]
    assert any(one.startswith("renamed.toml: app_listed: the file is not named as the rule") for one in found)
    assert any("example opened once fires; correct the condition" in one for one in found)
    assert any("has no example with fires = true" in one for one in found)
    assert any("no rule is of the fraud type loan" in one for one in found)
    unused = read_rule(GOOD + '\n[features.more]\ncount = "web"\nwithin = "1h"\n', file="x.toml")
    assert any("nothing uses the feature more" in str(one) for one in check_rule(unused, file="x.toml"))


def test_the_lint_finds_a_condition_that_always_holds_and_a_rule_that_says_nothing():
    def found(old: str, new: str) -> list[str]:
        rule = read_rule(GOOD.replace(old, new), file="x.toml")
        return [str(one) for one in check_rule(rule, file="x.toml") if "example" not in str(one)]

    assert (
        found("uses >= 1", "uses >= 1")
        == found("uses >= 1", "uses > 0")
        == found("uses >= 1", "uses <= 0")
        == []
    )
    (always,) = found("uses >= 1", "uses >= 0")
    assert always == "x.toml: app_listed: the condition on uses always holds; compare with at least 1"
    (useless,) = found("points = 35", "points = 0")
    assert useless == "x.toml: app_listed: has no points and no floor; write the points, or delete the rule"
    assert found("points = 35", 'points = 0\nfloor = "low"') == []


def test_a_version_is_its_content_and_not_its_layout():
    rule = read_rule(GOOD, file="a.toml")
    assert read_rule("# a remark\n" + GOOD, file="b.toml").content_hash == rule.content_hash
    assert read_rule(GOOD.replace("35", "36"), file="a.toml").content_hash != rule.content_hash
    assert RuleSet.of([rule]).content_hash != shipped_rules().content_hash


def payment(n: int, at: datetime, fen: int, *, account: str = "a") -> Signal:
    return Signal(
        source="bank", signal_no=str(n), kind=SignalKind.PAYMENT_ATTEMPT, event_at=at, received_at=at, person=PERSON,
        items=(Item(ItemKind.ACCOUNT, account.encode() * 12),), direction=Direction.OUT, amount_fen=fen, new_payee=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("after", "fires"),
    [(timedelta(hours=24) - timedelta(microseconds=1), True), (timedelta(hours=24), False)],
)
def test_a_window_ends_exactly(after: timedelta, fires: bool):
    evaluator = Evaluator(RuleSet.of([shipped_rules()["many_new_payees"]]))
    for n, (offset, account) in enumerate([(timedelta(0), "a"), (timedelta(hours=1), "b"), (after, "c")]):
        evaluator.apply(payment(n, START + offset, 100, account=account))
    assert bool(evaluator.rules_firing(PERSON, START + after)) is fires


def test_a_rule_is_in_effect_from_its_day_until_its_day():
    rule = replace(shipped_rules()["large_new_payee"], since=START, until=START + timedelta(days=1))
    evaluator = Evaluator(RuleSet.of([rule]))
    evaluator.apply(payment(1, START - timedelta(microseconds=1), 9_000_000))
    moments = (
        START - timedelta(microseconds=1),
        START,
        START + timedelta(hours=23),
        START + timedelta(days=1),
    )
    assert [bool(evaluator.rules_firing(PERSON, moment)) for moment in moments] == [False, True, True, False]


def test_a_payment_to_a_listed_account_is_extra_high_and_says_why():
    evaluator = Evaluator(shipped_rules())
    at = START + timedelta(hours=1)
    evaluator.apply(
        Signal(
            source="list",
            signal_no="9",
            kind=SignalKind.LIST_CHANGE,
            event_at=START,
            received_at=START,
            items=(Item(ItemKind.ACCOUNT, b"a" * 12),),
            list_kind=ListKind.FRAUD,
            list_name="x",
            change=ListChange.ENTERED,
        )
    )
    (verdict,) = evaluator.apply(payment(1, at, 2_050_050))
    assert (verdict.grade, verdict.score, verdict.money_fen, verdict.at) == (
        Grade.EXTRA_HIGH,
        60,
        2_050_050,
        at,
    )
    (hit,) = verdict.hits
    assert (hit.rule, hit.points, hit.values) == (
        "payment_listed_account",
        60,
        {"payments": 1, "amount": 2_050_050},
    )
    assert hit.signals == (("bank", "1"),)
    assert hit.reason["zh"] == "正在向涉诈账户转账，共1笔20,500.50元"
    assert hit.reason["en"] == "1 payment to an account on a fraud list, 20,500.50 yuan in all"
    (kept,) = verdict.kept
    assert (kept.feature, kept.figure, kept.op, kept.bound, kept.enough) == ("payments", 1, ">=", 1, True)
    assert verdict.fraud_type is FraudType.UNKNOWN


def test_a_list_change_finds_those_who_touched_the_item_in_three_days_and_no_others():
    evaluator = Evaluator(shipped_rules())
    now = START + timedelta(days=10)
    for n, (hours, fen) in enumerate([(71, 10_000), (73, 10_000), (2, 90_000), (2, 5_000)]):
        one = payment(n, now - timedelta(hours=hours), fen)
        evaluator.apply(replace(one, person=bytes([n]) * 16))
    assert evaluator.item_status(Item(ItemKind.ACCOUNT, b"a" * 12), now).touched == 3
    listed = Signal(
        source="list", signal_no="9", kind=SignalKind.LIST_CHANGE, event_at=now, received_at=now,
        items=(Item(ItemKind.ACCOUNT, b"a" * 12),), list_kind=ListKind.FRAUD, change=ListChange.ENTERED,
    )  # fmt: skip
    verdicts = [one for one in evaluator.apply(listed) if one.grade is Grade.EXTRA_HIGH]
    assert [verdict.person[0] for verdict in verdicts] == [2, 3, 0]


def test_grades_follow_the_expected_loss():
    bands = Bands(
        least_probability=0.1, typical_loss_fen=100, medium_fen=50, high_fen=200, extra_high_fen=1000
    )
    assert [bands.grade(p, m) for p, m in [(0.05, 10**9), (0.1, 0), (0.5, 0), (0.5, 400), (0.5, 2000)]] == [
        None, Grade.LOW, Grade.MEDIUM, Grade.HIGH, Grade.EXTRA_HIGH,
    ]  # fmt: skip


def test_figures_in_a_reason():
    assert fill_reason("{a} {a:yuan} {b:minutes} {b:hours}", {"a": 150, "b": 7300}) == "150 1.50 121 2"


@pytest.mark.parametrize(
    ("calls", "said"),
    [
        (1, "1 call of 1 minute"),
        (2, "2 calls of 1 minute"),
        (0, "0 calls of 1 minute"),
        (21, "21 calls of 1 minute"),
    ],
)
def test_a_figure_has_the_word_that_goes_with_it(calls: int, said: str):
    assert fill_reason("{calls|call|calls} of {s:minutes|minute|minutes}", {"calls": calls, "s": 60}) == said


def test_no_shipped_reason_counts_one_of_many():
    """With one of everything no figure is followed by a plural."""
    for rule in shipped_rules().rules:
        ones = {
            name: 60 if feature.field == "duration_seconds" else 1 for name, feature in rule.features.items()
        }
        told = fill_reason(rule.reason["en"], ones)
        assert not re.search(r"\b1 (?:(?:new|large|verification|refused) )?(?!yuan)[a-z-]+s\b", told), told


def test_what_has_no_points_is_below_the_line_where_it_can_be_drawn():
    card = Scorecard(points={"early_new_device": 0})
    evaluator = Evaluator(shipped_rules(), card)
    login = Signal(
        source="s", signal_no="1", kind=SignalKind.LOGIN, event_at=START, received_at=START, person=PERSON,
        new_device=True,
    )  # fmt: skip
    (verdict,) = evaluator.apply(login)
    assert (verdict.grade, verdict.score) == (None, 0)
    assert [hit.rule for hit in verdict.hits] == ["early_new_device"]


def test_a_feature_that_counted_nothing_is_zero_in_what_a_verdict_says():
    more = '\n[features.visits]\ncount = "web"\nwithin = "1h"\n'
    rule = read_rule(GOOD.replace('"uses >= 1"', '"uses >= 1", "visits <= 3"') + more, file="app_listed.toml")
    evaluator = Evaluator(RuleSet.of([rule]))
    app = (Item(ItemKind.APP, b"a" * 12),)
    listed = Signal(
        source="list", signal_no="1", kind=SignalKind.LIST_CHANGE, event_at=START, received_at=START, items=app,
        list_kind=ListKind.FRAUD, change=ListChange.ENTERED,
    )  # fmt: skip
    evaluator.apply(listed)
    (verdict,) = evaluator.apply(replace(listed, signal_no="2", kind=SignalKind.APP, person=PERSON))
    (hit,) = verdict.hits
    assert hit.values == {"uses": 1, "visits": 0}
    assert [(kept.feature, kept.figure, kept.bound) for kept in verdict.kept] == [
        ("uses", 1, 1),
        ("visits", 0, 3),
    ]
