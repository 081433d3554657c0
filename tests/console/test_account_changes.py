"""Changes of accounts need two people: an administrator asks, a security administrator confirms or refuses."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from dialer.core.access import Role
from dialer.db import tables as t
from tests.console.desk import ConsoleDesk, text
from tests.console.town import ConsoleScenario

NEW = {
    "login": "zhao",
    "display_name": "赵琳",
    "role": "supervisor",
    "unit": "",
    "why": "new head of the shift",
}


def logins(console: ConsoleDesk) -> set[str]:
    return {row["login"] for row in console.rows(t.staff)}


def last(console: ConsoleDesk) -> int:
    return int(console.rows(t.staff_change)[-1]["id"])


@pytest.mark.parametrize(
    "role", [role for role in Role if role not in {Role.CLERK, Role.ANALYST, Role.TELLER}]
)
async def test_nobody_makes_alone_an_account_that_sees_people(console: ConsoleDesk, role: Role):
    admin, second = console.person(Role.ADMINISTRATOR), console.person(Role.SECURITY_ADMINISTRATOR)
    sent = await admin.post("/accounts", **NEW | {"role": role.value})
    assert sent.headers["location"] == "/account-changes"
    assert "zhao" not in logins(console)
    page = text(await second.get("/account-changes"))
    assert "new head of the shift" in page
    given = await second.post(f"/account-changes/{last(console)}/confirm")
    assert 'class="secret"' in given.text
    assert "zhao" in logins(console)
    [asked] = console.audited("staff_change_asked")
    [confirmed] = console.audited("staff_change_confirmed")
    [added] = console.audited("staff_add")
    assert (asked["who"], asked["why"]) == ("administrator", "new head of the shift")
    assert confirmed["who"] == "security_administrator"
    assert (added["who"], added["facts"]["confirmed_by"]) == ("administrator", "security_administrator")


async def test_a_clerk_who_sees_nobody_in_clear_is_made_at_once(console: ConsoleDesk):
    made = await console.person(Role.ADMINISTRATOR).post("/accounts", **NEW | {"role": "clerk", "why": ""})
    assert 'class="secret"' in made.text
    assert console.rows(t.staff_change) == []


async def test_the_first_security_administrator_is_made_alone_and_no_other(console: ConsoleDesk):
    admin = console.person(Role.ADMINISTRATOR)
    none = await admin.post("/accounts", **NEW)
    assert none.status_code == 409
    assert "a security administrator must confirm this" in text(none)
    first = await admin.post("/accounts", **NEW | {"role": "security_administrator"})
    assert 'class="secret"' in first.text
    [line] = console.audited("staff_add")
    assert line["facts"]["alone"] is True
    again = await admin.post("/accounts", **NEW | {"role": "security_administrator", "login": "mine"})
    assert again.status_code == 303
    with console.app.services.store.begin() as tx:  # as `dialer staff disable` does
        tx.execute(
            sa.update(t.staff).where(t.staff.c.login == "zhao").values(disabled_at=console.clock.now())
        )
    assert (
        await admin.post("/accounts", **NEW | {"role": "security_administrator", "login": "own"})
    ).status_code == 409
    assert {"mine", "own"}.isdisjoint(logins(console))


async def test_an_administrator_of_a_unit_does_not_make_the_first_one(console: ConsoleDesk):
    county = ConsoleScenario(console).unit("临河分局")
    admin = console.person(Role.ADMINISTRATOR, unit_id=county)
    asked = await admin.post("/accounts", **NEW | {"role": "security_administrator", "unit": str(county)})
    assert asked.status_code == 409
    assert "zhao" not in logins(console)


async def test_what_is_refused_or_withdrawn_needs_no_record(console: ConsoleDesk):
    admin, second = console.person(Role.ADMINISTRATOR), console.person(Role.SECURITY_ADMINISTRATOR)
    for act, person in (("refuse", second), ("withdraw", admin)):
        await admin.post("/accounts", **NEW)
        assert (await person.post(f"/account-changes/{last(console)}/{act}")).status_code == 303
        assert (await second.post(f"/account-changes/{last(console)}/confirm")).status_code == 409
    assert "zhao" not in logins(console)
    assert len(console.audited("staff_change_refused") + console.audited("staff_change_withdrawn")) == 2
    assert "No change waits" in text(await second.get("/account-changes"))


async def test_what_expired_is_not_confirmed_and_can_be_asked_anew(console: ConsoleDesk):
    admin, second = console.person(Role.ADMINISTRATOR), console.person(Role.SECURITY_ADMINISTRATOR)
    await admin.post("/accounts", **NEW)
    assert (await admin.post("/accounts", **NEW)).status_code == 409
    with console.app.services.store.begin() as tx:
        tx.execute(sa.update(t.staff_change).values(expires_at=console.clock.now().replace(year=2020)))
    assert (await second.post(f"/account-changes/{last(console)}/confirm")).status_code == 409
    assert (await admin.post("/accounts", **NEW)).status_code == 303


async def test_who_asked_or_is_concerned_does_not_confirm(console: ConsoleDesk):
    admin, second = console.person(Role.ADMINISTRATOR), console.person(Role.SECURITY_ADMINISTRATOR)
    await admin.post("/accounts/security_administrator/factors/reset", why="lost")
    own = await second.post(f"/account-changes/{last(console)}/confirm")
    assert own.status_code == 409
    await second.post(f"/account-changes/{last(console)}/refuse")
    await admin.post("/accounts", **NEW)
    with console.app.services.store.begin() as tx:
        mine = t.staff.c.login == "administrator"
        tx.execute(sa.update(t.staff).where(mine).values(role="security_administrator"))
    assert (await admin.post(f"/account-changes/{last(console)}/confirm")).status_code == 409
    assert "zhao" not in logins(console)


async def test_what_was_changed_meanwhile_is_not_overwritten(console: ConsoleDesk):
    console.account(Role.CALLER, login="zhao")
    admin, second = console.person(Role.ADMINISTRATOR), console.person(Role.SECURITY_ADMINISTRATOR)
    form = {"display_name": "Z", "role": "supervisor", "unit": "", "revision": 1, "why": "promoted"}
    await admin.post("/accounts/zhao/change", **form)
    assert (await admin.post("/accounts/zhao/change", **form | {"role": "caller"})).status_code == 303
    assert (await second.post(f"/account-changes/{last(console)}/confirm")).status_code == 409
    assert next(row for row in console.rows(t.staff) if row["login"] == "zhao")["role"] == "caller"


async def test_what_somebody_asked_for_who_may_no_longer_is_not_done(console: ConsoleDesk):
    admin, second = console.person(Role.ADMINISTRATOR), console.person(Role.SECURITY_ADMINISTRATOR)
    await admin.post("/accounts", **NEW)
    with console.app.services.store.begin() as tx:
        mine = t.staff.c.login == "administrator"
        tx.execute(sa.update(t.staff).where(mine).values(disabled_at=console.clock.now()))
    assert (await second.post(f"/account-changes/{last(console)}/confirm")).status_code == 409


async def test_a_reason_is_needed_and_said_beside_its_field(console: ConsoleDesk):
    console.account(Role.CALLER, login="zhao")
    admin, _ = console.person(Role.ADMINISTRATOR), console.person(Role.SECURITY_ADMINISTRATOR)
    page = await admin.post("/accounts/zhao/reset", why=" ")
    assert page.status_code == 422
    assert "say it in a few words" in text(page)
    assert console.rows(t.staff_change) == []


@pytest.mark.parametrize("unit", ["abc", "1x", "-1", "9" * 5000, "１"])
async def test_what_names_no_unit_is_not_the_whole_centre(console: ConsoleDesk, unit: str):
    console.account(Role.CALLER, login="li")
    admin, _ = console.person(Role.ADMINISTRATOR), console.person(Role.SECURITY_ADMINISTRATOR)
    page = await admin.post("/accounts", **NEW | {"unit": unit, "role": "clerk"})
    assert page.status_code == 422
    assert "names no unit" in text(page)
    form = {"display_name": "Li", "role": "caller", "revision": 1, "why": "moved", "unit": unit}
    assert (await admin.post("/accounts/li/change", **form)).status_code == 422
    assert console.rows(t.staff_change) == []
    assert "zhao" not in logins(console)
