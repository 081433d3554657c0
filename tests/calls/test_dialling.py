"""How calls leave: when each is claimed, written down and sent, what becomes of every answer, and what stops them. Time
is virtual, so that every moment is exact.
"""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from dialer.calls.claims import ClaimedAttempt, accept_attempts
from dialer.calls.dial import (
    CarrierCheck,
    DatabaseDelays,
    _Answer,
    _Answers,
    _Fence,
    _fewer,
    _record,
    _Run,
    _wait_for,
    dial,
    prepare_sending,
)
from dialer.calls.pacing import PACE_HEADROOM, read_breakers
from dialer.cases.attempts import doubt_attempts, requeue_attempts
from dialer.core.breaker import Breaker
from dialer.core.case import Reason
from dialer.core.errors import Unavailable
from dialer.core.events import AlarmCode
from dialer.core.values import FraudType, Grade
from dialer.db import tables as t
from dialer.db.migration_locks import MIGRATION_LOCK
from dialer.db.migrations import SchemaMoved
from dialer.db.unit_of_work import Tx
from dialer.runtime.services import LineRules, Services
from dialer.telephony.channels import Placed, RefusalCause, Refused, SendResult, UncertainResult
from dialer.telephony.client import CallClient, PlaceCall
from tests.control.scene import Scene
from tests.outcomes.town import MORNING
from tests.virtual_time import LoopClock, VirtualLoop

MOMENT = timedelta(microseconds=1)
GONE = Unavailable(part="database", problem="gone")
UNSURE = UncertainResult(detail="no answer")
OURS = Refused(cause=RefusalCause.OURS, code=20003, http_status=401)
INVALID = Refused(cause=RefusalCause.NUMBER, code=21211, http_status=400)


