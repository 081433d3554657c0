"""A telephone in the browser: picked up, heard, pressed, spoken into, put down, with its case moving beside it."""

from __future__ import annotations

import itertools
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Complaints
from tests.browser.service import Service

pytestmark = [pytest.mark.story, pytest.mark.browser, pytest.mark.timeout(300)]

_numbers = itertools.count(1)
_RING_MS = 60_000


def load_yourself(page: Page, *, lang: str = "zh", name: str = "王测试") -> str:
    """A number of one's own, on which the robot rings; the number."""
    number = f"1990002{next(_numbers):04d}"
    page.goto(f"/phone?lang={lang}")
    page.locator("input[name=name]").fill(name)
    page.locator("input[name=phone]").fill(number)
    page.locator("#yourself button").click()
    return number


def answer(page: Page) -> None:
    expect(page.locator("#answer")).to_be_visible(timeout=_RING_MS)
    page.locator("#answer").click()
    expect(page.locator("#incall")).to_be_visible()


def asked(page: Page, words: str) -> None:
    """The robot has come to these words, and listens."""
    expect(page.locator("#subtitle")).to_contain_text(words, timeout=_RING_MS)
    expect(page.locator("#prompt")).not_to_be_empty()


def test_whoever_presses_the_right_keys_is_a_verified_contact_beside_the_telephone(page: Page):
    clips: list[str] = []
    page.on("response", lambda r: clips.append(r.headers["content-type"]) if "/clips/" in r.url else None)
    load_yourself(page)
    expect(page.locator("#line-state")).to_have_text("等待机器人来电…")
    answer(page)
    asked(page, "您本人的")
    page.keyboard.press("1")
    asked(page, "已经转账")
    page.locator('[data-key="2"]').click()
    asked(page, "听明白了")
    page.keyboard.press("1")
    expect(page.locator("#after")).to_be_visible(timeout=_RING_MS)
    expect(page.locator("#facts")).to_contain_text("已核实本人", timeout=_RING_MS)
    expect(page.locator("#timeline")).to_contain_text("在“identity”按 1")
    expect(page.locator("#timeline")).to_contain_text("电话劝阻成功")
    assert clips
    assert set(clips) == {"audio/wav"}


def test_a_key_interrupts_a_question_and_never_the_warning(page: Page):
    load_yourself(page)
    answer(page)
    expect(page.locator("#subtitle")).to_contain_text("有人让您转账")
    page.keyboard.press("1")
    expect(page.locator("#subtitle")).to_contain_text("假警察", timeout=_RING_MS)
    asked(page, "您本人的")
    page.keyboard.press("1")
    expect(page.locator("#subtitle")).to_contain_text("有没有", timeout=_RING_MS)
    page.keyboard.press("2")
    expect(page.locator("#subtitle")).not_to_contain_text("有没有", timeout=5_000)
    page.keyboard.press("Escape")
    expect(page.locator("#after")).to_be_visible()


def test_what_is_said_is_heard_and_a_key_is_asked_for(page: Page):
    load_yourself(page)
    answer(page)
    asked(page, "您本人的")
    page.locator("input[name=words]").fill("是我")
    page.keyboard.press("Enter")
    expect(page.locator("#subtitle")).to_contain_text("请按键回答")
    expect(page.locator("#timeline")).to_contain_text("在“identity”口头回答")
    asked(page, "您本人的")
    page.locator('[data-key="1"]').click()
    asked(page, "已经转账")
    page.locator("#hang-up").click()
    expect(page.locator("#after")).to_be_visible()


def test_whoever_rejects_is_called_again_when_they_ask_and_not_by_the_page_alone(page: Page):
    load_yourself(page)
    expect(page.locator("#reject")).to_be_visible(timeout=_RING_MS)
    page.locator("#reject").click()
    expect(page.locator("#after")).to_be_visible()
    expect(page.locator("#timeline")).to_contain_text("拒接")
    page.locator("#back").click()
    expect(page.locator("#targets")).to_contain_text("已呼叫 ")


def test_a_target_of_a_list_is_masked_and_can_be_played(page: Page, service: Service):
    # Nobody else may pick it up before.
    service.as_administrator("pause", "--minutes", "5", "--why", "a target is picked", "--grade", "low")
    service.load(
        [
            {
                "指令编号": "P1",
                "姓名": "欧阳明月",
                "手机号": "19900039001",
                "等级": "低",
                "诈骗类型": "虚假贷款",
            }
        ]
    )
    page.goto("/phone")
    row = page.locator("#targets button", has_text="9001").first
    expect(row).to_be_visible()
    expect(page.locator("#targets")).not_to_contain_text("欧阳明月")
    expect(page.locator("#targets")).not_to_contain_text("19900039001")
    row.click()
    expect(page.locator("#waiting")).to_contain_text("外呼已暂停")
    service.as_administrator("resume", "--grade", "low")
    answer(page)
    asked(page, "您本人的")
    page.keyboard.press("Escape")
    expect(page.locator("#after")).to_be_visible()


def test_in_english_on_a_small_screen_everything_is_on_the_page_and_nothing_runs_over_its_side(page: Page):
    page.set_viewport_size({"width": 390, "height": 844})
    load_yourself(page, lang="en")
    expect(page.locator("#line-state")).to_have_text("Waiting for the robot's call…")
    answer(page)
    expect(page.locator("#hang-up")).to_have_text("Hang up")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    keys = [button.inner_text() for button in page.locator("#pad button").all()]
    assert keys == list("123456789*0#")
    page.locator("#hang-up").click()
    expect(page.locator("#line-state")).to_have_text("The call is over")


def test_what_cannot_be_a_number_is_said_at_the_form(page: Page, complaints: Complaints):
    page.goto("/phone?lang=en")
    page.locator("input[name=name]").fill("x")
    page.locator("input[name=phone]").fill("12")
    page.locator("#yourself button").click()
    expect(page.locator("#form-fault")).to_contain_text("phone")
    # The browser itself notes every answer that is a refusal.
    assert [told for told in complaints.told if re.search("status of 422", told)]
    complaints.told.clear()


def test_whoever_calls_the_centre_hears_that_the_warning_is_real_and_stands_in_the_case(page: Page):
    load_yourself(page)
    expect(page.locator("#reject")).to_be_visible(timeout=_RING_MS)
    page.locator("#reject").click()
    expect(page.locator("#call-in")).to_be_visible()
    page.locator("#call-in").click()
    expect(page.locator("#incall")).to_be_visible()
    expect(page.locator("#subtitle")).to_contain_text("打给您的电话是真的", timeout=_RING_MS)
    expect(page.locator("#timeline")).to_contain_text("当事人来电", timeout=_RING_MS)
    page.locator("#hang-up").click()
    expect(page.locator("#timeline")).to_contain_text("当事人来电结束", timeout=_RING_MS)
