"""The call to the family at the desk: its numbers, its guide, its results, and what it never tells or proves."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from dialer.cases.store import words_of_case
from dialer.core.access import Role
from dialer.core.values import FraudType, Grade
from dialer.db import tables as t
from dialer.db.vault import BlindKind
from dialer.work.assignments import get_assignment
from dialer.work.desk_store import longest_staff_call
from tests.console.desk import ConsoleDesk, Person, text
from tests.console.town import ConsoleScenario
from tests.outcomes.town import ID_NUMBER, MORNING, NAME, PHONE

FAMILY_PHONE = "+8613911112222"


@pytest.fixture
def scenario(console: ConsoleDesk) -> ConsoleScenario:
    return ConsoleScenario(console)


@pytest.fixture
def caller(console: ConsoleDesk) -> Person:
    return console.person(Role.CALLER)


def put(scenario: ConsoleScenario, reason: str = "family_call") -> int:
    """An open call of a person with a family contact; the id of the case."""
    owner = scenario.person(
        name=NAME, phones=(PHONE,), id_number=ID_NUMBER, family_contact="女儿 13911112222"
    )
    case_id = scenario.case(
        person_id=owner,
        grade=Grade.EXTRA_HIGH,
        fraud_type=FraudType.LOAN,
        warning=False,
        human_state="open",
        human_reason=reason,
        human_at=MORNING + timedelta(hours=4),
        visit_state="open",
        visit_at=MORNING + timedelta(hours=4),
        robot_state="done",
        family="known",
    )
    scenario.assignment(case_id, reason=reason)
    return case_id


async def taken(caller: Person) -> tuple[int, str, str]:
    """The task of the page, the token of its claim, and the page."""
    await caller.post("/desk/next")
    page = await caller.get("/desk")
    found = re.search(r'data-task="(\d+)" data-token="(\d+)"', page.text)
    assert found is not None
    return int(found[1]), found[2], page.text


async def test_the_task_shows_the_family_s_number_and_what_may_be_said(
    console: ConsoleDesk, scenario: ConsoleScenario, caller: Person
):
    put(scenario)
    _, _, page = await taken(caller)
    words = text(await caller.get("/desk"))
    assert "Call to the family" in words
    assert "139 1111 2222" in words
    assert "138 0013 8000" not in words
    assert "Whose family are you, and how are you related?" in words
    assert f"We cannot reach {NAME} by telephone" in words
    guide = words[words.index("Call guide") : words.index("Outcome")]
    assert "loan" not in guide, "the guide tells nothing of the case"
    assert page.count('name="family" value="yes"') == 1
    assert 'value="dissuaded_by_phone"' not in page
    assert [row["facts"]["assignment_id"] for row in console.audited("reveal")]


async def test_a_call_takes_the_family_s_number_and_keeps_to_the_allowed_ones(
    console: ConsoleDesk, scenario: ConsoleScenario, caller: Person
):
    case_id = put(scenario)
    await caller.post("/desk/extension", extension="8001")
    task_id, token, _ = await taken(caller)
    # No carrier runs here: it does not take the call.
    answer = await caller.post(f"/desk/tasks/{task_id}/call", token=token, number=0, family="yes")
    assert "did not take the call" in text(answer)
    assert (
        await caller.post(f"/desk/tasks/{task_id}/call", token=token, number=1, family="yes")
    ).status_code == 422
    [call] = [dict(row) for row in console.rows(t.desk_call)]
    assert (call["family"], call["number"]) == (True, 0)
    with console.app.services.store.begin() as tx:
        [held] = tx.rows(t.live_number.select())
        assert held["phone_blind"] == tx.vault.blind(FAMILY_PHONE, kind=BlindKind.PHONE)
        assert [row["kind"] for row in tx.rows(t.event.select()) if row["case_id"] == case_id][
            -1
        ] == "family_dialled"


async def test_no_call_to_the_family_from_another_task(scenario: ConsoleScenario, caller: Person):
    put(scenario, reason="retry")
    await caller.post("/desk/extension", extension="8001")
    task_id, token, _ = await taken(caller)
    answer = await caller.post(f"/desk/tasks/{task_id}/call", token=token, number=0, family="yes")
    assert answer.status_code == 409
    assert "no longer a call to the family" in text(answer)


async def test_a_report_leads_to_another_call_to_the_person(
    console: ConsoleDesk, scenario: ConsoleScenario, caller: Person
):
    case_id = put(scenario)
    task_id, token, _ = await taken(caller)
    nothing = await caller.post(f"/desk/tasks/{task_id}/report", token=token, outcome="refuses")
    assert (nothing.status_code, "choose the outcome" in text(nothing)) == (422, True)
    given = {"token": token, "outcome": "with_person", "note": "女儿在旁", "said": "who"}
    assert (await caller.post(f"/desk/tasks/{task_id}/report", **given)).status_code == 303
    before, following = console.rows(t.assignment)
    assert (before["state"], before["outcome"]) == ("done", "cannot_find_yet")
    assert (following["state"], following["reason"]) == ("open", "family_reached")
    [case] = [row for row in console.rows(t.case) if row["id"] == case_id]
    assert (case["family"], case["contact"]) == ("called", "none")
    with console.app.services.store.begin() as tx:
        [written] = words_of_case(tx, case_id)
    assert (written.kind.value, written.words) == ("family_called", "女儿在旁\nTicked: family verified")
    assert "call to the family: reached: is with the person now" in text(
        await caller.get(f"/cases/{case_id}")
    )


async def test_a_family_task_that_became_a_call_to_the_person_is_not_reported_as_one(
    console: ConsoleDesk, scenario: ConsoleScenario, caller: Person
):
    case_id = put(scenario)
    task_id, token, _ = await taken(caller)
    with console.app.services.store.begin() as tx:
        tx.execute(t.assignment.update().values(reason="called_in"))
        tx.execute(t.case.update().where(t.case.c.id == case_id).values(human_reason="called_in"))
    given = {"token": token, "outcome": "passes_on", "note": "女儿"}
    answer = await caller.post(f"/desk/tasks/{task_id}/report", **given)
    assert answer.status_code == 422
    assert "女儿" in answer.text
    assert 'value="dissuaded_by_phone"' in answer.text


def test_a_call_to_the_family_is_not_the_staff_call_behind_a_success(scenario: ConsoleScenario):
    case_id = put(scenario)
    with scenario.store.begin() as tx:
        task_id = tx.scalar(t.assignment.select().with_only_columns(t.assignment.c.id))
    scenario.talked(task_id, by="li", seconds=60)
    with scenario.store.begin() as tx:
        # It became a call to the person, who has called us meanwhile.
        tx.execute(t.assignment.update().values(reason="called_in"))
        task = get_assignment(tx, task_id)
        assert task.case_id == case_id
        assert longest_staff_call(tx, task, by="li") is not None
        tx.execute(t.desk_call.update().values(family=True))
        assert longest_staff_call(tx, task, by="li") is None
