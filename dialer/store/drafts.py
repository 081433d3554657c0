"""Lists that were dropped and are looked at: sealed like every list, their owner's alone, forgotten after a while."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dialer.domain.load import LoadState
from dialer.store import tables as t
from dialer.store.unit_of_work import Tx


def is_mine(tx: Tx, draft_id: int, *, by: str) -> bool:
    return bool(tx.scalar(sa.select(sa.func.count()).select_from(t.list_load).where(*_mine(draft_id, by))))


def keep(tx: Tx, draft_id: int, *, until: datetime) -> None:
    """It is not forgotten before (real clock)."""
    tx.execute(
        sa.update(t.list_load).where(t.list_load.c.id == draft_id, _IS_DRAFT).values(lease_until=until)
    )


def tell(tx: Tx, draft_id: int, *, total: int | None, columns: Sequence[dict[str, Any]]) -> None:
    """What the last look found; a look that did not reach the end leaves what is known of the length."""
    known = {} if total is None else {"total": total}
    tx.execute(
        sa.update(t.list_load)
        .where(t.list_load.c.id == draft_id, _IS_DRAFT)
        .values(columns=list(columns), **known)
    )


def rename(tx: Tx, draft_id: int, *, source: str) -> None:
    """Rows without a source of their own come from this one. Read otherwise, it may have another length."""
    tx.execute(
        sa.update(t.list_load)
        .where(t.list_load.c.id == draft_id, _IS_DRAFT)
        .values(source=source, total=None)
    )


def release(tx: Tx, draft_id: int, *, by: str, needs_approval: bool, now: datetime) -> bool:
    """It waits for a worker, or but for its high grades for a second person. False for one that is no draft of theirs
    (any more).
    """
    done = tx.execute(
        sa.update(t.list_load)
        .where(*_mine(draft_id, by))
        .values(
            state=LoadState.WAITING.value, needs_approval=needs_approval, lease_until=None, created_at=now
        )
    )
    return bool(done.rowcount)


def forget(tx: Tx, draft_id: int, *, by: str) -> bool:
    """It and its file are gone. False for one that is no draft of theirs (any more)."""
    return bool(tx.execute(sa.delete(t.list_load).where(*_mine(draft_id, by))).rowcount)


def forget_old(tx: Tx, *, real_now: datetime) -> int:
    """Those that nobody came back to; how many."""
    done = tx.execute(sa.delete(t.list_load).where(_IS_DRAFT, t.list_load.c.lease_until <= real_now))
    return done.rowcount


_IS_DRAFT = t.list_load.c.state == LoadState.DRAFT.value


def _mine(draft_id: int, by: str) -> tuple[sa.ColumnElement[bool], ...]:
    return t.list_load.c.id == draft_id, t.list_load.c.by == by, _IS_DRAFT
