"""The demo: an environment that can reach nothing real, an empty database, its clock, its accounts, and its summary.

The clock begins at nine o'clock. Every run has its own passwords; nothing in the demo is real.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import re
import shutil
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from carrier.lines.sip.options import ask_options
from carrier.lines.sip.stack_config import is_installed
from dialer.bootstrap import application
from dialer.control.plans import draft_plan
from dialer.control.trunks import read_trunks
from dialer.core.access import Role, unrestricted
from dialer.core.corrections import OrderEvent
from dialer.core.errors import DialerError, Refusal, SettingsError, Unavailable
from dialer.core.notifications import DEFAULT_RULES
from dialer.core.periods import add_months
from dialer.core.rota import DutyEntry, DutyKind, DutyLeave, LeaveReason
from dialer.core.text import Text
from dialer.core.units import find_unit
from dialer.core.values import Grade
from dialer.db.system_state import (
    ClockRow,
    mark_drill_database,
    read_service_clock,
    worker_runs,
    write_service_clock,
)
from dialer.demo.desks import open_desks, sit_at_desks
from dialer.demo.sample_list import HOME, build
from dialer.demo.signal_story import STREAM
from dialer.demo.staff import work_once_as_staff
from dialer.duty.leave import enter_leave, seal_of
from dialer.duty.model import MonthPlan, SwapOffer
from dialer.duty.rotations import TypedRotation, plan_rotation
from dialer.duty.store import RosterKey, lock_roster, replace_month
from dialer.duty.swaps import ask_swap
from dialer.figures.progress import (
    NotCalled,
    RobotProgress,
    calls_to_duty,
    count_not_called,
    read_progress,
)
from dialer.notifications.actions import TypedRules, change_rules
from dialer.org.accounts import NewPassword, add_staff
from dialer.org.tree import read_units_and_aliases
from dialer.oversight.corrections import OrderDraft, issue_order, move_order
from dialer.runtime.broker import BULK_QUEUE, DIAL_QUEUE
from dialer.runtime.clock import ScaledClock
from dialer.runtime.embedded import ensure_servers, erase_servers
from dialer.runtime.local import DEMO_FOLDER, DEMO_SETTINGS, CarrierAccess
from dialer.runtime.location import free_port, write_private
from dialer.runtime.plans import plan_of_settings, plan_text
from dialer.runtime.services import Application, Services
from dialer.runtime.settings import Settings, load_settings
from dialer.staff.passwords import temporary_password
from dialer.staff.sign_in import choose_extension
from dialer.staff.store import Member

DEMO_SPEED = 40.0
"""Service seconds in one real second while the list is being called."""
_SLOW = 1.0
_OURS = ("audit-anchors", "keys.json", "carrier.json", "carrier", "rejects", "sample.csv", DEMO_SETTINGS)


class DemoRunsAlready(Refusal):
    """Two demos in one folder would use each other's database."""

    def __init__(self) -> None:
        super().__init__("a demo is running in this folder already: stop it first (Ctrl-C where it runs)")


class DemoLine(StrEnum):
    """How the demo reaches its simulated people."""

    SIMULATED = "simulated"
    SIP = "sip"
    """Calls over SIP with sound, to a peer on this machine."""


class NoSipStack(Refusal):
    """The demo over SIP has no SIP stack to call with."""

    def __init__(self) -> None:
        super().__init__(
            "the demo over SIP needs the extra `sip`: pip install 'dialer[sip]',"
            " in a clone .venv/bin/pip install -e '.[sip]'"
        )


_FLASHES = "DIALER_POLICY__EXTRA_HIGH__FLASH_EVERY_SECONDS"


