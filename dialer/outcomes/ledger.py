"""The ledger of outcomes, money in whole fen, with a second person's approval; and filed cases 立案. Append-only."""

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
    """A new line of the ledger; its id. The evidence is stored encrypted."""
    sealed = tx.vault.seal(
        evidence.encode(), table="outcome", column="evidence_sealed", row=f"case/{case_id}"
    )
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
            evidence_sealed=sealed if evidence else None,
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
    """Approves an outcome, once. Raises `NotFound`, and `Conflict` for the recorder or when it is approved."""
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
    """Those of these cases that the number is recorded for."""
    rows = tx.rows(
        sa.select(t.filed_case.c.case_id)
        .where(t.filed_case.c.case_number == case_number, t.filed_case.c.case_id.in_(case_ids))
        .order_by(t.filed_case.c.case_id)
    )
    return [row["case_id"] for row in rows]


def add_filed_cases(tx: Tx, *, case_number: str, case_ids: Sequence[int], by: str, now: datetime) -> None:
    """Records the number for each of these cases, once."""
    tx.execute(
        insert(t.filed_case)
        .values([{"case_number": case_number, "case_id": i, "by": by, "at": now} for i in case_ids])
        .on_conflict_do_nothing(index_elements=["case_number", "case_id"])
    )
