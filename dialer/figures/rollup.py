"""The rollup: sums by day from which reports are made, and the fact rows of each case behind them, kept up to date as
cases change.

A fact row holds every figure of one case, day, grade and fraud type. When a case changes, its old rows are subtracted
from the sums and its new ones added. One refresh is one snapshot: it deletes exactly the marks that it sees, and sees
every change whose mark it sees, so no writer waits and a report knows which cases are not refreshed yet. A window's
figures are whole days as summed, corrected by the cases that changed since, with the parts of days at its ends counted
directly; they equal `figures` to the last digit.

Over 1,000,000 attempts in 300,000 cases a report takes 170 ms of one core (`python -m bench.report`), and 300 ms while
1,000 changed cases wait; the percentiles take most of it. Counting the records takes many seconds.

A case is changed in place, so a report of an earlier moment cannot be counted again. It is kept as it was shown, for
the period of `dialer/retention/retention.py`, a day: lists of cases that are opened from it later use the same figures.
"""

# ruff: noqa: S608  # every part is a literal of this package or a word of our own enumerations; values are bound
from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.dialects.postgresql import insert

from dialer.core.rates import TREND, Figures, Period, Spans, spans_of
from dialer.core.values import AmountKind, FraudType, Grade
from dialer.db import tables as t
from dialer.db.measures import (
    ASSIGNMENT_MEASURES,
    ASSIGNMENTS_MENTIONED,
    BARS,
    CALL_MEASURES,
    CALLS_MENTIONED,
    CASE_MEASURES,
    CONTACT_BARS,
    COUNTED,
    FIRST_BARS,
    MONEY,
    MONEY_STATES,
    SENT,
    WARNING_MEASURES,
    money_name,
)
from dialer.db.unit_of_work import Store, Tx
from dialer.figures.measures import (
    ASSIGNMENTS,
    CALLS,
    CASES,
    FIRST_SECONDS,
    FIRST_VERSION,
    LAST_PERSON,
    MONEY_LINES,
    OPENED_HOUR,
    WARNINGS,
    WHOLE,
    Key,
    Numbers,
    as_figures,
    figures,
    gather_numbers,
    left_out,
)

FIGURES = (*COUNTED, *BARS, *MONEY)
OWN = ("unit_id", "source", "version", "hour", "person")
"""What a case belongs to, besides its grade and fraud type."""
FACTS = ("case_id", "day", "drill", "grade", "fraud_type", "first_seconds", "turns_at", *OWN, *FIGURES)
KEY = "tally"
"""The row of `meta` that records by which definitions, in which time zone and up to when the facts were written."""

_MONEY_CONDITIONS = {
    money_name(kind, state): (f"{kind.value}_fen", condition)
    for kind in AmountKind
    for state, condition in MONEY_STATES.items()
}


def joined(form: str, names: Iterable[str] = FIGURES) -> str:
    """`form` filled in with each name, joined by commas."""
    return ", ".join(form.format(name=name) for name in names)


def _piece(
    records: str,
    moment: str,
    counts: Mapping[str, str],
    *,
    case_id: str = "case_id",
    first_seconds: str = "CAST(NULL AS double precision)",
    turns_at: str = "CAST(NULL AS timestamptz)",
    sums: Mapping[str, tuple[str, str]] | None = None,
) -> str:
    """SQL for one row for each record, in the columns of `FACTS` without those of `OWN`."""
    figures = {name: f"CASE WHEN {condition} THEN 1 ELSE 0 END" for name, condition in counts.items()}
    for name, (amount, condition) in (sums or {}).items():
        figures[name] = f"CASE WHEN {condition} THEN {amount} ELSE 0 END"
    columns = ", ".join(f"{figures.get(name, '0')} AS {name}" for name in FIGURES)
    return (
        f"SELECT {case_id} AS case_id, CAST({moment} AT TIME ZONE :zone AS date) AS day, drill, grade, fraud_type,"
        f" {first_seconds} AS first_seconds, {turns_at} AS turns_at, {columns} FROM {records}"
    )


