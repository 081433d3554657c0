"""The tour of somebody's pages in a real browser: what each page is for, from the first to the last."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from dialer.core.access import Role
from tests.browser.axe import look
from tests.browser.service import Service
from tests.browser.staff import new_account

pytestmark = [pytest.mark.story, pytest.mark.timeout(300)]


@pytest.mark.parametrize(
    ("language", "role", "words"),
    [
        ("zh", Role.CALLER, ("页面导览", "下一页", "结束导览")),
        ("en", Role.SUPERVISOR, ("Tour of my pages", "Next page", "End the tour")),
    ],
)
def test_the_tour_is_walked_to_its_end(
    page: Page, service: Service, language: str, role: Role, words: tuple[str, ...]
):
    again, further, end = words
    new_account(page, service, f"tour-{language}", role, language=language)
    expect(page.locator(".tour")).to_have_count(0)
    page.locator(".self details.menu summary").click()
    page.locator(".self").get_by_role("link", name=again).click()
    tour = page.locator(".tour")
    for step in range(1, 5):
        expect(tour.locator(".tour-title small")).to_have_text(f"{step}/5")
        look(page)
        tour.get_by_role("link", name=further).click()
    expect(tour.locator(".tour-title small")).to_have_text("5/5")
    expect(tour.get_by_role("link", name=further)).to_have_count(0)
    tour.get_by_role("link", name=end).click()
    expect(page).to_have_url(f"{service.url}/account")
    expect(page.locator(".tour")).to_have_count(0)
