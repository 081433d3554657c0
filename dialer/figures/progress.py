"""Counts of the whole database that the demo shows while it runs; meant for thousands of rows, not for millions."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from dialer.core.attempt import LIVE_STATES, AttemptState
from dialer.core.case import PENDING_STATES, CaseStatus, Reason, RobotState
from dialer.core.notifications import NotificationChannel
from dialer.core.values import MOVING_LOADS, TelephonyResult
from dialer.db import tables as t
from dialer.db.bulk import in_words
from dialer.db.unit_of_work import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class NotCalled:
    """Attempts that never rang, by reason. Busy, switched off and wrong numbers are unreachable."""

    refused: int = 0
    cancelled: int = 0
    unreachable: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotProgress:
    """What the robot still has to do, and what it has done."""

    loading: int
    """Lists that are waiting or being loaded."""
    robots: int
    """Open cases with a call attempt planned or live."""
    live: int
    """Calls at the carrier now, follow-ups left out."""
    attempts: int
    rung: int
    waiting_work: int
    cases: dict[str, int]

    @property
    def is_settled(self) -> bool:
        """Whether nothing is being loaded, and no robot call is due or live."""
        return self.loading == 0 and self.robots == 0 and self.live == 0


def read_progress(tx: Tx) -> RobotProgress:
    """Progress of the whole database."""

    def count(table: sa.Table, *which: sa.ColumnElement[bool]) -> int:
        return int(tx.scalar(sa.select(sa.func.count()).select_from(table).where(*which)))

    case, attempt = t.case.c, t.attempt.c
    cases = tx.rows(sa.select(case.status, sa.func.count().label("n")).group_by(case.status))
    return RobotProgress(
        loading=count(t.list_load, in_words(t.list_load.c.state, MOVING_LOADS)),
        robots=count(
            t.case, case.status == CaseStatus.OPEN.value, case.robot_state == RobotState.PENDING.value
        ),
        live=count(
            t.attempt,
            in_words(attempt.state, LIVE_STATES),
            attempt.reason != Reason.FOLLOW_UP.value,
        ),
        attempts=count(t.attempt),
        rung=count(t.attempt, attempt.ringing_at.is_not(None)),
        waiting_work=count(t.assignment, in_words(t.assignment.c.state, PENDING_STATES)),
        cases={row["status"]: row["n"] for row in cases},
    )


def calls_to_duty(tx: Tx) -> list[UUID]:
    """The calls that tell people on duty what waits for them: placed, or to be placed."""
    c = t.notification.c
    return list(
        tx.execute(
            sa.select(c.id).where(c.channel == NotificationChannel.CALL.value).order_by(c.id)
        ).scalars()
    )


def count_not_called(tx: Tx) -> NotCalled:
    """The number of ended attempts that never rang, by reason. `refused`: the carrier took no call; the others ended
    without ringing.
    """
    c = t.attempt.c
    why = sa.case(
        (c.result == TelephonyResult.UNKNOWN.value, "unknown"),
        (c.result == TelephonyResult.CANCELED.value, "cancelled"),
        (c.sid.is_(None), "refused"),
        else_="unreachable",
    ).label("why")
    rows = tx.rows(
        sa.select(why, sa.func.count().label("n"))
        .where(c.state == AttemptState.ENDED.value, c.ringing_at.is_(None))
        .group_by(why)
    )
    return NotCalled(**{row["why"]: row["n"] for row in rows})
