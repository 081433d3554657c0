"""Alarms stand until they are acknowledged, and a repeat is counted."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from dialer.control.queries import count_alarms
from dialer.core.errors import NotFound
from dialer.core.events import AlarmCode
from dialer.db import tables as t
from dialer.db.alarms import (
    acknowledge_alarm_row,
    raise_alarm,
    raise_alarm_once,
    raise_alarms,
    unacknowledged_alarms_of,
)
from tests.control.scene import Scene
from tests.outcomes.town import MORNING


def test_a_repeat_of_an_unseen_alarm_is_counted_not_listed_again(scene: Scene):
    case_id = scene.case()
    for minute in range(5):
        with scene.tx() as tx:
            raise_alarm(
                tx, AlarmCode.HUMAN_OVERDUE, now=scene.later(minutes=1), case_id=case_id, facts={"n": minute}
            )
    with scene.tx() as tx:
        [alarm] = unacknowledged_alarms_of(tx)
    assert (alarm.code, alarm.case_id, alarm.times) == ("human_overdue", case_id, 5)
    assert alarm.facts == {"n": 4}, "what it says is the newest"
    assert (alarm.last_at - alarm.raised_at).total_seconds() == 240


def test_a_finding_of_an_earlier_release_is_told_by_its_name_of_today(scene: Scene):
    with scene.tx() as tx:
        raise_alarm(
            tx, AlarmCode.NO_NEXT_STEP, now=MORNING, facts={"finding": "robot_without_ring", "numbers": 2}
        )
        [alarm] = unacknowledged_alarms_of(tx)
    assert alarm.facts == {"finding": "robot_without_attempt", "numbers": 2}


def test_alarms_differ_by_kind_case_and_load(scene: Scene):
    one, other = scene.case(), scene.case()
    with scene.tx() as tx:
        raise_alarm(tx, AlarmCode.HUMAN_OVERDUE, now=MORNING, case_id=one)
        raise_alarm(tx, AlarmCode.VISIT_OVERDUE, now=MORNING, case_id=one)
        raise_alarm(tx, AlarmCode.HUMAN_OVERDUE, now=MORNING, case_id=other)
        raise_alarm(tx, AlarmCode.REJECTED_HIGH_ROW, now=MORNING, load_id=1)
        raise_alarm(tx, AlarmCode.REJECTED_HIGH_ROW, now=MORNING, load_id=2)
        raise_alarm(tx, AlarmCode.CARRIER_TROUBLE, now=MORNING)
        assert len(unacknowledged_alarms_of(tx)) == 6
        assert {alarm.code: alarm.count for alarm in count_alarms(tx)} == {
            "human_overdue": 2,
            "visit_overdue": 1,
            "rejected_high_row": 2,
            "carrier_trouble": 1,
        }


def test_alarms_of_the_whole_service_stand_above_those_of_cases(scene: Scene):
    with scene.tx() as tx:
        raise_alarm(tx, AlarmCode.CARRIER_TROUBLE, now=MORNING)
        for minute in range(3):
            at = MORNING + timedelta(minutes=minute)
            raise_alarm(tx, AlarmCode.HUMAN_OVERDUE, now=at, case_id=scene.case())
        raise_alarm(tx, AlarmCode.CLOCK_JUMPED, now=MORNING + timedelta(minutes=1))
        codes = [alarm.code for alarm in unacknowledged_alarms_of(tx, limit=3)]
    assert codes == ["clock_jumped", "carrier_trouble", "human_overdue"]


def test_after_acknowledgement_the_next_one_is_new(scene: Scene):
    with scene.tx() as tx:
        raise_alarm(tx, AlarmCode.CARRIER_TROUBLE, now=MORNING)
        [first] = unacknowledged_alarms_of(tx)
        acknowledge_alarm_row(tx, first.id, by="zhao", now=MORNING)
        assert unacknowledged_alarms_of(tx) == []
        raise_alarm(tx, AlarmCode.CARRIER_TROUBLE, now=MORNING)
        [second] = unacknowledged_alarms_of(tx)
    assert second.id != first.id
    assert second.times == 1


def test_the_first_acknowledgement_stays(scene: Scene):
    with scene.tx() as tx:
        raise_alarm(tx, AlarmCode.CARRIER_TROUBLE, now=MORNING)
        [alarm] = unacknowledged_alarms_of(tx)
        acknowledge_alarm_row(tx, alarm.id, by="zhao", now=MORNING)
        acknowledge_alarm_row(tx, alarm.id, by="qian", now=MORNING)
    assert [row["seen_by"] for row in scene.rows(sa.select(t.alarm))] == ["zhao"]


def test_an_alarm_that_is_not_there_cannot_be_seen(scene: Scene):
    with scene.tx() as tx, pytest.raises(NotFound, match="alarm 404"):
        acknowledge_alarm_row(tx, 404, by="zhao", now=MORNING)


def test_one_batch_may_repeat_itself(scene: Scene):
    row = {"code": "human_overdue", "case_id": 7, "load_id": None, "facts": {}, "raised_at": MORNING}
    with scene.tx() as tx:
        raise_alarms(tx, [row, row, row | {"code": "visit_overdue"}, row])
        raise_alarms(tx, [])
    assert scene.alarms_of(7) == {"human_overdue": 3, "visit_overdue": 1}


def test_raise_alarm_once_leaves_a_standing_alarm_unchanged(scene: Scene):
    with scene.tx() as tx:
        raise_alarm_once(tx, AlarmCode.CARRIER_DOWN, now=MORNING, facts={"codes": [20429]})
    with scene.tx() as tx:
        raise_alarm_once(tx, AlarmCode.CARRIER_DOWN, now=scene.later(minutes=1))
    assert scene.alarms_of(None) == {"carrier_down": 1}


def test_two_sessions_that_raise_the_same_make_one(scene: Scene):
    gate = threading.Barrier(2)

    def raise_it() -> None:
        with scene.tx() as tx:
            gate.wait()
            raise_alarm(tx, AlarmCode.CARRIER_DOWN, now=MORNING)

    threads = [threading.Thread(target=raise_it) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert scene.alarms_of(None) == {"carrier_down": 2}
