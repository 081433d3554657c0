"""A bulletin is drafted from one snapshot, keeps its figures, and is decided by a second person."""

from __future__ import annotations

import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from random import Random
from xml.etree import ElementTree as ET

import pytest
import sqlalchemy as sa

from dialer.core.access import ROBOT, unrestricted
from dialer.core.case import CaseStatus
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.periods import BulletinKind, BulletinState, bulletin_days
from dialer.core.rates import FirstAttempt, rates_of
from dialer.core.text import Lang
from dialer.core.values import Contact, FraudType, Grade, OutcomeKind
from dialer.db import tables as t
from dialer.db.units import add_unit
from dialer.figures.bulletin_text import bulletin_document, bulletin_sections, ranked_units
from dialer.figures.bulletins import (
    BulletinLine,
    days_due,
    decide_bulletin,
    draft_due_bulletins,
    get_bulletin,
    list_bulletins,
    make_bulletin,
    note_taken,
)
from dialer.figures.report import make_report, refresh_figures, report_period
from tests.audit_lines import audit_lines
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
    refresh_figures(scenario.services)
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
    made = make_bulletin(town.services, unrestricted("wang"), OCTOBER)
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
    whole = make_report(town.services, report_period(town.services, "2026-10-01", "2026-10-31")).figures
    assert (made.figures.by_grade, made.figures.by_fraud_type) == (whole.by_grade, whole.by_fraud_type)
    filed = (made.figures.filed, made.figures.filed_before, made.figures.filed_year_before)
    assert [one and one.total.filed for one in filed] == [6, 6, 12]
    assert (made.figures.timezone, made.figures.drill, made.figures.is_over) == ("Asia/Shanghai", False, True)
    town.case(opened_at=datetime(2026, 10, 5, 4, tzinfo=UTC))
    town.clock.advance(60)
    again = make_bulletin(town.services, unrestricted("zhao"), OCTOBER)
    assert again == made
    assert (
        make_bulletin(
            town.services, unrestricted("zhao"), OCTOBER, anew=True
        ).figures.report.breakdown.total.counts.cases
        == total.counts.cases + 1
    )
    [line] = list_bulletins(town.services)
    assert (line.made_by, line.state) == ("zhao", BulletinState.DRAFT)


def test_a_year_before_the_database_began_is_unknown_and_one_after_it_is_zero(scenario: Scenario):
    scenario.case(opened_at=datetime(2026, 10, 5, 4, tzinfo=UTC))
    young = make_bulletin(scenario.services, unrestricted("wang"), NOVEMBER).figures
    assert (young.report.year_before, young.filed_year_before) == (None, None)
    assert young.report.before is not None, "October has cases, whenever the database began"
    assert young.filed_before is None
    assert "上年同期为零" not in "".join(bulletin_sections(young, Lang.ZH)[0].paragraphs)
    with scenario.tx() as tx:
        tx.execute(sa.update(t.policy_version).values(created_at=datetime(2025, 10, 31, 16, tzinfo=UTC)))
    old = make_bulletin(scenario.services, unrestricted("wang"), NOVEMBER).figures
    assert old.report.year_before is not None
    assert old.report.year_before.counts.cases == 0
    assert old.filed_year_before is not None
    assert old.filed_year_before.total.filed == 0
    with scenario.tx() as tx:
        tx.execute(sa.update(t.policy_version).values(created_at=datetime(2025, 10, 31, 16, 1, tzinfo=UTC)))
    assert make_bulletin(scenario.services, unrestricted("wang"), NOVEMBER).figures.report.year_before is None


