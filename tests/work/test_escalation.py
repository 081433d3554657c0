"""An assignment that nobody signs ends at one alarm for the supervisor."""

from __future__ import annotations

import sqlalchemy as sa

from dialer.calls.reconcile import sweep_cases
from dialer.core.values import Grade
from dialer.db import tables as t
from dialer.work.assignments import sign_assignment_for
from dialer.work.transfers import escalate_unsigned
from tests.control.scene import Scene
from tests.outcomes.town import MORNING


def test_an_unsigned_assignment_raises_one_alarm(scene: Scene):
    case_id = scene.open_case(grade=Grade.EXTRA_HIGH, unit="临河")
    sign_by = min(row["sign_by"] for row in scene.assignments_of(case_id))
    scene.clock.set(sign_by)
    assert escalate_unsigned(scene.services) == 2
    assert escalate_unsigned(scene.services) == 0
    alarms = scene.rows(sa.select(t.alarm).where(t.alarm.c.code == "unsigned"))
    assert [(alarm["case_id"], alarm["times"], alarm["facts"]["unit"]) for alarm in alarms] == [
        (case_id, 2, "临河")
    ]
    assert all(row["escalated_at"] == sign_by for row in scene.assignments_of(case_id))


def test_before_its_time_nothing_is_raised(scene: Scene):
    scene.open_case(grade=Grade.EXTRA_HIGH)
    assert escalate_unsigned(scene.services) == 0
    assert scene.rows(sa.select(t.alarm)) == []


def test_one_that_was_signed_in_time_raises_nothing(scene: Scene):
    case_id = scene.open_case(grade=Grade.EXTRA_HIGH)
    for row in scene.assignments_of(case_id):
        with scene.tx() as tx:
            sign_assignment_for(tx, row["id"], by="li", now=MORNING)
    scene.later(hours=1)
    assert escalate_unsigned(scene.services) == 0


def test_a_void_of_hours_is_one_line_a_case_and_kind(scene: Scene):
    """Nobody is on duty: the assignment comes back again and again, and the supervisor sees one alarm of it."""
    case_id = scene.open_case(grade=Grade.HIGH)
    for _ in range(40):
        scene.later(minutes=10)
        sweep_cases(scene.services)
        escalate_unsigned(scene.services)
    unseen = scene.rows(sa.select(t.alarm).where(t.alarm.c.case_id == case_id))
    assert len(unseen) == len({alarm["code"] for alarm in unseen})
    times = scene.alarms_of(case_id)
    assert times["human_overdue"] > 10
    assert times["visit_overdue"] > 2
    assert times["unsigned"] == 2


def test_many_are_raised_in_one_round(scene: Scene):
    for _ in range(4):
        scene.open_case(grade=Grade.EXTRA_HIGH)
    scene.later(minutes=10)
    assert escalate_unsigned(scene.services) == 8
