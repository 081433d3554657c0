"""The own account, signing in, the first administrator: who may open what."""

from __future__ import annotations

from dialer.core.access import Role
from dialer.org.accounts import make_first_link
from tests.console.desk import ConsoleDesk
from tests.console.row import EVERYBODY, OPEN, Row


def _link(desk: ConsoleDesk, _unit_id: int | None) -> dict[str, object]:
    """With accounts about, no link is good: the page is open to all and shows nothing to anybody."""
    return {"token": make_first_link(desk.app.services, seconds=60) or "none"}


def _nothing(_desk: ConsoleDesk, _unit_id: int | None) -> dict[str, object]:
    """A session and a second factor of nobody."""
    return {"session_id": 987_654, "factor_id": 987_654}


ROWS = (
    Row("GET", "/", OPEN),
    Row("GET", "/sign-in", OPEN),
    Row("POST", "/sign-in", OPEN, form={"login": "x", "password": "y"}, refused=401),
    Row("POST", "/sign-out", OPEN),
    Row("POST", "/language", OPEN, form={"lang": "en"}),
    Row("GET", "/first/{token}", OPEN, target=_link, refused=404),
    Row("POST", "/first/{token}", OPEN, target=_link, refused=422),
    Row("GET", "/sign-in/second", OPEN),
    Row("POST", "/sign-in/second", OPEN, refused=401),
    Row("POST", "/sign-in/second/passkey/ask", OPEN, refused=409),
    Row("POST", "/sign-in/second/passkey", OPEN, refused=409),
    Row("POST", "/sign-in/passkey/ask", OPEN, refused=409),
    Row("POST", "/sign-in/passkey", OPEN, refused=409),
    Row("GET", "/sign-in/identity", OPEN, refused=404),
    Row("GET", "/sign-in/identity/back", OPEN, refused=404),
    Row("POST", "/sign-in/certificate", OPEN, refused=404),
    Row("GET", "/account", EVERYBODY),
    Row("POST", "/account/sessions/{session_id}/end", EVERYBODY, target=_nothing, refused=404),
    Row("GET", "/account/factors", EVERYBODY),
    Row("GET", "/account/factors/app", EVERYBODY),
    Row("POST", "/account/factors/app", EVERYBODY, refused=404),
    Row("POST", "/account/factors/passkey/ask", EVERYBODY, refused=409),
    Row("POST", "/account/factors/passkey", EVERYBODY, refused=409),
    Row("POST", "/account/factors/codes", EVERYBODY, refused=409),
    Row("POST", "/account/factors/sign-in", EVERYBODY, refused=303),  # to the sign-in page
    Row(
        "POST",
        "/account/factors/{factor_id}/name",
        EVERYBODY,
        target=_nothing,
        form={"name": "x"},
        refused=404,
    ),
    Row("POST", "/account/factors/{factor_id}/remove", EVERYBODY, target=_nothing, refused=404),
    Row("POST", "/account/sessions/end", EVERYBODY),
    Row("GET", "/account/password", EVERYBODY),
    Row("POST", "/account/password", EVERYBODY, refused=422),
)
assert frozenset(Role) == EVERYBODY
