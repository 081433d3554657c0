"""The organisation as its people see it: the tree with what waits in each unit, one unit with its clocks and work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from dialer.core.errors import NotFound
from dialer.core.policy import GradePolicy
from dialer.core.units import SEPARATOR, Unit, UnitIndex, normalised
from dialer.core.values import Grade
from dialer.db.unit_of_work import Tx
from dialer.org.staff_store import Member, all_members
from dialer.org.unit_store import (
    UnitAlias,
    aliases_of_unit,
    count_cases_without_unit,
    open_counts_of_units,
    subtree_ids,
)
from dialer.services import Services
from dialer.units.queries import (
    EscalatedWork,
    Moving,
    Waiting,
    Work,
    WorkCounts,
    count_transfers_moving,
    count_unit_work,
    escalated_work,
    transfers_moving,
    work_of_unit,
)
from dialer.work.assignments import Assignment, get_assignment

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
    aliases: tuple[UnitAlias, ...]
    staff: tuple[Member, ...]
    """Of the unit itself; those of the units below are in their counts."""
    clocks: Mapping[Grade, GradePolicy]
    which: Waiting
    work: tuple[Work, ...]
    coming: tuple[Moving, ...]
    leaving: tuple[Moving, ...]
    risen: tuple[EscalatedWork, ...]
    risen_days: int
    index: UnitIndex


def show_tree(services: Services, *, visible_to: int | None, text: str = "") -> UnitTree:
    """The reader's own unit and all below; with `text` only units that are called like it, and those above them."""
    with services.store.begin() as tx:
        index = services.units.current(tx)
        roots = _nodes(tx, services, index, visible_to)
    total = sum(1 + root.units for root in roots)
    wanted = normalised(text)
    if wanted:
        roots = tuple(kept for root in roots if (kept := _matching(root, wanted)) is not None)
    return UnitTree(roots=roots, units=total)


def count_queues(services: Services, *, visible_to: int | None) -> Queues:
    """What waits for somebody who sorts."""
    with services.store.begin() as tx:
        return Queues(
            unsorted=count_cases_without_unit(tx) if visible_to is None else 0,
            transfers=count_transfers_moving(tx, into=visible_to),
        )


def show_unit(
    services: Services, unit_id: int, *, visible_to: int | None, which: Waiting = Waiting.ALL
) -> UnitPage:
    """Raises `NotFound`, also for a unit that the reader does not see."""
    with services.store.begin() as tx:
        index = services.units.current(tx)
        unit = index.get(unit_id)
        if unit is None or (visible_to is not None and visible_to not in unit.path):
            raise NotFound(kind="unit", key=unit_id)
        (node,) = _nodes(tx, services, index, unit_id)
        now = services.clock.now()
        seen = unit.path[unit.path.index(visible_to) :] if visible_to is not None else unit.path
        return UnitPage(
            node=node,
            above=tuple(index[step] for step in seen[:-1]),
            aliases=tuple(aliases_of_unit(tx, unit_id)),
            staff=tuple(
                one
                for one in all_members(tx, visible_to=unit_id)
                if one.unit_id == unit_id and one.disabled_at is None
            ),
            clocks=services.policies.newest.grades,
            which=which,
            work=tuple(work_of_unit(tx, unit_id, which=which, now=now)),
            coming=tuple(transfers_moving(tx, into=unit_id)),
            leaving=tuple(transfers_moving(tx, out_of=unit_id)),
            risen=tuple(
                escalated_work(tx, subtree_ids(tx, unit_id), since=now - timedelta(days=_RISEN_DAYS))
            ),
            risen_days=_RISEN_DAYS,
            index=index,
        )


def show_transfers(
    services: Services, *, visible_to: int | None
) -> tuple[tuple[Moving, ...], tuple[Moving, ...], UnitIndex]:
    """What asks to come into the reader's units, what asks to leave them, and the units."""
    with services.store.begin() as tx:
        coming = tuple(transfers_moving(tx, into=visible_to))
        leaving = tuple(transfers_moving(tx, out_of=visible_to)) if visible_to is not None else ()
        return coming, leaving, services.units.current(tx)


def show_work(
    services: Services, assignment_id: int, *, visible_to: int | None
) -> tuple[Assignment, UnitIndex]:
    """One human call or visit, and the units it may go to. Raises `NotFound`, also for another unit's."""
    with services.store.begin() as tx:
        found = get_assignment(tx, assignment_id)
        index = services.units.current(tx)
    unit = index.get(found.unit_id) if found.unit_id is not None else None
    if visible_to is not None and (unit is None or visible_to not in unit.path):
        raise NotFound(kind="assignment", key=assignment_id)
    return found, index


def _nodes(tx: Tx, services: Services, index: UnitIndex, top: int | None) -> tuple[UnitNode, ...]:
    """The unit with all below; every root for None. Units keep the order in which they were made."""
    cases, work = open_counts_of_units(tx), count_unit_work(tx, now=services.clock.now())
    people = Counter(
        one.unit_id for one in all_members(tx, visible_to=top) if one.disabled_at is None and one.unit_id
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


def unit_rows(services: Services, *, visible_to: int | None) -> list[UnitRow]:
    """The tree as an import reads it, each unit after its parent, with its whole path before it."""
    with services.store.begin() as tx:
        index = services.units.current(tx)
        texts: dict[int, list[str]] = {}
        for alias in aliases_of_unit(tx):
            texts.setdefault(alias.unit_id, []).append(alias.text)
    seen = [unit for unit in index if visible_to is None or visible_to in unit.path]
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
