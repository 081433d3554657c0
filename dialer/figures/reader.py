"""The one reader of figures: every count, sum and percentile of a report, of any filter and by any dimension.

It reads from a source: the records themselves (`RecordSource`, always exact, slow over millions of rows), or their fact
rows (`FactSource` of `facts.py`), by the same statements. A warning, a call, an assignment and an amount belong to what
their case belongs to now. The counts of the whole database that the demo needs are in `progress.py`.
"""

# ruff: noqa: S608  # every part is a literal of this package or a word of our own enumerations; values are bound

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import pairwise
from typing import Any, ClassVar

import sqlalchemy as sa

from dialer.core.intervals import HitCount
from dialer.core.rates import (
    COUNT_NAMES,
    FUNNEL,
    REACHED_OUTCOMES,
    TREND,
    Breakdown,
    CaseFilter,
    Counts,
    Dimension,
    Figures,
    FirstAttempt,
    Money,
    Period,
    Slice,
    Waits,
)
from dialer.core.values import AmountKind, FraudType, Grade, TelephonyResult
from dialer.db.columns import words
from dialer.db.measures import (
    ASSIGNMENT_MEASURES,
    CASE_MEASURES,
    CONTACT_BAR,
    FIRST_BAR,
    MONEY,
    MONEY_STATES,
    MOST_BARS,
    counts_of,
    money_name,
)
from dialer.db.unit_of_work import Row, Tx, record_of
from dialer.figures.records import AMOUNTS, ASSIGNMENTS, CASES, KINDS, OWN_OF_CASE, WARNINGS, RecordKind

UNIT_BELOW = "(SELECT coalesce(u.path[CAST(:depth AS integer) + 1], u.id) FROM unit u WHERE u.id = {unit_id})"
"""The unit right below the reader's own on the path to the case's unit, or the case's unit itself."""

_COLUMN: Mapping[Dimension, str] = {
    Dimension.GRADE: "grade",
    Dimension.FRAUD_TYPE: "fraud_type",
    Dimension.SOURCE: "source",
    Dimension.SCRIPT: "script_id",
    Dimension.VERSION: "version",
    Dimension.HOUR: "hour",
    Dimension.PERSON: "person",
}

FILTERS: Mapping[str, tuple[str, str]] = {
    "unit_ids": ("unit_id", "{} = ANY(CAST(:unit_ids AS bigint[]))"),
    "grade": ("grade", "{} = :grade"),
    "fraud_type": ("fraud_type", "{} = :fraud_type"),
    "source": ("source", "{} = :source"),
    "script_id": ("script_id", "{} = :script_id"),
    "version": ("version", "{} = :version"),
    "hour": ("hour", "{} = CAST(:hour AS integer)"),
    "person": ("person", "{} = :person"),
    "before_id": ("case_id", "{} < :before_id"),
    "from_id": ("case_id", "{} >= :from_id"),
    "case_ids": ("case_id", "{} = ANY(CAST(:case_ids AS bigint[]))"),
}
"""The column that each filter reads, and its condition. The last three are of `read_case_ids` and `read_cases_of`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CutWindow:
    """The records that a cut counts, as of `now`. `depth`: the number of levels of units above those that
    are compared.
    """

    cut: CaseFilter = field(default_factory=CaseFilter)
    period: Period
    drill: bool
    now: datetime
    timezone: str
    depth: int = 0

    def parameters(self) -> dict[str, Any]:
        """The parameters of the window's statements; a filter that is not set has none."""
        cut = self.cut
        filters = {
            "unit_ids": None if cut.unit_ids is None else list(cut.unit_ids),
            "grade": cut.grade and cut.grade.value,
            "fraud_type": cut.fraud_type and cut.fraud_type.value,
            "source": cut.source or None,
            "script_id": cut.script_id or None,
            "version": cut.version or None,
            "hour": cut.hour,
            "person": cut.person or None,
        }
        return {
            "start": self.period.start,
            "end": self.period.end,
            "drill": self.drill,
            "now": self.now,
            "zone": self.timezone,
            "depth": self.depth,
        } | {name: value for name, value in filters.items() if value is not None}


