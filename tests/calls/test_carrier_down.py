"""The breaker, against our own carrier with its faults switched on. Calls are counted at the carrier."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from carrier.config import CarrierConfig
from carrier.faults import FaultRule, InjectedFault
from carrier.people import Behaviour, PeopleConfig, Pickup
from carrier.server import RunningCarrier, start
from dialer.calls.dial import dial
from dialer.core.attempt import AttemptState
from dialer.core.values import Grade
from dialer.db import tables as t
from dialer.telephony.client import CallClient
from dialer.telephony.config import TelephonyConfig
from tests.control.scene import Scene

ACCOUNT, TOKEN = "AC" + "0" * 31 + "1", "token-of-the-account"
SILENT = PeopleConfig(behaviours=(Behaviour(name="no_answer", share=1, pickup=Pickup.NO_ANSWER),))


@pytest.fixture
async def carrier(tmp_path: Path) -> AsyncIterator[RunningCarrier]:
    config = CarrierConfig(
        account_sid=ACCOUNT, auth_token=TOKEN, state_dir=tmp_path, people=SILENT, seed="ops"
    )
    running = await start(config)
    yield running
    await running.stop()


@pytest.fixture
async def client(carrier: RunningCarrier) -> AsyncIterator[CallClient]:
    config = TelephonyConfig(
        base_url=carrier.base_url,
        account_sid=ACCOUNT,
        auth_token=TOKEN,
        caller_number="047896110",
        public_url="http://127.0.0.1:9",
        timeout_seconds=5,
    )
    async with CallClient(config) as made:
        yield made


@pytest.fixture
def scenario(scene: Scene) -> Scene:
    """Its clock is set to the machine's: slots are waited for. No call leaves late for a busy machine."""
    scene.clock.set(datetime.now(UTC).replace(hour=3))
    scene.lines(calls_per_second=400.0, lines=50)
    scene.services = replace(scene.services, real=Now())
    scene.do(sa.update(t.line_group).values(next_slot_at=scene.services.real.now()))
    return scene


