# ruff: noqa: S608  # every part is a literal of this file or a word of our own enumerations; values are bound
"""The statements of the report. Each gives rows of (grade, fraud type, numbers); two nulls name the whole.

The parameters are start and end (null: without limit), drill, and now.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import sqlalchemy as sa

from dialer.domain.values import AmountKind, Grade, TelephonyResult
from dialer.outcomes.findings import COUNTED_RESULTS, FOUND, NOT_OURS, OWN_FAULT, REACHED, WRONG_RECORD


def _words(members: Iterable[StrEnum]) -> str:
    return "({})".format(", ".join(f"'{word}'" for word in sorted(member.value for member in members)))


def _within(column: str) -> str:
    return (
        f"{column} >= coalesce(CAST(:start AS timestamptz), '-infinity')"
        f" AND {column} < coalesce(CAST(:end AS timestamptz), 'infinity')"
    )


_SETS = "GROUP BY GROUPING SETS ((), (grade), (fraud_type))"

_WARNINGS = f"""
SELECT grade, fraud_type, count(*) AS warnings
FROM warning WHERE drill = :drill AND {_within("loaded_at")} {_SETS}
"""

# When a case's clock starts: at once, or for a grade that waits for the window, when that is open.
_CASES = f"""
WITH limits AS (
    SELECT p.version, g.key AS grade, CAST(g.value ->> 'windowed' AS boolean) AS windowed,
        make_interval(secs => CAST(g.value ->> 'first_attempt_seconds' AS double precision)) AS "limit",
        CAST(p.content -> 'window' ->> 'opens' AS time) AS opens,
        CAST(p.content -> 'window' ->> 'closes' AS time) AS closes,
        p.content -> 'window' ->> 'zone' AS zone
    FROM policy_version p CROSS JOIN LATERAL jsonb_each(p.content -> 'grades') g
), window_cases AS (
    SELECT c.* FROM "case" c WHERE c.drill = :drill AND {_within("c.opened_at")}
), began AS (
    SELECT DISTINCT ON (w.case_id) w.case_id, w.grade
    FROM warning w WHERE w.case_id IN (SELECT id FROM window_cases) ORDER BY w.case_id, w.id
), chosen AS (
    SELECT b.grade AS first_grade, c.id, c.grade, c.fraud_type, c.status, c.outcome, c.contact, c.missed, c.opened_at,
        c.settled_at, c.first_attempt_at, l."limit", l.opens, l.windowed, l.zone,
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
), rung AS (
    SELECT a.case_id, bool_or(a.result = 'answered') AS answered
    FROM attempt a WHERE a.sent_at IS NOT NULL AND a.result IN {_words(COUNTED_RESULTS)}
        AND a.case_id IN (SELECT id FROM chosen)
    GROUP BY a.case_id
), errands AS (
    SELECT s.case_id, min(s.done_at) FILTER (WHERE s.state = 'done') AS first_done
    FROM assignment s WHERE s.case_id IN (SELECT id FROM chosen) GROUP BY s.case_id
), filed AS (
    SELECT DISTINCT f.case_id FROM filed_case f
), told AS (
    SELECT c.*, r.case_id IS NOT NULL AS rung, coalesce(r.answered, false) AS answered,
        e.case_id IS NOT NULL AS handed, f.case_id IS NOT NULL AS filed,
        least(c.first_attempt_at, e.first_done) AS first_at,
        CASE WHEN NOT c.windowed OR c.is_open THEN c.opened_at
            WHEN CAST(c.wall AS time) < c.opens
            THEN (CAST(c.wall AS date) + c.opens) AT TIME ZONE c.zone
            ELSE (CAST(c.wall AS date) + 1 + c.opens) AT TIME ZONE c.zone
        END AS clock_at,
        c.status = 'closed' AND coalesce(c.outcome IN {_words(NOT_OURS)}, false) AS not_ours,
        c.status IN ('watching', 'proven') AS stands
    FROM chosen c
    LEFT JOIN rung r ON r.case_id = c.id
    LEFT JOIN errands e ON e.case_id = c.id
    LEFT JOIN filed f ON f.case_id = c.id
), timed AS (
    SELECT t.*, t.clock_at + t."limit" AS late_at,
        greatest(0, EXTRACT(EPOCH FROM t.first_at - t.clock_at)) AS first_seconds,
        t.first_at IS NULL AND t.settled_at IS NOT NULL
            AND t.settled_at <= t.clock_at + t."limit" AS not_wanted,
        t.first_at IS NULL AND t.settled_at IS NULL AND :now <= t.clock_at + t."limit" AS pending
    FROM told t
)
SELECT grade, fraud_type,
    count(*) AS cases,
    count(*) FILTER (WHERE status = 'open') AS cases_open,
    count(*) FILTER (WHERE status = 'watching') AS cases_watching,
    count(*) FILTER (WHERE status = 'proven') AS cases_proven,
    count(*) FILTER (WHERE status = 'reversed') AS cases_reversed,
    count(*) FILTER (WHERE status = 'closed') AS cases_closed,
    count(*) FILTER (WHERE missed) AS cases_missed,
    count(*) FILTER (WHERE not_ours) AS cases_not_ours,
    count(*) FILTER (WHERE NOT not_ours) AS cases_ours,
    count(*) FILTER (WHERE rung) AS cases_rung,
    count(*) FILTER (WHERE rung AND answered) AS cases_answered,
    count(*) FILTER (WHERE NOT not_ours AND contact = 'verified') AS verified_contact,
    count(*) FILTER (WHERE stands OR status = 'reversed') AS succeeded,
    count(*) FILTER (WHERE stands) AS dissuaded,
    count(*) FILTER (WHERE stands AND outcome = 'dissuaded_by_phone') AS dissuaded_by_phone,
    count(*) FILTER (WHERE stands AND outcome = 'dissuaded_in_person') AS dissuaded_in_person,
    count(*) FILTER (WHERE stands AND outcome = 'saw_through_it') AS saw_through_it,
    count(*) FILTER (WHERE status IN ('proven', 'reversed')) AS judged,
    count(*) FILTER (WHERE filed) AS defrauded_after_warning,
    count(*) FILTER (WHERE status <> 'open' AND outcome IN {_words(FOUND)}) AS found,
    count(*) FILTER (WHERE status <> 'open' AND (outcome IN {_words(FOUND)}) IS NOT TRUE) AS found_nothing,
    count(*) FILTER (WHERE status <> 'open' AND outcome IN {_words(WRONG_RECORD)}) AS false_alarms,
    count(*) FILTER (WHERE {{rank}} > {{first_rank}}) AS raised,
    count(*) FILTER (WHERE handed) AS handed_to_person,
    count(*) FILTER (WHERE NOT not_wanted AND NOT pending) AS first_attempt_counted,
    count(*) FILTER (WHERE first_at <= late_at) AS first_attempt_in_time,
    count(*) FILTER (WHERE pending) AS first_attempt_pending,
    count(*) FILTER (WHERE not_wanted) AS first_attempt_not_wanted,
    count(first_at) AS first_cases,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY first_seconds) FILTER (WHERE first_at IS NOT NULL) AS p50_seconds,
    percentile_cont(0.9) WITHIN GROUP (ORDER BY first_seconds) FILTER (WHERE first_at IS NOT NULL) AS p90_seconds
