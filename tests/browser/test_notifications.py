"""A person's own notifications in a real browser: a test arrives on the open page, in both languages."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect

from dialer.core.access import Role
from dialer.runtime.embedded import wait_until
from tests.browser.axe import look
from tests.browser.service import Service
from tests.browser.staff import new_account
from tests.notifications.push_service import TestBrowser, claims_of, pushing_service

pytestmark = [pytest.mark.story, pytest.mark.timeout(300)]


def test_a_test_is_shown_on_the_open_page_and_rules_are_kept(page: Page, service: Service):
    new_account(page, service, "duty-officer", Role.OFFICER)
    page.goto("/notifications")
    look(page)
    page.locator("#f-telephone").fill("13900139001")
    page.locator("#f-quiet_from").fill("22:00")
    page.locator("#f-quiet_to").fill("07:00")
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.locator("#f-telephone")).to_have_value("+8613900139001")
    page.get_by_role("button", name="发送测试").click()
    expect(page.locator(".toast[role=alert]")).to_contain_text("这是一条通知测试")
    page.reload()
    row = page.locator("tbody tr", has_text="页面通知")
    expect(row).to_contain_text(re.compile("已发出"))
    look(page)


_SUBSCRIBED = """
PushManager.prototype.getSubscription = async function () { return null; };
PushManager.prototype.subscribe = async function (wanted) {
  window.sessionStorage.setItem("asked", wanted.applicationServerKey.length + " " + wanted.userVisibleOnly);
  const form = %s;
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  return { endpoint: form.endpoint, getKey: (name) => bytes(name === "auth" ? form.secret : form.public).buffer };
};
"""
_SHOWN = """async () => {
  const found = await navigator.serviceWorker.getRegistration("/static/console/");
  return (await found.getNotifications()).map((one) => [one.title, one.body, one.data.to]);
}"""


def test_a_browser_is_added_and_its_worker_shows_what_is_pushed(page: Page, service: Service):
    """Chromium without Google's keys has no push service: its two calls of that service are answered by the test, whose
    push service on the loopback gets the message; what the browser reads is delivered to the worker by the devtools.
    """
    browser = TestBrowser()
    with pushing_service() as (address, had):
        form = {"endpoint": f"{address}/push/ann", **browser.form}
        page.context.add_init_script(_SUBSCRIBED % json.dumps(form))
        page.context.grant_permissions(["notifications"], origin=service.url)
        devtools = page.context.new_cdp_session(page)
        registrations: list[str] = []
        devtools.on(
            "ServiceWorker.workerRegistrationUpdated",
            lambda event: registrations.extend(
                one["registrationId"] for one in event["registrations"] if "/console/" in one["scopeURL"]
            ),
        )
        devtools.send("ServiceWorker.enable")
        new_account(page, service, "push-officer", Role.OFFICER)
        page.goto("/notifications")
        page.get_by_role("button", name="在此浏览器接收通知").click()
        expect(page.get_by_text("此浏览器将显示您的通知")).to_be_visible()
        assert page.evaluate("window.sessionStorage.getItem('asked')") == "65 true"
        expect(page.locator("#f-push")).to_have_value("0")
        look(page)
        page.get_by_role("button", name="发送测试").click()
        expect(page.locator("tbody tr", has_text="浏览器推送")).to_be_visible()
        assert wait_until(lambda: bool(had), seconds=30)
        name, headers, body = had[0]
        assert name == "ann"
        assert claims_of(headers["Authorization"])[0]["aud"] == address
        shown = browser.read(body)
        devtools.send(
            "ServiceWorker.deliverPushMessage",
            {"origin": service.url, "registrationId": registrations[-1], "data": json.dumps(shown)},
        )
        page.wait_for_function(f"async () => (await ({_SHOWN})()).length > 0")
        assert page.evaluate(_SHOWN) == [[shown["title"], shown["text"], "/notifications"]]
        assert "这是一条通知测试" in shown["text"]
        page.reload()
        expect(page.locator("tbody tr", has_text="浏览器推送")).to_contain_text("已发出")
        page.get_by_role("button", name="删除").click()
        expect(page.get_by_text("已移除该浏览器")).to_be_visible()
