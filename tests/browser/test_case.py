"""The page of a case in a real browser: read while the robot rings, opened with a reason, acted on by keyboard, and not
acted on from an old page.
"""

from __future__ import annotations

import re
from typing import cast

import pytest
from playwright.sync_api import Page, expect

from carrier.config import Timers
from carrier.lines.simulated import SimulatedLine
from carrier.people import practice_mix
from dialer.core.access import Role
from tests.browser.axe import look
from tests.browser.conftest import Complaints
from tests.browser.service import Service
from tests.browser.staff import new_account

pytestmark = [pytest.mark.story, pytest.mark.timeout(300)]

_CALL_MS = 90_000


def number_of(behaviour: str) -> str:
    """A number whose simulated person behaves so."""
    line = SimulatedLine(cast("Timers", None), people=practice_mix(), seed="1")
    numbers = (f"1390002{n:04d}" for n in range(10_000))
    return next(number for number in numbers if line.behaviour_of(f"+86{number}").name == behaviour)


def open_case_of(page: Page, number: str) -> None:
    page.goto("/cases")
    page.keyboard.press("/")
    page.keyboard.type(number)
    page.keyboard.press("Enter")
    page.locator("tbody tr a").first.click()
    page.wait_for_url(re.compile(r"/cases/\d+$"))


def test_a_supervisor_reads_a_case_while_it_is_called(page: Page, service: Service, complaints: Complaints):
    number = number_of("cooperates")
    new_account(page, service, "chief1", Role.SUPERVISOR)
    service.load([{"姓名": "高建国", "手机号": number, "等级": "特高危", "诈骗类型": "刷单返利"}])
    open_case_of(page, number)
    for _ in range(20):
        if page.locator("#now .live").count():
            break
        page.wait_for_timeout(500)
        page.reload()
    expect(page.locator("#now .live")).to_be_visible()
    note = page.locator("#f-note-words")
    page.keyboard.press("n")
    expect(note).to_be_focused()
    page.keyboard.type("家属已知")
    # The page goes on by itself and leaves what is being typed alone.
    expect(page.locator("#story")).to_contain_text("按 1", timeout=_CALL_MS)
    page.keyboard.type("情")
    expect(note).to_have_value("家属已知情")
    expect(page.locator("#now")).to_contain_text("劝阻成功（观察期）", timeout=_CALL_MS)
    expect(page.locator("#now .live")).to_have_count(0, timeout=_CALL_MS)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast")).to_contain_text("已保存")
    expect(page.locator("#story")).to_contain_text("内容已隐藏")
    look(page)

    page.locator("[data-play]").first.click()
    expect(page.locator("[data-playing]")).to_have_count(1)
    page.locator("[data-playing]").click()
    expect(page.locator("[data-playing]")).to_have_count(0)

    page.locator("main").click(position={"x": 2, "y": 2})
    page.keyboard.press("?")
    keys = page.locator("#keys")
    expect(keys.locator("dt", has_text="S").first).to_be_visible()
    expect(keys).to_contain_text("查看明文")
    look(page)
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    page.keyboard.press("s")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type("联系家属核实")
    page.keyboard.press("Enter")
    expect(page.locator("#person")).to_contain_text("高建国")
    expect(page.locator("#person")).to_contain_text(f"{number[:3]} {number[3:7]} {number[7:]}")
    look(page)
    assert number not in page.url
    page.get_by_role("link", name="立即隐藏").click()
    expect(page.locator("#person")).not_to_contain_text("高建国")

    page.keyboard.press("w")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type("复核劝阻质量")
    page.keyboard.press("Enter")
    expect(page.locator("#story")).to_contain_text("家属已知情")
    look(page)
    page.reload()
    expect(page.locator("#story")).not_to_contain_text("家属已知情")
    expect(page.locator("#story")).to_contain_text("查看当事人明文信息：联系家属核实")
    page.locator('input[name=show][value="seen"]').check(force=True)
    expect(page.locator("#story .is-ring")).to_be_hidden()
    assert complaints.told == []


def test_what_was_decided_on_an_old_page_is_not_done_and_not_lost(
    page: Page, service: Service, complaints: Complaints
):
    number = number_of("busy")
    service.load([{"姓名": "田秀兰", "手机号": number, "等级": "中危", "诈骗类型": "虚假贷款"}])
    new_account(page, service, "chief2", Role.SUPERVISOR, language="en")
    open_case_of(page, number)
    page.wait_for_timeout(1_000)
    page.reload()
    expect(page.locator("#story")).to_contain_text("Busy", ignore_case=True, timeout=_CALL_MS)
    page.reload()
    look(page)
    page.locator("main").click(position={"x": 2, "y": 2})
    page.keyboard.press("x")
    expect(page.locator("#f-close-outcome")).to_be_focused()
    page.locator("#f-close-outcome").select_option("mismatch")
    page.locator("#f-close-why").fill("the number belongs to a shop")
    look(page)

    other = page.context.new_page()
    other.goto(page.url)
    other.locator('summary[data-key="v"]').click()
    other.get_by_role("button", name="Ask for a visit").click()
    expect(other.locator(".toast")).to_contain_text("Waiting for an officer to accept the visit.")
    other.close()

    page.get_by_role("button", name="Close the case").click()
    changed = page.locator(".changed")
    expect(changed).to_contain_text("nothing has been done")
    expect(changed).to_contain_text("a person was asked for: visit", ignore_case=True)
    expect(page.locator("#f-close-why")).to_have_value("the number belongs to a shop")
    expect(page.locator("#f-close-outcome")).to_have_value("mismatch")
    look(page)
    page.get_by_role("button", name="Close the case").click()
    expect(page.locator(".toast")).to_contain_text("The case is closed.")
    expect(page.locator("#now")).to_contain_text("mismatch")
    look(page)
    # Chromium itself notes the answer that said the page was old.
    complaints.told = [told for told in complaints.told if "409" not in told]
