"""Recordings of calls: fetched from the carrier when the call is over, stored sealed, then deleted at the carrier.
Listening to one needs a reason.

A call that was to be recorded gets a row when it ends. The rows say what is due; a webhook only makes a recording due
at once.
"""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.cases.reveals import note_reveal
from dialer.cases.store import StoredCase
from dialer.core.access import Actor, Permission, RevealReason
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.events import AlarmCode
from dialer.core.inspection import TranscriptState
from dialer.core.text import gettext_noop
from dialer.core.values import RecordedCall, RecordingState
from dialer.db import tables as t
from dialer.db.acts import OpenAct
from dialer.db.jobs import JobTable, Retries
from dialer.db.unit_of_work import Row, Tx, record_of
from dialer.db.units import check_case_visible
from dialer.db.vault import KeyMissing, Tampered
from dialer.runtime.services import Services

_FIRST_LOOK: Final = timedelta(seconds=20)
"""From the end of the call to the first request, if no webhook comes."""
_PLAYS_FOR: Final = timedelta(minutes=10)
_TRIES_A_DAY: Final = 24
_RETRIES: Final = Retries(most=40, first=timedelta(seconds=30), longest=timedelta(hours=1))
"""About a day and a half. Then the alarm is raised, and the carrier is still asked every hour."""


def _ask_daily(tx: Tx, recording_ids: Sequence[int], _now: datetime) -> None:
    """Personal data must not stay at the carrier, so these are not ended: the alarm is raised again each day."""
    tries = _RETRIES.most - _TRIES_A_DAY
    tx.execute(sa.update(t.recording).where(t.recording.c.id.in_(recording_ids)).values(tries=tries))


