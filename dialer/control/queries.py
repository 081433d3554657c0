"""Figures for the monitoring: of this moment, by index, without anybody's name.

What the status page shows: the service at one moment, in numbers, without anybody's name.

The last good moments that are in the rows themselves, and how large the database is.

What the wall shows of this moment and of the last hour, without anybody's name; of one unit and below, or of all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from dialer.core.attempt import LIVE_STATES, AttemptState
from dialer.core.case import PENDING_STATES, AssignmentState, CaseStatus, RobotState, VisitStage
from dialer.core.values import Grade, LoadState, TelephonyResult, Track
from dialer.db import tables as t
from dialer.db.bulk import in_words, word
from dialer.db.columns import LIVE
from dialer.db.unit_of_work import Tx
from dialer.org.unit_store import is_visible_to
from dialer.units.queries import is_overdue


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


def first_attempt_gauges(
    tx: Tx, *, since: datetime, bounds_seconds: Sequence[float]
) -> dict[Grade, FirstAttempts]:
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


def queue_gauges(tx: Tx, *, now: datetime) -> Queue:
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


def work_gauges(tx: Tx, *, now: datetime) -> dict[Track, WorkWaiting]:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseFacts:
    version: str
    size_bytes: int


_LOOKED_BACK = 20_000


def read_last_event_time(tx: Tx) -> datetime | None:
    """When the telephone network last said anything about a call (service time); None when that is not among the
    newest 20,000 events. Acts of people lie between its words, and a night may have many of them.
    """
    e = t.event.c
    newest = sa.select(e.at, e.attempt_id).order_by(e.id.desc()).limit(_LOOKED_BACK).subquery()
    found: datetime | None = tx.scalar(
        sa.select(newest.c.at).where(newest.c.attempt_id.is_not(None)).limit(1)
    )
    return found


def read_database_facts(tx: Tx) -> DatabaseFacts:
    row = tx.one(
        sa.text(
            "SELECT current_setting('server_version') AS version,"
            " pg_database_size(current_database()) AS size_bytes"
        )
    )
    assert row is not None
    return DatabaseFacts(**row)


BOARD_MINUTES = 60
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingCases:
    """Of one grade: cases whose ring may leave now and has not, and since when the oldest of them may."""

    due: int = 0
    later: int = 0
    """Whose ring has been put off to a later time: another try, the window."""
    oldest_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeoplesWork:
    """Of one kind of people's work, what is not done yet."""

    open: int = 0
    overdue: int = 0
    """The clock that runs now is over: signing for it, then getting there, then reporting."""
    unsigned: int = 0
    """Of these, nobody has signed for it in time."""
    stages: Mapping[VisitStage, int]
    """Of those that somebody has signed for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmCount:
    code: str
    count: int


def board_waiting(tx: Tx, *, now: datetime, unit_id: int | None) -> dict[Grade, WaitingCases]:
    """From the queue's index alone: what rings at this moment is left out."""
    case = t.case.c
    rings = sa.select(t.attempt.c.case_id).where(sa.text(LIVE))
    due = case.robot_at <= now
    rows = tx.rows(
        sa.select(
            case.grade,
            sa.func.count().label("all"),
            sa.func.count().filter(due).label("due"),
            sa.func.min(case.robot_at).filter(due).label("oldest_at"),
        )
        .where(
            case.status == word(CaseStatus.OPEN),
            case.robot_state == word(RobotState.PENDING),
            case.id.not_in(rings),
            is_visible_to(case.unit_id, unit_id),
        )
        .group_by(case.grade)
    )
    found = {
        Grade(row["grade"]): WaitingCases(
            due=row["due"], later=row["all"] - row["due"], oldest_at=row["oldest_at"]
        )
        for row in rows
    }
    return {grade: found.get(grade, WaitingCases()) for grade in Grade}


def calling(tx: Tx, *, unit_id: int | None) -> dict[Grade, int]:
    """Lines in use, by the grade of the case they are in use for."""
    line, attempt, case = t.live_number.c, t.attempt.c, t.case.c
    rows = tx.rows(
        sa.select(case.grade, sa.func.count().label("n"))
        .select_from(t.live_number)
        .join(t.attempt, attempt.id == line.attempt_id)
        .join(t.case, case.id == attempt.case_id)
        .where(is_visible_to(case.unit_id, unit_id))
        .group_by(case.grade)
    )
    return dict.fromkeys(Grade, 0) | {Grade(row["grade"]): row["n"] for row in rows}


