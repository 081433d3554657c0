"""Cases by whatever is known of them, newest first, a page at a time, masked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dialer.domain.case import CaseStatus
from dialer.domain.values import Contact, FraudType, Grade, OutcomeKind
from dialer.outcomes.period import Period
from dialer.store import tables as t
from dialer.store import units
from dialer.store.people import open_person
from dialer.store.reads.finding import Sought, matching
from dialer.store.reads.masking import MaskedPerson, masked
from dialer.store.unit_of_work import Row, Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseQuery:
    """Everything that is given must hold; `period` is of the opening, `before_id` is where the last page ended."""

    sought: Sought = field(default_factory=Sought)
    instruction_no: str = ""
    source: str = ""
    grade: Grade | None = None
    fraud_type: FraudType | None = None
    status: CaseStatus | None = None
    unit: str = ""
    """As the list wrote it."""
    unit_id: int | None = None
    """This unit and all below."""
    seen_by: int | None = None
    """The unit of whoever asks; None sees the whole centre."""
    load_id: int | None = None
    period: Period = field(default_factory=Period)
    before_id: int | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLine:
    """One found case."""

    id: int
    person: MaskedPerson
    grade: Grade
    fraud_type: FraudType
    status: CaseStatus
    outcome: OutcomeKind | None
    contact: Contact
    source: str
    unit: str
    unit_name: str
    """'' while the case belongs to no unit of the tree."""
    amount_at_risk_fen: int | None
    missed: bool
    warnings: int
    robot_attempts: int
    opened_at: datetime
    due_at: datetime | None
    drill: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePage:
    cases: tuple[CaseLine, ...]
    next_before_id: int | None
    """Where the next page begins; None when this is the last."""


def search(tx: Tx, query: CaseQuery) -> CasePage:
    rows = tx.rows(_statement(tx, query))
    shown = rows[: query.limit]
    return CasePage(
        cases=tuple(_line(tx, row) for row in shown),
        next_before_id=shown[-1]["id"] if len(rows) > query.limit else None,
    )


def lines(tx: Tx, ids: Sequence[int]) -> tuple[CaseLine, ...]:
    """These cases, newest first."""
    rows = tx.rows(_lines().where(t.case.c.id.in_(ids)).order_by(t.case.c.id.desc()))
    return tuple(_line(tx, row) for row in rows)


def seen_among(tx: Tx, ids: Sequence[int], *, seen_by: int | None) -> dict[int, bool]:
    """Of each of these cases whether somebody of this unit sees it."""
    c = t.case.c
    may = sa.true() if seen_by is None else units.within(c.unit_id, seen_by)
    return {
        row["id"]: bool(row["may"]) for row in tx.rows(sa.select(c.id, may.label("may")).where(c.id.in_(ids)))
    }


def _lines() -> sa.Select[Any]:
    """Everything that a line shows."""
    c = t.case.c
    return (
        sa.select(t.case, t.person.c.sealed.label("person_sealed"), t.unit.c.name.label("unit_name"))
        .join(t.person, t.person.c.id == c.person_id)
        .join(t.unit, t.unit.c.id == c.unit_id, isouter=True)
    )


def _statement(tx: Tx, query: CaseQuery) -> sa.Select[Any]:
    c = t.case.c
    statement = _lines()
    if not query.sought.is_nothing:
        statement = statement.where(c.person_id.in_(matching(tx, query.sought)))
    if query.instruction_no or query.source:
        warned = sa.select(t.warning.c.case_id)
        if query.instruction_no:
            warned = warned.where(t.warning.c.instruction_no == query.instruction_no)
        if query.source:
            warned = warned.where(t.warning.c.source == query.source)
        statement = statement.where(c.id.in_(warned))
    if query.load_id is not None:
        # A warning of a later load may have joined an older case.
        w = t.warning.c
        of_load = w.load_id == query.load_id
        oldest = sa.select(sa.func.min(w.case_id)).where(of_load).scalar_subquery()
        newest = sa.select(sa.func.max(w.case_id)).where(of_load).scalar_subquery()
        # Without its ends all newer cases would be walked through before its first.
        statement = statement.where(
            c.id.in_(sa.select(w.case_id).where(of_load)), c.id >= oldest, c.id <= newest
        )
    statement = statement.where(*_plain(query))
    if query.period == Period():
        if query.before_id is not None:
            statement = statement.where(c.id < query.before_id)
        return statement.order_by(c.id.desc()).limit(query.limit + 1)
    # Within days by the moment itself, which is nearly the same order, and need not walk back from today.
    if query.before_id is not None:
        last = sa.select(c.opened_at, c.id).where(c.id == query.before_id).correlate(None)
        statement = statement.where(sa.tuple_(c.opened_at, c.id) < last.scalar_subquery())
    return statement.order_by(c.opened_at.desc(), c.id.desc()).limit(query.limit + 1)


def _plain(query: CaseQuery) -> Iterator[sa.ColumnElement[bool]]:
    """What is asked of the case's own columns."""
    c = t.case.c
    for column, word in ((c.grade, query.grade), (c.fraud_type, query.fraud_type), (c.status, query.status)):
        if word is not None:
            # As it is in the statement: some of these words have an index of their own.
            yield column == sa.bindparam(None, word.value, sa.Text, literal_execute=True)
    if query.unit:
        yield c.unit == query.unit
    for unit_id in (query.unit_id, query.seen_by):
        if unit_id is not None:
            yield units.within(c.unit_id, unit_id)
    if query.period.start is not None:
        yield c.opened_at >= query.period.start
    if query.period.end is not None:
        yield c.opened_at < query.period.end


def _line(tx: Tx, row: Row) -> CaseLine:
    return CaseLine(
        id=row["id"],
        person=masked(open_person(tx, person_id=row["person_id"], sealed=row["person_sealed"])),
        grade=Grade(row["grade"]),
        fraud_type=FraudType(row["fraud_type"]),
        status=CaseStatus(row["status"]),
        outcome=OutcomeKind(row["outcome"]) if row["outcome"] else None,
        contact=Contact(row["contact"]),
        source=row["source"],
        unit=row["unit"],
        unit_name=row["unit_name"] or "",
        amount_at_risk_fen=row["amount_at_risk_fen"],
        missed=row["missed"],
        warnings=row["warnings"],
        robot_attempts=row["robot_attempts"],
        opened_at=row["opened_at"],
        due_at=row["due_at"],
        drill=row["drill"],
    )