def demo_environment(
    env: Mapping[str, str], *, ends: bool = False, line: DemoLine = DemoLine.SIMULATED
) -> dict[str, str]:
    """The environment of the demo's processes. Raises `NoSipStack`, and `SettingsError` for a setting that points at
    anything but the demo's own: so it can never erase or call anything real.
    """
    if line is DemoLine.SIP and not is_installed():
        raise NoSipStack
    base = load_settings(env)
    for key, value in (
        ("database.url", base.database.url),
        ("database.owner_url", base.database.owner_url),
        ("broker.url", base.broker.url),
        ("telephony.base_url", base.telephony.base_url),
        ("carrier.line", None if base.carrier.line == "simulated" else base.carrier.line),
        ("telephony.account_sid", base.telephony.account_sid),
        ("telephony.auth_token", base.telephony.auth_token),
        ("keys.file", base.keys.file),
        ("web.public_url", base.web.public_url),
        ("audit.anchor_file", base.audit.anchor_file),
        ("audit.anchor_syslog", base.audit.anchor_syslog),
        ("erasure.register_file", base.erasure.register_file),
    ):
        if value is not None:
            raise SettingsError(
                key=key,
                problem="is set, and the demo uses only its own servers, keys and line: unset it for the demo",
            )
    port = str(base.web.port) if is_port_free(base.web.port) else str(free_port())
    return dict(env) | {
        "DIALER_DATA_DIR": str(base.data_dir / DEMO_FOLDER),
        "DIALER_WEB__HOST": "127.0.0.1",
        "DIALER_WEB__PORT": port,
        "DIALER_TELEPHONY__CALLS_PER_SECOND": "30",
        "DIALER_TELEPHONY__LINES": "80",
        # One duty telephone on the simulated exchange, so that a second hand-over at the same time finds it busy.
        "DIALER_TELEPHONY__OFFICER_NUMBER": "+8647896111",
        # Extensions of the simulated exchange, whose people answer.
        "DIALER_WORK__THIRD_PARTIES": '["bank:建设银行止付专席=8201", "interpreter:蒙古语翻译=8202"]',
        "DIALER_TELEPHONY__SILENCE_SECONDS": "20",
        "DIALER_SCHEDULER__TICK_SECONDS": "0.25",
        # Its accounts are shown with their passwords: nobody sets up an app for them.
        "DIALER_CONSOLE__SECOND_FACTOR_ROLES": "[]",
        "DIALER_SIGNALS__STREAM": STREAM,
        # A demo that ends by itself has the same cases in every run: nobody is drawn at random.
        **({"DIALER_SIGNALS__DRAW_SHARE": "0"} if ends else {}),
        **(_sip_environment(env) if line is DemoLine.SIP else {}),
        _FLASHES: env.get(_FLASHES, "1800"),
        "DIALER_LOG__LEVEL": env.get("DIALER_LOG__LEVEL", "warning"),
    }


def _sip_environment(env: Mapping[str, str]) -> dict[str, str]:
    """Both ends on the loopback address, where no trunk of the settings is: nothing real can be called. Time is real
    while a line is in use, so people who were not reached are called again sooner than by the shipped policy.
    """
    service = free_sip_port()
    peer = free_sip_port(without=service)
    return {
        "DIALER_CARRIER__LINE": "peer",
        "DIALER_CARRIER__PEER_PORT": str(peer),
        "DIALER_CARRIER__SIP__LISTEN": f"{_LOOPBACK}:{service}",
        "DIALER_CARRIER__SIP__INTERFACE": _LOOPBACK,
        "DIALER_TELEPHONY__CALLS_PER_SECOND": "10",
        "DIALER_TELEPHONY__LINES": "60",
        **{name: env.get(name, _SIP_GAP_SECONDS) for name in _GAPS},
    }


_GAPS = tuple(f"DIALER_POLICY__{grade.value.upper()}__ROBOT_GAP_SECONDS" for grade in Grade)
_SIP_GAP_SECONDS = "120"
_LOOPBACK = "127.0.0.1"
_SIP_PORTS = range(21_000, 24_000)
"""Below the ports that the system gives to connections."""


def free_sip_port(*, without: int = 0) -> int:
    """A port of the loopback address that is free for SIP over UDP and TCP, and the one after it for TLS."""
    for port in random.sample(_SIP_PORTS, k=100):
        if abs(port - without) > 1 and all(
            _can_bind(kind, number)
            for kind, number in (
                (socket.SOCK_DGRAM, port),
                (socket.SOCK_STREAM, port),
                (socket.SOCK_STREAM, port + 1),
            )
        ):
            return port
    raise Unavailable(part="demo", problem="no port of this machine is free for SIP")


def _can_bind(kind: socket.SocketKind, port: int) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind((_LOOPBACK, port))
        except OSError:
            return False
    return True


