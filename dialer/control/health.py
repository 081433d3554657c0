"""Whether the service works: heartbeats of processes, whole cycles, the machine's clock, the state of each part.

A cycle is whole when every part of the work began after the cycle did and was completed. The leading scheduler then
records it; the age of that record shows a service that is up and does nothing.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from dialer.calls.message_store import IN_DOUBT, TO_SEND
from dialer.calls.pacing import (
    lock_line_breaker,
    read_breakers,
    reset_times_after_jump,
    seconds_clock_went_back,
)
from dialer.calls.recordings import RECORDINGS
from dialer.calls.store import unreported_calls
from dialer.control.consistency import ConsistencyRound, check_consistency
from dialer.control.queries import DatabaseFacts, read_database_facts, read_last_event_time
from dialer.core.breaker import Breaker
from dialer.core.errors import Unavailable
from dialer.core.events import AlarmCode
from dialer.db.alarms import raise_alarm, raise_alarm_once
from dialer.db.migrations import schema_revision
from dialer.db.silence import SilenceWatch
from dialer.db.system_state import (
    ALIVE_SECONDS,
    CLOCKS_APART,
    STUCK_COMMIT_SECONDS,
    CyclePart,
    Heartbeat,
    cycle_parts,
    end_heartbeat,
    heartbeats,
    longest_stuck_commit,
    note_cycle_part,
    note_heartbeat,
)
from dialer.db.unit_of_work import Tx
from dialer.quality.store import TRANSCRIPTS, is_reading_stalled
from dialer.retention.retention import RETENTION_PART, rounds_of
from dialer.runtime.services import Services
from dialer.scripts.store import RENDERS
from dialer.warnings.list_store import LOADS, WITHDRAWALS
from dialer.webhooks.actions import deliveries

BEAT_SECONDS = 2.0
_RETENTION_LATE_SECONDS = 86_400.0

_log = logging.getLogger(__name__)


@contextmanager
def beating(services: Services, *, kind: str, facts: Mapping[str, object] | None = None) -> Iterator[None]:
    """Within the block a thread renews this process's row; afterwards the row is gone. A database that does not answer
    costs a log line, and so does any other fault: while no web process beats, no call leaves. Another thread notices a
    database that is reached and answers nothing.
    """
    process = f"{kind}:{socket.gethostname()}:{os.getpid()}"
    stopped = threading.Event()
    heart = threading.Thread(
        target=_beat, args=(services, process, kind, dict(facts or {}), stopped), name="heart", daemon=True
    )
    heart.start()
    try:
        with SilenceWatch(services.store).running():
            yield
    finally:
        stopped.set()
        heart.join(timeout=BEAT_SECONDS)
        try:
            with services.store.begin() as tx:
                end_heartbeat(tx, process=process)
        except Unavailable as fault:
            _log.warning("%s", fault)


def _beat(
    services: Services, process: str, kind: str, facts: Mapping[str, object], stopped: threading.Event
) -> None:
    while True:
        try:
            with services.store.begin() as tx:
                note_heartbeat(tx, process=process, kind=kind, real_now=services.real.now(), facts=facts)
        except Unavailable as fault:
            _log.warning("%s", fault)
        except Exception:  # noqa: BLE001  # one fault must not end the heart: the next beat is tried
            _log.exception("the heartbeat cannot be written")
        if stopped.wait(BEAT_SECONDS):
            return


def _seconds_back(tx: Tx, services: Services) -> float:
    return seconds_clock_went_back(
        tx,
        real_now=services.real.now(),
        horizon_seconds=services.lines.horizon_seconds,
    )


def repair_clock(services: Services) -> bool:
    """True if the machine's clock had gone back. Claims made under the later clock have lapsed, so those calls are
    placed under a higher token; the carrier will be asked about live calls; an alarm is raised.
    """
    rules = services.lines
    with services.store.begin() as tx:
        if not _seconds_back(tx, services):
            return False
    with services.store.begin() as tx:
        lock_line_breaker(tx)
        seconds = _seconds_back(tx, services)
        if not seconds:
            return False  # another worker was faster
        real_now = services.real.now()
        lease = rules.horizon_seconds + rules.lease_seconds
        poll = rules.silence_seconds + 2 * rules.post_timeout_seconds + rules.unknown_after_seconds
        reset_times_after_jump(
            tx,
            real_now=real_now,
            last_lease=real_now + timedelta(seconds=lease),
            last_poll=real_now + timedelta(seconds=poll + 60),
        )
        raise_alarm(tx, AlarmCode.CLOCK_JUMPED, now=services.clock.now(), facts={"seconds": round(seconds)})
    services.enqueue("dial")
    return True


TICK_PART = "tick"
CONSISTENCY_PART = "consistency"
WORK_PARTS = ("sweep", "dial", "reconcile", CONSISTENCY_PART)
"""What the workers do in a cycle."""
CYCLE_PART = "cycle"
SCHEDULER_PART = "scheduler"
SCHEMA_PART = "schema"
"""Late when the database was migrated for a newer version than this process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemState:
    """Ages in real seconds; None: never, or before the clock was set back."""

    cycle_seconds: float | None
    parts_seconds: Mapping[str, float | None]
    late: tuple[str, ...]
    """Empty: a whole cycle has been completed lately."""
    leader: str | None
    leader_seconds: float | None
    stopped: tuple[str, ...]
    """Why the service makes no calls except a trial call now and then: the carrier takes none (`carrier`) or cannot get
    our `sound`, those that it took brought no webhook (`webhooks`), or the database ends no commit (`commits`). Empty:
    nothing stops them.
    """


