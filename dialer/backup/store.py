"""The rows of a whole database, read for a backup and written by a restore.

A backup contains rows and the revision of their schema, not the schema itself: the migrations create that in the empty
database, with the rights of the two roles, on any version of PostgreSQL. So neither needs a program of PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, cast

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.exc import DBAPIError, OperationalError

from dialer.core.errors import Refusal, Unavailable
from dialer.core.text import Text
from dialer.db import tables as t
from dialer.db.key_state import follow_plan, marks_of_fingerprint
from dialer.db.keys import Keys
from dialer.db.migration_locks import MIGRATION_LOCK
from dialer.db.migrations import MayNotMigrate, newest_revision, upgrade_schema
from dialer.db.unit_of_work import Tx, driver_settings
from dialer.db.vault import Vault

_MOST_NAMED: Final = 5
_PIECE_BYTES: Final = 1 << 18
_INSUFFICIENT_PRIVILEGE: Final = "42501"


class NotEmpty(Refusal):
    """The place of a restore is not empty; `found`: what it contains, by name."""

    def __init__(self, found: Mapping[str, str | int]) -> None:
        self.found = dict(found)
        named = [f"{name} {what}".strip() for name, what in list(found.items())[:_MOST_NAMED]]
        super().__init__(
            Text(
                "a backup is restored into an empty place only, and this one holds %(what)s: give another data_dir"
                " or an empty database",
                what=", ".join(named) + (", ..." if len(found) > _MOST_NAMED else ""),
            )
        )


class NotAsBackedUp(Refusal):
    """The restored rows are not those that were backed up: counts or the head of the audit differ."""

    def __init__(self, differences: Mapping[str, tuple[object, object]]) -> None:
        self.differences = dict(differences)
        super().__init__(
            Text(
                "what was restored differs from the backup (backup ≠ restored): %(what)s",
                what=", ".join(f"{name} {was} ≠ {now}" for name, (was, now) in differences.items()),
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The contents of a database at one moment: the number of rows by table, and the last line of the audit."""

    tables: Mapping[str, int]
    audit_number: int
    audit_chain: str
    """Hexadecimal; '' before the first line."""

    @property
    def rows(self) -> int:
        return sum(self.tables.values())

    def differences(self, restored: Contents) -> dict[str, tuple[object, object]]:
        """What differs, by name: the value here and the restored one; empty if all are the same."""
        names = sorted({*self.tables, *restored.tables})
        found: dict[str, tuple[object, object]] = {
            name: (self.tables.get(name, "-"), restored.tables.get(name, "-"))
            for name in names
            if self.tables.get(name) != restored.tables.get(name)
        }
        was, now = ((side.audit_number, side.audit_chain[:16]) for side in (self, restored))
        if (self.audit_number, self.audit_chain) != (restored.audit_number, restored.audit_chain):
            found["audit_head"] = (was, now)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class TableColumns:
    """A table of a backup, with its columns in the order of its rows."""

    name: str
    columns: tuple[str, ...]


class Snapshot:
    """A whole database at one moment, while others go on writing."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def _rows(self, statement: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(cast("Any", statement)).fetchall()

    def revision(self) -> str:
        """The revision of the schema; '' for a database without our tables."""
        if self._rows("SELECT to_regclass('public.alembic_version')")[0][0] is None:
            return ""
        found = self._rows("SELECT version_num FROM alembic_version")
        return str(found[0][0]) if found else ""

    def key_marks(self) -> dict[int, str]:
        """The mark of each key that values may use, by key number; empty before the first start."""
        for (state,) in self._rows("SELECT value FROM meta WHERE key = 'key_state'"):
            return {int(key_id): mark for key_id, mark in state["known"].items()}
        for (earlier,) in self._rows("SELECT value #>> '{}' FROM meta WHERE key = 'keys_fingerprint'"):
            return marks_of_fingerprint(earlier)
        return {}

    def tables(self) -> list[TableColumns]:
        """All our tables with their columns, by name."""
        found = self._rows(
            "SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum) FROM pg_class c"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
            " AND a.attgenerated = '' WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'"
            " AND c.relname <> 'alembic_version' GROUP BY c.relname ORDER BY c.relname"
        )
        return [TableColumns(name=name, columns=tuple(columns)) for name, columns in found]

    def sequences(self) -> dict[str, int]:
        """The last value of each sequence that has been used."""
        found = self._rows(
            "SELECT sequencename, last_value FROM pg_sequences"
            " WHERE schemaname = 'public' AND last_value IS NOT NULL ORDER BY 1"
        )
        return {name: int(value) for name, value in found}

    def audit_head(self) -> tuple[int, str]:
        """Number and chain of the last line; for a version without a chain, the number of lines and ''."""
        if self._rows("SELECT to_regclass('audit_head')")[0][0] is None:
            return int(self._rows("SELECT count(*) FROM audit")[0][0]), ""
        number, chain = self._rows("SELECT number, encode(chain, 'hex') FROM audit_head")[0]
        return int(number), str(chain)

    def copy_out(self, table: TableColumns, write: Callable[[bytearray], None]) -> int:
        """Passes the rows in PostgreSQL's binary form to `write`, many at a time; returns the number of rows."""
        names = sql.SQL(", ").join(map(sql.Identifier, table.columns))
        statement = sql.SQL("COPY {} ({}) TO STDOUT (FORMAT binary)").format(
            sql.Identifier(table.name), names
        )
        waiting = bytearray()
        with self._connection.cursor() as cursor:
            with cursor.copy(statement) as copy:
                for data in copy:
                    waiting += data
                    if len(waiting) >= _PIECE_BYTES:
                        write(waiting)
                        waiting.clear()
            write(waiting)
            return cursor.rowcount


