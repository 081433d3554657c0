"""Passkeys, by an authenticator of software: added, named, shown after the password, and in place of it."""

from __future__ import annotations

import hashlib
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field, replace

import cbor2
import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from dialer.core.access import Role
from dialer.db import tables as t
from dialer.org.passkeys import relying_party
from dialer.runtime.services import Application
from dialer.web.console import SESSION_COOKIE
from tests.console.desk import PASSWORD, ConsoleDesk, Person, form_csrf, text

HOME = "https://dialer.example.cn"
USER_PRESENT, USER_VERIFIED, HAS_KEY = 0x01, 0x04, 0x40


def b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(plain: str) -> bytes:
    return urlsafe_b64decode(plain + "=" * (-len(plain) % 4))


@dataclass(kw_only=True)
class Authenticator:
    """One passkey. Each attribute may be made wrong."""

    origin: str = HOME
    rp_id: str = "dialer.example.cn"
    verifies: bool = True
    counter: int = 0
    id: bytes = field(default_factory=lambda: os.urandom(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def create(self, options: dict[str, str]) -> str:
        public = self.key.public_key().public_numbers()
        x, y = public.x.to_bytes(32, "big"), public.y.to_bytes(32, "big")
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        data = self._data(HAS_KEY) + bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cose
        attested = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options["challenge"])
        return self._written({"clientDataJSON": b64(client), "attestationObject": b64(attested)})

    def get(self, options: dict[str, str]) -> str:
        client, data = self._client("webauthn.get", options["challenge"]), self._data()
        signed = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        answer = {"clientDataJSON": b64(client), "authenticatorData": b64(data), "signature": b64(signed)}
        return self._written(answer)

    def _data(self, flags: int = 0) -> bytes:
        flags |= USER_PRESENT | (USER_VERIFIED if self.verifies else 0)
        return hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _written(self, answer: dict[str, str]) -> str:
        return json.dumps(
            {
                "id": b64(self.id),
                "rawId": b64(self.id),
                "type": "public-key",
                "response": answer,
                "clientExtensionResults": {},
            }
        )


@pytest.fixture
def console(console_app: Application) -> ConsoleDesk:
    """At an address that passkeys can belong to."""
    settings = console_app.settings
    web = settings.web.model_copy(update={"console_url": HOME})
    return ConsoleDesk(replace(console_app, settings=settings.model_copy(update={"web": web})))


async def add(person: Person, key: Authenticator, *, name: str = "laptop") -> httpx.Response:
    asked = await person.post("/account/factors/passkey/ask")
    options = json.loads(asked.text)
    return await person.post("/account/factors/passkey", credential=key.create(options), name=name)


async def sign_in_by(client: httpx.AsyncClient, key: Authenticator) -> httpx.Response:
    csrf = form_csrf(await client.get("/sign-in"))
    asked = await client.post("/sign-in/passkey/ask", data={"csrf": csrf})
    assert SESSION_COOKIE not in client.cookies
    return await client.post(
        "/sign-in/passkey",
        data={"csrf": csrf, "credential": key.get(json.loads(asked.text)), "next": "/account"},
    )


async def after_password(client: httpx.AsyncClient, key: Authenticator) -> httpx.Response:
    csrf = form_csrf(await client.get("/sign-in"))
    await client.post("/sign-in", data={"csrf": csrf, "login": "clerk", "password": PASSWORD})
    page = await client.get("/sign-in/second")
    assert "data-passkey" in page.text
    csrf = form_csrf(page)
    asked = await client.post("/sign-in/second/passkey/ask", data={"csrf": csrf})
    credential = key.get(json.loads(asked.text))
    return await client.post("/sign-in/second/passkey", data={"csrf": csrf, "credential": credential})


async def test_a_passkey_is_added_named_and_removed(console: ConsoleDesk):
    teller, key = console.person(Role.TELLER), Authenticator()
    assert "Recovery codes" in text(await add(teller, key))
    [row] = console.rows(t.staff_factor)
    assert (row["name"], bytes(row["credential_id"])) == ("laptop", key.id)
    await teller.post(f"/account/factors/{row['id']}/name", name="office computer")
    assert "office computer" in text(await teller.get("/account/factors"))
    await teller.post(f"/account/factors/{row['id']}/remove")
    [kept] = console.rows(t.staff_factor)
    assert kept["id"] == row["id"], "the last one that the role needs"
    await add(teller, Authenticator())
    await teller.post(f"/account/factors/{row['id']}/remove")
    [other] = console.rows(t.staff_factor)
    assert other["id"] != row["id"]
    assert (await sign_in_by(console.stranger(), key)).status_code == 401


async def test_a_passkey_signs_in_without_a_password(console: ConsoleDesk):
    key, client = Authenticator(), console.stranger()
    await add(console.person(Role.CLERK), key)
    assert (await sign_in_by(client, key)).headers["location"] == "/account"
    assert (await client.get("/account")).status_code == 200
    assert console.audited("sign_in")[-1]["facts"]["how"] == "passkey"


async def test_a_passkey_is_a_second_factor(console: ConsoleDesk):
    key, client = Authenticator(verifies=False), console.stranger()
    await add(console.person(Role.CLERK), key)
    assert (await after_password(client, key)).status_code == 303
    assert (await client.get("/account")).status_code == 200


async def test_the_passkey_of_another_account_is_no_second_factor(console: ConsoleDesk):
    own, other = Authenticator(), Authenticator()
    await add(console.person(Role.CLERK), own)
    await add(console.person(Role.CALLER), other)
    assert (await after_password(console.stranger(), other)).status_code == 401


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://dialer.example.org"},
        {"rp_id": "evil.example"},
        {"verifies": False},
        {"key": ec.generate_private_key(ec.SECP256R1())},
        {"id": b"somebody else's passkey"},
    ],
)
async def test_what_does_not_fit_opens_nothing(console: ConsoleDesk, wrong: dict[str, object]):
    key, client = Authenticator(), console.stranger()
    await add(console.person(Role.CLERK), key)
    answer = await sign_in_by(client, replace(key, **wrong))
    assert answer.status_code == 401
    assert SESSION_COOKIE not in client.cookies
    assert len(console.audited("sign_in_failed")) == 1


