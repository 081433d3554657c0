"""A whole cycle: what completes it, what /health/engine says of a late one, and heartbeats."""

from __future__ import annotations

import io
import threading
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import httpx
import pytest
import sqlalchemy as sa
from celery import Task

from dialer.calls.pacing import ensure_line_group, save_breaker
from dialer.control.health import (
    WORK_PARTS,
    Health,
    PartName,
    beating,
    check_system,
    close_cycle,
    note_part_done,
    raise_overdue_work,
    run_consistency_round,
    watch_parts,
)
from dialer.core.breaker import Breaker
from dialer.core.errors import Unavailable
from dialer.db import tables as t
from dialer.db.system_state import (
    cycle_parts,
    delete_silent_processes,
    heartbeats,
    living_processes,
    note_cycle_part,
    note_heartbeat,
)
from dialer.runtime.broker import TASK_PREFIX
from dialer.runtime.services import Application
from dialer.server.application import create_app
from dialer.tasks import dial_work
from dialer.tasks.application import _noted, use_application
from dialer.tasks.dial_work import consistency_task, dial_task, reconcile_task, sweep_task
from dialer.warnings.list_store import create_load
from tests.control.scene import Assemble, Scene
from tests.outcomes.town import MORNING


def note(scene: Scene, *names: str, began_at: datetime | None = None) -> None:
    for name in names:
        note_part_done(scene.services, name, began_at=began_at or scene.clock.now())


def test_a_cycle_is_whole_when_every_part_began_after_it(scene: Scene):
    began = scene.clock.now()
    note(scene, *WORK_PARTS[:-1])
    assert not close_cycle(scene.services, began_at=began)
    note(scene, WORK_PARTS[-1])
    assert close_cycle(scene.services, began_at=began)
    assert not close_cycle(scene.services, began_at=scene.later(seconds=1))


def test_a_part_that_began_before_the_cycle_does_not_count_though_it_ended_in_it(scene: Scene):
    before = scene.clock.now()
    began = scene.later(seconds=5)
    note(scene, *WORK_PARTS[1:])
    note(scene, WORK_PARTS[0], began_at=before)
    assert not close_cycle(scene.services, began_at=began)


def test_a_service_that_never_did_a_cycle_is_late_in_all_parts(scene: Scene):
    state = check_system(scene.services, late_seconds=60)
    assert state.cycle_seconds is None
    assert state.late == ("tick", *WORK_PARTS)
    assert state.leader is None


def test_the_part_that_stopped_is_named(scene: Scene):
    began = scene.clock.now()
    note(scene, "tick", *WORK_PARTS)
    close_cycle(scene.services, began_at=began)
    scene.later(seconds=50)
    note(scene, "tick", "sweep", "reconcile", "consistency")
    assert check_system(scene.services, late_seconds=60).late == ()
    scene.later(seconds=20)
    state = check_system(scene.services, late_seconds=60)
    assert state.late == ("dial",)
    assert state.cycle_seconds == 70
    assert state.parts_seconds["sweep"] == 20


def test_when_no_part_is_late_by_itself_the_slowest_is_named(scene: Scene):
    began = scene.clock.now()
    note(scene, "tick", *WORK_PARTS)
    close_cycle(scene.services, began_at=began)
    scene.later(seconds=59)
    note(scene, "consistency")
    scene.later(seconds=2)
    note(scene, "tick", "sweep", "dial", "reconcile")
    assert check_system(scene.services, late_seconds=60).late == ("consistency",)


def test_the_checkers_verdict_and_position_are_kept(scene: Scene):
    scene.open_case()
    scene.do(sa.delete(t.attempt))
    assert run_consistency_round(scene.services).repaired == 1
    with scene.tx() as tx:
        part = cycle_parts(tx)["consistency"]
    assert part.facts["found"]["robot_without_attempt"] == 1
    assert part.facts["after"] == 0
    assert part.facts["complete"] is True


def test_the_tasks_of_one_round_make_a_whole_cycle(assembled: Assemble):
    app = assembled()
    use_application(app)
    began = app.services.real.now()
    _noted.clear()
    for task in (sweep_task, dial_task, reconcile_task, consistency_task):
        assert not close_cycle(app.services, began_at=began)
        task()
    assert close_cycle(app.services, began_at=began)


