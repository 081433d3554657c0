"""The organisation as a tree of any depth: which unit a text means, and what a list of units would change.

An import is planned and checked as a whole before a row is written, and shown as changes.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final, Literal

from dialer.core.errors import NotFound
from dialer.core.text import Text

_LEAST_SIMILARITY: Final = 0.22
"""Below this, names have little in common but their ending."""
_MOST_DIGITS: Final = 18
"""Of a unit's number."""


class Similarity:
    """Finds similar names by their characters and pairs of characters; the rarer a character or pair is among the
    names, the more it weighs.
    """

    def __init__(self, names: Mapping[int, Iterable[str]]) -> None:
        """`names`: the spellings of each unit's name, normalised, by the unit's id."""
        self._variants: list[tuple[int, float]] = []
        self._holders: dict[str, list[int]] = {}
        grams = [(unit_id, _grams(name)) for unit_id, several in names.items() for name in set(several)]
        held = Counter(gram for _, own in grams for gram in own)
        self._weights = {gram: math.log(1 + len(grams) / n) for gram, n in held.items()}
        self._unknown_weight = math.log(1 + len(grams))
        for place, (unit_id, own) in enumerate(grams):
            self._variants.append((unit_id, sum(self._weights[gram] for gram in own)))
            for gram in own:
                self._holders.setdefault(gram, []).append(place)

    def near(self, key: str, *, most: int) -> list[int]:
        """The ids of at most `most` units whose names are most similar to this normalised text, best first."""
        wanted = _grams(key)
        whole = sum(self._weights.get(gram, self._unknown_weight) for gram in wanted)
        shared: dict[int, float] = {}
        for gram in wanted:
            for place in self._holders.get(gram, ()):
                shared[place] = shared.get(place, 0.0) + self._weights[gram]
        best: dict[int, float] = {}
        for place, worth in shared.items():
            unit_id, own = self._variants[place]
            best[unit_id] = max(best.get(unit_id, 0.0), 2 * worth / (whole + own))
        ranked = sorted(best.items(), key=lambda scored: (-scored[1], scored[0]))
        return [unit_id for unit_id, similarity in ranked[:most] if similarity >= _LEAST_SIMILARITY]


def _grams(key: str) -> set[str]:
    return set(key) | {key[place : place + 2] for place in range(len(key) - 1)}


SEPARATOR: Final = "/"
"""Between the names of a path, as in 五原县公安局/城关派出所."""
LONGEST_NAME: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A node of the organisation tree."""

    id: int
    name: str
    parent_id: int | None
    level: str
    """The centre's name for this level, such as 市, 县 or 所; no rule depends on it."""
    path: tuple[int, ...]
    """The ids from the root down to this one."""
    active: bool
    """False: closed. It keeps its records and gets no new ones."""


_Kind = Literal["bureau", "station"]

_ENDINGS: Final[tuple[tuple[str, _Kind], ...]] = (
    ("公安派出所", "station"),
    ("派出所", "station"),
    ("公安分局", "bureau"),
    ("公安局", "bureau"),
    ("分局", "bureau"),
)
"""Longest first. Endings of the same kind are interchangeable; a bureau is never a station."""

_SHORT_ENDING: Final = "所"


def normalise_name(text: str) -> str:
    """Letters and digits only, half-width and lower case: what two spellings of one name have in common."""
    return "".join(sign for sign in unicodedata.normalize("NFKC", text).casefold() if sign.isalnum())


def _stem(key: str) -> tuple[str, _Kind | None]:
    for ending, kind in _ENDINGS:
        if key.endswith(ending) and len(key) > len(ending):
            return key.removesuffix(ending), kind
    return key, None


def _bare(key: str) -> str:
    """The name without its ending; '' where there is nothing else."""
    if any(key == ending for ending, _ in _ENDINGS):
        return ""
    return _stem(key)[0].removesuffix(_SHORT_ENDING)


