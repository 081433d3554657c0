"""Where cases and their rows disagree, so that nothing would ever move the case. Reads only, each by an index or by a
stretch of open cases, so that the cost does not grow with the backlog.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dialer.core.attempt import DOUBTFUL_STATES, LIVE_STATES, OPEN_STATES, SENT_STATES, AttemptState
from dialer.core.case import PENDING_STATES, CaseStatus, DeskCallState, RobotState, StaffTrackState
from dialer.core.values import Track
from dialer.db import tables as t
from dialer.db.bulk import in_words
from dialer.db.unit_of_work import Tx

_HEAD = 2000
_IS_LIVE = in_words(t.attempt.c.state, LIVE_STATES)
_IS_PENDING = in_words(t.assignment.c.state, PENDING_STATES)
_IS_OPEN = t.case.c.status == CaseStatus.OPEN.value


@dataclass(frozen=True, slots=True, kw_only=True)
class IdRange:
    """Open cases with ids above `after`, up to and with `last`."""

    after: int
    last: int

    @staticmethod
    def of(case_id: int) -> IdRange:
        return IdRange(after=case_id - 1, last=case_id)

    def holds(self) -> sa.ColumnElement[bool]:
        return sa.and_(_IS_OPEN, t.case.c.id > self.after, t.case.c.id <= self.last)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedAttempt:
    """An attempt row; `n` is its number within the case."""

    attempt_id: uuid.UUID
    case_id: int
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedAssignment:
    case_id: int
    track: Track
    assignment_id: int | None = None


def next_id_range(tx: Tx, *, after: int, at_most: int) -> IdRange | None:
    """The next so many open cases; None past the last one."""
    walked = (
        sa.select(t.case.c.id).where(_IS_OPEN, t.case.c.id > after).order_by(t.case.c.id).limit(at_most)
    ).subquery()
    last = tx.scalar(sa.select(sa.func.max(walked.c.id)))
    return None if last is None else IdRange(after=after, last=last)


def find_missing_attempts(tx: Tx, id_range: IdRange) -> list[int]:
    """The case waits for a ring, and no row of it is planned or live."""
    ring = sa.exists().where(t.attempt.c.case_id == t.case.c.id, in_words(t.attempt.c.state, OPEN_STATES))
    statement = sa.select(t.case.c.id).where(
        id_range.holds(), t.case.c.robot_state == RobotState.PENDING.value, ~ring
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
    """The case says that somebody is being looked for, and no assignment is open."""
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


def find_stray_assignments(tx: Tx, *, case_id: int | None = None, limit: int) -> list[CheckedAssignment]:
    """Somebody is to call or to go for a case that is settled, or that waits for nobody of that kind."""
    wanted = sa.or_(
        sa.and_(t.assignment.c.kind == Track.HUMAN.value, t.case.c.human_state == StaffTrackState.OPEN.value),
        sa.and_(t.assignment.c.kind == Track.VISIT.value, t.case.c.visit_state == StaffTrackState.OPEN.value),
    )
    statement = (
        sa.select(t.assignment.c.id, t.assignment.c.case_id, t.assignment.c.kind)
        .join(t.case, t.case.c.id == t.assignment.c.case_id)
        .where(_IS_PENDING, sa.or_(~_IS_OPEN, ~wanted))
        .limit(limit)
    )
    if case_id is not None:
        statement = statement.where(t.assignment.c.case_id == case_id)
    return [
        CheckedAssignment(case_id=row["case_id"], track=Track(row["kind"]), assignment_id=row["id"])
        for row in tx.rows(statement)
    ]


def find_stray_attempts(tx: Tx, *, case_id: int | None = None, limit: int) -> list[CheckedAttempt]:
    """A ring that would leave next, or is live, of a case that is settled or waits for another ring or none."""

    def head(*, windowed: bool) -> sa.Select[Any]:
        return (
            sa.select(t.attempt.c.id)
            .where(
                t.attempt.c.state == AttemptState.READY.value,
                ~t.attempt.c.held,
                t.attempt.c.windowed.is_(windowed),
            )
            .order_by(t.attempt.c.urgency_at)
            .limit(_HEAD)
        )

    among: sa.ColumnElement[bool]
    if case_id is None:
        live = sa.select(t.attempt.c.id).where(_IS_LIVE, ~t.attempt.c.cancel_asked)
        ids = sa.union_all(
            live, sa.select(head(windowed=False).subquery()), sa.select(head(windowed=True).subquery())
        ).subquery()
        among = t.attempt.c.id.in_(sa.select(ids.c.id))
    else:
        among = sa.and_(
            t.attempt.c.case_id == case_id,
            in_words(t.attempt.c.state, OPEN_STATES),
            ~t.attempt.c.cancel_asked,
        )
    statement = (
        sa.select(t.attempt.c.id, t.attempt.c.case_id, t.attempt.c.n)
        .join(t.case, t.case.c.id == t.attempt.c.case_id)
        .where(
            among,
            sa.or_(
                ~_IS_OPEN,
                t.case.c.robot_state != RobotState.PENDING.value,
                t.case.c.robot_attempts != t.attempt.c.n,
            ),
        )
        .limit(limit)
    )
    return [
        CheckedAttempt(attempt_id=row["id"], case_id=row["case_id"], n=row["n"]) for row in tx.rows(statement)
    ]


def long_overdue_cases(tx: Tx, *, before: datetime, limit: int) -> list[int]:
    """Cases whose time came long ago (service time), the longest first."""
    statement = sa.select(t.case.c.id).where(t.case.c.due_at < before).order_by(t.case.c.due_at).limit(limit)
    return [row["id"] for row in tx.rows(statement)]


def _leaked() -> sa.ColumnElement[bool]:
    live = sa.exists().where(t.attempt.c.id == t.live_number.c.attempt_id, _IS_LIVE)
    desk = sa.exists().where(
        t.desk_call.c.id == t.live_number.c.attempt_id, t.desk_call.c.state != DeskCallState.ENDED.value
    )
    return sa.and_(t.live_number.c.attempt_id.is_not(None), ~live, ~desk)


def count_leaked_numbers(tx: Tx) -> int:
    """Numbers that nothing rings and that no claim can have."""
    return int(tx.scalar(sa.select(sa.func.count()).select_from(t.live_number).where(_leaked())))


def free_leaked_numbers(tx: Tx, *, now: datetime) -> int:
    """They are free; how many. The line group is locked by the caller, so that no claim takes one meanwhile."""
    return tx.execute(sa.update(t.live_number).where(_leaked()).values(attempt_id=None, free_at=now)).rowcount


def count_lapsed_claims(tx: Tx, *, real_before: datetime) -> list[CheckedAttempt]:
    """Claimed by a worker that is long gone, and found by no sweep."""
    return _rings(
        tx,
        t.attempt.c.state == AttemptState.CLAIMED.value,
        t.attempt.c.lease_until < real_before,
    )


def unresolved_attempts(tx: Tx, *, real_before: datetime) -> list[CheckedAttempt]:
    """Posted long ago, and still nobody can say whether the carrier took it."""
    return _rings(
        tx,
        in_words(t.attempt.c.state, DOUBTFUL_STATES),
        t.attempt.c.posted_at < real_before,
    )


def unasked_attempts(tx: Tx, *, real_before: datetime) -> list[CheckedAttempt]:
    """At the carrier, silent, and nobody has asked it for long."""
    return _rings(
        tx,
        in_words(t.attempt.c.state, SENT_STATES),
        sa.or_(t.attempt.c.poll_at.is_(None), t.attempt.c.poll_at < real_before),
    )


def ask_carrier_now(tx: Tx, rings: Sequence[CheckedAttempt], *, real_now: datetime) -> None:
    """The next reconciliation asks the carrier about these."""
    if rings:
        tx.execute(
            sa.update(t.attempt)
            .where(
                t.attempt.c.id.in_([ring.attempt_id for ring in rings]),
                _IS_LIVE,
                t.attempt.c.poll_at.is_(None),
            )
            .values(poll_at=real_now)
        )


def _rings(tx: Tx, *conditions: sa.ColumnElement[bool]) -> list[CheckedAttempt]:
    rows = tx.rows(
        sa.select(t.attempt.c.id, t.attempt.c.case_id, t.attempt.c.n).where(*conditions).limit(_HEAD)
    )
    return [CheckedAttempt(attempt_id=row["id"], case_id=row["case_id"], n=row["n"]) for row in rows]
