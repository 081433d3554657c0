"""The board and the control: figures that move, silence that is told, and a chief who stops the robots and resumes."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from dialer.bootstrap import application
from dialer.core.access import Role
from dialer.db.system_state import living_processes
from dialer.runtime.settings import load_settings
from tests.browser.axe import assert_clean, assert_fits, look
from tests.browser.conftest import Complaints
from tests.browser.service import Service
from tests.browser.staff import new_account

pytestmark = pytest.mark.story

PHONE, DESK = (390, 844), (1600, 900)
SCREENS = ((1920, 1080), (3840, 2160))
_STALE_MS = 40_000
_WITH_LARGE_FIGURES = """() => {
  const put = (where, text) => document.querySelectorAll(where).forEach(one => { one.textContent = text; });
  const span = document.documentElement.lang === "en" ? "9 min 59 s" : "9分钟59秒";
  put(".board-table td", span);
  put(".tile-grade .tile-big", "99,999");
  document.querySelectorAll(".tile-grade .tile-big").forEach(one => one.classList.add("tile-long"));
  put(".tile-grade dd", "99,999");
  put(".tile-grade div:nth-child(3) dd", span);
  put(".board-funnel b", "99,999");
  put(".board-money dd", "¥12,345,678.90");
  return [...document.querySelectorAll(".tile")]
    .filter(one => one.scrollHeight > one.clientHeight + 1 || one.scrollWidth > one.clientWidth + 1)
    .map(one => [one.querySelector("h2").textContent.trim(), one.scrollHeight - one.clientHeight,
      one.scrollWidth - one.clientWidth].join(" "));
}"""
"""The tiles in which something is cut off when the figures are as long as they may become."""


def as_wide(page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.wait_for_timeout(300)


def assert_all_is_on_the_screen(page: Page) -> None:
    """A board screen has nobody who scrolls it: all of it is there, and nothing is cut off."""
    for size in SCREENS:
        as_wide(page, size)
        over = page.evaluate("document.documentElement.scrollHeight - window.innerHeight")
        assert over <= 0, f"{size}: {over} px too high"
        assert_fits(page)
        cut = page.evaluate(_WITH_LARGE_FIGURES)
        assert cut == [], f"{size}: {cut}"


@contextmanager
def silent(service: Service) -> Iterator[None]:
    """Within the block the web process is there and says nothing."""
    with application(load_settings(service.env)) as app, app.services.store.begin() as tx:
        beats = living_processes(tx, real_now=datetime.now(UTC))
    [web] = [beat for beat in beats if beat.kind == "web"]
    pid = int(web.process.rpartition(":")[2])
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_chief_watches_stops_and_resumes_the_robots(page: Page, service: Service, complaints: Complaints):
    new_account(page, service, "chief1", Role.SUPERVISOR)
    expect(page).to_have_url(f"{service.url}/board")
    expect(page.locator("[data-live-state]")).to_have_text("实时")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert_all_is_on_the_screen(page)
    for theme in ("dark", "light"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        assert_clean(page)
    page.locator(".board-details summary").click()
    expect(page.locator("[data-part=minutes] tr")).to_have_count(60)
    assert_clean(page)
    as_wide(page, PHONE)
    assert_fits(page)

    # Stopped, with a reason that everybody reads.
    page.goto("/control")
    look(page)
    form = page.locator(".pause-form")
    form.locator("#f-scope").select_option("grade")
    form.locator("#f-grade").select_option("low")
    expect(form.locator("#f-unit")).to_be_hidden()
    form.locator("#f-scope").select_option("all")
    form.locator("#f-minutes").select_option("60")
    form.locator("#f-why").fill("线路检修")
    form.get_by_role("button", name="暂停外呼").click()
    form.get_by_role("button", name="暂停全部外呼").click()
    expect(page.locator(".toast")).to_contain_text("已暂停")
    expect(page.locator(".halted")).to_contain_text("线路检修")
    expect(page.locator("#now tbody tr").first).to_contain_text("Chief1")
    look(page)

    # Figures move by themselves: what is loaded waits, since nothing rings.
    page.goto("/board")
    expect(page.locator(".board-band")).to_contain_text("线路检修")
    tile = page.locator(".tile-extra_high .tile-big")
    before = int(tile.inner_text())
    service.load(
        [
            {"姓名": f"王小{n}", "手机号": f"1380013900{n}", "等级": "特高危", "诈骗类型": "刷单返利"}
            for n in range(3)
        ]
    )
    expect(tile).to_have_text(str(before + 3))
    assert_all_is_on_the_screen(page)

    # And go on.
    page.goto("/control")
    expect(page.locator("#now tbody tr").first).to_contain_text("3")
    page.locator("#now").get_by_role("button", name="恢复").first.click()
    expect(page.locator(".toast")).to_contain_text("已解除")
    expect(page.locator(".halted")).to_have_count(0)
    page.goto("/board")
    expect(page.locator(".tile-extra_high dd").first).to_have_text("0")
    expect(page.locator(".board-band", has_text="线路检修")).to_have_count(0)

    # Silence is told, and forgiven.
    with silent(service):
        stale = page.locator("[data-stale]")
        expect(stale).to_be_visible(timeout=_STALE_MS)
        expect(stale).to_contain_text("最后数据")
        expect(page.locator("html")).to_have_class("is-stale")
    expect(stale).to_be_hidden(timeout=_STALE_MS)
    expect(page.locator("[data-live-state]")).to_have_text("实时")
    complaints.told = [told for told in complaints.told if "ERR_" not in told and "net::" not in told]
    assert complaints.told == []


def test_the_board_and_the_control_in_english_and_a_pace_lowered(page: Page, service: Service):
    new_account(page, service, "chief2", Role.SUPERVISOR, language="en")
    expect(page.locator("[data-live-state]")).to_have_text("live")
    assert_all_is_on_the_screen(page)
    assert_clean(page)
    as_wide(page, DESK)
    page.goto("/control")
    look(page)
    expect(page.get_by_text("A caller calls at once beside the robot, within 5 min.")).to_be_visible()
    page.locator("#f-lines").fill("5")
    page.locator("#f-pace_why").fill("fewer people at the desks")
    page.get_by_role("button", name="Change the pace").click()
    expect(page.get_by_text("Lowered by chief2")).to_be_visible()
    page.goto("/board")
    expect(page.locator(".board-middle .tile-big").first).to_contain_text("/ 5")
    page.goto("/control")
    page.get_by_role("button", name="Back to the settings").click()
    expect(page.get_by_text("From the settings.")).to_be_visible()

    # A session that has ended says so, and the figures stand.
    page.goto("/board")
    expect(page.locator("[data-live-state]")).to_have_text("live")
    service.as_administrator("staff", "sessions", "chief2", "--end")
    expect(page.locator("[data-signed-out]")).to_be_visible()
    expect(page.locator("html")).to_have_class("is-stale")
