"""Changing a password, given passwords, and the link of the first administrator."""

from __future__ import annotations

import pytest

from dialer.cli.serve import print_first_link
from dialer.core.access import Role
from dialer.core.errors import Invalid
from dialer.db import tables as t
from dialer.org.accounts import make_first_link
from dialer.staff.passwords import check_password, is_password_right, temporary_password
from dialer.web.console import SESSION_COOKIE
from tests.console.desk import PASSWORD, ConsoleDesk, form_csrf, text

NEW = "another long sentence"


async def test_a_given_password_must_be_changed_first(console: ConsoleDesk):
    fresh = console.signed_in(console.account(Role.CLERK, must_change=True))
    sent = await fresh.get("/account")
    assert (sent.status_code, sent.headers["location"]) == (303, "/account/password")
    assert "given out by an administrator" in text(await fresh.get("/account/password"))
    changed = await fresh.post("/account/password", old=PASSWORD, new=NEW, again=NEW)
    assert (changed.status_code, changed.headers["location"]) == (303, "/help/tour")
    assert (await fresh.client.get("/account")).status_code == 200
    [row] = console.rows(t.staff)
    assert is_password_right(NEW, row["password_hash"])
    assert not row["must_change"]


async def test_a_new_password_ends_the_other_sessions_and_the_old_cookie(console: ConsoleDesk):
    member = console.account(Role.CLERK)
    here, there = console.signed_in(member), console.signed_in(member)
    changed = await here.post("/account/password", old=PASSWORD, new=NEW, again=NEW)
    assert changed.headers["location"] == "/"
    assert here.client.cookies[SESSION_COOKIE] != here.token
    assert (await there.get("/account")).status_code == 303
    assert len(console.audited("password_change")) == 1


async def test_an_error_is_shown_beside_its_field(console: ConsoleDesk):
    for fields, said in (
        ({"old": "wrong", "new": NEW, "again": NEW}, "is not the present password"),
        ({"old": PASSWORD, "new": NEW, "again": "x"}, "is not the same as the new password"),
        ({"old": PASSWORD, "new": "short", "again": "short"}, "is shorter than 10 characters"),
        ({"old": PASSWORD, "new": PASSWORD, "again": PASSWORD}, "is the old one"),
        ({"old": PASSWORD, "new": "clerk-clerk-1", "again": "clerk-clerk-1"}, "contains the login"),
    ):
        clerk = console.person(Role.CLERK)
        answer = await clerk.post("/account/password", **fields)
        assert answer.status_code == 422
        assert said in text(answer)
        assert not console.audited("password_change")


async def test_the_old_password_cannot_be_guessed_from_an_open_session(console: ConsoleDesk):
    clerk = console.person(Role.CLERK)
    for _ in range(5):
        await clerk.post("/account/password", old="guess", new=NEW, again=NEW)
    answer = await clerk.post("/account/password", old=PASSWORD, new=NEW, again=NEW)
    assert "too many failed sign-ins" in text(answer)


async def test_the_first_administrator_is_made_by_a_link_that_works_once(console: ConsoleDesk):
    token = make_first_link(console.app.services, seconds=3600)
    client = console.stranger()
    page = await client.get(f"/first/{token}")
    fields = {
        "csrf": form_csrf(page),
        "login": "Wang",
        "display_name": "王 主任",
        "password": NEW,
        "again": NEW,
    }
    made = await client.post(f"/first/{token}", data=fields)
    assert made.status_code == 303
    assert (await client.get("/account")).status_code == 200
    [row] = console.rows(t.staff)
    assert (row["login"], row["role"], row["unit_id"]) == ("wang", "administrator", None)
    assert (await console.stranger().get(f"/first/{token}")).status_code == 404
    assert make_first_link(console.app.services, seconds=3600) is None


async def test_a_second_link_replaces_the_first_and_time_ends_it(console: ConsoleDesk):
    first = make_first_link(console.app.services, seconds=3600)
    second = make_first_link(console.app.services, seconds=3600)
    assert (await console.stranger().get(f"/first/{first}")).status_code == 404
    assert (await console.stranger().get(f"/first/{second}")).status_code == 200
    console.pass_seconds(3601)
    assert (await console.stranger().get(f"/first/{second}")).status_code == 404


async def test_a_mistake_does_not_use_the_link_up(console: ConsoleDesk):
    token = make_first_link(console.app.services, seconds=3600)
    client = console.stranger()
    page = await client.get(f"/first/{token}")
    fields = {"csrf": form_csrf(page), "login": "王", "display_name": "x", "password": NEW, "again": NEW}
    refused = await client.post(f"/first/{token}", data=fields)
    assert refused.status_code == 422
    assert "账号格式不对" in text(refused)
    assert (await client.get(f"/first/{token}")).status_code == 200


def test_the_first_start_prints_the_link_and_no_later_one_does(
    console: ConsoleDesk, capsys: pytest.CaptureFixture[str]
):
    print_first_link(console.app)
    assert "/first/" in capsys.readouterr().err
    console.account(Role.ADMINISTRATOR)
    print_first_link(console.app)
    assert capsys.readouterr().err == ""


def test_temporary_passwords_are_fit_and_differ():
    made = {temporary_password() for _ in range(50)}
    assert len(made) == 50
    for one in made:
        check_password(one, login="wang")


def test_a_long_or_dull_password_is_refused():
    for bad in ("x" * 201, "aaaaaaaaaaaa"):
        with pytest.raises(Invalid):
            check_password(bad, login="wang")


@pytest.mark.parametrize(
    "bad",
    [
        "password1234",
        "qwertyuiop1",
        "王强王强王强96110",
        "wang qiang 1988",
        "8647896110 hello there",
        "巴彦淖尔市公安局反诈中心2026",
        "+86 478 961-10 xyzzy",
    ],
)
def test_what_others_guess_is_refused(bad: str):
    words = ["王强", "Wang Qiang", "巴彦淖尔市公安局", "0478", "96110", "+8647896110"]
    with pytest.raises(Invalid):
        check_password(bad, login="wang.q", words=words)


@pytest.mark.parametrize("good", ["one long sentence", "茶壶 在 河边 唱歌 七遍", "kettle-rainbow-orbit"])
def test_several_words_are_good(good: str):
    check_password(good, login="wang.q", words=["王强", "96110"])


def test_nobody_has_no_password():
    assert not is_password_right("", None)
    assert not is_password_right(PASSWORD, "not a hash")
