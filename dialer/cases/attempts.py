"""Writes the states of attempts, hands attempts back to the queue or marks them as in doubt, and releases their
numbers. Takes lists.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from dialer.core.attempt import MOVES, AttemptEvent, AttemptState
from dialer.core.values import TelephonyResult
from dialer.db import tables as t
from dialer.db.bulk import IdSet, moment, state_after_moves, state_update, word_literal
from dialer.db.unit_of_work import Tx


def state_after_event(event: AttemptEvent) -> sa.ColumnElement[str]:
    """The SQL expression of an attempt's state after the event, for an attempt whose state accepts it."""
    return state_after_moves(t.attempt.c.state, MOVES[event])


def attempt_update(event: AttemptEvent) -> sa.Update:
    """As `state_update`, for attempts."""
    return state_update(t.attempt.c.state, MOVES[event])


def most_urgent_ready(*where: sa.ColumnElement[bool], limit: int) -> sa.CompoundSelect[tuple[uuid.UUID]]:
    """A statement for the ids of ready attempts that no pause withholds: the `limit` most urgent for each value of
    `windowed`, by one index range each, so that the cost does not grow with the backlog.
    """
    a = t.attempt.c
    heads = (
        sa.select(a.id)
        .where(a.state == word_literal(AttemptState.READY), ~a.held, a.windowed.is_(windowed), *where)
        .order_by(a.urgency_at)
        .limit(limit)
        .subquery()
        for windowed in (False, True)
    )
    return sa.union_all(*(sa.select(head.c.id) for head in heads))


def lock_attempt_rows(tx: Tx, ids: Sequence[uuid.UUID]) -> None:
    """Locks these attempts in id order, as every code that locks many does: an UPDATE of many rows would lock them in
    any order.
    """
    tx.execute(_LOCK_ROWS, _IDS.given(ids))


_IDS = IdSet("ids", t.attempt.c.id)
_LOCK_ROWS = sa.select(t.attempt.c.id).where(_IDS.clause).order_by(t.attempt.c.id).with_for_update()


_HANDED_BACK: dict[str, Any] = {
    # An attempt that its case has withdrawn meanwhile ends here instead of being called again.
    "state": sa.case(
        (t.attempt.c.cancel_asked, state_after_event(AttemptEvent.WITHDRAWN)),
        else_=state_after_event(AttemptEvent.NOT_TAKEN),
    ),
    "result": sa.case((t.attempt.c.cancel_asked, TelephonyResult.CANCELED.value), else_=None),
    "ended_at": sa.case((t.attempt.c.cancel_asked, moment("now")), else_=None),
    "token": t.attempt.c.token + 1,
    "lease_until": None,
    "sent_at": None,
    "polls": 0,
}


HeldAttempt = tuple[uuid.UUID, int]
"""The id and fencing token of a claimed attempt: a delayed worker that has lost its claim changes nothing."""


def _is_held_under(claims: Sequence[HeldAttempt]) -> sa.ColumnElement[bool]:
    return sa.tuple_(t.attempt.c.id, t.attempt.c.token).in_(claims)


def requeue_attempts(tx: Tx, held: Sequence[HeldAttempt], *, now: datetime, not_before: datetime) -> None:
    """Hands back attempts that were never sent or certainly not taken: they are ready again at `not_before`, no try is
    used up, it counts as never sent, and number and line are free. One that its case has withdrawn ends `now`. An
    attempt that a webhook has bound to a call meanwhile stays as it is.
    """
    if not held:
        return
    lock_attempt_rows(tx, [attempt_id for attempt_id, _ in held])
    back = tx.rows(
        attempt_update(AttemptEvent.NOT_TAKEN)
        .where(_is_held_under(held), t.attempt.c.sid.is_(None))
        .values(**_HANDED_BACK, not_before=not_before)
        .returning(t.attempt.c.id),
        {"now": now},
    )
    release_numbers(tx, [row["id"] for row in back], free_at=not_before)


def doubt_attempts(tx: Tx, held: Sequence[HeldAttempt], *, poll_at: datetime) -> None:
    """Marks attempts as in doubt, since it is unknown whether the carrier took them: they are reconciled from `poll_at`
    (real) on.
    """
    if held:
        lock_attempt_rows(tx, [attempt_id for attempt_id, _ in held])
        tx.execute(attempt_update(AttemptEvent.IN_DOUBT).where(_is_held_under(held)).values(poll_at=poll_at))


