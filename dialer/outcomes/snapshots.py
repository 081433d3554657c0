"""Reports as they were shown, as rows: what is opened from a report later reads the same figures.

A case is changed in place, so a report of an earlier moment cannot be counted again. It is kept instead, for the
period of `dialer/control/retention.py`, a day.
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
from dialer.outcomes.rollup import FORM

_MOST_KEPT = 5_000
"""About 100 MB, however often pages are opened."""
_T = TypeVar("_T")


def keep_report(tx: Tx, kind: TypeAdapter[_T], asked: object, report: _T, *, at: datetime) -> None:
    """Keeps the report that answers `asked`, a value whose repr says all of it; deletes the oldest ones."""
    row = {"asked": _digest(asked), "at": at, "report": kind.dump_python(report, mode="json")}
    put = insert(t.kept_report).values(**row)
    kept_id = tx.scalar(
        put.on_conflict_do_update(
            index_elements=["asked", "at"], set_={"report": put.excluded.report}
        ).returning(t.kept_report.c.id)
    )
    kept = t.kept_report.c
    tx.execute(sa.delete(t.kept_report).where(kept.id <= kept_id - _MOST_KEPT))


def kept_report(tx: Tx, kind: TypeAdapter[_T], asked: object, *, at: datetime) -> _T | None:
    """The report that answered `asked` at exactly this moment; None: it is not kept."""
    kept = t.kept_report.c
    held: Any = tx.scalar(sa.select(kept.report).where(kept.asked == _digest(asked), kept.at == at))
    return None if held is None else kind.validate_python(held)


def _digest(asked: object) -> str:
    return hashlib.blake2b(f"{FORM} {asked!r}".encode(), digest_size=16).hexdigest()
