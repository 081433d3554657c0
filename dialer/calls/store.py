"""Rows of attempts that are at the carrier: reads and locks them, and writes what webhooks and polls report. Takes and
returns lists, so that many events share one transaction.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.cases.persons import open_person
from dialer.core.attempt import SENT_STATES, TAKEN_STATES, AttemptState
from dialer.core.case import Reason
from dialer.core.events import AlarmCode
from dialer.core.reach import Reach
from dialer.core.values import Announcement, Answer, Contact, FraudType, Tag, TelephonyResult
from dialer.db import tables as t
from dialer.db.bulk import IdSet, RowSet, among, in_words, raw_column, word_literal
from dialer.db.unit_of_work import Tx, record_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One attempt with the columns that the conversation and the webhooks need."""

    attempt_id: uuid.UUID
    token: int
    case_id: int
    person_id: int
    n: int
    reason: Reason
    state: AttemptState
    sid: str | None
    contact: Contact
    answer: Answer
    last_step: int
    spoke: bool
    played_seconds: float
    heard_seconds: int | None
    hearing: Mapping[str, Any] | None
    forwarded: bool
    answered_by: str
    ringing_at: datetime | None
    answered_at: datetime | None
    script_id: str
    script_version_id: int | None
    audio_hash: str
    language: str
    records: bool
    fraud_type: FraudType
    tags: frozenset[Tag]
    sent_at: datetime | None
    posted_at: datetime | None
    polls: int
    cancel_asked: bool


_OTHER_COLUMNS: Mapping[str, sa.ColumnElement[Any]] = {
    "attempt_id": t.attempt.c.id.label("attempt_id"),
    "fraud_type": t.case.c.fraud_type,
    "tags": raw_column(t.case.c.tags),
}
_NAMES = [column.name for column in fields(Call)]
_SELECT = sa.select(
    *(_OTHER_COLUMNS[name] if name in _OTHER_COLUMNS else t.attempt.c[name] for name in _NAMES)
).join(t.case, t.case.c.id == t.attempt.c.case_id)

_IDS = IdSet("ids", t.attempt.c.id)
_READ = _SELECT.where(_IDS.clause)
_LOCK = _READ.order_by(t.attempt.c.id).with_for_update(of=t.attempt)


def read_calls(tx: Tx, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Call]:
    """These attempts by id, as they are now, without a lock: a case is locked before its attempts."""
    return _by_id(tx, _READ, ids)


