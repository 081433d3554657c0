"""The figures of a cut, counted from the records themselves, by the same conditions as every report.

A warning, a call, a human call, a visit and an amount belong to the cut that their case belongs to as it is now.

Counts of the whole book as it stands: for a progress line, and for the account that a drill gives of itself.
"""

# ruff: noqa: S608  # every part is a literal of this package or a word of our own enumerations; values are bound

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dialer.core.attempt import LIVE_STATES, AttemptState
from dialer.core.case import PENDING_STATES, CaseStatus, RobotState
from dialer.core.periods import Period
from dialer.core.rates import COUNTED, WAIT_BOUNDS_SECONDS, Breakdown, Cut, Dimension, Waits
from dialer.core.values import Grade, LoadState, TelephonyResult
from dialer.db import tables as t
from dialer.db.bulk import in_words
from dialer.db.measures import (
    ASSIGNMENT_MEASURES,
    CALL_MEASURES,
    CASE_MEASURES,
    SENT,
    WARNING_MEASURES,
    counts_of,
)
from dialer.db.unit_of_work import Tx
from dialer.outcomes.measures import ASSIGNMENTS, CALLS, CASES, MONEY_COLUMNS, slice_of, within

_FIRST_SCRIPT = (
    "(SELECT f.script_id FROM attempt f WHERE f.case_id = c.id AND f.script_id <> '' ORDER BY f.n LIMIT 1)"
)
_HOUR = "CAST(EXTRACT(HOUR FROM c.opened_at AT TIME ZONE :zone) AS integer)"

_VALUES: Mapping[Dimension, str] = {
    # The unit that stands right below the reader's own on the way to the case's unit, or the case's unit itself.
    Dimension.UNIT: "(SELECT coalesce(u.path[CAST(:depth AS integer) + 1], u.id) FROM unit u WHERE u.id = c.unit_id)",
    Dimension.GRADE: "c.grade",
    Dimension.FRAUD_TYPE: "c.fraud_type",
    Dimension.SOURCE: "c.source",
    Dimension.SCRIPT: _FIRST_SCRIPT,
    Dimension.HOUR: _HOUR,
}