_PIECES = (
    _piece(
        f"({WARNINGS.format(which='w.case_id IN (SELECT id FROM asked)')}) warnings",
        "loaded_at",
        WARNING_MEASURES,
    ),
    _piece(
        "timed",
        "opened_at",
        {**CASE_MEASURES, **FIRST_BARS, **CONTACT_BARS},
        case_id="id",
        first_seconds="CASE WHEN first_at IS NOT NULL THEN CAST(first_seconds AS double precision) END",
        turns_at="CASE WHEN pending THEN late_at END",
    ),
    _piece(
        f"({CALLS.format(which='a.sent_at IS NOT NULL AND a.case_id IN (SELECT id FROM asked)')}) calls",
        "sent_at",
        {CALLS_MENTIONED: "NOT follow_up"}
        | {name: f"({SENT}) AND ({one})" for name, one in CALL_MEASURES.items()},
    ),
    _piece(
        f"({ASSIGNMENTS.format(which='s.case_id IN (SELECT id FROM asked)')}) assignments",
        "opened_at",
        {ASSIGNMENTS_MENTIONED: "true", **ASSIGNMENT_MEASURES},
        turns_at=(
            "least(CASE WHEN signed_at IS NULL AND state <> 'withdrawn' AND sign_by >= :now THEN sign_by END,"
            " CASE WHEN state NOT IN ('done', 'withdrawn') AND feedback_by >= :now THEN feedback_by END)"
        ),
    ),
    _piece(
        f"({MONEY_LINES.format(which='o.case_id IN (SELECT id FROM asked)')}) lines",
        "at",
        {},
        sums=_MONEY_CONDITIONS,
    ),
)

FRESH_FACTS_SQL = f"""
asked AS MATERIALIZED (
    SELECT DISTINCT unnest(CAST(:ids AS bigint[])) AS id
), {CASES.format(which="c.id IN (SELECT id FROM asked)")}, own AS (
    SELECT c.id AS case_id, c.unit_id, c.source, {FIRST_VERSION} AS version, {OPENED_HOUR} AS hour,
        {LAST_PERSON} AS person
    FROM "case" c WHERE c.id IN (SELECT id FROM asked)
), fresh AS MATERIALIZED (
    SELECT * FROM (
        SELECT case_id, day, drill, grade, fraud_type, max(first_seconds) AS first_seconds, min(turns_at) AS turns_at,
            {joined("CAST(sum({name}) AS integer) AS {name}", (*COUNTED, *BARS))},
            {joined("CAST(sum({name}) AS bigint) AS {name}", MONEY)}
        FROM ({" UNION ALL ".join(_PIECES)}) pieces GROUP BY case_id, day, drill, grade, fraud_type
    ) summed JOIN own USING (case_id)
)
"""
"""Common table expressions; the last, `fresh`, has the fact rows of the cases `asked` as of `now`.

`turns_at`: after this moment some of the figures change with time alone. Parameters: ids, zone, now.
"""

