# ruff: noqa: S608  # every part is a literal of this package or a word of our own enumerations; values are bound
"""What one record adds to the figures, in one whole number: an atom.

An atom says which kind of record it is, on which of the centre's days it counts, whether it is a drill, its grade and
fraud type, and by one bit each which of that kind's measures it fulfils. Atoms of a case are summed, never edited: a
case that changes gives its old atoms back and brings its new ones, so that any sum of atoms stays exact.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from functools import lru_cache

from dialer.domain.values import AmountKind, FraudType, Grade
from dialer.store.reads.figures_sql import ASSIGNMENTS, CALLS, CASES, MONEY_LINES
from dialer.store.reads.measures import (
    ASSIGNMENT_MEASURES,
    CALL_MEASURES,
    CASE_MEASURES,
    MONEY_STATES,
    SENT,
    WARNING_MEASURES,
    money_name,
)


class Basis(IntEnum):
    """The kind of record; `FIRST` is a case's time to its first attempt, its bits are the number of a bucket. `MONEY`
    is the fen of one kind and state, one bit each: of that atom there are as many as there are fen.
    """

    WARNING = 0
    CASE = 1
    CALL = 2
    ASSIGNMENT = 3
    FIRST = 4
    MONEY = 5


MENTIONED = "mentioned"
"""Everything with a moment of its kind, also what counts as nothing: what is left out elsewhere is counted by it."""

_CALL_BITS = {name: f"({SENT}) AND ({condition})" for name, condition in CALL_MEASURES.items()}

MEASURES: Mapping[Basis, Mapping[str, str]] = {
    Basis.WARNING: {MENTIONED: "true", **WARNING_MEASURES},
    Basis.CASE: {MENTIONED: "true", **CASE_MEASURES},
    Basis.CALL: {MENTIONED: "true", **_CALL_BITS},
    Basis.ASSIGNMENT: {MENTIONED: "true", **ASSIGNMENT_MEASURES},
}

_BITS, _DAY_BITS, _GRADE_BITS, _TYPE_BITS = 30, 16, 3, 5
_DAY_AT = _BITS
_GRADE_AT = _DAY_AT + _DAY_BITS
_TYPE_AT = _GRADE_AT + _GRADE_BITS
_DRILL_AT = _TYPE_AT + _TYPE_BITS
_BASIS_AT = _DRILL_AT + 1

GRADES = tuple(Grade)
FRAUD_TYPES = tuple(FraudType)
EPOCH = date(1970, 1, 1)

_FIRST_BOUND_US, _LAST_BOUND_US, _STEP = 10_000, 30 * 86_400_000_000, 1.03


def _bounds() -> tuple[int, ...]:
    bounds = [_FIRST_BOUND_US]
    while bounds[-1] < _LAST_BOUND_US:
        bounds.append(int(bounds[-1] * _STEP) + 1)
    return tuple(bounds)


BOUNDS_US = _bounds()
"""Where one bucket of times to the first attempt ends and the next begins: three per cent apart."""


def lowest_us(bucket: int) -> int:
    return BOUNDS_US[bucket - 1] if bucket else 0


def bucket_of(first_us: int) -> int:
    return bisect_right(BOUNDS_US, first_us)


@dataclass(frozen=True, slots=True, kw_only=True)
class Atom:
    basis: Basis
    day: date
    drill: bool
    grade: Grade
    fraud_type: FraudType
    bits: int


def unpack(packed: int) -> Atom:
    return Atom(
        basis=Basis(packed >> _BASIS_AT),
        day=EPOCH + timedelta(days=packed >> _DAY_AT & (1 << _DAY_BITS) - 1),
        drill=bool(packed >> _DRILL_AT & 1),
        grade=GRADES[packed >> _GRADE_AT & (1 << _GRADE_BITS) - 1],
        fraud_type=FRAUD_TYPES[packed >> _TYPE_AT & (1 << _TYPE_BITS) - 1],
        bits=packed & (1 << _BITS) - 1,
    )


_SPAN = 64
"""Numbers of measures that each kind of record has to itself; buckets are numbered on from `FIRST`'s."""

FIRST_MEASURE = Basis.FIRST * _SPAN
MONEY_MEASURE = 4096
"""Above every bucket's number."""
_MONEY = tuple(money_name(kind, state) for kind in AmountKind for state in MONEY_STATES)

NAMES: Mapping[int, str] = {
    basis * _SPAN + place: name
    for basis, measures in MEASURES.items()
    for place, name in enumerate(measures)
    if name != MENTIONED
} | {MONEY_MEASURE + place: name for place, name in enumerate(_MONEY)}
"""The measures of a tally by number, as a report names them."""


def mentioned(basis: Basis) -> int:
    return basis * _SPAN


@lru_cache(maxsize=4096)
def measures_of(basis: Basis, bits: int) -> tuple[int, ...]:
    """The measures to which such an atom adds one."""
    if basis is Basis.FIRST:
        return (FIRST_MEASURE + bits,)
    first = MONEY_MEASURE if basis is Basis.MONEY else basis * _SPAN
    return tuple(first + place for place in range(_BITS) if bits >> place & 1)


def _array(members: Iterable[str]) -> str:
    return "ARRAY[{}]".format(", ".join(f"'{word}'" for word in members))


def _bits(basis: Basis) -> str:
    arms = (f"CASE WHEN {condition} THEN {1 << place} ELSE 0 END" for place, condition in _numbered(basis))
    return " | ".join(arms)


