"""An officer's phone at the door: what he enters is there exactly once, whatever becomes of the connection."""

from __future__ import annotations

import base64
import json
import re
import time

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from dialer.bootstrap import application
from dialer.core.access import Role, unrestricted
from dialer.core.presence import PresenceEvent
from dialer.duty.presence import say_presence
from dialer.runtime.settings import load_settings
from tests.browser.axe import PHONE, look
from tests.browser.conftest import Complaints
from tests.browser.service import ALONE, Service
from tests.browser.staff import PASSWORD, new_account, sign_in

pytestmark = [pytest.mark.story, pytest.mark.timeout(300)]

_OLD = """(visit) => new Promise((resolve) => {
  const asked = indexedDB.open("visits");
  asked.onsuccess = () => {
    const written = asked.result.transaction("acts", "readwrite");
    written.objectStore("acts").add({
      id: "00000000-0000-4000-8000-000000000001", owner: Number(localStorage.getItem("visits-owner")), visit,
      deed: "note", fields: { words: "four days old" }, photo: null, told_at: "", made: Date.now() - 4 * 86_400_000,
      state: "waiting", why: "",
    });
    written.oncomplete = () => { asked.result.close(); resolve(); };
  };
})"""
"""An entry that is older than any visit."""
_SENT_SECONDS = 90.0
_PICTURE = """() => {
  const canvas = document.createElement("canvas");
  canvas.width = 3000; canvas.height = 2000;
  const context = canvas.getContext("2d");
  context.fillStyle = "#456"; context.fillRect(0, 0, 3000, 2000);
  return canvas.toDataURL("image/jpeg").split(",")[1];
}"""
_KEPT = """() => new Promise((resolve) => {
  const asked = indexedDB.open("visits");
  asked.onsuccess = () => {
    const database = asked.result;
    const tables = database.transaction(["acts", "drafts"]);
    const acts = tables.objectStore("acts").getAll(), drafts = tables.objectStore("drafts").getAll();
    tables.oncomplete = () => { database.close(); resolve(JSON.stringify([...acts.result, ...drafts.result])); };
  };
})"""


def warn(service: Service, *people: tuple[str, str]) -> None:
    """Warnings of the highest grade about these: name and telephone."""
    service.load(
        [
            {
                "姓名": name,
                "手机号": phone,
                "等级": "特高危",
                "诈骗类型": "冒充公检法",
                "地址": "临河区新华西街金川小区3号楼2单元501室",
                "标签": "老年",
            }
            for name, phone in people
        ]
    )


def card(page: Page, last4: str) -> Locator:
    return page.locator("[data-card]", has_text=last4)


def step(page: Page, name: str) -> None:
    page.locator("[data-next]").get_by_role("button", name=name, exact=True).locator("visible=true").click()


def kept(page: Page, words: str) -> Locator:
    return page.locator("#kept li", has_text=words)


def picture(page: Page) -> bytes:
    return base64.b64decode(page.evaluate(_PICTURE))


def photograph(page: Page, content: bytes) -> None:
    page.locator("input[name=photo]").set_input_files(
        [{"name": "door.jpg", "mimeType": "image/jpeg", "buffer": content}]
    )


def await_empty(page: Page) -> None:
    """The phone keeps nothing any more."""
    deadline = time.monotonic() + _SENT_SECONDS
    while (left := page.evaluate(_KEPT)) != "[]":
        assert time.monotonic() < deadline, left[:300]
        page.wait_for_timeout(100)


def only_the_connection(complaints: Complaints) -> None:
    """The browser itself notes that there was none."""
    assert [told for told in complaints.told if "net::ERR_" not in told] == []
    complaints.told.clear()


