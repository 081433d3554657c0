"""Failed sign-ins by login and by address, kept as keyed hashes. Every time here is the machine's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.store import tables as t
from dialer.store.unit_of_work import Tx


def key(tx: Tx, kind: str, value: str) -> bytes:
    return tx.vault.blind(f"{kind}\0{value}", kind="sign_in")


def blocked_until(tx: Tx, keys: Sequence[bytes], *, real_now: datetime) -> datetime | None:
    """When the last of these blocks ends; None when nothing is blocked."""
    found: datetime | None = tx.scalar(
        sa.select(sa.func.max(t.sign_in_failure.c.blocked_until)).where(
            t.sign_in_failure.c.key.in_(keys), t.sign_in_failure.c.blocked_until > real_now
        )
    )
    return found


def count(tx: Tx, one: bytes, *, real_now: datetime, window_start: datetime) -> int:
    """One more failure; how many there have been since the first of this window."""
    f = t.sign_in_failure.c
    fresh = f.since < window_start
    statement = insert(t.sign_in_failure).values(key=one, failures=1, since=real_now)
    return int(
        tx.scalar(
            statement.on_conflict_do_update(
                index_elements=["key"],
                set_={
                    "failures": sa.case((fresh, 1), else_=f.failures + 1),
                    "since": sa.case((fresh, real_now), else_=f.since),
                    "blocked_until": sa.case((fresh, None), else_=f.blocked_until),
                },
            ).returning(f.failures)
        )
    )


def block(tx: Tx, one: bytes, *, until: datetime) -> None:
    """Nothing is tried for it until then; afterwards it counts from one again."""
    tx.execute(
        sa.update(t.sign_in_failure)
        .where(t.sign_in_failure.c.key == one)
        .values(blocked_until=until, failures=0)
    )


def clear(tx: Tx, one: bytes) -> None:
    tx.execute(sa.delete(t.sign_in_failure).where(t.sign_in_failure.c.key == one))


def forget(tx: Tx, *, before: datetime) -> None:
    """Old ones are deleted: somebody who tries many names fills no disk."""
    f = t.sign_in_failure.c
    tx.execute(
        sa.delete(t.sign_in_failure).where(
            f.since < before, sa.or_(f.blocked_until.is_(None), f.blocked_until < before)
        )
    )
