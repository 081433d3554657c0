"""Help where one stands, in a real browser: from a field, from a refused form, from an empty page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from dialer.core.access import Role
from tests.browser.axe import look
from tests.browser.conftest import Complaints
from tests.browser.service import Service
from tests.browser.staff import new_account

pytestmark = [pytest.mark.story, pytest.mark.timeout(300)]


@pytest.mark.parametrize(
    ("language", "wants", "first"),
    [
        ("zh", "这一项怎么填", "先做什么"),
        ("en", "What this field wants", "What to do first"),
    ],
)
def test_a_field_a_refused_form_and_an_empty_page_lead_to_the_manual(
    page: Page,
    service: Service,
    complaints: Complaints,
    language: str,
    wants: str,
    first: str,
):
    service.empty()
    new_account(page, service, f"help-{language}", Role.CALLER, language=language)
    page.goto(f"{service.url}/desk")
    page.locator("#f-extension").focus()
    with page.context.expect_page() as opened:
        page.keyboard.press("F1")
    manual = opened.value
    expect(manual).to_have_url(re.compile(r"/help/caller#caller-before$"))
    expect(manual.locator("#caller-before")).to_be_visible()
    manual.close()
    with page.context.expect_page() as opened:
        page.locator(".field", has=page.locator("#f-extension")).locator(".what").click()
    expect(opened.value).to_have_url(re.compile(r"/help/caller#caller-before$"))
    opened.value.close()
    page.locator("#f-extension").fill("no telephone")
    page.keyboard.press("Enter")
    expect(page.locator(".problem")).to_be_visible()
    look(page)
    page.get_by_role("link", name=wants, exact=True).click()
    expect(page).to_have_url(re.compile(r"/help/caller#caller-before$"))
    page.goto(f"{service.url}/cases")
    page.get_by_role("link", name=first).click()
    expect(page).to_have_url(re.compile(r"/help/caller#caller-case$"))
    complaints.told = [told for told in complaints.told if "422" not in told]
