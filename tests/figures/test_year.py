"""A small year of the city: the report gives back what was done, and the comparison sees what it does not."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bench.year import is_exact, run, shown
from bench.year_people import Story, plan, rare
from bench.year_truth import CHECKED, Life, differences, parts_of
from dialer.core.rates import COUNT_NAMES
from dialer.core.values import FraudType, Grade
from tests.outcomes.town import MORNING, Scenario


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


def test_every_year_has_every_life_there_is():
    people = plan(0.00006, 1, 9)[0]
    people += rare(0.00006, 1, 9, len(people))
    assert {person.story for person in people} == set(Story)
    assert len({person.number for person in people}) == len(people)
    assert any(person.undone_after for person in people)
    assert any(person.erased_after for person in people)


def test_every_count_of_the_report_is_compared():
    """A new count is added to bench/year_truth.py, and a life that has it to bench/year_people.py."""
    assert sorted(CHECKED) == sorted(COUNT_NAMES)


@pytest.mark.story
@pytest.mark.timeout(600)
def test_a_small_year_comes_back_exactly(tmp_path: Path):
    found = run(0.00006, 1, days=9, keep=tmp_path / "year", timed=False)
    assert is_exact(found), found
    truth, filed = found["truth"], found["filed"]
    assert isinstance(truth, dict)
    assert isinstance(filed, dict)
    assert [name for name in CHECKED if not truth[name]] == [], "a count that no life has is not checked"
    assert all(filed.values()), filed
    assert found["verify"]["days"] == 10  # type: ignore[index]


def test_a_report_that_says_something_else_is_named(scenario: Scenario):
    scenario.case(grade=Grade.LOW, fraud_type=FraudType.LOAN)
    life = Life(
        first_grade=Grade.LOW,
        grade=Grade.LOW,
        fraud_type=FraudType.LOAN,
        source="bureau",
        unit="",
        opened_at=MORNING,
    )
    now = scenario.clock.now()
    assert differences(parts_of([life], now), shown(scenario.services)) == []
    life.warnings = 2
    parts = [
        ("all", ""),
        ("grade", "low"),
        ("fraud_type", "loan"),
        ("source", "bureau"),
        ("unit", ""),
        ("person", ""),
    ]
    assert differences(parts_of([life], now), shown(scenario.services)) == [
        f"{' '.join(part)}.warnings: report 1, truth 2" for part in sorted(parts)
    ]
    later = parts_of([life], now + timedelta(days=1))["all", ""]
    assert (later["first_attempt_counted"], later["first_attempt_pending"]) == (1, 0)
