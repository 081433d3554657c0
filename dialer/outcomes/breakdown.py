"""The figures of a cut (by unit, grade, fraud type, source, script or hour), and the cases behind a count.

Counted from the records themselves, by the conditions of every report. A warning, a call, an assignment and an amount
belong to the cut that their case belongs to now. The counts of the whole database for a demo stand here too.
"""

# ruff: noqa: S608  # every part is a literal of this package or a word of our own enumerations; values are bound

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from dialer.core.attempt import LIVE_STATES, AttemptState
from dialer.core.case import PENDING_STATES, CaseStatus, Reason, RobotState
from dialer.core.intervals import Rollup
from dialer.core.rates import (
    COUNTED,
    FUNNEL,
    REACHED,
    TREND,
    WAIT_BOUNDS_SECONDS,
    Breakdown,
    Cut,
    Dimension,
    Period,
    Waits,
)
from dialer.core.values import MOVING_LOADS, Grade, TelephonyResult
from dialer.db import tables as t
from dialer.db.bulk import in_words
from dialer.db.columns import words
from dialer.db.measures import (
    ASSIGNMENT_MEASURES,
    CALL_MEASURES,
    CASE_MEASURES,
    SENT,
    WARNING_MEASURES,
    counts_of,
)
from dialer.db.unit_of_work import Tx, record_of
from dialer.outcomes.measures import (
    ASSIGNMENTS,
    CALLS,
    CASES,
    FIRST_VERSION,
    IS_APPROVED,
    IS_REVERSED,
    LAST_PERSON,
    MONEY_COLUMNS,
    OPENED_HOUR,
    PERCENTILES,
    WARNINGS,
    slice_of,
    within,
)

_FIRST_SCRIPT = (
    "(SELECT f.script_id FROM attempt f WHERE f.case_id = c.id AND f.script_id <> '' ORDER BY f.n LIMIT 1)"
)
_VALUES: Mapping[Dimension, str] = {
    # The unit that stands right below the reader's own on the way to the case's unit, or the case's unit itself.
    Dimension.UNIT: "(SELECT coalesce(u.path[CAST(:depth AS integer) + 1], u.id) FROM unit u WHERE u.id = c.unit_id)",
    Dimension.GRADE: "c.grade",
    Dimension.FRAUD_TYPE: "c.fraud_type",
    Dimension.SOURCE: "c.source",
    Dimension.SCRIPT: _FIRST_SCRIPT,
    Dimension.VERSION: FIRST_VERSION,
    Dimension.HOUR: OPENED_HOUR,
    Dimension.PERSON: LAST_PERSON,
}

