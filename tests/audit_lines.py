"""The audit as an auditor reads it, with its reasons opened."""

from __future__ import annotations

import sqlalchemy as sa

from dialer.db import tables as t
from dialer.db.audit import audit_reason
from dialer.db.unit_of_work import Row, Store


def audit_lines(store: Store) -> list[Row]:
    """The oldest first."""
    with store.begin() as tx:
        rows = tx.rows(sa.select(t.audit).order_by(t.audit.c.id))
        return [dict(row) | {"why": audit_reason(tx.vault, row).why} for row in rows]
