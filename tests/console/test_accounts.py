"""Accounts: made, changed, disabled and reset by an administrator, within his own unit, and all of it audited."""

from __future__ import annotations

import re

import httpx
import pytest

from dialer.core.access import Role
from dialer.db import tables as t
from dialer.staff.passwords import is_password_right
from tests.console.desk import ConsoleDesk, text
from tests.console.town import ConsoleScenario

NEW = {
    "login": "zhao",
    "display_name": "赵 琳",
    "role": "caller",
    "language": "en",
    "unit": "",
    "why": "new in the team",
}
WHY = {"why": "asked in person"}


async def confirm(console: ConsoleDesk) -> httpx.Response:
    """The security administrator confirms what was asked for last."""
    number = console.rows(t.staff_change)[-1]["id"]
    return await console.person(Role.SECURITY_ADMINISTRATOR).post(f"/account-changes/{number}/confirm")


def secret(page: str) -> str:
    found = re.search(r'class="secret">([^<]+)<', page)
    assert found is not None
    return found[1]


async def test_a_new_account_has_a_password_that_is_shown_once(console: ConsoleDesk):
    admin, _ = console.person(Role.ADMINISTRATOR), console.person(Role.SECURITY_ADMINISTRATOR)
    assert (await admin.post("/accounts", **NEW)).headers["location"] == "/account-changes"
    page = await confirm(console)
    password = secret(page.text)
    row = next(row for row in console.rows(t.staff) if row["login"] == "zhao")
    assert is_password_right(password, row["password_hash"])
    assert (row["display_name"], row["role"], row["must_change"], row["language"]) == (
        "赵 琳",
        "caller",
        True,
        "en",
    )
    assert password not in (await admin.get("/accounts/zhao")).text
    [line] = console.audited("staff_add")
    assert (line["who"], line["facts"]["login"], line["facts"]["role"]) == ("administrator", "zhao", "caller")
    assert password not in str(line)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("login", "赵", "is not a login"),
        ("login", "administrator", "is taken"),
        ("display_name", " ", "is empty or longer"),
    ],
)
async def test_what_is_wrong_is_said_beside_its_field_and_nothing_typed_is_lost(
    console: ConsoleDesk, field: str, value: str, said: str
):
    page = await console.person(Role.ADMINISTRATOR).post("/accounts", **NEW | {field: value})
    assert page.status_code == 422
    assert said in text(page)
    assert "data-open" in page.text
    kept = "zhao" if field == "display_name" else "赵 琳"
    assert f'value="{kept}"' in page.text
    assert len(console.rows(t.staff)) == 1


async def test_the_list_says_how_each_stands(console: ConsoleDesk):
    admin = console.person(Role.ADMINISTRATOR)
    console.account(Role.CLERK, login="fresh", must_change=True)
    console.signed_in(console.account(Role.CALLER, login="busy"))
    console.account(Role.OFFICER, login="quiet")
    await admin.post("/accounts/quiet/disable")
    page = text(await admin.get("/accounts"))
    assert re.search(r"fresh clerk the whole centre first password not changed", page)
    assert re.search(r"busy caller the whole centre is signed in", page)
    assert re.search(r"quiet officer the whole centre disabled never", page)


@pytest.mark.parametrize("changed", [{"role": "auditor"}, {"unit": "1"}])
async def test_another_role_or_unit_ends_the_sessions(console: ConsoleDesk, changed: dict[str, str]):
    assert ConsoleScenario(console).unit("临河分局") == 1
    zhao = console.signed_in(console.account(Role.CLERK, login="zhao"))
    admin, _ = console.person(Role.ADMINISTRATOR), console.person(Role.SECURITY_ADMINISTRATOR)
    fields: dict[str, str | int] = {"display_name": "Zhao", "role": "clerk", "unit": "", "revision": 1} | WHY
    assert (await admin.post("/accounts/zhao/change", **fields)).status_code == 303
    assert (await zhao.get("/account")).status_code == 200
    await admin.post("/accounts/zhao/change", **fields | {"revision": 2} | changed)
    assert (await zhao.get("/account")).status_code == 200
    assert (await confirm(console)).status_code == 303
    assert (await zhao.get("/account")).status_code == 303
    assert len(console.audited("staff_change")) == 2


