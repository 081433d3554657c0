# ruff: noqa: S608  # every part is a literal of this file; values are bound
"""Exact percentiles of the time to the first attempt, without sorting all of them.

The tally knows how many lie in each bucket, so it knows the bucket in which the wanted one lies and its place there;
an index gives that one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from dialer.store.reads.atoms import BOUNDS_US, lowest_us
from dialer.store.unit_of_work import Tx

_BEYOND_US = 1 << 62
_US = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One case's time; grade and fraud type by their place."""

    grade: int
    fraud_type: int
    first_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A percentile, between 0 and 1, of one grade, of one fraud type, or (both None) of all."""

    percent: float
    grade: int | None = None
    fraud_type: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Among:
    """Which cases: of these days (None: without limit), as tallied but for `changed`, and `others` beside them."""

    drill: bool
    first: date | None
    last: date | None
    changed: Sequence[int]
    others: Sequence[Value]


def _statement(column: str, condition: str) -> sa.TextClause:
    return sa.text(f"""
    WITH others AS MATERIALIZED (
        SELECT * FROM unnest(
            CAST(:grades AS smallint[]), CAST(:types AS smallint[]), CAST(:us AS bigint[])
        ) AS o (grade, fraud_type, first_us)
    )
    SELECT w.place, v.first_us
    FROM unnest(
        CAST(:places AS int[]), CAST(:members AS smallint[]), CAST(:lows AS bigint[]),
        CAST(:highs AS bigint[]), CAST(:skips AS bigint[])
    ) AS w (place, member, low, high, skip)
    CROSS JOIN LATERAL (
        SELECT first_us FROM (
            SELECT first_us FROM tally_case
            WHERE drill = :drill AND {condition} AND first_us >= w.low AND first_us < w.high
                AND day >= coalesce(CAST(:first AS date), '-infinity')
                AND day < coalesce(CAST(:last AS date), 'infinity')
                AND NOT (case_id IN (SELECT unnest(CAST(:changed AS bigint[]))))
            UNION ALL
            SELECT first_us FROM others
            WHERE {condition.replace(column, "others." + column)} AND first_us >= w.low AND first_us < w.high
        ) both_kinds ORDER BY first_us OFFSET w.skip LIMIT 2
    ) v
    ORDER BY w.place, v.first_us
    """)


_BY_GRADE = _statement("grade", "grade = w.member")
_BY_TYPE = _statement("fraud_type", "fraud_type = w.member")
_OF_ALL = _statement("grade", "grade = ANY(CAST(ARRAY[0, 1, 2, 3, 4, 5, 6, 7] AS smallint[]))")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    low_us: int
    high_us: int
    skip: int
    rest: float
    """How far beyond the first of two neighbours, as a part of their distance."""


def find(tx: Tx, wanted: Mapping[Wanted, Mapping[int, int]], among: Among) -> dict[Wanted, float | None]:
    """Seconds by linear interpolation, as PostgreSQL's percentile_cont; None of nothing.

    `wanted` gives with each percentile how many times lie in each bucket.
    """
    searches = {one: _search(one.percent, buckets) for one, buckets in wanted.items()}
    found: dict[Wanted, float | None] = {one: None for one, search in searches.items() if search is None}
    by_statement: dict[sa.TextClause, list[tuple[Wanted, _Search]]] = {}
    for one, search in searches.items():
        if search is not None:
            by_statement.setdefault(_statement_for(one), []).append((one, search))
    for statement, asked in by_statement.items():
        found |= _found(tx, statement, asked, among)
    return found


def _statement_for(one: Wanted) -> sa.TextClause:
    if one.grade is not None:
        return _BY_GRADE
    return _OF_ALL if one.fraud_type is None else _BY_TYPE


def _search(percent: float, buckets: Mapping[int, int]) -> _Search | None:
    total = sum(buckets.values())
    if not total:
        return None
    place = percent * (total - 1)
    first, skip = _bucket(buckets, math.floor(place))
    last, _ = _bucket(buckets, math.ceil(place))
    return _Search(
        low_us=lowest_us(first),
        high_us=BOUNDS_US[last] if last < len(BOUNDS_US) else _BEYOND_US,
        skip=skip,
        rest=place - math.floor(place),
    )


def _bucket(buckets: Mapping[int, int], rank: int) -> tuple[int, int]:
    """The bucket with the value of this rank, counted from 0, and how many of its own come before it."""
    before = 0
    for bucket in sorted(buckets):
        if before + buckets[bucket] > rank:
            return bucket, rank - before
        before += buckets[bucket]
    raise ValueError("a rank beyond the last value")


def _found(
    tx: Tx, statement: sa.TextClause, asked: Sequence[tuple[Wanted, _Search]], among: Among
) -> dict[Wanted, float | None]:
    given = {
        "drill": among.drill,
        "first": among.first,
        "last": among.last,
        "changed": list(among.changed),
        **_columns(among.others),
        "places": list(range(len(asked))),
        "members": [_member(one) for one, _ in asked],
        "lows": [search.low_us for _, search in asked],
        "highs": [search.high_us for _, search in asked],
        "skips": [search.skip for _, search in asked],
    }
    neighbours: dict[int, list[int]] = {}
    for row in tx.rows(statement, given):
        neighbours.setdefault(row["place"], []).append(row["first_us"])
    return {one: _between(neighbours[place], search.rest) for place, (one, search) in enumerate(asked)}


def _member(one: Wanted) -> int:
    return one.grade if one.grade is not None else one.fraud_type or 0


def _columns(values: Iterable[Value]) -> dict[str, list[int]]:
    listed = list(values)
    return {
        "grades": [value.grade for value in listed],
        "types": [value.fraud_type for value in listed],
        "us": [value.first_us for value in listed],
    }


def _between(neighbours: Sequence[int], rest: float) -> float:
    first = neighbours[0] / _US
    if not rest:
        return first
    second = neighbours[1] / _US
    return first + rest * (second - first)
