"""Everything the database knows of one case, for showing it: masked, and in one timeline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dialer.errors import NotFound
from dialer.outcomes.timeline import Entry, in_order
from dialer.store import audits
from dialer.store import tables as t
from dialer.store.cases import StoredCase, from_row
from dialer.store.people import open_person
from dialer.store.reads import entries
from dialer.store.reads.masking import MaskedPerson, masked
from dialer.store.unit_of_work import Row, Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    stored: StoredCase
    person: MaskedPerson
    load_id: int | None
    settled_at: datetime | None
    succeeded_at: datetime | None
    timeline: tuple[Entry, ...]


def read(tx: Tx, case_id: int) -> CaseFile:
    """Raises `NotFound`."""
    row = tx.one(
        sa.select(t.case, t.person.c.sealed.label("person_sealed"))
        .join(t.person, t.person.c.id == t.case.c.person_id)
        .where(t.case.c.id == case_id)
    )
    if row is None:
        raise NotFound(kind="case", key=case_id)
    person = open_person(tx, person_id=row["person_id"], sealed=row["person_sealed"])
    return CaseFile(
        stored=StoredCase(
            case=from_row(row),
            person_id=row["person_id"],
            source=row["source"],
            unit=row["unit"],
            drill=row["drill"],
            first_attempt_at=row["first_attempt_at"],
            unit_id=row["unit_id"],
            revision=row["revision"],
        ),
        person=masked(person),
        load_id=row["load_id"],
        settled_at=row["settled_at"],
        succeeded_at=row["succeeded_at"],
        timeline=in_order(list(_entries(tx, case_id))),
    )


def _entries(tx: Tx, case_id: int) -> Iterator[Entry]:
    for statement, tell in _SOURCES:
        for row in tx.rows(statement, {"case_id": case_id}):
            yield from tell(row)
    for row in tx.rows(_VIEWS, {"case_id": case_id}):
        yield from entries.of_view(row, why=audits.reason_of(tx.vault, row).why)


_ID = sa.bindparam("case_id", type_=sa.BigInteger)
_APPROVALS = (
    sa.select(t.outcome_approval)
    .join(t.outcome, t.outcome.c.id == t.outcome_approval.c.outcome_id)
    .where(t.outcome.c.case_id == _ID)
)
_EVENTS = (
    sa.select(t.event, t.attempt.c.n)
    .join(t.attempt, t.attempt.c.id == t.event.c.attempt_id, isouter=True)
    .where(t.event.c.case_id == _ID)
)
_ATTEMPTS = (
    sa.select(t.attempt, t.script_version.c.number.label("script_number"))
    .join(t.script_version, t.script_version.c.id == t.attempt.c.script_version_id, isouter=True)
    .where(t.attempt.c.case_id == _ID)
)
_VIEWS = sa.select(t.audit).where(t.audit.c.subject == sa.func.concat("case/", _ID))

_SOURCES: tuple[tuple[sa.Select[Any], Callable[[Row], Iterator[Entry]]], ...] = (
    (sa.select(t.warning).where(t.warning.c.case_id == _ID), entries.of_warning),
    (_ATTEMPTS, entries.of_attempt),
    (_EVENTS, entries.of_event),
    (sa.select(t.message).where(t.message.c.case_id == _ID), entries.of_message),
    (sa.select(t.assignment).where(t.assignment.c.case_id == _ID), entries.of_assignment),
    (sa.select(t.outcome).where(t.outcome.c.case_id == _ID), entries.of_outcome),
    (_APPROVALS, entries.of_approval),
    (sa.select(t.filed_case).where(t.filed_case.c.case_id == _ID), entries.of_filed),
    (sa.select(t.alarm).where(t.alarm.c.case_id == _ID), entries.of_alarm),
)
