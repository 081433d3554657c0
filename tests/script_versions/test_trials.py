"""Which words work: approved versions in shares, one person one version, and figures that are told apart honestly."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta
from io import StringIO

import pytest
import sqlalchemy as sa
from rich.console import Console

from dialer.cli.report import report_view
from dialer.cli.scripts import verdict_words
from dialer.core.access import unrestricted
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.intervals import ShareComparison
from dialer.core.text import Lang
from dialer.core.values import FraudType, Grade
from dialer.db import tables as t
from dialer.figures.report import make_report
from dialer.script_versions.trials import compare_versions, running_trials, set_trial
from dialer.scripts.rendered import draw_version
from dialer.scripts.store import Version
from tests.scripts.centre import LOAN, ScriptCentre

HALVES = {1: 50.0, 2: 50.0}


@pytest.fixture
def second(centre: ScriptCentre) -> Version:
    """Approved to be compared; the first version stays live."""
    draft = centre.draft(LOAN.replace("请注意", "您听我说"))
    centre.render(draft)
    approved = centre.approve(draft, goes_live=False)
    assert not approved.is_live
    return approved


def begin(centre: ScriptCentre, weights: dict[int, float], grade: Grade | None = None) -> None:
    set_trial(centre.services, unrestricted("甲"), "loan", weights, reason="哪个更清楚", grade=grade)


def spoken(centre: ScriptCentre, person_id: int, grade: Grade = Grade.MEDIUM) -> int:
    """The number of the version that this person would hear now."""
    choice = centre.services.rendered_scripts.now(centre.clock.now())
    return choice.for_call(FraudType.LOAN, (), grade=grade, person_id=person_id).number


def test_the_same_person_hears_the_same_and_each_version_its_share(centre: ScriptCentre, second: Version):
    assert {spoken(centre, person) for person in range(50)} == {1}
    begin(centre, {1: 75.0, 2: 25.0})
    first = {person: spoken(centre, person) for person in range(2000)}
    assert 0.21 < Counter(first.values())[2] / 2000 < 0.29
    centre.later(days=3)
    assert {person: spoken(centre, person) for person in range(2000)} == first
    assert spoken(centre, 7, Grade.HIGH) == first[7]


def test_a_grade_may_have_shares_of_its_own(centre: ScriptCentre, second: Version):
    begin(centre, {1: 1.0, 2: 1e6}, grade=Grade.LOW)
    assert {spoken(centre, person, Grade.LOW) for person in range(50)} == {2}
    assert {spoken(centre, person, Grade.HIGH) for person in range(50)} == {1}


def test_what_goes_live_ends_the_trial(centre: ScriptCentre, second: Version):
    begin(centre, HALVES)
    assert len({spoken(centre, person) for person in range(50)}) == 2
    centre.approve(second, by="丙")
    assert {spoken(centre, person) for person in range(50)} == {2}
    assert compare_versions(centre.services, "loan").trial.ended_at == centre.clock.now()


def test_no_weights_end_it_too(centre: ScriptCentre, second: Version):
    begin(centre, HALVES)
    begin(centre, {})
    assert {spoken(centre, person) for person in range(50)} == {1}


def test_only_who_must_moves_when_shares_change():
    before = {key: draw_version({1: 50.0, 2: 50.0}, str(key)) for key in range(4000)}
    after = {key: draw_version({1: 50.0, 2: 50.0, 3: 50.0}, str(key)) for key in range(4000)}
    moved = [key for key in before if before[key] != after[key]]
    assert {after[key] for key in moved} == {3}
    assert 0.30 < len(moved) / 4000 < 0.37


def test_a_draft_cannot_be_tried(centre: ScriptCentre):
    centre.draft(LOAN.replace("请注意", "您听我说"))
    with pytest.raises(Conflict, match="version 2 of loan is a draft"):
        begin(centre, HALVES)


def test_shares_that_compare_nothing(centre: ScriptCentre, second: Version):
    for weights in (
        {2: 100.0},
        {1: 100.0},
        {1: 100.0, 2: 0.0},
        {1: 50.0, 2: -1.0},
    ):
        with pytest.raises(Invalid):
            begin(centre, weights)


@pytest.mark.parametrize("weight", [float("nan"), float("inf"), -1.0, 1_000_001.0])
def test_a_share_is_a_number_that_others_can_be_measured_by(
    centre: ScriptCentre, second: Version, weight: float
):
    with pytest.raises(Invalid, match="must name two versions or more, each above 0"):
        begin(centre, {1: 50.0, 2: weight})


def test_the_live_one_is_always_among_them(centre: ScriptCentre, second: Version):
    third = centre.draft(LOAN.replace("请注意", "您先听我说"))
    centre.render(third)
    centre.approve(third, goes_live=False)
    with pytest.raises(Invalid, match="must name the live version"):
        begin(centre, {2: 50.0, 3: 50.0})


def test_nothing_was_tried(centre: ScriptCentre):
    with pytest.raises(NotFound):
        compare_versions(centre.services, "loan")
    with pytest.raises(NotFound):
        set_trial(centre.services, unrestricted("甲"), "nothing", {1: 1.0, 2: 1.0}, reason="x")


class Scenario:
    """People who were rung in the trial, many at once."""

    def __init__(self, centre: ScriptCentre, second: Version) -> None:
        self.centre = centre
        self.ids = {1: centre.version("loan", 1).id, 2: second.id}

    def heard(
        self, number: int, people: int, *, sent_at: datetime | None = None, **fields: object
    ) -> list[int]:
        cases = []
        for _ in range(people):
            case_id = self.centre.case(
                **{k: v for k, v in fields.items() if k in {"outcome", "person_id", "first_grade"}}
            )
            self.call(
                case_id,
                number,
                sent_at,
                **{k: v for k, v in fields.items() if k in {"contact", "reach", "drill"}},
            )
            cases.append(case_id)
        return cases

    def call(self, case_id: int, number: int, sent_at: datetime | None = None, **fields: object) -> None:
        moment = sent_at or self.centre.clock.now()
        defaults = {"result": "answered", "sent_at": moment, "script_id": "loan", "reach": "unverified"}
        self.centre.attempt(case_id, script_version_id=self.ids[number], **(defaults | fields))


@pytest.fixture
def scenario(centre: ScriptCentre, second: Version) -> Scenario:
    begin(centre, HALVES)
    return Scenario(centre, second)


def figures(centre: ScriptCentre, grade: Grade | None = None) -> dict[int, dict[str, tuple[int, int]]]:
    found = compare_versions(centre.services, "loan", grade=grade)
    return {
        version.number: {one.measure: (one.tally.hits, one.tally.people) for one in version.measured}
        for version in found.versions
    }


def test_people_are_counted_once_with_the_version_they_heard_first(centre: ScriptCentre, scenario: Scenario):
    scenario.heard(1, 3, contact="verified", reach="verified", outcome="dissuaded_by_phone")
    scenario.heard(1, 2, reach="hung_up_early")
    (both,) = scenario.heard(2, 1, contact="unverified")
    scenario.call(both, 1, centre.clock.now() + timedelta(minutes=5), n=2, contact="verified")
    scenario.call(both, 2, centre.clock.now() + timedelta(minutes=9), n=3, contact="verified")
    assert figures(centre) == {
        1: {"dissuaded": (3, 5), "verified": (3, 5), "hung_up_early": (2, 5)},
        2: {"dissuaded": (0, 1), "verified": (1, 1), "hung_up_early": (0, 1)},
    }


def test_only_calls_of_the_trial_that_were_answered_count(centre: ScriptCentre, scenario: Scenario):
    now = centre.clock.now()
    scenario.heard(1, 1, sent_at=now - timedelta(seconds=1))
    scenario.heard(1, 1, drill=True)
    case_id = centre.case()
    centre.attempt(
        case_id, script_version_id=scenario.ids[1], script_id="loan", result="no_answer", sent_at=now
    )
    assert figures(centre)[1]["verified"] == (0, 0)


def test_filed_cases_are_told_apart_from_none_loaded(centre: ScriptCentre, scenario: Scenario):
    cases = scenario.heard(2, 4)
    found = compare_versions(centre.services, "loan")
    assert not found.filed_loaded
    assert all(one.measure != "defrauded" for version in found.versions for one in version.measured)
    centre.do(
        sa.insert(t.filed_case).values(case_number="A1", case_id=cases[0], by="甲", at=centre.clock.now())
    )
    assert figures(centre)[2]["defrauded"] == (1, 4)
    assert figures(centre)[1]["defrauded"] == (0, 0)


def test_a_grade_is_that_of_the_first_warning(centre: ScriptCentre, scenario: Scenario):
    begin(centre, HALVES, grade=Grade.LOW)
    scenario.heard(1, 2, first_grade=Grade.LOW)
    scenario.heard(1, 3, first_grade=Grade.MEDIUM)
    assert figures(centre, Grade.LOW)[1]["verified"] == (0, 2)
    assert figures(centre)[1]["verified"] == (0, 3)


def test_the_verdict_says_plainly_what_is_known(centre: ScriptCentre, scenario: Scenario):
    scenario.heard(1, 10)
    scenario.heard(2, 10, contact="verified")
    verdict = next(
        one.verdict
        for version in compare_versions(centre.services, "loan").versions
        for one in version.measured
        if version.number == 2 and one.measure == "dissuaded"
    )
    assert verdict is not None
    assert verdict.finding is ShareComparison.TOO_FEW
    assert f"not enough people yet: about {verdict.more_each:,} more each" in verdict_words(verdict, 1)


def test_the_report_has_the_trials_under_way(centre: ScriptCentre, scenario: Scenario):
    scenario.heard(1, 40, contact="verified", outcome="dissuaded_by_phone")
    scenario.heard(2, 40)
    begin(centre, HALVES, grade=Grade.LOW)
    trials = running_trials(centre.services)
    assert [(trial.trial.script_id, trial.trial.grade) for trial in trials] == [("loan", ""), ("loan", "low")]
    written = StringIO()
    view = report_view(make_report(centre.services), Lang.EN, trials)
    Console(width=200, file=written, force_terminal=False).print(view)
    told = written.getvalue()
    assert "Trial of a script  loan  " in told
    assert "Trial of a script  loan · low" in told
    assert re.search(
        r"2 · Dissuaded by phone or in person: worse than version 1, by about 100.0 points", told
    )
    assert "no filed cases loaded" in told


def test_without_a_trial_the_report_says_nothing_of_one(centre: ScriptCentre, scenario: Scenario):
    begin(centre, {})
    assert running_trials(centre.services) == ()
