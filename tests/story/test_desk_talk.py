"""Hold and mute from the desk: what the person hears, what the carrier does, and that the call ends as any other."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from carrier.calls import Status
from carrier.conferences import ConferenceRecord
from carrier.people import Behaviour
from dialer.core.access import unrestricted
from dialer.core.errors import Conflict, Overtaken, Unavailable
from dialer.core.events import AlarmCode
from dialer.core.talk import RoomVoice, TalkChange
from dialer.core.values import Grade, TelephonyResult
from dialer.db import tables as t
from dialer.telephony.client import DeskClient
from dialer.telephony.rooms import room_name
from dialer.work.assignments import Assignment, Scope
from dialer.work.desk_calls import dial_from_desk, settle_desk_calls
from dialer.work.desk_store import DeskCall, change_desk_call, desk_calls_of_case
from dialer.work.desk_talk import ask_for_talk
from dialer.work.tasks import claim_next
from tests.story.world import World

DESK = "8001"
STAYS = Behaviour(name="stays", share=1, ring_after_seconds=(1, 1), answer_after_seconds=(2, 2))


@pytest.fixture
async def client(w: World) -> AsyncIterator[DeskClient]:
    async with DeskClient(w.telephony) as built:
        yield built


async def until(happens: Callable[[], bool]) -> None:
    for _ in range(3000):
        if await asyncio.to_thread(happens):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it has not happened")


class OnTheLine:
    """A caller at a desk and a person, who talk."""

    def __init__(self, w: World, client: DeskClient, task: Assignment, call_id: uuid.UUID) -> None:
        self.w, self.client, self.task, self.call_id = w, client, task, call_id

    @property
    def call(self) -> DeskCall:
        with self.w.scene.tx() as tx:
            (call,) = desk_calls_of_case(tx, self.task.case_id)
        return call

    async def person_answers(self) -> None:
        """Waits until the two talk."""
        for _ in range(3000):
            call = await asyncio.to_thread(lambda: self.call)
            if call.may_hold and call.sid is not None and await self.client.is_person_on_line(call.sid):
                return
            await asyncio.sleep(0.01)
        raise AssertionError("the person has not answered")

    async def ask(self, change: TalkChange, *, by: str = "li", token: int | None = None) -> None:
        token = self.task.token if token is None else token
        services = self.w.scene.services
        await ask_for_talk(services, unrestricted(by), self.client, self.task.id, change, token=token)

    @property
    def room(self) -> ConferenceRecord | None:
        return self.w.carrier.exchange.conferences.live(room_name(self.call_id))

    def in_room(self, voice: RoomVoice) -> tuple[bool, bool] | None:
        """Whether that one is on hold and muted at the carrier; None if they are not in the room."""
        found = self.room.participants.values() if self.room is not None else ()
        return next(((one.hold, one.muted) for one in found if one.room.label == voice.value), None)

    async def is_settled(self, *, held: bool = False, muted: bool = False) -> None:
        """Waits until the rows say so, and checks that the carrier does it."""
        await until(
            lambda: (
                (self.call.talk.is_held, self.call.talk.is_muted, self.call.talk.is_settled)
                == (held, muted, True)
            )
        )
        assert self.in_room(RoomVoice.PERSON) == (held, False)
        assert self.in_room(RoomVoice.DESK) == (False, muted)
        assert self.call.talk_due_at is None

    def is_due(self) -> None:
        """No report has come in time."""
        with self.w.scene.tx() as tx:
            change_desk_call(tx, self.call_id, talk_due_at=datetime(2020, 1, 1, tzinfo=UTC))

    def legs(self) -> list[str]:
        """The sids of the calls under way, the desk's first."""
        calls = self.w.carrier.exchange.newest_first()
        return [call.sid for call in reversed(list(calls)) if not call.status.final]

    async def is_over(self) -> DeskCall:
        await until(lambda: self.call.settled)
        assert self.call.talk_due_at is None
        assert not self.call.talk.holds
        await until(lambda: not self.legs())
        assert self.room is None
        assert self.w.held_numbers() == 0
        return self.call

    def acts(self) -> list[str]:
        return [
            row["kind"]
            for row in self.w.scene.rows(sa.select(t.event.c.kind, t.event.c.by).order_by(t.event.c.id))
            if row["by"] == "li"
        ]


