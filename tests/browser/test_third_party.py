"""A third party in a call, in a real browser: brought in by keys, and the call handed over to them."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

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
        "caller": "8356",
        "party": "list:工行止付专线",
        "kind": "银行止付专席 · 工行止付专线",
        "in": "工行止付专线已加入本次通话",
        "held": "保持中",
        "has": "工行止付专线已接手通话",
        "acts": ("呼叫第三方：工行止付专线", "第三方加入通话：工行止付专线", "通话已移交：工行止付专线"),
    },
    "en": {
        "phone": "19900070150",
        "caller": "8244",
        "party": "list:Mongolian",
        "kind": "interpreter · Mongolian",
        "in": "Mongolian is in this call",
        "held": "is on hold",
        "has": "Mongolian has the call",
        "acts": (
            "third party called: Mongolian",
            "third party in the call: Mongolian",
            "call handed over: Mongolian",
        ),
    },
}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_call_is_handed_over_to_a_third_party_by_keys(
    page: Page, service: Service, complaints: Complaints, language: str
):
    said = WORDS[language]
    service.empty()
    service.as_administrator("pause", "--minutes", "60", "--why", "people ring", "--grade", "extra_high")
    person(service, "皇甫静", str(said["phone"]))
    new_account(page, service, f"third.{language}", Role.CALLER, language=language)
    page.locator("#f-extension").fill(str(said["caller"]))
    page.keyboard.press("Enter")
    expect(page.locator(".desk-grade b").first).to_have_text("1", timeout=60_000)
    page.locator("h1").click()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("皇甫静")
    page.keyboard.press("c")
    expect(page.locator("[data-hold]")).to_be_visible(timeout=_CALL_MS)
    party = page.locator("[data-party-text]")
    # Until the person answers, the page refuses.
    while not party.count():
        page.locator("h1").click()
        page.keyboard.press("p")
        choice = page.locator("#f-party")
        expect(choice).to_be_visible()
        expect(choice.locator("option", has_text=str(said["kind"]))).to_have_count(1)
        choice.select_option(str(said["party"]))
        with page.expect_response(
            lambda answer: answer.request.method == "POST" and "/third-party" in answer.url
        ):
            page.locator("[data-party-form] button[type=submit]").click()
        page.keyboard.press("Escape")
        page.wait_for_timeout(500)
    complaints.told = [told for told in complaints.told if "/third-party" not in told]
    expect(party).to_contain_text(str(said["in"]), timeout=60_000)
    expect(page.locator(".desk-live")).to_contain_text(str(said["held"]))
    look(page)
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    page.locator("h1").click()
    page.keyboard.press("w")
    expect(party).to_contain_text(str(said["has"]), timeout=30_000)
    expect(page.locator("[data-live]")).to_have_count(0)
    look(page)
    page.locator(".desk-about a").click()
    for act in said["acts"]:
        expect(page.locator("main")).to_contain_text(act)
