"""The organisation tree with its aliases, who sees which rows (a unit sees its own and all below, None is the whole
centre), and how many open cases each unit has.

Open cases are counted when asked: of 300,000, 210,000 of them without a unit, counting by unit or in all takes 10
ms and by text 100 ms.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.core.case import CaseStatus
from dialer.core.errors import Conflict, NotFound
from dialer.core.text import Text
from dialer.core.units import Unit, UnitIndex, normalise_name
from dialer.core.values import Grade
from dialer.db import tables as t
from dialer.db.bulk import word_literal
from dialer.db.unit_of_work import Tx

_REVISION = "units_revision"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitAlias:
    """A text that means a unit in lists, and who taught it."""

    id: int
    unit_id: int
    text: str
    key: str
    """The text, normalised."""
    by: str
    at: datetime


def _unit(row: Mapping[str, Any]) -> Unit:
    return Unit(**{**row, "path": tuple(row["path"])})


def list_units_of_tree(tx: Tx) -> list[Unit]:
    """All units, closed ones too, each after its parent."""
    statement = sa.select(t.unit).order_by(sa.func.cardinality(t.unit.c.path), t.unit.c.id)
    return [_unit(row) for row in tx.rows(statement)]


def get_unit(tx: Tx, unit_id: int) -> Unit:
    """The unit, closed or not. Raises `NotFound`."""
    row = tx.one(sa.select(t.unit).where(t.unit.c.id == unit_id))
    if row is None:
        raise NotFound(kind="unit", key=unit_id)
    return _unit(row)


def subtree_ids(tx: Tx, unit_id: int) -> list[int]:
    """The unit and everything below it, closed ones too; [] for one that does not exist."""
    return [row["id"] for row in tx.rows(_subtree(unit_id).order_by(t.unit.c.id))]


def is_within_unit(column: sa.ColumnElement[Any], unit_id: int) -> sa.ColumnElement[bool]:
    """The condition that the column names the unit or one below it."""
    return column.in_(_subtree(unit_id))


def _subtree(unit_id: int) -> sa.Select[Any]:
    return sa.select(t.unit.c.id).where(t.unit.c.path.contains(sa.literal([unit_id], t.unit.c.path.type)))


def add_unit(tx: Tx, *, name: str, parent_id: int | None, level: str = "") -> int:
    """Adds an active unit below its parent; returns its id. The database refuses a name that its parent already has
    below it.
    """
    above = get_unit(tx, parent_id).path if parent_id is not None else ()
    (unit_id,) = tx.execute(
        sa.text("SELECT nextval(CAST(pg_get_serial_sequence('unit', 'id') AS regclass))")
    ).one()
    tx.execute(
        sa.insert(t.unit).values(
            id=unit_id, name=name, parent_id=parent_id, level=level, path=[*above, unit_id]
        )
    )
    touch_units(tx)
    return int(unit_id)


def change_unit(
    tx: Tx, unit_id: int, *, name: str | None = None, level: str | None = None, active: bool | None = None
) -> None:
    """Changes the unit; a value that is None stays. A closed unit keeps its rows and its place in the tree."""
    given = {"name": name, "level": level, "active": active}
    values = {key: value for key, value in given.items() if value is not None}
    if values:
        tx.execute(sa.update(t.unit).where(t.unit.c.id == unit_id).values(**values))
        touch_units(tx)


def move_unit(tx: Tx, unit_id: int, *, parent_id: int | None) -> None:
    """Moves the unit and all below it under another parent. Raises `Conflict` for a parent within its own subtree."""
    unit = get_unit(tx, unit_id)
    above = get_unit(tx, parent_id).path if parent_id is not None else ()
    if unit_id in above:
        raise Conflict(Text("unit %(id)s cannot stand below itself", id=unit_id), current="cycle")
    tx.execute(sa.update(t.unit).where(t.unit.c.id == unit_id).values(parent_id=parent_id))
    own_and_below = t.unit.c.path[sa.literal(len(unit.path)) : sa.func.cardinality(t.unit.c.path)]
    tx.execute(
        sa.update(t.unit)
        .where(t.unit.c.id.in_(_subtree(unit_id)))
        .values(path=sa.func.array_cat(sa.literal(list(above), t.unit.c.path.type), own_and_below))
    )
    touch_units(tx)


class AliasTaken(Conflict):
    """The text is already an alias of another unit."""

    def __init__(self, text: str) -> None:
        super().__init__("lists that write this mean another unit already")
        self.text_in_lists = text


def teach_unit_alias(tx: Tx, text: str, *, unit_id: int, by: str, now: datetime) -> bool:
    """Makes `text` in lists mean this unit from now on; False when it already did. Raises `AliasTaken` when the text is
    another unit's.
    """
    added = tx.scalar(
        insert(t.unit_alias)
        .values(unit_id=unit_id, text=text.strip(), key=normalise_name(text), by=by, at=now)
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(t.unit_alias.c.id)
    )
    if added is not None:
        touch_units(tx)
        return True
    standing = tx.scalar(sa.select(t.unit_alias.c.unit_id).where(t.unit_alias.c.key == normalise_name(text)))
    if standing != unit_id:
        raise AliasTaken(text.strip())
    return False


def delete_unit_alias(tx: Tx, text: str) -> bool:
    """Deletes the alias; False when the text was no alias. Cases keep their units."""
    gone = tx.execute(sa.delete(t.unit_alias).where(t.unit_alias.c.key == normalise_name(text)))
    touch_units(tx)
    return bool(gone.rowcount)


def list_unit_aliases(tx: Tx, unit_id: int | None = None) -> list[UnitAlias]:
    """The aliases of one unit, or of all, oldest first."""
    statement = sa.select(t.unit_alias).order_by(t.unit_alias.c.unit_id, t.unit_alias.c.id)
    if unit_id is not None:
        statement = statement.where(t.unit_alias.c.unit_id == unit_id)
    return [UnitAlias(**row) for row in tx.rows(statement)]


def units_revision(tx: Tx) -> str:
    """A value that changes with every change of the tree or its aliases; '' before the first."""
    return str(tx.scalar(sa.select(t.meta.c.value).where(t.meta.c.key == _REVISION)) or "")


def touch_units(tx: Tx) -> None:
    """Has every process read the tree anew from its next transaction on."""
    # Never the same twice: a revision that was rolled back must not be mistaken for one that was written later.
    value = uuid.uuid4().hex
    tx.execute(
        insert(t.meta)
        .values(key=_REVISION, value=value)
        .on_conflict_do_update(index_elements=["key"], set_={"value": value})
    )


class Units:
    """One process's copy of the tree: a transaction costs one small read, and a read of the whole tree only after a
    change.
    """

    def __init__(self) -> None:
        self._read: tuple[str | None, UnitIndex] = (None, UnitIndex())

    @property
    def latest(self) -> UnitIndex:
        """The tree as this process read it last, which may be one change behind."""
        return self._read[1]

    def current(self, tx: Tx) -> UnitIndex:
        """The tree as this transaction sees it; read anew only if a unit or alias has changed."""
        revision = units_revision(tx)
        known, index = self._read
        if revision != known:
            keys = {row["key"]: row["unit_id"] for row in tx.rows(sa.select(t.unit_alias))}
            index = UnitIndex(list_units_of_tree(tx), keys)
            self._read = (revision, index)
        return index


TEXT_SIGNS = 100
"""Texts with the same first characters, this many, count as the same."""

_OPEN = t.case.c.status == word_literal(CaseStatus.OPEN)
_UNSORTED = sa.and_(_OPEN, t.case.c.unit_id.is_(None))

# The number as the index has it, never as a parameter.
TEXT: sa.ColumnElement[str] = sa.func.left(t.case.c.unit, sa.literal_column(str(TEXT_SIGNS), sa.Integer))
"""The beginning of what the list wrote for the unit."""


def open_counts_of_units(tx: Tx) -> dict[int, dict[Grade, int]]:
    """Open cases of each unit itself, by grade; a unit without any is left out."""
    statement = (
        sa.select(t.case.c.unit_id, t.case.c.grade, sa.func.count().label("n"))
        .where(_OPEN, t.case.c.unit_id.is_not(None))
        .group_by(t.case.c.unit_id, t.case.c.grade)
    )
    found: dict[int, dict[Grade, int]] = {}
    for row in tx.rows(statement):
        found.setdefault(row["unit_id"], {})[Grade(row["grade"])] = row["n"]
    return found


def unassigned_by_text() -> sa.Subquery:
    """(text, grade, n) of the open cases without a unit."""
    statement = sa.select(TEXT.label("text"), t.case.c.grade, sa.func.count().label("n")).where(_UNSORTED)
    return statement.group_by(TEXT, t.case.c.grade).subquery("counted")


def waiting_unit_texts(tx: Tx) -> Iterable[str]:
    """The beginnings of the texts of open cases that wait for their unit, each once; not the blank one."""
    statement = sa.select(TEXT.label("text")).where(_UNSORTED, TEXT != "").distinct()
    return [row["text"] for row in tx.rows(statement)]


def count_cases_without_unit(tx: Tx) -> int:
    """Open cases without a unit."""
    return int(tx.scalar(sa.select(sa.func.count()).select_from(t.case).where(_UNSORTED)))


def is_visible_to(column: sa.ColumnElement[Any], unit_id: int | None) -> sa.ColumnElement[bool]:
    """The condition that this unit sees the row. A row without a unit is visible to the whole centre alone."""
    return sa.true() if unit_id is None else is_within_unit(column, unit_id)


def is_unit_visible(tx: Tx, unit_id: int | None, visible_to: int | None) -> bool:
    """Whether `visible_to` sees a row of the unit `unit_id`. Raises `NotFound` for a unit that does not exist."""
    return visible_to is None or (unit_id is not None and visible_to in get_unit(tx, unit_id).path)


def check_unit(tx: Tx, unit_id: int | None, visible_to: int | None) -> None:
    """Raises `NotFound` if there is no such unit, or `visible_to` does not see it."""
    if unit_id is not None:
        get_unit(tx, unit_id)
    if not is_unit_visible(tx, unit_id, visible_to):
        raise NotFound(kind="unit", key=unit_id)


def check_case_visible(tx: Tx, case_id: int, unit_id: int | None) -> None:
    """Raises `NotFound` for a case that does not exist or that this unit does not see; the error does not say which."""
    found = tx.scalar(
        sa.select(t.case.c.id).where(t.case.c.id == case_id, is_visible_to(t.case.c.unit_id, unit_id))
    )
    if found is None:
        raise NotFound(kind="case", key=case_id)


def keep_boundaries(
    tx: Tx, rings: Mapping[int, Sequence[Sequence[Sequence[float]]]], *, by: str, now: datetime
) -> None:
    """Stores the boundaries of these units; earlier ones are replaced."""
    b = t.unit_boundary
    tx.execute(sa.delete(b).where(b.c.unit_id.in_(list(rings))))
    for unit_id, unit_rings in rings.items():
        tx.execute(sa.insert(b).values(unit_id=unit_id, rings=unit_rings, by=by, at=now))


def boundaries_of(tx: Tx, unit_ids: Sequence[int]) -> dict[int, list[list[list[float]]]]:
    """The rings of those of these units that have a boundary."""
    b = t.unit_boundary.c
    return {
        row["unit_id"]: row["rings"]
        for row in tx.rows(sa.select(b.unit_id, b.rings).where(b.unit_id.in_(unit_ids)))
    }
