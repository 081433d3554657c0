"""Pages in a real Chromium against a whole running service. What a page complains of, or asks of another machine, fails
its test.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    expect,
    sync_playwright,
)

from tests.browser.service import Service, running_service

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_PATIENCE_MS = 30_000

expect.set_options(timeout=_PATIENCE_MS)


_running = ExitStack()
_services: list[Service] = []
_browsers: list[Browser] = []


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One whole service for all browser tests of a worker; the tests of a module see each other's accounts and cases,
    and no others'. A list of more than 2,000 rows waits for a second person. A call of a second is long enough, since
    the simulated people soon hang up. Calls of low cases are recorded.
    """
    if not _services:
        started = running_service(
            tmp_path_factory.mktemp("service"),
            TELEPHONY__OFFICER_NUMBER="+8647896111",
            PUSH__SERVICES='["127.0.0.1"]',
            LISTS__APPROVE_ABOVE_ROWS="2000",
            WORK__LEAST_CALL_SECONDS="1",
            POLICY__LOW__RECORD_CALLS="true",
            WORK__THIRD_PARTIES='["bank:工行止付专线=8150", "interpreter:Mongolian=8276"]',
        )
        _services.append(_running.enter_context(started))
    yield _services[0]
    _services[0].empty()


@pytest.fixture
def no_robot(service: Service) -> Iterator[None]:
    """Nobody of the highest grade is reached by telephone meanwhile."""
    service.as_administrator(
        "pause", "--minutes", "30", "--why", "people are at work", "--grade", "extra_high"
    )
    yield
    service.as_administrator("resume", "--grade", "extra_high")


@pytest.fixture
def browser() -> Iterator[Browser]:
    """One Chromium for all browser tests of a worker; each test has profiles of its own in it."""
    if not CHROMIUM.exists():
        reason = (
            f"no Chromium at {CHROMIUM}: as root `make test-stories` installs it (apt-get install chromium)"
        )
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    if not _browsers:
        driver = _running.enter_context(sync_playwright())
        chromium = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        _running.callback(chromium.close)
        _browsers.append(chromium)
    yield _browsers[0]
    for context in _browsers[0].contexts:
        context.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Service and Chromium end with the last browser test of a worker, however it ends: idle, the service takes CPU
    time from the rest of the run, and the driver keeps a loop of its own, which the asynchronous tests must not meet.
    """
    try:
        return (yield)
    finally:
        if nextitem is None or nextitem.path.parent != item.path.parent:
            _services.clear()
            _browsers.clear()
            _running.close()


class Complaints:
    """What a page should never do."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def watch(self, context: BrowserContext) -> None:
        context.on("console", self._console)
        context.on("weberror", lambda error: self.told.append(f"exception: {error.error}"))
        context.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            where = urlsplit(message.location.get("url", "")).path
            self.told.append(f"console {message.type}: {message.text} {where}".rstrip())

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"data", "blob"} and parts.hostname not in _LOOPBACK:
            self.told.append(f"asked another machine: {parts.hostname}")


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """Empty at the end; a test that provokes one takes it out of `told`."""
    kept = Complaints()
    yield kept
    assert kept.told == []


@pytest.fixture
def context(browser: Browser, service: Service, complaints: Complaints) -> Iterator[BrowserContext]:
    """A fresh profile on the service's address, in Chinese, as wide as a desk's screen."""
    made = browser.new_context(
        base_url=service.url,
        locale="zh-CN",
        viewport={"width": 1280, "height": 900},
        permissions=["microphone"],
    )
    made.set_default_timeout(_PATIENCE_MS)
    complaints.watch(made)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()
