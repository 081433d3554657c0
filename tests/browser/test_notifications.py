"""A person's own notifications in a real browser: a test arrives on the open page, in both languages."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from dialer.core.access import Role
from tests.browser.axe import look
from tests.browser.service import Service
from tests.browser.staff import new_account

pytestmark = [pytest.mark.story, pytest.mark.timeout(300)]


def test_a_test_is_shown_on_the_open_page_and_rules_are_kept(page: Page, service: Service):
    new_account(page, service, "duty-officer", Role.OFFICER)
    page.goto("/notifications")
    look(page)
    page.locator("#f-telephone").fill("13900139001")
    page.locator("#f-quiet_from").fill("22:00")
    page.locator("#f-quiet_to").fill("07:00")
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.locator("#f-telephone")).to_have_value("+8613900139001")
    page.get_by_role("button", name="发送测试").click()
    expect(page.locator(".toast[role=alert]")).to_contain_text("这是一条通知测试")
    page.reload()
    row = page.locator("tbody tr", has_text="页面通知")
    expect(row).to_contain_text(re.compile("已发出"))
    look(page)