DEFINITIONS_HASH = hashlib.blake2b(FRESH_FACTS_SQL.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class FactState:
    """The time zone of the fact rows, and the moment up to which they are complete."""

    timezone: str
    as_of: datetime
    """No report of an earlier moment can be made from the facts."""

    def plain(self) -> dict[str, str]:
        """The content of the row `KEY` of `meta`."""
        return {"form": DEFINITIONS_HASH, "timezone": self.timezone, "as_of": self.as_of.isoformat()}


def read_fact_state(tx: Tx) -> FactState | None:
    """The state of the fact rows; None if there are none, or if they were written by other definitions."""
    held = tx.scalar(sa.select(t.meta.c.value).where(t.meta.c.key == KEY))
    if held is None or held["form"] != DEFINITIONS_HASH:
        return None
    return FactState(timezone=held["timezone"], as_of=datetime.fromisoformat(held["as_of"]))


_CLOCK_SLACK = timedelta(seconds=10)
"""A refresh is as of a moment this long ago, so that a report by a clock that is a little behind is exact too."""

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
_MONTH = "dimension, value, month, drill, grade, fraud_type"
_TREND_DAY = "dimension, value, day, drill"

UNIT, SOURCE, VERSION, HOUR, PERSON = "unit", "source", "version", "hour", "person"
OWN_TEXT: Mapping[str, str] = {
    UNIT: "coalesce(CAST(unit_id AS text), '')",
    SOURCE: "coalesce(source, '')",
    VERSION: "coalesce(version, '')",
    HOUR: "coalesce(CAST(hour AS text), '')",
    PERSON: "coalesce(person, '')",
}
"""The dimensions of `month_figure` and `day_trend`, each with the SQL for its value in a fact row."""

_DIMENSIONS = ", ".join(f"('{dimension}', {value})" for dimension, value in OWN_TEXT.items())


def _upsert(table: str, key: str, names: Iterable[str], source: str) -> str:
    """SQL that adds the sums of `source` to those of a table."""
    names = tuple(names)
    return (
        f"INSERT INTO {table} AS held ({key}, {joined('{name}', names)})"
        f" SELECT {key}, {joined('coalesce(sum({name}), 0)', names)} FROM {source} GROUP BY {key} ORDER BY {key}"
        f" ON CONFLICT ({key}) DO UPDATE SET {joined('{name} = held.{name} + excluded.{name}', names)}"
    )


_REFRESH = sa.text(f"""
WITH {FRESH_FACTS_SQL}, gone AS (
    DELETE FROM case_fact WHERE case_id IN (SELECT id FROM asked) RETURNING {_DAY}, {", ".join(OWN)}, {joined("{name}")}
), put AS (
    INSERT INTO case_fact ({", ".join(FACTS)})
    SELECT {", ".join(FACTS[: -len(FIGURES)])}, {joined("nullif({name}, 0)")} FROM fresh
), moved AS MATERIALIZED (
    SELECT {_DAY}, {", ".join(OWN)}, {joined("{name}")} FROM fresh
    UNION ALL
    SELECT {_DAY}, {", ".join(OWN)}, {joined("-{name}")} FROM gone
), moved_by AS (
    SELECT dimension, value, CAST(date_trunc('month', CAST(day AS timestamp)) AS date) AS month, moved.*
    FROM moved CROSS JOIN LATERAL (VALUES {_DIMENSIONS}) d(dimension, value)
), months AS (
    {_upsert("month_figure", _MONTH, FIGURES, "moved_by")}
), trends AS (
    {_upsert("day_trend", _TREND_DAY, TREND, "moved_by")}
)
{_upsert("day_figure", _DAY, FIGURES, "moved")}
""")


def is_rollup_waiting(tx: Tx, *, timezone: str, now: datetime) -> bool:
    """Whether a refresh has anything to do."""
    state = read_fact_state(tx)
    if state is None or state.timezone != timezone:
        return True
    return bool(tx.scalar(_IS_WAITING, {"now": now - _CLOCK_SLACK}))


def refresh_rollup_once(store: Store, *, timezone: str, now: datetime, limit: int) -> int:
    """Refreshes up to `limit` changed cases, and as many whose figures changed with time, in one transaction; returns
    their number.

    First deletes facts of other definitions or another time zone, and marks every case.
    """
    with store.begin() as tx:
        tx.execute(_SNAPSHOT)
        as_of = now - _CLOCK_SLACK
        _prepare_facts(tx, timezone=timezone, as_of=as_of)
        found = [row["case_id"] for row in tx.rows(_TAKE_MARKS, {"limit": limit})]
        turned = [row["case_id"] for row in tx.rows(_TAKE_TURNED, {"now": as_of, "limit": limit})]
        ids = sorted({*found, *turned})
        if ids:
            tx.execute(_REFRESH, {"ids": ids, "zone": timezone, "now": as_of})
        return len(found) + len(turned)


def _prepare_facts(tx: Tx, *, timezone: str, as_of: datetime) -> None:
    state = read_fact_state(tx)
    is_known = state is not None and state.timezone == timezone
    if state is not None and is_known and as_of <= state.as_of:
        return
    if not is_known:
        for table in (t.day_figure, t.month_figure, t.day_trend, t.case_fact, t.tally_mark):
            tx.execute(sa.delete(table))
        tx.execute(_MARK_ALL)
    value = FactState(timezone=timezone, as_of=as_of).plain()
    statement = insert(t.meta).values(key=KEY, value=value)
    tx.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"value": value}))


_TOO_MANY = 50_000
"""With more changed cases than this, counting everything directly is hardly slower."""

_LEFT_OUT = {
    "warnings": "warnings",
    "cases": "cases",
    "robot_calls": CALLS_MENTIONED,
    "assignments": ASSIGNMENTS_MENTIONED,
}
"""Kinds of record, and the figure that counts all of them."""
_MONEY = ("outcomes",)

_CHANGED = sa.text("""
SELECT case_id FROM tally_mark
UNION
SELECT case_id FROM case_fact WHERE turns_at < :now
LIMIT :limit
""")

