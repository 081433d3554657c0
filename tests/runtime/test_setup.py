"""The commands of the Makefile that need no network, from any folder and without git."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLAIN = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}


def run(*argv: str | Path, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(one) for one in argv], cwd=cwd, env={**PLAIN, **env}, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What set-up reads, and nothing else: no git, no environment."""
    folder = tmp_path / "clone with space"
    (folder / "tools").mkdir(parents=True)
    for name in ("Makefile", "requirements.lock", "pyproject.toml", "tools/setup.sh"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def interpreter(folder: Path, name: str, script: str) -> Path:
    """A stand-in for an installed Python."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_make_alone_tells_what_there_is(clone: Path, tmp_path: Path):
    done = run("make", "-s", "-C", clone, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    listed = re.findall(r"^make (\w+) +\S", done.stdout, re.MULTILINE)
    assert {"help", "setup", "demo", "test", "lint", "bench", "clean"} <= set(listed)


_CANNOT = "setup: this Python cannot make virtual environments: apt-get install python3-venv"


@pytest.fixture
def debian(clone: Path) -> Callable[[int], subprocess.CompletedProcess[str]]:
    """Sets up with Debian's Python without its venv module, as the user of that number; `apt-get` writes what it is
    asked, and with `install` it brings the module.
    """
    interpreter(
        clone,
        "python-bare",
        f"""case "$2" in
        *ensurepip*) test -e "{clone}/installed" ;;
        *base_prefix*) echo /usr ;;
        *version_info*) echo 3.13 ;;
        *) echo "made by $*" >&2; exit 3 ;;
        esac""",
    )
    folder = clone / "bin"
    folder.mkdir()
    interpreter(
        folder,
        "apt-get",
        f"""echo "$*" >>"{clone}/asked"; case "$*" in *install*) >"{clone}/installed" ;; esac""",
    )

    def set_up(user: int) -> subprocess.CompletedProcess[str]:
        interpreter(folder, "id", f"echo {user}")
        path = f"{folder}{os.pathsep}{without('uv')}"
        return run("sh", "tools/setup.sh", cwd=clone, PYTHON=str(clone / "python-bare"), PATH=path)

    return set_up


def test_a_python_without_venv_gets_one_line_that_says_what_to_install(
    clone: Path, debian: Callable[[int], subprocess.CompletedProcess[str]]
):
    done = debian(1000)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == _CANNOT
    assert not (clone / "asked").exists()
    assert not (clone / ".venv" / ".ready").exists()


def test_root_gets_the_venv_module_of_debian_installed(
    clone: Path, debian: Callable[[int], subprocess.CompletedProcess[str]]
):
    done = debian(0)
    assert "setup: installing what this Python lacks (apt-get install python3.13-venv)" in done.stderr
    assert (clone / "asked").read_text().splitlines() == [
        "-qq update",
        "-qq install -y --no-install-recommends python3.13-venv",
    ]
    assert _CANNOT not in done.stderr
    assert f"made by -m venv {clone}/.venv" in done.stderr


def without(program: str) -> str:
    folders = os.environ["PATH"].split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if not (Path(folder) / program).exists())


def test_a_python_that_is_too_old_or_missing_is_one_line(clone: Path):
    old = interpreter(clone, "python-old", 'case "$2" in *exit*) exit 1 ;; *) echo 3.9 ;; esac')
    done = run("sh", "tools/setup.sh", cwd=clone, PYTHON=str(old))
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "is not Python 3.11, 3.12 or 3.13" in done.stderr
    done = run("sh", "tools/setup.sh", cwd=clone, PYTHON="python9.9")
    assert (done.returncode, done.stderr) == (
        1,
        "setup: no python9.9 here: apt-get install python3 python3-venv\n",
    )


def test_what_is_ready_is_left_alone(clone: Path):
    (clone / ".venv" / "bin").mkdir(parents=True)
    interpreter(clone / ".venv" / "bin", "python", "exit 0")
    (clone / ".venv" / ".ready").write_text(f"{clone}\n")
    done = run("sh", "tools/setup.sh", cwd=clone)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml"])
def test_a_newer_list_of_dependencies_is_set_up_anew(clone: Path, name: str):
    (clone / ".venv" / "bin").mkdir(parents=True)
    interpreter(clone / ".venv" / "bin", "python", "exit 0")
    stamp = clone / ".venv" / ".ready"
    stamp.write_text(f"{clone}\n")
    os.utime(clone / name, (stamp.stat().st_mtime + 10,) * 2)
    done = run("sh", "tools/setup.sh", cwd=clone, PYTHON="python9.9")
    assert (done.returncode, done.stderr) == (
        1,
        "setup: no python9.9 here: apt-get install python3 python3-venv\n",
    )


def test_the_check_before_landing_runs_lint_tests_fuzz_and_a_restore():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    runs = re.findall(r"^make ([\w-]+)", script.read_text(), re.MULTILINE)
    assert runs == ["lint", "test-pythons", "cost", "test-stories", "test-sip", "fuzz", "restore-drill"]


def test_the_tests_on_every_python_begin_with_make_test():
    told = run("make", "-n", "test-pythons", cwd=ROOT)
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.index("-m pytest") < told.stdout.index("tools/pythons.sh")


def test_a_part_is_every_nth_of_the_tests_that_were_asked_for():
    def listed(*arguments: str) -> list[str]:
        asked = ("-m", "pytest", "--collect-only", "-q", "-n0", "-k", "name", "tests/core/test_units.py")
        told = run(sys.executable, *asked, *arguments, cwd=ROOT).stdout
        return [line for line in told.splitlines() if "::" in line]

    assert len(listed()) > 3
    assert listed("--part", "3") == listed()[::3]
