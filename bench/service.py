"""A whole service in a folder of its own: embedded servers, every process, the simulated line; gone afterwards."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import psutil
import sqlalchemy as sa

from dialer.bootstrap import application
from dialer.cli.serve import children
from dialer.core.access import unrestricted
from dialer.core.sources import COUNTED_LIMITS, SourceLimits
from dialer.db.system_state import ClockRow, living_processes, mark_drill_database, write_service_clock
from dialer.db.unit_of_work import Store
from dialer.demo.run import is_carrier_up
from dialer.runtime.embedded import ensure_servers, erase_servers
from dialer.runtime.location import free_port
from dialer.runtime.services import Application
from dialer.runtime.settings import Settings, load_settings
from dialer.warnings.source_limits import change_source

ROOT = Path(__file__).resolve().parent.parent
AT_ONCE = """
[[carrier.people]]
name = "at once"
share = 1
keys = [{keys}]
ring_after_seconds = [0.05, 0.2]
answer_after_seconds = [0.05, 0.2]
key_after_seconds = [0.05, 0.2]
verdict_after_seconds = 0.1
"""
SPEED = 40.0


@dataclass(slots=True, kw_only=True)
class Service:
    app: Application
    settings: Settings
    env: dict[str, str]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, *names: str, within_seconds: float = 60.0) -> None:
        """These processes of `dialer up`; all of them when none is named. Returns when they answer."""
        for child in children(self.settings, self.env):
            if not names or child.name in names:
                argv = list(child.argv)
                self.running[child.name] = subprocess.Popen(argv, env=dict(child.env or self.env))
        self._wait(within_seconds)

    def start_web_beside(self, *, within_seconds: float = 60.0) -> int:
        """One more web process of the same service, which is known by the address of the first. Returns its port."""
        port = free_port()
        env = self.env | {
            "DIALER_WEB__PORT": str(port),
            "DIALER_WEB__PUBLIC_URL": f"http://127.0.0.1:{self.settings.web.port}",
        }
        [web] = [child for child in children(self.settings, env) if child.name == "web"]
        self.running[f"web {len(self.running)}"] = subprocess.Popen(list(web.argv), env=env)
        deadline = time.monotonic() + within_seconds
        while not answers(port, "/health/ready"):
            if time.monotonic() > deadline:
                raise SystemExit("the second web process did not come up")
            time.sleep(0.1)
        return port

    def start_rest(self, *, within_seconds: float = 60.0) -> None:
        """What of `dialer up` does not run yet."""
        self.start(
            *(child.name for child in children(self.settings, self.env) if child.name not in self.running),
            within_seconds=within_seconds,
        )

    def _wait(self, within_seconds: float) -> None:
        deadline = time.monotonic() + within_seconds
        while not self._is_up():
            if time.monotonic() > deadline:
                raise SystemExit(
                    f"the service did not come up: {[(n, p.poll()) for n, p in self.running.items()]}"
                )
            time.sleep(0.1)

    def _is_up(self) -> bool:
        wanted = sum(name.startswith("worker") for name in self.running)
        carrier = self.app.carrier
        if "web" in self.running and not answers(self.settings.web.port, "/health/ready"):
            return False
        if "carrier" in self.running and (carrier is None or not is_carrier_up(carrier)):
            return False
        with self.app.services.store.begin() as tx:
            beats = living_processes(tx, real_now=datetime.now(UTC))
            beats = [beat for beat in beats if beat.kind == "worker"]
        return len(beats) >= wanted

    def stop(self) -> None:
        for process in self.running.values():
            process.send_signal(signal.SIGTERM)
        for process in self.running.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def processes(self) -> dict[str, list[psutil.Process]]:
        """Ours by name, the database's and the broker's by theirs."""
        found = {name: _family(process.pid) for name, process in self.running.items()}
        with self.app.services.store.begin() as tx:
            backend = psutil.Process(tx.scalar(sa.text("SELECT pg_backend_pid()")))
        postmaster = backend.parent()
        assert postmaster is not None
        found["postgres"] = [postmaster, *postmaster.children()]
        with self.app.celery.connection_for_write() as connection:
            broker = connection.default_channel.client.info("server")["process_id"]
        found["valkey"] = [psutil.Process(broker)]
        return found

    def cpu(self) -> dict[str, float]:
        """Seconds of processor that each has used since it began."""
        return {name: sum(_cpu(one) for one in set(many)) for name, many in self.processes().items()}

    def pss_mb(self) -> dict[str, float]:
        return {
            name: round(sum(_pss(one) for one in set(many)) / 1e6, 1)
            for name, many in self.processes().items()
        }


def known_for_long(made: Service, source: str) -> None:
    """Ends the probation of the source: its limits are beyond what a bench sends."""
    by, limits = unrestricted("bench"), SourceLimits(**dict.fromkeys(COUNTED_LIMITS, 1_000_000))
    change_source(made.app.services, by, source, limits, on_probation=False, why="a bench")


@contextmanager
def owner_store(app: Application) -> Iterator[Store]:
    """As the store of the service, for the owner of the tables, who may vacuum and change them."""
    assert app.servers is not None
    store = Store(app.servers.owner_url, app.services.store.vault, pool_size=2)
    try:
        yield store
    finally:
        store.dispose()


def _family(pid: int) -> list[psutil.Process]:
    first = psutil.Process(pid)
    return [first, *first.children(recursive=True)]


def answers(port: int, path: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5):
            return True
    except OSError:
        return False


def _cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


def _pss(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0


@contextmanager
def ground(
    *, keys: Sequence[str] = ("2",), keep: Path | None = None, **more: str
) -> Iterator[dict[str, str]]:
    """The environment of a service in a folder of its own, pacing opened wide; gone afterwards, unless it is `keep`.
    `more` are DIALER_ settings.
    """
    folder = Path(tempfile.mkdtemp(prefix="dialer-bench-")) if keep is None else keep
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    plain = (ROOT / "settings.toml").read_text(encoding="utf-8")
    plain = re.sub(r"\[\[carrier\.people\]\]\n(?:(?!\n\[).)*", "", plain, flags=re.DOTALL)
    at_once = AT_ONCE.format(keys=", ".join(f'"{key}"' for key in keys))
    (folder / "settings.toml").write_text(plain + at_once, encoding="utf-8")
    env = {name: value for name, value in os.environ.items() if not name.startswith("DIALER_")} | {
        "DIALER_SETTINGS": str(folder / "settings.toml"),
        "DIALER_DATA_DIR": str(folder / "data"),
        "DIALER_WEB__PORT": str(free_port()),
        "DIALER_TELEPHONY__CALLS_PER_SECOND": "500",
        "DIALER_TELEPHONY__LINES": "10000",
        "DIALER_SCHEDULER__TICK_SECONDS": "0.25",
        "DIALER_LOG__LEVEL": "warning",
    }
    env |= {f"DIALER_{name.upper()}": value for name, value in more.items()}
    (folder / "data").mkdir(exist_ok=True)
    try:
        yield env
    finally:
        if keep is None:
            erase_servers(folder / "data")
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def service(
    *,
    keys: Sequence[str] = ("2",),
    speed: float = SPEED,
    daytime: bool = False,
    keep: Path | None = None,
    **more: str,
) -> Iterator[Service]:
    """A drill database whose clock begins at nine: an empty one, or that of an earlier run in the folder `keep`. One
    of `bench.year` stays what it is. `daytime`: the clock runs as fast as the real one. `more` are DIALER_ settings.
    """
    with ground(keys=keys, keep=keep, **more) as env:
        settings = load_settings(env)
        with ensure_servers(settings.data_dir) as servers:
            speed = 1.0 if daytime else speed
            if speed != 1.0 or daytime:
                with application(settings) as fresh, fresh.services.store.begin() as tx:
                    if tx.scalar(sa.text('SELECT 1 FROM "case" WHERE NOT drill LIMIT 1')) is None:
                        mark_drill_database(tx)
                        write_service_clock(tx, nine(settings, speed))
            with application(settings) as app:
                # The application has only joined them; who keeps them can start one again that ends.
                made = Service(app=replace(app, servers=servers), settings=settings, env=env)
                try:
                    yield made
                finally:
                    made.stop()


def nine(settings: Settings, speed: float) -> ClockRow:
    zone = ZoneInfo(settings.centre.timezone)
    today = datetime.now(zone).replace(hour=9, minute=0, second=0, microsecond=0)
    return ClockRow(anchor_unix=time.time(), epoch=today.astimezone(UTC), speed=speed)
