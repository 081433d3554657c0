"""A tick is sent for anything that a worker would find, each kind by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
import redis
import sqlalchemy as sa

from dialer.calls.pauses import pause_calls
from dialer.core.access import unrestricted
from dialer.core.values import Grade, PauseScope
from dialer.db import tables as t
from dialer.db.system_state import is_anything_due
from tests.control.scene import Assemble, Scene
from tests.control.test_scheduler import running, until


def is_due(scene: Scene) -> bool:
    with scene.tx() as tx:
        return is_anything_due(tx, now=scene.clock.now())


@pytest.fixture
def still(scene: Scene) -> Scene:
    """A case of each grade, of which nothing is due any more for the moment."""
    for grade in Grade:
        scene.open_case(grade=grade)
    later = scene.clock.now() + timedelta(hours=1)
    with scene.tx() as tx:
        tx.execute(sa.update(t.case).values(due_at=later))
        tx.execute(sa.update(t.attempt).values(state="planned", not_before=later))
        tx.execute(sa.update(t.assignment).values(sign_by=later))
        tx.execute(sa.delete(t.message))
    return scene


def test_an_empty_database_has_nothing_due(scene: Scene):
    assert not is_due(scene)


def test_what_is_to_come_is_not_due_yet(still: Scene):
    assert not is_due(still)


@pytest.mark.parametrize(
    "state", ["ready", "claimed", "sending", "accepted", "ringing", "answered", "unknown"]
)
def test_an_attempt_that_may_leave_or_is_under_way(still: Scene, state: str):
    with still.tx() as tx:
        one = sa.select(t.attempt.c.id).limit(1).scalar_subquery()
        tx.execute(sa.update(t.attempt).where(t.attempt.c.id == one).values(state=state))
    assert is_due(still)


def test_a_held_attempt_is_not_due(still: Scene):
    with still.tx() as tx:
        tx.execute(sa.update(t.attempt).values(state="ready", held=True))
    assert not is_due(still)


@pytest.mark.parametrize(
    ("table", "column"), [(t.case, "due_at"), (t.attempt, "not_before"), (t.assignment, "sign_by")]
)
def test_a_time_that_has_come(still: Scene, table: sa.Table, column: str):
    with still.tx() as tx:
        one = sa.select(table.c.id).limit(1).scalar_subquery()
        tx.execute(sa.update(table).where(table.c.id == one).values({column: still.clock.now()}))
    assert is_due(still)


def test_a_pause_that_is_over(still: Scene):
    now = still.clock.now()
    pause_calls(still.services, unrestricted("chief"), scope=PauseScope.ALL, minutes=5, why="drill")
    assert not is_due(still)
    with still.tx() as tx:
        tx.execute(sa.update(t.hold).values(until=now))
    assert is_due(still)


def test_at_rest_few_ticks_are_sent_and_with_work_all(assembled: Assemble, broker_url: str):
    app = assembled(DIALER_SCHEDULER__TICK_SECONDS="0.1")
    with redis.Redis.from_url(broker_url) as queue:
        with running(app):
            until(lambda: queue.llen("bulk") >= 12)
            at_rest = queue.llen("dial") / queue.llen("bulk")
        queue.flushdb()
        with app.services.store.begin() as tx:
            _something_due(tx.connection)
        with running(app):
            until(lambda: queue.llen("bulk") >= 12)
            with_work = queue.llen("dial") / queue.llen("bulk")
    # Two that resume in five ticks, beside about three tasks a tick; a slow machine leaves ticks out.
    assert with_work > 1.2 * at_rest


def _something_due(connection: sa.Connection) -> None:
    connection.execute(
        sa.insert(t.hold).values(
            scope="all",
            subject="",
            why="over",
            by="chief",
            placed_at=sa.func.now() - timedelta(hours=2),
            until=sa.func.now() - timedelta(hours=1),
        )
    )
