"""What the monitoring is told of this moment. No figure names anybody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from dialer.domain.values import Grade, Track
from dialer.store import alarms, facts, holds, pacing
from dialer.store.pacing import LineGroup
from dialer.store.reads import gauges
from dialer.store.reads.gauges import FirstAttempts, Queue, WorkWaiting
from dialer.usecases.engine import Engine
from dialer.usecases.watch_cycle import AUDIT, EngineState, look_at_engine

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
    state: EngineState


def measure(engine: Engine, *, late_seconds: float) -> Figures:
    now = engine.clock.now()
    with engine.store.begin() as tx:
        queue = gauges.queue(tx, now=now)
        lines = pacing.read(tx, name=engine.lines.group)
        pauses = len(holds.standing(tx, now=now))
        work = gauges.work(tx, now=now)
        unseen = alarms.unseen_by_code(tx)
        parts = facts.parts(tx)
        alive = facts.alive(tx, since=engine.real.now() - _ALIVE)
    found = parts[AUDIT].facts.get("found") if AUDIT in parts else None
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
        state=look_at_engine(engine, late_seconds=late_seconds),
    )


def measure_first_attempts(engine: Engine) -> Mapping[Grade, FirstAttempts]:
    """Of the cases opened within a day."""
    with engine.store.begin() as tx:
        since = engine.clock.now() - _WINDOW
        return gauges.first_attempts(tx, since=since, bounds_seconds=FIRST_ATTEMPT_BOUNDS)
