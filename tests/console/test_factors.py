"""Second factors: codes of an app, recovery codes, and the step between the password and the session."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pyotp
import pytest

from dialer.core.access import Role, StaffChangeKind, unrestricted
from dialer.core.errors import NotFound
from dialer.db import tables as t
from dialer.org.account_changes import change_alone
from dialer.org.factors import finish_with_code
from dialer.runtime.services import Application
from dialer.staff.sign_in import FactorNeeded, SignInBlocked, SignInRefused, complete_sign_in, sign_in
from dialer.staff.store import find_member
from dialer.web.console import SESSION_COOKIE, STEP_COOKIE
from tests.console.desk import PASSWORD, ConsoleDesk, Person, form_csrf, text


def code_of(console: ConsoleDesk, secret: str, *, later: int = 0) -> str:
    return pyotp.TOTP(secret).at(int(console.clock.now().timestamp()) + later)


async def set_up(console: ConsoleDesk, person: Person) -> tuple[str, list[str]]:
    """An app for this person: its key, and the recovery codes."""
    page = await person.get("/account/factors/app")
    found = re.search(r'class="key">([A-Z2-7 ]+)<', page.text)
    assert found is not None
    secret = found[1].replace(" ", "")
    done = await person.post("/account/factors/app", code=code_of(console, secret))
    assert done.status_code == 200, text(done)
    codes = re.findall(r"<li>([a-z0-9-]{19})</li>", done.text)
    assert len(codes) == 10
    return secret, codes


async def first_step(client: httpx.AsyncClient, login: str) -> httpx.Response:
    page = await client.get("/sign-in")
    return await client.post(
        "/sign-in", data={"csrf": form_csrf(page), "login": login, "password": PASSWORD, "next": "/account"}
    )


async def second_step(client: httpx.AsyncClient, code: str) -> httpx.Response:
    page = await client.get("/sign-in/second")
    csrf = form_csrf(page)
    return await client.post("/sign-in/second", data={"csrf": csrf, "code": code, "next": "/account"})


async def test_the_password_alone_opens_nothing_any_more(console: ConsoleDesk):
    secret, _ = await set_up(console, console.person(Role.CLERK))
    console.pass_seconds(60)
    client = console.stranger()
    sent = await first_step(client, "clerk")
    assert sent.headers["location"] == "/sign-in/second?next=%2Faccount"
    assert STEP_COOKIE in client.cookies
    assert SESSION_COOKIE not in client.cookies
    for path in ("/account", "/lists", "/cases", "/account/password", "/account/factors"):
        assert (await client.get(path)).headers["location"].startswith("/sign-in?")
    assert (await client.get("/")).headers["location"] == "/sign-in"
    typed = "".join(chr(ord(digit) + 0xFEE0) for digit in code_of(console, secret))
    entered = await second_step(client, typed)  # as a Chinese keyboard may type it
    assert entered.headers["location"] == "/account"
    assert STEP_COOKIE not in client.cookies
    assert (await client.get("/account")).status_code == 200
    assert console.audited("sign_in")[-1]["facts"]["how"] == "totp"


async def test_a_step_token_is_no_session_and_ends(console: ConsoleDesk):
    secret, _ = await set_up(console, console.person(Role.CLERK))
    client = console.stranger()
    await first_step(client, "clerk")
    forged = console.stranger()
    forged.cookies.set(SESSION_COOKIE, client.cookies[STEP_COOKIE])
    assert (await forged.get("/account")).status_code == 303
    console.pass_seconds(301)
    late = await client.get("/sign-in/second")
    assert late.headers["location"] == "/sign-in"
    with pytest.raises(NotFound):
        finish_with_code(
            console.app.services,
            token=client.cookies[STEP_COOKIE],
            code=code_of(console, secret),
            address="10.0.0.9",
        )


def enter(console: ConsoleDesk, code: str, *, address: str = "10.0.0.9") -> str:
    """Password and code; what they came to."""
    services = console.app.services
    step = sign_in(services, login="clerk", password=PASSWORD, address=address)
    assert isinstance(step, FactorNeeded)
    try:
        finish_with_code(services, token=step.token, code=code, address=address)
    except (SignInRefused, SignInBlocked) as refused:
        return type(refused).__name__
    return "entered"


async def test_a_code_opens_once_also_of_many_at_the_same_time(console: ConsoleDesk):
    secret, _ = await set_up(console, console.person(Role.CLERK))
    assert enter(console, code_of(console, secret)) == "SignInRefused"  # the setting up has used it
    console.pass_seconds(60)
    code = code_of(console, secret)
    with ThreadPoolExecutor(4) as threads:
        said = list(threads.map(lambda number: enter(console, code, address=f"10.0.1.{number}"), range(4)))
    assert sorted(said) == ["SignInRefused", "SignInRefused", "SignInRefused", "entered"]
    assert enter(console, code_of(console, secret, later=-30)) == "SignInRefused"
    assert enter(console, code_of(console, secret, later=30)) == "entered"


async def test_codes_cannot_be_guessed_by_one_who_has_the_password(console: ConsoleDesk):
    secret, _ = await set_up(console, console.person(Role.CLERK))
    console.pass_seconds(60)
    said = [enter(console, "000000") for _ in range(6)]
    assert said == ["SignInRefused"] * 5 + ["SignInBlocked"]
    others = [enter(console, "000000", address=f"10.0.2.{number // 4}") for number in range(20)]
    assert others.count("SignInRefused") == 15  # twenty at one login; one that waits uses up none
    assert enter(console, code_of(console, secret), address="10.0.3.1") == "SignInBlocked"
    console.pass_seconds(901)
    assert enter(console, code_of(console, secret), address="10.0.3.1") == "entered"


async def test_a_recovery_code_opens_once_and_is_stored_as_a_hash(console: ConsoleDesk):
    _, codes = await set_up(console, console.person(Role.CLERK))
    rows = console.rows(t.staff_recovery_code)
    assert all(codes[0].replace("-", "").encode() not in bytes(row["code_hash"]) for row in rows)
    assert enter(console, codes[0].upper().replace("-", " ")) == "entered"
    assert enter(console, codes[0]) == "SignInRefused"
    assert enter(console, codes[1]) == "entered"
    assert [line["facts"]["count"] for line in console.audited("recovery_code_used")] == [9, 8]


async def test_new_recovery_codes_replace_the_old_ones(console: ConsoleDesk):
    clerk = console.person(Role.CLERK)
    _, old = await set_up(console, clerk)
    page = await clerk.post("/account/factors/codes")
    new = re.findall(r"<li>([a-z0-9-]{19})</li>", page.text)
    assert enter(console, old[0]) == "SignInRefused"
    assert enter(console, new[0]) == "entered"


async def test_the_key_is_sealed_and_shown_until_it_is_confirmed_only(console: ConsoleDesk):
    clerk = console.person(Role.CLERK)
    secret, _ = await set_up(console, clerk)
    [row] = console.rows(t.staff_factor)
    assert secret.encode() not in bytes(row["secret"])
    assert secret not in str(console.audited("factor_add"))
    again = await clerk.get("/account/factors/app")
    assert again.status_code == 422
    assert secret not in again.text.replace(" ", "")


async def test_a_wrong_code_sets_nothing_up(console: ConsoleDesk):
    clerk = console.person(Role.CLERK)
    await clerk.get("/account/factors/app")
    answer = await clerk.post("/account/factors/app", code="000000")
    assert answer.status_code == 422
    assert "does not fit" in text(answer)
    assert console.rows(t.staff_factor)[0]["confirmed_at"] is None
    assert (await first_step(console.stranger(), "clerk")).headers["location"] == "/account"


async def test_a_new_factor_ends_the_other_sessions(console: ConsoleDesk):
    member = console.account(Role.CLERK)
    here, there = console.signed_in(member), console.signed_in(member)
    await set_up(console, here)
    assert (await there.get("/account")).status_code == 303
    assert (await here.get("/account")).status_code == 200


async def test_removal_and_reset_are_audited_and_end_the_recovery_codes(console_app: Application):
    console = with_grace(console_app, 3_600)
    teller = console.person(Role.TELLER)
    await set_up(console, teller)
    [factor] = console.rows(t.staff_factor)
    other = console.person(Role.CALLER)
    assert (await other.post(f"/account/factors/{factor['id']}/remove")).status_code == 404
    assert (await teller.post(f"/account/factors/{factor['id']}/remove")).status_code == 303
    assert (console.rows(t.staff_factor), console.rows(t.staff_recovery_code)) == ([], [])
    await set_up(console, teller)
    second = console.person(Role.SECURITY_ADMINISTRATOR)
    sent = await console.person(Role.ADMINISTRATOR).post("/accounts/teller/factors/reset", why="lost")
    assert sent.status_code == 303
    assert (await teller.get("/account")).status_code == 200
    number = console.rows(t.staff_change)[-1]["id"]
    assert (await second.post(f"/account-changes/{number}/confirm")).status_code == 303
    assert (await teller.get("/account")).status_code == 303
    assert (console.rows(t.staff_factor), console.rows(t.staff_recovery_code)) == ([], [])
    assert [line["who"] for line in console.audited("factor_reset")] == ["administrator"]
    assert [line["who"] for line in console.audited("factor_remove")] == ["teller"]


@pytest.fixture
def strict(console_app: Application) -> ConsoleDesk:
    """Clerks need a second factor, at once."""
    return with_grace(console_app, 0)


def with_grace(app: Application, seconds: float) -> ConsoleDesk:
    needs = replace(
        app.services.sessions,
        second_factor_roles=frozenset({Role.CLERK}),
        second_factor_grace_seconds=seconds,
    )
    return ConsoleDesk(replace(app, services=replace(app.services, sessions=needs)))


async def test_each_page_says_until_when_a_factor_may_be_missing(console_app: Application):
    desk = with_grace(console_app, 3_600)
    member = desk.account(Role.CLERK)

    async def entered() -> Person:
        client = desk.stranger()
        assert (await first_step(client, "clerk")).headers["location"] == "/account"
        return Person(member=member, client=client, token=client.cookies[SESSION_COOKIE])

    clerk = await entered()
    # The board fills the screen, and is for everybody in the room.
    for path, says in (("/lists", True), ("/cases", True), ("/board", False), ("/account", True)):
        page = await clerk.get(path)
        assert (page.status_code, "no second factor yet" in text(page)) == (200, says), path
    desk.pass_seconds(1_700)
    clerk = await entered()
    desk.pass_seconds(1_700)
    assert (await clerk.get("/lists")).status_code == 200
    desk.pass_seconds(201)  # an hour after the first sign-in, not after the last
    for person in (clerk, await entered()):
        assert (await person.get("/lists")).headers["location"] == "/account/factors"
        assert "needs a second factor" in text(await person.get("/account/factors"))
    await set_up(desk, person)
    assert "no second factor yet" not in text(await person.get("/lists"))
    other = desk.person(Role.CALLER)
    assert "no second factor yet" not in text(await other.get("/cases"))


async def test_a_factor_that_was_reset_gives_no_new_time(console_app: Application):
    desk = with_grace(console_app, 3_600)
    clerk = desk.person(Role.CLERK)
    with desk.app.services.store.begin() as tx:
        complete_sign_in(tx, desk.app.services, clerk.member, address="desk", how="password")
    await set_up(desk, clerk)
    desk.pass_seconds(3_601)
    change_alone(desk.app.services, unrestricted("shell"), StaffChangeKind.RESET_FACTORS, "clerk", why="遗失")
    with desk.app.services.store.begin() as tx:
        again = find_member(tx, "clerk")
    assert again is not None
    fresh = desk.signed_in(again)
    assert (await fresh.get("/lists")).headers["location"] == "/account/factors"


async def test_a_role_that_needs_a_factor_gets_nothing_before(strict: ConsoleDesk):
    clerk = strict.person(Role.CLERK)
    for path in ("/account", "/lists", "/cases", "/board", "/board/live"):
        sent = await clerk.get(path)
        assert (sent.status_code, sent.headers["location"]) == (303, "/account/factors"), path
    assert (await clerk.post("/lists/upload")).status_code != 200
    page = await clerk.get("/account/factors")
    assert "needs a second factor" in text(page)
    assert 'href="/lists"' not in page.text
    await set_up(strict, clerk)
    assert (await clerk.get("/lists")).status_code == 200
    [factor] = strict.rows(t.staff_factor)
    kept = await clerk.post(f"/account/factors/{factor['id']}/remove")
    assert kept.status_code == 422
    assert len(strict.rows(t.staff_factor)) == 1
    assert (await strict.person(Role.CALLER).get("/cases")).status_code == 200


async def test_a_given_password_is_changed_before_the_factor_is_set_up(strict: ConsoleDesk):
    fresh = strict.signed_in(strict.account(Role.CLERK, must_change=True))
    assert (await fresh.get("/account/factors")).headers["location"] == "/account/password"


async def test_an_old_session_changes_no_factor(console: ConsoleDesk):
    clerk = console.person(Role.CLERK)
    secret, _ = await set_up(console, clerk)
    [factor] = console.rows(t.staff_factor)
    console.pass_seconds(601)
    page = await clerk.get("/account/factors")
    assert "during the ten minutes after signing in" in text(page)
    assert "/remove" not in page.text
    assert "/account/factors/codes" not in page.text
    assert (await clerk.get("/account/factors/app")).headers["location"] == "/account/factors"
    code = code_of(console, secret)
    for path, fields in (
        ("app", {"code": code}),
        ("passkey/ask", {}),
        ("passkey", {"credential": "{}"}),
        ("codes", {}),
        (f"{factor['id']}/remove", {}),
    ):
        refused = await clerk.post(f"/account/factors/{path}", **fields)
        assert refused.status_code == 409, path
        assert "Sign in again" in text(refused), path
    assert console.rows(t.staff_factor) == [factor]
    sent = await clerk.post("/account/factors/sign-in")
    assert sent.headers["location"] == "/sign-in?next=%2Faccount%2Ffactors"
    assert (await clerk.get("/account")).status_code == 303
