"""Units as one chooses them on a page."""

from __future__ import annotations

from collections.abc import Sequence

from dialer.domain.units import Unit

_INDENT = "\u3000"


def unit_tree(units: Sequence[Unit]) -> list[tuple[int, str]]:
    """Each id with its name, indented by its depth below the highest one shown; in the order of the tree."""
    top = min((len(unit.path) for unit in units), default=1)
    return [(unit.id, _INDENT * (len(unit.path) - top) + unit.name) for unit in units]
