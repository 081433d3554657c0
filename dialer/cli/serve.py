"""Commands that run processes: web, worker, scheduler, carrier, and `up`, which supervises all of them.

Each command imports only what it runs: all of it together would take three times the memory of an idle service.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dialer.cli.common import run_command
from dialer.core.errors import SettingsError
from dialer.runtime.local import console_url, database_url, own_carrier, own_servers, public_url
from dialer.runtime.logs import configure_logs
from dialer.runtime.processes import fill_standard, freeze_startup_objects, output_of
from dialer.runtime.settings import Settings, load_settings
from dialer.runtime.supervisor import Child, ChildEvent, ChildEventKind, Supervisor

if TYPE_CHECKING:
    from dialer.runtime.services import Application

_AHEAD = (
    "celery.worker.consumer",
    "kombu.transport.redis",
    "dialer.bootstrap",
    "carrier.server",
    "dialer.scheduler",
    "dialer.signals.robot",
    "dialer.signals.stream",
    "dialer.tasks.bulk_work",
    "dialer.tasks.dial_work",
    "dialer.tasks.worker",
    "dialer.server.process",
)
_LINE_SPARE = 2.0
_DESK_LINES = 4
"""Lines beyond those for persons: each hand-over takes one."""
_HOLD_SECONDS = 5.0
"""How often `up` makes sure that it still holds the database."""
ATTEMPT_IN_URL = r"/hooks/[a-z]+/([0-9a-f-]{36})"

serve = typer.Typer()
_log = logging.getLogger("dialer.up")


def settings_of(process: str) -> Settings:
    """The settings of a long-running process, whose logs are configured by this."""
    settings = load_settings()
    configure_logs(level=settings.log.level, log_format=settings.log.format, process=process)
    return settings


@contextmanager
def process(name: str) -> Iterator[Application]:
    """The application of a long-running process, whose logs are configured by this."""
    settings = settings_of(name)
    from dialer.bootstrap import application
    from dialer.runtime.services import ProcessPurpose

    with application(settings, ProcessPurpose.SERVE, process=name) as app:
        yield app


@serve.command()
def web() -> None:
    """Serve the console, the API and the webhooks."""
    from dialer.server.process import run_web

    with process("web") as app:
        run_web(app)


@serve.command()
def worker(
    queues: Annotated[str, typer.Option(help="which work: dial, bulk, or both")] = "dial,bulk",
) -> None:
    """Run a worker: dial, load lists, export."""
    from dialer.tasks.worker import run_worker

    with process("worker") as app:
        if not app.settings.is_simulated():
            keep_apart(app)
        if app.settings.policy.window.any_hour:
            _log.warning("policy.window.any_hour is true: robots call at any hour, at night too")
        run_worker(app, queues=queues.split(","))


@serve.command()
def scheduler() -> None:
    """Send the ticks; several may run, one leads."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    from dialer.scheduler import run_scheduler

    with process("scheduler") as app:
        run_scheduler(app, stopped=stopped)


