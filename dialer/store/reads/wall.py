"""What the wall shows of this moment and of the last hour, without anybody's name; of one unit and below, or of all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from dialer.domain.case import CaseStatus, RobotState
from dialer.domain.errand import PENDING_STATES, AssignmentState, VisitStage
from dialer.domain.values import Grade, TelephonyResult, Track
from dialer.store import tables as t
from dialer.store.columns import LIVE
from dialer.store.reads.unit_work import is_overdue
from dialer.store.rowset import in_words, word
from dialer.store.seen import seen_by
from dialer.store.unit_of_work import Tx

MINUTES = 60
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


def waiting(tx: Tx, *, now: datetime, unit_id: int | None) -> dict[Grade, WaitingCases]:
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
            seen_by(case.unit_id, unit_id),
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
        .where(seen_by(case.unit_id, unit_id))
        .group_by(case.grade)
    )
    return dict.fromkeys(Grade, 0) | {Grade(row["grade"]): row["n"] for row in rows}


def work(tx: Tx, *, now: datetime, unit_id: int | None) -> dict[Track, PeoplesWork]:
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
        .where(in_words(given.state, PENDING_STATES), seen_by(given.unit_id, unit_id))
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


def alarms(tx: Tx, *, unit_id: int | None) -> list[AlarmCount]:
    """What nobody has seen yet, by kind, the newest first: of this unit's cases, and of the whole service."""
    alarm = t.alarm.c
    statement = (
        sa.select(alarm.code, sa.func.count().label("count"))
        .where(alarm.seen_at.is_(None), alarm_seen(unit_id))
        .group_by(alarm.code)
        .order_by(sa.func.max(alarm.raised_at).desc(), alarm.code)
    )
    return [AlarmCount(**row) for row in tx.rows(statement)]


def alarm_seen(unit_id: int | None, *, with_service: bool = True) -> sa.ColumnElement[bool]:
    """For a WHERE on alarms: those of the cases that this unit sees, and those of the service as a whole. What is of a
    list alone belongs to the whole centre.
    """
    if unit_id is None:
        return sa.true()
    alarm = t.alarm.c
    own = sa.exists().where(t.case.c.id == alarm.case_id, seen_by(t.case.c.unit_id, unit_id))
    of_service = sa.and_(alarm.case_id.is_(None), alarm.load_id.is_(None))
    return sa.or_(of_service, own) if with_service else own


def is_own_alarm(tx: Tx, alarm_id: int, *, unit_id: int) -> bool:
    """Of a case that this unit sees."""
    own = alarm_seen(unit_id, with_service=False)
    return tx.scalar(sa.select(t.alarm.c.id).where(t.alarm.c.id == alarm_id, own)) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastHour:
    """Calls by the minute in which they left, the oldest first, and how many of them were answered."""

    sent: tuple[int, ...]
    answered: tuple[int, ...]


def last_hour(tx: Tx, *, now: datetime, unit_id: int | None) -> LastHour:
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
            seen_by(t.case.c.unit_id, unit_id)
        )
    sent, taken = [0] * MINUTES, [0] * MINUTES
    for row in tx.rows(statement):
        place = MINUTES - 1 - int(row["minutes_ago"])
        sent[place], taken[place] = row["sent"], row["answered"]
    return LastHour(sent=tuple(sent), answered=tuple(taken))
