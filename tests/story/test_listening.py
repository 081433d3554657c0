"""A supervisor listens to a call from a desk: who hears whom, what is told, and that the leg ends with the call."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from carrier.calls import Status
from carrier.conferences import heard_by
from dialer.core.access import Role, unrestricted
from dialer.core.errors import Conflict, Invalid, NotPermitted, Unavailable
from dialer.core.events import AlarmCode
from dialer.core.listening import ListenMode, ListenState
from dialer.core.talk import TalkChange
from dialer.db import tables as t
from dialer.runtime.services import Services
from dialer.staff.store import insert_member
from dialer.telephony.channels import RefusalCause, Refused, SendResult, UncertainResult
from dialer.telephony.client import DeskClient
from dialer.work.desk_calls import settle_desk_calls
from dialer.work.listening import (
    REMAINS_AFTER,
    admit_listener,
    change_listening,
    listen_to,
    stop_listening,
)
from dialer.work.listening_store import Listener, change_listener, lock_listener
from dialer.work.supervision import announced_listener, listener_at_desk
from tests.story.test_desk_talk import STAYS, OnTheLine, talking, until
from tests.story.world import World

EAR = "8002"
CALLER, PERSON, SUPERVISOR = "desk", "person", "supervisor"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
async def client(w: World) -> AsyncIterator[DeskClient]:
    async with DeskClient(w.telephony) as built:
        yield built


class Ear:
    """A supervisor, and the call of li with a person."""

    def __init__(self, w: World, client: DeskClient, line: OnTheLine, staff_id: int) -> None:
        self.w, self.client, self.line, self.staff_id = w, client, line, staff_id
        self.services: Services = w.scene.services

    def announced(self, *, is_announced: bool) -> None:
        work = replace(self.services.work, listening_is_announced=is_announced)
        self.services = replace(self.services, work=work)

    async def listen(self, *, by: str = "wang", extension: str = EAR, why: str = "新人首日") -> None:
        actor = unrestricted(by)
        await listen_to(self.services, actor, self.client, self.staff_id, extension=extension, why=why)

    async def choose(self, mode: ListenMode, *, by: str = "wang") -> None:
        await change_listening(self.services, unrestricted(by), self.client, self.staff_id, mode)

    async def leave(self, *, by: str = "wang") -> None:
        await stop_listening(self.services, unrestricted(by), self.client, self.staff_id)

    @property
    def newest(self) -> Listener:
        with self.w.scene.tx() as tx:
            [row] = tx.rows(
                sa.select(t.desk_listener.c.id).order_by(t.desk_listener.c.asked_at.desc()).limit(1)
            )
            return lock_listener(tx, row["id"])

    async def is_in(self, state: ListenState) -> Listener:
        await until(lambda: self.newest.leg.state is state)
        return self.newest

    async def is_heard(self, mode: ListenMode) -> None:
        """Waits until the row says so, and checks who hears whom at the carrier."""
        await until(lambda: self.newest.leg.is_settled and self.newest.leg.has is mode)
        assert self.who_hears() == {
            CALLER: {PERSON} | ({SUPERVISOR} if mode is not ListenMode.LISTEN else set()),
            PERSON: {CALLER} | ({SUPERVISOR} if mode is ListenMode.STEP_IN else set()),
            SUPERVISOR: {CALLER, PERSON},
        }

    def who_hears(self) -> dict[str, set[str]]:
        room = self.line.room
        assert room is not None
        names = {sid: one.room.label for sid, one in room.participants.items()}
        heard = heard_by(one.place for one in room.participants.values())
        return {names[sid]: {names[other] for other in others} for sid, others in heard.items()}

    def is_due(self, **values: object) -> None:
        with self.w.scene.tx() as tx:
            change_listener(tx, self.newest.id, due_at=LONG_AGO, **values)

    async def look_after(self) -> None:
        await settle_desk_calls(self.w.scene.services, self.client)

    def audited(self) -> list[str]:
        rows = self.w.scene.rows(sa.select(t.audit.c.act, t.audit.c.who).order_by(t.audit.c.id))
        return [row["act"] for row in rows if row["who"] == "wang"]

    def timeline(self) -> list[str]:
        return [row["kind"] for row in self.w.scene.rows(sa.select(t.event.c.kind).order_by(t.event.c.id))]


def account(w: World, login: str, role: Role) -> int:
    with w.scene.tx() as tx:
        member = insert_member(
            tx,
            login=login,
            display_name=login.title(),
            password_hash="",
            role=role,
            unit_id=None,
            language="zh",
            must_change=False,
            by="test",
            real_now=w.scene.services.real.now(),
        )
    assert member is not None
    return member.id


@pytest.fixture
async def ear(w: World, client: DeskClient) -> Ear:
    w.carrier.line.assign(EAR, STAYS)  # type: ignore[attr-defined]  # it is simulated here
    staff_id = account(w, "li", Role.CALLER)
    account(w, "wang", Role.SUPERVISOR)
    return Ear(w, client, await talking(w, client), staff_id)


async def test_the_supervisor_listens_whispers_and_steps_in(ear: Ear):
    await ear.listen()
    assert ear.newest.leg.state in {ListenState.MOVING, ListenState.CALLING, ListenState.CONNECTED}
    await ear.is_heard(ListenMode.LISTEN)
    for mode in (ListenMode.WHISPER, ListenMode.STEP_IN, ListenMode.WHISPER, ListenMode.LISTEN):
        await ear.choose(mode)
        await ear.is_heard(mode)
    assert ear.audited() == ["listen", *["listen_mode"] * 4]
    assert (ear.newest.by, ear.newest.extension) == ("wang", EAR)


async def test_what_is_chosen_before_the_telephone_is_answered_holds_from_the_entry_on(ear: Ear):
    await ear.listen()
    await ear.choose(ListenMode.WHISPER)
    await ear.is_heard(ListenMode.WHISPER)


async def test_the_end_of_the_call_ends_the_leg(ear: Ear):
    await ear.listen()
    await ear.is_heard(ListenMode.LISTEN)
    ear.w.carrier.exchange.stop(ear.line.legs()[1], Status.COMPLETED)
    await ear.is_in(ListenState.ENDED)
    await ear.line.is_over()
    assert listener_at_desk(ear.services, ear.staff_id, visible_to=None).listener is None


async def test_a_supervisor_who_leaves_leaves_the_two_alone(ear: Ear):
    await ear.listen()
    await ear.is_heard(ListenMode.LISTEN)
    await ear.leave()
    await ear.is_in(ListenState.ENDED)
    await until(lambda: ear.who_hears() == {CALLER: {PERSON}, PERSON: {CALLER}})
    assert ear.line.call.may_hold
    with pytest.raises(Conflict):
        await ear.choose(ListenMode.WHISPER)
    await ear.listen()
    await ear.is_heard(ListenMode.LISTEN)
    assert len(ear.w.carrier.exchange.conferences.newest_first()) == 1


async def test_a_supervisor_who_hangs_up_has_left(ear: Ear):
    await ear.listen()
    await ear.is_heard(ListenMode.LISTEN)
    ear.w.carrier.exchange.stop(str(ear.newest.sid), Status.COMPLETED)
    await ear.is_in(ListenState.ENDED)
    assert ear.line.call.may_hold


async def test_hold_goes_on_as_without_a_supervisor(ear: Ear):
    await ear.line.ask(TalkChange.HOLD)
    await ear.line.is_settled(held=True)
    await ear.listen()
    await until(lambda: ear.newest.leg.is_settled)
    assert ear.who_hears() == {CALLER: set(), PERSON: set(), SUPERVISOR: {CALLER}}
    await ear.line.ask(TalkChange.RESUME)
    await ear.line.is_settled()
    await ear.is_heard(ListenMode.LISTEN)


@pytest.mark.parametrize("is_announced", [True, False])
async def test_the_two_are_told_and_the_caller_sees_it_where_that_is_the_policy(ear: Ear, is_announced: bool):
    ear.announced(is_announced=is_announced)
    await ear.listen()
    await ear.is_heard(ListenMode.LISTEN)
    seen = announced_listener(ear.services, ear.line.call_id).listener
    assert (seen is not None) is is_announced
    assert ear.timeline().count("listened_to") == int(is_announced)
    assert ear.audited() == ["listen"]
    chief = listener_at_desk(ear.services, ear.staff_id, visible_to=None)
    assert (chief.has_call, chief.name) == (True, "Wang")


class Silent(DeskClient):
    """A carrier with whom the room is over when the notice is to be heard."""

    async def announce_listener(self, _listener_id: uuid.UUID, _room_sid: str) -> bool:
        return False


async def test_where_the_two_cannot_be_told_nobody_listens(ear: Ear):
    await in_its_room(ear)
    await ear.listen()
    async with Silent(ear.w.telephony) as silent:
        listener = ear.newest
        assert await admit_listener(ear.services, silent, listener.id, "CA1") is None
        with ear.w.scene.tx() as tx:
            change_listener(tx, listener.id, is_announced=False)
        assert await admit_listener(ear.services, silent, listener.id, "CA1") == (ear.line.call_id, 0)
        await ear.leave()
        assert await admit_listener(ear.services, silent, listener.id, "CA1") is None


async def test_one_supervisor_at_a_time_and_nobody_without_the_right_or_a_reason(ear: Ear):
    await ear.listen()
    account(ear.w, "zhao", Role.SUPERVISOR)
    for act in (ear.listen(by="zhao", extension="8003"), ear.choose(ListenMode.STEP_IN, by="zhao")):
        with pytest.raises(Conflict):
            await act
    for wrong in ({"why": " "}, {"extension": "13800138000"}, {"extension": ""}):
        with pytest.raises(Invalid):
            await ear.listen(**wrong)
    with pytest.raises(Conflict) as own:
        await ear.listen(by="li", extension="8003")
    assert own.value.current == "own_call"
    nobody = replace(unrestricted("sun"), rights=frozenset())
    with pytest.raises(NotPermitted):
        await listen_to(ear.services, nobody, ear.client, ear.staff_id, extension="8003", why="好奇")


async def test_a_desk_of_another_unit_has_no_call_for_this_supervisor(ear: Ear):
    stranger = replace(unrestricted("wang"), unit_id=77)
    with pytest.raises(Conflict) as refused:
        await listen_to(ear.services, stranger, ear.client, ear.staff_id, extension=EAR, why="好奇")
    assert refused.value.current == "no_call"


async def test_a_telephone_that_is_not_answered_ends_it(ear: Ear):
    busy = replace(STAYS, name="away", answer_after_seconds=None)
    ear.w.carrier.line.assign(EAR, busy)  # type: ignore[attr-defined]  # it is simulated here
    await ear.listen()
    await ear.is_in(ListenState.ENDED)
    assert ear.line.call.may_hold


class Refusing(DeskClient):
    """A carrier that does not take the supervisor's leg, or of whose answer nothing is known."""

    answer: SendResult = Refused(cause=RefusalCause.OURS)

    async def call_supervisor(self, _listener_id: uuid.UUID, _extension: str) -> SendResult:
        return self.answer