class UnitIndex:
    """Finds units by the text in lists. A text that could mean two units means none: a person decides."""

    def __init__(self, units: Iterable[Unit] = (), aliases: Mapping[str, int] | None = None) -> None:
        """`aliases`: unit ids by the normalised text that people have assigned to them; aliases take precedence over
        names.
        """
        self._units = {unit.id: unit for unit in units}
        self._aliases = dict(aliases or {})
        self._exact: dict[str, set[int]] = {}
        self._stems: dict[tuple[str, _Kind | None], set[int]] = {}
        self._names: dict[str, int] = {}
        self._found: dict[str, Unit | None] = {}
        for unit in self._units.values():
            self._names[unit.name] = self._names.get(unit.name, 0) + 1
            if unit.active:
                self._enter(unit)

    def __len__(self) -> int:
        return len(self._units)

    def __iter__(self) -> Iterator[Unit]:
        return iter(self._units.values())

    def __contains__(self, text: object) -> bool:
        """Whether the text means exactly one active unit."""
        return isinstance(text, str) and self.find(text) is not None

    def __getitem__(self, unit_id: int) -> Unit:
        return self._units[unit_id]

    def get(self, unit_id: int) -> Unit | None:
        return self._units.get(unit_id)

    def find(self, text: str) -> Unit | None:
        """The one active unit that this text can mean; None for none, and for more than one."""
        if text not in self._found:
            meant = self.candidates(text)
            self._found[text] = meant[0] if len(meant) == 1 else None
        return self._found[text]

    def candidates(self, text: str) -> tuple[Unit, ...]:
        """Every active unit that this text could mean; if there are several, a person must choose."""
        return tuple(self._units[unit_id] for unit_id in sorted(self._meant(normalise_name(text))))

    def similar_units(self, text: str, *, most: int = 3) -> tuple[Unit, ...]:
        """At most `most` active units with names similar to this text, best first: suggestions for a person."""
        key = _bare(normalise_name(text))
        return tuple(self._units[unit_id] for unit_id in self._similarity.near(key, most=most))

    def names(self, unit_id: int) -> tuple[str, ...]:
        """The names from the root down."""
        return tuple(self._units[step].name for step in self._units[unit_id].path)

    def label(self, unit_id: int) -> str:
        """The unit's name, with its parent's before it where another unit has the same name."""
        unit = self._units[unit_id]
        if self._names[unit.name] == 1 or unit.parent_id is None:
            return unit.name
        return self._units[unit.parent_id].name + SEPARATOR + unit.name

    def _meant(self, key: str) -> set[int]:
        if not key:
            return set()
        if key in self._aliases:
            unit = self._units.get(self._aliases[key])
            return {unit.id} if unit is not None and unit.active else set()
        found = self._exact.get(key)
        if found is None:
            stem, kind = _stem(key)
            kinds: tuple[_Kind | None, ...] = (kind,) if kind is not None else ("bureau", "station", None)
            found = set().union(*(self._stems.get((stem, kind), set()) for kind in kinds))
        return found

    @cached_property
    def _similarity(self) -> Similarity:
        names: dict[int, list[str]] = {}
        for unit in self._units.values():
            if unit.active:
                own = _bare(normalise_name(unit.name))
                above = _bare(normalise_name(self._units[unit.parent_id].name)) if unit.parent_id else ""
                names[unit.id] = [own, above + own]
        for key, unit_id in self._aliases.items():
            if unit_id in names:
                names[unit_id].append(_bare(key))
        return Similarity(names)

    def _enter(self, unit: Unit) -> None:
        own = normalise_name(unit.name)
        stem, kind = _stem(own)
        for before in self._prefixes(unit):
            self._exact.setdefault(before + own, set()).add(unit.id)
            self._stems.setdefault((before + stem, kind), set()).add(unit.id)

    def _prefixes(self, unit: Unit) -> set[str]:
        """The prefixes that a list may write before the unit's name: none, one unit above it, or all units from one
        above down to it.
        """
        above = [normalise_name(self._units[step].name) for step in unit.path[:-1]]
        found = {""}
        for place, name in enumerate(above):
            found |= {name, _stem(name)[0], "".join(above[place:])}
        return found


def find_unit(index: UnitIndex, text: str) -> Unit:
    """The unit by its number, its name, its path or an alias. Raises `NotFound`."""
    wanted = text.strip()
    is_number = wanted.isascii() and wanted.isdecimal() and len(wanted) <= _MOST_DIGITS
    unit = index.get(int(wanted)) if is_number else index.find(wanted)
    if unit is None:
        steps = tuple(step.strip() for step in wanted.split(SEPARATOR))
        same = [unit for unit in index if index.names(unit.id)[-len(steps) :] == steps]
        unit = same[0] if len(same) == 1 else None
    if unit is None:
        raise NotFound(kind="unit", key=wanted)
    return unit


