"""The ledger of outcomes: append-only, money in whole fen, a second person's approval beside it.

Filed cases 立案: which of our cases a police case number undoes. Append-only; a number counts once a case.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.core.errors import Conflict, NotFound
from dialer.core.values import Amounts, Contact, OutcomeKind, Track
from dialer.db import tables as t
from dialer.db.unit_of_work import Tx
from dialer.language import Text


def seal_evidence(tx: Tx, *, case_id: int, text: str) -> bytes | None:
    if not text:
        return None
    return tx.vault.seal(text.encode(), table="outcome", column="evidence_sealed", row=f"case/{case_id}")


def append_outcome(
    tx: Tx,
    *,
    case_id: int,
    assignment_id: int | None,
    kind: OutcomeKind,
    contact: Contact,
    track: Track | None,
    reason: str,
    amounts: Amounts,
    evidence: str,
    by: str,
    drill: bool,
    now: datetime,
) -> int:
    """One more line; its id."""
    row = tx.one(
        sa.insert(t.outcome)
        .values(
            case_id=case_id,
            assignment_id=assignment_id,
            kind=kind.value,
            contact=contact.value,
            track=track.value if track else None,
            reason=reason,
            intended_fen=amounts.intended_fen,
            stopped_fen=amounts.stopped_fen,
            returned_fen=amounts.returned_fen,
            evidence_sealed=seal_evidence(tx, case_id=case_id, text=evidence),
            recorded_by=by,
            at=now,
            drill=drill,
        )
        .returning(t.outcome.c.id)
    )
    assert row is not None
    outcome_id: int = row["id"]
    return outcome_id


def case_of_outcome(tx: Tx, outcome_id: int) -> int:
    """Raises `NotFound`."""
    case_id = tx.scalar(sa.select(t.outcome.c.case_id).where(t.outcome.c.id == outcome_id))
    if case_id is None:
        raise NotFound(kind="outcome", key=outcome_id)
    return int(case_id)


def approve_outcome_row(tx: Tx, outcome_id: int, *, by: str, now: datetime) -> None:
    """Approved by a second person, once."""
    row = tx.one(sa.select(t.outcome.c.recorded_by).where(t.outcome.c.id == outcome_id))
    if row is None:
        raise NotFound(kind="outcome", key=outcome_id)
    if row["recorded_by"] == by:
        raise Conflict(
            Text("outcome %(id)s was recorded by %(by)s: another person approves it", id=outcome_id, by=by),
            current="own record",
        )
    standing = tx.scalar(
        sa.select(t.outcome_approval.c.approved_by).where(t.outcome_approval.c.outcome_id == outcome_id)
    )
    if standing is not None:
        raise Conflict(
            Text("outcome %(id)s is approved already by %(who)s", id=outcome_id, who=standing),
            current="approved",
        )
    tx.execute(
        sa.insert(t.outcome_approval).values(
            outcome_id=outcome_id, recorded_by=row["recorded_by"], approved_by=by, at=now
        )
    )


def case_ids_of_people(tx: Tx, person_ids: Sequence[int]) -> list[int]:
    """Every case these people ever had."""
    rows = tx.rows(sa.select(t.case.c.id).where(t.case.c.person_id.in_(person_ids)).order_by(t.case.c.id))
    return [row["id"] for row in rows]


def filed_cases_recorded(tx: Tx, *, case_number: str, case_ids: Sequence[int]) -> list[int]:
    """Which of these cases the number is on record for already."""
    rows = tx.rows(
        sa.select(t.filed_case.c.case_id)
        .where(t.filed_case.c.case_number == case_number, t.filed_case.c.case_id.in_(case_ids))
        .order_by(t.filed_case.c.case_id)
    )
    return [row["case_id"] for row in rows]


def add_filed_cases(tx: Tx, *, case_number: str, case_ids: Sequence[int], by: str, now: datetime) -> None:
    """On record for each of these cases afterwards, once."""
    tx.execute(
        insert(t.filed_case)
        .values([{"case_number": case_number, "case_id": i, "by": by, "at": now} for i in case_ids])
        .on_conflict_do_nothing(index_elements=["case_number", "case_id"])
    )
