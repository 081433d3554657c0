"""The organisation tree with what waits in each unit, and its import from a spreadsheet.

An import is all or nothing; the same list again changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import BinaryIO

from dialer.cases.unassigned import assign_known_texts
from dialer.core.access import Actor, Permission
from dialer.core.errors import Conflict, NotFound, Refusal
from dialer.core.text import Text
from dialer.core.units import (
    PlacedLine,
    Unit,
    UnitChange,
    UnitChangeKind,
    UnitFault,
    UnitField,
    UnitIndex,
    UnitPlan,
    changes_of,
    find_unit,
    normalise_name,
    plan_units,
)
from dialer.db.acts import OpenAct
from dialer.db.unit_of_work import Tx
from dialer.db.units import (
    add_unit,
    change_unit,
    count_cases_without_unit,
    is_unit_visible,
    keep_boundaries,
    list_unit_aliases,
    list_units_of_tree,
    move_unit,
    open_counts_of_units,
    teach_unit_alias,
    units_revision,
)
from dialer.intake.headings import KnownList
from dialer.intake.unit_lists import UnitSheet, read_units
from dialer.org.queries import WorkCounts, count_unit_work
from dialer.runtime.services import Services
from dialer.runtime.uploads import boundary_areas, known_tables
from dialer.staff.store import all_members
from dialer.warnings.warning_store import lock_arrivals
from dialer.work.assignments import Assignment, get_assignment
from dialer.work.transfer_store import count_waiting_transfers


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitNode:
    """A unit with all below it; every count is of both."""

    unit: Unit
    open: int
    open_high: int
    """Of high and extra-high grade."""
    work: WorkCounts
    staff: int
    below: tuple[UnitNode, ...]
    units: int
    """How many units are below it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitTree:
    """The tree as a reader sees it."""

    roots: tuple[UnitNode, ...]
    units: int
    """How many units the reader sees, including those that do not match the search."""


def show_tree(services: Services, *, visible_to: int | None, text: str = "") -> UnitTree:
    """The reader's unit and all below; with `text` only units whose names match it, and those above them."""
    with services.store.begin() as tx:
        index = services.units.current(tx)
        roots = unit_nodes(tx, services, index, visible_to)
    total = sum(1 + root.units for root in roots)
    wanted = normalise_name(text)
    if wanted:
        roots = tuple(kept for root in roots if (kept := _matching(root, wanted)) is not None)
    return UnitTree(roots=roots, units=total)


def count_queues(services: Services, *, visible_to: int | None) -> tuple[int, int]:
    """Open cases without a unit (0 for a reader who sees one unit alone), and transfers into the reader's units."""
    with services.store.begin() as tx:
        unassigned = count_cases_without_unit(tx) if visible_to is None else 0
        return unassigned, count_waiting_transfers(tx, into=visible_to)


def visible_unit(index: UnitIndex, unit_id: int, visible_to: int | None) -> Unit:
    """The unit. Raises `NotFound`, also for a unit that the reader does not see."""
    unit = index.get(unit_id)
    if unit is None or (visible_to is not None and visible_to not in unit.path):
        raise NotFound(kind="unit", key=unit_id)
    return unit


def show_work(
    services: Services, assignment_id: int, *, visible_to: int | None
) -> tuple[Assignment, UnitIndex]:
    """One human call or visit, and the units it may go to. Raises `NotFound`, also for work of another unit."""
    with services.store.begin() as tx:
        found = get_assignment(tx, assignment_id)
        if not is_unit_visible(tx, found.unit_id, visible_to):
            raise NotFound(kind="assignment", key=assignment_id)
        return found, services.units.current(tx)


def unit_nodes(tx: Tx, services: Services, index: UnitIndex, top: int | None) -> tuple[UnitNode, ...]:
    """The unit with all below; with None every root. Units keep the order in which they were created."""
    cases, work = open_counts_of_units(tx), count_unit_work(tx, now=services.clock.now())
    people = Counter(
        member.unit_id
        for member in all_members(tx, visible_to=top)
        if member.disabled_at is None and member.unit_id
    )
    below: dict[int | None, list[Unit]] = {}
    for unit in index:
        below.setdefault(unit.parent_id, []).append(unit)

    def node(unit: Unit) -> UnitNode:
        children = tuple(node(child) for child in below.get(unit.id, ()))
        own = cases.get(unit.id, {})
        return UnitNode(
            unit=unit,
            open=sum(own.values()) + sum(child.open for child in children),
            open_high=sum(n for grade, n in own.items() if grade.is_high)
            + sum(child.open_high for child in children),
            work=sum((child.work for child in children), start=work.get(unit.id, WorkCounts())),
            staff=people[unit.id] + sum(child.staff for child in children),
            below=children,
            units=len(children) + sum(child.units for child in children),
        )

    roots = [index[top]] if top is not None else below.get(None, [])
    return tuple(node(root) for root in roots)


