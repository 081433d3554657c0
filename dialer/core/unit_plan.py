"""What a list of units does to the tree: planned and checked as a whole before a row is written, and shown as
changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dialer.core.units import LONGEST_NAME, SEPARATOR, Unit, normalised
from dialer.language import Text


class UnitField(StrEnum):
    NAME = "name"
    PARENT = "parent"
    LEVEL = "level"
    ALIASES = "aliases"
    STATE = "state"
    NUMBER = "number"
    """Ours, as an exported list has it: a unit keeps it whatever it is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitLine:
    """One line of the list. `parent` is a name, or a path where names repeat; `active` None: the list does not say.
    `unit_id` is the unit that the line says it means, by our own number.
    """

    line: int
    name: str
    parent: str = ""
    level: str = ""
    aliases: tuple[str, ...] = ()
    active: bool | None = None
    unit_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFault:
    """What is wrong, and how to mend it."""

    line: int
    field: UnitField
    problem: Text
    mend: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """One line with where it belongs. A parent is another line's place in the plan, or a unit, or none."""

    line: UnitLine
    unit_id: int | None
    """None: the unit is new."""
    parent_place: int | None
    parent_id: int | None
    moves: bool
    renames: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPlan:
    """`placed` has every line after its parent's. With faults nothing is to be done."""

    placed: tuple[Placed, ...]
    faults: tuple[UnitFault, ...]
    missing: tuple[int, ...]
    """Active units that the list does not name."""


_Node = tuple[str, int]
"""("line", its index) or ("unit", its id)."""


def plan_units(
    lines: Sequence[UnitLine], units: Iterable[Unit], aliases: Mapping[str, int] | None = None
) -> UnitPlan:
    """`aliases` are those that stand: normalised text to unit."""
    draft = _PlanDraft(lines, list(units))
    draft.check_names()
    draft.check_numbers()
    parents = draft.parents()
    order = draft.in_order(parents)
    placed = draft.place(order, parents) if not draft.faults else []
    if not draft.faults:
        draft.check_cycles(placed)
        draft.check_final_names(placed)
        draft.check_aliases(placed, dict(aliases or {}))
    named = {one.unit_id for one in placed}
    return UnitPlan(
        placed=tuple(placed),
        faults=tuple(sorted(draft.faults, key=lambda fault: fault.line)),
        missing=tuple(unit.id for unit in draft.units.values() if unit.active and unit.id not in named),
    )


