"""A supervisor listens to a call from a desk, whispers to its caller, or steps in. The call is moved into its room
first; then the supervisor's own telephone is called, and enters muted.

The wish is stored first, and the carrier is asked after the commit; a leg about which nothing is heard is looked after
until it is over.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Final

from dialer.cases.store import Act, note_acts
from dialer.core.access import Actor, Permission, is_same_actor, required_text
from dialer.core.errors import Conflict, Unavailable
from dialer.core.events import AlarmCode
from dialer.core.listening import ListenEvent, Listening, ListenMode, ListenState
from dialer.core.talk import RoomNews, RoomVoice
from dialer.core.text import gettext_noop
from dialer.core.timeline import ActKind
from dialer.db.alarms import raise_alarm
from dialer.db.unit_of_work import Tx
from dialer.runtime.services import Services
from dialer.staff.sign_in import extension_of
from dialer.telephony.callbacks import CallProgress, Stage
from dialer.telephony.channels import Placed, Refused
from dialer.telephony.client import DeskClient
from dialer.work.desk_store import language_of_case, lock_desk_call
from dialer.work.desk_talk import carry_out, check_may_move, is_person_there, need_room
from dialer.work.inbound_store import is_telephone_free
from dialer.work.listening_store import (
    Listener,
    add_listener,
    case_of_listener,
    change_listener,
    due_listeners,
    listeners_of,
    lock_listener,
    store_leg,
    talk_at_desk,
)

NOTICE_SECONDS: Final = 6
"""The two hear the notice for so long before the supervisor hears them."""
_ASKED_AFTER: Final = timedelta(seconds=15)
"""In real time: longer than a request to the carrier may take. Without news until then the carrier is asked."""
_LOOKED_AFTER: Final = timedelta(seconds=60)
"""In real time: so often a leg that is as wanted is compared with the carrier."""
_LOST_AFTER: Final = timedelta(minutes=3)
"""In real time: a telephone that has not answered by then does not any more, and a call that has no room gets none."""
REMAINS_AFTER: Final = timedelta(seconds=30)
"""In real time: a leg that leaves for longer raises an alarm."""
_DUE: Final = {
    ListenState.LEAVING: timedelta(seconds=5),
    ListenState.CONNECTED: _LOOKED_AFTER,
}


async def listen_to(
    services: Services, actor: Actor, client: DeskClient, staff_id: int, *, extension: str, why: str
) -> None:
    """Has the actor's own telephone join the call under way of this desk, muted. Audited with its reason; where it is
    announced also in the timeline of the case. Raises `Conflict` where there is nothing to listen to or somebody
    listens already, `Invalid` for a telephone that is not of the list or without a reason, and `Unavailable` if the
    carrier does not answer.
    """
    words = required_text("why", why)
    own = extension_of(services, extension)
    with services.store.begin() as tx:
        found = talk_at_desk(tx, staff_id, visible_to=actor.unit_id)
        seen = None if found is None else lock_desk_call(tx, found)
    is_there = seen is not None and await is_person_there(client, seen)
    listener_id = uuid.uuid4()
    with services.act(actor, Permission.LISTEN_IN) as act:
        call = None if found is None else lock_desk_call(act.tx, found)
        if call is None or not call.may_hold:
            raise Conflict(gettext_noop("no call is under way at this desk"), current="no_call")
        if is_same_actor(call.by, act.by):
            raise Conflict(gettext_noop("this is your own call"), current="own_call")
        check_may_move(call, is_there=is_there, now=act.now)
        if not is_telephone_free(act.tx, own):
            raise Conflict("your telephone is in a call now: wait for its end", current="telephone_busy")
        has_room = call.talk.room_sid is not None
        leg = Listening().after(ListenEvent.ROOM_BEGAN) if has_room else Listening()
        is_announced = services.work.listening_is_announced
        if not add_listener(
            act.tx,
            listener_id,
            leg,
            call_id=call.id,
            by=act.by,
            extension=own,
            is_announced=is_announced,
            asked_at=act.now,
            real_now=services.real.now(),
            due_at=services.real.now() + _ASKED_AFTER,
        ):
            raise Conflict(
                gettext_noop("somebody listens to this call, or your telephone is in another one"),
                current="listened_to",
            )
        facts: dict[str, object] = {"case": call.case_id, "desk_call": str(call.id), "extension": own}
        act.audit("listen", f"staff/{staff_id}", why=words, facts=facts)
        if is_announced:
            note_acts(act.tx, [Act(case_id=call.case_id, kind=ActKind.LISTENED_TO, by=act.by)], now=act.now)
        step = need_room(act.tx, services, call)
    if has_room and not await _call_supervisor(services, client, listener_id):
        raise Unavailable(part="carrier", problem="did not take the call")
    if not has_room and step is not None:
        await carry_out(services, client, call, step)


async def change_listening(
    services: Services, actor: Actor, client: DeskClient, staff_id: int, mode: ListenMode
) -> None:
    """Has the actor, who listens to this desk, be heard by nobody, by the caller alone, or by all. Audited. Raises
    `Conflict` if the actor does not listen any more, and as `listen_to`.
    """
    with services.act(actor, Permission.LISTEN_IN) as act:
        listener = _own_listener(act.tx, act.by, staff_id, visible_to=act.actor.unit_id)
        leg = listener.leg.choose(mode)
        if leg == listener.leg:
            act.needs_no_record()
            return
        change_listener(act.tx, listener.id, leg, due_at=services.real.now() + _ASKED_AFTER)
        facts = {"mode": mode.value, "desk_call": str(listener.call_id)}
        act.audit("listen_mode", f"staff/{staff_id}", facts=facts)
    await _bring_to_mode(services, client, listener.id)


async def stop_listening(services: Services, actor: Actor, client: DeskClient, staff_id: int) -> None:
    """Ends the leg of the actor, who listens to this desk. Audited. Raises as `change_listening`."""
    with services.act(actor, Permission.LISTEN_IN) as act:
        listener = _own_listener(act.tx, act.by, staff_id, visible_to=act.actor.unit_id)
        leg = listener.leg.after(ListenEvent.STOPPED)
        _store(act.tx, services, listener, leg)
        act.audit("listen_stop", f"staff/{staff_id}", facts={"desk_call": str(listener.call_id)})
    await _end_leg(services, client, listener.id)


def _own_listener(tx: Tx, by: str, staff_id: int, *, visible_to: int | None) -> Listener:
    found = talk_at_desk(tx, staff_id, visible_to=visible_to)
    listeners = listeners_of(tx, [found]) if found is not None else []
    own = next((one for one in listeners if is_same_actor(one.by, by)), None)
    listener = None if own is None else lock_listener(tx, own.id)
    if listener is None or not listener.leg.is_live:
        raise Conflict(gettext_noop("you do not listen to this desk any more"), current="not_listening")
    return listener


# What the carrier reports


async def admit_listener(
    services: Services, client: DeskClient, listener_id: uuid.UUID, sid: str
) -> tuple[uuid.UUID, int] | None:
    """The supervisor has answered. Returns the id of the call and for how many seconds the leg waits before it enters;
    where listening is announced, caller and person hear so meanwhile. None: the leg is to be hung up, since the call is
    over or the two cannot be told. Raises `NotFound` and `Unavailable`.
    """
    with services.store.begin() as tx:
        listener = lock_listener(tx, listener_id)
        if listener.sid is None:
            change_listener(tx, listener_id, sid=sid)
    with services.store.begin() as tx:
        call = lock_desk_call(tx, listener.call_id)
    if not listener.leg.is_live or not call.may_hold or call.talk.room_sid is None:
        return None
    if not listener.is_announced:
        return call.id, 0
    if not await client.announce_listener(listener_id, call.talk.room_sid):
        return None
    return call.id, NOTICE_SECONDS


def language_of_listened(services: Services, listener_id: uuid.UUID) -> str:
    """The language of the notice that somebody listens; '' where it is not known. Raises `NotFound`."""
    with services.store.begin() as tx:
        return language_of_case(tx, case_of_listener(tx, listener_id))


def apply_listener_event(services: Services, listener_id: uuid.UUID, progress: CallProgress) -> None:
    """Applies a status event of the supervisor's leg. Late and repeated ones change nothing. Raises `NotFound`."""
    with services.store.begin() as tx:
        listener = lock_listener(tx, listener_id)
        if listener.sid is None:
            change_listener(tx, listener_id, sid=progress.sid)
        if progress.stage is Stage.ENDED:
            _apply(tx, services, listener, ListenEvent.LEG_OVER)


