"""One run: a whole service in a folder of its own, a schedule of faults, and then no fault until it has settled."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import make_url

from chaos.checks import Verdict, check
from chaos.distance import Distance, distant
from chaos.schedule import Injection, targets
from chaos.strikes import Injections
from dialer.cli.lists import load_file
from dialer.cli.serve import children, log_child_event
from dialer.core.access import unrestricted
from dialer.core.errors import DialerError
from dialer.demo.run import (
    SettledWatch,
    SimulatedStaff,
    clean_environment,
    demo_environment,
    set_service_speed,
    wait_until_up,
)
from dialer.runtime.embedded import erase_servers
from dialer.runtime.local import DEMO_FOLDER
from dialer.runtime.location import free_port
from dialer.runtime.logs import configure_logs
from dialer.runtime.services import Application
from dialer.runtime.settings import load_settings
from dialer.runtime.supervisor import Child, Supervisor

_TEND_SECONDS = 0.05
_AGAIN_SECONDS = 1.0
_UP_SECONDS = 240.0
"""No fault strikes yet, and the machine may be busy with other things."""
_SECOND = ("worker-dial", "scheduler")
_LONGEST_LOAD_SECONDS = 240.0
"""Another worker continues the load of a killed one when its lease is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    seed: str
    seconds: float
    strikes: list[Injection]
    targets: int = 300
    calls_per_second: float = 10.0
    lines: int = 40
    speed: float = 40.0
    settle_seconds: float = 300.0
    keep: bool = False


@dataclass(slots=True, kw_only=True)
class Outcome:
    verdict: Verdict
    settled: bool
    seconds: float
    log: Path
    struck: int = 0
    problems: list[str] = field(default_factory=list)


def drill(plan: Plan, report: Callable[[str], None]) -> Outcome:
    """One run. It leaves no files, except for the log after a failure."""
    folder = Path(tempfile.mkdtemp(prefix="dialer-chaos-"))
    clean = False
    try:
        outcome = _drill(plan, folder, report)
        clean = outcome.settled and outcome.verdict.is_clean
        return outcome
    finally:
        data = folder / DEMO_FOLDER
        if data.is_dir() and not plan.keep:
            erase_servers(data)
        if clean and not plan.keep:
            shutil.rmtree(folder, ignore_errors=True)


def environment(plan: Plan, folder: Path, env: Mapping[str, str]) -> dict[str, str]:
    """The settings of the run: none of the caller's, and short waits."""
    clean = {name: value for name, value in env.items() if not name.startswith("DIALER_")}
    base = demo_environment(
        clean
        | {"DIALER_DATA_DIR": str(folder), "DIALER_WEB__PORT": str(free_port()), "DIALER_LOG__LEVEL": "info"}
    )
    return base | {
        "DIALER_LOG__FORMAT": "json",
        "DIALER_TELEPHONY__CALLS_PER_SECOND": str(plan.calls_per_second),
        "DIALER_TELEPHONY__LINES": str(plan.lines),
        "DIALER_TELEPHONY__TIMEOUT_SECONDS": "3",
        "DIALER_TELEPHONY__SILENCE_SECONDS": "8",
        "DIALER_CARRIER__SEED": plan.seed,
        "DIALER_POLICY__EXTRA_HIGH__ROBOT_GAP_SECONDS": "60",
        "DIALER_POLICY__HIGH__ROBOT_GAP_SECONDS": "60",
        "DIALER_POLICY__MEDIUM__ROBOT_GAP_SECONDS": "60",
        "DIALER_POLICY__LOW__ROBOT_GAP_SECONDS": "60",
    }


def _drill(plan: Plan, folder: Path, report: Callable[[str], None]) -> Outcome:
    env = environment(plan, folder, os.environ)
    settings = load_settings(env)
    started = time.monotonic()
    log = folder / "log.txt"
    with _errors_in(log), clean_environment(settings) as app, _way_to_database(app) as way:
        configure_logs(level="info", log_format="json", process="chaos")
        far = env | _far_database(app, way)
        supervisor = Supervisor(_children(settings, far), log_child_event)
        service = _Service(plan, app, supervisor, way, folder)
        try:
            supervisor.start()
            service.bring_up()
            struck = service.inject(report)
            settled = service.settle(report)
            problems = service.problems()
        finally:
            if service.staff.is_alive():
                service.staff.stop()
            supervisor.stop()
        verdict = check(app.services.store.url, settings.data_dir / "carrier")
        if settled:
            # Every target of the list is known: loading it once more accepts none.
            again = load_file(
                app, unrestricted("chaos"), service.list_file, source="chaos", progress=False
            ).report
            verdict.must(again.accepted == 0, f"{again.accepted} targets of the list had been lost")
    return Outcome(
        verdict=verdict,
        settled=settled,
        seconds=time.monotonic() - started,
        log=log,
        struck=struck,
        problems=problems,
    )


