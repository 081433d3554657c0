"""Overdue work: every piece with its person masked, since when, who has it, what comes next, and the acts beside it."""

from __future__ import annotations

import re
from datetime import timedelta

from dialer.core.access import Role
from dialer.db import tables as t
from dialer.db.units import add_unit
from tests.console.desk import ConsoleDesk, text
from tests.console.town import ConsoleScenario
from tests.outcomes.town import MORNING


def minutes_ago(minutes: float) -> dict[str, object]:
    at = MORNING - timedelta(minutes=minutes)
    return {"sign_by": at, "due_at": at + timedelta(hours=1)}


def cases_on(page: str) -> list[int]:
    """The cases of the page, in its order."""
    return [int(found) for found in re.findall(r'<td data-label="Person"><span><a href="/cases/(\d+)"', page)]


async def test_it_lists_the_oldest_first_with_what_stands_beside_it(console: ConsoleDesk):
    scenario = ConsoleScenario(console)
    wu = console.account(Role.OFFICER, login="wu")
    newer, older, visited, on_time = (
        scenario.case(amount_at_risk_fen=fen) for fen in (9_000_000, 500_000, None, 1)
    )
    scenario.assignment(newer, **minutes_ago(3), rise_at=MORNING + timedelta(minutes=5))
    scenario.assignment(older, **minutes_ago(30))
    late = {"due_at": MORNING - timedelta(minutes=10), "idle_at": MORNING + timedelta(minutes=20)}
    scenario.assignment(visited, kind="visit", state="signed", signed_by="wu", signed_at=MORNING, **late)
    scenario.assignment(on_time)
    chief = console.person(Role.SUPERVISOR)
    page = await chief.get("/overdue")
    assert cases_on(page.text) == [older, visited, newer]
    told = text(page)
    assert "All 3 Human calls 2 Visits 1 Not signed for 2" in told
    assert "human call: not signed for 30 min ¥5,000 nobody nothing by itself" in told
    assert "human call: not signed for 3 min ¥90,000 nobody to the unit above: in 5 min" in told
    assert f"visit: officer not there 10 min {wu.display_name}" in told
    assert "back to the queue: in 20 min" in told
    dearest = await chief.get("/overdue", order="dearest")
    assert cases_on(dearest.text) == [newer, older, visited]
    assert cases_on((await chief.get("/overdue", kind="visit")).text) == [visited]
    assert cases_on((await chief.get("/overdue", unsigned="1")).text) == [older, newer]


async def test_its_acts_go_to_the_case_and_come_back(console: ConsoleDesk):
    scenario = ConsoleScenario(console)
    case_id = scenario.case()
    scenario.assignment(case_id, **minutes_ago(3))
    page = await console.person(Role.SUPERVISOR).get("/overdue", kind="human")
    revision = console.rows(t.case)[0]["revision"]
    for act in ("call", "raise", "officer"):
        assert f'action="/cases/{case_id}/{act}"' in page.text
    assert set(re.findall(r'name="expected" value="(\d+)"', page.text)) == {str(revision)}
    assert set(re.findall(r'name="then" value="([^"]+)"', page.text)) == {"/overdue?kind=human"}


async def test_it_has_the_work_of_the_own_units_and_no_acts_for_who_only_looks(console: ConsoleDesk):
    scenario = ConsoleScenario(console)
    with console.app.services.store.begin() as tx:
        city = add_unit(tx, name="市局", parent_id=None)
        county = add_unit(tx, name="临河", parent_id=city)
    own, other = scenario.case(unit_id=county), scenario.case(unit_id=city)
    scenario.assignment(own, unit_id=county, **minutes_ago(3))
    scenario.assignment(other, unit_id=city, **minutes_ago(3))
    page = await console.person(Role.CLERK, unit_id=county).get("/overdue")
    assert cases_on(page.text) == [own]
    assert "/raise" not in page.text
    assert "临河" in text(page)
    assert "Nothing is overdue" in text(
        await console.person(Role.CLERK, unit_id=county).get("/overdue", kind="visit")
    )
