"""The files below deploy/ are right as they are shipped: each is checked by the program that reads it, where the
machine has that program, and what they start is started.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import sqlalchemy as sa
import typer
import yaml

from dialer.__main__ import build_command_line
from dialer.api import gate as api
from dialer.bootstrap import application
from dialer.db.keys import create
from dialer.db.migrations import owned_tables
from dialer.runtime.embedded import ensure_servers
from dialer.runtime.location import free_port, server_binaries
from dialer.runtime.services import ProcessPurpose
from dialer.runtime.settings import load_settings
from dialer.server.application import SECTIONS
from tools.runtime_lock import RUNTIME_LOCK, runtime_lock

commands = build_command_line()

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
ALWAYS = [one for one in UNITS if one.stem in {"dialer-scheduler@", "dialer-web@", "dialer-worker@"}]
"""Those of dialer.target; an administrator enables the others where they are needed."""
WHERE = "/usr/sbin:/usr/bin:/sbin:/bin"
MOST_EXPOSED = 2.0
START_SECONDS = 120.0


def program(name: str, package: str) -> str:
    """The path of a program of Debian; without it the test is skipped, with what to install."""
    path = shutil.which(name, path=WHERE)
    if path is None:
        pytest.skip(f"no {name} here: as root, apt-get install {package}")
    return path


def done(*argv: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(one) for one in argv], capture_output=True, text=True, check=False)


def test_the_runtime_lock_holds_what_the_service_needs_and_no_tools_of_tests():
    assert RUNTIME_LOCK.read_text() == runtime_lock(), "run python -m tools.runtime_lock"
    names = set(re.findall(r"^([a-z0-9-]+)==", runtime_lock(), re.MULTILINE))
    assert {"sqlalchemy", "zxcvbn", "hatchling"} <= names
    assert not names & {"pytest", "hypothesis", "playwright", "ruff", "mypy"}
    assert "http" not in re.sub(r"^[a-z0-9-]+==.*$", "", runtime_lock(), flags=re.MULTILINE)


# systemd


def settings_of(unit: Path) -> list[str]:
    lines = unit.read_text().splitlines()
    return [line for line in lines if not line.startswith(("Description=", "ExecStart=", "Environment="))]


def exec_start(unit: Path) -> list[str]:
    [line] = [line for line in unit.read_text().splitlines() if line.startswith("ExecStart=")]
    return shlex.split(line.removeprefix("ExecStart="))


def test_the_units_differ_in_what_they_run_alone():
    assert len({tuple(settings_of(unit)) for unit in UNITS}) == 1
    assert sorted(tuple(exec_start(unit)) for unit in UNITS) == [
        ("/opt/dialer/.venv/bin/dialer", what)
        for what in ("carrier", "robot", "scheduler", "sip", "web", "worker")
    ]
    wanted = re.findall(r"dialer-\w+@", (DEPLOY / "systemd/dialer.target").read_text())
    assert {f"{one}.service" for one in wanted} == {unit.name for unit in ALWAYS}


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_reads_the_units_and_finds_them_closed(unit: Path, tmp_path: Path):
    analyze = program("systemd-analyze", "systemd")
    for one in (DEPLOY / "systemd").iterdir():
        text = one.read_text().replace(exec_start(UNITS[0])[0], sys.executable)
        (tmp_path / one.name).write_text(text)
    verdict = done(analyze, "verify", tmp_path / unit.name, tmp_path / "dialer.target")
    assert (verdict.returncode, verdict.stderr) == (0, "")
    exposed = done(analyze, "security", "--offline=yes", tmp_path / unit.name)
    level = re.search(r"Overall exposure level for \S+: ([\d.]+)", exposed.stdout)
    assert level is not None, exposed.stdout + exposed.stderr
    assert float(level[1]) <= MOST_EXPOSED


def example_environment(path: str = "env.example") -> dict[str, str]:
    """As systemd reads it: quotes around a value are taken away."""
    lines = (DEPLOY / path).read_text().splitlines()
    pairs = (line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return {name: value.strip("'") for name, value in pairs}


@pytest.mark.parametrize(
    "document", ["docs/operations.md", "docs/manual/en/administrator.md", "docs/manual/zh/administrator.md"]
)
def test_a_version_stays_in_its_folder_and_a_link_leads_to_it(document: str):
    """The programs of a virtual environment name its folder: an upgrade that renames folders breaks them."""
    told = (ROOT / document).read_text(encoding="utf-8")
    assert told.count("ln -sfn /opt/dialer-VERSION /opt/dialer") == 2  # installation and upgrade
    assert "git clone ADDRESS /opt/dialer-VERSION" in told
    assert "/opt/dialer-VERSION/.venv/bin/dialer migrate" in told


def test_a_shell_reads_the_environment_file_as_systemd_does():
    told = done("sh", "-c", f"set -a; . {DEPLOY}/env.example; env")
    read = dict(line.split("=", 1) for line in told.stdout.splitlines() if line.startswith("DIALER_"))
    assert read == example_environment()


def test_the_containers_environment_names_the_services_of_the_compose_file():
    services = yaml.safe_load((DEPLOY / "container/compose.yaml").read_text())["services"]
    env = example_environment("container/env.example")
    owner = example_environment("container/owner-env.example")
    for url in (env["DIALER_DATABASE__URL"], env["DIALER_BROKER__URL"], owner["DIALER_DATABASE__OWNER_URL"]):
        assert urlsplit(url).hostname in services
    assert "POSTGRES_USER" in services["postgres"]["environment"]
    assert services["migrate"]["env_file"] == ["env", "owner-env"]
    load_settings(env | owner)


def test_the_database_of_the_containers_has_the_two_roles_that_the_service_uses(tmp_path: Path):
    with ensure_servers(tmp_path / "theirs", valkey=False, ephemeral=True) as servers:
        url = sa.make_url(servers.database_url)
        (tmp_path / "owner-password").write_text("own3r\n")
        (tmp_path / "service-password").write_text("s3rvice\n")
        place = servers._place
        superuser = {"user": "postgres", "password": place.password("superuser")}
        with psycopg.connect(
            host=url.host, port=url.port, dbname="postgres", autocommit=True, **superuser
        ) as admin:
            admin.execute("CREATE DATABASE fresh TEMPLATE template0")
            for role in ("dialer", "dialer_owner"):
                admin.execute(f"ALTER ROLE {role} RENAME TO {role}_before")
        tools = server_binaries(place.account).postgres.parent
        made = subprocess.run(
            ["sh", DEPLOY / "container/roles.sh"],
            env={
                "PATH": f"{tools}:{WHERE}", "SECRETS": str(tmp_path),
                "POSTGRES_USER": "postgres", "POSTGRES_DB": "fresh",
                "PGHOST": str(url.host), "PGPORT": str(url.port), "PGPASSWORD": superuser["password"],
            },
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        create(tmp_path / "keys.toml")
        at = f"{url.host}:{url.port}/fresh"
        env = {
            "DIALER_DATABASE__URL": f"postgresql+psycopg://dialer:s3rvice@{at}",
            "DIALER_BROKER__URL": "redis://127.0.0.1:1/0",
            "DIALER_KEYS__FILE": str(tmp_path / "keys.toml"),
            "DIALER_DATA_DIR": str(tmp_path / "data"),
        }
        owner = {"DIALER_DATABASE__OWNER_URL": f"postgresql+psycopg://dialer_owner:own3r@{at}"}
        with application(load_settings(env | owner)):
            pass
        with application(load_settings(env), ProcessPurpose.SERVE) as app, app.services.store.begin() as tx:
            assert owned_tables(tx) == 0


@pytest.fixture
def environment(fresh_database: str, broker_url: str, tmp_path: Path) -> dict[str, str]:
    """The shipped environment file, with the addresses and files of this test."""
    create(tmp_path / "keys.toml")
    token = tmp_path / "token"
    token.write_text("0" * 32 + "\n")
    token.chmod(0o600)
    return example_environment() | {
        "DIALER_DATABASE__URL": fresh_database,
        "DIALER_BROKER__URL": broker_url,
        "DIALER_KEYS__FILE": str(tmp_path / "keys.toml"),
        "DIALER_TELEPHONY__AUTH_TOKEN_FILE": str(token),
        "DIALER_DATA_DIR": str(tmp_path / "data"),
        "DIALER_WEB__CHECK_PUBLIC_URL": "false",
    }


def test_the_environment_file_is_taken_whole(environment: dict[str, str]):
    settings = load_settings(environment)
    assert settings.telephony.lines == 24
    assert settings.data_dir.name == "data"


@contextmanager
def started(unit: Path, environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    argv = [str(Path(sys.executable).with_name("dialer")), *exec_start(unit)[1:]]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DIALER_")}
    with log.open("wb") as output:
        process = subprocess.Popen(argv, env=kept | environment, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.story
def test_what_the_units_start_runs_and_ends_in_order(environment: dict[str, str], tmp_path: Path):
    """Those of the target at once on one database, as systemd starts them, with the shipped environment file."""
    port = str(free_port())
    logs = {unit.stem: tmp_path / f"{unit.stem}.log" for unit in ALWAYS}
    by_unit = {unit: environment | {"DIALER_WEB__PORT": port} for unit in ALWAYS}
    scheduler, web, worker = ALWAYS
    with (
        started(scheduler, by_unit[scheduler], logs[scheduler.stem]) as first,
        started(web, by_unit[web], logs[web.stem]) as second,
        started(worker, by_unit[worker], logs[worker.stem]) as third,
    ):
        _until(lambda: _answers(f"http://127.0.0.1:{port}/health/engine"), (first, second, third), logs)
        for process in (third, second, first):
            process.send_signal(signal.SIGTERM)
        assert [process.wait(30) for process in (first, second, third)] == [0, 0, 0], _said(logs)


def _said(logs: dict[str, Path]) -> str:
    return "\n".join(f"{name}: {path.read_text()[-1500:]}" for name, path in logs.items())


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # of this test
            return bool(answer.status == 200)
    except OSError:
        return False


def _until(true: object, processes: tuple[subprocess.Popen[bytes], ...], logs: dict[str, Path]) -> None:
    assert callable(true)
    began = time.monotonic()
    while not true():
        assert all(process.poll() is None for process in processes), _said(logs)
        assert time.monotonic() - began < START_SECONDS, _said(logs)
        time.sleep(0.2)


# The other files


def test_nginx_reads_its_file(tmp_path: Path):
    nginx, openssl = program("nginx", "nginx-light"), program("openssl", "openssl")
    key, certificate = tmp_path / "dialer.key", tmp_path / "dialer.crt"
    made = done(
        *(
            openssl,
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "1",
            "-subj",
            "/CN=dialer.example.cn",
        ),
        *("-keyout", key, "-out", certificate),
    )
    assert made.returncode == 0, made.stderr
    shipped = (DEPLOY / "nginx/dialer.conf").read_text()
    text = shipped.replace("/etc/dialer/tls/", f"{tmp_path}/").replace(":443", f":{free_port()}")
    (tmp_path / "dialer.conf").write_text(text.replace("listen 443", f"listen 127.0.0.1:{free_port()}"))
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/nginx.pid;\nerror_log {tmp_path}/error.log;\nevents {{}}\n"
        f"http {{ access_log off; include {tmp_path}/dialer.conf; }}\n"
    )
    verdict = done(nginx, "-t", "-e", tmp_path / "error.log", "-p", tmp_path, "-c", tmp_path / "nginx.conf")
    assert verdict.returncode == 0, verdict.stderr
    assert "[warn]" not in verdict.stderr


def test_nginx_takes_the_largest_body_that_each_page_takes():
    text = (DEPLOY / "nginx/dialer.conf").read_text()
    taken = {
        place: max(int(size) << 20 for size in re.findall(r"client_max_body_size (\d+)m;", part))
        for place, part in (
            ("", text.partition("location = /lists")[0]),
            ("/lists", text.partition("location = /lists")[2]),
        )
    }
    for section in SECTIONS:
        for page in section.declared:
            assert page.most_bytes <= taken.get(page.path, taken[""]), page.path
    assert taken[""] >= api.MOST_BYTES


def test_the_file_of_the_containers_nginx_is_the_same_with_other_names():
    def rules(path: str) -> list[str]:
        return [line for line in (DEPLOY / path).read_text().splitlines() if not line.startswith("#")]

    for ours, theirs in (("127.0.0.1:8001", "web1:8000"), ("127.0.0.1:8002", "web2:8000")):
        assert any(ours in line for line in rules("nginx/dialer.conf"))
        assert any(theirs in line for line in rules("container/nginx.conf"))
    named = [
        re.sub(r"server (127\.0\.0\.1:800|web)(\d)\S*", r"server \2", rule)
        for rule in rules("nginx/dialer.conf")
    ]
    assert named == [
        re.sub(r"server web(\d)\S*", r"server \1", rule) for rule in rules("container/nginx.conf")
    ]


def test_logrotate_reads_its_file(tmp_path: Path):
    logrotate = program("logrotate", "logrotate")
    text = (DEPLOY / "logrotate/dialer").read_text().replace("su dialer dialer", "")
    (tmp_path / "dialer").write_text(text.replace("/var/log/dialer", str(tmp_path)))
    (tmp_path / "dialer").chmod(0o644)
    (tmp_path / "web.log").write_text("a line\n")
    verdict = done(logrotate, "--force", "--state", tmp_path / "state", tmp_path / "dialer")
    assert (verdict.returncode, verdict.stderr) == (0, "")
    assert (tmp_path / "web.log.1").read_text() == "a line\n"


def test_promtool_reads_the_alert_rules():
    promtool = program("promtool", "prometheus")
    verdict = done(promtool, "check", "config", DEPLOY / "prometheus/prometheus.yaml")
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr
    assert "alerts.yaml" in verdict.stdout


def test_promtool_reads_what_the_dashboard_asks(tmp_path: Path):
    promtool = program("promtool", "prometheus")
    asked: list[str] = []

    def note(part: object) -> None:
        for key, value in part.items() if isinstance(part, dict) else ():
            if key == "expr":
                asked.append(value)
        for value in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            note(value)

    note(json.loads((DEPLOY / "grafana/dialer.json").read_text()))
    assert len(asked) >= 20
    rules = [{"record": f"dialer:asked_{n}", "expr": expr} for n, expr in enumerate(asked)]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    verdict = done(promtool, "check", "rules", file)
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


def test_the_containers_run_commands_that_there_are_with_settings_that_there_are():
    """No container is started here: what the files say is compared with the program."""
    compose = yaml.safe_load((DEPLOY / "container/compose.yaml").read_text())
    known = set(typer.main.get_command(commands).commands)  # type: ignore[attr-defined]
    services = compose["services"]
    ours = {name: one for name, one in services.items() if one["image"] == "dialer"}
    assert {our["command"][0] for our in ours.values()} == {"web", "worker", "scheduler", "migrate"} & known
    for service in services.values():
        assert set(service.get("secrets", ())) <= set(compose["secrets"])
        assert set(service["networks"]) <= set(compose["networks"])
        assert set(service.get("depends_on", ())) <= set(services)
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            assert source.startswith("./") or source in compose["volumes"]
    plain = {"DIALER_WEB__PUBLIC_URL": "https://dialer.example.cn"}
    for our in ours.values():
        named = {name: str(value) for name, value in our["environment"].items() if not name.endswith("_FILE")}
        load_settings(plain | named)
    image = (DEPLOY / "container/Containerfile").read_text()
    copied = [
        line.split()[1:-1] for line in image.splitlines() if line.startswith("COPY ") and "--from" not in line
    ]
    assert copied
    assert all((ROOT / name).exists() for names in copied for name in names)
    assert "/opt/dialer/.venv/bin/dialer" in image
