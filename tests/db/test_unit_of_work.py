"""The unit of work commits or leaves no trace, and says in one line when the database cannot be had."""

from __future__ import annotations

import ast
import os
import socket
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import psycopg
import pytest
import sqlalchemy as sa
from psycopg.types.json import Jsonb

from dialer.core.errors import Unavailable
from dialer.db import tables as t
from dialer.db.bulk import CopyIn
from dialer.db.keys import Keys
from dialer.db.system_state import is_drill_database, mark_drill_database
from dialer.db.unit_of_work import Store, driver_settings
from dialer.db.vault import Vault

PACKAGE = Path(__file__).resolve().parents[2] / "dialer"
NOON = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)


def opened(url: str, **options: float) -> Store:
    vault = Vault(Keys.of(encryption={1: bytes([1]) * 32}, index=bytes([9]) * 32, current=1))
    return Store(url, vault, **{"pool_size": 1, **options})  # type: ignore[arg-type]


def test_what_a_block_did_is_there_after_it(fresh_database: str):
    store = opened(fresh_database)
    with store.begin() as tx:
        mark_drill_database(tx)
    with store.begin() as tx:
        assert is_drill_database(tx)
    store.dispose()


def test_a_statement_with_too_many_parameters_is_a_fault_of_ours_and_not_of_the_database(fresh_database: str):
    store = opened(fresh_database)
    with pytest.raises(sa.exc.OperationalError, match="number of parameters"), store.begin() as tx:
        tx.execute(sa.select(t.case.c.id).where(t.case.c.id.in_(range(70_000))))
    store.dispose()


def test_a_trial_sees_what_it_wrote_and_leaves_no_trace(fresh_database: str):
    store = opened(fresh_database)
    told: list[set[str]] = []
    store.after_commit = told.append
    with store.begin_and_roll_back() as tx:
        mark_drill_database(tx)
        tx.tasks_after_commit.add("dial")
        assert is_drill_database(tx)
    with store.begin() as tx:
        assert not is_drill_database(tx)
    assert told == []
    store.dispose()


def test_an_exception_leaves_no_trace(fresh_database: str):
    store = opened(fresh_database)
    with pytest.raises(ZeroDivisionError), store.begin() as tx:  # noqa: PT012  # the block is what is tested
        mark_drill_database(tx)
        raise ZeroDivisionError
    with store.begin() as tx:
        assert not is_drill_database(tx)
    store.dispose()


def test_a_database_that_is_not_there_is_unavailable():
    store = opened("postgresql+psycopg://nobody:secret@127.0.0.1:9/dialer")
    with pytest.raises(Unavailable) as refused, store.begin():
        pass
    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)
    store.dispose()


def test_a_database_that_takes_no_writing_is_unavailable(fresh_database: str):
    store = opened(fresh_database)
    with pytest.raises(Unavailable, match="standby that is not promoted"), store.begin() as tx:  # noqa: PT012  # the block is tested
        # As on a standby that is not promoted yet.
        tx.execute(sa.text("SET TRANSACTION READ ONLY"))
        mark_drill_database(tx)
    store.dispose()


def test_a_server_that_vanishes_is_given_up(fresh_database: str):
    store = opened(fresh_database)
    with store.begin() as tx:
        driver = cast("psycopg.Connection[object]", tx.connection.connection.driver_connection)
        with socket.socket(fileno=os.dup(driver.fileno())) as wire:
            assert wire.family is not socket.AF_UNIX
            assert wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            found = [
                wire.getsockopt(socket.IPPROTO_TCP, option)
                for option in (
                    socket.TCP_KEEPIDLE,
                    socket.TCP_KEEPINTVL,
                    socket.TCP_KEEPCNT,
                    socket.TCP_USER_TIMEOUT,
                )
            ]
    assert found == [10, 5, 3, 20_000]
    store.dispose()


def test_every_connection_of_the_program_is_opened_with_the_settings_of_the_driver():
    without = [
        f"{path}:{call.lineno}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) in {"sa.create_engine", "psycopg.connect"}
        and not any("driver_settings(" in ast.unparse(keyword.value) for keyword in call.keywords)
    ]
    assert without == []


def test_a_unix_socket_takes_the_settings_too_and_a_pooler_is_told_none(tmp_path: Path):
    told: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / ".s.PGSQL.5432"))
        server.listen()

        def answer() -> None:
            wire, _ = server.accept()
            with wire:
                told.append(wire.recv(1024))  # the start of a session; closed without an answer

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(psycopg.OperationalError, match="closed the connection"):
            psycopg.connect(host=str(tmp_path), sslmode="disable", **driver_settings("a test"))
        thread.join()
    [start] = told
    assert b"application_name" in start
    assert not [name for name in (b"keepalives", b"timeout") if name in start]


def test_a_single_read_is_sent_without_a_transaction(fresh_database: str):
    store = opened(fresh_database)
    with store.begin_single_read() as tx:
        first, second = (tx.scalar(sa.text("SELECT statement_timestamp()")) for _ in range(2))
        started = tx.scalar(sa.text("SELECT transaction_timestamp()"))
    assert first < second < started  # inside a transaction this would be the time of its first statement
    with store.begin() as tx:  # the connection of the pool is as it was
        assert tx.scalar(sa.text("SELECT transaction_timestamp() = transaction_timestamp()"))
        mark_drill_database(tx)
        tx.connection.rollback()
    with store.begin() as tx:
        assert not is_drill_database(tx)
    store.dispose()


