"""API tokens: administrators of the whole centre ask, security administrators confirm, either revokes."""

from __future__ import annotations

from collections.abc import Mapping

from dialer.core.access import Role, unrestricted
from dialer.db import tables as t
from dialer.org.tokens import ask_token
from dialer.staff.sign_in import add_token
from tests.console.desk import ConsoleDesk
from tests.console.row import Row

_ASKS = frozenset({Role.ADMINISTRATOR})
_CONFIRMS = frozenset({Role.SECURITY_ADMINISTRATOR})


def _request(desk: ConsoleDesk, _unit_id: int | None) -> Mapping[str, object]:
    number = len(desk.rows(t.staff))
    asker = desk.account(Role.ADMINISTRATOR, login=f"asker{number}")
    desk.account(Role.SECURITY_ADMINISTRATOR, login=f"second{number}")
    request_id = ask_token(
        desk.app.services,
        unrestricted(asker.login),
        name=f"bank{number}",
        scopes=["cases:read"],
        days=30,
        unit="",
        why="接入",
    )
    return {"number": request_id}


def _token(desk: ConsoleDesk, _unit_id: int | None) -> Mapping[str, object]:
    name = f"used{len(desk.rows(t.api_token))}"
    add_token(desk.app.services, unrestricted("test"), name=name, scopes=["cases:read"], days=30, unit="")
    return {"name": name}


ROWS = (
    Row("GET", "/tokens", _ASKS | _CONFIRMS),
    Row("POST", "/tokens", _ASKS, form={"name": "x"}, refused=422),
    Row("POST", "/tokens/requests/{number}/confirm", _CONFIRMS, _request),
    Row("POST", "/tokens/requests/{number}/refuse", _ASKS | _CONFIRMS, _request),
    Row("POST", "/tokens/{name}/revoke", _ASKS | _CONFIRMS, _token),
)
