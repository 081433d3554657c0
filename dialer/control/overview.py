"""Alarms are listed until somebody has seen them; who did is kept.

What whoever is in charge of the dialling sees: what is paused and what that holds, the pace, the live policy.

What the monitoring is told of this moment. No figure names anybody.

What a duty chief sees on the wall: the service now, its last hour and its day, each with the moment it was read at.

Of a unit and all below, or of the whole centre; lines, pauses and the engine are the whole centre's for everybody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from dialer.calls.pacing import LineGroup, Pace, read_line_group, read_line_pace
from dialer.calls.pause_store import count_withheld, standing_pauses_at
from dialer.cases.alarms import (
    Alarm,
    acknowledge_alarm_row,
    acknowledge_alarms_of_code,
    count_unacknowledged_by_code,
    unacknowledged_alarms_of,
)
from dialer.cases.store import PolicyVersion, policy_version_of
from dialer.control import queries as control_queries
from dialer.control.health import AUDIT_PART, SystemState, check_system
from dialer.control.queries import (
    AlarmCount,
    FirstAttempts,
    LastHour,
    PeoplesWork,
    Queue,
    WaitingCases,
    WorkWaiting,
    alarm_visible,
    board_alarms,
    board_last_hour,
    board_waiting,
    board_work,
    first_attempt_gauges,
    is_own_alarm,
    queue_gauges,
    work_gauges,
)
from dialer.core.access import actor_name
from dialer.core.errors import NotFound
from dialer.core.periods import Period
from dialer.core.policy import Policy
from dialer.core.rates import Breakdown, Dimension
from dialer.core.values import Grade, Pause, PauseScope, Track
from dialer.db.audit import write_audit
from dialer.db.system_state import cycle_parts, living_processes
from dialer.db.unit_of_work import Tx, hold_snapshot
from dialer.outcomes.report import RatesQuery, cut_breakdown
from dialer.services import Services
from dialer.warnings.queries import RecentLoad, recent_loads


def unacknowledged_alarms(services: Services, *, unit_id: int | None, limit: int = 100) -> list[Alarm]:
    """Newest first: of the cases that this unit sees, and of the service as a whole."""
    with services.store.begin() as tx:
        return unacknowledged_alarms_of(tx, limit=limit, where=alarm_visible(unit_id))


def acknowledge_alarm(services: Services, alarm_id: int, *, by: str, visible_to: int | None = None) -> None:
    """Somebody has seen it. Raises `NotFound`, also for one that is not of the own unit or below: one of no case is the
    whole centre's.
    """
    who = actor_name(by)
    with services.store.begin() as tx:
        if visible_to is not None and not is_own_alarm(tx, alarm_id, unit_id=visible_to):
            raise NotFound(kind="alarm", key=alarm_id)
        now = services.clock.now()
        if acknowledge_alarm_row(tx, alarm_id, by=who, now=now):
            write_audit(tx, who=who, act="alarm_seen", subject=f"alarm/{alarm_id}", why="", now=now)


def acknowledge_alarms(services: Services, code: str, *, by: str, visible_to: int | None = None) -> int:
    """All of this kind that stand now, as far as they are of the own unit and below; how many."""
    who = actor_name(by)
    with services.store.begin() as tx:
        now = services.clock.now()
        count = acknowledge_alarms_of_code(
            tx, code, by=who, now=now, where=alarm_visible(visible_to, with_service=False)
        )
        if count:
            facts: dict[str, object] = {"count": count}
            write_audit(tx, who=who, act="alarm_seen", subject=f"alarms/{code}", why="", now=now, facts=facts)
    return count


HELD_AT_MOST = 50_000
"""Further is not counted: a page is not worth more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingPause:
    hold: Pause
    held: int
    """Rings that it keeps from leaving now, of the reader's unit and below, counted up to `HELD_AT_MOST`."""
    is_own: bool
    """The reader may end it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LivePolicy:
    policy: Policy
    version: PolicyVersion
    opens_at: datetime | None
    """The dialling window is closed until then."""


def visible_pauses(services: Services, *, unit_id: int | None) -> Sequence[StandingPause]:
    """Those that hold anything of this unit and below; all of them for the whole centre."""
    with services.store.begin() as tx:
        now = services.clock.now()
        own = None if unit_id is None else _subtree(tx, services, unit_id)
        return [
            StandingPause(
                hold=hold,
                held=count_withheld(tx, hold, unit_id=unit_id, at_most=HELD_AT_MOST),
                is_own=own is None or hold.unit_id in own,
            )
            for hold in standing_pauses_at(tx, now=now)
            if own is None or hold.scope is not PauseScope.UNIT or hold.units & own
        ]


def all_paused(services: Services) -> Pause | None:
    """The pause of all dialling, where one stands."""
    with services.store.begin() as tx:
        found = standing_pauses_at(tx, now=services.clock.now())
    return next((hold for hold in found if hold.scope is PauseScope.ALL), None)


def live_policy(services: Services) -> LivePolicy:
    policy = services.policies.newest
    with services.store.begin() as tx:
        version = policy_version_of(tx, policy.version)
    now = services.clock.now()
    closed = not policy.window.is_open(now)
    return LivePolicy(
        policy=policy, version=version, opens_at=policy.window.next_open(now) if closed else None
    )


def visible_pace(services: Services) -> tuple[Pace | None, int]:
    """The pace, and how many lines are in use."""
    with services.store.begin() as tx:
        group = read_line_group(tx, name=services.lines.group)
        return read_line_pace(tx, name=services.lines.group), group.in_use if group is not None else 0


def loads_to_pause(services: Services) -> Sequence[RecentLoad]:
    """The newest lists, which somebody may want to stop."""
    with services.store.begin() as tx:
        return recent_loads(tx)


def _subtree(tx: Tx, services: Services, unit_id: int) -> frozenset[int]:
    return frozenset(unit.id for unit in services.units.current(tx) if unit_id in unit.path)


FIRST_ATTEMPT_BOUNDS = (15, 30, 60, 120, 180, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200)
"""Seconds; the limits of the shipped grades are among them."""
_WINDOW = timedelta(days=1)
_ALIVE = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    queue: Queue
    queue_age_seconds: Mapping[Grade, float]
    """How long the ring that waits longest might have left already; 0: none waits."""
    lines: LineGroup | None
    pauses: int
    work: Mapping[Track, WorkWaiting]
    alarms: Mapping[str, int]
    findings: Mapping[str, int]
    """Of the auditor's last round, by kind."""
    processes: Mapping[str, int]
    state: SystemState


