"""Attempts at the carrier: what webhooks and polls say of them, and how they end. Lists in, lists out."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.cases.persons import open_person
from dialer.core.attempt import SENT_STATES, TAKEN_STATES, AttemptState
from dialer.core.effects import AlarmCode
from dialer.core.events import Reach
from dialer.core.values import Answer, Contact, FraudType, Tag, TelephonyResult
from dialer.db import tables as t
from dialer.db.bulk import IdSet, RowSet, among, in_words, plain
from dialer.db.unit_of_work import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One attempt as the conversation and the webhooks need it."""

    attempt_id: uuid.UUID
    token: int
    case_id: int
    person_id: int
    n: int
    state: AttemptState
    sid: str | None
    contact: Contact
    answer: Answer
    last_step: int
    spoke: bool
    played_seconds: float
    heard_seconds: int | None
    answered_by: str
    ringing_at: datetime | None
    answered_at: datetime | None
    script_id: str
    script_hash: str
    script_version_id: int | None
    audio_hash: str
    language: str
    fraud_type: FraudType
    tags: frozenset[Tag]
    posted_at: datetime | None
    polls: int
    cancel_asked: bool


_CALL_COLUMNS = (
    t.attempt.c.id,
    t.attempt.c.token,
    t.attempt.c.case_id,
    t.attempt.c.person_id,
    t.attempt.c.n,
    t.attempt.c.state,
    t.attempt.c.sid,
    t.attempt.c.contact,
    t.attempt.c.answer,
    t.attempt.c.last_step,
    t.attempt.c.spoke,
    t.attempt.c.played_seconds,
    t.attempt.c.heard_seconds,
    t.attempt.c.answered_by,
    t.attempt.c.ringing_at,
    t.attempt.c.answered_at,
    t.attempt.c.script_id,
    t.attempt.c.script_hash,
    t.attempt.c.script_version_id,
    t.attempt.c.audio_hash,
    t.attempt.c.language,
    t.attempt.c.posted_at,
    t.attempt.c.polls,
    t.attempt.c.cancel_asked,
    t.case.c.fraud_type,
    plain(t.case.c.tags),
)


def _call(row: Mapping[str, Any]) -> Call:
    return Call(
        attempt_id=row["id"],
        token=row["token"],
        case_id=row["case_id"],
        person_id=row["person_id"],
        n=row["n"],
        state=AttemptState(row["state"]),
        sid=row["sid"],
        contact=Contact(row["contact"]),
        answer=Answer(row["answer"]),
        last_step=row["last_step"],
        spoke=row["spoke"],
        played_seconds=row["played_seconds"],
        heard_seconds=row["heard_seconds"],
        answered_by=row["answered_by"] or "",
        ringing_at=row["ringing_at"],
        answered_at=row["answered_at"],
        script_id=row["script_id"],
        script_hash=row["script_hash"],
        script_version_id=row["script_version_id"],
        audio_hash=row["audio_hash"],
        language=row["language"],
        fraud_type=FraudType(row["fraud_type"]),
        tags=frozenset(Tag(tag) for tag in row["tags"]),
        posted_at=row["posted_at"],
        polls=row["polls"],
        cancel_asked=row["cancel_asked"],
    )


def _select() -> sa.Select[Any]:
    return sa.select(*_CALL_COLUMNS).join(t.case, t.case.c.id == t.attempt.c.case_id)


_IDS = IdSet("ids", t.attempt.c.id)
_READ = _select().where(_IDS.clause)
_LOCK = _READ.order_by(t.attempt.c.id).with_for_update(of=t.attempt)


def read_calls(tx: Tx, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Call]:
    """These attempts as they are now, without a lock: a case is locked before its attempts."""
    return {row["id"]: _call(row) for row in tx.rows(_READ, _IDS.given(ids))}