def is_port_free(port: int) -> bool:
    """Whether a service of this machine can listen on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return port != 0


@contextmanager
def only_run(folder: Path, lock_name: str, refusal: Callable[[], Refusal]) -> Iterator[Path]:
    """The folder, made if missing, for one run at a time. Raises the refusal while another has it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / lock_name).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise refusal() from None
        yield folder


@contextmanager
def clean_environment(settings: Settings) -> Iterator[Application]:
    """A new, empty drill database with its clock at nine o'clock today; one demo at a time in a folder."""
    with only_run(settings.data_dir, "demo.lock", DemoRunsAlready) as folder:
        _wipe(folder)
        with ensure_servers(folder) as servers:
            with application(settings) as fresh, fresh.services.store.begin() as tx:
                mark_drill_database(tx)
                write_service_clock(tx, _nine_o_clock(settings))
            with application(settings) as app:
                # The application has only joined them; who keeps them starts one again that ends.
                yield replace(app, servers=servers)


def keep_settings(settings: Settings, env: Mapping[str, str]) -> None:
    """Writes what the environment `env` of the demo's processes sets and this process's own does not, so that commands
    beside the demo work under its settings.
    """
    own = {name: value for name, value in env.items() if os.environ.get(name) != value}
    write_private(settings.data_dir / DEMO_SETTINGS, json.dumps(own, indent=1))


def _wipe(folder: Path) -> None:
    """Deletes only what a demo has made, in the demo's own folder."""
    erase_servers(folder)
    for name in _OURS:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _nine_o_clock(settings: Settings) -> ClockRow:
    zone = ZoneInfo(settings.centre.timezone)
    nine = datetime.now(zone).replace(hour=9, minute=0, second=0, microsecond=0)
    return ClockRow(anchor_unix=time.time(), epoch=nine.astimezone(UTC), speed=_SLOW)


def set_service_speed(app: Application, *, speed: float) -> None:
    """Sets the speed of the service clock and the carrier's clock; neither jumps. Over SIP the carrier stays at real
    time, as sound does. Raises `Unavailable`.
    """
    assert app.carrier is not None
    unix = time.time()
    with app.services.store.begin() as tx:
        row = read_service_clock(tx)
        assert row is not None
        clock = ScaledClock(anchor_unix=row.anchor_unix, epoch=row.epoch, speed=row.speed)
        changed = clock.at_speed(speed, unix_seconds=unix)
        new = ClockRow(anchor_unix=changed.anchor_unix, epoch=changed.epoch, speed=changed.speed)
        write_service_clock(tx, new)
    if app.settings.carrier.is_sip:
        return
    body = {"anchor_unix": new.anchor_unix, "epoch": new.epoch.isoformat(), "speed": new.speed}
    _ask(app.carrier, "PUT", "/admin/clock", body)


def demo_speed(*, settings_speed: float) -> float:
    """Service seconds in one real second while the list is being called: the setting's unless it is 1."""
    return settings_speed if settings_speed != _SLOW else DEMO_SPEED


_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCounts:
    """Calls as the carrier has counted them since its start."""

    rings: int
    max_rings_per_attempt: int
    most_lines: int
    """The largest number of lines in use at the same time."""


def read_call_counts(access: CarrierAccess) -> CallCounts:
    """The carrier's own count, which no restart of ours can change. Raises `Unavailable`."""
    answer = _ask(access, "GET", "/admin/rings", None)
    return CallCounts(
        rings=answer["rings"],
        max_rings_per_attempt=answer["max_rings_per_attempt"],
        most_lines=answer["peak_lines"],
    )


def is_carrier_up(access: CarrierAccess) -> bool:
    """Whether the carrier answers at this address."""
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
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310 - an address of the demo itself
            found: dict[str, Any] = json.loads(response.read() or b"{}")
    except OSError as fault:
        raise Unavailable(part="carrier", problem=type(fault).__name__) from fault
    return found


_UP_SECONDS = 60.0
_STAFF_SECONDS = 0.25
_WATCH_SECONDS = 0.5
_SETTLED_CHECKS = 3
"""This many checks in a row must find nothing left to do: between two rows of a case, one check may find nothing."""


