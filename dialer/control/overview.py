"""What the control page, the metrics and the live board read, and the acts on alarms.

Counts are of a unit and all below it, or of the whole centre; lines, pauses and the system are always the centre's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dialer.calls.pacing import LineGroup, read_line_group
from dialer.calls.pause_store import count_withheld, standing_pauses_at
from dialer.control.health import SCHEDULER_PART, SystemState, check_system, last_findings
from dialer.control.queries import (
    AlarmCount,
    FirstAttempts,
    LastHour,
    PendingWork,
    Queue,
    WaitingCases,
    alarm_visible,
    calls_of_last_hour,
    count_alarms,
    first_attempt_gauges,
    lines_in_use_by_grade,
    pending_work,
    queue_gauges,
    waiting_by_grade,
)
from dialer.core.access import Actor, Permission, required_text
from dialer.core.errors import Conflict, NotFound
from dialer.core.periods import day_of
from dialer.core.policy import Policy
from dialer.core.rates import Breakdown, Dimension, Period
from dialer.core.text import Text
from dialer.core.values import Grade, Pause, PauseScope, Track
from dialer.db.alarms import (
    Alarm,
    acknowledge_alarm_row,
    acknowledge_alarms_of_code,
    take_alarm_row,
    unacknowledged_alarms_of,
)
from dialer.db.policies import PolicyVersion, policy_version_of
from dialer.db.system_state import (
    Identity,
    SettingDifference,
    cycle_parts,
    identity_differences,
    living_processes,
    record_identity,
    recorded_identity,
)
from dialer.db.unit_of_work import hold_snapshot
from dialer.figures.report import RatesQuery, cut_breakdown
from dialer.keys.actions import resealed_share
from dialer.retention.retention import read_rounds
from dialer.runtime.services import Services


def unacknowledged_alarms(
    services: Services, *, unit_id: int | None, limit: int = 100, code: str = ""
) -> list[Alarm]:
    """Newest first: of the cases that this unit sees, and of the service as a whole; with `code` only those of this
    kind.
    """
    with services.store.begin() as tx:
        return unacknowledged_alarms_of(tx, limit=limit, where=alarm_visible(unit_id, code=code))


def alarm_kinds(services: Services, *, unit_id: int | None) -> list[AlarmCount]:
    """The kinds of unacknowledged alarms that this unit sees, the largest first."""
    with services.store.begin() as tx:
        return sorted(count_alarms(tx, unit_id=unit_id), key=lambda kind: -kind.count)


def take_alarm(services: Services, actor: Actor, alarm_id: int, *, comment: str) -> None:
    """Makes the actor the owner of an open alarm, with what is being done about it: it stays open until it is
    acknowledged or its cause is gone. Raises `Invalid` without a comment, and `NotFound` as `acknowledge_alarm` does
    and for an alarm that is not open any more.
    """
    said = required_text("comment", comment)
    with services.act(actor, Permission.CONTROL) as act:
        own = alarm_visible(actor.unit_id, with_service=False)
        if not take_alarm_row(act.tx, alarm_id, by=act.by, comment=said, where=own):
            raise NotFound(kind="alarm", key=alarm_id)
        act.audit("alarm_taken", f"alarm/{alarm_id}", why=said)


def acknowledge_alarm(services: Services, actor: Actor, alarm_id: int) -> None:
    """Acknowledges the alarm. Raises `NotFound`, also for one outside the actor's unit; an alarm of no case belongs to
    the whole centre.
    """
    with services.act(actor, Permission.CONTROL) as act:
        own = alarm_visible(actor.unit_id, with_service=False)
        if acknowledge_alarm_row(act.tx, alarm_id, by=act.by, now=act.now, where=own):
            act.audit("alarm_seen", f"alarm/{alarm_id}")
        else:
            act.needs_no_record()


def acknowledge_alarms(services: Services, actor: Actor, code: str, *, why: str) -> int:
    """Acknowledges all alarms of this kind within the actor's unit; returns how many. `why`, which the audit keeps,
    says what is done about them. Raises `Invalid` without it.
    """
    said = required_text("why", why)
    with services.act(actor, Permission.CONTROL) as act:
        own = alarm_visible(actor.unit_id, with_service=False)
        count = acknowledge_alarms_of_code(act.tx, code, by=act.by, now=act.now, where=own)
        if count:
            act.audit("alarm_seen", f"alarms/{code}", why=said, facts={"count": count})
        else:
            act.needs_no_record()
    return count


def adopt_identity(
    services: Services, actor: Actor, identity: Identity, *, why: str
) -> tuple[SettingDifference, ...]:
    """Makes the database belong to these settings; returns what differed. Raises `Conflict` while a process with other
    settings may run.
    """
    reason = required_text("why", why, fix="a change of the settings names who and why")
    with services.act(actor, Permission.CONTROL) as act:
        living = living_processes(act.tx, real_now=services.real.now())
        running = sorted({beat.kind for beat in living if beat.kind in _ACTING})
        if running:
            raise Conflict(
                Text(
                    "the service runs (%(running)s): stop it first, then start it again",
                    running=", ".join(running),
                )
            )
        differences = identity_differences(recorded_identity(act.tx), identity)
        record_identity(act.tx, identity)
        facts = {found.setting: f"{found.recorded} > {found.here}" for found in differences}
        act.audit("settings.adopt", "settings", why=reason, facts=facts)
    return differences


_ACTING = frozenset({"web", "worker", SCHEDULER_PART})

HELD_AT_MOST = 50_000
"""Paused calls are counted up to this number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingPause:
    """A pause in force, as its reader sees it."""

    pause: Pause
    held: int
    """How many calls of the reader's unit it holds back now, counted up to `HELD_AT_MOST`."""
    is_own: bool
    """Whether the reader may end it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LivePolicy:
    """The policy of new cases."""

    policy: Policy
    version: PolicyVersion
    opens_at: datetime | None
    """The dialling window is closed until then."""
    plan: int | None
    """The number of the plan that it belongs to; None while the settings are in force."""


def visible_pauses(services: Services, *, unit_id: int | None) -> Sequence[StandingPause]:
    """The pauses that affect this unit or one below it; for the whole centre, all of them."""
    with services.store.begin() as tx:
        now = services.clock.now()
        own = (
            None
            if unit_id is None
            else frozenset(unit.id for unit in services.units.current(tx) if unit_id in unit.path)
        )
        return [
            StandingPause(
                pause=pause,
                held=count_withheld(tx, pause, unit_id=unit_id, at_most=HELD_AT_MOST),
                is_own=own is None or pause.unit_id in own,
            )
            for pause in standing_pauses_at(tx, now=now)
            if own is None or pause.scope is not PauseScope.UNIT or pause.units & own
        ]


def all_paused(services: Services) -> Pause | None:
    """The pause of all dialling; None without one."""
    with services.store.begin() as tx:
        found = standing_pauses_at(tx, now=services.clock.now())
    return next((pause for pause in found if pause.scope is PauseScope.ALL), None)


def live_policy(services: Services) -> LivePolicy:
    """The newest policy with its stored version, and when its dialling window opens if it is closed now."""
    policy, plan = services.policies.newest, services.policies.in_force()
    with services.store.begin() as tx:
        version = policy_version_of(tx, policy.version)
    now = services.clock.now()
    closed = not policy.window.is_open(now)
    return LivePolicy(
        policy=policy,
        version=version,
        opens_at=policy.window.next_open(now) if closed else None,
        plan=None if plan is None else plan.number,
    )


FIRST_ATTEMPT_BOUNDS = (15, 30, 60, 120, 180, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200)
"""Seconds; the limits of the shipped grades are among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauges:
    """The gauges of `/metrics`."""

    queue: Queue
    queue_age_seconds: Mapping[Grade, float]
    """How long the attempt that waits longest has been due; 0: none waits."""
    lines: LineGroup | None
    pauses: int
    work: Mapping[Track, PendingWork]
    alarms: Mapping[str, int]
    findings: Mapping[str, int]
    """Of the consistency checker's last round, by kind."""
    resealed: float
    """The share of values that use the current keys."""
    retention_age_seconds: Mapping[str, float]
    """How long ago each kind of data had its last round of retention."""
    retention_deleted: Mapping[str, int]
    """What the last round deleted or erased, by kind."""
    processes: Mapping[str, int]
    state: SystemState


