"""Fact rows: what figures need of each record, in a DuckDB file of this machine, kept up to date as cases change.

A trigger marks a case in the transaction that changes what is counted of it: one row of `fact_mark` for each case and
transaction. The file knows the snapshot of PostgreSQL of which it is. A reader holds the file's lock, takes a snapshot,
fetches the records of the cases whose marks it sees and the file's snapshot did not, and reads; so figures are those of
its own snapshot, to the last digit. Nobody waits for a reader but another reader of the same machine, and no row is
written for figures but the marks. The file can be deleted at any time: it is made again.

It holds no personal data: ids of cases, words of our own enumerations, times, amounts, sources, logins of staff.
"""

# ruff: noqa: S608  # every part is a literal of this package or a word of our own enumerations; values are bound

from __future__ import annotations

import fcntl
import functools
import logging
import os
import re
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar, Final

import sqlalchemy as sa

from dialer.core.values import FraudType, Grade
from dialer.db.migration_locks import must_step_aside
from dialer.db.unit_of_work import Row, Store, Tx, hold_snapshot
from dialer.figures.reader import FILTERS, UNIT_BELOW, RecordSource, Source, states_of, within
from dialer.figures.records import DEFINITIONS_HASH, KINDS, OWN, OWN_OF_CASE, RecordKind, one_word_of

_log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_COMMON: Final[Mapping[str, str]] = {
    "case_id": "BIGINT",
    "drill": "BOOLEAN",
    "moment": "TIMESTAMPTZ",
    "day": "DATE",
    "grade": one_word_of(Grade),
    "fraud_type": one_word_of(FraudType),
}
_PARAMETER: Final = re.compile(r"(?<!:):([a-z_]+)")
_SMALLEST_PIECE, _LARGEST_PIECE = 1_000, 5_000
"""Cases that one transaction of a refresh fetches: the fewest, with which it begins, and the most. Each piece looks for
changes anew, so that smaller ones would take longer in all.
"""
_PIECE_SECONDS: Final = 1.0
"""A piece is meant to take about as long: while it runs, a migration waits for its tables, and old rows stay."""
MOST_BEHIND: Final = 5_000
"""A reader fetches up to this many cases itself; with more it counts the records, until `refresh_facts` has run."""
WORTH_A_FILE: Final = 1_000
"""Fewer cases are counted or fetched in a moment: they are worth neither a new file nor a process that refreshes it."""
EVERY_CASE: Final = 1 << 60
KEPT_DAYS: Final = 8
"""Marks are kept for this long; a file of an older snapshot is made again."""
_LOCK_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FactFile:
    """Where the fact rows of this machine are, and the time zone of their days. `folder` None: there are none, and
    figures are counted from the records.
    """

    folder: Path | None
    timezone: str

    @property
    def path(self) -> Path:
        """The DuckDB file."""
        assert self.folder is not None
        return self.folder / "facts.duckdb"

    @property
    def log(self) -> Path:
        """What was written since the last checkpoint of the file."""
        return self.path.with_name(f"{self.path.name}.wal")


@contextmanager
def open_source(
    store: Store,
    facts: FactFile,
    *,
    fewest: int = 0,
    most_behind: int = MOST_BEHIND,
    lock_seconds: float = _LOCK_SECONDS,
) -> Iterator[Source]:
    """A source of figures in a new read-only transaction with one snapshot: the fact rows if they can be brought up to
    date with `most_behind` cases, and no other process has them for `lock_seconds`, else the records. Both give the
    same figures. No file is made for fewer than `fewest` cases: DuckDB takes 30 MB of a process.
    """
    if fewest and facts.folder is not None and not facts.path.exists():
        with store.begin() as tx:
            hold_snapshot(tx)
            if not has_cases(tx, fewest):
                yield RecordSource(tx)
                return
    with _held(facts, seconds=lock_seconds) as connection, store.begin() as tx:
        hold_snapshot(tx)
        if connection is None or not _Refresh(tx=tx, connection=connection, facts=facts).succeeds(
            most_behind
        ):
            yield RecordSource(tx)
        else:
            yield FactSource(tx, connection)


