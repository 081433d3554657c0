"""No check refuses by itself: neither the rules, whatever the facts, nor a check, a screening, a lapsed question."""

from __future__ import annotations

import random
from dataclasses import fields
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from dialer.cards.counter.desk import ask_desk, lapse_questions
from dialer.cards.counter.screening import screen_all
from dialer.cards.determinations.actions import DeterminationForm, decide_determination, enter_determination
from dialer.cards.openings.checks import Facts, Restriction, read_checks, shipped_checks
from dialer.core.access import unrestricted
from dialer.core.cards import CheckVerdict
from dialer.db import tables as t
from tests.cards.street import Street, id_number
from tests.console.desk import ConsoleDesk

NOW = datetime(2026, 11, 27, tzinfo=UTC)


def facts_of(seed: int) -> Facts:
    """Any values; small ones, which are near the limits, as often as others."""
    chance = random.Random(seed)
    return Facts(**{field.name: chance.choice((0, 1, 2, 4, 6, 70, 500)) for field in fields(Facts)})


def test_the_highest_that_checks_say_of_any_facts_is_a_question_or_protection():
    seen = set()
    for seed in range(500):
        answer = shipped_checks().answer(facts_of(seed), now=NOW)
        seen |= {answer.verdict, *(finding.verdict for finding in answer.findings)}
        assert all(finding.basis and finding.expires_at > NOW for finding in answer.findings)
    assert seen == {CheckVerdict.NOTE, CheckVerdict.ASK_DESK, CheckVerdict.POSSIBLE_VICTIM}
    assert "refused" not in set(CheckVerdict)


def test_only_a_determination_restricts_and_names_its_document():
    restriction = Restriction(
        document_no="1号", authority="公安局", from_on=date(2026, 1, 1), until_on=date(2028, 1, 1)
    )
    for seed in range(100):
        answer = shipped_checks().answer(facts_of(seed), now=NOW, restriction=restriction)
        assert answer.verdict is CheckVerdict.RESTRICTED
        assert answer.findings[0].values["document_no"] == "1号"


@pytest.mark.parametrize("verdict", ["restricted", "clear", "refused"])
def test_a_rule_that_would_say_more_is_not_read(verdict: str):
    text = f"""
notes_ask = 3
[basis]
opening = "x"
[[check]]
id = "a"
when = [{{ fact = "cards_24h", at_least = 1 }}]
verdict = "{verdict}"
days = 1
basis = "opening"
en = "x"
zh = "x"
"""
    with pytest.raises(ValueError, match="a"):
        read_checks(text)


def test_what_the_checks_ask_about_stays_in_progress_until_a_person_decides(
    street: Street, console: ConsoleDesk
):
    """A ring, many cards, a determination, a question that lapses, and a screening: nothing is refused."""
    services = street.services
    determination = enter_determination(
        services,
        unrestricted("officer"),
        DeterminationForm(
            name="客户1",
            id_number=id_number(1),
            document_no="1号",
            authority="公安局",
            from_on=date(2026, 1, 1),
            years=2,
        ),
    )
    decide_determination(services, unrestricted("supervisor"), determination, approve=True)
    away = {"home": "410101", "purpose": "买牛羊周转资金", "limit_fen": 50_000_000}
    checked = [street.check(street.record(n, **away)) for n in (11, 12, 13, 11, 11, 11)]
    checked.append(street.check(street.record(1)))
    assert {one.answer.verdict for one in checked[2:]} == {CheckVerdict.ASK_DESK, CheckVerdict.RESTRICTED}
    ask_desk(services, unrestricted("teller"), checked[2].opening_id, note="", outlet_id=street.bank.id)
    console.pass_seconds(600)
    lapse_questions(services)
    street.enter(street.record(14, **away))
    for _ in screen_all(services):
        pass
    assert {row["result"] for row in console.rows(t.opening)} == {"in_progress", "opened"}
    assert {row["decided_by"] for row in console.rows(t.opening)} == {None}


def test_the_database_takes_no_refusal_without_a_person_and_a_reason(street: Street):
    checked = street.check(street.record())
    o = t.opening.c
    for values in ({"decided_by": None, "decided_why": "x"}, {"decided_by": "teller", "decided_why": ""}):
        with pytest.raises(IntegrityError), street.services.store.begin() as tx:
            tx.execute(
                sa.update(t.opening).where(o.id == checked.opening_id).values(result="refused", **values)
            )
