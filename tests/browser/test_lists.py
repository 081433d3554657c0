"""Lists in a real browser: a clerk drops a file with bad rows, mends a column, looks, loads and takes the refused rows
away; a supervisor lets a large one in.
"""

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
from tests.browser.staff import new_account

pytestmark = [pytest.mark.story, pytest.mark.timeout(300)]

HEADING = "指令编号,受害者大名,手机号,等级,诈骗类型"
_MANY = 2100
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


def write(folder: Path, name: str, *rows: str) -> Path:
    path = folder / name
    path.write_text("\n".join((HEADING, *rows)), encoding="utf-8-sig")
    return path


def drop(page: Page, path: Path) -> None:
    """As a file falls from the desktop onto the field."""
    carried = page.evaluate_handle(
        """([name, text]) => {
            const carried = new DataTransfer();
            carried.items.add(new File([text], name, { type: "text/csv" }));
            return carried;
        }""",
        [path.name, path.read_text(encoding="utf-8")],
    )
    page.dispatch_event(".drop-field", "dragover", {"dataTransfer": carried})
    expect(page.locator(".drop-over")).to_have_count(1)
    page.dispatch_event(".drop-field", "drop", {"dataTransfer": carried})
    page.wait_for_url(re.compile(r"/lists/drafts/\d+"))


def figure(page: Page, name: str, within: str = "main") -> str:
    return (
        page.locator(within).locator(".figure").filter(has=page.get_by_text(name, exact=True)).locator("b")
    ).inner_text()


def test_a_clerk_drops_a_list_with_bad_rows_and_loads_it(
    page: Page, service: Service, complaints: Complaints, tmp_path: Path
):
    new_account(page, service, "listclerk", Role.CLERK)
    page.goto("/lists")
    look(page)
    page.locator("#f-source").fill("商业银行")
    page.locator(".switch").click()
    bad = write(
        tmp_path,
        "今日名单.csv",
        *(f"L{n},王某{n},1390044{n:04d},低危,虚假贷款" for n in range(8)),
        "L8,王某0,13900440000,低危,虚假贷款",
        "L9,赵六,,高危,虚假贷款",
        "L10,=1+1,13900449999,紫色,虚假贷款",
    )
    drop(page, bad)

    expect(page.locator(".dry-band")).to_contain_text("不会保存任何内容")
    expect(page.get_by_role("button", name="导入这份名单")).to_have_count(0)
    assert figure(page, "未通过") == "2"
    expect(page.locator("section", has_text="导入预览").last).to_contain_text("没有手机号，请补上完整号码")
    unknown = page.locator(".mapped-unknown", has_text="受害者大名")
    expect(unknown).to_have_count(1)
    look(page)
    unknown.locator("select").select_option(label="姓名")
    page.get_by_role("button", name="应用列对应关系").click()
    expect(page.locator(".toast")).to_contain_text("列对应关系已应用")
    expect(unknown).to_have_count(0)
    expect(page.locator("section", has_text="导入预览").last).to_contain_text("王* 139****0000")
    assert figure(page, "其中并入已有预警单") == "1"
    expect(page.get_by_text("本名单第 2 行")).to_be_visible()

    page.get_by_role("link", name="结束试运行").click()
    expect(page.locator(".dry-band")).to_have_count(0)
    page.get_by_role("button", name="导入这份名单").click()
    expect(page.locator("#live .state")).to_have_text("已导入")
    assert (figure(page, "已导入", "#live"), figure(page, "未通过", "#live")) == ("9", "2")
    expect(page.locator("#came")).to_contain_text("8")
    look(page)
    with page.expect_download() as started:
        page.get_by_role("link", name="下载未通过数据").click()
    path = tmp_path / "rejects.xlsx"
    started.value.save_as(path)
    rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    assert [row[0] for row in rows] == ["指令编号", "L9", "L10"]
    assert rows[2][1] == "****"

    page.get_by_text("暂停外呼", exact=True).click()
    page.locator("#f-why").fill("核对号码")
    page.get_by_role("button", name="暂停", exact=True).click()
    expect(page.locator("#live")).to_contain_text("外呼已暂停")
    look(page)
    page.get_by_role("link", name="查看预警单").click()
    expect(page.locator("tbody tr")).to_have_count(8)

    page.goto("/lists")
    expect(page.locator("#loads")).to_contain_text("商业银行")
    page.locator("#f-file").set_input_files(files=[{"name": "x.png", "mimeType": "image/png", "buffer": PNG}])
    expect(page.locator(".drop-problem").first).to_contain_text("x.png: 该文件是图片")
    look(page)
    # The browser and htmx note every answer that is a refusal.
    complaints.told = [told for told in complaints.told if "422" not in told]


def test_a_supervisor_lets_a_large_list_in_and_english_is_the_same_page(
    page: Page, service: Service, tmp_path: Path
):
    new_account(page, service, "bigclerk", Role.CLERK)
    page.goto("/lists")
    big = write(
        tmp_path,
        "全市.csv",
        *(f"B{n},王某{n},1380055{n:04d},{'高危' if n % 700 == 0 else '低危'},虚假贷款" for n in range(_MANY)),
    )
    page.locator("#f-file").set_input_files(big)
    page.wait_for_url(re.compile(r"/lists/drafts/\d+"))
    expect(page.locator(".note")).to_contain_text("须第二人审批")
    page.get_by_role("button", name="导入这份名单").click()
    expect(page.locator("#live .state")).to_have_text("待第二人审批")
    expect(page.locator("#live")).to_contain_text("不能审批自己的名单")
    address = page.url
    page.locator(".self details.menu summary").click()
    page.get_by_role("button", name="退出登录").click()

    new_account(page, service, "bigboss", Role.SUPERVISOR, language="en")
    page.goto("/lists")
    look(page)
    expect(page.locator("#loads")).to_contain_text("Waiting for a second person")
    page.get_by_role("link", name="全市.csv").click()
    expect(page).to_have_url(address)
    expect(page.locator("#live")).to_contain_text("3 warnings of a high grade are loaded already.")
    expect(page.locator("#look")).to_contain_text("Preview of the rest")
    look(page)
    page.get_by_role("button", name="Approve: load the rest").click()
    expect(page.locator("#live .state")).to_have_text("loaded")
    assert figure(page, "accepted", "#live") == f"{_MANY:,}"
    page.get_by_text("Withdraw the list", exact=True).click()
    page.locator("#w-why").fill("sent by mistake")
    page.get_by_role("button", name="Withdraw", exact=True).click()
    expect(page.locator("#live .state")).to_have_text("withdrawn")
    look(page)
