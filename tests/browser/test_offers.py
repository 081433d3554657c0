"""A call is offered in a real browser: not taken in time it goes to the next, who takes it; in both languages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from dialer.core.access import Role
from tests.browser.axe import WIDE, look
from tests.browser.conftest import Complaints
from tests.browser.service import Service, running_service
from tests.browser.staff import new_account

pytestmark = [pytest.mark.story, pytest.mark.timeout(400)]
WORDS = {
    "zh": ("我空闲", "有一件任务派给您", "转给下一位", "领取派给我的任务", "每件任务派给空闲最久的人"),
    "en": (
        "I am free",
        "A task is offered to you",
        "Pass it on",
        "Take the task offered to me",
        "Each task is offered to who has been free longest",
    ),
}


@pytest.fixture(scope="module")
def offering(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that offers calls for six seconds."""
    with running_service(
        tmp_path_factory.mktemp("offering"), WORK__TASKS="offer", WORK__OFFER_SECONDS="6"
    ) as started:
        yield started


@pytest.fixture
def windows(browser: Browser, offering: Service, complaints: Complaints) -> Iterator[list[BrowserContext]]:
    opened: list[BrowserContext] = []
    for _ in range(2):
        context = browser.new_context(base_url=offering.url, locale="zh-CN", viewport=WIDE)  # type: ignore[arg-type]
        context.set_default_timeout(30_000)
        complaints.watch(context)
        opened.append(context)
    yield opened
    for context in opened:
        context.close()


def desk(context: BrowserContext, service: Service, login: str, language: str) -> Page:
    page = context.new_page()
    new_account(page, service, login, Role.CALLER, language=language)
    return page


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_call_goes_from_desk_to_desk_until_somebody_takes_it(
    offering: Service, windows: list[BrowserContext], language: str
):
    free, offered, pass_on, take, waits = WORDS[language]
    offering.empty()
    offering.as_administrator("pause", "--minutes", "60", "--why", "people ring", "--grade", "extra_high")
    first, second = (
        desk(context, offering, f"desk{n}.{language}", language) for n, context in enumerate(windows)
    )
    for page in (first, second):
        expect(page.locator("#room")).to_contain_text(waits)
        expect(page.locator("form[data-next] button")).to_be_disabled()
        page.get_by_role("button", name=free).click()
        expect(page.locator(".presence-free")).to_be_visible()
    look(first)
    row = {"指令编号": f"O{language}", "姓名": "公孙胜", "手机号": "19900070013", "等级": "特高危"}
    offering.load([row])

    # Who has been free longest is offered it, and lets the time pass.
    expect(first.locator("[data-offer]")).to_contain_text(offered, timeout=60_000)
    expect(second.locator("[data-offer]")).to_have_count(0)
    expect(second.locator("[data-offer]")).to_contain_text(offered, timeout=30_000)
    expect(first.locator("[data-offer]")).to_have_count(0)
    # The next one passes it on, and it comes back.
    second.get_by_role("button", name=pass_on).click()
    expect(first.locator("[data-offer]")).to_contain_text(offered)
    look(first)
    expect(second.locator("[data-offer]")).to_contain_text(offered, timeout=30_000)
    second.get_by_role("button", name=take).click()
    expect(second.locator("h1")).to_have_text("公孙胜")
    expect(first.locator("[data-offer]")).to_have_count(0)
