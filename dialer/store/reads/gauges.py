"""Figures for the monitoring: of this moment, by index, without anybody's name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from dialer.domain.attempt import LIVE_STATES, AttemptState
from dialer.domain.case import CaseStatus, RobotState
from dialer.domain.errand import PENDING_STATES
from dialer.domain.values import Grade, Track
from dialer.store import tables as t
from dialer.store.rowset import in_words
from dialer.store.unit_of_work import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstAttempts:
    """Of one grade: how many first rings fell into each bucket, the last one open, and their seconds together."""

    counts: tuple[int, ...]
    sum_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    ready: int
    planned: int
    held: int
    unknown: int
    oldest_at: Mapping[Grade, datetime | None]
    """Since when the ring that waits longest might have left (service time); None: none waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkWaiting:
    open: int
    overdue: int


def first_attempts(tx: Tx, *, since: datetime, bounds_seconds: Sequence[float]) -> dict[Grade, FirstAttempts]:
    """From the opening of a case to its first ring, of cases opened since then and rung."""
    seconds = sa.extract("epoch", t.case.c.first_attempt_at - t.case.c.opened_at)
    # A bound belongs to the bucket below it, as Prometheus has it.
    bucket = sa.func.width_bucket(-seconds, sa.literal(sorted(-b for b in bounds_seconds), ARRAY(sa.Numeric)))
    rows = tx.rows(
        sa.select(
            t.case.c.grade,
            bucket.label("bucket"),
            sa.func.count().label("n"),
            sa.func.sum(seconds).label("seconds"),
        )
        .where(t.case.c.opened_at >= since, t.case.c.first_attempt_at.is_not(None))
        .group_by(t.case.c.grade, "bucket")
    )
    last = len(bounds_seconds)
    counts = {grade: [0] * (last + 1) for grade in Grade}
    sums = dict.fromkeys(Grade, 0.0)
    for row in rows:
        grade = Grade(row["grade"])
        counts[grade][last - row["bucket"]] += row["n"]
        sums[grade] += float(row["seconds"])
    return {grade: FirstAttempts(counts=tuple(counts[grade]), sum_seconds=sums[grade]) for grade in Grade}


def queue(tx: Tx, *, now: datetime) -> Queue:
    counts = tx.one(
        sa.select(
            _count(t.attempt.c.state == AttemptState.READY.value, ~t.attempt.c.held).label("ready"),
            _count(t.attempt.c.state == AttemptState.PLANNED.value).label("planned"),
            _count(t.attempt.c.held).label("held"),
            _count(t.attempt.c.state == AttemptState.UNKNOWN.value).label("unknown"),
        )
    )
    assert counts is not None
    return Queue(**counts, oldest_at={grade: _oldest(tx, grade, now=now) for grade in Grade})


def _count(*conditions: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    return sa.select(sa.func.count()).select_from(t.attempt).where(*conditions).scalar_subquery()


def _oldest(tx: Tx, grade: Grade, *, now: datetime) -> datetime | None:
    """The first of an index range that does not ring yet: at most as many rows are passed over as there are lines."""
    live = sa.exists().where(t.attempt.c.case_id == t.case.c.id, in_words(t.attempt.c.state, LIVE_STATES))
    found: datetime | None = tx.scalar(
        sa.select(t.case.c.robot_at)
        .where(
            t.case.c.status == CaseStatus.OPEN.value,
            t.case.c.robot_state == RobotState.PENDING.value,
            t.case.c.grade == grade.value,
            t.case.c.robot_at <= now,
            ~live,
        )
        .order_by(t.case.c.robot_at)
        .limit(1)
    )
    return found


def work(tx: Tx, *, now: datetime) -> dict[Track, WorkWaiting]:
    rows = tx.rows(
        sa.select(
            t.assignment.c.kind,
            sa.func.count().label("open"),
            sa.func.count().filter(t.assignment.c.due_at <= now).label("overdue"),
        )
        .where(in_words(t.assignment.c.state, PENDING_STATES))
        .group_by(t.assignment.c.kind)
    )
    found = {Track(row["kind"]): WorkWaiting(open=row["open"], overdue=row["overdue"]) for row in rows}
    none = WorkWaiting(open=0, overdue=0)
    return {track: found.get(track, none) for track in (Track.HUMAN, Track.VISIT)}
