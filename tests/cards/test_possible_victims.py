"""A customer of whom only the outlet says that somebody directs them: the desk speaks with them first."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from dialer.cards.counter.actions import enter_openings, finish_opening
from dialer.cards.counter.desk import (
    DeskQuestion,
    answer_question,
    ask_desk,
    claim_question,
    lapse_questions,
    open_questions,
    question_for,
    warn_customer,
)
from dialer.cards.openings.checks import WARNED_NOW, shipped_checks
from dialer.core.access import Role, unrestricted
from dialer.core.cards import OPEN_QUESTIONS, CheckVerdict, DeskAnswer, OpeningResult, QuestionState
from dialer.core.errors import Conflict, Overtaken
from dialer.core.sources import COUNTER_SOURCE
from dialer.db import tables as t
from dialer.intake.opening_lists import OpeningRecord
from tests.cards.street import Street, id_number
from tests.cards.test_pages import FORM, teller
from tests.console.desk import ConsoleDesk, text

CALLER, TELLER = unrestricted("caller"), unrestricted("teller")


def open_question(street: Street) -> int:
    [question] = open_questions(street.services, visible_to=None)
    return question.id


def warned(console: ConsoleDesk) -> list[str]:
    return [row["instruction_no"] for row in console.rows(t.warning) if row["source"] == COUNTER_SOURCE]


def let_lapse(street: Street, console: ConsoleDesk) -> int:
    console.pass_seconds(street.services.cards.lapse_seconds)
    return lapse_questions(street.services)


def finish(street: Street, opening_id: int, result: OpeningResult = OpeningResult.ABANDONED) -> None:
    finish_opening(street.services, TELLER, opening_id, result=result, outlet_id=street.bank.id, why="不办了")


def enter_result(street: Street, record: OpeningRecord) -> None:
    done = replace(record, result=OpeningResult.OPENED, opened_at=record.asked_at)
    with street.services.store.begin() as tx:
        enter_openings(street.services, tx, unrestricted("bank"), [(done, street.bank)], source="file")


def test_a_check_has_the_name_that_tells_of_an_open_case():
    [check] = [one for one in shipped_checks().checks if one.id == WARNED_NOW]
    assert check.when == (("open_case", 1),)
    assert check.verdict is CheckVerdict.POSSIBLE_VICTIM


def test_the_desk_is_asked_once_and_nobody_is_called(street: Street, console: ConsoleDesk):
    record = street.record(guided=True)
    checked = street.check(record)
    assert checked.answer.verdict is CheckVerdict.POSSIBLE_VICTIM
    assert checked.case_id is None
    question = open_question(street)
    street.check(record)
    assert open_question(street) == question
    assert warned(console) == []
    assert [row["facts"] for row in console.audited("ask_desk")] == [{"outlet": street.bank.code}]


@pytest.mark.parametrize(
    "fault", [{"accompanied": True, "limit_fen": 50_000_000, "born": "19500101"}, {"guided": True}]
)
def test_when_nobody_answers_in_time_the_customer_is_called(
    street: Street, console: ConsoleDesk, fault: dict
):
    checked = street.check(street.record(**fault))
    street.check(street.record(2, hours_ago=0))
    assert let_lapse(street, console) == 1
    assert warned(console) == [f"K-{checked.opening_id}"]
    assert [case["grade"] for case in console.rows(t.case)] == ["high"]
    assert ("dial",) in street.enqueued
    assert lapse_questions(street.services) == 0
    finish(street, checked.opening_id)
    assert len(warned(console)) == 1


def test_when_the_outlet_decides_first_the_customer_is_called(street: Street, console: ConsoleDesk):
    checked = street.check(street.record(guided=True))
    finish(street, checked.opening_id)
    assert warned(console) == [f"K-{checked.opening_id}"]
    assert ("dial",) in street.enqueued
    by_file = street.record(2, guided=True)
    second = street.check(by_file)
    enter_result(street, by_file)
    assert warned(console) == [f"K-{checked.opening_id}", f"K-{second.opening_id}"]


def test_a_customer_to_whom_the_desk_has_spoken_is_not_called(street: Street, console: ConsoleDesk):
    checked = street.check(street.record(guided=True))
    question = open_question(street)
    claim_question(street.services, CALLER, question)
    answer_question(
        street.services, CALLER, question, answer=DeskAnswer.MAY_OPEN, reason="已与本人通话", basis="第十六条"
    )
    street.check(street.record(guided=True))
    finish(street, checked.opening_id)
    assert warned(console) == []


def test_an_officer_who_has_claimed_the_question_has_the_customer_called(
    street: Street, console: ConsoleDesk
):
    services = street.services
    checked = street.check(street.record(guided=True))
    question = open_question(street)
    assert question_for(services, CALLER, question).waits_for_desk
    with pytest.raises(Conflict):
        warn_customer(services, CALLER, question)
    claim_question(services, CALLER, question)
    case_id = warn_customer(services, CALLER, question)
    assert warned(console) == [f"K-{checked.opening_id}"]
    assert question_for(services, CALLER, question).case_id == case_id
    assert [row["facts"] for row in console.audited("warn_customer")] == [{"case": case_id}]
    with pytest.raises(Conflict):
        warn_customer(services, CALLER, question)
    finish(street, checked.opening_id)
    assert len(warned(console)) == 1


def test_a_customer_without_a_phone_cannot_be_called_and_the_officer_is_told(
    street: Street, console: ConsoleDesk
):
    street.check(street.record(guided=True, phone=""))
    question = open_question(street)
    claim_question(street.services, CALLER, question)
    assert warn_customer(street.services, CALLER, question) is None
    assert let_lapse(street, console) == 1
    assert warned(console) == []


def test_a_customer_with_an_open_case_is_warned_at_once_and_the_desk_is_asked_as_of_others(
    street: Street, console: ConsoleDesk
):
    first = street.check(street.record(guided=True))
    finish(street, first.opening_id)
    again = street.check(street.record(guided=True))
    assert again.case_id is not None
    assert len(warned(console)) == 2
    assert len(console.rows(t.case)) == 1
    assert open_questions(street.services, visible_to=None)[0].opening_id == again.opening_id
    assert not open_questions(street.services, visible_to=None)[0].waits_for_desk


def test_the_desk_sees_the_newest_check_and_the_note_that_comes_later(street: Street, console: ConsoleDesk):
    record = street.record()
    checked = street.check(record)
    ask_desk(street.services, TELLER, checked.opening_id, note="", outlet_id=street.bank.id)
    street.check(replace(record, guided=True))
    [shown] = open_questions(street.services, visible_to=None)
    assert shown.verdict is CheckVerdict.POSSIBLE_VICTIM
    assert shown.waits_for_desk
    for note in ("有人打电话", "另一句"):
        ask_desk(street.services, TELLER, checked.opening_id, note=note, outlet_id=street.bank.id)
    assert open_questions(street.services, visible_to=None)[0].note == "有人打电话"
    assert let_lapse(street, console) == 1
    assert warned(console) == [f"K-{checked.opening_id}"]


def test_what_is_checked_again_after_the_question_lapsed_is_not_asked_again(
    street: Street, console: ConsoleDesk
):
    record = street.record(guided=True)
    street.check(record)
    let_lapse(street, console)
    street.check(record)
    assert [row["state"] for row in console.rows(t.card_question)] == [QuestionState.LAPSED.value]


class Counter(RuleBasedStateMachine):
    """One customer after the other, whatever outlet and desk do, in any order."""

    street: ClassVar[Street]
    console: ClassVar[ConsoleDesk]
    customers: ClassVar[itertools.count[int]] = itertools.count(100)

    @initialize()
    def begin(self) -> None:
        self.record = self.street.record(next(self.customers))
        self.opening_id = self.street.check(self.record).opening_id
        self.is_said = self.is_due = False

    def questions(self) -> list[DeskQuestion]:
        shown = open_questions(self.street.services, visible_to=None)
        return [one for one in shown if one.opening_id == self.opening_id]

    def attempt(self, act: Callable[[], object]) -> bool:
        try:
            act()
        except (Conflict, Overtaken):
            return False
        return True

    @rule(guided=st.booleans())
    def check(self, guided: bool) -> None:
        if self.attempt(lambda: self.street.check(replace(self.record, guided=guided))):
            self.is_said = self.is_said or guided

    @rule()
    def ask(self) -> None:
        outlet_id = self.street.bank.id
        self.attempt(
            lambda: ask_desk(self.street.services, TELLER, self.opening_id, note="", outlet_id=outlet_id)
        )

    @rule()
    def claim(self) -> None:
        for question in self.questions():
            self.attempt(partial(claim_question, self.street.services, CALLER, question.id))

    @rule()
    def answer(self) -> None:
        for question in self.questions():
            given = {"answer": DeskAnswer.MAY_OPEN, "reason": "已通话", "basis": "第十六条"}
            self.attempt(partial(answer_question, self.street.services, CALLER, question.id, **given))

    @rule()
    def have_called(self) -> None:
        for question in self.questions():
            if self.attempt(partial(warn_customer, self.street.services, CALLER, question.id)):
                self.is_due = True

    @rule(result=st.sampled_from([OpeningResult.OPENED, OpeningResult.REFUSED, OpeningResult.ABANDONED]))
    def decide(self, result: OpeningResult) -> None:
        waits = self.is_said and self.waits()
        if self.attempt(lambda: finish(self.street, self.opening_id, result)):
            self.is_due = self.is_due or waits

    @rule()
    def let_time_pass(self) -> None:
        self.is_due = self.is_due or (self.is_said and self.waits())
        let_lapse(self.street, self.console)

    def waits(self) -> bool:
        return any(one.state in OPEN_QUESTIONS for one in self.questions())

    @invariant()
    def the_customer_is_called_exactly_when_the_desk_said_so_or_nothing(self) -> None:
        assert warned(self.console).count(f"K-{self.opening_id}") == self.is_due

    @invariant()
    def a_customer_in_danger_waits_for_an_answer_has_one_or_is_called(self) -> None:
        answered = any(
            row["state"] == QuestionState.ANSWERED.value
            for row in self.console.rows(t.card_question)
            if row["opening_id"] == self.opening_id
        )
        assert not self.is_said or self.waits() or answered or self.is_due


def test_whatever_happens_a_customer_in_danger_is_spoken_to_or_called(street: Street, console: ConsoleDesk):
    run_state_machine_as_test(
        type("CounterOfOne", (Counter,), {"street": street, "console": console}),
        settings=settings(
            max_examples=25,
            stateful_step_count=10,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


async def test_the_teller_reads_that_the_desk_is_asked_and_the_officer_has_the_customer_called(
    console: ConsoleDesk, street: Street
):
    at_counter, desk = teller(console, street), console.person(Role.CALLER)
    done = await at_counter.post("/counter", **FORM, id_number=id_number(7), guided="1")
    path = done.headers["location"]
    page = text(await at_counter.get(path))
    assert "Your question waits. Before it: 0." in page
    assert "Tell the desk" in page
    assert "victim" not in page
    await at_counter.post(f"{path}/ask", note="一直在接电话")
    assert "Tell the desk" not in text(await at_counter.get(path))
    own = f"/cards/desk/questions/{console.rows(t.card_question)[0]['id']}"
    assert "Speak with the customer first." in text(await desk.get(own))
    assert "Have the customer called" not in text(await desk.get(own))
    await desk.post(f"{own}/claim")
    assert "一直在接电话" in text(await desk.get(own))
    answered = await desk.post(f"{own}/warn")
    assert answered.status_code == 303
    shown = text(await desk.get(own))
    assert "The customer is called." in shown
    assert f"The customer is warned: case #{console.rows(t.case)[0]['id']}" in shown
    assert "Have the customer called" not in shown
