"""Every parameter of every address with values that fit nowhere: refused, ignored or kept, never a fault of ours. The
addresses and their parameters are read from the routes themselves.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Mount, Route

from dialer.core.access import Role, unrestricted
from dialer.server.application import declarations
from dialer.staff.sign_in import add_token
from dialer.warnings.deliveries import NAMES
from tests.console.desk import ConsoleDesk
from tests.console.row import Row, every_row
from tests.seeds import seeds

pytestmark = pytest.mark.long

VALUES: dict[str, bytes] = {
    "5,000 digits": b"9" * 5_000,
    "NUL": b"a\0b",
    "half a surrogate pair": b"\xed\xa0\x80",
    "no UTF-8": b"\xff\xfe",
    "long": "长".encode() * 10_000,
    "negative": b"-1",
    "2**63": b"9223372036854775808",
    "largest": b"9223372036854775807",
    "%00": b"%00",
    "full-width digits": "１２３".encode(),
    "no number": b"nan",
    "infinite": b"1e999",
    "a date far off": b"9999-12-31T23:59:59+14:00",
    "a date long ago": b"0001-01-01",
}
ROWS = every_row()
LONGEST_ADDRESS = 20_000
EACH, SOME = 6, 1
"""How many of them a parameter is given, chosen by the seed; and one whose name was tried before."""


@dataclass(frozen=True)
class Parameters:
    path: tuple[str, ...]
    query: tuple[str, ...]
    form: tuple[str, ...]


def routes(of: Any) -> Iterator[tuple[str, BaseRoute]]:  # noqa: ANN401 - anything with routes
    """Each with the whole of its address."""

    def within(some: list[BaseRoute], prefix: str) -> Iterator[tuple[str, BaseRoute]]:
        for route in some:
            if isinstance(route, Mount):
                yield from within(list(route.routes), prefix + route.path)
            elif isinstance(route, Route):
                yield prefix + route.path, route

    yield from within(of.routes, "")


def parameters_of(route: APIRoute) -> Parameters:
    def names(fields: list[Any]) -> tuple[str, ...]:
        found: list[str] = []
        for field in fields:
            inner = getattr(field.field_info.annotation, "model_fields", None)
            found += [item.alias or name for name, item in inner.items()] if inner else [field.alias]
        return tuple(found)

    all_of_it, found = [route.dependant], []
    while all_of_it:
        found.append(all_of_it.pop())
        all_of_it += found[-1].dependencies
    return Parameters(
        names([path_param for each in found for path_param in each.path_params]),
        names([query_param for each in found for query_param in each.query_params]),
        names([body_param for each in found for body_param in each.body_params]),
    )


def parameters(console: ConsoleDesk) -> dict[tuple[str, str], Parameters]:
    return {
        (method, path): parameters_of(route)
        for path, route in routes(console.web)
        if isinstance(route, APIRoute)
        for method in route.methods
    }


class Tried:
    """Requests to the rows of the table, each by somebody who may. The first parameter of a name is given several
    values, and those of the same name elsewhere, which the same code reads, fewer. `make fuzz` draws others each time.
    """

    def __init__(self, console: ConsoleDesk, seed: int) -> None:
        self.console = console
        self.failed: list[str] = []
        self.count = self.people = 0
        self._seen: set[tuple[str, str]] = set()
        self._random = random.Random(seed)  # a choice, not a secret

    def values(self, kind: str, name: str) -> list[tuple[str, bytes]]:
        number = SOME if (kind, name) in self._seen else EACH
        self._seen.add((kind, name))
        return self._random.sample(sorted(VALUES.items()), number)

    async def row(self, row: Row, parts: Parameters) -> None:
        self.people += 1
        role = Role.SUPERVISOR if row.roles is None or Role.SUPERVISOR in row.roles else min(row.roles)
        member = self.console.account(role, login=f"u{self.people}")
        target = {name: str(value) for name, value in row.target(self.console, None).items()}
        assert set(parts.path) <= set(re.findall(r"{(\w+)", row.path))
        form = {name: value.encode() for name, value in row.form.items()}
        names = [("path", name) for name in re.findall(r"{(\w+)", row.path)]
        names += [("query", name) for name in parts.query]
        if row.method == "POST":
            names += [("form", name) for name in dict.fromkeys([*parts.form, *row.form])]
        tried = [(kind, name, *one) for kind, name in names for one in self.values(kind, name)]
        person = None
        for kind, name, what, value in tried:
            person = person or self.console.signed_in(member)
            form["csrf"] = person.csrf.encode()
            path, sent = row.path.format(**target), form
            match kind:
                case "path" if quote(value):
                    parted = {part: quote(text, safe="") for part, text in (target | {name: value}).items()}
                    path = row.path.format(**parted)
                case "path":
                    continue
                case "query":
                    path += f"?{urlencode({name: value})}"
                case _:
                    sent = form | {name: value}
            if await self.ask(person.client, row.method, path, sent, f"{name}: {what}"):
                person = None

    async def ask(
        self, client: httpx.AsyncClient, method: str, path: str, form: dict[str, bytes], what: str
    ) -> bool:
        """Whether the session has ended."""
        if len(path) > LONGEST_ADDRESS:
            return False
        self.count += 1
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if method == "POST" else {}
        answer = await client.request(
            method, path, content=urlencode(form) if method == "POST" else None, headers=headers
        )
        if answer.status_code >= 500:
            self.failed.append(f"{method} {path[:80]} {what}: {answer.status_code}")
        return answer.headers.get("location", "").startswith("/sign-in")


@seeds(4)
async def test_no_parameter_of_a_page_is_a_fault_of_ours(console: ConsoleDesk, seed: int):
    known, tried = parameters(console), Tried(console, seed)
    for row in [row for row in ROWS if "live" not in row.path and "stream" not in row.path][seed % 4 :: 4]:
        await tried.row(row, known[row.method, row.path])
    assert "\n".join(tried.failed) == ""
    assert tried.count > 150


async def test_a_unit_of_five_thousand_digits_is_refused(console: ConsoleDesk):
    person = console.person(Role.SUPERVISOR)
    for unit in ("9" * 5_000, "9" * 19):
        assert (await person.get("/cases", unit=unit)).status_code == 422


async def test_no_parameter_of_the_api_is_a_fault_of_ours(console: ConsoleDesk):
    scopes = ("warnings:write", "cases:read", "report:read")
    token = add_token(console.app.services, unrestricted("test"), name="a", scopes=scopes, days=30, unit="")
    client = console.stranger()
    client.headers["Authorization"] = f"Bearer {token.secret}"
    failed, count = [], 0

    def note(answer: httpx.Response, what: str) -> None:
        nonlocal count
        count += 1
        console.pass_seconds(1)
        if answer.status_code >= 500 or answer.status_code == 429:
            failed.append(f"{what}: {answer.status_code}")

    described = (await client.get("/api/v1/openapi.json")).json()
    for path, methods in described["paths"].items():
        for about in methods.values():
            for one in about.get("parameters", ()):
                for what, value in VALUES.items():
                    at = "/api/v1" + re.sub(
                        r"{\w+}", quote(value, safe="") if one["in"] == "path" else "1", path
                    )
                    if one["in"] == "query":
                        at += f"?{urlencode({one['name']: value})}"
                    if len(at) < LONGEST_ADDRESS:
                        note(await client.get(at), f"{path} {one['name']} {what}")
    given: list[Any] = [
        value.decode("utf-8", "surrogatepass") for what, value in VALUES.items() if what != "no UTF-8"
    ]
    given += [-1, 2**63, 10**4000, 1e308, float("nan"), [], {}, [[1]], {"a": 1}, True, None]
    for name in sorted(NAMES):
        for value in given:
            body = json.dumps({"phones": "13800138000"} | {name: value}).replace("Infinity", "1e999")
            headers = {"Content-Type": "application/json"}
            note(
                await client.post("/api/v1/warnings", content=body, headers=headers),
                f"{name} {ascii(value)[:20]}",
            )
    assert "\n".join(failed) == ""
    assert count > 200


async def test_other_addresses_take_anything(console: ConsoleDesk):
    person, failed = console.person(Role.OFFICER), []
    pages = {path for path, _ in [(page.path, 0) for page in declarations()]}
    for path, route in routes(console.web):
        if path in pages or isinstance(route, APIRoute):
            continue
        for what, value in VALUES.items():
            parts = quote(value, safe="")
            at = re.sub(r"{[^}]+}", parts, path) if "{" in path else f"{path}?x={parts}"
            if len(at) > LONGEST_ADDRESS:
                continue
            for method in sorted((route.methods or set()) - {"HEAD"}):  # type: ignore[attr-defined]
                answer = await person.client.request(method, at)
                if answer.status_code >= 500 and not path.startswith("/health"):
                    failed.append(f"{method} {path} {what}: {answer.status_code}")
    assert "\n".join(failed) == ""
