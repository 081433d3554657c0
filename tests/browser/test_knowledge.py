"""Knowledge cards in a real browser: found while a caller types, ticked with the report, changed by two people."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from dialer.core.access import Role
from tests.browser.axe import look
from tests.browser.conftest import Complaints
from tests.browser.service import Service
from tests.browser.staff import new_account

pytestmark = [pytest.mark.story, pytest.mark.timeout(400)]


def call_waits(service: Service, phone: str, fraud_type: str) -> None:
    service.empty()
    service.as_administrator("pause", "--minutes", "60", "--why", "people ring", "--grade", "extra_high")
    row = {
        "指令编号": f"K{phone}",
        "姓名": "司马青",
        "手机号": phone,
        "等级": "特高危",
        "诈骗类型": fraud_type,
    }
    service.load([row])


def test_a_caller_finds_the_answer_while_typing_and_what_is_ticked_is_counted(
    page: Page, service: Service, complaints: Complaints
):
    call_waits(service, "19900070021", "虚假贷款")
    new_account(page, service, "cards1", Role.CALLER)
    expect(page.locator(".desk-grade b").first).to_have_text("1", timeout=60_000)
    page.locator("h1").click()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("司马青")
    expect(page.locator(".desk-knowledge")).to_contain_text("虚假贷款：放款前先收钱的都是诈骗")
    expect(page.locator(".desk-knowledge")).to_contain_text("通用答复")
    page.keyboard.press("s")
    page.keyboard.type("你们是假警察")
    found = page.locator("#knowledge-found li")
    expect(found.first).to_contain_text("他们说你们才是假警察。")
    expect(found.first).to_contain_text("自己拨区号加96110")
    look(page)
    found.first.locator("input").check()
    # Another search keeps what is ticked; a click on the answer ticks it too.
    page.locator("#f-q").fill("最后一单")
    expect(found.nth(1)).to_contain_text("没有最后一单")
    expect(found.first.locator("input")).to_be_checked()
    page.locator(".desk-knowledge label", has_text="我急用钱").click()
    page.locator("#f-q").press("Escape")
    # What is wrong comes back with everything that was ticked.
    page.keyboard.press("Control+Enter")
    expect(page.locator(".problem")).to_have_text("请选择处置结果")
    expect(page.locator("[name=used]:checked")).to_have_count(2)
    look(page)
    page.locator("h1").click()
    for key in ("4", "n", "j", "Enter"):
        page.keyboard.press(key)
    expect(page.locator(".toast")).to_contain_text("已反馈")
    new_account(page, service, "cards2", Role.SUPERVISOR)
    page.goto(f"{service.url}/knowledge")
    row = page.locator("tbody tr", has_text="虚假贷款")
    expect(row.locator("td").nth(2)).to_have_text("1", timeout=30_000)
    look(page)
    complaints.told = [told for told in complaints.told if "422" not in told]


def test_in_english_a_card_is_changed_by_one_person_and_approved_by_another(
    page: Page, browser: Browser, service: Service, complaints: Complaints
):
    new_account(page, service, "cards3", Role.SUPERVISOR, language="en")
    page.goto(f"{service.url}/knowledge")
    page.locator("#f-q").press_sequentially("safe account", delay=20)
    expect(page.locator("#knowledge-found li").first).to_contain_text("safe account")
    look(page)
    page.get_by_role("link", name="False loans").click()
    look(page)
    page.get_by_role("link", name="Change the card").click()
    expect(page.locator("#f-objections_en")).to_have_value(re.compile("I need the money now"))
    page.locator("#f-variants_en").fill("A loan for a car.\nA loan for a wedding.")
    look(page)
    page.locator("#f-reason").fill("new forms")
    page.get_by_role("button", name="Save as draft").click()
    expect(page.locator(".toast")).to_contain_text("a second person approves it")
    look(page)
    address = page.url
    new_account(page, service, "cards4", Role.SUPERVISOR, language="en")
    page.goto(f"{service.url}/approvals")
    page.get_by_role("link", name=re.compile("False loans")).click()
    expect(page).to_have_url(address)
    expect(page.get_by_role("heading", name="Live so far: version 1")).to_be_visible()
    look(page)
    page.get_by_role("button", name="Approve the version").click()
    expect(page.locator(".toast")).to_contain_text("callers read it from now on")
    page.goto(address.partition("?")[0])
    expect(page.locator("main")).to_contain_text("A loan for a wedding.")
    complaints.told = [told for told in complaints.told if "422" not in told]
