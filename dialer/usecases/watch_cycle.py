"""The engine's whole cycle: a tick was sent, and a worker swept, dialled, reconciled and audited to the end.

Each part notes when it was last done. The leading scheduler sees a cycle as whole when every part has begun after the
cycle did; then it notes that too. A service that looks alive and does nothing is told by the age of that note.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from dialer.store import facts, schema
from dialer.usecases.audit_futures import Verdict, audit_futures
from dialer.usecases.engine import Engine

TICK = "tick"
AUDIT = "audit"
WORK = ("sweep", "dial", "reconcile", AUDIT)
"""What a worker does in a cycle."""
CYCLE = "cycle"
SCHEDULER = "scheduler"
SCHEMA = "schema"
"""Late when the database was migrated for a newer version than this process is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineState:
    """Ages in real seconds; None: never."""

    cycle_seconds: float | None
    parts_seconds: Mapping[str, float | None]
    late: tuple[str, ...]
    """Empty: a whole cycle has been completed lately."""
    leader: str | None
    leader_seconds: float | None


def note_part(
    engine: Engine, name: str, *, began_at: datetime, told: Mapping[str, object] | None = None
) -> None:
    with engine.store.begin() as tx:
        facts.note_part(tx, name, began_at=began_at, real_now=engine.real.now(), facts=told)


def audit_round(engine: Engine) -> Verdict:
    """The next round of the auditor, from where the last one ended; its verdict is noted."""
    began_at = engine.real.now()
    with engine.store.begin() as tx:
        last = facts.parts(tx).get(AUDIT)
    after = last.facts.get("after", 0) if last is not None else 0
    verdict = audit_futures(engine, after=after if isinstance(after, int) else 0)
    note_part(engine, AUDIT, began_at=began_at, told=verdict.plain())
    return verdict


def close_cycle(engine: Engine, *, began_at: datetime) -> bool:
    """True when the cycle that began then is whole; it is noted."""
    with engine.store.begin() as tx:
        parts = facts.parts(tx)
        if not all(name in parts and parts[name].began_at >= began_at for name in WORK):
            return False
        facts.note_part(tx, CYCLE, began_at=began_at, real_now=engine.real.now())
    return True


def look_at_engine(engine: Engine, *, late_seconds: float) -> EngineState:
    """How long ago each part was done, and which are late when no whole cycle is younger than `late_seconds`."""
    with engine.store.begin() as tx:
        parts = facts.parts(tx)
        schedulers = facts.beats(tx, kind=SCHEDULER)
        moved = bool(engine.schema) and schema.revision(tx) != engine.schema
    real_now = engine.real.now()

    def age(moment: datetime) -> float:
        return max(0.0, (real_now - moment).total_seconds())

    ages = {name: age(parts[name].at) if name in parts else None for name in (TICK, *WORK)}
    cycle = age(parts[CYCLE].at) if CYCLE in parts else None
    leaders = [one for one in schedulers if one.facts.get("leader")]
    late: tuple[str, ...] = ()
    if cycle is None or cycle > late_seconds:
        # The oldest part is to blame when none is late by itself.
        late = tuple(name for name, one in ages.items() if one is None or one > late_seconds)
        late = late or (max(ages, key=lambda name: ages[name] or 0.0),)
    if moved:
        late = (SCHEMA, *late)
    return EngineState(
        cycle_seconds=cycle,
        parts_seconds=ages,
        late=late,
        leader=leaders[0].process if leaders else None,
        leader_seconds=age(leaders[0].at) if leaders else None,
    )
