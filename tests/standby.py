"""A standby of an embedded PostgreSQL: copied from it, promoted in its place."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import sqlalchemy as sa

from dialer.runtime.embedded import EmbeddedServers
from dialer.runtime.location import server_binaries

_SECONDS = 60.0


class Standby:
    """A standby that follows the server of `servers` without making it wait (asynchronous replication)."""

    def __init__(self, servers: EmbeddedServers) -> None:
        self._place = servers._place
        self._primary = sa.make_url(servers.database_url)
        self._folder = self._place.folder("postgres").with_name("standby")
        self._programs = server_binaries(self._place.account).postgres.parent
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def urls(self) -> str:
        """The address with both servers, of which the one that takes changes is used."""
        url = self._primary
        return (
            f"postgresql+psycopg://{url.username}:{url.password}@/{url.database}"
            f"?host=127.0.0.1:{url.port}&host=127.0.0.1:{self.port}&target_session_attrs=read-write"
        )

    def start(self) -> None:
        """Copies the primary and follows it."""
        self._folder.mkdir(mode=0o700)
        self._place.account.own(self._folder)
        copy = [
            str(self._programs / "pg_basebackup"), "-D", str(self._folder), "-R", "-X", "stream", "-c", "fast",
            "-h", "127.0.0.1", "-p", str(self._primary.port), "-U", "postgres",
        ]  # fmt: skip
        done = subprocess.run(copy, check=False, capture_output=True, **self._as_its_user())
        assert not done.returncode, done.stderr
        self._process = subprocess.Popen(
            [
                str(self._programs / "postgres"), "-D", str(self._folder), "-p", str(self.port),
                "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "cluster_name=standby",
                "-c", "wal_retrieve_retry_interval=200ms", "-c", "max_connections=200",
            ],
            stderr=subprocess.DEVNULL,
            **self._as_its_user(),
        )  # fmt: skip
        _wait_until(lambda: bool(self._ask("SELECT pg_is_in_recovery()")))

    def catch_up(self) -> None:
        """Waits until it has what the primary has now."""
        with self._open(int(self._primary.port or 0)) as primary:
            [(position,)] = primary.execute("SELECT pg_current_wal_lsn()").fetchall()
        _wait_until(lambda: bool(self._ask(f"SELECT pg_last_wal_replay_lsn() >= '{position}'")))

    def cut_off(self) -> None:
        """Receives nothing more: what the primary commits from now on is lost when this one is promoted."""
        self._ask("ALTER SYSTEM SET primary_conninfo = ''")
        self._ask("SELECT pg_reload_conf()")
        _wait_until(lambda: not self._ask("SELECT count(*) FROM pg_stat_wal_receiver"))

    def promote(self) -> None:
        """Becomes the primary. The other one is to be stopped before."""
        assert self._ask("SELECT pg_promote()")

    def stop(self) -> None:
        """Ends it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_SECONDS)

    def _as_its_user(self) -> dict[str, object]:
        user = self._place.account.user
        given = {"user": user[0], "group": user[1], "extra_groups": []} if user is not None else {}
        env = os.environ | {"PGPASSWORD": self._place.password("superuser")}
        return {"cwd": "/", "env": env, "umask": 0o077, **given}

    def _open(self, port: int) -> psycopg.Connection[tuple[object, ...]]:
        password = self._place.password("superuser")
        return psycopg.connect(
            host="127.0.0.1",
            port=port,
            user="postgres",
            password=password,
            dbname="postgres",
            autocommit=True,
        )

    def _ask(self, statement: str) -> object:
        try:
            with self._open(self.port) as connection:
                found = connection.execute(statement)
                return found.fetchone()[0] if found.description else None  # type: ignore[index]  # one row
        except psycopg.OperationalError:
            return None


def _wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def standby_of(servers: EmbeddedServers) -> Iterator[Standby]:
    """A standby that follows, and is ended at the end of the block."""
    standby = Standby(servers)
    try:
        standby.start()
        yield standby
    finally:
        standby.stop()
