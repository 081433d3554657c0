"""From the claim to the carrier's answer, with a fault at each step: one ring, one row, or none and a person."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from carrier.faults import InjectedFault
from dialer.calls.claims import accept_attempts
from dialer.calls.dial import dial
from dialer.cases.attempts import doubt_attempts, requeue_attempts
from tests.story.world import PATIENCE_SECONDS, World

pytestmark = pytest.mark.story


@pytest.mark.parametrize("heard", [True, False])
async def test_killed_after_the_carrier_accepted_it_calls_once(w: World, heard: bool):
    """Bound by a webhook that carries the attempt's id, or found by number and time when none comes."""
    if not heard:
        w.fault(InjectedFault.WEBHOOK_DROP)
        w.fault(InjectedFault.TWIML_SKIP)
    case_id = w.open_case()
    claimed = w.claim()
    assert w.fence(claimed)
    sid = await w.place(claimed[0])
    await w.until_over(case_id)
    assert w.attempt(case_id)["sid"] == sid
    assert w.times_called(w.attempt(case_id)) == 1
    assert w.attempt(case_id)["ringing_at"] is not None
    assert w.held_numbers() == 0


async def test_killed_after_the_claim_a_higher_token_calls_once_and_nothing_is_used_up(w: World):
    case_id = w.open_case()
    (lost,) = w.claim()
    await w.until_over(case_id)
    row = w.attempt(case_id)
    assert row["token"] > lost.token
    assert w.times_called(row) == 1
    assert w.scene.case_of(case_id).robot.attempts == row["n"] == 1


async def test_a_stale_token_is_refused_just_before_the_post(w: World):
    w.open_case()
    claimed = w.claim()
    with w.scene.tx() as tx:
        now = w.scene.services.clock.now()
        requeue_attempts(tx, [(c.attempt_id, c.token) for c in claimed], now=now, not_before=now)
    assert w.fence(claimed) == set()


async def test_what_a_woken_worker_read_late_needs_no_record_of_another_workers_attempt(w: World):
    """It was refused, slept, and the ring was claimed anew by another: handing it back would ring it twice."""
    case_id = w.open_case()
    old = w.claim()
    w.fence(old)
    now = w.scene.services.clock.now()
    with w.scene.tx() as tx:
        requeue_attempts(tx, [(c.attempt_id, c.token) for c in old], now=now, not_before=now)
    w.scene.do(sa.text("UPDATE live_number SET free_at = '2000-01-01'"))
    new = w.claim()
    assert w.fence(new)
    sid = await w.place(new[0])
    with w.scene.tx() as tx:
        requeue_attempts(tx, [(c.attempt_id, c.token) for c in old], now=now, not_before=now)
        doubt_attempts(tx, [(c.attempt_id, c.token) for c in old], poll_at=w.scene.services.real.now())
    await w.until_over(case_id)
    assert w.times_called(w.attempt(case_id)) == 1
    assert w.attempt(case_id)["sid"] == sid


async def test_an_answer_that_comes_after_its_attempt_was_handed_back_calls_nobody_again(w: World):
    w.fault(InjectedFault.WEBHOOK_DROP)
    w.fault(InjectedFault.TWIML_SKIP)
    case_id = w.open_case()
    claimed = w.claim()
    w.fence(claimed)
    sid = await w.place(claimed[0])
    now = w.scene.services.clock.now()
    with w.scene.tx() as tx:
        requeue_attempts(tx, [(c.attempt_id, c.token) for c in claimed], now=now, not_before=now)
        accept_attempts(tx, [(claimed[0].attempt_id, sid)], now=now, poll_at=w.scene.services.real.now())
    await w.until_over(case_id)
    assert w.times_called(w.attempt(case_id)) == 1


@pytest.mark.parametrize(
    "fault",
    [
        InjectedFault.ACCEPT_THEN_TIMEOUT,
        InjectedFault.ACCEPT_THEN_ERROR,
        InjectedFault.ERROR_BEFORE,
        InjectedFault.REFUSE_CONNECTION,
        InjectedFault.TOO_MANY,
    ],
)
async def test_trouble_at_the_post_costs_no_attempt_and_doubles_none(w: World, fault: InjectedFault):
    before = w.open_case()
    await w.until_over(before)
    w.fault(fault, count=1, seconds=4.0 if fault is InjectedFault.ACCEPT_THEN_TIMEOUT else None)
    case_id = w.open_case()
    await w.until_over(case_id)
    assert w.times_called(w.attempt(case_id)) == 1
    assert w.scene.case_of(case_id).robot.attempts == 1
    assert w.held_numbers() == 0


async def test_a_number_that_the_carrier_refuses_is_left_to_a_person(w: World):
    w.fault(InjectedFault.REJECT_NUMBER, count=1)
    case_id = w.open_case()
    await w.until_over(case_id)
    assert w.attempt(case_id)["result"] == "invalid_number"
    assert w.times_called(w.attempt(case_id)) == 0
    assert w.scene.assignments_of(case_id)
    assert w.held_numbers() == 0


@pytest.mark.parametrize("known", [True, False])
async def test_a_carrier_without_memory_is_not_believed_and_the_case_goes_to_a_person(w: World, known: bool):
    """It took the call, rang, crashed and denies it: its empty listings prove nothing."""
    if known:
        await w.until_over(w.open_case())
    w.fault(InjectedFault.WEBHOOK_DROP)
    w.fault(InjectedFault.TWIML_SKIP)
    case_id = w.open_case()
    claimed = w.claim()
    w.fence(claimed)
    await w.place(claimed[0])
    w.carrier.exchange.crash(memory=False)
    w.no_fault()
    await w.until_over(case_id)
    row = w.attempt(case_id)
    assert row["result"] == "unknown"
    assert w.carrier.exchange.call_journal.calls == (2 if known else 1)
    assert "unknown_submission" in w.scene.alarms_of(None)
    await w.until(lambda: w.scene.assignments_of(case_id), dialling=False)
    assert w.held_numbers() == 0


async def test_a_line_that_comes_free_is_taken_without_waiting_for_the_next_tick(w: World):
    w.scene.lines(calls_per_second=200.0, lines=1)
    first, second = w.open_case(), w.open_case()
    left = await dial(
        w.scene.services,
        w.client,
        for_seconds=PATIENCE_SECONDS,
        stopping=lambda: w.calls == 2,
        linger_seconds=PATIENCE_SECONDS,
    )
    assert left == 2
    await w.until_over(first, second)
    assert w.all_attempts == 2


async def test_without_lingering_it_ends_when_no_line_is_free(w: World):
    w.scene.lines(calls_per_second=200.0, lines=1)
    w.open_case()
    w.open_case()
    assert await dial(w.scene.services, w.client, for_seconds=PATIENCE_SECONDS, stopping=lambda: False) == 1
