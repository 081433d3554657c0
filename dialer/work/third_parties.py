"""A third party in a call from a desk: an officer on duty, a bank's stop-payment desk, an interpreter. The call is
moved into its room first; then the third party is called, and enters. The desk may hand the call over and leave.

The wish is stored first, and the carrier is asked after the commit; a leg about which nothing is heard is looked after
until it is over.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from dialer.cases.store import Act, note_acts
from dialer.core.access import Actor, Permission
from dialer.core.errors import Conflict, Invalid, Unavailable
from dialer.core.events import AlarmCode
from dialer.core.rota import DutyKind
from dialer.core.talk import RoomNews, RoomVoice, TalkChange, ask_talk
from dialer.core.text import gettext_noop
from dialer.core.third_party import (
    HandOverStep,
    PartyEvent,
    PartyKind,
    PartyLeg,
    PartyState,
    ThirdParty,
)
from dialer.core.timeline import ActKind
from dialer.db.acts import OpenAct
from dialer.db.alarms import raise_alarm
from dialer.db.unit_of_work import Tx
from dialer.duty.actions import read_duty
from dialer.runtime.services import Services
from dialer.telephony.callbacks import CallProgress, Stage
from dialer.telephony.channels import Placed, Refused
from dialer.telephony.client import DeskClient
from dialer.work.assignments import Assignment, get_assignment, overtaken_by
from dialer.work.desk_store import DeskCall, change_talk, joined_desk_call, lock_desk_call
from dialer.work.desk_talk import carry_out, check_may_move, is_person_there, need_room
from dialer.work.third_party_store import (
    PartyInCall,
    add_party,
    change_party,
    due_parties,
    lock_party,
    party_facts,
    party_of,
    store_party,
    telephones_of,
)

_ASKED_AFTER: Final = timedelta(seconds=15)
"""In real time: longer than a request to the carrier may take. Without news until then the carrier is asked."""
_LOOKED_AFTER: Final = timedelta(seconds=60)
"""In real time: so often a leg that is as wanted is compared with the carrier."""
_LOST_AFTER: Final = timedelta(minutes=3)
"""In real time: a telephone that has not answered by then does not any more, and a call that has no room gets none."""
STUCK_AFTER: Final = timedelta(seconds=30)
"""In real time: a leg that leaves, or a call that is being handed over, for longer raises an alarm."""
_DUE: Final = {
    PartyState.LEAVING: timedelta(seconds=5),
    PartyState.TAKING_OVER: timedelta(seconds=5),
    PartyState.CONNECTED: _LOOKED_AFTER,
    PartyState.HAS_CALL: _LOOKED_AFTER,
}


# Who may be brought in

DUTY_LINE: Final = "duty_line"
"""The key of the duty line, which has no name."""


def parties_for(services: Services, tx: Tx, task: Assignment, *, duty_line: str) -> list[ThirdParty]:
    """Whom a desk may bring into a call for this task: the duty line ('' for none), who is on duty for its unit as
    officer or chief and has a telephone at a desk, and the list of the settings. Only telephones that may be called.
    """
    found: list[ThirdParty] = []
    if task.unit_id is not None:
        now = services.clock.now()
        duty = read_duty(tx, services, now=now)
        people = duty.on_for(task.unit_id, DutyKind.OFFICER, now) + duty.chief_of(task.unit_id, now)
        found += [
            ThirdParty(key=f"duty:{staff_id}", kind=PartyKind.OFFICER, name=name, number=number)
            for staff_id, name, number in telephones_of(tx, people)
        ]
    found += services.work.third_parties
    numbers = services.numbers
    allowed = [
        one for one in found if numbers.is_extension(one.number) or numbers.refusal(one.number) is None
    ]
    line = ThirdParty(key=DUTY_LINE, kind=PartyKind.OFFICER, name="", number=duty_line)
    return [line, *allowed] if duty_line else allowed


def parties_of_task(services: Services, assignment_id: int, *, duty_line: str) -> list[ThirdParty]:
    """As `parties_for`. Raises `NotFound`."""
    with services.store.begin() as tx:
        return parties_for(services, tx, get_assignment(tx, assignment_id), duty_line=duty_line)


# What the desk asks for


async def bring_in(
    services: Services,
    actor: Actor,
    client: DeskClient,
    assignment_id: int,
    key: str,
    *,
    holds: bool,
    token: int | None = None,
) -> None:
    """Has a third party of the list join the call under way of this task; with `holds` the person is put on hold until
    the desk takes them back. Audited, and in the timeline. Raises `Overtaken` for a task that this person does not
    hold, `Conflict` without a call, before the person answered and while another third party is in it, `Invalid` for
    somebody who is not in the list, and `Unavailable` if the carrier does not answer.
    """
    with services.store.begin() as tx:
        seen = joined_desk_call(tx, assignment_id, by=actor.name)
    is_there = seen is not None and await is_person_there(client, seen)
    party_id = uuid.uuid4()
    with services.act(actor, Permission.WORK_DESK) as act:
        task, call = _own_call(act, assignment_id, token, seen)
        check_may_move(call, is_there=is_there, now=act.now)
        parties = parties_for(services, act.tx, task, duty_line=client.config.officer_number)
        chosen = next((one for one in parties if one.key == key and one.number != call.extension), None)
        if chosen is None:
            raise Invalid(field="party", problem="is not in the list", fix="choose one of the list")
        has_room = call.talk.room_sid is not None
        leg = PartyLeg().after(PartyEvent.ROOM_BEGAN) if has_room else PartyLeg()
        real_now = services.real.now()
        if not add_party(
            act.tx,
            party_id,
            leg,
            call_id=call.id,
            case_id=call.case_id,
            by=act.by,
            party=chosen.key,
            kind=chosen.kind.value,
            name=chosen.name,
            asked_at=act.now,
            state_since=real_now,
            due_at=real_now + _ASKED_AFTER,
        ):
            raise Conflict(gettext_noop("a third party is in this call already"), current="has_party")
        _audit(act, "third_party", call, chosen.kind, chosen.name)
        facts = party_facts(chosen.kind, chosen.name)
        acts = [Act(case_id=call.case_id, kind=ActKind.PARTY_CALLED, by=act.by, facts=facts)]
        if holds and not call.talk.holds:
            call = replace(call, talk=ask_talk(call.talk, TalkChange.HOLD, now=act.now))
            acts.append(Act(case_id=call.case_id, kind=ActKind.PUT_ON_HOLD, by=act.by))
        note_acts(act.tx, acts, now=act.now)
        step = need_room(act.tx, services, call)
    if step is not None:
        await carry_out(services, client, call, step)
    if has_room and not await _call_party(services, client, party_id):
        raise Unavailable(part="carrier", problem="did not take the call")


async def hand_over(
    services: Services, actor: Actor, client: DeskClient, assignment_id: int, *, token: int | None = None
) -> None:
    """Has the desk leave the call under way of this task, which goes on between the person and the third party.
    Audited; in the timeline when it has happened. Raises as `bring_in`, and `Conflict` before the third party is on the
    line.
    """
    party_id = _change(services, actor, assignment_id, PartyEvent.HAND_OVER, token=token)
    await bring_over(services, client, party_id)


async def send_away(
    services: Services, actor: Actor, client: DeskClient, assignment_id: int, *, token: int | None = None
) -> None:
    """Ends the leg of the third party; the two go on. Audited. Raises as `hand_over`."""
    party_id = _change(services, actor, assignment_id, PartyEvent.STOPPED, token=token)
    await _end_leg(services, client, party_id)


_ACTS: Final[Mapping[PartyEvent, str]] = {
    PartyEvent.HAND_OVER: "third_party_hand_over",
    PartyEvent.STOPPED: "third_party_leaves",
}


def _change(
    services: Services, actor: Actor, assignment_id: int, event: PartyEvent, *, token: int | None
) -> uuid.UUID:
    """Applies what the desk asks for to the leg in its call; what was asked for before changes nothing."""
    with services.store.begin() as tx:
        seen = joined_desk_call(tx, assignment_id, by=actor.name)
    with services.act(actor, Permission.WORK_DESK) as act:
        _, call = _own_call(act, assignment_id, token, seen)
        found = party_of(act.tx, call.id)
        if found is None:
            raise Conflict(gettext_noop("no third party is in this call"), current="no_party")
        party = lock_party(act.tx, found.id)
        leg = party.leg.after(event)
        if leg is party.leg:
            if event is PartyEvent.HAND_OVER and party.leg.state is not PartyState.TAKING_OVER:
                raise Conflict(gettext_noop("the third party is not on the line"), current="not_answered")
            act.needs_no_record()
            return party.id
        _store(act.tx, services, party, leg)
        _audit(act, _ACTS[event], call, party.kind, party.name)
        if event is PartyEvent.HAND_OVER and call.talk.holds:
            talk = ask_talk(call.talk, TalkChange.RESUME, now=act.now)
            due_at = None if talk.is_settled else services.real.now() + _ASKED_AFTER
            change_talk(act.tx, call.id, talk, due_at=due_at, hold_alarm_at=None)
        return party.id


def _own_call(
    act: OpenAct, assignment_id: int, token: int | None, seen: DeskCall | None
) -> tuple[Assignment, DeskCall]:
    task = get_assignment(act.tx, assignment_id)
    if not task.is_held_by(act.by) or (token is not None and token != task.token):
        raise overtaken_by(task)
    # The call alone is locked, as by news of it: its case is behind it in the lock order.
    call = None if seen is None else lock_desk_call(act.tx, seen.id)
    if call is None or not call.may_hold:
        raise Conflict("no call is under way", current="no_call")
    return task, call


def _audit(act: OpenAct, name: str, call: DeskCall, kind: PartyKind, party: str) -> None:
    facts: dict[str, object] = {"desk_call": str(call.id), "party_kind": kind.value, "party": party}
    act.audit(name, f"case/{call.case_id}", facts=facts)


# What the carrier reports


def admit_party(services: Services, party_id: uuid.UUID, sid: str) -> uuid.UUID | None:
    """The third party has answered. Returns the id of the call whose room the leg enters; None: it is to be hung up,
    since the call is over or the desk wants it no more. Raises `NotFound`.
    """
    with services.store.begin() as tx:
        party = lock_party(tx, party_id)
        if party.sid is None:
            change_party(tx, party_id, sid=sid)
    with services.store.begin() as tx:
        call = lock_desk_call(tx, party.call_id)
    return call.id if party.leg.is_live and call.may_hold and call.talk.room_sid is not None else None


def apply_party_event(services: Services, party_id: uuid.UUID, progress: CallProgress) -> None:
    """Applies a status event of the third party's leg. Late and repeated ones change nothing. Raises `NotFound`."""
    with services.store.begin() as tx:
        party = lock_party(tx, party_id)
        if party.sid is None:
            change_party(tx, party_id, sid=progress.sid)
        if progress.stage is Stage.ENDED:
            _apply(tx, services, party, PartyEvent.LEG_OVER)


