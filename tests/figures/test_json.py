"""docs/json.md describes exactly what is printed: every key of it, and no other."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from datetime import date, timedelta
from pathlib import Path

import pytest

from dialer.case_page.reading import CaseLineOut, case_out, case_page_out, show_case
from dialer.cases.search import CaseQuery, search_cases
from dialer.cli.lists import Loaded
from dialer.core.intervals import HitCount, compare_shares, share_interval
from dialer.core.rates import COUNT_NAMES, DEFINITIONS, Period
from dialer.core.values import Contact, FraudType, Grade, TelephonyResult
from dialer.demo.run import CallCounts, summary_json
from dialer.figures.progress import NotCalled, RobotProgress
from dialer.figures.report import make_report, refresh_figures
from dialer.figures.report_json import report_out
from dialer.figures.unit_record_tables import records_out
from dialer.figures.unit_records import RecordsQuery, read_unit_records
from dialer.figures.verify import verification_out, verify_figures
from dialer.intake.records import RejectedRow
from dialer.script_versions.trials import MEASURES, Compared, Comparison, MeasuredVersion
from dialer.scripts.store import Trial
from dialer.warnings.lists import LoadReport
from tests.figures.sources import spoil
from tests.figures.test_unit_records import put_cases, units_of
from tests.outcomes.town import ID_NUMBER, MORNING, NAME, PHONE, Scenario

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "json.md").read_text("utf-8")


def described(heading: str, *, table: int = 0) -> set[str]:
    """The keys in the first column of a section's n-th table."""
    _, found, rest = PAGE.partition(f"## `{heading}`\n")
    assert found, heading
    section = rest.partition("\n## ")[0]
    tables = re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE)
    rows = tables[table].splitlines()[2:]
    return {key for row in rows for key in re.findall(r"`([^`]+)`", row.split("|")[1])}


def listed(heading: str, key: str) -> set[str]:
    """The keys of an inner object, as its row names them."""
    section = PAGE.partition(f"## `{heading}`\n")[2].partition("\n## ")[0]
    row = next(line for line in section.splitlines() if line.startswith(f"| `{key}`"))
    return set(re.findall(r"`([a-z_0-9]+)`", row.split("|", 3)[3]))


@pytest.fixture
def lively(scenario: Scenario) -> int:
    owner = scenario.person(name=NAME, phones=(PHONE,), id_number=ID_NUMBER)
    case_id = scenario.case(
        person_id=owner,
        contact=Contact.VERIFIED,
        robot_state="pending",
        robot_attempts=2,
        robot_reason="retry",
        expires_at=MORNING + timedelta(days=2),
        tags=["elderly"],
        first_attempt_at=MORNING,
    )
    scenario.attempt(case_id, n=1, result="answered")
    scenario.attempt(case_id, n=2, result=None, sent_at=None, state="ready")
    scenario.assignment(case_id)
    scenario.outcome(case_id, intended_fen=5)
    return case_id


def test_the_report(scenario: Scenario, lively: int):
    period = Period(start=MORNING, end=MORNING + timedelta(days=1))
    plain = report_out(make_report(scenario.services, period), [tried()]).plain()
    assert set(plain) == described("dialer report --json")
    assert set(plain["counts"]) == set(COUNT_NAMES)
    assert set(plain["results"]) == set(TelephonyResult)
    assert list(plain["rates"]) == [definition.name for definition in DEFINITIONS]
    assert set(plain["left_out"]) == listed("dialer report --json", "left_out")
    assert set(plain["by_grade"]) == set(Grade)
    assert set(plain["by_fraud_type"]) == set(FraudType)
    assert set(plain["by_grade"]["high"]) == listed("dialer report --json", "by_grade")
    rate = plain["rates"]["verified_contact"]
    assert set(rate) == described("dialer report --json", table=1)
    assert rate["window"] == {
        "from": "2026-11-25T02:00:00+00:00",
        "to": "2026-11-26T02:00:00+00:00",
        "basis": "case_opened",
    }
    assert rate["value"] == 1.0
    assert plain["amounts"]["intended"] == {"approved_fen": 0, "unapproved_fen": 5, "reversed_fen": 0}


def test_a_verification(scenario: Scenario, lively: int):
    refresh_figures(scenario.services)
    spoil(scenario, *["INSERT INTO cases SELECT * FROM cases"] * 3)
    plain = verification_out(verify_figures(scenario.services)).plain()
    assert set(plain) == described("dialer report --verify --json")
    assert set(plain["differences"][0]) == described("dialer report --verify --json", table=1)
    assert (plain["differences"][0]["day"], plain["differences"][0]["rollup"]) == ("2026-11-25", 8)