def test_orders_of_the_release_before_are_carried_out(assembled: Assemble):
    """Its scheduler may lead while workers are replaced."""
    app = assembled()
    use_application(app)
    tasks = {var.name: var for var in vars(dial_work).values() if isinstance(var, Task)}
    tasks[f"{TASK_PREFIX}refresh_rollup"]()
    tasks[f"{TASK_PREFIX}fold"]()
    tasks[f"{TASK_PREFIX}audit"]()
    with app.services.store.begin() as tx:
        assert cycle_parts(tx)["consistency"].facts["complete"] is True


def test_a_part_that_could_not_be_done_is_not_noted(assembled: Assemble):
    app = assembled()
    use_application(app)
    _noted.clear()
    app.services.store.dispose()
    with app.services.store.sql_engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE attempt RENAME TO attempt_away"))
    with pytest.raises(sa.exc.ProgrammingError):
        sweep_task()
    with app.services.store.begin() as tx:
        assert "sweep" not in cycle_parts(tx)


def test_a_process_beats_while_it_lives_and_leaves_no_row(assembled: Assemble):
    services = assembled().services

    def kinds() -> list[str]:
        with services.store.begin() as tx:
            return [beat.kind for beat in living_processes(tx, real_now=services.real.now())]

    with beating(services, kind="web", facts={"port": 8000}):
        while kinds() != ["web"]:
            pass
    assert kinds() == []


@pytest.mark.parametrize("fault", [Unavailable(part="database", problem="away"), ZeroDivisionError()])
def test_a_process_beats_again_after_any_fault(
    assembled: Assemble, monkeypatch: pytest.MonkeyPatch, fault: Exception
):
    services, beats = assembled().services, iter([fault, None])
    beaten = threading.Event()

    def note(*_: object, **__: object) -> None:
        failed = next(beats, None)
        if failed is not None:
            raise failed
        beaten.set()

    monkeypatch.setattr("dialer.control.health.note_heartbeat", note)
    monkeypatch.setattr("dialer.control.health.BEAT_SECONDS", 0.01)
    with beating(services, kind="web"):
        assert beaten.wait(10)


def test_a_killed_process_is_forgotten_in_the_end(scene: Scene):
    with scene.tx() as tx:
        note_heartbeat(tx, process="web:gone", kind="web", real_now=MORNING, facts={})
        note_cycle_part(tx, "sweep", began_at=MORNING, real_now=MORNING)
        delete_silent_processes(tx, before=MORNING, real_now=MORNING)
        assert len(heartbeats(tx, kind="web")) == 1
        delete_silent_processes(tx, before=MORNING + timedelta(seconds=1), real_now=MORNING)
        assert heartbeats(tx, kind="web") == []
        assert set(cycle_parts(tx)) == {"sweep"}


def test_a_process_that_ended_before_the_clock_was_set_back_is_forgotten(scene: Scene):
    with scene.tx() as tx:
        for process, seconds in (("web:gone", 7200), ("web:lives", 4)):
            at = MORNING + timedelta(seconds=seconds)
            note_heartbeat(tx, process=process, kind="web", real_now=at, facts={})
        delete_silent_processes(tx, before=MORNING - timedelta(days=1), real_now=MORNING)
        assert [beat.process for beat in heartbeats(tx, kind="web")] == ["web:lives"]


def test_after_the_clock_was_set_back_nothing_counts_that_was_noted_before(scene: Scene):
    began = scene.clock.now()
    note(scene, "tick", *WORK_PARTS)
    with scene.tx() as tx:
        note_heartbeat(tx, process="web:1", kind="web", real_now=scene.clock.now(), facts={})
    assert close_cycle(scene.services, began_at=began)
    assert check_system(scene.services, late_seconds=60).late == ()
    began = scene.later(seconds=-7200)
    state = check_system(scene.services, late_seconds=60)
    assert state.late == ("tick", *WORK_PARTS)
    assert state.cycle_seconds is None
    assert not close_cycle(scene.services, began_at=began)
    parts = {part.name: part for part in watch_parts(scene.services, late_seconds=60).parts}
    for name in (PartName.CYCLE, PartName.SWEEP, PartName.WEB):
        assert (parts[name].health, parts[name].good_seconds) == (Health.LATE, None)
    note(scene, "tick", *WORK_PARTS)
    assert close_cycle(scene.services, began_at=began)
    assert check_system(scene.services, late_seconds=60).late == ()


