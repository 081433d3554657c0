"""Units as one chooses them on a page: from a list, or by typing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from dialer.domain.units import SEPARATOR, Unit, UnitIndex
from dialer.errors import Invalid, NotFound
from dialer.usecases.import_units import find_unit

_INDENT = "\u3000"


def unit_tree(units: Sequence[Unit]) -> list[tuple[int, str]]:
    """Each id with its name, indented by its depth below the highest one shown; in the order of the tree."""
    top = min((len(unit.path) for unit in units), default=1)
    return [(unit.id, _INDENT * (len(unit.path) - top) + unit.name) for unit in units]


def unit_names(index: UnitIndex) -> dict[int, str]:
    """Each active unit by as much of its path as no other one ends with: what is offered while one types."""
    active = [unit for unit in index if unit.active]
    endings: Counter[tuple[str, ...]] = Counter()
    for unit in index:
        names = index.names(unit.id)
        endings.update(names[-n:] for n in range(1, len(names) + 1))
    told: dict[int, str] = {}
    for unit in active:
        names = index.names(unit.id)
        n = next((n for n in range(1, len(names)) if endings[names[-n:]] == 1), len(names))
        told[unit.id] = SEPARATOR.join(names[-n:])
    return told


def typed_unit(index: UnitIndex, text: str) -> int:
    """The unit that somebody typed: one that is offered, else by number, name, path or alias. Raises `Invalid`."""
    wanted = text.strip()
    if not wanted:
        raise Invalid(field="unit", problem="is empty", mend="choose a unit")
    offered = {name: unit_id for unit_id, name in unit_names(index).items()}
    if wanted in offered:
        return offered[wanted]
    try:
        return find_unit(index, wanted).id
    except NotFound:
        raise Invalid(
            field="unit", problem="names no unit, or more than one", mend="choose one of the list"
        ) from None