def note_part_done(
    services: Services, name: str, *, began_at: datetime, facts: Mapping[str, object] | None = None
) -> None:
    """Records that a part that began at `began_at` (real time) was completed."""
    with services.store.begin() as tx:
        note_cycle_part(tx, name, began_at=began_at, real_now=services.real.now(), facts=facts)


def run_consistency_round(services: Services) -> ConsistencyRound:
    """The next round of the consistency checker, from where the last one ended; what it found is recorded."""
    began_at = services.real.now()
    with services.store.begin() as tx:
        last = cycle_parts(tx).get(CONSISTENCY_PART)
    after = last.facts.get("after", 0) if last is not None else 0
    done = check_consistency(services, after=after if isinstance(after, int) else 0)
    note_part_done(services, CONSISTENCY_PART, began_at=began_at, facts=done.plain())
    return done


def last_findings(parts: Mapping[str, CyclePart]) -> dict[str, int]:
    """What the consistency checker's last round found, by kind."""
    found = parts[CONSISTENCY_PART].facts.get("found") if CONSISTENCY_PART in parts else None
    return {str(kind): int(count) for kind, count in found.items()} if isinstance(found, dict) else {}


_OVERDUE = timedelta(minutes=10)
_UNREAD = timedelta(hours=1)


def raise_overdue_work(services: Services) -> None:
    """Raises an alarm for the kinds of work that have been due for ten minutes and that no process takes, and for
    recorded calls, if they are to be read, when one has waited for an hour and none went forward.
    """
    since = services.real.now() - _OVERDUE
    with services.store.begin() as tx:
        kinds = {
            jobs.kind
            for jobs in (LOADS, WITHDRAWALS, RENDERS, RECORDINGS, IN_DOUBT, deliveries())
            if jobs.is_any_overdue(tx, since=since)
        }
        # Planned messages are due by the service clock, which runs faster in a drill.
        if not services.drill and TO_SEND.is_any_overdue(tx, since=services.clock.now() - _OVERDUE):
            kinds.add(TO_SEND.kind)
        # Calls wait for hours behind others: it is a fault when not one of them goes forward.
        if services.quality.transcribe and is_reading_stalled(tx, since=services.real.now() - _UNREAD):
            kinds.add(TRANSCRIPTS.kind)
        if kinds:
            raise_alarm_once(tx, AlarmCode.WORK_OVERDUE, now=services.clock.now(), names=kinds)


