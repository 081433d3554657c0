"""The audit: who saw, changed or exported what, when and why. Append-only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from dialer.store import tables as t
from dialer.store.unit_of_work import Tx


def write(
    tx: Tx,
    *,
    who: str,
    act: str,
    subject: str,
    why: str,
    now: datetime,
    facts: Mapping[str, object] | None = None,
) -> None:
    """One more line; `subject` names a row, such as case/7, and nothing here is personal."""
    tx.execute(
        sa.insert(t.audit).values(at=now, who=who, act=act, subject=subject, why=why, facts=dict(facts or {}))
    )


def is_written(tx: Tx, *, who: str, act: str, subject: str, facts: Mapping[str, object]) -> bool:
    """There is such a line with all of these facts already."""
    a = t.audit.c
    found = sa.select(a.id).where(
        a.subject == subject, a.who == who, a.act == act, a.facts.contains(dict(facts))
    )
    return tx.scalar(found.limit(1)) is not None
