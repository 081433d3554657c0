"""People who are signed in to the console of a running service."""

from __future__ import annotations

from argon2 import PasswordHasher
from playwright.sync_api import Page

from dialer.core.access import Role
from dialer.web.console import SESSION_COOKIE
from tests.browser.service import Service

PASSWORD = "one long sentence"
_HASH = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)


def sign_in(page: Page, login: str, password: str = PASSWORD) -> None:
    page.goto("/sign-in")
    page.locator("#f-login").fill(login)
    page.locator("#f-password").fill(password)
    page.locator("main form.form button").click()
    page.wait_for_url(lambda url: not url.endswith("/sign-in"))


def new_account(page: Page, service: Service, login: str, role: Role, *, language: str = "zh") -> None:
    """An account whose password is `PASSWORD`, signed in here, on its first page. Made and signed in beside the pages:
    those are for the tests of signing in.
    """
    token = service.signed_in(login, role, language=language, password_hash=_HASH)
    page.context.add_cookies(
        [
            {"name": name, "value": token, "url": service.url, "httpOnly": True, "sameSite": "Lax"}
            for name in (SESSION_COOKIE, f"{SESSION_COOKIE}_practice")
        ]
    )
    page.goto("/")
