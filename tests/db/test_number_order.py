"""Whoever frees several numbers takes them in the order of a claim, so that the two never wait for each other."""

from __future__ import annotations

import threading
import uuid

import sqlalchemy as sa

from dialer.cases.attempts import release_numbers
from dialer.db import tables as t
from tests.control.scene import Scene

LOW, HIGH = b"\x01" * 32, b"\xfe" * 32
PATIENCE_SECONDS = 30.0


def test_numbers_are_freed_in_the_order_in_which_a_claim_takes_them(fresh_database: str):
    scene = Scene(fresh_database)
    attempts = [scene.attempt_of(scene.open_case())["id"] for _ in range(2)]
    # The higher one lies first on the disk.
    for blind, attempt_id in zip((HIGH, LOW), attempts, strict=True):
        scene.put_live_number(blind, attempt_id)
    engine = sa.create_engine(fresh_database)

    def free() -> None:
        with scene.tx() as tx:
            release_numbers(tx, attempts, free_at=scene.clock.now())

    freeing = threading.Thread(target=free)
    try:
        with engine.connect() as claim:
            claim.execute(_lock(LOW))
            freeing.start()
            _until_somebody_waits(engine)
            # A claim that holds the lower one may go on to the higher one.
            assert claim.execute(_lock(HIGH, nowait=True)).one()
        freeing.join(PATIENCE_SECONDS)
        free_now = scene.rows(sa.select(t.live_number.c.attempt_id))
    finally:
        engine.dispose()
        scene.close()
    assert [row["attempt_id"] for row in free_now] == [None, None]


def _lock(blind: bytes, *, nowait: bool = False) -> sa.Select[tuple[uuid.UUID]]:
    return (
        sa.select(t.live_number.c.attempt_id)
        .where(t.live_number.c.phone_blind == blind)
        .with_for_update(nowait=nowait)
    )


def _until_somebody_waits(engine: sa.Engine) -> None:
    waiting = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    ever = threading.Event()
    for _ in range(int(PATIENCE_SECONDS / 0.02)):
        with engine.connect() as connection:
            if connection.scalar(waiting):
                return
        ever.wait(0.02)
    raise AssertionError("nobody waits")
