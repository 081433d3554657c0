"""The organisation tree from a spreadsheet: all of it or nothing, and the same list again changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from dialer.domain.unit_plan import Placed, UnitFault, UnitField, plan_units
from dialer.domain.units import SEPARATOR, Unit, UnitIndex
from dialer.errors import Invalid, NotFound, Refusal
from dialer.intake.unit_lists import UnitSheet, read_units
from dialer.store import audits, tray, units, warnings
from dialer.store.unit_of_work import Tx
from dialer.usecases.engine import Engine


class UnusableUnits(Refusal):
    """The list as a whole was refused; every line that must be mended is named."""

    def __init__(self, faults: tuple[UnitFault, ...], headings: dict[UnitField, str]) -> None:
        self.faults = faults
        self.columns = tuple(headings.get(fault.field, fault.field.value) for fault in faults)
        first = f"line {faults[0].line}, column {self.columns[0]}: {faults[0].problem}; {faults[0].mend}"
        more = f"; and {len(faults) - 1} more" if len(faults) > 1 else ""
        super().__init__(f"no unit was imported. {first}{more}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    new: int
    moved: int
    changed: int
    """Levels and states."""
    closed: int
    """By `close_missing`."""
    aliases: int
    unchanged: int
    placed: int
    """Cases that had waited for a unit and found it."""


def import_units(engine: Engine, content: BinaryIO, *, by: str, close_missing: bool = False) -> Imported:
    """The tree is as the list says afterwards. A unit is never deleted: one that the list does not name stays, or is
    closed when that is asked for. Raises `UnusableFile` and `UnusableUnits`.
    """
    who = by.strip()
    if not who:
        raise Invalid(field="by", problem="is empty", mend="who does this")
    sheet = read_units(content)
    with engine.store.begin() as tx:
        # No list is being sorted by the old tree while the new one is written.
        warnings.lock_arrivals(tx)
        done = _import(tx, engine, sheet, by=who, close_missing=close_missing)
        audits.write(
            tx,
            who=who,
            act="import_units",
            subject="unit",
            why="",
            now=engine.clock.now(),
            facts={name: getattr(done, name) for name in done.__dataclass_fields__},
        )
    return done


def _import(tx: Tx, engine: Engine, sheet: UnitSheet, *, by: str, close_missing: bool) -> Imported:
    before = units.every(tx)
    standing = {alias.key: alias.unit_id for alias in units.aliases(tx)}
    plan = plan_units(sheet.lines, before, standing)
    faults = plan.faults + tuple(
        UnitFault(
            line=line,
            field=UnitField.STATE,
            problem="状态无法识别 (the state is neither open nor closed)",
            mend="写 启用 或 停用 (write open or closed)",
        )
        for line in sheet.unreadable_states
    )
    if faults:
        raise UnusableUnits(faults, sheet.headings)
    known = {unit.id: unit for unit in before}
    ids: list[int] = []
    counts = {"new": 0, "moved": 0, "changed": 0, "unchanged": 0}
    for one in plan.placed:
        parent_id = ids[one.parent_place] if one.parent_place is not None else one.parent_id
        ids.append(_write(tx, one, known, parent_id=parent_id, counts=counts))
    now = engine.clock.now()
    taught = sum(
        units.teach(tx, text, unit_id=unit_id, by=by, now=now)
        for one, unit_id in zip(plan.placed, ids, strict=True)
        for text in one.line.aliases
    )
    if close_missing:
        for unit_id in plan.missing:
            units.change(tx, unit_id, active=False)
    return Imported(
        **counts,
        closed=len(plan.missing) if close_missing else 0,
        aliases=taught,
        placed=tray.place_known(tx, engine.units.current(tx), by=by, now=now),
    )


def _write(
    tx: Tx, one: Placed, known: dict[int, Unit], *, parent_id: int | None, counts: dict[str, int]
) -> int:
    line = one.line
    if one.unit_id is None:
        counts["new"] += 1
        unit_id = units.add(tx, name=line.name, parent_id=parent_id, level=line.level)
        if line.active is False:
            units.change(tx, unit_id, active=False)
        return unit_id
    unit = known[one.unit_id]
    if one.moves:
        units.move(tx, unit.id, parent_id=parent_id)
    level = line.level if line.level not in {"", unit.level} else None
    active = line.active if line.active not in {None, unit.active} else None
    units.change(tx, unit.id, level=level, active=active)
    changed = level is not None or active is not None
    counts["moved" if one.moves else "changed" if changed else "unchanged"] += 1
    return unit.id


def list_units(engine: Engine) -> tuple[UnitIndex, list[units.Alias]]:
    """The whole tree and what lists call its units."""
    with engine.store.begin() as tx:
        return engine.units.current(tx), units.aliases(tx)


def find_unit(index: UnitIndex, text: str) -> Unit:
    """By its number, its name, its path or an alias. Raises `NotFound`."""
    wanted = text.strip()
    unit = index.get(int(wanted)) if wanted.isascii() and wanted.isdecimal() else index.find(wanted)
    if unit is None:
        steps = tuple(step.strip() for step in wanted.split(SEPARATOR))
        same = [one for one in index if index.names(one.id)[-len(steps) :] == steps]
        unit = same[0] if len(same) == 1 else None
    if unit is None:
        raise NotFound(kind="unit", key=wanted)
    return unit