async def test_two_administrators_do_not_overwrite_each_other(console: ConsoleDesk):
    console.account(Role.CLERK, login="zhao")
    admin = console.person(Role.ADMINISTRATOR)
    console.person(Role.SECURITY_ADMINISTRATOR)
    fields = {"display_name": "Zhao", "role": "clerk", "unit": "", "revision": 1} | WHY
    assert (await admin.post("/accounts/zhao/change", **fields)).status_code == 303
    late = await admin.post("/accounts/zhao/change", **fields | {"role": "officer"})
    assert late.status_code == 409
    assert "changed meanwhile" in text(late)


async def test_a_disabled_account_is_out_at_once_and_may_come_back(console: ConsoleDesk):
    zhao = console.signed_in(console.account(Role.CALLER, login="zhao"))
    admin = console.person(Role.ADMINISTRATOR)
    await admin.post("/accounts/zhao/disable")
    assert (await zhao.get("/account")).status_code == 303
    assert "nobody can sign in with it" in text(await admin.get("/accounts/zhao"))
    console.person(Role.SECURITY_ADMINISTRATOR)
    await admin.post("/accounts/zhao/enable", **WHY)
    assert console.rows(t.staff)[0]["disabled_at"] is not None
    await confirm(console)
    assert console.rows(t.staff)[0]["disabled_at"] is None
    assert (await zhao.get("/account")).status_code == 303


async def test_the_last_administrator_and_oneself_stay(console: ConsoleDesk):
    admin = console.person(Role.ADMINISTRATOR)
    itself = await admin.post("/accounts/administrator/disable")
    assert "you cannot disable your own account" in text(itself)
    console.person(Role.SECURITY_ADMINISTRATOR)
    await admin.post(
        "/accounts/administrator/change", display_name="A", role="clerk", unit="", revision=1, why="left"
    )
    demoted = await confirm(console)
    assert demoted.status_code == 409
    assert "last administrator" in text(demoted)
    assert (await admin.get("/accounts")).status_code == 200


async def test_a_reset_unlocks_and_signs_out(console: ConsoleDesk):
    zhao = console.signed_in(console.account(Role.CALLER, login="zhao"))
    with console.app.services.store.begin() as tx:
        tx.execute(t.staff.update().values(locked_until=console.clock.now().replace(year=2030)))
    console.person(Role.SECURITY_ADMINISTRATOR)
    await console.person(Role.ADMINISTRATOR).post("/accounts/zhao/reset", **WHY)
    assert (await zhao.get("/account")).status_code == 200
    page = await confirm(console)
    row = next(row for row in console.rows(t.staff) if row["login"] == "zhao")
    assert is_password_right(secret(page.text), row["password_hash"])
    assert row["locked_until"] is None
    assert row["must_change"]
    assert (await zhao.get("/account")).status_code == 303


async def test_sessions_are_listed_and_ended(console: ConsoleDesk):
    zhao = console.signed_in(console.account(Role.CALLER, login="zhao"))
    admin = console.person(Role.ADMINISTRATOR)
    assert "127.0.0.1" in text(await admin.get("/accounts/zhao"))
    await admin.post("/accounts/zhao/sessions/end")
    assert (await zhao.get("/account")).status_code == 303
    assert "Nowhere." in text(await admin.get("/accounts/zhao"))


async def test_an_administrator_of_a_unit_sees_and_makes_accounts_below_alone(console: ConsoleDesk):
    scenario = ConsoleScenario(console)
    city = scenario.unit("市局")
    county, other = scenario.unit("临河分局", city), scenario.unit("五原县局", city)
    console.account(Role.CALLER, login="mine", unit_id=county)
    console.account(Role.CALLER, login="theirs", unit_id=other)
    console.account(Role.CALLER, login="central")
    admin = console.person(Role.ADMINISTRATOR, unit_id=county)
    page = text(await admin.get("/accounts"))
    assert "mine" in page
    assert "theirs" not in page
    assert "central" not in page
    assert (await admin.get("/accounts/theirs")).status_code == 404
    for unit in ("", str(other), str(city)):
        assert (await admin.post("/accounts", **NEW | {"unit": unit})).status_code == 404
    console.person(Role.SECURITY_ADMINISTRATOR)
    assert (await admin.post("/accounts", **NEW | {"unit": str(county)})).status_code == 303
    moved = await admin.post(
        "/accounts/mine/change", display_name="M", role="caller", unit="", revision=1, why="moved"
    )
    assert moved.status_code == 404