def _numbered(basis: Basis) -> list[tuple[int, str]]:
    return list(enumerate(MEASURES[basis].values()))


def _packed(basis: Basis, moment: str, bits: str) -> str:
    shifted = (
        (f"CAST({moment} AT TIME ZONE :zone AS date) - DATE '1970-01-01'", _DAY_AT),
        (f"array_position({_array(GRADES)}, grade) - 1", _GRADE_AT),
        (f"array_position({_array(FRAUD_TYPES)}, fraud_type) - 1", _TYPE_AT),
        ("CAST(drill AS integer)", _DRILL_AT),
        (str(int(basis)), _BASIS_AT),
    )
    return " | ".join(
        (f"CAST({bits} AS bigint)", *(f"(CAST({value} AS bigint) << {at})" for value, at in shifted))
    )


_FIRST_US = "CASE WHEN first_at IS NOT NULL THEN CAST(first_seconds * 1000000 AS bigint) END"
_BUCKET = "width_bucket(CAST(first_seconds * 1000000 AS bigint), CAST(ARRAY[{}] AS bigint[]))".format(
    ", ".join(map(str, BOUNDS_US))
)

_MONEY_BIT = "1 << CAST({} * k.place + CASE {} END AS integer)".format(
    len(MONEY_STATES),
    " ".join(f"WHEN {condition} THEN {place}" for place, condition in enumerate(MONEY_STATES.values())),
)
_MONEY_KINDS = ", ".join(f"({place}, l.{kind.value}_fen)" for place, kind in enumerate(AmountKind))

FRESH = f"""
asked AS MATERIALIZED (
    SELECT DISTINCT unnest(CAST(:ids AS bigint[])) AS id
), {CASES.format(which="c.id IN (SELECT id FROM asked)")}, calls AS (
    {CALLS.format(which="a.sent_at IS NOT NULL AND a.case_id IN (SELECT id FROM asked)")}
), visits AS (
    {ASSIGNMENTS.format(which="s.case_id IN (SELECT id FROM asked)")}
), pieces AS (
    SELECT case_id, {_packed(Basis.WARNING, "loaded_at", _bits(Basis.WARNING))} AS atom,
        CAST(NULL AS timestamptz) AS turns_at
    FROM warning WHERE case_id IN (SELECT id FROM asked)
    UNION ALL
    SELECT id, {_packed(Basis.CASE, "opened_at", _bits(Basis.CASE))}, CASE WHEN pending THEN late_at END
    FROM timed
    UNION ALL
    SELECT id, {_packed(Basis.FIRST, "opened_at", _BUCKET)}, NULL
    FROM timed WHERE first_at IS NOT NULL
    UNION ALL
    SELECT case_id, {_packed(Basis.CALL, "sent_at", _bits(Basis.CALL))}, NULL
    FROM calls
    UNION ALL
    SELECT case_id, {_packed(Basis.ASSIGNMENT, "opened_at", _bits(Basis.ASSIGNMENT))}, least(
        CASE WHEN signed_at IS NULL AND state <> 'withdrawn' AND sign_by >= :now THEN sign_by END,
        CASE WHEN state NOT IN ('done', 'withdrawn') AND feedback_by >= :now THEN feedback_by END)
    FROM visits
), fen AS (
    SELECT l.*, {_MONEY_BIT} AS bit, k.fen
    FROM ({MONEY_LINES.format(which="o.case_id IN (SELECT id FROM asked)")}) l
    CROSS JOIN LATERAL (VALUES {_MONEY_KINDS}) k (place, fen) WHERE k.fen > 0
), sums AS (
    SELECT case_id, {_packed(Basis.MONEY, "at", "bit")} AS atom, CAST(sum(fen) AS bigint) AS fen
    FROM fen GROUP BY 1, 2
), money AS (
    SELECT case_id, array_agg(atom ORDER BY atom) AS atoms, array_agg(fen ORDER BY atom) AS fen
    FROM sums GROUP BY case_id
), joined AS (
    SELECT case_id, array_agg(atom ORDER BY atom) AS atoms, min(turns_at) AS turns_at
    FROM pieces GROUP BY case_id
), fresh AS (
    SELECT j.case_id, j.atoms, m.atoms AS money_atoms, m.fen AS money_fen, j.turns_at, t.drill, {_FIRST_US} AS first_us,
        CAST(array_position({_array(GRADES)}, t.grade) - 1 AS smallint) AS grade,
        CAST(array_position({_array(FRAUD_TYPES)}, t.fraud_type) - 1 AS smallint) AS fraud_type,
        CAST(t.opened_at AT TIME ZONE :zone AS date) AS day
    FROM joined j JOIN timed t ON t.id = j.case_id LEFT JOIN money m ON m.case_id = j.case_id
)
"""
"""Common table expressions; the last, `fresh`, has a row for each of these cases as it stands at `now`.

`turns_at`: after this moment some of its atoms change by the passing of time alone. Parameters: ids, zone, now.
"""

FORM = hashlib.blake2b(
    repr((MEASURES, _MONEY, GRADES, FRAUD_TYPES, BOUNDS_US, FRESH)).encode(), digest_size=8
).hexdigest()
"""By which definitions a tally was made: another one is made anew."""

assert all(len(measures) <= _BITS for measures in MEASURES.values())
