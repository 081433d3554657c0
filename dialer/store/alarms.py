"""Alarms: what a supervisor must see. Kept until somebody has."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from dialer.domain.effects import AlarmCode
from dialer.store import tables as t
from dialer.store.unit_of_work import Tx


def ring(
    tx: Tx,
    code: AlarmCode,
    *,
    now: datetime,
    case_id: int | None = None,
    load_id: int | None = None,
    facts: Mapping[str, object] | None = None,
) -> None:
    """One more unseen alarm; `facts` holds nothing personal."""
    tx.execute(
        sa.insert(t.alarm).values(
            code=code.value, case_id=case_id, load_id=load_id, facts=dict(facts or {}), raised_at=now
        )
    )


def ring_once(tx: Tx, code: AlarmCode, *, now: datetime, facts: Mapping[str, object] | None = None) -> None:
    """As `ring`, unless an unseen alarm of this kind stands already."""
    standing = tx.scalar(
        sa.select(t.alarm.c.id)
        .where(t.alarm.c.code == code.value, t.alarm.c.seen_at.is_(None), t.alarm.c.case_id.is_(None))
        .limit(1)
    )
    if standing is None:
        ring(tx, code, now=now, facts=facts)
