"""The third party in a call from a desk, on the page of the desk: whom the caller may bring in, and what is told."""

from __future__ import annotations

import re
import uuid
from dataclasses import replace

import pytest

from dialer.core.access import Role
from dialer.core.third_party import PartyKind, ThirdParty
from dialer.db import tables as t
from dialer.db.units import add_unit
from dialer.work.third_parties import parties_of_task
from tests.console.desk import ConsoleDesk, Person, text
from tests.console.test_desk import put, taken
from tests.console.test_duty import load
from tests.console.test_listening import TALKS
from tests.console.town import ConsoleScenario
from tests.outcomes.town import MORNING

BANK = ThirdParty(key="list:工行", kind=PartyKind.BANK, name="工行", number="+861066107114")


@pytest.fixture
def scenario(console: ConsoleDesk) -> ConsoleScenario:
    return ConsoleScenario(console)


@pytest.fixture
def caller(console: ConsoleDesk) -> Person:
    return console.person(Role.CALLER)


async def talks(console: ConsoleDesk, scenario: ConsoleScenario, caller: Person) -> tuple[int, int]:
    """The caller is in a call; task and token."""
    put(scenario)
    await caller.post("/presence", state="free")
    await caller.post("/desk/extension", extension="8001")
    task_id, token = await taken(caller)
    await caller.post(f"/desk/tasks/{task_id}/call", token=token, number=0)
    with console.app.services.store.begin() as tx:
        tx.execute(t.desk_call.update().values(**TALKS))
    return task_id, token


def brought(console: ConsoleDesk, *, state: str, name: str = "工行") -> None:
    """The third party in the only call is in this state."""
    [call] = console.rows(t.desk_call)
    with console.app.services.store.begin() as tx:
        tx.execute(
            t.third_party.insert().values(
                id=uuid.uuid4(),
                call_id=call["id"],
                case_id=call["case_id"],
                by=call["by"],
                party="list:工行",
                kind="bank",
                name=name,
                state=state,
                asked_at=MORNING,
                state_since=MORNING,
            )
        )


async def test_without_a_list_and_a_rota_the_dialog_says_so(
    console: ConsoleDesk, scenario: ConsoleScenario, caller: Person
) -> None:
    task_id, token = await talks(console, scenario, caller)
    assert "data-party>" in (await caller.get("/desk")).text
    shown = await caller.part(f"/desk/tasks/{task_id}/third-party")
    assert "Nobody is listed whom you could bring in" in text(shown)
    refused = await caller.post(f"/desk/tasks/{task_id}/third-party", token=token, party="list:工行")
    assert refused.status_code in {409, 422}
    for act in ("hand-over", "stop"):
        answer = await caller.post(f"/desk/tasks/{task_id}/third-party/{act}", token=token)
        assert "no third party is in this call" in text(answer)


@pytest.mark.parametrize(
    ("state", "told", "buttons"),
    [
        ("moving", "The call is being prepared; then 工行 is called", ["stop"]),
        ("calling", "工行 is being called", ["stop"]),
        ("connected", "工行 is in this call", ["hand-over", "stop"]),
        ("taking_over", "工行 takes the call over: stay on the line until you are hung up", ["stop"]),
        ("has_call", "工行 has the call and talks with the person", []),
        ("leaving", "工行 is being hung up", []),
    ],
)
async def test_the_caller_reads_what_the_third_party_does(
    console: ConsoleDesk,
    scenario: ConsoleScenario,
    caller: Person,
    state: str,
    told: str,
    buttons: list[str],
) -> None:
    await talks(console, scenario, caller)
    brought(console, state=state)
    page = await caller.get("/desk")
    assert told in text(page)
    assert re.findall(r"<button [^>]*data-party-([a-z-]+)>", page.text) == buttons
    assert "data-party>" not in page.text


async def test_a_call_that_was_handed_over_is_the_callers_no_more(
    console: ConsoleDesk, scenario: ConsoleScenario, caller: Person
) -> None:
    await talks(console, scenario, caller)
    brought(console, state="has_call", name="")
    with console.app.services.store.begin() as tx:
        tx.execute(t.desk_call.update().values(state="handed_over", needs_room=False))
    page = await caller.get("/desk")
    assert "the duty line has the call and talks with the person" in text(page)
    assert "data-live" not in page.text
    assert "data-hold" not in page.text
    [call] = console.rows(t.desk_call)
    case = await caller.get(f"/cases/{call['case_id']}")
    assert "handed over: the person talks with a third party" in text(case)


async def test_the_list_has_the_duty_line_who_is_on_duty_and_the_entries_that_may_be_called(
    console: ConsoleDesk, scenario: ConsoleScenario, caller: Person
) -> None:
    listed = (BANK, replace(BANK, key="list:far", name="far", number="+15551234567"))
    services = console.app.services
    services = replace(services, work=replace(services.work, third_parties=listed))
    with services.store.begin() as tx:
        unit_id = add_unit(tx, name="城关派出所", parent_id=None)
    people = {
        login: console.account(Role.OFFICER, login=login, unit_id=unit_id).id
        for login in ("ann", "ben", "cai")
    }
    chief = console.signed_in(console.account(Role.SUPERVISOR, login="wang"))
    await load(chief, {"ann": {25: "白"}, "ben": {25: "白"}, "cai": {25: "夜"}})
    task_id, _ = await talks(console, scenario, caller)
    with services.store.begin() as tx:
        tx.execute(t.assignment.update().values(unit_id=unit_id))
        for login, extension in (("ann", "8009"), ("cai", "8010")):
            tx.execute(t.staff.update().where(t.staff.c.id == people[login]).values(extension=extension))
    found = parties_of_task(services, task_id, duty_line="8888")
    assert [one.key for one in found] == ["duty_line", f"duty:{people['ann']}", "list:工行"]
    assert [one.number for one in found] == ["8888", "8009", "+861066107114"]
    assert [one.key for one in parties_of_task(services, task_id, duty_line="")] == [
        f"duty:{people['ann']}",
        "list:工行",
    ]