class UnitField(StrEnum):
    """The columns of a list of units."""

    NAME = "name"
    PARENT = "parent"
    LEVEL = "level"
    ALIASES = "aliases"
    STATE = "state"
    NUMBER = "number"
    """Our own number of the unit, as in an exported list; it stays the same when the unit is renamed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitLine:
    """One line of the list. `parent` is a name, or a path where names repeat; `active` None: the list does not say.
    `unit_id`: our own number of the unit, if the line gives it.
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
    """What is wrong with a line, and how to correct it."""

    line: int
    field: UnitField
    problem: Text
    fix: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedLine:
    """One line with its place in the tree. `parent_place` is the index of the parent in the plan, if the list contains
    it; `parent_id` is the parent's id, if that unit exists already.
    """

    line: UnitLine
    unit_id: int | None
    """None: the unit is new."""
    parent_place: int | None
    parent_id: int | None
    moves: bool
    renames: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPlan:
    """What an import would do. `placed` has every line after its parent's. A plan with faults must not be carried
    out.
    """

    placed: tuple[PlacedLine, ...]
    faults: tuple[UnitFault, ...]
    missing: tuple[int, ...]
    """Active units that the list does not name."""


_Node = tuple[str, int]
"""("line", its index) or ("unit", its id)."""


def plan_units(
    lines: Sequence[UnitLine], units: Iterable[Unit], aliases: Mapping[str, int] | None = None
) -> UnitPlan:
    """Plans the import of `lines` into the existing `units` and `aliases` (normalised text to unit id)."""
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
    named = {entry.unit_id for entry in placed}
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
        self.of_name: defaultdict[str, list[int]] = defaultdict(list)
        self.numbered = {line.unit_id for line in lines if line.unit_id is not None}
        for index, line in enumerate(lines):
            self.of_name[line.name].append(index)

    def fault(self, index: int, field: UnitField, problem: Text, fix: Text) -> None:
        self.faults.append(UnitFault(line=self.lines[index].line, field=field, problem=problem, fix=fix))

    def check_names(self) -> None:
        for index, line in enumerate(self.lines):
            if not normalise_name(line.name):
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
        """The parent that this text means; None for no text and after a fault. Lines of the list take precedence over
        existing units.
        """
        if not text:
            return None
        steps = [step.strip() for step in text.split(SEPARATOR)]
        found: list[_Node] = [
            ("line", place) for place in self.of_name.get(steps[-1], ()) if self._is_below(place, steps[:-1])
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
                Text("correct the name, or add a line for the parent"),
            )
        return None

    def _is_below(self, index: int, above: list[str]) -> bool:
        """Whether the line's own parents, as far as they are written, end with these names."""
        written = [step.strip() for step in self.lines[index].parent.split(SEPARATOR)]
        return all(line == other for line, other in zip(reversed(written), reversed(above), strict=False))

    def _path_ends(self, unit: Unit, steps: list[str]) -> bool:
        names = [self.units[step].name for step in unit.path]
        return names[-len(steps) :] == steps

    def in_order(self, parents: list[_Node | None]) -> list[int]:
        """The indices of the lines, each after its parent's. A line that is below itself is a fault."""
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
            Text("correct the parent in one of the lines of this circle"),
        )

    def place(self, order: list[int], parents: list[_Node | None]) -> list[PlacedLine]:
        unnumbered = [unit for unit in self.units.values() if unit.id not in self.numbered]
        children = {(unit.parent_id, unit.name): unit for unit in unnumbered}
        of_name = Counter(unit.name for unit in unnumbered)
        named = {unit.name: unit for unit in unnumbered}
        twice = Counter(line.name for line in self.lines if line.unit_id is None)
        places: dict[int, int] = {}
        taken: dict[tuple[_Node | None, str], int] = {}
        placed: list[PlacedLine] = []
        for index in order:
            line, above = self.lines[index], parents[index]
            parent_place = places[above[1]] if above is not None and above[0] == "line" else None
            if parent_place is not None:
                above_id = placed[parent_place].unit_id
            else:
                above_id = above[1] if above is not None else None
            is_new_parent = parent_place is not None and above_id is None
            where: _Node | None = ("unit", above_id) if above_id is not None else above
            earlier = taken.setdefault((where, line.name), index)
            if earlier != index:
                self.fault(
                    index,
                    UnitField.NAME,
                    Text("the same unit as line %(line)s", line=self.lines[earlier].line),
                    Text("remove one of them"),
                )
            here = self.units.get(line.unit_id) if line.unit_id is not None else None
            if here is None and not is_new_parent:
                here = children.get((above_id, line.name))
            if here is None and twice[line.name] == 1 and of_name[line.name] == 1:
                here = named[line.name]
            places[index] = len(placed)
            placed.append(
                PlacedLine(
                    line=line,
                    unit_id=here.id if here is not None else None,
                    parent_place=parent_place,
                    parent_id=above_id,
                    moves=here is not None and (is_new_parent or here.parent_id != above_id),
                    renames=here is not None and here.name != line.name,
                )
            )
        return placed

    def check_final_names(self, placed: list[PlacedLine]) -> None:
        """Adds a fault where a unit that the list does not touch has the new name already."""
        taken = {
            (unit.parent_id, unit.name)
            for unit in self.units.values()
            if unit.id not in {entry.unit_id for entry in placed}
        }
        for entry in placed:
            is_new_parent = entry.parent_place is not None and placed[entry.parent_place].unit_id is None
            changes = (entry.renames or entry.moves) and not is_new_parent
            if changes and (entry.parent_id, entry.line.name) in taken:
                self.fault(
                    self.lines.index(entry.line),
                    UnitField.NAME,
                    Text("a unit of this name is there already"),
                    Text("choose another name, or add a line for that unit"),
                )

    def check_cycles(self, placed: list[PlacedLine]) -> None:
        """Adds a fault for each cycle that the moves would make among the existing units."""
        above = {unit.id: unit.parent_id for unit in self.units.values()}
        above |= {
            entry.unit_id: entry.parent_id for entry in placed if entry.unit_id is not None and entry.moves
        }
        for entry in placed:
            if entry.unit_id is None or not entry.moves:
                continue
            step, steps = above[entry.unit_id], 0
            while step is not None and step != entry.unit_id and steps <= len(above):
                step, steps = above[step], steps + 1
            if step is not None:
                self._cycle(self.lines.index(entry.line))

    def check_aliases(self, placed: list[PlacedLine], existing: dict[str, int]) -> None:
        owners: dict[str, int] = {}
        new_names = {entry.unit_id: entry.line.name for entry in placed if entry.renames}
        named = {normalise_name(new_names.get(unit.id, unit.name)): unit.id for unit in self.units.values()}
        for place, entry in enumerate(placed):
            for text in entry.line.aliases:
                key = normalise_name(text)
                other = existing.get(key, named.get(key, entry.unit_id))
                if not key or (owners.setdefault(key, place) == place and other == entry.unit_id):
                    continue
                self.fault(
                    self.lines.index(entry.line),
                    UnitField.ALIASES,
                    Text("the alias is another unit's"),
                    Text("remove it from one of them"),
                )


