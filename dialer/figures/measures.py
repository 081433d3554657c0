"""The figures of a report, counted from the records themselves: one statement for each kind of record.

Each statement gives rows of (grade, fraud type, numbers); both are null in the row of the whole. Its parameters are
start and end (null: unlimited), drill and now. `WARNINGS`, `CASES`, `CALLS`, `ASSIGNMENTS` and `MONEY_LINES` are the
records with all columns that `dialer.db.measures` reads; the placeholder {which} is the condition that chooses them.
Every record counts under the grade and the fraud type that its case has now. Always exact, but slow over millions of
rows: `rollup_figures` gives the same figures from sums by day, and is tested against these.
"""

# ruff: noqa: S608  # every part is a literal of this package or a word of our own enumerations; values are bound

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dialer.core.case import STANDING_STATUSES
from dialer.core.rates import (
    COUNT_NAMES,
    REACHED_OUTCOMES,
    Counts,
    Figures,
    FirstAttempt,
    Money,
    Period,
    Slice,
)
from dialer.core.values import AmountKind, FraudType, Grade, TelephonyResult
from dialer.db.columns import filing_stands, is_reversed, words
from dialer.db.measures import (
    ASSIGNMENT_MEASURES,
    CALL_MEASURES,
    CASE_MEASURES,
    COUNTED_RESULT,
    MONEY_STATES,
    NO_FOLLOW_UP,
    NOT_OURS_OUTCOME,
    SENT,
    WARNING_MEASURES,
    counts_of,
    money_name,
)
from dialer.db.unit_of_work import Tx


def within(column: str) -> str:
    """The SQL condition that the moment in a column is in the window."""
    return (
        f"{column} >= coalesce(CAST(:start AS timestamptz), '-infinity')"
        f" AND {column} < coalesce(CAST(:end AS timestamptz), 'infinity')"
    )


_REACHED = words(REACHED_OUTCOMES)
_SETS = "GROUP BY GROUPING SETS ((), (grade), (fraud_type))"

WARNINGS = """
    SELECT w.case_id, w.drill, w.loaded_at, c.grade, c.fraud_type
    FROM warning w JOIN "case" c ON c.id = w.case_id WHERE {which}
"""

_WARNINGS = f"""
WITH warnings AS ({WARNINGS.format(which=f"w.drill = :drill AND {within('w.loaded_at')}")})
SELECT grade, fraud_type, {counts_of(WARNING_MEASURES)}
FROM warnings {_SETS}
"""


