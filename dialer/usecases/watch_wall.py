"""What a duty chief sees on the wall: the service now, its last hour and its day, each with the moment it was read at.

Of a unit and all below, or of the whole centre; lines, pauses and the engine are the whole centre's for everybody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from dialer.domain.pause import Hold
from dialer.domain.values import Grade, Track
from dialer.outcomes.cuts import Breakdown, Dimension
from dialer.outcomes.period import Period
from dialer.store import holds, pacing
from dialer.store.pacing import LineGroup
from dialer.store.reads import snapshot, wall
from dialer.store.reads.wall import AlarmCount, LastHour, PeoplesWork, WaitingCases
from dialer.usecases.cut_rates import Asked, cut_breakdown
from dialer.usecases.engine import Engine
from dialer.usecases.watch_cycle import EngineState, look_at_engine


@dataclass(frozen=True, slots=True, kw_only=True)
class WallNow:
    """`at` and every other moment is service time, but for `real_at`, when it was read."""

    at: datetime
    real_at: datetime
    lines: LineGroup | None
    trial_at: datetime | None
    """The breaker is open: when the next trial call may leave."""
    opens_at: datetime | None
    """The dialling window is closed until then."""
    calling: Mapping[Grade, int]
    """Lines in use by grade."""
    pauses: Sequence[Hold]
    work: Mapping[Track, PeoplesWork]
    alarms: Sequence[AlarmCount]
    engine: EngineState


@dataclass(frozen=True, slots=True, kw_only=True)
class WallQueue:
    at: datetime
    waiting: Mapping[Grade, WaitingCases]


@dataclass(frozen=True, slots=True, kw_only=True)
class WallHour:
    at: datetime
    calls: LastHour


@dataclass(frozen=True, slots=True, kw_only=True)
class WallToday:
    """Since midnight of the centre's day, by the report's own definitions."""

    at: datetime
    figures: Breakdown
    """By grade."""


def wall_now(engine: Engine, *, unit_id: int | None, late_seconds: float) -> WallNow:
    now, real_now = engine.clock.now(), engine.real.now()
    with engine.store.begin() as tx:
        snapshot.hold(tx)
        lines = pacing.read(tx, name=engine.lines.group)
        calling = wall.calling(tx, unit_id=unit_id)
        pauses = holds.standing(tx, now=now)
        work = wall.work(tx, now=now, unit_id=unit_id)
        alarms = wall.alarms(tx, unit_id=unit_id)
    window = engine.policies.newest.window
    trial = lines.breaker.wait_until if lines is not None and lines.breaker.is_open else None
    return WallNow(
        at=now,
        real_at=real_now,
        lines=lines,
        trial_at=None if trial is None else now + (trial - real_now),
        opens_at=None if window.is_open(now) else window.next_open(now),
        calling=calling,
        pauses=pauses,
        work=work,
        alarms=alarms,
        engine=look_at_engine(engine, late_seconds=late_seconds),
    )


def wall_queue(engine: Engine, *, unit_id: int | None) -> WallQueue:
    now = engine.clock.now()
    with engine.store.begin() as tx:
        return WallQueue(at=now, waiting=wall.waiting(tx, now=now, unit_id=unit_id))


def wall_hour(engine: Engine, *, unit_id: int | None) -> WallHour:
    now = engine.clock.now()
    with engine.store.begin() as tx:
        return WallHour(at=now, calls=wall.last_hour(tx, now=now, unit_id=unit_id))


def wall_today(engine: Engine, *, unit_id: int | None) -> WallToday:
    now = engine.clock.now()
    zone = ZoneInfo(engine.centre.timezone)
    midnight = datetime.combine(now.astimezone(zone).date(), time.min, tzinfo=zone)
    asked = Asked(by=Dimension.GRADE, period=Period(start=midnight.astimezone(now.tzinfo)))
    return WallToday(at=now, figures=cut_breakdown(engine, asked, reader_unit_id=unit_id))