FROM timed {_SETS}
"""


def _rank(column: str) -> str:
    arms = " ".join(f"WHEN '{grade.value}' THEN {grade.rank}" for grade in Grade)
    return f"CASE {column} {arms} END"


_RESULTS = ", ".join(
    f"count(*) FILTER (WHERE result = '{result.value}') AS result_{result.value}"
    for result in TelephonyResult
)

# Handed back after a refusal it waits again, and withdrawn then it never was a call.
_SENT = "a.state NOT IN ('planned', 'ready', 'claimed') AND (a.sid IS NOT NULL OR a.result IS DISTINCT FROM 'canceled')"

_CALLS = f"""
SELECT c.grade, c.fraud_type,
    count(*) AS robot_calls,
    count(*) FILTER (WHERE a.result IN {_words(COUNTED_RESULTS)}) AS robot_calls_counted,
    count(*) FILTER (WHERE a.result = 'answered') AS robot_calls_answered,
    count(*) FILTER (WHERE a.result = 'answered' AND a.contact = 'verified') AS robot_calls_verified,
    count(*) FILTER (WHERE a.result IS NULL) AS robot_calls_under_way,
    count(*) FILTER (WHERE a.result IN {_words(OWN_FAULT)}) AS robot_calls_own_fault,
    count(*) FILTER (WHERE a.result = 'canceled') AS robot_calls_cancelled,
    count(*) FILTER (WHERE a.result = 'unknown') AS robot_calls_unknown,
    {_RESULTS}
