"""Counts behind the metrics, the status page, the health panel and the live board, which name no person; and the
overdue work behind one of them, with its persons masked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from dialer.cases.persons import MaskedPerson, mask_person, open_person
from dialer.core.attempt import LIVE_STATES, AttemptState
from dialer.core.case import PENDING_STATES, AssignmentState, CaseStatus, Reason, RobotState, VisitStage
from dialer.core.values import Grade, LoadState, TelephonyResult, Track
from dialer.db import tables as t
from dialer.db.bulk import in_words, word_literal
from dialer.db.columns import LIVE
from dialer.db.unit_of_work import Tx, record_of
from dialer.db.units import is_visible_to
from dialer.work.assignments import Assignment, is_overdue, limit_that_runs, select_assignments, stage_of


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstAttempts:
    """First attempts of one grade: how many fell into each bucket (the last one is open), and the sum of seconds."""

    counts: tuple[int, ...]
    sum_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Call attempts that have not been sent, by state, and those in doubt."""

    ready: int
    planned: int
    held: int
    unknown: int
    oldest_at: Mapping[Grade, datetime | None]
    """The time (service time) since which the attempt that waits longest has been due; None: none waits."""


def first_attempt_gauges(
    tx: Tx, *, since: datetime, bounds_seconds: Sequence[float]
) -> dict[Grade, FirstAttempts]:
    """Seconds from the opening of a case to its first attempt, of the cases opened since then."""
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
    """Call attempts by state, and the oldest waiting one of each grade; held ones are counted in `held` alone."""
    counts = tx.one(
        sa.select(
            _count(t.attempt.c.state == AttemptState.READY.value, ~t.attempt.c.held).label("ready"),
            _count(t.attempt.c.state == AttemptState.PLANNED.value, ~t.attempt.c.held).label("planned"),
            _count(t.attempt.c.held).label("held"),
            _count(t.attempt.c.state == AttemptState.UNKNOWN.value).label("unknown"),
        )
    )
    assert counts is not None
    return Queue(**counts, oldest_at={grade: _oldest(tx, grade, now=now) for grade in Grade})


