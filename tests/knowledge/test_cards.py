"""Knowledge cards: delivered, drafted, decided by a second person, and counted by what came of the cases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialer.core.access import RELEASED_BY, SHIPPED_BY, Permission, unrestricted
from dialer.core.case import CaseStatus
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.knowledge import CardContent, CardState
from dialer.core.second_person import RequestEvent
from dialer.core.text import Lang
from dialer.core.values import Contact, FraudType, OutcomeKind
from dialer.db import tables as t
from dialer.db.units import add_unit
from dialer.knowledge import actions
from dialer.knowledge.actions import (
    FIGURE_DAYS,
    cards_beside,
    decide_card,
    draft_card,
    note_uses,
    read_card_figures,
    read_card_versions,
    read_live_cards,
    search_cards,
    seed_cards,
    shipped_cards,
    typed_uses,
)
from dialer.knowledge.store import CardVersion, card_drafts
from tests.outcomes.town import MORNING, Scenario

LI, ZHAO = unrestricted("li"), unrestricted("zhao")
LOAN = shipped_cards()["loan"]


@pytest.fixture
def scenario(fresh_database: str) -> Iterator[Scenario]:
    made = Scenario(fresh_database)
    yield made
    made.close()


def seed(scenario: Scenario) -> int:
    with scenario.tx() as tx:
        return seed_cards(tx, now=MORNING)


def card_of(scenario: Scenario, kind: FraudType) -> CardVersion:
    [found] = [one for one in read_live_cards(scenario.services) if one.content.fraud_type is kind]
    return found


def titled(content: CardContent, title: str) -> CardContent:
    return replace(content, chinese=replace(content.chinese, title=title))


@contextmanager
def delivered(monkeypatch: pytest.MonkeyPatch, **cards: CardContent) -> Iterator[None]:
    """A release of the product with these cards instead."""
    with monkeypatch.context() as patched:
        patched.setattr(actions, "shipped_cards", lambda: {**shipped_cards(), **cards})
        yield


def test_there_is_a_card_for_each_fraud_type_and_both_languages_say_as_much():
    assert {card.fraud_type for card in shipped_cards().values()} == set(FraudType)
    for card in shipped_cards().values():
        assert card.english is not None
        for part in ("course", "objections", "variants", "never"):
            in_chinese, in_english = getattr(card.chinese, part), getattr(card.english, part)
            assert len(in_chinese) == len(in_english) >= 2, (card.fraud_type, part)


def test_what_is_asked_of_a_person_is_never_money_a_code_or_a_link():
    """The words of the fraudsters stand only where they are denied, or where the trick is told."""
    for card in shipped_cards().values():
        for objection in card.chinese.objections:
            for word in ("安全账户", "资金清查"):
                before, found, _ = objection.answer.partition(word)
                assert not found or "没有" in before or "从不" in before, objection.answer
            assert "http" not in objection.answer


def test_the_cards_of_the_product_are_approved_from_the_first_start(scenario: Scenario):
    assert seed(scenario) == len(shipped_cards())
    assert seed(scenario) == 0
    live = read_live_cards(scenario.services)
    assert [one.content for one in live] == list(shipped_cards().values())
    assert {(one.number, one.drafted_by, one.decided_by, one.state) for one in live} == {
        (1, SHIPPED_BY, RELEASED_BY, CardState.APPROVED)
    }


def test_beside_a_call_stand_the_cards_of_its_type_and_then_the_general_ones(scenario: Scenario):
    seed(scenario)
    kinds = [one.content.fraud_type for one in cards_beside(scenario.services, FraudType.LOAN)]
    assert kinds == [FraudType.LOAN, FraudType.UNKNOWN]
    assert [one.content.fraud_type for one in cards_beside(scenario.services, FraudType.UNKNOWN)] == [
        FraudType.UNKNOWN
    ]


def test_a_search_finds_the_answer_to_what_the_person_says(scenario: Scenario):
    seed(scenario)
    found = search_cards(scenario.services, "他们说你们是假警察")[0]
    assert found.version.content.fraud_type is FraudType.POLICE_IMPERSONATION
    assert found.version.content.chinese.objections[found.passage.number - 1].says == "他们说你们才是假警察。"
    assert search_cards(scenario.services, "one more task")[0].version.content.fraud_type is (
        FraudType.FAKE_ORDER_REBATE
    )
    assert search_cards(scenario.services, "") == []


def test_a_second_person_approves_and_callers_read_it_from_then_on(scenario: Scenario):
    seed(scenario)
    card_id = card_of(scenario, FraudType.LOAN).card_id
    with pytest.raises(Invalid, match="reason"):
        draft_card(scenario.services, LI, card_id, titled(LOAN, "新题"), reason=" ")
    made = draft_card(scenario.services, LI, card_id, titled(LOAN, "新题"), reason="更短")
    assert (made.number, made.state) == (2, CardState.DRAFT)
    assert card_of(scenario, FraudType.LOAN).content == LOAN
    with pytest.raises(Conflict, match="waits already"):
        draft_card(scenario.services, ZHAO, card_id, titled(LOAN, "另题"), reason="x")
    with pytest.raises(Conflict, match="a second person"):
        decide_card(scenario.services, LI, made.id, RequestEvent.APPROVED)
    with pytest.raises(Conflict, match="only who drafted"):
        decide_card(scenario.services, ZHAO, made.id, RequestEvent.WITHDRAWN)
    with pytest.raises(Invalid, match="why"):
        decide_card(scenario.services, ZHAO, made.id, RequestEvent.REFUSED, why=" ")
    decide_card(scenario.services, ZHAO, made.id, RequestEvent.APPROVED)
    assert card_of(scenario, FraudType.LOAN).content.chinese.title == "新题"
    with pytest.raises(Conflict, match="nothing in this draft"):
        draft_card(scenario.services, LI, card_id, titled(LOAN, "新题"), reason="x")
    assert [one.number for one in read_card_versions(scenario.services, card_id)] == [2, 1]


def test_a_card_is_added_and_retired_by_two_people(scenario: Scenario):
    made = draft_card(scenario.services, LI, None, LOAN, reason="本地手法")
    assert read_live_cards(scenario.services) == []
    decide_card(scenario.services, ZHAO, made.id, RequestEvent.APPROVED)
    assert [one.card_id for one in read_live_cards(scenario.services)] == [made.card_id]
    retired = draft_card(scenario.services, ZHAO, made.card_id, None, reason="过时")
    assert len(read_live_cards(scenario.services)) == 1
    decide_card(scenario.services, LI, retired.id, RequestEvent.APPROVED)
    assert read_live_cards(scenario.services) == []
    back = draft_card(scenario.services, LI, made.card_id, LOAN, reason="又出现")
    decide_card(scenario.services, ZHAO, back.id, RequestEvent.APPROVED)
    assert [one.number for one in read_live_cards(scenario.services)] == [3]


def test_what_is_not_there_is_not_found(scenario: Scenario):
    with pytest.raises(NotFound):
        draft_card(scenario.services, LI, 987_654, LOAN, reason="x")
    with pytest.raises(NotFound):
        decide_card(scenario.services, LI, 987_654, RequestEvent.APPROVED)
    with pytest.raises(NotFound):
        read_card_versions(scenario.services, 987_654)


def test_an_upgrade_replaces_what_the_centre_has_not_changed_and_asks_about_the_rest(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
):
    seed(scenario)
    own = draft_card(
        scenario.services, LI, card_of(scenario, FraudType.LOAN).card_id, titled(LOAN, "我们的"), reason="x"
    )
    decide_card(scenario.services, ZHAO, own.id, RequestEvent.APPROVED)
    newer = {name: titled(shipped_cards()[name], "新版") for name in ("loan", "credit")}
    with delivered(monkeypatch, **newer):
        assert seed(scenario) == 2
        assert seed(scenario) == 0
        assert card_of(scenario, FraudType.CREDIT).content.chinese.title == "新版"
        assert card_of(scenario, FraudType.LOAN).content.chinese.title == "我们的"
        with scenario.tx() as tx:
            [draft] = card_drafts(tx)
        assert (draft.title, draft.number, draft.drafted_by) == ("新版", 3, SHIPPED_BY)
    # A draft that nobody has decided yet is not followed by another one.
    with delivered(monkeypatch, loan=titled(LOAN, "再新版")):
        assert seed(scenario) == 0
        [waiting, *_] = read_card_versions(scenario.services, own.card_id)
        decide_card(scenario.services, LI, waiting.id, RequestEvent.REFUSED, why="保留我们的")
        assert seed(scenario) == 1


def test_the_database_keeps_versions_as_they_are(scenario: Scenario):
    seed(scenario)
    draft = draft_card(scenario.services, LI, None, LOAN, reason="x")
    for statement in (
        "UPDATE knowledge_version SET content = '{}' WHERE state = 'draft'",
        "UPDATE knowledge_version SET state = 'refused', why = 'x' WHERE state = 'approved'",
        "DELETE FROM knowledge_version",
    ):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), scenario.tx() as tx:
            tx.execute(sa.text(statement))
    with pytest.raises(sa.exc.IntegrityError, match="second_person"), scenario.tx() as tx:
        tx.execute(
            sa.update(t.knowledge_version)
            .where(t.knowledge_version.c.id == draft.id)
            .values(state="approved", decided_by="li", decided_at=MORNING)
        )


_ACTS = st.lists(
    st.sampled_from(["draft", "retire", "approve", "refuse", "withdraw"]).flatmap(
        lambda act: st.tuples(st.just(act), st.sampled_from(["li", "zhao"]))
    ),
    max_size=12,
)


@given(acts=_ACTS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_in_any_order_of_acts_callers_read_what_two_people_agreed_on(
    scenario: Scenario, acts: list[tuple[str, str]]
):
    services = scenario.services
    first = draft_card(services, LI, None, titled(LOAN, "0"), reason="x")
    decide_card(services, ZHAO, first.id, RequestEvent.APPROVED)
    live: str | None = "0"
    draft: tuple[CardVersion, str, str | None] | None = None
    for number, (act, who) in enumerate(acts, 1):
        actor = unrestricted(who)
        content = None if act == "retire" else titled(LOAN, str(number))
        try:
            if act in {"draft", "retire"}:
                made = draft_card(services, actor, first.card_id, content, reason="x")
                assert draft is None
                draft = (made, who, None if content is None else str(number))
            else:
                waiting = first if draft is None else draft[0]
                events = {
                    "approve": RequestEvent.APPROVED,
                    "refuse": RequestEvent.REFUSED,
                    "withdraw": RequestEvent.WITHDRAWN,
                }
                decide_card(services, actor, waiting.id, events[act], why="x")
                assert draft is not None
                assert (draft[1] == who) is (act == "withdraw")
                live, draft = (draft[2] if act == "approve" else live), None
        except Conflict:
            possible = draft is not None and act in {"approve", "refuse", "withdraw"}
            assert not possible or draft is None or (draft[1] == who) is not (act == "withdraw")
        shown = [one for one in read_live_cards(services) if one.card_id == first.card_id]
        assert [one.content.chinese.title for one in shown] == ([] if live is None else [live])


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        (["7-0", "7-2", "7-2"], {(7, 0), (7, 2)}),
        (["", "-", "7", "7-", "-1", "x-1", "7-x", "7--1", "1" * 10 + "-1", "1-" + "1" * 10], set()),
    ],
)
def test_boxes_of_a_report_name_passages(typed: list[str], found: set[tuple[int, int]]):
    assert typed_uses(typed) == found


def use(scenario: Scenario, version: CardVersion, *passages: int, case_id: int, days_ago: int = 0) -> None:
    done_at = MORNING - timedelta(days=days_ago)
    task = scenario.assignment(case_id, state="done", outcome="refuses", done_at=done_at, done_by="li")
    used = {(version.id, passage) for passage in passages}
    scenario.clock.set(done_at)
    with scenario.services.act(LI, Permission.WORK_DESK) as act:
        note_uses(act, used, case_id=case_id, assignment_id=task)
        act.needs_no_record()
    scenario.clock.set(MORNING)


def success(scenario: Scenario, **columns: object) -> int:
    return scenario.case(
        status=CaseStatus.WATCHING,
        contact=Contact.VERIFIED,
        outcome=OutcomeKind.DISSUADED_BY_PHONE.value,
        **columns,
    )


def test_figures_say_how_often_a_card_was_used_and_what_came_of_the_cases(scenario: Scenario):
    seed(scenario)
    loan, general = card_of(scenario, FraudType.LOAN), card_of(scenario, FraudType.UNKNOWN)
    good, bad = success(scenario), scenario.case()
    use(scenario, loan, 1, 2, case_id=good)
    use(scenario, loan, 1, case_id=bad)
    use(scenario, loan, 1, case_id=bad)
    use(scenario, general, 0, case_id=bad)
    use(scenario, general, 9_999, case_id=good)
    use(scenario, loan, 1, case_id=success(scenario), days_ago=FIGURE_DAYS + 1)
    use(scenario, loan, case_id=success(scenario))
    found = read_card_figures(scenario.services, visible_to=None)
    whole = found.by_card[loan.card_id]
    assert (whole.calls, whole.cases_ours, whole.dissuaded, whole.defrauded_after_warning) == (3, 2, 1, 0)
    assert whole.interval is not None
    assert (round(whole.interval.low, 2), round(whole.interval.high, 2)) == (0.09, 0.91)
    says = [one.says for one in loan.content.text(Lang.ZH).objections]
    second = found.by_objection[loan.card_id, says[1]]
    assert (second.calls, second.cases_ours, second.dissuaded) == (1, 1, 1)
    assert (found.by_card[general.card_id].calls, found.by_card[general.card_id].dissuaded) == (1, 0)
    # The call without a tick, and not the one that was too long ago.
    without = found.without[FraudType.LOAN]
    assert (without.calls, without.cases_ours, without.dissuaded) == (1, 1, 1)
    assert set(found.without) == {FraudType.LOAN}


def test_a_unit_counts_its_own_cases_and_a_filed_one_counts_against_a_card(scenario: Scenario):
    seed(scenario)
    with scenario.tx() as tx:
        unit, other = (add_unit(tx, name=name, parent_id=None) for name in ("东区", "西区"))
    loan = card_of(scenario, FraudType.LOAN)
    lost = scenario.case(unit_id=unit)
    scenario.put_filed(lost, "A1")
    use(scenario, loan, 1, case_id=lost)
    use(scenario, loan, 1, case_id=success(scenario, unit_id=other))
    mine = read_card_figures(scenario.services, visible_to=unit).by_card[loan.card_id]
    assert (mine.calls, mine.dissuaded, mine.defrauded_after_warning) == (1, 0, 1)
    assert read_card_figures(scenario.services, visible_to=None).by_card[loan.card_id].calls == 2


def test_without_any_call_there_is_no_figure(scenario: Scenario):
    seed(scenario)
    found = read_card_figures(scenario.services, visible_to=None)
    assert (found.by_card, found.by_objection, found.without) == ({}, {}, {})