_DAYS = (
    "day >= coalesce(CAST(:first AS date), '-infinity') AND day < coalesce(CAST(:last AS date), 'infinity')"
)
_BY = "drill, grade, fraud_type"

_SLICES: Mapping[str, tuple[Key, str]] = {
    "whole": (WHOLE, "true"),
    **{f"grade_{grade}": ((grade.value, None), f"grade = '{grade}'") for grade in Grade},
    **{f"type_{kind}": ((None, kind.value), f"fraud_type = '{kind}'") for kind in FraudType},
}


# One FILTER for each slice: GROUPING SETS sort the rows once more for each set, which takes 2.5 times as long.
_PERCENTILES = ", ".join(
    f"percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY first_seconds) FILTER (WHERE {condition}) AS {name}"
    for name, (_, condition) in _SLICES.items()
)
_REPORT = sa.text(f"""
WITH {FRESH_FACTS_SQL}, parts AS (
    SELECT {_BY}, {joined("sum({name}) AS {name}")} FROM day_figure WHERE {_DAYS} GROUP BY {_BY}
    UNION ALL
    SELECT {_BY}, {joined("{name}")} FROM fresh WHERE {_DAYS}
    UNION ALL
    SELECT {_BY}, {joined("-{name}")} FROM case_fact WHERE case_id IN (SELECT id FROM asked) AND {_DAYS}
), slices AS (
    SELECT {_BY}, {joined("sum({name}) AS {name}")} FROM parts
    WHERE drill = ANY(CAST(:drills AS boolean[])) GROUP BY {_BY}
), counted AS (
    SELECT {_BY}, {joined("CAST(sum({name}) AS bigint) AS {name}")} FROM slices
    GROUP BY GROUPING SETS ((drill), (drill, grade), (drill, fraud_type))
), first_times AS (
    SELECT grade, fraud_type, first_seconds FROM case_fact
    WHERE first_seconds IS NOT NULL AND drill = :drill AND {_DAYS} AND NOT (case_id IN (SELECT id FROM asked))
    UNION ALL
    SELECT grade, fraud_type, first_seconds FROM fresh WHERE first_seconds IS NOT NULL AND drill = :drill AND {_DAYS}
    UNION ALL
    SELECT * FROM unnest(
        CAST(:grades AS text[]), CAST(:fraud_types AS text[]), CAST(:first_times AS double precision[]))
), waited AS (
    SELECT {_PERCENTILES} FROM first_times
)
SELECT c.*, w.* FROM waited w LEFT JOIN counted c ON true
""")


def rollup_figures(tx: Tx, period: Period, *, drill: bool, now: datetime, timezone: str) -> Figures:
    """The result of `figures`, much faster if whole days make up most of the window."""
    spans = usable_spans(tx, period, now=now, timezone=timezone)
    if spans is None:
        return figures(tx, period, drill=drill, now=now)
    changed = changed_cases(tx, now=now)
    if changed is None:
        return figures(tx, period, drill=drill, now=now)
    numbers: Numbers = {WHOLE: {}}
    excluded = Counter(dict.fromkeys(_LEFT_OUT, 0) | left_out(tx, _MONEY, period, drill=drill))
    first_times: dict[str, list[Any]] = {"grades": [], "fraud_types": [], "first_times": []}
    for edge in spans.edges:
        _add(numbers, gather_numbers(tx, (*_LEFT_OUT, *_MONEY), edge, drill=drill, now=now))
        excluded.update(left_out(tx, _LEFT_OUT, edge, drill=drill))
        given = {"start": edge.start, "end": edge.end, "drill": drill, "now": now}
        for row in tx.rows(FIRST_SECONDS, given):
            first_times["grades"].append(row["grade"])
            first_times["fraud_types"].append(row["fraud_type"])
            first_times["first_times"].append(row["first_seconds"])
    days: dict[str, Any] = {
        "first": spans.first,
        "last": spans.last,
        "zone": timezone,
        "now": now,
        "ids": changed,
    }
    report = tx.rows(_REPORT, days | first_times | {"drill": drill, "drills": sorted({drill, True})})
    for row in report:
        key = (row["grade"], row["fraud_type"])
        if row["drill"] is drill:
            _add(numbers, {key: row})
        elif row["drill"] and key == WHOLE:
            excluded.update({kind: row[name] or 0 for kind, name in _LEFT_OUT.items()})
    for name, (key, _) in _SLICES.items():
        p50, p90 = report[0][name] or (None, None)
        numbers.setdefault(key, {}).update(p50_seconds=p50, p90_seconds=p90)
    return as_figures(numbers, left_out=dict(excluded))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedCases:
    """The cases that are not refreshed yet. `facts`: their current fact rows, as JSON for `KNOWN_FACTS_SQL`."""

    ids: Sequence[int]
    facts: str = "[]"


