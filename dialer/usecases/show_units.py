"""The organisation as its people see it: the tree with what waits in each unit, one unit with its clocks and work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from dialer.domain.policy import GradePolicy
from dialer.domain.units import SEPARATOR, Unit, UnitIndex, normalised
from dialer.domain.values import Grade
from dialer.errors import NotFound
from dialer.store import assignments, open_counts, staff, units
from dialer.store.assignments import Assignment
from dialer.store.reads import unit_work
from dialer.store.reads.unit_work import Moving, Risen, Waiting, Work, WorkCounts
from dialer.store.staff import Member
from dialer.store.unit_of_work import Tx
from dialer.store.units import Alias
from dialer.usecases.engine import Engine

_RISEN_DAYS = 7


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
    """All units below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitTree:
    roots: tuple[UnitNode, ...]
    units: int
    """All that the reader sees, whatever was looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queues:
    unsorted: int
    """Open cases without a unit; none for whoever does not see them."""
    transfers: int
    """That ask to come into a unit of the reader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPage:
    node: UnitNode
    above: tuple[Unit, ...]
    """From the highest that the reader sees down to its parent."""
    aliases: tuple[Alias, ...]
    staff: tuple[Member, ...]
    """Of the unit itself; those of the units below are in their counts."""
    clocks: Mapping[Grade, GradePolicy]
    which: Waiting
    work: tuple[Work, ...]
    coming: tuple[Moving, ...]
    leaving: tuple[Moving, ...]
    risen: tuple[Risen, ...]
    risen_days: int
    index: UnitIndex


def show_tree(engine: Engine, *, seen_by: int | None, text: str = "") -> UnitTree:
    """The reader's own unit and all below; with `text` only units that are called like it, and those above them."""
    with engine.store.begin() as tx:
        index = engine.units.current(tx)
        roots = _nodes(tx, engine, index, seen_by)
    total = sum(1 + root.units for root in roots)
    wanted = normalised(text)
    if wanted:
        roots = tuple(kept for root in roots if (kept := _matching(root, wanted)) is not None)
    return UnitTree(roots=roots, units=total)


def count_queues(engine: Engine, *, seen_by: int | None) -> Queues:
    """What waits for somebody who sorts."""
    with engine.store.begin() as tx:
        return Queues(
            unsorted=open_counts.waiting(tx) if seen_by is None else 0,
            transfers=unit_work.count_moving(tx, into=seen_by),
        )


def show_unit(engine: Engine, unit_id: int, *, seen_by: int | None, which: Waiting = Waiting.ALL) -> UnitPage:
    """Raises `NotFound`, also for a unit that the reader does not see."""
    with engine.store.begin() as tx:
        index = engine.units.current(tx)
        unit = index.get(unit_id)
        if unit is None or (seen_by is not None and seen_by not in unit.path):
            raise NotFound(kind="unit", key=unit_id)
        (node,) = _nodes(tx, engine, index, unit_id)
        now = engine.clock.now()
        seen = unit.path[unit.path.index(seen_by) :] if seen_by is not None else unit.path
        return UnitPage(
            node=node,
            above=tuple(index[step] for step in seen[:-1]),
            aliases=tuple(units.aliases(tx, unit_id)),
            staff=tuple(
                one
                for one in staff.every(tx, seen_by=unit_id)
                if one.unit_id == unit_id and one.disabled_at is None
            ),
            clocks=engine.policies.newest.grades,
            which=which,
            work=tuple(unit_work.work_of(tx, unit_id, which=which, now=now)),
            coming=tuple(unit_work.moving(tx, into=unit_id)),
            leaving=tuple(unit_work.moving(tx, out_of=unit_id)),
            risen=tuple(
                unit_work.risen(tx, units.subtree_ids(tx, unit_id), since=now - timedelta(days=_RISEN_DAYS))
            ),
            risen_days=_RISEN_DAYS,
            index=index,
        )


