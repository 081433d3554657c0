"""Presence in a real browser: a supervisor follows what a caller does, sets a break and signs the caller out."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from dialer.core.access import Role
from tests.browser.axe import WIDE, look
from tests.browser.conftest import Complaints
from tests.browser.service import Service
from tests.browser.staff import new_account

pytestmark = [pytest.mark.story, pytest.mark.timeout(300)]
WORDS = {
    "zh": {
        "off": "签出",
        "free": "空闲",
        "say_free": "我空闲",
        "break": "休息",
        "on_break": "休息中",
        "why": "刚打完两个难打的电话",
        "set": "安排休息",
        "out": "将此人签出",
        "none": "没有人在岗",
        "then": "办完后休息",
        "task": "有任务在手",
        "release": "退回",
        "online": "在线用户",
    },
    "en": {
        "off": "off",
        "free": "free",
        "say_free": "I am free",
        "break": "Break",
        "on_break": "on a break",
        "why": "two hard calls",
        "set": "Set the break",
        "out": "Sign this person out",
        "none": "Nobody is at work",
        "then": "Break after this task",
        "task": "has a task",
        "release": "Release",
        "online": "Users online",
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
def test_a_supervisor_follows_a_desk_and_forces_a_break(
    page: Page, chief_window: BrowserContext, service: Service, complaints: Complaints, language: str
):
    said = WORDS[language]
    service.empty()
    service.as_administrator("pause", "--minutes", "60", "--why", "people ring", "--grade", "extra_high")
    row = {"指令编号": f"P{language}", "姓名": "呼延灼", "手机号": "19900070012", "等级": "特高危"}
    service.load([row])
    chief = chief_window.new_page()
    new_account(chief, service, f"chief.{language}", Role.SUPERVISOR, language=language)
    chief.goto("/desks")
    expect(chief.locator("#desks")).to_contain_text(said["none"])
    look(chief)

    new_account(page, service, f"desk.{language}", Role.CALLER, language=language)
    line = page.locator("#presence")
    expect(line.locator("b").first).to_have_text(said["off"])
    line.get_by_role("button", name=said["say_free"]).click()
    expect(line.locator("b").first).to_have_text(said["free"])
    # The page of the supervisor follows by itself.
    desk = chief.locator("#desks tbody tr")
    expect(desk.locator(".presence-free")).to_be_visible()
    expect(desk.locator("[data-since]")).to_have_text(re.compile(r"\d+:\d\d"))
    look(chief)

    # A task begins, with its grade; the break that is asked for meanwhile comes when it is released.
    expect(page.locator(".desk-grade b").first).to_have_text("1", timeout=60_000)
    page.locator("form[data-next] button").click()
    expect(line.locator("b").first).to_have_text(said["task"])
    look(page)
    expect(desk.locator(".grade-extra_high")).to_be_visible()
    line.locator("select").select_option("meal")
    line.get_by_role("button", name=said["then"]).click()
    expect(line.locator(".presence-now")).to_contain_text(said["on_break"])
    page.locator("h1").click()
    page.keyboard.press("r")
    page.locator("#f-why-release").fill("x")
    page.keyboard.press("Enter")
    expect(line.locator("b").first).to_contain_text(said["on_break"])
    expect(desk.locator(".presence-break")).to_be_visible()
    line.get_by_role("button", name=said["say_free"]).click()

    # The supervisor sets a break; its person reads why.
    expect(desk.locator(".presence-free")).to_be_visible()
    desk.get_by_role("link").first.click()
    look(chief)
    chief.locator("#f-why").fill(said["why"])
    chief.get_by_role("button", name=said["set"]).click()
    expect(chief.locator(".toast")).to_be_visible()
    expect(line).to_contain_text(said["why"], timeout=30_000)
    look(page)

    chief.get_by_role("link", name=said["online"]).click()
    expect(chief.locator("main tbody .presence-break")).to_contain_text(said["on_break"])
    look(chief)
    chief.go_back()

    chief.locator("#desks tbody tr a").first.click()
    chief.locator("#f-why-out").fill(said["why"])
    chief.get_by_role("button", name=said["out"]).click()
    expect(chief.locator(".presence-off").first).to_be_visible()
    page.goto("/desk")
    expect(page).to_have_url(re.compile("/sign-in"))
    # Chromium notes what an ended session refuses.
    complaints.told = [told for told in complaints.told if "401" not in told and "403" not in told]
