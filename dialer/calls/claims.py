"""Rows of attempts from plan to POST: promotes planned attempts, claims them, marks them as sending just before the
POST, and binds them to the carrier's calls. Takes and returns lists.

A claim of calls is no job of `dialer.db.jobs`: it reserves numbers and slots of the pace for many attempts in one
transaction, and what was sent is never tried again by itself.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.calls.pacing import LineGroup, take_call_slots
from dialer.calls.pause_store import standing_pauses_at, withhold_attempts
from dialer.cases.attempts import attempt_update, lock_attempt_rows, most_urgent_ready
from dialer.cases.persons import open_person
from dialer.core.attempt import SENT_STATES, AttemptEvent, AttemptState
from dialer.core.case import Reason
from dialer.core.values import FraudType, Grade, PauseScope, Tag
from dialer.db import tables as t
from dialer.db.bulk import RowSet, among, in_words, moment, word_literal
from dialer.db.unit_of_work import Tx, record_of

_PROMOTE_AT_ONCE = 5000
_WITHHOLD_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedAttempt:
    """An attempt that only this worker may send while its lease lasts. `to` is in E.164 form and never logged."""

    attempt_id: uuid.UUID
    token: int
    case_id: int
    person_id: int
    n: int
    to: str
    send_at: datetime
    grade: Grade
    fraud_type: FraudType
    tags: frozenset[Tag]
    reason: Reason
    """The reason of the attempt: a follow-up uses a script of its own."""
    policy_version: int
    """The policy version of the case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What one claim took, and how many attempts it postponed because their numbers cannot be called now. With some
    postponed and none taken, less urgent attempts may still be ready.
    """

    attempts: Sequence[ClaimedAttempt] = ()
    postponed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptOutsideWindow:
    """An attempt whose turn came outside the dialling window; its case decides what happens instead."""

    id: uuid.UUID
    case_id: int
    n: int
    urgency_at: datetime
    policy_version: int
    """The policy version of the case, whose window may be open."""


def promote_planned(tx: Tx, *, now: datetime) -> int:
    """Marks planned attempts whose time has come as ready to be claimed, a bounded number at a time. Returns how
    many.
    """
    due = (
        sa.select(t.attempt.c.id)
        .where(t.attempt.c.state == word_literal(AttemptState.PLANNED), t.attempt.c.not_before <= now)
        .order_by(t.attempt.c.not_before)
        .limit(_PROMOTE_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    return tx.execute(attempt_update(AttemptEvent.DUE).where(t.attempt.c.id.in_(due))).rowcount


def is_any_ready(tx: Tx) -> bool:
    """Whether an attempt waits for a line."""
    ready = sa.exists().where(t.attempt.c.state == word_literal(AttemptState.READY), ~t.attempt.c.held)
    return bool(tx.scalar(sa.select(ready)))


def ready_outside_window(
    tx: Tx, *, after: AttemptOutsideWindow | None, limit: int
) -> list[AttemptOutsideWindow]:
    """Ready attempts of grades that do not wait for the window, after this one (None: from the first), most urgent
    first.
    """
    a = t.attempt.c
    statement = (
        sa.select(a.id, a.case_id, a.n, a.urgency_at, t.case.c.policy_version)
        .join(t.case, t.case.c.id == a.case_id)
        .where(a.state == word_literal(AttemptState.READY), ~a.held, ~a.windowed)
        .order_by(a.urgency_at, a.id)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(sa.tuple_(a.urgency_at, a.id) > sa.tuple_(after.urgency_at, after.id))
    return [AttemptOutsideWindow(**row) for row in tx.rows(statement)]


def claim_attempts(
    tx: Tx,
    group: LineGroup,
    *,
    now: datetime,
    real_now: datetime,
    horizon_seconds: float,
    lease_seconds: float,
    at_most: int,
    number_retry_seconds: float,
    lead_seconds: float = 0.0,
    closed_until: Callable[[str], datetime | None] = lambda _number: None,
) -> Claim:
    """Claims the most urgent ready attempts, as many as pacing and lines allow within the horizon, each with its own
    moment to leave, none of them nearer than `lead_seconds`. The caller has locked the group. An attempt is postponed,
    without using up a try, if its number is in a call or rests, or if it is outside the window there: `closed_until`
    gives the next opening for a number, or None.
    """
    slots = group.slots(real_now=real_now, horizon_seconds=horizon_seconds, lead_seconds=lead_seconds)
    slots = slots[:at_most]
    if not slots or group.is_paused(now):
        return Claim()
    found = _unpaused_candidates(tx, limit=len(slots), now=now)
    numbers = {
        row["id"]: open_person(tx, person_id=row["person_id"], sealed=row["sealed"]).phones[row["number"]]
        for row in found
    }
    candidates = _postpone_night_numbers(tx, found, numbers, closed_until)
    if not candidates:
        return Claim(postponed=len(found))
    taken = _take_numbers(tx, candidates, now=now)
    put_off = [row["id"] for row in candidates if row["id"] not in taken]
    if put_off:
        tx.execute(
            attempt_update(AttemptEvent.PUT_OFF)
            .where(among(t.attempt.c.id, put_off))
            .values(not_before=now + timedelta(seconds=number_retry_seconds))
        )
    chosen = [row for row in candidates if row["id"] in taken]
    postponed = len(found) - len(chosen)
    if not chosen:
        return Claim(postponed=postponed)
    lease_until = real_now + timedelta(seconds=lead_seconds + horizon_seconds + lease_seconds)
    claimed = [
        record_of(
            ClaimedAttempt,
            row,
            attempt_id=row["id"],
            token=row["token"] + 1,
            to=numbers[row["id"]],
            send_at=send_at,
        )
        for row, send_at in zip(chosen, slots, strict=False)
    ]
    rows: list[dict[str, Any]] = [
        {"id": c.attempt_id, "lease_until": lease_until, "send_at": c.send_at} for c in claimed
    ]
    tx.execute(_CLAIM, _CLAIMED.given(rows))
    take_call_slots(tx, group, slots[: len(claimed)], real_now=real_now)
    return Claim(attempts=claimed, postponed=postponed)


_CLAIMED = RowSet.of(t.attempt, ("id", "lease_until", "send_at"))
_CLAIM = (
    attempt_update(AttemptEvent.CLAIMED)
    .where(t.attempt.c.id == _CLAIMED.c.id)
    .values(
        token=t.attempt.c.token + 1,
        lease_until=_CLAIMED.c.lease_until,
        send_at=_CLAIMED.c.send_at,
    )
)


def _candidates(tx: Tx, *, limit: int) -> list[Any]:
    a, c, phone = t.attempt.c, t.case.c, t.person_phone.c
    ready = most_urgent_ready(limit=limit).subquery()
    of_number = sa.and_(phone.person_id == a.person_id, phone.position == a.number)
    statement = (
        sa.select(
            *(a[name] for name in ("id", "token", "case_id", "person_id", "n", "number", "reason")),
            *(
                c[name]
                for name in ("fraud_type", "tags", "grade", "unit", "unit_id", "load_id", "policy_version")
            ),
            phone.phone_blind,
            t.person.c.sealed,
        )
        .join(t.case, c.id == a.case_id)
        .join(t.person, t.person.c.id == a.person_id)
        .join(t.person_phone, of_number)
        .where(a.id.in_(sa.select(ready.c.id)), a.state == word_literal(AttemptState.READY))
        .order_by(a.urgency_at, a.id)
        .limit(limit)
        .with_for_update(of=t.attempt, skip_locked=True)
    )
    return tx.rows(statement)


_PAUSED_BY = ("grade", "unit", "unit_id", "load_id")


def _unpaused_candidates(tx: Tx, *, limit: int, now: datetime) -> list[Any]:
    """The most urgent candidates that no pause covers. Attempts that a pause covers are withheld here in large batches,
    so that those behind them are not delayed.
    """
    pauses = standing_pauses_at(tx, now=now)
    if not pauses:
        return _candidates(tx, limit=limit)
    if pauses[0].scope is PauseScope.ALL:
        return []
    while found := _candidates(tx, limit=max(limit, _WITHHOLD_AT_ONCE)):
        free = [
            row
            for row in found
            if not any(pause.covers(**{name: row[name] for name in _PAUSED_BY}) for pause in pauses)
        ]
        chosen = {row["id"] for row in free}
        withhold_attempts(tx, [row["id"] for row in found if row["id"] not in chosen])
        if free:
            return free[:limit]
    return []


def _postpone_night_numbers(
    tx: Tx,
    candidates: list[Any],
    numbers: Mapping[uuid.UUID, str],
    closed_until: Callable[[str], datetime | None],
) -> list[Any]:
    awake: list[Any] = []
    for row in candidates:
        opening = closed_until(numbers[row["id"]])
        if opening is None:
            awake.append(row)
            continue
        tx.execute(
            attempt_update(AttemptEvent.PUT_OFF).where(t.attempt.c.id == row["id"]).values(not_before=opening)
        )
    return awake


def _take_numbers(tx: Tx, candidates: Sequence[Any], *, now: datetime) -> set[uuid.UUID]:
    """Reserves the numbers of these attempts, and returns the attempts that got theirs: a number has one live call at a
    time and a rest between two calls, across all cases.
    """
    wanted: dict[bytes, uuid.UUID] = {}
    for row in candidates:
        wanted.setdefault(bytes(row["phone_blind"]), row["id"])
    rows: list[dict[str, Any]] = [
        {"phone_blind": blind, "attempt_id": attempt_id} for blind, attempt_id in sorted(wanted.items())
    ]
    return {row["attempt_id"] for row in tx.rows(_TAKE_NUMBERS, {**_NUMBERS.given(rows), "now": now})}


_NUMBERS = RowSet.of(t.live_number, ("phone_blind", "attempt_id"))
_WANTED = insert(t.live_number).from_select(list(_NUMBERS.columns), _NUMBERS.select())
_TAKE_NUMBERS = _WANTED.on_conflict_do_update(
    index_elements=["phone_blind"],
    set_={"attempt_id": _WANTED.excluded.attempt_id, "free_at": None},
    where=sa.and_(
        t.live_number.c.attempt_id.is_(None),
        t.live_number.c.free_at <= moment("now"),
    ),
).returning(t.live_number.c.attempt_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A claimed attempt, and the script that its call will use."""

    attempt_id: uuid.UUID
    token: int
    script_id: str
    script_hash: str
    language: str
    script_version_id: int | None = None
    audio_hash: str = ""
    records: bool = False
    """The call is recorded, and the script says so at its beginning."""


