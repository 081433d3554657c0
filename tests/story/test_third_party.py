"""A third party in a call from a desk: who hears whom, how the call is handed over, and that nobody is left alone."""

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
from dialer.core.case import DeskCallState
from dialer.core.errors import Conflict, Invalid, Overtaken, Unavailable
from dialer.core.events import AlarmCode
from dialer.core.talk import RoomVoice, TalkChange
from dialer.core.third_party import HandOverStep, PartyState
from dialer.core.values import TelephonyResult
from dialer.db import tables as t
from dialer.telephony.channels import RefusalCause, Refused, SendResult, UncertainResult
from dialer.telephony.client import DeskClient
from dialer.work.desk_calls import settle_desk_calls
from dialer.work.desk_store import busy_with_person, change_desk_call
from dialer.work.third_parties import (
    STUCK_AFTER,
    admit_party,
    bring_in,
    hand_over,
    parties_of_task,
    send_away,
)
from dialer.work.third_party_store import PartyInCall, change_party, lock_party
from tests.story.test_desk_talk import STAYS, OnTheLine, dialled, talking, until
from tests.story.test_listening import account
from tests.story.world import DESK_NUMBER, World

BANK, INTERPRETER = "+861066107114", "8203"
CALLER, PERSON, PARTY = "desk", "person", "third_party"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
async def client(w: World) -> AsyncIterator[DeskClient]:
    async with DeskClient(w.telephony) as built:
        yield built


class Three:
    """The call of li with a person, and a third party."""

    def __init__(self, w: World, client: DeskClient, line: OnTheLine) -> None:
        self.w, self.client, self.line = w, client, line
        self.services = w.scene.services

    async def bring(self, key: str = "list:bank", *, holds: bool = False, by: str = "li") -> None:
        await bring_in(
            self.services,
            unrestricted(by),
            self.client,
            self.line.task.id,
            key,
            holds=holds,
            token=self.line.task.token,
        )

    async def hand_over(self, *, by: str = "li") -> None:
        await hand_over(self.services, unrestricted(by), self.client, self.line.task.id)

    async def send_away(self) -> None:
        await send_away(self.services, unrestricted("li"), self.client, self.line.task.id)

    @property
    def newest(self) -> PartyInCall:
        with self.w.scene.tx() as tx:
            [row] = tx.rows(sa.select(t.third_party.c.id).order_by(t.third_party.c.asked_at.desc()).limit(1))
            return lock_party(tx, row["id"])

    async def is_in(self, state: PartyState) -> PartyInCall:
        await until(lambda: self.newest.leg.state is state)
        return self.newest

    def who_hears(self) -> dict[str, set[str]]:
        room = self.line.room
        if room is None:
            return {}
        names = {sid: one.room.label for sid, one in room.participants.items()}
        heard = heard_by(one.place for one in room.participants.values())
        return {names[sid]: {names[other] for other in others} for sid, others in heard.items()}

    def is_due(self, **values: object) -> None:
        with self.w.scene.tx() as tx:
            change_party(tx, self.newest.id, due_at=LONG_AGO, **values)

    async def look_after(self) -> None:
        await settle_desk_calls(self.services, self.client)

    def audited(self) -> list[str]:
        rows = self.w.scene.rows(sa.select(t.audit.c.act, t.audit.c.who).order_by(t.audit.c.id))
        return [row["act"] for row in rows if row["who"] == "li" and row["act"].startswith("third_party")]

    def timeline(self) -> list[str]:
        rows = self.w.scene.rows(sa.select(t.event.c.kind, t.event.c.facts).order_by(t.event.c.id))
        return [row["kind"] for row in rows if "party" in (row["facts"] or {})]

    def alarms(self) -> list[int]:
        code = AlarmCode.THIRD_PARTY_STUCK.value
        rows = self.w.scene.rows(sa.select(t.alarm).where(t.alarm.c.code == code))
        return [row["times"] for row in rows]

    async def has_call(self) -> None:
        """Waits until the person talks with the third party alone, and the call ends with either of them."""
        await self.is_in(PartyState.HAS_CALL)
        await until(lambda: self.newest.leg.done is HandOverStep.BIND)
        await until(lambda: self.who_hears() == {PERSON: {PARTY}, PARTY: {PERSON}})


@pytest.fixture
async def three(w: World, client: DeskClient) -> Three:
    for number in (BANK, INTERPRETER, DESK_NUMBER):
        w.carrier.line.assign(number, STAYS)  # type: ignore[attr-defined]  # it is simulated here
    account(w, "li", Role.CALLER)
    return Three(w, client, await talking(w, client))


