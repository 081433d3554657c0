"""One day of a centre in a real browser, on a clock eight times as fast: a list is dropped, the robot rings, a caller
and an officer work, and the success rates say what came of it.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from carrier.lines.simulated import SimulatedLine
from dialer.core.access import Role
from dialer.runtime.settings import load_settings
from tests.browser.axe import PHONE, WIDE, look
from tests.browser.conftest import Complaints
from tests.browser.service import Service, running_service
from tests.browser.staff import new_account

if TYPE_CHECKING:
    from carrier.config import Timers

pytestmark = [pytest.mark.story, pytest.mark.timeout(500)]

_SPEED = 8.0
_CALL_MS = 150_000
_SOURCE = "反诈平台"


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Service]:
    """A service of its own: nobody else's cases are in its rates."""
    with running_service(tmp_path, speed=_SPEED) as running:
        yield running


def numbers(service: Service, behaviour: str) -> Iterator[str]:
    """Mobile numbers at which the simulated line has such people."""
    carrier = load_settings(service.env).carrier
    line = SimulatedLine(cast("Timers", None), people=carrier.people_config(), seed=carrier.seed)
    return (
        number
        for number in (f"1370000{n:04d}" for n in itertools.count())
        if line.behaviour_of(f"+86{number}").name == behaviour
    )


def targets(service: Service) -> bytes:
    """Three who hear the robot out, two whom it cannot reach and who cannot wait, and a row with a mistake."""
    rows = [
        {"姓名": name, "手机号": number, "等级": "中危", "诈骗类型": "刷单返利", "拟转金额": "8000元"}
        for name, number in zip(("东方朔", "上官云", "慕容白"), numbers(service, "cooperates"), strict=False)
    ]
    rows += [
        {"姓名": name, "手机号": number, "等级": "特高危", "诈骗类型": "冒充公检法", "拟转金额": "20万元"}
        for name, number in zip(("夏侯兰", "皇甫嵩"), numbers(service, "no_answer"), strict=False)
    ]
    rows.append(rows[0] | {"姓名": "公孙越", "手机号": "12345"})
    for number, row in enumerate(rows):
        row |= {"指令编号": f"ZL{number}", "来源": _SOURCE, "地址": "临河区胜利路1号"}
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8-sig")


@pytest.fixture
def windows(browser: Browser, day: Service, complaints: Complaints) -> Iterator[list[BrowserContext]]:
    """A window for each person at work, closed at the end."""
    opened: list[BrowserContext] = []
    yield opened
    for context in opened:
        context.close()


def window(browser: Browser, day: Service, complaints: Complaints, windows: list[BrowserContext]) -> Page:
    context = browser.new_context(base_url=day.url, locale="zh-CN", viewport=WIDE)  # type: ignore[arg-type]
    context.set_default_timeout(30_000)
    complaints.watch(context)
    windows.append(context)
    return context.new_page()


