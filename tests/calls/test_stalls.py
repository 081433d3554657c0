"""Calls that are due and do not ring are noticed, whatever the cause; nothing else is."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from dialer.calls.pacing import lock_line_breaker, save_breaker
from dialer.calls.stalls import STALLED_SECONDS, Stage, StallWatch
from dialer.db import tables as t
from dialer.db.system_state import note_heartbeat
from tests.control.scene import Scene
from tests.outcomes.town import MORNING


class Line:
    """Two calls a second on fifty lines, and somebody who looks."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.seconds = 0.0
        self.is_broker_silent = False
        self.watch = StallWatch(lambda: self.seconds, is_broker_silent=lambda: self.is_broker_silent)

    def look(self, after: float = 0.0) -> Stage | None:
        self.seconds += after
        return self.watch.look(self.scene.services)

    def attempt(self, **columns: object) -> uuid.UUID:
        attempt_id: uuid.UUID = self.scene.attempt_of(self.scene.open_case())["id"]
        self.scene.change_attempt(attempt_id, **{"state": "ready", "not_before": MORNING} | columns)
        return attempt_id

    def change(self, attempt_id: uuid.UUID, **columns: object) -> None:
        self.scene.change_attempt(attempt_id, **columns)

    def group(self, **columns: object) -> None:
        self.scene.do(sa.update(t.line_group).values(**columns))

    def alarms(self) -> list[dict[str, Any]]:
        return [dict(row) for row in self.scene.rows(sa.select(t.alarm)) if row["code"] == "dialling_stalled"]

    def beat(self, host: str, *, ago: float) -> None:
        at = self.scene.services.real.now() - timedelta(seconds=ago)
        with self.scene.tx() as tx:
            note_heartbeat(tx, process=f"worker:{host}:1", kind="worker", real_now=at, facts={})


@pytest.fixture
def line(shared: Scene) -> Iterator[Line]:
    for table in (t.live_number, t.attempt, t.alarm, t.hold, t.heartbeat):
        shared.do(sa.delete(table))
    shared.lines(calls_per_second=2.0, lines=50)
    quiet = {"troubles": 0, "openings": 0, "opened_at": None, "slow_until": None, "paused_until": None}
    quiet |= {"sound_opened_at": None}
    shared.do(sa.update(t.line_group).values(next_slot_at=MORNING, **quiet))
    shared.clock.set(MORNING)
    yield Line(shared)
    shared.do(sa.update(t.line_group).values(**quiet))


def test_ready_calls_that_nobody_claims_raise_the_alarm_after_thirty_seconds(line: Line):
    line.attempt()
    assert line.look() is None
    assert line.look(STALLED_SECONDS - 0.1) is None
    assert line.alarms() == []
    assert line.look(0.1) is Stage.READY
    [alarm] = line.alarms()
    assert alarm["facts"]["names"] == ["ready"]
    assert alarm["facts"]["problem"]["text"] == "calls are ready, lines are free, and no worker claims them"
    assert line.look(60) is Stage.READY
    assert [one["times"] for one in line.alarms()] == [1], (
        "an open alarm is not raised again for the same stage"
    )


def test_a_plan_that_is_due_and_that_nobody_makes_ready(line: Line):
    line.attempt(state="planned", not_before=MORNING)
    line.look()
    assert line.look(STALLED_SECONDS) is Stage.PLANNED


def test_a_plan_for_later_is_not_due(line: Line):
    line.attempt(state="planned", not_before=MORNING + timedelta(seconds=1))
    line.look()
    assert line.look(STALLED_SECONDS) is None
    assert line.look(STALLED_SECONDS) is None


@pytest.mark.parametrize("moves", ["slot", "sent"])
def test_calls_that_miss_their_moment(line: Line, moves: str):
    attempt_id = line.attempt()
    line.look()
    if moves == "slot":
        line.group(next_slot_at=MORNING + timedelta(seconds=1))
    else:
        line.change(attempt_id, sent_at=MORNING + timedelta(seconds=1))
    assert line.look(STALLED_SECONDS) is Stage.CLAIMED


@pytest.mark.parametrize("state", ["claimed", "sending"])
def test_what_is_under_way_to_the_carrier_is_due_too(line: Line, state: str):
    line.attempt(state=state, lease_until=MORNING, send_at=MORNING)
    line.look()
    assert line.look(STALLED_SECONDS) is Stage.PLANNED