@serve.command()
def robot() -> None:
    """Run the warning robot: evaluate signals; several may run and share the work."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    from dialer.signals.robot import WarningRobot
    from dialer.signals.stream import reading_stream

    with (
        process("robot") as app,
        reading_stream(app.services, url=app.celery.conf.broker_url, stopped=stopped),
    ):
        WarningRobot(app.services, stopped).run()


@serve.command()
def carrier() -> None:
    """Run our own carrier, on the simulated line, which reaches no real phone, or on trunks (`carrier.line`)."""
    fill_standard()
    settings = settings_of("carrier")
    access = own_carrier(settings)
    if access is None:
        raise SettingsError(
            key="telephony.base_url", problem="is set, so the telephone network is not ours to run"
        )
    clock = _prepared()
    from carrier.config import CarrierConfig, ServiceClock
    from carrier.lines.sip.announcements import AnnouncementListener
    from carrier.lines.sip.line import SipLine
    from carrier.server import run as run_carrier
    from carrier.whisper import WhisperRecogniser, is_installed
    from dialer.telephony.config import HookUrls

    desk = settings.telephony.officer_number
    recogniser = WhisperRecogniser() if settings.carrier.hearing == "auto" and is_installed() else None
    urls = HookUrls(public_url(settings))
    run_carrier(
        CarrierConfig(
            account_sid=access.account_sid,
            auth_token=access.auth_token,
            admin_token=access.admin_token,
            state_dir=settings.data_dir / "carrier",
            port=access.port,
            seed=settings.carrier.seed,
            # Sound takes its real time, whatever the clock of a drill.
            clock=ServiceClock()
            if clock is None or settings.carrier.is_sip
            else ServiceClock(
                anchor_unix=clock["anchor_unix"],
                epoch=datetime.fromisoformat(clock["epoch"]),
                speed=clock["speed"],
            ),
            people=settings.carrier.people_config(),
            attempt_pattern=ATTEMPT_IN_URL,
            desk_numbers=(desk,) if desk else (),
            recogniser=recogniser,
            # More than we place: our own pacing is the limit, the line's cap only catches its failure.
            calls_per_second=settings.telephony.calls_per_second * _LINE_SPARE,
            max_lines=settings.telephony.lines + _DESK_LINES,
            inbound_url=urls.inbound("voice"),
            inbound_fallback=urls.inbound("fallback"),
            inbound_status=urls.inbound("status"),
            inbound_number=settings.telephony.caller_number,
            has_messages=settings.carrier.line != "sip",
        ),
        make_line=None
        if not settings.carrier.is_sip
        else lambda timers: SipLine(
            timers,
            trunks=settings.carrier.trunks(number=settings.telephony.caller_number),
            desk_numbers=settings.numbers.allowed(duty_line=desk).listed,
            listener=AnnouncementListener(recogniser) if recogniser is not None else None,
        ),
    )


@serve.command()
def sip() -> None:
    """Run the SIP process of the centre's own trunks; it needs the carrier beside it, and the extra `sip`."""
    settings = settings_of("sip")
    access = own_carrier(settings)
    if access is None or not settings.carrier.is_sip:
        raise SettingsError(key="carrier.line", problem="is not sip, so there are no trunks to run")
    from carrier.lines.sip.stack import run as run_stack
    from carrier.lines.sip.stack_config import SipConfig, is_installed

    if not is_installed():
        raise SettingsError(
            key="carrier.line",
            problem="is sip, and the extra `sip` is not installed: pip install 'dialer[sip]'",
        )
    given = settings.carrier.sip
    run_stack(
        SipConfig(
            carrier_url=access.base_url,
            admin_token=access.admin_token,
            trunks=settings.carrier.trunks(number=settings.telephony.caller_number),
            listen=given.listen,
            interface=given.interface,
            rtp_ports=given.rtp_ports,
            ca_file=str(given.ca_file or ""),
            certificate_file=str(given.certificate_file or ""),
            silent_seconds=given.silent_seconds,
            progress_seconds=given.progress_seconds,
            hold_seconds=given.hold_seconds,
        )
    )


@serve.command(hidden=True)
def peer() -> None:
    """Run the simulated people of the line `peer`: the far end of a SIP trunk, on this machine alone."""
    settings = settings_of("peer")
    if settings.carrier.line != "peer":
        raise SettingsError(key="carrier.line", problem="is not peer, so nobody is behind a trunk here")
    from carrier.lines.sip.peer import PeerConfig, greetings
    from carrier.lines.sip.peer import run as run_peer

    desk = settings.telephony.officer_number
    short, long = greetings()
    run_peer(
        PeerConfig(
            port=settings.carrier.peer_port,
            service_port=int(settings.carrier.sip.listen.rpartition(":")[2]),
            people=settings.carrier.people_config(),
            seed=settings.carrier.seed,
            desk_numbers=(desk,) if desk else (),
            greeting=short,
            long_greeting=long,
        )
    )


@serve.command(hidden=True)
def prepare(
    *,
    first_link: Annotated[bool, typer.Option("--first-link")] = False,
    holder: Annotated[str, typer.Option("--holder")] = "",
) -> None:
    """Prepare the database for dialling and print its clock as JSON, for processes that read nothing else of it. A
    `holder` holds the database for its `dialer up`.
    """
    with process("prepare") as app:
        if holder:
            from dialer.db.leases import ServiceHold

            ServiceHold(app.services.store.url, holder=holder).take()
        keep_apart(app)
        if first_link:
            print_first_link(app)
        from dialer.db import system_state

        with app.services.store.begin() as tx:
            row = system_state.read_service_clock(tx)
    clock = row and {"anchor_unix": row.anchor_unix, "epoch": row.epoch.isoformat(), "speed": row.speed}
    typer.echo(json.dumps(clock))


def _prepared(*options: str) -> dict[str, Any] | None:
    """The output of `prepare`, run in its own process so that its memory is freed. Its failure ends this process."""
    argv = _argv("prepare", *options)
    code, said = output_of(partial(_run_here, argv), argv=argv, env=dict(os.environ))
    if code:
        raise typer.Exit(code)
    clock: dict[str, Any] | None = json.loads(said)
    return clock


def _argv(*command: str) -> list[str]:
    return [sys.executable, "-m", "dialer", *command]


def _run_here(argv: Sequence[str]) -> None:
    """Runs one of our own command lines in this process."""
    run_command(serve, argv[len(_argv()) :])


