"""Sources in a real browser: what each may send, warnings above a limit that are released, and a number that has as
many open cases, calls and messages as it may have.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa
from playwright.sync_api import Locator, Page, expect

from dialer.bootstrap import application
from dialer.cases.effects import insert_messages, message_row
from dialer.cases.store import lock_cases
from dialer.core.access import Role
from dialer.core.events import SendMessage
from dialer.core.values import MessageChannel, MessagePurpose
from dialer.db import tables as t
from dialer.db.vault import BlindKind
from dialer.runtime.embedded import wait_until
from dialer.runtime.settings import load_settings
from tests.browser.axe import look
from tests.browser.service import ALONE, Service
from tests.browser.staff import new_account

pytestmark = [pytest.mark.story, pytest.mark.timeout(300)]


def new_token(service: Service, name: str) -> str:
    said = service.as_administrator("token", "add", name, "--scope", "warnings:write", "--days", "1", *ALONE)
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


def newest_case(service: Service, source: str) -> int:
    with application(load_settings(service.env)) as made, made.services.store.begin() as tx:
        return int(tx.scalar(sa.select(sa.func.max(t.case.c.id)).where(t.case.c.source == source)))


def alarms_of(service: Service, cases: Sequence[int]) -> list[str]:
    a = t.alarm.c
    with application(load_settings(service.env)) as made, made.services.store.begin() as tx:
        return [row["code"] for row in tx.rows(sa.select(a.code).where(a.case_id.in_(cases)))]


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


WORDS = {
    "zh": {
        "held": "待放行",
        "accepted": "已导入",
        "waits": "2 行等待放行：同一手机号码未办结的预警单已达上限",
        "go": "去放行或拒收",
        "reason": "同一号码未办结预警单较多",
        "release": "放行预警",
        "done": "曾等待放行的行均已处理完毕",
        "others": "另有 5 人使用同一号码",
        "rests": "该号码刚呼叫过",
        "at_limit": "同一号码呼叫或短信次数达到上限",
    },
    "en": {
        "held": "held for release",
        "accepted": "accepted",
        "waits": "2 rows wait for release: their numbers have as many open cases as they may have",
        "go": "Release or refuse them",
        "reason": "many open cases on one number",
        "release": "Release the warnings",
        "done": "None of the rows that were held for release waits any more",
        "others": "5 further people with this number have open cases",
        "rests": "the number rests after a call",
        "at_limit": "a number was called or written to as often as it may be",
    },
}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_rows_of_a_list_for_a_number_with_four_open_cases_wait_and_open_theirs_when_they_are_released(
    page: Page, service: Service, language: str
):
    words, phone = WORDS[language], {"zh": "13800136001", "en": "13800136002"}[language]
    rows = [
        {"指令编号": f"{language}{n}", "姓名": f"周{n}", "手机号": phone, "预警等级": "低危"}
        for n in range(6)
    ]
    said = json.loads(service.load(rows))
    assert (said["accepted"], said["held"]) == (4, 2)
    new_account(page, service, f"number-{language}", Role.SUPERVISOR, language=language)
    page.goto(f"/lists/{said['load_id']}")
    live = page.locator("#live")
    expect(live.locator(".figure").filter(has_text=words["held"]).locator("b")).to_have_text("2")
    expect(live).to_contain_text(words["waits"])
    look(page)
    live.get_by_role("link", name=words["go"]).click()
    row = waiting(page).locator("tbody tr").filter(has_text=words["reason"])
    row = row.filter(has=page.locator(f"a[href='/lists/{said['load_id']}']"))
    expect(row).to_have_count(1)
    look(page)
    held = row.locator("input[name=load]").get_attribute("value")
    row.locator("input[name=load]").check()
    waiting(page).get_by_role("button", name=words["release"]).click()
    expect(page.locator(".toast")).to_be_visible()
    page.goto(f"/lists/{held}")
    expect(live.locator(".figure").filter(has_text=words["accepted"]).locator("b")).to_have_text("2")
    page.goto(f"/lists/{said['load_id']}")
    expect(live).to_contain_text(words["done"])
    with application(load_settings(service.env)) as made, made.services.store.begin() as tx:
        case_id = tx.scalar(sa.select(sa.func.min(t.case.c.id)).where(t.case.c.load_id == said["load_id"]))
    page.goto(f"/cases/{case_id}")
    expect(page.locator("#person")).to_contain_text(words["others"])
    look(page)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_case_whose_number_has_used_up_its_calls_says_that_it_rests(
    page: Page, service: Service, language: str
):
    words, phone = WORDS[language], {"zh": "13800137001", "en": "13800137002"}[language]
    with application(load_settings(service.env)) as made:
        services = made.services
        now = services.clock.now()
        before = [now - timedelta(minutes=1)] * (services.lines.number_calls_an_hour - 1)
        [blind, *_] = services.store.vault.blinds(f"+86{phone}", kind=BlindKind.PHONE)
        with services.store.begin() as tx:
            row = {"phone_blind": blind, "called_at": before, "free_at": now}
            tx.execute(sa.insert(t.live_number).values(row))
    token = new_token(service, f"often-{language}")
    send(service, token, [warning(1, phone, "赵六", "高危")])
    new_account(page, service, f"often-{language}", Role.SUPERVISOR, language=language)
    page.goto("/control")
    expect(page.locator("main")).to_contain_text(words["at_limit"])
    look(page)
    send(service, token, [warning(2, phone, "钱七", "高危")])
    page.goto(f"/cases/{newest_case(service, f'often-{language}')}")
    expect(page.locator("main")).to_contain_text(words["rests"])
    look(page)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_number_that_has_used_up_its_messages_gets_no_more_and_the_alarm_says_so(
    page: Page, service: Service, language: str
):
    words, phone = WORDS[language], {"zh": "13800135001", "en": "13800135002"}[language]
    source = f"texts-{language}"
    send(service, new_token(service, source), [warning(n, phone, f"吴{n}", "低危") for n in range(3)])
    with application(load_settings(service.env)) as made, made.services.store.begin() as tx:
        cases = [row["id"] for row in tx.rows(sa.select(t.case.c.id).where(t.case.c.source == source))]
        insert_messages(
            tx,
            [
                message_row(
                    stored,
                    SendMessage(purpose=purpose, number=0, channel=MessageChannel.SMS),
                    at=made.services.clock.now(),
                )
                for stored in lock_cases(tx, cases).values()
                for purpose in MessagePurpose
            ],
        )
    assert wait_until(lambda: bool(alarms_of(service, cases)), seconds=60), "no message is put off"
    new_account(page, service, source, Role.SUPERVISOR, language=language)
    page.goto("/control/alarms/number_at_limit")
    lines = page.locator("tbody tr").filter(
        has=page.locator(", ".join(f"a[href='/cases/{one}']" for one in cases))
    )
    expect(lines.first).to_contain_text(words["at_limit"])
    look(page)
