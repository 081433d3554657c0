"""Call quality in a real browser: the words of a recorded call beside its sound, in both languages."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from dialer.bootstrap import application
from dialer.core.access import Role
from dialer.quality.transcribing import transcribe_due
from dialer.runtime.settings import load_settings
from tests.browser.axe import look
from tests.browser.conftest import Complaints
from tests.browser.service import Service
from tests.browser.staff import new_account
from tests.browser.test_case import number_of, open_case_of
from tests.browser.test_recording import wait_for_recording
from tests.quality.recorded import LoudnessReader

pytestmark = [pytest.mark.story, pytest.mark.timeout(400)]


def read_calls(service: Service) -> None:
    """As a worker with the extra does; what it hears is one sign a second."""
    with application(load_settings(service.env)) as made:
        assert transcribe_due(made.services, LoudnessReader()) >= 1


def test_a_supervisor_follows_the_words_of_a_call(page: Page, service: Service, complaints: Complaints):
    number = number_of("cooperates")
    new_account(page, service, "quality9", Role.SUPERVISOR)
    service.load([{"姓名": "田桂英", "手机号": number, "等级": "低危", "诈骗类型": "刷单返利"}])
    open_case_of(page, number)
    wait_for_recording(page, "收听录音")
    read_calls(service)
    page.goto(f"{service.url}/quality")
    expect(page.get_by_role("heading", name="话务质检")).to_be_visible()
    row = page.locator("[aria-labelledby=calls] tbody tr").first
    expect(row).to_contain_text("已转写")
    look(page)
    row.get_by_role("link").first.click()
    look(page)
    page.locator("select[name=reason]").select_option("review")
    page.locator("input[name=why]").fill("复核劝阻质量")
    page.get_by_role("button", name="收听").click()
    words = page.locator(".said")
    expect(words.first).to_be_visible()
    look(page)
    third = words.nth(2)
    third.click()
    expect(third).to_have_class(re.compile("said-now"))
    assert page.locator("audio").evaluate("(sound) => sound.currentTime") >= float(
        third.get_attribute("data-begin") or "nan"
    )
    page.get_by_role("link", name="立即隐藏").click()
    expect(page.locator(".said")).to_have_count(0)
    assert complaints.told == []


def test_in_english_too_a_call_without_a_reason_stays_closed(
    page: Page, service: Service, complaints: Complaints
):
    new_account(page, service, "quality8", Role.SUPERVISOR, language="en")
    page.goto(f"{service.url}/quality?state=read")
    expect(page.get_by_role("heading", name="Call quality")).to_be_visible()
    page.locator("[aria-labelledby=calls] tbody tr").first.get_by_role("link").first.click()
    page.get_by_role("button", name="Listen").click()
    expect(page.locator("select[name=reason]")).to_be_visible()
    expect(page.locator(".said")).to_have_count(0)
    look(page)