class _PlanDraft:
    def __init__(self, lines: Sequence[UnitLine], units: list[Unit]) -> None:
        self.lines = lines
        self.units = {unit.id: unit for unit in units}
        self.faults: list[UnitFault] = []
        self.of_name: dict[str, list[int]] = {}
        self.numbered = {line.unit_id for line in lines if line.unit_id is not None}
        for index, line in enumerate(lines):
            self.of_name.setdefault(line.name, []).append(index)

    def fault(self, index: int, field: UnitField, problem: Text, mend: Text) -> None:
        self.faults.append(UnitFault(line=self.lines[index].line, field=field, problem=problem, mend=mend))

    def check_names(self) -> None:
        for index, line in enumerate(self.lines):
            if not normalised(line.name):
                self.fault(index, UnitField.NAME, Text("no name"), Text("write its name"))
            elif len(line.name) > LONGEST_NAME or SEPARATOR in line.name:
                self.fault(
                    index,
                    UnitField.NAME,
                    Text("the name is too long or has a /"),
                    Text("%(most)s characters at most, no /", most=LONGEST_NAME),
                )

    def check_numbers(self) -> None:
        seen: dict[int, int] = {}
        for index, line in enumerate(self.lines):
            if line.unit_id is None:
                continue
            earlier = seen.setdefault(line.unit_id, line.line)
            if line.unit_id not in self.units:
                self.fault(
                    index,
                    UnitField.NUMBER,
                    Text("no unit has this number"),
                    Text("leave it blank for a new unit"),
                )
            elif earlier != line.line:
                self.fault(
                    index,
                    UnitField.NUMBER,
                    Text("the same number as line %(earlier)s", earlier=earlier),
                    Text("write each unit once"),
                )

    def parents(self) -> list[_Node | None]:
        return [self._parent(index, line.parent) for index, line in enumerate(self.lines)]

    def _parent(self, index: int, text: str) -> _Node | None:
        """The list's own lines go before the units that are there."""
        if not text:
            return None
        steps = [step.strip() for step in text.split(SEPARATOR)]
        found: list[_Node] = [
            ("line", one) for one in self.of_name.get(steps[-1], ()) if self._stands(one, steps[:-1])
        ]
        if not found:
            found = [("unit", unit.id) for unit in self.units.values() if self._path_ends(unit, steps)]
        if len(found) == 1:
            return found[0]
        if found:
            self.fault(
                index,
                UnitField.PARENT,
                Text("%(most)s units have this name", most=len(found)),
                Text("write it with its own parent: parent/name"),
            )
        else:
            self.fault(
                index,
                UnitField.PARENT,
                Text("the parent is neither in the list nor known"),
                Text("mend the name, or add a line for the parent"),
            )
        return None

    def _stands(self, index: int, above: list[str]) -> bool:
        """The line's own parents, as far as they are written, end with these."""
        written = [step.strip() for step in self.lines[index].parent.split(SEPARATOR)]
        return all(one == other for one, other in zip(reversed(written), reversed(above), strict=False))

    def _path_ends(self, unit: Unit, steps: list[str]) -> bool:
        names = [self.units[step].name for step in unit.path]
        return names[-len(steps) :] == steps

    def in_order(self, parents: list[_Node | None]) -> list[int]:
        """Every line after its parent's. Lines that stand below themselves are faults."""
        order: list[int] = []
        seen: set[int] = set()
        for index in range(len(self.lines)):
            chain: list[int] = []
            step: int | None = index
            while step is not None and step not in seen:
                if step in chain:
                    self._cycle(step)
                    break
                chain.append(step)
                above = parents[step]
                step = above[1] if above is not None and above[0] == "line" else None
            seen.update(chain)
            order.extend(reversed(chain))
        return order

    def _cycle(self, index: int) -> None:
        self.fault(
            index,
            UnitField.PARENT,
            Text("the unit stands below itself"),
            Text("mend the parent in one of the lines of this circle"),
        )

    def place(self, order: list[int], parents: list[_Node | None]) -> list[Placed]:
        unnumbered = [unit for unit in self.units.values() if unit.id not in self.numbered]
        children = {(unit.parent_id, unit.name): unit for unit in unnumbered}
        of_name: dict[str, list[Unit]] = {}
        for unit in unnumbered:
            of_name.setdefault(unit.name, []).append(unit)
        twice = Counter(line.name for line in self.lines if line.unit_id is None)
        places: dict[int, int] = {}
        taken: dict[tuple[_Node | None, str], int] = {}
        placed: list[Placed] = []
        for index in order:
            line, above = self.lines[index], parents[index]
            if above is not None and above[0] == "line" and placed[places[above[1]]].unit_id is not None:
                known = placed[places[above[1]]].unit_id
                above_id: int | None = known
            else:
                above_id = above[1] if above is not None and above[0] == "unit" else None
            parent_place = places[above[1]] if above is not None and above[0] == "line" else None
            is_new_parent = parent_place is not None and placed[parent_place].unit_id is None
            where: _Node | None = ("unit", above_id) if above_id is not None else above
            earlier = taken.setdefault((where, line.name), index)
            if earlier != index:
                self.fault(
                    index,
                    UnitField.NAME,
                    Text("the same unit as line %(line)s", line=self.lines[earlier].line),
                    Text("remove one of them"),
                )
            here = self._unit_of(line)
            if here is None:
                here = None if is_new_parent else children.get((above_id, line.name))
                alone = of_name.get(line.name, [])
                if here is None and twice[line.name] == 1 and len(alone) == 1:
                    here = alone[0]
            places[index] = len(placed)
            placed.append(
                Placed(
                    line=line,
                    unit_id=here.id if here is not None else None,
                    parent_place=parent_place,
                    parent_id=above_id,
                    moves=here is not None and (is_new_parent or here.parent_id != above_id),
                    renames=here is not None and here.name != line.name,
                )
            )
        return placed

    def _unit_of(self, line: UnitLine) -> Unit | None:
        return self.units.get(line.unit_id) if line.unit_id is not None else None

    def check_final_names(self, placed: list[Placed]) -> None:
        """A unit that the list does not touch may have the name already."""
        taken = {
            (unit.parent_id, unit.name)
            for unit in self.units.values()
            if unit.id not in {one.unit_id for one in placed}
        }
        for one in placed:
            is_new_parent = one.parent_place is not None and placed[one.parent_place].unit_id is None
            changes = (one.renames or one.moves) and not is_new_parent
            if changes and (one.parent_id, one.line.name) in taken:
                self.fault(
                    self.lines.index(one.line),
                    UnitField.NAME,
                    Text("a unit of this name is there already"),
                    Text("choose another name, or add a line for that unit"),
                )

    def check_cycles(self, placed: list[Placed]) -> None:
        """Of the units that are there, moved and unmoved together."""
        above = {unit.id: unit.parent_id for unit in self.units.values()}
        above |= {one.unit_id: one.parent_id for one in placed if one.unit_id is not None and one.moves}
        for one in placed:
            if one.unit_id is None or not one.moves:
                continue
            step, steps = above[one.unit_id], 0
            while step is not None and step != one.unit_id and steps <= len(above):
                step, steps = above[step], steps + 1
            if step is not None:
                self._cycle(self.lines.index(one.line))

    def check_aliases(self, placed: list[Placed], standing: dict[str, int]) -> None:
        owners: dict[str, int] = {}
        new_names = {one.unit_id: one.line.name for one in placed if one.renames}
        named = {normalised(new_names.get(unit.id, unit.name)): unit.id for unit in self.units.values()}
        for place, one in enumerate(placed):
            for text in one.line.aliases:
                key = normalised(text)
                other = standing.get(key, named.get(key, one.unit_id))
                if not key or (owners.setdefault(key, place) == place and other == one.unit_id):
                    continue
                self.fault(
                    self.lines.index(one.line),
                    UnitField.ALIASES,
                    Text("the alias is another unit's"),
                    Text("remove it from one of them"),
                )


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
