"""Every place in the navigation of people of a unit opens."""

from __future__ import annotations

import re

import pytest

from dialer.core.access import Role
from tests.console.desk import ConsoleDesk
from tests.console.town import ConsoleScenario


@pytest.mark.parametrize("role", Role)
async def test_every_place_of_the_navigation_opens(console: ConsoleDesk, role: Role):
    person = console.person(role, unit_id=ConsoleScenario(console).unit("五原县局"))
    page = await person.get("/account")
    places = set(re.findall(r'href="(/[^"#]*)"', page.text)) - {"/"}
    places = {place for place in places if not place.startswith("/static")}
    assert len(places) > 1
    closed = {place: answer.status_code for place in places if (answer := await person.get(place)).is_error}
    assert closed == {}
