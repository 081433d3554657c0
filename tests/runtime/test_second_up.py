"""One `dialer up` runs on a database: a second one refuses and names the first, which goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dialer.core.errors import Unavailable
from dialer.db.keys import create
from dialer.db.leases import ServiceHold, ServiceRuns, process_name
from dialer.runtime.location import free_port, place_for

PATIENCE_SECONDS = 60.0


def held_by(url: str, holder: str = "") -> ServiceHold:
    return ServiceHold(url, holder=holder or process_name())


def test_a_database_is_held_once_and_by_nobody_afterwards(fresh_database: str):
    first, second = held_by(fresh_database), held_by(fresh_database)
    first.take()
    with pytest.raises(ServiceRuns) as refused:
        second.take()
    assert refused.value.holder.endswith(f"pid {os.getpid()}")
    first.keep()
    first.release()
    second.take()
    with pytest.raises(ServiceRuns):
        first.keep()
    second.release()


def test_a_database_that_is_away_is_no_fault_of_who_holds_it(fresh_database: str):
    away = held_by(fresh_database.rpartition("/")[0] + "/no_such_database")
    away.keep()
    with pytest.raises(Unavailable):
        away.take()


@contextmanager
def up(env: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, "-m", "dialer", "up"], env=env, stderr=output)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def is_up(port: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5):
            return True
    except OSError:
        return False


def until_up(process: subprocess.Popen[bytes], port: str, log: Path) -> float:
    began = time.monotonic()
    while not is_up(port):
        assert process.poll() is None, log.read_text()[-2000:]
        assert time.monotonic() - began < PATIENCE_SECONDS, log.read_text()[-2000:]
        time.sleep(0.1)
    return time.monotonic() - began


@pytest.mark.story
def test_a_second_up_refuses_and_one_after_a_kill_starts(
    fresh_database: str, broker_url: str, tmp_path: Path
):
    create(tmp_path / "keys.toml")
    port = str(free_port())
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("DIALER_")},
        "DIALER_DATA_DIR": str(tmp_path / "data"),
        "DIALER_DATABASE__URL": fresh_database,
        "DIALER_BROKER__URL": broker_url,
        "DIALER_KEYS__FILE": str(tmp_path / "keys.toml"),
        "DIALER_WEB__PORT": port,
    }
    with up(env, tmp_path / "first.log") as first:
        until_up(first, port, tmp_path / "first.log")
        other = {**env, "DIALER_WEB__PORT": str(free_port())}
        second = subprocess.run(
            [sys.executable, "-m", "dialer", "up"],
            env=other,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert second.returncode == 1
        assert f"pid {first.pid}" in second.stderr
        assert "Traceback" not in second.stderr
        assert is_up(port)
        first.kill()
        first.wait(10)
        with up(env, tmp_path / "third.log") as third:
            # The processes of the killed one end meanwhile.
            until_up(third, port, tmp_path / "third.log")


@pytest.mark.story
def test_commands_beside_up_leave_its_own_servers_alone(tmp_path: Path):
    """Also one that began before it, and so started the servers."""
    port = str(free_port())
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("DIALER_")},
        "DIALER_DATA_DIR": str(tmp_path / "data"),
        "DIALER_WEB__PORT": port,
    }

    def command() -> None:
        done = subprocess.run(
            [sys.executable, "-m", "dialer", "alarms", "--json"],
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr

    def postmaster() -> str:
        folder = place_for(tmp_path / "data").folder("postgres")
        return (folder / "postmaster.pid").read_text().splitlines()[0]

    with up(env, tmp_path / "up.log") as process:
        command()
        until_up(process, port, tmp_path / "up.log")
        before = postmaster()
        for _ in range(2):
            command()
            assert is_up(port)
        assert postmaster() == before
