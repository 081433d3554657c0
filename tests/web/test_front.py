"""Webhooks stand before the web framework: what is theirs, what is refused unread, and what goes on to the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, quote_plus

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from dialer.errors import Invalid
from dialer.web.hooks import Hooks, form_fields
from tests.web.switchboard import CONFIG, PUBLIC, Switchboard, status

_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


async def _elsewhere(scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


def _asked(
    board: Switchboard,
    ask: Callable[[httpx.AsyncClient], Awaitable[httpx.Response]],
    count: Callable[[str, int], None] = lambda _hook, _status: None,
) -> httpx.Response:
    async def run() -> httpx.Response:
        hooks = Hooks(board.engine, CONFIG, otherwise=_elsewhere, count=count)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(hooks), base_url=PUBLIC) as client:
            return await ask(client)

    return asyncio.run(run())


@pytest.mark.parametrize("path", ["/", "/hooks", "/health/live", "/api/v1/warnings", "/hook/call/x"])
def test_what_is_no_webhook_is_somebody_else_s(board: Switchboard, path: str) -> None:
    answer = _asked(board, lambda client: client.post(path))
    assert (answer.status_code, answer.text) == (299, path)


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
    _asked(board, lambda client: client.get(path), lambda *one: counted.append(one))
    assert counted == [("status", 403), ("status", 405)]


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

    asyncio.run(Hooks(board.engine, CONFIG)(scope, receive, send))
    assert sent[0]["status"] == 400
    assert board.events(attempt_id) == []


@given(st.lists(st.tuples(_TEXT, _TEXT)))
def test_a_form_is_read_as_the_standard_library_reads_it(pairs: list[tuple[str, str]]) -> None:
    body = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs)
    assert form_fields(body.encode()) == parse_qsl(body, keep_blank_values=True)


@given(st.text(st.sampled_from("ab=&+%20C3é"), max_size=30))
@example("%00")
def test_a_form_that_is_badly_written_too(body: str) -> None:
    pairs = parse_qsl(body, keep_blank_values=True)
    if any("\0" in name + value for name, value in pairs):
        with pytest.raises(Invalid):
            form_fields(body.encode())
    else:
        assert form_fields(body.encode()) == pairs


@pytest.mark.parametrize("body", [b"a=%00", b"%00=b", b"a=b\0"])
def test_a_character_that_no_database_keeps_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid):
        form_fields(body)
