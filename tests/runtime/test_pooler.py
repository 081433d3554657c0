"""The service behind pgbouncer in transaction mode: nothing of it depends on a session."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from dialer.core.errors import Unavailable
from dialer.db.keys import Keys
from dialer.db.leases import take_lease
from dialer.db.migrations import migrate_database, newest_revision
from dialer.db.unit_of_work import Store, is_pooled
from dialer.db.vault import Vault
from dialer.runtime.embedded import EmbeddedServers, ensure_servers
from dialer.runtime.location import own_home
from tests.pooler import PROGRAM, ROOT, WHY_NOT, pooler

pytestmark = [pytest.mark.skipif(PROGRAM is None, reason=WHY_NOT), pytest.mark.story]

PATHS = (
    "tests/db/test_claim.py",
    "tests/calls/test_ends.py::test_the_same_keys_after_the_questions_are_a_success",
    "tests/calls/test_ends.py::test_an_unanswered_call_reached_nobody",
    "tests/control/test_scheduler.py::test_one_of_several_leads_and_another_when_it_leaves",
    "tests/calls/test_pause.py::test_resume_releases_all_it_held",
    "tests/calls/test_pace.py",
    "tests/figures/test_facts.py::test_money_moves_from_state_to_state",
    "tests/runtime/test_second_up.py::test_a_database_is_held_once_and_by_nobody_afterwards",
)
"""Claims and sending, webhooks, leadership, pauses, figures, the one `dialer up`."""


@pytest.fixture(scope="module")
def port(embedded_servers: EmbeddedServers) -> Iterator[int]:
    with pooler(embedded_servers.owner_url) as port:
        yield port


def through(url: str, port: int) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{port}").geturl()


def opened(url: str, *, idle_seconds: float = 20.0) -> Store:
    keys = Keys.of(encryption={1: bytes([1]) * 32}, index=bytes([9]) * 32, current=1)
    return Store(url, Vault(keys), pool_size=5, idle_seconds=idle_seconds)


def test_a_database_is_migrated_through_it(empty_database: str, port: int):
    engine = sa.create_engine(through(empty_database, port))
    assert migrate_database(engine) == newest_revision()
    engine.dispose()


def test_many_connections_share_two_sessions_and_prepare_nothing(fresh_database: str, port: int):
    pooled, direct = opened(through(fresh_database, port)), opened(fresh_database)
    ready, faults, sessions = threading.Barrier(5), [], set()

    def work(number: int) -> None:
        ready.wait()
        try:
            for _ in range(30):
                with pooled.begin() as tx:
                    assert is_pooled(tx)
                    sessions.add(tx.scalar(sa.text("SELECT pg_backend_pid()")))
                    take_lease(tx.connection, f"lease {number}", holder="a test", seconds=30)
        except Exception as fault:  # noqa: BLE001  # told below
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert len(sessions) == 2
    with direct.begin() as tx:
        assert not is_pooled(tx)
        assert tx.scalar(sa.text("SHOW idle_in_transaction_session_timeout")) == "20s"
    pooled.dispose()
    direct.dispose()


def test_an_idle_transaction_is_ended_behind_it_too_and_no_session_keeps_the_limit(
    fresh_database: str, port: int
):
    store, plain = opened(through(fresh_database, port), idle_seconds=0.2), through(fresh_database, port)
    with pytest.raises(Unavailable), store.begin() as tx:  # noqa: PT012  # the block is what is tested
        tx.scalar(sa.text("SELECT 1"))
        threading.Event().wait(1.0)
        tx.scalar(sa.text("SELECT 1"))
    with store.begin() as tx:
        assert tx.scalar(sa.text("SHOW idle_in_transaction_session_timeout")) == "200ms"
    store.dispose()
    engine = sa.create_engine(plain, poolclass=sa.NullPool)
    for _ in range(4):
        with engine.connect() as connection:
            assert connection.scalar(sa.text("SHOW idle_in_transaction_session_timeout")) == "0"
    engine.dispose()


@pytest.mark.timeout(600)
def test_the_core_paths_run_through_it(tmp_path: Path):
    """These tests once more, with every database behind the pooler, which may keep no prepared statement."""
    memory = Path("/dev/shm") / f"dialer-tests-pooler-{os.geteuid()}"
    home = own_home(memory) if memory.parent.is_dir() else None
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-n",
        "0",
        "-x",
        "--timeout=200",
        *PATHS,
    ]
    with (
        ensure_servers(tmp_path / "servers", ephemeral=True, home=home) as servers,
        pooler(servers.owner_url, {"max_prepared_statements": "0", "default_pool_size": "10"}) as port,
    ):
        given = {"TESTS_POOLER": str(port), "TESTS_SERVERS": str(tmp_path / "servers")}
        if home is not None:
            given["TESTS_SERVERS_HOME"] = str(home)
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment | given,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-4000:]
    assert re.search(r"\d+ passed", done.stdout)
