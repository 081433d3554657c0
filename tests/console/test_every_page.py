"""What every page has: security headers, forms of our own only, plain words for errors."""

from __future__ import annotations

import re

import pytest

from dialer.core.access import Role
from dialer.web.console import FORM_COOKIE, csrf_of_secret
from tests.console.desk import ConsoleDesk, form_csrf, text


@pytest.mark.parametrize("path", ["/sign-in", "/nowhere", "/account"])
async def test_every_answer_has_the_headers(console: ConsoleDesk, path: str):
    answer = await console.stranger().get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"


async def test_no_page_has_a_script_or_a_style_in_it(console: ConsoleDesk):
    clerk = console.person(Role.CLERK)
    for path in ("/sign-in", "/account", "/account/password", "/nowhere"):
        body = (await clerk.get(path)).text
        assert "<style" not in body
        assert "style=" not in body
        assert "onclick" not in body
        assert "<script>" not in body


async def test_a_form_from_another_site_is_refused_even_with_a_token(console: ConsoleDesk):
    clerk = console.person(Role.CLERK)
    answer = await clerk.client.post(
        "/sign-out", data={"csrf": clerk.csrf}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403
    assert (await clerk.get("/account")).status_code == 200


async def test_the_token_of_one_browser_is_no_good_in_another(console: ConsoleDesk):
    member = console.account(Role.CLERK)
    here, there = console.signed_in(member), console.signed_in(member)
    assert (await here.client.post("/sign-out", data={"csrf": there.csrf})).status_code == 403


async def test_htmx_may_send_the_token_as_a_header(console: ConsoleDesk):
    clerk = console.person(Role.CLERK)
    headers = {"X-CSRF-Token": clerk.csrf, "HX-Request": "true"}
    answer = await clerk.client.post("/language", data={"lang": "zh"}, headers=headers)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/")


async def test_what_is_not_there_is_a_page_in_plain_words_in_the_own_language(console: ConsoleDesk):
    stranger = await console.stranger().get("/nowhere")
    assert stranger.status_code == 404
    assert "页面不存在" in text(stranger)
    clerk = await console.person(Role.CLERK).get("/nowhere")
    assert "There is nothing here" in text(clerk)
    assert "Clerk" in text(clerk)


async def test_a_wrong_method_and_a_broken_form_are_no_fault_of_ours(console: ConsoleDesk):
    clerk = console.person(Role.CLERK)
    assert (await clerk.client.delete("/account")).status_code == 405
    assert (await clerk.post("/language", lang="fr")).status_code == 422
    rest = len(f"csrf={clerk.csrf}&lang=en&next=")
    for size, status in ((256 * 1024, 303), (256 * 1024 + 1, 413)):
        answer = await clerk.post("/language", lang="en", next="x" * (size - rest))
        assert answer.status_code == status


async def test_a_fault_of_ours_is_a_page_and_a_log_line_without_its_text(
    console: ConsoleDesk, caplog: pytest.LogCaptureFixture
):
    clerk = console.person(Role.CLERK)
    with console.app.services.store.begin() as tx:
        tx.connection.exec_driver_sql("ALTER TABLE staff_session RENAME TO hidden_13800138000")
    answer = await clerk.get("/account")
    assert answer.status_code == 500
    assert "系统出现故障" in text(answer)
    assert "13800138000" not in answer.text
    # A thread that another test left may log meanwhile: its lines are of other modules.
    [line] = [record.getMessage() for record in caplog.records if record.name == "dialer.web.answer_headers"]
    assert line.startswith("the console failed: ")
    assert "13800138000" not in caplog.text


async def test_the_language_stays_chosen(console: ConsoleDesk):
    clerk = console.person(Role.CLERK)
    assert "My account" in text(await clerk.get("/account"))
    await clerk.post("/language", lang="zh", next="/account")
    assert "我的账号" in text(await clerk.get("/account"))
    again = console.signed_in(clerk.member)
    assert "我的账号" in text(await again.get("/account"))


async def test_a_change_of_language_keeps_the_filter(console: ConsoleDesk):
    page = await console.person(Role.CLERK).get("/cases", grade="high", sort="money")
    assert 'name="next" value="/cases?grade=high&amp;sort=money"' in page.text


async def test_a_stranger_chooses_a_language_too(console: ConsoleDesk):
    client = console.stranger()
    page = await client.get("/sign-in")
    assert 'lang="zh-CN"' in page.text
    await client.post("/language", data={"csrf": form_csrf(page), "lang": "en", "next": "/sign-in"})
    assert "Forgotten?" in text(await client.get("/sign-in"))


async def test_a_strangers_form_belongs_to_the_browser_that_got_it(console: ConsoleDesk):
    client = console.stranger()
    page = await client.get("/sign-in")
    assert form_csrf(page) == csrf_of_secret(client.cookies[FORM_COOKIE])
    assert FORM_COOKIE not in (await client.get("/sign-in")).cookies


async def test_the_first_page_leads_to_the_sign_in_or_home(console: ConsoleDesk):
    assert (await console.stranger().get("/")).headers["location"] == "/sign-in"
    for role in Role:
        home = await console.person(role).get("/")
        assert home.status_code == 303
        assert (await console.person(role).get(home.headers["location"])).status_code == 200


async def test_static_files_may_be_kept_and_are_what_the_page_names(console: ConsoleDesk):
    client = console.stranger()
    page = (await client.get("/sign-in")).text
    for address in re.findall(r'(?:src|href)="(/static/[^"]+)"', page):
        answer = await client.get(address)
        assert answer.status_code == 200, address
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_the_status_page_is_still_there(console: ConsoleDesk):
    assert (await console.stranger().get("/status?lang=en")).status_code == 200


@pytest.mark.parametrize(
    ("path", "marked"), [("/rates", "/rates"), ("/rates/callers", "/rates"), ("/account", "")]
)
async def test_the_navigation_marks_the_place_that_a_page_belongs_to(
    console: ConsoleDesk, path: str, marked: str
):
    page = (await console.person(Role.SUPERVISOR).get(path)).text
    assert set(re.findall(r'<a href="([^"]*)" aria-current="page"', page)) == ({marked} if marked else set())