# A missed case stays counted after another warning has joined it and cleared the mark: its first warning keeps the
# mark.
# A case's clock starts at once, or, for a grade that waits for the dialling window, when the window is open.
CASES = f"""
limits AS (
    SELECT p.version, g.key AS grade, CAST(g.value ->> 'windowed' AS boolean) AS windowed,
        make_interval(secs => CAST(g.value ->> 'first_attempt_seconds' AS double precision)) AS "limit",
        CAST(p.content -> 'window' ->> 'opens' AS time) AS opens,
        CAST(p.content -> 'window' ->> 'closes' AS time) AS closes,
        p.content -> 'window' ->> 'zone' AS zone
    FROM policy_version p CROSS JOIN LATERAL jsonb_each(p.content -> 'grades') g
), window_cases AS (
    SELECT c.* FROM "case" c WHERE {{which}}
), began AS (
    SELECT DISTINCT ON (w.case_id) w.case_id, w.grade, w.missed
    FROM warning w WHERE w.case_id IN (SELECT id FROM window_cases) ORDER BY w.case_id, w.id
), chosen AS (
    SELECT b.grade AS first_grade, c.id, c.grade, c.fraud_type, c.status, c.outcome, c.contact,
        c.missed OR coalesce(b.missed, false) AS missed, c.opened_at,
        c.settled_at, c.first_attempt_at, c.drill, l."limit", l.opens, l.windowed, l.zone,
        c.opened_at AT TIME ZONE l.zone AS wall,
        CASE WHEN l.opens < l.closes
            THEN CAST(c.opened_at AT TIME ZONE l.zone AS time) >= l.opens
                AND CAST(c.opened_at AT TIME ZONE l.zone AS time) < l.closes
            ELSE CAST(c.opened_at AT TIME ZONE l.zone AS time) >= l.opens
                OR CAST(c.opened_at AT TIME ZONE l.zone AS time) < l.closes
        END AS is_open
    FROM window_cases c
    LEFT JOIN began b ON b.case_id = c.id
    LEFT JOIN limits l ON l.version = c.policy_version AND l.grade = coalesce(b.grade, c.grade)
), called AS (
    SELECT a.case_id, bool_or(a.result = 'answered') AS answered
    FROM attempt a WHERE a.sent_at IS NOT NULL AND a.{NO_FOLLOW_UP} AND {COUNTED_RESULT}
        AND a.case_id IN (SELECT id FROM chosen)
    GROUP BY a.case_id
), assigned AS (
    SELECT s.case_id, min(s.done_at) FILTER (WHERE s.state = 'done') AS first_done
    FROM assignment s WHERE s.{NO_FOLLOW_UP} AND s.case_id IN (SELECT id FROM chosen) GROUP BY s.case_id
), followed AS (
    SELECT a.case_id FROM attempt a
    WHERE NOT a.{NO_FOLLOW_UP} AND a.sent_at IS NOT NULL AND a.result = 'answered' AND a.contact = 'verified'
        AND a.case_id IN (SELECT id FROM chosen)
    UNION
    SELECT s.case_id FROM assignment s
    WHERE NOT s.{NO_FOLLOW_UP} AND s.state = 'done' AND s.outcome IN {_REACHED}
        AND s.case_id IN (SELECT id FROM chosen)
), filed AS (
    SELECT DISTINCT f.case_id FROM filed_case f
    WHERE f.case_id IN (SELECT id FROM chosen) AND {filing_stands("f")}
), called_us AS (
    SELECT DISTINCT i.case_id FROM inbound_call i
    WHERE i.case_id IN (SELECT id FROM chosen) AND (i.number IS NOT NULL OR i.joined_at IS NOT NULL)
), joined AS (
    SELECT c.*, r.case_id IS NOT NULL AS rung, coalesce(r.answered, false) AS answered,
        u.case_id IS NOT NULL AS called_back,
        e.case_id IS NOT NULL AS handed, f.case_id IS NOT NULL AS filed, g.case_id IS NOT NULL AS followed,
        least(c.first_attempt_at, e.first_done) AS first_at,
        CASE WHEN NOT c.windowed OR c.is_open THEN c.opened_at
            WHEN CAST(c.wall AS time) < c.opens
            THEN (CAST(c.wall AS date) + c.opens) AT TIME ZONE c.zone
            ELSE (CAST(c.wall AS date) + 1 + c.opens) AT TIME ZONE c.zone
        END AS clock_at,
        c.status = 'closed' AND coalesce({NOT_OURS_OUTCOME}, false) AS not_ours,
        c.status IN {words(STANDING_STATUSES)} AS stands
    FROM chosen c
    LEFT JOIN called r ON r.case_id = c.id
    LEFT JOIN assigned e ON e.case_id = c.id
    LEFT JOIN filed f ON f.case_id = c.id
    LEFT JOIN called_us u ON u.case_id = c.id
    LEFT JOIN followed g ON g.case_id = c.id
), timed AS (
    SELECT t.*, t.clock_at + t."limit" AS late_at,
        greatest(0, EXTRACT(EPOCH FROM t.first_at - t.clock_at)) AS first_seconds,
        t.first_at IS NULL AND t.settled_at IS NOT NULL
            AND t.settled_at <= t.clock_at + t."limit" AS not_wanted,
        t.first_at IS NULL AND t.settled_at IS NULL AND :now <= t.clock_at + t."limit" AS pending,
        CASE WHEN NOT t.not_ours AND t.contact = 'verified' THEN (
            SELECT greatest(0, EXTRACT(EPOCH FROM min(reached_at) - t.clock_at)) FROM (
                SELECT coalesce(a.ended_at, a.answered_at) AS reached_at FROM attempt a
                WHERE a.case_id = t.id AND a.sent_at IS NOT NULL AND a.contact = 'verified' AND a.{NO_FOLLOW_UP}
                UNION ALL
                SELECT s.done_at FROM assignment s
                WHERE s.case_id = t.id AND s.state = 'done' AND s.outcome IN {_REACHED} AND s.{NO_FOLLOW_UP}
            ) reached HAVING min(reached_at) IS NOT NULL
        ) END AS reached_seconds
    FROM joined t
)
"""
"""Common table expressions; the last, `timed`, has one row for each case."""

