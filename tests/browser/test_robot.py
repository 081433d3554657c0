"""The rules of the warning robot in a real browser: a threshold is changed, compared with the live rules, judged on
last week, and approved by another person; and held verdicts are released and dropped.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from dialer.bootstrap import application
from dialer.core.access import Role
from dialer.runtime.settings import load_settings
from dialer.signals.deliveries import SignalReception, take_signals
from dialer.signals.verdict_store import stop_rule_row
from tests.browser.axe import look
from tests.browser.conftest import Complaints
from tests.browser.service import Service
from tests.browser.staff import new_account
from tests.browser.test_widths import _CUT, shown

pytestmark = [pytest.mark.story, pytest.mark.timeout(300)]


def seen(page: Page, name: str) -> None:
    """Looked at on a phone and on a small screen; `SHOW_PAGES=FOLDER` keeps the pictures."""
    look(page)
    for width, height in ((390, 844), (1280, 800)):
        page.set_viewport_size({"width": width, "height": height})
        assert shown(page, _CUT) == []
        if folder := os.environ.get("SHOW_PAGES"):
            page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "zh",
            (
                "全部规则", "向涉诈账户转账", "存为草稿", "用上周信号重新研判", "预警机器人规则", "审批通过",
            ),
        ),
        (
            "en",
            (
                "All rules in words", "Payment to a listed account", "Store as a draft",
                "Judge last week again", "Rules of the warning robot", "Approve",
            ),
        ),
    ],
)  # fmt: skip
def test_a_threshold_is_changed_by_one_person_and_approved_by_another(
    page: Page,
    browser: Browser,
    service: Service,
    complaints: Complaints,
    language: str,
    words: tuple[str, ...],
):
    rules, rule, store, week, waiting, approve = words
    new_account(page, service, f"analyst-{language}", Role.SUPERVISOR, language=language)
    page.goto("/robot")
    page.get_by_role("link", name=rules).click()
    expect(page.locator("tbody tr").first).to_be_visible()
    seen(page, f"rules-{language}")
    page.get_by_role("link", name=rule, exact=True).click()
    expect(page.locator("#f-points")).to_be_visible()
    seen(page, f"rule-{language}")
    points = {"zh": "93", "en": "94"}[language]
    page.locator("#f-points").fill(points)
    page.get_by_role("button", name=store).first.click()
    expect(page.locator("tbody b")).to_have_text(points)
    page.get_by_role("link", name=week).click()
    expect(page.locator("#week-heading ~ table")).to_be_visible()
    seen(page, f"version-{language}")
    address = page.url.removesuffix("#week-heading").removesuffix("/week")
    expect(page.locator("#f-reason")).to_have_count(0)

    with browser.new_context(base_url=service.url) as context:
        chief = context.new_page()
        complaints.watch(context)
        new_account(chief, service, f"second-{language}", Role.SUPERVISOR, language=language)
        chief.goto("/approvals")
        section = chief.locator("section", has=chief.get_by_role("heading", name=waiting))
        section.get_by_role("link").first.click()
        expect(chief).to_have_url(address)
        chief.locator("#f-reason").fill("核对过 seen")
        chief.get_by_role("button", name=approve).click()
        expect(chief.locator(".toast")).to_be_visible()
    page.goto("/robot/rules")
    expect(page.locator("tbody tr", has_text=rule)).to_contain_text(points)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh", ("规则已停用: 向涉诈账户转账", "放行所选", "放弃")),
        ("en", ("stopped rule: Payment to a listed account", "Release what is ticked", "Drop")),
    ],
)
def test_held_verdicts_are_opened_released_and_dropped(
    page: Page, service: Service, language: str, words: tuple[str, ...]
):
    why, release, drop = words
    number = {"zh": 1, "en": 2}[language]
    with application(load_settings(service.env)) as made:
        now = made.services.clock.now()
        with made.services.store.begin() as tx:
            for rule in ("payment_listed_account", "contact_just_listed", "contact_listed"):
                stop_rule_row(tx, rule, by="robot", facts={}, now=now)
        base = {"source": "bank", "event_at": now.isoformat(), "account": f"622202020000111{number}"}
        listed = {"signal_no": f"L{number}", "kind": "list_change", "list_kind": "fraud", "change": "entered"}
        pays = [
            {"signal_no": f"P{number}{n}", "kind": "payment_attempt", "phone": f"1380013{number}{n:03}"}
            for n in range(2)
        ]
        raw = [base | listed, *(base | pay | {"amount_fen": 2_000_000} for pay in pays)]
        take_signals(made.services, [SignalReception(made.services).read(raw)])
    new_account(page, service, f"held-{language}", Role.SUPERVISOR, language=language)
    rows = page.locator("tbody tr", has_text=why)
    for _ in range(60):
        page.goto("/robot/held")
        if rows.count() == len(pays):
            break
    expect(rows).to_have_count(len(pays))
    seen(page, f"held-{language}")
    rows.first.get_by_role("link").click()
    expect(page.locator("#reasons")).to_be_visible()
    seen(page, f"held-one-{language}")
    page.locator("#f-why").fill("核实为测试 a test")
    page.get_by_role("button", name=drop, exact=True).click()
    expect(page.locator(".toast")).to_be_visible()
    expect(rows).to_have_count(1)
    rows.first.get_by_role("checkbox").check()
    page.locator("#f-why").fill("属实 true")
    page.get_by_role("button", name=release).click()
    expect(page.locator(".toast")).to_be_visible()
    expect(rows).to_have_count(0)
