"""The demo's own ground: settings that can reach nothing real, a clean folder, a clock that begins at nine.

The carrier's admin API, as the demo and the drills use it: its clock, and what it counted itself.

The demo from a clean ground to its report: load, ring, work, settle.

One account a role for the demo. Their passwords are of this run alone; nothing in the demo is real.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from dialer.accounts.actions import NewPassword, add_staff
from dialer.bootstrap import application
from dialer.core.access import Role
from dialer.core.errors import DialerError, Refusal, SettingsError, Unavailable
from dialer.core.units import find_unit
from dialer.db.system_state import (
    ClockRow,
    living_processes,
    mark_drill_database,
    read_service_clock,
    write_service_clock,
)
from dialer.demo.sample_list import HOME, build
from dialer.demo.staff import work_once_as_staff
from dialer.language import Text
from dialer.org.sign_in import temporary_password
from dialer.org.staff import choose_extension
from dialer.outcomes.breakdown import NotCalled, Progress, count_not_called, read_progress
from dialer.runtime.clock import ScaledClock
from dialer.runtime.embedded import ensure, erase
from dialer.runtime.local import CarrierAccess, free_port
from dialer.runtime.settings import Settings, load_settings
from dialer.services import Application, Services
from dialer.units.imports import list_units

DEMO_FOLDER = "demo"
DEMO_SPEED = 40.0
"""Service seconds in one real second while the list is being rung."""
_NINE = 9
_SLOW = 1.0
_CALLS_PER_SECOND = "30"
_LINES = "80"
_DESK = "+8647896111"
"""The duty line on the simulated exchange: one telephone, so that a second hand-over meanwhile finds it busy."""
_OURS = ("keys.json", "carrier.json", "carrier", "rejects", "sample.csv")


class DemoRunsAlready(Refusal):
    def __init__(self) -> None:
        super().__init__("a demo is running in this folder already: stop it first (Ctrl-C where it runs)")


def demo_environment(env: Mapping[str, str]) -> dict[str, str]:
    """The environment of the demo's processes. Raises `SettingsError` when a setting points at anything that is not
    the demo's own: it can never wipe or ring anything real.
    """
    base = load_settings(env)
    for key, value in (
        ("database.url", base.database.url),
        ("broker.url", base.broker.url),
        ("telephony.base_url", base.telephony.base_url),
        ("telephony.account_sid", base.telephony.account_sid),
        ("telephony.auth_token", base.telephony.auth_token),
        ("keys.file", base.keys.file),
        ("web.public_url", base.web.public_url),
    ):
        if value is not None:
            raise SettingsError(
                key=key,
                problem="is set, and the demo uses only its own servers, keys and line: unset it for the demo",
            )
    port = str(base.web.port) if _is_free(base.web.port) else str(free_port())
    return dict(env) | {
        "DIALER_DATA_DIR": str(base.data_dir / DEMO_FOLDER),
        "DIALER_WEB__HOST": "127.0.0.1",
        "DIALER_WEB__PORT": port,
        "DIALER_TELEPHONY__CALLS_PER_SECOND": _CALLS_PER_SECOND,
        "DIALER_TELEPHONY__LINES": _LINES,
        "DIALER_TELEPHONY__OFFICER_NUMBER": _DESK,
        "DIALER_TELEPHONY__SILENCE_SECONDS": "20",
        "DIALER_SCHEDULER__TICK_SECONDS": "0.25",
        "DIALER_LOG__LEVEL": env.get("DIALER_LOG__LEVEL", "warning"),
    }


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return port != 0


@contextmanager
def clean_environment(settings: Settings) -> Iterator[Application]:
    """A new, empty drill database with its clock at nine o'clock today; one demo at a time in a folder."""
    folder = settings.data_dir
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DemoRunsAlready from None
        _wipe(folder)
        with ensure(folder):
            with application(settings) as fresh, fresh.services.store.begin() as tx:
                mark_drill_database(tx)
                write_service_clock(tx, _nine_o_clock(settings, speed=_SLOW))
            with application(settings) as app:
                yield app


