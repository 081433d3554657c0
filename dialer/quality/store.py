"""Rows of transcripts: the queue of what is still to be read, progress, lists of recorded calls and their counts."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from dialer.calls.recordings import call_of
from dialer.core.inspection import NotInspected, Outcome, TranscriptState
from dialer.core.text import gettext_noop
from dialer.core.values import FraudType, Grade, RecordedCall, VersionState
from dialer.db import tables as t
from dialer.db.jobs import JobClaim, JobTable, Retries
from dialer.db.unit_of_work import Row, Tx, record_of
from dialer.db.units import is_visible_to
from dialer.db.versions import VersionKind
from dialer.quality.model import Progress, progress_of_json, unsure_count
from dialer.quality.rules import Catalogue, Judgement, Span

_r, _t = t.recording.c, t.transcript.c
_PLACE: Final = {"table": "transcript", "column": "sealed"}
LEASE: Final = timedelta(minutes=5)
"""From one window to the next; a window takes seconds."""
_RETRIES: Final = Retries(most=5, first=timedelta(minutes=1), longest=timedelta(hours=1))


def _give_up(tx: Tx, keys: Sequence[int], now: datetime) -> None:
    values = {
        "state": TranscriptState.NOT_INSPECTED.value,
        "reason": NotInspected.FAILED.value,
        "due_at": None,
        "read_at": now,
    }
    tx.execute(sa.update(t.transcript).where(_t.recording_id.in_(keys)).values(values))


TRANSCRIPTS: Final = JobTable(
    kind="transcript",
    waits=_t.state == TranscriptState.WAITING.value,
    due=_t.due_at,
    tries=_t.tries,
    retries=_RETRIES,
    give_up=_give_up,
)
"""Recordings that are to be read, or read on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenSound:
    """A recording that this process reads now, with how far it is. Seconds of sound."""

    claim: JobClaim
    sound: bytes
    seconds: int
    call: RecordedCall
    done_seconds: float
    progress: Progress


def take_sound(tx: Tx, *, now: datetime, real_now: datetime) -> TakenSound | None:
    """The recording that has waited longest, taken; None if none is due."""
    rows = TRANSCRIPTS.take(
        tx, now=now, real_now=real_now, lease=LEASE, returning=(_t.sealed, _t.done_seconds)
    )
    if not rows:
        return None
    [taken] = rows
    claim = TRANSCRIPTS.claim_of(taken)
    found = tx.one(sa.select(t.recording).where(_r.id == claim.key, _r.sealed.is_not(None)))
    assert found is not None
    return TakenSound(
        claim=claim,
        sound=tx.vault.open(bytes(found["sealed"]), table="recording", column="sealed", row=claim.key),
        seconds=found["seconds"] or 0,
        call=call_of(found)[0],
        done_seconds=taken["done_seconds"],
        progress=_open(tx, taken["sealed"], claim.key),
    )


def _open(tx: Tx, sealed: bytes | None, recording_id: int) -> Progress:
    plain = {} if sealed is None else tx.vault.open_record(bytes(sealed), **_PLACE, row=recording_id)
    return progress_of_json(plain)


def _counted(tx: Tx, progress: Progress, recording_id: int) -> dict[str, object]:
    return {
        "sealed": tx.vault.seal_record(progress.as_json(), **_PLACE, row=recording_id),
        "words": len(progress.words),
        "unsure_words": unsure_count(progress.words),
    }


def save_window(
    tx: Tx, claim: JobClaim, progress: Progress, *, done_seconds: float, real_now: datetime
) -> bool:
    """Stores how far the reading is. False, and nothing is changed, if the recording was deleted or taken over."""
    counted = _counted(tx, progress, claim.key)
    return TRANSCRIPTS.advance(
        tx, claim, until=real_now + LEASE, done_seconds=done_seconds, moved_at=real_now, **counted
    )


def save_end(
    tx: Tx,
    claim: JobClaim,
    progress: Progress,
    reason: NotInspected | None,
    *,
    now: datetime,
    real_now: datetime,
) -> bool:
    """Stores the whole transcript, or why there is none; words that are too unsure are stored too. False as in
    `save_window`.
    """
    state = TranscriptState.READ if reason is None else TranscriptState.NOT_INSPECTED
    counted = _counted(tx, progress, claim.key)
    return TRANSCRIPTS.finish(
        tx,
        claim,
        state=state.value,
        reason=None if reason is None else reason.value,
        due_at=None,
        moved_at=real_now,
        read_at=now,
        **counted,
    )


