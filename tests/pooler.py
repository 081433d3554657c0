"""pgbouncer in transaction mode, by the file that is shipped for it, in front of the run's PostgreSQL. Debian's
program; where there is none, its tests are skipped.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from dialer.runtime.location import free_port

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
WHY_NOT = "no pgbouncer here: as root, apt-get install pgbouncer"
_START_SECONDS = 30.0


@contextmanager
def pooler(database_url: str, settings: Mapping[str, str] | None = None) -> Iterator[int]:
    """The port at which the server of this address is reached through two sessions a database."""
    assert PROGRAM is not None, WHY_NOT
    parts = urlsplit(database_url)
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="pooler-") as name:
        folder = Path(name)
        (folder / "users").write_text(f'"{parts.username}" "{parts.password}"\n', encoding="utf-8")
        given = {
            "listen_port": str(port),
            "auth_file": str(folder / "users"),
            "default_pool_size": "2",
            "unix_socket_dir": "",
            **(settings or {}),
        }
        lines = (ROOT / "deploy/pgbouncer/pgbouncer.ini").read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if line.partition("=")[0].strip() not in {"dialer", *given}]
        at = kept.index("[databases]") + 1
        kept[at:at] = [f"* = host={parts.hostname} port={parts.port}"]
        file = folder / "pgbouncer.ini"
        file.write_text("\n".join([*kept, *(f"{key} = {value}" for key, value in given.items())]) + "\n")
        command = [PROGRAM, str(file)]
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            for path in (folder, folder / "users", file):
                os.chown(path, nobody.pw_uid, nobody.pw_gid)
            command[1:1] = ["-u", "nobody"]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            _until_it_answers(
                f"{parts._replace(netloc=f'{parts.username}:{parts.password}@127.0.0.1:{port}').geturl()}"
            )
            yield port
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def _until_it_answers(url: str) -> None:
    began = time.monotonic()
    while True:
        try:
            with psycopg.connect(url.replace("+psycopg", ""), connect_timeout=2):
                return
        except psycopg.OperationalError:
            if time.monotonic() - began > _START_SECONDS:
                raise
            time.sleep(0.05)