def test_a_stop_for_our_sound_is_not_taken_for_a_worker_that_does_not_run(line: Line):
    line.attempt()
    line.look()
    line.group(sound_opened_at=MORNING)
    assert line.look(STALLED_SECONDS) is Stage.SOUND


def test_a_carrier_that_takes_no_calls(line: Line):
    line.attempt()
    line.look()
    with line.scene.tx() as tx:
        save_breaker(tx, replace(lock_line_breaker(tx), troubles=1))
    assert line.look(STALLED_SECONDS) is Stage.SENDING


def test_calls_that_are_taken_and_do_not_ring(line: Line):
    line.attempt()
    line.look()
    later = MORNING + timedelta(seconds=5)
    line.attempt(state="accepted", sent_at=later, accepted_at=later, sid="CA1", poll_at=later)
    assert line.look(STALLED_SECONDS) is Stage.ACCEPTED


@pytest.mark.parametrize("news", ["ringing_at", "answered_at", "ended_at"])
def test_any_call_that_rings_or_is_ended_by_the_carrier_is_progress(line: Line, news: str):
    line.attempt()
    line.look()
    placed = line.attempt(sent_at=MORNING, accepted_at=MORNING, sid="CA1")
    line.change(placed, **{news: MORNING + timedelta(seconds=20)})
    assert line.look(STALLED_SECONDS) is None, "from now on it counts anew"
    assert line.look(STALLED_SECONDS - 0.1) is None
    assert line.look(0.1) is Stage.READY


def test_a_call_that_was_withdrawn_without_the_carrier_is_no_progress(line: Line):
    line.attempt()
    line.look()
    line.attempt(sent_at=MORNING, ended_at=MORNING + timedelta(seconds=20))
    assert line.look(STALLED_SECONDS) is not None


def test_at_a_slow_pace_three_calls_may_be_missing(line: Line):
    line.group(calls_per_second=0.05)
    line.attempt()
    line.look()
    assert line.look(59.9) is None
    assert line.look(0.1) is Stage.READY


def test_nothing_has_to_leave(line: Line):
    def stops(**columns: object) -> None:
        if columns:
            line.group(**columns)
        line.look()
        assert line.look(STALLED_SECONDS) is None
        assert line.alarms() == []

    stops()
    line.attempt()
    stops(paused_until=MORNING + timedelta(hours=1), paused_why="x")
    line.group(paused_until=None)
    other = line.attempt(state="ended", result="answered", ended_at=MORNING)
    line.scene.do(sa.insert(t.live_number).values(phone_blind=b"x", attempt_id=other))
    stops(lines=1)
    line.group(lines=50)
    line.scene.do(sa.delete(t.live_number))
    hold = {"scope": "all", "subject": "", "why": "x", "by": "li", "placed_at": MORNING}
    line.scene.do(sa.insert(t.hold).values(until=MORNING + timedelta(hours=1), **hold))
    stops()
    line.scene.do(sa.delete(t.hold))
    line.scene.clock.set(MORNING + timedelta(hours=16))
    stops()
    line.scene.clock.set(MORNING)
    assert line.look() is None
    assert line.look(STALLED_SECONDS) is Stage.READY, "the time before does not count"


def test_a_pause_of_one_grade_stops_not_all(line: Line):
    hold = {"scope": "grade", "subject": "low", "why": "x", "by": "li", "placed_at": MORNING}
    line.scene.do(sa.insert(t.hold).values(until=MORNING + timedelta(hours=1), **hold))
    line.attempt()
    line.look()
    assert line.look(STALLED_SECONDS) is Stage.READY


def test_while_the_broker_does_not_answer_its_alarm_is_the_only_one(line: Line):
    line.attempt()
    line.look()
    line.is_broker_silent = True
    assert line.look(STALLED_SECONDS) is None
    line.is_broker_silent = False
    assert line.look(STALLED_SECONDS) is None, "from now on it counts anew"
    assert line.alarms() == []
    assert line.look(STALLED_SECONDS) is Stage.READY


def test_a_host_that_just_fell_silent_is_the_alarm_and_not_the_calls_that_stand(line: Line):
    line.attempt()
    line.beat("a", ago=30)
    line.beat("b", ago=1)
    line.look()
    assert line.look(STALLED_SECONDS) is None
    assert line.scene.alarms_of(None) == {"host_silent": 1}
    line.beat("a", ago=200)
    line.look()
    assert line.look(STALLED_SECONDS) is Stage.READY, "it lasts longer than the host explains"
    assert line.scene.alarms_of(None) == {"host_silent": 1, "dialling_stalled": 1}
