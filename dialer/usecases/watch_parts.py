"""Whether each part of the service is well, with the last moment at which it certainly was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dialer.domain.breaker import Breaker
from dialer.store import facts, pacing
from dialer.store.facts import Beat, Part
from dialer.store.reads import moments
from dialer.store.reads.moments import DatabaseFacts
from dialer.store.unit_of_work import Tx
from dialer.usecases.beat import BEAT_SECONDS
from dialer.usecases.engine import Engine
from dialer.usecases.watch_cycle import AUDIT, CYCLE, SCHEDULER, TICK, WORK

_SILENT_SECONDS = 5 * BEAT_SECONDS


class PartName(StrEnum):
    WEB = "web"
    RINGING = "ringing"
    """Workers that ring."""
    BULK = "bulk"
    """Workers that load lists and render sound."""
    SCHEDULER = "scheduler"
    BROKER = "broker"
    CYCLE = "cycle"
    SWEEP = "sweep"
    DIAL = "dial"
    RECONCILE = "reconcile"
    AUDIT = "audit"
    DATABASE = "database"


class Health(StrEnum):
    GOOD = "good"
    LATE = "late"
    """It has not been good for longer than it may."""
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartState:
    """`good_seconds`: since it was last certainly good, in real time; None: never, as far as is known."""

    name: PartName
    health: Health
    good_seconds: float | None
    count: int | None = None
    """Of processes: how many are alive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """The way to the telephone network. Spans are real seconds."""

    breaker: Breaker
    open_seconds: float | None
    trial_in_seconds: float | None
    """None: no trial is waited for; 0: it may leave at any moment."""
    heard_at: datetime | None
    """Service time: the newest word about any call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    at: datetime
    parts: tuple[PartState, ...]
    carrier: Carrier
    database: DatabaseFacts
    leader: str
    found: Mapping[str, int]
    """By the auditor's last round, what it found amiss, by kind."""


def watch_parts(engine: Engine, *, late_seconds: float) -> Parts:
    now, real_now = engine.clock.now(), engine.real.now()
    with engine.store.begin() as tx:
        noted = facts.parts(tx)
        workers = facts.beats(tx, kind="worker")
        webs, schedulers = facts.beats(tx, kind="web"), facts.beats(tx, kind=SCHEDULER)
        carrier = _carrier(tx, engine, real_now)
        database = moments.database_facts(tx)
    leaders = [beat for beat in schedulers if beat.facts.get("leader")]
    audit = noted.get(AUDIT)
    found = audit.facts.get("found") if audit is not None else None
    processes = (
        (PartName.WEB, webs),
        (PartName.RINGING, [beat for beat in workers if "dial" in _queues(beat)]),
        (PartName.BULK, [beat for beat in workers if "bulk" in _queues(beat)]),
        (PartName.SCHEDULER, leaders),
    )
    rounds = (
        (PartName.BROKER, TICK),
        (PartName.CYCLE, CYCLE),
        *((PartName(name), name) for name in WORK),
    )
    return Parts(
        at=now,
        parts=(
            PartState(name=PartName.DATABASE, health=Health.GOOD, good_seconds=0.0),
            *(_processes(name, beats, real_now) for name, beats in processes),
            *(_round(name, noted.get(key), real_now, late_seconds) for name, key in rounds),
        ),
        carrier=carrier,
        database=database,
        leader=leaders[0].process if leaders else "",
        found={str(kind): int(count) for kind, count in found.items() if count}
        if isinstance(found, dict)
        else {},
    )


def _queues(beat: Beat) -> Sequence[object]:
    queues = beat.facts.get("queues")
    return queues if isinstance(queues, list) else []


def _processes(name: PartName, beats: Sequence[Beat], real_now: datetime) -> PartState:
    """Good while one of them beats."""
    ages = sorted(max(0.0, (real_now - beat.at).total_seconds()) for beat in beats)
    alive = sum(age <= _SILENT_SECONDS for age in ages)
    if not ages:
        return PartState(name=name, health=Health.NEVER, good_seconds=None, count=0)
    return PartState(
        name=name, health=Health.GOOD if alive else Health.LATE, good_seconds=ages[0], count=alive
    )


def _round(name: PartName, part: Part | None, real_now: datetime, late_seconds: float) -> PartState:
    if part is None:
        return PartState(name=name, health=Health.NEVER, good_seconds=None)
    age = max(0.0, (real_now - part.at).total_seconds())
    return PartState(name=name, health=Health.GOOD if age <= late_seconds else Health.LATE, good_seconds=age)


def _carrier(tx: Tx, engine: Engine, real_now: datetime) -> Carrier:
    breaker = pacing.breaker(tx, name=engine.lines.group)
    opened, until = breaker.opened_at, breaker.wait_until
    return Carrier(
        breaker=breaker,
        open_seconds=None if opened is None else max(0.0, (real_now - opened).total_seconds()),
        trial_in_seconds=None
        if opened is None or until is None
        else max(0.0, (until - real_now).total_seconds()),
        heard_at=moments.last_heard(tx),
    )
