"""The unit of work, which alone begins and commits transactions: one transaction per request or task."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import Any, Final, TypeVar, cast, get_args, get_origin, get_type_hints

import orjson
import psycopg
import sqlalchemy as sa
from sqlalchemy.exc import DataError, DBAPIError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from dialer.core.errors import Refusal, Unavailable
from dialer.core.text import Text
from dialer.db.vault import Vault

IDLE_SECONDS = 20.0
"""A process that is stopped or disconnected in a transaction holds its locks no longer than this. While it holds the
lock of the line group, no process can place a call.
"""
REST_SECONDS = 15.0
"""Connections that were not needed for this long are closed: each uses four megabytes in PostgreSQL, and more after a
large statement.
"""
Row = Mapping[str, Any]
"""One row by column name."""

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None

UnfitValue = DataError
"""A value that no column can store, such as a text with a NUL in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """Runs statements in an open transaction."""

    connection: sa.Connection

    acts_recorded: set[str] = field(default_factory=set)
    """The tables in which this transaction says who did what, for the audit or a timeline."""

    def execute(
        self, statement: sa.Executable, parameters: Parameters = None
    ) -> sa.CursorResult[*tuple[Any, ...]]:
        """Runs an SQLAlchemy statement in this transaction, once for each set of parameters if `parameters` is a
        list.
        """
        return self.connection.execute(statement, parameters)

    def rows(self, statement: sa.Executable, parameters: Parameters = None) -> list[Row]:
        """All rows, as mappings from column to value."""
        return cast("list[Row]", self.connection.execute(statement, parameters).mappings().all())

    def one(self, statement: sa.Executable, parameters: Parameters = None) -> Row | None:
        """The first row, or None."""
        return cast("Row | None", self.connection.execute(statement, parameters).mappings().first())

    def scalar(self, statement: sa.Executable, parameters: Parameters = None) -> Any:  # noqa: ANN401  # of any column
        """The first column of the first row; None without a row."""
        return self.connection.execute(statement, parameters).scalar()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tx(Statements):
    """One open transaction, with the vault that its encrypted columns need."""

    vault: Vault
    tasks_after_commit: set[str] = field(default_factory=set)
    """The names of tasks that these rows need; `Store.after_commit` gets them after the commit."""
    writes_before_commit: dict[Callable[[Tx, list[Any]], None], list[Any]] = field(default_factory=dict)
    """Items to write just before the commit, by the function that writes them. They change rows that all transactions
    lock, so no transaction may hold them for longer.
    """
    at_terminals: set[str] = field(default_factory=set)
    """Where acts of this transaction are done, if at a terminal: user@machine and the terminal."""

    def write_last(self) -> None:
        """Writes the items of `writes_before_commit`."""
        for write, items in self.writes_before_commit.items():
            write(self, items)


T = TypeVar("T")


def record_of(kind: type[T], row: Row, *, prefix: str = "", **given: object) -> T:
    """An instance of the dataclass `kind` from a row: each field that is not `given` comes from the column with its
    name (after `prefix`). Text becomes the field's StrEnum, an array the field's collection, and a NULL text "".
    """
    values = {
        name: row[column] if read is None else read(row[column])
        for name, column, read in _fields(kind, prefix, *given)  # type: ignore[arg-type]  # a class is hashable
    }
    return kind(**values, **given)


@cache
def _fields(
    kind: type[Any], prefix: str, *without: str
) -> tuple[tuple[str, str, Callable[[Any], Any] | None], ...]:
    """Name, column and reader of each field that is read from a row."""
    hints = get_type_hints(kind)
    return tuple(
        (field.name, prefix + field.name, _reader(hints[field.name]))
        for field in fields(kind)
        if field.name not in without
    )