@contextmanager
def take_snapshot(url: str) -> Iterator[Snapshot]:
    """A snapshot: everything that is read in the block is of one moment. No migration begins meanwhile. Raises
    `Unavailable`.
    """
    engine = sa.create_engine(
        url, poolclass=sa.NullPool, hide_parameters=True, connect_args=driver_settings("dialer backup")
    )
    with _translated(), engine.connect() as connection:
        connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        # Do not wait for the lock: the snapshot would be from before the migration that was waited for.
        if not connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock_shared(MIGRATION_LOCK))):
            raise Unavailable(part="database", problem="is being migrated: try again in a minute")
        yield Snapshot(_driver_of(connection))


def _driver_of(connection: sa.Connection) -> psycopg.Connection[Any]:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


@contextmanager
def _translated() -> Iterator[None]:
    """Translates errors of the driver: a lost connection is `Unavailable`, a role that may not create tables is
    `MayNotMigrate`.
    """
    try:
        yield
    except (DBAPIError, psycopg.Error) as fault:
        inner = fault.orig if isinstance(fault, DBAPIError) else fault
        if getattr(inner, "sqlstate", None) == _INSUFFICIENT_PRIVILEGE:
            raise MayNotMigrate(found="", newest=newest_revision()) from fault
        if isinstance(fault, (OperationalError, psycopg.OperationalError)):
            problem = str(inner).strip().split("\n", 1)[0]
            raise Unavailable(part="database", problem=problem) from fault
        raise


@dataclass(slots=True, kw_only=True)
class _Removed:
    """SQL of what was removed because it would slow down or reject the rows, to restore it: `indexes`, `references`
    (foreign keys), and triggers that are `always` enabled.
    """

    indexes: list[str] = field(default_factory=list)
    references: list[tuple[str, str, str]] = field(default_factory=list)
    always: list[tuple[str, str]] = field(default_factory=list)


