"""A small year of the city: the report gives back what was done, and the comparison sees what it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.year import Story, Truth, compare, is_exact, plan, run
from dialer.core.values import FraudType, Grade
from tests.outcomes.town import Scenario


def test_the_plan_has_the_volume_of_the_city():
    people, strangers = plan(0.05, 1, 365)
    of = [person.story for person in people]
    calls = sum(1 + (story is Story.BUSY_FIRST) for story in of if story is not Story.TOO_LATE)
    assert calls == 30_000
    assert sum(story not in {Story.ROBOT, Story.BUSY_FIRST} for story in of) == 12_840
    assert sum(story in {Story.OFFICER, Story.REFUSES} for story in of) == 146
    assert sum(1 + person.again for person in people) == 42_860
    assert strangers + sum(person.filed_after is not None for person in people) == 26
    assert plan(0.05, 1, 365)[0] == people
    assert plan(0.05, 2, 365)[0] != people


@pytest.mark.story
def test_a_small_year_comes_back_exactly(tmp_path: Path):
    found = run(0.00006, 1, days=9, keep=tmp_path / "year")
    assert is_exact(found), found
    assert found["truth"]["visits"] == 2  # type: ignore[index]
    assert found["verify"]["days"] == 9  # type: ignore[index]


def test_a_report_that_says_something_else_is_named(scenario: Scenario):
    scenario.case(grade=Grade.LOW, fraud_type=FraudType.LOAN)
    truth = Truth()
    parts = [
        ("all", ""),
        ("grade", "low"),
        ("fraud_type", "loan"),
        ("source", "bureau"),
        ("unit", ""),
        ("person", ""),
    ]
    for part in parts:
        truth.parts[part].update(warnings=1, cases=1, cases_open=1)
    assert compare(scenario.services, truth) == []
    for part in parts:
        truth.parts[part].update(warnings=1)
    assert compare(scenario.services, truth) == [
        f"{' '.join(part)}.warnings: report 1, truth 2" for part in sorted(parts)
    ]
