"""The console in a real browser: signing in, accounts, audit, cases; in both languages, wide and narrow."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from python_calamine import CalamineWorkbook

from dialer.core.access import Role
from tests.browser.axe import look
from tests.browser.conftest import Complaints
from tests.browser.service import Service
from tests.browser.staff import PASSWORD, new_account, sign_in

pytestmark = pytest.mark.story


def test_an_administrator_makes_an_auditor_who_reads_and_exports_it(
    page: Page, service: Service, complaints: Complaints, tmp_path: Path
):
    page.goto("/sign-in")
    look(page)
    new_account(page, service, "second1", Role.SECURITY_ADMINISTRATOR)
    expect(page).to_have_url(f"{service.url}/account-changes")
    page.context.clear_cookies()
    new_account(page, service, "admin1", Role.ADMINISTRATOR)
    expect(page).to_have_url(f"{service.url}/accounts")
    look(page)
    page.get_by_role("button", name="新建账号").click()
    dialog = page.locator("#new")
    look(page)
    dialog.locator("#f-display_name").fill("周岩")
    dialog.locator("#f-login").fill("zhou")
    dialog.locator("#f-role").select_option("auditor")
    dialog.locator("#f-language").select_option("en")
    dialog.locator("#f-why").fill("新任审计员")
    dialog.get_by_role("button", name="创建账号").click()
    expect(page).to_have_url(f"{service.url}/account-changes")
    look(page)
    page.context.clear_cookies()
    sign_in(page, "second1")
    look(page)
    page.get_by_role("button", name="确认").click()
    password = page.locator(".secret").inner_text()
    look(page)
    page.locator(".self details.menu summary").click()
    page.get_by_role("button", name="退出登录").click()
    expect(page.locator(".toast")).to_contain_text("已退出登录")

    sign_in(page, "zhou", password)
    look(page)
    page.locator("#f-old").fill(password)
    page.locator("#f-new").fill(PASSWORD)
    page.locator("#f-again").fill(PASSWORD)
    page.get_by_role("button", name="Change the password").click()
    expect(page).to_have_url(f"{service.url}/audit?tour=1")
    line = page.locator("tr", has_text="account made").filter(has_text="zhou")
    expect(line).to_have_count(1)
    look(page)
    page.locator("#f-act").select_option("staff_add")
    expect(page.locator("tbody tr").first).to_contain_text("account made")
    page.get_by_role("button", name="Export").click()
    page.locator("#f-why").fill("who made accounts")
    with page.expect_download() as started:
        page.get_by_role("button", name="xlsx").click()
    path = tmp_path / "audit.xlsx"
    started.value.save_as(path)
    rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    assert {row[3] for row in rows[1:]} == {"staff_add"}
    page.goto("/audit?act=export")
    expect(page.locator("tbody tr").first).to_contain_text("who made accounts")
    assert complaints.told == []


def test_a_form_that_is_pressed_twice_is_sent_once_and_its_password_is_seen(page: Page, service: Service):
    new_account(page, service, "admin2", Role.ADMINISTRATOR, language="en")
    page.goto("/accounts")
    page.get_by_role("button", name="New account").click()
    dialog = page.locator("#new")
    dialog.locator("#f-display_name").fill("Wu")
    dialog.locator("#f-login").fill("wu")
    dialog.locator("#f-role").select_option("clerk")
    dialog.get_by_role("button", name="Create account").dblclick()
    expect(page.locator(".secret")).to_be_visible()
    expect(page.get_by_text("is taken")).to_have_count(0)


def test_a_caller_finds_a_case_without_the_mouse(page: Page, service: Service):
    service.load(
        [
            {"姓名": "王小明", "手机号": "13800138000", "等级": "高危", "诈骗类型": "刷单返利"},
            {"姓名": "李大海", "手机号": "13900139000", "等级": "低危", "诈骗类型": "虚假贷款"},
        ]
    )
    new_account(page, service, "caller1", Role.CALLER)
    page.goto("/cases")
    look(page)
    page.keyboard.press("/")
    page.keyboard.type("8000")
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("王*")
    assert re.fullmatch(r"http://[^/]+/cases\?who=[\w-]{64,}", page.url)
    page.locator(".chip").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    page.locator(".self details.menu summary").click()
    page.get_by_role("button", name="关闭单键快捷键").click()
    page.keyboard.press("/")
    expect(page.locator("#search-text")).not_to_be_focused()
    page.reload()
    page.keyboard.press("/")
    expect(page.locator("#search-text")).not_to_be_focused()
    page.locator(".self details.menu summary").click()
    page.get_by_role("button", name="启用单键快捷键").click()
    page.keyboard.press("/")
    expect(page.locator("#search-text")).to_be_focused()
    page.locator("#f-grade").select_option("low")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("李*")
    assert "grade=low" in page.url
    page.locator("#f-grade").select_option("medium")
    expect(page.get_by_text("没有符合条件的预警单")).to_be_visible()
    look(page)


def test_the_keyboard_alone_is_enough_and_the_focus_is_seen(page: Page, service: Service):
    new_account(page, service, "clerk1", Role.CLERK)
    page.goto("/account")
    page.keyboard.press("Tab")
    skip = page.locator(".skip")
    expect(skip).to_be_focused()
    assert skip.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_what_is_not_there_is_said_in_words(page: Page, complaints: Complaints):
    page.goto("/nowhere")
    expect(page.get_by_role("heading", name="页面不存在")).to_be_visible()
    look(page)
    # Chromium itself notes that an address was not there.
    complaints.told = [told for told in complaints.told if "404" not in told]
