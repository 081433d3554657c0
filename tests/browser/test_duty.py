"""Two officers swap shifts in a real browser, and a supervisor enters leave, in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from dialer.core.access import Role
from tests.browser.axe import look
from tests.browser.conftest import Complaints
from tests.browser.service import Service
from tests.browser.staff import new_account
from tests.duty.grids import grid

pytestmark = [pytest.mark.story, pytest.mark.timeout(300)]
UNITS = "名称,上级\n巴彦淖尔市公安局,\n城关派出所,巴彦淖尔市公安局\n"
WORDS = {
    "zh": ("换班", "同意", "查看会造成哪些空岗", "保存请假", "销假", "以下时段将无人值班"),
    "en": (
        "Swap",
        "Agree",
        "Show which shifts become gaps",
        "Save the leave",
        "End the leave",
        "Nobody is on duty then",
    ),
}


@pytest.fixture
def emptied(service: Service) -> Iterator[Service]:
    yield service
    service.empty()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_swap_is_asked_for_and_agreed_and_leave_shows_its_gaps(
    page: Page, emptied: Service, complaints: Complaints, language: str
):
    service = emptied
    swap, agree, show, save, end, nobody = WORDS[language]
    table, month = service.folder / "units.csv", service.folder / "month.csv"
    table.write_text(UNITS, encoding="utf-8")
    service.dialer("units", "import", str(table), "--by", "cli")
    service.signed_in("ann", Role.OFFICER, language=language, password_hash="")
    new_account(page, service, "ben", Role.OFFICER, language=language)
    first = (
        datetime.now(UTC).astimezone(ZoneInfo("Asia/Shanghai")).replace(day=1) + timedelta(days=32)
    ).replace(day=1)
    month.write_bytes(grid(f"{first:%Y-%m}", {"Ann": {5: "白"}, "Ben": {6: "夜"}}).getvalue())
    service.dialer("duty", "load", str(month), "--unit", "城关派出所", "--by", "cli")
    page.goto("/duty")
    page.get_by_role("link", name="城关派出所").first.click()
    page.goto(page.url.split("?")[0] + f"?month={first:%Y-%m}")
    look(page)
    address = page.url
    page.locator("#f-person").select_option(label="Ann")
    page.locator("#f-back").select_option(index=1)
    page.get_by_role("button", name=swap, exact=True).click()
    expect(page).to_have_url(address)
    page.goto("/duty")
    look(page)
    new_account(page, service, "chief", Role.SUPERVISOR, language=language)
    page.goto("/duty")
    look(page)
    page.get_by_role("button", name=agree, exact=True).click()
    page.goto(address)
    expect(page.locator(".panel-foot p")).to_have_count(2)
    look(page)
    # The supervisor gives the day shift to both in turn; the swap of the officers' own month stays.
    page.locator("#f-mark").select_option("白")
    page.locator("#f-persons").fill("ann\nben")
    page.locator("#f-first").fill(f"{first:%Y-%m}-20")
    page.locator("#f-last").fill(f"{first:%Y-%m}-23")
    page.locator("form[action$='/rotation'] button").click()
    expect(page.locator(".toast")).to_contain_text("4")
    expect(page.locator("main table").first).to_contain_text("白")
    look(page)
    # What does not fit is said, and nothing is planned.
    page.locator("#f-persons").fill("nobody")
    page.locator("form[action$='/rotation'] button").click()
    expect(page.locator("main")).to_contain_text("nobody")
    page.goto("/duty/leave")
    look(page)
    page.locator("#f-person").select_option(label="Ann (ann)")
    page.locator("#f-start").fill(f"{first:%Y-%m}-06T08:30")
    page.locator("#f-end").fill(f"{first:%Y-%m}-08T08:30")
    page.get_by_role("button", name=show).click()
    expect(page.locator("main")).to_contain_text(nobody)
    look(page)
    page.get_by_role("button", name=save).click()
    expect(page.locator("tbody tr")).to_contain_text("Ann")
    look(page)
    page.get_by_role("button", name=end).click()
    expect(page.locator("tbody tr")).to_have_count(0)
    # Chromium itself notes that the second rotation was refused.
    complaints.told = [told for told in complaints.told if "422" not in told]