class Source(ABC):
    """Where figures are read from: SQL for the records of a kind, and a way to run it."""

    tx: Tx
    day: ClassVar[str]
    """SQL for the day of a record in the centre's time zone."""

    @abstractmethod
    def rows(self, statement: str, parameters: Mapping[str, Any]) -> list[Row]:
        """Runs the statement; it need not use every parameter."""

    @abstractmethod
    def with_records(
        self, kind: RecordKind, parameters: Mapping[str, Any], *, value: str = "", which: str = "true"
    ) -> str:
        """SQL from WITH to the common table expression `records`: the records of the window that meet the filters among
        the parameters and the condition `which`. `value`: a column of `OWN`, of a record or `unit`, which they have as
        the text `value` then.
        """

    def sums(self, kind: RecordKind, by: Sequence[str]) -> str:
        """SQL, after `records`, for every count of the kind, or every sum of money, by these columns."""
        return f"""
            SELECT {", ".join((*by, counts_of(kind.measures) or _MONEY_SUMS))} FROM records
            {f"GROUP BY {', '.join(by)}" if by else ""}
        """

    @abstractmethod
    def percentiles(self, column: str, parts: tuple[float, ...]) -> str:
        """SQL for the list of these percentiles of a column, interpolated; NULL without a row."""

    @abstractmethod
    def id_ranges(self, before_id: int | None) -> Iterator[tuple[int, int]]:
        """Ranges of case ids, newest first, each from an id (included) to another (excluded): it is worth while to ask
        for the next range only when those before it were too few.
        """


@dataclass(frozen=True, slots=True)
class RecordSource(Source):
    """The rows of PostgreSQL themselves, in the snapshot of the transaction."""

    tx: Tx
    day: ClassVar[str] = "CAST(moment AT TIME ZONE :zone AS date)"

    def rows(self, statement: str, parameters: Mapping[str, Any]) -> list[Row]:
        return self.tx.rows(sa.text(statement), dict(parameters))

    def with_records(
        self, kind: RecordKind, parameters: Mapping[str, Any], *, value: str = "", which: str = "true"
    ) -> str:
        own = {**OWN_OF_CASE, "grade": "c.grade", "fraud_type": "c.fraud_type", "case_id": "c.id"}
        filters = [form.format(own[column]) for name, (column, form) in FILTERS.items() if name in parameters]
        chosen = " AND ".join((f"{kind.case_id[0]}.drill = :drill", within(kind.moment), *filters))
        column = UNIT_BELOW.format(unit_id="c.unit_id") if value == "unit" else own.get(value, "''")
        joined = f'CROSS JOIN LATERAL (SELECT {column} AS value FROM "case" c WHERE c.id = r.case_id) d'
        joined = joined if value else "CROSS JOIN (SELECT '' AS value) d"
        return f"""
            WITH {kind.before.format(which=chosen)} records AS (
                SELECT r.*, d.value
                FROM (SELECT *{states_of(kind)} FROM ({kind.select.format(which=chosen)}) s) r {joined} WHERE {which}
            )
        """

    def percentiles(self, column: str, parts: tuple[float, ...]) -> str:
        return f"percentile_cont(ARRAY{list(parts)}) WITHIN GROUP (ORDER BY {column})"

    def id_ranges(self, before_id: int | None) -> Iterator[tuple[int, int]]:
        before, id_range = before_id if before_id is not None else sys.maxsize, _FIRST_ID_RANGE
        while True:
            lowest = self.tx.scalar(_ID_RANGE, {"before_id": before, "id_range": id_range})
            if lowest is None:
                return
            yield lowest, before
            before, id_range = lowest, id_range * 4


_FIRST_ID_RANGE = 2_000
"""The number of newest cases that are searched first; each further search covers four times as many."""
_ID_RANGE = sa.text("""
SELECT min(id) FROM (SELECT id FROM "case" WHERE id < :before_id ORDER BY id DESC LIMIT :id_range) newest
""")


def states_of(kind: RecordKind) -> str:
    """SQL for the columns of `RecordKind.states`, each after a comma."""
    return "".join(f", {expression} AS {name}" for name, expression in kind.states.items())