def _wipe(folder: Path) -> None:
    """Only what a demo has made, in the demo's own folder."""
    erase(folder)
    for name in _OURS:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _nine_o_clock(settings: Settings, *, speed: float) -> ClockRow:
    zone = ZoneInfo(settings.centre.timezone)
    today = datetime.now(zone).date()
    nine = datetime(today.year, today.month, today.day, _NINE, tzinfo=zone)
    return ClockRow(anchor_unix=time.time(), epoch=nine.astimezone(UTC), speed=speed)


def set_demo_speed(app: Application, *, speed: float) -> ClockRow:
    """From now on the service clock runs at `speed`; it does not jump. The carrier must be told the same."""
    with app.services.store.begin() as tx:
        row = read_service_clock(tx)
        assert row is not None
        unix = time.time()
        clock = ScaledClock(anchor_unix=row.anchor_unix, epoch=row.epoch, speed=row.speed)
        changed = clock.at_speed(speed, unix_seconds=unix)
        new = ClockRow(anchor_unix=changed.anchor_unix, epoch=changed.epoch, speed=changed.speed)
        write_service_clock(tx, new)
    return new


def demo_speed(*, settings_speed: float) -> float:
    """Service seconds in one real second while the list is being rung: the setting's where it says one."""
    return settings_speed if settings_speed != _SLOW else DEMO_SPEED


def isolated_environment() -> dict[str, str]:
    return demo_environment(os.environ)


_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCounts:
    rings: int
    max_rings_per_attempt: int
    most_lines: int
    """At the same time, since the carrier began."""


def read_call_counts(access: CarrierAccess) -> CallCounts:
    """The carrier's own count, which no restart of ours can change. Raises `Unavailable`."""
    answer = _ask(access, "GET", "/admin/rings", None)
    return CallCounts(
        rings=answer["rings"],
        max_rings_per_attempt=answer["max_rings_per_attempt"],
        most_lines=answer["peak_lines"],
    )


def set_carrier_clock(access: CarrierAccess, clock: ClockRow) -> None:
    """The line keeps this time from now on. Raises `Unavailable`."""
    _ask(
        access,
        "PUT",
        "/admin/clock",
        {"anchor_unix": clock.anchor_unix, "epoch": clock.epoch.isoformat(), "speed": clock.speed},
    )


def is_carrier_up(access: CarrierAccess) -> bool:
    try:
        _ask(access, "GET", "/admin/health", None)
    except Unavailable:
        return False
    return True