def release_numbers(tx: Tx, ids: Sequence[uuid.UUID], *, free_at: datetime) -> None:
    """Lets the numbers of these attempts rest until `free_at` (service time); their lines are free at once."""
    if ids:
        tx.execute(_FREE_NUMBERS, {**_LIVE.given(ids), "at": free_at})


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberLimits:
    """How long a number rests after a call, and how often it may be called in an hour and in a day (service time), over
    all cases.
    """

    rest_seconds: float
    an_hour: int
    a_day: int


_NOT_PUT_THROUGH = frozenset({TelephonyResult.FAILED, TelephonyResult.BLOCKED})


def rest_called_numbers(
    tx: Tx, ended: Mapping[uuid.UUID, TelephonyResult | None], limits: NumberLimits, *, now: datetime
) -> dict[uuid.UUID, datetime]:
    """Lets the numbers of these calls, which have ended so, rest; their lines are free at once. Returns the calls with
    which a number has reached its limit of an hour or a day, and until when it rests. What the network did not put
    through was no call to the number.
    """
    rest_until = now + timedelta(seconds=limits.rest_seconds)
    release_numbers(tx, [key for key, how in ended.items() if how in _NOT_PUT_THROUGH], free_at=rest_until)
    ids = [key for key, how in ended.items() if how not in _NOT_PUT_THROUGH]
    if not ids:
        return {}
    given = {"at": now, "rest_until": rest_until, "an_hour": limits.an_hour, "a_day": limits.a_day}
    rows = tx.rows(_REST_NUMBERS, {**_LIVE.given(ids), **given})
    return {row["attempt_id"]: row["free_at"] for row in rows if row["free_at"] > rest_until}


def release_uncalled_numbers(tx: Tx, ids: Sequence[uuid.UUID]) -> None:
    """Frees the numbers of these attempts at once, since they were never called."""
    if ids:
        tx.execute(_FORGET_NUMBERS, _LIVE.given(ids))


def lock_live_numbers(tx: Tx, ids: Sequence[uuid.UUID]) -> None:
    """Locks the numbers of these attempts, before several statements free them."""
    tx.execute(_LOCK_NUMBERS, _LIVE.given(ids))


_LIVE = IdSet("ids", t.live_number.c.attempt_id)

# In the order in which a claim takes them: the two may want the same numbers at once.
_LOCK_NUMBERS = (
    sa.select(t.live_number.c.phone_blind)
    .where(_LIVE.clause)
    .order_by(t.live_number.c.phone_blind)
    .with_for_update()
)
_FREE_NUMBERS = (
    sa.update(t.live_number)
    .where(t.live_number.c.phone_blind.in_(_LOCK_NUMBERS))
    .values(attempt_id=None, free_at=moment("at"))
)
_REST_NUMBERS = sa.text("""
UPDATE live_number SET attempt_id = NULL, called_at = calls.ends, free_at = greatest(
 CAST(:rest_until AS timestamptz),
 calls.ends[cardinality(calls.ends) - :an_hour + 1] + interval '1 hour',
 calls.ends[cardinality(calls.ends) - :a_day + 1] + interval '1 day')
FROM (SELECT phone_blind, attempt_id,
  (called_at || CAST(:at AS timestamptz))
   [greatest(1, cardinality(called_at) + 2 - greatest(:an_hour, :a_day)) : ] AS ends
 FROM live_number WHERE attempt_id = ANY (CAST(:ids AS uuid[])) ORDER BY phone_blind FOR UPDATE) calls
WHERE live_number.phone_blind = calls.phone_blind
RETURNING calls.attempt_id, live_number.free_at
""")
"""A subscript outside of the array is NULL, which `greatest` ignores."""
_FORGET_NUMBERS = sa.delete(t.live_number).where(t.live_number.c.phone_blind.in_(_LOCK_NUMBERS))


def release_lapsed_claims(tx: Tx, *, real_now: datetime, now: datetime) -> int:
    """Hands back claims whose lease ended before anything was sent: they are ready again at once, with a higher token.
    Returns how many.
    """
    lapsed = tx.rows(
        sa.select(t.attempt.c.id, t.attempt.c.token)
        .where(t.attempt.c.state == AttemptState.CLAIMED.value, t.attempt.c.lease_until <= real_now)
        .with_for_update(skip_locked=True)
    )
    requeue_attempts(tx, [(row["id"], row["token"]) for row in lapsed], now=now, not_before=now)
    return len(lapsed)