class UnitChangeKind(StrEnum):
    """What an import changes in a unit."""

    ADDED = "added"
    MOVED = "moved"
    RENAMED = "renamed"
    CLOSED = "closed"
    OPENED = "opened"
    LEVEL = "level"
    ALIAS = "alias"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitChange:
    """One change to a unit. `line` is 0 for a unit that is missing from the list."""

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
    """The changes that the plan makes, by kind and then in the order of the list. `units` and `aliases` are the
    existing ones.
    """
    known = {unit.id: unit for unit in units}
    found: list[UnitChange] = []
    for place, placed in enumerate(plan.placed):
        found.extend(_of_line(plan, place, placed, known, aliases))
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
    plan: UnitPlan, place: int, placed: PlacedLine, known: Mapping[int, Unit], aliases: Mapping[str, int]
) -> Iterable[UnitChange]:
    line, unit = placed.line, known.get(placed.unit_id) if placed.unit_id is not None else None

    def change(kind: UnitChangeKind, before: str, after: str) -> UnitChange:
        return UnitChange(
            kind=kind, line=line.line, unit_id=placed.unit_id, name=line.name, before=before, after=after
        )

    where = _planned(plan, place, known)
    if unit is None:
        yield change(UnitChangeKind.ADDED, "", where)
        if line.active is False:
            yield change(UnitChangeKind.CLOSED, where, "")
    else:
        if placed.renames:
            yield change(UnitChangeKind.RENAMED, unit.name, line.name)
        if placed.moves:
            yield change(UnitChangeKind.MOVED, _path(known, unit.parent_id), where)
        if line.active is not None and line.active is not unit.active:
            kind = UnitChangeKind.OPENED if line.active else UnitChangeKind.CLOSED
            yield change(kind, _path(known, unit.parent_id), "")
        if line.level not in {"", unit.level}:
            yield change(UnitChangeKind.LEVEL, unit.level, line.level)
    for text in line.aliases:
        if normalise_name(text) not in aliases:
            yield change(UnitChangeKind.ALIAS, "", text)


def _planned(plan: UnitPlan, place: int, known: Mapping[int, Unit]) -> str:
    """The path of the line's unit after the import, without its own name."""
    names: list[str] = []
    unit = plan.placed[place]
    while unit.parent_place is not None:
        unit = plan.placed[unit.parent_place]
        names.append(unit.line.name)
    above = _path(known, unit.parent_id)
    return SEPARATOR.join(([above] if above else []) + names[::-1])


def _path(known: Mapping[int, Unit], unit_id: int | None) -> str:
    return SEPARATOR.join(known[step].name for step in known[unit_id].path) if unit_id is not None else ""
