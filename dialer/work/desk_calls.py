"""Calls put through from a desk: the carrier calls the caller's own telephone, then the person's. A number has at most
one live call: a desk call is refused while another call holds the number. Also the duty line's answer to a hand-over.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from dialer.calls.events import EventReading, number_limits
from dialer.calls.recordings import expect_recording, wants_recording
from dialer.calls.store import AttemptChange, Call, StoredEvent
from dialer.cases.attempts import rest_called_numbers
from dialer.cases.persons import family_numbers, person_of_case
from dialer.cases.store import Act, get_case, lock_cases, note_acts
from dialer.core.access import Actor, Permission
from dialer.core.case import DESK_HAS_LEFT, DeskCallState, Reason
from dialer.core.errors import Conflict, Invalid, Unavailable
from dialer.core.events import HandOverAnswered
from dialer.core.text import Text
from dialer.core.third_party import PartyEvent, PartyState
from dialer.core.timeline import ActKind
from dialer.core.values import TelephonyResult
from dialer.db.unit_of_work import Tx
from dialer.duty.presence import follow_work
from dialer.runtime.services import Services
from dialer.staff.sign_in import extension_of
from dialer.telephony.callbacks import CallProgress, PersonLeg, Stage
from dialer.telephony.channels import Placed, Refused
from dialer.telephony.client import DeskClient, DeskOrder
from dialer.telephony.rooms import TALK_LIMIT_SECONDS
from dialer.work.assignments import get_assignment, lock_signed_assignment
from dialer.work.desk_store import (
    DeskCall,
    add_desk_call,
    change_desk_call,
    language_of_case,
    lock_desk_call,
    note_person_told,
    take_family_number,
    take_number_for_desk_call,
    unsettled_desk_calls,
)
from dialer.work.desk_talk import tend_talk, without_talk
from dialer.work.inbound_store import is_telephone_free
from dialer.work.listening import tend_listeners
from dialer.work.listening_store import end_listeners
from dialer.work.third_parties import tend_parties
from dialer.work.third_party_store import move_party_of, party_of


def apply_desk_event(services: Services, call_id: uuid.UUID, progress: CallProgress) -> uuid.UUID | None:
    """Applies a status event of the caller's own leg. Late and repeated ones change nothing. Returns the id of the
    third party that has the call now, which the carrier does not know yet; None: there is none. Raises `NotFound`.
    """
    with services.store.begin() as tx:
        call = lock_desk_call(tx, call_id)
        if call.sid is None:
            change_desk_call(tx, call_id, sid=progress.sid)
        if call.state in DESK_HAS_LEFT:
            return None
        match progress.stage:
            case Stage.ENDED if (party_id := _leave_to_party(tx, services, call)) is not None:
                return party_id
            case Stage.ENDED:
                picked_up = progress.result is TelephonyResult.ANSWERED
                # The person was called only if the caller answered; the result of that leg is asked for later.
                result = TelephonyResult.UNKNOWN if picked_up else TelephonyResult.CANCELED
                end_desk_call(tx, services, call, PersonLeg(result=result), settled=not picked_up)
            case Stage.ANSWERED:
                if call.state is not DeskCallState.JOINED:
                    joined_at = services.clock.now()
                    change_desk_call(tx, call_id, state=DeskCallState.JOINED.value, joined_at=joined_at)
            case Stage.RINGING:
                if call.state is DeskCallState.ASKED:
                    change_desk_call(tx, call_id, state=DeskCallState.RINGING.value)
            case Stage.INITIATED:
                pass
    return None


def _leave_to_party(tx: Tx, services: Services, call: DeskCall) -> uuid.UUID | None:
    """The caller's own leg is over: the third party to whom the call is being handed over has it, and the caller is
    free. None: there is none, and the call is over.
    """
    if not call.talk.needs_room:
        return None
    now = services.clock.now()
    real_now = services.real.now()
    party = move_party_of(tx, call.id, PartyEvent.DESK_LEFT, now=now, real_now=real_now)
    if party is None or party.leg.state is not PartyState.HAS_CALL:
        return None
    change_desk_call(tx, call.id, state=DeskCallState.HANDED_OVER.value, **without_talk())
    end_listeners(tx, call.id, now=now, real_now=real_now)
    follow_work(tx, services, call.by)
    return party.id


def apply_person_leg_event(
    services: Services, call_id: uuid.UUID, leg: PersonLeg, *, ends_dial: bool = False
) -> bool:
    """Applies the end of the person's leg, once; with `ends_dial` the end of the desk's Dial. True: the Dial ended
    because both legs move into the room, and the call goes on. Raises `NotFound`.
    """
    with services.store.begin() as tx:
        call = lock_desk_call(tx, call_id)
        if call.settled:
            return False
        if ends_dial and call.talk.in_room:
            return True
        end_desk_call(tx, services, call, leg, settled=True)
        return False


def end_desk_call(tx: Tx, services: Services, call: DeskCall, leg: PersonLeg, *, settled: bool) -> None:
    """The call has ended; with `settled` its result is final and in the timeline."""
    now = services.clock.now()
    if settled and call.records and call.sid is not None and leg.result in _MAY_BE_RECORDED:
        expect_recording(
            tx,
            desk_call_id=call.id,
            case_id=call.case_id,
            called_at=call.joined_at or now,
            real_now=services.real.now(),
            drill=call.drill,
        )
    change_desk_call(
        tx,
        call.id,
        state=DeskCallState.ENDED.value,
        result=leg.result.value,
        talk_seconds=leg.talk_seconds,
        settled=settled,
        ended_at=call.ended_at or now,
        **(without_talk() if call.talk.in_room else {}),
    )
    if call.talk.in_room:
        end_listeners(tx, call.id, now=now, real_now=services.real.now())
        move_party_of(tx, call.id, PartyEvent.CALL_OVER, now=now, real_now=services.real.now())
    if call.state is not DeskCallState.ENDED:
        rest_called_numbers(tx, {call.id: leg.result}, number_limits(services), now=now)
        follow_work(tx, services, call.by)
    if settled:
        facts: dict[str, object] = {
            "assignment_id": call.assignment_id,
            "number": call.number + 1,
            "result": leg.result.value,
            "talk_seconds": leg.talk_seconds,
        }
        if call.records:
            facts["call_id"] = str(call.id)
        kind = ActKind.FAMILY_DIALLED if call.family else ActKind.DIALLED
        act = Act(case_id=call.case_id, kind=kind, by=call.by, facts=facts)
        note_acts(tx, [act], now=now)


_LOST_AFTER: Final = timedelta(minutes=5)
"""In real time. A call for which the carrier has sent no event by then was never made; of a call that has ended, the
carrier reports the second leg by then, or never.
"""
_OVER_AFTER: Final = timedelta(seconds=TALK_LIMIT_SECONDS + 300)
"""In real time. The carrier ends a call long before."""
_HANDED_OVER_FOR: Final = timedelta(seconds=2 * TALK_LIMIT_SECONDS + 300)
"""In real time. The same for a call that was handed over, perhaps at its end."""


async def dial_from_desk(
    services: Services,
    actor: Actor,
    client: DeskClient,
    assignment_id: int,
    *,
    token: int | None = None,
    extension: str,
    number: int = 0,
    family: bool = False,
) -> DeskCall:
    """Puts a call through: the caller's telephone rings, or is about to. `number` is which of the person's numbers,
    from 0; with `family`, which number of the family contact, for a task that is a call to the family. Raises
    `Overtaken` for a task that this person does not hold, `Conflict` while the number is in a call, and `Unavailable`
    when the carrier refused.
    """
    own = extension_of(services, extension)
    call_id = uuid.uuid4()
    order = _begin(
        services, actor, call_id, assignment_id, token=token, extension=own, number=number, family=family
    )
    answer = await client.call_from_desk(order)
    with services.store.begin() as tx:
        call = lock_desk_call(tx, call_id)
        if isinstance(answer, Placed) and call.sid is None:
            change_desk_call(tx, call_id, sid=answer.sid)
        if isinstance(answer, Refused) and call.state is DeskCallState.ASKED:
            end_desk_call(tx, services, call, PersonLeg(result=TelephonyResult.FAILED), settled=True)
        after = lock_desk_call(tx, call_id)
    if isinstance(answer, Refused):
        raise Unavailable(part="carrier", problem="did not take the call")
    return after


def _begin(
    services: Services,
    actor: Actor,
    call_id: uuid.UUID,
    assignment_id: int,
    *,
    token: int | None,
    extension: str,
    number: int,
    family: bool,
) -> DeskOrder:
    """Stores the call, which then holds the number, before the carrier is asked."""
    with services.act(actor, Permission.WORK_DESK) as act:
        tx = act.tx
        # The call's foreign key locks the case, which comes first in the lock order.
        lock_cases(tx, [get_assignment(tx, assignment_id).case_id])
        held = lock_signed_assignment(tx, assignment_id, by=act.by, token=token)
        person = person_of_case(tx, held.case_id)
        stored = get_case(tx, held.case_id)
        assert person is not None
        assert stored is not None
        if family and held.reason is not Reason.FAMILY_CALL:
            raise Conflict("this is no longer a call to the family", current=held.reason.value)
        phones = family_numbers(person, services.centre.area_code) if family else person.phones
        if not 0 <= number < len(phones):
            range_of = Text("0 to %(most)s", most=len(phones) - 1)
            raise Invalid(field="number", problem="is not a number of the person", fix=range_of)
        if (why := services.numbers.refusal(phones[number])) is not None:
            raise Invalid(field="number", problem=why)
        if not is_telephone_free(tx, extension):
            raise Conflict("your telephone is in a call now: wait for its end", current="telephone_busy")
        if not (
            take_family_number(tx, call_id, phones[number])
            if family
            else take_number_for_desk_call(tx, call_id, person_id=stored.person_id, number=number)
        ):
            raise Conflict("the number is in a call now: wait for its end", current="number_busy")
        records = wants_recording(services, stored)
        add_desk_call(
            tx,
            call_id,
            assignment_id=assignment_id,
            case_id=held.case_id,
            person_id=stored.person_id,
            number=number,
            family=family,
            extension=extension,
            by=act.by,
            records=records,
            drill=stored.drill,
            asked_at=act.now,
            asked_real_at=services.real.now(),
        )
        follow_work(tx, services, act.by)
        return DeskOrder(call_id=call_id, extension=extension, to=phones[number], records=records)


def language_of_desk_call(services: Services, call_id: uuid.UUID) -> str:
    """The language in which the person last spoke with the robot; '' if they never did. Raises `NotFound`."""
    with services.store.begin() as tx:
        return language_of_case(tx, lock_desk_call(tx, call_id).case_id)


def tell_person_of_recording(services: Services, call_id: uuid.UUID) -> str:
    """Notes that the person is told now that the call is recorded. Returns the language, as `language_of_desk_call`."""
    with services.store.begin() as tx:
        return language_of_case(tx, note_person_told(tx, call_id, now=services.clock.now()))


_MAY_BE_RECORDED: Final = (TelephonyResult.ANSWERED, TelephonyResult.UNKNOWN)


async def settle_desk_calls(services: Services, client: DeskClient) -> int:
    """Asks the carrier for the second leg of ended calls; a call without events for too long is settled as unknown.
    Looks after hold and mute of the others, after supervisors who listen, and after third parties; ends the leg of a
    person who is alone. Returns how many were settled.
    """
    with services.store.begin() as tx:
        open_calls = unsettled_desk_calls(tx)
    await tend_listeners(services, client)
    await tend_parties(services, client)
    settled = 0
    for call, asked_at in open_calls:
        await tend_talk(services, client, call)
        age = services.real.now() - asked_at
        leg: PersonLeg | None = None
        if call.state in DESK_HAS_LEFT and call.sid is not None:
            leg = await client.second_leg(call.sid)
            if leg is None and call.talk.in_room and not _has_party(services, call):
                await client.hang_up_person(call.sid)
        lost = age > _longest(call)
        if call.ended_at is not None:
            # However long the talk was: the carrier is asked again for a while after its end.
            lost = lost and services.clock.now() - call.ended_at > _LOST_AFTER
        if leg is None and not lost:
            continue
        with services.store.begin() as tx:
            now = lock_desk_call(tx, call.id)
            if not now.settled:
                end_desk_call(
                    tx, services, now, leg or PersonLeg(result=TelephonyResult.UNKNOWN), settled=True
                )
                settled += 1
    return settled


def _longest(call: DeskCall) -> timedelta:
    """How long after its request, in real time, a call without news is lost."""
    if call.sid is None or call.state is DeskCallState.ENDED:
        return _LOST_AFTER
    return _HANDED_OVER_FOR if call.state is DeskCallState.HANDED_OVER else _OVER_AFTER


def _has_party(services: Services, call: DeskCall) -> bool:
    """Whether somebody talks with the person of a call that its desk has left."""
    if call.state is not DeskCallState.HANDED_OVER:
        return False
    with services.store.begin() as tx:
        party = party_of(tx, call.id)
    return party is not None and party.leg.state is PartyState.HAS_CALL


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyLineEvent:
    """An event of the duty line at a conversation's `step`: it answered, the call ended, or the person left before it
    answered. `desk` is the carrier's word for it.
    """

    attempt_id: uuid.UUID
    step: int
    desk: str
    took: bool = True
    """An officer has, or had, the person on the line."""
    talking: bool = False
    """The call is under way; its end comes with the conversation's own step."""

    def read(self, _services: Services, call: Call, _now: datetime) -> EventReading:
        """What the desk's answer changes: the call is talking to a desk, or goes on with the script."""
        stored = StoredEvent(
            attempt_id=self.attempt_id,
            case_id=call.case_id,
            step=f"desk.{self.step}" if self.talking else f"talk.{self.step}",
            kind="desk",
            facts={"desk": self.desk},
            personal={},
        )
        return EventReading(
            stored=stored,
            may_move=self.took,
            # The attempt stays as it is; the case gets the event even when the call has ended.
            change=lambda call, _now, _poll_at: AttemptChange(attempt_id=call.attempt_id, state=call.state),
            event=lambda _call, _change: HandOverAnswered() if self.took else None,
        )
