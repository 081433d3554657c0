"""The desk: who has a question, the customer's clocks, and that silence never refuses."""

from __future__ import annotations

import pytest

from dialer.cards.counter.actions import finish_opening
from dialer.cards.counter.desk import (
    DeskQuestion,
    WaitStage,
    answer_question,
    arrive_onsite,
    ask_desk,
    claim_question,
    desk_mark,
    end_onsite,
    lapse_questions,
    open_questions,
    order_onsite,
    question_for,
    question_of_outlet,
)
from dialer.core.access import unrestricted
from dialer.core.cards import DeskAnswer, OnsiteFinding, OpeningResult, QuestionState
from dialer.core.errors import Conflict, Invalid, Overtaken
from dialer.db import tables as t
from dialer.runtime.services import Application
from dialer.tasks.application import _made, use_application
from dialer.tasks.dial_work import sweep_task
from tests.cards.street import Street
from tests.console.desk import ConsoleDesk

CALLER, OFFICER = unrestricted("caller"), unrestricted("officer")


def ask(street: Street, n: int = 1) -> int:
    checked = street.check(street.record(n))
    return ask_desk(
        street.services,
        unrestricted("teller"),
        checked.opening_id,
        note="客户说不清用途，留号13900010001",
        outlet_id=street.bank.id,
    )


def of_outlet(street: Street, opening_id: int) -> tuple[DeskQuestion, int]:
    found = question_of_outlet(street.services, opening_id, outlet_id=street.bank.id)
    assert found is not None
    return found


def test_a_question_is_claimed_by_one_and_answered_with_reason_and_basis(
    street: Street, console: ConsoleDesk
):
    services = street.services
    before = desk_mark(services, visible_to=None)
    first, second = ask(street, 1), ask(street, 2)
    assert desk_mark(services, visible_to=None) != before
    assert [open_question.id for open_question in open_questions(services, visible_to=None)] == [
        first,
        second,
    ]
    shown = open_questions(services, visible_to=None)[1]
    assert (shown.note, shown.person["name"]) == ("客户说不清用途，留号****", "客*")
    assert of_outlet(street, shown.opening_id)[1] == 1
    claim_question(services, CALLER, first)
    with pytest.raises(Overtaken):
        claim_question(services, unrestricted("other"), first)
    assert question_for(services, unrestricted("other"), first).person["name"] == "客*"
    opened = question_for(services, CALLER, first)
    assert (opened.note, opened.person["name"]) == ("客户说不清用途，留号13900010001", "客户1")
    assert len(console.audited("reveal")) == 1
    given = {"answer": DeskAnswer.ASK_PAPERS}
    with pytest.raises(Invalid):
        answer_question(services, CALLER, first, reason="请出示劳动合同", basis=" ", **given)
    with pytest.raises(Conflict):
        answer_question(services, CALLER, second, reason="x", basis="第十六条", **given)
    answer_question(services, CALLER, first, reason="请出示劳动合同", basis="反诈法第十六条", **given)
    told, _ = of_outlet(street, shown.opening_id - 1)
    assert (told.state, told.answer, told.reason) == (
        QuestionState.ANSWERED,
        DeskAnswer.ASK_PAPERS,
        "请出示劳动合同",
    )
    assert console.rows(t.opening)[0]["result"] == "in_progress"


def test_the_clocks_are_the_customers_and_silence_is_no_refusal(street: Street, console: ConsoleDesk):
    services = street.services
    question = ask(street)
    claim_question(services, CALLER, question)
    seen = []
    for seconds in (59, 1, 119, 1):
        console.pass_seconds(seconds)
        seen.append(open_questions(services, visible_to=None)[0].stage)
    assert seen == [WaitStage.NEW, WaitStage.LATE, WaitStage.LATE, WaitStage.SECOND]
    claim_question(services, unrestricted("second officer"), question)
    console.pass_seconds(119)
    assert lapse_questions(services) == 0
    console.pass_seconds(1)
    assert lapse_questions(services) == 1
    [row] = console.rows(t.opening)
    assert row["result"] == "in_progress"
    assert of_outlet(street, row["id"])[0].state is QuestionState.LAPSED
    assert [alarm["code"] for alarm in console.rows(t.alarm)] == ["card_question_lapsed"]
    with pytest.raises(Conflict):
        claim_question(services, unrestricted("third"), question)