def children(settings: Settings, env: dict[str, str]) -> list[Child]:
    """The processes of a whole service, in the order in which they start."""

    def child(name: str, *command: str, grace: float = 10.0) -> Child:
        return Child(name=name, argv=_argv(*command), env=env, stop_grace_seconds=grace)

    wanted = [
        child("web", "web"),
        child("worker-dial", "worker", "--queues", "dial", grace=20.0),
        child("worker-bulk", "worker", "--queues", "bulk", grace=20.0),
        child("scheduler", "scheduler"),
        child("robot", "robot"),
    ]
    if own_carrier(settings) is not None:
        wanted.insert(0, child("carrier", "carrier"))
        if settings.carrier.is_sip:
            wanted.append(child("sip", "sip"))
        if settings.carrier.line == "peer":
            wanted.append(child("peer", "peer"))
    return wanted


def log_child_event(event: ChildEvent) -> None:
    """Logs one line for an event of a child process."""
    if event.what is ChildEventKind.DIED:
        _log.warning(
            "%s died (code %s), restart in %.1f s", event.name, event.code, event.retry_seconds or 0.0
        )
    elif event.what is ChildEventKind.NOT_STARTED:
        _log.error("%s cannot be started, next try in %.1f s", event.name, event.retry_seconds or 0.0)
    else:
        _log.info("%s %s", event.name, event.what.value)


def keep_apart(app: Application) -> None:
    """Keeps simulated calls apart from real ones: on our own line the database becomes a drill, and a real line refuses
    a drill. A scaled clock is started here, once, and only on the simulated line. Raises `SettingsError`.
    """
    speed = app.settings.clock.speed
    if speed != 1 and (app.settings.carrier.is_sip or not app.settings.is_simulated()):
        raise SettingsError(key="clock.speed", problem="is not 1, and a real line keeps real time")
    if not app.settings.is_simulated():
        from dialer.bootstrap import refuse_other_line

        with app.services.store.begin() as tx:
            refuse_other_line(tx, is_simulated=False)
        return
    from dialer.db import system_state

    with app.services.store.begin() as tx:
        became = system_state.become_drill_database(tx)
        if speed != 1 and system_state.read_service_clock(tx) is None:
            now = app.services.real.now()
            clock = system_state.ClockRow(anchor_unix=now.timestamp(), epoch=now, speed=speed)
            system_state.write_service_clock(tx, clock)
    if became:
        _log.warning("simulated line: everything in this database is a drill from now on")


def print_first_link(app: Application) -> None:
    """Prints the link for the first administrator on standard error, while no account exists."""
    from dialer.org.accounts import make_first_link

    seconds = app.settings.console.first_link_seconds
    token = make_first_link(app.services, seconds=seconds)
    if token is not None:
        hours = round(seconds / 3600)
        link = f"{console_url(app.settings)}/first/{token}"
        typer.echo(f"首个管理员 first administrator, within {hours} h, once: {link}", err=True)


def _import_ahead() -> None:
    """Imports what the child processes need, so that they share it as copies of this process, which has one thread and
    only supervises them.
    """
    for name in _AHEAD:
        importlib.import_module(name)
    from dialer.server.application import declarations

    declarations()
    freeze_startup_objects()


@serve.command()
def up() -> None:
    """Run the whole service: web, workers, scheduler, and the embedded servers and carrier where none is set."""
    fill_standard()
    settings = settings_of("up")
    with own_servers(settings) or nullcontext() as servers:
        _import_ahead()
        kept = [
            replace(child, run=partial(_run_here, child.argv))
            for child in children(settings, dict(os.environ))
        ]
        with _hold(database_url(settings, servers)) as keep:
            supervisor = Supervisor(kept, log_child_event)
            supervisor.start()
            typer.echo(f"dialer: {public_url(settings)}/  (Ctrl-C stops everything)", err=True)

            def each_round() -> None:
                keep()
                if servers is not None:
                    servers.restart_failed()

            supervisor.run_forever(each_round)


@contextmanager
def _hold(url: str) -> Iterator[Callable[[], None]]:
    """Takes the lease of `dialer up` on this database, so that no other one runs on it. Yields a function that renews
    the lease, to be called again and again. Raises `ServiceRuns`.
    """
    from dialer.db.leases import ServiceHold, process_name

    holder = process_name()
    hold = ServiceHold(url, holder=holder)
    checked_at = time.monotonic()

    def keep() -> None:
        nonlocal checked_at
        if time.monotonic() - checked_at >= _HOLD_SECONDS:
            checked_at = time.monotonic()
            hold.keep()

    # Its process also brings the database to this version, so it takes the lease there.
    _prepared("--first-link", "--holder", holder)
    try:
        hold.take()
        yield keep
    finally:
        hold.release()
