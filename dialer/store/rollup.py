# ruff: noqa: S608  # every part is a literal of this package; values are bound
"""Keeps the fact rows and the sums of days: what changed cases added is subtracted, what they add now is added.

One fold is one snapshot. It deletes exactly the marks that it sees, and it sees every change whose mark it sees, since
both were committed together; a transaction that commits later leaves its own mark. So no writer ever waits for a fold,
and a report of any moment can tell which cases are not folded yet.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.store import tables as t
from dialer.store.reads.fact_rows import FACTS, FIGURES, FRESH, KEY, FactState, each, state_of
from dialer.store.unit_of_work import Store, Tx

LOCK = 0x666F6C64
"""The advisory lock of a fold: two at once would only wait for each other."""

_CLOCK_SLACK = timedelta(seconds=10)
"""A fold looks this far back, so that a report by a clock a little behind is exact too."""

_SNAPSHOT = sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")

_TAKE_MARKS = sa.text("""
DELETE FROM tally_mark WHERE ctid = ANY(ARRAY(SELECT ctid FROM tally_mark LIMIT :limit)) RETURNING case_id
""")
_TAKE_TURNED = sa.text("SELECT case_id FROM case_fact WHERE turns_at < :now ORDER BY turns_at LIMIT :limit")
_MARK_ALL = sa.text('INSERT INTO tally_mark SELECT id FROM "case" ORDER BY id')
_IS_WAITING = sa.text("""
SELECT EXISTS (SELECT FROM tally_mark) OR EXISTS (SELECT FROM case_fact WHERE turns_at < :now)
""")

_DAY = "day, drill, grade, fraud_type"
_FOLD = sa.text(f"""
WITH {FRESH}, gone AS (
    DELETE FROM case_fact WHERE case_id IN (SELECT id FROM asked) RETURNING {_DAY}, {each("{name}")}
), put AS (
    INSERT INTO case_fact ({", ".join(FACTS)}) SELECT {", ".join(FACTS)} FROM fresh
), moved AS (
    SELECT {_DAY}, {each("{name}")} FROM fresh
    UNION ALL
    SELECT {_DAY}, {each("-{name}")} FROM gone
)
INSERT INTO day_figure AS held ({_DAY}, {each("{name}")})
SELECT {_DAY}, {each("sum({name})")} FROM moved GROUP BY {_DAY} ORDER BY {_DAY}
ON CONFLICT ({_DAY}) DO UPDATE SET {each("{name} = held.{name} + excluded.{name}", FIGURES)}
""")


def is_waiting(tx: Tx, *, timezone: str, now: datetime) -> bool:
    """Whether a fold would have anything to do."""
    state = state_of(tx)
    if state is None or state.timezone != timezone:
        return True
    return bool(tx.scalar(_IS_WAITING, {"now": now - _CLOCK_SLACK}))


def fold(store: Store, *, timezone: str, now: datetime, limit: int) -> int:
    """Takes some of what is waiting, in one transaction; how many marks and turned fact rows that was.

    Facts by other definitions, or of another zone, are begun anew: every case is marked.
    """
    with store.begin() as tx:
        tx.execute(_SNAPSHOT)
        as_of = now - _CLOCK_SLACK
        _ready(tx, timezone=timezone, as_of=as_of)
        found = [row["case_id"] for row in tx.rows(_TAKE_MARKS, {"limit": limit})]
        turned = [row["case_id"] for row in tx.rows(_TAKE_TURNED, {"now": as_of, "limit": limit})]
        ids = sorted({*found, *turned})
        if ids:
            tx.execute(_FOLD, {"ids": ids, "zone": timezone, "now": as_of})
        return len(found) + len(turned)


def _ready(tx: Tx, *, timezone: str, as_of: datetime) -> None:
    state = state_of(tx)
    is_known = state is not None and state.timezone == timezone
    if state is not None and is_known and as_of <= state.as_of:
        return
    if not is_known:
        for table in (t.day_figure, t.case_fact, t.tally_mark):
            tx.execute(sa.delete(table))
        tx.execute(_MARK_ALL)
    value = FactState(timezone=timezone, as_of=as_of).plain()
    statement = insert(t.meta).values(key=KEY, value=value)
    tx.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"value": value}))
