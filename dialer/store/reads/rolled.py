# ruff: noqa: S608  # every part is a literal of this package; values are bound
"""The figures of a window from the tally: whole days and months as they were folded, corrected by what has changed
since, and the rest counted directly. To the last digit what `figures` would have counted.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from dialer.outcomes.figures import Figures
from dialer.outcomes.period import Period
from dialer.outcomes.spans import Spans, spans_of
from dialer.store.reads.atoms import (
    FIRST_MEASURE,
    FRAUD_TYPES,
    FRESH,
    GRADES,
    MONEY_MEASURE,
    NAMES,
    Basis,
    bucket_of,
    mentioned,
)
from dialer.store.reads.figures import WHOLE, Key, Numbers, figures, gather, left_out, told
from dialer.store.reads.figures_sql import FIRST_SECONDS
from dialer.store.reads.order import Among, Value, Wanted, find
from dialer.store.reads.tallied import FIRST_TYPE_SLICE, state_of, sums_of
from dialer.store.unit_of_work import Row, Tx

_TOO_MANY = 50_000
"""With more changed cases than this, counting everything directly is hardly slower."""

_LEFT_OUT = {
    mentioned(Basis.WARNING): "warnings",
    mentioned(Basis.CASE): "cases",
    mentioned(Basis.CALL): "robot_calls",
    mentioned(Basis.ASSIGNMENT): "assignments",
}
_MONEY = ("outcomes",)
_PERCENTS = {"p50_seconds": 0.5, "p90_seconds": 0.9}

_CHANGED = sa.text("""
SELECT case_id FROM tally_mark
UNION
SELECT case_id FROM tally_case WHERE turns_at < :now
LIMIT :limit
""")

_THEN_AND_NOW = sa.text(f"""
WITH {FRESH}
SELECT f.atoms, f.money_atoms, f.money_fen, f.first_us, f.grade, f.fraud_type, f.day, f.drill,
    held.atoms AS held, held.money_atoms AS held_money_atoms, held.money_fen AS held_money_fen
FROM asked a LEFT JOIN fresh f ON f.case_id = a.id LEFT JOIN tally_case held ON held.case_id = a.id
""")

_SUMS = sa.text("""
SELECT drill, slice, measure, CAST(sum(n) AS bigint) AS n FROM tally
WHERE drill = ANY(CAST(:drills AS boolean[])) AND whole_month = :whole_month
    AND start >= coalesce(CAST(:first AS date), '-infinity')
    AND start < coalesce(CAST(:last AS date), 'infinity')
