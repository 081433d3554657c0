"""Alarms of overdue work end when the work is done; those of the service itself stay until somebody has seen them."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from dialer.case_page.reading import show_case
from dialer.control.alarms import end_alarms_without_cause
from dialer.core.case import AssignmentState, StaffTrackState
from dialer.core.events import AlarmCode
from dialer.core.timeline import EntryKind
from dialer.db import tables as t
from dialer.db.alarms import raise_alarm
from tests.control.scene import Scene

TRACKS = {AlarmCode.HUMAN_OVERDUE: t.case.c.human_state, AlarmCode.VISIT_OVERDUE: t.case.c.visit_state}


def alarm(scene: Scene, code: AlarmCode, case_id: int | None) -> None:
    with scene.tx() as tx:
        raise_alarm(tx, code, now=scene.clock.now(), case_id=case_id)


def put(scene: Scene, case_id: int, column: sa.Column[Any], state: StaffTrackState) -> None:
    with scene.tx() as tx:
        tx.execute(sa.update(t.case).where(t.case.c.id == case_id).values({column: state.value}))


def open_codes(scene: Scene) -> list[str]:
    return [
        row["code"]
        for row in scene.rows(
            sa.select(t.alarm.c.code).where(t.alarm.c.seen_at.is_(None)).order_by(t.alarm.c.id)
        )
    ]


@pytest.mark.parametrize("code", TRACKS)
@pytest.mark.parametrize("state", StaffTrackState)
def test_an_overdue_call_or_visit_is_an_alarm_until_it_is_not_to_be_done(
    scene: Scene, code: AlarmCode, state: StaffTrackState
):
    case_id = scene.open_case()
    for column in TRACKS.values():
        put(scene, case_id, column, StaffTrackState.OPEN)
    alarm(scene, code, case_id)
    assert end_alarms_without_cause(scene.services) == 0
    put(scene, case_id, TRACKS[code], state)
    is_over = state in {StaffTrackState.NONE, StaffTrackState.DONE}
    assert end_alarms_without_cause(scene.services) == int(is_over)
    assert open_codes(scene) == ([] if is_over else [code.value])
    kinds = [entry.kind for entry in show_case(scene.services, case_id).file.timeline]
    assert (EntryKind.ALARM_ENDED in kinds) == is_over
    assert EntryKind.ALARM_SEEN not in kinds
    # What becomes overdue later is told again.
    alarm(scene, code, case_id)
    assert open_codes(scene) == [code.value]


def test_an_unsigned_assignment_is_an_alarm_until_it_is_signed_for(scene: Scene):
    case_id, other = scene.open_case(), scene.open_case()
    for each in (case_id, other):
        scene.assignment(each)
        alarm(scene, AlarmCode.UNSIGNED, each)
    assert end_alarms_without_cause(scene.services) == 0
    with scene.tx() as tx:
        signed = sa.update(t.assignment).where(t.assignment.c.case_id == case_id)
        tx.execute(signed.values(state=AssignmentState.WITHDRAWN.value))
    assert end_alarms_without_cause(scene.services) == 1
    assert scene.rows(sa.select(t.alarm.c.case_id).where(t.alarm.c.seen_at.is_(None))) == [{"case_id": other}]


def test_other_alarms_and_those_that_somebody_saw_stay_as_they_are(scene: Scene):
    case_id = scene.open_case()
    for code in (AlarmCode.CANNOT_FIND, AlarmCode.ALREADY_PAID):
        alarm(scene, code, case_id)
    alarm(scene, AlarmCode.BROKER_DOWN, None)
    alarm(scene, AlarmCode.HUMAN_OVERDUE, case_id)
    with scene.tx() as tx:
        tx.execute(
            sa.update(t.alarm)
            .where(t.alarm.c.code == AlarmCode.HUMAN_OVERDUE.value)
            .values(seen_at=scene.clock.now(), seen_by="chief")
        )
    assert end_alarms_without_cause(scene.services) == 0
    assert open_codes(scene) == ["cannot_find", "already_paid", "broker_down"]
    [seen] = scene.rows(sa.select(t.alarm.c.seen_by).where(t.alarm.c.seen_at.is_not(None)))
    assert seen["seen_by"] == "chief"
