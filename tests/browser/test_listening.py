"""A supervisor's ear in a real browser: listen, whisper, step in and leave by keys, while two people talk."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from dialer.core.access import Role
from tests.browser.axe import WIDE, look
from tests.browser.conftest import Complaints
from tests.browser.service import Service
from tests.browser.staff import new_account
from tests.browser.test_desk import person

pytestmark = [pytest.mark.story, pytest.mark.timeout(400)]
_CALL_MS = 120_000
WORDS = {
    "zh": {
        "phone": "19900070108",
        "caller": "8136",
        "chief": "8137",
        "why": "新人首日",
        "alone": "没有人听到您",
        "whisper": "只有劝阻员听得到您",
        "both": "双方都听得到您",
        "seen": "正在旁听本次通话",
        "spoken": "当事人听不到",
        "idle": "该座席现在没有通话",
        "act": "主管旁听通话",
    },
    "en": {
        "phone": "19900070150",
        "caller": "8138",
        "chief": "8139",
        "why": "first day",
        "alone": "nobody hears you",
        "whisper": "the caller alone hears you",
        "both": "both hear you",
        "seen": "listens to this call",
        "spoken": "the person does not hear it",
        "idle": "No call is under way at this desk",
        "act": "a supervisor listens to the call",
    },
}


@pytest.fixture
def chief_window(browser: Browser, service: Service, complaints: Complaints) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=service.url, locale="zh-CN", viewport=WIDE)  # type: ignore[arg-type]
    context.set_default_timeout(30_000)
    complaints.watch(context)
    yield context
    context.close()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_supervisor_listens_and_whispers_by_keys(
    page: Page, chief_window: BrowserContext, service: Service, complaints: Complaints, language: str
):
    said = WORDS[language]
    service.empty()
    service.as_administrator("pause", "--minutes", "60", "--why", "people ring", "--grade", "extra_high")
    person(service, "皇甫静", said["phone"])
    new_account(page, service, f"heard.{language}", Role.CALLER, language=language)
    page.locator("#f-extension").fill(said["caller"])
    page.keyboard.press("Enter")
    expect(page.locator(".desk-grade b").first).to_have_text("1", timeout=60_000)
    page.locator("[data-presence] [value=free]").first.click()
    chief = chief_window.new_page()
    new_account(chief, service, f"ear.{language}", Role.SUPERVISOR, language=language)
    chief.goto("/desk")
    chief.locator("#f-extension").fill(said["chief"])
    chief.keyboard.press("Enter")
    page.goto("/desk")
    page.locator("h1").click()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("皇甫静")
    chief.goto("/desks")
    chief.locator(".desks td a").first.click()
    ear = chief.locator("#ear")
    expect(ear).to_contain_text(said["idle"])
    page.keyboard.press("c")
    expect(page.locator("[data-hold]")).to_be_visible(timeout=_CALL_MS)
    expect(ear.locator("input[name=why]")).to_be_visible()
    look(chief)
    chief.set_viewport_size(WIDE)  # type: ignore[arg-type]
    chief.locator("h1").click()
    chief.keyboard.press("l")
    chief.keyboard.type(said["why"])
    # Until the person answers, the page refuses.
    while ear.locator("input[name=why]").count():
        chief.locator("h1").click()
        chief.keyboard.press("l")
        chief.wait_for_timeout(1000)
    complaints.told = [told for told in complaints.told if "/listen" not in told]
    expect(ear).to_contain_text(said["alone"], timeout=60_000)
    expect(page.locator("[data-ear]")).to_contain_text(said["seen"])
    chief.keyboard.press("w")
    expect(ear).to_contain_text(said["whisper"])
    expect(page.locator("[data-ear]")).to_contain_text(said["spoken"])
    chief.keyboard.press("i")
    expect(ear).to_contain_text(said["both"])
    chief.set_viewport_size({"width": 390, "height": 844})
    assert chief.evaluate("document.documentElement.scrollWidth") <= 390
    chief.set_viewport_size(WIDE)  # type: ignore[arg-type]
    chief.keyboard.press("x")
    expect(ear.locator("[data-key=X]")).to_have_count(0)
    expect(page.locator("[data-ear]")).to_have_count(0)
    page.locator(".desk-about a").click()
    expect(page.locator("main")).to_contain_text(said["act"])
