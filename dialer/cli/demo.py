"""`dialer demo`: the whole service on a simulated line, with the sample list loaded and called."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text as RichText

from dialer.cli.lists import Loaded, load_file
from dialer.cli.output import AsJson, print_json
from dialer.cli.report import report_view
from dialer.cli.serve import children, log_child_event
from dialer.core.access import Role, unrestricted
from dialer.core.errors import UnusableFile
from dialer.core.text import Lang, Text
from dialer.demo.new_source import send_as_new_source
from dialer.demo.run import (
    ClockDriver,
    DemoLine,
    SettledWatch,
    SimulatedStaff,
    clean_environment,
    demo_environment,
    demo_speed,
    demo_summary,
    draft_demo_plan,
    keep_settings,
    make_accounts,
    make_roster,
    set_service_speed,
    wait_until_up,
    write_sample,
)
from dialer.demo.sample_list import import_demo_units
from dialer.demo.signal_story import SignalStory
from dialer.demo.street import build_street
from dialer.figures.progress import RobotProgress
from dialer.figures.report import make_report
from dialer.figures.report_json import report_out
from dialer.language.words import word_of
from dialer.runtime.local import public_url
from dialer.runtime.logs import configure_logs
from dialer.runtime.services import Application
from dialer.runtime.settings import load_settings
from dialer.runtime.supervisor import Supervisor

_TIMEOUTS = {DemoLine.SIMULATED: 600.0, DemoLine.SIP: 3600.0}
_SIMULATED = "模拟线路，不会拨打任何真实电话 simulated line, no real phone is called"
_SIP = (
    "本机 SIP 中继，对端是模拟人员，不会拨打任何真实电话"
    " SIP on this machine to simulated people, no real phone is called"
)
_NOT_SETTLED = 3
_INTERRUPTED = 130
_TEND_SECONDS = 0.1


def demo_command(
    *,
    until_settled: Annotated[
        bool, typer.Option("--until-settled", help="end when all calls are settled, and print the report")
    ] = False,
    as_json: AsJson = False,
    targets: Annotated[
        Path | None,
        typer.Option("--list", help="a list of your own instead of the sample; no real phone is called"),
    ] = None,
    line: Annotated[
        DemoLine,
        typer.Option(help="sip: calls over SIP with sound, to a peer on this machine; needs the extra sip"),
    ] = DemoLine.SIMULATED,
    timeout: Annotated[
        float | None,
        typer.Option(help="seconds; exit 3 when it is not settled by then; 600, over SIP 3600", min=1),
    ] = None,
) -> None:
    """Run everything with the sample list and simulated people: own servers, keys and folder, nothing real."""
    env = demo_environment(os.environ, ends=until_settled, line=line)
    settings = load_settings(env)
    configure_logs(level=settings.log.level, log_format=settings.log.format, process="demo")
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stopped.set())
    console = Console(stderr=True)
    if targets is not None and not targets.is_file():
        raise UnusableFile(Text("%(file)s: no such file", file=targets.name))
    with clean_environment(settings) as app:
        keep_settings(settings, env)
        supervisor = Supervisor(children(settings, env), log_child_event)
        staff = SimulatedStaff(app.services)
        # A list that the user gives is called alone.
        story = SignalStory(app.services, broker_url=app.celery.conf.broker_url) if targets is None else None
        try:
            supervisor.start()
            code = _play(
                app,
                supervisor,
                staff,
                stopped,
                console,
                targets=targets,
                story=story,
                as_json=as_json,
                timeout=_TIMEOUTS[line] if timeout is None else timeout,
            )
            if code == 0 and not until_settled and not stopped.is_set():
                _print_addresses(console, public_url(settings), line)
                if story is not None:
                    story.start()
                while not stopped.is_set():
                    _tend(app, supervisor)
        finally:
            if story is not None:
                story.stop()
            staff.stop()
            supervisor.stop()
    raise typer.Exit(_INTERRUPTED if stopped.is_set() and until_settled and code else code)


def _tend(app: Application, supervisor: Supervisor) -> None:
    supervisor.run_once(seconds=_TEND_SECONDS)
    assert app.servers is not None  # the demo has its own
    app.servers.restart_failed()


def _print_addresses(console: Console, url: str, line: DemoLine) -> None:
    console.print(f"[bold]仍在运行 still running:[/] {url}/   Ctrl-C 结束 ends everything")
    if line is DemoLine.SIMULATED:
        console.print(f"接听电话 a phone you can pick up: {url}/phone")


def _play(
    app: Application,
    supervisor: Supervisor,
    staff: SimulatedStaff,
    stopped: threading.Event,
    console: Console,
    *,
    targets: Path | None,
    story: SignalStory | None,
    as_json: bool,
    timeout: float,
) -> int:
    started = time.monotonic()

    def tend() -> None:
        _tend(app, supervisor)

    is_sip = app.settings.carrier.is_sip
    console.print(f"[bold]演练 drill[/]：{_SIP if is_sip else _SIMULATED}")
    if not wait_until_up(app, tend=tend, stopped=stopped.is_set):
        return _INTERRUPTED
    import_demo_units(app.services)
    _print_accounts(app, console)
    build_street(app.services, teller=Role.TELLER.value)
    loaded = _load_while_tending(app, targets or write_sample(app), tend)
    if story is not None:
        sent = story.send_opening()
        console.print(f"预警机器人 warning robot: {sent} 条信号 signals   {public_url(app.settings)}/robot")
        waiting = send_as_new_source(app.services)
        console.print(
            f"来源管理 sources: {waiting} 条预警待放行 warnings wait   {public_url(app.settings)}/sources"
        )
    speed = demo_speed(settings_speed=app.settings.clock.speed)
    clock = ClockDriver(app, idle_speed=speed) if is_sip else None
    if clock is None:
        set_service_speed(app, speed=speed)
    staff.start()
    watch = SettledWatch()
    settled = False
    with Live(RichText(""), console=console, refresh_per_second=4, transient=True) as live:
        while not stopped.is_set() and time.monotonic() - started < timeout:
            tend()
            settled = watch.look(app) and (story is None or story.is_evaluated())
            if clock is not None:
                clock.follow()
            if watch.progress is not None:
                live.update(_progress_line(app, watch.progress))
            if settled:
                break
    if stopped.is_set():
        return _INTERRUPTED
    set_service_speed(app, speed=1.0)
    report = make_report(app.services)
    figures = report_out(report, ()).plain()
    del figures["trials"]
    if as_json:
        seconds = time.monotonic() - started
        print_json(demo_summary(app, load=loaded.plain(), report=figures, seconds=seconds))
    else:
        Console().print(report_view(report, Lang.ZH))
    return 0 if settled else _NOT_SETTLED


def _print_accounts(app: Application, console: Console) -> None:
    """The address of the console, and an account for each role with a password of this run."""
    table = Table(
        "角色 role", "账号 login", "密码 password", title=f"控制台 console: {public_url(app.settings)}/"
    )
    accounts = make_accounts(app.services)
    make_roster(app.services, accounts)
    draft_demo_plan(app, accounts)
    for account in accounts:
        role = account.member.role
        table.add_row(
            f"{word_of(role, Lang.ZH)} {word_of(role, Lang.EN)}", account.member.login, account.password
        )
    console.print(table)
    console.print(
        "演示不要求第二重验证，正式运行默认要求 no second factor is asked for here; in a real service it is"
    )


def _load_while_tending(app: Application, sample: Path, tend: Callable[[], None]) -> Loaded:
    """Loads the list while the child processes are supervised."""
    with ThreadPoolExecutor(1, thread_name_prefix="load") as pool:
        loading = pool.submit(load_file, app, unrestricted("demo"), sample, source="", progress=False)
        while not loading.done():
            tend()
    return loading.result()


def _progress_line(app: Application, p: RobotProgress) -> RichText:
    now = app.services.clock.now().astimezone(app.services.centre.zone)
    cases = "  ".join(f"{name} {n}" for name, n in sorted(p.cases.items()))
    return RichText(
        f"{now:%H:%M:%S}  拨打 called {p.rung}/{p.attempts}  通话 live {p.live}  机器人待办 robot {p.robots}"
        f"  人工待办 work {p.waiting_work}  |  {cases}"
    )