def test_a_second_person_decides(town: Scenario):
    made = make_bulletin(town.services, unrestricted("wang"), OCTOBER)
    assert made.line.id is not None
    read = made.line.made_at
    with pytest.raises(Conflict, match="second person"):
        decide_bulletin(town.services, unrestricted("wang"), made.line.id, approve=True, made_at=read)
    with pytest.raises(Invalid):
        decide_bulletin(
            town.services, unrestricted("zhao"), made.line.id, approve=False, made_at=read, why=" "
        )
    with pytest.raises(NotFound):
        decide_bulletin(town.services, unrestricted("zhao"), 999, approve=True, made_at=read)
    decide_bulletin(
        town.services, unrestricted("zhao"), made.line.id, approve=False, made_at=read, why="西区的数字有误"
    )
    anew = make_bulletin(town.services, unrestricted("wang"), OCTOBER)
    assert anew.line.id != made.line.id
    assert anew.line.id is not None
    read = anew.line.made_at
    decide_bulletin(town.services, unrestricted("zhao"), anew.line.id, approve=True, made_at=read)
    with pytest.raises(Conflict):
        decide_bulletin(
            town.services, unrestricted("zhao"), anew.line.id, approve=False, made_at=read, why="x"
        )
    with pytest.raises(Conflict, match="approved"):
        make_bulletin(town.services, unrestricted("wang"), OCTOBER, anew=True)
    assert get_bulletin(town.services, anew.line.id).line.decided_by == "zhao"


def test_what_was_drafted_anew_is_read_before_it_is_decided(town: Scenario):
    read = make_bulletin(town.services, unrestricted("li"), OCTOBER).line
    assert read.id is not None
    town.clock.advance(60)
    anew = make_bulletin(town.services, unrestricted("wang"), OCTOBER, anew=True).line
    assert anew.id == read.id
    for approve in (True, False):
        for made_at in (read.made_at, None):
            with pytest.raises(Conflict, match="drafted anew"):
                decide_bulletin(
                    town.services, unrestricted("zhao"), read.id, approve=approve, made_at=made_at, why="x"
                )
    decide_bulletin(town.services, unrestricted("zhao"), read.id, approve=True, made_at=anew.made_at)


def test_a_running_period_is_shown_and_not_kept(town: Scenario):
    made = make_bulletin(town.services, unrestricted("wang"), NOVEMBER)
    assert made.line.id is None
    assert not made.figures.is_over
    assert list_bulletins(town.services) == []
    with pytest.raises(Invalid, match="not begun"):
        make_bulletin(town.services, unrestricted("wang"), bulletin_days(BulletinKind.MONTH, "2026-12"))


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
    decide_bulletin(
        town.services, unrestricted("zhao"), week.id, approve=False, made_at=week.made_at, why="x"
    )
    assert draft_due_bulletins(town.services, [BulletinKind.WEEK]) == []


def audited(scenario: Scenario) -> list[dict[str, object]]:
    return [
        {name: line[name] for name in ("act", "who", "subject", "why", "facts")}
        for line in audit_lines(scenario.services.store)
    ]