def test_a_single_read_of_a_database_that_is_not_there_is_unavailable():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"postgresql+psycopg://u:p@127.0.0.1:{nobody.getsockname()[1]}/d"
        with pytest.raises(Unavailable), opened(url).begin_single_read():
            pass


def test_a_pool_that_is_used_up_is_unavailable(fresh_database: str):
    store = opened(fresh_database, pool_timeout_seconds=0.05)
    with store.begin(), store.begin(), pytest.raises(Unavailable, match="busy"), store.begin():
        pass
    store.dispose()


def test_connections_that_are_not_needed_any_more_are_closed(fresh_database: str):
    store = opened(fresh_database, rest_seconds=0.0, pool_size=3)

    def idle() -> int:
        return cast("sa.QueuePool", store.sql_engine.pool).checkedin()

    with store.begin(), store.begin(), store.begin():
        # Each looks at those before it: none is closed while transactions run.
        pass
    assert idle() == 3
    with store.begin() as tx:
        first = tx.scalar(sa.text("SELECT pg_backend_pid()"))
    assert idle() == 1
    with store.begin() as tx:
        assert tx.scalar(sa.text("SELECT pg_backend_pid()")) == first
    store.dispose()


def test_connections_that_are_needed_now_and_then_stay_open(fresh_database: str):
    store = opened(fresh_database, rest_seconds=60.0, pool_size=3)
    with store.begin(), store.begin(), store.begin():
        pass
    for _ in range(3):
        with store.begin():
            pass
    assert cast("sa.QueuePool", store.sql_engine.pool).checkedin() == 3
    store.dispose()


def test_copied_rows_are_part_of_the_transaction(fresh_database: str):
    store = opened(fresh_database)
    with pytest.raises(ZeroDivisionError), store.begin() as tx:  # noqa: PT012  # the block is what is tested
        copied = CopyIn(t.heartbeat, ("process", "kind", "at", "facts"))
        copied.write(tx, [("p", "k", NOON, Jsonb({}))])
        assert tx.scalar(sa.select(sa.func.count()).select_from(t.heartbeat)) == 1
        raise ZeroDivisionError
    with store.begin() as tx:
        assert tx.scalar(sa.select(sa.func.count()).select_from(t.heartbeat)) == 0
    store.dispose()


def test_a_connection_that_the_server_closed_meanwhile_is_not_handed_out(fresh_database: str):
    store, other = opened(fresh_database), opened(fresh_database)
    with store.begin() as first, store.begin() as second:
        ours = [tx.scalar(sa.text("SELECT pg_backend_pid()")) for tx in (first, second)]
    with other.begin() as tx:
        for pid in ours:
            tx.scalar(sa.text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    with store.begin() as first, store.begin() as second:
        fresh = [tx.scalar(sa.text("SELECT pg_backend_pid()")) for tx in (first, second)]
    assert not set(ours) & set(fresh)
    for one in (store, other):
        one.dispose()


def test_who_is_stopped_in_a_transaction_holds_its_locks_for_a_while_and_no_longer(fresh_database: str):
    """Its locks are free, what it wrote is gone, and when it wakes it hears that the database has left it."""
    stopped, others = opened(fresh_database, idle_seconds=0.2), opened(fresh_database)
    insert = sa.insert(t.meta).values(key="held", value=1)
    try:
        with pytest.raises(Unavailable), stopped.begin() as tx:  # noqa: PT012  # the block is what is tested
            tx.execute(insert)
            with others.begin() as other:  # waits for the same key
                other.execute(insert)
            tx.execute(sa.select(1))
        with others.begin() as tx:
            assert tx.scalar(sa.text("SHOW idle_in_transaction_session_timeout")) == "20s"
            assert tx.scalar(sa.text("SHOW client_connection_check_interval")) == "2s"
    finally:
        stopped.dispose()
        others.dispose()


def test_what_the_rows_want_done_is_told_after_the_commit_and_not_after_a_rollback(fresh_database: str):
    store = opened(fresh_database)
    told: list[tuple[set[str], int]] = []

    def after(names: set[str]) -> None:
        with store.begin() as tx:
            told.append((set(names), tx.scalar(sa.select(sa.func.count()).select_from(t.heartbeat))))

    store.after_commit = after
    row = {"process": "p", "kind": "k", "at": NOON, "facts": {}}
    with pytest.raises(ZeroDivisionError), store.begin() as tx:  # noqa: PT012  # the block is what is tested
        tx.tasks_after_commit.add("sweep")
        raise ZeroDivisionError
    with store.begin() as tx:
        tx.execute(sa.insert(t.heartbeat).values(**row))
    assert told == []
    with store.begin() as tx:
        tx.tasks_after_commit.update({"sweep", "dial"})
    assert told == [({"sweep", "dial"}, 1)]
    store.dispose()