FROM attempt a JOIN "case" c ON c.id = a.case_id
WHERE a.drill = :drill AND {_within("a.sent_at")} AND {_SENT} {_SETS}
"""


def _errands(kind: str, plural: str, reached: str) -> str:
    return f"""
    count(*) FILTER (WHERE kind = '{kind}' AND state = 'done') AS {plural},
    count(*) FILTER (WHERE kind = '{kind}' AND state IN ('open', 'signed')) AS {plural}_waiting,
    count(*) FILTER (WHERE kind = '{kind}' AND state = 'withdrawn') AS {plural}_withdrawn,
    count(*) FILTER (WHERE kind = '{kind}' AND state = 'done' AND outcome IN {_words(REACHED)}) AS {plural}_{reached},
    """


# Over at: the moment after which nobody could sign or report any more; a withdrawn one is late only if it was by then.
_ASSIGNMENTS = f"""
WITH chosen AS (
    SELECT s.kind, s.state, s.outcome, c.grade, c.fraud_type,
        s.signed_at <= s.sign_by AS signed_early,
        s.signed_at IS NOT NULL OR s.sign_by < {{over_at}} AS sign_counts,
        s.state = 'done' AND s.done_at <= s.feedback_by AS reported_early,
        s.state = 'done' OR s.feedback_by < {{over_at}} AS feedback_counts
    FROM assignment s JOIN "case" c ON c.id = s.case_id
    WHERE s.drill = :drill AND {_within("s.opened_at")}
)
SELECT grade, fraud_type,
    {_errands("human", "human_calls", "reached")}
    {_errands("visit", "visits", "met")}
    count(*) FILTER (WHERE sign_counts) AS sign_counted,
    count(*) FILTER (WHERE signed_early) AS signed_in_time,
    count(*) FILTER (WHERE NOT sign_counts AND state <> 'withdrawn') AS sign_pending,
    count(*) FILTER (WHERE NOT sign_counts AND state = 'withdrawn') AS sign_withdrawn,
    count(*) FILTER (WHERE feedback_counts) AS feedback_counted,
    count(*) FILTER (WHERE reported_early) AS feedback_in_time,
    count(*) FILTER (WHERE NOT feedback_counts AND state <> 'withdrawn') AS feedback_pending,
    count(*) FILTER (WHERE NOT feedback_counts AND state = 'withdrawn') AS feedback_withdrawn
FROM chosen {_SETS}
"""
_OVER_AT = "CASE WHEN s.state = 'withdrawn' THEN s.done_at ELSE CAST(:now AS timestamptz) END"

_MONEY = ", ".join(
    f"coalesce(sum({kind.value}_fen) FILTER (WHERE {condition}), 0) AS {kind.value}_{name}_fen"
    for kind in AmountKind
    for name, condition in (
        ("approved", "NOT reversed AND approved"),
        ("unapproved", "NOT reversed AND NOT approved"),
        ("reversed", "reversed"),
    )
)
_AMOUNTS = f"""
WITH chosen AS (
    SELECT c.grade, c.fraud_type, o.intended_fen, o.stopped_fen, o.returned_fen,
        EXISTS (SELECT FROM outcome_approval p WHERE p.outcome_id = o.id) AS approved,
        EXISTS (SELECT FROM outcome later WHERE later.reverses = o.id) AS reversed
    FROM outcome o JOIN "case" c ON c.id = o.case_id
    WHERE o.drill = :drill AND o.intended_fen + o.stopped_fen + o.returned_fen > 0 AND {_within("o.at")}
)
SELECT grade, fraud_type, {_MONEY} FROM chosen {_SETS}
"""

STATEMENTS = {
    "warnings": sa.text(_WARNINGS),
    "cases": sa.text(_CASES.format(rank=_rank("grade"), first_rank=_rank("first_grade"))),
    "robot_calls": sa.text(_CALLS),
    "assignments": sa.text(_ASSIGNMENTS.format(over_at=_OVER_AT)),
    "outcomes": sa.text(_AMOUNTS),
}


def _left_out(table: str, column: str) -> sa.TextClause:
    return sa.text(f'SELECT count(*) FROM "{table}" WHERE drill AND {_within(column)}')


LEFT_OUT = {
    "warnings": _left_out("warning", "loaded_at"),
    "cases": _left_out("case", "opened_at"),
    "robot_calls": _left_out("attempt", "sent_at"),
    "assignments": _left_out("assignment", "opened_at"),
    "outcomes": _left_out("outcome", "at"),
}
