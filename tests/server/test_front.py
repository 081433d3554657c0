"""The addresses of webhooks, and what is refused before it is read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, urlencode

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette

from dialer.core.errors import Invalid
from dialer.server.webhooks import form_fields, hooks
from tests.server.switchboard import CONFIG, PUBLIC, Switchboard, status


def _asked(
    board: Switchboard,
    ask: Callable[[httpx.AsyncClient], Awaitable[httpx.Response]],
    count: Callable[[str, int], None] = lambda _hook, _status: None,
) -> httpx.Response:
    async def run() -> httpx.Response:
        web = Starlette(routes=[hooks(board.services, CONFIG, count=count)])
        async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url=PUBLIC) as client:
            return await ask(client)

    return asyncio.run(run())


@pytest.mark.parametrize(
    "path",
    ["/hooks/", "/hooks/other/x", "/hooks/status", "/hooks/status/", "/hooks/status/x/y", "/hooks/call/x/1"],
)
def test_an_address_that_no_webhook_has_is_not_found(board: Switchboard, path: str) -> None:
    assert _asked(board, lambda client: client.post(path)).status_code == 404


def test_a_webhook_is_posted(board: Switchboard) -> None:
    assert _asked(board, lambda client: client.get(f"/hooks/status/{board.call()}")).status_code == 405


def test_every_answer_is_counted_under_its_hook(board: Switchboard) -> None:
    counted: list[tuple[str, int]] = []
    path, form = status(board.call(), "ringing", "1")
    _asked(board, lambda client: client.post(path, data=dict(form)), lambda *one: counted.append(one))
    assert counted == [("status", 403)]


def test_one_that_breaks_off_is_refused_and_nothing_is_kept(board: Switchboard) -> None:
    attempt_id = board.call()
    sent: list[dict[str, Any]] = []
    parts = [{"type": "http.request", "body": b"CallSid=CA", "more_body": True}, {"type": "http.disconnect"}]
    scope = {
        "type": "http",
        "method": "POST",
        "path": f"/hooks/status/{attempt_id}",
        "query_string": b"",
        "headers": [],
    }

    async def receive() -> Any:  # noqa: ANN401  # as ASGI's
        return parts.pop(0)

    async def send(message: Any) -> None:  # noqa: ANN401  # as ASGI's
        sent.append(message)

    asyncio.run(hooks(board.services, CONFIG)(scope, receive, send))
    assert sent[0]["status"] == 400
    assert board.events(attempt_id) == []


@pytest.mark.parametrize("body", [b"a=%00", b"%00=b", b"a=b\0"])
def test_a_character_that_no_database_keeps_is_refused(board: Switchboard, body: bytes) -> None:
    path, _form = status(board.call(), "ringing", "1")
    assert _asked(board, lambda client: client.post(path, content=body)).status_code == 400


def _pairs(text: str) -> list[tuple[str, str]]:
    return parse_qsl(text, keep_blank_values=True)


TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@given(st.lists(st.tuples(TEXTS, TEXTS)), st.booleans())
def test_a_form_is_read_as_the_standard_library_reads_it(fields: list[tuple[str, str]], plain: bool):
    text = urlencode(fields, quote_via=quote if plain else quote_plus)
    assert form_fields(text.encode()) == _pairs(text)


@given(st.text("ab=&%+é2F;", max_size=40))
def test_so_is_a_form_that_nobody_should_send(text: str):
    assert form_fields(text.encode()) == _pairs(text)


def test_a_nul_in_a_form_is_refused():
    for text in (b"a=\0", b"a=%00", b"%00=a"):
        with pytest.raises(Invalid):
            form_fields(text)
