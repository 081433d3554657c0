"""Signing in: who is let in, who is blocked, what ends a session, what the audit keeps."""

from __future__ import annotations

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest

from dialer.core.access import Role, StaffChangeKind, unrestricted
from dialer.db import tables as t
from dialer.org.account_changes import change_alone
from dialer.org.accounts import add_staff
from dialer.staff.devices import known_device, remember_device
from dialer.staff.passwords import SignInBusy, SignInLimit, is_password_outdated, is_password_right, sign_ins
from dialer.staff.sign_in import SignInBlocked, SignInRefused
from dialer.staff.sign_in import sign_in as sign_in_of_org
from dialer.web.console import SESSION_COOKIE
from tests.console.desk import PASSWORD, ConsoleDesk, form_csrf, text


async def sign_in(
    client: httpx.AsyncClient, login: str, password: str = PASSWORD, **more: str
) -> httpx.Response:
    page = await client.get("/sign-in")
    for cookie in client.cookies.jar:
        cookie.secure = False  # as behind a proxy that the browser reaches by https
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
    cookies = entered.headers.get_list("set-cookie")
    assert len(cookies) >= 3
    for cookie in cookies:
        # What a browser asks of such a name: over https, for this host and all its pages.
        assert re.match(r"__Host-dialer_\w+=", cookie)
        assert {"Secure", "Path=/", "HttpOnly"} <= set(cookie.split("; "))
        assert "Domain" not in cookie


async def test_a_page_of_another_site_whose_name_leads_here_reads_nothing(console: ConsoleDesk):
    """DNS rebinding: it could read the figures and guess passwords from inside the network."""
    client = console.stranger()
    for path in ("/sign-in", "/status", "/metrics", "/phone", "/nothing"):
        answer = await client.get(path, headers={"Host": "evil.example"})
        assert (answer.status_code, "web.hosts" in answer.text) == (421, True), path
    for path in ("/health/live", "/api/v1/openapi.json"):
        assert (await client.get(path, headers={"Host": "evil.example"})).status_code == 200, path
    assert (await client.get("/sign-in", headers={"Host": "10.0.0.5:8000"})).status_code == 200


async def test_over_https_a_session_that_another_host_could_have_set_is_none(console: ConsoleDesk):
    """Of the name alone a host of the same domain, or somebody on the network, sets a cookie."""
    console.account(Role.CLERK, login="wang")
    client = console.stranger()
    await sign_in(client, "wang")
    token = client.cookies[SESSION_COOKIE]
    for name, status in ((SESSION_COOKIE, 303), (f"__Host-{SESSION_COOKIE}", 200)):
        headers = {"X-Forwarded-Proto": "https", "Cookie": f"{name}={token}"}
        assert (await console.stranger().get("/account", headers=headers)).status_code == status, name
    plain = {"Cookie": f"__Host-{SESSION_COOKIE}={token}"}
    assert (await console.stranger().get("/account", headers=plain)).status_code == 303


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


async def test_five_failures_make_the_address_wait_and_time_ends_it(console: ConsoleDesk):
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
    console.pass_seconds(1)
    assert (await sign_in(client, "wang")).status_code == 303
    assert console.rows(t.staff)[0]["locked_until"] is None


def attempt(
    console: ConsoleDesk,
    password: str,
    *,
    login: str = "wang",
    address: str = "10.0.0.9",
    device: str = "",
) -> str:
    """What one try came to."""
    try:
        sign_in_of_org(console.app.services, login=login, password=password, address=address, device=device)
    except (SignInRefused, SignInBlocked, SignInBusy) as refused:
        return type(refused).__name__
    return "entered"


def test_of_sixty_guesses_at_once_five_are_looked_at(console: ConsoleDesk):
    console.account(Role.CLERK, login="wang")
    with ThreadPoolExecutor(8) as threads:
        said = Counter(threads.map(lambda number: attempt(console, f"guess {number}"), range(60)))
    assert said["SignInRefused"] == 5
    assert said["SignInBlocked"] == 55
    assert len(console.audited("sign_in_failed")) == 5
    assert attempt(console, PASSWORD) == "SignInBlocked"


def test_guesses_from_elsewhere_shut_nobody_out(console: ConsoleDesk):
    mine = console.account(Role.ADMINISTRATOR, login="wang")
    other = console.account(Role.CLERK, login="li")
    for number in range(8):
        for _ in range(5):
            attempt(console, "wrong", address=f"203.0.113.{number}")
    assert attempt(console, PASSWORD, address="203.0.113.1") == "SignInBlocked"
    assert attempt(console, PASSWORD, address="10.0.0.9") == "SignInBlocked", (
        "a browser never seen before waits"
    )
    services = console.app.services
    cookie = remember_device(services, remember_device(services, "", other), mine)
    assert known_device(services, cookie, other)
    assert attempt(console, PASSWORD, address="10.0.0.9", device=cookie) == "entered"
    forged = cookie.replace(cookie[-1], "0" if cookie[-1] != "0" else "1")
    assert known_device(services, "x" * 2000 + cookie, mine) == known_device(services, "a.b_c..", mine) == ""
    alien = cookie.split("_")[1].replace(f"{other.id}.", f"{mine.id}.", 1)
    for wrong in ("", forged, alien):
        assert attempt(console, PASSWORD, address="10.0.0.8", device=wrong) == "SignInBlocked"


def test_of_a_hundred_guesses_from_a_hundred_addresses_twenty_are_looked_at(console: ConsoleDesk):
    console.account(Role.SUPERVISOR, login="wang")
    said = Counter(attempt(console, f"guess {n}", address=f"203.0.113.{n}") for n in range(100))
    assert said == {"SignInRefused": 20, "SignInBlocked": 80}
    console.clock.advance(901)
    assert attempt(console, PASSWORD, address="203.0.113.1") == "entered"


