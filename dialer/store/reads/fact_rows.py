# ruff: noqa: S608  # every part is a literal of this package or a word of our own enumerations; values are bound
"""What cases add to the figures: fact rows, one for each case, day, grade and fraud type, with a column a figure.

Every case holds its own, so that a changed case is corrected without counting its days again, however old they are.
`dialer.store.rollup` sums them by day in advance.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from dialer.domain.values import AmountKind
from dialer.store import tables as t
from dialer.store.reads.figures_sql import ASSIGNMENTS, CALLS, CASES, MONEY_LINES
from dialer.store.reads.measures import (
    ASSIGNMENT_MEASURES,
    ASSIGNMENTS_MENTIONED,
    CALL_MEASURES,
    CALLS_MENTIONED,
    CASE_MEASURES,
    COUNTED,
    MONEY,
    MONEY_STATES,
    SENT,
    WARNING_MEASURES,
    money_name,
)
from dialer.store.unit_of_work import Tx

FIGURES = (*COUNTED, *MONEY)
FACTS = ("case_id", "day", "drill", "grade", "fraud_type", "first_seconds", "turns_at", *FIGURES)
KEY = "tally"
"""The row of `meta` that says by which definitions, in which zone and up to when the facts were written."""

_MONEY_CONDITIONS = {
    money_name(kind, state): (f"{kind.value}_fen", condition)
    for kind in AmountKind
    for state, condition in MONEY_STATES.items()
}


def each(form: str, names: Iterable[str] = FIGURES) -> str:
    """The form once for every name."""
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
    """A row a record, in the columns of `FACTS`."""
    figures = {name: f"CASE WHEN {condition} THEN 1 ELSE 0 END" for name, condition in counts.items()}
    for name, (amount, condition) in (sums or {}).items():
        figures[name] = f"CASE WHEN {condition} THEN {amount} ELSE 0 END"
    columns = ", ".join(f"{figures.get(name, '0')} AS {name}" for name in FIGURES)
    return (
        f"SELECT {case_id} AS case_id, CAST({moment} AT TIME ZONE :zone AS date) AS day, drill, grade, fraud_type,"
        f" {first_seconds} AS first_seconds, {turns_at} AS turns_at, {columns} FROM {records}"
    )


_PIECES = (
    _piece("warning WHERE case_id IN (SELECT id FROM asked)", "loaded_at", WARNING_MEASURES),
    _piece(
        "timed",
        "opened_at",
        CASE_MEASURES,
        case_id="id",
        first_seconds="CASE WHEN first_at IS NOT NULL THEN CAST(first_seconds AS double precision) END",
        turns_at="CASE WHEN pending THEN late_at END",
    ),
    _piece(
        f"({CALLS.format(which='a.sent_at IS NOT NULL AND a.case_id IN (SELECT id FROM asked)')}) calls",
        "sent_at",
        {CALLS_MENTIONED: "true"} | {name: f"({SENT}) AND ({one})" for name, one in CALL_MEASURES.items()},
    ),
    _piece(
        f"({ASSIGNMENTS.format(which='s.case_id IN (SELECT id FROM asked)')}) errands",
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

FRESH = f"""
asked AS MATERIALIZED (
    SELECT DISTINCT unnest(CAST(:ids AS bigint[])) AS id
), {CASES.format(which="c.id IN (SELECT id FROM asked)")}, fresh AS MATERIALIZED (
    SELECT case_id, day, drill, grade, fraud_type, max(first_seconds) AS first_seconds, min(turns_at) AS turns_at,
        {each("CAST(sum({name}) AS bigint) AS {name}")}
    FROM ({" UNION ALL ".join(_PIECES)}) pieces GROUP BY case_id, day, drill, grade, fraud_type
)
"""
"""Common table expressions; the last, `fresh`, has the fact rows of the cases `asked` as they stand at `now`.

`turns_at`: after this moment some of the figures change by the passing of time alone. Parameters: ids, zone, now.
"""

_FORM = hashlib.blake2b(FRESH.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class FactState:
    timezone: str
    as_of: datetime
    """No report of an earlier moment can be made from the facts."""

    def plain(self) -> dict[str, str]:
        """For the row `KEY` of `meta`."""
        return {"form": _FORM, "timezone": self.timezone, "as_of": self.as_of.isoformat()}


def state_of(tx: Tx) -> FactState | None:
    """None: there are no facts, or some by other definitions."""
    held = tx.scalar(sa.select(t.meta.c.value).where(t.meta.c.key == KEY))
    if held is None or held["form"] != _FORM:
        return None
    return FactState(timezone=held["timezone"], as_of=datetime.fromisoformat(held["as_of"]))