KNOWN_FACTS_SQL = """
asked AS MATERIALIZED (
    SELECT DISTINCT unnest(CAST(:ids AS bigint[])) AS id
), fresh AS MATERIALIZED (
    SELECT * FROM jsonb_populate_recordset(CAST(NULL AS case_fact), CAST(:fresh AS jsonb))
)
"""
"""Like `FRESH_FACTS_SQL`, from fact rows that were read before: a report of many statements counts the changed cases
only once.
"""

_FACTS_AS_JSON = sa.text(f"""
WITH {FRESH_FACTS_SQL} SELECT CAST(coalesce(jsonb_agg(jsonb_strip_nulls(to_jsonb(f))), '[]') AS text) FROM (
    SELECT {", ".join(FACTS[: -len(FIGURES)])}, {joined("nullif({name}, 0) AS {name}")} FROM fresh
) f
""")


def read_changed(tx: Tx, *, now: datetime, timezone: str) -> ChangedCases | None:
    """The cases that are not refreshed yet, with their facts; None if there are so many that reports count
    the records.
    """
    ids = changed_cases(tx, now=now)
    if not ids:
        return None if ids is None else ChangedCases(ids=())
    return ChangedCases(ids=ids, facts=tx.scalar(_FACTS_AS_JSON, {"ids": ids, "zone": timezone, "now": now}))


def changed_cases(tx: Tx, *, now: datetime) -> list[int] | None:
    """Ids of the cases that are not refreshed yet; None if there are so many that reports count the records."""
    changed = [row["case_id"] for row in tx.rows(_CHANGED, {"now": now, "limit": _TOO_MANY + 1})]
    return None if len(changed) > _TOO_MANY else changed


def usable_spans(tx: Tx, period: Period, *, now: datetime, timezone: str) -> Spans | None:
    """The whole days of a period that can be read from the sums; None if the rollup cannot be used or there are no
    whole days.
    """
    state = read_fact_state(tx)
    if state is None or state.timezone != timezone or now < state.as_of:
        return None
    return spans_of(period, timezone=timezone)


def _add(numbers: Numbers, more: Mapping[Key, Mapping[str, Any]]) -> None:
    for key, counted in more.items():
        into = numbers.setdefault(key, {})
        for name in FIGURES:
            into[name] = (into.get(name) or 0) + (counted.get(name) or 0)


_MOST_KEPT = 5_000
"""About 100 MB, however often pages are opened."""
_T = TypeVar("_T")


def keep_report(tx: Tx, kind: TypeAdapter[_T], asked: object, report: _T, *, at: datetime) -> None:
    """Keeps the report of a query, for `kept_report`, and deletes the oldest ones. `asked`: the query, whose repr must
    contain all of it.
    """
    row = {"asked": _digest(asked), "at": at, "report": kind.dump_python(report, mode="json")}
    put = insert(t.kept_report).values(**row)
    kept_id = tx.scalar(
        put.on_conflict_do_update(
            index_elements=["asked", "at"], set_={"report": put.excluded.report}
        ).returning(t.kept_report.c.id)
    )
    kept = t.kept_report.c
    tx.execute(sa.delete(t.kept_report).where(kept.id <= kept_id - _MOST_KEPT))


def kept_report(tx: Tx, kind: TypeAdapter[_T], asked: object, *, at: datetime) -> _T | None:
    """The report of the query `asked` as of exactly this moment; None if it is not kept."""
    kept = t.kept_report.c
    held: Any = tx.scalar(sa.select(kept.report).where(kept.asked == _digest(asked), kept.at == at))
    return None if held is None else kind.validate_python(held)


def _digest(asked: object) -> str:
    return hashlib.blake2b(f"{DEFINITIONS_HASH} {asked!r}".encode(), digest_size=16).hexdigest()
