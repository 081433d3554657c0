"""Reports as they were shown, stored for a day: lists of cases that are opened from one later show the same figures.

A case is changed in place, so a report of an earlier moment cannot be counted again. `dialer/retention/retention.py`
says for how long they stay.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.dialects.postgresql import insert

from dialer.db import tables as t
from dialer.db.unit_of_work import Tx
from dialer.figures.records import DEFINITIONS_HASH

_MOST_STORED = 5_000
"""About 100 MB, however often pages are opened."""
_T = TypeVar("_T")


def store_report(tx: Tx, kind: TypeAdapter[_T], asked: object, report: _T, *, at: datetime) -> None:
    """Stores the report of a query, for `stored_report`, and deletes the oldest ones. `asked`: the query, whose repr
    must contain all of it.
    """
    row = {"asked": _digest(asked), "at": at, "report": kind.dump_python(report, mode="json")}
    put = insert(t.kept_report).values(**row)
    new_id = tx.scalar(
        put.on_conflict_do_update(
            index_elements=["asked", "at"], set_={"report": put.excluded.report}
        ).returning(t.kept_report.c.id)
    )
    c = t.kept_report.c
    tx.execute(sa.delete(t.kept_report).where(c.id <= new_id - _MOST_STORED))


def stored_report(tx: Tx, kind: TypeAdapter[_T], asked: object, *, at: datetime) -> _T | None:
    """The report of the query `asked` as of exactly this moment; None if it is not stored."""
    c = t.kept_report.c
    held: Any = tx.scalar(sa.select(c.report).where(c.asked == _digest(asked), c.at == at))
    return None if held is None else kind.validate_python(held)


def _digest(asked: object) -> str:
    return hashlib.blake2b(f"{DEFINITIONS_HASH} {asked!r}".encode(), digest_size=16).hexdigest()
