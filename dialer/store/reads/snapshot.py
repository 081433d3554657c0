"""One moment of the whole database, for figures that must agree with each other."""

from __future__ import annotations

import sqlalchemy as sa

from dialer.store import tables as t
from dialer.store.unit_of_work import Tx

_SAME_MOMENT = sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def hold(tx: Tx) -> None:
    """Every statement after this sees the same moment; must be the transaction's first. Nothing can be written."""
    tx.execute(_SAME_MOMENT)


def is_drill(tx: Tx) -> bool:
    """Whether the database says of itself that it is a drill."""
    return tx.scalar(sa.select(t.meta.c.value).where(t.meta.c.key == "drill")) is True
