"""The checks: what they may say, and what they say of what facts."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, date, datetime, timedelta

import pytest

from dialer.cards.openings.checks import (
    ASK_FIRST,
    CheckFinding,
    CheckResult,
    Facts,
    Restriction,
    read_checks,
    shipped_checks,
)
from dialer.core.cards import CheckVerdict
from dialer.core.text import Lang

NOW = datetime(2026, 11, 27, 2, tzinfo=UTC)
_ONE = """
notes_ask = 3
[basis]
opening = {{ zh = "法", en = "Law" }}
[[check]]
id = "one"
when = [{{ fact = "{fact}", at_least = 1 }}]
verdict = "{verdict}"
days = 90
basis = "opening"
en = "e"
zh = "z"
"""


def test_no_check_ever_refuses_or_restricts_by_itself():
    worst = Facts(**{field.name: 99 for field in fields(Facts)})
    answer = shipped_checks().answer(worst, now=NOW)
    assert {finding.verdict for finding in answer.findings} <= {
        CheckVerdict.NOTE,
        CheckVerdict.ASK_DESK,
        CheckVerdict.POSSIBLE_VICTIM,
    }
    # What two checks say in the same words is said once, by the graver one.
    said = {check.id for check in shipped_checks().checks} - {"cards_24h_some"}
    assert {finding.check for finding in answer.findings} == said
    for verdict in ("restricted", "clear"):
        with pytest.raises(ValueError, match="no check says"):
            read_checks(_ONE.format(fact="involved", verdict=verdict))
    with pytest.raises(ValueError, match="unknown fact"):
        read_checks(_ONE.format(fact="stars", verdict="note"))


def test_a_check_may_ask_for_every_fact_at_once():
    names = [field.name for field in fields(Facts)]
    terms = ", ".join(f'{{ fact = "{name}", at_least = 1 }}' for name in names)
    one = _ONE.format(fact="involved", verdict="note")
    whole = one.replace('{ fact = "involved", at_least = 1 }', terms)
    [check] = read_checks(whole).checks
    assert [name for name, _ in check.when] == names


def test_every_finding_has_its_sentence_basis_and_expiry_in_both_languages():
    checks = shipped_checks()
    answer = checks.answer(Facts(**{field.name: 99 for field in fields(Facts)}), now=NOW)
    for finding in answer.findings:
        assert [checks.basis_in(finding.basis, lang) for lang in Lang] == finding.basis.split(" · ")
        assert checks.basis_in("第九条", Lang.EN) == "第九条"
        assert finding.expires_at > NOW
        said = [checks.sentence(finding, lang) for lang in Lang]
        assert all("%(" not in one for one in said)
        assert said[0] != said[1]
        assert CheckFinding.of(finding.plain()) == finding


def test_counts_lead_to_the_desk_and_three_notes_do_too():
    checks = shipped_checks()
    assert checks.answer(Facts(), now=NOW).verdict is CheckVerdict.CLEAR
    assert checks.answer(Facts(cards_24h=4), now=NOW).verdict is CheckVerdict.ASK_DESK
    two = Facts(phone_persons=6, institutions_7d=3)
    assert checks.answer(two, now=NOW).verdict is CheckVerdict.NOTE
    three = Facts(phone_persons=6, institutions_7d=3, phone_of_another=1)
    assert checks.answer(three, now=NOW).verdict is CheckVerdict.ASK_DESK


def test_a_possible_victim_comes_before_the_desk_and_a_restriction_before_both():
    checks, victim = shipped_checks(), Facts(cards_24h=4, guided=1)
    assert checks.answer(victim, now=NOW).verdict is CheckVerdict.POSSIBLE_VICTIM
    until = date(2028, 1, 1)
    restriction = Restriction(
        document_no="巴公反字1号", authority="市公安局", from_on=date(2026, 1, 1), until_on=until
    )
    answer = checks.answer(victim, now=NOW, restriction=restriction)
    assert answer.verdict is CheckVerdict.RESTRICTED
    first = answer.findings[0]
    assert "巴公反字1号" in checks.sentence(first, Lang.ZH)
    assert first.expires_at.date() == until
    assert NOW + timedelta(days=90) in {finding.expires_at for finding in answer.findings}


def told(facts: Facts, *, is_open: bool = False, restriction: Restriction | None = None) -> CheckResult:
    checks = shipped_checks()
    found = checks.answer(facts, now=NOW, restriction=restriction)
    return checks.told(found, at=NOW, is_open=is_open)


RESTRICTION = Restriction(
    document_no="巴公反字1号", authority="市公安局", from_on=date(2026, 1, 1), until_on=date(2028, 1, 1)
)


@pytest.mark.parametrize("restriction", [None, RESTRICTION])
def test_an_outlet_is_told_the_same_of_who_is_at_risk_as_of_a_frequent_opener(
    restriction: Restriction | None,
):
    reasons = [
        Facts(open_case=1),
        Facts(guided=1),
        Facts(age=70, top_limit=1, accompanied=1),
        Facts(cards_24h=4),
        Facts(ring_points=9, phone_persons=6),
        Facts(open_case=1, phone_persons=6, cards_24h=9),
        Facts(phone_persons=6, institutions_7d=3, phone_of_another=1),
    ]
    one, *others = [told(facts, restriction=restriction) for facts in reasons]
    if restriction is not None:
        # Three notes ask the desk; beside a determination they are notes, which say nothing of a person at risk.
        assert others.pop().verdict is CheckVerdict.RESTRICTED
    assert all(other == one for other in others)
    assert [finding.check for finding in one.findings][-1] == ASK_FIRST
    assert ("restricted" in [finding.check for finding in one.findings]) == (restriction is not None)
    said = str([sentence for lang in Lang for sentence, _ in shipped_checks().sentences(one.findings, lang)])
    assert "victim" not in said
    assert "被骗" not in said


def test_an_outlet_is_told_what_was_found_once_the_card_is_open_and_of_notes_at_once():
    opened = told(Facts(open_case=1, cards_24h=4), is_open=True)
    assert opened.verdict is CheckVerdict.ASK_DESK, "the outlet reads nowhere that somebody may be a victim"
    assert {finding.check for finding in opened.findings} == {"warned_now", "cards_24h"}
    noted = told(Facts(phone_persons=6))
    assert (noted.verdict, [one.check for one in noted.findings]) == (CheckVerdict.NOTE, ["phone_shared"])
    assert told(Facts()).findings == ()


def test_the_version_is_the_content():
    shipped = shipped_checks()
    other = read_checks(_ONE.format(fact="involved", verdict="note"))
    same = read_checks("# a remark\n" + _ONE.format(fact="involved", verdict="note"))
    assert other.version == same.version != shipped.version
    assert len(shipped.version) == 16
