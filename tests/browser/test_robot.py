"""The rules of the warning robot in a real browser: a threshold is changed, compared with the live rules, judged on
last week, and approved by another person.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from dialer.core.access import Role
from tests.browser.axe import look
from tests.browser.conftest import Complaints
from tests.browser.service import Service
from tests.browser.staff import new_account
from tests.browser.test_widths import _CUT, shown

pytestmark = [pytest.mark.story, pytest.mark.timeout(300)]


def seen(page: Page, name: str) -> None:
    """Looked at on a phone and on a small screen; `SHOW_PAGES=FOLDER` keeps the pictures."""
    look(page)
    for width, height in ((390, 844), (1280, 800)):
        page.set_viewport_size({"width": width, "height": height})
        assert shown(page, _CUT) == []
        if folder := os.environ.get("SHOW_PAGES"):
            page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "zh",
            (
                "全部规则", "向涉诈账户转账", "存为草稿", "用上周信号重新研判", "预警机器人规则", "审批通过",
            ),
        ),
        (
            "en",
            (
                "All rules in words", "Payment to a listed account", "Store as a draft",
                "Judge last week again", "Rules of the warning robot", "Approve",
            ),
        ),
    ],
)  # fmt: skip
def test_a_threshold_is_changed_by_one_person_and_approved_by_another(
    page: Page,
    browser: Browser,
    service: Service,
    complaints: Complaints,
    language: str,
    words: tuple[str, ...],
):
    rules, rule, store, week, waiting, approve = words
    new_account(page, service, f"analyst-{language}", Role.ANALYST, language=language)
    page.goto("/")
    expect(page).to_have_url(f"{service.url}/robot")
    until = time.monotonic() + 60
    while not page.get_by_role("link", name=rules).count():
        assert time.monotonic() < until, "the robot has stored no rules"
        page.reload()
    page.get_by_role("link", name=rules).click()
    expect(page.locator("tbody tr").first).to_be_visible()
    seen(page, f"rules-{language}")
    page.get_by_role("link", name=rule, exact=True).click()
    expect(page.locator("#f-points")).to_be_visible()
    seen(page, f"rule-{language}")
    points = {"zh": "93", "en": "94"}[language]
    page.locator("#f-points").fill(points)
    page.get_by_role("button", name=store).first.click()
    expect(page.locator("tbody b")).to_have_text(points)
    page.get_by_role("link", name=week).click()
    expect(page.locator("#week-heading ~ table")).to_be_visible()
    seen(page, f"version-{language}")
    address = page.url.removesuffix("#week-heading").removesuffix("/week")
    expect(page.locator("#f-reason")).to_have_count(0)

    with browser.new_context(base_url=service.url) as context:
        chief = context.new_page()
        complaints.watch(context)
        new_account(chief, service, f"second-{language}", Role.SUPERVISOR, language=language)
        chief.goto("/approvals")
        section = chief.locator("section", has=chief.get_by_role("heading", name=waiting))
        section.get_by_role("link").first.click()
        expect(chief).to_have_url(address)
        chief.locator("#f-reason").fill("核对过 seen")
        chief.get_by_role("button", name=approve).click()
        expect(chief.locator(".toast")).to_be_visible()
    page.goto("/robot/rules")
    expect(page.locator("tbody tr", has_text=rule)).to_contain_text(points)
