"""Every refusal of a page is in the reader's language and names no row and no identifier of the code."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from starlette.routing import Mount

from dialer.core.access import Role
from dialer.web.cache import Cache
from tests.console.desk import ConsoleDesk, text
from tests.console.town import ConsoleScenario


async def test_a_refused_act_for_htmx_is_a_toast(console: ConsoleDesk):
    scenario = ConsoleScenario(console)
    unit = scenario.unit("临河分局")
    caller = console.person(Role.CALLER, unit_id=unit)
    await caller.post("/language", lang="zh")
    case_id = scenario.case(unit_id=unit, person_id=scenario.person(name="某人"), warning=False)
    task = scenario.assignment(case_id, unit_id=unit, state="done", done_by="li", outcome="cannot_find_yet")
    answer = await caller.post(f"/desk/tasks/{task}/open", token=1)
    assert answer.status_code == 409
    told_there = text(answer).partition("409")[2]
    for code in ("assignment", "cannot_find_yet", "reported"):
        assert code not in told_there
    assert "li 已反馈：暂未找到" in told_there


async def test_a_value_that_no_column_holds_is_refused(console: ConsoleDesk):
    for path in (
        "/cases?no=%00",
        "/cases?unit=99999999999999999999999",
        "/cases?before=99999999999999999999999",
        "/visits/99999999999999999999999",
        "/lists?before=99999999999999999999999",
        "/scripts/%00",
    ):
        answer = await console.person(Role.SUPERVISOR).get(path)
        assert answer.status_code == 422
        assert "Something was filled in incorrectly" in text(answer)


async def test_a_reason_that_no_column_holds_pauses_nothing(console: ConsoleDesk):
    person = console.person(Role.SUPERVISOR)
    answer = await person.post("/control/pause", scope="all", minutes="5", why="x\0", sure="1")
    assert answer.status_code == 422
    assert console.audited("pause") == []


@pytest.mark.parametrize(("lang", "told"), [("en", "Too much is being counted"), ("zh", "统计任务过多")])
async def test_a_page_that_finds_no_place_to_count_says_so(console: ConsoleDesk, lang: str, told: str):
    """Fifty counts wait for the two that go on."""
    free, begun = threading.Event(), threading.Barrier(3)

    def count(key: int) -> bool:
        if key < 2:
            begun.wait(30)
        return free.wait(30)

    busy: Cache[Any, Any] = Cache(count)
    [mount] = [route for route in console.web.routes if isinstance(route, Mount) and not route.path]
    mount.app.state.console_context.caches["callers"] = busy
    person = console.person(Role.SUPERVISOR)
    await person.post("/language", lang=lang)
    try:
        for n in range(200):
            busy.begin(n)
            if n == 1:
                begun.wait(30)
        answer = await person.get("/rates/callers")
    finally:
        free.set()
    assert answer.status_code == 503
    assert told in text(answer)
    assert answer.headers["refresh"] == "5"