def _reader(hint: Any) -> Callable[[Any], Any] | None:  # noqa: ANN401  # an annotation may be any object
    """The function that converts a column's value for the field; None: it is used as the driver returns it."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is UnionType:
        read = _reader(arguments[0])
        return (
            None
            if read is None or arguments[0] is str
            else lambda value: None if value is None else read(value)
        )
    if origin in {tuple, frozenset}:
        item = _reader(arguments[0])
        return origin if item is None else lambda values: origin(map(item, values))
    if hint is str:
        return lambda value: value or ""
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return _Members(hint).__getitem__
    return None


class _Members(dict[str, StrEnum]):
    """The members of an enumeration by value: a look-up costs a tenth of a call of the class, and a call has a dozen
    such columns.
    """

    def __init__(self, kind: type[StrEnum]) -> None:
        super().__init__({member.value: member for member in kind})
        self._kind = kind

    def __missing__(self, value: str) -> StrEnum:
        return self._kind(value)


class ReadOnlyDatabase(Unavailable):
    """The database answers and takes no changes, as a standby does until it is promoted."""

    def __init__(self) -> None:
        super().__init__(
            part="database",
            problem=Text(
                "takes no changes: it is a standby that is not promoted, or was made read-only. Promote it, or name the"
                " primary in database.url (with several hosts: target_session_attrs=read-write)"
            ),
        )


class ConnectionUses:
    """The open connections of an engine, and since which turn each is in use; whoever watches them counts the turns. It
    listens from the start: what listens to an engine cannot change while other threads use it.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self.turn = 0
        self._since: dict[psycopg.Connection[Any], int] = {}
        self._idle: set[psycopg.Connection[Any]] = set()
        sa.event.listen(engine, "checkout", self._taken)
        sa.event.listen(engine, "checkin", self._returned)
        sa.event.listen(engine, "invalidate", self._closed)
        sa.event.listen(engine, "close", self._closed)

    def in_use(self) -> dict[psycopg.Connection[Any], int]:
        """The connections in use at this moment, with the turn in which each was taken."""
        return self._since.copy()

    def all_open(self) -> list[psycopg.Connection[Any]]:
        """Those in use and those at rest."""
        return [*self._since.copy(), *self._idle.copy()]

    def _taken(self, connection: psycopg.Connection[Any], *_: object) -> None:
        self._idle.discard(connection)
        self._since[connection] = self.turn

    def _returned(self, connection: psycopg.Connection[Any] | None, *_: object) -> None:
        if connection is not None and self._since.pop(connection, None) is not None:
            self._idle.add(connection)

    def _closed(self, connection: psycopg.Connection[Any] | None, *_: object) -> None:
        if connection is not None:
            self._since.pop(connection, None)
            self._idle.discard(connection)


class Store:
    """The database, with its keys. Connections are made lazily; none before the first transaction."""

    def __init__(
        self,
        url: str,
        vault: Vault,
        *,
        pool_size: int = 5,
        pool_timeout_seconds: float = 10.0,
        idle_seconds: float = IDLE_SECONDS,
        rest_seconds: float = REST_SECONDS,
        process: str = "",
    ) -> None:
        self.url = url
        self.vault = vault
        self.after_commit: Callable[[set[str]], None] | None = None
        self.follow_keys: Callable[[], None] | None = None
        """Called before each transaction, so that the vault uses the keys that are in use."""
        self.refuses_writing: Refusal | None = None
        """The error that a writing transaction raises; None: transactions may write."""
        self.sql_engine = sa.create_engine(
            url,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=pool_timeout_seconds,
            # The connection that was used last has its statements prepared; the others become idle and are closed.
            pool_use_lifo=True,
            hide_parameters=True,
            json_deserializer=orjson.loads,
            connect_args=driver_settings(f"dialer {process}".strip()),
        )
        _limit_idle_transactions(self.sql_engine, round(idle_seconds * 1000))
        sa.event.listen(self.sql_engine, "checkout", _refuse_closed)
        self.uses = ConnectionUses(self.sql_engine)
        self._rest_seconds = rest_seconds
        self._most_at_once = 0
        self._counted_since = time.monotonic()

    @contextmanager
    def begin(self) -> Iterator[Tx]:
        """Commits at the end of the block and rolls back on any exception. Faults of the connection become
        `Unavailable`. The tasks that the rows need are enqueued after the commit.
        """
        with self._faults_named():
            if self.follow_keys is not None:
                self.follow_keys()
            self._rest()
            with self.sql_engine.begin() as connection:
                tx = Tx(connection=connection, vault=self.vault)
                if self.refuses_writing is not None:
                    tx.execute(_READ_ONLY)
                yield tx
                tx.write_last()
        if tx.tasks_after_commit and self.after_commit is not None:
            self.after_commit(tx.tasks_after_commit)

    @contextmanager
    def begin_single_read(self) -> Iterator[Tx]:
        """For one statement that only reads and runs often: it is sent without a transaction, so that it costs one
        round trip instead of three. Two statements may see different states. Raises as `begin`.
        """
        with self._faults_named():
            if self.follow_keys is not None:
                self.follow_keys()
            with self.sql_engine.connect() as connection:
                plain = connection.execution_options(isolation_level="AUTOCOMMIT")
                yield Tx(connection=plain, vault=self.vault)

    @contextmanager
    def _faults_named(self) -> Iterator[None]:
        """Turns faults of the connection into `Unavailable`, and refusals to write into what refuses."""
        try:
            yield
        except OperationalError as fault:
            if _was_refused_here(fault):
                raise  # Our own fault, which a retry would not change.
            raise Unavailable(part="database", problem=_short(fault)) from fault
        except PoolTimeout as fault:
            raise Unavailable(part="database", problem="every connection of this process is busy") from fault
        except DBAPIError as fault:
            if fault.connection_invalidated:
                raise Unavailable(part="database", problem=_short(fault)) from fault
            if isinstance(fault.orig, psycopg.errors.ReadOnlySqlTransaction):
                raise self.refuses_writing or ReadOnlyDatabase from fault
            raise

    def _rest(self) -> None:
        """Closes all connections of the pool if more of them are open than transactions ran at once in the last
        `rest_seconds`; connections are opened again as needed.
        """
        pool = cast("sa.QueuePool", self.sql_engine.pool)
        busy = pool.checkedout()
        self._most_at_once = max(self._most_at_once, busy + 1)
        if time.monotonic() - self._counted_since >= self._rest_seconds:
            # A connection in use would return to a pool that no longer exists.
            if not busy and pool.checkedin() > self._most_at_once:
                self.sql_engine.dispose()
            self._most_at_once, self._counted_since = 0, time.monotonic()

    @contextmanager
    def begin_and_roll_back(self) -> Iterator[Tx]:
        """As `begin`, but always rolls back at the end of the block."""
        with self.begin() as tx:
            yield tx
            tx.connection.rollback()
            tx.tasks_after_commit.clear()
            tx.writes_before_commit.clear()

    def dispose(self) -> None:
        """Closes the connections of the pool."""
        self.sql_engine.dispose()


