"""A caller's desk in a real browser: taken, rung, reported by keys alone; lost and kept; in both languages."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from dialer.bootstrap import application
from dialer.core.access import Role
from dialer.core.case import Reason
from dialer.core.events import AlarmCode
from dialer.core.values import Track
from dialer.db import tables as t
from dialer.db.alarms import raise_alarm_once
from dialer.runtime.settings import load_settings
from tests.browser.axe import WIDE, look
from tests.browser.conftest import Complaints
from tests.browser.service import Service
from tests.browser.staff import new_account

pytestmark = [pytest.mark.story, pytest.mark.timeout(400)]


# On the simulated line these people answer and stay; each is of a list of its own.
FIRST, SECOND = "19900070003", "19900070008"
_CALL_MS = 120_000


def person(service: Service, name: str, phone: str, **more: str) -> None:
    """Somebody whom a caller rings at once, since the robot waits."""
    row = {
        "指令编号": f"D{phone}",
        "姓名": name,
        "手机号": phone,
        "等级": "特高危",
        "诈骗类型": "虚假贷款",
        "拟转金额": "3万元",
        "涉诈号码": "+85212345678",
        "备注": "孩子在场",
    }
    service.load([row | more])


_STICKING_OUT = """all => all.filter(one => {
  const panel = one.closest(".panel") || document.body;
  return one.scrollWidth > one.clientWidth + 1
    || one.getBoundingClientRect().right > panel.getBoundingClientRect().right;
}).map(one => one.textContent)"""
"""Buttons that are wider than their panel, or than what they say."""


def guide_and_report_fit(page: Page) -> None:
    """On a small screen the guide and the button that sends the report are there without scrolling."""
    page.set_viewport_size({"width": 1280, "height": 800})
    page.evaluate("scrollTo(0, 0)")
    for selector in (".desk-points", ".desk-send button"):
        box = page.locator(selector).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 800, selector
    assert page.locator(".desk-columns .button").evaluate_all(_STICKING_OUT) == []


class Keys:
    """A keyboard that counts."""

    def __init__(self, page: Page) -> None:
        self.page, self.pressed = page, 0

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.pressed += 1


def test_a_caller_takes_calls_and_reports_with_few_keys(page: Page, service: Service, complaints: Complaints):
    service.as_administrator("pause", "--minutes", "60", "--why", "people ring", "--grade", "extra_high")
    person(service, "欧阳明月", FIRST)
    person(service, "尉迟大海", SECOND)
    new_account(page, service, "desk1", Role.CALLER)
    expect(page).to_have_url(f"{service.url}/desk")
    expect(page.locator(".desk-grade").first).to_contain_text("特高危", timeout=60_000)
    expect(page.locator(".desk-grade b").first).to_have_text("2", timeout=60_000)
    look(page)
    page.locator("#f-extension").fill("8001")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("分机已保存")

    page.locator("h1").click()
    keys = Keys(page)
    keys.press("Enter")
    expect(page.locator("h1")).to_have_text("欧阳明月")
    expect(page.locator(".desk-number")).to_have_text("199 0007 0003")
    expect(page.locator(".desk-points")).to_contain_text("放款之前，有没有让您先交钱？")
    expect(page.locator(".desk-left")).to_contain_text("孩子在场")
    guide_and_report_fit(page)
    look(page)
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]

    # Click to call, by key: the desk's telephone rings, then the person's; both are followed on the page.
    keys.press("c")
    expect(page.locator(".desk-live")).to_contain_text("您已接通", timeout=_CALL_MS)
    expect(page.locator(".desk-live b")).to_have_text(re.compile(r"\d+:\d\d"))
    expect(page.locator(".desk-calls li")).to_contain_text("接通", timeout=_CALL_MS)
    expect(page.locator(".desk-live")).to_have_count(0, timeout=_CALL_MS)

    # What is missing is said beside it, and what was typed is still there.
    keys.press("/")
    page.keyboard.type("已加家属微信")
    keys.press("Control+Enter")
    expect(page.locator(".problem")).to_have_text("请选择处置结果")
    expect(page.locator("#f-note")).to_have_value("已加家属微信")
    look(page)

    # Three keys and Enter; then the next person is there by itself.
    short = Keys(page)
    page.locator("h1").click()
    short.press("1", "y", "j", "Enter")
    expect(page.locator("h1")).to_have_text("尉迟大海")
    assert short.pressed <= 4
    expect(page.locator(".desk-today")).to_contain_text("拨打 1，反馈 1，劝阻成功 1")

    # By mouse: who it was is asked where the person was reached, and only there.
    verified, scammer = page.locator("[data-verified]"), page.locator("[data-scammer]")
    page.locator(".desk-outcome", has_text="暂未找到").click()
    expect(verified).to_be_hidden()
    expect(scammer).to_be_hidden()
    page.locator(".desk-outcome", has_text="已被骗").click()
    verified.locator("input[value=no]").click()
    scammer.locator("input").first.click()

    # Money asks for its evidence.
    short.press("m")
    page.keyboard.type("12000")
    expect(page.locator("#f-evidence")).to_have_attribute("required", "")
    page.locator("#f-evidence_kind").select_option("bank_receipt")
    page.locator("#f-evidence_yuan").fill("12000")
    page.locator("#f-evidence").fill("回执 17")
    look(page)
    page.locator("input[name=following]").uncheck()
    page.locator("h1").click()
    short.press("Enter")
    expect(page).to_have_url(f"{service.url}/desk")
    expect(page.locator(".toast")).to_contain_text("已反馈")
    expect(page.locator(".desk-none")).to_be_visible()
    # Chromium itself notes that the first report was refused.
    complaints.told = [told for told in complaints.told if "422" not in told]


def test_in_english_a_task_is_lost_without_a_word_of_it(page: Page, service: Service, complaints: Complaints):
    # Tasks of the story before may be due again by now, on a slow machine.
    service.empty()
    service.as_administrator("pause", "--minutes", "60", "--why", "people ring", "--grade", "extra_high")
    person(service, "司马青", "19900070011", 诈骗类型="刷单返利")
    new_account(page, service, "desk2", Role.CALLER, language="en")
    expect(page.locator(".desk-grade b").first).to_have_text("1", timeout=60_000)
    look(page)
    page.clock.install()
    page.locator("h1").click()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("司马青")
    guide_and_report_fit(page)
    # Nobody sits before it: no heartbeat any more, and the page says what that means; one key is enough.
    note = page.locator("[data-lease-note]")
    expect(note).to_be_hidden()
    page.clock.fast_forward(215_000)
    expect(note).to_contain_text("goes back to the queue in")
    look(page)
    page.keyboard.press("Shift")
    expect(note).to_be_hidden()
    page.keyboard.press("/")
    page.keyboard.type("she is with her sister")
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    dialog = page.locator("#call-back")
    expect(dialog).to_be_visible()
    look(page)
    page.keyboard.press("Escape")
    task = page.locator("[data-task]")
    task_id, token = task.get_attribute("data-task"), task.get_attribute("data-token")
    # The same caller gives it back in another window.
    other = page.context.new_page()
    other.goto("/desk")
    expect(other.locator("[data-task]")).to_have_attribute("data-token", str(token))
    other.locator("h1").click()
    other.keyboard.press("r")
    other.locator("#f-why-release").fill("the other window")
    other.keyboard.press("Enter")
    expect(other.locator(".toast")).to_contain_text("The task is back in the queue.")
    other.close()
    expect(page.locator(".desk-lost")).to_contain_text("went back to the queue", timeout=60_000)
    expect(page.locator("#f-note")).to_have_value("she is with her sister")
    expect(page.locator(".desk-send button")).to_be_disabled()
    look(page)
    page.get_by_role("button", name="Take it again").click()
    expect(page.locator("[data-task]")).to_have_attribute("data-task", str(task_id))
    expect(page.locator("#f-note")).to_have_value("she is with her sister")
    expect(page.locator(".desk-lost")).to_have_count(0)
    # An appointment by keys.
    page.locator("h1").click()
    page.keyboard.press("b")
    dialog.get_by_label("in 30 min").check()
    dialog.get_by_role("button", name="Save the appointment").click()
    expect(page.locator(".desk-lines")).to_contain_text("Call now")
    look(page)
    complaints.told = [told for told in complaints.told if "409" not in told]


def become_family_calls(service: Service) -> None:
    """Every open call is one to the family now, as after calls of robot and caller that reached nobody."""
    with application(load_settings(service.env)) as made, made.services.store.begin() as tx:
        family = {"reason": Reason.FAMILY_CALL.value}
        tx.execute(sa.update(t.assignment).where(t.assignment.c.kind == Track.HUMAN.value).values(family))
        tx.execute(sa.update(t.case).values(human_reason=Reason.FAMILY_CALL.value))


@pytest.mark.parametrize(
    ("language", "heading", "wording", "with_person", "sent"),
    [
        ("zh", "联系家属", "我们打不通令狐冬梅的电话", "已联系上：现与当事人在一起", "已反馈"),
        (
            "en",
            "Call to the family",
            "We cannot reach 令狐冬梅",
            "reached: is with the person now",
            "Report saved",
        ),
    ],
)
def test_a_caller_reports_a_call_to_the_family(
    page: Page, service: Service, *, language: str, heading: str, wording: str, with_person: str, sent: str
):
    service.as_administrator("pause", "--minutes", "60", "--why", "people ring", "--grade", "extra_high")
    person(service, "令狐冬梅", "19900070011", 家属联系人="女儿 13911112222")
    new_account(page, service, f"desk-{language}", Role.CALLER, language=language)
    become_family_calls(service)
    page.goto(f"{service.url}/desk")
    page.locator("form[data-next] button").click()
    expect(page.locator(".desk-family")).to_have_text(heading)
    expect(page.locator(".desk-number")).to_have_text("139 1111 2222")
    expect(page.locator(".desk-points")).to_contain_text(wording)
    expect(page.locator("[data-verified]")).to_be_hidden()
    look(page)
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    page.keyboard.press("2")
    expect(page.locator(".desk-outcome", has_text=with_person).locator("input")).to_be_checked()
    page.locator("#report .check, #report label.check").first.click()
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text(sent)


@pytest.mark.parametrize(
    ("language", "phone", "said"),
    [("zh", FIRST, "在部分手机上显示为骚扰电话"), ("en", SECOND, "shows as a nuisance on some telephones")],
)
def test_before_a_call_the_desk_says_that_our_number_is_marked(
    page: Page, service: Service, language: str, phone: str, said: str
):
    service.as_administrator("pause", "--minutes", "60", "--why", "people ring", "--grade", "extra_high")
    person(service, "欧阳明月", phone)
    with application(load_settings(service.env)) as made:
        now, number = made.services.clock.now(), made.services.centre.callback_number
        with made.services.store.begin() as tx:
            raise_alarm_once(tx, AlarmCode.NUMBER_MARKED, now=now, names=[number])
    new_account(page, service, f"marked-{language}", Role.CALLER, language=language)
    expect(page.locator(".desk-grade b").first).not_to_have_text("0", timeout=60_000)
    page.locator("h1").click()
    page.keyboard.press("Enter")
    expect(page.locator(".note", has_text=said)).to_contain_text(number)
    look(page)


@pytest.mark.parametrize(
    ("language", "phone", "extension", "held", "back", "muted", "acts"),
    [
        ("zh", "19900070108", "8126", "保持中", "当事人在线", "已静音", ("已保持通话", "已静音")),
        (
            "en",
            "19900070150",
            "8128",
            "The person is on hold",
            "The person is on the line",
            "You are muted",
            ("put on hold", "muted"),
        ),
    ],
)
def test_a_caller_holds_and_mutes_by_keys(
    page: Page,
    service: Service,
    complaints: Complaints,
    *,
    language: str,
    phone: str,
    extension: str,
    held: str,
    back: str,
    muted: str,
    acts: tuple[str, ...],
):
    """The person answers after a few seconds; until then the page refuses to hold."""
    service.empty()
    service.as_administrator("pause", "--minutes", "60", "--why", "people ring", "--grade", "extra_high")
    person(service, "皇甫静", phone)
    new_account(page, service, f"hold-{language}", Role.CALLER, language=language)
    page.locator("#f-extension").fill(extension)
    page.keyboard.press("Enter")
    expect(page.locator(".desk-grade b").first).to_have_text("1", timeout=60_000)
    page.locator("h1").click()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("皇甫静")
    page.keyboard.press("c")
    live = page.locator(".desk-live")
    expect(page.locator("[data-hold]")).to_be_visible(timeout=_CALL_MS)
    is_held = False
    while not is_held:
        with page.expect_response(re.compile("/talk$")) as answer:
            page.keyboard.press("h")
        is_held = answer.value.ok
        page.wait_for_timeout(500)
    complaints.told = [told for told in complaints.told if "/talk" not in told]
    expect(live).to_contain_text(held)
    expect(live.locator("b").first).to_have_text(re.compile(r"0:\d\d"))
    page.keyboard.press("u")
    expect(live.locator(".desk-muted")).to_contain_text(muted)
    look(page)
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    page.keyboard.press("h")
    expect(live).to_contain_text(back)
    page.keyboard.press("u")
    expect(live.locator(".desk-muted")).to_have_count(0)
    expect(live).to_have_count(0, timeout=_CALL_MS)
    page.locator(".desk-about a").click()
    for act in acts:
        expect(page.locator("main")).to_contain_text(act)