def lock_calls(tx: Tx, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Call]:
    """These attempts, locked in id order to the end of the transaction."""
    return {row["id"]: _call(row) for row in tx.rows(_LOCK, _IDS.given(ids))}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvents:
    """An outside event as it is kept: what cannot identify anybody in clear, the rest sealed."""

    attempt_id: uuid.UUID
    case_id: int
    step: str
    kind: str
    facts: Mapping[str, object]
    personal: Mapping[str, str]
    alarm: AlarmCode | None = None
    """What a supervisor must see beside it, about the case."""


def store_call_events(tx: Tx, events: Sequence[StoredEvents], *, at: datetime) -> set[tuple[uuid.UUID, str]]:
    """Keeps each event once; returns those that are new. A repeat of one changes nothing."""
    if not events:
        return set()
    rows: list[dict[str, Any]] = [
        {
            "attempt_id": event.attempt_id,
            "case_id": event.case_id,
            "step": event.step,
            "kind": event.kind,
            "at": at,
            "facts": dict(event.facts),
            "sealed": tx.vault.seal_record(
                event.personal, table="event", column="sealed", row=f"{event.attempt_id}/{event.step}"
            )
            if event.personal
            else None,
        }
        for event in sorted(events, key=lambda event: (event.attempt_id, event.step))
    ]
    return {(row["attempt_id"], row["step"]) for row in tx.rows(_KEEP, _EVENTS.given(rows))}


