"""The last good moments that are in the rows themselves, and how large the database is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from dialer.store import tables as t
from dialer.store.unit_of_work import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseFacts:
    version: str
    size_bytes: int


_LOOKED_BACK = 20_000


def last_heard(tx: Tx) -> datetime | None:
    """When the telephone network last said anything about a call (service time); None when that is not among the
    newest 20,000 events. Acts of people lie between its words, and a night may have many of them.
    """
    e = t.event.c
    newest = sa.select(e.at, e.attempt_id).order_by(e.id.desc()).limit(_LOOKED_BACK).subquery()
    found: datetime | None = tx.scalar(
        sa.select(newest.c.at).where(newest.c.attempt_id.is_not(None)).limit(1)
    )
    return found


def database_facts(tx: Tx) -> DatabaseFacts:
    row = tx.one(
        sa.text(
            "SELECT current_setting('server_version') AS version,"
            " pg_database_size(current_database()) AS size_bytes"
        )
    )
    assert row is not None
    return DatabaseFacts(**row)
