"""Every page of the console on a phone, a small, a usual and a large screen, in both languages: nothing is cut off, and
no page weighs much.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Error, Page

from dialer.core.access import Role, may
from dialer.server.application import declarations
from tests.browser.conftest import Complaints
from tests.browser.service import Service
from tests.browser.staff import new_account

pytestmark = [pytest.mark.story, pytest.mark.timeout(600)]

WIDTHS = (390, 1024, 1440, 1920)
UNITS = "名称,上级\n巴彦淖尔市公安局,\n乌拉特中旗公安局,巴彦淖尔市公安局\n草原路派出所,乌拉特中旗公安局\n"
ROLES = (Role.SUPERVISOR, Role.ADMINISTRATOR, Role.OFFICER, Role.AUDITOR, Role.CLERK)
_CUT = """() => {
  const page = document.documentElement;
  const cut = [...document.querySelectorAll("header *, .panel-flush, .tile")].filter(one => {
    const style = getComputedStyle(one);
    return style.overflowX !== "visible" && style.textOverflow !== "ellipsis" && !one.matches(".sr")
      && one.clientWidth > 2 && one.scrollWidth > one.clientWidth + 1;
  }).map(one => `${one.tagName} ${one.className} by ${one.scrollWidth - one.clientWidth}`);
  const self = document.querySelector(".self")?.getBoundingClientRect();
  for (const one of document.querySelectorAll(".places > *")) {
    const box = one.getBoundingClientRect();
    const beside = !self || !box.width || box.right <= self.left || box.left >= self.right;
    if (!beside && box.bottom > self.top && box.top < self.bottom)
      cut.push(`${one.textContent.trim().split("\\n")[0]} under the name by ${Math.round(box.right - self.left)}`);
  }
  return page.scrollWidth > page.clientWidth ? [`page by ${page.scrollWidth - page.clientWidth}`, ...cut] : cut;
}"""
"""What is wider than its place: the page itself, its navigation, its panels and tiles; and what the reader's name
covers of the navigation.
"""
_WEIGHT = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .reduce((sum, one) => sum + one.encodedBodySize, 0)"""
MOST_BYTES = 300_000
"""What a page and everything that it loads may weigh, as it is sent."""
_LINKS = """() => [...document.querySelectorAll("main a[href^='/']")].map(one => one.getAttribute("href"))"""
_PIECES = re.compile(
    r"/(live|now|notice|room|pulse|offline|worker\.js|file|files|progress|came|look|count|rejects|rejected|difference)\b"
)
"""What a page asks for while it is open, and files."""


@pytest.fixture
def filled(service: Service) -> Service:
    """Units, and cases of the longest words."""
    table = service.folder / "units.csv"
    table.write_text(UNITS, encoding="utf-8")
    service.dialer("units", "import", str(table), "--by", "cli")
    given = [(grade, unit) for grade in ("特高危", "低危") for unit in ("草原路派出所", "某所", "")]
    service.load(
        [
            {
                "姓名": "欧阳娜仁格日勒",
                "手机号": f"1380013{n:04}",
                "等级": grade,
                "诈骗类型": "冒充公检法及政府机关",
                "属地": unit,
                "拟转金额": "1234567.89",
            }
            for n, (grade, unit) in enumerate(given)
        ]
    )
    return service


def shown(page: Page, expression: str) -> list[str]:
    """What the expression finds on the page, which may load itself anew meanwhile."""
    try:
        found = page.evaluate(expression)
    except Error:
        page.wait_for_load_state()
        found = page.evaluate(expression)
    return list(found)


def pages(context: BrowserContext, role: Role, seen: set[str]) -> Iterator[Page]:
    """Every kind of page that this role opens and that is not `seen` yet, and the first of each kind that these lead
    to. Each has a tab of its own, since a page that loads itself anew would cut off the way to the next.
    """
    found: dict[str, str] = {}
    for declaration in declarations():
        is_page = (
            declaration.method == "GET"
            and "{" not in declaration.path
            and not _PIECES.search(declaration.path)
        )
        if (
            not is_page
            or declaration.act is None
            or not may(role, declaration.act)
            or declaration.path in {"/", "/rates/cases", *seen}
        ):
            continue
        seen.add(declaration.path)
        page = context.new_page()
        page.goto(declaration.path)
        yield page
        for href in shown(page, _LINKS):
            kind = re.sub(r"\d+|(?<=/scripts/)\w+", "#", href.split("?")[0])
            if not _PIECES.search(href) and ("#" in kind or kind == "/rates/cases"):
                found.setdefault(kind, href)
        page.close()
    for kind, href in found.items():
        if kind in seen:
            continue
        seen.add(kind)
        page = context.new_page()
        page.goto(href)
        yield page
        page.close()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_is_cut_off(page: Page, filled: Service, complaints: Complaints, language: str):
    seen: set[str] = set()
    cut: list[str] = []
    for role in ROLES:
        new_account(page, filled, f"{role.value}.{language}", role, language=language)
        for opened in pages(page.context, role, seen):
            weight = opened.evaluate(_WEIGHT)
            cut += [f"{opened.url} weighs {weight} bytes"] if weight > MOST_BYTES else []
            for width in WIDTHS:
                opened.set_viewport_size({"width": width, "height": 900})
                cut += [f"{opened.url} at {width}: {one}" for one in shown(opened, _CUT)]
        page.goto("about:blank")  # A page left open would go on with the next person's session.
        page.context.clear_cookies()
    assert {"/board", "/cases", "/cases/#", "/control", "/rates", "/lists/#", "/visits", "/audit"} <= seen
    assert cut == []
    # The service is shared with the tests before, and may name a file that went with their records.
    complaints.told = [told for told in complaints.told if "404" not in told]