def tried() -> Comparison:
    """A trial of two versions, one of them live."""
    trial = Trial(
        id=1,
        script_id="loan",
        grade="",
        weights={1: 50.0, 2: 50.0},
        live=1,
        set_by="甲",
        reason="x",
        at=MORNING,
        ended_at=None,
    )
    tallies = {1: HitCount(people=40, hits=10), 2: HitCount(people=0, hits=0)}
    return Comparison(
        trial=trial,
        filed_loaded=True,
        versions=tuple(
            Compared(
                number=number,
                weight=50.0,
                is_live=number == 1,
                measured=tuple(
                    MeasuredVersion(
                        measure=measure,
                        tally=tally,
                        interval=share_interval(tally),
                        verdict=None
                        if number == 1
                        else compare_shares(tallies[1], tally, more_is_better=True),
                    )
                    for measure in MEASURES
                ),
            )
            for number, tally in tallies.items()
        ),
    )


def test_a_trial_in_the_report(scenario: Scenario):
    (trial,) = report_out(make_report(scenario.services), [tried()]).plain()["trials"]
    assert set(trial) == described("dialer report --json", table=2)
    live, other = trial["versions"]
    assert set(live["measures"]) == set(MEASURES)
    assert set(live["measures"]["verified"]) == described("dialer report --json", table=3)
    assert live["measures"]["verified"]["share"] == 0.25
    assert live["measures"]["verified"]["finding"] is None
    assert other["measures"]["verified"]["finding"] == "too_few"
    assert other["measures"]["verified"]["share"] is None


def test_a_report_of_nothing_has_the_same_keys(scenario: Scenario):
    plain = report_out(make_report(scenario.services), ()).plain()
    assert set(plain) == described("dialer report --json")
    assert plain["rates"]["dissuaded"]["value"] is None
    assert plain["window"] == {"from": None, "to": None, "timezone": "Asia/Shanghai"}


def test_a_case(scenario: Scenario, lively: int):
    plain = case_out(show_case(scenario.services, lively)).plain()
    assert set(plain) == described("dialer case ID --json")
    assert set(plain["person"]) == listed("dialer case ID --json", "person")
    assert set(plain["next_steps"][0]) == listed("dialer case ID --json", "next_steps")
    assert set(plain["urgency"]) == listed("dialer case ID --json", "urgency")
    assert set(plain["timeline"][0]) == listed("dialer case ID --json", "timeline")
    text = json.dumps(plain, ensure_ascii=False)
    for secret in (NAME, PHONE[3:], ID_NUMBER):
        assert secret not in text


def test_a_search(scenario: Scenario, lively: int):
    plain = case_page_out(search_cases(scenario.services, CaseQuery())).plain()
    assert set(plain) == described("dialer cases --json")
    assert set(plain["cases"][0]) == listed("dialer cases --json", "cases") == set(CaseLineOut.model_fields)


LOADED = Loaded(
    report=LoadReport(
        load_id=1,
        rows=1,
        accepted=0,
        merged=0,
        held=0,
        duplicate=0,
        rejected=1,
        skipped=0,
        notices=0,
        rejects=(
            RejectedRow(
                sheet="", line=4, column="手机号", reason="no phone", high_grade=False, raw=(), table=0
            ),
        ),
    ),
    reject_file=None,
)


def test_a_load():
    plain = json.loads(json.dumps(LOADED.plain()))
    assert set(plain) == described("dialer load FILE --json")
    assert set(plain["rejects"][0]) == listed("dialer load FILE --json", "rejects")


def test_a_demo():
    progress = RobotProgress(
        **{field.name: {} if field.name == "cases" else 0 for field in fields(RobotProgress)}
    )
    account = summary_json(
        load=LOADED.plain(),
        progress=progress,
        rings=CallCounts(rings=1, max_rings_per_attempt=1, most_lines=1),
        not_called=NotCalled(refused=0, cancelled=0, unreachable=0, unknown=0),
        report={},
        seconds=1.0,
    )
    plain = json.loads(json.dumps(account))
    assert set(plain) == described("dialer demo --until-settled --json")
    assert set(plain["not_rung"]) == listed("dialer demo --until-settled --json", "not_rung")


def test_the_records_of_units_have_the_keys_of_the_page(scenario: Scenario):
    _, east, west = units_of(scenario, "东所", "西所")
    put_cases(scenario, east, 35, reached=30)
    put_cases(scenario, west, 35, reached=3)
    found = read_unit_records(scenario.services, RecordsQuery(month=date(2026, 11, 1)), reader_unit_id=None)
    plain = records_out(scenario.services, found).plain()
    name = "dialer records --json"
    [unit, _], [month] = plain["units"], plain["course"]
    share = unit["shares"]["never_dissuaded"]
    assert set(plain) == described(name)
    assert set(plain["whole"]) == described(name, table=1)
    assert set(unit) - set(plain["whole"]) == {"id", "name"}
    assert set(month) - set(plain["whole"]) == {"month"}
    assert set(share) == described(name, table=2)
    assert set(share["adjusted"]) == listed(name, "adjusted")
    assert set(share["places"]) == listed(name, "places")
    assert set(unit["shares"]) == listed(name, "shares")