async def apply_room_news_to_party(
    services: Services, client: DeskClient, call_id: uuid.UUID, news: RoomNews
) -> None:
    """Applies a report about the room of a call: it has begun, so that the third party is called; or the third party
    has entered. Raises `Unavailable`.
    """
    event = None
    if news.has_begun:
        event = PartyEvent.ROOM_BEGAN
    elif news.has_entered and news.voice is RoomVoice.THIRD_PARTY:
        event = PartyEvent.ENTERED
    if event is None:
        return
    with services.store.begin() as tx:
        found = party_of(tx, call_id)
        changed = found is not None and _apply(tx, services, lock_party(tx, found.id), event)
    if found is not None and changed and event is PartyEvent.ROOM_BEGAN:
        await _call_party(services, client, found.id)


def _apply(tx: Tx, services: Services, party: PartyInCall, event: PartyEvent) -> bool:
    leg = party.leg.after(event)
    if leg is party.leg:
        return False
    _store(tx, services, party, leg)
    return True


def _store(tx: Tx, services: Services, before: PartyInCall, leg: PartyLeg) -> None:
    real_now = services.real.now()
    due_at = real_now + _DUE.get(leg.state, _ASKED_AFTER)
    store_party(tx, before, leg, now=services.clock.now(), real_now=real_now, due_at=due_at)