class Deaf(DeskClient):
    """A client whose request to enter the room is lost."""

    async def enter_room(self, call_id: uuid.UUID, sid: str) -> bool:
        raise Unavailable(part="carrier", problem="no answer")


async def dialled(w: World, client: DeskClient) -> OnTheLine:
    w.carrier.line.assign(DESK, STAYS)  # type: ignore[attr-defined]  # it is simulated here
    w.open_case(grade=Grade.EXTRA_HIGH, behaviour=STAYS)
    task = claim_next(w.scene.services, unrestricted("li"), scope=Scope())
    assert task is not None
    call = await dial_from_desk(
        w.scene.services, unrestricted("li"), client, task.id, token=task.token, extension=DESK
    )
    return OnTheLine(w, client, task, call.id)


async def talking(w: World, client: DeskClient) -> OnTheLine:
    line = await dialled(w, client)
    await line.person_answers()
    return line


async def test_the_person_waits_on_hold_and_is_taken_back(w: World, client: DeskClient):
    line = await talking(w, client)
    await line.ask(TalkChange.HOLD)
    await line.is_settled(held=True)
    await line.ask(TalkChange.RESUME)
    await line.is_settled()
    w.carrier.exchange.stop(line.legs()[1], Status.COMPLETED)
    call = await line.is_over()
    assert call.result is TelephonyResult.ANSWERED
    assert call.talk_seconds is not None
    assert line.acts()[-3:] == ["put_on_hold", "taken_off_hold", "dialled"]


async def test_the_caller_is_muted_and_heard_again(w: World, client: DeskClient):
    line = await talking(w, client)
    await line.ask(TalkChange.MUTE)
    await line.is_settled(muted=True)
    await line.ask(TalkChange.HOLD)
    await line.is_settled(held=True, muted=True)
    await line.ask(TalkChange.UNMUTE)
    await line.is_settled(held=True)
    assert line.acts()[-3:] == ["desk_muted", "put_on_hold", "desk_unmuted"]


async def test_two_presses_at_once_move_the_call_once(w: World, client: DeskClient):
    line = await talking(w, client)
    changes = (TalkChange.HOLD, TalkChange.MUTE, TalkChange.HOLD)
    await asyncio.gather(*(line.ask(change) for change in changes))
    await line.is_settled(held=True, muted=True)
    assert line.acts().count("put_on_hold") == 1
    assert len(w.carrier.exchange.conferences.newest_first()) == 1


@pytest.mark.parametrize("who", [0, 1], ids=["the caller", "the person"])
async def test_whoever_hangs_up_during_a_hold_ends_the_call_for_both(w: World, client: DeskClient, who: int):
    line = await talking(w, client)
    await line.ask(TalkChange.HOLD)
    await line.is_settled(held=True)
    w.carrier.exchange.stop(line.legs()[who], Status.COMPLETED)
    assert (await line.is_over()).result is TelephonyResult.ANSWERED
    with pytest.raises(Conflict):
        await line.ask(TalkChange.RESUME)


async def test_before_the_person_answers_and_for_somebody_else_there_is_no_hold(w: World, client: DeskClient):
    line = await dialled(w, client)
    with pytest.raises(Conflict):
        await line.ask(TalkChange.HOLD)
    await line.person_answers()
    with pytest.raises(Overtaken):
        await line.ask(TalkChange.HOLD, by="wang")
    with pytest.raises(Overtaken):
        await line.ask(TalkChange.HOLD, token=line.task.token + 1)
    assert line.room is None


