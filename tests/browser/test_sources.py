"""Sources in a real browser: what each may send, warnings above a limit that are released, and a number that was called
as often as it may be.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa
from playwright.sync_api import Locator, Page, expect

from dialer.bootstrap import application
from dialer.core.access import Role
from dialer.db import tables as t
from dialer.db.vault import BlindKind
from dialer.runtime.settings import load_settings
from tests.browser.axe import look
from tests.browser.service import Service
from tests.browser.staff import new_account

pytestmark = [pytest.mark.story, pytest.mark.timeout(300)]


def new_token(service: Service, name: str) -> str:
    said = service.dialer("token", "add", name, "--scope", "warnings:write", "--days", "1", "--by", "cli")
    found = re.search(r"\S{40,}", said)
    assert found is not None, said
    return found[0]


def send(service: Service, token: str, warnings: Sequence[dict[str, str]]) -> None:
    answer = httpx.post(
        f"{service.url}/api/v1/warnings",
        json=warnings,
        headers={"Authorization": f"Bearer {token}"},
        trust_env=False,
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["accepted"] == len(warnings)


def warning(number: int, phone: str, name: str, grade: str = "低危") -> dict[str, str]:
    return {"instruction_no": f"W-{number}", "name": name, "phones": phone, "grade": grade}


def waiting(page: Page) -> Locator:
    return page.locator("section", has=page.locator("#waiting"))


def test_what_is_above_the_limit_of_a_source_is_released_and_its_limits_are_set(page: Page, service: Service):
    token = new_token(service, "new-bank")
    new_account(page, service, "sources-chief", Role.SUPERVISOR)
    page.goto("/sources/one?name=new-bank")
    expect(page.locator("main")).to_contain_text("试用")
    look(page)
    page.locator("#f-per_hour").fill("1")
    page.locator("#f-why").fill("试运行")
    page.get_by_role("button", name="修改").click()
    expect(page.locator(".toast")).to_be_visible()
    send(service, token, [warning(n, f"1380013{n:04}", f"王{n}") for n in range(3)])
    page.goto("/sources")
    expect(waiting(page).locator("tbody tr")).to_contain_text("new-bank")
    expect(waiting(page).locator("tbody tr")).to_contain_text("超过该来源每小时上限")
    look(page)
    waiting(page).get_by_role("button", name="放行预警").click()
    expect(page.locator(".toast")).to_be_visible()
    expect(waiting(page).locator("tbody tr")).to_have_count(0)


def test_further_names_on_a_number_wait_and_the_pages_of_the_others_say_so(page: Page, service: Service):
    token = new_token(service, "names")
    send(service, token, [warning(n, "13800139999", f"李{n}") for n in range(6)])
    new_account(page, service, "names-chief", Role.SUPERVISOR, language="en")
    with application(load_settings(service.env)) as made, made.services.store.begin() as tx:
        case_id = tx.scalar(sa.select(sa.func.min(t.case.c.id)).where(t.case.c.source == "names"))
    page.goto(f"/cases/{case_id}")
    expect(page.locator("#person")).to_contain_text("wait")
    expect(page.locator("#person")).to_contain_text("3 further people with this number have open cases")
    look(page)
    page.locator("#person").get_by_role("link", name="names").click()
    expect(waiting(page)).to_contain_text("names")
    expect(page.locator("main")).to_contain_text("On probation")
    look(page)


@pytest.mark.parametrize(
    ("language", "said"),
    [("zh", "同一号码呼叫次数达到上限"), ("en", "a number was called as often as it may be")],
)
def test_a_number_that_was_called_as_often_as_it_may_be_is_told(
    page: Page, service: Service, language: str, said: str
):
    phone = {"zh": "13800137001", "en": "13800137002"}[language]
    with application(load_settings(service.env)) as made:
        services = made.services
        now = services.clock.now()
        before = [now - timedelta(minutes=1)] * (services.lines.number_calls_an_hour - 1)
        [blind, *_] = services.store.vault.blinds(f"+86{phone}", kind=BlindKind.PHONE)
        with services.store.begin() as tx:
            row = {"phone_blind": blind, "called_at": before, "free_at": now}
            tx.execute(sa.insert(t.live_number).values(row))
    send(service, new_token(service, f"often-{language}"), [warning(1, phone, "赵六", "高危")])
    new_account(page, service, f"often-{language}", Role.SUPERVISOR, language=language)
    page.goto("/control")
    expect(page.locator("main")).to_contain_text(said)
    look(page)
