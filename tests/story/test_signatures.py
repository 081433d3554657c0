"""Webhooks as they come through a proxy that ends TLS: the public address is what was signed, whatever the proxy makes
of it. Verified or refused, never waved through.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence
from urllib.parse import urlencode

import httpx
import pytest
from twilio.request_validator import RequestValidator

from dialer.db import tables as t
from dialer.server.webhooks import hooks
from tests.server.switchboard import CONFIG, TOKEN, Switchboard

pytestmark = pytest.mark.story

PUBLIC = "https://calls.example.cn:8443"
INSIDE = "http://10.0.0.5:8000"
NEXT = "the-token-after-it"
BEHIND = dataclasses.replace(CONFIG, public_url=PUBLIC)
Form = Sequence[tuple[str, str]]


class Fields(dict[str, list[str]]):
    def getlist(self, name: str) -> list[str]:
        return self[name]


def sign(path: str, form: Form, *, token: str = TOKEN, public: str = PUBLIC) -> str:
    fields = Fields()
    for name, value in form:
        fields.setdefault(name, []).append(value)
    return str(RequestValidator(token).compute_signature(public + path, fields))


def send(board: Switchboard, path: str, form: Form, signature: str | None, *, config: object = BEHIND) -> int:
    """The proxy asks inside, in plain HTTP, under an address and with headers of its own."""
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Host": "10.0.0.5:8000",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "somebody.example.org",
    } | ({} if signature is None else {"X-Twilio-Signature": signature})

    async def run() -> int:
        transport = httpx.ASGITransport(hooks(board.services, config))  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url=INSIDE) as client:
            answer = await client.post(path, content=urlencode(form), headers=headers)
            return answer.status_code

    return asyncio.run(run())


@pytest.fixture
def ringing(board: Switchboard) -> tuple[Switchboard, str, Form]:
    attempt = board.call()
    form = (
        ("CallSid", f"CA{attempt.hex}"),
        ("CallStatus", "ringing"),
        ("SequenceNumber", "1"),
        ("StatusCallbackEvent", "ringing"),
        ("StatusCallbackEvent", "initiated"),
        ("To", "+8613900000001"),
    )
    return board, f"/hooks/status/{attempt}", form


Ringing = tuple[Switchboard, str, Form]


@pytest.mark.parametrize("public", [PUBLIC, "https://calls.example.cn"])
def test_the_public_address_counts_with_and_without_its_port_and_repeated_fields_all_do(
    ringing: Ringing, public: str
):
    board, path, form = ringing
    assert send(board, path, form, sign(path, form, public=public)) == 204
    assert send(board, path, form[:-2], sign(path, form)) == 403


@pytest.mark.parametrize("public", [INSIDE, "https://somebody.example.org", "http://calls.example.cn:8443"])
def test_what_was_signed_for_another_address_is_refused(ringing: Ringing, public: str):
    board, path, form = ringing
    assert send(board, path, form, sign(path, form, public=public)) == 403
    assert board.count(t.event) == 0


def test_in_a_rotation_the_next_token_is_good_and_a_third_is_not(ringing: Ringing):
    board, path, form = ringing
    rotating = dataclasses.replace(BEHIND, auth_token_next=NEXT)
    assert send(board, path, form, sign(path, form, token=NEXT)) == 403
    assert send(board, path, form, sign(path, form, token=NEXT), config=rotating) == 204
    assert send(board, path, form, sign(path, form, token="third"), config=rotating) == 403


def test_a_replay_is_answered_and_needs_no_record(ringing: Ringing):
    board, path, form = ringing
    signature = sign(path, form)
    assert [send(board, path, form, signature) for _ in range(3)] == [204] * 3
    assert board.count(t.event) == 1
    other = board.call()
    assert send(board, f"/hooks/status/{other}", form, signature) == 403


@pytest.mark.parametrize("token", ["", None])
def test_an_empty_token_opens_nothing(ringing: Ringing, token: str | None):
    board, path, form = ringing
    assert send(board, path, form, sign(path, form, token="")) == 403
    assert send(board, path, form, None) == 403
    empty = dataclasses.replace(BEHIND, auth_token_next=token)
    assert send(board, path, form, sign(path, form, token=""), config=empty) == 403
    assert board.count(t.event) == 0