async def test_a_person_who_hangs_up_as_they_are_moved_ends_the_call(w: World, client: DeskClient):
    line = await talking(w, client)
    sid = line.legs()[1]

    class Late(DeskClient):
        async def is_person_on_line(self, sid: str) -> bool:
            return True

    async with Late(w.telephony) as late:
        w.carrier.exchange.stop(sid, Status.COMPLETED)
        services = w.scene.services
        with suppress(Conflict):  # where the news of the end was faster
            await ask_for_talk(services, unrestricted("li"), late, line.task.id, TalkChange.HOLD)
    await until(lambda: not line.legs())
    for _ in range(500):
        await settle_desk_calls(w.scene.services, client)
        if (await asyncio.to_thread(lambda: line.call)).settled:
            break
        await asyncio.sleep(0.01)
    assert (await line.is_over()).result is TelephonyResult.ANSWERED


async def test_a_report_that_is_lost_is_asked_for(w: World, client: DeskClient):
    line = await talking(w, client)
    await line.ask(TalkChange.HOLD)
    await line.is_settled(held=True)
    assert line.room is not None
    line.room.events = frozenset()
    await line.ask(TalkChange.RESUME)
    assert line.call.talk.is_held
    await settle_desk_calls(w.scene.services, client)
    assert line.call.talk.is_held
    line.is_due()
    await settle_desk_calls(w.scene.services, client)
    await line.is_settled()


async def test_a_request_that_is_lost_is_made_again(w: World, client: DeskClient):
    line = await talking(w, client)
    async with Deaf(w.telephony) as deaf:
        with pytest.raises(Unavailable):
            await ask_for_talk(
                w.scene.services,
                unrestricted("li"),
                deaf,
                line.task.id,
                TalkChange.HOLD,
                token=line.task.token,
            )
    assert line.room is None
    line.is_due()
    await settle_desk_calls(w.scene.services, client)
    await line.is_settled(held=True)


async def test_a_person_left_on_hold_raises_one_alarm_for_each_hold(w: World, client: DeskClient):
    line = await talking(w, client)

    async def alarms_after(minutes: float) -> list[int]:
        since = w.scene.services.clock.now() - timedelta(minutes=minutes)
        with w.scene.tx() as tx:
            change_desk_call(tx, line.call_id, hold_since=since)
        for _ in range(2):
            await settle_desk_calls(w.scene.services, client)
        alarms = w.scene.rows(sa.select(t.alarm).where(t.alarm.c.code == AlarmCode.HELD_TOO_LONG.value))
        return [row["times"] for row in alarms]

    await line.ask(TalkChange.HOLD)
    await line.is_settled(held=True)
    assert await alarms_after(1) == []
    assert await alarms_after(4) == [1]
    await line.ask(TalkChange.RESUME)
    await line.is_settled()
    await line.ask(TalkChange.HOLD)
    await line.is_settled(held=True)
    assert await alarms_after(1) == [1]
    assert await alarms_after(4) == [2]


async def test_a_call_that_nobody_holds_has_no_room_and_no_further_webhook(w: World, client: DeskClient):
    line = await talking(w, client)
    w.carrier.exchange.stop(line.legs()[1], Status.COMPLETED)
    call = await line.is_over()
    assert not call.talk.in_room
    assert w.carrier.exchange.conferences.newest_first() == []


async def test_a_recorded_person_is_told_before_anything_moves(w: World, client: DeskClient):
    line = await talking(w, client)
    now = w.scene.services.clock.now()
    for told_at in (None, now):
        with w.scene.tx() as tx:
            change_desk_call(tx, line.call_id, records=True, told_at=told_at)
        with pytest.raises(Conflict) as refused:
            await line.ask(TalkChange.HOLD)
        assert refused.value.current == "not_answered"
    with w.scene.tx() as tx:
        change_desk_call(tx, line.call_id, told_at=now - timedelta(minutes=1))
    await line.ask(TalkChange.HOLD)
    await line.is_settled(held=True)