async def test_an_interpreter_joins_the_two_and_leaves_again(three: Three):
    await three.bring("list:interpreter")
    await three.is_in(PartyState.CONNECTED)
    everybody = {CALLER, PERSON, PARTY}
    assert three.who_hears() == {one: everybody - {one} for one in everybody}
    await three.send_away()
    await three.is_in(PartyState.ENDED)
    await until(lambda: three.who_hears() == {CALLER: {PERSON}, PERSON: {CALLER}})
    assert three.line.call.may_hold
    assert three.audited() == ["third_party", "third_party_leaves"]
    assert three.timeline() == ["party_called", "party_joined", "party_left"]
    await three.bring("list:bank")
    await three.is_in(PartyState.CONNECTED)
    assert len(three.w.carrier.exchange.conferences.newest_first()) == 1


async def test_a_call_is_handed_over_to_the_bank_while_the_person_waits(three: Three):
    await three.bring(holds=True)
    await three.is_in(PartyState.CONNECTED)
    await three.line.is_settled(held=True)
    assert three.who_hears() == {CALLER: {PARTY}, PERSON: set(), PARTY: {CALLER}}
    await three.hand_over()
    await three.has_call()
    call = three.line.call
    assert call.state is DeskCallState.HANDED_OVER
    assert (call.settled, call.talk.holds, call.may_hold) == (False, False, False)
    assert three.w.held_numbers() == 1
    with three.w.scene.tx() as tx:
        [busy] = busy_with_person(tx, three.line.task, by="wang")
    assert (busy.who, busy.party, busy.talking) == ("li", "bank", True)
    assert three.audited() == ["third_party", "third_party_hand_over"]
    assert three.timeline() == ["party_called", "party_joined", "call_handed_over"]
    with pytest.raises(Conflict):
        await three.line.ask(TalkChange.HOLD)
    three.w.carrier.exchange.stop(str(three.newest.sid), Status.COMPLETED)
    ended = await three.line.is_over()
    assert ended.result is TelephonyResult.ANSWERED
    assert ended.talk_seconds is not None
    await three.is_in(PartyState.ENDED)
    assert three.timeline()[-1] == "party_left"


async def test_who_is_handed_over_may_hang_up(three: Three):
    await three.bring()
    await three.is_in(PartyState.CONNECTED)
    await three.hand_over()
    await three.has_call()
    [person, _] = three.line.legs()
    three.w.carrier.exchange.stop(person, Status.COMPLETED)
    assert (await three.line.is_over()).result is TelephonyResult.ANSWERED
    await three.is_in(PartyState.ENDED)


async def test_a_caller_who_hangs_up_without_handing_over_ends_the_call_for_all(three: Three):
    await three.bring()
    await three.is_in(PartyState.CONNECTED)
    three.w.carrier.exchange.stop(three.line.legs()[0], Status.COMPLETED)
    await three.line.is_over()
    await three.is_in(PartyState.ENDED)


async def test_a_third_party_that_hangs_up_leaves_the_two_together(three: Three):
    await three.bring()
    party = await three.is_in(PartyState.CONNECTED)
    three.w.carrier.exchange.stop(str(party.sid), Status.COMPLETED)
    await three.is_in(PartyState.ENDED)
    assert three.line.call.may_hold
    assert three.who_hears() == {CALLER: {PERSON}, PERSON: {CALLER}}
    with pytest.raises(Conflict):
        await three.hand_over()


async def test_nobody_is_brought_in_but_who_is_listed_and_one_at_a_time(three: Three):
    listed = parties_of_task(three.services, three.line.task.id, duty_line=DESK_NUMBER)
    assert [one.key for one in listed] == ["duty_line", "list:bank", "list:interpreter"]
    for key in ("list:premium", "13800138000", "", "duty:1"):
        with pytest.raises(Invalid) as unlisted:
            await three.bring(key)
        assert unlisted.value.field == "party"
        assert str(unlisted.value.fix) == "choose one of the list"
    with pytest.raises(Overtaken):
        await three.bring(by="wang")
    for act in (three.hand_over(), three.send_away()):
        with pytest.raises(Conflict) as refused:
            await act
        assert refused.value.current == "no_party"
    await three.bring("duty_line")
    with pytest.raises(Conflict) as second:
        await three.bring()
    assert second.value.current == "has_party"
    await three.is_in(PartyState.CONNECTED)


async def test_before_the_person_answers_nobody_is_brought_in(w: World, client: DeskClient):
    three = Three(w, client, await dialled(w, client))
    with pytest.raises(Conflict):
        await three.bring()


