"""The main job of each role, done in a real Chromium on a demo: clicks, fields, pages and seconds.

    python -m bench.walks [--only clerk,caller,...] [--language zh|en] [--speed 10] [--out FILE]

A click is one press of a link, a button, a choice or a disclosure; a field is one text typed or one file given; a page
is one document that the browser opened, the first one of the role included. Seconds are those of the machine from the
first page to the last answer: nobody reads or thinks in them. Where a walk cannot be done, the command says at which
step, and ends with 1.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from playwright.sync_api import Error, Locator, Page, sync_playwright

from dialer.cards.openings.institutions import bind_teller
from dialer.core.access import Role, unrestricted
from dialer.core.text import Lang
from dialer.core.values import Track
from dialer.demo.street import BANK, OUTLETS
from dialer.runtime.services import Application
from dialer.work.assignments import waiting_assignments
from tools.pictures import CHROMIUM, account_token, running_demo, signed_in, wait_for

_PATIENCE_MS = 60_000
_WRONG_PHONE = "12345"


class Walker:
    """A person at a page, whose presses are counted."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = self.fields = self.pages = 0
        page.set_default_timeout(_PATIENCE_MS)
        page.on("framenavigated", self._navigated)

    def _navigated(self, frame: object) -> None:
        if frame == self.page.main_frame:
            self.pages += 1

    def click(self, selector: str) -> None:
        self._visible(selector).click()
        self.clicks += 1

    def click_to(self, selector: str, address: str) -> None:
        """A click that leads to a page whose address ends like this expression."""
        self.click(selector)
        self.page.wait_for_url(re.compile(address))

    def type(self, selector: str, text: str) -> None:
        self._visible(selector).fill(text)
        self.fields += 1

    def choose(self, selector: str, value: str) -> None:
        self._visible(selector).select_option(value)
        self.clicks += 1

    def give_file(self, selector: str, name: str, content: bytes) -> None:
        given = {"name": name, "mimeType": "text/csv", "buffer": content}
        self.page.locator(selector).first.set_input_files(given)  # type: ignore[arg-type]
        self.fields += 1

    def see(self, selector: str) -> None:
        self._visible(selector).wait_for()

    def gone(self, selector: str) -> None:
        self.page.locator(selector).filter(visible=True).first.wait_for(state="detached")

    def to(self, path: str) -> None:
        """By the navigation, in whose menu the place may stand."""
        link = self.page.locator(f"header a[href='{path}']").first
        if not link.is_visible():
            self.click(f"header details:has(a[href='{path}']) > summary")
        link.click()
        self.clicks += 1
        self.page.wait_for_url(f"**{path}")

    def _visible(self, selector: str) -> Locator:
        return self.page.locator(selector).locator("visible=true").first


def _list_with_a_wrong_row() -> bytes:
    text = io.StringIO()
    rows = [
        {
            "姓名": f"王小{n}",
            "手机号": f"1380019{n:04}",
            "等级": "高危",
            "诈骗类型": "刷单返利",
            "处置单位": "",
        }
        for n in range(19)
    ]
    rows.append(rows[0] | {"姓名": "公孙越", "手机号": _WRONG_PHONE})
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8-sig")


def clerk(walker: Walker) -> None:
    walker.give_file("#f-file", "walk.csv", _list_with_a_wrong_row())
    walker.page.wait_for_url(re.compile(r"/lists/drafts/\d+$"))
    walker.click_to("form[action$='/load'] button", r"/lists/\d+$")
    walker.click_to("main a[href$='/correct']", r"/correct$")
    walker.type(f"main input[value='{_WRONG_PHONE}']", "13800199999")
    walker.click_to("form[action$='/correct'] button", r"/lists/drafts/\d+$")
    walker.click_to("form[action$='/load'] button", r"/lists/\d+$")


def caller(walker: Walker) -> None:
    walker.click("form[data-next] button")
    walker.see("[data-task]")
    first = walker.page.locator("[data-task]").first.get_attribute("data-task")
    walker.click(".desk-outcome:has(input[value=cannot_find])")
    walker.type("#f-note", "nobody answers, the neighbour knows nothing")
    walker.click(".desk-send button")
    walker.page.wait_for_function("one => !document.querySelector(`[data-task='${one}']`)", arg=first)


def officer(walker: Walker) -> None:
    walker.click_to("[data-card] form button", r"/visits/\d+$")
    for _ in ("on the way", "arrived"):
        said = walker.page.locator("#kept li").count()
        walker.click("[data-next] button")
        walker.see(f"#kept li:nth-of-type({said + 1})")
    walker.click("label.result:has(input[value=dissuaded_in_person])")
    walker.click("label:has(input[name=scammer][value=yes])")
    walker.click("form[action$='/report'] button")
    walker.see(".over")


def supervisor(walker: Walker) -> None:
    walker.click_to("main a[href^='/overdue']", r"/overdue")
    walker.see("main section")
    walker.to("/approvals")
    walker.click_to("main a[href^='/plan/versions/']", r"/plan/versions/\d+$")
    walker.type("#f-reason", "compared with last week")
    walker.click("form[action$='/approve'] button")
    walker.see(".toast")


