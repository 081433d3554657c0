"""The plan in a real browser: a limit is changed, compared, counted again on last week, and approved by another
person.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from dialer.core.access import Role
from tests.browser.conftest import Complaints
from tests.browser.service import Service
from tests.browser.staff import new_account
from tests.browser.test_robot import seen

pytestmark = [pytest.mark.story, pytest.mark.timeout(300)]


@pytest.mark.parametrize(
    ("language", "words", "tries"),
    [
        ("zh", ("处置方案", "存为草稿", "按上周重新统计", "审批通过", "机器人外呼次数", "中危"), "5"),
        (
            "en",
            (
                "Policy and limits", "Store as a draft", "Count last week again", "Approve",
                "Tries of the robot", "medium",
            ),
            "6",
        ),
    ],
)  # fmt: skip
def test_a_limit_is_changed_by_one_person_and_approved_by_another(
    page: Page,
    browser: Browser,
    service: Service,
    complaints: Complaints,
    language: str,
    words: tuple[str, ...],
    tries: str,
):
    plan, store, week, approve, limit, grade = words
    new_account(page, service, f"drafts-{language}", Role.SUPERVISOR, language=language)
    page.goto("/control")
    page.get_by_role("link", name=plan, exact=True).last.click()
    box = page.get_by_label(f"{limit} · {grade}")
    expect(box).to_be_visible()
    seen(page, f"plan-{language}")
    box.fill("no")
    page.get_by_role("button", name=store).first.click()
    expect(page.locator("main .problem")).to_be_visible()
    complaints.told = [told for told in complaints.told if "422" not in told]
    box.fill(tries)
    page.get_by_role("button", name=store).first.click()
    expect(page.locator("tbody b")).to_have_text(tries)
    page.get_by_role("link", name=week).click()
    expect(page.locator("#week-heading")).to_be_visible()
    seen(page, f"plan-version-{language}")
    address = page.url.removesuffix("#week-heading").removesuffix("/week")
    expect(page.locator("#f-reason")).to_have_count(0)

    with browser.new_context(base_url=service.url) as context:
        chief = context.new_page()
        complaints.watch(context)
        new_account(chief, service, f"approves-{language}", Role.SUPERVISOR, language=language)
        chief.goto("/approvals")
        section = chief.locator("section", has=chief.get_by_role("heading", name=plan))
        section.get_by_role("link").first.click()
        expect(chief).to_have_url(address)
        chief.locator("#f-reason").fill("核对过 seen")
        chief.get_by_role("button", name=approve).click()
        expect(chief.locator(".toast")).to_be_visible()
        expect(chief.get_by_label(f"{limit} · {grade}")).to_have_value(tries)
