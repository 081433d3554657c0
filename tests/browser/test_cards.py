"""Two-card control in a real browser: a teller, the desk, a team and a supervisor, in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from dialer.bootstrap import application
from dialer.cards.counter.screening import screen_all
from dialer.cards.openings.institutions import bind_teller
from dialer.core.access import Role, unrestricted
from dialer.demo.sample_list import import_demo_units
from dialer.demo.street import BANK, OUTLETS, build_street
from dialer.runtime.settings import load_settings
from tests.browser.axe import WIDE, look
from tests.browser.conftest import Complaints
from tests.browser.service import Service
from tests.browser.staff import new_account

pytestmark = [pytest.mark.story, pytest.mark.long, pytest.mark.timeout(500)]

WORDS = {
    "zh": {
        "claim": "受理",
        "answer": "答复",
        "order": "下达现场核查",
        "arrived": "小组已到达",
        "end": "结束核查",
        "sign": "签收",
        "step": "记录处置",
        "ask_first": "须先询问核查席",
    },
    "en": {
        "claim": "Claim",
        "answer": "Answer",
        "order": "Order an on-site check",
        "arrived": "The team has arrived",
        "end": "End the check",
        "sign": "Sign for it",
        "step": "Record the step",
        "ask_first": "is asked before this card",
    },
}


@pytest.fixture
def windows(browser: Browser) -> Iterator[list[BrowserContext]]:
    opened: list[BrowserContext] = []
    yield opened
    for context in opened:
        context.close()


def window(
    browser: Browser, service: Service, complaints: Complaints, windows: list[BrowserContext], language: str
) -> Page:
    locale = "zh-CN" if language == "zh" else "en-GB"
    context = browser.new_context(base_url=service.url, locale=locale, viewport=WIDE)  # type: ignore[arg-type]
    context.set_default_timeout(30_000)
    complaints.watch(context)
    windows.append(context)
    return context.new_page()


def beside(service: Service, login: str) -> None:
    """The street, with this teller at the first outlet. In a thread of its own: the driver has a loop in this one."""

    def build() -> None:
        with application(load_settings(service.env)) as app:
            import_demo_units(app.services)
            build_street(app.services, teller=login)
            for _ in screen_all(app.services):
                pass
            bind_teller(app.services, unrestricted("test"), login=login, institution=BANK, code=OUTLETS[0][2])

    with ThreadPoolExecutor(1) as thread:
        thread.submit(build).result()


@pytest.fixture
def street(service: Service) -> Iterator[Service]:
    yield service
    service.empty()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_from_the_counter_to_the_slip(
    browser: Browser, street: Service, complaints: Complaints, windows: list[BrowserContext], language: str
):
    said = WORDS[language]
    teller = window(browser, street, complaints, windows, language)
    new_account(teller, street, "teller1", Role.TELLER, language=language)
    beside(street, "teller1")
    desk = window(browser, street, complaints, windows, language)
    new_account(desk, street, "caller1", Role.CALLER, language=language)
    desk.goto("/cards/desk")

    # The customer of the demo stands at the counter: one of five who came together.
    teller.goto("/counter")
    look(teller)
    teller.locator("main a[href^='/counter/']").first.click()
    expect(teller.locator(".verdict")).to_contain_text(said["ask_first"])
    look(teller)
    teller.locator("form[action$='/ask'] input[name=note]").fill("说不清用途")
    teller.locator("form[action$='/ask'] button").click()

    # It appears on the desk by itself; one claims it, sends a team and answers.
    first = desk.locator("#card-questions .question a").first
    expect(first).to_contain_text(BANK)
    first.click()
    desk.get_by_role("button", name=said["claim"], exact=True).click()
    expect(desk.locator(".question-detail")).to_contain_text("411723")
    look(desk)
    desk.locator("#f-team").fill("胜利路派出所 张")
    desk.get_by_role("button", name=said["order"]).click()
    desk.get_by_role("button", name=said["arrived"]).click()
    desk.locator("form[action$='/found'] select[name=finding]").select_option("suspects")
    desk.get_by_role("button", name=said["end"]).click()
    desk.locator("form[action$='/answer'] select[name=answer]").select_option("advise_refusal")
    desk.locator("form[action$='/answer'] input[name=reason]").fill("团伙开卡，用途不实")
    desk.get_by_role("button", name=said["answer"], exact=True).click()

    # The advice appears at the outlet by itself, and a person there decides; the customer gets a slip and objects.
    expect(teller.locator("main")).to_contain_text("团伙开卡，用途不实")
    teller.locator("form[action$='/result'] [name=result]").select_option("refused")
    teller.locator("form[action$='/result'] input[name=why]").fill("用途不实")
    teller.locator("form[action$='/result'] button").first.click()
    teller.goto(re.sub(r"$", "/slip", teller.url))
    expect(teller.locator(".slip")).to_contain_text("用途不实")
    look(teller)

    # The local centre signs for the ring; a supervisor looks at outlets and fairness.
    officer = window(browser, street, complaints, windows, language)
    new_account(officer, street, "officer1", Role.OFFICER, language=language)
    officer.goto("/cards/openers")
    officer.get_by_role("button", name=said["sign"]).first.click()
    look(officer)
    officer.locator("main a[href^='/cards/rings/']").first.click()
    expect(officer.locator("svg.ring circle").first).to_be_visible()
    look(officer)
    chief = window(browser, street, complaints, windows, language)
    new_account(chief, street, "chief1", Role.SUPERVISOR, language=language)
    for path in ("/cards/restrictions", "/cards/fairness", "/cards/outlets"):
        chief.goto(path)
        look(chief)
    chief.locator("main td a[href^='/cards/outlets/']").first.click()
    chief.locator("#f-why").fill("涉案卡偏多")
    chief.get_by_role("button", name=said["step"]).click()
    expect(chief.locator("main ol.findings li")).to_have_count(1)
    look(chief)