def driver_settings(application_name: str) -> dict[str, Any]:
    """The connection arguments of every connection. A pooler refuses most server settings at the start of a session, so
    there are none. A server that vanished without closing the connection is given up after 20 to 25 seconds; these
    limits apply on the client side only, and a Unix socket ignores them.
    """
    return {
        "connect_timeout": 5,
        "application_name": application_name,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 20_000,  # milliseconds
    }


_POOLED = "dialer_is_pooled"
_IDLE = "idle_in_transaction_session_timeout"
_SHARED_LOCK_MS: Final = 2000
release_when_idle = sa.func.set_config(_IDLE, str(_SHARED_LOCK_MS), sa.true())
"""A column of the statement that locks a row that all machines need: a process that vanishes or is stopped between that
and its commit delays the others no longer than two seconds.
"""
_CHECK_CLIENT = "client_connection_check_interval"
_CHECK_CLIENT_MS: Final = 2000
"""A statement that waits for a lock ends this soon after its process has vanished."""
_OWN_SESSION = (
    "SELECT pg_backend_pid() = %(pid)s, set_config(%(idle)s, %(idle_ms)s, pg_backend_pid() <> %(pid)s),"
    " set_config(%(check)s, %(check_ms)s, pg_backend_pid() <> %(pid)s)"
)


def _limit_idle_transactions(sql_engine: sa.Engine, milliseconds: int) -> None:
    """Limits the idle time of transactions on these connections to `milliseconds`. In a session of our own this is set
    once; behind a pooler such as PgBouncer, which gives each transaction any session, each transaction sets it, and no
    statements are prepared.
    """

    def opened(connection: psycopg.Connection[Any], record: Any) -> None:  # noqa: ANN401  # the pool's
        pid = connection.info.backend_pid
        connection.autocommit = True
        # A pooler reports an invented backend process id.
        values = {"pid": pid, "idle": _IDLE, "idle_ms": str(milliseconds)}
        values |= {"check": _CHECK_CLIENT, "check_ms": str(_CHECK_CLIENT_MS)}
        try:
            row = connection.execute(_OWN_SESSION, values).fetchone()
        except psycopg.Error:
            connection.close()  # The pool forgets it without closing it.
            raise
        connection.autocommit = False
        if row is not None and not row[0]:
            connection.prepare_threshold = None
            record.info[_POOLED] = True

    def begun(connection: sa.Connection) -> None:
        if connection.info.get(_POOLED):
            connection.exec_driver_sql(f"SET LOCAL {_IDLE} = {milliseconds}")

    sa.event.listen(sql_engine, "connect", opened)
    sa.event.listen(sql_engine, "begin", begun)


def is_pooled(tx: Tx) -> bool:
    """Whether this process reaches the database through a pooler, which gives each transaction any session."""
    return bool(tx.connection.info.get(_POOLED))


def _refuse_closed(connection: psycopg.Connection[Any], _record: object, _fairy: object) -> None:
    """Refuses a connection that the server has closed, and all older ones of the pool. An idle open connection has
    nothing to read, so this check needs no round trip, unlike a query.
    """
    poll = select.poll()
    if not connection.closed:
        poll.register(connection.fileno(), select.POLLIN)
    if connection.closed or poll.poll(0):
        raise InvalidatePoolError


def _was_refused_here(fault: OperationalError) -> bool:
    """Whether libpq itself refused to send the statement, for example one with more than 65,535 parameters: the server
    has not answered, and the connection is still usable. Without a statement the fault comes from opening a connection
    or from a commit.
    """
    is_libpqs = isinstance(fault.orig, psycopg.Error) and fault.orig.sqlstate is None
    return fault.statement is not None and is_libpqs and not fault.connection_invalidated


def _short(fault: DBAPIError) -> str:
    """The first line of the driver's message; parameters are hidden, so it contains nothing personal."""
    return str(fault.orig or fault).strip().split("\n", 1)[0]


_READ_ONLY = sa.text("SET TRANSACTION READ ONLY")
_SAME_MOMENT = sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def hold_snapshot(tx: Tx) -> None:
    """Makes the transaction read-only, with one snapshot for all its statements; must be its first statement."""
    tx.execute(_SAME_MOMENT)