def test_a_browser_that_was_seen_before_has_guesses_of_its_own_and_no_more(console: ConsoleDesk):
    mine = console.account(Role.SUPERVISOR, login="wang")
    cookie = remember_device(console.app.services, "", mine)
    said = Counter(attempt(console, "wrong", address=f"203.0.113.{n}", device=cookie) for n in range(30))
    assert said == {"SignInRefused": 20, "SignInBlocked": 10}
    assert attempt(console, PASSWORD, address="10.0.0.9") == "entered"


async def test_a_browser_that_signs_in_is_remembered(console: ConsoleDesk):
    mine = console.account(Role.SUPERVISOR, login="wang")
    client = console.stranger()
    page = await client.get("/sign-in")
    await client.post("/sign-in", data={"csrf": form_csrf(page), "login": "wang", "password": PASSWORD})
    cookie = client.cookies["dialer_device"]
    assert known_device(console.app.services, cookie, mine)
    for number in range(100):
        attempt(console, "wrong", address=f"203.0.113.{number}")
    client.cookies.delete("dialer_session")
    page = await client.get("/sign-in")
    data = {"csrf": form_csrf(page), "login": "wang", "password": PASSWORD}
    assert (await client.post("/sign-in", data=data)).status_code == 303


def test_a_new_password_ends_the_wait(console: ConsoleDesk):
    console.account(Role.CLERK, login="wang")
    for _ in range(5):
        attempt(console, "wrong")
    assert attempt(console, PASSWORD) == "SignInBlocked"
    kind, services = StaffChangeKind.RESET_PASSWORD, console.app.services
    given = change_alone(services, unrestricted("admin"), kind, "wang", why="忘记密码")
    assert given is not None
    assert attempt(console, given.password) == "entered"


def test_a_sign_in_without_room_is_refused_at_once():
    queue = SignInLimit(most=3, most_of_one=2)
    with queue.place("a"), queue.place("a"):
        with pytest.raises(SignInBusy), queue.place("a"):
            pass
        with queue.place("b"), pytest.raises(SignInBusy), queue.place("c"):
            pass
    with queue.place("a"):
        pass


async def test_a_busy_service_says_so_and_when_to_come_again(console: ConsoleDesk):
    console.account(Role.CLERK, login="wang")
    client = console.stranger()
    with ExitStack() as places:
        for number in range(12):
            places.enter_context(sign_ins.place(f"10.0.0.{number}"))
        answer = await sign_in(client, "wang")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "同时登录的人太多" in text(answer)
    assert (await sign_in(client, "wang")).status_code == 303


async def test_a_password_goes_by_https_or_stays_on_the_machine(console: ConsoleDesk):
    console.account(Role.CLERK, login="wang")
    client = console.stranger()
    client.headers["X-Forwarded-For"] = "10.0.0.5"
    refused = await sign_in(client, "wang")
    assert refused.status_code == 403
    assert "https" in text(refused)
    assert console.audited("sign_in") == []
    client.headers["X-Forwarded-Proto"] = "https"
    entered = await sign_in(client, "wang")
    assert entered.status_code == 303
    assert entered.headers["Strict-Transport-Security"] == "max-age=31536000"


async def test_only_a_proxy_of_ours_says_that_it_was_https(console: ConsoleDesk):
    console.account(Role.CLERK, login="wang")
    transport = httpx.ASGITransport(app=console.web, client=("10.0.0.5", 4000))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        client.headers["X-Forwarded-Proto"] = "https"
        refused = await sign_in(client, "wang")
    assert refused.status_code == 403
    assert "Strict-Transport-Security" not in refused.headers


async def test_a_given_password_expires(console: ConsoleDesk):
    given = add_staff(
        console.app.services,
        unrestricted("admin"),
        login="wang",
        display_name="Wang",
        role=Role.CLERK,
        unit_id=None,
        language="en",
    )
    assert (await sign_in(console.stranger(), "wang", given.password)).status_code == 303
    console.pass_seconds(86_401)
    late = await sign_in(console.stranger(), "wang", given.password)
    assert late.status_code == 401
    assert "已过期" in text(late)


async def test_the_oldest_of_too_many_sessions_ends(console: ConsoleDesk):
    member = console.account(Role.CLERK)
    browsers = []
    for _ in range(6):
        browsers.append(console.signed_in(member))
        console.pass_seconds(1)
    assert [(await browser.get("/account")).status_code for browser in browsers] == [
        303,
        200,
        200,
        200,
        200,
        200,
    ]


async def test_one_ends_another_of_the_own_sessions(console: ConsoleDesk):
    member, other = console.account(Role.CLERK), console.person(Role.CALLER)
    here, there = console.signed_in(member), console.signed_in(member)
    ids = {row["id"]: row["staff_id"] for row in console.rows(t.staff_session)}
    of_other = next(one for one, owner in ids.items() if owner == other.member.id)
    assert (await here.post(f"/account/sessions/{of_other}/end")).status_code == 404
    assert (await here.post(f"/account/sessions/{max(ids)}/end")).status_code == 303
    assert (await there.get("/account")).status_code == 303
    assert (await here.get("/account")).status_code == 200
    assert (await other.get("/account")).status_code == 200


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
    asked = {"HX-Request": "true", "Referer": "http://test/cases/7?look=all"}
    answer = await console.stranger().get("/cases/7/look-back", headers=asked)
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/sign-in?next=%2Fcases%2F7%3Flook%3Dall", (
        "the page, not its part"
    )
