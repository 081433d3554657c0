"""Finds cases and rows that disagree, so that nothing would move the case. Each read uses an index or a range of open
cases, so its cost does not grow with the backlog.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dialer.cases.attempts import most_urgent_ready
from dialer.core.attempt import DOUBTFUL_STATES, LIVE_STATES, OPEN_STATES, SENT_STATES, AttemptState
from dialer.core.case import (
    PENDING_STATES,
    CaseStatus,
    DeskCallState,
    InboundState,
    RobotState,
    StaffTrackState,
)
from dialer.core.values import Track
from dialer.db import tables as t
from dialer.db.bulk import in_words
from dialer.db.columns import FOLLOWED_UP_NOW
from dialer.db.unit_of_work import Tx

_HEAD = 2000
_IS_LIVE = in_words(t.attempt.c.state, LIVE_STATES)
_IS_PENDING = in_words(t.assignment.c.state, PENDING_STATES)
_IS_OPEN = t.case.c.status == CaseStatus.OPEN.value
_IS_FOLLOWED_UP = sa.text(f'"case".{FOLLOWED_UP_NOW}')
"""As the index of these cases says it."""
_IS_WATCHED = t.case.c.status == CaseStatus.WATCHING.value
_ATTEMPT = sa.select(t.attempt.c.id.label("attempt_id"), t.attempt.c.case_id, t.attempt.c.n)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdRange:
    """Cases with ids above `after`, up to and with `last`, that are open or have a follow-up under way."""

    after: int
    last: int

    @staticmethod
    def of(case_id: int) -> IdRange:
        """The range of this case alone."""
        return IdRange(after=case_id - 1, last=case_id)

    def holds(self) -> sa.ColumnElement[bool]:
        """The condition that a row of `case` is in the range, and open or with a follow-up under way."""
        return sa.and_(sa.or_(_IS_OPEN, _IS_FOLLOWED_UP), t.case.c.id > self.after, t.case.c.id <= self.last)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedAttempt:
    """An attempt row; `n` is its number within the case."""

    attempt_id: uuid.UUID
    case_id: int
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedAssignment:
    """An open assignment that is compared with its case."""

    case_id: int
    track: Track


def next_id_range(tx: Tx, *, after: int, at_most: int) -> IdRange | None:
    """The next such cases past id `after`, at most so many; None past the last one."""
    parts = (
        sa.select(t.case.c.id)
        .where(condition, t.case.c.id > after)
        .order_by(t.case.c.id)
        .limit(at_most)
        .subquery()
        for condition in (_IS_OPEN, _IS_FOLLOWED_UP)
    )
    both = sa.union_all(*(sa.select(part.c.id) for part in parts)).subquery()
    ids = sa.select(both.c.id).order_by(both.c.id).limit(at_most).subquery()
    last = tx.scalar(sa.select(sa.func.max(ids.c.id)))
    return None if last is None else IdRange(after=after, last=last)


def find_missing_attempts(tx: Tx, id_range: IdRange) -> list[int]:
    """Cases that wait for a robot call without a planned or live attempt."""
    attempt = sa.exists().where(t.attempt.c.case_id == t.case.c.id, in_words(t.attempt.c.state, OPEN_STATES))
    statement = sa.select(t.case.c.id).where(
        id_range.holds(), t.case.c.robot_state == RobotState.PENDING.value, ~attempt
    )
    return [row["id"] for row in tx.rows(statement)]


def newest_attempt_of_case(tx: Tx, case_id: int) -> dict[str, Any] | None:
    """The newest attempt row of a case: its id, n, result, contact and answer."""
    columns = ("id", "n", "result", "contact", "answer")
    row = tx.one(
        sa.select(*(t.attempt.c[name] for name in columns))
        .where(t.attempt.c.case_id == case_id)
        .order_by(t.attempt.c.n.desc())
        .limit(1)
    )
    return None if row is None else dict(row)


def find_missing_assignments(tx: Tx, id_range: IdRange) -> list[CheckedAssignment]:
    """Cases with an open staff track and no open assignment of that kind."""
    found: list[CheckedAssignment] = []
    for track, column in ((Track.HUMAN, t.case.c.human_state), (Track.VISIT, t.case.c.visit_state)):
        work = sa.exists().where(
            t.assignment.c.case_id == t.case.c.id,
            t.assignment.c.kind == track.value,
            _IS_PENDING,
        )
        rows = tx.rows(
            sa.select(t.case.c.id).where(id_range.holds(), column == StaffTrackState.OPEN.value, ~work)
        )
        found.extend(CheckedAssignment(case_id=row["id"], track=track) for row in rows)
    return found


def _is_settled() -> sa.ColumnElement[bool]:
    return ~sa.or_(_IS_OPEN, _IS_WATCHED)


def find_stray_assignments(tx: Tx, *, case_id: int | None = None, limit: int) -> list[CheckedAssignment]:
    """Open assignments of a case that is settled, or whose track of that kind is not open."""
    wanted = sa.or_(
        sa.and_(t.assignment.c.kind == Track.HUMAN.value, t.case.c.human_state == StaffTrackState.OPEN.value),
        sa.and_(t.assignment.c.kind == Track.VISIT.value, t.case.c.visit_state == StaffTrackState.OPEN.value),
    )
    statement = (
        sa.select(t.assignment.c.case_id, t.assignment.c.kind)
        .join(t.case, t.case.c.id == t.assignment.c.case_id)
        .where(_IS_PENDING, sa.or_(_is_settled(), ~wanted))
        .limit(limit)
    )
    if case_id is not None:
        statement = statement.where(t.assignment.c.case_id == case_id)
    return [CheckedAssignment(case_id=row["case_id"], track=Track(row["kind"])) for row in tx.rows(statement)]


def find_stray_attempts(tx: Tx, *, case_id: int | None = None, limit: int) -> list[CheckedAttempt]:
    """Attempts that are next to leave, or live, of a case that is settled or does not wait for that attempt."""
    among: sa.ColumnElement[bool]
    if case_id is None:
        live = sa.select(t.attempt.c.id).where(_IS_LIVE, ~t.attempt.c.cancel_asked)
        ids = sa.union_all(live, most_urgent_ready(limit=_HEAD)).subquery()
        among = t.attempt.c.id.in_(sa.select(ids.c.id))
    else:
        among = sa.and_(
            t.attempt.c.case_id == case_id,
            in_words(t.attempt.c.state, OPEN_STATES),
            ~t.attempt.c.cancel_asked,
        )
    stray = sa.or_(
        _is_settled(),
        t.case.c.robot_state != RobotState.PENDING.value,
        t.case.c.robot_attempts != t.attempt.c.n,
    )
    statement = _ATTEMPT.join(t.case, t.case.c.id == t.attempt.c.case_id).where(among, stray).limit(limit)
    return [CheckedAttempt(**row) for row in tx.rows(statement)]


def long_overdue_cases(tx: Tx, *, before: datetime, limit: int) -> list[int]:
    """Cases that were due before this moment (service time), the longest overdue first."""
    statement = sa.select(t.case.c.id).where(t.case.c.due_at < before).order_by(t.case.c.due_at).limit(limit)
    return [row["id"] for row in tx.rows(statement)]


def _leaked() -> sa.ColumnElement[bool]:
    live = sa.exists().where(t.attempt.c.id == t.live_number.c.attempt_id, _IS_LIVE)
    desk = sa.exists().where(
        t.desk_call.c.id == t.live_number.c.attempt_id, t.desk_call.c.state != DeskCallState.ENDED.value
    )
    inbound = sa.exists().where(
        t.inbound_call.c.id == t.live_number.c.attempt_id,
        t.inbound_call.c.state != InboundState.ENDED.value,
    )
    return sa.and_(t.live_number.c.attempt_id.is_not(None), ~live, ~desk, ~inbound)


def count_leaked_numbers(tx: Tx) -> int:
    """How many numbers are taken by a call that has ended: no claim can have them."""
    return int(tx.scalar(sa.select(sa.func.count()).select_from(t.live_number).where(_leaked())))


def free_leaked_numbers(tx: Tx, *, now: datetime) -> int:
    """Leaked numbers are free; returns how many. The caller has locked the line group, so no claim runs meanwhile."""
    return tx.execute(sa.update(t.live_number).where(_leaked()).values(attempt_id=None, free_at=now)).rowcount


def lapsed_claims(tx: Tx, *, real_before: datetime) -> list[CheckedAttempt]:
    """Claims whose lease ended before this moment (real time) and that no sweep has released."""
    a = t.attempt.c
    return _attempts(tx, a.state == AttemptState.CLAIMED.value, a.lease_until < real_before)


def unresolved_attempts(tx: Tx, *, real_before: datetime) -> list[CheckedAttempt]:
    """Attempts posted before this moment (real time) of which it is still unknown whether the carrier accepted them."""
    a = t.attempt.c
    return _attempts(tx, in_words(a.state, DOUBTFUL_STATES), a.posted_at < real_before)


def unasked_attempts(tx: Tx, *, real_before: datetime) -> list[CheckedAttempt]:
    """Live attempts about which the carrier has not been asked since this moment (real time)."""
    a = t.attempt.c
    unasked = sa.or_(a.poll_at.is_(None), a.poll_at < real_before)
    return _attempts(tx, in_words(a.state, SENT_STATES), unasked)


def ask_carrier_now(tx: Tx, attempts: Sequence[CheckedAttempt], *, real_now: datetime) -> None:
    """The next reconciliation asks the carrier about these."""
    ids = [attempt.attempt_id for attempt in attempts]
    unasked = (t.attempt.c.id.in_(ids), _IS_LIVE, t.attempt.c.poll_at.is_(None))
    tx.execute(sa.update(t.attempt).where(*unasked).values(poll_at=real_now))


def _attempts(tx: Tx, *conditions: sa.ColumnElement[bool]) -> list[CheckedAttempt]:
    return [CheckedAttempt(**row) for row in tx.rows(_ATTEMPT.where(*conditions).limit(_HEAD))]
