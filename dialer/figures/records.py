"""The five kinds of record that figures count: warnings, cases, robot calls, human calls and visits, lines with money.

Each is one SELECT over the rows of PostgreSQL, with the columns that the conditions of `dialer.db.measures` read. The
same columns, with what the record's case belongs to, are a fact row (`facts.py`). Nothing in them depends on the moment
of reading: conditions that do have the parameter `now`. Every record counts under the grade and the fraud type that
its case has now.
"""

# ruff: noqa: S608  # every part is a literal of this package or a word of our own enumerations; values are bound

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from dialer.core.case import STANDING_STATUSES, AssignmentState, CaseStatus
from dialer.core.rates import REACHED_OUTCOMES
from dialer.core.values import Answer, Contact, Grade, OutcomeKind, TelephonyResult, Track
from dialer.db.columns import filing_stands, is_reversed, words
from dialer.db.measures import (
    ASSIGNMENT_MEASURES,
    ASSIGNMENT_STATES,
    CALL_MEASURES,
    CASE_MEASURES,
    CASE_STATES,
    COUNTED_RESULT,
    NO_FOLLOW_UP,
    NOT_OURS_OUTCOME,
    SENT,
    WARNING_MEASURES,
    bar_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordKind:
    """One kind of record. `select` has the placeholder {which}, a condition on the row and its case `c`. It may read
    the common table expressions of `before`, which has the placeholder then.
    """

    name: str
    """The name of its fact table, and of its count of drill records that are left out."""
    moment: str
    """The column that gives a record its time, with the alias of its table."""
    case_id: str
    before: str = ""
    select: str
    columns: Mapping[str, str]
    """The columns of `select` besides `OWN`, with their types in DuckDB."""
    states: Mapping[str, str] = field(default_factory=dict)
    """Further columns, which depend on `now`, as SQL on the others."""
    measures: Mapping[str, str]
    mentioned: str = "true"
    """The condition on the records that count as left out in a drill."""

    @property
    def passing(self) -> dict[str, str]:
        """The measures whose conditions read `states`."""
        return {
            name: condition
            for name, condition in self.measures.items()
            if any(state in condition for state in self.states)
        }

    @property
    def lasting(self) -> dict[str, str]:
        """The measures that do not depend on the moment of reading."""
        return {name: condition for name, condition in self.measures.items() if name not in self.passing}


def one_word_of(kind: type[StrEnum]) -> str:
    """The type of DuckDB for a word of this enumeration: DuckDB groups by it twice as fast as by text."""
    return f"ENUM({', '.join(repr(member.value) for member in kind)})"


_CASES_BEFORE = f"""
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
        -- A warning that joins a missed case clears the case's mark; the mark of the first warning stays.
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
    WHERE NOT s.{NO_FOLLOW_UP} AND s.state = 'done' AND s.outcome IN {words(REACHED_OUTCOMES)}
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
        -- The clock starts at once, or, for a grade that waits for the dialling window, when the window is open.
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
),
"""

WARNINGS = RecordKind(
    name="warnings",
    moment="w.loaded_at",
    case_id="w.case_id",
    select="""
        SELECT w.case_id, w.drill, w.loaded_at AS moment, c.grade, c.fraud_type,
            w.id = (SELECT min(o.id) FROM warning o WHERE o.case_id = w.case_id) AS is_first
        FROM warning w JOIN "case" c ON c.id = w.case_id WHERE {which}
    """,
    columns={"is_first": "BOOLEAN"},
    measures=WARNING_MEASURES,
)

_FIRST_SECONDS = (
    "CASE WHEN t.first_at IS NOT NULL THEN greatest(0, EXTRACT(EPOCH FROM t.first_at - t.clock_at)) END"
)

CASES = RecordKind(
    name="cases",
    moment="c.opened_at",
    case_id="c.id",
    before=_CASES_BEFORE,
    select=f"""
        SELECT t.id AS case_id, t.drill, t.opened_at AS moment, t.grade, t.fraud_type, t.first_grade, t.status,
            t.outcome, t.contact, t.missed, t.rung, t.answered, t.called_back, t.handed,
            t.filed, t.followed, t.not_ours, t.stands,
            t.first_at IS NOT NULL AS has_first, t.first_at <= t.late_at AS in_time,
            t.first_at IS NULL AND t.settled_at IS NOT NULL AND t.settled_at <= t.late_at AS not_wanted,
            t.first_at IS NULL AND t.settled_at IS NULL AS waits,
            CASE WHEN t.first_at IS NULL AND t.settled_at IS NULL THEN t.late_at END AS late_at,
            CAST({_FIRST_SECONDS} AS double precision) AS first_seconds, {bar_of(_FIRST_SECONDS)} AS first_bar,
            CASE WHEN NOT t.not_ours AND t.contact = 'verified' THEN (
                SELECT {bar_of("greatest(0, EXTRACT(EPOCH FROM min(reached_at) - t.clock_at))")} FROM (
                    SELECT coalesce(a.ended_at, a.answered_at) AS reached_at FROM attempt a
                    WHERE a.case_id = t.id AND a.sent_at IS NOT NULL AND a.contact = 'verified' AND a.{NO_FOLLOW_UP}
                    UNION ALL
                    SELECT s.done_at FROM assignment s
                    WHERE s.case_id = t.id AND s.state = 'done' AND s.outcome IN {words(REACHED_OUTCOMES)}
                        AND s.{NO_FOLLOW_UP}
                ) reached HAVING min(reached_at) IS NOT NULL
            ) END AS contact_bar
        FROM (SELECT *, clock_at + "limit" AS late_at FROM joined) t
    """,
    columns={
        "first_grade": one_word_of(Grade),
        "status": one_word_of(CaseStatus),
        "outcome": one_word_of(OutcomeKind),
        "contact": one_word_of(Contact),
        **dict.fromkeys(("missed", "rung", "answered", "called_back", "handed", "filed"), "BOOLEAN"),
        **dict.fromkeys(("followed", "not_ours", "stands"), "BOOLEAN"),
        **dict.fromkeys(("has_first", "in_time", "not_wanted", "waits"), "BOOLEAN"),
        "late_at": "TIMESTAMPTZ",
        "first_seconds": "DOUBLE",
        **dict.fromkeys(("first_bar", "contact_bar"), "TINYINT"),
    },
    states=CASE_STATES,
    measures=CASE_MEASURES,
)

CALLS = RecordKind(
    name="robot_calls",
    moment="a.sent_at",
    case_id="a.case_id",
    select=f"""
        SELECT a.case_id, a.drill, a.sent_at AS moment, c.grade, c.fraud_type, a.result, a.contact, a.answer,
            NOT a.{NO_FOLLOW_UP} AS follow_up, {SENT} AS called
        FROM attempt a JOIN "case" c ON c.id = a.case_id WHERE a.sent_at IS NOT NULL AND {{which}}
    """,
    columns={
        "result": one_word_of(TelephonyResult),
        "contact": one_word_of(Contact),
        "answer": one_word_of(Answer),
        **dict.fromkeys(("follow_up", "called"), "BOOLEAN"),
    },
    measures=CALL_MEASURES,
    mentioned="NOT follow_up",
)

ASSIGNMENTS = RecordKind(
    name="assignments",
    moment="s.opened_at",
    case_id="s.case_id",
    select=f"""
        SELECT s.case_id, s.drill, s.opened_at AS moment, c.grade, c.fraud_type, s.kind, s.state, s.outcome,
            s.signed_at, s.signed_by, s.sign_by, s.feedback_by, s.done_at, s.done_by,
            s.signed_at <= s.sign_by AS signed_early,
            s.state = 'done' AND s.done_at <= s.feedback_by AS reported_early
        FROM assignment s JOIN "case" c ON c.id = s.case_id WHERE s.{NO_FOLLOW_UP} AND {{which}}
    """,
    columns={
        "kind": one_word_of(Track),
        "state": one_word_of(AssignmentState),
        "outcome": one_word_of(OutcomeKind),
        **dict.fromkeys(("signed_by", "done_by"), "VARCHAR"),
        **dict.fromkeys(("signed_at", "sign_by", "feedback_by", "done_at"), "TIMESTAMPTZ"),
        **dict.fromkeys(("signed_early", "reported_early"), "BOOLEAN"),
    },
    states=ASSIGNMENT_STATES,
    measures=ASSIGNMENT_MEASURES,
)

_AMOUNTS = ("intended_fen", "stopped_fen", "returned_fen")
# Lines with money are few, which the planner cannot know of a sum of columns: the lateral join reads only their cases.
AMOUNTS = RecordKind(
    name="outcomes",
    moment="o.at",
    case_id="o.case_id",
    select=f"""
        SELECT o.case_id, o.drill, o.at AS moment, c.grade, c.fraud_type, {", ".join(f"o.{name}" for name in _AMOUNTS)},
            EXISTS (SELECT FROM outcome_approval p WHERE p.outcome_id = o.id) AS approved,
            {is_reversed("o.id")} AS reversed
        FROM outcome o CROSS JOIN LATERAL (SELECT * FROM "case" WHERE id = o.case_id LIMIT 1) c
        WHERE o.intended_fen + o.stopped_fen + o.returned_fen > 0 AND {{which}}
    """,
    columns={
        **dict.fromkeys(_AMOUNTS, "BIGINT"),
        **dict.fromkeys(("approved", "reversed"), "BOOLEAN"),
    },
    measures={},
)

KINDS = (WARNINGS, CASES, CALLS, ASSIGNMENTS, AMOUNTS)

OWN: Mapping[str, str] = {
    "unit_id": "BIGINT",
    "source": "VARCHAR",
    "script_id": "VARCHAR",
    "version": "VARCHAR",
    "hour": "SMALLINT",
    "person": "VARCHAR",
}
"""What a record's case belongs to besides its grade and fraud type, with the types in DuckDB."""

OWN_OF_CASE: Mapping[str, str] = {
    "unit_id": "c.unit_id",
    "source": "c.source",
    "script_id": (
        "(SELECT f.script_id FROM attempt f WHERE f.case_id = c.id AND f.script_id <> '' ORDER BY f.n LIMIT 1)"
    ),
    "version": (
        "(SELECT f.script_id || '@' || coalesce(CAST(v.number AS text), '?') FROM attempt f"
        " LEFT JOIN script_version v ON v.id = f.script_version_id"
        " WHERE f.case_id = c.id AND f.script_id <> '' ORDER BY f.n LIMIT 1)"
    ),
    "hour": "CAST(EXTRACT(HOUR FROM c.opened_at AT TIME ZONE :zone) AS integer)",
    "person": (
        f"(SELECT s.done_by FROM assignment s WHERE s.case_id = c.id AND s.state = 'done' AND s.{NO_FOLLOW_UP}"
        " ORDER BY s.done_at DESC, s.id DESC LIMIT 1)"
    ),
}
"""SQL for each of `OWN` from a case `c`: the unit, the source, the script of its first call alone and with its version,
the hour of opening, and who reported last.
"""

DEFINITIONS_HASH = hashlib.blake2b(repr((KINDS, OWN_OF_CASE)).encode(), digest_size=8).hexdigest()
"""Changes with every change of what a fact row or a count is."""
