"""A caller clicks a number: the carrier rings the caller's own telephone first, then the person's. One live call a
number: while the robot or another desk has it, this is refused.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Final

from dialer.domain.access import actor_name
from dialer.domain.errand import DeskCallState
from dialer.domain.values import TelephonyResult
from dialer.errors import Conflict, Invalid, Unavailable
from dialer.language import Text
from dialer.store import assignments, cases, desk_calls
from dialer.store.desk_calls import DeskCall
from dialer.store.reads import persons
from dialer.telephony.callbacks import PersonLeg
from dialer.telephony.client import Placed, Refused
from dialer.telephony.desk import TALK_LIMIT_SECONDS, DeskClient, DeskOrder
from dialer.usecases.choose_extension import extension_of
from dialer.usecases.engine import Engine
from dialer.usecases.hear_desk import end_desk_call

_LOST_AFTER: Final = timedelta(minutes=5)
"""Real. A call that the carrier never spoke of was never made."""
_OVER_AFTER: Final = timedelta(seconds=TALK_LIMIT_SECONDS + 300)
"""Real. The carrier itself cuts it long before."""


async def dial_from_desk(
    engine: Engine,
    client: DeskClient,
    assignment_id: int,
    *,
    by: str,
    token: int | None = None,
    extension: str,
    number: int = 0,
) -> DeskCall:
    """The caller's telephone rings, or is about to. `number` is which of the person's numbers, from 0. Raises
    `Overtaken` for whoever does not hold the task, `Conflict` when the number is in a call, `Unavailable` when the
    carrier refused.
    """
    who = actor_name(by)
    own = extension_of(extension)
    call_id = uuid.uuid4()
    to = _begin(engine, call_id, assignment_id, by=who, token=token, extension=own, number=number)
    answer = await client.ring(DeskOrder(call_id=call_id, extension=own, to=to))
    with engine.store.begin() as tx:
        call = desk_calls.lock(tx, call_id)
        if isinstance(answer, Placed) and call.sid is None:
            desk_calls.change(tx, call_id, sid=answer.sid)
        if isinstance(answer, Refused) and call.state is DeskCallState.ASKED:
            end_desk_call(tx, engine, call, PersonLeg(result=TelephonyResult.FAILED), settled=True)
        after = desk_calls.lock(tx, call_id)
    if isinstance(answer, Refused):
        raise Unavailable(
            part="carrier", problem=Text("did not take the call (%(fault)s)", fault=answer.fault.value)
        )
    return after


def _begin(
    engine: Engine,
    call_id: uuid.UUID,
    assignment_id: int,
    *,
    by: str,
    token: int | None,
    extension: str,
    number: int,
) -> str:
    """The call is a row and holds the number before the carrier hears of it; the number in clear."""
    with engine.store.begin() as tx:
        # The call's row names the case, and so holds it.
        cases.lock(tx, [assignments.get(tx, assignment_id).case_id])
        held = assignments.lock_held(tx, assignment_id, by=by, token=token)
        person = persons.of_case(tx, held.case_id)
        stored = cases.get(tx, held.case_id)
        assert person is not None
        assert stored is not None
        if not 0 <= number < len(person.phones):
            raise Invalid(
                field="number",
                problem="is none of the person's",
                mend=Text("0 to %(most)s", most=len(person.phones) - 1),
            )
        if not desk_calls.take_number(tx, call_id, person_id=stored.person_id, number=number):
            raise Conflict("the number is in a call now: wait for its end", current="number_busy")
        desk_calls.add(
            tx,
            call_id,
            assignment_id=assignment_id,
            case_id=held.case_id,
            person_id=stored.person_id,
            number=number,
            extension=extension,
            by=by,
            drill=stored.drill,
            now=engine.clock.now(),
            real_now=engine.real.now(),
        )
        return person.phones[number]


async def settle_desk_calls(engine: Engine, client: DeskClient) -> int:
    """Calls that are over and of whose second leg nothing was told are asked about; what the carrier never spoke of, or
    is silent about for too long, is over. How many were settled.
    """
    with engine.store.begin() as tx:
        open_calls = desk_calls.unsettled(tx)
    settled = 0
    for call, asked_at in open_calls:
        age = engine.real.now() - asked_at
        leg: PersonLeg | None = None
        if call.state is DeskCallState.ENDED and call.sid is not None:
            leg = await client.second_leg(call.sid)
        lost = age > (_LOST_AFTER if call.sid is None or call.state is DeskCallState.ENDED else _OVER_AFTER)
        if leg is None and not lost:
            continue
        with engine.store.begin() as tx:
            now = desk_calls.lock(tx, call.id)
            if not now.settled:
                end_desk_call(tx, engine, now, leg or PersonLeg(result=TelephonyResult.UNKNOWN), settled=True)
                settled += 1
    return settled