@pytest.mark.usefixtures("no_robot")
def test_a_lost_connection_loses_no_word(
    page: Page, context: BrowserContext, service: Service, complaints: Complaints
):
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    warn(service, ("诸葛秀英", "13900027701"))
    new_account(page, service, "officer1", Role.OFFICER)
    expect(page).to_have_url(f"{service.url}/visits")
    look(page)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    button = card(page, "7701").get_by_role("button", name="签收")
    box = button.bounding_box()
    assert box is not None
    assert box["height"] >= 48
    button.click()
    page.wait_for_url(re.compile(r"/visits/\d+$"))
    address = page.url
    expect(page.locator(".person .name")).to_contain_text("诸葛秀英")
    expect(page.locator(".person .address")).to_contain_text("金川小区")
    expect(page.locator(".phones a")).to_have_attribute("href", "tel:+8613900027701")
    look(page)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    door = picture(page)
    page.evaluate("navigator.serviceWorker.ready")

    # The server takes it, and its answer never arrives: the phone sends it again under its number.
    lost: list[str] = []

    def lose(route: Route) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.request.url)
        route.fetch()
        route.abort()

    page.route("**/step", lose)
    step(page, "出发")
    expect(kept(page, "出发")).to_contain_text("已发送")
    assert len(lost) == 1

    context.set_offline(True)
    expect(page.locator("[data-outbox-said]")).to_contain_text("无网络连接")
    page.get_by_label("补充说明").fill("邻居说她在家")
    page.get_by_role("button", name="邻居").click()
    expect(page.locator("#who .problem")).to_contain_text("请先点“到达现场”")
    step(page, "到达现场")
    page.get_by_role("button", name="邻居").click()
    photograph(page, door)
    expect(page.locator("#kept li canvas")).to_be_visible()
    page.locator("#f-words").fill("门上贴着“勿扰”，屋里有人在打电话")
    page.get_by_role("button", name="保存备注").click()
    expect(page.locator("#kept li", has_text="未发送")).to_have_count(4)
    page.locator("#f-report-note").fill("当面劝住，")
    page.wait_for_timeout(600)

    page.reload()
    expect(page.get_by_role("heading", name="无网络连接")).to_be_visible()
    expect(page.locator("#kept li", has_text="未发送")).to_have_count(4)
    expect(page.locator("#f-report-note")).to_have_value("当面劝住，")
    assert "诸葛" not in page.content()
    assert "诸葛" not in page.evaluate(_KEPT)
    look(page)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.locator("#f-report-note").press_sequentially("已挂断视频")
    page.get_by_label("见面劝阻成功").check()
    page.locator("input[name=scammer][value=yes]").check()
    page.get_by_role("button", name="提交反馈").click()
    expect(page.locator("#kept li", has_text="未发送")).to_have_count(5)
    page.close()

    # The tab is closed, and opened again elsewhere when the connection is back.
    page = context.new_page()
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    context.set_offline(False)
    page.goto("/visits")
    await_empty(page)
    page.goto(address)
    expect(page.locator(".over")).to_contain_text("见面劝阻成功")
    course = page.locator(".timeline li")
    for words in (
        "签收见面劝阻任务",
        "已出发",
        "已到达",
        "邻居说她在家",
        "现场照片",
        "勿扰",
        "当面劝住，已挂断视频",
    ):
        expect(course.filter(has_text=words)).to_have_count(1)
    expect(course).to_have_count(7)
    page.locator(".photos select").select_option(index=1)
    page.get_by_label("查看理由").fill("核对反馈")
    page.get_by_role("button", name="查看照片").click()
    expect(page.locator(".photos canvas")).to_be_visible()
    look(page)
    only_the_connection(complaints)


SQUARE = [[107.0, 40.0], [108.0, 40.0], [108.0, 41.0], [107.0, 41.0], [107.0, 40.0]]


@pytest.mark.usefixtures("no_robot")
@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh", ("空闲民警", "不到 1 公里", "85 公里", "签收", "打开地图")),
        ("en", ("Free officers", "less than 1 km", "85 km", "Accept the visit", "Open the map")),
    ],
)
def test_the_nearest_free_officer_is_seen_and_the_officer_opens_the_map(
    page: Page, service: Service, language: str, words: tuple[str, ...]
):
    heading, near, far, accept, open_map = words
    west = [[east - 1, north] for east, north in SQUARE]
    areas = {"云川派出所": SQUARE, "河西派出所": west}
    tree = service.folder / "units.csv"
    tree.write_text("名称,上级,级别\n" + "".join(f"{name},,所\n" for name in areas), encoding="utf-8-sig")
    shapes = service.folder / "units.geojson"
    features = [
        {
            "type": "Feature",
            "properties": {"name": name},
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }
        for name, ring in areas.items()
    ]
    shapes.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    service.as_administrator("units", "import", str(tree))
    service.as_administrator("units", "boundaries", str(shapes))
    numbers = {one["name"]: one["id"] for one in json.loads(service.dialer("units", "list", "--json"))}
    officers = {f"far-{language}": "河西派出所", f"near-{language}": "云川派出所"}
    for login, unit in officers.items():
        name = ("--name", login.title(), "--role", "officer", "--unit", str(numbers[unit]))
        service.as_administrator("staff", "add", login, *name, *ALONE)
        with application(load_settings(service.env)) as made:
            say_presence(made.services, unrestricted(login), PresenceEvent.FREE)
    last4 = {"zh": "7704", "en": "7705"}[language]
    service.load(
        [
            {
                "姓名": "端木海", "手机号": f"1390002{last4}", "等级": "特高危", "诈骗类型": "冒充公检法",
                "地址": "金川小区3号楼501室", "处置单位": "云川派出所", "经度": "107.51", "纬度": "40.5",
            }
        ]
    )  # fmt: skip

    new_account(page, service, f"chief-{language}", Role.SUPERVISOR, language=language)
    page.goto("/visits")
    card(page, last4).locator("a").click()
    page.wait_for_url(re.compile(r"/visits/\d+$"))
    offered = page.locator("section", has=page.get_by_role("heading", name=heading)).locator("li")
    expect(offered.filter(has_text=f"Near-{language.title()}")).to_contain_text(near)
    expect(offered.filter(has_text=f"Far-{language.title()}")).to_contain_text(far)
    told = offered.all_inner_texts()
    names = [line.split()[0] for line in told]
    assert names.index(f"Near-{language.title()}") < names.index(f"Far-{language.title()}")
    look(page)
    expect(page.locator("a[href^='geo:']")).to_have_count(0)

    new_account(page, service, f"officer-{language}", Role.OFFICER, language=language)
    page.goto("/visits")
    card(page, last4).get_by_role("button", name=accept).click()
    page.wait_for_url(re.compile(r"/visits/\d+$"))
    expect(page.get_by_role("link", name=open_map)).to_have_attribute("href", "geo:40.500000,107.510000")
    look(page)