def _matching(node: UnitNode, wanted: str) -> UnitNode | None:
    """The node without what does not match; everything below a unit whose own name matches stays."""
    if wanted in normalise_name(node.unit.name):
        return node
    kept = tuple(found for child in node.below if (found := _matching(child, wanted)) is not None)
    if not kept:
        return None
    return replace(node, below=kept)


class UnusableUnits(Refusal):
    """The list was refused as a whole; `faults` names every line to correct, `columns` the heading of each field."""

    def __init__(self, faults: tuple[UnitFault, ...], headings: dict[UnitField, str]) -> None:
        self.faults = faults
        self.columns = tuple(headings.get(fault.field, fault.field.value) for fault in faults)
        first = Text(
            "line %(line)s, column %(column)s: %(problem)s; %(fix)s",
            line=faults[0].line,
            column=self.columns[0],
            problem=faults[0].problem,
            fix=faults[0].fix,
        )
        text = Text("no unit was imported. %(first)s", first=first)
        if len(faults) > 1:
            text = Text("no unit was imported. %(first)s; and %(n)s more", first=first, n=len(faults) - 1)
        super().__init__(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What importing a file of units has changed, as numbers of units."""

    new: int
    moved: int
    renamed: int
    changed: int
    """Levels and states."""
    closed: int
    """Units closed by `close_missing`."""
    aliases: int
    unchanged: int
    placed: int
    """Cases that waited for a unit and now have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What importing the list would do to the tree of this `revision`."""

    lines: int
    changes: tuple[UnitChange, ...]
    unchanged: int
    missing: int
    """Open units that the list does not name."""
    open_cases: Mapping[int, int]
    """Of the units that would be closed, by unit id."""
    revision: str


def preview_units(services: Services, content: BinaryIO, *, close_missing: bool = False) -> Preview:
    """What importing the list would do; nothing is written. Raises as `import_units` does."""
    sheet = _sheet_of(content)
    with services.store.begin() as tx:
        before, aliases, revision = list_units_of_tree(tx), _known_aliases(tx), units_revision(tx)
        cases = open_counts_of_units(tx)
    plan = _planned(sheet, before, aliases)
    changes = changes_of(plan, before, aliases, close_missing=close_missing)
    touched = {change.line for change in changes}
    return Preview(
        lines=len(sheet.lines),
        changes=changes,
        unchanged=sum(line.line not in touched for line in sheet.lines),
        missing=len(plan.missing),
        open_cases={
            change.unit_id: sum(cases[change.unit_id].values())
            for change in changes
            if change.kind is UnitChangeKind.CLOSED and change.unit_id in cases
        },
        revision=revision,
    )


def import_units(
    services: Services,
    actor: Actor,
    content: BinaryIO,
    *,
    close_missing: bool = False,
    revision: str | None = None,
) -> Imported:
    """Makes the tree as in the list. A unit is never deleted: one that is not in the list stays, or is closed with
    `close_missing`. Raises `UnusableFile`, `UnusableUnits`, and `Conflict` where the tree is not at the previewed
    `revision`.
    """
    sheet = _sheet_of(content)
    with services.act(actor, Permission.MANAGE_UNITS) as act:
        # No list is assigned to units of the old tree while the new one is written.
        lock_arrivals(act.tx)
        if revision is not None and revision != units_revision(act.tx):
            raise Conflict("the units were changed meanwhile: look again at what the list would do")
        done = _import(act, services, sheet, close_missing=close_missing)
        act.audit("import_units", "unit", facts=asdict(done))
    return done


def _sheet_of(content: BinaryIO) -> UnitSheet:
    with closing(known_tables(content, KnownList.UNITS)) as tables:
        return read_units(tables)


def _known_aliases(tx: Tx) -> dict[str, int]:
    return {alias.key: alias.unit_id for alias in list_unit_aliases(tx)}


def _planned(sheet: UnitSheet, before: list[Unit], aliases: dict[str, int]) -> UnitPlan:
    plan = plan_units(sheet.lines, before, aliases)
    faults = (*plan.faults, *sheet.faults)
    if faults:
        raise UnusableUnits(tuple(sorted(faults, key=lambda fault: fault.line)), sheet.headings)
    return plan


def _import(act: OpenAct, services: Services, sheet: UnitSheet, *, close_missing: bool) -> Imported:
    tx, by, now = act.tx, act.by, act.now
    before = list_units_of_tree(tx)
    plan = _planned(sheet, before, _known_aliases(tx))
    known = {unit.id: unit for unit in before}
    # Two units may swap names or places: all get a neutral name first.
    for placed in plan.placed:
        if placed.unit_id is not None and (placed.moves or placed.renames):
            change_unit(tx, placed.unit_id, name=f"#{placed.unit_id}")
    ids: list[int] = []
    counts = {"new": 0, "moved": 0, "renamed": 0, "changed": 0, "unchanged": 0}
    for placed in plan.placed:
        parent_id = ids[placed.parent_place] if placed.parent_place is not None else placed.parent_id
        ids.append(_write(tx, placed, known, parent_id=parent_id, counts=counts))
    taught = sum(
        teach_unit_alias(tx, text, unit_id=unit_id, by=by, now=now)
        for placed, unit_id in zip(plan.placed, ids, strict=True)
        for text in placed.line.aliases
    )
    if close_missing:
        for unit_id in plan.missing:
            change_unit(tx, unit_id, active=False)
    for placed in plan.placed:
        if placed.unit_id is not None and placed.renames:
            taught += _keep_old_name(act, services, known[placed.unit_id])
    return Imported(
        **counts,
        closed=len(plan.missing) if close_missing else 0,
        aliases=taught,
        placed=assign_known_texts(tx, services.units.current(tx), by=by, now=now),
    )


def _keep_old_name(act: OpenAct, services: Services, unit: Unit) -> bool:
    """Makes the old name an alias of the unit, as later lists may use it, unless it could mean another unit."""
    if services.units.current(act.tx).candidates(unit.name):
        return False
    return teach_unit_alias(act.tx, unit.name, unit_id=unit.id, by=act.by, now=act.now)


def _write(
    tx: Tx, placed: PlacedLine, known: dict[int, Unit], *, parent_id: int | None, counts: dict[str, int]
) -> int:
    line = placed.line
    if placed.unit_id is None:
        counts["new"] += 1
        unit_id = add_unit(tx, name=line.name, parent_id=parent_id, level=line.level)
        if line.active is False:
            change_unit(tx, unit_id, active=False)
        return unit_id
    unit = known[placed.unit_id]
    if placed.moves:
        move_unit(tx, unit.id, parent_id=parent_id)
    name = line.name if placed.moves or placed.renames else None
    level = line.level if line.level not in {"", unit.level} else None
    active = line.active if line.active not in {None, unit.active} else None
    change_unit(tx, unit.id, name=name, level=level, active=active)
    changed = level is not None or active is not None
    kind = "moved" if placed.moves else "renamed" if placed.renames else "changed" if changed else "unchanged"
    counts[kind] += 1
    return unit.id


def read_units_and_aliases(services: Services) -> tuple[UnitIndex, dict[int, list[str]]]:
    """The whole tree, and the texts of the aliases of each unit that has any."""
    texts: dict[int, list[str]] = {}
    with services.store.begin() as tx:
        for alias in list_unit_aliases(tx):
            texts.setdefault(alias.unit_id, []).append(alias.text)
        return services.units.current(tx), texts


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundariesLoad:
    """The result of loading a file: how many units now have a boundary, and names of areas that mean no unit."""

    loaded: int
    unknown: tuple[str, ...]


def load_boundaries(services: Services, actor: Actor, content: BinaryIO) -> BoundariesLoad:
    """Makes each area the boundary of the unit that its name means; two areas of one unit both belong to it. A unit's
    earlier boundary is replaced. Raises `UnusableFile`.
    """
    areas = boundary_areas(content)
    with services.act(actor, Permission.MANAGE_UNITS) as act:
        index = UnitIndex(list_units_of_tree(act.tx))
        rings: dict[int, list[list[list[float]]]] = {}
        unknown = []
        for area in areas:
            try:
                unit = find_unit(index, area.name)
            except (NotFound, Refusal):
                unknown.append(area.name)
                continue
            rings.setdefault(unit.id, []).extend(area.rings)
        keep_boundaries(act.tx, rings, by=act.by, now=act.now)
        facts = {"units": len(rings), "unknown": len(unknown)}
        act.audit("load_boundaries", "unit", facts=facts)
    return BoundariesLoad(loaded=len(rings), unknown=tuple(unknown))