FIRST_VERSION = (
    "(SELECT f.script_id || '@' || coalesce(CAST(v.number AS text), '?') FROM attempt f"
    " LEFT JOIN script_version v ON v.id = f.script_version_id"
    " WHERE f.case_id = c.id AND f.script_id <> '' ORDER BY f.n LIMIT 1)"
)
LAST_PERSON = (
    f"(SELECT s.done_by FROM assignment s WHERE s.case_id = c.id AND s.state = 'done' AND s.{NO_FOLLOW_UP}"
    " ORDER BY s.done_at DESC, s.id DESC LIMIT 1)"
)
OPENED_HOUR = "CAST(EXTRACT(HOUR FROM c.opened_at AT TIME ZONE :zone) AS integer)"
"""Three expressions about a case `c`: the script version of its first call, who reported last, and the hour
of opening.
"""

PERCENTILES = ", ".join(
    f"percentile_cont({part}) WITHIN GROUP (ORDER BY first_seconds) FILTER (WHERE first_at IS NOT NULL) AS {name}"
    for name, part in (("p50_seconds", 0.5), ("p90_seconds", 0.9))
)
"""Columns with the median and the ninth decile of the times to the first attempt, over rows of `timed`."""
_IN_WINDOW = f"c.drill = :drill AND {within('c.opened_at')}"

_CASES = f"""
WITH {CASES.format(which=_IN_WINDOW)}
SELECT grade, fraud_type, {counts_of(CASE_MEASURES)}, {PERCENTILES}
FROM timed {_SETS}
"""

CALLS = f"""
    SELECT a.case_id, c.grade, c.fraud_type, a.drill, a.sent_at, a.state, a.sid, a.result, a.contact, a.answer,
        NOT a.{NO_FOLLOW_UP} AS follow_up
    FROM attempt a JOIN "case" c ON c.id = a.case_id WHERE {{which}}
"""

_CALLS = f"""
WITH calls AS ({CALLS.format(which=f"a.drill = :drill AND {within('a.sent_at')}")})
SELECT grade, fraud_type, {counts_of(CALL_MEASURES)}
FROM calls WHERE {SENT} {_SETS}
"""


# The moment until which an assignment could be signed or reported: a withdrawn one is late only if it was late by then.
_OVER_AT = "CASE WHEN s.state = 'withdrawn' THEN s.done_at ELSE CAST(:now AS timestamptz) END"

# PostgreSQL omits the left join if no column of the case is read.
ASSIGNMENTS = f"""
    SELECT s.case_id, s.drill, s.opened_at, s.kind, s.state, s.outcome, s.signed_at, s.sign_by, s.feedback_by,
        s.done_at, s.done_by, s.signed_by,
        c.grade, c.fraud_type,
        s.signed_at <= s.sign_by AS signed_early,
        s.signed_at IS NOT NULL OR s.sign_by < {_OVER_AT} AS sign_counts,
        s.state = 'done' AND s.done_at <= s.feedback_by AS reported_early,
        s.state = 'done' OR s.feedback_by < {_OVER_AT} AS feedback_counts
    FROM assignment s LEFT JOIN "case" c ON c.id = s.case_id
    WHERE s.{NO_FOLLOW_UP} AND {{which}}
"""

_ASSIGNMENTS = f"""
WITH assignments AS ({ASSIGNMENTS.format(which=f"s.drill = :drill AND {within('s.opened_at')}")})
SELECT grade, fraud_type, {counts_of(ASSIGNMENT_MEASURES)}
FROM assignments {_SETS}
"""

MONEY_COLUMNS = ", ".join(
    f"coalesce(sum({kind.value}_fen) FILTER (WHERE {condition}), 0) AS {money_name(kind, state)}"
    for kind in AmountKind
    for state, condition in MONEY_STATES.items()
)
"""Sums over lines with the three amounts and the columns `approved` and `reversed`."""

IS_APPROVED = "EXISTS (SELECT FROM outcome_approval p WHERE p.outcome_id = o.id) AS approved"
IS_REVERSED = f"{is_reversed('o.id')} AS reversed"
# Lines with money are few, which the planner cannot know of a sum of columns: the lateral join reads only their cases.
MONEY_LINES = f"""
    SELECT o.case_id, o.at, o.drill, c.grade, c.fraud_type, o.intended_fen, o.stopped_fen, o.returned_fen,
        {IS_APPROVED},
        {IS_REVERSED}
    FROM outcome o CROSS JOIN LATERAL (SELECT grade, fraud_type FROM "case" WHERE id = o.case_id LIMIT 1) c
    WHERE o.intended_fen + o.stopped_fen + o.returned_fen > 0 AND {{which}}
"""
_AMOUNTS = f"""
WITH chosen AS ({MONEY_LINES.format(which=f"o.drill = :drill AND {within('o.at')}")})
SELECT grade, fraud_type, {MONEY_COLUMNS} FROM chosen {_SETS}
"""