async def apply_room_news_to_listeners(
    services: Services, client: DeskClient, call_id: uuid.UUID, news: RoomNews
) -> None:
    """Applies a report about the room of a call: it has begun, so that the supervisor's telephone is called; or the
    supervisor has entered. Raises `Unavailable`.
    """
    event = None
    if news.has_begun:
        event = ListenEvent.ROOM_BEGAN
    elif news.has_entered and news.voice is RoomVoice.SUPERVISOR:
        event = ListenEvent.ENTERED
    if event is None:
        return
    with services.store.begin() as tx:
        found = [lock_listener(tx, one.id) for one in listeners_of(tx, [call_id])]
        changed = [one.id for one in found if _apply(tx, services, one, event)]
    for listener_id in changed:
        if event is ListenEvent.ROOM_BEGAN:
            await _call_supervisor(services, client, listener_id)
        else:
            await _bring_to_mode(services, client, listener_id)


def _apply(tx: Tx, services: Services, listener: Listener, event: ListenEvent) -> bool:
    leg = listener.leg.after(event)
    if leg is listener.leg:
        return False
    _store(tx, services, listener, leg)
    return True


def _store(tx: Tx, services: Services, before: Listener, leg: Listening) -> None:
    real_now = services.real.now()
    due_at = real_now + _DUE.get(leg.state, _ASKED_AFTER)
    store_leg(tx, before, leg, now=services.clock.now(), real_now=real_now, due_at=due_at)