def lock_calls(tx: Tx, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Call]:
    """These attempts by id, locked in id order until the end of the transaction."""
    return _by_id(tx, _LOCK, ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentCall:
    """A call that is at the carrier: which case it belongs to, why it was made, and when it was sent (service time)."""

    case_id: int
    reason: Reason
    sent_at: datetime


def record_first_calls(tx: Tx, calls: Iterable[SentCall]) -> None:
    """Records when the first call of each case was sent, unless an earlier one is recorded. Follow-ups do not count.
    Locks the cases in the order of their ids; cases are locked before their attempts.
    """
    first: dict[int, datetime] = {}
    for call in calls:
        if call.reason is not Reason.FOLLOW_UP:
            first[call.case_id] = min(call.sent_at, first.get(call.case_id, call.sent_at))
    if not first:
        return
    rows: list[dict[str, Any]] = [
        {"id": row["id"], "first_attempt_at": first[row["id"]]}
        for row in tx.rows(_LOCK_WITHOUT_FIRST_CALL, _CASE_IDS.given(first))
    ]
    if rows:
        tx.execute(_RECORD_FIRST_CALL, _FIRST_CALLS.given(rows))


_CASE_IDS = IdSet("ids", t.case.c.id)
_LOCK_WITHOUT_FIRST_CALL = (
    sa.select(t.case.c.id)
    .where(_CASE_IDS.clause, t.case.c.first_attempt_at.is_(None))
    .order_by(t.case.c.id)
    .with_for_update()
)
_FIRST_CALLS = RowSet.of(t.case, ("id", "first_attempt_at"))
_RECORD_FIRST_CALL = (
    sa.update(t.case)
    .where(t.case.c.id == _FIRST_CALLS.c.id)
    .values(first_attempt_at=_FIRST_CALLS.c.first_attempt_at)
)


def _by_id(tx: Tx, statement: sa.Select[Any], ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Call]:
    rows = tx.rows(statement, _IDS.given(ids))
    return {row["attempt_id"]: record_of(Call, row) for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An event from outside as it is stored: `facts` in clear, which identify nobody, and the personal part sealed."""

    attempt_id: uuid.UUID
    case_id: int
    step: str
    kind: str
    facts: Mapping[str, object]
    personal: Mapping[str, str]
    alarm: AlarmCode | None = None
    """An alarm to raise about the case when the event is stored."""


def store_call_events(tx: Tx, events: Sequence[StoredEvent], *, at: datetime) -> set[tuple[uuid.UUID, str]]:
    """Stores each event once; returns the attempt and step of those that are new."""
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
    return {(row["attempt_id"], row["step"]) for row in tx.rows(_INSERT_EVENTS, _EVENTS.given(rows))}


_EVENTS = RowSet.of(t.event, ("attempt_id", "case_id", "step", "kind", "at", "facts", "sealed"))
_INSERT_EVENTS = (
    insert(t.event)
    .from_select(list(_EVENTS.columns), _EVENTS.select())
    .on_conflict_do_nothing(index_elements=["attempt_id", "step"])
    .returning(t.event.c.attempt_id, t.event.c.step)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptChange:
    """What an event changes in an attempt; None leaves a column as it is."""

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
    hearing: Mapping[str, Any] | None = None
    forwarded: bool | None = None
    reach: Reach | None = None
    answered_by: str | None = None
    sip_code: int | None = None
    error_code: int | None = None
    announcement: Announcement | None = None
    announcement_score: float | None = None


_CHANGEABLE = tuple(
    column.name for column in fields(AttemptChange) if column.name not in {"attempt_id", "state"}
)
_FIRST_VALUE_WINS = frozenset({"sid", "accepted_at", "ringing_at", "answered_at", "ended_at", "result"})

_CHANGED_IN_CALL = tuple(name for name in _NAMES if name in _CHANGEABLE)

_CHANGES = RowSet.of(t.attempt, ("id", "state", *_CHANGEABLE))
_CHANGE = (
    sa.update(t.attempt)
    .where(t.attempt.c.id == _CHANGES.c.id)
    .values(
        {
            name: sa.func.coalesce(
                *(
                    (t.attempt.c[name], _CHANGES.c[name])
                    if name in _FIRST_VALUE_WINS
                    else (_CHANGES.c[name], t.attempt.c[name])
                )
            )
            for name in _CHANGEABLE
        }
        # An attempt that was handed back, and is at the carrier after all, was sent by now.
        | {
            "state": _CHANGES.c.state,
            "sent_at": sa.func.coalesce(t.attempt.c.sent_at, _CHANGES.c.accepted_at),
        }
    )
)


def change_calls(tx: Tx, changes: Sequence[AttemptChange]) -> None:
    """Writes changes of attempts that this transaction has locked; at most one per attempt."""
    if changes:
        rows: list[dict[str, Any]] = [
            {"id": change.attempt_id, "state": change.state}
            | {name: value for name in _CHANGEABLE if (value := getattr(change, name)) is not None}
            for change in changes
        ]
        tx.execute(_CHANGE, _CHANGES.given(rows))


def merge_changes(before: AttemptChange | None, after: AttemptChange) -> AttemptChange:
    """Two changes of one attempt as one: the first value of the columns in `_FIRST_VALUE_WINS`, the last value of the
    others.
    """
    return after if before is None else replace(after, **_merged(before, after, _CHANGEABLE))


def apply_change(call: Call, change: AttemptChange) -> Call:
    """The call after a change that has not been written yet."""
    return replace(call, state=change.state, **_merged(call, change, _CHANGED_IN_CALL))


def _merged(before: Call | AttemptChange, after: AttemptChange, names: Iterable[str]) -> dict[str, Any]:
    merged = {}
    for name in names:
        first, last = getattr(before, name), getattr(after, name)
        if name in _FIRST_VALUE_WINS:
            first, last = last, first
        merged[name] = first if last is None else last
    return merged


def lock_overdue_calls(tx: Tx, *, real_now: datetime, limit: int) -> list[Call]:
    """Live attempts past their deadline, locked: those whose sender has died, unknown ones, and those without news."""
    statement = (
        _SELECT.where(in_words(t.attempt.c.state, SENT_STATES), t.attempt.c.poll_at <= real_now)
        .order_by(t.attempt.c.poll_at)
        .limit(limit)
        .with_for_update(of=t.attempt, skip_locked=True)
    )
    return [record_of(Call, row) for row in tx.rows(statement)]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreportedCalls:
    """Calls that the carrier took after the newest webhook and that brought no webhook, however they ended."""

    since: datetime | None
    """When the carrier took the newest of the calls that were posted early enough to have brought a webhook (service
    time).
    """
    posted_at: datetime | None
    """When the newest of all was posted (real time)."""
    first_posted_at: datetime | None
    """When the first of them was posted (real time)."""


def calls_without_webhook(
    tx: Tx, *, newest_webhook: datetime | None, posted_from: datetime, posted_before: datetime
) -> UnreportedCalls:
    """Considers calls posted from `posted_from` on; those posted before `posted_before` should have brought a webhook
    (both real time). `newest_webhook` is service time.
    """
    accepted_at, posted_at = t.attempt.c.accepted_at, t.attempt.c.posted_at
    after: sa.ColumnElement[bool] = sa.true()
    if newest_webhook is not None:
        # A call is sent before it is taken, by at most the time limit of its request; the index is on `sent_at`.
        sent_from = newest_webhook - _LONGEST_REQUEST
        after = sa.and_(accepted_at > newest_webhook, t.attempt.c.sent_at >= sent_from)
    row = tx.one(
        sa.select(
            sa.func.max(accepted_at).filter(posted_at < posted_before).label("since"),
            sa.func.max(posted_at).label("posted_at"),
            sa.func.min(posted_at).label("first_posted_at"),
        ).where(
            after,
            accepted_at.is_not(None),
            posted_at >= posted_from,
            ~sa.exists().where(t.event.c.attempt_id == t.attempt.c.id, _IS_WEBHOOK),
        )
    )
    assert row is not None
    return UnreportedCalls(**row)


WEBHOOK_AFTER: Final = timedelta(seconds=6)
"""When the first webhook of a call counts as missing; a carrier sends it within a second of taking the call."""
_FORGOTTEN: Final = timedelta(hours=1)
"""After this long without a call the earlier ones no longer count: whether webhooks arrive now is unknown."""


_OVERDUE_AFTER: Final = timedelta(seconds=10)
_MANY_OVERDUE: Final = 3
"""The webhook for the end of one call can get lost; those of several calls do not."""


def unreported_calls(
    tx: Tx, *, now: datetime, real_now: datetime, ring_seconds: float
) -> UnreportedCalls | None:
    """Calls that the carrier took, if no webhook has arrived since for `WEBHOOK_AFTER`; otherwise None. When all lines
    are in use, no call is younger than the newest webhook: then several calls that have been ringing for longer than
    `ring_seconds` show the same.
    """
    newest = newest_webhook(tx)
    if newest is not None and newest > now - WEBHOOK_AFTER:
        return None  # As nearly always while calls are made: one index lookup.
    unreported = calls_without_webhook(
        tx,
        newest_webhook=newest,
        posted_from=real_now - _FORGOTTEN,
        posted_before=real_now - WEBHOOK_AFTER,
    )
    return (
        _overdue_calls(tx, newest, now=now, real_now=real_now, ring_seconds=ring_seconds)
        if (unreported.since is None)
        else unreported
    )


def _overdue_calls(
    tx: Tx, newest_webhook: datetime | None, *, now: datetime, real_now: datetime, ring_seconds: float
) -> UnreportedCalls | None:
    c, rang_before = t.attempt.c, now - timedelta(seconds=ring_seconds) - _OVERDUE_AFTER
    if newest_webhook is None or newest_webhook >= rang_before:
        return None
    row = tx.one(
        sa.select(
            sa.func.count().label("n"),
            sa.func.max(c.ringing_at).label("since"),
            sa.func.max(c.posted_at).label("at"),
            sa.func.min(c.posted_at).label("first_at"),
        ).where(
            c.state == word_literal(AttemptState.RINGING),
            c.ringing_at < rang_before,
            c.posted_at < real_now - _OVERDUE_AFTER,
        )
    )
    if row is None or row["n"] < _MANY_OVERDUE:
        return None
    return UnreportedCalls(since=row["since"], posted_at=row["at"], first_posted_at=row["first_at"])


_LONGEST_REQUEST = timedelta(minutes=1)
"""`telephony.timeout_seconds` is at most this."""


def newest_webhook(tx: Tx) -> datetime | None:
    """When the newest webhook of a call was stored (service time); None if there is none."""
    # By the primary key, backwards: the newest event is a webhook except while the carrier is only polled.
    moment: datetime | None = tx.scalar(
        sa.select(t.event.c.at)
        .where(t.event.c.attempt_id.is_not(None), _IS_WEBHOOK)
        .order_by(t.event.c.id.desc())
        .limit(1)
    )
    return moment


# News of a message, which may come by a poll too and from another provider, says nothing about webhooks of calls.
_IS_WEBHOOK = sa.and_(~t.event.c.step.startswith("poll."), ~t.event.c.step.startswith("message."))


def was_posted_since(tx: Tx, since: datetime) -> bool:
    """Whether a call that is not over was posted at or after `since` (real time)."""
    found = sa.exists().where(in_words(t.attempt.c.state, SENT_STATES), t.attempt.c.posted_at >= since)
    return bool(tx.scalar(sa.select(found)))


def poll_unreported_calls_now(tx: Tx, *, posted_before: datetime, real_now: datetime) -> None:
    """Has the next reconciliation ask the carrier about calls that it took, that were posted before `posted_before`,
    and of which no event has come.
    """
    # Others lock attempts in the order of their ids: one that somebody has locked is left for the next time.
    found = (
        sa.select(t.attempt.c.id)
        .where(
            t.attempt.c.state == word_literal(AttemptState.ACCEPTED),
            t.attempt.c.posted_at < posted_before,
            t.attempt.c.poll_at > real_now,
            ~sa.exists().where(t.event.c.attempt_id == t.attempt.c.id),
        )
        .with_for_update(of=t.attempt, skip_locked=True)
    )
    tx.execute(sa.update(t.attempt).where(t.attempt.c.id.in_(found)).values(poll_at=real_now))


def calls_asked_to_end(tx: Tx, *, limit: int) -> list[tuple[uuid.UUID, str, AttemptState]]:
    """Id, sid and state of live calls that the carrier must end."""
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
    """Sets when the carrier is asked about these attempts again (`poll_at`, real). `counted`: the carrier answered that
    there is no such call.
    """
    if ids:
        tx.execute(
            sa.update(t.attempt)
            .where(among(t.attempt.c.id, ids))
            .values(poll_at=poll_at, polls=t.attempt.c.polls + (1 if counted else 0))
        )


def numbers_of_calls(tx: Tx, calls: Sequence[Call]) -> dict[uuid.UUID, str]:
    """Each attempt's E.164 number in clear, to ask the carrier about it."""
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
    """The sids among these that belong to attempts already."""
    return {row["sid"] for row in tx.rows(sa.select(t.attempt.c.sid).where(t.attempt.c.sid.in_(sids)))}


def newest_call_known_before(tx: Tx, *, posted_at: datetime, since: datetime) -> str | None:
    """The sid of the newest call that the carrier took between these real times; None without such a call."""
    # By the newest event, in the order of an index: the cost does not grow with the number of attempts.
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
