"""The organisation in a real browser: imported, taught a word by a clerk, and work handed from unit to unit."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from dialer.core.access import Role
from tests.browser.axe import look
from tests.browser.conftest import Complaints
from tests.browser.service import Service
from tests.browser.staff import new_account

pytestmark = [pytest.mark.story, pytest.mark.timeout(300)]

TREE = """名称,上级,级别,别名,状态
云川市公安局,,市,,
河东区公安分局,云川市公安局,区县,河东公安,
安泽县公安局,云川市公安局,区县,,
河湾派出所,河东区公安分局,所,,
石桥派出所,河东区公安分局,所,,
石桥派出所,安泽县公安局,所,,
"""


def dropped(text: str) -> FilePayload:
    return {"name": "单位.csv", "mimeType": "text/csv", "buffer": text.encode("utf-8-sig")}


def another(browser: Browser, service: Service, complaints: Complaints) -> Page:
    context = browser.new_context(
        base_url=service.url, locale="zh-CN", viewport={"width": 1280, "height": 900}
    )
    complaints.watch(context)
    return context.new_page()


def test_a_tree_is_imported_a_word_is_taught_and_work_goes_next_door(
    page: Page, browser: Browser, service: Service, complaints: Complaints, no_robot: None
):
    new_account(page, service, "units-admin", Role.ADMINISTRATOR)
    page.goto("/units/import")
    look(page)
    file, ask = page.locator("#f-file"), page.get_by_role("button", name="预览变更")
    file.set_input_files(dropped(TREE + "无主派出所,没有这个局,,,\n"))
    ask.click()
    fault = page.locator("tbody tr", has_text="上级单位不在表中")
    expect(fault).to_contain_text("8")
    expect(fault).to_contain_text("改正上级名称")
    look(page)
    file.set_input_files(dropped(TREE))
    ask.click()
    expect(page.locator(".figure", has_text="新增")).to_contain_text("6")
    look(page)
    page.get_by_role("button", name="确认导入").click()
    expect(page).to_have_url(f"{service.url}/units")
    expect(page.locator(".toast")).to_contain_text("新增 6")
    look(page)
    # The tree folds by the keyboard.
    summary = page.locator("summary", has_text="河东区公安分局的下级")
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="河湾派出所")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="河湾派出所")).to_be_visible()

    service.load(
        [
            row("王小明", "13800131001", "河湾老街所"),
            row("李大海", "13800131002", "河湾老街所"),
            row("赵建国", "13800131003", "石桥派出所"),
            row("孙丽华", "13800131004", "河东公安"),
        ]
    )
    clerk = another(browser, service, complaints)
    new_account(clerk, service, "units-clerk", Role.CLERK)
    clerk.goto("/units")
    clerk.get_by_role("link", name=re.compile("^待分派预警单")).click()
    expect(clerk.get_by_role("heading", name="待分派预警单")).to_be_visible()
    look(clerk)
    group = clerk.locator(".group", has_text="河湾老街所")
    expect(group).to_contain_text("特高危 2")
    expect(group.get_by_role("button", name="河湾派出所")).to_be_visible()
    group.get_by_label("单位", exact=True).fill("石桥派出所")
    group.get_by_role("button", name="分派", exact=True).click()
    wrong = clerk.locator(".group", has_text="河湾老街所")
    expect(wrong.locator(".problem")).to_contain_text("不止一个")
    look(clerk)
    wrong.get_by_label("单位", exact=True).fill("河湾派出所")
    clerk.keyboard.press("Enter")
    expect(clerk.locator(".toast")).to_contain_text("已分到河湾派出所，共 2 张预警单")
    expect(clerk.locator(".group", has_text="河湾老街所")).to_have_count(0)
    ambiguous = clerk.locator(".group", has_text="石桥派出所")
    expect(ambiguous).to_contain_text("可能指以下单位")
    expect(ambiguous.get_by_role("checkbox")).not_to_be_checked()
    ambiguous.get_by_role("link", name=re.compile(r"查看 \d+ 张预警单")).click()
    expect(clerk.get_by_role("button", name="分给该单位")).to_be_visible()
    look(clerk)
    clerk.get_by_role("checkbox").check()
    clerk.get_by_role("button", name="安泽县公安局/石桥派出所").click()
    expect(clerk.locator(".toast")).to_contain_text("共 1 张预警单")
    # The next list with the same words needs nobody.
    service.load([row("周文斌", "13800131005", "河湾老街所")])
    clerk.goto("/units")
    clerk.get_by_role("link", name="河湾派出所").click()
    expect(clerk.locator(".figure", has_text="未办结预警单")).to_contain_text("3")
    expect(clerk.locator(".aliases")).to_contain_text("河湾老街所")

    chief = another(browser, service, complaints)
    new_account(chief, service, "units-chief", Role.SUPERVISOR)
    chief.goto("/units?text=河湾")
    chief.get_by_role("link", name="河湾派出所").click()
    expect(chief.get_by_role("heading", name="河湾派出所")).to_be_visible()
    look(chief)
    work = chief.locator("#work tbody tr", has_text="见面劝阻").first
    expect(work).to_be_visible()
    work.get_by_role("link", name=re.compile("^移交预警单")).click()
    expect(chief.get_by_label("移交到")).to_be_visible()
    look(chief)
    chief.get_by_label("移交到").fill("安泽县公安局/石桥派出所")
    chief.get_by_label("原因").fill("现住址在贵辖区")
    chief.get_by_role("button", name="发起移交").click()
    expect(chief.locator(".toast")).to_contain_text("时限继续计算")
    expect(chief.locator("#work")).to_contain_text("移交中")
    look(chief)
    clerk.goto("/units/transfers")
    look(clerk)
    moving = clerk.locator(".moving", has_text="现住址在贵辖区")
    moving.get_by_role("button", name="接收").click()
    expect(clerk.locator(".toast")).to_contain_text("已接收")
    expect(clerk.locator(".moving", has_text="现住址在贵辖区")).to_have_count(0)
    clerk.goto("/units?text=安泽")
    clerk.get_by_role("link", name="石桥派出所").click()
    # A clerk makes no visits: it waits here for an officer.
    expect(clerk.locator("#work")).to_contain_text("移交过 1 次")
    expect(clerk.locator("#work")).not_to_contain_text("units-clerk")

    english = another(browser, service, complaints)
    new_account(english, service, "units-en", Role.CLERK, language="en")
    for path in ("/units", "/units/unassigned", "/units/transfers"):
        english.goto(path)
        look(english)
    english.goto("/units")
    english.get_by_role("link", name="河湾派出所").click()
    expect(english.get_by_role("heading", name="Clocks by grade")).to_be_visible()
    look(english)
    # Chromium itself notes that a list and a name were refused.
    complaints.told = [told for told in complaints.told if "422" not in told]
    assert complaints.told == []


def row(name: str, phone: str, unit: str) -> dict[str, str]:
    return {"姓名": name, "手机号": phone, "等级": "特高危", "诈骗类型": "刷单返利", "属地": unit}
