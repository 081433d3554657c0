"""One row a line group: calls per second, lines, pauses. Where a broker flush or a second worker cannot reset it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.store import tables as t
from dialer.store.unit_of_work import Tx

HEADROOM = 0.97
"""Share of the set pace that is used: sending jitter may then never push a ten-second count over the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineGroup:
    """`next_slot_at` and `slow_until` are real time, `paused_until` service time."""

    name: str
    calls_per_second: float
    lines: int
    in_use: int
    next_slot_at: datetime
    slow_until: datetime | None
    troubles: int
    paused_until: datetime | None
    paused_why: str

    def slots(self, *, real_now: datetime, horizon_seconds: float) -> list[datetime]:
        """Real moments, evenly spaced, at which calls may leave within the horizon, as many as lines are free."""
        gap = timedelta(seconds=1 / (self.calls_per_second * HEADROOM))
        free = self.lines - self.in_use
        if self.slow_until is not None and self.slow_until > real_now:
            free = min(free, 1)
        end = real_now + timedelta(seconds=horizon_seconds)
        slot = max(self.next_slot_at, real_now)
        found: list[datetime] = []
        while len(found) < free and slot < end:
            found.append(slot)
            slot += gap
        return found

    def after(self, slots: list[datetime]) -> datetime:
        return slots[-1] + timedelta(seconds=1 / (self.calls_per_second * HEADROOM))


def configure(tx: Tx, *, name: str, calls_per_second: float, lines: int, real_now: datetime) -> None:
    """The group exists with these caps; its slots, pauses and troubles stay as they were."""
    tx.execute(
        insert(t.line_group)
        .values(name=name, calls_per_second=calls_per_second, lines=lines, next_slot_at=real_now)
        .on_conflict_do_update(
            index_elements=["name"], set_={"calls_per_second": calls_per_second, "lines": lines}
        )
    )


def lock(tx: Tx, *, name: str) -> LineGroup | None:
    """The group, locked to the end of the transaction: claims happen one after the other."""
    row = tx.one(sa.select(t.line_group).where(t.line_group.c.name == name).with_for_update())
    if row is None:
        return None
    in_use = tx.scalar(
        sa.select(sa.func.count()).select_from(t.live_number).where(t.live_number.c.attempt_id.is_not(None))
    )
    return LineGroup(in_use=in_use, **row)


def take_slots(tx: Tx, *, name: str, next_slot_at: datetime) -> None:
    tx.execute(sa.update(t.line_group).where(t.line_group.c.name == name).values(next_slot_at=next_slot_at))


def slow_down(tx: Tx, *, name: str, until: datetime) -> None:
    """One call at a time until `until` (real): the carrier asked for it or is in trouble."""
    tx.execute(
        sa.update(t.line_group)
        .where(t.line_group.c.name == name)
        .values(
            slow_until=sa.func.greatest(sa.func.coalesce(t.line_group.c.slow_until, until), until),
            troubles=t.line_group.c.troubles + 1,
        )
    )


def speed_up(tx: Tx, *, name: str) -> None:
    """The carrier took a call: no trouble stands against it any more."""
    tx.execute(
        sa.update(t.line_group)
        .where(t.line_group.c.name == name, t.line_group.c.troubles > 0)
        .values(slow_until=None, troubles=0)
    )


def pause(tx: Tx, *, name: str, until: datetime | None, why: str) -> None:
    """No new ring leaves until `until` (service time); None resumes."""
    tx.execute(
        sa.update(t.line_group).where(t.line_group.c.name == name).values(paused_until=until, paused_why=why)
    )