RECORDINGS: Final = JobTable(
    kind="recording",
    waits=t.recording.c.due_at.is_not(None),
    due=t.recording.c.due_at,
    tries=t.recording.c.tries,
    retries=_RETRIES,
    give_up=_ask_daily,
    alarm=AlarmCode.RECORDING_NOT_FETCHED,
)
"""Recordings that may still be at the carrier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecording:
    """A recording without its sound. `call_id` is the id of the attempt, of the call from a desk, or of the inbound
    call, as `call` says; `n` is the attempt's number, None for another call. `sha256` is the digest of the sound as the
    carrier delivered it; it stays when the sound is deleted.
    """

    id: int
    case_id: int
    call: RecordedCall
    call_id: uuid.UUID
    n: int | None
    state: RecordingState
    called_at: datetime
    seconds: int | None
    size_bytes: int | None
    sha256: str
    deleted_at: datetime | None

    def plain(self) -> dict[str, Any]:
        """The recording as `--json` prints it."""
        return {
            "id": self.id,
            "case": self.case_id,
            "call": self.call.value,
            "attempt": self.n,
            "state": self.state.value,
            "called_at": self.called_at.isoformat(),
            "seconds": self.seconds,
            "size_bytes": self.size_bytes,
            "sha256": self.sha256 or None,
            "deleted_at": self.deleted_at.isoformat() if self.deleted_at else None,
        }


def wants_recording(services: Services, stored: StoredCase) -> bool:
    """Whether the policy of the case wants its calls recorded."""
    return services.policies.of(stored.case.policy_version).of(stored.case.grade).record_calls


def expect_recordings(tx: Tx, attempt_ids: Iterable[uuid.UUID], *, now: datetime, real_now: datetime) -> None:
    """Adds the row of a recording for each of these attempts, which are over, that was to be recorded and that the
    carrier took.
    """
    a, c = t.attempt.c, t.case.c
    chosen = sa.select(
        a.id,
        a.case_id,
        sa.literal(RecordingState.WAITING.value),
        sa.func.coalesce(a.answered_at, sa.literal(now, sa.DateTime(timezone=True))),
        sa.literal(real_now + _FIRST_LOOK, sa.DateTime(timezone=True)),
        c.drill,
    ).join(t.case, c.id == a.case_id)
    rows = chosen.where(a.id.in_(list(attempt_ids)), a.records, a.sid.is_not(None))
    names = ["attempt_id", "case_id", "state", "called_at", "due_at", "drill"]
    tx.execute(insert(t.recording).from_select(names, rows).on_conflict_do_nothing())


def expect_recording(
    tx: Tx, *, case_id: int, called_at: datetime, real_now: datetime, drill: bool, **call: uuid.UUID
) -> None:
    """Adds the row of a recording for a `call` (`desk_call_id` or `inbound_call_id`) that is over, was to be recorded,
    and may have been.
    """
    state, due = RecordingState.WAITING.value, real_now + _FIRST_LOOK
    row = {"case_id": case_id, "called_at": called_at, "drill": drill, "state": state, "due_at": due} | call
    tx.execute(insert(t.recording).values(row).on_conflict_do_nothing())


def expect_transcript(tx: Tx, recording_id: int, *, real_now: datetime) -> None:
    """Makes a recording, whose sound is stored now, wait to be read."""
    row = {"recording_id": recording_id, "state": TranscriptState.WAITING.value, "due_at": real_now}
    tx.execute(insert(t.transcript).values(row).on_conflict_do_nothing())


def fetch_recording_now(services: Services, call_id: uuid.UUID) -> None:
    """Makes the recording of this call due now, because the carrier reports news of it. News of an unknown call, or of
    one that is not over, changes nothing: the recording is fetched when the call is over.
    """
    r = t.recording.c
    with services.store.begin() as tx:
        changed = tx.execute(
            sa.update(t.recording)
            .where(
                sa.or_(r.attempt_id == call_id, r.desk_call_id == call_id, r.inbound_call_id == call_id),
                r.due_at.is_not(None),
            )
            .values(due_at=services.real.now())
        ).rowcount
    if changed:
        services.enqueue("fetch_recordings")


def recordings_of_case(tx: Tx, case_id: int) -> list[StoredRecording]:
    """The recordings of the case, oldest first."""
    r, a = t.recording.c, t.attempt.c
    rows = tx.rows(
        sa.select(*(column for column in r if column.name not in {"sealed", "sha256"}), r.sha256, a.n)
        .join(t.attempt, a.id == r.attempt_id, isouter=True)
        .where(r.case_id == case_id)
        .order_by(r.called_at, r.id)
    )
    return [_recording(row) for row in rows]


def _recording(row: Row) -> StoredRecording:
    digest = row["sha256"]
    call, call_id = call_of(row)
    sha256 = "" if digest is None else bytes(digest).hex()
    return record_of(StoredRecording, row, sha256=sha256, call=call, call_id=call_id)


def call_of(row: Row) -> tuple[RecordedCall, uuid.UUID]:
    """The kind and id of the call that a row of `recording` belongs to."""
    by_kind = {
        RecordedCall.ROBOT: row["attempt_id"],
        RecordedCall.DESK: row["desk_call_id"],
        RecordedCall.CALLED_IN: row["inbound_call_id"],
    }
    return next((call, call_id) for call, call_id in by_kind.items() if call_id is not None)


def list_recordings(services: Services, case_id: int) -> list[StoredRecording]:
    """The recordings of one case. Raises `NotFound`."""
    with services.store.begin() as tx:
        check_case_visible(tx, case_id, None)
        return recordings_of_case(tx, case_id)


def hear_recording(
    services: Services,
    actor: Actor,
    case_id: int,
    recording_id: int,
    *,
    reason: RevealReason | str,
    why: str,
) -> bytes:
    """The sound as a WAV file; who listened to it and why is audited before this returns. Raises `NotFound`, also for a
    case that this unit does not see, `Conflict` if there is no sound, `Invalid` and `TooMany`.
    """
    with services.act(actor, Permission.REVEAL) as act:
        _audit_listening(act, services, case_id, recording_id, reason=reason, why=why)
        return _sound(act.tx, recording_id)


def recording_ticket(
    services: Services,
    actor: Actor,
    case_id: int,
    recording_id: int,
    *,
    reason: RevealReason | str,
    why: str,
    with_words: bool = False,
) -> str:
    """As `hear_recording`, for a player that requests the sound piece by piece: a ticket with which this user can get
    the sound for ten minutes. `with_words`: the words of the call are shown beside it, which the audit notes.
    """
    with services.act(actor, Permission.REVEAL) as act:
        _audit_listening(act, services, case_id, recording_id, reason=reason, why=why, with_words=with_words)
        until = services.real.now() + _PLAYS_FOR
        sealed = act.tx.vault.seal_record(
            {"until": until.timestamp()}, table="recording", column="ticket", row=f"{recording_id}/{act.by}"
        )
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def recording_by_ticket(
    services: Services, actor: Actor, case_id: int, recording_id: int, ticket: str
) -> bytes:
    """The sound. Raises `NotFound`, `Conflict`, and `Invalid` for a ticket of another user or an expired one."""
    with services.store.begin() as tx:
        check_case_visible(tx, case_id, actor.unit_id)
        _check_recording(tx, case_id, recording_id)
        fix = gettext_noop("open the recording on the page of the case")
        try:
            sealed = base64.urlsafe_b64decode(ticket + "=" * (-len(ticket) % 4))
            record = tx.vault.open_record(
                sealed, table="recording", column="ticket", row=f"{recording_id}/{actor.name}"
            )
        except (Tampered, KeyMissing, ValueError, binascii.Error, IndexError) as fault:
            raise Invalid(field="ticket", problem="is not yours", fix=fix) from fault
        if services.real.now().timestamp() >= record["until"]:
            raise Invalid(field="ticket", problem="has expired", fix=fix)
        return _sound(tx, recording_id)


def _audit_listening(
    act: OpenAct,
    services: Services,
    case_id: int,
    recording_id: int,
    *,
    reason: RevealReason | str,
    why: str,
    with_words: bool = False,
) -> None:
    check_case_visible(act.tx, case_id, act.actor.unit_id)
    _check_recording(act.tx, case_id, recording_id)
    facts: dict[str, object] = {"recording": recording_id}
    if with_words:
        facts["words"] = True
    subject = f"case/{case_id}"
    note_reveal(act, services, name="hear_recording", subject=subject, reason=reason, why=why, facts=facts)


def _check_recording(tx: Tx, case_id: int, recording_id: int) -> None:
    r = t.recording.c
    state = tx.scalar(sa.select(r.state).where(r.id == recording_id, r.case_id == case_id))
    if state is None:
        raise NotFound(kind="recording", key=recording_id)
    if state != RecordingState.KEPT.value:
        raise Conflict("there is no sound of this call", current=str(state))


def _sound(tx: Tx, recording_id: int) -> bytes:
    r = t.recording.c
    sealed = tx.scalar(sa.select(r.sealed).where(r.id == recording_id))
    if sealed is None:
        raise Conflict("there is no sound of this call", current=RecordingState.DELETED.value)
    return tx.vault.open(bytes(sealed), table="recording", column="sealed", row=recording_id)