def _ask(access: CarrierAccess, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310  # our own carrier, on loopback
        access.base_url + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {access.admin_token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310
            found: dict[str, Any] = json.loads(response.read() or b"{}")
    except OSError as fault:
        raise Unavailable(part="carrier", problem=type(fault).__name__) from fault
    return found


_UP_SECONDS = 60.0
_ALIVE = timedelta(seconds=8)
_STAFF_SECONDS = 0.25
_WATCH_SECONDS = 0.5
_SETTLED_LOOKS = 3
"""So often in a row must nothing be left: between two rows of one story nothing may seem to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSummary:
    """What the demo can say of itself when it has settled; the JSON of `dialer demo --until-settled --json`."""

    load: dict[str, Any]
    progress: Progress
    rings: CallCounts
    not_rung: NotCalled
    report: dict[str, Any]
    seconds: float

    def plain(self) -> dict[str, Any]:
        return {
            "load": self.load,
            "cases": self.progress.cases,
            "attempts": self.progress.attempts,
            "rings": self.rings.rings,
            "not_rung": asdict(self.not_rung),
            "max_rings_per_attempt": self.rings.max_rings_per_attempt,
            "report": self.report,
            "seconds": round(self.seconds, 1),
        }


def wait_until_up(app: Application, *, tend: Callable[[], None], stopped: Callable[[], bool]) -> bool:
    """The carrier and a worker answer. False when asked to stop meanwhile."""
    assert app.carrier is not None
    deadline = time.monotonic() + _UP_SECONDS
    while not stopped():
        if is_carrier_up(app.carrier) and _workers(app) >= 2:  # noqa: PLR2004  # dial and bulk
            return True
        if time.monotonic() > deadline:
            raise Unavailable(
                part="demo",
                problem=Text("its processes were not up after %(seconds)s s", seconds=f"{_UP_SECONDS:.0f}"),
            )
        tend()
    return False


def _workers(app: Application) -> int:
    with app.services.store.begin() as tx:
        beats = living_processes(tx, since=app.services.real.now() - _ALIVE)
    return sum(beat.kind == "worker" for beat in beats)


def set_service_speed(app: Application, *, speed: float) -> None:
    """Ours and the line's clock, together."""
    assert app.carrier is not None
    set_carrier_clock(app.carrier, set_demo_speed(app, speed=speed))


def write_sample(app: Application) -> Path:
    """The project's own list, its times set to the demo's clock."""
    path = app.settings.data_dir / "sample.csv"
    path.touch(mode=0o600)
    path.write_bytes(build(app.services.clock.now()))
    return path


class SimulatedStaff(threading.Thread):
    """Simulated callers and officers, until told to go home."""

    def __init__(self, app: Application) -> None:
        super().__init__(name="staff", daemon=True)
        self._app = app
        self._home = threading.Event()

    def run(self) -> None:
        while not self._home.wait(_STAFF_SECONDS):
            try:
                work_once_as_staff(self._app.services)
            except DialerError as fault:
                sys.stderr.write(f"demo staff: {fault}\n")

    def go_home(self) -> None:
        self._home.set()
        self.join(timeout=5.0)


def look_at_demo(app: Application) -> Progress:
    with app.services.store.begin() as tx:
        return read_progress(tx)


class SettledWatch:
    """Whether the demo has settled: nothing left, several looks in a row."""

    def __init__(self) -> None:
        self._quiet = 0
        self._next = 0.0
        self.progress: Progress | None = None

    def look(self, app: Application) -> bool:
        if time.monotonic() < self._next:
            return self._quiet >= _SETTLED_LOOKS
        self._next = time.monotonic() + _WATCH_SECONDS
        try:
            self.progress = look_at_demo(app)
        except Unavailable:
            self._quiet = 0
            return False
        self._quiet = self._quiet + 1 if self.progress.is_settled and self.progress.attempts else 0
        return self._quiet >= _SETTLED_LOOKS


def demo_summary(
    app: Application, *, load: dict[str, Any], report: dict[str, Any], seconds: float
) -> DemoSummary:
    assert app.carrier is not None
    with app.services.store.begin() as tx:
        progress = read_progress(tx)
        silent = count_not_called(tx)
    return DemoSummary(
        load=load,
        progress=progress,
        rings=read_call_counts(app.carrier),
        not_rung=silent,
        report=report,
        seconds=seconds,
    )


_NAMES: Mapping[Role, str] = {
    Role.CLERK: "演示录入员",
    Role.CALLER: "演示劝阻员",
    Role.OFFICER: "演示民警",
    Role.SUPERVISOR: "演示值班领导",
    Role.ADMINISTRATOR: "演示管理员",
    Role.AUDITOR: "演示审计员",
}
_EXTENSIONS: Mapping[Role, str] = {Role.CALLER: "8001", Role.SUPERVISOR: "8002"}
_UNITS: Mapping[Role, str] = {Role.OFFICER: HOME}
"""Everybody else is of the whole centre."""


def make_accounts(services: Services) -> list[NewPassword]:
    """Made anew in each demo's empty database, after its units; each named as its role, and with a telephone where one
    rings people.
    """
    index, _ = list_units(services)
    made = [
        add_staff(
            services,
            login=role.value,
            display_name=_NAMES[role],
            role=role,
            unit_id=find_unit(index, _UNITS[role]).id if role in _UNITS else None,
            language="zh",
            by="demo",
            password=temporary_password(),
        )
        for role in Role
    ]
    for account in made:
        if account.member.role in _EXTENSIONS:
            choose_extension(services, account.member, _EXTENSIONS[account.member.role])
    return made
