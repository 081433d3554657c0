"""Fetches recordings of calls from the carrier and deletes them there. Each is a job (`dialer.db.jobs`) until nothing
of it is left at the carrier, whose copy is deleted only after ours is committed.
"""

from __future__ import annotations

import hashlib
import logging
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import sqlalchemy as sa

from dialer.calls.recordings import RECORDINGS, expect_transcript
from dialer.core.errors import Unavailable
from dialer.core.values import RecordingState
from dialer.db import tables as t
from dialer.db.jobs import JobClaim
from dialer.runtime.services import Services
from dialer.telephony.recordings import CarrierRecording, RecordingClient

_LEASE: Final = timedelta(minutes=5)
"""How long the recordings that are taken at once may take together."""
_NONE_AFTER: Final = 6
"""After this many answers, within half an hour, that there is no recording of the call, there is none."""
_AT_ONCE: Final = 10
_FOR_SECONDS: Final = 20.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    """A recording that may still be at the carrier."""

    claim: JobClaim
    state: RecordingState
    sid: str | None
    call_sid: str
    """The sid of the outbound or inbound call; the carrier lists the recording of its second leg under it, too."""


async def fetch_recordings(services: Services, client: RecordingClient) -> int:
    """Fetches and stores the recordings that are due, then deletes them at the carrier; recordings that were deleted
    here are deleted there. Returns how many are done. A carrier that does not answer is asked again later.
    """
    until, done = time.monotonic() + _FOR_SECONDS, 0
    while time.monotonic() < until:
        due = _take_due(services)
        for recording in due:
            is_done = False
            try:
                is_done = await _fetch_and_delete(services, client, recording)
            except Unavailable as fault:
                _log.warning("%s", fault)
            done += is_done
            if not is_done:
                with services.store.begin() as tx:
                    now, real_now = services.clock.now(), services.real.now()
                    RECORDINGS.fail(tx, recording.claim, now=now, real_now=real_now)
        if len(due) < _AT_ONCE:
            break
    return done


def _take_due(services: Services) -> list[_Due]:
    r, a, d, i = t.recording.c, t.attempt.c, t.desk_call.c, t.inbound_call.c
    with services.store.begin() as tx:
        taken = RECORDINGS.take(
            tx, now=services.clock.now(), real_now=services.real.now(), lease=_LEASE, limit=_AT_ONCE
        )
        claims = {row["id"]: RECORDINGS.claim_of(row) for row in taken}
        rows = tx.rows(
            sa.select(r.id, r.state, r.sid, sa.func.coalesce(a.sid, d.sid, i.sid).label("call_sid"))
            .join(t.attempt, a.id == r.attempt_id, isouter=True)
            .join(t.desk_call, d.id == r.desk_call_id, isouter=True)
            .join(t.inbound_call, i.id == r.inbound_call_id, isouter=True)
            .where(r.id.in_(list(claims)))
            .order_by(r.id)
        )
    return [
        _Due(
            claim=claims[row["id"]],
            state=RecordingState(row["state"]),
            sid=row["sid"],
            call_sid=row["call_sid"],
        )
        for row in rows
    ]


async def _fetch_and_delete(services: Services, client: RecordingClient, due: _Due) -> bool:
    """Handles one recording; True if nothing of it is left at the carrier."""
    found = await client.of_call(due.call_sid)
    if any(recording.is_being_made for recording in found):
        return False
    ready = [recording for recording in found if recording.is_ready]
    left = await _left_at_carrier(services, client, due, ready) if ready else set()
    for recording in found:
        if recording.sid not in left:
            await client.delete(recording.sid)
    if left:
        _log.warning(
            "%s recordings of a call were not fetched and exist at the carrier only: they stay there",
            len(left),
        )
        return False
    if not found and due.state is RecordingState.WAITING and due.claim.tries <= _NONE_AFTER:
        return False
    _mark_cleared(services, due)
    return True


async def _left_at_carrier(
    services: Services, client: RecordingClient, due: _Due, ready: list[CarrierRecording]
) -> set[str]:
    """Fetches one recording, if it is still waited for. Returns the sids of recordings that exist at the carrier only,
    which must stay there.
    """
    ours = due.sid
    if due.state is RecordingState.WAITING:
        ours = None
        for recording in ready:
            if await _store_sound(services, client, due, recording):
                ours = recording.sid
                break
    elif due.state is not RecordingState.KEPT:
        return set()
    elif ours is None:
        ours = ready[0].sid
    return {recording.sid for recording in ready} - {ours}


async def _store_sound(
    services: Services, client: RecordingClient, due: _Due, recording: CarrierRecording
) -> bool:
    """Stores the sound; True if we have it now, or do not need it any more. False if the carrier does not deliver it,
    or another worker has taken the recording over.
    """
    sound = await client.sound(recording.sid)
    if sound is None:
        return False
    r = t.recording.c
    with services.store.begin() as tx:
        ours = (r.id == due.claim.key, r.token == due.claim.token)
        state = tx.scalar(sa.select(r.state).where(*ours).with_for_update())
        if state != RecordingState.WAITING.value:
            return state is not None
        values = {
            "state": RecordingState.KEPT.value,
            "sid": recording.sid,
            "seconds": recording.seconds,
            "size_bytes": len(sound),
            "sha256": hashlib.sha256(sound).digest(),
            "sealed": tx.vault.seal(sound, table="recording", column="sealed", row=due.claim.key),
            "kept_at": services.clock.now(),
        }
        tx.execute(sa.update(t.recording).where(*ours).values(values))
        expect_transcript(tx, due.claim.key, real_now=services.real.now())
    return True


def _mark_cleared(services: Services, due: _Due) -> None:
    """Records that nothing is left at the carrier. A recording that was still waited for becomes absent."""
    r = t.recording.c
    absent = sa.case((r.state == RecordingState.WAITING.value, RecordingState.ABSENT.value), else_=r.state)
    with services.store.begin() as tx:
        RECORDINGS.finish(tx, due.claim, state=absent, due_at=None, cleared_at=services.clock.now())