_NARROWED: Mapping[str, str] = {
    "unit_ids": "c.unit_id = ANY(CAST(:unit_ids AS bigint[]))",
    "grade": "c.grade = :grade",
    "fraud_type": "c.fraud_type = :fraud_type",
    "source": "c.source = :source",
    "script_id": f"{_FIRST_SCRIPT} = :script_id",
    "version": f"{FIRST_VERSION} = :version",
    "hour": f"{OPENED_HOUR} = :hour",
    "person": f"{LAST_PERSON} = :person",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The parameters of every statement here. `depth`: the number of units above those that are compared."""

    cut: Cut
    period: Period
    drill: bool
    now: datetime
    timezone: str
    depth: int

    def given(self, **more: object) -> dict[str, Any]:
        """The parameters of the window's statements, with `more`."""
        return {
            "start": self.period.start,
            "end": self.period.end,
            "drill": self.drill,
            "now": self.now,
            "zone": self.timezone,
            "depth": self.depth,
            **_given(self.cut),
            **more,
        }

    def filters(self) -> tuple[str, ...]:
        """The names of what narrows the cut, as parameters."""
        return tuple(_given(self.cut))

    def narrow(self) -> str:
        """A condition on `c`, a case; empty parts are left out, so that an index may serve the others."""
        return " AND ".join(_NARROWED[name] for name in self.filters()) or "true"


def _given(cut: Cut) -> dict[str, Any]:
    """The parts of a cut that narrow it, as parameters."""
    given = {
        "unit_ids": None if cut.unit_ids is None else list(cut.unit_ids),
        "grade": cut.grade and cut.grade.value,
        "fraud_type": cut.fraud_type and cut.fraud_type.value,
        "source": cut.source or None,
        "script_id": cut.script_id or None,
        "version": cut.version or None,
        "hour": cut.hour,
        "person": cut.person or None,
    }
    return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Records:
    """One kind of record of a cut: its statement with the place {narrow}, and what is counted of it."""

    select: str
    before: str = ""
    """A common table expression that `select` reads."""
    case_id: str = "case_id"
    measures: Mapping[str, str]
    more: str = ""
    """Further columns of figures."""
    moment: str
    """The column whose day a record belongs to."""

    def columns(self) -> str:
        return ", ".join(part for part in (self.measures and counts_of(self.measures), self.more) if part)


def _which(moment: str) -> str:
    """The condition on the records of a cut by their moment, as alias and column."""
    return f"{moment[0]}.drill = :drill AND {within(moment)} AND {{narrow}}"


_CASES = _Records(
    before=f"{CASES.format(which=_which('c.opened_at'))},",
    select="SELECT * FROM timed",
    case_id="id",
    measures=CASE_MEASURES,
    more=PERCENTILES,
    moment="opened_at",
)
_RECORDS = (
    _Records(
        select=WARNINGS.format(which=_which("w.loaded_at")), measures=WARNING_MEASURES, moment="loaded_at"
    ),
    _CASES,
    _Records(
        before=f"calls AS ({CALLS.format(which=_which('a.sent_at'))}),",
        select=f"SELECT * FROM calls WHERE {SENT}",
        measures=CALL_MEASURES,
        moment="sent_at",
    ),
    _Records(
        select=ASSIGNMENTS.format(which=_which("s.opened_at")),
        measures=ASSIGNMENT_MEASURES,
        moment="opened_at",
    ),
    _Records(
        select=f"""
            SELECT o.case_id, o.at, o.intended_fen, o.stopped_fen, o.returned_fen, {IS_APPROVED}, {IS_REVERSED}
            FROM outcome o JOIN "case" c ON c.id = o.case_id
            WHERE o.intended_fen + o.stopped_fen + o.returned_fen > 0 AND {_which("o.at")}
        """,
        measures={},
        more=MONEY_COLUMNS,
        moment="at",
    ),
)


def read_breakdown(tx: Tx, dimension: Dimension, window: Window) -> Breakdown:
    """The cut as a whole and by one dimension. Hold a snapshot first, so that the numbers agree."""
    total, numbers = read_numbers(tx, dimension, window)
    return Breakdown(
        dimension=dimension,
        total=slice_of(total),
        slices={value: slice_of(found) for value, found in sorted(numbers.items())},
    )


def read_numbers(
    tx: Tx, dimension: Dimension, window: Window
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The numbers of the whole and of each value, by name."""
    total: dict[str, Any] = {}
    numbers: dict[str, dict[str, Any]] = {}
    for records in _RECORDS:
        statement = f"""
            WITH {records.before} records AS ({records.select})
            SELECT coalesce(CAST(d.value AS text), '') AS value, GROUPING(d.value) = 1 AS is_whole, {records.columns()}
            FROM records r CROSS JOIN LATERAL (
                SELECT {_VALUES[dimension]} AS value FROM "case" c WHERE c.id = r.{records.case_id}
            ) d
            GROUP BY GROUPING SETS ((), (d.value))
        """
        for row in tx.rows(sa.text(statement.format(narrow=window.narrow())), window.given()):
            if row["is_whole"]:
                total.update(row)
            else:
                numbers.setdefault(row["value"], {}).update(row)
    return total, numbers


def read_first_seconds(tx: Tx, dimension: Dimension, window: Window) -> list[tuple[str, float]]:
    """The single values behind the percentiles of a cut, each with its value of the dimension."""
    statement = f"""
        WITH {_CASES.before} records AS ({_CASES.select})
        SELECT coalesce(CAST(d.value AS text), '') AS value, CAST(r.first_seconds AS double precision) AS seconds
        FROM records r CROSS JOIN LATERAL (
            SELECT {_VALUES[dimension]} AS value FROM "case" c WHERE c.id = r.id
        ) d
        WHERE r.first_at IS NOT NULL
    """
    rows = tx.rows(sa.text(statement.format(narrow=window.narrow())), window.given())
    return [(row["value"], row["seconds"]) for row in rows]


def read_days(tx: Tx, window: Window) -> dict[date, dict[str, int]]:
    """The counts of `TREND` by the day of their records, in the centre's zone; they add up to those of the window."""
    found: dict[date, dict[str, int]] = {}
    for records in _RECORDS:
        counted = {name: records.measures[name] for name in TREND if name in records.measures}
        if not counted:
            continue
        statement = f"""
            WITH {records.before} records AS ({records.select})
            SELECT CAST({records.moment} AT TIME ZONE :zone AS date) AS day, {counts_of(counted)}
            FROM records GROUP BY 1
        """
        for row in tx.rows(sa.text(statement.format(narrow=window.narrow())), window.given()):
            found.setdefault(row["day"], {}).update({name: row[name] for name in counted})
    return found


ADJUSTED = ("verified_contact", "dissuaded")
"""The rates whose comparison of units is adjusted."""
ADJUSTED_OF = "cases_ours"
"""The denominator of both."""


def read_strata(tx: Tx, window: Window) -> dict[str, dict[str, dict[str, Rollup]]]:
    """By rate, by unit as in `read_breakdown`, by grade and fraud type: hits of our cases."""
    statement = f"""
        WITH {_CASES.before} records AS ({_CASES.select})
        SELECT coalesce(CAST(d.value AS text), '') AS value, r.grade || ' ' || r.fraud_type AS kind,
            {counts_of({name: CASE_MEASURES[name] for name in (ADJUSTED_OF, *ADJUSTED)})}
        FROM records r CROSS JOIN LATERAL (
            SELECT {_VALUES[Dimension.UNIT]} AS value FROM "case" c WHERE c.id = r.id
        ) d
        GROUP BY 1, 2
    """
    found: dict[str, dict[str, dict[str, Rollup]]] = {name: {} for name in ADJUSTED}
    for row in tx.rows(sa.text(statement.format(narrow=window.narrow())), window.given()):
        for name in ADJUSTED:
            share = Rollup(people=row[ADJUSTED_OF], hits=row[name])
            found[name].setdefault(row["value"], {})[row["kind"]] = share
    return found


_UNTIL: Mapping[str, str] = {
    "first_call": "SELECT grade, first_seconds AS seconds FROM timed WHERE first_at IS NOT NULL",
    "contact": "SELECT grade, reached_seconds AS seconds FROM timed WHERE reached_seconds IS NOT NULL",
}


def read_waits(tx: Tx, window: Window, until: str = "first_call") -> Waits:
    """The distribution of the time from a case's clock start to its first call attempt or finished assignment; until
    `contact`, to the first one in which the right person was spoken to.
    """
    statement = f"""
        WITH {CASES.format(which=_which("c.opened_at"))}, waited AS ({_UNTIL[until]})
        SELECT grade, width_bucket(CAST(seconds AS double precision), CAST(:bounds AS double precision[])) AS bar,
            count(*) AS n
        FROM waited GROUP BY 1, 2
    """
    found = {grade: [0] * (len(WAIT_BOUNDS_SECONDS) + 1) for grade in Grade}
    statement = statement.format(narrow=window.narrow())
    for row in tx.rows(sa.text(statement), window.given(bounds=[float(b) for b in WAIT_BOUNDS_SECONDS])):
        found[Grade(row["grade"])][row["bar"]] = row["n"]
    return Waits(by_grade={grade: tuple(bars) for grade, bars in found.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What one member of staff did of the human calls and visits opened in the window."""

    login: str
    human_calls: int
    visits: int
    reached: int
    """Of both, those that spoke to the right person."""
    feedback_in_time: int
    held: int
    """Signed for and not reported yet."""
    days: int
    """On which something was reported."""
    minutes: float | None
    """Half of the reports came within this many minutes of the signature."""


_WORK_MEASURES = ("human_calls", "visits", "feedback_in_time")


def read_workload(tx: Tx, window: Window) -> tuple[Workload, ...]:
    """By login, most reports first. What nobody has signed for is nobody's."""
    counts = counts_of({name: ASSIGNMENT_MEASURES[name] for name in _WORK_MEASURES})
    # The days and minutes of each are gathered and counted by themselves: sorting all by login takes twice as long.
    statement = f"""
        WITH assignments AS ({ASSIGNMENTS.format(which=_which("s.opened_at"))}), staff AS (
            SELECT coalesce(done_by, signed_by) AS login,
                {counts},
                count(*) FILTER (WHERE state = 'done' AND outcome IN {words(REACHED)}) AS reached,
                count(*) FILTER (WHERE state = 'signed') AS held,
                count(*) FILTER (WHERE state = 'done') AS reports,
                array_agg(CAST(done_at AT TIME ZONE :zone AS date)) FILTER (WHERE state = 'done') AS each_day,
                array_agg(EXTRACT(EPOCH FROM done_at - signed_at) / 60)
                    FILTER (WHERE state = 'done' AND signed_at IS NOT NULL) AS each_minutes
            FROM assignments WHERE state IN ('signed', 'done') AND coalesce(done_by, signed_by) IS NOT NULL
            GROUP BY 1 ORDER BY count(*) FILTER (WHERE state = 'done') DESC, 1 LIMIT {_MOST_STAFF}
        )
        SELECT staff.*, (SELECT count(DISTINCT day) FROM unnest(each_day) day) AS days,
            (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY took) FROM unnest(each_minutes) took) AS minutes
        FROM staff ORDER BY reports DESC, login
    """
    rows = tx.rows(sa.text(statement.format(narrow=window.narrow())), window.given())
    return tuple(record_of(Workload, row) for row in rows)


_MOST_STAFF = 200


def case_ids_behind(tx: Tx, measure: str, window: Window, *, before_id: int | None, limit: int) -> list[int]:
    """The cases behind one count, newest first: those that it counts, or of the calls, assignments or warnings that it
    counts. A frequent measure is found among the newest cases; a rare one is searched ever further back.

    Raises `KeyError` for a name that is no count.
    """
    records = _BEHIND[measure]
    narrow = f"{window.narrow()} AND c.id < :before_id AND c.id >= :from_id"
    statement = sa.text(
        f"""
        WITH {records.before} records AS ({records.select})
        SELECT DISTINCT {records.case_id} AS id FROM records WHERE {records.measures[measure]}
        ORDER BY id DESC LIMIT :limit
        """.format(narrow=narrow)
    )
    found: list[int] = []
    before, id_range = before_id if before_id is not None else sys.maxsize, _FIRST_ID_RANGE
    while len(found) < limit:
        lowest = tx.scalar(_ID_RANGE, {"before_id": before, "id_range": id_range})
        if lowest is None:
            break
        given = window.given(before_id=before, from_id=lowest, limit=limit - len(found))
        found += [row["id"] for row in tx.rows(statement, given)]
        before, id_range = lowest, id_range * 4
    return found


def count_behind(tx: Tx, measure: str, window: Window) -> int:
    """The count whose cases `case_ids_behind` lists; a call, an assignment or a warning counts each time."""
    records = _BEHIND[measure]
    statement = f"""
        WITH {records.before} records AS ({records.select})
        SELECT count(*) FROM records WHERE {records.measures[measure]}
    """
    return int(tx.scalar(sa.text(statement.format(narrow=window.narrow())), window.given()))


def figure_sources(tx: Tx) -> list[str]:
    """Every source of a warning, by name; read by skipping along the index."""
    return [row["value"] for row in tx.rows(_EACH_SOURCE)]


def figure_scripts(tx: Tx) -> list[str]:
    """Every script that has a version, by name."""
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
"""The number of newest cases that are searched first; then four times as many, and so on."""
_ID_RANGE = sa.text("""
SELECT min(id) FROM (SELECT id FROM "case" WHERE id < :before_id ORDER BY id DESC LIMIT :id_range) newest
""")


def lost(step: str) -> str:
    """The name of what the funnel loses between the step before and this one."""
    return f"lost_{step}"


LOSSES: Mapping[str, tuple[str, str]] = {
    lost(after): (before, after) for before, after in pairwise(FUNNEL) if before in CASE_MEASURES
}
"""The two steps of cases between which each loss is."""
_LOST = (
    _Records(
        # A case's first warning opened it; every other joined it.
        select=WARNINGS.format(
            which=f"{_which('w.loaded_at')} AND w.id <> (SELECT min(o.id) FROM warning o WHERE o.case_id = w.case_id)"
        ),
        measures={lost("cases"): "true"},
        moment="loaded_at",
    ),
    replace(
        _CASES,
        measures={
            name: f"({CASE_MEASURES[before]}) AND ({CASE_MEASURES[after]}) IS NOT TRUE"
            for name, (before, after) in LOSSES.items()
        },
    ),
)
_BEHIND: Mapping[str, _Records] = {
    name: records for records in (*_RECORDS, *_LOST) for name in records.measures
}
BEHIND = frozenset(_BEHIND)
"""The counts whose cases `case_ids_behind` can list."""

assert set(COUNTED) <= BEHIND


@dataclass(frozen=True, slots=True, kw_only=True)
class NotCalled:
    """Attempts that never rang, by reason. Busy, switched off and wrong numbers are unreachable."""

    refused: int = 0
    cancelled: int = 0
    unreachable: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How much the robot still has to do."""

    loading: int
    """Lists that are waiting or being loaded."""
    robots: int
    """Open cases with a call attempt planned or live."""
    live: int
    """Calls at the carrier now, follow-ups left out."""
    attempts: int
    rung: int
    waiting_work: int
    cases: dict[str, int]

    @property
    def is_settled(self) -> bool:
        """Nothing is being loaded, and no robot call is due or live."""
        return self.loading == 0 and self.robots == 0 and self.live == 0


def read_progress(tx: Tx) -> Progress:
    """Of the whole database; meant for thousands of rows, not for millions."""

    def count(table: sa.Table, *which: sa.ColumnElement[bool]) -> int:
        return int(tx.scalar(sa.select(sa.func.count()).select_from(table).where(*which)))

    case, attempt = t.case.c, t.attempt.c
    cases = tx.rows(sa.select(case.status, sa.func.count().label("n")).group_by(case.status))
    return Progress(
        loading=count(t.list_load, in_words(t.list_load.c.state, MOVING_LOADS)),
        robots=count(
            t.case, case.status == CaseStatus.OPEN.value, case.robot_state == RobotState.PENDING.value
        ),
        live=count(
            t.attempt,
            in_words(attempt.state, LIVE_STATES),
            attempt.reason != Reason.FOLLOW_UP.value,
        ),
        attempts=count(t.attempt),
        rung=count(t.attempt, attempt.ringing_at.is_not(None)),
        waiting_work=count(t.assignment, in_words(t.assignment.c.state, PENDING_STATES)),
        cases={row["status"]: row["n"] for row in cases},
    )


def count_not_called(tx: Tx) -> NotCalled:
    """Of all ended attempts. Refused: the carrier took no call; the others ended without ringing."""
    c = t.attempt.c
    why = sa.case(
        (c.result == TelephonyResult.UNKNOWN.value, "unknown"),
        (c.result == TelephonyResult.CANCELED.value, "cancelled"),
        (c.sid.is_(None), "refused"),
        else_="unreachable",
    ).label("why")
    rows = tx.rows(
        sa.select(why, sa.func.count().label("n"))
        .where(c.state == AttemptState.ENDED.value, c.ringing_at.is_(None))
        .group_by(why)
    )
    return NotCalled(**{row["why"]: row["n"] for row in rows})
