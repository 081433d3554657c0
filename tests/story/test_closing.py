"""A case that is closed while its call is queued, ringing or talking: the call ends, and late news reopens nothing."""

from __future__ import annotations

import pytest

from carrier.config import ServiceClock
from carrier.faults import InjectedFault
from carrier.people import Behaviour, Pickup
from dialer.cases.effects import Move, move_cases
from dialer.cases.store import lock_cases
from dialer.core.events import CaseClosed
from dialer.core.values import OutcomeKind
from tests.outcomes.town import MORNING
from tests.story.world import World

pytestmark = pytest.mark.story

SLOW = Behaviour(name="slow", share=1, pickup=Pickup.NO_ANSWER, ring_after_seconds=(0.1, 0.1))
TALKS = Behaviour(
    name="talks",
    share=1,
    ring_after_seconds=(0.1, 0.1),
    answer_after_seconds=(0.1, 0.1),
    keys=("", "", "", "", "", ""),
)


@pytest.fixture(autouse=True)
def _unhurried(w: World) -> None:
    """A telephone rings for thirty real seconds: no call is over before the test has closed its case."""
    timers = w.carrier.exchange.timers
    timers.clock = ServiceClock(anchor_unix=timers.unix(), epoch=MORNING, speed=1.0)


def _close(w: World, case_id: int) -> None:
    with w.scene.tx() as tx:
        move_cases(
            tx,
            lock_cases(tx, [case_id]),
            [Move(case_id=case_id, event=CaseClosed(outcome=OutcomeKind.DUPLICATE))],
            policies=w.scene.services.policies,
            now=w.scene.services.clock.now(),
        )


async def test_closed_before_it_left_nobody_is_called(w: World):
    case_id = w.open_case()
    claimed = w.claim()
    _close(w, case_id)
    assert w.fence(claimed) == set()
    await w.until_over(case_id)
    assert w.all_attempts == 0
    assert w.held_numbers() == 0


async def test_closed_while_it_is_being_sent_it_is_cancelled_once_the_carrier_has_it(w: World):
    case_id = w.open_case(behaviour=SLOW)
    claimed = w.claim()
    w.fence(claimed)
    _close(w, case_id)
    await w.place(claimed[0])
    await w.until_over(case_id)
    assert w.attempt(case_id)["result"] == "canceled"
    assert not w.carrier.exchange.live_calls()
    assert len(w.scene.attempts_of(case_id)) == 1
    assert w.held_numbers() == 0


async def test_closed_while_it_rings_it_is_cancelled_at_the_carrier(w: World):
    case_id = w.open_case(behaviour=SLOW)
    await w.until(lambda: w.attempt(case_id)["state"] == "ringing")
    _close(w, case_id)
    await w.until_over(case_id)
    assert w.attempt(case_id)["result"] == "canceled"
    assert not w.carrier.exchange.live_calls()
    assert w.times_called(w.attempt(case_id)) == 1


async def test_answered_at_the_instant_of_the_cancel_it_is_hung_up(w: World):
    w.fault(InjectedFault.ANSWER_ON_CANCEL)
    case_id = w.open_case(behaviour=SLOW)
    await w.until(lambda: w.attempt(case_id)["state"] == "ringing")
    _close(w, case_id)
    await w.until_over(case_id)
    assert not w.carrier.exchange.live_calls()
    assert w.scene.case_of(case_id).outcome == OutcomeKind.DUPLICATE
    assert w.held_numbers() == 0


async def test_closed_while_it_talks_it_is_hung_up_and_stays_closed(w: World):
    case_id = w.open_case(behaviour=TALKS)
    await w.until(lambda: w.attempt(case_id)["state"] == "answered")
    _close(w, case_id)
    await w.until_over(case_id)
    assert not w.carrier.exchange.live_calls()
    assert w.scene.case_of(case_id).status.is_settled
    assert w.scene.case_of(case_id).outcome == OutcomeKind.DUPLICATE