def is_reading_stalled(tx: Tx, *, since: datetime) -> bool:
    """Whether a recording has been due since this real time, and no reading went forward after it."""
    has_moved = tx.scalar(sa.select(_t.recording_id).where(_t.moved_at > since).limit(1)) is not None
    return not has_moved and TRANSCRIPTS.is_any_overdue(tx, since=since)


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectedCall:
    """A recorded call and what became of its transcript. `by`: the caller's login, '' for the robot."""

    recording_id: int
    case_id: int
    call: RecordedCall
    call_id: uuid.UUID
    called_at: datetime
    seconds: int
    grade: Grade
    fraud_type: FraudType
    unit: str
    by: str
    state: TranscriptState
    reason: NotInspected | None
    words: int
    unsure_words: int


def _calls(visible_to: int | None) -> sa.Select[tuple[object, ...]]:
    c = t.case.c
    by = sa.func.coalesce(t.desk_call.c.by, t.inbound_call.c.by, "")
    return (
        sa.select(
            *(_r.id.label("recording_id"), _r.case_id, _r.called_at, _r.attempt_id, _r.desk_call_id),
            *(_r.inbound_call_id, sa.func.coalesce(_r.seconds, 0).label("seconds"), c.grade, c.fraud_type),
            *(sa.func.coalesce(t.unit.c.name, "").label("unit"), by.label("by")),
            *(_t.state, _t.reason, _t.words, _t.unsure_words),
        )
        .select_from(t.transcript)
        .join(t.recording, _r.id == _t.recording_id)
        .join(t.case, c.id == _r.case_id)
        .join(t.unit, t.unit.c.id == c.unit_id, isouter=True)
        .join(t.desk_call, t.desk_call.c.id == _r.desk_call_id, isouter=True)
        .join(t.inbound_call, t.inbound_call.c.id == _r.inbound_call_id, isouter=True)
        .where(is_visible_to(c.unit_id, visible_to))
    )


def _call(row: Row) -> InspectedCall:
    call, call_id = call_of(row)
    return record_of(InspectedCall, row, call=call, call_id=call_id)


def newest_calls(
    tx: Tx, *, visible_to: int | None, state: TranscriptState | None, before_id: int | None, limit: int
) -> list[InspectedCall]:
    """Recorded calls that this unit sees, the newest recording first."""
    found = _calls(visible_to).order_by(_r.id.desc()).limit(limit)
    if state is not None:
        found = found.where(_t.state == state.value)
    if before_id is not None:
        found = found.where(_r.id < before_id)
    return [_call(row) for row in tx.rows(found)]


def find_call(tx: Tx, recording_id: int, *, visible_to: int | None) -> InspectedCall | None:
    """This recorded call; None where there is none that the unit sees."""
    row = tx.one(_calls(visible_to).where(_r.id == recording_id))
    return None if row is None else _call(row)


def newest_words(
    tx: Tx, *, visible_to: int | None, before_id: int | None, limit: int
) -> list[tuple[InspectedCall, Progress]]:
    """Calls that were read and that this unit sees, with their words, the newest first, as `newest_calls`."""
    calls = newest_calls(
        tx, visible_to=visible_to, state=TranscriptState.READ, before_id=before_id, limit=limit
    )
    rows = tx.rows(
        sa.select(_t.recording_id, _t.sealed).where(
            _t.recording_id.in_([call.recording_id for call in calls])
        )
    )
    sealed = {row["recording_id"]: row["sealed"] for row in rows}
    return [(call, _open(tx, sealed.get(call.recording_id), call.recording_id)) for call in calls]


def read_words(tx: Tx, recording_id: int) -> Progress:
    """The words of this call; none where they were deleted or not yet read."""
    return _open(tx, tx.scalar(sa.select(_t.sealed).where(_t.recording_id == recording_id)), recording_id)


def count_states(
    tx: Tx, *, visible_to: int | None, since: datetime
) -> Mapping[tuple[TranscriptState, NotInspected | None], int]:
    """How many calls since then, that this unit sees, are in each state, by the reason if there is one."""
    c = t.case.c
    rows = tx.rows(
        sa.select(_t.state, _t.reason, sa.func.count().label("n"))
        .select_from(t.transcript)
        .join(t.recording, _r.id == _t.recording_id)
        .join(t.case, c.id == _r.case_id)
        .where(is_visible_to(c.unit_id, visible_to), _r.called_at >= since)
        .group_by(_t.state, _t.reason)
    )
    return {
        (TranscriptState(row["state"]), NotInspected(row["reason"]) if row["reason"] else None): row["n"]
        for row in rows
    }


