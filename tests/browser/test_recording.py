"""The recording of a call in a real browser: made by the carrier, fetched by a worker, listened to with a reason."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from dialer.core.access import Role
from tests.browser.axe import look
from tests.browser.conftest import Complaints
from tests.browser.service import Service
from tests.browser.staff import new_account
from tests.browser.test_case import number_of, open_case_of

pytestmark = [pytest.mark.story, pytest.mark.timeout(300)]

_TURNS = 120
_LOADED = """(player) => new Promise((resolve, reject) => {
  const tell = () => resolve({ seconds: player.duration, error: player.error && player.error.code });
  player.addEventListener("error", () => reject(player.error && player.error.message));
  if (player.readyState > 0) tell(); else player.addEventListener("loadedmetadata", tell);
})"""


def wait_for_recording(page: Page, words: str) -> None:
    """The call is over, and a worker has fetched what the carrier recorded."""
    for _ in range(_TURNS):
        if page.locator(".recording summary", has_text=words).count():
            return
        page.wait_for_timeout(1_000)
        page.reload()
    pytest.fail("there is no recording")


def test_a_supervisor_listens_to_the_recording_of_a_call(
    page: Page, service: Service, complaints: Complaints
):
    number = number_of("cooperates")
    new_account(page, service, "chief9", Role.SUPERVISOR)
    service.load([{"姓名": "田桂英", "手机号": number, "等级": "低危", "诈骗类型": "刷单返利"}])
    open_case_of(page, number)
    wait_for_recording(page, "收听录音")
    expect(page.locator("#story")).to_contain_text("正在录音。")
    expect(page.locator(".recording code")).to_have_text(re.compile("^[0-9a-f]{64}$"))
    look(page)
    page.locator(".recording summary").click()
    page.locator(".recording select").select_option("review")
    page.locator(".recording input[name=why]").fill("复核劝阻质量")
    page.locator(".recording").get_by_role("button", name="收听").click()
    player = page.locator(".recording audio")
    expect(player).to_be_visible()
    found = player.evaluate(_LOADED)
    assert found["error"] is None
    assert found["seconds"] > 20
    look(page)
    page.reload()
    expect(page.locator(".recording audio")).to_have_count(0)
    expect(page.locator("#story")).to_contain_text("收听了通话录音：复核劝阻质量")
    assert complaints.told == []
