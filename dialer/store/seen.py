"""Who sees which rows: one's own unit and all below. None is the whole centre."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from dialer.errors import NotFound
from dialer.store import tables as t
from dialer.store import units
from dialer.store.unit_of_work import Tx


def seen_by(column: sa.ColumnElement[Any], unit_id: int | None) -> sa.ColumnElement[bool]:
    """For a WHERE: whoever belongs to this unit sees the row. A row of no unit is seen by the whole centre alone."""
    return sa.true() if unit_id is None else units.within(column, unit_id)


def check_case_seen(tx: Tx, case_id: int, unit_id: int | None) -> None:
    """Raises `NotFound` for a case that is not there, or that this unit does not see: which, is not told."""
    found = tx.scalar(
        sa.select(t.case.c.id).where(t.case.c.id == case_id, seen_by(t.case.c.unit_id, unit_id))
    )
    if found is None:
        raise NotFound(kind="case", key=case_id)
