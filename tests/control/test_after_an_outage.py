"""After ninety minutes down, and with a long backlog in which the most urgent cases arrive last."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import sqlalchemy as sa

from dialer.calls.reconcile import sweep_attempts, sweep_cases
from dialer.cases.attempts import release_numbers
from dialer.control.consistency import Finding, check_consistency
from dialer.core.case import RobotState, StaffTrackState
from dialer.core.values import Grade
from dialer.db import tables as t
from dialer.work.transfers import escalate_unsigned
from tests.control.scene import Scene
from tests.outcomes.town import MORNING

STEP_SECONDS = 0.5


def tick(scene: Scene) -> None:
    sweep_attempts(scene.services)
    sweep_cases(scene.services)
    escalate_unsigned(scene.services)


def dial_for(scene: Scene, seconds: float) -> list[tuple[float, int]]:
    """Claims as a worker would; every call ends unanswered and is not told, so that its line stays free. Each call's
    moment, in seconds from now, and its case.
    """
    began = scene.clock.now()
    left: list[tuple[float, int]] = []
    for _ in range(int(seconds / STEP_SECONDS)):
        claimed = scene.claim()
        left.extend(((one.send_at - began).total_seconds(), one.case_id) for one in claimed)
        with scene.tx() as tx:
            ids = [one.attempt_id for one in claimed]
            release_numbers(tx, ids, free_at=scene.clock.now() + timedelta(days=1))
        scene.later(seconds=STEP_SECONDS)
    return left


def most_within(moments: list[float], seconds: float) -> int:
    return max((sum(start <= moment < start + seconds for moment in moments) for start in moments), default=0)


def test_after_ninety_minutes_down_the_backlog_is_called_by_urgency_within_the_pace(scene: Scene):
    scene.lines(calls_per_second=2.0, lines=10)
    cases = {
        grade: [scene.open_case(grade=grade) for _ in range(4)]
        for grade in (Grade.LOW, Grade.EXTRA_HIGH, Grade.MEDIUM, Grade.HIGH)
    }
    scene.later(minutes=90)
    tick(scene)
    left = dial_for(scene, 12)
    assert Counter(case_id for _, case_id in left) == Counter(
        case_id for group in cases.values() for case_id in group
    )
    order = [case_id for _, case_id in sorted(left)]
    wanted = [cases[grade] for grade in (Grade.EXTRA_HIGH, Grade.HIGH, Grade.MEDIUM, Grade.LOW)]
    assert [sorted(order[start : start + 4]) for start in range(0, 16, 4)] == wanted
    assert most_within([moment for moment, _ in left], 1.0) <= 3
    assert most_within([moment for moment, _ in left], 5.0) <= 11


def test_steps_that_were_missed_are_taken_once(scene: Scene):
    """The deadlines of the caller and of the officer passed meanwhile: one assignment and one alarm each."""
    case_id = scene.open_case(grade=Grade.HIGH)
    scene.later(minutes=90)
    for _ in range(3):
        tick(scene)
    work = scene.assignments_of(case_id)
    assert sorted(row["kind"] for row in work) == ["human", "visit"]
    assert all(row["due_at"] > scene.clock.now() for row in work)
    assert len(scene.attempts_of(case_id)) == 1
    assert all(times == 1 for times in scene.alarms_of(case_id).values())


def test_an_expired_warning_goes_to_a_person_and_gets_no_robot_call(scene: Scene):
    expired = scene.open_case(grade=Grade.MEDIUM, expires_at=MORNING + timedelta(hours=1))
    sound = scene.open_case(grade=Grade.MEDIUM, expires_at=MORNING + timedelta(hours=2))
    scene.later(minutes=90)
    tick(scene)
    case = scene.case_of(expired)
    assert case.missed
    assert case.robot.state is RobotState.DONE
    assert case.human.state is StaffTrackState.OPEN
    assert scene.claimed_cases() == [sound]


def test_the_consistency_checker_finds_a_dead_sweep_and_nothing_after_it_ran(scene: Scene):
    for _ in range(5):
        scene.open_case(grade=Grade.EXTRA_HIGH)
    scene.later(minutes=90)
    assert check_consistency(scene.services).found == {Finding.LONG_OVERDUE: 5}
    tick(scene)
    assert check_consistency(scene.services).found == {}


def test_the_most_urgent_that_arrive_last_go_first_and_nobody_starves(scene: Scene):
    scene.lines(calls_per_second=1.0, lines=10)
    patient = [scene.open_case(grade=Grade.LOW) for _ in range(20)]
    scene.later(seconds=1)
    assert {case_id for _, case_id in dial_for(scene, 2)} <= set(patient)
    urgent = [scene.open_case(grade=Grade.EXTRA_HIGH) for _ in range(5)]
    order = [case_id for _, case_id in dial_for(scene, 7)]
    assert set(order[:5]) == set(urgent)
    assert set(order[5:]) <= set(patient)
    # A low one that has waited a week goes before an extra-high one of this minute: waiting is what ages it.
    scene.clock.set(MORNING + timedelta(days=8))
    newest = scene.open_case(grade=Grade.EXTRA_HIGH)
    rest = len(scene.rows(sa.select(t.attempt.c.id).where(t.attempt.c.state == "ready"))) - 1
    order = [case_id for _, case_id in dial_for(scene, 30)]
    assert order.index(newest) == rest
