"""Signing in: who is let in, who is blocked, what ends a session, what the audit keeps."""

from __future__ import annotations

import httpx
import pytest

from dialer.core.access import Role
from dialer.db import tables as t
from dialer.org import staff as passwords
from dialer.org.staff import SignInBlocked, SignInRefused, is_password_outdated, is_password_right
from dialer.org.staff import sign_in as sign_in_of_org
from dialer.web.console import SESSION_COOKIE
from tests.console.desk import PASSWORD, ConsoleDesk, form_csrf, text


async def sign_in(
    client: httpx.AsyncClient, login: str, password: str = PASSWORD, **more: str
) -> httpx.Response:
    page = await client.get("/sign-in")
    data = {"csrf": form_csrf(page), "login": login, "password": password} | more
    return await client.post("/sign-in", data=data)


async def test_a_stranger_is_sent_to_the_sign_in_page_and_back_to_the_page_asked_for(console: ConsoleDesk):
    console.account(Role.ADMINISTRATOR, login="wang")
    client = console.stranger()
    sent = await client.get("/account?x=1")
    assert sent.status_code == 303
    assert sent.headers["location"] == "/sign-in?next=%2Faccount%3Fx%3D1"
    entered = await sign_in(client, "wang", next="/account?x=1")
    assert (entered.status_code, entered.headers["location"]) == (303, "/account?x=1")
    assert (await client.get("/account")).status_code == 200


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "/\\evil.example", "x"])
async def test_nobody_is_sent_to_another_site(console: ConsoleDesk, elsewhere: str):
    console.account(Role.AUDITOR, login="wang")
    entered = await sign_in(console.stranger(), "wang", next=elsewhere)
    assert entered.headers["location"].startswith("/")
    assert "evil" not in entered.headers["location"]


async def test_the_cookie_is_for_us_alone_and_new_at_each_sign_in(console: ConsoleDesk):
    console.account(Role.CLERK, login="wang")
    client = console.stranger()
    client.cookies.set(SESSION_COOKIE, "chosen-by-somebody-else")
    entered = await sign_in(client, "wang")
    cookie = next(c for c in entered.headers.get_list("set-cookie") if c.startswith(SESSION_COOKIE))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    assert "chosen-by-somebody-else" not in cookie


async def test_behind_https_the_cookie_never_goes_out_in_clear(console: ConsoleDesk):
    console.account(Role.CLERK, login="wang")
    client = console.stranger()
    client.headers["X-Forwarded-Proto"] = "https"
    entered = await sign_in(client, "wang")
    assert all("Secure" in cookie for cookie in entered.headers.get_list("set-cookie"))


async def test_only_hashes_are_stored(console: ConsoleDesk):
    console.account(Role.CLERK, login="wang")
    client = console.stranger()
    await sign_in(client, "wang")
    token = client.cookies[SESSION_COOKIE]
    [session] = console.rows(t.staff_session)
    assert token.encode() not in bytes(session["token_hash"])
    assert len(token) >= 43
    assert console.rows(t.staff)[0]["password_hash"].startswith("$argon2id$")


async def test_a_weak_hash_is_made_anew_at_sign_in(console: ConsoleDesk):
    console.account(Role.CLERK, login="wang")
    before = console.rows(t.staff)[0]["password_hash"]
    assert is_password_outdated(before)
    await sign_in(console.stranger(), "WANG ")
    after = console.rows(t.staff)[0]["password_hash"]
    assert not is_password_outdated(after)
    assert is_password_right(PASSWORD, after)


@pytest.mark.parametrize(("login", "password"), [("wang", "wrong"), ("nobody", PASSWORD), ("", "")])
async def test_a_wrong_password_and_an_unknown_login_look_the_same(
    console: ConsoleDesk, login: str, password: str
):
    console.account(Role.CLERK, login="wang")
    answer = await sign_in(console.stranger(), login, password)
    assert answer.status_code == 401
    assert "账号或密码不正确" in text(answer)
    assert SESSION_COOKIE not in answer.cookies
    [line] = console.audited("sign_in_failed")
    assert line["who"] in {"wang", "?"}
    assert "nobody" not in str(line)