class Now:
    """The machine's clock, advanced by what a test pretends to have waited."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(datetime.now(UTC).timestamp() + self.ahead, UTC)


async def place_calls(scenario: Scene, client: CallClient, *, times: int = 1) -> int:
    left = 0
    for _ in range(times):
        left += await dial(scenario.services, client, for_seconds=0.4, stopping=lambda: False)
    return left


def skip(scenario: Scene, seconds: float) -> None:
    real = scenario.services.real
    assert isinstance(real, Now)
    real.ahead += seconds
    scenario.clock.advance(seconds)


def fail(carrier: RunningCarrier, fault: InjectedFault, **knob: object) -> None:
    carrier.exchange.faults.set(fault, FaultRule(**knob))


def states(scenario: Scene) -> list[str]:
    return sorted(row["state"] for row in scenario.rows(sa.select(t.attempt.c.state)))


def untouched(scenario: Scene) -> bool:
    """No target has paid for it: one attempt each, none of them used up, no fault counted."""
    cases = scenario.rows(sa.select(t.case))
    return all(
        (case["robot_attempts"], case["robot_tries"], case["robot_own_faults"]) == (1, 0, 0) for case in cases
    )


async def test_a_carrier_that_takes_nothing_opens_it_and_costs_the_targets_nothing(
    scenario: Scene, carrier: RunningCarrier, client: CallClient
):
    for _ in range(8):
        scenario.open_case()
    fail(carrier, InjectedFault.TOO_MANY)
    await place_calls(scenario, client)
    breaker = scenario.group().breaker
    assert breaker.is_open
    assert breaker.openings == 1
    assert states(scenario) == [AttemptState.PLANNED.value] * 8
    assert untouched(scenario)
    assert scenario.group().in_use == 0
    assert scenario.alarms_of(None)["carrier_down"] == 1
    skip(scenario, 1)
    assert await place_calls(scenario, client) == 0


async def test_a_carrier_that_is_not_there_at_all(scenario: Scene):
    nowhere = TelephonyConfig(
        base_url="http://127.0.0.1:1",
        account_sid=ACCOUNT,
        auth_token=TOKEN,
        caller_number="047896110",
        public_url="http://127.0.0.1:9",
        timeout_seconds=5,
    )
    for _ in range(6):
        scenario.open_case()
    async with CallClient(nowhere) as client:
        await place_calls(scenario, client)
    assert scenario.group().breaker.is_open
    assert states(scenario) == [AttemptState.PLANNED.value] * 6
    assert untouched(scenario)


async def test_one_trial_call_leaves_when_it_ends_and_a_taken_one_closes_it(
    scenario: Scene, carrier: RunningCarrier, client: CallClient
):
    for _ in range(8):
        scenario.open_case()
    fail(carrier, InjectedFault.TOO_MANY)
    await place_calls(scenario, client)
    skip(scenario, 5.5)
    assert await place_calls(scenario, client) == 1
    assert scenario.group().breaker.openings == 2
    carrier.exchange.faults.clear()
    skip(scenario, 10.5)
    assert await place_calls(scenario, client) >= 1
    assert scenario.group().breaker.is_untroubled
    skip(scenario, 1)
    await place_calls(scenario, client)
    assert states(scenario) == [AttemptState.ACCEPTED.value] * 8
    acts = [row["act"] for row in scenario.rows(sa.select(t.audit).order_by(t.audit.c.id))]
    assert acts == ["breaker.opened", "breaker.closed"]
    assert scenario.alarms_of(None)["carrier_down"] == 1
    assert untouched(scenario)


async def test_the_most_urgent_is_the_trial(scenario: Scene, carrier: RunningCarrier, client: CallClient):
    for _ in range(6):
        scenario.open_case(grade=Grade.LOW)
    fail(carrier, InjectedFault.REFUSE_CONNECTION)
    await place_calls(scenario, client)
    urgent = scenario.open_case(grade=Grade.EXTRA_HIGH)
    carrier.exchange.faults.clear()
    skip(scenario, 5.5)
    assert await place_calls(scenario, client) == 1
    assert scenario.attempt_of(urgent)["state"] == AttemptState.ACCEPTED.value
    assert states(scenario).count(AttemptState.ACCEPTED.value) == 1


async def test_a_pause_that_the_carrier_asks_for_is_kept(
    scenario: Scene, carrier: RunningCarrier, client: CallClient
):
    scenario.open_case()
    fail(carrier, InjectedFault.TOO_MANY, seconds=40, count=1)
    await place_calls(scenario, client)
    assert not scenario.group().breaker.is_open
    assert scenario.alarms_of(None) == {"carrier_trouble": 1}
    scenario.open_case()
    skip(scenario, 38)
    assert await place_calls(scenario, client) == 0
    skip(scenario, 3)
    assert await place_calls(scenario, client, times=2) == 2
    assert untouched(scenario)
    assert scenario.group().breaker.is_untroubled


async def test_unreadable_answers_are_trouble_too(
    scenario: Scene, carrier: RunningCarrier, client: CallClient
):
    """After a 5xx it is unknown whether the call was placed: the breaker opens, and it is not dialled again."""
    for _ in range(5):
        scenario.open_case()
    fail(carrier, InjectedFault.ACCEPT_THEN_ERROR)
    await place_calls(scenario, client)
    assert scenario.group().breaker.is_open
    assert states(scenario) == [AttemptState.UNKNOWN.value] * 5
    carrier.exchange.faults.clear()
    skip(scenario, 6)
    assert await place_calls(scenario, client) == 0
    assert untouched(scenario)


async def test_a_number_s_own_fault_is_no_trouble(
    scenario: Scene, carrier: RunningCarrier, client: CallClient
):
    for _ in range(8):
        scenario.open_case()
    fail(carrier, InjectedFault.REJECT_NUMBER)
    await place_calls(scenario, client)
    assert scenario.group().breaker.is_untroubled
    assert scenario.alarms_of(None) == {}


async def test_trouble_among_calls_that_are_taken_never_opens_it(
    scenario: Scene, carrier: RunningCarrier, client: CallClient
):
    for _ in range(30):
        scenario.open_case()
    # One fewer than opens it, however the answers are batched; again after calls that were taken.
    for _ in range(2):
        fail(carrier, InjectedFault.REFUSE_CONNECTION, count=4)
        await place_calls(scenario, client, times=2)
        for _ in range(10):
            scenario.open_case()
        assert not scenario.group().breaker.is_open
    assert untouched(scenario)