def board_work(tx: Tx, *, now: datetime, unit_id: int | None) -> dict[Track, PeoplesWork]:
    given = t.assignment.c
    is_open = given.state == word(AssignmentState.OPEN)
    late = is_overdue(now)
    stages: dict[VisitStage, list[str]] = {}
    for stage in VisitStage:
        stages.setdefault(stage.under(AssignmentState.SIGNED), []).append(stage.value)
    rows = tx.rows(
        sa.select(
            given.kind,
            sa.func.count().label("open"),
            sa.func.count().filter(late).label("overdue"),
            sa.func.count().filter(is_open, late, given.sign_by <= now).label("unsigned"),
            *(
                sa.func.count().filter(~is_open, given.stage.in_(stored)).label(stage.value)
                for stage, stored in stages.items()
            ),
        )
        .where(in_words(given.state, PENDING_STATES), is_visible_to(given.unit_id, unit_id))
        .group_by(given.kind)
    )
    found = {
        Track(row["kind"]): PeoplesWork(
            open=row["open"],
            overdue=row["overdue"],
            unsigned=row["unsigned"],
            stages={stage: row[stage.value] for stage in stages},
        )
        for row in rows
    }
    none = PeoplesWork(stages=dict.fromkeys(stages, 0))
    return {track: found.get(track, none) for track in (Track.HUMAN, Track.VISIT)}


def board_alarms(tx: Tx, *, unit_id: int | None) -> list[AlarmCount]:
    """What nobody has seen yet, by kind, the newest first: of this unit's cases, and of the whole service."""
    alarm = t.alarm.c
    statement = (
        sa.select(alarm.code, sa.func.count().label("count"))
        .where(alarm.seen_at.is_(None), alarm_visible(unit_id))
        .group_by(alarm.code)
        .order_by(sa.func.max(alarm.raised_at).desc(), alarm.code)
    )
    return [AlarmCount(**row) for row in tx.rows(statement)]


def alarm_visible(unit_id: int | None, *, with_service: bool = True) -> sa.ColumnElement[bool]:
    """For a WHERE on alarms: those of the cases that this unit sees, and those of the service as a whole. What is of a
    list alone belongs to the whole centre.
    """
    if unit_id is None:
        return sa.true()
    alarm = t.alarm.c
    own = sa.exists().where(t.case.c.id == alarm.case_id, is_visible_to(t.case.c.unit_id, unit_id))
    of_service = sa.and_(alarm.case_id.is_(None), alarm.load_id.is_(None))
    return sa.or_(of_service, own) if with_service else own


def is_own_alarm(tx: Tx, alarm_id: int, *, unit_id: int) -> bool:
    """Of a case that this unit sees."""
    own = alarm_visible(unit_id, with_service=False)
    return tx.scalar(sa.select(t.alarm.c.id).where(t.alarm.c.id == alarm_id, own)) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastHour:
    """Calls by the minute in which they left, the oldest first, and how many of them were answered."""

    sent: tuple[int, ...]
    answered: tuple[int, ...]


def board_last_hour(tx: Tx, *, now: datetime, unit_id: int | None) -> LastHour:
    attempt = t.attempt.c
    # By the moment first, whatever the unit: an hour's calls are few, a unit's may be years of them.
    recent = (
        sa.select(attempt.case_id, attempt.sent_at, attempt.result, attempt.answered_at)
        .where(attempt.sent_at > now - _HOUR, attempt.sent_at <= now)
        .cte("recent")
        .prefix_with("MATERIALIZED")
    )
    minutes_ago = sa.func.floor(sa.extract("epoch", sa.literal(now) - recent.c.sent_at) / 60)
    answered = sa.or_(recent.c.result == word(TelephonyResult.ANSWERED), recent.c.answered_at.is_not(None))
    statement = sa.select(
        minutes_ago.label("minutes_ago"),
        sa.func.count().label("sent"),
        sa.func.count().filter(answered).label("answered"),
    ).group_by("minutes_ago")
    if unit_id is None:
        statement = statement.select_from(recent)
    else:
        statement = statement.select_from(recent.join(t.case, t.case.c.id == recent.c.case_id)).where(
            is_visible_to(t.case.c.unit_id, unit_id)
        )
    sent, taken = [0] * BOARD_MINUTES, [0] * BOARD_MINUTES
    for row in tx.rows(statement):
        place = BOARD_MINUTES - 1 - int(row["minutes_ago"])
        sent[place], taken[place] = row["sent"], row["answered"]
    return LastHour(sent=tuple(sent), answered=tuple(taken))