@pytest.mark.usefixtures("no_robot")
def test_words_outlive_the_session_and_are_not_signed_away(
    page: Page, context: BrowserContext, service: Service, complaints: Complaints
):
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    warn(service, ("端木海", "13900027702"), ("令狐明", "13900027703"))
    new_account(page, service, "officer2", Role.OFFICER, language="en")
    card(page, "7702").get_by_role("button", name="Accept the visit").click()
    page.wait_for_url(re.compile(r"/visits/\d+$"))
    expect(page.locator(".person .name")).to_contain_text("端木海")
    look(page)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]

    context.set_offline(True)
    page.locator("#f-words").fill("rang twice")
    page.get_by_role("button", name="Save the note").click()
    expect(kept(page, "rang twice")).to_contain_text("not sent yet")
    service.as_administrator("staff", "sessions", "--end", "officer2")
    context.set_offline(False)
    said = page.locator("[data-outbox-said]")
    expect(said).to_contain_text("You are signed out.")
    assert "端木海" not in page.content()
    said.get_by_role("link", name="Sign in").click()
    page.locator("#f-login").fill("officer2")
    page.locator("#f-password").fill(PASSWORD)
    page.locator("main form.form button").click()
    page.wait_for_url(re.compile(r"/visits/\d+$"))
    expect(kept(page, "rang twice").locator(".state")).to_have_text("sent")
    page.reload()
    expect(page.locator(".timeline li", has_text="rang twice")).to_have_count(1)

    page.goto(f"{page.url}/notice")
    look(page)
    page.locator("[name=sheet][value=en]").check()
    expect(page.locator("[data-sheet=en]")).to_be_visible()
    expect(page.locator("[data-sheet=zh]")).to_be_hidden()
    page.emulate_media(media="print")
    expect(page.locator(".bar")).to_be_hidden()
    page.emulate_media(media="screen")
    page.get_by_role("link", name="Back to the visit").click()

    context.set_offline(True)
    page.locator("#f-words").fill("nobody opens")
    page.get_by_role("button", name="Save the note").click()
    page.locator(".self details.menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    leaving = page.locator("#leaving")
    expect(leaving).to_contain_text("Not everything has been sent")
    leaving.get_by_role("button", name="Stay, and send it first").click()
    context.set_offline(False)
    expect(kept(page, "nobody opens").locator(".state")).to_have_text("sent")
    page.locator(".self details.menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    await_empty(page)
    assert page.evaluate("localStorage.getItem('visits-owner')") is None

    sign_in(page, "officer2")
    card(page, "7703").locator("a").click()
    page.wait_for_url(re.compile(r"/visits/\d+$"))
    page.evaluate(_OLD, int(page.url.rpartition("/")[2]))
    page.reload()
    await_empty(page)
    service.as_administrator("staff", "add", "li", "--name", "Li", "--role", "officer", *ALONE)
    service.dialer("work", "sign", page.url.rpartition("/")[2], "--by", "li")
    step(page, "Accept the visit")
    refused = kept(page, "Visit accepted")
    expect(refused).to_contain_text("li has it now")
    expect(page.locator("#head")).to_contain_text("Li has this visit.")
    expect(page.locator("[data-next]")).to_be_hidden()
    look(page)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    refused.get_by_role("button", name="Remove").click()
    await_empty(page)
    expect(page.locator(".timeline li")).to_have_count(0)
    page.locator(".self details.menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")

    new_account(page, service, "chief1", Role.SUPERVISOR, language="en")
    page.goto("/visits")
    expect(card(page, "7702")).to_contain_text("Officer2")
    assert "端木" not in page.content()
    look(page)
    card(page, "7703").locator("a").click()
    page.wait_for_url(re.compile(r"/visits/\d+$"))
    look(page)
    # The browser notes that nobody was signed in, and that somebody else had the visit.
    complaints.told = [told for told in complaints.told if not re.search(r"net::ERR_|\b(401|409)\b", told)]
