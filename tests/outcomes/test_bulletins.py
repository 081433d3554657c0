"""A bulletin is drafted from one snapshot, keeps its figures, and is decided by a second person."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from random import Random
from xml.etree import ElementTree as ET

import pytest
import sqlalchemy as sa

from dialer.core.access import ROBOT
from dialer.core.case import CaseStatus
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.periods import BulletinKind, BulletinState, bulletin_days
from dialer.core.rates import FirstAttempt, rates_of
from dialer.core.values import Contact, FraudType, Grade, OutcomeKind
from dialer.db import tables as t
from dialer.language import Lang
from dialer.org.unit_store import add_unit
from dialer.outcomes.bulletin_text import bulletin_document, parts_of, ranked_units
from dialer.outcomes.bulletins import (
    decide_bulletin,
    draft_due_bulletins,
    get_bulletin,
    list_bulletins,
    make_bulletin,
)
from dialer.outcomes.report import make_report, refresh_rollup, report_period
from tests.outcomes.town import Scenario

OCTOBER = bulletin_days(BulletinKind.MONTH, "2026-10")
NOVEMBER = bulletin_days(BulletinKind.MONTH, "2026-11")


def fill_months(scenario: Scenario, *, cases: int = 90) -> None:
    """Cases of September and October of this year and of October of the year before, in four stations."""
    chance = Random(4)
    with scenario.tx() as tx:
        city = add_unit(tx, name="市局", parent_id=None)
        units = [
            add_unit(tx, name=name, parent_id=city)
            for name in ("东区分局", "西区分局", "旗公安局", "新区分局")
        ]
    for n in range(cases):
        year, month = ((2026, 10), (2026, 9), (2025, 10))[n % 3 if n % 6 else 0]
        at = datetime(year, month, 1 + chance.randrange(30), 2, tzinfo=UTC) + timedelta(
            minutes=chance.randrange(600)
        )
        unit = chance.randrange(4)
        won = chance.random() < (0.8, 0.6, 0.55, 0.2)[unit]
        status = (
            chance.choice([CaseStatus.WATCHING, CaseStatus.PROVEN, CaseStatus.PROVEN])
            if won
            else chance.choice([CaseStatus.CLOSED, CaseStatus.REVERSED])
        )
        case_id = scenario.case(
            grade=chance.choice(list(Grade)),
            fraud_type=chance.choice([FraudType.LOAN, FraudType.INVESTMENT, FraudType.SHOPPING]),
            status=status,
            contact=Contact.VERIFIED if status is not CaseStatus.CLOSED else Contact.NONE,
            outcome=(
                OutcomeKind.DISSUADED_BY_PHONE if status is not CaseStatus.CLOSED else OutcomeKind.CANNOT_FIND
            ).value,
            opened_at=at,
            first_attempt_at=at + timedelta(seconds=chance.randrange(20, 900)),
        )
        with scenario.tx() as tx:
            tx.execute(sa.update(t.case).where(t.case.c.id == case_id).values(unit_id=units[unit]))
        scenario.attempt(
            case_id, result=chance.choice(["answered", "no_answer"]), sent_at=at + timedelta(minutes=1)
        )
        scenario.assignment(
            case_id,
            kind=chance.choice(["human", "human", "visit"]),
            state="done",
            opened_at=at,
            signed_at=at + timedelta(minutes=2),
            sign_by=at + timedelta(minutes=5),
            feedback_by=at + timedelta(hours=4),
            done_at=at + timedelta(hours=chance.choice([1, 2, 6])),
            done_by=chance.choice(["li", "bai"]),
            outcome=(OutcomeKind.DISSUADED_BY_PHONE if won else OutcomeKind.CANNOT_FIND).value,
        )
        if status is CaseStatus.REVERSED:
            scenario.put_filed(case_id, f"A{case_id}")
        if won and chance.random() < 0.4:
            line = scenario.outcome(case_id, at=at, intended_fen=chance.randrange(1_000_00, 9_000_000_00))
            if chance.random() < 0.8:
                scenario.approve(line)
    for n in range(24):
        year, month = ((2026, 10), (2025, 10), (2025, 10), (2026, 9))[n % 4]
        scenario.put(
            t.filed_record,
            case_number=f"A{year}{n}",
            sealed=b"-",
            amount_fen=chance.randrange(1_000_00, 500_000_00),
            filed_at=datetime(year, month, 3 + n, 4, tzinfo=UTC),
            fraud_type="loan",
            unit="东区分局",
            source="list",
            state=chance.choice(["warned", "not_warned", "doubtful"]),
            by="li",
            at=datetime(2026, 11, 1, tzinfo=UTC),
            drill=False,
        )


@pytest.fixture
def town(scenario: Scenario) -> Scenario:
    fill_months(scenario)
    refresh_rollup(scenario.services)
    return scenario


def words(content: bytes) -> str:
    """All text of a docx, charts included."""
    found = []
    with zipfile.ZipFile(BytesIO(content)) as package:
        for name in package.namelist():
            if name.endswith(".xml") and name.startswith("word/"):
                found += [one for one in ET.fromstring(package.read(name)).itertext() if one.strip()]
    return " ".join(found)


def test_the_figures_are_those_of_the_report_and_stay(town: Scenario):
    made = make_bulletin(town.services, OCTOBER, by="wang")
    total = made.figures.report.breakdown.total
    assert (
        total
        == make_report(town.services, report_period(town.services, "2026-10-01", "2026-10-31")).figures.total
    )
    for compared, first, last in (
        (made.figures.report.before, "2026-09-01", "2026-09-30"),
        (made.figures.report.year_before, "2025-10-01", "2025-10-31"),
    ):
        whole = make_report(town.services, report_period(town.services, first, last)).figures.total
        times = FirstAttempt(cases=whole.first_attempt.cases, p50_seconds=None, p90_seconds=None)
        assert compared == replace(whole, first_attempt=times), "what is compared has no percentiles"
    town.case(opened_at=datetime(2026, 10, 5, 4, tzinfo=UTC))
    town.clock.advance(60)
    again = make_bulletin(town.services, OCTOBER, by="zhao")
    assert again == made
    assert (
        make_bulletin(
            town.services, OCTOBER, by="zhao", anew=True
        ).figures.report.breakdown.total.counts.cases
        == total.counts.cases + 1
    )
    [line] = list_bulletins(town.services)
    assert (line.made_by, line.state) == ("zhao", BulletinState.DRAFT)


def test_a_second_person_decides(town: Scenario):
    made = make_bulletin(town.services, OCTOBER, by="wang")
    assert made.line.id is not None
    read = made.line.made_at
    with pytest.raises(Conflict, match="second person"):
        decide_bulletin(town.services, made.line.id, approve=True, made_at=read, by="wang")
    with pytest.raises(Invalid):
        decide_bulletin(town.services, made.line.id, approve=False, made_at=read, why=" ", by="zhao")
    with pytest.raises(NotFound):
        decide_bulletin(town.services, 999, approve=True, made_at=read, by="zhao")
    decide_bulletin(town.services, made.line.id, approve=False, made_at=read, why="西区的数字有误", by="zhao")
    anew = make_bulletin(town.services, OCTOBER, by="wang")
    assert anew.line.id != made.line.id
    assert anew.line.id is not None
    read = anew.line.made_at
    decide_bulletin(town.services, anew.line.id, approve=True, made_at=read, by="zhao")
    with pytest.raises(Conflict):
        decide_bulletin(town.services, anew.line.id, approve=False, made_at=read, why="x", by="zhao")
    with pytest.raises(Conflict, match="approved"):
        make_bulletin(town.services, OCTOBER, by="wang", anew=True)
    assert get_bulletin(town.services, anew.line.id).line.decided_by == "zhao"


def test_what_was_drafted_anew_is_read_before_it_is_decided(town: Scenario):
    read = make_bulletin(town.services, OCTOBER, by="li").line
    assert read.id is not None
    town.clock.advance(60)
    anew = make_bulletin(town.services, OCTOBER, by="wang", anew=True).line
    assert anew.id == read.id
    for approve in (True, False):
        for made_at in (read.made_at, None):
            with pytest.raises(Conflict, match="drafted anew"):
                decide_bulletin(town.services, read.id, approve=approve, made_at=made_at, why="x", by="zhao")
    decide_bulletin(town.services, read.id, approve=True, made_at=anew.made_at, by="zhao")


def test_a_running_period_is_shown_and_not_kept(town: Scenario):
    made = make_bulletin(town.services, NOVEMBER, by="wang")
    assert made.line.id is None
    assert not made.figures.is_over
    assert list_bulletins(town.services) == []
    with pytest.raises(Invalid, match="not begun"):
        make_bulletin(town.services, bulletin_days(BulletinKind.MONTH, "2026-12"), by="wang")


def test_the_service_drafts_what_is_over_once(town: Scenario):
    ids = draft_due_bulletins(town.services, [BulletinKind.WEEK, BulletinKind.MONTH])
    assert len(ids) == 2
    assert draft_due_bulletins(town.services, [BulletinKind.WEEK, BulletinKind.MONTH]) == []
    lines = {line.days.kind: line for line in list_bulletins(town.services)}
    assert lines[BulletinKind.MONTH].days == OCTOBER
    assert lines[BulletinKind.WEEK].days.last == date(2026, 11, 22)
    assert {line.made_by for line in lines.values()} == {ROBOT}
    week = lines[BulletinKind.WEEK]
    assert week.id is not None
    decide_bulletin(town.services, week.id, approve=False, made_at=week.made_at, why="x", by="zhao")
    assert draft_due_bulletins(town.services, [BulletinKind.WEEK]) == []


@pytest.mark.parametrize("lang", Lang)
def test_the_document_says_the_figures_with_numerator_denominator_and_interval(town: Scenario, lang: Lang):
    made = make_bulletin(town.services, OCTOBER, by="wang")
    content = bulletin_document(made, lang=lang, who="wang", now=town.clock.now()).content
    told = words(content)
    total = made.figures.report.breakdown.total
    dissuaded = next(rate for rate in rates_of(total.counts) if rate.definition.name == "dissuaded")
    assert dissuaded.value is not None
    assert dissuaded.interval is not None
    for figure in (dissuaded.value, dissuaded.interval.low, dissuaded.interval.high):
        assert f"{figure * 100:.1f}%" in told
    assert f"{dissuaded.numerator}" in told
    assert f"{dissuaded.denominator}" in told
    for value, _ in ranked_units(made.figures):
        assert made.figures.report.unit_names[value] in told
    assert ("送审稿" if lang is Lang.ZH else "Draft for review") in told
    assert ("两升两降" if lang is Lang.ZH else "Two up, two down") in told
    assert "%(" not in told
    assert "%%" not in told
    with zipfile.ZipFile(BytesIO(content)) as package:
        charts = [name for name in package.namelist() if name.startswith("word/charts/chart")]
        assert len(charts) == 2
        assert {name for name in package.namelist() if name.startswith("word/embeddings/")} == {
            "word/embeddings/chart1.xlsx",
            "word/embeddings/chart2.xlsx",
        }


@pytest.mark.parametrize("lang", Lang)
def test_a_town_without_anything_has_a_bulletin_too(scenario: Scenario, lang: Lang):
    made = make_bulletin(scenario.services, OCTOBER, by="wang")
    parts = parts_of(made.figures, lang)
    assert len(parts) == 5
    assert all(part.heading for part in parts)
