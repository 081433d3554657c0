"""Users online: who of the reader's units is signed in and active, and nobody else."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from dialer.core.access import Role
from dialer.db.units import add_unit
from dialer.staff.store import open_sessions, set_staff
from tests.console.desk import ConsoleDesk, Person, text

PATH = "/duty/online"
EARLIER = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture
def units(console: ConsoleDesk) -> tuple[int, int, int]:
    """A county, its station, and another county."""
    with console.app.services.store.begin() as tx:
        county = add_unit(tx, name="临河分局", parent_id=None)
        station = add_unit(tx, name="城关派出所", parent_id=county)
        return county, station, add_unit(tx, name="五原分局", parent_id=None)


async def listed(reader: Person) -> list[tuple[str, str]]:
    """Unit and role of each line, in the order of the page."""
    page = (await reader.get(PATH)).text
    cells = r'<td data-label="Unit">(.*?)</td>\s*<td data-label="Role">(.*?)</td>'
    return [(re.sub(r"<[^>]+>", "", unit), role) for unit, role in re.findall(cells, page, flags=re.DOTALL)]


async def test_the_centre_sees_everybody_by_unit_and_role(
    console: ConsoleDesk, units: tuple[int, int, int]
) -> None:
    county, station, other = units
    for role, unit_id in (
        (Role.OFFICER, other),
        (Role.OFFICER, station),
        (Role.CALLER, station),
        (Role.CLERK, county),
    ):
        console.person(role, unit_id=unit_id)
    console.account(Role.AUDITOR)
    assert await listed(console.person(Role.SUPERVISOR)) == [
        ("whole centre", "supervisor"),
        ("临河分局", "clerk"),
        ("城关派出所", "caller"),
        ("城关派出所", "officer"),
        ("五原分局", "officer"),
    ]


async def test_a_supervisor_of_a_unit_sees_its_own_people_and_those_below_alone(
    console: ConsoleDesk, units: tuple[int, int, int]
) -> None:
    county, station, other = units
    for unit_id in (None, county, station, other):
        console.person(Role.OFFICER, unit_id=unit_id)
    chief = console.person(Role.SUPERVISOR, unit_id=station)
    assert await listed(chief) == [("城关派出所", "officer"), ("城关派出所", "supervisor")]
    above = console.person(Role.SUPERVISOR, unit_id=county)
    assert {unit for unit, _ in await listed(above)} == {"临河分局", "城关派出所"}
    assert "五原分局" not in text(await above.get(PATH))


async def test_who_is_idle_signed_out_or_disabled_is_not_online(console: ConsoleDesk) -> None:
    chief, clerk = console.person(Role.SUPERVISOR), console.person(Role.CLERK)
    caller, officer = console.person(Role.CALLER), console.person(Role.OFFICER)
    everybody = {"supervisor", "clerk", "caller", "officer"}
    assert {role for _, role in await listed(chief)} == everybody
    await caller.post("/sign-out")
    assert {role for _, role in await listed(chief)} == everybody - {"caller"}
    half = console.app.services.sessions.idle_seconds / 2
    for _ in range(2):
        console.pass_seconds(half)
        assert (await officer.get("/visits")).status_code == 200
        found = {role for _, role in await listed(chief)}
    assert clerk.member.role.value not in found
    assert found == {"supervisor", "officer"}
    with console.app.services.store.begin() as tx:
        set_staff(tx, officer.member.id, disabled_at=console.clock.now())
    assert await listed(chief) == [("whole centre", "supervisor")]


async def test_a_line_tells_when_browsers_and_presence_and_no_address(console: ConsoleDesk) -> None:
    chief, caller = console.person(Role.SUPERVISOR), console.person(Role.CALLER)
    signed_in_at = console.clock.now()
    console.pass_seconds(600)
    console.signed_in(caller.member)
    await caller.post("/presence", state="break", reason="meal")
    answer = await chief.get(PATH)
    [line] = [row for row in re.findall(r"<tr>.*?</tr>", answer.text, flags=re.DOTALL) if "Caller" in row]
    assert re.findall(r'<time datetime="([^"]+)"', line) == [
        signed_in_at.isoformat(),
        console.clock.now().isoformat(),
    ]
    assert "2 browsers" in line
    assert "on a break" in line
    assert "meal" in line
    with console.app.services.store.begin() as tx:
        addresses = {one.address for one in open_sessions(tx, real_now=signed_in_at, idle_since=EARLIER)}
    assert addresses
    assert not [address for address in addresses if address in answer.text]
    await caller.post("/presence", state="off")
    assert "on a break" not in text(await chief.get(PATH))


async def test_the_pages_of_duty_and_desks_lead_to_it(console: ConsoleDesk) -> None:
    chief = console.person(Role.SUPERVISOR)
    for path in ("/duty", "/desks"):
        assert f'href="{PATH}"' in (await chief.get(path)).text
    assert f'href="{PATH}"' not in (await console.person(Role.OFFICER).get("/duty")).text
    assert (await console.person(Role.OFFICER).get(PATH)).status_code == 403
