"""Outlets: involved cards by quarter beside completeness, the steps up to a letter, the monthly notice, fairness."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from io import BytesIO
from typing import Any

import docx
import pytest
import sqlalchemy as sa

from dialer.cards.counter.load import add_fact
from dialer.cards.openings.institutions import report_openings
from dialer.cards.outlets.actions import (
    Cohort,
    OutletRecord,
    Quarter,
    StepForm,
    count_quarter,
    notice_months,
    quarters_until,
    read_cohort,
    read_matter,
    read_notice,
    take_step,
)
from dialer.cards.outlets.fairness import PROVINCES, FairnessGroup, read_fairness, stands_out, watch_fairness
from dialer.cards.outlets.pages import interval_text
from dialer.cards.outlets.view import notice_document
from dialer.core.access import Role, unrestricted
from dialer.core.cards import NEXT_STEPS, OpeningFactKind, OutletStep
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.intervals import Estimate
from dialer.core.text import Lang, Text
from dialer.db import tables as t
from tests.cards.street import BANK, OTHER_BANK, Street
from tests.console.desk import ConsoleDesk, text


def test_quarters():
    assert [one.name for one in quarters_until(date(2026, 2, 3))[:3]] == ["2026Q1", "2025Q4", "2025Q3"]
    assert Quarter(year=2025, number=4).after().first == date(2026, 1, 1)


def test_a_notice_can_be_made_for_twelve_months():
    months = notice_months(date(2026, 3, 31))
    assert [f"{month:%Y-%m-%d}" for month in months] == [
        "2026-03-01", "2026-02-01", "2026-01-01", "2025-12-01", "2025-11-01", "2025-10-01",
        "2025-09-01", "2025-08-01", "2025-07-01", "2025-06-01", "2025-05-01", "2025-04-01",
    ]  # fmt: skip


def test_no_interval_is_drawn_where_there_is_none():
    assert interval_text(None) == ""
    assert interval_text(Estimate(share=0.25, low=0.1, high=0.5)) == "25.0 % (10.0–50.0)"


def test_a_quarter_counts_involved_cards_beside_what_was_entered_of_what_was_reported(street: Street):
    services = street.services
    now = services.clock.now()
    for n in range(4):
        street.enter(street.record(n, number=f"62220000111100{n:02d}", hours_ago=1))
    street.enter(street.record(9, hours_ago=1), street.outlets[OTHER_BANK])
    add_fact(
        services,
        unrestricted("test"),
        number="6222000011110000",
        kind=OpeningFactKind.INVOLVED,
        source="A1",
        at=now,
    )
    day = (now - timedelta(hours=1)).astimezone().date()
    report_openings(services, unrestricted("test"), institution=BANK, code=f"{BANK}1", day=day, reported=8)
    cohort = cohort_of(street, Quarter.of(now.date()))
    first, second = cohort.outlets
    assert (first.outlet.id, first.opened, first.involved) == (street.bank.id, 4, 1)
    assert first.completeness == 0.5
    assert (second.opened, second.involved, second.completeness) == (1, 0, None)
    assert cohort.mean == 0.2
    assert first.drawn.share > second.drawn.share
    assert cohort_of(street, Quarter.of(now.date()).before()).outlets == ()


def cohort_of(street: Street, quarter: Quarter) -> Cohort:
    services = street.services
    return read_cohort(services, count_quarter(services, quarter), visible_to=None)


def matter_of(street: Street, outlet_id: int) -> OutletRecord:
    services = street.services
    return read_matter(
        services, outlet_id, visible_to=None, count=lambda quarter: count_quarter(services, quarter)
    )


def step(street: Street, one: OutletStep, **values: object) -> None:
    form = StepForm(step=one, why="x", **values)  # type: ignore[arg-type]
    take_step(street.services, unrestricted("officer"), street.bank.id, form)


def test_only_the_letter_of_an_authority_has_a_term_and_steps_follow_each_other(
    street: Street, console: ConsoleDesk
):
    with pytest.raises(Conflict):
        step(street, OutletStep.LETTER, document_no="1号", authority="人民银行", months=1)
    for one in (OutletStep.BULLETIN, OutletStep.TALK, OutletStep.PROPOSAL):
        step(street, one)
    for wrong in ({"document_no": " ", "months": 1}, {"document_no": "1号", "months": 0}):
        with pytest.raises(Invalid):
            step(street, OutletStep.LETTER, authority="人民银行", **wrong)
    step(street, OutletStep.LETTER, document_no="1号", authority="人民银行", months=2)
    assert not matter_of(street, street.bank.id).due
    console.pass_seconds(86_400 * 63)
    matter = matter_of(street, street.bank.id)
    assert matter.due
    assert matter.following == (OutletStep.REVIEW,)
    step(street, OutletStep.REVIEW)
    step(street, OutletStep.END)
    assert [one.step for one in matter_of(street, street.bank.id).steps] == list(OutletStep)
    assert set(NEXT_STEPS) == {None, *OutletStep}
    with pytest.raises(NotFound):
        matter_of(street, 987)


def test_the_notice_of_a_month_names_outlets_and_no_customer(street: Street):
    services = street.services
    street.enter(street.record(1, number="6222000011110001", hours_ago=1))
    step(street, OutletStep.BULLETIN)
    now = services.clock.now()
    notice = read_notice(services, unrestricted("chief"), now.date().replace(day=1))
    for lang in Lang:
        made = notice_document(notice, lang=lang, timezone="Asia/Shanghai", who="chief", now=now)
        written = docx.Document(BytesIO(made.content))
        cells = [cell.text for table in written.tables for row in table.rows for cell in row.cells]
        assert any(BANK in cell for cell in cells)
        said = "the competent authority suspends" if lang is Lang.EN else "由主管部门决定"
        assert any(said in paragraph.text for paragraph in written.paragraphs), said
        assert not any("客户1" in cell or "6222" in cell for cell in cells)


def test_of_an_outlet_without_openings_this_quarter_alone_is_shown(street: Street):
    assert len(matter_of(street, street.bank.id).cohorts) == 1
    street.enter(street.record(1, hours_ago=1))
    assert len(matter_of(street, street.bank.id).cohorts) == 1


async def test_the_pages_show_outlets_their_steps_and_the_notice(console: ConsoleDesk, street: Street):
    street.enter(street.record(1, hours_ago=1))
    chief, officer = console.person(Role.SUPERVISOR), console.person(Role.OFFICER)
    quarter = Quarter.of(street.services.clock.now().date()).name
    assert BANK in text(await chief.get(f"/cards/outlets?quarter={quarter}"))
    own = f"/cards/outlets/{street.bank.id}"
    assert (await officer.post(f"{own}/steps", step="talk", why="x")).status_code == 409
    assert (await officer.post(f"{own}/steps", step="bulletin", why=" ")).status_code == 422
    assert (await officer.post(f"{own}/steps", step="bulletin", why="涉案卡偏多")).status_code == 303
    assert "bulletin" in text(await chief.get(own))
    month = f"{street.services.clock.now():%Y-%m}"
    saved = await chief.get(f"/cards/outlets/notice?month={month}")
    assert saved.content.startswith(b"PK")
    assert (await chief.get("/cards/outlets/notice?month=2020-01")).status_code == 404


def test_a_group_stands_out_when_its_share_is_far_above_that_of_all_others(street: Street):
    far = partial(stands_out, times=2.0, least=10)
    assert far(30, 100, 50, 1000) is not None
    assert far(9, 10, 50, 1000) is None
    assert far(60, 1000, 50, 1000) is None
    assert far(30, 100, 0, 0) is None
    assert stands_out(30, 100, 50, 1000, times=5.0, least=10) is None
    assert stands_out(9, 10, 50, 1000, times=2.0, least=9) is not None
    away = {"home": "410101", "purpose": "买牛羊周转资金", "limit_fen": 50_000_000}
    for n in range(100, 112):
        street.check(street.record(n, **away))
    for n in range(200, 212):
        street.check(street.record(n, purpose=f"其他不同用途{n}"))
    found = read_fairness(street.services, days=30, visible_to=None)
    henan, own = sorted(found.provinces, key=lambda one: -one.flagged)
    assert (henan.name, henan.openings, henan.flagged, own.flagged) == ("Henan", 12, 10, 0)
    assert henan.stands_out == ("flagged",)
    assert [(one.check, one.name, one.found) for one in found.falling] == [
        ("", "Henan", 10),
        ("ring", "Henan", 10),
    ]
    assert [age.name for age in found.ages] == ["35–49"]
    interval = henan.interval("flagged")
    assert interval is not None
    assert interval.low > 0.5
    assert (
        FairnessGroup(kind="age", name="x", openings=0, flagged=0, asked=0, refused=0).interval("asked")
        is None
    )


def test_a_check_that_falls_on_one_group_raises_the_alarm_once(street: Street):
    away = {"home": "410101", "purpose": "买牛羊周转资金", "limit_fen": 50_000_000}
    for n in range(200, 212):
        street.check(street.record(n, purpose=f"其他不同用途{n}"))
    assert watch_fairness(street.services) == 0
    for n in range(100, 112):
        street.check(street.record(n, **away))
    stricter = replace(street.services, cards=street.services.cards.model_copy(update={"group_least": 11}))
    assert watch_fairness(stricter) == 0
    assert watch_fairness(street.services) == 2
    with street.services.store.begin() as tx:
        (alarm,) = tx.rows(sa.select(t.alarm))
    assert alarm["code"] == "check_falls_on_group"
    found = {"group": "Henan", "found": 10, "share": pytest.approx(0.8333, abs=1e-4)}
    assert alarm["facts"]["groups"] == [{"check": "", **found}, {"check": "ring", **found}]
    assert str(Text.of_plain(alarm["facts"]["problem"])) == (
        "the checks ask about 83.3 % of the openings of Henan, and 0.0 % of those of all others"
    )
    now = street.services.clock.now()
    with street.services.store.begin() as tx:
        tx.execute(sa.update(t.alarm).values(seen_at=now, seen_by="zhao"))
    assert watch_fairness(street.services) == 0
    for ago, new in ((timedelta(days=90), 0), (timedelta(days=90, microseconds=1), 2)):
        with street.services.store.begin() as tx:
            tx.execute(sa.update(t.alarm).values(raised_at=now - ago))
        assert watch_fairness(street.services) == new, ago


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"document_no": " "}, "document_no"), ({"authority": " "}, "authority"), ({"months": 0}, "months")],
)
def test_a_letter_has_number_authority_and_term(changed: dict[str, Any], field: str):
    letter = {"document_no": "人银函〔2026〕1号", "authority": "人民银行", "months": 3}
    assert StepForm(step=OutletStep.LETTER, why="频繁开卡", **letter).months == 3
    with pytest.raises(Invalid) as refused:
        StepForm(step=OutletStep.LETTER, why="频繁开卡", **letter | changed)
    assert refused.value.field == field


async def test_the_page_of_fairness_marks_the_group(console: ConsoleDesk, street: Street):
    away = {"home": "410101", "purpose": "买牛羊周转资金", "limit_fen": 50_000_000}
    for n in range(100, 112):
        street.check(street.record(n, **away))
    street.check(street.record(1))
    page = text(await console.person(Role.SUPERVISOR).get("/cards/fairness"))
    assert "stands out" in page
    assert "Henan" in page
    assert "Checks that fall on one group" in page
    assert "one of … persons with … cards who share phone" in page


def test_every_province_has_its_digits():
    """GB/T 2260 has these two digits for the 34 of the country."""
    parts = {1: 5, 2: 3, 3: 7, 4: 6, 5: 5, 6: 5, 7: 1, 8: 2}
    first = {1: 1, 2: 1, 3: 1, 4: 1, 5: 0, 6: 1, 7: 1, 8: 1}
    digits = {f"{area}{first[area] + n}" for area, count in parts.items() for n in range(count)}
    assert set(PROVINCES) == digits
    assert len(set(PROVINCES.values())) == len(digits) == 34