async def test_a_hand_over_before_the_third_party_answers_is_refused(three: Three):
    slow = replace(STAYS, name="slow", answer_after_seconds=(600, 600))
    three.w.carrier.line.assign(BANK, slow)  # type: ignore[attr-defined]  # it is simulated here
    await three.bring()
    with pytest.raises(Conflict) as refused:
        await three.hand_over()
    assert refused.value.current == "not_answered"
    await three.is_in(PartyState.CALLING)
    await until(lambda: three.newest.sid is not None)
    await three.send_away()
    await three.is_in(PartyState.ENDED)
    assert three.line.call.may_hold


async def test_a_telephone_that_is_not_answered_ends_it(three: Three):
    away = replace(STAYS, name="away", answer_after_seconds=None)
    three.w.carrier.line.assign(BANK, away)  # type: ignore[attr-defined]  # it is simulated here
    await three.bring()
    await three.is_in(PartyState.ENDED)
    assert three.line.call.may_hold


class Refusing(DeskClient):
    """A carrier that does not take the third party's leg, or of whose answer nothing is known."""

    answer: SendResult = Refused(cause=RefusalCause.OURS)

    async def call_third_party(self, _party_id: uuid.UUID, _to: str) -> SendResult:
        return self.answer


async def in_its_room(three: Three) -> None:
    await three.line.ask(TalkChange.MUTE)
    await three.line.is_settled(muted=True)


async def test_a_leg_that_the_carrier_refuses_is_over(three: Three):
    await in_its_room(three)
    async with Refusing(three.w.telephony) as three.client:
        with pytest.raises(Unavailable, match="did not take the call"):
            await three.bring()
    assert three.newest.leg.state is PartyState.ENDED


async def test_a_leg_of_which_nothing_is_heard_is_given_up(three: Three):
    await in_its_room(three)
    async with Refusing(three.w.telephony) as refusing:
        refusing.answer = UncertainResult(detail="no answer")
        client, three.client = three.client, refusing
        await three.bring()
    three.client = client
    three.is_due()
    await three.look_after()
    assert three.newest.leg.state is PartyState.CALLING
    three.is_due(state_since=LONG_AGO)
    await three.look_after()
    assert three.newest.leg.state is PartyState.ENDED


async def test_an_entry_and_an_end_whose_reports_are_lost_are_found(three: Three):
    await in_its_room(three)
    assert three.line.room is not None
    three.line.room.events = frozenset()
    await three.bring()
    await until(lambda: PARTY in three.who_hears())
    assert three.newest.leg.state is PartyState.CALLING
    three.is_due()
    await three.look_after()
    assert three.newest.leg.state is PartyState.CONNECTED
    with three.w.scene.tx() as tx:
        change_party(tx, three.newest.id, sid="CA-another")
    three.w.carrier.exchange.conferences.put_out(three.line.legs()[2])
    await until(lambda: PARTY not in three.who_hears())
    three.is_due()
    await three.look_after()
    assert three.newest.leg.state is PartyState.ENDED


class Silent(DeskClient):
    """A carrier that does not answer when the desk's telephone is to be hung up."""

    async def hang_up(self, _sid: str) -> bool:
        raise Unavailable(part="carrier", problem="no answer")


async def test_a_hand_over_that_is_interrupted_goes_on_and_raises_an_alarm(three: Three):
    await three.bring(holds=True)
    await three.is_in(PartyState.CONNECTED)
    await three.line.is_settled(held=True)
    async with Silent(three.w.telephony) as silent:
        client, three.client = three.client, silent
        with pytest.raises(Unavailable):
            await three.hand_over()
        with pytest.raises(Conflict) as refused:
            await three.line.ask(TalkChange.HOLD)
        assert refused.value.current == "taking_over"
        for _ in range(2):
            three.is_due(state_since=three.services.real.now() - STUCK_AFTER - timedelta(seconds=1))
            with pytest.raises(Unavailable):
                await three.look_after()
        assert three.alarms() == [1]
    three.client = client
    assert three.newest.leg.state is PartyState.TAKING_OVER
    three.is_due()
    await three.look_after()
    await three.has_call()


