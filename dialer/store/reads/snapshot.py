"""One moment of the whole database, for figures that must agree with each other."""

from __future__ import annotations

import sqlalchemy as sa

from dialer.store.unit_of_work import Tx

_SAME_MOMENT = sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def hold(tx: Tx) -> None:
    """Every statement after this sees the same moment; must be the transaction's first. Nothing can be written."""
    tx.execute(_SAME_MOMENT)