def mark_attempts_sending(
    tx: Tx, sendings: Iterable[Sending], *, now: datetime, real_now: datetime, poll_at: datetime
) -> set[uuid.UUID]:
    """Marks these attempts as sending. Returns those that may be posted now, without any whose token is stale or whose
    lease has ended.
    """
    wanted = sorted(sendings, key=lambda sending: sending.attempt_id)
    if not wanted:
        return set()
    lock_attempt_rows(tx, [s.attempt_id for s in wanted])
    rows: list[dict[str, Any]] = [
        {"id": sending.attempt_id} | {name: getattr(sending, name) for name in _SENDING_COLUMNS}
        for sending in wanted
    ]
    times = {"now": now, "real_now": real_now, "next_poll": poll_at}
    return {row["id"] for row in tx.rows(_MARK_SENDING, {**_SENDINGS.given(rows), **times})}


_SENDING_COLUMNS = tuple(column.name for column in fields(Sending) if column.name != "attempt_id")
_SENDINGS = RowSet.of(t.attempt, ("id", *_SENDING_COLUMNS))
_MARK_SENDING = (
    attempt_update(AttemptEvent.POSTING)
    .where(
        t.attempt.c.id == _SENDINGS.c.id,
        t.attempt.c.token == _SENDINGS.c.token,
        t.attempt.c.lease_until > moment("real_now"),
    )
    .values(
        posted_at=moment("real_now"),
        sent_at=moment("now"),
        poll_at=moment("next_poll"),
        **{name: _SENDINGS.c[name] for name in _SENDING_COLUMNS if name != "token"},
    )
    .returning(t.attempt.c.id)
)


