"""Rows of the calls that a database did not know after a restore or a failover (table `carrier_call`), and the
attempts that they belong to.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.cases.attempts import attempt_update
from dialer.core.attempt import DOUBTFUL_STATES, SENT_STATES, UNSENT_STATES, AttemptEvent
from dialer.core.case import RUNNING_STATUSES, CaseStatus
from dialer.core.values import TelephonyResult, Track
from dialer.db import tables as t
from dialer.db.bulk import among, in_words, word_literal
from dialer.db.unit_of_work import Tx, record_of

REMEMBERED = timedelta(days=7)
"""A list without times of its own that arrives later than this after the restore is about new incidents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierCall:
    """A call that the database did not know. `called_at` is real time. `result`: ANSWERED is a call that was still
    under way when it was found and goes on; of a call that is over, what was said is lost, so it is never ANSWERED.
    """

    sid: str
    phone_blind: bytes
    called_at: datetime
    result: TelephonyResult


@dataclass(frozen=True, slots=True, kw_only=True)
class CalledAttempt:
    """An attempt that was not known to be sent, with the call that must have been this attempt."""

    sid: str
    called_at: datetime
    result: TelephonyResult
    attempt_id: uuid.UUID
    case_id: int
    position: int
    """The position of the called number among the person's numbers."""


def unknown_sids(tx: Tx, sids: Sequence[str]) -> set[str]:
    """The sids among these that the database does not know."""
    found = set(sids)
    for table in (t.attempt, t.desk_call, t.inbound_call):
        found -= {row["sid"] for row in tx.rows(sa.select(table.c.sid).where(table.c.sid.in_(sids)))}
    return found


def add_carrier_calls(tx: Tx, calls: Sequence[CarrierCall], *, found_at: datetime) -> None:
    """Adds a row for each call that has none yet."""
    rows: list[dict[str, Any]] = [
        {
            "sid": call.sid,
            "phone_blind": call.phone_blind,
            "called_at": call.called_at,
            "result": call.result.value,
            "found_at": found_at,
        }
        for call in calls
    ]
    if rows:
        tx.execute(insert(t.carrier_call).on_conflict_do_nothing(index_elements=["sid"]), rows)


def are_carrier_calls_open(tx: Tx, *, found_since: datetime | None = None) -> bool:
    """Whether a found call (since `found_since`) is to a number without an open case."""
    call = t.carrier_call.c
    since = () if found_since is None else (call.found_at >= found_since,)
    return bool(tx.scalar(sa.select(sa.exists().where(call.case_id.is_(None), *since))))


def called_attempts(
    tx: Tx, *, real_now: datetime, case_ids: Sequence[int] | None = None, by_time: bool = True, limit: int
) -> list[CalledAttempt]:
    """Attempts that wait or are in doubt, in cases to whose person a call was found: the oldest call first, then the
    most urgent attempt. `by_time` leaves out cases whose first warning was produced after the call. `case_ids` limits
    the cases.
    """
    call, case, attempt, phone = t.carrier_call.c, t.case.c, t.attempt.c, t.person_phone.c
    first_warning = (
        sa.select(sa.func.min(t.warning.c.produced_at))
        .where(t.warning.c.case_id == case.id)
        .scalar_subquery()
    )
    statement = (
        sa.select(
            call.sid,
            call.called_at,
            call.result,
            attempt.id.label("attempt_id"),
            attempt.case_id,
            phone.position,
        )
        .join(t.person_phone, phone.phone_blind == call.phone_blind)
        .join(t.case, sa.and_(case.person_id == phone.person_id, in_words(case.status, RUNNING_STATUSES)))
        .join(t.attempt, attempt.case_id == case.id)
        .where(
            call.case_id.is_(None),
            call.found_at > real_now - REMEMBERED,
            in_words(attempt.state, UNSENT_STATES | DOUBTFUL_STATES),
            attempt.sid.is_(None),
        )
        .order_by(call.called_at, call.sid, attempt.urgency_at, attempt.id)
        .limit(limit)
    )
    if by_time:
        statement = statement.where(sa.func.coalesce(first_warning, call.called_at) <= call.called_at)
    if case_ids is not None:
        statement = statement.where(among(case.id, case_ids))
    return [record_of(CalledAttempt, row) for row in tx.rows(statement)]


