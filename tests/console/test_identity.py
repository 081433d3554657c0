"""Sign-in with the centre's own identity: a provider of OpenID Connect, and client certificates behind a proxy."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from dialer.core.access import Role
from dialer.db import tables as t
from dialer.runtime.sections import IdentitySettings
from dialer.runtime.services import Application
from dialer.web.console import SESSION_COOKIE
from tests.clock import FrozenClock
from tests.console.desk import ConsoleDesk, form_csrf, text
from tests.console.provider import CLIENT, SECRET
from tests.console.test_factors import set_up


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with subprocess.Popen(
        [sys.executable, Path(__file__).with_name("provider.py")], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.kill()


def desk_with(app: Application, **identity: object) -> ConsoleDesk:
    """A console whose clock is right: tokens of the provider are of this moment."""
    clock = FrozenClock(datetime.now(UTC))
    settings = app.settings
    web = settings.web.model_copy(update={"console_url": "http://localhost:8000"})
    changed = settings.model_copy(update={"identity": IdentitySettings(**identity), "web": web})
    services = replace(app.services, clock=clock, real=clock)
    return ConsoleDesk(replace(app, settings=changed, services=services))


@pytest.fixture
def console(console_app: Application, issuer: str) -> ConsoleDesk:
    httpx.get(issuer + "/lie", params={"claims": "{}"})
    return desk_with(
        console_app,
        oidc_issuer=issuer,
        oidc_client_id=CLIENT,
        oidc_client_secret=SecretStr(SECRET),
        oidc_name="市局统一认证",
    )


async def go_there(client: httpx.AsyncClient) -> dict[str, str]:
    """What the provider sends the browser back with."""
    sent = await client.get("/sign-in/identity", params={"next": "/account?x=1"})
    async with httpx.AsyncClient() as browser:
        back = await browser.get(sent.headers["location"])
    return {name: values[0] for name, values in parse_qs(urlsplit(back.headers["location"]).query).items()}


async def test_the_provider_opens_an_existing_account(console: ConsoleDesk):
    console.account(Role.CLERK, login="wang")
    client = console.stranger()
    assert "市局统一认证" in text(await client.get("/sign-in"))
    entered = await client.get("/sign-in/identity/back", params=await go_there(client))
    assert (entered.status_code, entered.headers["location"]) == (303, "/account?x=1")
    assert (await client.get("/account")).status_code == 200
    assert console.audited("sign_in")[-1]["facts"]["how"] == "identity provider"


async def test_an_unknown_or_disabled_login_opens_and_makes_nothing(console: ConsoleDesk):
    client = console.stranger()
    answer = await client.get("/sign-in/identity/back", params=await go_there(client))
    assert answer.status_code == 401
    assert console.rows(t.staff) == []
    member = console.account(Role.CLERK, login="wang")
    with console.app.services.store.begin() as tx:
        tx.execute(t.staff.update().where(t.staff.c.id == member.id).values(disabled_at=console.clock.now()))
    answer = await client.get("/sign-in/identity/back", params=await go_there(client))
    assert answer.status_code == 401
    assert "没有账号" in text(answer)


async def test_an_answer_is_good_once_for_the_browser_that_asked(console: ConsoleDesk):
    console.account(Role.CLERK, login="wang")
    here, there = console.stranger(), console.stranger()
    back = await go_there(here)
    assert (await there.get("/sign-in/identity/back", params=back)).status_code == 401
    assert (await here.get("/sign-in/identity/back", params=back)).status_code == 303
    again = console.stranger()
    assert (await again.get("/sign-in/identity/back", params=back)).status_code == 401


async def test_another_state_or_code_opens_nothing(console: ConsoleDesk):
    console.account(Role.CLERK, login="wang")
    for wrong in ({"state": "x"}, {"state": ""}, {"code": "x"}, {"code": ""}):
        client = console.stranger()
        back = await go_there(client) | wrong
        assert (await client.get("/sign-in/identity/back", params=back)).status_code == 401, wrong
        assert SESSION_COOKIE not in client.cookies


async def test_a_token_that_is_not_for_us_opens_nothing(console: ConsoleDesk, issuer: str):
    console.account(Role.CLERK, login="wang")
    for lie in (
        {"iss": "http://127.0.0.1:1"},
        {"aud": "another client"},
        {"aud": ["dialer", "another"]},
        {"aud": ["dialer", "another"], "azp": "another"},
        {"aud": ["dialer"], "azp": "another"},
        {"azp": "another"},
        {"exp": 1_700_000_000},
        {"nonce": "another"},
        {"key": "another"},
        {"preferred_username": ["wang"]},
    ):
        async with httpx.AsyncClient() as teller:
            await teller.get(issuer + "/lie", params={"claims": json.dumps(lie)})
        client = console.stranger()
        answer = await client.get("/sign-in/identity/back", params=await go_there(client))
        assert answer.status_code == 401, lie


@pytest.mark.parametrize("claims", [{"aud": [CLIENT]}, {"aud": [CLIENT, "another"], "azp": CLIENT}])
async def test_the_audience_may_be_a_list(console: ConsoleDesk, issuer: str, claims: dict[str, object]):
    console.account(Role.CLERK, login="wang")
    async with httpx.AsyncClient() as teller:
        await teller.get(issuer + "/lie", params={"claims": json.dumps(claims)})
    client = console.stranger()
    answer = await client.get("/sign-in/identity/back", params=await go_there(client))
    assert answer.status_code == 303


async def test_a_provider_that_is_down_is_named(console_app: Application):
    console = desk_with(console_app, oidc_issuer="http://127.0.0.1:9", oidc_client_id=CLIENT)
    answer = await console.stranger().get("/sign-in/identity")
    assert answer.status_code == 503
    assert "统一身份认证" in text(answer)


async def test_the_second_factor_of_the_account_is_asked_for_all_the_same(console: ConsoleDesk):
    clerk = console.signed_in(console.account(Role.CLERK, login="wang"))
    await set_up(console, clerk)
    client = console.stranger()
    sent = await client.get("/sign-in/identity/back", params=await go_there(client))
    assert sent.headers["location"].startswith("/sign-in/second")
    assert SESSION_COOKIE not in client.cookies


PROXY = {"X-Client-Subject": "CN=wang,OU=反诈中心,O=公安局", "X-Client-Verify": "SUCCESS"}


async def by_certificate(client: httpx.AsyncClient, headers: dict[str, str]) -> httpx.Response:
    csrf = form_csrf(await client.get("/sign-in"))
    raw = {name: value.encode() for name, value in headers.items()}
    return await client.post("/sign-in/certificate", data={"csrf": csrf}, headers=raw)


async def test_a_certificate_that_the_proxy_verified_opens_its_account(console_app: Application):
    console = desk_with(console_app, certificate_header="X-Client-Subject")
    console.account(Role.CLERK, login="wang")
    client = console.stranger()
    assert (await by_certificate(client, PROXY | {"X-Client-Subject": "CN=wang,O=PSB"})).status_code == 303
    assert console.audited("sign_in")[-1]["facts"]["how"] == "certificate"


async def test_any_other_certificate_opens_nothing(console_app: Application):
    console = desk_with(console_app, certificate_header="X-Client-Subject")
    console.account(Role.CLERK, login="wang")
    for headers in (
        {"X-Client-Subject": "CN=wang"},
        {"X-Client-Subject": "CN=wang", "X-Client-Verify": "FAILED"},
        {"X-Client-Subject": "CN=nobody", "X-Client-Verify": "SUCCESS"},
        {"X-Client-Subject": "CN=wang,CN=root", "X-Client-Verify": "SUCCESS"},
        {"X-Client-Subject": "O=wang", "X-Client-Verify": "SUCCESS"},
        {"X-Client-Subject": "wang", "X-Client-Verify": "SUCCESS"},
        {"X-Client-Verify": "SUCCESS"},
    ):
        client = console.stranger()
        assert (await by_certificate(client, headers)).status_code == 401, headers
        assert SESSION_COOKIE not in client.cookies


async def test_headers_of_anybody_but_a_proxy_of_ours_are_not_read(console_app: Application):
    console = desk_with(console_app, certificate_header="X-Client-Subject")
    console.account(Role.CLERK, login="wang")
    transport = httpx.ASGITransport(app=console.web, client=("10.0.0.5", 4000))
    async with httpx.AsyncClient(transport=transport, base_url="https://test") as client:
        assert (await by_certificate(client, PROXY)).status_code == 401
