"""API tokens on the console: two people make one, its secret is shown once, and one person revokes it at once."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from dialer.core.access import Role, unrestricted
from dialer.db import tables as t
from dialer.db.units import touch_units
from dialer.staff.sign_in import TokenAuth, add_token
from tests.console.desk import ConsoleDesk, Person, text
from tests.console.town import ConsoleScenario

FORM = {"name": "city-bank", "scope": "warnings:write", "days": "30", "unit": "", "why": "接入预警推送"}


@pytest.fixture
def asker(console: ConsoleDesk) -> Person:
    return console.signed_in(console.account(Role.ADMINISTRATOR, login="sun"))


@pytest.fixture
def second(console: ConsoleDesk) -> Person:
    return console.signed_in(console.account(Role.SECURITY_ADMINISTRATOR, login="zhou"))


def number_of(console: ConsoleDesk) -> int:
    number: int = console.rows(t.token_request)[-1]["id"]
    return number


async def test_one_asks_another_confirms_and_the_secret_is_shown_once(
    console: ConsoleDesk, asker: Person, second: Person
):
    form = [*FORM.items(), ("scope", "cases:read"), ("csrf", asker.csrf)]
    body = {name: [value for key, value in form if key == name] for name, _ in form}
    asked = await asker.client.post("/tokens", data=body)
    assert asked.headers["location"] == "/tokens"
    assert console.rows(t.api_token) == []
    path = f"/tokens/requests/{number_of(console)}"
    assert (await asker.post(f"{path}/confirm")).status_code == 403
    waiting = text(await second.get("/tokens"))
    assert "city-bank read cases , send warnings the whole centre 30 接入预警推送 Administrator" in waiting
    done = await second.post(f"{path}/confirm")
    [secret] = re.findall(r"<code>(\S+)</code>", done.text)
    [token] = console.rows(t.api_token)
    assert (token["name"], token["scopes"]) == ("city-bank", ["cases:read", "warnings:write"])
    assert token["expires_at"] - token["created_at"] == timedelta(days=30)
    assert TokenAuth(console.app.services).recognise(secret).name == "city-bank"
    for person in (asker, second):
        page = await person.get("/tokens")
        assert secret not in page.text
        assert "good until" in text(page)
    [made] = console.audited("token_add")
    assert (made["who"], made["facts"]["asked_by"]) == ("zhou", "sun")
    assert secret not in str(
        [console.audited(act) for act in ("token_add", "token_asked", "token_confirmed")]
    )
    assert (await second.post(f"{path}/confirm")).status_code == 409


async def test_what_is_wrong_is_said_beside_its_field_and_the_rest_stays(
    console: ConsoleDesk, asker: Person, second: Person
):
    del second
    for wrong, said in (
        ({"name": "no spaces"}, "is not a name for a token"),
        ({"scope": ""}, "is not known"),
        ({"scope": "everything"}, "is not known"),
        ({"days": "0"}, "is out of range"),
        ({"days": ""}, "is out of range"),
        ({"days": "99999"}, "is out of range"),
        ({"scope": "report:read", "unit": "临河区"}, "shows the whole city"),
        ({"unit": "无此单位"}, "names no unit, or more than one"),
        ({"why": " "}, "is empty"),
    ):
        answer = await asker.post("/tokens", **(FORM | wrong))
        assert answer.status_code == 422, wrong
        assert said in text(answer)
        assert 'value="接入预警推送"' in answer.text or "why" in wrong
    assert console.rows(t.token_request) == []


async def test_a_name_is_asked_for_once_and_not_while_it_is_in_use(
    console: ConsoleDesk, asker: Person, second: Person
):
    assert (await asker.post("/tokens", **FORM)).status_code == 303
    again = await asker.post("/tokens", **FORM)
    assert again.status_code == 409
    assert "is asked for already" in text(again)
    add_token(
        console.app.services, unrestricted("cli"), name="upstream", scopes=["cases:read"], days=9, unit=""
    )
    taken = await asker.post("/tokens", **(FORM | {"name": "upstream"}))
    assert "is in use" in text(taken)
    # Made at the terminal meanwhile: the confirmation is refused, and the request still waits.
    add_token(
        console.app.services, unrestricted("cli"), name="city-bank", scopes=["cases:read"], days=9, unit=""
    )
    late = await second.post(f"/tokens/requests/{number_of(console)}/confirm")
    assert late.status_code == 409
    assert [row["state"] for row in console.rows(t.token_request)] == ["waiting"]


async def test_the_unit_that_was_typed_is_the_tokens_unit_although_it_is_renamed_meanwhile(
    console: ConsoleDesk, asker: Person, second: Person
):
    unit_id = ConsoleScenario(console).unit("临河分局")
    assert (await asker.post("/tokens", **(FORM | {"unit": "临河公安分局"}))).status_code == 303
    with console.app.services.store.begin() as tx:
        tx.execute(sa.update(t.unit).where(t.unit.c.id == unit_id).values(name="新区分局"))
        touch_units(tx)
    assert (await second.post(f"/tokens/requests/{number_of(console)}/confirm")).status_code == 200
    [token] = console.rows(t.api_token)
    assert (token["unit"], token["unit_id"]) == ("临河公安分局", unit_id)


async def test_a_request_is_refused_or_withdrawn(console: ConsoleDesk, asker: Person, second: Person):
    for person, state in ((second, "refused"), (asker, "withdrawn")):
        await asker.post("/tokens", **FORM)
        number = number_of(console)
        assert (await person.post(f"/tokens/requests/{number}/refuse")).status_code == 303
        assert console.rows(t.token_request)[-1]["state"] == state
        assert (await second.post(f"/tokens/requests/{number}/confirm")).status_code == 409
    assert console.rows(t.api_token) == []


async def test_without_a_second_person_nothing_can_be_asked(console: ConsoleDesk, asker: Person):
    alone = await asker.post("/tokens", **FORM)
    assert alone.status_code == 409
    assert "a security administrator must confirm this" in text(alone)


async def test_what_a_former_administrator_asked_for_is_not_made(
    console: ConsoleDesk, asker: Person, second: Person
):
    await asker.post("/tokens", **FORM)
    with console.app.services.store.begin() as tx:
        tx.execute(sa.update(t.staff).where(t.staff.c.login == "sun").values(role="caller"))
    late = await second.post(f"/tokens/requests/{number_of(console)}/confirm")
    assert late.status_code == 409
    assert console.rows(t.api_token) == []


async def test_one_person_revokes_at_once(console: ConsoleDesk, second: Person):
    new = add_token(
        console.app.services, unrestricted("cli"), name="bank", scopes=["cases:read"], days=9, unit=""
    )
    TokenAuth(console.app.services).recognise(new.secret)
    assert console.rows(t.api_token)[0]["last_used_on"].isoformat() in text(await second.get("/tokens"))
    assert (await second.post("/tokens/bank/revoke")).status_code == 303
    page = text(await second.get("/tokens"))
    assert "revoked" in page
    assert (await second.post("/tokens/bank/revoke")).status_code == 404
    assert [line["who"] for line in console.audited("token_revoke")] == ["zhou"]


async def test_accounts_of_one_unit_see_no_tokens(console: ConsoleDesk):
    unit_id = ConsoleScenario(console).unit("临河区")
    local = console.signed_in(console.account(Role.ADMINISTRATOR, login="local", unit_id=unit_id))
    assert (await local.get("/tokens")).status_code == 404
    assert (await local.post("/tokens", **FORM)).status_code == 404


def test_the_database_wants_two_people(console: ConsoleDesk):
    add_token(console.app.services, unrestricted("cli"), name="bank", scopes=["cases:read"], days=9, unit="")
    now = console.app.services.real.now()
    row = {
        "name": "bank",
        "scopes": ["cases:read"],
        "unit": "",
        "days": 9,
        "why": "x",
        "asked_by": "sun",
        "asked_at": now,
        "expires_at": now,
        "state": "confirmed",
        "decided_by": "sun",
        "decided_at": now,
        "token_id": console.rows(t.api_token)[0]["id"],
    }
    with (
        pytest.raises(sa.exc.IntegrityError, match="second_person"),
        console.app.services.store.begin() as tx,
    ):
        tx.execute(sa.insert(t.token_request).values(**row))
