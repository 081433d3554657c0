"""A web process in this process, people who may sign in to it, and what its database holds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import httpx
import sqlalchemy as sa
from argon2 import PasswordHasher

from dialer.core.access import Role
from dialer.db.unit_of_work import Row
from dialer.runtime.services import Application
from dialer.server.application import create_app
from dialer.staff.sign_in import open_session
from dialer.staff.store import Member, insert_member
from dialer.web.console import SESSION_COOKIE, csrf_of_secret
from tests.audit_lines import audit_lines
from tests.clock import FrozenClock

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "one long sentence"

# Of the password above, cheaply: most tests sign nobody in by it.
_HASH = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)


@dataclass(kw_only=True)
class Person:
    """A member of staff with a browser."""

    member: Member
    client: httpx.AsyncClient
    token: str

    @property
    def csrf(self) -> str:
        return csrf_of_secret(self.token)

    async def get(self, path: str, **query: str | int) -> httpx.Response:
        return await self.client.get(path, params=query or None)

    async def post(self, path: str, **fields: str | int) -> httpx.Response:
        """The form, with its token."""
        return await self.client.post(path, data={"csrf": self.csrf} | fields)

    async def part(self, path: str, **query: str | int) -> httpx.Response:
        """As htmx asks."""
        return await self.client.get(path, params=query or None, headers={"HX-Request": "true"})


class ConsoleDesk:
    """`await console.person(Role.CLERK)` is signed in; `console.stranger()` is nobody."""

    def __init__(self, app: Application) -> None:
        self.app = app
        assert isinstance(app.services.clock, FrozenClock)
        self.clock = app.services.clock
        self.web = create_app(app)
        self._transport = httpx.ASGITransport(app=self.web, raise_app_exceptions=False)
        self._clients: list[httpx.AsyncClient] = []
        self._people: dict[tuple[Role, int | None], Person] = {}

    def stranger(self) -> httpx.AsyncClient:
        client = httpx.AsyncClient(transport=self._transport, base_url="http://test")
        self._clients.append(client)
        return client

    def account(
        self,
        role: Role,
        *,
        login: str = "",
        unit_id: int | None = None,
        language: str = "en",
        must_change: bool = False,
    ) -> Member:
        """A new account whose password is `PASSWORD`."""
        with self.app.services.store.begin() as tx:
            member = insert_member(
                tx,
                login=login or role.value + ("" if unit_id is None else f"-{unit_id}"),
                display_name=role.value.title(),
                password_hash=_HASH,
                role=role,
                unit_id=unit_id,
                language=language,
                must_change=must_change,
                by="test",
                real_now=self.clock.now(),
            )
        assert member is not None
        return member

    def signed_in(self, member: Member) -> Person:
        """A browser with a session of this account."""
        with self.app.services.store.begin() as tx:
            token = open_session(tx, self.app.services, member, address="127.0.0.1")
        client = self.stranger()
        name = f"{SESSION_COOKIE}_practice" if self.app.services.practice else SESSION_COOKIE
        client.cookies.set(name, token, domain="test.local")
        return Person(member=member, client=client, token=token)

    def person(self, role: Role, *, unit_id: int | None = None) -> Person:
        """The same one for the same role and unit; English."""
        if (role, unit_id) not in self._people:
            self._people[role, unit_id] = self.signed_in(self.account(role, unit_id=unit_id))
        return self._people[role, unit_id]

    def rows(self, table: sa.Table) -> list[Row]:
        with self.app.services.store.begin() as tx:
            return tx.rows(sa.select(table).order_by(table.c.id))

    def audited(self, act: str) -> list[Row]:
        return [row for row in audit_lines(self.app.services.store) if row["act"] == act]

    def pass_seconds(self, seconds: float) -> None:
        self.clock.advance(seconds)

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


def text(answer: httpx.Response) -> str:
    """What a person reads: no tags, one space between words."""
    body = re.sub(r"(?s)<(script|style|head).*?</\1>", " ", answer.text)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def form_csrf(answer: httpx.Response) -> str:
    """The token of the page's first form."""
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', answer.text)
    assert found is not None
    return found[1]
