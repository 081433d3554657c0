"""Filed cases 立案: which of our cases a police case number undoes. Append-only; a number counts once a case."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.store import tables as t
from dialer.store.unit_of_work import Tx


def case_ids_of_people(tx: Tx, person_ids: Sequence[int]) -> list[int]:
    """Every case these people ever had."""
    rows = tx.rows(sa.select(t.case.c.id).where(t.case.c.person_id.in_(person_ids)).order_by(t.case.c.id))
    return [row["id"] for row in rows]


def recorded(tx: Tx, *, case_number: str, case_ids: Sequence[int]) -> list[int]:
    """Which of these cases the number is on record for already."""
    rows = tx.rows(
        sa.select(t.filed_case.c.case_id)
        .where(t.filed_case.c.case_number == case_number, t.filed_case.c.case_id.in_(case_ids))
        .order_by(t.filed_case.c.case_id)
    )
    return [row["case_id"] for row in rows]


def add(tx: Tx, *, case_number: str, case_ids: Sequence[int], by: str, now: datetime) -> None:
    """On record for each of these cases afterwards, once."""
    tx.execute(
        insert(t.filed_case)
        .values([{"case_number": case_number, "case_id": i, "by": by, "at": now} for i in case_ids])
        .on_conflict_do_nothing(index_elements=["case_number", "case_id"])
    )
