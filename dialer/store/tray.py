"""The sorting tray: open cases whose list named no unit that is known. Robots ring them; people's work waits at the
centre until somebody says whose they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dialer.domain.acts import ActKind
from dialer.domain.case import CaseStatus
from dialer.domain.errand import AssignmentState
from dialer.domain.units import UnitIndex, normalised
from dialer.domain.values import Grade
from dialer.store import acts
from dialer.store import tables as t
from dialer.store.acts import Act
from dialer.store.rowset import word
from dialer.store.unit_of_work import Tx

_AT_ONCE = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsorted:
    """All waiting cases whose list has the same text for their unit; '' where it has none."""

    text: str
    cases: int
    highest: Grade
    oldest_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsortedCase:
    id: int
    text: str
    grade: Grade
    source: str
    opened_at: datetime
    revision: int


def _waiting() -> sa.ColumnElement[bool]:
    return sa.and_(t.case.c.status == word(CaseStatus.OPEN), t.case.c.unit_id.is_(None))


def groups(tx: Tx, *, limit: int = 200) -> list[Unsorted]:
    """The highest grade first, then the largest group."""
    rank = sa.case({grade.value: grade.rank for grade in Grade}, value=t.case.c.grade)
    statement = (
        sa.select(
            t.case.c.unit.label("text"),
            sa.func.count().label("cases"),
            sa.func.max(rank).label("rank"),
            sa.func.min(t.case.c.opened_at).label("oldest_at"),
        )
        .where(_waiting())
        .group_by(t.case.c.unit)
        .order_by(sa.desc("rank"), sa.desc("cases"), "text")
        .limit(limit)
    )
    of_rank = {grade.rank: grade for grade in Grade}
    return [
        Unsorted(
            text=row["text"], cases=row["cases"], highest=of_rank[row["rank"]], oldest_at=row["oldest_at"]
        )
        for row in tx.rows(statement)
    ]


def cases(
    tx: Tx, *, text: str | None = None, before_id: int | None = None, limit: int = 50
) -> list[UnsortedCase]:
    """One page, newest first; with `text` only those whose list says just that."""
    columns = ("id", "grade", "source", "opened_at", "revision")
    statement = sa.select(*(t.case.c[name] for name in columns), t.case.c.unit.label("text")).where(
        _waiting()
    )
    if text is not None:
        statement = statement.where(t.case.c.unit == text)
    if before_id is not None:
        statement = statement.where(t.case.c.id < before_id)
    return [
        UnsortedCase(**dict(row) | {"grade": Grade(row["grade"])})
        for row in tx.rows(statement.order_by(t.case.c.id.desc()).limit(limit))
    ]


def spellings(tx: Tx, text: str) -> list[str]:
    """Every text of a waiting case that is written like this one but for width, case, spaces and signs."""
    key = normalised(text)
    rows = tx.rows(sa.select(t.case.c.unit).where(_waiting(), t.case.c.unit != "").distinct())
    return [row["unit"] for row in rows if normalised(row["unit"]) == key]


def place(tx: Tx, case_ids: Sequence[int], *, unit_id: int, label: str, by: str, now: datetime) -> list[int]:
    """Those of these cases that waited are the unit's, with the people's work that is open for them; their ids."""
    ids = sa.literal(sorted(set(case_ids)), sa.ARRAY(sa.BigInteger))
    return _place(tx, t.case.c.id == sa.any_(ids), unit_id=unit_id, label=label, by=by, now=now)


def place_text(tx: Tx, text: str, *, unit_id: int, label: str, by: str, now: datetime) -> int:
    """Every waiting case whose list has this text is the unit's; how many."""
    total = 0
    while True:
        placed = len(_place(tx, t.case.c.unit == text, unit_id=unit_id, label=label, by=by, now=now))
        total += placed
        if placed < _AT_ONCE:
            return total


def place_known(tx: Tx, index: UnitIndex, *, by: str, now: datetime) -> int:
    """Every waiting case whose text the tree knows by now has its unit; how many."""
    total = 0
    for row in tx.rows(sa.select(t.case.c.unit).where(_waiting(), t.case.c.unit != "").distinct()):
        unit = index.find(row["unit"])
        if unit is not None:
            label = index.label(unit.id)
            total += place_text(tx, row["unit"], unit_id=unit.id, label=label, by=by, now=now)
    return total


def _place(
    tx: Tx, which: sa.ColumnElement[bool], *, unit_id: int, label: str, by: str, now: datetime
) -> list[int]:
    locked: Any = (
        sa.select(t.case.c.id)
        .where(_waiting(), which)
        .order_by(t.case.c.id)
        .limit(_AT_ONCE)
        .with_for_update()
    )
    placed = tx.rows(
        sa.update(t.case)
        .where(t.case.c.id.in_(locked))
        .values(unit_id=unit_id, unit=label, revision=t.case.c.revision + 1)
        .returning(t.case.c.id)
    )
    ids = sorted(row["id"] for row in placed)
    if ids:
        tx.execute(
            sa.update(t.assignment)
            .where(
                t.assignment.c.case_id == sa.any_(sa.literal(ids, sa.ARRAY(sa.BigInteger))),
                t.assignment.c.state.in_([AssignmentState.OPEN.value, AssignmentState.SIGNED.value]),
                t.assignment.c.unit_id.is_(None),
            )
            .values(unit_id=unit_id, unit=label)
        )
        facts = {"unit": label, "unit_id": unit_id}
        placed_acts = [Act(case_id=one, kind=ActKind.UNIT_ASSIGNED, by=by, facts=facts) for one in ids]
        acts.note(tx, placed_acts, now=now)
    return ids
