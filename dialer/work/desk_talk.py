"""Hold and mute in a call from a desk. The desk's wish is stored first, then the carrier is asked; what holds is what
the carrier reports. A call without a report is looked after until it has one, or is over.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from dialer.cases.store import Act, note_acts
from dialer.core.access import Actor, Permission
from dialer.core.case import DeskCallState
from dialer.core.errors import Conflict
from dialer.core.events import AlarmCode
from dialer.core.talk import (
    RoomNews,
    RoomVoice,
    Talk,
    TalkChange,
    TalkStep,
    ask_talk,
    next_talk_step,
    report_talk,
)
from dialer.core.text import gettext_noop
from dialer.core.third_party import PartyState
from dialer.core.timeline import ActKind
from dialer.db.alarms import raise_alarm
from dialer.db.unit_of_work import Tx
from dialer.runtime.services import Services
from dialer.telephony.client import DeskClient
from dialer.work.assignments import get_assignment, overtaken_by
from dialer.work.desk_store import DeskCall, change_desk_call, change_talk, joined_desk_call, lock_desk_call
from dialer.work.third_party_store import party_of

_REPORTED_BY: Final = timedelta(seconds=5)
"""In real time: a carrier that has not reported by then is asked."""
_TOLD_AFTER: Final = timedelta(seconds=6)
"""Of service time, from the request for the notice that the call is recorded to its end."""
_ACTS: Final[Mapping[TalkChange, ActKind]] = {
    TalkChange.HOLD: ActKind.PUT_ON_HOLD,
    TalkChange.RESUME: ActKind.TAKEN_OFF_HOLD,
    TalkChange.MUTE: ActKind.DESK_MUTED,
    TalkChange.UNMUTE: ActKind.DESK_UNMUTED,
}


async def ask_for_talk(
    services: Services,
    actor: Actor,
    client: DeskClient,
    assignment_id: int,
    change: TalkChange,
    *,
    token: int | None = None,
) -> None:
    """Holds or mutes in the call under way of this task, or takes it back. What was asked for before changes nothing.
    Raises `Overtaken` for a task that this person does not hold, `Conflict` without a call or before the person
    answered, and `Unavailable` if the carrier does not answer: it is asked again until the call is over.
    """
    with services.store.begin() as tx:
        call = joined_desk_call(tx, assignment_id, by=actor.name)
    is_there = call is not None and await is_person_there(client, call)
    with services.act(actor, Permission.WORK_DESK) as act:
        task = get_assignment(act.tx, assignment_id)
        if not task.is_held_by(act.by) or (token is not None and token != task.token):
            raise overtaken_by(task)
        # The call alone is locked, as by news of it: its case is behind it in the lock order.
        call = None if call is None else lock_desk_call(act.tx, call.id)
        if call is None or not call.may_hold:
            raise Conflict("no call is under way", current="no_call")
        check_may_move(call, is_there=is_there, now=act.now)
        if change is TalkChange.HOLD and _is_leaving(act.tx, call):
            raise Conflict(gettext_noop("the call is being handed over"), current="taking_over")
        talk = ask_talk(call.talk, change, now=act.now)
        if talk == call.talk:
            act.needs_no_record()
            return
        step = next_talk_step(talk)
        talk = replace(talk, in_room=talk.in_room or (step is not None and step.enters))
        alarm_at = call.hold_alarm_at if talk.holds else None
        due_at = None if talk.is_settled else services.real.now() + _REPORTED_BY
        change_talk(act.tx, call.id, talk, due_at=due_at, hold_alarm_at=alarm_at)
        facts: dict[str, object] = {"assignment_id": assignment_id}
        if change is TalkChange.RESUME and call.talk.hold_since is not None:
            facts["talk_seconds"] = int((act.now - call.talk.hold_since).total_seconds())
        note_acts(
            act.tx, [Act(case_id=call.case_id, kind=_ACTS[change], by=act.by, facts=facts)], now=act.now
        )
    if step is not None:
        await carry_out(services, client, call, step)


def _is_leaving(tx: Tx, call: DeskCall) -> bool:
    """Whether the desk is handing the call over to a third party: the person is not to be left on hold."""
    party = party_of(tx, call.id) if call.talk.needs_room else None
    return party is not None and party.leg.state is PartyState.TAKING_OVER


async def apply_room_news(services: Services, client: DeskClient, call_id: uuid.UUID, news: RoomNews) -> None:
    """Applies a report about the room of a call, and asks the carrier for what is still to change. Raises `NotFound`
    and `Unavailable`.
    """
    with services.store.begin() as tx:
        call = lock_desk_call(tx, call_id)
        if call.settled or call.state is DeskCallState.ENDED:
            return
        talk = report_talk(call.talk, news)
        if talk != call.talk:
            change_talk(tx, call_id, talk, due_at=None if talk.is_settled else call.talk_due_at)
    step = next_talk_step(talk)
    if step is not None:
        await carry_out(services, client, call, step, room_sid=talk.room_sid)


async def tend_talk(services: Services, client: DeskClient, call: DeskCall) -> None:
    """Looks after hold and mute of an open call: raises the alarm of a hold that lasts too long, and asks the carrier
    where its report has not come in time. Raises `Unavailable`.
    """
    _raise_held_too_long(services, call)
    if (
        call.talk_due_at is None
        or call.talk_due_at > services.real.now()
        or call.state is DeskCallState.ENDED
    ):
        return
    with services.store.begin() as tx:
        call = lock_desk_call(tx, call.id)
        if call.talk_due_at is None or not call.may_hold:
            return
        change_desk_call(tx, call.id, talk_due_at=services.real.now() + 2 * _REPORTED_BY)
    room_sid = call.talk.room_sid or await client.room_of(call.id)
    if room_sid is None:
        # The room has not begun: the request to enter it was lost.
        await carry_out(services, client, call, TalkStep(enters=True))
        return
    answer = await _ask(client, call, TalkStep(hold=call.talk.holds, mute=call.talk.mutes), room_sid)
    with services.store.begin() as tx:
        now = lock_desk_call(tx, call.id)
        if answer is not None and now.may_hold:
            # No report has come for seconds: the answer stands for it.
            talk = replace(now.talk, room_sid=room_sid, is_held=answer.is_held, is_muted=answer.is_muted)
            change_talk(tx, call.id, talk, due_at=None if talk.is_settled else now.talk_due_at)


async def is_person_there(client: DeskClient, call: DeskCall) -> bool:
    """Whether the person of this call has answered. Raises `Unavailable`."""
    return call.talk.in_room or (call.sid is not None and await client.is_person_on_line(call.sid))


def check_may_move(call: DeskCall, *, is_there: bool, now: datetime) -> None:
    """Raises `Conflict` before the person has answered, or has heard that a recorded call is: a move into the room
    would cut that off.
    """
    was_told = not call.records or (call.told_at is not None and now - call.told_at >= _TOLD_AFTER)
    if not is_there or not was_told:
        raise Conflict("the person has not answered yet", current="not_answered")


def need_room(tx: Tx, services: Services, call: DeskCall) -> TalkStep | None:
    """Notes that the call is to be in its room; what is to be asked of the carrier for it, with `carry_out`."""
    talk = replace(call.talk, needs_room=True)
    step = next_talk_step(talk)
    talk = replace(talk, in_room=talk.in_room or step is not None)
    due_at = None if talk.is_settled else services.real.now() + _REPORTED_BY
    change_talk(tx, call.id, talk, due_at=due_at)
    return step


def without_talk() -> dict[str, object]:
    """The columns of a call that is over: nobody is on hold any more."""
    nothing: dict[str, object] = dict.fromkeys(("is_held", "mutes", "is_muted", "needs_room"), False)
    return nothing | {"hold_since": None, "talk_due_at": None}


def _raise_held_too_long(services: Services, call: DeskCall) -> None:
    since, now = call.talk.hold_since, services.clock.now()
    if since is None or call.hold_alarm_at is not None:
        return
    if now - since < timedelta(seconds=services.work.hold_seconds):
        return
    with services.store.begin() as tx:
        call = lock_desk_call(tx, call.id)
        if call.talk.hold_since != since or call.hold_alarm_at is not None or not call.may_hold:
            return
        change_desk_call(tx, call.id, hold_alarm_at=now)
        raise_alarm(tx, AlarmCode.HELD_TOO_LONG, now=now, case_id=call.case_id, facts={"by": call.by})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    is_held: bool
    is_muted: bool


async def carry_out(
    services: Services, client: DeskClient, call: DeskCall, step: TalkStep, *, room_sid: str | None = None
) -> None:
    """Asks the carrier for this step. Raises `Unavailable`; then it is asked again until the call is over."""
    room_sid = room_sid or call.talk.room_sid
    if not step.enters:
        assert room_sid is not None, "only what has begun is changed"
        await _ask(client, call, step, room_sid)
        return
    assert call.sid is not None, "the person is on the line of a call that the carrier took"
    if await client.enter_room(call.id, call.sid):
        return
    # The person hung up meanwhile. The desk may be in the room already, alone.
    with services.store.begin() as tx:
        change_talk(tx, call.id, Talk(), due_at=None)
    await client.hang_up(call.sid)


async def _ask(client: DeskClient, call: DeskCall, step: TalkStep, room_sid: str) -> _Answer | None:
    """Asks the carrier for the hold and the mute of the step; None if somebody is not in the room any more."""
    held, muted = call.talk.is_held, call.talk.is_muted
    if step.hold is not None:
        person = await client.change_voice(call.id, room_sid, RoomVoice.PERSON, hold=step.hold)
        if person is None:
            return None
        held = person[0]
    if step.mute is not None:
        desk = await client.change_voice(call.id, room_sid, RoomVoice.DESK, mute=step.mute)
        if desk is None:
            return None
        muted = desk[1]
    return _Answer(is_held=held, is_muted=muted)
