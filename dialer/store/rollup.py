# ruff: noqa: S608  # every part is a literal of this package or a word of our own enumerations; values are bound
"""Keeps the tally: what changed cases added to the figures is taken back, what they add now is brought.

One fold is one snapshot. It deletes exactly the marks that it sees, and it sees every change whose mark it sees, since
both were committed together; whoever commits later leaves a mark of his own. So no writer ever waits for a fold, and a
report of any moment can tell which cases the tally does not know yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.store import tables as t
from dialer.store.reads.atoms import FORM, FRESH
from dialer.store.reads.tallied import KEY, Place, state_of, sums_of
from dialer.store.unit_of_work import Row, Store, Tx

LOCK = 0x666F6C64
"""The advisory lock of whoever folds: two at once would only wait for each other."""

_CLOCK_SLACK = timedelta(seconds=10)
"""A fold looks this far back, so that a report by a clock a little behind is exact too."""

_SNAPSHOT = sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")

_TAKE_MARKS = sa.text("""
DELETE FROM tally_mark WHERE ctid = ANY(ARRAY(SELECT ctid FROM tally_mark LIMIT :limit)) RETURNING case_id
""")
_TAKE_TURNED = sa.text("SELECT case_id FROM tally_case WHERE turns_at < :now ORDER BY turns_at LIMIT :limit")
_MARK_ALL = sa.text('INSERT INTO tally_mark SELECT id FROM "case" ORDER BY id')
_IS_WAITING = sa.text("""
SELECT EXISTS (SELECT FROM tally_mark) OR EXISTS (SELECT FROM tally_case WHERE turns_at < :now)
""")

_CHANGES = sa.text(f"""
WITH {FRESH}, put AS (
    INSERT INTO tally_case AS held
        (case_id, atoms, money_atoms, money_fen, first_us, day, grade, fraud_type, drill, turns_at)
    SELECT case_id, atoms, money_atoms, money_fen, first_us, day, grade, fraud_type, drill, turns_at FROM fresh
    ON CONFLICT (case_id) DO UPDATE SET
        atoms = excluded.atoms, money_atoms = excluded.money_atoms, money_fen = excluded.money_fen,
        first_us = excluded.first_us, day = excluded.day, grade = excluded.grade,
        fraud_type = excluded.fraud_type, drill = excluded.drill, turns_at = excluded.turns_at
    WHERE (held.atoms, held.money_atoms, held.money_fen, held.first_us, held.turns_at) IS DISTINCT FROM
        (excluded.atoms, excluded.money_atoms, excluded.money_fen, excluded.first_us, excluded.turns_at)
), gone AS (
    DELETE FROM tally_case WHERE case_id IN (SELECT id FROM asked EXCEPT SELECT case_id FROM fresh)
), was AS (
    SELECT atoms, money_atoms, money_fen FROM tally_case WHERE case_id IN (SELECT id FROM asked)
)
SELECT atom, CAST(sum(n) AS bigint) AS n FROM (
    SELECT unnest(atoms) AS atom, 1 AS n FROM fresh
    UNION ALL
    SELECT unnest(atoms), -1 FROM was
    UNION ALL
    SELECT m.atom, m.fen FROM fresh CROSS JOIN LATERAL unnest(money_atoms, money_fen) AS m (atom, fen)
    UNION ALL
    SELECT m.atom, -m.fen FROM was CROSS JOIN LATERAL unnest(money_atoms, money_fen) AS m (atom, fen)
) moved GROUP BY atom HAVING sum(n) <> 0
""")

_ADD = sa.text("""
INSERT INTO tally AS held (drill, whole_month, start, slice, measure, n)
SELECT * FROM unnest(
    CAST(:drill AS boolean[]), CAST(:whole_month AS boolean[]), CAST(:start AS date[]),
    CAST(:slice AS smallint[]), CAST(:measure AS smallint[]), CAST(:n AS bigint[]))
ON CONFLICT (drill, whole_month, start, slice, measure) DO UPDATE SET n = held.n + excluded.n
""")


def is_waiting(tx: Tx, *, timezone: str, now: datetime) -> bool:
    """Whether a fold would have anything to do."""
    state = state_of(tx)
    if state is None or state.timezone != timezone:
        return True
    return bool(tx.scalar(_IS_WAITING, {"now": now - _CLOCK_SLACK}))


def fold(store: Store, *, timezone: str, now: datetime, limit: int) -> int:
    """Some of what was waiting is in the tally, in one transaction; how many marks and turned cases that was.

    A tally by other definitions, or of another zone, is begun anew: every case is marked.
    """
    with store.begin() as tx:
        tx.execute(_SNAPSHOT)
        as_of = now - _CLOCK_SLACK
        _ready(tx, timezone=timezone, as_of=as_of)
        found = [row["case_id"] for row in tx.rows(_TAKE_MARKS, {"limit": limit})]
        turned = [row["case_id"] for row in tx.rows(_TAKE_TURNED, {"now": as_of, "limit": limit})]
        ids = sorted({*found, *turned})
        if ids:
            changes = tx.rows(_CHANGES, {"ids": ids, "zone": timezone, "now": as_of})
            _add(tx, {row["atom"]: row["n"] for row in changes})
        return len(found) + len(turned)


def _ready(tx: Tx, *, timezone: str, as_of: datetime) -> None:
    state = state_of(tx)
    if state is not None and state.timezone == timezone:
        if as_of > state.as_of:
            _note(tx, timezone=timezone, as_of=as_of)
        return
    for table in (t.tally, t.tally_case, t.tally_mark):
        tx.execute(sa.delete(table))
    tx.execute(_MARK_ALL)
    _note(tx, timezone=timezone, as_of=as_of)


def _note(tx: Tx, *, timezone: str, as_of: datetime) -> None:
    value = {"form": FORM, "timezone": timezone, "as_of": as_of.isoformat()}
    statement = insert(t.meta).values(key=KEY, value=value)
    tx.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"value": value}))


def _add(tx: Tx, atoms: Mapping[int, int]) -> None:
    days = sums_of(atoms)
    months: Counter[Place] = Counter()
    for (drill, day, one, measure), n in days.items():
        months[drill, day.replace(day=1), one, measure] += n
    rows = [*_rows(days, whole_month=False), *_rows(months, whole_month=True)]
    if rows:
        columns = ("drill", "whole_month", "start", "slice", "measure", "n")
        tx.execute(_ADD, {name: [row[name] for row in rows] for name in columns})


def _rows(sums: Counter[Place], *, whole_month: bool) -> Iterable[Row]:
    # In one order, so that two folds could at most wait for each other.
    for (drill, start, one, measure), n in sorted(sums.items()):
        if n:
            yield {
                "drill": drill,
                "whole_month": whole_month,
                "start": start,
                "slice": one,
                "measure": measure,
                "n": n,
            }