def summary_json(
    *,
    load: dict[str, Any],
    progress: RobotProgress,
    rings: CallCounts,
    not_called: NotCalled,
    report: dict[str, Any],
    seconds: float,
) -> dict[str, Any]:
    """The JSON of `dialer demo --until-settled --json`."""
    return {
        "load": load,
        "cases": progress.cases,
        "attempts": progress.attempts,
        "rings": rings.rings,
        "not_rung": asdict(not_called),
        "max_rings_per_attempt": rings.max_rings_per_attempt,
        "report": report,
        "seconds": round(seconds, 1),
    }


class ClockDriver:
    """Drives the service clock of a demo over SIP: at real speed while a call is up, fast while none is."""

    def __init__(self, app: Application, *, idle_speed: float) -> None:
        self._app = app
        self._idle_speed = idle_speed
        self._speed = _SLOW
        self._next = 0.0

    def follow(self) -> None:
        """Sets the speed by the carrier's lines in use, which it reads at most twice a second. While the carrier does
        not answer, calls may be up.
        """
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _WATCH_SECONDS
        assert self._app.carrier is not None
        try:
            is_idle = not _ask(self._app.carrier, "GET", "/admin/health", None)["lines_in_use"]
        except Unavailable:
            is_idle = False
        wanted = self._idle_speed if is_idle else _SLOW
        if wanted != self._speed:
            self._speed = wanted
            set_service_speed(self._app, speed=wanted)


def _is_line_up(app: Application) -> bool:
    """Whether calls can be made; over SIP, whether the SIP process is connected and the peer answers."""
    if not app.settings.carrier.is_sip:
        return True
    assert app.carrier is not None
    try:
        trunks = read_trunks(app.carrier).trunks
    except Unavailable:
        return False
    is_connected = all(trunk.problem is None for trunk in trunks)
    return is_connected and ask_options(_LOOPBACK, app.settings.carrier.peer_port) is not None


def wait_until_up(
    app: Application,
    *,
    tend: Callable[[], None],
    stopped: Callable[[], bool],
    within_seconds: float = _UP_SECONDS,
) -> bool:
    """Waits until the carrier, both workers and the line are up; False if `stopped` first. Raises `Unavailable` at a
    timeout.
    """
    assert app.carrier is not None
    deadline = time.monotonic() + within_seconds
    while not stopped():
        if is_carrier_up(app.carrier) and _workers_run(app) and _is_line_up(app):
            return True
        if time.monotonic() > deadline and is_carrier_up(app.carrier) and not _is_line_up(app):
            raise Unavailable(
                part="demo",
                problem=Text(
                    "the SIP process or its peer on UDP port %(port)s of this machine does not answer: start the demo "
                    "again with DIALER_LOG__LEVEL=info to see why",
                    port=app.settings.carrier.peer_port,
                ),
            )
        if time.monotonic() > deadline:
            raise Unavailable(
                part="demo",
                problem=Text(
                    "its processes were not up after %(seconds)s s", seconds=f"{within_seconds:.0f}"
                ),
            )
        tend()
    return False


def _workers_run(app: Application) -> bool:
    real_now = app.services.real.now()
    with app.services.store.begin() as tx:
        return all(worker_runs(tx, queue, real_now=real_now) for queue in (DIAL_QUEUE, BULK_QUEUE))


def write_sample(app: Application) -> Path:
    """Writes the project's own list, with its times relative to the demo's clock; returns its path."""
    path = app.settings.data_dir / "sample.csv"
    path.touch(mode=0o600)
    path.write_bytes(build(app.services.clock.now()))
    return path


class SimulatedStaff(threading.Thread):
    """Simulated callers and officers, who work until `stop` is called."""

    def __init__(self, services: Services) -> None:
        super().__init__(name="staff", daemon=True)
        self._services = services
        self._stopped = threading.Event()

    def run(self) -> None:
        """Does the staff's work again and again until `stop`; errors are printed."""
        desks: Sequence[Member] = ()
        while not self._stopped.wait(_STAFF_SECONDS):
            try:
                desks = desks or open_desks(self._services)
                sit_at_desks(self._services, desks)
                work_once_as_staff(self._services)
            except DialerError as fault:
                sys.stderr.write(f"demo staff: {fault}\n")
            except Exception as fault:  # noqa: BLE001  # one round that fails must not end the staff
                sys.stderr.write(f"demo staff: {type(fault).__name__}\n")

    def stop(self) -> None:
        """Stops the thread; waits up to 5 seconds for the work in hand."""
        self._stopped.set()
        if self.is_alive():
            self.join(timeout=5.0)