async def test_a_disabled_account_does_not_open(console: ConsoleDesk):
    member = console.account(Role.CLERK, login="wang")
    with console.app.services.store.begin() as tx:
        tx.execute(t.staff.update().where(t.staff.c.id == member.id).values(disabled_at=console.clock.now()))
    assert (await sign_in(console.stranger(), "wang")).status_code == 401


async def test_five_failures_lock_the_login_and_time_opens_it(console: ConsoleDesk):
    console.account(Role.CLERK, login="wang")
    client = console.stranger()
    for _ in range(5):
        assert (await sign_in(client, "wang", "wrong")).status_code == 401
    locked = await sign_in(client, "wang")
    assert locked.status_code == 429
    assert "10:15" in text(locked)
    assert console.rows(t.staff)[0]["locked_until"] is not None
    assert len(console.audited("sign_in_locked")) == 1
    console.pass_seconds(899)
    assert (await sign_in(client, "wang")).status_code == 429
    console.pass_seconds(2)
    assert (await sign_in(client, "wang")).status_code == 303
    assert console.rows(t.staff)[0]["locked_until"] is None


async def test_a_right_guess_among_many_at_once_opens_nothing(
    console: ConsoleDesk, monkeypatch: pytest.MonkeyPatch
):
    console.account(Role.CLERK, login="wang")
    is_right = is_password_right

    def enter(password: str) -> None:
        rules = console.app.settings.console.rules()
        sign_in_of_org(console.app.services, rules, login="wang", password=password, address="10.0.0.9")

    def fails_first(password: str, stored: str | None) -> bool:
        """While this one is looked at, others fail that were let in as well."""
        monkeypatch.setattr(passwords, "is_password_right", is_right)
        for _ in range(console.app.settings.console.failures):
            with pytest.raises(SignInRefused):
                enter("wrong")
        return is_right(password, stored)

    monkeypatch.setattr(passwords, "is_password_right", fails_first)
    with pytest.raises(SignInBlocked):
        enter(PASSWORD)
    assert console.audited("sign_in") == []


async def test_failures_apart_in_time_lock_nobody(console: ConsoleDesk):
    console.account(Role.CLERK, login="wang")
    client = console.stranger()
    for _ in range(6):
        assert (await sign_in(client, "wang", "wrong")).status_code == 401
        console.pass_seconds(400)


async def test_one_address_trying_many_logins_is_stopped(console: ConsoleDesk):
    console.account(Role.CLERK, login="wang")
    client = console.stranger()
    for number in range(20):
        assert (await sign_in(client, f"guess{number}", "wrong")).status_code == 401
    assert (await sign_in(client, "wang")).status_code == 429


async def test_an_idle_session_has_ended_and_says_so(console: ConsoleDesk):
    clerk = console.person(Role.CLERK)
    console.pass_seconds(1799)
    assert (await clerk.get("/account")).status_code == 200
    console.pass_seconds(1799)
    assert (await clerk.get("/account")).status_code == 200
    console.pass_seconds(1801)
    sent = await clerk.get("/account")
    assert sent.status_code == 303
    assert "长时间未操作" in text(await clerk.client.get("/sign-in"))


async def test_a_session_ends_after_a_shift_however_busy(console: ConsoleDesk):
    clerk = console.person(Role.CLERK)
    for _ in range(28):
        console.pass_seconds(1500)
        assert (await clerk.get("/account")).status_code == 200
    console.pass_seconds(1300)
    assert (await clerk.get("/account")).status_code == 303


async def test_after_signing_out_a_copy_of_the_cookie_opens_nothing(console: ConsoleDesk):
    clerk = console.person(Role.CLERK)
    assert (await clerk.post("/sign-out")).status_code == 303
    copy = console.stranger()
    copy.cookies.set(SESSION_COOKIE, clerk.token)
    assert (await copy.get("/account")).status_code == 303
    assert [line["who"] for line in console.audited("sign_out")] == ["clerk"]


async def test_signing_out_everywhere_ends_every_browser(console: ConsoleDesk):
    member = console.account(Role.CLERK)
    here, there = console.signed_in(member), console.signed_in(member)
    assert "127.0.0.1" in text(await here.get("/account"))
    await here.post("/account/sessions/end")
    assert (await there.get("/account")).status_code == 303


async def test_htmx_is_sent_to_the_sign_in_page_whole(console: ConsoleDesk):
    answer = await console.stranger().get("/account", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/sign-in?next=%2Faccount"