# What is asked of the carrier


async def _call_party(services: Services, client: DeskClient, party_id: uuid.UUID) -> bool:
    """Calls the third party, once: a request without an answer is not made again. False: the carrier refused it, or
    they are in the list no more, and the leg is over.
    """
    with services.store.begin() as tx:
        party = lock_party(tx, party_id)
    with services.store.begin() as tx:
        task = get_assignment(tx, lock_desk_call(tx, party.call_id).assignment_id)
        parties = parties_for(services, tx, task, duty_line=client.config.officer_number)
    number = next((one.number for one in parties if one.key == party.party), None)
    answer = None if number is None else await client.call_third_party(party_id, number)
    is_refused = answer is None or isinstance(answer, Refused)
    with services.store.begin() as tx:
        party = lock_party(tx, party_id)
        if isinstance(answer, Placed) and party.sid is None:
            change_party(tx, party_id, sid=answer.sid)
        if is_refused:
            _apply(tx, services, party, PartyEvent.LEG_OVER)
    return not is_refused


async def bring_over(
    services: Services, client: DeskClient, party_id: uuid.UUID, *, again: bool = False
) -> None:
    """Makes the requests that hand the call over, one after the other, as far as they are carried out. `again`: no
    request is under way any more. Raises `Unavailable`; then they are made again until the call is over.
    """
    while True:
        with services.store.begin() as tx:
            party = lock_party(tx, party_id)
            leg = party.leg
            if again and leg.asked is not None:
                leg = leg.answered(is_done=False)
            step = leg.next_step()
            if step is None:
                return
            change_party(tx, party_id, leg.ask(step), due_at=services.real.now() + _ASKED_AFTER)
        again = False
        done = await _request(services, client, party, step)
        with services.store.begin() as tx:
            party = lock_party(tx, party_id)
            if party.leg.asked is not step:
                return  # it was late: another request has been made since
            leg = party.leg.answered(is_done=done is True)
            _store(tx, services, party, leg.after(PartyEvent.LEG_OVER) if done is None else leg)
        if done is not True:
            return