def within(column: str) -> str:
    """The SQL condition that the moment in a column is in the window."""
    return (
        f"{column} >= coalesce(CAST(:start AS timestamptz), '-infinity')"
        f" AND {column} < coalesce(CAST(:end AS timestamptz), 'infinity')"
    )


def value_of(dimension: Dimension) -> str:
    """The name under which a source knows the dimension."""
    return "unit" if dimension is Dimension.UNIT else _COLUMN[dimension]


_MONEY_COLUMNS: Mapping[str, str] = {
    money_name(kind, state): f"sum({kind.value}_fen) FILTER (WHERE {condition})"
    for kind in AmountKind
    for state, condition in MONEY_STATES.items()
}
_MONEY_SUMS = ", ".join(f"{expression} AS {name}" for name, expression in _MONEY_COLUMNS.items())
NUMBERS = (*(name for kind in KINDS for name in kind.measures), *MONEY)
"""The names of all counts and sums."""

Numbers = dict[str, Any]
"""Numbers by name; a missing one is 0."""

_WHOLE, _VALUE, _GRADE, _TYPE = "", "value", "grade", "fraud_type"


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedNumbers:
    """The numbers of a window, by the columns that were asked for, and by the values of each; the whole is the only
    value "" of the column "".
    """

    found: dict[str, dict[str, Numbers]] = field(default_factory=dict)

    @property
    def whole(self) -> Numbers:
        """The numbers of the whole."""
        return self.numbers(_WHOLE, "")

    def by(self, column: str) -> dict[str, Numbers]:
        """The numbers by the values of a column."""
        return self.found.get(column, {})

    def numbers(self, column: str, value: str) -> Numbers:
        """The numbers of a value of a column, to be changed in place."""
        return self.found.setdefault(column, {}).setdefault(value, {})


def read_numbers(
    source: Source,
    window: CutWindow,
    *,
    dimension: Dimension | None = None,
    counts_by: tuple[str, ...] = (),
    times_by: tuple[str, ...] | None = None,
) -> CountedNumbers:
    """Every number of the window: the counts of the whole and by these columns, and the percentiles of the times to the
    first attempt, of the whole and by their columns; None: no percentiles. The dimension's value is the column `value`.
    """
    counted, parameters = CountedNumbers(), window.parameters()
    value = "" if dimension is None else value_of(dimension)
    for kind in KINDS:
        statement = f"{source.with_records(kind, parameters, value=value)} {source.sums(kind, counts_by)}"
        # Added up here: grouping sets would take the database longer to plan than to count.
        for row in source.rows(statement, parameters):
            for column in (_WHOLE, *counts_by):
                numbers = counted.numbers(column, _text(row[column]) if column else "")
                for name in kind.measures or _MONEY_COLUMNS:
                    numbers[name] = numbers.get(name, 0) + int(row[name] or 0)
    if times_by is not None:
        sets = ", ".join(("()", *(f"({column})" for column in times_by)))
        places = "".join(f", GROUPING({column}) AS all_{column}, {column}" for column in times_by)
        statement = f"""
            {source.with_records(CASES, parameters, value=value, which="has_first")}
            SELECT {source.percentiles("first_seconds", (0.5, 0.9))} AS waited{places}
            FROM records GROUP BY GROUPING SETS ({sets})
        """
        for row in source.rows(statement, parameters):
            column = next((column for column in times_by if not row[f"all_{column}"]), _WHOLE)
            # The two servers interpolate alike but for the last bit.
            waited = [round(seconds, 9) for seconds in row["waited"] or ()] or (None, None)
            numbers = counted.numbers(column, _text(row[column]) if column else "")
            numbers.update(zip(_PERCENTILES, waited, strict=True))
    return counted


_PERCENTILES = ("p50_seconds", "p90_seconds")
_VALUE_TEXT = "coalesce(CAST(value AS text), '')"


def _text(value: object) -> str:
    return "" if value is None else str(value)


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


