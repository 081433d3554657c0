"""The machine's clock went back: what the later clock had put off would wait for it to come round again. The next slot
tells: pacing plans no further than a moment ahead, and whoever rings at all moves it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from dialer.domain.attempt import LIVE_STATES, AttemptState
from dialer.store import pacing
from dialer.store import tables as t
from dialer.store.rowset import in_words
from dialer.store.unit_of_work import Tx

_TOLERATED = timedelta(seconds=5)
"""Machines that keep time disagree by less."""
_LONGEST_SILENCE = timedelta(minutes=15)
"""No carrier's wish to be left alone is believed for longer."""


def seconds_back(tx: Tx, *, name: str, real_now: datetime, horizon_seconds: float) -> float:
    """How far the clock has gone back since the last calls were planned; 0: it has not, as far as can be told."""
    row = tx.one(
        sa.select(t.line_group.c.next_slot_at, t.line_group.c.calls_per_second).where(
            t.line_group.c.name == name
        )
    )
    if row is None:
        return 0.0
    gap_seconds = 1 / (row["calls_per_second"] * pacing.HEADROOM)
    ahead = row["next_slot_at"] - real_now - timedelta(seconds=horizon_seconds + gap_seconds)
    return ahead.total_seconds() if ahead > _TOLERATED else 0.0


def bring_back(tx: Tx, *, name: str, real_now: datetime, last_lease: datetime, last_poll: datetime) -> None:
    """Calls leave again from now on; what was to be asked about, or given up, at a time that the clock will only reach
    again (later than `last_poll`, `last_lease`) is now. The line group is locked by the caller.
    """
    group = t.line_group.c
    gap = sa.func.make_interval(0, 0, 0, 0, 0, 0, 1 / (group.calls_per_second * pacing.HEADROOM))
    tx.execute(
        sa.update(t.line_group)
        .where(group.name == name)
        .values(
            next_slot_at=sa.literal(real_now) + gap,
            slow_until=sa.case(
                (group.slow_until > real_now + _LONGEST_SILENCE, real_now), else_=group.slow_until
            ),
        )
    )
    attempt = t.attempt.c
    tx.execute(
        sa.update(t.attempt)
        .where(attempt.state == AttemptState.CLAIMED.value, attempt.lease_until > last_lease)
        .values(lease_until=real_now)
    )
    tx.execute(
        sa.update(t.attempt)
        .where(in_words(attempt.state, LIVE_STATES), attempt.poll_at > last_poll)
        .values(poll_at=real_now)
    )