def test_each_act_is_audited_and_a_decision_keeps_its_reason(scenario: Scenario):
    first = make_bulletin(scenario.services, unrestricted("wang"), OCTOBER)
    assert first.line.id is not None
    scenario.clock.advance(60)
    decide_bulletin(
        scenario.services,
        unrestricted("zhao"),
        first.line.id,
        approve=False,
        made_at=first.line.made_at,
        why="错" * 501,
    )
    refused = get_bulletin(scenario.services, first.line.id).line
    assert (refused.state, refused.why) == (BulletinState.REFUSED, "错" * 500)
    assert (refused.decided_by, refused.decided_at) == ("zhao", scenario.clock.now())
    second = make_bulletin(scenario.services, unrestricted("wang"), OCTOBER)
    assert second.line.id is not None
    decide_bulletin(
        scenario.services,
        unrestricted("zhao"),
        second.line.id,
        approve=True,
        made_at=second.line.made_at,
        why=" 已核 ",
    )
    approved = get_bulletin(scenario.services, second.line.id)
    assert (approved.line.state, approved.line.why) == (BulletinState.APPROVED, "已核")
    note_taken(scenario.services, unrestricted("li"), approved, kind="docx")
    note_taken(
        scenario.services,
        unrestricted("li"),
        make_bulletin(scenario.services, unrestricted("li"), NOVEMBER),
        kind="pdf",
    )
    of_october = {"kind": "month", "first_day": "2026-10-01"}
    assert audited(scenario) == [
        {"act": act, "who": who, "subject": subject, "why": why, "facts": facts}
        for act, who, subject, why, facts in (
            ("draft_bulletin", "wang", f"bulletin/{first.line.id}", "", of_october),
            ("refuse_bulletin", "zhao", f"bulletin/{first.line.id}", "错" * 500, of_october),
            ("draft_bulletin", "wang", f"bulletin/{second.line.id}", "", of_october),
            ("approve_bulletin", "zhao", f"bulletin/{second.line.id}", "已核", of_october),
            (
                "export", "li", f"bulletin/{second.line.id}", "",
                {"kind": "docx", "days": "2026-10", "state": "approved"},
            ),
            ("export", "li", "bulletin", "", {"kind": "pdf", "days": "2026-11", "state": "draft"}),
        )
    ]  # fmt: skip
    with pytest.raises(Conflict, match="decided by zhao"):
        decide_bulletin(
            scenario.services, unrestricted("zhao"), second.line.id, approve=True, made_at=second.line.made_at
        )
    for unknown in (0, 999):
        with pytest.raises(NotFound) as missed:
            get_bulletin(scenario.services, unknown)
        assert (missed.value.kind, missed.value.key) == ("bulletin", unknown)


def test_a_period_begins_and_is_over_at_midnight(scenario: Scenario):
    midnight = datetime(2026, 10, 31, 16, tzinfo=UTC)
    scenario.clock.set(midnight - timedelta(microseconds=1))
    assert make_bulletin(scenario.services, unrestricted("wang"), OCTOBER).line.id is None
    with pytest.raises(Invalid, match="has not begun") as refused:
        make_bulletin(scenario.services, unrestricted("wang"), NOVEMBER)
    assert refused.value.field == "month"
    scenario.clock.set(midnight)
    running = make_bulletin(scenario.services, unrestricted("wang"), NOVEMBER)
    assert (running.line.id, running.line.made_by, running.line.made_at) == (None, "wang", midnight)
    assert (running.line.state, running.line.days) == (BulletinState.DRAFT, NOVEMBER)
    over = make_bulletin(scenario.services, unrestricted("wang"), OCTOBER).line
    assert over.id is not None
    assert (over.days, over.made_by, over.made_at) == (OCTOBER, "wang", midnight)
    assert (over.decided_by, over.decided_at, over.why) == (None, None, "")


def test_only_newer_figures_take_the_place_of_a_draft(scenario: Scenario):
    made = make_bulletin(scenario.services, unrestricted("wang"), OCTOBER).line
    assert make_bulletin(scenario.services, unrestricted("zhao"), OCTOBER, anew=True).line == made, (
        "of the same moment"
    )
    scenario.clock.advance(-60)
    assert make_bulletin(scenario.services, unrestricted("zhao"), OCTOBER, anew=True).line == made, (
        "of an earlier one"
    )
    scenario.clock.advance(61)
    later = make_bulletin(scenario.services, unrestricted("zhao"), OCTOBER, anew=True).line
    assert (later.id, later.made_by, later.made_at) == (made.id, "zhao", made.made_at + timedelta(seconds=1))


def test_two_drafts_at_once_are_one(scenario: Scenario):
    def draft(by: str) -> BulletinLine:
        return make_bulletin(scenario.services, unrestricted(by), OCTOBER).line

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(draft, ("wang", "zhao"))
    assert one == other
    assert list_bulletins(scenario.services) == [one]