def measure(services: Services, *, late_seconds: float) -> Gauges:
    """The gauges of this moment."""
    now = services.clock.now()
    state = check_system(services, late_seconds=late_seconds)
    with services.store.begin() as tx:
        rounds = read_rounds(tx)
        queue = queue_gauges(tx, now=now)
        alive = living_processes(tx, real_now=services.real.now())
        return Gauges(
            queue=queue,
            queue_age_seconds={
                grade: 0.0 if at is None else (now - at).total_seconds()
                for grade, at in queue.oldest_at.items()
            },
            lines=read_line_group(tx),
            pauses=len(standing_pauses_at(tx, now=now)),
            work=pending_work(tx, now=now),
            alarms={alarm.code: alarm.count for alarm in count_alarms(tx)},
            findings=last_findings(cycle_parts(tx)),
            resealed=resealed_share(tx),
            retention_age_seconds={
                kind.value: (services.real.now() - done.at).total_seconds() for kind, done in rounds.items()
            },
            retention_deleted={kind.value: done.count for kind, done in rounds.items()},
            processes={
                kind: sum(process.kind == kind for process in alive)
                for kind in ("web", "worker", "scheduler")
            },
            state=state,
        )


def measure_first_attempts(services: Services) -> Mapping[Grade, FirstAttempts]:
    """How soon the cases opened within a day were first attempted."""
    with services.store.begin() as tx:
        since = services.clock.now() - timedelta(days=1)
        return first_attempt_gauges(tx, since=since, bounds_seconds=FIRST_ATTEMPT_BOUNDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardNow:
    """What changes from second to second. Every time is service time except `real_at`, when it was read."""

    at: datetime
    real_at: datetime
    lines: LineGroup | None
    trial_at: datetime | None
    """When the next trial call may leave, if the breaker is open."""
    opens_at: datetime | None
    """The dialling window is closed until then."""
    pauses: Sequence[Pause]
    work: Mapping[Track, PendingWork]
    alarms: Sequence[AlarmCount]
    system: SystemState


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardQueue:
    """The calls that wait for the robot and those that it makes, at one moment; `at` is service time."""

    at: datetime
    waiting: Mapping[Grade, WaitingCases]
    calling: Mapping[Grade, int]
    """Lines in use by grade."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardToday:
    """Since midnight of the centre's day, by the report's own definitions."""

    at: datetime
    figures: Breakdown
    """By grade."""


def board_now(services: Services, *, unit_id: int | None, late_seconds: float) -> BoardNow:
    """Lines, pauses and alarms, read in one snapshot of the database, and the parts of the system."""
    now, real_now = services.clock.now(), services.real.now()
    window = services.policies.newest.window
    system = check_system(services, late_seconds=late_seconds)
    with services.store.begin() as tx:
        hold_snapshot(tx)
        lines = read_line_group(tx)
        trial = lines.breaker.wait_until if lines is not None and lines.breaker.is_open else None
        return BoardNow(
            at=now,
            real_at=real_now,
            lines=lines,
            trial_at=None if trial is None else now + (trial - real_now),
            opens_at=None if window.is_open(now) else window.next_open(now),
            pauses=standing_pauses_at(tx, now=now),
            work=pending_work(tx, now=now, unit_id=unit_id),
            alarms=count_alarms(tx, unit_id=unit_id),
            system=system,
        )


def board_queue(services: Services, *, unit_id: int | None) -> BoardQueue:
    """Waiting and live calls by grade, of the unit and those below it; None: of all. Read in one snapshot: a call that
    leaves meanwhile is in one of the two.
    """
    now = services.clock.now()
    with services.store.begin() as tx:
        hold_snapshot(tx)
        return BoardQueue(
            at=now,
            waiting=waiting_by_grade(tx, now=now, unit_id=unit_id),
            calling=lines_in_use_by_grade(tx, unit_id=unit_id),
        )


def board_hour(services: Services, *, unit_id: int | None) -> LastHour:
    """Calls of the last 60 minutes, of the unit and those below it; None: of all."""
    with services.store.begin() as tx:
        return calls_of_last_hour(tx, now=services.clock.now(), unit_id=unit_id)


def board_today(services: Services, *, unit_id: int | None) -> BoardToday:
    """Figures by grade since midnight of the centre's time zone."""
    now = services.clock.now()
    today = day_of(now, timezone=services.centre.timezone)
    asked = RatesQuery(by=Dimension.GRADE, period=Period(start=today.start))
    return BoardToday(at=now, figures=cut_breakdown(services, asked, reader_unit_id=unit_id))
