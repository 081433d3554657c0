"""Orders to correct in a real browser: issued from the list, answered by the unit on a narrow screen, and closed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from dialer.core.access import Role
from tests.browser.axe import look
from tests.browser.conftest import Complaints
from tests.browser.service import Service
from tests.browser.staff import new_account

pytestmark = [pytest.mark.story, pytest.mark.timeout(400)]
UNITS = "名称,上级\n巴彦淖尔市公安局,\n城关派出所,巴彦淖尔市公安局\n"
WORDS = {
    "zh": (
        "新建督办单",
        "下发督办单",
        "签收",
        "提交整改情况",
        "退回重新整改",
        "退回",
        "认可整改并办结",
        "已办结",
    ),
    "en": (
        "New order",
        "Issue the order",
        "Sign for it",
        "Send the answer",
        "Send the answer back",
        "Send back",
        "Accept the answer and close",
        "closed",
    ),
}


@pytest.fixture
def emptied(service: Service) -> Iterator[Service]:
    yield service
    service.empty()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_order_is_issued_answered_sent_back_and_closed(
    page: Page, emptied: Service, complaints: Complaints, language: str
):
    service = emptied
    new, issue, sign, answer, ask_back, back, close, closed = WORDS[language]
    table = service.folder / "units.csv"
    table.write_text(UNITS, encoding="utf-8")
    service.dialer("units", "import", str(table), "--by", "cli")
    deadline = datetime.now(UTC) + timedelta(days=3)
    new_account(page, service, "ann", Role.OFFICER, language=language)
    unit = page.context.cookies()
    new_account(page, service, "chief", Role.SUPERVISOR, language=language)
    chief = page.context.cookies()
    page.goto("/corrections")
    look(page)
    page.get_by_role("link", name=new).click()
    page.locator("#f-unit").select_option(label="\u3000城关派出所")
    page.locator("#f-text").fill("三条高危预警超时签收")
    page.locator("#f-deadline").fill(f"{deadline:%Y-%m-%dT%H:%M}")
    look(page)
    page.get_by_role("button", name=issue).click()
    page.wait_for_url(re.compile(r"/corrections/\d+$"))
    address = page.url
    look(page)
    page.context.add_cookies(unit)
    page.goto("/corrections")
    page.locator("tbody a").first.click()
    expect(page).to_have_url(address)
    page.get_by_role("button", name=sign, exact=True).click()
    expect(page.get_by_role("button", name=sign, exact=True)).to_have_count(0)
    page.locator("#f-answer").fill("已整改")
    look(page)
    page.get_by_role("button", name=answer).click()
    expect(page.locator("#f-answer")).to_have_count(0)
    page.context.add_cookies(chief)
    page.goto(address)
    page.get_by_text(ask_back, exact=True).click()
    page.locator("#f-missing").fill("原因未查明")
    page.locator("#f-again").fill(f"{deadline:%Y-%m-%dT%H:%M}")
    look(page)
    page.get_by_role("button", name=back, exact=True).click()
    expect(page.locator(".timeline li")).to_have_count(4)
    page.context.add_cookies(unit)
    page.goto(address)
    page.locator("#f-answer").fill("查明：交接班漏接")
    page.get_by_role("button", name=answer).click()
    expect(page.locator(".timeline li")).to_have_count(5)
    page.context.add_cookies(chief)
    page.goto(address)
    page.get_by_role("button", name=close).click()
    expect(page.locator(".facts")).to_contain_text(closed)
    page.goto("/corrections?show=all")
    expect(page.locator("tbody tr")).to_have_count(1)
    look(page)