def bind_called_attempts(tx: Tx, called: Sequence[CalledAttempt]) -> set[uuid.UUID]:
    """Marks these attempts as accepted by the carrier as the calls that were found. The cases are locked. Returns the
    attempts that got the sid of their call: one, if several cases share the call.
    """
    owners: dict[str, CalledAttempt] = {}
    for attempt in called:
        owners.setdefault(attempt.sid, attempt)
    bound = {attempt.attempt_id for attempt in owners.values()}
    for attempt in sorted(called, key=lambda attempt: attempt.attempt_id):
        tx.execute(
            attempt_update(AttemptEvent.ACCEPTED)
            .where(t.attempt.c.id == attempt.attempt_id)
            .values(
                sid=attempt.sid if attempt.attempt_id in bound else None,
                number=attempt.position,
                token=t.attempt.c.token + 1,
                posted_at=attempt.called_at,
                sent_at=attempt.called_at,
                accepted_at=attempt.called_at,
            )
        )
    for sid, attempt in owners.items():
        tx.execute(
            sa.update(t.carrier_call).where(t.carrier_call.c.sid == sid).values(case_id=attempt.case_id)
        )
    return bound


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundCalls:
    """The calls in the carrier's list since a real time that the database did not know. `first` and `last`: the real
    times of these calls.
    """

    since: datetime
    calls: int
    cases: int
    for_persons: int
    """How many of these cases go to a person, because somebody may have answered."""
    going_on: int
    """Calls that were under way when they were found, and go on with their cases."""
    without_case: int
    """Calls to numbers without an open case; a list that is loaded again may bring it."""
    first: datetime | None
    last: datetime | None


def found_calls(tx: Tx, *, since: datetime, found_from: datetime) -> FoundCalls:
    """The calls that were found since `found_from` (real)."""
    call = t.carrier_call.c
    row = tx.one(
        sa.select(
            sa.func.count().label("calls"),
            sa.func.count(call.case_id.distinct()).label("cases"),
            sa.func.count(call.case_id.distinct())
            .filter(call.result == TelephonyResult.UNKNOWN.value)
            .label("for_persons"),
            sa.func.count().filter(call.result == TelephonyResult.ANSWERED.value).label("going_on"),
            sa.func.count().filter(call.case_id.is_(None)).label("without_case"),
            sa.func.min(call.called_at).label("first"),
            sa.func.max(call.called_at).label("last"),
        ).where(call.found_at >= found_from)
    )
    assert row is not None
    return record_of(FoundCalls, row, since=since)


def settle_carrier_calls(tx: Tx) -> None:
    """Assigns each remaining call to the open or watched case of its number, if there is one: no attempt of that case
    waits to be made as if for the first time. The call may have been a follow-up by the robot that was due later, so a
    caller makes that follow-up instead.
    """
    call, phone, case = t.carrier_call.c, t.person_phone.c, t.case.c
    was_called = (
        sa.exists()
        .where(phone.person_id == case.person_id)
        .where(phone.phone_blind == call.phone_blind, call.case_id.is_(None))
    )
    tx.execute(
        sa.update(t.case)
        .where(
            case.status == word_literal(CaseStatus.WATCHING),
            case.follow_up_by == word_literal(Track.ROBOT),
            case.follow_up_at.is_not(None),
            was_called,
        )
        .values(follow_up_by=Track.HUMAN.value)
    )
    of_number = (
        sa.select(sa.func.min(case.id))
        .join(t.person_phone, phone.person_id == case.person_id)
        .where(phone.phone_blind == call.phone_blind, in_words(case.status, RUNNING_STATUSES))
        .scalar_subquery()
    )
    tx.execute(sa.update(t.carrier_call).where(call.case_id.is_(None)).values(case_id=of_number))


@dataclass(frozen=True, slots=True, kw_only=True)
class SentAttempt:
    """An attempt that was at the carrier when the backup was made, with its call's sid."""

    attempt_id: uuid.UUID
    case_id: int
    sid: str


def attempts_at_carrier(tx: Tx) -> list[SentAttempt]:
    """Attempts with a call that the carrier has taken, in the order of their ids."""
    statement = (
        sa.select(t.attempt.c.id.label("attempt_id"), t.attempt.c.case_id, t.attempt.c.sid)
        .where(in_words(t.attempt.c.state, SENT_STATES), t.attempt.c.sid.is_not(None))
        .order_by(t.attempt.c.id)
    )
    return [record_of(SentAttempt, row) for row in tx.rows(statement)]


def newest_sid_before(tx: Tx, *, posted_before: datetime) -> str | None:
    """The sid of the newest call that the carrier took before `posted_before` (real); None if it took none."""
    sid: str | None = tx.scalar(
        sa.select(t.attempt.c.sid)
        .where(t.attempt.c.sid.is_not(None), t.attempt.c.posted_at < posted_before)
        .order_by(t.attempt.c.posted_at.desc())
        .limit(1)
    )
    return sid


def newest_post(tx: Tx) -> datetime | None:
    """When the newest call that the database knows was posted (real time); None if none was."""
    posted = t.attempt.c.posted_at
    newest: datetime | None = tx.scalar(
        sa.select(posted).where(posted.is_not(None)).order_by(posted.desc()).limit(1)
    )
    return newest
