"""No call is placed while no web process is alive to answer webhooks."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from dialer.calls.reconcile import WEB, WebProcessCheck
from dialer.db import tables as t
from dialer.db.system_state import end_heartbeat, note_heartbeat
from tests.control.scene import Scene


class Watched:
    """A worker's watch, whose own clock and the service's pass together."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.seconds = 1000.0
        self.watch = WebProcessCheck(lambda: self.seconds)

    def passes(self, seconds: float) -> None:
        self.seconds += seconds
        self.scene.clock.advance(seconds)

    def may_call(self) -> bool:
        with self.scene.services.store.begin() as tx:
            return self.watch.may_call(tx, self.scene.services)


def beat(scene: Scene, kind: str = WEB, *, off: timedelta = timedelta(0), host: str = "1") -> None:
    with scene.services.store.begin() as tx:
        note_heartbeat(
            tx, process=f"{kind}:{host}", kind=kind, real_now=scene.services.real.now() + off, facts={}
        )


def test_calls_wait_for_a_web_process_and_go_on_while_it_is_away_for_a_moment(scene: Scene):
    watched = Watched(scene)
    beat(scene, "worker")
    assert not watched.may_call()
    beat(scene)
    assert watched.may_call()
    watched.passes(7)
    assert watched.may_call()
    watched.passes(1)
    assert not watched.may_call()
    beat(scene)
    assert watched.may_call()


def test_a_worker_that_starts_believes_a_recent_beat_and_no_old_one(scene: Scene):
    beat(scene)
    assert Watched(scene).may_call()
    scene.clock.advance(9)
    watched = Watched(scene)
    assert not watched.may_call()
    watched.passes(2)
    assert not watched.may_call()


def test_a_worker_that_had_nothing_to_do_all_night_believes_no_beat_of_the_evening(scene: Scene):
    beat(scene)
    watched = Watched(scene)
    assert watched.may_call()
    watched.passes(2)
    beat(scene)
    watched.passes(8 * 3600)
    assert not watched.may_call()
    beat(scene)
    assert watched.may_call()


def test_a_stopping_web_process_holds_calls_at_once(scene: Scene):
    beat(scene)
    watched = Watched(scene)
    assert watched.may_call()
    with scene.services.store.begin() as tx:
        end_heartbeat(tx, process=f"{WEB}:1")
    assert not watched.may_call()


def test_a_web_process_whose_clock_is_an_hour_off_counts(scene: Scene):
    for off in (timedelta(hours=-1), timedelta(hours=1)):
        watched = Watched(scene)
        beat(scene, off=off)
        watched.may_call()
        for _ in range(30):
            watched.passes(2)
            beat(scene, off=off)
            assert watched.may_call()


def test_a_service_that_starts_is_no_alarm_and_one_without_web_is_one(scene: Scene):
    watched = Watched(scene)
    watched.may_call()
    watched.passes(9)
    watched.may_call()
    assert scene.alarms_of(None) == {}
    for _ in range(3):
        watched.passes(5)
        watched.may_call()
    assert scene.alarms_of(None) == {"nobody_answers": 1}
    beat(scene)
    assert watched.may_call()


def test_ten_seconds_after_the_last_heartbeat_of_a_killed_web_process_the_alarm_is_raised(scene: Scene):
    watched = Watched(scene)
    beat(scene)
    assert watched.may_call()
    watched.passes(5)
    assert watched.may_call()
    watched.passes(3)
    assert not watched.may_call()
    assert scene.alarms_of(None) == {}
    watched.passes(2)
    assert not watched.may_call()
    assert scene.alarms_of(None) == {"nobody_answers": 1}


def test_a_web_process_that_came_back_begins_the_patience_anew(scene: Scene):
    watched = Watched(scene)
    watched.may_call()
    beat(scene)
    watched.may_call()
    watched.passes(3600)
    watched.may_call()
    assert scene.alarms_of(None) == {}


def test_a_beat_of_eight_seconds_ago_is_believed_at_the_first_look_and_after_eight_seconds(scene: Scene):
    beat(scene, off=timedelta(seconds=-8))
    assert Watched(scene).may_call()
    beat(scene)
    watched = Watched(scene)
    assert watched.may_call()
    watched.passes(8)
    assert watched.may_call()


def test_the_patience_after_an_orderly_stop_begins_with_it(scene: Scene):
    watched = Watched(scene)
    beat(scene)
    assert watched.may_call()
    watched.passes(5)
    with scene.services.store.begin() as tx:
        end_heartbeat(tx, process=f"{WEB}:1")
    assert not watched.may_call()
    watched.passes(9.5)
    assert not watched.may_call()
    assert scene.alarms_of(None) == {}
    watched.passes(0.5)
    assert not watched.may_call()
    assert scene.alarms_of(None) == {"nobody_answers": 1}


def test_a_host_that_falls_silent_with_the_only_web_process_is_the_one_alarm_and_says_so(scene: Scene):
    watched = Watched(scene)
    beat(scene, host="a")
    beat(scene, "worker", host="a")
    assert watched.may_call()
    for seconds in (5.0, 5.0, 4.0):
        watched.passes(seconds)
        beat(scene, "worker", host="b")
        watched.may_call()
    assert scene.alarms_of(None) == {}, "it may still be the host"
    watched.passes(2)
    assert not watched.may_call()
    assert scene.alarms_of(None) == {"host_silent": 1}
    [fix] = [row["facts"]["fix"] for row in scene.rows(sa.select(t.alarm))]
    assert fix["values"]["kinds"] == "web"
    assert fix["text"].startswith("no call leaves: no other host runs %(kinds)s")
    watched.passes(200)
    beat(scene, "worker", host="b")
    watched.may_call()
    watched.passes(10)
    beat(scene, "worker", host="b")
    assert not watched.may_call()
    assert scene.alarms_of(None) == {"host_silent": 1, "nobody_answers": 1}, "it lasts longer than that"


def test_a_host_whose_clock_is_behind_does_not_keep_the_alarm_back_for_ever(scene: Scene):
    watched = Watched(scene)
    for _ in range(5):
        watched.passes(5)
        beat(scene, "worker", host="b")
        beat(scene, "worker", host="c", off=timedelta(seconds=-12))
        watched.may_call()
    assert scene.alarms_of(None) == {"nobody_answers": 1}
