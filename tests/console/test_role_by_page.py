"""The table role by page by unit: every page has its row, and answers as the row says."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import httpx
import pytest

from dialer.core.access import Role, may
from dialer.db.units import add_unit
from dialer.server.application import declarations
from tests.console.desk import ConsoleDesk, Person
from tests.console.row import Row, every_row

pytestmark = pytest.mark.long

ROWS = every_row()
_numbers = itertools.count(1)
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


class Asking:
    """Requests of the rows. One that reads or is refused changes nothing: whoever sends it and what it is about serve
    the next one too. What a granted one sends may end a session or an account.
    """

    def __init__(self, console: ConsoleDesk) -> None:
        self._console = console
        self._people: dict[tuple[Role, int | None], Person] = {}
        self._paths: dict[tuple[int, int | None], str] = {}

    def _person(self, role: Role, unit_id: int | None) -> Person:
        login = f"{role.value}{next(_numbers)}"
        return self._console.signed_in(self._console.account(role, login=login, unit_id=unit_id))

    def _path(self, row: Row, of: int | None) -> str:
        return row.path.format(**row.target(self._console, of))

    async def ask(
        self, row: Row, role: Role, *, granted: bool, own: int | None = None, of: int | None = None
    ) -> httpx.Response:
        """The row's request by somebody of `role` in the unit `own`, about something in the unit `of`."""
        if row.method != "GET" and granted:
            return await self._person(role, own).post(self._path(row, of), **row.form)
        if (role, own) not in self._people:
            self._people[role, own] = self._person(role, own)
        if (id(row), of) not in self._paths:
            self._paths[id(row), of] = self._path(row, of)
        person, path = self._people[role, own], self._paths[id(row), of]
        return await (person.get(path) if row.method == "GET" else person.post(path, **row.form))


def some_of(roles: Iterable[Role], number: int, count: int) -> list[Role]:
    """So many of them, others for the next number: whether a role may is one table, which is tested as a whole."""
    every = sorted(roles)
    return [every[(number + n) % len(every)] for n in range(min(count, len(every)))]


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
    asking = Asking(console)
    wrong = []
    for number, row in enumerate(ROWS):
        opening = some_of(row.roles or Role, number, 3)
        for role in Role:
            allowed = row.roles is None or role in row.roles
            if allowed and role not in opening:
                continue
            answer = await asking.ask(row, role, granted=allowed)
            good = is_open(row, answer) if allowed else answer.status_code == 403
            if not good:
                wrong.append(f"{row.method} {row.path} as {role.value}: {answer.status_code}")
    assert wrong == []


async def test_what_belongs_to_another_unit_is_not_there(console: ConsoleDesk):
    places = build(console)
    asking = Asking(console)
    wrong = []
    for number, row in enumerate(ROWS):
        if not row.by_unit:
            continue
        for role in some_of(row.roles or (), number, 2):
            for of, seen in (
                (places.county, True),
                (places.station, True),
                (places.elsewhere, False),
                (None, False),
            ):
                answer = await asking.ask(row, role, granted=seen, own=places.county, of=of)
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
        person = console.person(min(row.roles or Role))
        path = row.path.format(**row.target(console, None))
        for token in ("", "0" * 32):
            answer = await person.client.post(path, data={**row.form, "csrf": token})
            if answer.status_code != 403:
                wrong.append(f"{row.path}: {answer.status_code}")
    assert wrong == []