def test_from_a_dropped_file_to_the_success_rates(
    browser: Browser, day: Service, complaints: Complaints, windows: list[BrowserContext]
):
    clerk = window(browser, day, complaints, windows)
    new_account(clerk, day, "clerk1", Role.CLERK)
    expect(clerk).to_have_url(f"{day.url}/lists")
    clerk.locator("#f-file").set_input_files(
        {"name": "今日预警.csv", "mimeType": "text/csv", "buffer": targets(day)}
    )
    clerk.wait_for_url(re.compile(r"/lists/drafts/\d+$"))
    expect(clerk.locator(".verdict")).to_contain_text("特高危")
    look(clerk)
    clerk.get_by_role("button", name="导入这份名单").click()
    clerk.wait_for_url(re.compile(r"/lists/\d+$"))
    expect(clerk.locator("#live .figures")).to_contain_text("5", timeout=_CALL_MS)
    expect(clerk.locator("#rejects")).to_be_visible()

    # The robot rings three and is heard out; the wall and the list say so.
    chief = window(browser, day, complaints, windows)
    new_account(chief, day, "chief1", Role.SUPERVISOR, language="en")
    expect(chief).to_have_url(f"{day.url}/board")
    expect(chief.locator("main")).to_contain_text(re.compile("extra.high", re.IGNORECASE))
    look(chief)

    # A caller takes whoever cannot wait, and reports a success: without a staff call a second person approves it.
    caller = window(browser, day, complaints, windows)
    new_account(caller, day, "caller1", Role.CALLER)
    expect(caller).to_have_url(f"{day.url}/desk")
    expect(caller.locator(".desk-grade b").first).not_to_have_text("0", timeout=_CALL_MS)
    caller.locator("h1").click()
    caller.keyboard.press("Enter")
    expect(caller.locator("[data-task]")).to_be_visible()
    spoken_to = caller.locator("h1").inner_text()
    assert spoken_to in {"夏侯兰", "皇甫嵩"}
    look(caller)
    caller.set_viewport_size(WIDE)  # type: ignore[arg-type]
    caller.locator("input[name=following]").uncheck()
    caller.locator("h1").click()
    case = caller.locator(".desk-about a").get_attribute("href") or ""
    for key in ("1", "y", "j", "Enter"):
        caller.keyboard.press(key)
    expect(caller.locator(".problem")).to_contain_text("没有与当事人的坐席通话")
    look(caller)
    caller.locator("#f-no_call").fill("用本人手机拨打")
    caller.goto(f"{day.url}/desk")
    expect(caller.locator("#f-no_call")).to_have_value("用本人手机拨打")
    caller.locator("input[name=following]").uncheck()
    caller.locator("#f-no_call").press("Enter")
    expect(caller.locator(".toast")).to_contain_text("须经第二人审批")
    chief.goto(case)
    chief.get_by_role("button", name="Approve the outcome").click()
    expect(chief.locator("#side")).to_contain_text("approved by")
    chief.goto("/rates/callers")
    expect(chief.locator("tbody").first).to_contain_text("100.0%")
    look(chief)
    chief.goto("/board")
    caller.reload()
    expect(caller.locator("main")).to_contain_text(re.compile(r"劝阻成功\s*1"))
    # Chromium itself notes that the first report was refused.
    complaints.told = [told for told in complaints.told if "422" not in told]

    # An officer goes to the other one, with a phone.
    visited = ({"夏侯兰", "皇甫嵩"} - {spoken_to}).pop()
    officer = window(browser, day, complaints, windows)
    officer.set_viewport_size(PHONE)  # type: ignore[arg-type]
    new_account(officer, day, "officer1", Role.OFFICER)
    expect(officer).to_have_url(f"{day.url}/visits")
    officer.locator("[data-card]", has_text=visited[0]).get_by_role("button", name="签收").click()
    officer.wait_for_url(re.compile(r"/visits/\d+$"))
    expect(officer.locator(".person .name")).to_contain_text(visited)
    for step, told in (("出发", "出发"), ("到达现场", "到达")):
        button = officer.locator("[data-next]").get_by_role("button", name=step, exact=True)
        button.locator("visible=true").click()
        expect(officer.locator("#kept li", has_text=told)).to_contain_text("已发送")
    officer.get_by_label("见面劝阻成功").check()
    officer.locator("input[name=scammer][value=yes]").check()
    officer.get_by_role("button", name="提交反馈").click()
    expect(officer.locator(".over")).to_contain_text("见面劝阻成功")

    # All five are dissuaded, and each figure opens to its cases.
    dissuaded = clerk.locator("#came .figure", has_text="已劝阻")
    expect(dissuaded.locator("b")).to_have_text("5", timeout=_CALL_MS)
    chief.goto(f"/rates?source={_SOURCE}")
    funnel = chief.locator("ol.funnel")
    expect(funnel.locator("li").first.locator("b")).to_have_text("5")
    reached = funnel.locator("li").filter(
        has=chief.locator(".funnel-name", has_text=re.compile(r"^\s*dissuaded\s+[\d.]+%", re.IGNORECASE))
    )
    expect(reached.locator("b")).to_have_text("5")
    look(chief)
    chief.set_viewport_size(WIDE)  # type: ignore[arg-type]
    reached.get_by_role("link").click()
    expect(chief.locator("tbody tr")).to_have_count(5)
    chief.locator("tbody tr a").first.click()
    chief.wait_for_url(re.compile(r"/cases/\d+$"))
    look(chief)
    assert "夏侯兰" not in chief.content()