def read_figures(source: Source, window: CutWindow) -> Figures:
    """The figures of a window as a whole, by grade and by fraud type."""
    counted = read_numbers(source, window, counts_by=(_GRADE, _TYPE), times_by=(_GRADE, _TYPE))
    return Figures(
        total=slice_of(counted.whole),
        by_grade={grade: slice_of(counted.by(_GRADE).get(grade.value, {})) for grade in Grade},
        by_fraud_type={kind: slice_of(counted.by(_TYPE).get(kind.value, {})) for kind in FraudType},
        left_out=count_left_out(source, window),
    )


def count_left_out(source: Source, window: CutWindow) -> dict[str, int]:
    """The number of drill records in the window, by kind; 0 in a drill, where nothing is left out."""
    if window.drill:
        return {kind.name: 0 for kind in KINDS}
    parameters = window.parameters() | {"drill": True}
    counts = ", ".join(
        f"({source.with_records(kind, parameters, which=kind.mentioned)} SELECT count(*) FROM records) AS {kind.name}"
        for kind in KINDS
        if kind is not AMOUNTS
    )
    # All lines of the ledger count here, also those without money.
    bounds = {"start": window.period.start, "end": window.period.end}
    lines = int(source.tx.scalar(_LINES_LEFT_OUT, bounds))
    return {**source.rows(f"SELECT {counts}", parameters)[0], AMOUNTS.name: lines}


