"""The organisation tree with what waits in each unit, one unit with its clocks and work, and the tree as a list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
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
    Waiting,
    WorkCounts,
    count_unit_work,
    escalated_work,
    work_of_unit,
)
from dialer.work.assignments import Assignment, get_assignment
from dialer.work.transfer_store import Transfer, count_waiting_transfers, waiting_transfers

_ESCALATED_DAYS = 7


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
    """All that the reader sees, also those that do not match the search."""


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
    work: tuple[tuple[Assignment, bool], ...]
    """True: a transfer to another unit waits for an answer."""
    coming: tuple[Transfer, ...]
    leaving: tuple[Transfer, ...]
    escalated: tuple[EscalatedWork, ...]
    escalated_days: int
    index: UnitIndex


def show_tree(services: Services, *, visible_to: int | None, text: str = "") -> UnitTree:
    """The reader's unit and all below; with `text` only units whose names match, and those above them."""
    with services.store.begin() as tx:
        index = services.units.current(tx)
        roots = _nodes(tx, services, index, visible_to)
    total = sum(1 + root.units for root in roots)
    wanted = normalised(text)
    if wanted:
        roots = tuple(kept for root in roots if (kept := _matching(root, wanted)) is not None)
    return UnitTree(roots=roots, units=total)


def count_queues(services: Services, *, visible_to: int | None) -> tuple[int, int]:
    """Open cases without a unit (0 for a reader who sees one unit alone), and transfers into the reader's units."""
    with services.store.begin() as tx:
        unassigned = count_cases_without_unit(tx) if visible_to is None else 0
        return unassigned, count_waiting_transfers(tx, into=visible_to)


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
            coming=tuple(waiting_transfers(tx, into=unit_id, limit=50)),
            leaving=tuple(waiting_transfers(tx, out_of=unit_id, limit=50)),
            escalated=tuple(
                escalated_work(tx, subtree_ids(tx, unit_id), since=now - timedelta(days=_ESCALATED_DAYS))
            ),
            escalated_days=_ESCALATED_DAYS,
            index=index,
        )


def show_transfers(
    services: Services, *, visible_to: int | None
) -> tuple[tuple[Transfer, ...], tuple[Transfer, ...], UnitIndex]:
    """Transfers into the reader's units and out of them, and the units."""
    with services.store.begin() as tx:
        coming = tuple(waiting_transfers(tx, into=visible_to, limit=50))
        leaving = tuple(waiting_transfers(tx, out_of=visible_to, limit=50)) if visible_to is not None else ()
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
            work=sum((one.work for one in children), start=work.get(unit.id, WorkCounts())),
            staff=people[unit.id] + sum(one.staff for one in children),
            below=children,
            units=len(children) + sum(one.units for one in children),
        )

    roots = [index[top]] if top is not None else below.get(None, [])
    return tuple(node(root) for root in roots)


def _matching(node: UnitNode, wanted: str) -> UnitNode | None:
    """The node without what does not match; everything below a unit whose own name matches stays."""
    if wanted in normalised(node.unit.name):
        return node
    kept = tuple(found for one in node.below if (found := _matching(one, wanted)) is not None)
    if not kept:
        return None
    return replace(node, below=kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRow:
    """One line of the list that an import reads."""

    id: int
    name: str
    parent: str
    level: str
    aliases: tuple[str, ...]
    active: bool


def unit_rows(services: Services, *, visible_to: int | None) -> list[UnitRow]:
    """The tree as an import reads it, each unit after its parent; `parent` is the whole path."""
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