def refresh_facts(store: Store, facts: FactFile) -> int:
    """Brings the fact rows up to date, however many cases have changed, in transactions of about a second each; returns
    how many it has fetched. Ends where another process of this machine has the file, which brings it up to date too,
    and where a migration waits for its tables.
    """
    fetched, is_whole, piece = 0, False, _SMALLEST_PIECE
    while not is_whole and not must_step_aside(store):
        # Readers come in between.
        with _held(facts, seconds=_LOCK_SECONDS if fetched else 0) as connection:
            if connection is None:
                return fetched
            began = time.monotonic()
            with store.begin() as tx:
                hold_snapshot(tx)
                refresh = _Refresh(tx=tx, connection=connection, facts=facts, piece=piece)
                is_whole = refresh.run(most=None)
            piece = next_piece(piece, seconds=time.monotonic() - began)
            fetched += refresh.fetched
            connection.execute("CHECKPOINT")
    return fetched


def next_piece(piece: int, *, seconds: float) -> int:
    """How many cases the next transaction fetches, after one of `piece` cases that took so long."""
    wanted = int(piece * min(2.0, _PIECE_SECONDS / max(seconds, 0.001)))
    return max(_SMALLEST_PIECE, min(_LARGEST_PIECE, wanted))


@contextmanager
def _held(facts: FactFile, *, seconds: float) -> Iterator[DuckDBPyConnection | None]:
    """The open file, which no other process has meanwhile; None if that cannot be had within `seconds`."""
    with ExitStack() as stack:
        yield _hold(facts, seconds, stack)


@functools.lru_cache(maxsize=1)
def _engine(process: int) -> DuckDBPyConnection:  # noqa: ARG001 - a copy of a process has none of its threads
    """DuckDB of this process, without a file: to make it takes ten times as long as to open a file."""
    import duckdb

    return duckdb.connect(config=_SETTINGS)


