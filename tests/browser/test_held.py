"""Verdicts that the warning robot holds, in a real browser: why they are held is read; some are sent, some dropped."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page, expect

from dialer.bootstrap import application
from dialer.core.access import Role
from dialer.runtime.settings import load_settings
from dialer.signals.deliveries import SignalReception, take_signals
from dialer.signals.verdict_store import stop_rule_row
from tests.browser.axe import look
from tests.browser.service import Service
from tests.browser.staff import new_account

_EVALUATED_SECONDS = 120.0
"""On a machine with other work the robot evaluates a signal this late, at most."""
pytestmark = [pytest.mark.story, pytest.mark.timeout(300)]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh", ("规则已停用：向涉诈账户转账", "放行所选", "放弃")),
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
    deadline = time.monotonic() + _EVALUATED_SECONDS
    page.goto("/robot/held")
    while rows.count() != len(pays) and time.monotonic() < deadline:
        page.reload()
    expect(rows).to_have_count(len(pays))
    look(page)
    rows.first.get_by_role("link").click()
    expect(page.locator("#reasons")).to_be_visible()
    look(page)
    page.locator("#f-why").fill("核实为测试 a test")
    page.get_by_role("button", name=drop, exact=True).click()
    expect(page.locator(".toast")).to_be_visible()
    expect(rows).to_have_count(1)
    rows.first.get_by_role("checkbox").check()
    page.locator("#f-why").fill("属实 true")
    page.get_by_role("button", name=release).click()
    expect(page.locator(".toast")).to_be_visible()
    expect(rows).to_have_count(0)
