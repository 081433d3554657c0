"""`dialer practice`: a service where staff learn on the real pages, with invented people, beside the real one."""

from __future__ import annotations

import os
import signal
import threading
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from dialer.cli.serve import children, log_child_event
from dialer.core.text import Lang
from dialer.demo.practice import PORT, make_practice_accounts, practice_environment, practice_servers
from dialer.demo.run import is_port_free, wait_until_up
from dialer.language.words import word_of
from dialer.org.accounts import NewPassword
from dialer.runtime.local import public_url
from dialer.runtime.logs import configure_logs
from dialer.runtime.settings import load_settings
from dialer.runtime.supervisor import Supervisor

_TEND_SECONDS = 0.1


def practice_command(
    *,
    callers: Annotated[
        list[str] | None,
        typer.Option("--caller", help="add an account for this caller; may be given several times"),
    ] = None,
    officers: Annotated[
        list[str] | None,
        typer.Option("--officer", help="add an account for this officer; may be given several times"),
    ] = None,
    port: Annotated[
        int,
        typer.Option(
            help="the port of the console; another one is taken while it is in use", min=1, max=65535
        ),
    ] = PORT,
) -> None:
    """Run a service for practice: invented people on the real pages, own servers, keys and folder, nothing real."""
    env = practice_environment(os.environ, port=port)
    settings = load_settings(env)
    configure_logs(level=settings.log.level, log_format=settings.log.format, process="practice")
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stopped.set())
    console = Console(stderr=True)
    with practice_servers(settings) as app:
        made = make_practice_accounts(app.services, callers or [], officers or [])
        supervisor = Supervisor(children(settings, env), log_child_event)

        def tend() -> None:
            supervisor.run_once(seconds=_TEND_SECONDS)
            assert app.servers is not None  # practice has its own
            app.servers.restart_failed()

        try:
            supervisor.start()
            is_up = wait_until_up(app, tend=tend, stopped=stopped.is_set)
            while is_up and is_port_free(settings.web.port) and not stopped.is_set():
                tend()
            if is_up:
                console.print(
                    "[bold]实训 practice[/]：虚构人员，不会拨打任何真实电话 invented people, nobody is called"
                )
                _print_accounts(console, made)
                console.print(
                    f"[bold]正在运行 running:[/] {public_url(settings)}/practice"
                    "   Ctrl-C 停止，数据保留 stops it, data are kept"
                )
            while not stopped.is_set():
                tend()
        finally:
            supervisor.stop()


def _print_accounts(console: Console, made: list[NewPassword]) -> None:
    if not made:
        return
    table = Table("角色 role", "账号 login", "初始密码 first password")
    for account in made:
        role = account.member.role
        table.add_row(
            f"{word_of(role, Lang.ZH)} {word_of(role, Lang.EN)}", account.member.login, account.password
        )
    console.print(table)