_NARROWED: Mapping[str, str] = {
    "unit_ids": "c.unit_id = ANY(CAST(:unit_ids AS bigint[]))",
    "grade": "c.grade = :grade",
    "fraud_type": "c.fraud_type = :fraud_type",
    "source": "c.source = :source",
    "script_id": f"{_FIRST_SCRIPT} = :script_id",
    "hour": f"{_HOUR} = :hour",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What every statement here is asked with. `depth`: how many units stand above those that are set side by side."""

    cut: Cut
    period: Period
    drill: bool
    now: datetime
    timezone: str
    depth: int = 0

    def given(self, **more: object) -> dict[str, Any]:
        values: dict[str, Any] = {
            "start": self.period.start,
            "end": self.period.end,
            "drill": self.drill,
            "now": self.now,
            "zone": self.timezone,
            "depth": self.depth,
        }
        return values | _given(self.cut) | more

    def narrow(self) -> str:
        """A condition on `c`, a case; empty parts are left out, so that an index may serve the others."""
        return " AND ".join(_NARROWED[name] for name in _given(self.cut)) or "true"


def _given(cut: Cut) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if cut.unit_ids is not None:
        given["unit_ids"] = list(cut.unit_ids)
    if cut.grade is not None:
        given["grade"] = cut.grade.value
    if cut.fraud_type is not None:
        given["fraud_type"] = cut.fraud_type.value
    if cut.source:
        given["source"] = cut.source
    if cut.script_id:
        given["script_id"] = cut.script_id
    if cut.hour is not None:
        given["hour"] = cut.hour
    return given


_PERCENTILES = ", ".join(
    f"percentile_cont({part}) WITHIN GROUP (ORDER BY first_seconds) FILTER (WHERE first_at IS NOT NULL) AS {name}"
    for name, part in (("p50_seconds", 0.5), ("p90_seconds", 0.9))
)

_AMOUNTS = """
    SELECT o.case_id, o.intended_fen, o.stopped_fen, o.returned_fen,
        EXISTS (SELECT FROM outcome_approval p WHERE p.outcome_id = o.id) AS approved,
        EXISTS (
            SELECT FROM outcome later WHERE later.reverses = o.id AND later.reverses IS NOT NULL
        ) AS reversed
    FROM outcome o JOIN "case" c ON c.id = o.case_id
    WHERE o.intended_fen + o.stopped_fen + o.returned_fen > 0 AND {which}
"""


def read_breakdown(tx: Tx, dimension: Dimension, window: Window) -> Breakdown:
    """The cut as a whole and by one dimension. Hold a snapshot first, so that the numbers agree."""
    total: dict[str, Any] = {}
    numbers: dict[str, dict[str, Any]] = {}
    for statement in _statements(_VALUES[dimension], window.narrow()):
        for row in tx.rows(sa.text(statement), window.given()):
            if row["is_whole"]:
                total.update(row)
            else:
                numbers.setdefault(row["value"], {}).update(row)
    return Breakdown(
        dimension=dimension,
        total=slice_of(total),
        slices={value: slice_of(found) for value, found in sorted(numbers.items())},
    )


def _statements(value: str, narrow: str) -> tuple[str, ...]:
    def counted(records: str, case_id: str, columns: str, *, before: str = "") -> str:
        return f"""
            WITH {before} records AS ({records})
            SELECT coalesce(CAST(d.value AS text), '') AS value, GROUPING(d.value) = 1 AS is_whole, {columns}
            FROM records r CROSS JOIN LATERAL (SELECT {value} AS value FROM "case" c WHERE c.id = r.{case_id}) d
            GROUP BY GROUPING SETS ((), (d.value))
        """

    def which(table: str, moment: str) -> str:
        return f"{table}.drill = :drill AND {within(f'{table}.{moment}')} AND {narrow}"

    return (
        counted(
            f'SELECT w.case_id FROM warning w JOIN "case" c ON c.id = w.case_id WHERE {which("w", "loaded_at")}',
            "case_id",
            counts_of(WARNING_MEASURES),
        ),
        counted(
            "SELECT * FROM timed",
            "id",
            f"{counts_of(CASE_MEASURES)}, {_PERCENTILES}",
            before=f"{CASES.format(which=which('c', 'opened_at'))},",
        ),
        counted(
            f"SELECT * FROM calls WHERE {SENT}",
            "case_id",
            counts_of(CALL_MEASURES),
            before=f"calls AS ({CALLS.format(which=which('a', 'sent_at'))}),",
        ),
        counted(ASSIGNMENTS.format(which=which("s", "opened_at")), "case_id", counts_of(ASSIGNMENT_MEASURES)),
        counted(_AMOUNTS.format(which=which("o", "at")), "case_id", MONEY_COLUMNS),
    )


def read_waits(tx: Tx, window: Window) -> Waits:
    """How long the cases of the cut waited for their first ring, call or visit."""
    which = f"c.drill = :drill AND {within('c.opened_at')} AND {window.narrow()}"
    statement = f"""
        WITH {CASES.format(which=which)}
        SELECT grade, width_bucket(CAST(first_seconds AS double precision), CAST(:bounds AS double precision[])) AS bar,
            count(*) AS n
        FROM timed WHERE first_at IS NOT NULL GROUP BY 1, 2
    """
    found = {grade: [0] * (len(WAIT_BOUNDS_SECONDS) + 1) for grade in Grade}
    for row in tx.rows(sa.text(statement), window.given(bounds=[float(b) for b in WAIT_BOUNDS_SECONDS])):
        found[Grade(row["grade"])][row["bar"]] = row["n"]
    return Waits(by_grade={grade: tuple(bars) for grade, bars in found.items()})


def case_ids_behind(tx: Tx, measure: str, window: Window, *, before_id: int | None, limit: int) -> list[int]:
    """The cases behind one count, newest first: those it counts, or whose calls, errands or warnings it counts. What
    most cases have is found among the newest; what is rare is looked for ever further back.

    Raises `KeyError` for a name that nothing counts by itself.
    """
    condition, records = _SOURCES[measure]
    narrow = f"{window.narrow()} AND c.id < :before_id AND c.id >= :from_id"
    statement = sa.text(records.format(condition=condition, narrow=narrow))
    found: list[int] = []
    before, id_range = before_id if before_id is not None else _NEWEST, _FIRST_ID_RANGE
    while len(found) < limit and before > _OLDEST:
        lowest = tx.scalar(_ID_RANGE, {"before_id": before, "stretch": id_range})
        if lowest is None:
            break
        given = window.given(before_id=before, from_id=lowest, limit=limit - len(found))
        found += [row["id"] for row in tx.rows(statement, given)]
        before, id_range = lowest, id_range * 4
    return found


def figure_sources(tx: Tx) -> list[str]:
    """Every source that a case came from, by name: skips from one to the next on the index, however many cases."""
    return [row["value"] for row in tx.rows(_EACH_SOURCE)]


def figure_scripts(tx: Tx) -> list[str]:
    """Every script that has a version here, by name."""
    return [row["value"] for row in tx.rows(_EACH_SCRIPT)]


_EACH_SOURCE = sa.text("""
WITH RECURSIVE each_one AS (
    (SELECT source AS value FROM warning ORDER BY source LIMIT 1)
    UNION ALL
    SELECT (SELECT w.source FROM warning w WHERE w.source > e.value ORDER BY w.source LIMIT 1)
    FROM each_one e WHERE e.value IS NOT NULL
)
SELECT value FROM each_one WHERE value IS NOT NULL LIMIT 500
""")
_EACH_SCRIPT = sa.text("SELECT DISTINCT script_id AS value FROM script_version ORDER BY 1")

_FIRST_ID_RANGE = 2_000
"""So many of the newest cases are looked through first, then four times as many, and so on."""
_NEWEST, _OLDEST = 2**62, 0
_ID_RANGE = sa.text("""
SELECT min(id) FROM (SELECT id FROM "case" WHERE id < :before_id ORDER BY id DESC LIMIT :stretch) newest
""")

_ORDERED = " ORDER BY id DESC LIMIT :limit"


def _which(table: str, moment: str) -> str:
    return f"{table}.drill = :drill AND {within(f'{table}.{moment}')} AND {{narrow}}"


_CASES_BEHIND = (
    f"WITH {CASES.format(which=_which('c', 'opened_at'))} SELECT id FROM timed WHERE {{condition}}{_ORDERED}"
)
_CALLS_BEHIND = (
    f"WITH calls AS ({CALLS.format(which=_which('a', 'sent_at'))})"
    f" SELECT DISTINCT case_id AS id FROM calls WHERE ({SENT}) AND ({{condition}}){_ORDERED}"
)
_ASSIGNMENTS_BEHIND = (
    f"WITH errands AS ({ASSIGNMENTS.format(which=_which('s', 'opened_at'))})"
    f" SELECT DISTINCT case_id AS id FROM errands WHERE {{condition}}{_ORDERED}"
)
_WARNINGS_BEHIND = (
    f'WITH warned AS (SELECT w.case_id FROM warning w JOIN "case" c ON c.id = w.case_id'
    f" WHERE {_which('w', 'loaded_at')})"
    f" SELECT DISTINCT case_id AS id FROM warned WHERE {{condition}}{_ORDERED}"
)
_SOURCES: Mapping[str, tuple[str, str]] = {
    name: (condition, records)
    for measures, records in (
        (WARNING_MEASURES, _WARNINGS_BEHIND),
        (CASE_MEASURES, _CASES_BEHIND),
        (CALL_MEASURES, _CALLS_BEHIND),
        (ASSIGNMENT_MEASURES, _ASSIGNMENTS_BEHIND),
    )
    for name, condition in measures.items()
}
BEHIND = frozenset(_SOURCES)
"""The counts that `behind` can open."""

assert set(COUNTED) <= BEHIND


@dataclass(frozen=True, slots=True, kw_only=True)
class NotCalled:
    """Attempts that made no telephone ring, by why. Busy, switched off and wrong numbers are unreachable."""

    refused: int
    cancelled: int
    unreachable: int
    unknown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    loading: int
    """Lists that are not loaded to their end."""
    robots: int
    """Open cases with a ring planned or live."""
    live: int
    """Calls at the carrier now."""
    attempts: int
    rung: int
    waiting_work: int
    cases: dict[str, int]

    @property
    def is_settled(self) -> bool:
        return self.loading == 0 and self.robots == 0 and self.live == 0


def read_progress(tx: Tx) -> Progress:
    """One moment of the whole database; meant for thousands of rows, not for millions."""
    loading = tx.scalar(
        sa.select(sa.func.count())
        .select_from(t.list_load)
        .where(t.list_load.c.state.in_([LoadState.WAITING.value, LoadState.RUNNING.value]))
    )
    cases = tx.rows(sa.select(t.case.c.status, sa.func.count().label("n")).group_by(t.case.c.status))
    robots = tx.scalar(
        sa.select(sa.func.count())
        .select_from(t.case)
        .where(t.case.c.status == CaseStatus.OPEN.value, t.case.c.robot_state == RobotState.PENDING.value)
    )
    attempts = tx.one(
        sa.select(
            sa.func.count().label("n"),
            sa.func.count(t.attempt.c.ringing_at).label("rung"),
            sa.func.count().filter(in_words(t.attempt.c.state, LIVE_STATES)).label("live"),
        )
    )
    assert attempts is not None
    waiting = tx.scalar(
        sa.select(sa.func.count())
        .select_from(t.assignment)
        .where(in_words(t.assignment.c.state, PENDING_STATES))
    )
    return Progress(
        loading=loading,
        robots=robots,
        live=attempts["live"],
        attempts=attempts["n"],
        rung=attempts["rung"],
        waiting_work=waiting,
        cases={row["status"]: row["n"] for row in cases},
    )


def count_not_called(tx: Tx) -> NotCalled:
    """Of all ended attempts. Refused: the carrier took no call; the others ended without ringing."""
    c = t.attempt.c
    counted = (
        sa.case(
            (c.result == TelephonyResult.UNKNOWN.value, "unknown"),
            (c.result == TelephonyResult.CANCELED.value, "cancelled"),
            (c.sid.is_(None), "refused"),
            else_="unreachable",
        )
    ).label("why")
    rows = tx.rows(
        sa.select(counted, sa.func.count().label("n"))
        .where(c.state == AttemptState.ENDED.value, c.ringing_at.is_(None))
        .group_by(counted)
    )
    found = {row["why"]: row["n"] for row in rows}
    return NotCalled(
        **{name: found.get(name, 0) for name in ("refused", "cancelled", "unreachable", "unknown")}
    )
