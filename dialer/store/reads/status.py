"""What the status page shows: the service at one moment, in numbers, without anybody's name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from dialer.domain.attempt import AttemptState
from dialer.domain.case import CaseStatus, RobotState
from dialer.domain.errand import PENDING_STATES
from dialer.domain.load import LoadState
from dialer.domain.values import Grade, TelephonyResult, Track
from dialer.store import tables as t
from dialer.store.reads.unit_work import is_overdue
from dialer.store.rowset import in_words
from dialer.store.unit_of_work import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Open cases of a grade whose robot ring is still to come, and how long the oldest has been open."""

    grade: Grade
    cases: int
    oldest_opened_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    kind: Track
    waiting: int
    overdue: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadLine:
    id: int
    state: LoadState
    rows: int
    accepted: int
    rejected: int
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmLine:
    code: str
    count: int
    newest: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    drill: bool
    at: datetime
    cases: dict[CaseStatus, int]
    waiting: tuple[Waiting, ...]
    work: tuple[Work, ...]
    attempts: int
    rung: int
    live: int
    lines: int
    results: dict[TelephonyResult, int]
    loads: tuple[LoadLine, ...]
    alarms: tuple[AlarmLine, ...]


def status(tx: Tx, *, now: datetime, drill: bool) -> Status:
    """Counts of this moment (service time `now`)."""
    attempts = tx.one(
        sa.select(sa.func.count().label("n"), sa.func.count(t.attempt.c.ringing_at).label("rung"))
    )
    assert attempts is not None
    lines = tx.scalar(sa.select(sa.func.coalesce(sa.func.sum(t.line_group.c.lines), 0)))
    live = tx.scalar(
        sa.select(sa.func.count()).select_from(t.live_number).where(t.live_number.c.attempt_id.is_not(None))
    )
    return Status(
        drill=drill,
        at=now,
        cases=_cases(tx),
        waiting=_waiting(tx),
        work=_work(tx, now=now),
        attempts=attempts["n"],
        rung=attempts["rung"],
        live=live,
        lines=lines,
        results=_results(tx),
        loads=_loads(tx),
        alarms=_alarms(tx),
    )


def _cases(tx: Tx) -> dict[CaseStatus, int]:
    rows = tx.rows(sa.select(t.case.c.status, sa.func.count().label("n")).group_by(t.case.c.status))
    found = {CaseStatus(row["status"]): row["n"] for row in rows}
    return {status: found.get(status, 0) for status in CaseStatus}


def _waiting(tx: Tx) -> tuple[Waiting, ...]:
    rows = tx.rows(
        sa.select(t.case.c.grade, sa.func.count().label("n"), sa.func.min(t.case.c.opened_at).label("oldest"))
        .where(t.case.c.status == CaseStatus.OPEN.value, t.case.c.robot_state == RobotState.PENDING.value)
        .group_by(t.case.c.grade)
    )
    found = {Grade(row["grade"]): row for row in rows}
    return tuple(
        Waiting(
            grade=grade,
            cases=found[grade]["n"] if grade in found else 0,
            oldest_opened_at=found[grade]["oldest"] if grade in found else None,
        )
        for grade in Grade
    )


def _work(tx: Tx, *, now: datetime) -> tuple[Work, ...]:
    rows = tx.rows(
        sa.select(
            t.assignment.c.kind,
            sa.func.count().label("n"),
            sa.func.count().filter(is_overdue(now)).label("overdue"),
        )
        .where(in_words(t.assignment.c.state, PENDING_STATES))
        .group_by(t.assignment.c.kind)
    )
    found = {Track(row["kind"]): row for row in rows}
    return tuple(
        Work(
            kind=kind,
            waiting=found[kind]["n"] if kind in found else 0,
            overdue=found[kind]["overdue"] if kind in found else 0,
        )
        for kind in (Track.HUMAN, Track.VISIT)
    )


def _results(tx: Tx) -> dict[TelephonyResult, int]:
    rows = tx.rows(
        sa.select(t.attempt.c.result, sa.func.count().label("n"))
        .where(t.attempt.c.state == AttemptState.ENDED.value)
        .group_by(t.attempt.c.result)
    )
    found = {TelephonyResult(row["result"]): row["n"] for row in rows}
    return {result: found[result] for result in TelephonyResult if result in found}


def _loads(tx: Tx) -> tuple[LoadLine, ...]:
    columns = ("id", "state", "rows", "accepted", "rejected", "created_at")
    rows = tx.rows(
        sa.select(*(t.list_load.c[name] for name in columns))
        .where(t.list_load.c.state != LoadState.DRAFT.value)
        .order_by(t.list_load.c.id.desc())
        .limit(5)
    )
    return tuple(LoadLine(**dict(row) | {"state": LoadState(row["state"])}) for row in rows)


def _alarms(tx: Tx) -> tuple[AlarmLine, ...]:
    rows = tx.rows(
        sa.select(
            t.alarm.c.code, sa.func.count().label("n"), sa.func.max(t.alarm.c.raised_at).label("newest")
        )
        .where(t.alarm.c.seen_at.is_(None))
        .group_by(t.alarm.c.code)
        .order_by(sa.desc("newest"))
    )
    return tuple(AlarmLine(code=row["code"], count=row["n"], newest=row["newest"]) for row in rows)
