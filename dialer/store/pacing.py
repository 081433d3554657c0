"""One row a line group: calls per second, lines, pauses. Where a broker flush or a second worker cannot reset it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.domain.breaker import Breaker, BreakerRules
from dialer.store import tables as t
from dialer.store.unit_of_work import Row, Tx

HEADROOM = 0.97
"""Share of the set pace that is used: sending jitter may then never push a ten-second count over the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineGroup:
    """`next_slot_at` and the breaker's times are real, `paused_until` is service time."""

    name: str
    calls_per_second: float
    lines: int
    in_use: int
    next_slot_at: datetime
    breaker: Breaker
    paused_until: datetime | None
    paused_why: str

    def slots(self, *, real_now: datetime, horizon_seconds: float) -> list[datetime]:
        """Real moments, evenly spaced, at which calls may leave within the horizon, as many as lines are free."""
        gap = timedelta(seconds=1 / (self.calls_per_second * HEADROOM))
        free = self.lines - self.in_use
        allowed = self.breaker.may_leave(real_now)
        if allowed is not None:
            free = min(free, allowed)
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
    row = tx.one(_by_name(name).with_for_update())
    return None if row is None else _group(tx, row)


def read(tx: Tx, *, name: str) -> LineGroup | None:
    """As it stands, without a lock."""
    row = tx.one(_by_name(name))
    return None if row is None else _group(tx, row)


def _by_name(name: str) -> sa.Select[Any]:
    return sa.select(t.line_group).where(t.line_group.c.name == name)


def _group(tx: Tx, row: Row) -> LineGroup:
    in_use = tx.scalar(
        sa.select(sa.func.count()).select_from(t.live_number).where(t.live_number.c.attempt_id.is_not(None))
    )
    return LineGroup(
        in_use=in_use,
        breaker=_breaker(row),
        **{
            name: row[name]
            for name in ("name", "calls_per_second", "lines", "next_slot_at", "paused_until", "paused_why")
        },
    )


def _breaker(row: Row) -> Breaker:
    return Breaker(
        troubles=row["troubles"],
        openings=row["openings"],
        opened_at=row["opened_at"],
        wait_until=row["slow_until"],
    )


def take_slots(tx: Tx, group: LineGroup, slots: list[datetime], *, real_now: datetime) -> None:
    """Calls leave at these moments: the next one after them, and after a trial none until it is answered."""
    values: dict[str, object] = {"next_slot_at": group.after(slots)}
    if group.breaker.is_open:
        values["slow_until"] = group.breaker.trial_left(real_now, BreakerRules()).wait_until
    tx.execute(sa.update(t.line_group).where(t.line_group.c.name == group.name).values(values))


def breaker(tx: Tx, *, name: str) -> Breaker:
    """As it stands, without a lock: most of the time there is no trouble to be forgotten."""
    row = tx.one(_by_name(name))
    return Breaker() if row is None else _breaker(row)


def lock_breaker(tx: Tx, *, name: str) -> Breaker:
    """Locked together with the group. Taken before any attempt or number, as a claim does."""
    row = tx.one(_by_name(name).with_for_update())
    return Breaker() if row is None else _breaker(row)


def set_breaker(tx: Tx, breaker: Breaker, *, name: str) -> None:
    tx.execute(
        sa.update(t.line_group)
        .where(t.line_group.c.name == name)
        .values(
            troubles=breaker.troubles,
            openings=breaker.openings,
            opened_at=breaker.opened_at,
            slow_until=breaker.wait_until,
        )
    )


def pause(tx: Tx, *, name: str, until: datetime | None, why: str) -> None:
    """No new ring leaves until `until` (service time); None resumes."""
    tx.execute(
        sa.update(t.line_group).where(t.line_group.c.name == name).values(paused_until=until, paused_why=why)
    )