async def test_a_third_party_that_leaves_during_the_hand_over_leaves_the_person_with_the_desk(three: Three):
    await three.bring()
    party = await three.is_in(PartyState.CONNECTED)

    class Late(DeskClient):
        async def hang_up(self, sid: str) -> bool:
            raise AssertionError("the desk is all that the person has")

        async def change_ending(self, room_sid: str, voice: RoomVoice, *, ends: bool) -> bool:
            if voice is RoomVoice.DESK:
                three.w.carrier.exchange.stop(str(party.sid), Status.COMPLETED)
            return await super().change_ending(room_sid, voice, ends=ends)

    async with Late(three.w.telephony) as late:
        three.client = late
        await three.hand_over()
    await three.is_in(PartyState.ENDED)
    assert three.who_hears() == {CALLER: {PERSON}, PERSON: {CALLER}}
    # The room would go on without the desk: who is left alone in it is hung up.
    three.w.carrier.exchange.stop(three.line.legs()[0], Status.COMPLETED)
    await until(lambda: three.line.call.state is DeskCallState.ENDED)
    async with DeskClient(three.w.telephony) as client:
        three.client = client
        await three.look_after()
    await three.line.is_over()


async def test_a_person_whom_the_third_party_left_unseen_is_hung_up(three: Three):
    await three.bring()
    await three.is_in(PartyState.CONNECTED)
    await three.hand_over()
    await three.has_call()
    room = three.line.room
    assert room is not None
    with three.w.scene.tx() as tx:
        change_party(tx, three.newest.id, sid="CA-another")
    for one in room.participants.values():
        one.ends = False
    three.w.carrier.exchange.conferences.put_out(three.line.legs()[1])
    await until(lambda: three.who_hears() == {PERSON: set()})
    three.is_due()
    await three.look_after()
    assert three.newest.leg.state is PartyState.ENDED
    assert (await three.line.is_over()).result is TelephonyResult.ANSWERED


class Clinging(DeskClient):
    """A carrier that says that it ends a call, and does not."""

    async def hang_up(self, _sid: str) -> bool:
        return True


async def test_a_leg_that_does_not_end_raises_an_alarm_once(three: Three):
    await three.bring()
    await three.is_in(PartyState.CONNECTED)
    async with Clinging(three.w.telephony) as clinging:
        client, three.client = three.client, clinging
        await three.send_away()
        three.is_due()
        await three.look_after()
        assert three.alarms() == []
        for _ in range(2):
            three.is_due(state_since=three.services.real.now() - STUCK_AFTER - timedelta(seconds=1))
            await three.look_after()
        assert three.alarms() == [1]
    three.client = client
    three.is_due()
    await three.look_after()
    await three.is_in(PartyState.ENDED)


async def test_a_call_that_ends_while_it_is_moved_calls_nobody(three: Three):
    async with DeskClient(three.w.telephony) as client:

        async def lost(_call_id: uuid.UUID, _sid: str) -> bool:
            raise Unavailable(part="carrier", problem="no answer")

        client.enter_room = lost  # type: ignore[method-assign]
        three.client = client
        with pytest.raises(Unavailable):
            await three.bring()
    assert three.newest.leg.state is PartyState.MOVING
    three.w.carrier.exchange.stop(three.line.legs()[0], Status.COMPLETED)
    await three.is_in(PartyState.ENDED)
    assert three.newest.sid is None


async def test_a_move_whose_report_is_lost_is_found_and_one_that_never_comes_is_given_up(three: Three):
    await in_its_room(three)
    await three.bring()
    await three.is_in(PartyState.CONNECTED)
    with three.w.scene.tx() as tx:
        change_party(tx, three.newest.id, replace(three.newest.leg, state=PartyState.MOVING))
        change_desk_call(tx, three.line.call_id, room_sid=None, talk_due_at=None)
    three.is_due()
    await three.look_after()
    assert three.newest.leg.state is PartyState.MOVING
    three.is_due(state_since=LONG_AGO)
    with three.w.scene.tx() as tx:
        change_desk_call(tx, three.line.call_id, talk_due_at=None)
    await three.look_after()
    assert three.newest.leg.state is PartyState.ENDED


async def test_who_answers_after_the_end_is_hung_up(three: Three):
    await three.bring()
    party = await three.is_in(PartyState.CONNECTED)
    assert admit_party(three.services, party.id, "CA1") == three.line.call_id
    await three.send_away()
    await three.is_in(PartyState.ENDED)
    assert admit_party(three.services, party.id, "CA1") is None


async def test_two_presses_hand_the_call_over_once(three: Three):
    await three.bring()
    await three.is_in(PartyState.CONNECTED)
    results = await asyncio.gather(three.hand_over(), three.hand_over(), return_exceptions=True)
    assert all(result is None or isinstance(result, Conflict) for result in results)
    await three.has_call()
    assert three.audited().count("third_party_hand_over") == 1