async def _request(
    services: Services, client: DeskClient, party: PartyInCall, step: HandOverStep
) -> bool | None:
    """Whether it was carried out; None: the third party is not in the room any more."""
    with services.store.begin() as tx:
        call = lock_desk_call(tx, party.call_id)
    room_sid, sid = call.talk.room_sid, call.sid
    assert room_sid is not None, "who takes a call over is in its room"
    assert sid is not None, "only a call that the carrier took has a room"
    match step:
        case HandOverStep.LET_DESK_GO:
            return await client.change_ending(room_sid, RoomVoice.DESK, ends=False)
        case HandOverStep.TAKE_BACK:
            person = await client.change_voice(call.id, room_sid, RoomVoice.PERSON, hold=False)
            return person is not None and not person[0]
        case HandOverStep.HANG_UP_DESK:
            if not await client.change_ending(room_sid, RoomVoice.THIRD_PARTY, ends=False):
                return None
            await client.hang_up(sid)
            return True
        case HandOverStep.BIND:
            return await client.change_ending(room_sid, RoomVoice.THIRD_PARTY, ends=True) or None


async def tend_parties(services: Services, client: DeskClient) -> None:
    """Looks after the legs about which nothing was heard in time. Raises `Unavailable`."""
    with services.store.begin() as tx:
        due = due_parties(tx, real_now=services.real.now())
    for party_id in due:
        with services.store.begin() as tx:
            party = lock_party(tx, party_id)
            change_party(tx, party_id, due_at=services.real.now() + _ASKED_AFTER)
        match party.leg.state:
            case PartyState.MOVING:
                await _call_if_moved(services, client, party)
            case PartyState.CALLING | PartyState.CONNECTED:
                await _find_in_room(services, client, party)
            case PartyState.TAKING_OVER:
                _raise_if_stuck(services, party_id)
                await bring_over(services, client, party_id, again=True)
            case PartyState.HAS_CALL:
                await bring_over(services, client, party_id, again=True)
                await _find_in_room(services, client, party)
            case PartyState.LEAVING:
                _raise_if_stuck(services, party_id)
                await _end_leg(services, client, party_id)
            case PartyState.ENDED:
                pass