def test_a_team_goes_arrives_and_says_what_it_found(street: Street, console: ConsoleDesk):
    services = street.services
    question = ask(street)
    order_onsite(services, OFFICER, question, team="新华所二组")
    with pytest.raises(Conflict):
        order_onsite(services, OFFICER, question, team="另一组")
    end = {"finding": OnsiteFinding.SUSPECTS, "persons": 3, "note": "同行三人"}
    with pytest.raises(Conflict):
        end_onsite(services, OFFICER, question, **end)
    arrive_onsite(services, OFFICER, question)
    end_onsite(services, OFFICER, question, **end)
    [row] = console.rows(t.onsite_check)
    assert (row["team"], row["persons"], row["finding"]) == ("新华所二组", 3, "suspects")
    assert "同行" not in str(row)


def test_a_question_belongs_to_the_unit_of_its_outlet(street: Street):
    ask(street)
    assert open_questions(street.services, visible_to=12345) == []


def test_a_tick_ends_what_nobody_answered(street: Street, console: ConsoleDesk, console_app: Application):
    ask(street)
    console.pass_seconds(300)
    use_application(console_app)
    try:
        sweep_task()
    finally:
        _made.clear()
    assert [row["state"] for row in console.rows(t.card_question)] == [QuestionState.LAPSED.value]


@pytest.mark.parametrize("result", [OpeningResult.OPENED, OpeningResult.REFUSED, OpeningResult.ABANDONED])
def test_nobody_waits_for_an_answer_about_an_opening_that_is_decided(
    street: Street, console: ConsoleDesk, result: OpeningResult
):
    services, waiting, claimed = street.services, ask(street, 1), ask(street, 2)
    claim_question(services, CALLER, claimed)
    for row in console.rows(t.opening):
        finish_opening(
            services, unrestricted("teller"), row["id"], result=result, why="x", outlet_id=street.bank.id
        )
    assert {row["state"] for row in console.rows(t.card_question)} == {QuestionState.OVERTAKEN.value}
    assert open_questions(services, visible_to=None) == []
    console.pass_seconds(301)
    assert lapse_questions(services) == 0
    assert console.rows(t.alarm) == []
    with pytest.raises(Conflict):
        claim_question(services, CALLER, waiting)
    given = {"answer": DeskAnswer.MAY_OPEN, "reason": "x", "basis": "x"}
    with pytest.raises(Conflict) as refused:
        answer_question(services, CALLER, claimed, **given)
    assert "the outlet has decided meanwhile" in str(refused.value)


def test_the_institutions_own_system_ends_the_question_too(street: Street, console: ConsoleDesk):
    record = street.record(3)
    checked = street.check(record)
    asked = ask_desk(
        street.services, unrestricted("teller"), checked.opening_id, note="", outlet_id=street.bank.id
    )
    other = ask(street, 4)
    street.enter(record)
    states = {row["id"]: row["state"] for row in console.rows(t.card_question)}
    assert states == {asked: QuestionState.OVERTAKEN.value, other: QuestionState.WAITING.value}


def test_a_late_answer_counts_until_the_outlet_has_decided(street: Street, console: ConsoleDesk):
    services, question = street.services, ask(street)
    given = {"answer": DeskAnswer.MAY_OPEN, "reason": "x", "basis": "x"}
    claim_question(services, CALLER, question)
    console.pass_seconds(300)
    assert lapse_questions(services) == 1
    answer_question(services, CALLER, question, **given)
    [row] = console.rows(t.card_question)
    assert (row["state"], row["answered_by"]) == (QuestionState.ANSWERED.value, "caller")
    with pytest.raises(Conflict) as refused:
        answer_question(services, CALLER, question, **given)
    assert "answered already" in str(refused.value)