async def test_an_answer_opens_once(console: ConsoleDesk):
    key, client = Authenticator(), console.stranger()
    await add(console.person(Role.CLERK), key)
    csrf = form_csrf(await client.get("/sign-in"))
    asked = await client.post("/sign-in/passkey/ask", data={"csrf": csrf})
    step = client.cookies["dialer_step"]
    form = {"csrf": csrf, "credential": key.get(json.loads(asked.text))}
    assert (await client.post("/sign-in/passkey", data=form)).status_code == 303
    copy = console.stranger()
    form["csrf"] = form_csrf(await copy.get("/sign-in"))
    copy.cookies.set("dialer_step", step)
    assert (await copy.post("/sign-in/passkey", data=form)).status_code == 401


async def test_a_copied_passkey_that_counts_is_noticed(console: ConsoleDesk):
    key = Authenticator(counter=5)
    await add(console.person(Role.CLERK), key)
    assert (await sign_in_by(console.stranger(), replace(key, counter=6))).status_code == 303
    assert (await sign_in_by(console.stranger(), replace(key, counter=6))).status_code == 401


async def test_nonsense_is_refused_in_words(console: ConsoleDesk):
    for credential in (
        "",
        "x",
        "{}",
        '{"rawId": 1}',
        "[]",
        "null",
        '{"rawId": "AA"}',
    ):
        clerk, client = console.person(Role.CLERK), console.stranger()
        await clerk.post("/account/factors/passkey/ask")
        assert (
            await clerk.post("/account/factors/passkey", credential=credential, name="x")
        ).status_code == 422
        csrf = form_csrf(await client.get("/sign-in"))
        await client.post("/sign-in/passkey/ask", data={"csrf": csrf})
        answer = await client.post("/sign-in/passkey", data={"csrf": csrf, "credential": credential})
        assert answer.status_code == 401


def test_passkeys_belong_to_a_name_under_https():
    assert relying_party("http://127.0.0.1:8000", name="x") is None
    assert relying_party("http://dialer.example.cn", name="x") is None
    local = relying_party("http://localhost:8000", name="x")
    assert local is not None
    assert (local.id, local.origin) == ("localhost", "http://localhost:8000")