class Dialling:
    """A carrier that takes every call, `takes` seconds after its order, and the service that calls through it."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.loop = VirtualLoop()
        self.clock = LoopClock(self.loop, MORNING)
        self.services: Services = replace(scene.services, clock=self.clock, real=self.clock)
        self.takes = 0.0
        self.orders: list[PlaceCall] = []
        self.left: list[float] = []
        """Seconds at which the orders came."""
        self.is_there = True
        self.asked = 0
        self.looks = 0
        """How often the dialling looked whether it must stop."""
        self.at_look: Callable[[int], None] = lambda _look: None
        self.at_order: Callable[[PlaceCall], None] = lambda _order: None

    async def send(self, order: PlaceCall) -> SendResult:
        self.orders.append(order)
        self.left.append(self.loop.time())
        answer = Placed(sid=f"CA{len(self.orders)}", status="queued")
        self.at_order(order)
        if self.takes:
            await asyncio.sleep(self.takes)
        return answer

    async def answers(self) -> bool:
        self.asked += 1
        return self.is_there

    def stopping(self) -> bool:
        self.looks += 1
        self.at_look(self.looks)
        return False

    def dial(self, *, for_seconds: float = 5.0, **options: Any) -> int:  # noqa: ANN401 - as `dial` takes them
        options.setdefault("stopping", self.stopping)
        return self.run(dial(self.services, self, for_seconds=for_seconds, **options))  # type: ignore[arg-type]

    def run(self, work: Any) -> Any:  # noqa: ANN401  # whatever the coroutine gives
        return self.loop.run_until_complete(work)

    def a_run(self, **options: Any) -> _Run:  # noqa: ANN401  # as `dial` takes them
        client: CallClient = self  # type: ignore[assignment]  # what it does is asked of it
        return _Run(self.services, client, options.get("allowed", lambda _tx: None), options.get("check"))

    def ready(self, count: int = 1, **columns: object) -> list[uuid.UUID]:
        """So many attempts that may be called now, the most urgent first."""
        ids = []
        for n in range(count):
            attempt_id = self.scene.attempt_of(self.scene.open_case())["id"]
            at = {"urgency_at": MORNING + timedelta(seconds=n), "not_before": MORNING}
            self.scene.change_attempt(attempt_id, **{"state": "ready"} | at | columns)
            ids.append(attempt_id)
        return ids

    def row(self, attempt_id: uuid.UUID) -> dict[str, Any]:
        [found] = self.scene.rows(sa.select(t.attempt).where(t.attempt.c.id == attempt_id))
        return found

    def states(self) -> list[str]:
        rows = self.scene.rows(sa.select(t.attempt.c.state).order_by(t.attempt.c.urgency_at))
        return [row["state"] for row in rows]

    def group(self, **columns: object) -> None:
        self.scene.do(sa.update(t.line_group).values(**columns))

    def breaker(self) -> Breaker:
        with self.scene.tx() as tx:
            return read_breakers(tx)[0]

    def claimed(self, attempt_id: uuid.UUID, **fields: Any) -> ClaimedAttempt:  # noqa: ANN401 - fields of a claim
        row = self.row(attempt_id)
        made = ClaimedAttempt(
            attempt_id=attempt_id,
            token=row["token"],
            case_id=row["case_id"],
            person_id=row["person_id"],
            n=row["n"],
            to="+8613900000000",
            send_at=MORNING,
            grade=Grade.MEDIUM,
            fraud_type=FraudType.LOAN,
            tags=frozenset(),
            reason=Reason.NEW_WARNING,
            policy_version=self.scene.policy_version,
        )
        return replace(made, **fields)


@pytest.fixture
def line(shared: Scene) -> Iterator[Dialling]:
    """Two calls a second on fifty lines, and nobody to call."""
    for table in (t.live_number, t.attempt, t.alarm):
        shared.do(sa.delete(table))
    shared.lines(calls_per_second=2.0, lines=50)
    shared.do(
        sa.update(t.line_group).values(
            next_slot_at=MORNING,
            paused_until=None,
            troubles=0,
            openings=0,
            opened_at=None,
            slow_until=None,
        )
    )
    shared.clock.set(MORNING)
    made = Dialling(shared)
    yield made
    made.loop.close()


class TestMoments:
    GAP = 1 / (2 * PACE_HEADROOM)

    def test_calls_leave_at_their_slots_and_the_next_is_waited_for(self, line: Dialling):
        ids = line.ready(3)
        assert line.dial() == 3
        assert line.left == pytest.approx([0.0, self.GAP, 2 * self.GAP], abs=1e-5)
        assert [order.attempt_id for order in line.orders] == ids
        assert [order.records for order in line.orders] == [False] * 3
        assert line.states() == ["accepted"] * 3

    def test_nothing_to_call_is_looked_for_once(self, line: Dialling):
        assert line.dial() == 0
        assert line.looks == 1

    def test_within_its_linger_a_line_that_comes_free_is_used(self, line: Dialling):
        line.group(calls_per_second=100.0)
        line.ready()

        def one_more(look: int) -> None:
            if look == 4:
                line.ready()

        line.at_look = one_more
        assert line.dial(linger_seconds=1.0) == 2
        assert 1.0 < line.left[1] + 1.0 < line.loop.time() + 0.2, (
            "this long after the last call, not after the first"
        )
        line.looks, line.at_look = 0, lambda _look: None
        line.ready()
        assert line.dial() == 1
        assert line.looks == 2, "without a linger it is over when nobody is left"

    def test_it_is_over_after_its_time_or_when_it_must_stop(self, line: Dialling):
        line.ready(9)
        assert line.dial(for_seconds=0) == 0
        assert line.dial(stopping=lambda: True) == 0
        assert line.dial(for_seconds=0.5) == 2
        assert line.looks > 0

    def test_each_attempt_is_written_down_before_its_order(self, line: Dialling):
        [attempt_id] = line.ready()
        seen: list[dict[str, Any]] = []
        line.at_order = lambda order: seen.append(line.row(order.attempt_id))
        line.group(next_slot_at=MORNING + timedelta(seconds=0.3))
        assert line.dial() == 1
        assert line.left == pytest.approx([0.3], abs=1e-5)
        [row] = seen
        fenced = row["posted_at"]
        assert abs(fenced - MORNING - timedelta(seconds=0.2)) < timedelta(microseconds=10), (
            "a tenth of a second before"
        )
        assert (row["state"], row["sent_at"]) == ("sending", fenced)
        assert row["poll_at"] == fenced + timedelta(seconds=12)
        recorded = line.row(attempt_id)["poll_at"] - MORNING - timedelta(seconds=0.3 + 90)
        assert abs(recorded) < timedelta(microseconds=10)

    def test_those_of_a_tenth_of_a_second_are_written_down_together(self, line: Dialling):
        line.group(calls_per_second=25.0 / PACE_HEADROOM)
        line.ready(5)
        fences: list[list[uuid.UUID]] = []

        class Fences(_Run):
            def _fence(self, claimed: Any) -> Any:  # noqa: ANN401 - as it is
                fences.append([one.attempt_id for one in claimed])
                return super()._fence(claimed)

        run = Fences(line.services, line, lambda _tx: None, None)  # type: ignore[arg-type]
        claimed = run.claim()
        assert len(claimed) == 5

        async def send() -> None:
            run.send(claimed)
            await run.finish()

        line.run(send())
        assert [len(fence) for fence in fences] == [3, 2]
        assert line.left == pytest.approx([0.0, 0.04, 0.08, 0.12, 0.16], abs=1e-5)
        assert run.sent == 5

    def test_a_slot_one_tenth_after_the_first_begins_another_slice(self, line: Dialling):
        ids = line.ready(2)
        run = line.a_run()

        async def slices() -> int:
            claimed = [
                line.claimed(one, send_at=MORNING + n * timedelta(seconds=0.1)) for n, one in enumerate(ids)
            ]
            run.send(claimed)
            count = len(run.sending)
            await run.finish()
            return count

        assert line.run(slices()) == 2

    @pytest.mark.parametrize(("ahead", "passes"), [(0.6, 0.4), (5.0, 0.9), (None, 0.1)])
    def test_between_claims_so_much_time_passes(self, line: Dialling, ahead: float | None, passes: float):
        run = line.a_run()
        if ahead is not None:
            run.next_slot_at = MORNING + timedelta(seconds=ahead)
        line.run(run.breathe())
        assert line.loop.time() == pytest.approx(passes)

    @pytest.mark.parametrize(("takes", "passes"), [(0.05, 0.05), (9.0, 0.2)])
    def test_while_calls_leave_it_is_half_the_horizon_at_most(
        self, line: Dialling, takes: float, passes: float
    ):
        run = line.a_run()

        async def breathe() -> None:
            task: asyncio.Task[None] = asyncio.create_task(asyncio.sleep(takes))
            run.sending.add(task)
            task.add_done_callback(run.sending.discard)
            await run.breathe()
            task.cancel()

        line.run(breathe())
        assert line.loop.time() == pytest.approx(passes)

    @pytest.mark.parametrize(("ahead", "waited_for"), [(0.4, True), (0.399999, False)])
    def test_a_slot_beyond_the_horizon_is_waited_for(self, line: Dialling, ahead: float, waited_for: bool):
        slot = MORNING + timedelta(seconds=ahead)
        line.group(next_slot_at=slot)
        run = line.a_run()
        assert run.claim() == []
        assert run.next_slot_at == (slot if waited_for else None)

    def test_a_moment_is_waited_for_and_one_that_has_passed_is_not(self, line: Dialling):
        line.run(_wait_for(0.5))
        assert line.loop.time() == 0.5
        line.run(_wait_for(0.2))
        assert line.loop.time() == 0.5


class TestLateCalls:
    def post(
        self, line: Dialling, *, at: float, calls_per_second: float = 2.0, timeout: float = 10.0
    ) -> bool:
        """Whether a call of the morning's first slot leaves `seconds` after it; its order may be under way until
        `timeout` seconds after the slot.
        """
        line.group(calls_per_second=calls_per_second)
        [attempt_id] = line.ready(held=True)
        run = line.a_run()
        run.claim()
        line.clock.ahead = timedelta(seconds=at)
        deadline = MORNING + timedelta(seconds=timeout)
        claimed = line.claimed(attempt_id)
        line.run(run._post(claimed, fence(claimed, deadline), 0.0 - MORNING.timestamp()))
        line.clock.ahead = timedelta()
        assert len(run.answers.given) == run.sent == len(line.orders)
        assert (run.answers.late == [claimed]) is not bool(line.orders)
        if not line.orders:
            return False
        [order] = line.orders
        assert (order.attempt_id, order.to, order.records) == (attempt_id, claimed.to, True)
        assert order.may_send is not None
        half = timedelta(seconds=timeout - 5.0)
        line.clock.ahead = half - MOMENT
        assert order.may_send() is True
        line.clock.ahead = half
        assert order.may_send() is False, "half of the time that an order may take is over"
        return True

    @pytest.mark.parametrize(("at", "leaves"), [(0.0, True), (0.299999, True), (0.3, False)])
    def test_a_slot_is_used_for_three_tenths_of_a_second(self, line: Dialling, at: float, leaves: bool):
        assert self.post(line, at=at, calls_per_second=50.0) is leaves

    @pytest.mark.parametrize(("at", "leaves"), [(4.999999, True), (5.0, False)])
    def test_above_fifty_a_second_it_is_used_while_its_order_has_half_its_time(
        self, line: Dialling, at: float, leaves: bool
    ):
        assert self.post(line, at=at, calls_per_second=50.1) is leaves

    @pytest.mark.parametrize(("at", "leaves"), [(29.999999, True), (30.0, False)])
    def test_and_no_longer_than_a_lease(self, line: Dialling, at: float, leaves: bool):
        assert self.post(line, at=at, calls_per_second=50.1, timeout=90.0) is leaves

    def test_a_process_that_was_stopped_hands_back_what_is_late_and_calls_anew(self, line: Dialling):
        line.group(calls_per_second=20.0 / PACE_HEADROOM)
        ids = line.ready(8)

        def stop(_order: PlaceCall) -> None:
            if len(line.orders) == 1:
                line.clock.ahead += timedelta(seconds=1)

        line.at_order = stop
        assert line.dial() == 8
        assert sorted(line.states()) == ["accepted"] * 8
        assert {line.row(one)["token"] for one in ids[1:]} == {3}, "claimed, handed back, claimed again"

    def test_while_calls_lag_behind_half_the_horizon_no_more_are_claimed(self, line: Dialling):
        run = line.a_run()

        async def lags(seconds: float) -> bool:
            """Of a call that left `seconds` late while another is still being sent."""
            task = asyncio.create_task(asyncio.sleep(1))
            run.sending.add(task)
            line.clock.ahead = timedelta(seconds=seconds) - timedelta(seconds=line.loop.time())
            [attempt_id] = line.ready(held=True)
            claimed = line.claimed(attempt_id)
            await run._post(claimed, fence(claimed, MORNING + timedelta(seconds=10)), -9e12)
            behind = run.is_behind()
            run.sending.discard(task)
            task.cancel()
            return behind

        assert line.run(lags(0.2)) is False
        assert line.run(lags(0.200001)) is True
        assert run.is_behind() is False, "nothing is being sent any more"

    def test_calls_that_cannot_be_written_down_do_not_leave(
        self, line: Dialling, caplog: pytest.LogCaptureFixture
    ):
        line.ready()
        run = line.a_run()
        claimed = run.claim()
        line.services.store.refuses_writing = GONE
        try:
            line.run(run._send_slice(claimed, 0.0 - MORNING.timestamp()))
        finally:
            line.services.store.refuses_writing = None
        assert line.orders == []
        assert [record.getMessage() for record in caplog.records] == ["database: gone"]

    def test_a_call_whose_claim_is_lost_does_not_leave(self, line: Dialling):
        ids = line.ready(2)
        line.group(calls_per_second=100.0)
        run = line.a_run()
        claimed = run.claim()
        line.scene.change_attempt(ids[0], token=9)
        line.run(run._send_slice(claimed, 0.0 - MORNING.timestamp()))
        assert [order.attempt_id for order in line.orders] == [ids[1]]


@contextmanager
def round_trips(line: Dialling, seconds: float) -> Iterator[None]:
    """The database is this far away: every statement, commit and rollback takes as long."""

    def passes(*_: object) -> None:
        line.loop.takes(seconds)

    engine, events = line.services.store.sql_engine, ("begin", "before_cursor_execute", "commit", "rollback")
    for event in events:
        sa.event.listen(engine, event, passes)
    try:
        yield
    finally:
        for event in events:
            sa.event.remove(engine, event, passes)


class TestADatabaseFarAway:
    @pytest.mark.parametrize("round_trip", [0.03, 0.1])
    def test_calls_leave_all_the_same_and_never_faster_than_their_pace(
        self, line: Dialling, round_trip: float
    ):
        line.group(calls_per_second=5.0, lines=200)
        line.ready(90)
        with round_trips(line, round_trip):
            line.dial(for_seconds=20.0, linger_seconds=2.0, check=CarrierCheck())
        # The first calls tell how far away it is.
        assert sum(10 <= moment < 20 for moment in line.left) >= 0.8 * 5 * 10
        for begin in line.left:
            assert sum(begin <= moment < begin + 10 for moment in line.left) <= 51

    def test_the_first_slot_is_as_far_ahead_as_claiming_and_marking_take(self, line: Dialling):
        line.ready()
        delays = DatabaseDelays(claiming=0.6, marking=0.2)
        seen: list[dict[str, Any]] = []
        line.at_order = lambda order: seen.append(line.row(order.attempt_id))
        assert line.dial(delays=delays) == 1
        assert line.left == pytest.approx([0.9], abs=1e-5), (
            "1.25 times as long, but for the usual tenth of a second"
        )
        marked_after = (seen[0]["posted_at"] - MORNING).total_seconds()
        assert marked_after == pytest.approx(0.65, abs=1e-5)

    def test_a_claim_waits_for_no_answer_that_is_being_recorded_and_the_end_waits_for_all(
        self, line: Dialling
    ):
        class Slow(_Run):
            recorded = 0
            looks = 0

            async def flush(self) -> None:
                self.looks += 1
                await asyncio.sleep(3.0 if self.looks == 1 else 0.0)
                self.recorded += 1

        run = Slow(line.services, line, lambda _tx: None, None)  # type: ignore[arg-type]

        async def record() -> None:
            for _ in range(2):
                await run._record_meanwhile()
            assert line.loop.time() == pytest.approx(0.2)
            assert run.recorded == 0
            await run.finish()

        line.run(record())
        assert run.recorded == 2, "one meanwhile, since the second look found it at work, and one at the end"

    def test_delays_are_the_longest_of_late_and_bounded(self):
        delays = DatabaseDelays()
        assert (delays.lead_seconds, delays.horizon_seconds, delays.fence_ahead_seconds) == (0.0, 0.0, 0.1)
        delays.note_claiming(0.04)
        delays.note_marking(0.04)
        assert (delays.lead_seconds, delays.fence_ahead_seconds) == (0.0, 0.1), "as a database nearby"
        delays.note_claiming(1.0)
        delays.note_claiming(0.2)
        assert delays.claiming == pytest.approx(0.9)
        assert delays.horizon_seconds == pytest.approx(1.025)
        delays.note_marking(0.4)
        assert delays.fence_ahead_seconds == pytest.approx(0.5)
        assert delays.lead_seconds == pytest.approx(1.525)
        delays.note_claiming(9.0)
        delays.note_marking(9.0)
        assert (delays.lead_seconds, delays.horizon_seconds, delays.fence_ahead_seconds) == (2.0, 2.0, 2.0)


class TestWhatStopsCalls:
    def test_a_closed_window(self, line: Dialling):
        line.ready()
        line.clock.ahead = timedelta(hours=12)
        assert line.a_run().claim() == []
        assert line.dial() == 0

    def test_a_limit_of_zero_and_a_limit_for_each_claim(self, line: Dialling):
        line.group(calls_per_second=100.0)
        line.ready(3)
        assert line.a_run(allowed=lambda _tx: 0).claim() == []
        assert line.dial(allowed=lambda _tx: 0) == 0
        claims: list[int] = []

        def one_at_a_time(tx: Tx) -> int:
            claims.append(len(tx.rows(sa.select(t.live_number.c.attempt_id))))
            return 1

        assert line.dial(allowed=one_at_a_time) == 3
        assert claims == [0, 1, 2, 3]

    def test_no_group_of_lines(self, line: Dialling):
        line.ready()
        line.scene.do(sa.delete(t.line_group))
        assert line.a_run().claim() == []
        assert line.dial() == 0

    def test_what_one_claim_may_take(self, line: Dialling):
        line.group(calls_per_second=100.0)
        line.ready(4)
        line.services = replace(line.services, lines=LineRules(at_most=2))
        assert len(line.a_run().claim()) == 2
        assert len(line.a_run(allowed=lambda _tx: 9).claim()) == 2

    def test_a_migration_that_runs_and_one_that_has_run(self, line: Dialling):
        line.ready()
        with line.scene.store.sql_engine.connect() as other:
            other.execute(sa.select(sa.func.pg_advisory_lock(MIGRATION_LOCK)))
            assert line.a_run().claim() == []
            assert line.dial() == 0
            other.execute(sa.select(sa.func.pg_advisory_unlock(MIGRATION_LOCK)))
        found = line.services.schema
        line.services = replace(line.services, schema="0001")
        with pytest.raises(SchemaMoved):
            line.dial()
        [alarm] = line.scene.rows(sa.select(t.alarm.c.code, t.alarm.c.facts))
        assert alarm == {"code": AlarmCode.SCHEMA_MOVED, "facts": {"found": found, "built_for": "0001"}}
        line.services = replace(line.services, schema="")
        assert line.dial() == 1

    def test_but_no_plan_whose_time_has_come(self, line: Dialling):
        line.ready(state="planned")
        assert line.dial() == 1

    def test_a_number_where_it_is_night(self, line: Dialling):
        abroad = line.scene.person(phones=("+442079460000",))
        case_id = line.scene.open_case(person_id=abroad)
        assert line.dial() == 0
        assert line.scene.attempt_of(case_id)["not_before"] == MORNING + timedelta(hours=7), "nine in London"

    def test_a_number_that_is_in_a_call_for_as_long_as_the_policy_says(self, line: Dialling):
        line.group(calls_per_second=100.0)
        person = line.scene.person()
        for fraud_type in (FraudType.LOAN, FraudType.CREDIT):
            line.scene.open_case(person_id=person, fraud_type=fraud_type)
        assert line.dial() == 1
        [later] = line.scene.rows(sa.select(t.attempt).where(t.attempt.c.state == "planned"))
        assert later["not_before"] == MORNING + timedelta(seconds=60)

    def test_not_the_numbers_of_others_that_are_in_a_call(self, line: Dialling):
        """Two lines are free, and the six most urgent numbers are in calls."""
        line.group(lines=8, calls_per_second=10.0)
        busy, free = line.ready(6), line.ready(2, urgency_at=MORNING + timedelta(minutes=1))
        with line.scene.tx() as tx:
            persons = tx.rows(
                sa.select(t.person_phone.c.phone_blind)
                .join(t.attempt, t.attempt.c.person_id == t.person_phone.c.person_id)
                .where(t.attempt.c.id.in_(busy), t.person_phone.c.position == 0)
            )
        for person in persons:
            line.scene.put_live_number(person["phone_blind"], uuid.uuid4())
        assert line.dial() == 2
        assert {order.attempt_id for order in line.orders} == set(free)
        assert {line.row(attempt_id)["state"] for attempt_id in busy} == {"planned"}

    def test_a_claim_that_only_postpones_is_repeated_a_bounded_number_of_times(self, line: Dialling):
        line.group(lines=1)
        for n in range(22):
            abroad = line.scene.person(phones=(f"+4420794601{n:02d}",))
            line.scene.open_case(person_id=abroad)
        assert line.dial() == 0
        assert sorted(line.states()) == ["planned"] * 20 + ["ready"] * 2


class TestTheCarrierCheck:
    def test_an_answer_counts_for_a_minute(self):
        seconds = [100.0]
        check = CarrierCheck(lambda: seconds[0])
        assert check.is_answering is False
        check.note(answered=True)
        seconds[0] = 159.999
        assert check.is_answering is True
        seconds[0] = 160.0
        assert check.is_answering is False
        check.note(answered=True)
        check.note(answered=False)
        assert check.is_answering is False

    def test_until_an_order_was_answered_one_call_is_under_way_at_a_time(self):
        def allowed(answer: SendResult | None) -> list[int | None]:
            check = CarrierCheck(lambda: 0.0)
            check.note(answered=True)
            if answer is not None:
                check.note_order(answer)
                assert check.is_answering is (check.allowed(under_way=0) is None)
                check.note_order(UNSURE)
                assert check.is_answering is False
            return [check.allowed(under_way=n) for n in (0, 1, 2)]

        assert allowed(None) == [1, 0, 0]
        assert allowed(UNSURE) == allowed(Refused(cause=RefusalCause.OURS)) == [1, 0, 0]
        assert allowed(OURS) == allowed(Placed(sid="CA1", status="queued")) == [None, None, None]

    def test_the_first_call_leaves_alone(self, line: Dialling):
        line.group(calls_per_second=100.0)
        line.ready(4)
        line.takes = 0.5
        check = CarrierCheck(line.loop.time)
        assert line.dial(check=check) == 4
        assert line.asked == 1
        assert line.left[0] == 0.0
        assert all(0.5 <= left < 1.0 for left in line.left[1:])

    def test_a_carrier_that_does_not_answer_costs_no_attempt(self, line: Dialling):
        line.ready()
        line.is_there = False
        check = CarrierCheck(line.loop.time)
        assert line.a_run(check=check).claim() == []
        assert line.dial(check=check) == 0
        assert (line.asked, line.orders, line.states()) == (1, [], ["ready"])
        assert line.breaker() == Breaker(troubles=1)
        [alarm] = line.scene.rows(sa.select(t.alarm.c.code, t.alarm.c.facts))
        assert alarm == {"code": AlarmCode.CARRIER_TROUBLE, "facts": {"codes": [0], "unanswered": 0}}

    def test_calls_that_are_stopped_for_our_sound_wait_for_a_probe(self, line: Dialling):
        line.ready(2)
        at = MORNING + timedelta(seconds=0.5)
        line.group(sound_opened_at=MORNING, sound_wait_until=at)
        probed: list[float] = []

        async def probe() -> None:
            probed.append(line.loop.time())
            line.group(sound_opened_at=None)

        assert line.dial(probe=probe) == 0
        assert line.dial() == 0, "nobody can look, so nothing leaves"
        line.loop.run_until_complete(asyncio.sleep(0.5))
        assert line.dial(probe=probe) == 0
        assert line.dial(probe=probe) == 2
        assert len(probed) == 1, "nothing is stopped any more"

    @pytest.mark.parametrize("why", ["nobody", "withheld", "paused", "no slot", "no line"])
    def test_where_no_call_could_leave_it_is_not_asked(self, line: Dialling, why: str):
        if why != "nobody":
            line.ready(held=why == "withheld")
        if why == "paused":
            line.group(paused_until=MORNING + timedelta(hours=1))
        if why == "no slot":
            line.group(next_slot_at=MORNING + timedelta(seconds=0.4))
        if why == "no line":
            line.group(lines=1)
            line.scene.put_live_number(b"\x01", uuid.UUID(int=1))
        assert line.dial(check=CarrierCheck(line.loop.time), for_seconds=0.1) == 0
        assert line.asked == 0


def fence(claimed: ClaimedAttempt, deadline: datetime) -> _Fence:
    return _Fence(records={claimed.attempt_id: True}, sent_at=MORNING, deadline=deadline)


def answered(claimed: ClaimedAttempt, result: SendResult) -> _Answer:
    return _Answer(claimed=claimed, sent_at=MORNING, result=result)


class TestAnswers:
    def record(
        self, line: Dialling, *given: tuple[uuid.UUID, SendResult], late: tuple[uuid.UUID, ...] = ()
    ) -> None:
        answers = _Answers(
            given=[answered(line.claimed(one), answer) for one, answer in given],
            late=[line.claimed(one) for one in late],
        )
        _record(line.services, answers)

    def test_each_of_them_is_in_the_rows(self, line: Dialling):
        taken, dead, ours, slow, unsure, late = line.ready(6)
        for one in (taken, dead, ours, slow, unsure, late):
            line.scene.change_attempt(one, state="sending", token=2, sent_at=MORNING, posted_at=MORNING)
            line.scene.put_live_number(one.bytes, one)
        line.scene.change_attempt(late, state="claimed")
        self.record(
            line,
            (taken, Placed(sid="CA1", status="queued")),
            (dead, INVALID),
            (ours, OURS),
            (slow, Refused(cause=RefusalCause.SLOW_DOWN, http_status=429, retry_after_seconds=40.0)),
            (unsure, UNSURE),
            late=(late,),
        )
        rows = {one: line.row(one) for one in (taken, dead, ours, slow, unsure, late)}
        assert [row["state"] for row in rows.values()] == [
            "accepted", "ended", "planned", "planned", "unknown", "planned",
        ]  # fmt: skip
        assert (rows[taken]["sid"], rows[taken]["accepted_at"]) == ("CA1", MORNING)
        assert rows[taken]["poll_at"] == MORNING + timedelta(seconds=90)
        assert (rows[dead]["result"], rows[dead]["error_code"]) == ("invalid_number", 21211)
        assert rows[unsure]["poll_at"] == MORNING + timedelta(seconds=12)
        wait = MORNING + timedelta(seconds=40)
        assert [rows[one]["not_before"] for one in (ours, slow, late)] == [wait, wait, MORNING]
        assert [rows[one]["token"] for one in rows] == [2, 2, 3, 3, 2, 3]
        held = line.scene.rows(
            sa.select(t.live_number.c.attempt_id).where(t.live_number.c.attempt_id.is_not(None))
        )
        assert {row["attempt_id"] for row in held} == {taken, unsure}
        assert line.breaker().troubles == 3, "beside one that was taken"

    def test_one_fault_of_ours_waits_a_moment(self, line: Dialling):
        [ours] = line.ready(state="sending")
        self.record(line, (ours, OURS))
        assert line.row(ours)["not_before"] == MORNING + timedelta(seconds=5)

    def test_a_dead_number_is_no_trouble(self, line: Dialling):
        [dead] = line.ready(state="sending")
        self.record(line, (dead, INVALID))
        assert line.breaker() == Breaker()

    def test_the_first_call_of_a_case_is_noted_as_it_left_and_no_follow_up(self, line: Dialling):
        first, follow_up = line.ready(2, state="sending", sent_at=MORNING)
        line.clock.ahead = timedelta(seconds=3)
        placed = Placed(sid="CA1", status="queued")
        answers = _Answers(
            given=[
                answered(line.claimed(first), placed),
                answered(line.claimed(follow_up, reason=Reason.FOLLOW_UP), replace(placed, sid="CA2")),
            ]
        )
        _record(line.services, answers)
        noted = [
            line.scene.rows(
                sa.select(t.case.c.first_attempt_at).where(t.case.c.id == line.row(one)["case_id"])
            )
            for one in (first, follow_up)
        ]
        assert noted == [[{"first_attempt_at": MORNING}], [{"first_attempt_at": None}]]

    def test_the_moment_at_which_a_call_left_says_whether_it_was_the_trial(self, line: Dialling):
        line.group(troubles=5, openings=1, opened_at=MORNING, slow_until=MORNING)
        [trial] = line.ready(state="sending")
        claimed = line.claimed(trial, send_at=MORNING + timedelta(seconds=2.5))
        _record(line.services, _Answers(given=[answered(claimed, UNSURE)]))
        assert line.breaker().openings == 2

    def test_that_cannot_be_recorded_are_kept_in_their_order(
        self, line: Dialling, caplog: pytest.LogCaptureFixture
    ):
        one, other = (line.claimed(one) for one in line.ready(2, state="sending"))
        run = line.a_run()
        run.answers = _Answers(given=[answered(one, UNSURE)], late=[one])

        async def flush() -> None:
            line.services.store.refuses_writing = GONE
            flushing = asyncio.create_task(run.flush())
            await asyncio.sleep(0)
            run.answers.given.append(answered(other, UNSURE))
            run.answers.late.append(other)
            await flushing
            line.services.store.refuses_writing = None

        line.run(flush())
        assert [answer.claimed for answer in run.answers.given] == run.answers.late == [one, other]
        assert [record.getMessage() for record in caplog.records] == ["database: gone"]
        line.run(run.flush())
        assert not run.answers

    def test_that_can_never_be_recorded_are_given_up_after_four_seconds(
        self, line: Dialling, caplog: pytest.LogCaptureFixture
    ):
        [one] = line.ready(state="sending")
        run = line.a_run()
        run.answers = _Answers(given=[answered(line.claimed(one), UNSURE)])
        line.services.store.refuses_writing = GONE
        try:
            line.run(run.finish())
        finally:
            line.services.store.refuses_writing = None
        assert line.loop.time() == pytest.approx(4.0)
        assert caplog.records[-1].getMessage().startswith("answers of the carrier could not be recorded")

    def test_are_recorded_while_others_are_still_waited_for(self, line: Dialling):
        line.group(calls_per_second=100.0)
        line.ready(2)
        quick = iter([0.0, 1.0])
        states: list[list[str]] = []

        def take(_order: PlaceCall) -> None:
            line.takes = next(quick)

        line.at_order = take
        line.at_look = lambda _look: states.append(line.states())
        assert line.dial() == 2
        assert ["accepted", "sending"] in states

    @pytest.mark.parametrize(
        ("given", "late", "some"), [(True, False, True), (False, True, True), (False, False, False)]
    )
    def test_are_there_or_not(self, line: Dialling, given: bool, late: bool, some: bool):
        claimed = line.claimed(line.ready()[0])
        answers = _Answers(given=[answered(claimed, UNSURE)] * given, late=[claimed] * late)
        assert bool(answers) is some


@pytest.mark.parametrize(
    ("one", "other", "fewer"), [(None, None, None), (2, None, 2), (None, 0, 0), (3, 1, 1)]
)
def test_of_two_limits_the_lower_holds(one: int | None, other: int | None, fewer: int | None):
    assert _fewer(one, other) == fewer


def test_a_call_speaks_the_version_that_was_chosen(line: Dialling):
    choice = line.services.rendered_scripts.now(MORNING)
    claimed = line.claimed(line.ready()[0])
    sent = prepare_sending(choice, claimed, policy=line.services.policies.newest)
    rendered = choice.for_call(FraudType.LOAN, frozenset(), grade=Grade.MEDIUM, person_id=claimed.person_id)
    assert (sent.attempt_id, sent.token) == (claimed.attempt_id, claimed.token)
    assert (sent.script_id, sent.script_hash) == (rendered.script.id, rendered.script.content_hash)
    assert (sent.script_version_id, sent.audio_hash) == (rendered.version_id, rendered.audio_hash)
    assert sent.language == rendered.script.default_language


class TestTheOrderOfLocks:
    """One holds the first of two, an act comes to it and waits; the second must still be free."""

    LOW, HIGH = uuid.UUID(int=1), uuid.UUID(int=2**128 - 1)

    def free_behind(
        self,
        line: Dialling,
        held: sa.ColumnElement[bool],
        behind: sa.ColumnElement[bool],
        act: Callable[[], object],
    ) -> bool:
        def lock(which: sa.ColumnElement[bool]) -> sa.Select[Any]:
            return sa.select(sa.literal(1)).where(which).with_for_update(skip_locked=True)

        waiting = sa.text(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        engine = line.scene.store.sql_engine
        acting = threading.Thread(target=act, daemon=True)
        with (
            engine.connect() as holder,
            engine.connect().execution_options(isolation_level="AUTOCOMMIT") as seeing,
        ):
            assert holder.execute(lock(held)).all()
            acting.start()
            while not seeing.scalar(waiting):
                acting.join(0.01)
                assert acting.is_alive(), "it went through without waiting"
            free = bool(holder.execute(lock(behind)).all())
        acting.join(30)
        assert not acting.is_alive()
        return free

    def two(self, line: Dialling, state: str) -> None:
        """On the disk against the order of their ids."""
        for attempt_id, new in zip(line.ready(2, state=state), (self.HIGH, self.LOW), strict=True):
            line.scene.change_attempt(attempt_id, id=new)

    @pytest.mark.parametrize("act", ["accept", "doubt", "requeue", "refused", "unsure", "late"])
    def test_attempts_are_locked_in_the_order_of_their_ids(self, line: Dialling, act: str):
        self.two(line, "claimed" if act in {"requeue", "late"} else "sending")
        both = [(one, 0) for one in (self.HIGH, self.LOW)]
        high, low = (line.claimed(one) for one in (self.HIGH, self.LOW))
        placed = Placed(sid="CA1", status="queued")

        def do() -> None:
            if act in {"accept", "doubt", "requeue"}:
                with line.scene.tx() as tx:
                    if act == "accept":
                        sids = [(one, str(one)) for one, _ in both]
                        accept_attempts(tx, sids, now=MORNING, poll_at=MORNING)
                    elif act == "doubt":
                        doubt_attempts(tx, both, poll_at=MORNING)
                    else:
                        requeue_attempts(tx, both, now=MORNING, not_before=MORNING)
                return
            second = {"refused": [answered(low, OURS)], "unsure": [answered(low, UNSURE)], "late": []}[act]
            given = [answered(high, placed), *second]
            _record(line.services, _Answers(given=given, late=[low] * (act == "late")))

        c = t.attempt.c.id
        assert self.free_behind(line, c == self.LOW, c == self.HIGH, do)
        assert len(set(line.states())) == (1 if act in {"accept", "doubt", "requeue"} else 2)

    def test_numbers_that_are_freed_by_two_statements_are_locked_before_the_first(self, line: Dialling):
        refused, late = line.ready(2, state="claimed")
        low, high = b"\x01" * 32, b"\xfe" * 32
        line.scene.put_live_number(high, refused)
        line.scene.put_live_number(low, late)
        answers = _Answers(given=[answered(line.claimed(refused), OURS)], late=[line.claimed(late)])
        blind = t.live_number.c.phone_blind
        assert self.free_behind(line, blind == low, blind == high, lambda: _record(line.services, answers))


def test_datetimes_of_the_virtual_clock_are_those_of_its_loop():
    loop = VirtualLoop()
    clock = LoopClock(loop, MORNING)
    began: datetime = clock.now()
    loop.run_until_complete(asyncio.sleep(90.0))
    loop.close()
    assert clock.now() - began == timedelta(seconds=90)
