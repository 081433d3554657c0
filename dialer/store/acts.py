"""What people, and the clock for them, did to a case: lines of its timeline. Words about a person are sealed."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from dialer.domain.acts import ActKind
from dialer.store import tables as t
from dialer.store.unit_of_work import Row, Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """`facts` holds nothing personal; `words` is whatever somebody typed, kept sealed."""

    case_id: int
    kind: ActKind
    by: str
    facts: Mapping[str, object] = field(default_factory=dict)
    words: str = ""


def note(tx: Tx, acts: Sequence[Act], *, now: datetime) -> None:
    """They stand in the timelines of their cases."""
    rows = []
    for act in acts:
        step = f"act.{act.kind}.{uuid.uuid4().hex}"
        sealed = (
            tx.vault.seal(act.words.encode(), table="event", column="sealed", row=f"{act.case_id}/{step}")
            if act.words
            else None
        )
        rows.append(
            {
                "case_id": act.case_id,
                "step": step,
                "kind": act.kind.value,
                "at": now,
                "by": act.by,
                "facts": dict(act.facts),
                "sealed": sealed,
            }
        )
    if rows:
        tx.execute(sa.insert(t.event), rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """An act with the words that were typed for it, in clear."""

    at: datetime
    kind: ActKind
    by: str
    words: str


def words_of(tx: Tx, case_id: int) -> list[Spoken]:
    """What people wrote about this case, oldest first."""
    statement = (
        sa.select(t.event)
        .where(t.event.c.case_id == case_id, t.event.c.attempt_id.is_(None), t.event.c.sealed.is_not(None))
        .order_by(t.event.c.id)
    )
    return [
        Spoken(at=row["at"], kind=ActKind(row["kind"]), by=row["by"], words=opened(tx, row))
        for row in tx.rows(statement)
        if row["kind"] in set(ActKind)
    ]


def last(tx: Tx, case_id: int) -> Row | None:
    """The newest act of a person or the clock on this case."""
    return tx.one(
        sa.select(t.event)
        .where(
            t.event.c.case_id == case_id, t.event.c.attempt_id.is_(None), t.event.c.kind.in_(list(ActKind))
        )
        .order_by(t.event.c.id.desc())
        .limit(1)
    )


def opened(tx: Tx, row: Row) -> str:
    """What was typed for this act, in clear: for who may read it."""
    place = f"{row['case_id']}/{row['step']}"
    return tx.vault.open(row["sealed"], table="event", column="sealed", row=place).decode()