async def in_its_room(ear: Ear) -> None:
    await ear.line.ask(TalkChange.MUTE)
    await ear.line.is_settled(muted=True)


async def test_a_leg_that_the_carrier_refuses_is_over(ear: Ear):
    await in_its_room(ear)
    async with Refusing(ear.w.telephony) as ear.client:
        with pytest.raises(Unavailable):
            await ear.listen()
    assert ear.newest.leg.state is ListenState.ENDED


async def test_a_leg_of_which_nothing_is_heard_is_given_up(ear: Ear):
    await in_its_room(ear)
    async with Refusing(ear.w.telephony) as refusing:
        refusing.answer = UncertainResult(detail="no answer")
        client, ear.client = ear.client, refusing
        await ear.listen()
    ear.client = client
    await ear.look_after()
    ear.is_due()
    await ear.look_after()
    assert ear.newest.leg.state is ListenState.CALLING
    ear.is_due(state_since=LONG_AGO)
    await ear.look_after()
    assert ear.newest.leg.state is ListenState.ENDED


async def test_an_entry_and_an_end_whose_reports_are_lost_are_found(ear: Ear):
    await in_its_room(ear)
    assert ear.line.room is not None
    ear.line.room.events = frozenset()
    await ear.listen()
    await until(lambda: SUPERVISOR in ear.who_hears())
    assert ear.newest.leg.state is ListenState.CALLING
    await ear.choose(ListenMode.WHISPER)
    ear.is_due()
    await ear.look_after()
    assert ear.newest.leg.has is ListenMode.WHISPER
    with ear.w.scene.tx() as tx:
        change_listener(tx, ear.newest.id, asked=ListenMode.LISTEN.value)
    ear.is_due()
    await ear.look_after()
    assert (ear.newest.leg.asked, ear.newest.leg.has) == (None, ListenMode.WHISPER)
    ear.w.carrier.exchange.conferences.put_out(str(ear.newest.sid))
    await until(lambda: SUPERVISOR not in ear.who_hears())
    await until(lambda: ear.newest.leg.state is ListenState.ENDED)


