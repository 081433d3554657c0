"""Counts what a piece of work costs in units that do not depend on the machine: statements, buffers, rows and bytes of
PostgreSQL, and calls of Python functions.

PostgreSQL's part comes from `pg_stat_statements`, from the statistics of tables and indexes, and from the position in
the write-ahead log. Python's part is what `cProfile` counts in every thread.
"""

from __future__ import annotations

import cProfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import psycopg
from psycopg.rows import dict_row

from dialer.db.unit_of_work import Store

SERVER_OPTIONS = {
    "shared_preload_libraries": "pg_stat_statements",
    "pg_stat_statements.max": "20000",
    "pg_stat_statements.track": "top",
    # What runs by itself would be counted with the work that happens to run beside it.
    "autovacuum": "off",
    "max_parallel_workers_per_gather": "0",
    "checkpoint_timeout": "1d",
    "max_wal_size": "20GB",
    # Whole pages go to the log after a checkpoint: by chance, not by the work.
    "full_page_writes": "off",
    "fsync": "off",
    "jit": "off",
    # Until a commit without flush is on disk, each check of a row that it changed reads the version before too.
    "wal_writer_delay": "1ms",
    # A sample of every row: by default it would be another half of 50,000 in each run, and now and then another plan.
    "default_statistics_target": "300",
}
"""Of the PostgreSQL that is counted. `top`: a statement has the buffers and bytes of its triggers, which are not
statements of their own.
"""

_STATEMENTS = """
SELECT query, sum(calls) AS calls, sum(rows) AS rows, sum(shared_blks_hit + shared_blks_read) AS buffers,
 sum(wal_bytes) AS wal, sum(total_exec_time) AS ms
FROM pg_stat_statements JOIN pg_roles ON pg_roles.oid = userid
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND rolname = %s GROUP BY query
"""
_ROWS_READ = """
SELECT (SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_user_tables)
 + (SELECT coalesce(sum(idx_tup_read), 0) FROM pg_stat_user_indexes)
"""
_LEFT = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND usename = %s AND backend_type = 'client backend'
"""
_ROOT = Path(__file__).resolve().parent.parent
_HARNESS = (
    # The loop polls as often as threads take turns; this folder is not part of the service.
    *("/asyncio/", "/concurrent/", "/selectors.py", "/threading.py", "/queue.py", "/cProfile.py"),
    *(f"{_ROOT}/bench/", f"{_ROOT}/tests/"),
)
_LEAVE_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What one statement cost in a load, summed over its calls."""

    text: str
    calls: int
    rows: int
    buffers: int
    wal_bytes: int
    milliseconds: float


@dataclass(slots=True, kw_only=True)
class Cost:
    """What a load cost. `functions`: calls by function."""

    figures: dict[str, int] = field(default_factory=dict)
    statements: list[Statement] = field(default_factory=list)
    functions: Counter[str] = field(default_factory=Counter)
    plan: str = ""
    """The plan of the statement that took longest."""


class CallCounter:
    """Counts the calls of Python functions in all threads that begin while it is installed, and in this one while it
    counts.
    """

    def __init__(self) -> None:
        self._profiles: list[cProfile.Profile] = []
        self._main = cProfile.Profile(builtins=False)
        self._profiles.append(self._main)

    def install(self) -> None:
        """From now on threads that begin are counted."""
        threading.setprofile(self._begin)

    def remove(self) -> None:
        """From now on threads that begin are not counted."""
        threading.setprofile(None)  # type: ignore[arg-type]

    def _begin(self, _frame: FrameType, _event: str, _argument: object) -> None:
        profile = cProfile.Profile(builtins=False)
        self._profiles.append(profile)
        profile.enable()

    @contextmanager
    def counting(self, into: Counter[str], *, harness: tuple[str, ...] = _HARNESS) -> Iterator[None]:
        """Adds to `into` the calls of each function within the block, but not of files whose path has a part of
        `harness` in it.
        """
        for profile in self._profiles:
            profile.clear()
        self._main.enable()
        try:
            yield
        finally:
            self._main.disable()
        for profile in list(self._profiles):
            for entry in profile.getstats():
                code = entry.code
                if isinstance(code, CodeType) and not any(part in code.co_filename for part in harness):
                    into[_name_of(code)] += entry.callcount


@cache
def _name_of(code: CodeType) -> str:
    path = code.co_filename.removeprefix(f"{_ROOT}/").rpartition("/site-packages/")[2]
    return f"{path.rpartition('/lib/python')[2]}:{code.co_qualname}"


class Meter:
    """Counts in one database. `superuser`: how to reach it with all rights; `role`: the one whose work is counted."""

    def __init__(self, superuser: str, calls: CallCounter | None, *, role: str) -> None:
        self._connection = psycopg.connect(superuser, autocommit=True, row_factory=dict_row)
        self._calls = calls
        self._role = role

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def counting(self, store: Store) -> Iterator[Cost]:
        """What the block costs is in the yielded object after it. The connections of `store` are closed before and
        after: a server process says what it has read when it ends.
        """
        cost = Cost()
        self._settle(store)
        rows_read = self._scalar(_ROWS_READ)
        self._scalar("SELECT pg_stat_statements_reset() IS NULL")
        position = self._scalar("SELECT pg_current_wal_insert_lsn()")
        if self._calls is None:
            yield cost
        else:
            with self._calls.counting(cost.functions):
                yield cost
        wal = self._scalar("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), %s)", position)
        self._settle(store)
        rows = self._connection.execute(_STATEMENTS, [self._role]).fetchall()
        cost.statements = [
            Statement(
                text=" ".join(row["query"].split()),
                calls=int(row["calls"]),
                rows=int(row["rows"]),
                buffers=int(row["buffers"]),
                wal_bytes=int(row["wal"]),
                milliseconds=float(row["ms"]),
            )
            for row in rows
        ]
        read = int(self._scalar(_ROWS_READ) - rows_read)
        cost.figures = {
            "statements": sum(each.calls for each in cost.statements),
            "buffers": sum(each.buffers for each in cost.statements),
            "rows_read": read,
            "rows_discarded": max(0, read - sum(each.rows for each in cost.statements)),
            "wal_bytes": int(wal),
        }
        if self._calls is not None:
            cost.figures["python_calls"] = cost.functions.total()
        cost.plan = self._plan(rows)

    def _plan(self, rows: list[dict[str, Any]]) -> str:
        """The generic plan of the slowest statement that has one."""
        for row in sorted(rows, key=lambda row: -row["ms"])[:5]:
            try:
                lines = self._connection.execute(f"EXPLAIN (GENERIC_PLAN) {row['query']}").fetchall()  # type: ignore[arg-type]
            except psycopg.Error:
                continue
            plan = "\n".join(line["QUERY PLAN"] for line in lines)
            return f"{' '.join(row['query'].split())}\n{plan}"
        return ""

    def _settle(self, store: Store) -> None:
        """All connections of the service are closed, and what they counted is written."""
        store.dispose()
        deadline = time.monotonic() + _LEAVE_SECONDS
        while self._scalar(_LEFT, self._role):
            if time.monotonic() > deadline:
                raise SystemExit("a connection of the service stays open")
            time.sleep(0.005)
        self._scalar("SELECT pg_stat_clear_snapshot() IS NULL")

    def _scalar(self, statement: str, *values: object) -> Any:  # noqa: ANN401  # of any column
        row = self._connection.execute(statement, values or None).fetchone()  # type: ignore[arg-type]
        assert row is not None
        return next(iter(row.values()))
