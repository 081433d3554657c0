"""Work that is mended on the page where it shows: the wrong row of a list, and what is overdue; in both languages."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from dialer.bootstrap import application
from dialer.core.access import Role
from dialer.core.text import Lang
from dialer.db import tables as t
from dialer.language.catalogue import say
from dialer.runtime.settings import load_settings
from tests.browser.axe import look
from tests.browser.service import Service
from tests.browser.staff import new_account

pytestmark = [pytest.mark.story, pytest.mark.timeout(300)]

LANGUAGES = pytest.mark.parametrize("language", ["zh", "en"])


@LANGUAGES
def test_a_clerk_corrects_a_refused_row_on_the_page(page: Page, service: Service, language: str):
    first = {"zh": 1320, "en": 1321}[language]
    rows = [f"王小{n},{first}0055{n:03},低危,刷单返利" for n in range(9)]
    text = "\n".join(["姓名,手机号,等级,诈骗类型", *rows, "公孙越,12345,低危,刷单返利"])
    new_account(page, service, f"mends-{language}", Role.CLERK, language=language)
    page.goto("/lists")
    page.locator("#f-file").set_input_files(
        {"name": f"{language}.csv", "mimeType": "text/csv", "buffer": text.encode("utf-8-sig")}
    )
    page.wait_for_url(re.compile(r"/lists/drafts/\d+$"))
    look(page)
    page.locator("form[action$='/load'] button").click()
    page.wait_for_url(re.compile(r"/lists/\d+$"))
    page.locator("main a[href$='/correct']").click()
    cell = page.locator("main input[value='12345']")
    expect(cell).to_be_visible()
    look(page)
    cell.fill(f"{first}0055999")
    page.locator("form[action$='/correct'] button").click()
    page.wait_for_url(re.compile(r"/lists/drafts/\d+$"))
    look(page)
    page.locator("form[action$='/load'] button").click()
    page.wait_for_url(re.compile(r"/lists/\d+$"))
    expect(page.locator("main a[href$='/correct']")).to_have_count(0)
    load_id = int(page.url.rpartition("/")[2])
    with application(load_settings(service.env)) as made, made.services.store.begin() as tx:
        warnings = tx.rows(sa.select(t.warning.c.grade).where(t.warning.c.load_id == load_id))
    assert [row["grade"] for row in warnings] == ["low"]


@LANGUAGES
@pytest.mark.usefixtures("no_robot")
def test_what_is_overdue_is_acted_on_where_it_shows(page: Page, service: Service, language: str):
    last4 = {"zh": "8801", "en": "8802"}[language]
    service.load(
        [{"姓名": "司马昭", "手机号": f"1390002{last4}", "等级": "特高危", "诈骗类型": "冒充公检法"}]
    )
    with application(load_settings(service.env)) as made:
        late = made.services.clock.now() - timedelta(minutes=10)
        with made.services.store.begin() as tx:
            tx.execute(sa.update(t.assignment).values(sign_by=late, due_at=late))
    new_account(page, service, f"late-{language}", Role.SUPERVISOR, language=language)
    page.goto("/board")
    page.locator("main a[href^='/overdue']").first.click()
    page.wait_for_url("**/overdue*")
    line = page.locator("tbody tr", has_text=last4).first
    expect(line).to_be_visible()
    look(page)
    line.locator("details summary").click()
    line.locator("form[action$='/call'] button").click()
    said = say(Lang(language), "The robot calls as soon as a line is free.")
    expect(page.locator(".toast")).to_contain_text(said)
    expect(page).to_have_url(re.compile(r"/overdue"))
    look(page)