def test_a_day_and_the_month_that_begins_with_it_have_bulletins_of_their_own(scenario: Scenario):
    days = [
        OCTOBER,
        bulletin_days(BulletinKind.DAY, "2026-10-01"),
        bulletin_days(BulletinKind.MONTH, "2026-09"),
    ]
    made = [make_bulletin(scenario.services, unrestricted("wang"), day).line for day in days]
    assert [one.days for one in made] == days
    assert list_bulletins(scenario.services) == [made[0], made[1], made[2]], "the latest days first"
    first = made[0]
    assert first.id is not None
    decide_bulletin(
        scenario.services, unrestricted("zhao"), first.id, approve=False, made_at=first.made_at, why="x"
    )
    again = make_bulletin(scenario.services, unrestricted("wang"), OCTOBER).line
    assert [bulletin.id for bulletin in list_bulletins(scenario.services)] == [
        again.id,
        first.id,
        made[1].id,
        made[2].id,
    ]
    waiting = [line.id for line in list_bulletins(scenario.services, waiting_only=True)]
    assert waiting == [again.id, made[1].id, made[2].id]
    with scenario.tx() as tx:
        row = tx.one(sa.select(t.bulletin).where(t.bulletin.c.id == first.id))
        assert row is not None
        copy = {name: value for name, value in row.items() if name != "id"}
        tx.execute(sa.insert(t.bulletin), [copy] * 200)
    assert len(list_bulletins(scenario.services)) == 200


def test_a_bulletin_of_a_drill_is_marked(drill_scenario: Scenario):
    drill_scenario.put(
        t.filed_record, case_number="A1", sealed=b"-", filed_at=datetime(2026, 10, 5, tzinfo=UTC), fraud_type="loan",
        unit="", source="list", state="warned", by="li", at=datetime(2026, 11, 1, tzinfo=UTC), drill=True,
    )  # fmt: skip
    made = make_bulletin(drill_scenario.services, unrestricted("wang"), OCTOBER)
    assert (made.figures.drill, made.figures.filed.total.filed) == (True, 1)
    with drill_scenario.tx() as tx:
        assert tx.scalar(sa.select(t.bulletin.c.drill)) is True
    for lang, told in ((Lang.EN, "Drill data only"), (Lang.ZH, "演练")):
        now = datetime(2026, 11, 25, 16, 5, tzinfo=UTC)
        content = words(bulletin_document(made, lang=lang, who="wang", now=now).content)
        assert told in content
    everything = words(bulletin_document(made, lang=Lang.EN, who="wang", now=now).content)
    assert "Taken by wang on 26 November 2026, 00:05; no personal data" in everything
    assert "Monthly bulletin of warning and dissuasion (October 2026)" in everything
    assert "1. Overall" in everything


def test_what_is_due_is_the_last_day_week_and_month_that_are_over():
    def due(now: datetime) -> list[str]:
        return [days.name for days in days_due(list(BulletinKind), now=now, timezone="Asia/Shanghai")]

    assert due(datetime(2026, 11, 30, 15, 59, tzinfo=UTC)) == ["2026-11-29", "2026-W48", "2026-10"]
    assert due(datetime(2026, 11, 30, 16, 0, tzinfo=UTC)) == ["2026-11-30", "2026-W48", "2026-11"]
    assert due(datetime(2026, 11, 29, 15, 59, tzinfo=UTC)) == ["2026-11-28", "2026-W47", "2026-10"]


def test_other_days_do_not_keep_the_service_from_drafting(scenario: Scenario):
    for kind, name in ((BulletinKind.MONTH, "2026-09"), (BulletinKind.DAY, "2026-10-01")):
        make_bulletin(scenario.services, unrestricted("wang"), bulletin_days(kind, name))
    [drafted] = draft_due_bulletins(scenario.services, [BulletinKind.MONTH])
    assert get_bulletin(scenario.services, drafted).line.days == OCTOBER


@pytest.mark.parametrize("lang", Lang)
def test_the_document_says_the_figures_with_numerator_denominator_and_interval(town: Scenario, lang: Lang):
    made = make_bulletin(town.services, unrestricted("wang"), OCTOBER)
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
    made = make_bulletin(scenario.services, unrestricted("wang"), OCTOBER)
    parts = bulletin_sections(made.figures, lang)
    assert len(parts) == 5
    assert all(part.heading for part in parts)
