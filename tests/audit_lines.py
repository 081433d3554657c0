"""The audit as an auditor reads it, with its reasons opened."""

from __future__ import annotations

import sqlalchemy as sa

from dialer.store import audits
from dialer.store import tables as t
from dialer.store.unit_of_work import Row, Store


def audit_lines(store: Store) -> list[Row]:
    """The oldest first."""
    with store.begin() as tx:
        rows = tx.rows(sa.select(t.audit).order_by(t.audit.c.id))
        return [dict(row) | {"why": audits.reason_of(tx.vault, row).why} for row in rows]