async def _call_if_moved(services: Services, client: DeskClient, party: PartyInCall) -> None:
    with services.store.begin() as tx:
        has_room = lock_desk_call(tx, party.call_id).talk.room_sid is not None
    if not has_room and not _is_lost(services, party):
        return
    event = PartyEvent.ROOM_BEGAN if has_room else PartyEvent.STOPPED
    with services.store.begin() as tx:
        is_changed = _apply(tx, services, lock_party(tx, party.id), event)
    if is_changed and has_room:
        await _call_party(services, client, party.id)


async def _find_in_room(services: Services, client: DeskClient, party: PartyInCall) -> None:
    """Asks whether the leg has entered, or has left, without a report."""
    with services.store.begin() as tx:
        room_sid = lock_desk_call(tx, party.call_id).talk.room_sid
    ends = party.leg.state is PartyState.HAS_CALL
    is_in_room = room_sid is not None and await client.change_ending(
        room_sid, RoomVoice.THIRD_PARTY, ends=ends
    )
    is_calling = party.leg.state is PartyState.CALLING
    event = PartyEvent.ENTERED
    if not is_in_room:
        if is_calling and not _is_lost(services, party):
            return
        event = PartyEvent.STOPPED if is_calling else PartyEvent.LEG_OVER
    with services.store.begin() as tx:
        _apply(tx, services, lock_party(tx, party.id), event)
    if event is PartyEvent.STOPPED:
        await _end_leg(services, client, party.id)


def _is_lost(services: Services, party: PartyInCall) -> bool:
    return services.real.now() - party.state_since >= _LOST_AFTER


def _raise_if_stuck(services: Services, party_id: uuid.UUID) -> None:
    with services.store.begin() as tx:
        party = lock_party(tx, party_id)
        if party.alarm_at is not None or services.real.now() - party.state_since < STUCK_AFTER:
            return
        now = services.clock.now()
        change_party(tx, party_id, alarm_at=now)
        raise_alarm(tx, AlarmCode.THIRD_PARTY_STUCK, now=now, case_id=party.case_id, facts={"by": party.by})


async def _end_leg(services: Services, client: DeskClient, party_id: uuid.UUID) -> None:
    """Asks the carrier to end a leg that leaves; one that it does not know or that is over has ended."""
    with services.store.begin() as tx:
        party = lock_party(tx, party_id)
        if party.leg.state is not PartyState.LEAVING:
            return
        change_party(tx, party_id, due_at=services.real.now() + _DUE[PartyState.LEAVING])
    # Without a sid nothing was heard of the leg: should it be answered after all, it is hung up.
    if party.sid is None or not await client.hang_up(party.sid):
        with services.store.begin() as tx:
            _apply(tx, services, lock_party(tx, party_id), PartyEvent.LEG_OVER)