def _count(*conditions: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    return sa.select(sa.func.count()).select_from(t.attempt).where(*conditions).scalar_subquery()


def _oldest(tx: Tx, grade: Grade, *, now: datetime) -> datetime | None:
    """The first case of an index range without a live attempt; skips at most as many rows as there are lines."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingCases:
    """Open cases of one grade whose robot call is still to come."""

    due: int = 0
    """The call may leave now and is not live yet."""
    later: int = 0
    """The call waits for a later time: another try, the dialling window."""
    oldest_at: datetime | None = None
    """The time since which the oldest of `due` may leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingWork:
    """Assignments of one kind that are not reported yet."""

    open: int = 0
    overdue: int = 0
    """The deadline that runs now has passed: to sign for it, then to get there, then to report."""
    unsigned: int = 0
    """Those of `overdue` that were not signed for in time."""
    stages: Mapping[VisitStage, int]
    """Of those that are signed for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmCount:
    """Unacknowledged alarms of one kind."""

    code: str
    count: int
    newest_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingForRobot:
    """Open cases of one grade that wait for a robot call or have one now."""

    cases: int = 0
    oldest_opened_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentLoadCounts:
    """How far one of the newest loads is, in rows."""

    id: int
    state: LoadState
    rows: int
    accepted: int
    rejected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStatus:
    """What the status page shows; `at` is service time."""

    drill: bool
    at: datetime
    cases: Mapping[CaseStatus, int]
    waiting: Mapping[Grade, WaitingForRobot]
    work: Mapping[Track, PendingWork]
    attempts: int
    rung: int
    live: int
    lines: int
    results: Mapping[TelephonyResult, int]
    loads: Sequence[RecentLoadCounts]
    alarms: Sequence[AlarmCount]


def status(tx: Tx, *, now: datetime, drill: bool) -> ServiceStatus:
    """Counts of this moment (service time `now`)."""
    attempt, case, number, load = t.attempt.c, t.case.c, t.live_number.c, t.list_load.c
    totals = tx.one(
        sa.select(
            sa.select(sa.func.count()).select_from(t.attempt).scalar_subquery().label("attempts"),
            sa.select(sa.func.count(attempt.ringing_at)).scalar_subquery().label("rung"),
            sa.select(sa.func.count(number.attempt_id)).scalar_subquery().label("live"),
            sa.select(sa.func.coalesce(sa.func.sum(t.line_group.c.lines), 0))
            .scalar_subquery()
            .label("lines"),
        )
    )
    assert totals is not None
    cases = tx.rows(sa.select(case.status, sa.func.count().label("n")).group_by(case.status))
    waiting = tx.rows(
        sa.select(
            case.grade, sa.func.count().label("cases"), sa.func.min(case.opened_at).label("oldest_opened_at")
        )
        .where(
            case.status == word_literal(CaseStatus.OPEN), case.robot_state == word_literal(RobotState.PENDING)
        )
        .group_by(case.grade)
    )
    results = tx.rows(
        sa.select(attempt.result, sa.func.count().label("n"))
        .where(attempt.state == word_literal(AttemptState.ENDED))
        .group_by(attempt.result)
    )
    loads = tx.rows(
        sa.select(load.id, load.state, load.rows, load.accepted, load.rejected)
        .where(load.state != word_literal(LoadState.DRAFT))
        .order_by(load.id.desc())
        .limit(5)
    )
    found = {TelephonyResult(row["result"]): row["n"] for row in results}
    return ServiceStatus(
        drill=drill,
        at=now,
        cases=dict.fromkeys(CaseStatus, 0) | {CaseStatus(row["status"]): row["n"] for row in cases},
        waiting=dict.fromkeys(Grade, WaitingForRobot())
        | {Grade(row["grade"]): record_of(WaitingForRobot, row) for row in waiting},
        work=pending_work(tx, now=now),
        results={result: found[result] for result in TelephonyResult if result in found},
        loads=[record_of(RecentLoadCounts, row) for row in loads],
        alarms=count_alarms(tx),
        **totals,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseFacts:
    """PostgreSQL's version and the size of the database."""

    version: str
    size_bytes: int


_EVENTS_READ = 20_000


def read_last_event_time(tx: Tx) -> datetime | None:
    """When the telephone network last reported about a call (service time); None if there is no such report among the
    newest 20,000 events, which include the acts of people.
    """
    e = t.event.c
    newest = sa.select(e.at, e.attempt_id).order_by(e.id.desc()).limit(_EVENTS_READ).subquery()
    found: datetime | None = tx.scalar(
        sa.select(newest.c.at).where(newest.c.attempt_id.is_not(None)).limit(1)
    )
    return found


def read_database_facts(tx: Tx) -> DatabaseFacts:
    """Asks the server; the size is that of the whole database."""
    row = tx.one(
        sa.text(
            "SELECT current_setting('server_version') AS version,"
            " pg_database_size(current_database()) AS size_bytes"
        )
    )
    assert row is not None
    return DatabaseFacts(**row)


def waiting_by_grade(tx: Tx, *, now: datetime, unit_id: int | None) -> dict[Grade, WaitingCases]:
    """Waiting cases by grade, from the queue's index alone; cases with a live attempt are left out."""
    case = t.case.c
    live = sa.select(t.attempt.c.case_id).where(sa.text(LIVE))
    due = case.robot_at <= now
    rows = tx.rows(
        sa.select(
            case.grade,
            sa.func.count().label("all"),
            sa.func.count().filter(due).label("due"),
            sa.func.min(case.robot_at).filter(due).label("oldest_at"),
        )
        .where(
            case.status == word_literal(CaseStatus.OPEN),
            case.robot_state == word_literal(RobotState.PENDING),
            case.id.not_in(live),
            is_visible_to(case.unit_id, unit_id),
        )
        .group_by(case.grade)
    )
    return dict.fromkeys(Grade, WaitingCases()) | {
        Grade(row["grade"]): record_of(WaitingCases, row, later=row["all"] - row["due"]) for row in rows
    }


def lines_in_use_by_grade(tx: Tx, *, unit_id: int | None) -> dict[Grade, int]:
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


def pending_work(tx: Tx, *, now: datetime, unit_id: int | None = None) -> dict[Track, PendingWork]:
    """Pending work by kind: of the unit and all below it, or of the whole centre."""
    given = t.assignment.c
    is_open = given.state == word_literal(AssignmentState.OPEN)
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
        Track(row["kind"]): record_of(PendingWork, row, stages={stage: row[stage.value] for stage in stages})
        for row in rows
    }
    none = PendingWork(stages=dict.fromkeys(stages, 0))
    return {track: found.get(track, none) for track in (Track.HUMAN, Track.VISIT)}


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueLine(Assignment):
    """An assignment that is overdue; `unit` is the unit's name."""

    person: MaskedPerson
    amount_at_risk_fen: int | None
    holder_name: str
    """The display name of who signed for it."""
    revision: int
    """Of its case."""
    rise_at: datetime | None
    """When it goes to the unit above if nobody has signed for it."""
    idle_at: datetime | None
    """When it goes back to the queue if its holder has done nothing."""

    @property
    def next_at(self) -> datetime | None:
        """When something happens to it by itself; None: nothing does."""
        return self.rise_at if self.state is AssignmentState.OPEN else self.idle_at


class OverdueOrder(StrEnum):
    """What stands first."""

    OLDEST = "oldest"
    DEAREST = "dearest"