class EmptyDatabase:
    """A database that is being filled in one transaction: it is filled as a whole or stays empty."""

    def __init__(self, connection: sa.Connection, keys: Keys) -> None:
        self.connection = connection
        self._driver = _driver_of(connection)
        self._keys = keys
        self._tables: list[str] = []
        self._removed = _Removed()

    def tx(self) -> Tx:
        """A transaction that writes rows of the current schema; call its `write_last` at the end."""
        tx = Tx(connection=self.connection, vault=Vault(self._keys))
        follow_plan(tx)
        return tx

    def prepare(self, revision: str) -> None:
        """Creates the tables of that revision, empty, without indexes, references and triggers."""
        upgrade_schema(self.connection, revision)
        self._run("SET LOCAL maintenance_work_mem = '256MB'")
        self._tables = [
            name
            for (name,) in self._rows(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
                " AND relname <> 'alembic_version' ORDER BY relname"
            )
        ]
        self._removed.references = self._rows(
            "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype = 'f' AND connamespace = 'public'::regnamespace ORDER BY 1, 2"
        )
        for table, name, _ in self._removed.references:
            self._run(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        indexes = self._rows(
            "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i"
            # An index of a partitioned table includes those of its partitions.
            " JOIN pg_class c ON c.oid = i.indexrelid AND c.relnamespace = 'public'::regnamespace"
            " AND c.relkind = 'i' AND NOT c.relispartition"
            " WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)"
        )
        self._removed.indexes = [definition for _, definition in indexes]
        for name, _ in indexes:
            self._run(f"DROP INDEX {name}")
        self._removed.always = self._rows(
            "SELECT tgrelid::regclass::text, quote_ident(tgname) FROM pg_trigger"
            " WHERE NOT tgisinternal AND tgenabled = 'A'"
        )
        for table in self._tables:
            self._run(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
        # The migrations have written some rows. Rows that come after a TRUNCATE can be stored frozen.
        if self._tables:
            self._run("TRUNCATE " + ", ".join(f'"{table}"' for table in self._tables))

    def copy_in(self, table: TableColumns, pieces: Iterable[bytes]) -> None:
        """Copies rows into a table."""
        if table.name not in self._tables:
            raise NotAsBackedUp({table.name: ("", "-")})
        names = sql.SQL(", ").join(map(sql.Identifier, table.columns))
        statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary, FREEZE)").format(
            sql.Identifier(table.name), names
        )
        with self._driver.cursor() as cursor, cursor.copy(statement) as copy:
            for piece in pieces:
                copy.write(piece)

    def complete(self, sequences: Mapping[str, int]) -> None:
        """Restores indexes, references and triggers, and sets the sequences so that no id is given twice."""
        for definition in self._removed.indexes:
            self._run(definition)
        for table, name, definition in self._removed.references:
            self._run(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
        for table in self._tables:
            self._run(f'ALTER TABLE "{table}" ENABLE TRIGGER USER')
        for table, trigger in self._removed.always:
            self._run(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")
        owned = self._rows(
            "SELECT s.relname, c.relname, a.attname FROM pg_depend d JOIN pg_class s ON s.oid = d.objid"
            " JOIN pg_class c ON c.oid = d.refobjid"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid"
            " WHERE s.relkind = 'S' AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')"
            " AND s.relnamespace = 'public'::regnamespace"
        )
        for name, table, column in owned:
            # The role of a backup may not be able to read a sequence: an id that is in use must never be given again.
            used = self.connection.scalar(
                sa.select(sa.func.max(sa.column(column))).select_from(sa.table(table, schema="public"))
            )
            if last := max(sequences.get(name, 0), used or 0):
                self.connection.execute(
                    sa.text("SELECT setval(CAST(:name AS regclass), :value)"),
                    {"name": f'public."{name}"', "value": last},
                )

    def upgrade(self) -> None:
        """Migrates the schema to this version, and collects the planner's statistics."""
        upgrade_schema(self.connection, "head")
        self._run("ANALYZE")

    def contents(self) -> Contents:
        """The current contents."""
        number, chain = Snapshot(self._driver).audit_head()
        counts = {table: _count(self.connection, table) for table in self._tables}
        return Contents(tables=counts, audit_number=number, audit_chain=chain)

    def _run(self, statement: str) -> None:
        self._driver.execute(cast("Any", statement))

    def _rows(self, statement: str) -> list[Any]:
        return self._driver.execute(cast("Any", statement)).fetchall()


@contextmanager
def fill_database(url: str, keys: Keys) -> Iterator[EmptyDatabase]:
    """An empty database to fill: commits at the end of the block; after an exception it stays empty. Raises `NotEmpty`,
    `Unavailable` and `MayNotMigrate`.
    """
    engine = sa.create_engine(
        url, poolclass=sa.NullPool, hide_parameters=True, connect_args=driver_settings("dialer restore")
    )
    with _translated(), engine.begin() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        found = _count_existing(connection)
        if found:
            raise NotEmpty(found)
        yield EmptyDatabase(connection, keys)


def _count_existing(connection: sa.Connection) -> dict[str, int]:
    """The number of rows by table, the largest first; views and sequences count as tables without rows."""
    names: Sequence[Any] = connection.execute(
        sa.text(
            "SELECT relname, relkind FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f')"
        )
    ).all()
    found = {name: _count(connection, name) if kind in {"r", "p"} else 0 for name, kind in names}
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _count(connection: sa.Connection, table: str) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(sa.table(table, schema="public"))) or 0


def forget_processes(tx: Tx) -> None:
    """Deletes heartbeats, sessions and unfinished sign-ins: the processes of the snapshot ran on another machine, and a
    session that has ended since must not come back.
    """
    for table in (t.heartbeat, t.staff_session, t.sign_in_step, t.fact_mark):
        tx.execute(sa.delete(table))
