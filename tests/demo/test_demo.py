"""The main job, as a person runs it: every process real, a worker killed in the middle, and what is left behind."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from dialer.core.errors import SettingsError
from dialer.demo.run import demo_environment
from dialer.runtime.embedded import ensure_servers
from dialer.runtime.location import installed_binaries
from tests.terminal import with_session

pytestmark = [pytest.mark.story, pytest.mark.smoke, pytest.mark.timeout(400)]

_GRADES = ("特高危", "高危", "中危", "低危")
_TYPES = ("冒充公检法", "刷单返利", "虚假贷款", "网络婚恋交友")
_SURNAMES = "欧阳司马上官诸葛慕容东方"


def _targets(count: int) -> list[dict[str, str]]:
    return [
        {
            "指令编号": f"T{n:04}",
            "等级": _GRADES[n % 4],
            "诈骗类型": _TYPES[n % 4],
            "姓名": _SURNAMES[n % 6 * 2 : n % 6 * 2 + 2] + "测" + chr(0x5B50 + n),
            "手机号": f"1990000{1000 + n}",
            "身份证号": _id_number(n),
            "地址": f"临河区幸福路{n}号院",
        }
        for n in range(count)
    ]


def _id_number(n: int) -> str:
    """A well-formed number of nobody: region, day of birth, serial, check digit (GB 11643)."""
    body = f"15080219800101{n:03}"
    total = sum(int(digit) * 2 ** (17 - place) for place, digit in enumerate(body))
    return body + "10X98765432"[total % 11]


def _environment(folder: Path) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DIALER_")}
    return clean | {
        "DIALER_DATA_DIR": str(folder),
        "DIALER_WEB__PORT": "0",
        "DIALER_LOG__LEVEL": "info",
        # Rings follow each other closely, so that nobody waits for the test.
        "DIALER_POLICY__HIGH__ROBOT_GAP_SECONDS": "60",
        "DIALER_POLICY__MEDIUM__ROBOT_GAP_SECONDS": "60",
        "DIALER_POLICY__LOW__ROBOT_GAP_SECONDS": "60",
    }


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8-sig")


def _of(demo: psutil.Process, words: str) -> list[psutil.Process]:
    found = []
    for child in demo.children(recursive=True):
        try:
            if words in " ".join(child.cmdline()):
                found.append(child)
        except psutil.Error:
            continue
    return found


def _command_of(process: psutil.Process) -> str:
    """Of one that is alive; a zombie and one that is gone meanwhile have none."""
    try:
        return "" if process.status() == psutil.STATUS_ZOMBIE else " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def _wait_for_worker(demo: subprocess.Popen[bytes]) -> psutil.Process:
    parent = psutil.Process(demo.pid)
    while demo.poll() is None:
        for worker in _of(parent, "worker --queues dial"):
            # It works: it has opened connections to the carrier or the database.
            try:
                if worker.net_connections(kind="tcp"):
                    return worker
            except psutil.Error:
                continue
    raise AssertionError("the demo ended before its worker was up")


Told = tuple[int, bytes, Path, Path, list[dict[str, str]], list[psutil.Process]]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("demo")
    rows = _targets(32)
    _write(folder / "list.csv", rows)
    log = folder / "log.txt"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "dialer", "demo", "--until-settled", "--json"),
                *("--timeout", "240", "--list", str(folder / "list.csv")),
            ],
            env=_environment(folder),
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        _wait_for_worker(process).kill()
        family = psutil.Process(process.pid).children(recursive=True)
        out, _ = process.communicate()
    return process.returncode, out, log, folder, rows, family


def test_it_settles_and_accounts_for_everybody_though_a_worker_was_killed(demo: Told):
    code, out, log, _, rows, _ = demo
    assert code == 0, log.read_text()[-3000:]
    told = json.loads(out)
    assert told["load"]["accepted"] == len(rows)
    assert sum(told["cases"].values()) == told["load"]["accepted"] - told["load"]["merged"]
    assert told["attempts"] == told["rings"] + sum(told["not_rung"].values())
    assert told["rings"] > 0
    assert told["max_rings_per_attempt"] == 1
    assert told["report"]["drill"] is True
    assert "died" in log.read_text()


def test_no_process_is_left(demo: Told):
    *_, family = demo
    _, alive = psutil.wait_procs(family, timeout=20)
    assert [command for process in alive if (command := _command_of(process))] == []


def test_a_command_beside_it_works_under_its_settings(demo: Told):
    _, _, _, folder, _, _ = demo
    environment = _environment(folder)
    with ensure_servers(folder / "demo"):
        done = subprocess.run(
            [sys.executable, "-m", "dialer", "token", "add", "city-bank", "--scope", "warnings:write"],
            env=environment | with_session(environment, "--by", "administrator", home=folder / "home"),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("dialer_")


def test_neither_the_database_nor_a_log_holds_a_name_or_a_number(demo: Told):
    _, _, log, folder, rows, _ = demo
    with ensure_servers(folder / "demo", valkey=False) as servers:
        dump = subprocess.run(
            [
                str(installed_binaries().psql.with_name("pg_dump")),
                servers.owner_url.replace("postgresql+psycopg", "postgresql"),
            ],
            check=True,
            capture_output=True,
        ).stdout.decode()
    assert "COPY public.person " in dump
    written = dump + log.read_text()
    # Bytes are read as bytes: among so many hexadecimal digits a mobile number may stand by chance.
    values: list[str] = re.findall(r"\\\\x([0-9a-f]+)", written)
    assert len(values) > 10 * len(rows)
    held = b" ".join(map(bytes.fromhex, values))
    written = re.sub(r"\\\\x[0-9a-f]+", "", written)
    for row in rows:
        assert row["姓名"] not in written
        assert row["手机号"] not in written
        assert row["身份证号"] not in written
        assert row["地址"] not in written
        for column in ("姓名", "手机号", "身份证号", "地址"):
            assert row[column].encode() not in held


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DIALER_DATABASE__URL", "postgresql+psycopg://x:y@127.0.0.1/real"),
        ("DIALER_BROKER__URL", "redis://127.0.0.1:6379/0"),
        ("DIALER_TELEPHONY__BASE_URL", "https://carrier.example.cn"),
        ("DIALER_TELEPHONY__AUTH_TOKEN", "secret-of-a-real-line"),
    ],
)
def test_it_refuses_to_start_beside_anything_real(tmp_path: Path, name: str, value: str):
    with pytest.raises(SettingsError) as refused:
        demo_environment(_environment(tmp_path) | {name: value})
    assert "demo uses only its own" in str(refused.value)
    assert value not in str(refused.value)


def test_a_refused_start_says_one_line_and_leaves_nothing(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-m", "dialer", "demo", "--until-settled"],
        env=_environment(tmp_path) | {"DIALER_KEYS__FILE": "/somewhere/keys.json"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "demo uses only its own" in done.stderr
    assert not (tmp_path / "demo").exists()
