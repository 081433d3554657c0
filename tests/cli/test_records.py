"""`dialer records` tells the figures that are counted here by hand."""

from __future__ import annotations

import json
from datetime import timedelta

from typer.testing import CliRunner, Result

from dialer.__main__ import build_command_line
from dialer.bootstrap import application
from dialer.core.case import CaseStatus
from dialer.core.values import Contact, OutcomeKind
from dialer.runtime.settings import load_settings
from tests.figures.test_unit_records import put_cases, units_of
from tests.outcomes.town import MORNING, Scenario

_MINUTE = timedelta(minutes=1)


def filled(scenario: Scenario) -> None:
    """East: 8 cases, 6 reached, and 4 visits. West: 5 cases, 1 reached, 2 of the cases without an outcome."""
    _, east, west = units_of(scenario, "东所", "西所")
    put_cases(scenario, east, 7, reached=5)
    put_cases(scenario, west, 3, reached=1)
    put_cases(scenario, west, 2, reached=0, outcome=None)
    case_id = scenario.case(
        status=CaseStatus.CLOSED, contact=Contact.VERIFIED, outcome=OutcomeKind.REFUSES.value, unit_id=east
    )
    sign_by, feedback_by = MORNING + 5 * _MINUTE, MORNING + 240 * _MINUTE
    for signed_at, reported_at in (
        (sign_by - _MINUTE, feedback_by - _MINUTE),
        (sign_by + _MINUTE, feedback_by - _MINUTE),
        (sign_by - _MINUTE, feedback_by + _MINUTE),
        (sign_by + _MINUTE, feedback_by + _MINUTE),
    ):
        scenario.assignment(
            case_id,
            kind="visit",
            state="done",
            signed_by="li",
            signed_at=signed_at,
            done_at=reported_at,
            done_by="li",
            outcome=OutcomeKind.REFUSES.value,
            unit_id=east,
        )


def test_the_command_tells_what_was_counted_by_hand(environment: dict[str, str]):
    with application(load_settings(environment)) as made:
        filled(Scenario.on(made.services))

    def run(*words: str) -> Result:
        return CliRunner().invoke(
            build_command_line(), ["records", *words], env=environment | {"COLUMNS": "220"}
        )

    done = run("--month", "2026-11", "--json")
    assert done.exit_code == 0, (done.stderr, done.exception)
    found = json.loads(done.stdout)
    assert found["window"]["from"].startswith("2026-10-31T16:00:00")
    units = {unit["name"]: unit for unit in found["units"]}
    assert set(units) == {"东所", "西所"}
    hits = {
        name: {share: (one["hits"], one["people"]) for share, one in unit["shares"].items()}
        for name, unit in units.items()
    }
    assert hits["东所"] == {
        "signed_late": (2, 4),
        "feedback_late": (2, 4),
        "ineffective": (0, 0),
        "defrauded_after_warning": (0, 8),
        "never_dissuaded": (2, 8),
    }
    assert hits["西所"] == {
        "signed_late": (0, 0),
        "feedback_late": (0, 0),
        "ineffective": (0, 0),
        "defrauded_after_warning": (0, 5),
        "never_dissuaded": (4, 5),
    }
    east, west = units["东所"], units["西所"]
    assert (east["given"], east["entries_missing"], east["cases_ours"]) == (4, 0, 8)
    assert (west["given"], west["entries_missing"], west["cases_ours"]) == (0, 2, 5)
    assert west["missing"] == 0.4
    assert (found["whole"]["given"], found["whole"]["cases_ours"]) == (4, 13)
    assert found["whole"]["shares"]["never_dissuaded"]["hits"] == 6
    assert [month["month"] for month in found["course"]] == ["2026-11"]

    shown = run("--month", "2026-11", "--lang", "en")
    assert shown.exit_code == 0, (shown.stderr, shown.exception)
    for text in ("东所", "50.0% 2/4", "25.0% 2/8", "80.0% 4/5", "46.2% 6/13", "40.0%", "All together"):
        assert text in shown.stdout, shown.stdout
    [alone] = json.loads(run("--month", "2026-11", "--unit", "东所", "--json").stdout)["units"]
    assert (alone["name"], alone["given"]) == ("东所", 4)
    assert json.loads(run("--month", "2026-09", "--json").stdout)["units"] == []
    assert run("--month", "soon").exit_code != 0
    assert run("--unit", "南所").exit_code != 0
