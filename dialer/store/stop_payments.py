"""Stop-payment tasks 止付: one open a case, however often it is said."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.domain.stop_payment import StopResult
from dialer.errors import Conflict, NotFound
from dialer.store import tables as t
from dialer.store.cases import StoredCase
from dialer.store.unit_of_work import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class StopPayment:
    id: int
    case_id: int
    attempt_id: uuid.UUID | None
    opened_at: datetime


def opened(stored: StoredCase, attempt_id: uuid.UUID | None, *, at: datetime) -> dict[str, Any]:
    """The row of a new task; `attempt_id` is the ring in which it was said."""
    return {"case_id": stored.case.id, "attempt_id": attempt_id, "opened_at": at, "drill": stored.drill}


def open_all(tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
    """Each is open afterwards, or was before."""
    if rows:
        tx.execute(
            insert(t.stop_payment)
            .values(list(rows))
            .on_conflict_do_nothing(
                index_elements=["case_id"], index_where=t.stop_payment.c.done_at.is_(None)
            )
        )


def waiting(tx: Tx, *, limit: int = 100) -> list[StopPayment]:
    """Open ones, the oldest first."""
    columns = (t.stop_payment.c[name] for name in ("id", "case_id", "attempt_id", "opened_at"))
    statement = (
        sa.select(*columns)
        .where(t.stop_payment.c.done_at.is_(None))
        .order_by(t.stop_payment.c.opened_at)
        .limit(limit)
    )
    return [StopPayment(**row) for row in tx.rows(statement)]


def done(tx: Tx, stop_payment_id: int, *, by: str, result: StopResult, now: datetime) -> int:
    """Its case. Raises `NotFound`, and `Conflict` when somebody was faster."""
    row = tx.one(
        sa.update(t.stop_payment)
        .where(t.stop_payment.c.id == stop_payment_id, t.stop_payment.c.done_at.is_(None))
        .values(done_at=now, done_by=by, result=result.value)
        .returning(t.stop_payment.c.case_id)
    )
    if row is not None:
        return int(row["case_id"])
    earlier = tx.one(sa.select(t.stop_payment.c.result).where(t.stop_payment.c.id == stop_payment_id))
    if earlier is None:
        raise NotFound(kind="stop payment", key=stop_payment_id)
    raise Conflict("the stop payment is done already", current=earlier["result"])