def close_cycle(services: Services, *, began_at: datetime) -> bool:
    """Whether the cycle that began at `began_at` (real time) is whole; if it is, that is recorded."""
    real_now = services.real.now()
    with services.store.begin() as tx:
        parts = cycle_parts(tx)
        latest = real_now + CLOCKS_APART
        if not all(name in parts and began_at <= parts[name].began_at <= latest for name in WORK_PARTS):
            return False
        note_cycle_part(tx, CYCLE_PART, began_at=began_at, real_now=real_now)
    return True


def check_system(services: Services, *, late_seconds: float) -> SystemState:
    """How long ago each part was completed, and which are late if no whole cycle is younger than `late_seconds`."""
    with services.store.begin() as tx:
        parts = cycle_parts(tx)
        schedulers = heartbeats(tx, kind=SCHEDULER_PART)
        moved = bool(services.schema) and schema_revision(tx) != services.schema
        carrier, sound = read_breakers(tx)
        reasons = {
            "carrier": carrier.is_open,
            "sound": sound.is_open,
            "commits": longest_stuck_commit(tx) >= STUCK_COMMIT_SECONDS,
            "webhooks": unreported_calls(
                tx,
                now=services.clock.now(),
                real_now=services.real.now(),
                ring_seconds=services.lines.ring_seconds,
            )
            is not None,
        }
    real_now = services.real.now()
    ages = {
        name: _age(parts[name].at, real_now) if name in parts else None for name in (TICK_PART, *WORK_PARTS)
    }
    cycle = _age(parts[CYCLE_PART].at, real_now) if CYCLE_PART in parts else None
    leaders = [scheduler for scheduler in schedulers if scheduler.facts.get("leader")]
    late: tuple[str, ...] = ()
    if cycle is None or cycle > late_seconds:
        # When no part is late by itself, the oldest one is reported.
        late = tuple(name for name, age in ages.items() if age is None or age > late_seconds)
        late = late or (max(ages, key=lambda name: ages[name] or 0.0),)
    if moved:
        late = (SCHEMA_PART, *late)
    return SystemState(
        cycle_seconds=cycle,
        parts_seconds=ages,
        late=late,
        leader=leaders[0].process if leaders else None,
        leader_seconds=_age(leaders[0].at, real_now) if leaders else None,
        stopped=tuple(name for name, holds in reasons.items() if holds),
    )


def _age(moment: datetime, real_now: datetime) -> float | None:
    """Real seconds since then; None: it was noted before the clock was set back."""
    return None if moment > real_now + CLOCKS_APART else max(0.0, (real_now - moment).total_seconds())


class PartName(StrEnum):
    """The parts of the service that the control page shows."""

    WEB = "web"
    DIAL_WORKERS = "dial_workers"
    """Workers of the `dial` queue."""
    BULK = "bulk"
    """Workers of the `bulk` queue: lists, sound."""
    SCHEDULER = "scheduler"
    BROKER = "broker"
    CYCLE = "cycle"
    SWEEP = "sweep"
    DIAL = "dial"
    RECONCILE = "reconcile"
    CONSISTENCY = "consistency"
    RETENTION = "retention"
    DATABASE = "database"


