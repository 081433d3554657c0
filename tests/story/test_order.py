"""Highest urgency first, never above the pace, and nearly all of the pace used while there is work."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from dialer.calls.dial import dial
from dialer.core.values import Grade
from dialer.db import tables as t
from dialer.db.unit_of_work import Tx
from dialer.telephony.channels import Placed, UncertainResult
from dialer.telephony.client import PlaceCall
from tests.control.scene import Scene
from tests.story.world import PATIENCE_SECONDS, RULES, World

pytestmark = pytest.mark.story


async def test_those_who_come_last_and_cannot_wait_go_first(w: World):
    w.scene.lines(calls_per_second=20.0, lines=50)
    waiting = [w.open_case(grade=Grade.LOW) for _ in range(30)]
    urgent = [w.open_case(grade=Grade.EXTRA_HIGH) for _ in range(3)]
    await w.until(lambda: w.calls >= 6)
    first = w.scene.rows(
        sa.select(t.attempt.c.case_id).where(t.attempt.c.send_at.is_not(None)).order_by(t.attempt.c.send_at)
    )
    assert {row["case_id"] for row in first[:3]} == set(urgent)
    await w.until(lambda: w.calls >= len(waiting) + len(urgent))


def test_the_pace_is_used_and_never_exceeded(fresh_database: str):
    """A minute of claims on a clock of the test's own: what one horizon leaves over the next one takes."""
    scene = Scene(fresh_database)
    try:
        scene.lines(calls_per_second=5.0, lines=1000)
        scene.do(sa.update(t.line_group).values(next_slot_at=scene.clock.now()))
        began = scene.clock.now()
        for _ in range(320):
            scene.open_case()
        slots = []
        while scene.clock.now() < began + timedelta(seconds=60):
            slots += [claimed.send_at for claimed in scene.claim()]
            scene.later(seconds=scene.services.lines.horizon_seconds / 2)
        slots = sorted(slot for slot in slots if slot < began + timedelta(seconds=60))
    finally:
        scene.close()
    assert len(slots) >= 0.95 * 5 * 60
    for span in (10, 20, 30):
        most = max(sum(slot <= other < slot + timedelta(seconds=span) for other in slots) for slot in slots)
        assert most <= 5 * span + 1


async def test_dialling_ends_where_nobody_answers_any_more(w: World):
    """What the pace had it wait for is no reason to ask on and on."""
    w.scene.lines(calls_per_second=0.5, lines=50)
    for _ in range(4):
        w.open_case()
    asked: list[int] = []

    def allowed(_tx: Tx) -> int | None:
        asked.append(1)
        return None if len(asked) <= 5 else 0

    left = await dial(
        w.scene.services,
        w.client,
        for_seconds=PATIENCE_SECONDS,
        stopping=lambda: len(asked) > 100,
        allowed=allowed,
    )
    assert left == w.calls
    assert len(asked) <= 100


async def test_no_more_calls_at_a_time_than_lines(w: World):
    w.scene.lines(calls_per_second=200.0, lines=4)
    case_ids = [w.open_case() for _ in range(16)]
    await w.until_over(*case_ids)
    assert w.carrier.exchange.peak_lines <= 4
    assert w.calls >= 16


async def test_a_slow_pace_is_used_by_one_dialler_that_waits_for_its_slots(w: World):
    """The next slot lies beyond its claim's reach, and it does not leave the line to the next tick."""
    w.scene.lines(calls_per_second=1.5, lines=50)
    for _ in range(4):
        w.open_case()
    left = await dial(w.scene.services, w.client, for_seconds=PATIENCE_SECONDS, stopping=lambda: w.calls >= 3)
    assert left >= 3


class SlowMachine:
    """Sends one ring after the other, each with some work of the machine's own, and looks at what else is claimed."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.placed = 0
        self.most_claimed = 0

    async def send(self, call: PlaceCall) -> Placed:
        until = time.perf_counter() + 0.06
        while time.perf_counter() < until:
            pass
        claimed = self.scene.rows(
            sa.select(sa.func.count().label("n")).where(t.attempt.c.state.in_(["claimed", "sending"]))
        )
        self.most_claimed = max(self.most_claimed, claimed[0]["n"])
        self.placed += 1
        return Placed(sid=f"CA{call.attempt_id.hex}", status="queued")


async def test_a_machine_slower_than_the_pace_claims_no_queue_of_its_own(w: World):
    """What a process holds is ahead of every urgent ring that comes."""
    w.scene.lines(calls_per_second=100.0, lines=1000)
    for _ in range(220):
        w.open_case(grade=Grade.LOW)
    slow = SlowMachine(w.scene)
    await dial(
        w.scene.services,
        slow,  # type: ignore[arg-type]  # all that dialling asks of a client
        for_seconds=PATIENCE_SECONDS,
        stopping=lambda: slow.placed >= 50,
    )
    assert slow.placed >= 50
    # The horizon, and several times as much again as a claim of a busy machine takes; not all that wait.
    assert slow.most_claimed <= 150


class Jumps:
    """The machine's clock for a worker that was stopped and woken: it goes on from a later moment."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


async def test_slots_that_a_stopped_worker_missed_are_not_made_up_for_in_a_burst(w: World):
    """Woken within its lease, it gives back what should have left long ago; each gets a slot of its own again."""
    clock = Jumps()
    w.scene.lines(calls_per_second=10.0, lines=50)
    w.scene.services = replace(w.scene.services, real=clock, lines=replace(RULES, horizon_seconds=2.0))
    case_ids = [w.open_case() for _ in range(20)]
    dialling = asyncio.create_task(w.tick())
    while not w.calls:  # noqa: ASYNC110 - the carrier counts, and tells nobody
        await asyncio.sleep(0.01)
    clock.ahead = timedelta(seconds=1.5)
    await dialling
    await w.until(lambda: w.calls >= len(case_ids))
    unix = [call.created for call in w.carrier.exchange.newest_first()]
    assert max(sum(0 <= other - first < 0.4 for other in unix) for first in unix) <= 10
    assert {w.times_called(w.attempt(case_id)) for case_id in case_ids} <= {0, 1}


class StoppedWhileConnecting:
    """Its process was stopped after the order was given, and wakes when the call has been taken for absent."""

    def __init__(self, clock: Jumps) -> None:
        self._clock = clock
        self.may_send: list[bool] = []

    async def send(self, order: PlaceCall) -> UncertainResult:
        assert order.may_send is not None
        self.may_send.append(order.may_send())
        self._clock.ahead = timedelta(seconds=RULES.post_timeout_seconds)
        self.may_send.append(order.may_send())
        return UncertainResult(detail="not sent")


async def test_a_call_whose_moment_passed_while_the_worker_was_stopped_may_not_be_sent(w: World):
    clock = Jumps()
    w.scene.services = replace(w.scene.services, real=clock)
    w.open_case()
    client = StoppedWhileConnecting(clock)
    await dial(
        w.scene.services,
        client,  # type: ignore[arg-type]  # all that dialling asks of a client
        for_seconds=PATIENCE_SECONDS,
        stopping=lambda: bool(client.may_send),
    )
    assert client.may_send == [True, False]
