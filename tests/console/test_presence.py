"""The line of presence above the desk and the visits, and the heartbeat of open pages."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from dialer.core.access import Role
from dialer.db import tables as t
from dialer.db.unit_of_work import Row
from tests.console.desk import ConsoleDesk, Person, text


def rows(desk: ConsoleDesk) -> list[Row]:
    with desk.app.services.store.begin() as tx:
        return tx.rows(sa.select(t.presence).order_by(t.presence.c.staff_id))


def states(desk: ConsoleDesk) -> list[str]:
    return [row["state"] for row in rows(desk)]


async def line(person: Person) -> str:
    """As an open page asks for it."""
    answer = await person.client.post("/presence/beat?shown=1", headers={"X-CSRF-Token": person.csrf})
    assert answer.status_code == 200
    return text(answer)


async def test_a_caller_says_what_they_do(console: ConsoleDesk) -> None:
    caller = console.person(Role.CALLER)
    assert "I am free" in await line(caller)
    assert states(console) == []
    done = await caller.post("/presence", state="free")
    assert done.headers["location"] == "/desk"
    shown = await line(caller)
    assert "free since" in shown
    assert "I am free" not in shown
    await caller.post("/presence", state="break", reason="meal")
    assert "on a break: meal" in await line(caller)
    assert states(console) == ["break"]


@pytest.mark.parametrize("state", ["", "on_call", "task_taken", "silent"])
async def test_only_what_somebody_may_say_is_taken(console: ConsoleDesk, state: str) -> None:
    caller = console.person(Role.CALLER)
    assert (await caller.post("/presence", state=state)).status_code == 422
    assert states(console) == []


async def test_who_signs_out_is_off(console: ConsoleDesk) -> None:
    caller = console.person(Role.CALLER)
    await caller.post("/presence", state="free")
    await caller.post("/sign-out")
    assert states(console) == ["off"]


async def test_pages_of_who_works_on_cases_beat_and_others_do_not(console: ConsoleDesk) -> None:
    assert "/presence/beat" in (await console.person(Role.CALLER).get("/cases")).text
    assert 'id="presence"' in (await console.person(Role.OFFICER).get("/visits")).text
    assert "/presence/beat" not in (await console.person(Role.CLERK).get("/lists")).text


async def test_a_session_that_expired_through_disuse_is_silent(console: ConsoleDesk) -> None:
    caller = console.person(Role.CALLER)
    await caller.post("/presence", state="free")
    [before] = rows(console)
    console.clock.advance(60)
    assert (await caller.post("/presence/beat")).status_code == 204
    [used] = rows(console)
    assert used["seen_at"] > before["seen_at"]
    console.clock.advance(console.app.services.sessions.idle_seconds)
    assert (await caller.post("/presence/beat")).status_code == 204
    [idle] = rows(console)
    assert idle["seen_at"] == used["seen_at"]


async def test_a_supervisor_sees_every_desk(console: ConsoleDesk) -> None:
    chief = console.person(Role.SUPERVISOR)
    assert "Nobody is at work" in text(await chief.get("/desks"))
    await console.person(Role.CALLER).post("/presence", state="free")
    page = text(await chief.get("/desks"))
    assert "Caller" in page
    assert "Nobody is at work" not in page
    part = await chief.part("/desks/live")
    assert "<html" not in part.text
    assert "Caller" in text(part)


async def test_a_supervisor_sets_a_break_and_its_person_reads_why(console: ConsoleDesk) -> None:
    chief, caller = console.person(Role.SUPERVISOR), console.person(Role.CALLER)
    await caller.post("/presence", state="free")
    path = f"/desks/{caller.member.id}"
    for form in ({"reason": "rest"}, {"reason": "nap", "why": "tired"}):
        refused = await chief.post(f"{path}/break", **form)
        assert refused.status_code == 422
    assert states(console) == ["free"]
    assert (await chief.post(f"{path}/break", reason="rest", why="two hard calls")).headers[
        "location"
    ] == "/desks"
    assert "on a break: rest" in await line(caller)
    assert "set by Supervisor: two hard calls" in await line(caller)
    one = text(await chief.get(path))
    assert "on a break" in one
    assert "Set by" in one


async def test_a_supervisor_signs_a_desk_out(console: ConsoleDesk) -> None:
    chief, caller = console.person(Role.SUPERVISOR), console.person(Role.CALLER)
    await caller.post("/presence", state="free")
    path = f"/desks/{caller.member.id}"
    refused = await chief.post(f"{path}/sign-out", why=" ")
    assert refused.status_code == 422
    assert 'id="f-why-out"' in refused.text
    await chief.post(f"{path}/sign-out", why="left")
    assert states(console) == ["off"]
    assert (await caller.get("/desk")).headers["location"].startswith("/sign-in")
    assert len(console.audited("force_sign_out")) == 1
