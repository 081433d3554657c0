"""The whole service as processes on a simulated line, its clock at ten in the morning, for a browser to look at."""

from __future__ import annotations

import csv
import io
import itertools
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from typer.testing import CliRunner

from dialer.__main__ import build_command_line
from dialer.bootstrap import application
from dialer.core.access import Role
from dialer.core.errors import Unavailable
from dialer.db import tables as t
from dialer.db.system_state import ClockRow, mark_drill_database, write_service_clock
from dialer.db.unit_of_work import Store
from dialer.runtime.embedded import wait_until
from dialer.runtime.location import free_port
from dialer.runtime.settings import load_settings
from dialer.staff.sign_in import open_session
from dialer.staff.store import find_member, insert_member
from tests.accounts import add_account
from tests.terminal import with_session

app = build_command_line()

_UP_SECONDS = 180.0
_STOP_SECONDS = 60.0
_PATIENT_TRIES = 3
_TEN = 10
_KEPT = frozenset(
    {
        "meta", "service_clock", "policy_version", "line_group", "heartbeat",
        "script_version", "script_sound", "script_approval", "sound_file", "script_render", "script_trial",
        "knowledge_card", "knowledge_version", "quality_version", "quality_approval",
    }
)  # fmt: skip

ALONE = ("--alone", "--why", "nobody else has an account")
"""Words of a command that changes accounts or makes a token where there is no security administrator."""
_ADMINISTRATOR = "root"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A running service; `env` is what a command needs to work on it."""

    url: str
    env: dict[str, str]
    folder: Path
    log: Path

    def dialer(self, *arguments: str) -> str:
        """What a command of ours prints. It runs in this process, in a thread of its own, since the browser's driver
        has a loop in this one.
        """
        ambient = dict.fromkeys((name for name in os.environ if name.startswith("DIALER_")), None)
        ours = {name: value for name, value in self.env.items() if name.startswith("DIALER_")}
        with ThreadPoolExecutor(1) as thread:
            env = ambient | ours | with_session(self.env, *arguments, home=self.folder / "home")
            done = thread.submit(CliRunner().invoke, app, arguments, env=env).result()
        assert done.exit_code == 0, (done.stderr, done.exception)
        return done.stdout

    def as_administrator(self, *arguments: str) -> str:
        """What a command prints that a system administrator gives, whose account is made for it."""
        with application(load_settings(self.env)) as made:
            with made.services.store.begin() as tx:
                is_there = find_member(tx, _ADMINISTRATOR) is not None
            if not is_there:
                add_account(made.services.store, _ADMINISTRATOR, role=Role.ADMINISTRATOR)
        return self.dialer(*arguments, "--by", _ADMINISTRATOR)

    def empty(self) -> None:
        """No accounts, units, cases or pauses any more; the scripts, the clock and the processes stay."""
        with application(load_settings(self.env)) as made:
            assert made.servers is not None
            owner = Store(made.servers.owner_url, made.services.store.vault, pool_size=1)
            tries = itertools.count()

            def is_empty() -> bool:
                # On a busy machine the processes, which ask four times a second, may be in the way each time.
                if next(tries) >= _PATIENT_TRIES:
                    _end_connections(made.services.store)
                return _truncate(owner)

            emptied = wait_until(is_empty, seconds=_STOP_SECONDS, step_seconds=0.1)
            owner.dispose()
        assert emptied, "the processes of the service keep the tables locked"

    def signed_in(self, login: str, role: Role, *, language: str, password_hash: str) -> str:
        """The token of a session of a new account that need not change its password."""
        settings, now = load_settings(self.env), datetime.now(UTC)
        with application(settings) as made, made.services.store.begin() as tx:
            member = insert_member(
                tx,
                login=login,
                display_name=login.title(),
                password_hash=password_hash,
                role=role,
                unit_id=None,
                language=language,
                must_change=False,
                by="test",
                real_now=now,
            )
            assert member is not None
            return open_session(tx, made.services, member, address="127.0.0.1")

    def load(self, rows: Sequence[dict[str, str]]) -> str:
        """A list of these rows, loaded."""
        text = io.StringIO()
        writer = csv.DictWriter(text, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        path = self.folder / f"list{time.monotonic_ns()}.csv"
        path.write_text(text.getvalue(), encoding="utf-8-sig")
        return self.dialer("load", str(path), "--json")


def _end_connections(store: Store) -> None:
    """Ends the other connections of the service's role; its processes connect again."""
    ours = sa.text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE usename = current_user AND datname = current_database() AND pid <> pg_backend_pid()"
    )
    with suppress(Unavailable), store.begin() as tx:
        tx.execute(ours)


def _truncate(store: Store) -> bool:
    """Whether it was done: a process of the service may be in the way."""
    tables = [f'"{name}"' for name in t.metadata.tables if name not in _KEPT]
    with suppress(Unavailable), store.begin() as tx:
        # All at once: a process that connects again meanwhile waits for us, not we for it.
        tx.execute(sa.text(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE"))
        for table in tables:
            # Audit and outcomes refuse to be changed.
            tx.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        tx.execute(sa.text(f"TRUNCATE {', '.join(tables)}"))
        # As the migrations leave it: a chain without a line.
        tx.execute(sa.insert(t.audit_head).values(id=1, number=0, chain=b""))
        tx.execute(sa.insert(t.fact_mark).values(case_id=0))
        # A pause of everything stands in the line group too.
        tx.execute(sa.update(t.line_group).values(paused_until=None, paused_why=""))
        for table in tables:
            tx.execute(sa.text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
        return True
    return False


@contextmanager
def running_service(folder: Path, *, speed: float = 1.0, **settings: str) -> Iterator[Service]:
    """Up before it is given, and stopped with all its children afterwards. `settings` are names without DIALER_."""
    port = free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith("DIALER_")} | {
        "DIALER_DATA_DIR": str(folder / "var"),
        "DIALER_WEB__PORT": str(port),
        "DIALER_WEB__CONSOLE_URL": f"http://localhost:{port}",
        "DIALER_TELEPHONY__CALLS_PER_SECOND": "20",
        "DIALER_SCHEDULER__TICK_SECONDS": "0.25",
        "DIALER_LOG__LEVEL": "info",
        **{f"DIALER_{name}": value for name, value in settings.items()},
    }
    _set_clock(env, speed=speed)
    log = folder / "service.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "dialer", "up"], env=env, stdout=out, stderr=subprocess.STDOUT
        )
        service = Service(url=f"http://127.0.0.1:{port}", env=env, folder=folder, log=log)
        try:
            _wait_until_up(process, service)
            yield service
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _set_clock(env: dict[str, str], *, speed: float) -> None:
    """Whatever the hour of the test, the robot may ring."""
    settings = load_settings(env)
    ten = datetime.now(ZoneInfo(settings.centre.timezone)).replace(hour=_TEN, minute=0, second=0)
    with application(settings) as made, made.services.store.begin() as tx:
        mark_drill_database(tx)
        write_service_clock(tx, ClockRow(anchor_unix=time.time(), epoch=ten.astimezone(UTC), speed=speed))


def _wait_until_up(process: subprocess.Popen[bytes], service: Service) -> None:
    def answers() -> bool:
        assert process.poll() is None, service.log.read_text()[-3000:]
        with suppress(OSError), urllib.request.urlopen(f"{service.url}/health/engine", timeout=5):
            return True
        return False

    up = wait_until(answers, seconds=_UP_SECONDS, step_seconds=0.2)
    assert up, f"not up after {_UP_SECONDS:.0f} s: {service.log.read_text()[-3000:]}"
