"""What a plan would change, one line each, for a person to read before it is done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from dialer.domain.unit_plan import Placed, UnitPlan
from dialer.domain.units import SEPARATOR, Unit, normalised


class UnitChangeKind(StrEnum):
    ADDED = "added"
    MOVED = "moved"
    RENAMED = "renamed"
    CLOSED = "closed"
    OPENED = "opened"
    LEVEL = "level"
    ALIAS = "alias"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitChange:
    """`line` 0: no line says so, the unit is missing from the list."""

    kind: UnitChangeKind
    line: int
    unit_id: int | None
    """None: a new unit."""
    name: str
    before: str
    after: str


def changes_of(
    plan: UnitPlan, units: Iterable[Unit], aliases: Mapping[str, int], *, close_missing: bool
) -> tuple[UnitChange, ...]:
    """By kind, and within it in the order of the list. `aliases` are those that stand."""
    known = {unit.id: unit for unit in units}
    found: list[UnitChange] = []
    for place, one in enumerate(plan.placed):
        found.extend(_of_line(plan, place, one, known, aliases))
    if close_missing:
        found.extend(
            UnitChange(
                kind=UnitChangeKind.CLOSED,
                line=0,
                unit_id=unit_id,
                name=known[unit_id].name,
                before=_path(known, known[unit_id].parent_id),
                after="",
            )
            for unit_id in plan.missing
        )
    order = list(UnitChangeKind)
    return tuple(sorted(found, key=lambda change: (order.index(change.kind), change.line)))


def _of_line(
    plan: UnitPlan, place: int, one: Placed, known: Mapping[int, Unit], aliases: Mapping[str, int]
) -> Iterable[UnitChange]:
    line, unit = one.line, known.get(one.unit_id) if one.unit_id is not None else None

    def change(kind: UnitChangeKind, before: str, after: str) -> UnitChange:
        return UnitChange(
            kind=kind, line=line.line, unit_id=one.unit_id, name=line.name, before=before, after=after
        )

    where = _planned(plan, place, known)
    if unit is None:
        yield change(UnitChangeKind.ADDED, "", where)
        if line.active is False:
            yield change(UnitChangeKind.CLOSED, where, "")
    else:
        if one.renames:
            yield change(UnitChangeKind.RENAMED, unit.name, line.name)
        if one.moves:
            yield change(UnitChangeKind.MOVED, _path(known, unit.parent_id), where)
        if line.active is not None and line.active is not unit.active:
            kind = UnitChangeKind.OPENED if line.active else UnitChangeKind.CLOSED
            yield change(kind, _path(known, unit.parent_id), "")
        if line.level not in {"", unit.level}:
            yield change(UnitChangeKind.LEVEL, unit.level, line.level)
    for text in line.aliases:
        if normalised(text) not in aliases:
            yield change(UnitChangeKind.ALIAS, "", text)


def _planned(plan: UnitPlan, place: int, known: Mapping[int, Unit]) -> str:
    """Where the line's unit will stand, without its own name."""
    names: list[str] = []
    one = plan.placed[place]
    while one.parent_place is not None:
        one = plan.placed[one.parent_place]
        names.append(one.line.name)
    above = _path(known, one.parent_id)
    return SEPARATOR.join(([above] if above else []) + names[::-1])


def _path(known: Mapping[int, Unit], unit_id: int | None) -> str:
    return SEPARATOR.join(known[step].name for step in known[unit_id].path) if unit_id is not None else ""
