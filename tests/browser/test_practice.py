"""A whole course of practice in a real browser: ten cases called at the real desk and scored, with the certificate at
the end; in Chinese and in English.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from dialer.bootstrap import application
from dialer.core.access import Role
from dialer.core.text import Lang
from dialer.core.values import OutcomeKind
from dialer.db.system_state import is_drill_database, is_practice_database
from dialer.demo.practice import PRACTICE_FOLDER, practice_environment
from dialer.practice.model import Line, PersonKind, PracticeCase, course
from dialer.runtime.embedded import wait_until
from dialer.runtime.location import free_port
from dialer.runtime.settings import load_settings
from tests.browser.axe import WIDE, look
from tests.browser.conftest import Complaints
from tests.browser.service import Service
from tests.browser.staff import new_account
from tests.practice.callers import well_said

pytestmark = [pytest.mark.story, pytest.mark.timeout(600)]

_UP_SECONDS = 120.0
_STOP_SECONDS = 60.0


@contextmanager
def started(folder: Path, port: int, *callers: str) -> Iterator[Service]:
    """A service for practice that is up, and stopped with Ctrl-C afterwards."""
    given = {"DIALER_DATA_DIR": str(folder), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    told = folder / "told.txt"
    command = [sys.executable, "-m", "dialer", "practice", "--port", str(port)]
    with told.open("w") as out:
        running = subprocess.Popen(
            [*command, *(f"--caller={name}" for name in callers)], env=given, stderr=out, stdout=out
        )
        try:
            assert wait_until(
                lambda: running.poll() is not None or "/practice" in told.read_text(), seconds=_UP_SECONDS
            )
            assert running.poll() is None, told.read_text()
            env = given | practice_environment(given, port=port) | {"DIALER_WEB__PORT": str(port)}
            yield Service(url=f"http://127.0.0.1:{port}", env=env, folder=folder, log=told)
        finally:
            running.send_signal(signal.SIGINT)
            running.wait(timeout=_STOP_SECONDS)
    assert running.returncode == 0


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Started for the second time: accounts and data of the first are kept."""
    folder, port = tmp_path_factory.mktemp("practice"), free_port()
    with started(folder, port, "zhang") as first:
        assert "supervisor" in first.log.read_text()
        assert "zhang" in first.log.read_text()
    with started(folder, port, "zhang", "li") as service:
        assert "supervisor" not in service.log.read_text()
        assert "zhang" not in service.log.read_text()
        assert "li" in service.log.read_text()
        yield service
    assert not (folder / "demo").exists()
    assert (folder / PRACTICE_FOLDER).is_dir()


@pytest.fixture
def desk(browser: Browser, practice: Service, complaints: Complaints) -> BrowserContext:
    made = browser.new_context(base_url=practice.url, locale="zh-CN", viewport=WIDE)  # type: ignore[arg-type]
    complaints.watch(made)
    return made


class Words:
    """The words of buttons, in one language."""

    def __init__(self, lang: Lang) -> None:
        zh = lang is Lang.ZH
        self.call, self.again = ("拨打", "再练一次") if zh else ("Call", "Again")
        self.banner = "实训：虚构人员" if zh else "Practice: invented people"
        self.sent = "当事人已转账：办理止付" if zh else "Money sent: stop the payment"
        self.said = "说" if zh else "Say it"
        self.certificate = "实训结业证明" if zh else "Certificate of practice"
        self.passed, self.failed = ("及格", "不及格") if zh else ("passed", "not passed")


def take(page: Page, number: int) -> None:
    page.goto("/practice")
    page.locator("tbody tr").nth(number).locator("button").click()
    expect(page.locator("#practice-talk .practice-lines")).to_be_visible()


def say(page: Page, line: Line) -> None:
    turns = page.locator("#practice-talk .practice-turns li")
    before = turns.count()
    page.locator(f"#practice-talk button[value={line.value}]").click()
    expect(turns).to_have_count(before + 2)


def report(
    page: Page, case: PracticeCase, outcome: OutcomeKind, said: tuple[Line, ...], words: Words
) -> None:
    if case.kind is PersonKind.PAID:
        page.get_by_role("button", name=words.sent).click()
        expect(page.locator(".desk-urgent")).to_be_visible()
    for line in said:
        tick = page.locator(f".desk-points input[value={line.value}]")
        if tick.count():
            tick.check()
    page.locator(f"input[name=outcome][value={outcome.value}]").check()
    if case.is_person:
        page.locator("input[name=verified][value=yes]").check()
        page.locator(f"input[name=scammer][value={case.scammer.value}]").check()
    page.locator(".desk-send button").click()
    page.wait_for_url("**/practice")


@pytest.mark.parametrize("lang", Lang)
def test_a_new_caller_completes_the_course(desk: BrowserContext, practice: Service, lang: Lang):
    words, login = Words(lang), f"caller-{lang.value}"
    page = desk.new_page()
    new_account(page, practice, login, Role.CALLER, language=lang.value)
    page.goto("/practice")
    expect(page.locator("aside.drill")).to_contain_text(words.banner)
    expect(page.locator("tbody tr")).to_have_count(10)
    look(page)

    # The first try goes wrong, and says why.
    first = course()[0]
    take(page, 0)
    look(page)
    say(page, Line.SAID)
    page.locator("#f-words").fill("您叫什么名字？" if lang is Lang.ZH else "What is your full name?")
    page.get_by_role("button", name=words.said, exact=True).click()
    expect(page.locator("#practice-talk .practice-turns li").last).to_contain_text(first.answers["who"][lang])
    report(page, first, OutcomeKind.DISSUADED_BY_PHONE, (Line.SAID,), words)
    expect(page.locator("tbody tr").first).to_contain_text(words.failed)
    page.locator("tbody tr").first.locator("td a").first.click()
    expect(page.locator(".practice-score")).to_contain_text(words.failed)
    expect(page.locator("main")).to_contain_text(first.about[lang])
    look(page)

    for number, case in enumerate(course()):
        take(page, number)
        said = well_said(case)
        for line in said:
            say(page, line)
        report(page, case, case.won, said, words)
        row = page.locator("tbody tr").nth(number)
        expect(row).to_contain_text("100")
        expect(row).to_contain_text(words.passed)
    look(page)
    page.get_by_role("link", name=words.certificate).click()
    expect(page.locator(".practice-certificate")).to_contain_text("100")
    expect(page.locator(".practice-certificate li")).to_have_count(10)
    look(page)

    desk.clear_cookies()
    new_account(page, practice, f"chief-{lang.value}", Role.SUPERVISOR, language=lang.value)
    page.goto("/practice/people")
    expect(page.locator("tbody tr").first).to_contain_text("10 / 10")
    expect(page.locator("tbody")).to_contain_text("zhang")
    look(page)
    page.locator("tbody tr", has_text=re.compile(login, re.IGNORECASE)).locator("th a").click()
    expect(page.locator("tbody tr").first.locator("td a")).to_have_count(2)
    look(page)
    page.locator("input[name=kind][value=elderly]").check()
    page.locator("form.panel button").click()
    expect(page.locator(".toast")).to_be_visible()
    expect(page.locator("input[name=kind]:checked")).to_have_count(1)
    with application(load_settings(practice.env)) as app, app.services.store.begin() as tx:
        assert is_practice_database(tx)
        assert is_drill_database(tx)