def show_transfers(
    engine: Engine, *, seen_by: int | None
) -> tuple[tuple[Moving, ...], tuple[Moving, ...], UnitIndex]:
    """What asks to come into the reader's units, what asks to leave them, and the units."""
    with engine.store.begin() as tx:
        coming = tuple(unit_work.moving(tx, into=seen_by))
        leaving = tuple(unit_work.moving(tx, out_of=seen_by)) if seen_by is not None else ()
        return coming, leaving, engine.units.current(tx)


def show_work(engine: Engine, assignment_id: int, *, seen_by: int | None) -> tuple[Assignment, UnitIndex]:
    """One human call or visit, and the units it may go to. Raises `NotFound`, also for another unit's."""
    with engine.store.begin() as tx:
        found = assignments.get(tx, assignment_id)
        index = engine.units.current(tx)
    unit = index.get(found.unit_id) if found.unit_id is not None else None
    if seen_by is not None and (unit is None or seen_by not in unit.path):
        raise NotFound(kind="assignment", key=assignment_id)
    return found, index


def _nodes(tx: Tx, engine: Engine, index: UnitIndex, top: int | None) -> tuple[UnitNode, ...]:
    """The unit with all below; every root for None. Units keep the order in which they were made."""
    cases, work = open_counts.of_units(tx), unit_work.work_counts(tx, now=engine.clock.now())
    people = Counter(
        one.unit_id for one in staff.every(tx, seen_by=top) if one.disabled_at is None and one.unit_id
    )
    below: dict[int | None, list[Unit]] = {}
    for unit in index:
        below.setdefault(unit.parent_id, []).append(unit)

    def node(unit: Unit) -> UnitNode:
        children = tuple(node(one) for one in below.get(unit.id, ()))
        own = cases.get(unit.id, {})
        return UnitNode(
            unit=unit,
            open=sum(own.values()) + sum(one.open for one in children),
            open_high=sum(n for grade, n in own.items() if grade.is_high)
            + sum(one.open_high for one in children),
            work=_total((work.get(unit.id, WorkCounts()), *(one.work for one in children))),
            staff=people[unit.id] + sum(one.staff for one in children),
            below=children,
            units=len(children) + sum(one.units for one in children),
        )

    roots = [index[top]] if top is not None else below.get(None, [])
    return tuple(node(root) for root in roots)


def _total(counts: Iterable[WorkCounts]) -> WorkCounts:
    total = WorkCounts()
    for one in counts:
        total += one
    return total


def _matching(node: UnitNode, wanted: str) -> UnitNode | None:
    """With everything below where it is called so itself."""
    if wanted in normalised(node.unit.name):
        return node
    kept = tuple(found for one in node.below if (found := _matching(one, wanted)) is not None)
    if not kept:
        return None
    return UnitNode(
        unit=node.unit,
        open=node.open,
        open_high=node.open_high,
        work=node.work,
        staff=node.staff,
        below=kept,
        units=node.units,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRow:
    """One line of the list that an import takes back in."""

    id: int
    name: str
    parent: str
    level: str
    aliases: tuple[str, ...]
    active: bool


def unit_rows(engine: Engine, *, seen_by: int | None) -> list[UnitRow]:
    """The tree as an import reads it, each unit after its parent, with its whole path before it."""
    with engine.store.begin() as tx:
        index = engine.units.current(tx)
        texts: dict[int, list[str]] = {}
        for alias in units.aliases(tx):
            texts.setdefault(alias.unit_id, []).append(alias.text)
    seen = [unit for unit in index if seen_by is None or seen_by in unit.path]
    return [
        UnitRow(
            id=unit.id,
            name=unit.name,
            parent=SEPARATOR.join(index.names(unit.id)[:-1]),
            level=unit.level,
            aliases=tuple(texts.get(unit.id, ())),
            active=unit.active,
        )
        for unit in sorted(seen, key=lambda unit: unit.path)
    ]
