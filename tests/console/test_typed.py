"""What the browser is told about forms that were sent, refused or not sent; static/console/typed.js does the rest."""

from __future__ import annotations

import re

from dialer.core.access import Role
from dialer.db import tables as t
from dialer.web.console import SENT_COOKIE, SESSION_COOKIE
from tests.console.desk import ConsoleDesk, Person


async def page_of(person: Person, path: str) -> str:
    return (await person.get(path)).text


def attribute(page: str, name: str) -> str:
    found = re.search(rf'<body [^>]*{name}="([^"]*)"', page)
    return found[1] if found else ""


async def test_each_account_has_a_key_of_its_own_and_another_after_a_change_by_an_administrator(
    console: ConsoleDesk,
):
    first, second = console.person(Role.CALLER), console.person(Role.OFFICER)
    key = attribute(await page_of(first, "/account"), "data-typed-key")
    assert len(key) == 44
    assert attribute(await page_of(first, "/account/password"), "data-typed-key") == key
    assert attribute(await page_of(second, "/account"), "data-typed-key") != key
    with console.app.services.store.begin() as tx:
        tx.execute(t.staff.update().values(revision=t.staff.c.revision + 1))
    assert attribute(await page_of(first, "/account"), "data-typed-key") not in {"", key}


async def test_nobody_who_is_not_signed_in_gets_a_key(console: ConsoleDesk):
    page = (await console.stranger().get("/sign-in")).text
    assert "data-typed-owner" not in page
    assert "data-typed-key" not in page


async def test_the_page_that_a_phone_stores_for_use_without_a_connection_has_no_key(console: ConsoleDesk):
    officer = console.person(Role.OFFICER)
    assert attribute(await page_of(officer, "/visits"), "data-typed-key")
    shell = await page_of(officer, "/visits/offline")
    assert 'data-deed="report"' in shell
    assert "data-typed-key" not in shell
    assert "typed.js" not in shell


async def test_the_next_page_says_once_which_form_was_sent(console: ConsoleDesk):
    person = console.person(Role.CALLER)
    await person.get("/account")
    answer = await person.post("/desk/extension", extension="8001")
    assert answer.status_code == 303
    assert attribute(await page_of(person, "/desk"), "data-sent") == "/desk/extension"
    assert attribute(await page_of(person, "/desk"), "data-sent") == ""


async def test_a_refused_form_is_not_sent_and_its_page_says_so(console: ConsoleDesk):
    person = console.person(Role.CALLER)
    answer = await person.post("/desk/extension", extension="?")
    assert answer.status_code == 422
    assert SENT_COOKIE not in answer.cookies
    assert "data-refused-page" in answer.text
    assert "data-refused-page" not in await page_of(person, "/desk")


async def test_a_form_whose_session_has_ended_leads_back_to_its_page(console: ConsoleDesk):
    person = console.person(Role.CALLER)
    person.client.cookies.set(SESSION_COOKIE, "over")
    where = {"Referer": "http://elsewhere.example/cases/5?before=9"}
    for more in ({}, {"HX-Request": "true"}):
        answer = await person.client.post("/cases/5/note", data={"words": "x"}, headers=where | more)
        target = answer.headers.get("location") or answer.headers["HX-Redirect"]
        assert target == "/sign-in?next=%2Fcases%2F5%3Fbefore%3D9"
    part = await person.client.get("/desk/live", headers={"Referer": "http://x/desk", "HX-Request": "true"})
    assert part.headers.get("HX-Redirect", "/sign-in?next=%2Fdesk") == "/sign-in?next=%2Fdesk"