GROUP BY drill, slice, measure
""")


@dataclass(slots=True)
class _Sums:
    """Counts by slice and measure, and drill records that are in none of them."""

    counted: dict[int, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    left_out: Counter[str] = field(default_factory=Counter)
    others: list[Value] = field(default_factory=list)
    """Times to the first attempt that the tally does not hold."""

    def add(self, one: int, measure: int, n: int, *, drill: bool, wanted: bool) -> None:
        if drill is wanted:
            self.counted[one][measure] += n
        if drill and not wanted and measure in _LEFT_OUT and one < FIRST_TYPE_SLICE:
            self.left_out[_LEFT_OUT[measure]] += n


def rolled_figures(tx: Tx, period: Period, *, drill: bool, now: datetime, timezone: str) -> Figures:
    """As `figures`, in a small part of the time where the tally holds most of the window."""
    spans = _usable(tx, period, now=now, timezone=timezone)
    changed = [] if spans is None else _changed(tx, now=now)
    if spans is None or len(changed) > _TOO_MANY:
        return figures(tx, period, drill=drill, now=now)
    sums = _Sums()
    for whole_month, first, last in _stretches(spans):
        given = {"first": first, "last": last, "whole_month": whole_month, "drills": sorted({drill, True})}
        for row in tx.rows(_SUMS, given):
            sums.add(row["slice"], row["measure"], row["n"], drill=row["drill"], wanted=drill)
    if changed:
        then_and_now = tx.rows(_THEN_AND_NOW, {"ids": changed, "zone": timezone, "now": now})
        _correct(sums, then_and_now, spans, drill=drill)
    numbers: Numbers = {WHOLE: {}}
    apart = left_out(tx, _MONEY, period, drill=drill)
    for edge in spans.edges:
        _count_edge(tx, sums, numbers, edge, drill=drill, now=now)
    _write(sums, numbers)
    among = Among(drill=drill, first=spans.first, last=spans.last, changed=changed, others=sums.others)
    _write_percentiles(tx, sums, numbers, among)
    return told(numbers, left_out={kind: sums.left_out[kind] for kind in _LEFT_OUT.values()} | apart)


def _usable(tx: Tx, period: Period, *, now: datetime, timezone: str) -> Spans | None:
    state = state_of(tx)
    if state is None or state.timezone != timezone or now < state.as_of:
        return None
    return spans_of(period, timezone=timezone)


def _changed(tx: Tx, *, now: datetime) -> list[int]:
    return [row["case_id"] for row in tx.rows(_CHANGED, {"now": now, "limit": _TOO_MANY + 1})]


def _stretches(spans: Spans) -> Iterator[tuple[bool, date | None, date | None]]:
    """(whole months?, from, to): whole months where there are any, and the days before and after them."""
    first, last = spans.first, spans.last
    opens = None if first is None else first if first.day == 1 else _next_month(first)
    closes = None if last is None else last.replace(day=1)
    if opens is not None and closes is not None and opens >= closes:
        yield False, first, last
        return
    yield True, opens, closes
    if first != opens:
        yield False, first, opens
    if closes != last:
        yield False, closes, last


def _next_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def _correct(sums: _Sums, rows: list[Row], spans: Spans, *, drill: bool) -> None:
    """What changed cases added is taken back, what they add now is brought."""
    moved: Counter[int] = Counter()
    for row in rows:
        moved.update(row["atoms"] or ())
        moved.subtract(row["held"] or ())
        for atom, fen in zip(row["money_atoms"] or (), row["money_fen"] or (), strict=True):
            moved[atom] += fen
        for atom, fen in zip(row["held_money_atoms"] or (), row["held_money_fen"] or (), strict=True):
            moved[atom] -= fen
        if row["first_us"] is not None and row["drill"] is drill and _lies(row["day"], spans):
            sums.others.append(
                Value(grade=row["grade"], fraud_type=row["fraud_type"], first_us=row["first_us"])
            )
    for (marked, day, one, measure), n in sums_of(moved).items():
        if _lies(day, spans):
            sums.add(one, measure, n, drill=marked, wanted=drill)


def _lies(day: date, spans: Spans) -> bool:
    return (spans.first is None or day >= spans.first) and (spans.last is None or day < spans.last)


def _count_edge(tx: Tx, sums: _Sums, numbers: Numbers, edge: Period, *, drill: bool, now: datetime) -> None:
    kinds = tuple(_LEFT_OUT.values())
    for key, counted in gather(tx, (*kinds, *_MONEY), edge, drill=drill, now=now).items():
        into = numbers.setdefault(key, {})
        for name in NAMES.values():
            into[name] = into.get(name, 0) + counted.get(name, 0)
    for kind, n in left_out(tx, kinds, edge, drill=drill).items():
        sums.left_out[kind] += n
    for row in tx.rows(FIRST_SECONDS, {"start": edge.start, "end": edge.end, "drill": drill, "now": now}):
        value = Value(
            grade=GRADES.index(row["grade"]),
            fraud_type=FRAUD_TYPES.index(row["fraud_type"]),
            first_us=row["first_us"],
        )
        sums.others.append(value)
        for one in (value.grade, FIRST_TYPE_SLICE + value.fraud_type):
            sums.counted[one][FIRST_MEASURE + bucket_of(value.first_us)] += 1


def _keys() -> Iterator[tuple[int, Key]]:
    yield from ((place, (grade.value, None)) for place, grade in enumerate(GRADES))
    yield from ((FIRST_TYPE_SLICE + place, (None, kind.value)) for place, kind in enumerate(FRAUD_TYPES))


def _write(sums: _Sums, numbers: Numbers) -> None:
    for one, key in _keys():
        for measure, n in sums.counted[one].items():
            if measure in NAMES:
                for into in (key, WHOLE) if one < FIRST_TYPE_SLICE else (key,):
                    named = numbers.setdefault(into, {})
                    named[NAMES[measure]] = named.get(NAMES[measure], 0) + n


def _buckets(counted: Counter[int]) -> dict[int, int]:
    return {
        measure - FIRST_MEASURE: n
        for measure, n in counted.items()
        if FIRST_MEASURE <= measure < MONEY_MEASURE and n
    }


def _write_percentiles(tx: Tx, sums: _Sums, numbers: Numbers, among: Among) -> None:
    whole: Counter[int] = Counter()
    wanted: dict[Wanted, dict[int, int]] = {}
    places: dict[Wanted, tuple[Key, str]] = {}

    def want(key: Key, counted: Counter[int], **which: Any) -> None:  # noqa: ANN401  # grade or fraud_type
        for name, percent in _PERCENTS.items():
            one = Wanted(percent=percent, **which)
            wanted[one] = _buckets(counted)
            places[one] = (key, name)

    for one, key in _keys():
        if one < FIRST_TYPE_SLICE:
            whole.update(sums.counted[one])
            want(key, sums.counted[one], grade=one)
        else:
            want(key, sums.counted[one], fraud_type=one - FIRST_TYPE_SLICE)
    want(WHOLE, whole)
    for one_wanted, seconds in find(tx, wanted, among).items():
        key, name = places[one_wanted]
        numbers.setdefault(key, {})[name] = seconds
