"""The page of a desk whose call a supervisor listens to, and what the caller reads of it."""

from __future__ import annotations

import re
import uuid

import pytest

from dialer.core.access import Role
from dialer.db import tables as t
from tests.console.desk import ConsoleDesk, Person, text
from tests.console.test_desk import put, taken
from tests.console.town import ConsoleScenario
from tests.outcomes.town import MORNING


@pytest.fixture
def scenario(console: ConsoleDesk) -> ConsoleScenario:
    return ConsoleScenario(console)


@pytest.fixture
def caller(console: ConsoleDesk) -> Person:
    return console.person(Role.CALLER)


TALKS = {
    "state": "joined",
    "settled": False,
    "in_room": True,
    "needs_room": True,
    "room_sid": "CF1",
    "joined_at": MORNING,
}


async def talks(console: ConsoleDesk, scenario: ConsoleScenario, caller: Person) -> str:
    """The caller is in a call; the address of the desk."""
    put(scenario)
    await caller.post("/presence", state="free")
    await caller.post("/desk/extension", extension="8001")
    task_id, token = await taken(caller)
    await caller.post(f"/desk/tasks/{task_id}/call", token=token, number=0)
    with console.app.services.store.begin() as tx:
        tx.execute(t.desk_call.update().values(**TALKS))
    return f"/desks/{caller.member.id}"


def listens(console: ConsoleDesk, **leg: object) -> None:
    """The supervisor's leg in the only call is this."""
    [call] = console.rows(t.desk_call)
    with console.app.services.store.begin() as tx:
        tx.execute(t.desk_listener.delete())
        tx.execute(
            t.desk_listener.insert().values(
                id=uuid.uuid4(),
                call_id=call["id"],
                by="supervisor",
                extension="8002",
                is_announced=True,
                wants="listen",
                asked_at=MORNING,
                state_since=MORNING,
            ),
            leg,
        )


async def test_a_supervisor_without_a_telephone_or_a_call_does_not_listen(
    console: ConsoleDesk, scenario: ConsoleScenario, caller: Person
) -> None:
    chief = console.person(Role.SUPERVISOR)
    await caller.post("/presence", state="free")
    path = f"/desks/{caller.member.id}"
    assert "No call is under way at this desk." in text(await chief.get(path))
    assert "Choose your own telephone" in text(await chief.post(f"{path}/listen", why="new"))
    await chief.post("/desk/extension", extension="8002")
    assert "no call is under way at this desk" in text(await chief.post(f"{path}/listen", why="new"))
    assert (await chief.post(f"{path}/listen/mode", mode="shout")).status_code == 422
    for act in ("mode", "stop"):
        refused = await chief.post(f"{path}/listen/{act}", mode="whisper")
        assert "you do not listen to this desk any more" in text(refused)
    await talks(console, scenario, caller)
    refused = await chief.post(f"{path}/listen", why=" ")
    assert refused.status_code == 422
    assert 'id="f-why-listen"' in refused.text


@pytest.mark.parametrize(
    ("leg", "own", "seen_by_caller"),
    [
        ({"state": "moving"}, "The call is being prepared; then your telephone rings", ""),
        ({"state": "calling"}, "Your telephone rings: pick up", ""),
        (
            {"state": "connected", "has": "listen"},
            "You hear both; nobody hears you",
            "Supervisor listens to this call",
        ),
        (
            {"state": "connected", "has": "listen", "wants": "whisper", "asked": "whisper"},
            "The network has not confirmed it yet: say nothing",
            "Supervisor listens to this call",
        ),
        (
            {"state": "connected", "has": "whisper", "wants": "whisper"},
            "the caller alone hears you",
            "Supervisor speaks to you; the person does not hear it",
        ),
        (
            {"state": "connected", "has": "step_in", "wants": "step_in"},
            "both hear you",
            "Supervisor speaks to you and the person",
        ),
        ({"state": "leaving"}, "Your telephone is being hung up", ""),
    ],
)
async def test_supervisor_and_caller_read_who_hears_whom(
    console: ConsoleDesk,
    scenario: ConsoleScenario,
    caller: Person,
    leg: dict[str, object],
    own: str,
    seen_by_caller: str,
) -> None:
    chief = console.person(Role.SUPERVISOR)
    path = await talks(console, scenario, caller)
    listens(console, **leg)
    page = await chief.part(f"{path}/ear")
    assert own in text(page)
    keys = re.findall(r'data-key="(\w)"', page.text)
    assert keys == ([] if leg["state"] == "leaving" else ["L", "W", "I", "X"])
    assert ("data-ear" in (await caller.get("/desk")).text) is bool(seen_by_caller)
    assert seen_by_caller in text(await caller.get("/desk"))
    with console.app.services.store.begin() as tx:
        tx.execute(t.desk_listener.update().values(is_announced=False, by="zhao"))
    assert "data-ear" not in (await caller.get("/desk")).text
    shown = await chief.part(f"{path}/ear")
    assert "zhao listens to this call" in text(shown)
    assert "data-key" not in shown.text
