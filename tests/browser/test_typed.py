"""What somebody has entered and not sent is there again: after a refresh, an ended session, the way back, in a second
tab, and when somebody else has changed the same thing.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from dialer.core.access import Role
from dialer.web.console import SESSION_COOKIE
from tests.browser.axe import look
from tests.browser.conftest import Complaints
from tests.browser.service import Service
from tests.browser.staff import PASSWORD, new_account
from tests.browser.test_desk import person

pytestmark = [pytest.mark.story, pytest.mark.timeout(400)]

KEPT = "Object.keys(localStorage).filter(name => name.startsWith('typed/'))"


def wait_until_kept(page: Page) -> None:
    """Not by a function of the driver, which the page's own rules for scripts refuse where it must be asked twice."""
    page.evaluate(
        f"new Promise(done => {{ const look = () => {KEPT}.length === 1 ? done() : setTimeout(look, 50); look(); }})"
    )


def end_session(page: Page) -> None:
    """The service does not know this browser's session any more, as after a period without use."""
    page.context.add_cookies(
        [{"name": SESSION_COOKIE, "value": "over", "url": page.url, "httpOnly": True, "sameSite": "Lax"}]
    )


def test_a_report_at_the_desk_outlives_its_session(page: Page, service: Service):
    service.as_administrator("pause", "--minutes", "60", "--why", "people ring", "--grade", "extra_high")
    person(service, "欧阳明月", "19900070003")
    new_account(page, service, "typed1", Role.CALLER)
    expect(page.locator(".desk-grade b").first).to_have_text("1", timeout=60_000)
    page.locator("h1").click()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("欧阳明月")
    page.locator(".desk-outcome", has_text="暂未找到").click()
    page.locator("#f-note").fill("家属称其在外地，晚上再联系")
    page.locator("input[name=said]").first.check()
    end_session(page)
    page.locator(".desk-send button").click()
    expect(page).to_have_url(f"{service.url}/sign-in?next=%2Fdesk")
    page.locator("#f-login").fill("typed1")
    page.locator("#f-password").fill(PASSWORD)
    page.locator("main form.form button").click()
    expect(page.locator(".typed-line")).to_contain_text("登录已失效，您填写的内容未能提交，现已恢复。")
    expect(page.locator("#f-note")).to_have_value("家属称其在外地，晚上再联系")
    expect(page.locator("input[name=outcome]:checked")).to_have_value("cannot_find_yet")
    expect(page.locator("input[name=said]").first).to_be_checked()
    look(page)
    # Sent, it is gone from this machine.
    page.locator("input[name=following]").uncheck()
    page.locator(".desk-send button").click()
    expect(page.locator(".toast")).to_contain_text("已反馈")
    assert page.evaluate(KEPT) == []


def test_a_note_is_kept_over_a_refresh_the_way_back_and_a_second_tab(page: Page, service: Service):
    service.as_administrator("pause", "--minutes", "60", "--why", "people ring", "--grade", "extra_high")
    person(service, "尉迟大海", "19900070008")
    new_account(page, service, "typed2", Role.SUPERVISOR, language="en")
    page.goto("/cases")
    page.locator("#found a[href^='/cases/']").first.click()
    note, line = page.locator("#f-note-words"), page.locator(".typed-line")
    note.fill("the brother knows of it")
    wait_until_kept(page)
    # A person who reads this machine's disk does not learn it.
    assert "brother" not in str(page.evaluate("Object.entries(localStorage)"))
    page.reload()
    expect(note).to_have_value("the brother knows of it")
    expect(line).to_contain_text("What you entered here was not sent. It is here again.")
    look(page)
    page.goto("/cases")
    page.go_back()
    expect(note).to_have_value("the brother knows of it")
    # A second tab has it as well, until one of them has sent it.
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.locator("#f-note-words")).to_have_value("the brother knows of it")
    page.get_by_role("button", name="Save the note").click()
    expect(page.locator("#story")).to_contain_text("words hidden")
    expect(note).to_have_value("")
    expect(other.locator("#f-note-words")).to_have_value("")
    expect(other.locator(".typed-line")).to_have_count(0)
    other.close()
    assert page.evaluate(KEPT) == []
    # A drawer is opened again; what is discarded is gone, and so is everything with the person who signs out.
    page.keyboard.press("Escape")
    page.locator("#act-opt_out summary").click()
    page.locator("#f-opt_out-why").fill("nobody opens")
    wait_until_kept(page)
    page.reload()
    expect(page.locator("#f-opt_out-why")).to_be_visible()
    page.get_by_role("button", name="Discard").click()
    expect(page.locator("#f-opt_out-why")).to_have_value("")
    assert page.evaluate(KEPT) == []
    note.fill("she has paid nothing")
    wait_until_kept(page)
    page.evaluate("document.querySelector('form[action=\"/sign-out\"]').requestSubmit()")
    page.wait_for_url("**/sign-in")
    assert page.evaluate(KEPT) == []


def test_what_somebody_else_has_changed_is_shown_beside_what_was_entered(
    page: Page, service: Service, complaints: Complaints
):
    service.as_administrator("pause", "--minutes", "60", "--why", "people ring", "--grade", "extra_high")
    person(service, "司马青", "19900070011")
    new_account(page, service, "typed3", Role.SUPERVISOR, language="en")
    page.goto("/cases")
    page.locator("#found a[href^='/cases/']").first.click()
    case = page.url
    page.locator("#act-close summary").click()
    page.locator("#f-close-outcome").select_option("mismatch")
    page.locator("#f-close-why").fill("a wrong number")
    other = page.context.browser.new_context(base_url=service.url)  # type: ignore[union-attr]
    second = other.new_page()
    new_account(second, service, "typed4", Role.SUPERVISOR, language="en")
    second.goto(case)
    second.locator("#act-lower summary").click()
    second.locator("#f-lower-why").fill("the sister is with her")
    second.locator("#act-lower button").click()
    expect(second.locator("#story")).to_contain_text("grade")
    other.close()
    page.locator("#act-close button").click()
    expect(page.get_by_role("alert")).to_contain_text("The case has changed: nothing has been done")
    expect(page.locator("#f-close-why")).to_have_value("a wrong number")
    expect(page.locator("#story")).to_contain_text("grade")
    # The address is again that of the page, and a refresh loses nothing.
    expect(page).to_have_url(case)
    page.reload()
    expect(page.locator("#f-close-why")).to_have_value("a wrong number")
    complaints.told = [told for told in complaints.told if "409" not in told]


def test_a_value_that_was_changed_meanwhile_is_named(page: Page, service: Service):
    new_account(page, service, "typed5", Role.CALLER, language="en")
    page.goto("/desk")
    field = page.locator("#f-extension")
    field.fill("8001")
    wait_until_kept(page)
    other = page.context.browser.new_context(base_url=service.url)  # type: ignore[union-attr]
    other.add_cookies(page.context.cookies())  # type: ignore[arg-type]
    second = other.new_page()
    second.goto("/desk")
    second.locator("#f-extension").fill("8002")
    second.keyboard.press("Enter")
    expect(second.locator(".toast")).to_be_visible()
    page.reload()
    expect(field).to_have_value("8001")
    expect(page.locator(".field", has=field)).to_contain_text("Changed meanwhile to: 8002")
    look(page)
    page.get_by_role("button", name="Discard").click()
    expect(field).to_have_value("8002")
    expect(page.locator(".typed-line")).to_have_count(0)
