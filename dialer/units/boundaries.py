"""Boundaries of units, loaded from GeoJSON for the map of *Success rates*."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from dialer.core.access import actor_name
from dialer.core.errors import NotFound, Refusal
from dialer.core.units import UnitIndex, find_unit
from dialer.db.audit import write_audit
from dialer.org.unit_store import keep_boundaries, list_units_of_tree
from dialer.runtime.uploads import boundary_areas
from dialer.services import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundariesLoad:
    """What a file brought: units with a boundary now, and names of areas that mean no unit."""

    loaded: int
    unknown: tuple[str, ...]


def load_boundaries(services: Services, content: BinaryIO, *, by: str) -> BoundariesLoad:
    """Each area becomes the boundary of the unit that its name means; two areas of one unit are both of it. A unit's
    earlier boundary is replaced. Raises `UnusableFile`.
    """
    who, now = actor_name(by), services.clock.now()
    areas = boundary_areas(content)
    with services.store.begin() as tx:
        index = UnitIndex(list_units_of_tree(tx))
        rings: dict[int, list[list[list[float]]]] = {}
        unknown = []
        for area in areas:
            try:
                unit = find_unit(index, area.name)
            except (NotFound, Refusal):
                unknown.append(area.name)
                continue
            rings.setdefault(unit.id, []).extend(area.rings)
        keep_boundaries(tx, rings, by=who, now=now)
        facts = {"units": len(rings), "unknown": len(unknown)}
        write_audit(tx, who=who, act="load_boundaries", subject="unit", why="", now=now, facts=facts)
    return BoundariesLoad(loaded=len(rings), unknown=tuple(unknown))
