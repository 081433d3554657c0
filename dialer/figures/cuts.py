"""The figures of a cut from the rollup: exactly what `breakdown` counts from the records, and much faster.

Whole months are read from `month_figure`, other whole days from the fact rows of their cases, parts of days from the
records; cases that changed since the last refresh are corrected as in `rollup`. The months have the sums by unit,
source, script version, hour and person, each with grade and fraud type: a cut that uses only one of these dimensions is
read from them. A cut that uses two, such as the hours of one unit, is summed from the fact rows of its cases. Functions
that may return None do so where the rollup cannot be used; the last ones then count the records.
"""

# ruff: noqa: S608  # every part is a literal of this package or a word of our own enumerations; values are bound

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from dialer.core.intervals import HitCount
from dialer.core.periods import add_months
from dialer.core.rates import TREND, Breakdown, Dimension, Slice, Spans, Waits
from dialer.core.values import Grade
from dialer.db.measures import CALLS_MENTIONED, CONTACT_BARS, FIRST_BARS
from dialer.db.unit_of_work import Tx
from dialer.figures.breakdown import (
    ADJUSTED,
    ADJUSTED_OF,
    LOSSES,
    CutWindow,
    case_ids_behind,
    read_breakdown,
    read_days,
    read_first_seconds,
    read_numbers,
    read_strata,
    read_waits,
)
from dialer.figures.measures import slice_of
from dialer.figures.rollup import (
    FIGURES,
    HOUR,
    KNOWN_FACTS_SQL,
    OWN_TEXT,
    PERSON,
    SOURCE,
    UNIT,
    VERSION,
    ChangedCases,
    joined,
    read_changed,
    usable_spans,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CutFigures:
    """The figures of a cut and its waiting times, all of one snapshot."""

    breakdown: Breakdown
    waits: Waits
    """Times to the first attempt."""
    contacted: Waits
    """Times to the verified contact."""


_STORED: Mapping[Dimension, str] = {
    Dimension.UNIT: UNIT,
    Dimension.SOURCE: SOURCE,
    Dimension.SCRIPT: VERSION,
    Dimension.VERSION: VERSION,
    Dimension.HOUR: HOUR,
    Dimension.PERSON: PERSON,
}
_OF_FILTER: Mapping[str, str] = {
    "unit_ids": UNIT,
    "source": SOURCE,
    "script_id": VERSION,
    "version": VERSION,
    "hour": HOUR,
    "person": PERSON,
}


def _script(version: str) -> str:
    return f"regexp_replace({version}, '@[^@]*$', '')"


_OF_FACT: Mapping[str, str] = {
    "unit_ids": "unit_id = ANY(CAST(:unit_ids AS bigint[]))",
    "grade": "grade = :grade",
    "fraud_type": "fraud_type = :fraud_type",
    "source": "source = :source",
    "script_id": f"{_script('version')} = :script_id",
    "version": "version = :version",
    "hour": "hour = CAST(:hour AS integer)",
    "person": "person = :person",
}
_OF_SUM: Mapping[str, str] = {
    "unit_ids": "value IN (SELECT CAST(i AS text) FROM unnest(CAST(:unit_ids AS bigint[])) i)",
    "grade": "grade = :grade",
    "fraud_type": "fraud_type = :fraud_type",
    "source": "value = :source",
    "script_id": f"{_script('value')} = :script_id",
    "version": "value = :version",
    "hour": "value = CAST(CAST(:hour AS integer) AS text)",
    "person": "value = :person",
}
_BY_KIND = frozenset({"grade", "fraud_type"})
_PART: Mapping[Dimension, str] = {
    Dimension.UNIT: "coalesce(CAST(coalesce(u.path[CAST(:depth AS integer) + 1], u.id) AS text), '')",
    Dimension.GRADE: "grade",
    Dimension.FRAUD_TYPE: "fraud_type",
    Dimension.SCRIPT: _script("value"),
}
"""SQL for the value of the dimension, from `value` in a row of sums."""
_UNITS = "LEFT JOIN unit u ON u.id = CAST(nullif(value, '') AS bigint)"

_DAYS = (
    "day >= coalesce(CAST(:first AS date), '-infinity') AND day < coalesce(CAST(:last AS date), 'infinity')"
)
_KNOWN_DAYS = sa.text("SELECT min(day) AS first, max(day) AS last FROM case_fact")

Range = tuple[date | None, date | None]
"""From a day (included) to another (excluded); None: unlimited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """How a window is read. `months`: the days that are whole months; `rest`: the other whole days."""

    window: CutWindow
    spans: Spans
    changed: ChangedCases
    months: Range | None
    rest: tuple[Range, ...]

    @property
    def whole(self) -> Range:
        return self.spans.first, self.spans.last

    @property
    def filters(self) -> tuple[str, ...]:
        return self.window.filters()

    def given(self, **more: object) -> dict[str, Any]:
        """The parameters of a statement over the window."""
        first, last = self.whole
        return self.window.given(
            first=first, last=last, ids=list(self.changed.ids), fresh=self.changed.facts, **more
        )

    def edges(self) -> Iterable[CutWindow]:
        """The window cut down to the parts of days at its ends, which are counted from the records."""
        return (replace(self.window, period=edge) for edge in self.spans.edges)

    def of_facts(self) -> str:
        """The SQL condition on a fact row, without its day."""
        return " AND ".join(("drill = :drill", *(_OF_FACT[name] for name in self.filters)))

    def of_sums(self, among: Iterable[str]) -> str:
        """The SQL condition on a row of sums by the filters named in `among`, without its time."""
        return " AND ".join(("drill = :drill", *(_OF_SUM[name] for name in self.filters if name in among)))


def _reading(tx: Tx, window: CutWindow, changed: ChangedCases | None) -> _Reading | None:
    spans = usable_spans(tx, window.period, now=window.now, timezone=window.timezone)
    if spans is not None and changed is None:
        changed = read_changed(tx, now=window.now, timezone=window.timezone)
    if spans is None or changed is None:
        return None
    window = _without_idle_filters(tx, window, changed)
    months, rest = _months(tx, spans)
    return _Reading(window=window, spans=spans, changed=changed, months=months, rest=rest)


_UNSET: Mapping[str, Any] = {
    "unit_ids": None,
    "source": "",
    "script_id": "",
    "version": "",
    "hour": None,
    "person": "",
}


def _without_idle_filters(tx: Tx, window: CutWindow, changed: ChangedCases) -> CutWindow:
    """The window without the filters that exclude nothing: a reader who sees every unit that has cases sees everything,
    and a filter for the only source changes nothing.
    """
    for name, unset in _UNSET.items():
        if name not in window.filters():
            continue
        elsewhere = sa.text(f"""
            SELECT EXISTS (
                SELECT FROM month_figure
                WHERE dimension = '{_OF_FILTER[name]}' AND cases > 0 AND NOT ({_OF_SUM[name]})
            ) OR EXISTS (
                SELECT FROM jsonb_populate_recordset(CAST(NULL AS case_fact), CAST(:fresh AS jsonb))
                WHERE cases > 0 AND ({_OF_FACT[name]}) IS NOT TRUE
            )
        """)
        if not tx.scalar(elsewhere, window.given(fresh=changed.facts)):
            window = replace(window, cut=replace(window.cut, **{name: unset}))
    return window


def _months(tx: Tx, spans: Spans) -> tuple[Range | None, tuple[Range, ...]]:
    known = tx.one(_KNOWN_DAYS)
    if known is None or known["first"] is None:
        return (None, None), ()
    # A month is also whole if nothing happened on its days outside the window.
    first = spans.first if spans.first is not None and known["first"] < spans.first else None
    last = spans.last if spans.last is not None and known["last"] >= spans.last else None
    begin = first if first is None or first.day == 1 else add_months(first.replace(day=1), 1)
    end = None if last is None else last.replace(day=1)
    if begin is not None and end is not None and begin >= end:
        return None, ((spans.first, spans.last),)
    rest: list[Range] = []
    if first is not None and begin != first:
        rest.append((first, begin))
    if last is not None and end != last:
        rest.append((end, last))
    return (begin, end), tuple(rest)


def _dimensions_used(dimension: Dimension | None, filters: Iterable[str]) -> list[str]:
    """The dimensions of `month_figure` by which the cut is split or narrowed; that of `dimension` first."""
    found = [_STORED[dimension]] if dimension is not None and dimension in _STORED else []
    return list(dict.fromkeys((*found, *(_OF_FILTER[name] for name in filters if name in _OF_FILTER))))


def _statement(reading: _Reading, parts: Sequence[str], rest: str) -> sa.TextClause:
    """A statement in which `rest` reads the rows of `parts`. If cases have changed since the last refresh, `fresh` has
    their fact rows.
    """
    fresh = f"{KNOWN_FACTS_SQL}, " if reading.changed.ids else ""
    return sa.text(f"WITH {fresh}parts AS ({' UNION ALL '.join(parts)}) {rest}")


def _between(column: str, days: Range, name: str) -> tuple[str, dict[str, date]]:
    """The SQL condition that the column lies in the range, and its parameters."""
    given = {f"{name}_from": days[0], f"{name}_to": days[1]}
    signs = {f"{name}_from": ">=", f"{name}_to": "<"}
    found = {key: day for key, day in given.items() if day is not None}
    return " AND ".join(f"{column} {signs[key]} :{key}" for key in found) or "true", found


def _parts(
    reading: _Reading, dimension: Dimension | None, names: Iterable[str], key: str = "grade, fraud_type"
) -> tuple[list[str], dict[str, Any]]:
    """SELECT statements whose rows add up to the whole days of a cut, and their parameters. Each row has `value`, that
    of the first dimension of `_dimensions_used`, the columns of `key` and those of `names`. With the day in `key` the
    sums are by day.
    """
    names = tuple(names)
    by_day = "day" in key
    own = _dimensions_used(dimension, reading.filters)
    value = OWN_TEXT[own[0]] if own else "''"
    given: dict[str, Any] = {}
    parts: list[str] = []

    def facts(table: str, which: str, form: str = "{name}") -> None:
        parts.append(
            f"SELECT {value} AS value, {key}, {joined(form, names)} FROM {table} WHERE {reading.of_facts()} AND {which}"
        )

    if not own:
        which = f"{reading.of_sums(_BY_KIND)} AND {_DAYS}"
        parts.append(f"SELECT '' AS value, {key}, {joined('{name}', names)} FROM day_figure WHERE {which}")
    elif len(own) == 1 and by_day and not _BY_KIND & set(reading.filters):
        which = f"dimension = '{own[0]}' AND {reading.of_sums(_OF_SUM)} AND {_DAYS}"
        parts.append(f"SELECT value, {key}, {joined('{name}', names)} FROM day_trend WHERE {which}")
    elif len(own) == 1 and not by_day:
        if reading.months is not None:
            during, more = _between("month", reading.months, "month")
            which = f"dimension = '{own[0]}' AND {reading.of_sums(_OF_SUM)} AND {during}"
            parts.append(f"SELECT value, {key}, {joined('{name}', names)} FROM month_figure WHERE {which}")
            given |= more
        for place, days in enumerate(reading.rest):
            during, more = _between("day", days, f"rest{place}")
            facts("case_fact", during)
            given |= more
    else:
        facts("case_fact", _DAYS)
    if reading.changed.ids:
        facts("fresh", _DAYS)
        facts("case_fact", f"case_id IN (SELECT id FROM asked) AND {_DAYS}", "-{name}")
    return parts, given


_ROOM = sa.text("SET LOCAL work_mem = '64MB'")
"""So that the times of a year are sorted in memory."""

_PRESENT = tuple(name for name in FIGURES if name != CALLS_MENTIONED)
"""At least one of these is not 0 for a value that has records."""


def rollup_cut_figures(
    tx: Tx, dimension: Dimension, window: CutWindow, changed: ChangedCases | None = None
) -> CutFigures | None:
    """The figures of `read_breakdown` and `read_waits`. `changed`, here and below: what `read_changed` returned in this
    snapshot, if it was called.
    """
    reading = _reading(tx, window, changed)
    if reading is None:
        return None
    tx.execute(_ROOM)
    sums = _sums(tx, dimension, reading)
    waits = [_bars(sums.bars, FIRST_BARS), _bars(sums.bars, CONTACT_BARS)]
    first_times: dict[str, list[Any]] = {"edge_parts": [], "edge_seconds": []}
    for edge in reading.edges():
        waits = [
            _added_waits(waits[0], read_waits(tx, edge)),
            _added_waits(waits[1], read_waits(tx, edge, "contact")),
        ]
        for part, seconds in read_first_seconds(tx, dimension, edge):
            first_times["edge_parts"].append(part)
            first_times["edge_seconds"].append(seconds)
    whole, by_part = _percentiles(tx, dimension, reading, first_times)
    return CutFigures(
        breakdown=Breakdown(
            dimension=dimension,
            total=slice_of({**sums.total, **whole}),
            slices={
                part: slice_of({**numbers, **by_part.get(part, {})})
                for part, numbers in sorted(sums.parts.items())
            },
        ),
        waits=waits[0],
        contacted=waits[1],
    )


def rollup_cut_total(tx: Tx, window: CutWindow, changed: ChangedCases | None = None) -> Slice | None:
    """The figures of the cut as a whole, without the median and the ninth decile of the times to the first attempt."""
    reading = _reading(tx, window, changed)
    return None if reading is None else slice_of(_sums(tx, Dimension.GRADE, reading).total)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sums:
    """Counts and amounts of a window, by name. `bars`: those of its whole days, by grade."""

    total: Counter[str]
    parts: dict[str, Counter[str]]
    bars: Mapping[str, Counter[str]]


def _sums(tx: Tx, dimension: Dimension, reading: _Reading) -> _Sums:
    parts, more = _parts(reading, dimension, FIGURES)
    statement = _statement(
        reading,
        parts,
        f"""
        , cells AS (
            SELECT value, grade, fraud_type, {joined("sum({name}) AS {name}")} FROM parts
            GROUP BY value, grade, fraud_type
        ), named AS (
            SELECT {_PART.get(dimension, "value")} AS part, cells.*
            FROM cells {_UNITS if dimension is Dimension.UNIT else ""}
        )
        SELECT part, grade, GROUPING(part) = 1 AND GROUPING(grade) = 1 AS is_whole, GROUPING(part) = 0 AS is_part,
            {joined("CAST(coalesce(sum({name}), 0) AS bigint) AS {name}")}
        FROM named GROUP BY GROUPING SETS ((), (part), (grade))
        """,
    )
    total: Counter[str] = Counter()
    slices: dict[str, Counter[str]] = {}
    bars: dict[str, Counter[str]] = {grade.value: Counter() for grade in Grade}
    for row in tx.rows(statement, reading.given(**more)):
        counted = {name: row[name] for name in FIGURES}
        if row["is_whole"]:
            total.update(counted)
        elif not row["is_part"]:
            bars[row["grade"]].update(counted)
        elif any(counted[name] for name in _PRESENT):
            slices[row["part"]] = Counter(counted)
    for edge in reading.edges():
        of_total, of_parts = read_numbers(tx, dimension, edge)
        total.update(_as_counts(of_total))
        for part, numbers in of_parts.items():
            slices.setdefault(part, Counter()).update(_as_counts(numbers))
    return _Sums(total=total, parts=slices, bars=bars)


def _as_counts(numbers: Mapping[str, Any]) -> dict[str, int]:
    return {name: int(numbers[name]) for name in FIGURES if numbers.get(name)}


def _bars(by_grade: Mapping[str, Mapping[str, int]], names: Iterable[str]) -> Waits:
    names = tuple(names)
    return Waits(by_grade={grade: tuple(by_grade[grade.value].get(n, 0) for n in names) for grade in Grade})


def _added_waits(one: Waits, other: Waits) -> Waits:
    return Waits(
        by_grade={
            grade: tuple(a + b for a, b in zip(bars, other.by_grade[grade], strict=True))
            for grade, bars in one.by_grade.items()
        }
    )


_COLUMN: Mapping[Dimension, str] = {
    Dimension.UNIT: "unit_id",
    Dimension.SCRIPT: "version",
    **{one: one.value for one in Dimension if one not in {Dimension.UNIT, Dimension.SCRIPT}},
}
_PART_OF_COLUMN: Mapping[Dimension, str] = {
    Dimension.UNIT: _PART[Dimension.UNIT],
    Dimension.SCRIPT: _script("coalesce(own, '')"),
}


def _percentiles(
    tx: Tx, dimension: Dimension, reading: _Reading, edges: Mapping[str, list[Any]]
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Median and ninth decile of the times to the first attempt, of the whole and of each part. The times are gathered
    in arrays, which saves a sort by part.
    """
    known = f"first_seconds IS NOT NULL AND {reading.of_facts()} AND {_DAYS}"
    select = f"SELECT {_COLUMN[dimension]} AS own, first_seconds FROM"
    parts = [f"{select} case_fact WHERE {known}"]
    if reading.changed.ids:
        stale = "case_id IN (SELECT id FROM asked)"
        parts = [f"{parts[0]} AND NOT ({stale})", f"{select} fresh WHERE {known}"]
    of_edges = """
        UNION ALL SELECT part, array_agg(seconds) FROM
        unnest(CAST(:edge_parts AS text[]), CAST(:edge_seconds AS double precision[])) e(part, seconds) GROUP BY part
    """
    percentiles = "SELECT percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY seconds) FROM named n"
    statement = _statement(
        reading,
        parts,
        f"""
        , gathered AS MATERIALIZED (
            SELECT own, array_agg(first_seconds) AS times FROM parts GROUP BY own
        ), named AS MATERIALIZED (
            SELECT {_PART_OF_COLUMN.get(dimension, "coalesce(CAST(own AS text), '')")} AS part, times
            FROM gathered {"LEFT JOIN unit u ON u.id = own" if dimension is Dimension.UNIT else ""}
            {of_edges if edges["edge_seconds"] else ""}
        )
        SELECT part, false AS is_whole, (
            {percentiles} CROSS JOIN LATERAL unnest(n.times) seconds WHERE n.part = p.part
        ) AS waited FROM (SELECT DISTINCT part FROM named) p
        UNION ALL
        SELECT '', true, ({percentiles} CROSS JOIN LATERAL unnest(n.times) seconds)
        """,
    )
    whole: dict[str, Any] = {}
    by_part: dict[str, dict[str, Any]] = {}
    for row in tx.rows(statement, reading.given(**edges)):
        p50, p90 = row["waited"] or (None, None)
        found = {"p50_seconds": p50, "p90_seconds": p90}
        if row["is_whole"]:
            whole = found
        else:
            by_part[row["part"]] = found
    return whole, by_part


def rollup_cut_strata(
    tx: Tx, window: CutWindow, changed: ChangedCases | None = None
) -> dict[str, dict[str, dict[str, HitCount]]] | None:
    """The result of `read_strata`."""
    reading = _reading(tx, window, changed)
    if reading is None:
        return None
    names = (ADJUSTED_OF, *ADJUSTED)
    parts, more = _parts(reading, Dimension.UNIT, names)
    statement = _statement(
        reading,
        parts,
        f"""
        , cells AS (
            SELECT value, grade, fraud_type, {joined("sum({name}) AS {name}", names)} FROM parts
            GROUP BY value, grade, fraud_type
        )
        SELECT {_PART[Dimension.UNIT]} AS part, grade || ' ' || fraud_type AS kind,
            {joined("CAST(coalesce(sum({name}), 0) AS bigint) AS {name}", names)}
        FROM cells {_UNITS} GROUP BY 1, 2
        """,
    )
    sums: dict[tuple[str, str], Counter[str]] = {}
    for row in tx.rows(statement, reading.given(**more)):
        if row[ADJUSTED_OF]:
            sums[row["part"], row["kind"]] = Counter({name: row[name] for name in names})
    for edge in reading.edges():
        for rate, by_unit in read_strata(tx, edge).items():
            for part, kinds in by_unit.items():
                for kind, share in kinds.items():
                    people = share.people if rate == ADJUSTED[0] else 0
                    sums.setdefault((part, kind), Counter()).update({ADJUSTED_OF: people, rate: share.hits})
    found: dict[str, dict[str, dict[str, HitCount]]] = {name: {} for name in ADJUSTED}
    for (part, kind), counted in sums.items():
        for name in ADJUSTED:
            share = HitCount(people=counted[ADJUSTED_OF], hits=counted[name])
            found[name].setdefault(part, {})[kind] = share
    return found


def rollup_cut_days(
    tx: Tx, window: CutWindow, changed: ChangedCases | None = None
) -> dict[date, dict[str, int]] | None:
    """The result of `read_days`."""
    reading = _reading(tx, window, changed)
    if reading is None:
        return None
    parts, more = _parts(reading, None, TREND, key="day")
    rest = f"SELECT day, {joined('CAST(coalesce(sum({name}), 0) AS bigint) AS {name}', TREND)} FROM parts GROUP BY day"
    statement = _statement(reading, parts, rest)
    found = {
        row["day"]: {name: row[name] for name in TREND} for row in tx.rows(statement, reading.given(**more))
    }
    for edge in reading.edges():
        start = edge.period.start
        assert start is not None
        # A part of a day at an end of the window belongs to the day in which it begins.
        day = found.setdefault(start.astimezone(ZoneInfo(window.timezone)).date(), dict.fromkeys(TREND, 0))
        for counts in read_days(tx, edge).values():
            for name in TREND:
                day[name] += counts.get(name) or 0
    return {day: counts for day, counts in found.items() if any(counts.values())}


def trends_of_day(
    tx: Tx, window: CutWindow, dimension: Dimension, changed: ChangedCases | None = None
) -> dict[str, dict[str, int]] | None:
    """The counts of `TREND` of a window of one day, by value of the dimension, from the sums that
    `rollup_cut_days` reads.
    """
    reading = _reading(tx, window, changed)
    if reading is None:
        return None
    parts, more = _parts(reading, dimension, TREND, key="day")
    statement = _statement(
        reading,
        parts,
        f"""
        SELECT {_PART.get(dimension, "value")} AS part,
            {joined("CAST(coalesce(sum({name}), 0) AS bigint) AS {name}", TREND)}
        FROM parts {_UNITS if dimension is Dimension.UNIT else ""} GROUP BY 1
        """,
    )
    return {
        row["part"]: {name: row[name] for name in TREND} for row in tx.rows(statement, reading.given(**more))
    }


def rollup_cut_case_ids(
    tx: Tx,
    measure: str,
    window: CutWindow,
    changed: ChangedCases | None = None,
    *,
    before_id: int | None,
    limit: int,
) -> list[int] | None:
    """The result of `case_ids_behind`; None also for a measure that fact rows do not have."""
    if measure in LOSSES:
        before, after = LOSSES[measure]
        counts = f"{before} > 0 AND coalesce({after}, 0) = 0"
    elif measure in FIGURES:
        counts = f"{measure} > 0"
    else:
        return None
    reading = _reading(tx, window, changed)
    if reading is None:
        return None
    which = f"{counts} AND {reading.of_facts()} AND {_DAYS}"
    if before_id is not None:
        which += " AND case_id < :before_id"
    newest = "ORDER BY case_id DESC LIMIT :limit"
    parts = [f"(SELECT DISTINCT case_id FROM case_fact WHERE {which} {newest})"]
    if reading.changed.ids:
        stale = "case_id IN (SELECT id FROM asked)"
        parts = [
            f"(SELECT DISTINCT case_id FROM case_fact WHERE {which} AND NOT ({stale}) {newest})",
            f"(SELECT DISTINCT case_id FROM fresh WHERE {which} {newest})",
        ]
    statement = _statement(
        reading, parts, "SELECT DISTINCT case_id AS id FROM parts ORDER BY id DESC LIMIT :limit"
    )
    ids = {row["id"] for row in tx.rows(statement, reading.given(before_id=before_id, limit=limit))}
    for edge in reading.edges():
        ids.update(case_ids_behind(tx, measure, edge, before_id=before_id, limit=limit))
    return sorted(ids, reverse=True)[:limit]


def read_cut_figures(
    tx: Tx, dimension: Dimension, window: CutWindow, changed: ChangedCases | None = None
) -> CutFigures:
    """The figures of a cut, from the rollup or, where it cannot be used, from the records."""
    found = rollup_cut_figures(tx, dimension, window, changed)
    if found is not None:
        return found
    return CutFigures(
        breakdown=read_breakdown(tx, dimension, window),
        waits=read_waits(tx, window),
        contacted=read_waits(tx, window, until="contact"),
    )


def read_cut_total(tx: Tx, window: CutWindow, changed: ChangedCases | None = None) -> Slice:
    """The figures of the cut as a whole, from the rollup or, where it cannot be used, from the records."""
    found = rollup_cut_total(tx, window, changed)
    return found if found is not None else slice_of(_as_counts(read_numbers(tx, Dimension.GRADE, window)[0]))


def read_cut_days(
    tx: Tx, window: CutWindow, changed: ChangedCases | None = None
) -> dict[date, dict[str, int]]:
    """The counts of `TREND` by day, from the rollup or, where it cannot be used, from the records."""
    found = rollup_cut_days(tx, window, changed)
    return found if found is not None else read_days(tx, window)


def read_cut_case_ids(
    tx: Tx,
    measure: str,
    window: CutWindow,
    changed: ChangedCases | None = None,
    *,
    before_id: int | None,
    limit: int,
) -> list[int]:
    """The cases behind a count, newest first, from the rollup or, where it cannot be used, from the records."""
    found = rollup_cut_case_ids(tx, measure, window, changed, before_id=before_id, limit=limit)
    if found is not None:
        return found
    return case_ids_behind(tx, measure, window, before_id=before_id, limit=limit)
