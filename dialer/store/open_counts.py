"""How many open cases each unit has, and each text that no unit is known by. Triggers note what changes; a fold adds it
up. Together they are exact in every transaction, and nobody ever counts the cases themselves.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from dialer.domain.values import Grade
from dialer.store import tables as t
from dialer.store.unit_of_work import Tx

TEXT_SIGNS = 100
"""So much of a text tells it from others."""
_LOCK = 0x6F70656E

_FOLD = sa.text("""
WITH gone AS (DELETE FROM open_change RETURNING unit_id, text, grade, n),
moved AS (SELECT unit_id, text, grade, CAST(sum(n) AS bigint) AS n FROM gone GROUP BY 1, 2, 3 HAVING sum(n) <> 0)
INSERT INTO open_count AS held (unit_id, text, grade, n) SELECT unit_id, text, grade, n FROM moved
ON CONFLICT (unit_id, text, grade) DO UPDATE SET n = held.n + excluded.n
""")
_DROP_EMPTY = sa.text("DELETE FROM open_count WHERE n = 0")
_IS_WAITING = sa.text("SELECT EXISTS (SELECT FROM open_change)")


def fold(tx: Tx) -> None:
    """What has changed is in the counts; nothing is done while another process does it."""
    if not tx.scalar(_IS_WAITING) or not tx.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_LOCK))):
        return
    tx.execute(_FOLD)
    tx.execute(_DROP_EMPTY)


def recount(tx: Tx) -> None:
    """From the cases themselves, for whoever wrote them without the triggers; nobody else writes cases meanwhile."""
    tx.execute(sa.delete(t.open_change))
    tx.execute(sa.delete(t.open_count))
    c = t.case.c
    text = sa.case((c.unit_id.is_(None), sa.func.left(c.unit, TEXT_SIGNS)), else_="")
    counted = sa.select(sa.func.coalesce(c.unit_id, 0), text, c.grade, sa.func.count())
    rows = counted.where(c.status == sa.literal_column("'open'")).group_by(sa.text("1, 2, 3"))
    tx.execute(sa.insert(t.open_count).from_select(["unit_id", "text", "grade", "n"], rows))


def rows(*, sorted_out: bool) -> sa.Subquery:
    """(unit_id, text, grade, n), each as often as it was noted: of units, or of texts that wait for one."""
    both = sa.union_all(
        *(
            sa.select(*(one.c[name] for name in ("unit_id", "text", "grade", "n"))).where(
                one.c.unit_id != 0 if sorted_out else one.c.unit_id == 0
            )
            for one in (t.open_count, t.open_change)
        )
    )
    return both.subquery("counted")


def of_units(tx: Tx) -> dict[int, dict[Grade, int]]:
    """Open cases of each unit itself, by grade; a unit without any is left out."""
    counted = rows(sorted_out=True).c
    statement = (
        sa.select(counted.unit_id, counted.grade, sa.func.sum(counted.n).label("n"))
        .group_by(counted.unit_id, counted.grade)
        .having(sa.func.sum(counted.n) > 0)
    )
    found: dict[int, dict[Grade, int]] = {}
    for row in tx.rows(statement):
        found.setdefault(row["unit_id"], {})[Grade(row["grade"])] = int(row["n"])
    return found


def waiting_texts(tx: Tx) -> Iterable[str]:
    """The beginning of every text that some open case waits for its unit with; not the blank one."""
    counted = rows(sorted_out=False).c
    statement = (
        sa.select(counted.text)
        .where(counted.text != "")
        .group_by(counted.text)
        .having(sa.func.sum(counted.n) > 0)
    )
    return [row["text"] for row in tx.rows(statement)]


def waiting(tx: Tx) -> int:
    """Open cases without a unit."""
    counted = rows(sorted_out=False).c
    return int(tx.scalar(sa.select(sa.func.coalesce(sa.func.sum(counted.n), 0))))