_ACCEPTED = RowSet.of(t.attempt, ("id", "sid"))
_ACCEPT = (
    attempt_update(AttemptEvent.ACCEPTED)
    .where(t.attempt.c.id == _ACCEPTED.c.id)
    .values(
        sid=sa.func.coalesce(t.attempt.c.sid, _ACCEPTED.c.sid),
        sent_at=sa.func.coalesce(t.attempt.c.sent_at, moment("now")),
        accepted_at=sa.func.coalesce(t.attempt.c.accepted_at, moment("now")),
        poll_at=moment("next_poll"),
    )
)


def accept_attempts(
    tx: Tx, placed: Sequence[tuple[uuid.UUID, str]], *, now: datetime, poll_at: datetime
) -> None:
    """Marks these attempts as accepted, with the carrier's sids. An attempt that a webhook has moved further keeps its
    state.
    """
    if placed:
        lock_attempt_rows(tx, [attempt_id for attempt_id, _ in placed])
        rows: list[dict[str, Any]] = [{"id": attempt_id, "sid": sid} for attempt_id, sid in placed]
        tx.execute(_ACCEPT, {**_ACCEPTED.given(rows), "now": now, "next_poll": poll_at})


def cases_at_carrier(tx: Tx, case_ids: Sequence[int]) -> set[int]:
    """Those of these cases that have a call which was sent and has not ended."""
    if not case_ids:
        return set()
    statement = sa.select(t.attempt.c.case_id).where(
        among(t.attempt.c.case_id, case_ids),
        in_words(t.attempt.c.state, SENT_STATES),
    )
    return {row["case_id"] for row in tx.rows(statement)}
