"""The figures of a cut (by unit, grade, fraud type, source, script or hour), and the cases behind a count.

Counted from the records themselves, by the conditions of every report. A warning, a call, an assignment and an amount
belong to the cut that their case belongs to now. The counts of the whole database that the demo needs are here too.
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
from dialer.core.intervals import HitCount
from dialer.core.rates import (
    COUNT_NAMES,
    FUNNEL,
    REACHED_OUTCOMES,
    TREND,
    WAIT_BOUNDS_SECONDS,
    Breakdown,
    CaseFilter,
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
from dialer.figures.measures import (
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
    # The unit right below the reader's own on the path to the case's unit, or the case's unit itself.
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
class CutWindow:
    """The records that a cut counts, as of `now`. `depth`: the number of levels of units above those that
    are compared.
    """

    cut: CaseFilter
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
        """The names of the filters that are set; their parameters have the same names."""
        return tuple(_given(self.cut))

    def narrow(self) -> str:
        """The SQL condition on a case `c`; filters that are not set are left out, so that an index can serve the
        others.
        """
        return " AND ".join(_NARROWED[name] for name in self.filters()) or "true"


def _given(cut: CaseFilter) -> dict[str, Any]:
    """The filters of a cut that are set, as parameters by name."""
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
    """One kind of record that a cut counts: its statement with the placeholder {narrow}, and its measures."""

    select: str
    before: str = ""
    """A common table expression that `select` reads."""
    case_id: str = "case_id"
    measures: Mapping[str, str]
    more: str = ""
    """Further columns of figures."""
    moment: str
    """The column that gives a record its day."""

    def columns(self) -> str:
        return ", ".join(part for part in (self.measures and counts_of(self.measures), self.more) if part)


def _which(moment: str) -> str:
    """The SQL condition on the records of a cut. `moment`: the column that gives a record its time, with the alias of
    its table.
    """
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


def read_breakdown(tx: Tx, dimension: Dimension, window: CutWindow) -> Breakdown:
    """The cut as a whole and by one dimension. Hold a snapshot first, so that the numbers agree."""
    total, numbers = read_numbers(tx, dimension, window)
    return Breakdown(
        dimension=dimension,
        total=slice_of(total),
        slices={value: slice_of(found) for value, found in sorted(numbers.items())},
    )


def read_numbers(
    tx: Tx, dimension: Dimension, window: CutWindow
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The numbers of the whole and of each value of the dimension, by name."""
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


def read_first_seconds(tx: Tx, dimension: Dimension, window: CutWindow) -> list[tuple[str, float]]:
    """The seconds to the first attempt of each case, which the percentiles of a cut summarise, with its value of the
    dimension.
    """
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


def read_days(tx: Tx, window: CutWindow) -> dict[date, dict[str, int]]:
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


def read_strata(tx: Tx, window: CutWindow) -> dict[str, dict[str, dict[str, HitCount]]]:
    """The number of our cases and of hits, by rate, by unit as in `read_breakdown`, and by grade and fraud type."""
    statement = f"""
        WITH {_CASES.before} records AS ({_CASES.select})
        SELECT coalesce(CAST(d.value AS text), '') AS value, r.grade || ' ' || r.fraud_type AS kind,
            {counts_of({name: CASE_MEASURES[name] for name in (ADJUSTED_OF, *ADJUSTED)})}
        FROM records r CROSS JOIN LATERAL (
            SELECT {_VALUES[Dimension.UNIT]} AS value FROM "case" c WHERE c.id = r.id
        ) d
        GROUP BY 1, 2
    """
    found: dict[str, dict[str, dict[str, HitCount]]] = {name: {} for name in ADJUSTED}
    for row in tx.rows(sa.text(statement.format(narrow=window.narrow())), window.given()):
        for name in ADJUSTED:
            share = HitCount(people=row[ADJUSTED_OF], hits=row[name])
            found[name].setdefault(row["value"], {})[row["kind"]] = share
    return found


_UNTIL: Mapping[str, str] = {
    "first_call": "SELECT grade, first_seconds AS seconds FROM timed WHERE first_at IS NOT NULL",
    "contact": "SELECT grade, reached_seconds AS seconds FROM timed WHERE reached_seconds IS NOT NULL",
}