# What is asked of the carrier


async def _call_supervisor(services: Services, client: DeskClient, listener_id: uuid.UUID) -> bool:
    """Calls the supervisor's telephone, once: a request without an answer is not made again. False: the carrier refused
    it, and the leg is over.
    """
    with services.store.begin() as tx:
        listener = lock_listener(tx, listener_id)
    answer = await client.call_supervisor(listener_id, listener.extension)
    with services.store.begin() as tx:
        listener = lock_listener(tx, listener_id)
        if isinstance(answer, Placed) and listener.sid is None:
            change_listener(tx, listener_id, sid=answer.sid)
        if isinstance(answer, Refused):
            _apply(tx, services, listener, ListenEvent.LEG_OVER)
    return not isinstance(answer, Refused)


async def _bring_to_mode(
    services: Services, client: DeskClient, listener_id: uuid.UUID, *, again: bool = False
) -> None:
    """Asks the carrier until the leg is heard by whom its supervisor wants; one request at a time. `again`: no request
    is under way any more, and one is made even if all is as wanted. Who is not in the room any more leaves. Raises
    `Unavailable`; then it is asked again until the call is over.
    """
    while True:
        with services.store.begin() as tx:
            listener = lock_listener(tx, listener_id)
            leg = listener.leg
            if again and leg.asked is not None:
                leg = leg.answered(None)
            mode = leg.next_request() or (leg.wants if again else None)
            if mode is None or leg.state is not ListenState.CONNECTED:
                return
            due_at = services.real.now() + _ASKED_AFTER
            change_listener(tx, listener_id, replace(leg, asked=mode), due_at=due_at)
        again = False
        answer = await _request(services, client, listener, mode)
        with services.store.begin() as tx:
            listener = lock_listener(tx, listener_id)
            if listener.leg.asked is not mode:
                return  # it was late: another request has been made since
            leg = listener.leg.answered(answer)
            _store(tx, services, listener, leg.after(ListenEvent.STOPPED) if answer is None else leg)
        if answer is not mode:
            return