_LINES_LEFT_OUT = sa.text(f"SELECT count(*) FROM outcome WHERE drill AND {within('at')}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CutFigures:
    """The figures of a cut and its waiting times, all of one snapshot."""

    breakdown: Breakdown
    waits: Waits
    """Times to the first attempt."""
    contacted: Waits
    """Times to the verified contact."""


def read_cut(source: Source, dimension: Dimension, window: CutWindow) -> CutFigures:
    """The figures of the cut as a whole and by the dimension; a value without any record is left out."""
    counted = read_numbers(source, window, dimension=dimension, counts_by=(_VALUE,), times_by=(_VALUE,))
    by_value = sorted(counted.by(_VALUE).items())
    return CutFigures(
        breakdown=Breakdown(
            dimension=dimension,
            total=slice_of(counted.whole),
            slices={
                value: slice_of(numbers)
                for value, numbers in by_value
                if any(numbers.get(name) for name in NUMBERS)
            },
        ),
        waits=read_waits(source, window, FIRST_BAR),
        contacted=read_waits(source, window, CONTACT_BAR),
    )


def read_waits(source: Source, window: CutWindow, bar: str) -> Waits:
    """How the times of the window's cases are distributed, by grade: to the first attempt (`FIRST_BAR`) or to verified
    contact (`CONTACT_BAR`).
    """
    parameters = window.parameters()
    records = source.with_records(CASES, parameters, which=f"{bar} IS NOT NULL")
    rows = source.rows(
        f"{records} SELECT grade, {bar} AS bar, count(*) AS n FROM records GROUP BY 1, 2", parameters
    )
    found = {(row["grade"], row["bar"]): row["n"] for row in rows}
    return Waits(
        by_grade={
            grade: tuple(found.get((grade.value, place), 0) for place in range(MOST_BARS)) for grade in Grade
        }
    )


def read_total(source: Source, window: CutWindow) -> Slice:
    """The figures of the window as a whole, without the percentiles of the times to the first attempt."""
    return slice_of(read_numbers(source, window).whole)


def read_days(source: Source, window: CutWindow) -> dict[date, dict[str, int]]:
    """The counts of `TREND` by the day of their records, in the centre's zone; they add up to those of the window.
    A day without any is left out.
    """
    found: dict[date, dict[str, int]] = {}
    parameters = window.parameters()
    for kind in KINDS:
        counted = {name: kind.measures[name] for name in TREND if name in kind.measures}
        if not counted:
            continue
        statement = f"""
            {source.with_records(kind, parameters)}
            SELECT {source.day} AS day, {counts_of(counted)} FROM records GROUP BY 1
        """
        for row in source.rows(statement, parameters):
            if any(row[name] for name in counted):
                day = found.setdefault(row["day"], dict.fromkeys(TREND, 0))
                day.update({name: row[name] for name in counted})
    return found


ADJUSTED = ("verified_contact", "dissuaded")
"""The rates whose comparison of units is adjusted."""
ADJUSTED_OF = "cases_ours"
"""The denominator of both."""


def read_strata(source: Source, window: CutWindow) -> dict[str, dict[str, dict[str, HitCount]]]:
    """The number of our cases and of hits, by rate, by unit as in `read_cut`, and by grade and fraud type."""
    parameters = window.parameters()
    statement = f"""
        {source.with_records(CASES, parameters, value=value_of(Dimension.UNIT))}
        SELECT {_VALUE_TEXT} AS value, CAST(grade AS text) || ' ' || CAST(fraud_type AS text) AS kind,
            {counts_of({name: CASE_MEASURES[name] for name in (ADJUSTED_OF, *ADJUSTED)})}
        FROM records GROUP BY 1, 2
    """
    found: dict[str, dict[str, dict[str, HitCount]]] = {name: {} for name in ADJUSTED}
    for row in source.rows(statement, parameters):
        for name in ADJUSTED:
            share = HitCount(people=row[ADJUSTED_OF], hits=row[name])
            found[name].setdefault(row["value"], {})[row["kind"]] = share
    return found


Month = date
"""Its first day."""


def read_months(
    source: Source, window: CutWindow, counts: Sequence[str]
) -> dict[Month, dict[str, dict[str, dict[str, int]]]]:
    """These counts of `MEASURES_WITH_CASES`, by month of their records in the centre's zone, by unit as in `read_cut`,
    and by grade and fraud type; what has no record is left out.
    """
    parameters = window.parameters()
    found: dict[Month, dict[str, dict[str, dict[str, int]]]] = {}
    of_kind: dict[str, tuple[RecordKind, dict[str, str]]] = {}
    for name in counts:
        kind = _BEHIND[name]
        of_kind.setdefault(kind.name, (kind, {}))[1][name] = kind.measures[name]
    for kind, wanted in of_kind.values():
        statement = f"""
            {source.with_records(kind, parameters, value=value_of(Dimension.UNIT))}
            SELECT CAST(date_trunc('month', CAST({source.day} AS timestamp)) AS date) AS month,
                {_VALUE_TEXT} AS value, CAST(grade AS text) || ' ' || CAST(fraud_type AS text) AS kind,
                {counts_of(wanted)}
            FROM records GROUP BY 1, 2, 3
        """
        for row in source.rows(statement, parameters):
            units = found.setdefault(row["month"], {})
            units.setdefault(row["value"], {}).setdefault(row["kind"], {}).update(
                {name: row[name] for name in wanted}
            )
    return found


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
_MOST_STAFF = 200


def read_workload(source: Source, window: CutWindow) -> tuple[Workload, ...]:
    """The work of each member of staff, most reports first. Assignments that nobody has signed for are left out."""
    parameters = window.parameters()
    is_held = "state IN ('signed', 'done') AND coalesce(done_by, signed_by) IS NOT NULL"
    statement = f"""
        {source.with_records(ASSIGNMENTS, parameters, which=is_held)}
        SELECT coalesce(done_by, signed_by) AS login,
            {counts_of({name: ASSIGNMENT_MEASURES[name] for name in _WORK_MEASURES})},
            count(*) FILTER (WHERE state = 'done' AND outcome IN {words(REACHED_OUTCOMES)}) AS reached,
            count(*) FILTER (WHERE state = 'signed') AS held,
            count(*) FILTER (WHERE state = 'done') AS reports,
            count(DISTINCT CAST(done_at AT TIME ZONE :zone AS date)) FILTER (WHERE state = 'done') AS days,
            percentile_cont(0.5) WITHIN GROUP (
                ORDER BY CAST(EXTRACT(EPOCH FROM done_at - signed_at) AS double precision) / 60
            ) FILTER (WHERE state = 'done' AND signed_at IS NOT NULL) AS minutes
        FROM records GROUP BY 1 ORDER BY reports DESC, login LIMIT {_MOST_STAFF}
    """
    return tuple(record_of(Workload, row) for row in source.rows(statement, parameters))


def loss_name(step: str) -> str:
    """The name of the loss of the funnel between the previous step and this one."""
    return f"lost_{step}"


_LOSSES = tuple((before, after) for before, after in pairwise(FUNNEL) if before in CASE_MEASURES)
_LOST = (
    # A case's first warning opened it; every other joined it.
    replace(WARNINGS, measures={loss_name("cases"): "NOT is_first"}),
    replace(
        CASES,
        measures={
            loss_name(after): f"({CASE_MEASURES[before]}) AND ({CASE_MEASURES[after]}) IS NOT TRUE"
            for before, after in _LOSSES
        },
    ),
)
RECORD_MEASURES: Mapping[str, tuple[RecordKind, str]] = {
    "given": (ASSIGNMENTS, "true"),
    "signed_late": (
        ASSIGNMENTS,
        f"({ASSIGNMENT_MEASURES['sign_counted']}) AND (signed_early) IS NOT TRUE",
    ),
    "feedback_late": (
        ASSIGNMENTS,
        f"({ASSIGNMENT_MEASURES['feedback_counted']}) AND (reported_early) IS NOT TRUE",
    ),
    "cases_ended": (CASES, "NOT not_ours AND status <> 'open'"),
    "never_dissuaded": (CASES, "NOT not_ours AND status <> 'open' AND contact <> 'verified'"),
    "entries_missing": (
        CASES,
        "NOT not_ours AND (fraud_type = 'unknown' OR (status <> 'open' AND outcome IS NULL))",
    ),
}
"""The counts of a unit's record that no report has otherwise: the kind of record and its condition."""
_RECORDS = (
    replace(kind, measures={name: which for name, (of, which) in RECORD_MEASURES.items() if of is kind})
    for kind in (ASSIGNMENTS, CASES)
)
_BEHIND: Mapping[str, RecordKind] = {
    name: kind for kind in (*KINDS, *_LOST, *_RECORDS) for name in kind.measures
}
MEASURES_WITH_CASES = frozenset(_BEHIND)
"""The counts whose cases `read_case_ids` can list."""

assert set(COUNT_NAMES) <= MEASURES_WITH_CASES


def read_case_ids(
    source: Source, measure: str, window: CutWindow, *, before_id: int | None, limit: int
) -> list[int]:
    """The ids of the cases behind one count, newest first: the cases that it counts, or the cases of the calls,
    assignments or warnings that it counts. Raises `KeyError` for a name that is no count.
    """
    kind, found = _BEHIND[measure], list[int]()
    for from_id, before in source.id_ranges(before_id):
        parameters = window.parameters() | {"before_id": before, "from_id": from_id}
        statement = f"""
            {source.with_records(kind, parameters, which=kind.measures[measure])}
            SELECT DISTINCT case_id AS id FROM records ORDER BY id DESC LIMIT {limit - len(found)}
        """
        found += [row["id"] for row in source.rows(statement, parameters)]
        if len(found) >= limit:
            break
    return found


def read_cases_of(
    source: Source, measures: Sequence[str], window: CutWindow, case_ids: Sequence[int]
) -> dict[str, frozenset[int]]:
    """Of these cases those that each measure of a case counts, by its name. Raises `KeyError` for another measure."""
    parameters = window.parameters() | {"case_ids": list(case_ids)}
    conditions = ", ".join(f"({CASE_MEASURES[name]}) IS TRUE AS {name}" for name in measures)
    rows = source.rows(
        f"{source.with_records(CASES, parameters)} SELECT case_id, {conditions} FROM records", parameters
    )
    return {name: frozenset(row["case_id"] for row in rows if row[name]) for name in measures}


def read_count(source: Source, measure: str, window: CutWindow) -> int:
    """The count whose cases `read_case_ids` lists; a call, an assignment or a warning counts each time."""
    kind, parameters = _BEHIND[measure], window.parameters()
    records = source.with_records(kind, parameters, which=kind.measures[measure])
    return int(source.rows(f"{records} SELECT count(*) AS n FROM records", parameters)[0]["n"])


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
