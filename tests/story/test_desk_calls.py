"""A caller clicks a number: his telephone rings first, then the person's; one live call a number, counted in rows."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from carrier.faults import InjectedFault
from carrier.people import Behaviour, Pickup
from dialer.control.consistency import count_leaked_numbers
from dialer.core.access import unrestricted
from dialer.core.case import DeskCallState
from dialer.core.errors import Conflict, Invalid, NotFound, Overtaken, Unavailable
from dialer.core.values import Grade, TelephonyResult
from dialer.db import tables as t
from dialer.telephony.callbacks import PersonLeg
from dialer.telephony.client import DeskClient
from dialer.work.assignments import Assignment, Scope
from dialer.work.desk_calls import apply_person_leg_event, dial_from_desk, settle_desk_calls
from dialer.work.desk_store import DeskCall, desk_calls_of_case
from dialer.work.tasks import claim_next
from tests.story.world import World

DESK = "8001"
ANSWERS = Behaviour(name="desk", share=1, ring_after_seconds=(1, 1), answer_after_seconds=(2, 2))
TALKS = Behaviour(
    name="talks",
    share=1,
    ring_after_seconds=(1, 1),
    answer_after_seconds=(2, 2),
    hang_up_after_seconds=(20, 20),
)
BUSY = Behaviour(name="busy", share=1, pickup=Pickup.BUSY)
NOT_THERE = Behaviour(name="not there", share=1, pickup=Pickup.NO_ANSWER)


@pytest.fixture
async def client(w: World) -> AsyncIterator[DeskClient]:
    async with DeskClient(w.telephony) as built:
        yield built


def claim(w: World, person: Behaviour, *, desk: Behaviour = ANSWERS) -> Assignment:
    w.carrier.line.assign(DESK, desk)  # type: ignore[attr-defined]  # it is simulated here
    w.open_case(grade=Grade.EXTRA_HIGH, behaviour=person)
    task = claim_next(w.scene.services, unrestricted("li"), scope=Scope())
    assert task is not None
    return task


async def call_from_desk(
    w: World, client: DeskClient, task: Assignment, *, by: str = "li", number: int = 0
) -> uuid.UUID:
    call = await dial_from_desk(
        w.scene.services,
        unrestricted(by),
        client,
        task.id,
        token=task.token,
        extension=DESK,
        number=number,
    )
    return call.id


def calls_of(w: World, case_id: int) -> list[DeskCall]:
    with w.scene.tx() as tx:
        return desk_calls_of_case(tx, case_id)


async def settled(
    w: World, client: DeskClient, task: Assignment
) -> tuple[TelephonyResult | None, int | None]:
    case_id = task.case_id

    def is_settled() -> bool:
        return all(call.settled for call in calls_of(w, case_id))

    for _ in range(2000):
        await settle_desk_calls(w.scene.services, client)
        if await asyncio.to_thread(is_settled):
            break
        await asyncio.sleep(0.02)
    (call,) = calls_of(w, case_id)
    assert call.state is DeskCallState.ENDED
    assert w.held_numbers() == 0
    return call.result, call.talk_seconds


async def test_the_two_are_joined_and_how_long_they_talked_is_known(w: World, client: DeskClient):
    task = claim(w, TALKS)
    await call_from_desk(w, client, task)
    assert w.held_numbers() == 1
    result, talk_seconds = await settled(w, client, task)
    assert result is TelephonyResult.ANSWERED
    assert talk_seconds is not None
    assert 10 <= talk_seconds <= 60
    acts = w.scene.rows(sa.select(t.event.c.kind, t.event.c.by, t.event.c.facts).order_by(t.event.c.id))
    dialled = [row for row in acts if row["kind"] == "dialled"]
    assert [(row["by"], row["facts"]["result"]) for row in dialled] == [("li", "answered")]


@pytest.mark.parametrize(
    ("person", "result"), [(BUSY, TelephonyResult.BUSY), (NOT_THERE, TelephonyResult.NO_ANSWER)]
)
async def test_what_the_person_s_telephone_did(
    w: World, client: DeskClient, person: Behaviour, result: TelephonyResult
):
    task = claim(w, person)
    await call_from_desk(w, client, task)
    assert (await settled(w, client, task))[0] is result


async def test_a_desk_that_does_not_pick_up_calls_nobody(w: World, client: DeskClient):
    task = claim(w, TALKS, desk=NOT_THERE)
    await call_from_desk(w, client, task)
    assert await settled(w, client, task) == (TelephonyResult.CANCELED, None)


async def test_a_caller_who_hangs_up_first_still_has_a_result(w: World, client: DeskClient):
    desk = Behaviour(
        name="hurried",
        share=1,
        ring_after_seconds=(1, 1),
        answer_after_seconds=(2, 2),
        hang_up_after_seconds=(20, 20),
    )
    task = claim(w, ANSWERS, desk=desk)
    await call_from_desk(w, client, task)
    assert (await settled(w, client, task))[0] is TelephonyResult.ANSWERED


async def test_the_robot_and_a_second_desk_wait_for_the_number(w: World, client: DeskClient):
    task = claim(w, TALKS)
    await call_from_desk(w, client, task)
    assert w.claim() == []
    with pytest.raises(Conflict) as conflict:
        await call_from_desk(w, client, task)
    assert conflict.value.current == "number_busy"
    with w.scene.tx() as tx:
        assert count_leaked_numbers(tx) == 0


async def test_a_desk_waits_for_the_robot(w: World, client: DeskClient):
    task = claim(w, TALKS)
    assert len(w.claim()) == 1
    with pytest.raises(Conflict):
        await call_from_desk(w, client, task)
    assert calls_of(w, task.case_id) == []


async def test_only_whoever_holds_the_task_and_only_its_numbers(w: World, client: DeskClient):
    task = claim(w, TALKS)
    with pytest.raises(Overtaken):
        await call_from_desk(w, client, task, by="wang")
    with pytest.raises(Invalid):
        await call_from_desk(w, client, task, number=1)
    with pytest.raises(Invalid):
        await dial_from_desk(
            w.scene.services, unrestricted("li"), client, task.id, extension="<Dial>", number=0
        )
    assert w.held_numbers() == 0


async def test_a_refusal_is_told_and_frees_the_number(w: World, client: DeskClient):
    task = claim(w, TALKS)
    w.fault(InjectedFault.TOO_MANY)
    with pytest.raises(Unavailable):
        await call_from_desk(w, client, task)
    assert (await settled(w, client, task))[0] is TelephonyResult.FAILED


async def test_late_news_needs_no_record(w: World, client: DeskClient):
    task = claim(w, BUSY)
    call_id = await call_from_desk(w, client, task)
    await settled(w, client, task)
    apply_person_leg_event(
        w.scene.services, call_id, PersonLeg(result=TelephonyResult.ANSWERED, talk_seconds=9)
    )
    (call,) = calls_of(w, task.case_id)
    assert call.result is TelephonyResult.BUSY
    with pytest.raises(NotFound):
        apply_person_leg_event(w.scene.services, uuid.uuid4(), PersonLeg(result=TelephonyResult.BUSY))