class SettledWatch:
    """Watches whether the demo has settled: several checks in a row find nothing left to do."""

    def __init__(self) -> None:
        self._quiet = 0
        self._next = 0.0
        self.progress: RobotProgress | None = None

    def look(self, app: Application) -> bool:
        """Checks twice a second at most. True if several checks in a row have found nothing left to do."""
        if time.monotonic() < self._next:
            return self._quiet >= _SETTLED_CHECKS
        self._next = time.monotonic() + _WATCH_SECONDS
        try:
            with app.services.store.begin() as tx:
                self.progress = read_progress(tx)
        except Unavailable:
            self._quiet = 0
            return False
        self._quiet = self._quiet + 1 if self.progress.is_settled and self.progress.attempts else 0
        return self._quiet >= _SETTLED_CHECKS


def _rings_of_persons(app: Application, carrier: CarrierAccess) -> CallCounts:
    """The carrier's count without calls to people on duty, of which one may ring at any moment."""
    while True:
        before = _rings_on_duty(app, carrier)
        counted = read_call_counts(carrier)
        if before == _rings_on_duty(app, carrier):
            return replace(counted, rings=counted.rings - before)


def _rings_on_duty(app: Application, carrier: CarrierAccess) -> int:
    with app.services.store.begin() as tx:
        calls = calls_to_duty(tx)
    return sum(_ask(carrier, "GET", f"/admin/rings?attempt={call}", None)["rings"] for call in calls)


def demo_summary(
    app: Application, *, load: dict[str, Any], report: dict[str, Any], seconds: float
) -> dict[str, Any]:
    """The result of a settled demo, as JSON."""
    assert app.carrier is not None
    with app.services.store.begin() as tx:
        progress, not_called = read_progress(tx), count_not_called(tx)
    rings = _rings_of_persons(app, app.carrier)
    return summary_json(
        load=load, progress=progress, rings=rings, not_called=not_called, report=report, seconds=seconds
    )


_NAMES: Mapping[Role, str] = {
    Role.CLERK: "演示录入员",
    Role.CALLER: "演示劝阻员",
    Role.OFFICER: "演示民警",
    Role.SUPERVISOR: "演示值班领导",
    Role.ADMINISTRATOR: "演示系统管理员",
    Role.SECURITY_ADMINISTRATOR: "演示安全管理员",
    Role.AUDITOR: "演示审计员",
    Role.ANALYST: "演示分析员",
    Role.TELLER: "演示网点柜员",
}
_EXTENSIONS: Mapping[Role, str] = {Role.CALLER: "8001", Role.SUPERVISOR: "8002"}


def make_accounts(services: Services) -> list[NewPassword]:
    """Adds one account for each role, in a new database with its units; with an extension for roles that
    call people.
    """
    index, _ = read_units_and_aliases(services)
    made = [
        add_staff(
            services,
            unrestricted("demo"),
            login=role.value,
            display_name=_NAMES[role],
            role=role,
            unit_id=find_unit(index, HOME).id if role is Role.OFFICER else None,
            language="zh",
            password=temporary_password(),
        )
        for role in Role
    ]
    for account in made:
        if account.member.role in _EXTENSIONS:
            choose_extension(services, account.member, _EXTENSIONS[account.member.role])
    return made


def make_roster(services: Services, accounts: Sequence[NewPassword]) -> None:
    """Has the demo's officer and duty chief on duty by turns at the officer's station, from the month before until the
    next one.
    """
    index, _ = read_units_and_aliases(services)
    key = (find_unit(index, HOME).id, DutyKind.OFFICER)
    officer, chief = (
        next(account.member.id for account in accounts if account.member.role is role)
        for role in (Role.OFFICER, Role.SUPERVISOR)
    )
    month = services.clock.now().astimezone(services.centre.zone).date().replace(day=1)
    for first in (add_months(month, -1), month, add_months(month, 1)):
        days = tuple(first + timedelta(days=number) for number in range((add_months(first, 1) - first).days))
        entries = tuple(
            DutyEntry(day=day, mark=mark, staff_id=staff_id)
            for day in days
            for mark, staff_id in zip(
                "白夜", (officer, chief) if day.day % 2 else (chief, officer), strict=True
            )
        )
        plan = MonthPlan(month=first, days=days, entries=entries, faults=())
        with services.store.begin() as tx:
            lock_roster(tx, key, last_day=days[-1])
            replace_month(tx, key, plan, first=first)
    members = {account.member.role: account.member for account in accounts}
    _plan_desk(services, key[0], members, first=month)
    _ask_for_swap(services, key, members)
    _set_notifications(services, accounts)
    _order_corrections(services, members)