def overdue_work(
    tx: Tx,
    *,
    now: datetime,
    unit_id: int | None,
    kind: Track | None = None,
    unsigned: bool = False,
    order: OverdueOrder = OverdueOrder.OLDEST,
    limit: int,
) -> tuple[OverdueLine, ...]:
    """Overdue work of the unit and all below it: the `limit` oldest, or those with the most money at risk. `unsigned`:
    only what was not signed for in time.
    """
    a, c = t.assignment.c, t.case.c
    statement = (
        select_assignments()
        .add_columns(
            c.person_id,
            c.amount_at_risk_fen,
            c.revision,
            a.rise_at,
            a.idle_at,
            t.person.c.sealed.label("person_sealed"),
            t.staff.c.display_name.label("holder_name"),
            t.unit.c.name.label("unit_name"),
        )
        .join(t.person, t.person.c.id == c.person_id)
        .join(t.staff, t.staff.c.login == a.signed_by, isouter=True)
        .join(t.unit, t.unit.c.id == a.unit_id, isouter=True)
        .where(is_overdue(now), is_visible_to(a.unit_id, unit_id))
    )
    if kind is not None:
        statement = statement.where(a.kind == word_literal(kind))
    if unsigned:
        statement = statement.where(a.state == word_literal(AssignmentState.OPEN), a.sign_by <= now)
    dearest = (sa.func.coalesce(c.amount_at_risk_fen, 0).desc(),) if order is OverdueOrder.DEAREST else ()
    rows = tx.rows(statement.order_by(*dearest, limit_that_runs(), a.id).limit(limit))
    return tuple(
        record_of(
            OverdueLine,
            row,
            stage=stage_of(row),
            unit=row["unit_name"] or row["unit"],
            person=mask_person(open_person(tx, person_id=row["person_id"], sealed=row["person_sealed"])),
            holder_name=row["holder_name"] or row["signed_by"] or "",
        )
        for row in rows
    )


def count_alarms(tx: Tx, *, unit_id: int | None = None) -> list[AlarmCount]:
    """Unacknowledged alarms by kind, the newest first: of the cases that this unit sees, and of the whole service."""
    alarm = t.alarm.c
    statement = (
        sa.select(alarm.code, sa.func.count().label("count"), sa.func.max(alarm.raised_at).label("newest_at"))
        .where(alarm.seen_at.is_(None), alarm_visible(unit_id))
        .group_by(alarm.code)
        .order_by(sa.desc("newest_at"), alarm.code)
    )
    return [AlarmCount(**row) for row in tx.rows(statement)]


def alarm_visible(
    unit_id: int | None, *, with_service: bool = True, code: str = ""
) -> sa.ColumnElement[bool]:
    """The condition on alarms that this unit sees: those of its cases, and with `with_service` those of the service as
    a whole. An alarm of a list alone belongs to the whole centre. With `code` only those of this kind.
    """
    alarm = t.alarm.c
    if code:
        return sa.and_(alarm.code == code, alarm_visible(unit_id, with_service=with_service))
    if unit_id is None:
        return sa.true()
    own = sa.exists().where(t.case.c.id == alarm.case_id, is_visible_to(t.case.c.unit_id, unit_id))
    of_service = sa.and_(alarm.case_id.is_(None), alarm.load_id.is_(None))
    return sa.or_(of_service, own) if with_service else own


@dataclass(frozen=True, slots=True, kw_only=True)
class LastHour:
    """Calls by the minute in which they were sent, the oldest first, and how many of them were answered; follow-ups are
    left out. `at` is the end of the last minute.
    """

    at: datetime

    sent: tuple[int, ...]
    answered: tuple[int, ...]


def calls_of_last_hour(tx: Tx, *, now: datetime, unit_id: int | None) -> LastHour:
    """Calls sent in the 60 minutes before `now`, by minute, of the unit and those below it; None: of all."""
    attempt = t.attempt.c
    # By time first: an hour has few calls, a unit may have years of them.
    recent = (
        sa.select(attempt.case_id, attempt.sent_at, attempt.result, attempt.answered_at)
        .where(
            attempt.sent_at > now - timedelta(hours=1),
            attempt.sent_at <= now,
            attempt.reason != word_literal(Reason.FOLLOW_UP),
        )
        .cte("recent")
        .prefix_with("MATERIALIZED")
    )
    minutes_ago = sa.func.floor(sa.extract("epoch", sa.literal(now) - recent.c.sent_at) / 60)
    answered = sa.or_(
        recent.c.result == word_literal(TelephonyResult.ANSWERED), recent.c.answered_at.is_not(None)
    )
    statement = sa.select(
        minutes_ago.label("minutes_ago"),
        sa.func.count().label("sent"),
        sa.func.count().filter(answered).label("answered"),
    ).group_by("minutes_ago")
    if unit_id is not None:
        statement = statement.join(t.case, t.case.c.id == recent.c.case_id).where(
            is_visible_to(t.case.c.unit_id, unit_id)
        )
    minutes = {int(row["minutes_ago"]): (row["sent"], row["answered"]) for row in tx.rows(statement)}
    counts = [minutes.get(ago, (0, 0)) for ago in reversed(range(60))]
    return LastHour(
        at=now, sent=tuple(sent for sent, _ in counts), answered=tuple(answered for _, answered in counts)
    )