def _way_to_database(app: Application) -> AbstractContextManager[Distance]:
    url = make_url(app.services.store.url)
    assert url.host is not None
    assert url.port is not None
    return distant(url.host, url.port)


def _far_database(app: Application, way: Distance) -> dict[str, str]:
    """The settings with which a process reaches the database by this way."""
    url = make_url(app.services.store.url).set(host="127.0.0.1", port=way.port)
    return {
        "DIALER_DATABASE__URL": url.render_as_string(hide_password=False),
        "DIALER_KEYS__FILE": str(app.settings.data_dir / "keys.json"),
    }


def _children(settings: object, env: dict[str, str]) -> list[Child]:
    """A whole service, with a second worker and a second scheduler."""
    kept = children(settings, env)  # type: ignore[arg-type]
    seconds = [
        Child(
            name=f"{child.name}-2",
            argv=child.argv,
            env=child.env,
            stop_grace_seconds=child.stop_grace_seconds,
        )
        for child in kept
        if child.name in _SECOND
    ]
    return kept + seconds


class _Service:
    def __init__(
        self, plan: Plan, app: Application, supervisor: Supervisor, way: Distance, folder: Path
    ) -> None:
        assert app.carrier is not None
        self.plan = plan
        self.app = app
        self.supervisor = supervisor
        self.staff = SimulatedStaff(app.services)
        self.list_file = folder / "list.csv"
        self.list_file.touch(mode=0o600)
        self.list_file.write_bytes(targets(plan.seed, count=plan.targets))
        self._loads: list[threading.Thread] = []
        self._faults: list[str] = []
        assert app.servers is not None
        self.strikes = Injections(
            supervisor=supervisor,
            carrier=app.carrier,
            servers=app.servers,
            distance=way,
            load_again=self.load,
        )

    def tend(self) -> None:
        self.supervisor.run_once(seconds=_TEND_SECONDS)
        assert self.app.servers is not None
        self.app.servers.restart_failed()
        self.strikes.tend()

    def bring_up(self) -> None:
        wait_until_up(self.app, tend=self.tend, stopped=lambda: False, within_seconds=_UP_SECONDS)
        set_service_speed(self.app, speed=self.plan.speed)
        self.load()
        self.staff.start()

    def load(self) -> None:
        """A thread tries to load the list until it succeeds; a second load finds only duplicates."""
        thread = threading.Thread(target=self._load, name="load", daemon=True)
        self._loads.append(thread)
        thread.start()

    def _load(self) -> None:
        until = time.monotonic() + _LONGEST_LOAD_SECONDS
        while time.monotonic() < until:
            try:
                load_file(self.app, unrestricted("chaos"), self.list_file, source="chaos", progress=False)
            except DialerError as fault:
                sys.stderr.write(f"chaos load: {fault}\n")
                time.sleep(_AGAIN_SECONDS)
            else:
                return
        self._faults.append("a list was not loaded in time")

    def inject(self, report: Callable[[str], None]) -> int:
        started = time.monotonic()
        left = list(self.plan.strikes)
        while time.monotonic() - started < self.plan.seconds:
            self.tend()
            while left and time.monotonic() - started >= left[0].at_seconds:
                injection = left.pop(0)
                sys.stderr.write(f"chaos fault: {injection.line()}\n")
                sys.stderr.flush()
                self.strikes.inject(injection)
        report(f"struck {len(self.plan.strikes) - len(left)} times; no more faults")
        return len(self.plan.strikes) - len(left)

    def settle(self, report: Callable[[str], None]) -> bool:
        """Faults are cleared; True when everything has settled within the bound."""
        self.strikes.end()
        started = time.monotonic()
        cleared = False
        watch = SettledWatch()
        while time.monotonic() - started < self.plan.settle_seconds:
            self.tend()
            cleared = cleared or self.strikes.clear_carrier()
            loading = any(thread.is_alive() for thread in self._loads)
            if cleared and not loading and watch.look(self.app):
                report(f"settled {time.monotonic() - started:.0f} s after the last fault")
                return True
            if loading:
                watch = SettledWatch()
        report(f"not settled after {self.plan.settle_seconds:.0f} s: {watch.progress}")
        return False

    def problems(self) -> list[str]:
        return self._faults + ([] if self.staff.is_alive() else ["the simulated staff stopped"])


@contextmanager
def _errors_in(log: Path) -> Iterator[None]:
    """Standard error of this process and its children goes to the log."""
    sys.stderr.flush()
    before = os.dup(2)
    with log.open("ab", buffering=0) as file:
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(before, 2)
            os.close(before)
