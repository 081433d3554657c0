"""Calls whose cases need them no more are ended at the carrier."""

from __future__ import annotations

import uuid

from dialer.domain.attempt import AttemptState
from dialer.errors import Unavailable
from dialer.store import calls
from dialer.telephony.client import CallClient
from dialer.usecases.ask_carrier import ask_carrier
from dialer.usecases.engine import Engine

_AT_ONCE = 200


async def cancel_calls(engine: Engine, client: CallClient) -> int:
    """Each live call that was to end has been told so, once; its end comes back as news. A carrier that does not
    answer is asked again by the next sweep.
    """
    with engine.store.begin() as tx:
        found = calls.asked_to_end(tx, limit=_AT_ONCE)

    async def tell(call: tuple[uuid.UUID, str, AttemptState]) -> bool:
        _attempt_id, sid, state = call
        try:
            if state is AttemptState.ANSWERED:
                await client.hang_up(sid)
            else:
                await client.cancel(sid)
        except Unavailable:
            return False
        return True

    return await ask_carrier(found, tell)
