"""The units that somebody may choose from."""

from __future__ import annotations

from dialer.domain.units import Unit
from dialer.store import units
from dialer.usecases.engine import Engine


def list_units(engine: Engine, *, seen_by: int | None) -> list[Unit]:
    """One's own unit and all below, each after its parent, closed ones too; all for the whole centre (None)."""
    with engine.store.begin() as tx:
        found = units.every(tx)
    mine = [unit for unit in found if seen_by is None or seen_by in unit.path]
    return sorted(mine, key=lambda unit: unit.path)
