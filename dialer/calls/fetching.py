"""Fetches recordings of calls from the carrier and deletes them there. The rows say what is due, so the task can run
twice or be interrupted: the carrier's copy is deleted only after ours is committed.
"""

from __future__ import annotations

import hashlib
import logging
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import sqlalchemy as sa

from dialer.core.errors import Unavailable
from dialer.core.events import AlarmCode
from dialer.core.values import RecordingState
from dialer.db import tables as t
from dialer.db.alarms import raise_alarm_once
from dialer.db.unit_of_work import record_of
from dialer.runtime.services import Services
from dialer.telephony.recordings import CarrierRecording, RecordingClient

_FIRST_GAP: Final = timedelta(seconds=30)
_LONGEST_GAP: Final = timedelta(hours=1)
_TRIES: Final = 40
"""About a day and a half. Then the alarm is raised, and the carrier is still asked every hour."""
_NONE_AFTER: Final = 6
"""After this many answers, within half an hour, that there is no recording of the call, there is none."""
_AT_ONCE: Final = 10

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    """A recording that may still be at the carrier."""

    id: int
    state: RecordingState
    sid: str | None
    call_sid: str
    """The sid of the outbound or inbound call; the carrier lists the recording of its second leg under it, too."""
    tries: int


async def fetch_recordings(services: Services, client: RecordingClient, *, for_seconds: float = 20.0) -> int:
    """Fetches and stores the recordings that are due, then deletes them at the carrier; recordings that were deleted
    here are deleted there. Returns how many are done. A carrier that does not answer is asked again later.
    """
    until, done = time.monotonic() + for_seconds, 0
    while time.monotonic() < until:
        due = _take_due(services)
        for one in due:
            try:
                done += await _fetch_and_delete(services, client, one)
            except Unavailable as fault:
                _log.warning("%s", fault)
        if len(due) < _AT_ONCE:
            break
    return done


def _take_due(services: Services) -> list[_Due]:
    """Reads recordings that are due, and postpones each, so that another worker takes them if this one dies."""
    r, a, d, i = t.recording.c, t.attempt.c, t.desk_call.c, t.inbound_call.c
    real_now = services.real.now()
    with services.store.begin() as tx:
        rows = tx.rows(
            sa.select(r.id, r.state, r.sid, r.tries, sa.func.coalesce(a.sid, d.sid, i.sid).label("call_sid"))
            .join(t.attempt, a.id == r.attempt_id, isouter=True)
            .join(t.desk_call, d.id == r.desk_call_id, isouter=True)
            .join(t.inbound_call, i.id == r.inbound_call_id, isouter=True)
            .where(r.due_at <= real_now)
            .order_by(r.due_at)
            .limit(_AT_ONCE)
            .with_for_update(of=t.recording, skip_locked=True)
        )
        for row in rows:
            gap = min(_FIRST_GAP * 2 ** min(row["tries"], 10), _LONGEST_GAP)
            tx.execute(
                sa.update(t.recording)
                .where(r.id == row["id"])
                .values(due_at=real_now + gap, tries=r.tries + 1)
            )
            if row["tries"] + 1 == _TRIES:
                raise_alarm_once(tx, AlarmCode.RECORDING_NOT_FETCHED, now=services.clock.now())
        return [record_of(_Due, row) for row in rows]


async def _fetch_and_delete(services: Services, client: RecordingClient, due: _Due) -> bool:
    """Handles one recording; True if nothing of it is left at the carrier."""
    found = await client.of_call(due.call_sid)
    if any(one.is_being_made for one in found):
        return False
    ready = [one for one in found if one.is_ready]
    left = await _left_at_carrier(services, client, due, ready) if ready else set()
    for one in found:
        if one.sid not in left:
            await client.delete(one.sid)
    if left:
        _log.warning(
            "%s recordings of a call were not fetched and exist at the carrier only: they stay there",
            len(left),
        )
        return False
    if not found and due.state is RecordingState.WAITING and due.tries < _NONE_AFTER:
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
        for one in ready:
            if await _store_sound(services, client, due, one):
                ours = one.sid
                break
    elif due.state is not RecordingState.KEPT:
        return set()
    elif ours is None:
        ours = ready[0].sid
    return {one.sid for one in ready} - {ours}


async def _store_sound(services: Services, client: RecordingClient, due: _Due, one: CarrierRecording) -> bool:
    """Stores the sound; True if we have it now, or do not need it any more."""
    sound = await client.sound(one.sid)
    if sound is None:
        return False
    r = t.recording.c
    with services.store.begin() as tx:
        state = tx.scalar(sa.select(r.state).where(r.id == due.id).with_for_update())
        if state != RecordingState.WAITING.value:
            return True
        sealed = tx.vault.seal(sound, table="recording", column="sealed", row=due.id)
        values = {
            "state": RecordingState.KEPT.value,
            "sid": one.sid,
            "seconds": one.seconds,
            "size_bytes": len(sound),
            "sha256": hashlib.sha256(sound).digest(),
            "sealed": sealed,
            "kept_at": services.clock.now(),
        }
        tx.execute(sa.update(t.recording).where(r.id == due.id).values(values))
    return True


def _mark_cleared(services: Services, due: _Due) -> None:
    """Records that nothing is left at the carrier. A recording that was still waited for becomes absent."""
    r = t.recording.c
    with services.store.begin() as tx:
        absent = sa.case(
            (r.state == RecordingState.WAITING.value, RecordingState.ABSENT.value), else_=r.state
        )
        tx.execute(
            sa.update(t.recording)
            .where(r.id == due.id)
            .values(state=absent, due_at=None, cleared_at=services.clock.now())
        )
