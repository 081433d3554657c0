"""The visits that wait, for the officers who make them and the supervisors who see who is at what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dialer.store.desk import Scope
from dialer.store.reads import visit_list
from dialer.store.reads.visit_list import VisitLine
from dialer.usecases.engine import Engine

_MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitList:
    """Masked; each part most urgent first."""

    mine: tuple[VisitLine, ...]
    free: tuple[VisitLine, ...]
    """Nobody has signed for them."""
    others: tuple[VisitLine, ...]
    asked: tuple[VisitLine, ...]
    """Another unit asks ours to take them."""
    own: tuple[VisitLine, ...]
    """All of these that belong to our units now."""
    all: int
    """How many wait, of which no more are shown than fit a list."""

    @property
    def shown(self) -> int:
        return len(self.own)

    def late(self, now: datetime) -> int:
        """How many of those shown are past the time that runs."""
        return sum(one.is_late(now) for one in self.own)


def list_visits(engine: Engine, *, who: str, seen_by: int | None, unit_id: int | None = None) -> VisitList:
    """Of the unit `seen_by` and all below it (None: of the centre); `unit_id` leaves out the rest."""
    with engine.store.begin() as tx:
        found = visit_list.waiting(tx, scope=Scope(unit_id=seen_by), who=who, unit_id=unit_id, limit=_MOST)
        asked = visit_list.asked_of(tx, unit_id=seen_by, limit=_MOST)
    mine = tuple(one for one in found.visits if one.is_held_by(who))
    apart = {one.id for one in (*mine, *asked)}
    rest = [one for one in found.visits if one.id not in apart]
    return VisitList(
        mine=mine,
        free=tuple(one for one in rest if not one.holder),
        others=tuple(one for one in rest if one.holder),
        asked=tuple(one for one in asked if not one.is_held_by(who)),
        own=tuple(found.visits),
        all=found.all,
    )
