"""Nobody is rung while no web process runs to answer what the telephone network asks."""

from __future__ import annotations

from datetime import timedelta

from dialer.store import facts
from dialer.usecases.watch_web import WEB, WebWatch
from tests.ops.scene import Scene


def may_ring(scene: Scene, watch: WebWatch) -> bool:
    with scene.engine.store.begin() as tx:
        return watch.may_ring(tx, scene.engine)


def beat(scene: Scene, kind: str = WEB) -> None:
    with scene.engine.store.begin() as tx:
        facts.beat(tx, process=f"{kind}:1", kind=kind, real_now=scene.engine.real.now(), facts={})


def test_rings_wait_for_a_web_process_and_go_on_while_it_is_away_for_a_moment(scene: Scene):
    watch = WebWatch()
    beat(scene, "worker")
    assert not may_ring(scene, watch)
    beat(scene)
    assert may_ring(scene, watch)
    scene.clock.advance(29)
    assert may_ring(scene, watch)
    scene.clock.advance(2)
    assert not may_ring(scene, watch)


def test_a_service_that_starts_is_no_alarm_and_one_without_web_is_one(scene: Scene):
    watch = WebWatch()
    may_ring(scene, watch)
    scene.clock.advance(9)
    may_ring(scene, watch)
    assert scene.alarms_of(None) == {}
    for _ in range(3):
        scene.clock.advance(5)
        may_ring(scene, watch)
    assert scene.alarms_of(None) == {"nobody_answers": 1}
    beat(scene)
    assert may_ring(scene, watch)


def test_a_web_process_that_came_back_begins_the_patience_anew(scene: Scene):
    watch = WebWatch()
    may_ring(scene, watch)
    beat(scene)
    may_ring(scene, watch)
    scene.clock.advance(timedelta(hours=1).total_seconds())
    may_ring(scene, watch)
    assert scene.alarms_of(None) == {}