def administrator(walker: Walker) -> None:
    walker.click("main [data-dialog=new]")
    walker.type("#f-login", "walk.new")
    walker.type("#f-display_name", "Walk New")
    walker.choose("#f-role", Role.CALLER.value)
    walker.type("#f-why", "new at the desk")
    walker.click_to("dialog form button.button-main", r"/account-changes$")
    walker.to("/control")
    walker.click_to("main a[href='/settings']", r"/settings$")
    walker.type("#search-text", "calls_per_second")
    walker.page.keyboard.press("Enter")
    walker.clicks += 1
    # The setting is found, and another one is not shown beside it.
    walker.see("tbody tr:has-text('calls_per_second')")
    walker.gone("tbody tr:has-text('database.url')")


def auditor(walker: Walker) -> None:
    walker.click_to("main a[href^='/audit/people']", r"/audit/people")
    walker.click_to("tbody tr a", r"/audit\?")
    walker.see("tbody tr")


def teller(walker: Walker) -> None:
    walker.click_to("main a[href^='/counter/']", r"/counter/\d+$")
    walker.see("main section")


def analyst(walker: Walker) -> None:
    walker.click_to("main a[href='/robot/rules']", r"/robot/rules$")
    walker.click_to("tbody a[href^='/robot/rule?']", r"/robot/rule\?")
    walker.type("#f-points", "93")
    walker.click_to("form[action='/robot/rule'] button", r"/robot/versions/\d+$")
    walker.click("main a[href*='/week']")
    walker.see("#week-heading ~ table")


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    role: Role
    job: str
    go: Callable[[Walker], None]
    waits_for: Track | None = None
    """Work of this kind must wait before the walk begins."""
    is_phone: bool = False


WALKS = (
    Walk(role=Role.CLERK, job="loads a list, corrects its wrong row on the page, loads that", go=clerk),
    Walk(role=Role.TELLER, job="opens the check of a customer who waits", go=teller),
    Walk(role=Role.ANALYST, job="changes the points of a rule, judges last week with them", go=analyst),
    Walk(
        role=Role.ADMINISTRATOR,
        job="asks for an account, which another person confirms; finds a setting",
        go=administrator,
    ),
    Walk(role=Role.CALLER, job="takes a task and reports it", go=caller, waits_for=Track.HUMAN),
    Walk(
        role=Role.OFFICER,
        job="signs for a visit, goes, arrives, reports",
        go=officer,
        waits_for=Track.VISIT,
        is_phone=True,
    ),
    Walk(role=Role.AUDITOR, job="sees who looked at most, and at what", go=auditor),
    Walk(
        role=Role.SUPERVISOR,
        job="opens from the board what is overdue, approves a draft of the plan",
        go=supervisor,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    role: str
    job: str
    clicks: int
    fields: int
    pages: int
    seconds: float
    fault: str = ""
    """At what the walk ended before its end."""


def walk(app: Application, url: str, one: Walk, page: Page) -> Walked:
    """Does the job once."""
    if one.waits_for is not None:
        wait_for(partial(_is_waiting, app, one.waits_for), None, f"work for {one.role.value}")
    walker, fault, began = Walker(page), "", time.perf_counter()
    try:
        page.goto(url)
        one.go(walker)
    except Error as error:
        fault = f"{page.url}: {str(error).splitlines()[0]}"
        page.screenshot(path=Path(tempfile.gettempdir()) / f"walk-{one.role.value}.png", full_page=True)
    return Walked(
        role=one.role.value,
        job=one.job,
        clicks=walker.clicks,
        fields=walker.fields,
        pages=walker.pages,
        seconds=round(time.perf_counter() - began, 1),
        fault=fault,
    )


def _is_waiting(app: Application, kind: Track) -> bool:
    with app.services.store.begin() as tx:
        return bool(waiting_assignments(tx, kind=kind))


def told(done: Sequence[Walked]) -> str:
    """The table of the documents."""
    lines = ["| role | job | clicks | fields | pages | seconds |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {one.role} | {one.job} | {one.clicks} | {one.fields} | {one.pages} | {one.seconds} |"
        for one in done
    ]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default=",".join(one.role.value for one in WALKS))
    parser.add_argument("--language", type=Lang, default=Lang.EN)
    parser.add_argument("--speed", type=float, default=10.0, help="seconds of the demo in one second")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    wanted = [one for one in WALKS if one.role.value in options.only.split(",")]
    done: list[Walked] = []
    with tempfile.TemporaryDirectory(prefix="dialer-walks-") as folder, sync_playwright() as driver:
        Path(folder).chmod(0o755)
        with running_demo(Path(folder), speed=options.speed) as (app, url):
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            for one in wanted:
                token = account_token(app, one.role, options.language)
                if one.role is Role.TELLER:
                    login = f"{one.role.value}-{options.language.value}"
                    actor, outlet = unrestricted("walks"), OUTLETS[0][2]
                    bind_teller(app.services, actor, login=login, institution=BANK, code=outlet)
                context = signed_in(browser, url, token, options.language, is_phone=one.is_phone)
                done.append(walk(app, url, one, context.new_page()))
                context.close()
            browser.close()
    print(told(done))
    for one in done:
        if one.fault:
            print(f"{one.role}: ended at {one.fault}")
    if options.out:
        options.out.write_text(json.dumps([asdict(one) for one in done], ensure_ascii=False, indent=2))
    return 1 if any(one.fault for one in done) else 0


if __name__ == "__main__":
    raise SystemExit(main())
