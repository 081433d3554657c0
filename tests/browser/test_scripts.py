"""Scripts in a real browser: read and heard, changed by one person, approved by another, gone back to, tried."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from dialer.core.access import Role
from tests.browser.axe import look
from tests.browser.conftest import Complaints
from tests.browser.service import Service
from tests.browser.staff import new_account

pytestmark = [pytest.mark.story, pytest.mark.timeout(600)]

_RENDERED_MS = 60_000


@contextmanager
def somebody_else(browser: Browser, service: Service, complaints: Complaints) -> Iterator[Page]:
    """A second person at a second computer."""
    context = browser.new_context(
        base_url=service.url, locale="en-GB", viewport={"width": 1600, "height": 900}
    )
    context.set_default_timeout(30_000)
    complaints.watch(context)
    yield context.new_page()
    context.close()


_GRAPH_FAULTS = """() => {
  const picture = document.querySelector(".graph-picture").getBoundingClientRect();
  const parts = [...document.querySelectorAll(".graph-picture foreignObject, .graph-labels rect")];
  const faults = [];
  parts.forEach((part, place) => {
    const one = part.getBoundingClientRect();
    if (one.left < picture.left || one.right > picture.right || one.bottom > picture.bottom) faults.push("outside");
    parts.slice(place + 1).forEach((next) => {
      const other = next.getBoundingClientRect();
      if (one.right > other.left && other.right > one.left && one.bottom > other.top && other.bottom > one.top)
        faults.push([part.outerHTML.slice(0, 90), next.outerHTML.slice(0, 90)]);
    });
  });
  document.querySelectorAll(".graph-lines path").forEach((line) => {
    if (!line.getTotalLength()) faults.push("no line " + line.dataset.from);
  });
  return faults;
}"""
"""Boxes and labels of the graph that cover each other or leave it, and lines that are not drawn."""


def plays(page: Page, button: str) -> None:
    """A click fetches the sound and the button shows that it is heard."""
    link = page.locator(button).first
    with page.expect_response(re.compile(r"/audio/[0-9a-f]{24}\.wav$")) as heard:
        link.click()
    assert heard.value.headers["content-type"] == "audio/wav"
    expect(link).to_have_class(re.compile("playing"))
    link.click()
    expect(link).not_to_have_class(re.compile("playing"))


def change(page: Page, old: str, new: str) -> None:
    """In the editor."""
    area = page.locator("#f-source")
    text = area.input_value()
    assert old in text
    area.fill(text.replace(old, new, 1))


def rendered(page: Page) -> None:
    """The draft's own page, with its sound made."""
    expect(page.locator(".version-line")).to_contain_text("草稿")
    expect(page.locator("#rendering .progress")).to_have_count(0, timeout=_RENDERED_MS)
    expect(page.get_by_text("检查没有发现问题")).to_be_visible()


def test_one_person_changes_a_script_and_another_lets_it_be_spoken(
    page: Page, browser: Browser, service: Service, complaints: Complaints
):
    new_account(page, service, "chief1", Role.SUPERVISOR)
    page.goto("/scripts")
    expect(page.locator("tbody tr")).to_have_count(12)
    look(page)
    page.get_by_role("link", name="虚假贷款").click()
    expect(page.locator("a.graph-box")).to_have_count(24)
    assert page.evaluate(_GRAPH_FAULTS) == []
    look(page)

    # A box of the graph opens its words, and they are heard.
    page.locator("a[data-node=warn]").click()
    dialog = page.locator("#node-dialog")
    expect(dialog).to_contain_text("放款之前一分钱也不收")
    look(page)
    plays(page, "#node-dialog [data-play]")
    dialog.get_by_role("link", name="acknowledge").click()
    expect(dialog).to_contain_text("听明白了")
    page.keyboard.press("Escape")
    plays(page, "#n-opening [data-play]")

    # A walk by the keys of the keyboard.
    page.get_by_role("link", name="模拟通话").click()
    expect(page).to_have_url(re.compile("/walk"))
    for words in ("有没有人给您办贷款", "听明白了", "通话结束"):
        # Shown by the script that listens to the keys.
        expect(page.get_by_role("button", name="播放这一段")).to_be_visible()
        page.keyboard.press("1")
        expect(page.locator("main")).to_contain_text(words)
    look(page)
    plays(page, "[data-last] [data-play]")

    # A change that cannot be read is shown at its line; one that can becomes a draft with its sound.
    page.goto("/scripts/loan")
    page.get_by_role("link", name="修改").click()
    expect(page).to_have_url(re.compile("/scripts/loan/.+"))
    look(page)
    change(page, "timeout_seconds = 8", 'timeout_seconds = "9"')
    page.get_by_role("button", name="保存为草稿").click()
    expect(page.get_by_role("alert")).to_contain_text("timeout_seconds 应为整数")
    expect(page.locator(".excerpt-here")).to_contain_text('timeout_seconds = "9"')
    look(page)
    # Chromium itself notes that the form was refused.
    complaints.told = [told for told in complaints.told if "422" not in told]
    change(page, 'timeout_seconds = "9"', "timeout_seconds = 9")
    page.get_by_role("button", name="保存为草稿").click()
    rendered(page)
    draft = page.url
    assert "version=" in draft
    expect(page.get_by_text("本版本由您起草")).to_be_visible()
    look(page)

    with somebody_else(browser, service, complaints) as other:
        new_account(other, service, "chief2", Role.SUPERVISOR, language="en")
        other.goto("/scripts")
        other.get_by_role("link", name="1 waits").click()
        look(other)
        other.get_by_role("link", name="Differences from the live one").click()
        expect(other.locator(".diff-added mark")).to_have_text("9")
        look(other)
        other.goto(draft)
        look(other)
        other.get_by_role("button", name="Approve").click()
        other.get_by_role("dialog").get_by_role("textbox").fill("people need more time")
        look(other)
        other.get_by_role("dialog").get_by_role("button", name="Approve").click()
        expect(other.locator(".toast")).to_contain_text("It is live")
        expect(other.locator(".version-line .state")).to_have_text("in use")

        # Back again, with a reason.
        other.get_by_role("link", name="Versions").click()
        other.get_by_role("button", name="Go back to it").click()
        other.get_by_role("dialog").get_by_role("textbox").fill("it took too long")
        other.get_by_role("button", name="Let new calls speak it").click()
        expect(other.locator(".version-line h2")).to_have_text("Version 1")
        expect(other.locator(".version-line .state")).to_have_text("in use")

        # The two are compared.
        other.get_by_role("link", name="Trial").click()
        expect(other.get_by_text("Nothing has been tried yet")).to_be_visible()
        look(other)
        other.locator(f"#share-{draft.rpartition('=')[2]}").fill("50")
        other.get_by_label("Question of the trial").fill("which is understood")
        other.get_by_role("button", name="Begin the trial").click()
        expect(other.locator(".trial")).to_contain_text("not enough people yet")
        look(other)
        other.get_by_role("button", name="End the trial").click()
        other.get_by_role("dialog").get_by_role("textbox").fill("seen")
        other.get_by_role("dialog").get_by_role("button", name="End the trial").click()
        expect(other.locator(".toast")).to_contain_text("The trial is over")
    assert complaints.told == []