def measure(services: Services, *, late_seconds: float) -> Figures:
    now = services.clock.now()
    with services.store.begin() as tx:
        queue = queue_gauges(tx, now=now)
        lines = read_line_group(tx, name=services.lines.group)
        pauses = len(standing_pauses_at(tx, now=now))
        work = work_gauges(tx, now=now)
        unseen = count_unacknowledged_by_code(tx)
        parts = cycle_parts(tx)
        alive = living_processes(tx, since=services.real.now() - _ALIVE)
    found = parts[AUDIT_PART].facts.get("found") if AUDIT_PART in parts else None
    kinds = ("web", "worker", "scheduler")
    return Figures(
        queue=queue,
        queue_age_seconds={
            grade: 0.0 if at is None else (now - at).total_seconds() for grade, at in queue.oldest_at.items()
        },
        lines=lines,
        pauses=pauses,
        work=work,
        alarms=unseen,
        findings={str(kind): int(count) for kind, count in found.items()} if isinstance(found, dict) else {},
        processes={kind: sum(beat.kind == kind for beat in alive) for kind in kinds},
        state=check_system(services, late_seconds=late_seconds),
    )


def measure_first_attempts(services: Services) -> Mapping[Grade, FirstAttempts]:
    """Of the cases opened within a day."""
    with services.store.begin() as tx:
        since = services.clock.now() - _WINDOW
        return first_attempt_gauges(tx, since=since, bounds_seconds=FIRST_ATTEMPT_BOUNDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardNow:
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
    pauses: Sequence[Pause]
    work: Mapping[Track, PeoplesWork]
    alarms: Sequence[AlarmCount]
    system: SystemState


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardQueue:
    at: datetime
    waiting: Mapping[Grade, WaitingCases]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardHour:
    at: datetime
    calls: LastHour


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardToday:
    """Since midnight of the centre's day, by the report's own definitions."""

    at: datetime
    figures: Breakdown
    """By grade."""


def board_now(services: Services, *, unit_id: int | None, late_seconds: float) -> BoardNow:
    now, real_now = services.clock.now(), services.real.now()
    with services.store.begin() as tx:
        hold_snapshot(tx)
        lines = read_line_group(tx, name=services.lines.group)
        calling = control_queries.calling(tx, unit_id=unit_id)
        pauses = standing_pauses_at(tx, now=now)
        work = board_work(tx, now=now, unit_id=unit_id)
        alarms = board_alarms(tx, unit_id=unit_id)
    window = services.policies.newest.window
    trial = lines.breaker.wait_until if lines is not None and lines.breaker.is_open else None
    return BoardNow(
        at=now,
        real_at=real_now,
        lines=lines,
        trial_at=None if trial is None else now + (trial - real_now),
        opens_at=None if window.is_open(now) else window.next_open(now),
        calling=calling,
        pauses=pauses,
        work=work,
        alarms=alarms,
        system=check_system(services, late_seconds=late_seconds),
    )


def board_queue(services: Services, *, unit_id: int | None) -> BoardQueue:
    now = services.clock.now()
    with services.store.begin() as tx:
        return BoardQueue(at=now, waiting=board_waiting(tx, now=now, unit_id=unit_id))


def board_hour(services: Services, *, unit_id: int | None) -> BoardHour:
    now = services.clock.now()
    with services.store.begin() as tx:
        return BoardHour(at=now, calls=board_last_hour(tx, now=now, unit_id=unit_id))


def board_today(services: Services, *, unit_id: int | None) -> BoardToday:
    now = services.clock.now()
    zone = ZoneInfo(services.centre.timezone)
    midnight = datetime.combine(now.astimezone(zone).date(), time.min, tzinfo=zone)
    asked = RatesQuery(by=Dimension.GRADE, period=Period(start=midnight.astimezone(now.tzinfo)))
    return BoardToday(at=now, figures=cut_breakdown(services, asked, reader_unit_id=unit_id))
