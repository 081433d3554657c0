"""People who sign in to the console of a running service, through its pages."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from dialer.core.access import Role
from tests.browser.service import Service

PASSWORD = "one long sentence"


def sign_in(page: Page, login: str, password: str = PASSWORD) -> None:
    page.goto("/sign-in")
    page.locator("#f-login").fill(login)
    page.locator("#f-password").fill(password)
    page.locator("main form.form button").click()
    page.wait_for_url(lambda url: not url.endswith("/sign-in"))


def new_account(page: Page, service: Service, login: str, role: Role, *, language: str = "zh") -> None:
    """An account, signed in here, with its first password changed as everybody has to."""
    given = service.dialer(
        "staff", "add", login, "--name", login.title(), "--role", role.value, "--language", language
    ).strip()
    sign_in(page, login, given)
    expect(page).to_have_url(f"{service.url}/account/password")
    page.locator("#f-old").fill(given)
    page.locator("#f-new").fill(PASSWORD)
    page.locator("#f-again").fill(PASSWORD)
    page.locator("main form.form button").click()
    page.wait_for_url(lambda url: not url.endswith("/account/password"))