QUALITY_VERSIONS: Final = VersionKind(
    versions=t.quality_version,
    approvals=t.quality_approval,
    noun=gettext_noop("version of the rules of inspection"),
    lock_key=0x7175616C,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityVersion:
    """One version of all rules, as one text."""

    id: int
    number: int
    content_hash: str
    source: str
    why: str
    """Why it was drafted."""
    drafted_by: str
    drafted_at: datetime
    approved_by: str
    """'' for a draft."""
    approved_at: datetime | None
    state: VersionState


def quality_versions(tx: Tx) -> list[QualityVersion]:
    """All versions, newest first."""
    return [QualityVersion(**row) for row in QUALITY_VERSIONS.rows(tx)]


def quality_version(tx: Tx, number: int) -> QualityVersion:
    """The version with this number. Raises `NotFound`."""
    return QualityVersion(**QUALITY_VERSIONS.by_number(tx, number))


def live_version(tx: Tx) -> QualityVersion | None:
    """The version in force; None before the first approval."""
    return next((one for one in quality_versions(tx) if one.state is VersionState.APPROVED), None)


def _is_uninspected(version_id: object) -> sa.ColumnElement[bool]:
    return sa.and_(
        _t.state == TranscriptState.READ.value,
        _t.inspected_by.is_distinct_from(sa.type_coerce(version_id, sa.BigInteger)),
    )


def is_any_uninspected(tx: Tx) -> bool:
    """Whether the rules in force have not judged a call that was read."""
    live = QUALITY_VERSIONS.live(tx, t.quality_version.c.id)
    if live is None:
        return False
    return tx.scalar(sa.select(_t.recording_id).where(_is_uninspected(live["id"])).limit(1)) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCall:
    """A call that was read, to be judged."""

    recording_id: int
    seconds: float
    progress: Progress


def take_uninspected(tx: Tx, version_id: int, *, limit: int) -> list[ReadCall]:
    """Calls that this version has not judged, locked; those that another process has locked are passed over."""
    rows = tx.rows(
        sa.select(_t.recording_id, _t.done_seconds, _t.sealed)
        .where(_is_uninspected(version_id))
        .order_by(_t.recording_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [
        ReadCall(
            recording_id=row["recording_id"],
            seconds=row["done_seconds"],
            progress=_open(tx, row["sealed"], row["recording_id"]),
        )
        for row in rows
    ]


def save_judgements(
    tx: Tx,
    recording_id: int,
    version_id: int,
    catalogue: Catalogue,
    judgements: Sequence[Judgement],
    *,
    now: datetime,
) -> None:
    """Stores what the rules of this version say of a call, in place of what others said before."""
    i, rules = t.inspection.c, {rule.id: rule for rule in catalogue.rule}
    tx.execute(sa.delete(t.inspection).where(i.recording_id == recording_id))
    rows = [
        {
            "recording_id": recording_id,
            "rule": one.rule_id,
            "version_id": version_id,
            "outcome": one.outcome.value,
            "gate": rules[one.rule_id].gate,
            "points": rules[one.rule_id].points,
            "spans": [[round(span.begin, 2), round(span.end, 2)] for span in one.spans],
            "at": now,
        }
        for one in judgements
    ]
    tx.execute(sa.insert(t.inspection), rows)
    tx.execute(sa.update(t.transcript).where(_t.recording_id == recording_id).values(inspected_by=version_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredJudgement:
    """What a rule said of a call."""

    recording_id: int
    rule: str
    outcome: Outcome
    gate: bool
    points: int
    spans: tuple[Span, ...]


def judgements_of(tx: Tx, recording_ids: Sequence[int]) -> dict[int, list[StoredJudgement]]:
    """What the rules said of these calls, gates first, then by points."""
    i = t.inspection.c
    found: dict[int, list[StoredJudgement]] = {recording_id: [] for recording_id in recording_ids}
    rows = tx.rows(
        sa.select(i.recording_id, i.rule, i.outcome, i.gate, i.points, i.spans)
        .where(i.recording_id.in_(recording_ids))
        .order_by(i.gate.desc(), i.points.desc(), i.rule)
    )
    for row in rows:
        spans = tuple(Span(begin=begin, end=end) for begin, end in row["spans"])
        found[row["recording_id"]].append(record_of(StoredJudgement, row, spans=spans))
    return found


def count_outcomes(tx: Tx, *, visible_to: int | None, since: datetime) -> Mapping[tuple[str, Outcome], int]:
    """How many calls since then, that this unit sees, have each outcome, by rule."""
    i, c = t.inspection.c, t.case.c
    rows = tx.rows(
        sa.select(i.rule, i.outcome, sa.func.count().label("n"))
        .select_from(t.inspection)
        .join(t.recording, _r.id == i.recording_id)
        .join(t.case, c.id == _r.case_id)
        .where(is_visible_to(c.unit_id, visible_to), _r.called_at >= since)
        .group_by(i.rule, i.outcome)
    )
    return {(row["rule"], Outcome(row["outcome"])): row["n"] for row in rows}