def draft_demo_plan(app: Application, accounts: Sequence[NewPassword]) -> None:
    """The administrator drafts another plan, with one more try on medium cases: it waits for the supervisor."""
    [by] = (account.member.actor for account in accounts if account.member.role is Role.ADMINISTRATOR)
    plan = plan_of_settings(app.settings)
    more = plan.policy.medium.robot_tries + 1
    text = plan_text(plan)
    start = text.index("[policy.medium]")
    before, after = text[:start], text[start:]
    changed = before + re.sub(r"(?m)^robot_tries = .*$", f"robot_tries = {more}", after, count=1)
    draft_plan(app.services, by, changed, channels=app.message_channels)


def _plan_desk(services: Services, unit_id: int, members: Mapping[Role, Member], *, first: date) -> None:
    """The verification desk by rotation until the end of the next month: two days of the officer, two of the chief."""
    officer, chief = members[Role.OFFICER], members[Role.SUPERVISOR]
    typed = TypedRotation(
        mark="值",
        persons=f"{officer.login}\n{chief.login}",
        first=first.isoformat(),
        last=(add_months(first, 2) - timedelta(days=1)).isoformat(),
        weekdays="1234567",
        each="2",
        weekly=False,
    )
    plan_rotation(services, chief.actor, (unit_id, DutyKind.VERIFICATION_DESK), typed)


def _ask_for_swap(services: Services, key: RosterKey, members: Mapping[Role, Member]) -> None:
    """The officer asks the duty chief to swap the two shifts of a day, and the caller is on leave from tomorrow on."""
    officer, chief = members[Role.OFFICER], members[Role.SUPERVISOR]
    now, day = services.clock.now(), timedelta(days=1)
    on = (now + 3 * day).astimezone(services.centre.zone).date()
    given, back = "白夜" if on.day % 2 else "夜白"
    offer = SwapOffer(
        given=DutyEntry(day=on, mark=given, staff_id=officer.id),
        to_id=chief.id,
        back=DutyEntry(day=on, mark=back, staff_id=chief.id),
    )
    ask_swap(services, officer.actor, key, offer)
    leave = DutyLeave(staff_id=members[Role.CALLER].id, start=now + day, end=now + 3 * day)
    enter_leave(services, chief.actor, leave, reason=LeaveReason.TRAINING, seen=seal_of([]))


def _order_corrections(services: Services, members: Mapping[Role, Member]) -> None:
    """The supervisor orders the officer's station to correct something: one order waits for its signature, and of
    another the answer waits for a decision.
    """
    officer, chief = members[Role.OFFICER], members[Role.SUPERVISOR]
    assert officer.unit_id is not None
    until = (services.clock.now() + timedelta(days=3)).isoformat()
    for text in (
        "上月有三条高危预警超时签收：查明原因，落实交接班提醒",
        "两次见面劝阻没有反馈结果：补报并说明",
    ):
        draft = OrderDraft(unit_id=officer.unit_id, text=text, deadline=until)
        order_id = issue_order(services, chief.actor, draft)
    answer = "已补报。当日出警后未及时填写，已安排内勤每日核对"
    move_order(services, officer.actor, order_id, OrderEvent.ANSWERED, text=answer)


_TELEPHONES = {Role.OFFICER: "13900139001", Role.SUPERVISOR: "13900139002"}
"""Of people on duty, on the simulated line."""


def _set_notifications(services: Services, accounts: Sequence[NewPassword]) -> None:
    """Who is on duty is told on open pages at once, by a text after two minutes and by a call after five."""
    minutes = {channel: f"{after.total_seconds() / 60:g}" for channel, after in DEFAULT_RULES.after.items()}
    for member in (account.member for account in accounts if account.member.role in _TELEPHONES):
        typed = TypedRules(minutes=minutes, telephone=_TELEPHONES[member.role])
        change_rules(services, member.actor, member.id, typed)
