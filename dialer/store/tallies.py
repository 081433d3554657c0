"""Counts of the whole book as it stands: for a progress line, and for the account that a drill gives of itself."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from dialer.domain.attempt import LIVE_STATES, AttemptState
from dialer.domain.case import CaseStatus, RobotState
from dialer.domain.errand import PENDING_STATES
from dialer.domain.load import LoadState
from dialer.domain.values import TelephonyResult
from dialer.store import tables as t
from dialer.store.rowset import in_words
from dialer.store.unit_of_work import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRung:
    """Attempts that made no telephone ring, by why. Busy, switched off and wrong numbers are unreachable."""

    refused: int
    cancelled: int
    unreachable: int
    unknown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    loading: int
    """Lists that are not loaded to their end."""
    robots: int
    """Open cases with a ring planned or live."""
    live: int
    """Calls at the carrier now."""
    attempts: int
    rung: int
    waiting_work: int
    cases: dict[str, int]

    @property
    def is_settled(self) -> bool:
        return self.loading == 0 and self.robots == 0 and self.live == 0


def progress(tx: Tx) -> Progress:
    """One moment of the whole database; meant for thousands of rows, not for millions."""
    loading = tx.scalar(
        sa.select(sa.func.count())
        .select_from(t.list_load)
        .where(t.list_load.c.state.in_([LoadState.WAITING.value, LoadState.RUNNING.value]))
    )
    cases = tx.rows(sa.select(t.case.c.status, sa.func.count().label("n")).group_by(t.case.c.status))
    robots = tx.scalar(
        sa.select(sa.func.count())
        .select_from(t.case)
        .where(t.case.c.status == CaseStatus.OPEN.value, t.case.c.robot_state == RobotState.PENDING.value)
    )
    attempts = tx.one(
        sa.select(
            sa.func.count().label("n"),
            sa.func.count(t.attempt.c.ringing_at).label("rung"),
            sa.func.count().filter(in_words(t.attempt.c.state, LIVE_STATES)).label("live"),
        )
    )
    assert attempts is not None
    waiting = tx.scalar(
        sa.select(sa.func.count())
        .select_from(t.assignment)
        .where(in_words(t.assignment.c.state, PENDING_STATES))
    )
    return Progress(
        loading=loading,
        robots=robots,
        live=attempts["live"],
        attempts=attempts["n"],
        rung=attempts["rung"],
        waiting_work=waiting,
        cases={row["status"]: row["n"] for row in cases},
    )


def not_rung(tx: Tx) -> NotRung:
    """Of all ended attempts. Refused: the carrier took no call; the others ended without ringing."""
    c = t.attempt.c
    counted = (
        sa.case(
            (c.result == TelephonyResult.UNKNOWN.value, "unknown"),
            (c.result == TelephonyResult.CANCELED.value, "cancelled"),
            (c.sid.is_(None), "refused"),
            else_="unreachable",
        )
    ).label("why")
    rows = tx.rows(
        sa.select(counted, sa.func.count().label("n"))
        .where(c.state == AttemptState.ENDED.value, c.ringing_at.is_(None))
        .group_by(counted)
    )
    found = {row["why"]: row["n"] for row in rows}
    return NotRung(
        **{name: found.get(name, 0) for name in ("refused", "cancelled", "unreachable", "unknown")}
    )
