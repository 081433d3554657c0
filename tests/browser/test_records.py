"""Unit records in a real browser: the units of a month, the months, the cases behind a count, and the file."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from dialer.core.access import Role
from tests.browser.axe import look
from tests.browser.conftest import Complaints
from tests.browser.service import Service
from tests.browser.staff import new_account

pytestmark = [pytest.mark.story, pytest.mark.timeout(400)]


def loaded(service: Service) -> None:
    service.empty()
    service.as_administrator("pause", "--minutes", "60", "--why", "counting", "--grade", "medium")
    service.load(
        [
            {
                "指令编号": f"R{place}",
                "姓名": f"赵{place}",
                "手机号": f"1990007{place:04d}",
                "等级": "中危",
                "诈骗类型": "虚假贷款",
            }
            for place in range(3)
        ]
    )


def test_a_supervisor_reads_a_month_and_opens_what_is_behind_a_count(
    page: Page, service: Service, complaints: Complaints
):
    loaded(service)
    new_account(page, service, "records1", Role.SUPERVISOR)
    page.goto(f"{service.url}/records")
    expect(page.get_by_role("heading", name="督办台账")).to_be_visible()
    units = page.locator("[aria-labelledby=units]").first
    expect(units).to_contain_text("尚无单位", timeout=30_000)
    expect(units.locator("tbody tr").last).to_contain_text("0 / 3")
    look(page)
    with page.expect_download() as file:
        page.get_by_role("link", name="CSV 文件").click()
    assert file.value.suggested_filename.startswith("records-")
    units.locator("tbody tr").last.get_by_role("link", name="3").first.click()
    expect(page).to_have_url(re.compile("/rates/cases"))
    expect(page.locator("tbody tr")).to_have_count(3)
    page.goto(f"{service.url}/records")
    page.get_by_role("link", name="上个月").click()
    expect(page.locator("main")).to_contain_text("本月没有下发给这些机构的任务")
    look(page)


def test_in_english_a_month_that_is_none_is_said_where_it_was_typed(
    page: Page, service: Service, complaints: Complaints
):
    loaded(service)
    new_account(page, service, "records2", Role.SUPERVISOR, language="en")
    page.goto(f"{service.url}/records")
    expect(page.get_by_role("heading", name="Unit records")).to_be_visible()
    expect(page.locator("main")).to_contain_text("What each share is", timeout=30_000)
    look(page)
    page.goto(f"{service.url}/records?month=soon")
    expect(page.locator(".problem")).to_contain_text("a month such as 2026-11")
    look(page)
    complaints.told = [told for told in complaints.told if "422" not in told]
