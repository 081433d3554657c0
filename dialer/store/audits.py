"""The audit: who saw, changed or exported what, when and why. Append-only.

Why is what a person typed, and may name somebody: it is sealed, and bound to the whole line. A line whose time, person,
act or subject was altered shows itself when it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import sqlalchemy as sa

from dialer.store import tables as t
from dialer.store.unit_of_work import Row, Tx
from dialer.store.vault import Vault


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
    """One more line; `subject` names a row, such as case/7. Nothing but `why` may be personal."""
    line = {"at": now, "who": who, "act": act, "subject": subject}
    sealed = (
        tx.vault.seal(why.encode(), table="audit", column="why_sealed", row=_bound_to(line)) if why else None
    )
    tx.execute(sa.insert(t.audit).values(**line, why_sealed=sealed, facts=dict(facts or {})))


def why_of(vault: Vault, row: Row) -> str:
    """Of a whole line of the audit. Raises `Tampered` where it is not the one that was written."""
    if row["why_sealed"] is None:
        # Written before reasons were sealed, or without one.
        return str(row["why"])
    return vault.open(row["why_sealed"], table="audit", column="why_sealed", row=_bound_to(row)).decode()


def last_why(tx: Tx, *, act: str, subject: str) -> str:
    """The reason given the last time this was done; '' when it never was."""
    a = t.audit.c
    row = tx.one(sa.select(t.audit).where(a.act == act, a.subject == subject).order_by(a.id.desc()).limit(1))
    return "" if row is None else why_of(tx.vault, row)


def _bound_to(line: Row) -> str:
    at: datetime = line["at"]
    return "\0".join((at.astimezone(UTC).isoformat(), line["who"], line["act"], line["subject"]))


def is_written(tx: Tx, *, who: str, act: str, subject: str, facts: Mapping[str, object]) -> bool:
    """There is such a line with all of these facts already."""
    a = t.audit.c
    found = sa.select(a.id).where(
        a.subject == subject, a.who == who, a.act == act, a.facts.contains(dict(facts))
    )
    return tx.scalar(found.limit(1)) is not None