def read_waits(tx: Tx, window: CutWindow, until: str = "first_call") -> Waits:
    """The distribution of the time from a case's clock start to its first call attempt or finished assignment; with
    `until` "contact", to the first one that reached the right person.
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
    """What one member of staff did with the human calls and visits that were opened in the window."""

    login: str
    human_calls: int
    visits: int
    reached: int
    """Human calls and visits that reached the right person."""
    feedback_in_time: int
    held: int
    """Assignments that are signed for and not yet reported."""
    days: int
    """Days on which something was reported."""
    minutes: float | None
    """The median time from sign-off to report."""


_WORK_MEASURES = ("human_calls", "visits", "feedback_in_time")


def read_workload(tx: Tx, window: CutWindow) -> tuple[Workload, ...]:
    """The work of each member of staff, most reports first. Assignments that nobody has signed for are left out."""
    counts = counts_of({name: ASSIGNMENT_MEASURES[name] for name in _WORK_MEASURES})
    # Days and minutes are gathered by login and counted there: sorting all rows by login takes twice as long.
    statement = f"""
        WITH assignments AS ({ASSIGNMENTS.format(which=_which("s.opened_at"))}), staff AS (
            SELECT coalesce(done_by, signed_by) AS login,
                {counts},
                count(*) FILTER (WHERE state = 'done' AND outcome IN {words(REACHED_OUTCOMES)}) AS reached,
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


def case_ids_behind(
    tx: Tx, measure: str, window: CutWindow, *, before_id: int | None, limit: int
) -> list[int]:
    """The ids of the cases behind one count, newest first: the cases that it counts, or the cases of the calls,
    assignments or warnings that it counts. Searches the newest cases first, then ever larger ranges of older ones.

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


def count_behind(tx: Tx, measure: str, window: CutWindow) -> int:
    """The count whose cases `case_ids_behind` lists; a call, an assignment or a warning counts each time."""
    records = _BEHIND[measure]
    statement = f"""
        WITH {records.before} records AS ({records.select})
        SELECT count(*) FROM records WHERE {records.measures[measure]}
    """
    return int(tx.scalar(sa.text(statement.format(narrow=window.narrow())), window.given()))


def list_warning_sources(tx: Tx) -> list[str]:
    """Every source of a warning, in order, at most 500; read by a loose scan of the index."""
    return [row["value"] for row in tx.rows(_EACH_SOURCE)]


def list_versioned_scripts(tx: Tx) -> list[str]:
    """The id of every script that has a version, in order."""
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
"""The number of newest cases that are searched first; each further search covers four times as many."""
_ID_RANGE = sa.text("""
SELECT min(id) FROM (SELECT id FROM "case" WHERE id < :before_id ORDER BY id DESC LIMIT :id_range) newest
""")


def loss_name(step: str) -> str:
    """The name of the loss of the funnel between the previous step and this one."""
    return f"lost_{step}"


LOSSES: Mapping[str, tuple[str, str]] = {
    loss_name(after): (before, after) for before, after in pairwise(FUNNEL) if before in CASE_MEASURES
}
"""The steps before and after each loss, for steps that count cases."""
_LOST = (
    _Records(
        # A case's first warning opened it; every other joined it.
        select=WARNINGS.format(
            which=f"{_which('w.loaded_at')} AND w.id <> (SELECT min(o.id) FROM warning o WHERE o.case_id = w.case_id)"
        ),
        measures={loss_name("cases"): "true"},
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
MEASURES_WITH_CASES = frozenset(_BEHIND)
"""The counts whose cases `case_ids_behind` can list."""

assert set(COUNT_NAMES) <= MEASURES_WITH_CASES


@dataclass(frozen=True, slots=True, kw_only=True)
class NotCalled:
    """Attempts that never rang, by reason. Busy, switched off and wrong numbers are unreachable."""

    refused: int = 0
    cancelled: int = 0
    unreachable: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotProgress:
    """What the robot still has to do, and what it has done."""

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
        """Whether nothing is being loaded, and no robot call is due or live."""
        return self.loading == 0 and self.robots == 0 and self.live == 0


def read_progress(tx: Tx) -> RobotProgress:
    """Progress of the whole database; meant for thousands of rows, not for millions."""

    def count(table: sa.Table, *which: sa.ColumnElement[bool]) -> int:
        return int(tx.scalar(sa.select(sa.func.count()).select_from(table).where(*which)))

    case, attempt = t.case.c, t.attempt.c
    cases = tx.rows(sa.select(case.status, sa.func.count().label("n")).group_by(case.status))
    return RobotProgress(
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
    """The number of ended attempts that never rang, by reason. `refused`: the carrier took no call; the others ended
    without ringing.
    """
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