def _hold(facts: FactFile, seconds: float, stack: ExitStack) -> DuckDBPyConnection | None:
    if facts.folder is None:
        return None
    import duckdb  # 30 MB that only a process with figures needs

    try:
        facts.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(facts.folder / "facts.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        stack.callback(os.close, lock)
        if not _is_locked(lock, seconds):
            return None
        engine, attach = _engine(os.getpid()), _ATTACH.format(path=str(facts.path).replace("'", "''"))
        try:
            engine.execute(attach)
        except duckdb.Error:
            # It is damaged: it is made again.
            for path in (facts.path, facts.log):
                path.unlink(missing_ok=True)
            engine.execute(attach)
    except (OSError, duckdb.Error) as fault:
        _log.warning("fact rows: %s", str(fault).split("\n", 1)[0])
        return None
    stack.callback(engine.execute, "DETACH facts")
    connection = stack.enter_context(closing(engine.cursor()))
    connection.execute("SET TimeZone = 'UTC'; USE facts")
    return connection


def _is_locked(descriptor: int, seconds: float) -> bool:
    """Whether the lock of the file could be taken within this time."""
    until = time.monotonic() + seconds
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if time.monotonic() >= until:
            return False
        time.sleep(0.01)


_ATTACH = "ATTACH '{path}' AS facts"
_SETTINGS: Final[dict[str, Any]] = {
    "threads": min(2, os.cpu_count() or 1),
    "memory_limit": "512MB",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


@dataclass(frozen=True, slots=True)
class FactSource(Source):
    """The fact rows, of the snapshot of the transaction."""

    tx: Tx
    connection: DuckDBPyConnection
    day: ClassVar[str] = "day"

    def rows(self, statement: str, parameters: Mapping[str, Any]) -> list[Row]:
        return rows_of(self.connection, statement, parameters)

    def with_records(
        self, kind: RecordKind, parameters: Mapping[str, Any], *, value: str = "", which: str = "true"
    ) -> str:
        filters = [form.format(column) for name, (column, form) in FILTERS.items() if name in parameters]
        chosen = " AND ".join(("drill = :drill", within("moment"), *filters))
        column = UNIT_BELOW.format(unit_id="f.unit_id") if value == "unit" else value or "''"
        return f"""
            WITH records AS (
                SELECT * FROM (
                    SELECT *{states_of(kind)}, {column} AS value
                    FROM {kind.name} f WHERE {chosen}
                ) r WHERE {which}
            )
        """

    def sums(self, kind: RecordKind, by: Sequence[str]) -> str:
        if not kind.measures:
            return Source.sums(self, kind, by)
        passing = (f"({condition}) AS {name}" for name, condition in kind.passing.items())
        counts = (
            *(f"sum(n * counts.{name}) AS {name}" for name in kind.lasting),
            *(f"sum(n) FILTER (WHERE {name}) AS {name}" for name in kind.passing),
        )
        return f"""
            , counted AS (
                SELECT {", ".join((*by, "combination", *passing))}, count(*) AS n FROM records GROUP BY ALL
            )
            SELECT {", ".join((*by, *counts))} FROM counted JOIN {kind.name}_combination USING (combination)
            GROUP BY ALL
        """

    def percentiles(self, column: str, parts: tuple[float, ...]) -> str:
        return f"quantile_cont({column}, {list(parts)})"

    def id_ranges(self, before_id: int | None) -> Iterator[tuple[int, int]]:
        yield 0, before_id if before_id is not None else 1 << 62


def rows_of(connection: DuckDBPyConnection, statement: str, parameters: Mapping[str, Any]) -> list[Row]:
    """Runs a statement of DuckDB that has its parameters as PostgreSQL's, `:name`."""
    wanted = set(_PARAMETER.findall(statement))
    given = {name: parameters[name] for name in wanted}
    found = connection.execute(_PARAMETER.sub(r"$\1", statement), given)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def has_cases(tx: Tx, number: int) -> bool:
    """Whether there are at least this many cases."""
    return bool(tx.scalar(_CASES, {"enough": number}) >= number)


_CASES = sa.text('SELECT count(*) FROM (SELECT FROM "case" LIMIT :enough) cases')
_HERE = sa.text("""
SELECT concat_ws(
        '/',
        (SELECT system_identifier FROM pg_control_system()),
        CASE WHEN NOT pg_is_in_recovery() THEN left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) END,
        (SELECT oid FROM pg_database WHERE datname = current_database())
    ) AS place,
    CAST(pg_current_snapshot() AS text) AS snapshot, clock_timestamp() AS at
""")
"""`place` changes when transactions may be counted anew: in another database, and after a standby was promoted."""

_CHANGED = sa.text("""
SELECT DISTINCT case_id FROM fact_mark
WHERE xid >= CAST(CAST(pg_snapshot_xmin(CAST(:snapshot AS pg_snapshot)) AS text) AS bigint)
    AND NOT pg_visible_in_snapshot(CAST(CAST(xid AS text) AS xid8), CAST(:snapshot AS pg_snapshot))
ORDER BY case_id
""")
_NEXT_CASES = sa.text('SELECT id FROM "case" WHERE id > :after ORDER BY id LIMIT :limit')
_UNITS = sa.text("SELECT id, path FROM unit ORDER BY id")
_ALL_CASES: Final = 0
"""The mark of a table that was emptied: no case has this id."""


@dataclass(slots=True, kw_only=True)
class _Refresh:
    """One refresh of the file in one snapshot."""

    tx: Tx
    connection: DuckDBPyConnection
    facts: FactFile
    piece: int = _LARGEST_PIECE
    fetched: int = 0

    def run(self, *, most: int | None) -> bool:
        """Whether the file is of the transaction's snapshot now. With `most` it fetches no more cases than that, or
        none; without, it fetches the next `piece` cases, and the file says which ones are left.
        """
        here = self.tx.one(_HERE)
        assert here is not None
        state = self._state()
        is_known = (
            state is not None
            and (state["place"], state["definitions"], state["timezone"])
            == (here["place"], DEFINITIONS_HASH, self.facts.timezone)
            and (here["at"] - state["taken_at"]).days < KEPT_DAYS - 1
        )
        changed: list[int] = []
        if is_known:
            assert state is not None
            changed = [row["case_id"] for row in self.tx.rows(_CHANGED, {"snapshot": state["snapshot"]})]
            is_known = _ALL_CASES not in changed
            changed = sorted({*changed, *self._left()})
        if not is_known:
            self._make_tables()
            state = {"snapshot": here["snapshot"], "taken_at": here["at"], "made_to": 0}
            changed = []
        assert state is not None
        made_to: int | None = state["made_to"]
        wanted = changed
        limit = self.piece if most is None else most
        if made_to is not None:
            ids = [row["id"] for row in self.tx.rows(_NEXT_CASES, {"after": made_to, "limit": limit + 1})]
            is_last, wanted = len(ids) <= limit, sorted({*changed, *ids[:limit]})
            made_to = None if is_last else ids[limit - 1]
        if most is not None and (made_to is not None or len(wanted) > most):
            return False
        is_young = (here["at"] - state["taken_at"]).days < 1
        if is_known and is_young and made_to is None and not wanted and self._are_units_known():
            return True
        self.connection.execute("BEGIN")
        self._fetch(wanted[:limit])
        self._write_left(wanted[limit:])
        self._write_units()
        self._write_state(here, made_to=made_to)
        self.connection.execute("COMMIT")
        return made_to is None and len(wanted) <= limit

    def succeeds(self, most: int) -> bool:
        """As `run`; False too if the file cannot be written, or if a record has a word of a later version."""
        import duckdb

        try:
            return self.run(most=most)
        except duckdb.Error as fault:
            _log.warning("fact rows: %s", str(fault).split("\n", 1)[0])
            return False

    def _state(self) -> Row | None:
        tables = rows_of(
            self.connection, "SELECT table_name FROM duckdb_tables() WHERE table_name = 'state'", {}
        )
        found = rows_of(self.connection, "SELECT * FROM state", {}) if tables else []
        return found[0] if found else None

    def _left(self) -> list[int]:
        """Cases that have changed before the file's snapshot and are not fetched yet."""
        self.connection.execute("CREATE TABLE IF NOT EXISTS left_over (case_id BIGINT)")
        return [row["case_id"] for row in rows_of(self.connection, "SELECT case_id FROM left_over", {})]

    def _write_left(self, ids: Sequence[int]) -> None:
        self.connection.execute("DELETE FROM left_over")
        self.connection.execute("INSERT INTO left_over SELECT unnest($ids)", {"ids": list(ids)})

    def _make_tables(self) -> None:
        for kind in KINDS:
            columns = ", ".join(f"{name} {sort}" for name, sort in _columns(kind).items())
            self.connection.execute(f"CREATE OR REPLACE TABLE {kind.name} ({columns}, combination INTEGER)")
            self.connection.execute(
                f"CREATE OR REPLACE TABLE {kind.name}_combination AS"
                f" SELECT 0 AS combination, {_counts(kind)} AS counts FROM {kind.name}"
            )
        self.connection.execute("CREATE OR REPLACE TABLE unit (id BIGINT, path BIGINT[])")
        self.connection.execute("CREATE OR REPLACE TABLE left_over (case_id BIGINT)")
        self.connection.execute(
            "CREATE OR REPLACE TABLE state"
            " (place VARCHAR, definitions VARCHAR, timezone VARCHAR, snapshot VARCHAR, taken_at TIMESTAMPTZ,"
            " made_to BIGINT)"
        )

    def _units(self) -> list[tuple[int, list[int]]]:
        return [(row["id"], list(row["path"])) for row in self.tx.rows(_UNITS)]

    def _are_units_known(self) -> bool:
        return self._units() == self.connection.execute("SELECT id, path FROM unit ORDER BY id").fetchall()

    def _write_units(self) -> None:
        self.connection.execute("DELETE FROM unit")
        if units := self._units():
            self.connection.executemany("INSERT INTO unit VALUES (?, ?)", units)

    def _write_state(self, here: Row, *, made_to: int | None) -> None:
        self.connection.execute("DELETE FROM state")
        values = (here["place"], DEFINITIONS_HASH, self.facts.timezone, here["snapshot"], here["at"], made_to)
        self.connection.execute("INSERT INTO state VALUES (?, ?, ?, ?, ?, ?)", values)

    def _fetch(self, ids: Sequence[int]) -> None:
        """Replaces the fact rows of these cases by those of the snapshot."""
        if not ids:
            return
        self.fetched += len(ids)
        for kind in KINDS:
            self.connection.execute(
                f"DELETE FROM {kind.name} WHERE case_id IN (SELECT unnest($ids))", {"ids": list(ids)}
            )
            columns = ", ".join(
                f"'{name}': '{'VARCHAR' if sort.startswith('ENUM') else sort}'"
                for name, sort in _columns(kind).items()
            )
            with tempfile.NamedTemporaryFile(dir=self.facts.folder, suffix=".csv") as rows:
                self._copy(kind, ids, rows)
                if rows.tell():
                    rows.flush()
                    self.connection.execute(
                        "CREATE OR REPLACE TEMP TABLE fetched AS"
                        f" SELECT *, {_counts(kind)} AS counts FROM read_csv($path, columns = {{{columns}}},"
                        " auto_detect = false, header = false, delim = ',', quote = '\"', escape = '\"',"
                        " nullstr = '', allow_quoted_nulls = false)",
                        {"path": rows.name},
                    )
                    self._insert(kind)

    def _insert(self, kind: RecordKind) -> None:
        """Inserts the fetched rows, each with the number of the combination of counts that it belongs to: a report adds
        up a few hundred combinations instead of looking at every condition for every row.
        """
        numbered = f"{kind.name}_combination"
        self.connection.execute(f"""
            INSERT INTO {numbered} SELECT (SELECT count(*) FROM {numbered}) + row_number() OVER (), counts
            FROM (SELECT counts FROM fetched EXCEPT SELECT counts FROM {numbered})
        """)
        self.connection.execute(
            f"INSERT INTO {kind.name} SELECT * EXCLUDE (counts) FROM fetched JOIN {numbered} USING (counts)"
        )

    def _copy(self, kind: RecordKind, ids: Sequence[int], into: IO[bytes]) -> None:
        chosen = f"{kind.case_id} = ANY(CAST(:ids AS bigint[]))"
        own = ", ".join(f"{expression} AS own_{name}" for name, expression in OWN_OF_CASE.items())
        statement = f"""
            COPY (
                WITH {kind.before.format(which=chosen)} records AS ({kind.select.format(which=chosen)}), own AS (
                    SELECT c.id AS own_id, {own} FROM "case" c WHERE c.id = ANY(CAST(:ids AS bigint[]))
                )
                SELECT case_id, drill, moment, CAST(moment AT TIME ZONE :zone AS date), grade, fraud_type,
                    {", ".join((*(f"own_{name}" for name in OWN), *kind.columns))}
                FROM records JOIN own ON own_id = case_id
            ) TO STDOUT (FORMAT csv)
        """
        driver: Any = self.tx.connection.connection.driver_connection
        parameters = {"ids": list(ids), "zone": self.facts.timezone}
        with driver.cursor() as cursor, cursor.copy(_PARAMETER.sub(r"%(\1)s", statement), parameters) as rows:
            for data in rows:
                into.write(data)


def _counts(kind: RecordKind) -> str:
    """SQL for what a row adds to each lasting measure, 1 or 0."""
    measures = {"every": "true", **kind.lasting}
    parts = (
        f"'{name}': CAST(coalesce({condition}, false) AS INTEGER)" for name, condition in measures.items()
    )
    return f"{{{', '.join(parts)}}}"


def _columns(kind: RecordKind) -> dict[str, str]:
    """The columns of a fact table with their types."""
    return {**_COMMON, **OWN, **kind.columns}


def delete_old_marks(store: Store) -> int:
    """Deletes the marks that no file of `KEPT_DAYS` needs; returns their number."""
    with store.begin() as tx:
        return int(tx.execute(_DELETE_MARKS, {"days": KEPT_DAYS}).rowcount)


_DELETE_MARKS = sa.text("DELETE FROM fact_mark WHERE at < clock_timestamp() - make_interval(days => :days)")