@pytest.fixture
async def http(assembled: Assemble) -> AsyncIterator[tuple[httpx.AsyncClient, Application]]:
    app = assembled()
    transport = httpx.ASGITransport(app=create_app(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client, app


async def test_health_engine_says_503_and_what_is_late(http: tuple[httpx.AsyncClient, Application]):
    client, _ = http
    answer = await client.get("/health/engine")
    assert answer.status_code == 503
    assert answer.json()["status"] == "late"
    assert answer.json()["late"] == ["tick", "sweep", "dial", "reconcile", "consistency"]


async def test_health_engine_says_how_long_ago_each_part_was_done(
    http: tuple[httpx.AsyncClient, Application],
):
    client, app = http
    began = app.services.real.now()
    for name in ("tick", *WORK_PARTS):
        note_part_done(app.services, name, began_at=began)
    close_cycle(app.services, began_at=began)
    answer = await client.get("/health/engine")
    told = answer.json()
    assert (answer.status_code, told["status"], told["late"]) == (200, "whole", [])
    assert told["cycle_seconds_ago"] < 30
    assert set(told["parts_seconds_ago"]) == {"tick", *WORK_PARTS}
    assert told["limit_seconds"] == 120


async def test_health_engine_says_503_while_all_calls_are_stopped(
    http: tuple[httpx.AsyncClient, Application],
):
    client, app = http
    began = app.services.real.now()
    for name in ("tick", *WORK_PARTS):
        note_part_done(app.services, name, began_at=began)
    close_cycle(app.services, began_at=began)
    with app.services.store.begin() as tx:
        ensure_line_group(tx, calls_per_second=1.0, lines=1, real_now=began)
        save_breaker(tx, Breaker(troubles=5, openings=1, opened_at=began))
    answer = await client.get("/health/engine")
    assert (answer.status_code, answer.json()["status"]) == (503, "stopped")
    assert answer.json()["stopped"] == ["carrier"]


async def test_live_and_ready(http: tuple[httpx.AsyncClient, Application]):
    client, _ = http
    assert (await client.get("/health/live")).status_code == 200
    assert (await client.get("/health/ready")).status_code == 200


async def test_without_its_database_it_lives_and_is_not_ready(assembled: Assemble, fresh_database: str):
    app = assembled()
    app.services.store.dispose()
    server, _, name = fresh_database.rpartition("/")
    admin = sa.create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'))
    admin.dispose()
    transport = httpx.ASGITransport(app=create_app(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        assert (await client.get("/health/live")).status_code == 200
        for path in ("/health/ready", "/health/engine"):
            answer = await client.get(path)
            assert answer.status_code == 503
            assert "database" in answer.text


def test_work_that_nobody_takes_raises_an_alarm_with_its_kinds(scene: Scene):
    real_now = scene.services.real.now()
    late, in_time = real_now - timedelta(minutes=10), real_now - timedelta(minutes=9, seconds=50)
    with scene.tx() as tx:
        for due_at in (late, in_time):
            create_load(
                tx,
                filename="a.csv",
                source="",
                content=io.BytesIO(b"x"),
                by="li",
                now=scene.clock.now(),
                due_at=due_at,
            )
        tx.execute(sa.update(t.list_load).where(t.list_load.c.lease_until == late).values(state="done"))
    raise_overdue_work(scene.services)
    assert scene.alarms_of(None) == {}
    scene.do(sa.update(t.list_load).values(state="waiting"))
    for _ in range(2):
        raise_overdue_work(scene.services)
    [alarm] = scene.rows(sa.select(t.alarm))
    assert (alarm["code"], alarm["times"], alarm["facts"]) == ("work_overdue", 1, {"names": ["load"]})
