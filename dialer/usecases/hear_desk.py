"""What the carrier says of a call from a desk. Late and repeated news changes nothing."""

from __future__ import annotations

import uuid
from datetime import timedelta

from dialer.domain.acts import ActKind
from dialer.domain.errand import DeskCallState
from dialer.domain.values import TelephonyResult
from dialer.store import acts, desk_calls
from dialer.store.acts import Act
from dialer.store.desk_calls import DeskCall
from dialer.store.unit_of_work import Tx
from dialer.telephony.callbacks import PersonLeg
from dialer.telephony.progress import CallProgress, Stage
from dialer.usecases.engine import Engine


def hear_desk_leg(engine: Engine, call_id: uuid.UUID, progress: CallProgress) -> None:
    """The caller's own telephone. Raises `NotFound`."""
    with engine.store.begin() as tx:
        call = desk_calls.lock(tx, call_id)
        if call.sid is None:
            desk_calls.change(tx, call_id, sid=progress.sid)
        if call.state is DeskCallState.ENDED:
            return
        now = engine.clock.now()
        match progress.stage:
            case Stage.ENDED:
                picked_up = progress.result is TelephonyResult.ANSWERED
                # Without the caller nobody was rung. When he hung up first, the person's leg is asked about later.
                result = TelephonyResult.UNKNOWN if picked_up else TelephonyResult.CANCELED
                end_desk_call(tx, engine, call, PersonLeg(result=result), settled=not picked_up)
            case Stage.ANSWERED:
                if call.state is not DeskCallState.JOINED:
                    desk_calls.change(tx, call_id, state=DeskCallState.JOINED.value, joined_at=now)
            case Stage.RINGING:
                if call.state is DeskCallState.ASKED:
                    desk_calls.change(tx, call_id, state=DeskCallState.RINGING.value)
            case Stage.INITIATED:
                pass


def hear_person_leg(engine: Engine, call_id: uuid.UUID, leg: PersonLeg) -> None:
    """The person's telephone, when it is over. Raises `NotFound`."""
    with engine.store.begin() as tx:
        call = desk_calls.lock(tx, call_id)
        if not call.settled:
            end_desk_call(tx, engine, call, leg, settled=True)


def end_desk_call(tx: Tx, engine: Engine, call: DeskCall, leg: PersonLeg, *, settled: bool) -> None:
    """Over, with a line in the timeline when its result is known for good."""
    now = engine.clock.now()
    rest = timedelta(seconds=engine.policies.newest.number_spacing_seconds)
    desk_calls.end(
        tx,
        call,
        result=leg.result,
        talk_seconds=leg.talk_seconds,
        settled=settled,
        now=now,
        free_at=now + rest,
    )
    if settled:
        facts = {
            "assignment_id": call.assignment_id,
            "number": call.number + 1,
            "result": leg.result.value,
            "talk_seconds": leg.talk_seconds,
        }
        act = Act(case_id=call.case_id, kind=ActKind.DIALLED, by=call.by, facts=facts)
        acts.note(tx, [act], now=now)
