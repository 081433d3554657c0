"""Escalation of unsigned work: one level at a time, in the timeline, with an alarm at the top."""

from __future__ import annotations

import sqlalchemy as sa

from dialer.core.values import Grade
from dialer.db import tables as t
from dialer.db.units import change_unit
from dialer.work.assignments import sign_assignment_for
from dialer.work.transfers import escalate_unsigned
from tests.core.samples import POLICY
from tests.work.bureau import Bureau

SIGN = POLICY.of(Grade.EXTRA_HIGH).sign_seconds


def test_it_is_escalated_a_level_at_a_time_up_to_an_alarm(bureau: Bureau):
    case_id = bureau.case_with_unit("城关派出所", grade=Grade.EXTRA_HIGH)
    before = bureau.assignment_of(case_id)
    seen = []
    for _ in range(4):
        bureau.later(seconds=SIGN)
        escalate_unsigned(bureau.services)
        seen.append((bureau.assignment_of(case_id)["unit"], bureau.alarms_of(case_id).get("unsigned", 0)))
    assert seen == [("临河分局", 0), ("市局", 0), ("市局", 2), ("市局", 2)]
    after = bureau.assignment_of(case_id)
    assert after["raises"] == 2
    assert all(after[clock] == before[clock] for clock in ("sign_by", "due_at", "feedback_by", "opened_at"))
    assert bureau.acts_of(case_id) == ["unit_raised"] * 4
    assert bureau.row_of(case_id)["unit_id"] == bureau.unit["城关派出所"]


def test_the_timeline_names_both_units(bureau: Bureau):
    case_id = bureau.case_with_unit("城关派出所", grade=Grade.EXTRA_HIGH)
    bureau.later(seconds=SIGN)
    escalate_unsigned(bureau.services)
    (facts, *_) = [
        row["facts"] for row in bureau.rows(sa.select(t.event).where(t.event.c.case_id == case_id))
    ]
    assert (facts["from"], facts["to"]) == ("城关派出所", "临河分局")


def test_a_closed_unit_is_skipped(bureau: Bureau):
    case_id = bureau.case_with_unit("城关派出所", grade=Grade.EXTRA_HIGH)
    with bureau.tx() as tx:
        change_unit(tx, bureau.unit["临河分局"], active=False)
    bureau.later(seconds=SIGN)
    escalate_unsigned(bureau.services)
    assert bureau.assignment_of(case_id)["unit_id"] == bureau.unit["市局"]


def test_the_unit_above_has_its_own_time_to_sign(bureau: Bureau):
    case_id = bureau.case_with_unit("城关派出所", grade=Grade.EXTRA_HIGH)
    bureau.later(seconds=SIGN)
    assert escalate_unsigned(bureau.services) == 2
    bureau.later(seconds=SIGN - 1)
    assert escalate_unsigned(bureau.services) == 0
    for row in bureau.assignments_of(case_id):
        with bureau.tx() as tx:
            sign_assignment_for(tx, row["id"], by="li", now=bureau.clock.now())
    bureau.later(seconds=2)
    assert escalate_unsigned(bureau.services) == 0
