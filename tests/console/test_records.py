"""Unit records: the units of a month side by side, open to their cases, taken away as files."""

from __future__ import annotations

import re

import pytest

from dialer.core.access import Role
from dialer.db import tables as t
from tests.console.desk import ConsoleDesk, text
from tests.figures.test_unit_records import put_cases, units_of
from tests.outcomes.town import Scenario


@pytest.fixture
def scenario(console: ConsoleDesk) -> Scenario:
    return Scenario.on(console.app.services)


def filled(scenario: Scenario) -> dict[str, int]:
    city, east, west = units_of(scenario, "东所", "西所")
    put_cases(scenario, east, 40, reached=38)
    put_cases(scenario, west, 40, reached=4)
    return {"city": city, "east": east, "west": west}


async def test_units_stand_side_by_side_and_each_count_opens(console: ConsoleDesk, scenario: Scenario):
    ids = filled(scenario)
    chief = console.person(Role.SUPERVISOR)
    answer = await chief.get("/records", month="2026-11")
    page = text(answer)
    assert "Units in 2026-11" in page
    assert "90.0% 36 / 40" in page
    assert "place 2" in page
    address = re.search(rf'href="([^"]*measure=never_dissuaded&amp;value={ids["west"]})"', answer.text)
    assert address is not None
    listed = await chief.get(address.group(1).replace("&amp;", "&"))
    assert "never spoken to" in text(listed)
    assert "36" in text(listed)
    assert "Nothing was given to these units" in text(await chief.get("/records", month="2026-09"))


async def test_a_month_that_is_none_is_said(console: ConsoleDesk):
    answer = await console.person(Role.SUPERVISOR).get("/records", month="soon")
    assert answer.status_code == 422
    assert "a month such as 2026-11" in text(answer)


async def test_a_station_sees_no_other_one(console: ConsoleDesk, scenario: Scenario):
    ids = filled(scenario)
    east = console.person(Role.SUPERVISOR, unit_id=ids["east"])
    page = text(await east.get("/records", month="2026-11"))
    assert "东所" in page
    assert "against the rest" not in page
    assert (await east.get("/records", unit=ids["west"])).status_code == 404
    assert (await east.get("/records/file/csv", unit=ids["west"])).status_code == 404


async def test_the_file_is_audited(console: ConsoleDesk, scenario: Scenario):
    filled(scenario)
    answer = await console.person(Role.AUDITOR).get("/records/file/csv", month="2026-11")
    assert "西所" in answer.content.decode("utf-8-sig")
    [line] = [one for one in console.rows(t.audit) if one["act"] == "export"]
    assert (line["subject"], line["facts"]) == ("records", {"month": "2026-11", "kind": "csv"})
    assert (await console.person(Role.ADMINISTRATOR).get("/records/file/csv")).status_code == 403