class Health(StrEnum):
    """How a part of the system is."""

    GOOD = "good"
    LATE = "late"
    """Not good for longer than allowed."""
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartState:
    """`good_seconds`: real seconds since the part was last known to be good; None: never or, if the part is late,
    before the clock was set back.
    """

    name: PartName
    health: Health
    good_seconds: float | None
    count: int | None = None
    """For processes: how many are alive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """The way to the telephone network. Spans are real seconds."""

    breaker: Breaker
    open_seconds: float | None
    trial_in_seconds: float | None
    """None: no trial call is due; 0: it may leave at any moment."""
    heard_at: datetime | None
    """Service time of the newest report about any call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """All parts of the system at one moment of the service clock."""

    at: datetime
    parts: tuple[PartState, ...]
    carrier: Carrier
    database: DatabaseFacts
    leader: str
    found: Mapping[str, int]
    """What the consistency checker's last round found, by kind; kinds without a finding are left out."""
    deleted: int
    """What the last rounds of retention deleted or erased, of all kinds."""


def watch_parts(services: Services, *, late_seconds: float) -> Parts:
    """The state of every part; a part of the cycle is late when it was done more than `late_seconds` ago."""
    now, real_now = services.clock.now(), services.real.now()
    with services.store.begin() as tx:
        noted = cycle_parts(tx)
        workers = heartbeats(tx, kind="worker")
        webs, schedulers = heartbeats(tx, kind="web"), heartbeats(tx, kind=SCHEDULER_PART)
        carrier = _carrier(tx, real_now)
        database = read_database_facts(tx)
    leaders = [beat for beat in schedulers if beat.facts.get("leader")]
    processes = (
        (PartName.WEB, webs),
        (PartName.DIAL_WORKERS, [beat for beat in workers if "dial" in _queues(beat)]),
        (PartName.BULK, [beat for beat in workers if "bulk" in _queues(beat)]),
        (PartName.SCHEDULER, leaders),
    )
    rounds = (
        (PartName.BROKER, TICK_PART),
        (PartName.CYCLE, CYCLE_PART),
        *((PartName(name), name) for name in WORK_PARTS),
    )
    return Parts(
        at=now,
        parts=(
            PartState(name=PartName.DATABASE, health=Health.GOOD, good_seconds=0.0),
            *(_processes(name, beats, real_now) for name, beats in processes),
            *(_round(name, noted.get(key), real_now, late_seconds) for name, key in rounds),
            _round(PartName.RETENTION, noted.get(RETENTION_PART), real_now, _RETENTION_LATE_SECONDS),
        ),
        carrier=carrier,
        database=database,
        leader=leaders[0].process if leaders else "",
        found={kind: count for kind, count in last_findings(noted).items() if count},
        deleted=sum(deletion.count for deletion in rounds_of(noted).values()),
    )


def _queues(beat: Heartbeat) -> Sequence[object]:
    queues = beat.facts.get("queues")
    return queues if isinstance(queues, list) else []


def _processes(name: PartName, beats: Sequence[Heartbeat], real_now: datetime) -> PartState:
    """Good while at least one process is alive."""
    ages = sorted(age for beat in beats if (age := _age(beat.at, real_now)) is not None)
    alive = sum(age <= ALIVE_SECONDS for age in ages)
    health = Health.NEVER if not beats else Health.GOOD if alive else Health.LATE
    return PartState(name=name, health=health, good_seconds=ages[0] if ages else None, count=alive)


def _round(name: PartName, part: CyclePart | None, real_now: datetime, late_seconds: float) -> PartState:
    if part is None:
        return PartState(name=name, health=Health.NEVER, good_seconds=None)
    age = _age(part.at, real_now)
    is_good = age is not None and age <= late_seconds
    return PartState(name=name, health=Health.GOOD if is_good else Health.LATE, good_seconds=age)


def _carrier(tx: Tx, real_now: datetime) -> Carrier:
    breaker, _ = read_breakers(tx)
    opened, until = breaker.opened_at, breaker.wait_until
    return Carrier(
        breaker=breaker,
        open_seconds=None if opened is None else max(0.0, (real_now - opened).total_seconds()),
        trial_in_seconds=None
        if opened is None or until is None
        else max(0.0, (until - real_now).total_seconds()),
        heard_at=read_last_event_time(tx),
    )