_EVENTS = RowSet.of(t.event, "given", ("attempt_id", "case_id", "step", "kind", "at", "facts", "sealed"))
_KEEP = (
    insert(t.event)
    .from_select(list(_EVENTS.columns), _EVENTS.select())
    .on_conflict_do_nothing(index_elements=["attempt_id", "step"])
    .returning(t.event.c.attempt_id, t.event.c.step)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What news makes of an attempt; None leaves a column as it is."""

    attempt_id: uuid.UUID
    state: AttemptState
    sid: str | None = None
    accepted_at: datetime | None = None
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    poll_at: datetime | None = None
    result: TelephonyResult | None = None
    contact: Contact | None = None
    answer: Answer | None = None
    last_step: int | None = None
    last_node: str | None = None
    talk_seconds: int | None = None
    spoke: bool | None = None
    played_seconds: float | None = None
    heard_seconds: int | None = None
    reach: Reach | None = None
    answered_by: str | None = None
    sip_code: int | None = None
    error_code: int | None = None


_CHANGEABLE = (
    "sid",
    "accepted_at",
    "ringing_at",
    "answered_at",
    "ended_at",
    "poll_at",
    "result",
    "contact",
    "answer",
    "last_step",
    "last_node",
    "talk_seconds",
    "spoke",
    "played_seconds",
    "heard_seconds",
    "reach",
    "answered_by",
    "sip_code",
    "error_code",
)
_FIRST_STANDS = frozenset({"sid", "accepted_at", "ringing_at", "answered_at", "ended_at", "result"})

_CHANGES = RowSet.of(t.attempt, "given", ("id", "state", *_CHANGEABLE))
_CHANGE = (
    sa.update(t.attempt)
    .where(t.attempt.c.id == _CHANGES.c.id)
    .values(
        {
            name: sa.func.coalesce(
                *(
                    (t.attempt.c[name], _CHANGES.c[name])
                    if name in _FIRST_STANDS
                    else (_CHANGES.c[name], t.attempt.c[name])
                )
            )
            for name in _CHANGEABLE
        }
        | {"state": _CHANGES.c.state}
    )
)


def change_calls(tx: Tx, changes: Sequence[Change]) -> None:
    """Writes news to attempts that this transaction has locked; one change an attempt."""
    if changes:
        rows: list[dict[str, Any]] = [
            {"id": one.attempt_id, "state": one.state}
            | {name: value for name in _CHANGEABLE if (value := getattr(one, name)) is not None}
            for one in changes
        ]
        tx.execute(_CHANGE, _CHANGES.given(rows))


def merge_changes(before: Change | None, after: Change) -> Change:
    """Two changes of one attempt: the first of what stands, the last of what moves."""
    if before is None:
        return after
    merged: dict[str, Any] = {}
    for name in _CHANGEABLE:
        first, last = getattr(before, name), getattr(after, name)
        if name in _FIRST_STANDS:
            first, last = last, first
        merged[name] = first if last is None else last
    return replace(after, **merged)


def apply_change(call: Call, change: Change) -> Call:
    """The call after a change that has not been written yet."""
    return replace(
        call,
        state=change.state,
        sid=call.sid or change.sid,
        contact=change.contact or call.contact,
        answer=change.answer or call.answer,
        last_step=call.last_step if change.last_step is None else change.last_step,
        spoke=call.spoke if change.spoke is None else change.spoke,
        played_seconds=call.played_seconds if change.played_seconds is None else change.played_seconds,
        heard_seconds=call.heard_seconds if change.heard_seconds is None else change.heard_seconds,
        answered_by=change.answered_by or call.answered_by,
        ringing_at=call.ringing_at or change.ringing_at,
        answered_at=call.answered_at or change.answered_at,
    )


def lock_silent_calls(tx: Tx, *, real_now: datetime, limit: int) -> list[Call]:
    """Live attempts past their deadline, locked: sending ones whose sender is gone, unknown ones, silent ones."""
    statement = (
        _select()
        .where(in_words(t.attempt.c.state, SENT_STATES), t.attempt.c.poll_at <= real_now)
        .order_by(t.attempt.c.poll_at)
        .limit(limit)
        .with_for_update(of=t.attempt, skip_locked=True)
    )
    return [_call(row) for row in tx.rows(statement)]


def calls_asked_to_end(tx: Tx, *, limit: int) -> list[tuple[uuid.UUID, str, AttemptState]]:
    """Live attempts with a sid that must not ring or talk any more."""
    statement = (
        sa.select(t.attempt.c.id, t.attempt.c.sid, t.attempt.c.state)
        .where(
            in_words(t.attempt.c.state, TAKEN_STATES),
            t.attempt.c.cancel_asked,
            t.attempt.c.sid.is_not(None),
        )
        .limit(limit)
    )
    return [(row["id"], row["sid"], AttemptState(row["state"])) for row in tx.rows(statement)]


def postpone_poll(tx: Tx, ids: Sequence[uuid.UUID], *, poll_at: datetime, counted: bool) -> None:
    """Asked in vain, to be asked again at `poll_at` (real); counted when the answer was that there is no such call."""
    if ids:
        tx.execute(
            sa.update(t.attempt)
            .where(among(t.attempt.c.id, ids))
            .values(poll_at=poll_at, polls=t.attempt.c.polls + (1 if counted else 0))
        )


def numbers_of_calls(tx: Tx, calls: Sequence[Call]) -> dict[uuid.UUID, str]:
    """Each attempt's E.164 number, in clear, for asking the carrier about it."""
    rows = tx.rows(
        sa.select(t.attempt.c.id, t.attempt.c.number, t.attempt.c.person_id, t.person.c.sealed)
        .join(t.person, t.person.c.id == t.attempt.c.person_id)
        .where(among(t.attempt.c.id, [call.attempt_id for call in calls]))
    )
    return {
        row["id"]: open_person(tx, person_id=row["person_id"], sealed=row["sealed"]).phones[row["number"]]
        for row in rows
    }


def bound_call_sids(tx: Tx, sids: Sequence[str]) -> set[str]:
    """Which of these calls at the carrier belong to attempts already."""
    return {row["sid"] for row in tx.rows(sa.select(t.attempt.c.sid).where(t.attempt.c.sid.in_(sids)))}


def newest_call_known_before(tx: Tx, *, posted_at: datetime, since: datetime) -> str | None:
    """The newest call that the carrier had taken by then (real times), and must still remember; None if there is
    none.
    """
    # By its newest event, which an index has in order: the cost does not grow with the attempts.
    sid: str | None = tx.scalar(
        sa.select(t.attempt.c.sid)
        .join(t.event, t.event.c.attempt_id == t.attempt.c.id)
        .where(
            t.attempt.c.sid.is_not(None), t.attempt.c.posted_at < posted_at, t.attempt.c.posted_at >= since
        )
        .order_by(t.event.c.id.desc())
        .limit(1)
    )
    return sid
