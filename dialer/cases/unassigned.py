"""Unassigned cases: open cases whose list named no known unit. The robot calls their persons; assignments wait at the
centre until somebody assigns the case to a unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dialer.cases.persons import MaskedPerson, mask_person, open_person
from dialer.cases.store import Act, note_acts
from dialer.core.case import PENDING_STATES, CaseStatus
from dialer.core.timeline import ActKind
from dialer.core.units import UnitIndex, normalise_name
from dialer.core.values import FraudType, Grade
from dialer.db import tables as t
from dialer.db.bulk import among, in_words, word_literal
from dialer.db.unit_of_work import Tx, record_of
from dialer.db.units import TEXT, TEXT_SIGNS, unassigned_by_text, waiting_unit_texts

_AT_ONCE = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class UnassignedGroup:
    """All unassigned cases with the same text for their unit ('' if the list has none). Very long texts are grouped by
    their beginning.
    """

    text: str
    cases: int
    highest: Grade
    oldest_id: int
    oldest_at: datetime
    grades: Mapping[Grade, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnassignedCase:
    """One unassigned case; `text` is what its list wrote for the unit."""

    id: int
    text: str
    grade: Grade
    fraud_type: FraudType
    source: str
    opened_at: datetime
    revision: int
    person: MaskedPerson


def _waiting() -> sa.ColumnElement[bool]:
    return sa.and_(t.case.c.status == word_literal(CaseStatus.OPEN), t.case.c.unit_id.is_(None))


def _begins(text: str | sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """A condition: the text of the case has the same beginning as this one. The index has only the beginning."""
    return (sa.literal(text[:TEXT_SIGNS], sa.Text) if isinstance(text, str) else text) == TEXT


def unassigned_groups(tx: Tx, *, limit: int = 200) -> list[UnassignedGroup]:
    """The groups of unassigned cases: highest grade first, then the largest group."""
    counted = unassigned_by_text().c
    per_grade = {
        grade: sa.func.coalesce(sa.func.sum(counted.n).filter(counted.grade == grade.value), 0)
        for grade in Grade
    }
    cases = sa.func.sum(counted.n)
    by_rank = sorted(per_grade.items(), key=lambda counted: -counted[0].rank)
    rank = sa.case(*((n > 0, grade.rank) for grade, n in by_rank), else_=0)
    found = (
        sa.select(
            counted.text,
            cases.label("cases"),
            rank.label("rank"),
            *(n.label(grade.value) for grade, n in per_grade.items()),
        )
        .group_by(counted.text)
        .order_by(sa.desc("rank"), sa.desc("cases"), counted.text)
        .limit(limit)
        .subquery("found")
    )
    oldest = (
        sa.select(t.case.c.id, t.case.c.opened_at)
        .where(_waiting(), _begins(found.c.text))
        .order_by(t.case.c.id)
        .limit(1)
        .lateral("oldest")
    )
    statement = (
        sa.select(found, oldest.c.id, oldest.c.opened_at)
        .join(oldest, sa.true())
        .order_by(sa.desc(found.c.rank), sa.desc(found.c.cases), found.c.text)
    )
    of_rank = {grade.rank: grade for grade in Grade}
    return [
        UnassignedGroup(
            text=row["text"],
            cases=int(row["cases"]),
            highest=of_rank[row["rank"]],
            oldest_id=row["id"],
            oldest_at=row["opened_at"],
            grades={grade: int(row[grade.value]) for grade in Grade if row[grade.value]},
        )
        for row in tx.rows(statement)
    ]


def unassigned_cases(
    tx: Tx, *, text: str | None = None, before_id: int | None = None, limit: int = 50
) -> list[UnassignedCase]:
    """One page of unassigned cases, newest first; with `text`, only those whose list has exactly this text."""
    columns = ("id", "grade", "fraud_type", "source", "opened_at", "revision", "person_id")
    statement = (
        sa.select(*(t.case.c[name] for name in columns), t.case.c.unit.label("text"), t.person.c.sealed)
        .join(t.person, t.person.c.id == t.case.c.person_id)
        .where(_waiting())
    )
    if text is not None:
        statement = statement.where(_begins(text), t.case.c.unit == text)
    if before_id is not None:
        statement = statement.where(t.case.c.id < before_id)
    return [
        record_of(
            UnassignedCase,
            row,
            person=mask_person(open_person(tx, person_id=row["person_id"], sealed=row["sealed"])),
        )
        for row in tx.rows(statement.order_by(t.case.c.id.desc()).limit(limit))
    ]


def unit_text_of_case(tx: Tx, case_id: int) -> str | None:
    """The text for the unit of an unassigned case; None when the case is not unassigned."""
    found: str | None = tx.scalar(sa.select(t.case.c.unit).where(t.case.c.id == case_id, _waiting()))
    return found


def unassigned_texts(tx: Tx) -> list[str]:
    """The distinct unit texts of unassigned cases, except the blank one."""
    found: list[str] = []
    for beginning in waiting_unit_texts(tx):
        if len(beginning) < TEXT_SIGNS:
            found.append(beginning)
            continue
        whole = sa.select(t.case.c.unit).where(_waiting(), _begins(beginning)).distinct()
        found.extend(row["unit"] for row in tx.rows(whole))
    return found


def spellings_of_text(tx: Tx, text: str) -> list[str]:
    """The unit texts of unassigned cases that differ from this one only in width, case, spaces and punctuation."""
    key = normalise_name(text)
    return [text for text in unassigned_texts(tx) if normalise_name(text) == key] if key else []


def assign_cases_to_unit(
    tx: Tx, case_ids: Sequence[int], *, unit_id: int, label: str, by: str, now: datetime
) -> list[int]:
    """Assigns the unassigned ones of these cases, with their open assignments, to the unit. Returns their ids."""
    return _assign(tx, among(t.case.c.id, case_ids), unit_id=unit_id, label=label, by=by, now=now)


def lock_cases_of_texts(tx: Tx, texts: Sequence[str]) -> None:
    """Locks every unassigned case that has one of these texts, in id order."""
    if texts:
        beginnings = sa.any_(sa.literal([text[:TEXT_SIGNS] for text in texts], sa.ARRAY(sa.Text)))
        same = sa.and_(_begins(beginnings), among(t.case.c.unit, texts))
        tx.execute(sa.select(t.case.c.id).where(_waiting(), same).order_by(t.case.c.id).with_for_update())


def assign_text_to_unit(tx: Tx, text: str, *, unit_id: int, label: str, by: str, now: datetime) -> int:
    """Assigns every unassigned case with this text to the unit. Returns how many."""
    total = 0
    while True:
        same = sa.and_(_begins(text), t.case.c.unit == text)
        placed = len(_assign(tx, same, unit_id=unit_id, label=label, by=by, now=now))
        total += placed
        if placed < _AT_ONCE:
            return total


def assign_known_texts(tx: Tx, index: UnitIndex, *, by: str, now: datetime) -> int:
    """Assigns every unassigned case whose text names a unit by now to that unit. Returns how many."""
    known = [(text, unit) for text in unassigned_texts(tx) if (unit := index.find(text)) is not None]
    lock_cases_of_texts(tx, [text for text, _ in known])
    return sum(
        assign_text_to_unit(tx, text, unit_id=unit.id, label=index.label(unit.id), by=by, now=now)
        for text, unit in known
    )


def _assign(
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
                among(t.assignment.c.case_id, ids),
                in_words(t.assignment.c.state, PENDING_STATES),
                t.assignment.c.unit_id.is_(None),
            )
            .values(unit_id=unit_id, unit=label)
        )
        facts = {"unit": label, "unit_id": unit_id}
        placed_acts = [
            Act(case_id=case_id, kind=ActKind.UNIT_ASSIGNED, by=by, facts=facts) for case_id in ids
        ]
        note_acts(tx, placed_acts, now=now)
    return ids