STATEMENTS = {
    "warnings": sa.text(_WARNINGS),
    "cases": sa.text(_CASES),
    "robot_calls": sa.text(_CALLS),
    "assignments": sa.text(_ASSIGNMENTS),
    "outcomes": sa.text(_AMOUNTS),
}

FIRST_SECONDS = sa.text(f"""
WITH {CASES.format(which=_IN_WINDOW)}
SELECT grade, fraud_type, CAST(first_seconds AS double precision) AS first_seconds FROM timed WHERE first_at IS NOT NULL
""")
"""The seconds to the first attempt of each case, which the percentiles of a window summarise."""


def _left_out(table: str, column: str, which: str = "true") -> sa.TextClause:
    return sa.text(f'SELECT count(*) FROM "{table}" WHERE drill AND {which} AND {within(column)}')


LEFT_OUT = {
    "warnings": _left_out("warning", "loaded_at"),
    "cases": _left_out("case", "opened_at"),
    "robot_calls": _left_out("attempt", "sent_at", NO_FOLLOW_UP),
    "assignments": _left_out("assignment", "opened_at", NO_FOLLOW_UP),
    "outcomes": _left_out("outcome", "at"),
}


Key = tuple[str | None, str | None]
"""(grade, fraud type) of a slice; two Nones are the whole."""

WHOLE: Key = (None, None)

Numbers = dict[Key, dict[str, Any]]
"""The numbers of each slice by name; a missing one is 0."""


def figures(tx: Tx, period: Period, *, drill: bool, now: datetime) -> Figures:
    """The figures of a window as of `now`, counted from the records: of drill records if `drill`, else of
    all others.
    """
    numbers = gather_numbers(tx, STATEMENTS, period, drill=drill, now=now)
    return as_figures(numbers, left_out=left_out(tx, LEFT_OUT, period, drill=drill))


def gather_numbers(tx: Tx, kinds: Iterable[str], period: Period, *, drill: bool, now: datetime) -> Numbers:
    """The numbers of these kinds of record, counted from the records themselves."""
    given = {"start": period.start, "end": period.end, "drill": drill, "now": now}
    numbers: Numbers = {WHOLE: {}}
    for kind in kinds:
        for row in tx.rows(STATEMENTS[kind], given):
            numbers.setdefault((row["grade"], row["fraud_type"]), {}).update(row)
    return numbers


def left_out(tx: Tx, kinds: Iterable[str], period: Period, *, drill: bool) -> dict[str, int]:
    """The number of drill records in the window, by kind; 0 in a drill, where nothing is left out."""
    given = {"start": period.start, "end": period.end}
    return {kind: 0 if drill else int(tx.scalar(LEFT_OUT[kind], given)) for kind in kinds}


def as_figures(numbers: Numbers, *, left_out: Mapping[str, int]) -> Figures:
    """The figures from the numbers of each slice. `left_out`: the number of drill records by kind."""
    return Figures(
        total=slice_of(numbers[WHOLE]),
        by_grade={g: slice_of(numbers.get((g.value, None), {})) for g in Grade},
        by_fraud_type={f: slice_of(numbers.get((None, f.value), {})) for f in FraudType},
        left_out=dict(left_out),
    )


def slice_of(numbers: Mapping[str, Any]) -> Slice:
    """One slice from its numbers by name; a missing one is 0."""
    return Slice(
        counts=Counts(
            **{name: numbers.get(name, 0) for name in COUNT_NAMES},
            results={result: numbers.get(f"result_{result.value}", 0) for result in TelephonyResult},
        ),
        first_attempt=FirstAttempt(
            cases=numbers.get("first_cases", 0),
            p50_seconds=numbers.get("p50_seconds"),
            p90_seconds=numbers.get("p90_seconds"),
        ),
        amounts={
            kind: Money(
                **{f"{state}_fen": int(numbers.get(money_name(kind, state), 0)) for state in MONEY_STATES}
            )
            for kind in AmountKind
        },
    )
