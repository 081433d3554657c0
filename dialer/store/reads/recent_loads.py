"""The newest lists by name, to choose one from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from dialer.store import tables as t
from dialer.store.unit_of_work import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentLoad:
    id: int
    filename: str
    created_at: datetime


def recent_loads(tx: Tx, *, limit: int = 50) -> list[RecentLoad]:
    load = t.list_load.c
    rows = tx.rows(sa.select(load.id, load.filename, load.created_at).order_by(load.id.desc()).limit(limit))
    return [RecentLoad(**row) for row in rows]
