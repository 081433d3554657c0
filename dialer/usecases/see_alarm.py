"""Alarms are listed until somebody has seen them; who did is kept."""

from __future__ import annotations

from dialer.domain.access import actor_name
from dialer.errors import NotFound
from dialer.store import alarms, audits
from dialer.store.alarms import Alarm
from dialer.store.reads.wall import alarm_seen, is_own_alarm
from dialer.usecases.engine import Engine


def unseen_alarms(engine: Engine, *, unit_id: int | None, limit: int = 100) -> list[Alarm]:
    """Newest first: of the cases that this unit sees, and of the service as a whole."""
    with engine.store.begin() as tx:
        return alarms.unseen(tx, limit=limit, where=alarm_seen(unit_id))


def see_alarm(engine: Engine, alarm_id: int, *, by: str, seen_by: int | None = None) -> None:
    """Somebody has seen it. Raises `NotFound`, also for one that is not of the own unit or below: one of no case is the
    whole centre's.
    """
    who = actor_name(by)
    with engine.store.begin() as tx:
        if seen_by is not None and not is_own_alarm(tx, alarm_id, unit_id=seen_by):
            raise NotFound(kind="alarm", key=alarm_id)
        now = engine.clock.now()
        if alarms.see(tx, alarm_id, by=who, now=now):
            audits.write(tx, who=who, act="alarm_seen", subject=f"alarm/{alarm_id}", why="", now=now)


def see_alarms(engine: Engine, code: str, *, by: str, seen_by: int | None = None) -> int:
    """All of this kind that stand now, as far as they are of the own unit and below; how many."""
    who = actor_name(by)
    with engine.store.begin() as tx:
        now = engine.clock.now()
        count = alarms.see_all(tx, code, by=who, now=now, where=alarm_seen(seen_by, with_service=False))
        if count:
            facts: dict[str, object] = {"count": count}
            audits.write(
                tx, who=who, act="alarm_seen", subject=f"alarms/{code}", why="", now=now, facts=facts
            )
    return count