class Clinging(DeskClient):
    """A carrier that says that it ends a call, and does not."""

    async def hang_up(self, _sid: str) -> bool:
        return True


async def test_a_leg_that_does_not_end_raises_an_alarm_once(ear: Ear):
    await ear.listen()
    await ear.is_heard(ListenMode.LISTEN)
    async with Clinging(ear.w.telephony) as clinging:
        client, ear.client = ear.client, clinging
        await ear.leave()
        real_now = ear.services.real.now()

        def alarms() -> list[int]:
            code = AlarmCode.LISTENER_REMAINS.value
            rows = ear.w.scene.rows(sa.select(t.alarm).where(t.alarm.c.code == code))
            return [row["times"] for row in rows]

        ear.is_due()
        await ear.look_after()
        assert alarms() == []
        for _ in range(2):
            ear.is_due(state_since=real_now - REMAINS_AFTER - timedelta(seconds=1))
            await ear.look_after()
        assert alarms() == [1]
        assert ear.newest.leg.state is ListenState.LEAVING
    ear.client = client
    ear.is_due()
    await ear.look_after()
    await ear.is_in(ListenState.ENDED)


async def test_a_call_that_ends_while_it_is_moved_calls_no_supervisor(ear: Ear):
    async with DeskClient(ear.w.telephony) as client:

        async def lost(_call_id: uuid.UUID, _sid: str) -> bool:
            raise Unavailable(part="carrier", problem="no answer")

        client.enter_room = lost  # type: ignore[method-assign]
        ear.client = client
        with pytest.raises(Unavailable):
            await ear.listen()
    assert ear.newest.leg.state is ListenState.MOVING
    ear.w.carrier.exchange.stop(ear.line.legs()[0], Status.COMPLETED)
    await ear.is_in(ListenState.ENDED)
    assert ear.newest.sid is None


async def test_several_changes_at_once_end_as_the_last_one_says(ear: Ear):
    await ear.listen()
    await ear.is_heard(ListenMode.LISTEN)
    modes = [ListenMode.STEP_IN, ListenMode.WHISPER, ListenMode.LISTEN, ListenMode.WHISPER]
    await asyncio.gather(*(ear.choose(mode) for mode in modes))
    await until(lambda: ear.newest.leg.is_settled)
    await ear.is_heard(ear.newest.leg.wants)
