"""What a person gets wrong is told in a line or two, without a traceback, and leaves a code that a script can see."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from dialer.db.keys import create


def _dialer(*words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dialer", *words],
        env=dict(os.environ) | (env or {}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("laod", "list.csv"), "No such command"),
        (("case", "seven"), "valid integer"),
    ],
)
def test_a_mistyped_command_is_told_and_not_a_traceback(words: tuple[str, ...], said: str) -> None:
    done = _dialer(*words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout


def test_a_database_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    create(tmp_path / "keys.toml")
    with socket.socket() as closed:  # bound and not listening: a connection is refused
        closed.bind(("127.0.0.1", 0))
        address = f"postgresql+psycopg://dialer:hidden@127.0.0.1:{closed.getsockname()[1]}/dialer"
        done = _dialer(
            "cases",
            env={
                "DIALER_DATA_DIR": str(tmp_path / "var"),
                "DIALER_DATABASE__URL": address,
                "DIALER_BROKER__URL": "redis://127.0.0.1:1/0",
                "DIALER_KEYS__FILE": str(tmp_path / "keys.toml"),
            },
        )
    assert done.returncode == 1
    assert done.stderr.startswith("dialer: database")
    assert done.stderr.count("\n") == 1
    assert "hidden" not in done.stderr
