"""PostgreSQL, or the pooler before it, is frozen while its machine answers: what waits for it ends, and once it goes on
so does the service.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa

from dialer.core.errors import Unavailable
from dialer.db.keys import Keys
from dialer.db.silence import SilenceWatch
from dialer.db.unit_of_work import Store
from dialer.db.vault import Vault
from dialer.runtime.embedded import ensure_servers
from tests import pooler

pytestmark = pytest.mark.story

PATIENCE_SECONDS = 120.0
"""The driver itself would wait for ever."""
ASK = sa.text("SELECT 1")


@contextmanager
def opened(url: str) -> Iterator[Store]:
    vault = Vault(Keys.of(encryption={1: bytes([1]) * 32}, index=bytes([9]) * 32, current=1))
    store = Store(url, vault)
    try:
        with SilenceWatch(store).running():
            yield store
    finally:
        store.dispose()


def fault_in_silence(store: Store, freeze: Callable[[], object]) -> Unavailable:
    """How a statement ends that is sent into the silence."""
    in_transaction, go_on, faults = threading.Event(), threading.Event(), list[Unavailable]()

    def work() -> None:
        try:
            with store.begin() as tx:
                tx.execute(ASK)
                in_transaction.set()
                assert go_on.wait(PATIENCE_SECONDS)
                tx.execute(ASK)
        except Unavailable as fault:
            faults.append(fault)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert in_transaction.wait(PATIENCE_SECONDS)
    freeze()
    go_on.set()
    thread.join(PATIENCE_SECONDS)
    [fault] = faults
    return fault


def answers(store: Store) -> bool:
    """Whether it answers again, at once or after a fault of a connection of before."""
    for _ in range(3):
        try:
            with store.begin() as tx:
                return tx.scalar(ASK) == 1
        except Unavailable:
            continue
    return False


def test_a_frozen_server_is_noticed(tmp_path: Path):
    with (
        ensure_servers(tmp_path, valkey=False, ephemeral=True) as servers,
        opened(servers.database_url) as store,
    ):
        server = psutil.Process(servers.process_numbers()["postgres"])
        with frozen_later(lambda: [server, *server.children(recursive=True)]) as freeze:
            assert fault_in_silence(store, freeze).part == "database"
        assert answers(store)


@pytest.mark.skipif(pooler.PROGRAM is None, reason=pooler.WHY_NOT)
def test_a_frozen_pooler_is_noticed(tmp_path: Path):
    with (
        ensure_servers(tmp_path, valkey=False, ephemeral=True) as servers,
        pooler.pooler(servers.database_url.replace("+psycopg", "")) as port,
    ):
        url = sa.make_url(servers.database_url).set(port=port)
        with opened(url.render_as_string(hide_password=False)) as store:
            found = [one for one in psutil.process_iter(["name"]) if one.info["name"] == "pgbouncer"]
            own = [one for one in found if os.getpid() in {parent.pid for parent in one.parents()}]
            with frozen_later(lambda: own) as freeze:
                assert fault_in_silence(store, freeze).part == "database"
            assert answers(store)


@contextmanager
def frozen_later(processes: Callable[[], list[psutil.Process]]) -> Iterator[Callable[[], None]]:
    """What freezes them; at the end of the block they go on."""
    stopped: list[psutil.Process] = []

    def freeze() -> None:
        stopped.extend(processes())
        for process in stopped:
            process.send_signal(signal.SIGSTOP)

    try:
        yield freeze
    finally:
        for process in stopped:
            process.send_signal(signal.SIGCONT)
