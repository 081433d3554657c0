"""The table role by page by unit: every page has its row, and answers as the row says."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import httpx

from dialer.core.access import Role, may
from dialer.db import tables as t
from dialer.org.unit_store import add_unit
from dialer.server import declarations
from tests.console.desk import ConsoleDesk, Person
from tests.console.row import Row, every_row

ROWS = every_row()
_numbers = itertools.count(1)
People = dict[tuple[Role, int | None], Person]
"""Signed in, by role and unit."""
_CLOSED = {401, 403, 404, 405, 500, 503}


@dataclass(frozen=True)
class Places:
    county: int
    station: int
    elsewhere: int


def build(console: ConsoleDesk) -> Places:
    with console.app.services.store.begin() as tx:
        city = add_unit(tx, name="市局", parent_id=None)
        county = add_unit(tx, name="临河", parent_id=city)
        station = add_unit(tx, name="新华所", parent_id=county)
        elsewhere = add_unit(tx, name="五原", parent_id=city)
    return Places(county, station, elsewhere)


async def ask(
    console: ConsoleDesk, row: Row, role: Role, people: People, *, own: int | None, of: int | None
) -> httpx.Response:
    """The row's request by somebody of `role` in the unit `own`, about something in the unit `of`."""
    # What is sent may end a session or an account: whoever sends it is nobody else afterwards.
    person = people.get((role, own)) if row.method == "GET" else None
    if person is None:
        login = f"{role.value}{next(_numbers)}"
        person = console.signed_in(console.account(role, login=login, unit_id=own))
    if row.method == "GET":
        people[role, own] = person
    path = row.path.format(**row.target(console, of))
    if row.method == "GET":
        return await person.get(path)
    return await person.post(path, **row.form)


def is_open(row: Row, answer: httpx.Response) -> bool:
    if answer.status_code == row.refused:
        return True
    to_sign_in = answer.headers.get("location", "").startswith("/sign-in?")
    return answer.status_code not in _CLOSED and not to_sign_in


def test_every_page_has_its_row_and_every_row_its_page():
    declared = sorted((page.method, page.path) for page in declarations())
    assert declared == sorted((row.method, row.path) for row in ROWS)


def test_the_rows_say_what_the_permissions_say():
    acts = {(page.method, page.path): page.act for page in declarations()}
    for row in ROWS:
        act = acts[row.method, row.path]
        wanted = None if act is None else frozenset(role for role in Role if may(role, act))
        assert row.roles == wanted, row.path


async def test_each_role_opens_what_its_row_says_and_nothing_else(console: ConsoleDesk):
    people: People = {}
    wrong = []
    for row in ROWS:
        for role in Role:
            answer = await ask(console, row, role, people, own=None, of=None)
            allowed = row.roles is None or role in row.roles
            good = is_open(row, answer) if allowed else answer.status_code == 403
            if not good:
                wrong.append(f"{row.method} {row.path} as {role.value}: {answer.status_code}")
    assert wrong == []


async def test_what_belongs_to_another_unit_is_not_there(console: ConsoleDesk):
    places = build(console)
    people: People = {}
    wrong = []
    for row in ROWS:
        if not row.by_unit:
            continue
        for role in sorted(row.roles or ()):
            for of, seen in (
                (places.county, True),
                (places.station, True),
                (places.elsewhere, False),
                (None, False),
            ):
                answer = await ask(console, row, role, people, own=places.county, of=of)
                if (is_open(row, answer) if seen else answer.status_code == 404) is False:
                    wrong.append(f"{row.method} {row.path} as {role.value}: {answer.status_code}")
    assert wrong == []


async def test_a_stranger_gets_only_what_is_open(console: ConsoleDesk):
    console.account(Role.AUDITOR, login="somebody")
    wrong = []
    for row in ROWS:
        path = row.path.format(**row.target(console, None))
        client = console.stranger()
        answer = await client.request(row.method, path)
        if row.roles is None:
            good = row.method == "POST" or not answer.headers.get("location", "").startswith("/sign-in?")
        else:
            good = answer.status_code == 303 and answer.headers["location"].startswith("/sign-in")
        if not good:
            wrong.append(f"{row.method} {row.path}: {answer.status_code}")
    assert wrong == []


async def test_no_form_works_without_its_token(console: ConsoleDesk):
    wrong = []
    for row in ROWS:
        if row.method == "GET":
            continue
        role = min(row.roles or Role)
        person = console.signed_in(console.account(role, login=f"x{len(console.rows(t.staff))}"))
        path = row.path.format(**row.target(console, None))
        for token in ("", "0" * 32):
            answer = await person.client.post(path, data={**row.form, "csrf": token})
            if answer.status_code != 403:
                wrong.append(f"{row.path}: {answer.status_code}")
    assert wrong == []