async def _request(
    services: Services, client: DeskClient, listener: Listener, mode: ListenMode
) -> ListenMode | None:
    with services.store.begin() as tx:
        call = lock_desk_call(tx, listener.call_id)
    room_sid, sid = call.talk.room_sid, call.sid
    if room_sid is None or sid is None:
        return None
    return await client.change_listener(room_sid, mode, caller_sid=sid)


async def tend_listeners(services: Services, client: DeskClient) -> None:
    """Looks after the legs about which nothing was heard in time. Raises `Unavailable`."""
    with services.store.begin() as tx:
        due = due_listeners(tx, real_now=services.real.now())
    for listener_id in due:
        with services.store.begin() as tx:
            listener = lock_listener(tx, listener_id)
            change_listener(tx, listener_id, due_at=services.real.now() + _ASKED_AFTER)
        match listener.leg.state:
            case ListenState.MOVING:
                await _call_if_moved(services, client, listener)
            case ListenState.CALLING:
                await _find_in_room(services, client, listener)
            case ListenState.CONNECTED:
                await _bring_to_mode(services, client, listener_id, again=True)
            case ListenState.LEAVING:
                await _end_leg(services, client, listener_id)
            case ListenState.ENDED:
                pass


async def _call_if_moved(services: Services, client: DeskClient, listener: Listener) -> None:
    with services.store.begin() as tx:
        has_room = lock_desk_call(tx, listener.call_id).talk.room_sid is not None
    event = ListenEvent.ROOM_BEGAN if has_room else ListenEvent.STOPPED
    if not has_room and not _is_lost(services, listener):
        return
    with services.store.begin() as tx:
        is_changed = _apply(tx, services, lock_listener(tx, listener.id), event)
    if is_changed and has_room:
        await _call_supervisor(services, client, listener.id)


async def _find_in_room(services: Services, client: DeskClient, listener: Listener) -> None:
    """Asks whether the leg has entered without a report."""
    is_in_room = await _request(services, client, listener, ListenMode.LISTEN) is not None
    if not is_in_room and not _is_lost(services, listener):
        return
    event = ListenEvent.ENTERED if is_in_room else ListenEvent.STOPPED
    with services.store.begin() as tx:
        _apply(tx, services, lock_listener(tx, listener.id), event)
    if is_in_room:
        await _bring_to_mode(services, client, listener.id)
    else:
        await _end_leg(services, client, listener.id)


def _is_lost(services: Services, listener: Listener) -> bool:
    return services.real.now() - listener.state_since >= _LOST_AFTER


async def _end_leg(services: Services, client: DeskClient, listener_id: uuid.UUID) -> None:
    """Asks the carrier to end a leg that leaves; one that it does not know or that is over has ended. One that does not
    end raises an alarm.
    """
    with services.store.begin() as tx:
        listener = lock_listener(tx, listener_id)
        if listener.leg.state is not ListenState.LEAVING:
            return
        change_listener(tx, listener_id, due_at=services.real.now() + _DUE[ListenState.LEAVING])
        lasts = services.real.now() - listener.state_since
        if lasts >= REMAINS_AFTER and listener.alarm_at is None:
            now = services.clock.now()
            change_listener(tx, listener_id, alarm_at=now)
            raise_alarm(tx, AlarmCode.LISTENER_REMAINS, now=now, facts={"by": listener.by})
    # Without a sid nothing was heard of the leg: should it be answered after all, it is hung up.
    if listener.sid is None or not await client.hang_up(listener.sid):
        with services.store.begin() as tx:
            _apply(tx, services, lock_listener(tx, listener_id), ListenEvent.LEG_OVER)
