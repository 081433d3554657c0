"""Signing in with a second factor in a real browser: an app's code, and a passkey of Chromium's own authenticator."""

from __future__ import annotations

import os
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Page, expect

from dialer.core.access import Role
from tests.browser.axe import look
from tests.browser.conftest import Complaints
from tests.browser.service import Service
from tests.browser.staff import PASSWORD, new_account

pytestmark = [pytest.mark.story, pytest.mark.browser, pytest.mark.timeout(300)]


def shot(page: Page, name: str) -> None:
    """Kept only for somebody who asks for it."""
    folder = os.environ.get("SHOTS")
    if folder:
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=str(Path(folder) / f"{name}-{width}.png"), full_page=True)


def authenticator(page: Page) -> None:
    """Chromium answers by an authenticator of its own that verifies its user."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def sign_out(page: Page) -> None:
    page.locator(".self details.menu summary").click()
    page.locator("form[action='/sign-out'] button").click()
    page.wait_for_url("**/sign-in")


def test_an_app_and_a_passkey(page: Page, service: Service, complaints: Complaints):
    home = service.url.replace("127.0.0.1", "localhost")
    new_account(page, service, "chen", Role.CALLER)
    sign_out(page)
    page.goto(f"{home}/sign-in?next=/account")
    authenticator(page)
    look(page)
    shot(page, "sign-in-zh")
    page.locator("#f-login").fill("chen")
    page.locator("#f-password").fill(PASSWORD)
    page.locator("form[action='/sign-in'] button").click()
    page.wait_for_url(f"{home}/account")

    page.goto(f"{home}/account/factors/app")
    look(page)
    shot(page, "app-zh")
    page.locator("details summary", has_text="无法扫码").click()
    key = page.locator(".key").inner_text().replace(" ", "")
    page.locator("#f-code").fill("000000")
    page.locator("form[action='/account/factors/app'] button").click()
    expect(page.locator("#p-code")).to_contain_text("不正确")
    complaints.told.clear()  # Chromium tells of the 422
    # The service's clock stands at ten; its real one is the machine's.
    page.locator("#f-code").fill(pyotp.TOTP(key).now())
    page.locator("form[action='/account/factors/app'] button").click()
    codes = page.locator(".codes li")
    expect(codes).to_have_count(10)
    look(page)
    shot(page, "codes-zh")
    recovery = codes.first.inner_text()

    page.goto(f"{home}/account/factors")
    look(page)
    page.locator("#f-passkey-name").fill("办公室电脑")
    page.locator("form[data-how=create] button").click()
    expect(page.locator("main table")).to_contain_text("办公室电脑")
    look(page)
    shot(page, "factors-zh")
    page.goto(f"{home}/account")
    look(page)
    shot(page, "account-zh")
    sign_out(page)

    # The passkey alone.
    page.goto(f"{home}/sign-in?next=/account")
    page.locator("form[action='/sign-in/passkey'] button").click()
    page.wait_for_url(f"{home}/account")
    page.locator(".self details.menu summary").click()
    page.locator("form[action='/language'] button").first.click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.goto(f"{home}/account/factors")
    look(page)
    shot(page, "factors-en")
    page.goto(f"{home}/account")
    shot(page, "account-en")
    sign_out(page)

    # After the password: a recovery code, then the passkey.
    for by in ("code", "passkey"):
        page.goto(f"{home}/sign-in?next=/account")
        page.locator("#f-login").fill("chen")
        page.locator("#f-password").fill(PASSWORD)
        page.locator("form[action='/sign-in'] button").click()
        page.wait_for_url("**/sign-in/second**")
        look(page)
        shot(page, "second-en")
        if by == "code":
            page.locator("#f-code").fill(recovery)
            page.locator("form[action='/sign-in/second'] button").click()
        else:
            page.locator("form[action='/sign-in/second/passkey'] button").click()
        page.wait_for_url(f"{home}/account")
        sign_out(page)
