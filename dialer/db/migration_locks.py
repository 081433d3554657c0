"""How a migration of a busy service gets its tables: while it wants them no long work of ours begins, and it knows
which session holds what it waits for.

Two advisory locks. `MIGRATION_LOCK` is held while tables change: nobody claims a call then. `_WANTED` is held from the
first to the last try of a migration: work that takes longer than a moment looks at it before each of its transactions.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from dialer.core.errors import Unavailable
from dialer.core.text import Text, gettext_noop
from dialer.db.unit_of_work import Store, Tx

MIGRATION_LOCK: Final = 0x6D696772
"""The key of an advisory lock: a migration holds it exclusively, and processes that claim calls hold it shared, to the
end of their transactions.
"""
_WANTED: Final = MIGRATION_LOCK + 1
_WANTED_WITHIN_MS: Final = 1000
"""Only another `dialer migrate` holds it for longer than a moment, and that one asks for the same."""
_LOOK_SECONDS: Final = 0.05

_IS_WANTED: Final = sa.text(
    # Held for the moment of this statement alone.
    "SELECT CASE WHEN pg_try_advisory_lock_shared(:key) THEN NOT pg_advisory_unlock_shared(:key) ELSE true END"
)
_HOLDERS: Final = sa.text(
    "SELECT pid, application_name, coalesce(host(client_addr), '') AS host, xact_start AS since,"
    " left(regexp_replace(coalesce(query, ''), '\\s+', ' ', 'g'), 60) AS statement"
    " FROM pg_stat_activity WHERE pid = ANY(pg_blocking_pids(:pid)) ORDER BY xact_start"
)


class LocksNotObtained(Unavailable):
    """Another transaction holds a table for so long that a migration cannot change it. Completed migrations stay."""

    def __init__(self, *, seconds: int, holder: LockHolder | None) -> None:
        problem = (
            Text(
                gettext_noop(
                    "a migration did not get its tables within %(seconds)s s, and nobody was seen to hold them:"
                    " run `dialer migrate` again; it goes on where it stopped"
                ),
                seconds=seconds,
            )
            if holder is None
            else Text(
                gettext_noop(
                    "a migration did not get its tables within %(seconds)s s: %(name)s (pid %(pid)s, from %(host)s)"
                    " holds them since %(since)s with %(statement)s; stop it, or SELECT pg_terminate_backend(%(pid)s),"
                    " and run `dialer migrate` again; it goes on where it stopped"
                ),
                seconds=seconds,
                name=holder.application_name or "?",
                pid=holder.pid,
                host=holder.host or Text("the machine of the database"),
                since="?"
                if holder.since is None
                else holder.since.astimezone().isoformat(timespec="seconds"),
                statement=holder.statement or "?",
            )
        )
        super().__init__(part="database", problem=problem)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockHolder:
    """A session that a migration waits for, as PostgreSQL names it. `since`: when its transaction began; None and a
    statement without content where the role may not see it. `host`: '' on the machine of the database.
    """

    pid: int
    application_name: str
    host: str
    since: datetime | None
    statement: str


@dataclass(slots=True)
class WaitingMigration:
    """A migration that wants its tables. `pid`: its session in PostgreSQL, 0 between two tries. `holder`: the session
    with the oldest transaction among those that it was last seen to wait for.
    """

    pid: int = 0
    holder: LockHolder | None = None


@contextmanager
def wanting_tables(engine: sa.Engine) -> Iterator[WaitingMigration]:
    """While the block lasts, `is_migration_wanted` is true for all processes, also between two tries. `engine`: of the
    service's role, which sees what its own sessions do.
    """
    waiting, ended = WaitingMigration(), threading.Event()
    with engine.connect() as connection:
        _want(connection)
        looking = threading.Thread(target=_look, args=(connection, waiting, ended), name="locks", daemon=True)
        looking.start()
        try:
            yield waiting
        finally:
            ended.set()
            looking.join()
            with suppress(DBAPIError):
                connection.rollback()


def _want(connection: sa.Connection) -> None:
    with suppress(DBAPIError), connection.begin_nested():
        connection.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        connection.execute(sa.text(f"SET LOCAL lock_timeout = {_WANTED_WITHIN_MS}"))
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_WANTED)))


def _look(connection: sa.Connection, waiting: WaitingMigration, ended: threading.Event) -> None:
    with suppress(DBAPIError):  # What it would say is missing from a message, nothing else.
        while not ended.wait(_LOOK_SECONDS):
            if waiting.pid:
                # A transaction sees the activity of the moment at which it first looked.
                connection.execute(sa.text("SELECT pg_stat_clear_snapshot()"))
                found = connection.execute(_HOLDERS, {"pid": waiting.pid}).mappings().first()
                if found is not None:
                    waiting.holder = LockHolder(**found)


def is_migration_wanted(tx: Tx) -> bool:
    """Whether a migration waits for its tables or changes them: work that takes longer than a moment must not begin its
    next transaction. What it has not done waits in its rows for the next tick.
    """
    return bool(tx.scalar(_IS_WANTED, {"key": _WANTED}))


def must_step_aside(store: Store) -> bool:
    """As `is_migration_wanted`, between two transactions."""
    with store.begin() as tx:
        return is_migration_wanted(tx)
