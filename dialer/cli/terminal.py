"""Who is at a terminal: `dialer sign-in` and `dialer sign-out`, and which account signs what is done there."""

from __future__ import annotations

import os
import pwd
import socket
import stat
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer

from dialer.bootstrap import application
from dialer.core.access import (
    FIRST_AT_TERMINAL,
    OF_PERSONS,
    TERMINAL,
    TERMINAL_NAME,
    Actor,
    Permission,
    is_same_actor,
)
from dialer.core.errors import Invalid, Refusal
from dialer.core.text import Text, gettext_noop
from dialer.db.migrations import newest_revision
from dialer.db.system_state import recorded_terminal_accounts
from dialer.org.factors import finish_with_code
from dialer.runtime.local import settings_of_data
from dialer.runtime.logs import configure_logs
from dialer.runtime.services import Application, ProcessPurpose
from dialer.runtime.settings import Settings, load_settings
from dialer.staff.sign_in import FactorNeeded, SignedIn, recognise, sign_in, sign_out
from dialer.staff.store import Member, find_actor, find_member, is_staff_empty

_FILE: Final = ".dialer-session"
"""Of the home folder: the session of this user of the machine."""
_ONLY_OWN: Final = stat.S_IRWXG | stat.S_IRWXO


class NotSignedIn(Refusal):
    """The account that was named is not the one that is signed in at this terminal."""

    def __init__(self, login: str) -> None:
        super().__init__(
            Text(
                "who does this must be known, and nobody is signed in here as %(login)s: run `dialer sign-in %(login)s`"
                " first, or do it in the console",
                login=login,
            )
            if login != TERMINAL_NAME
            else Text(
                "who does this must be known, and nobody is signed in here: run `dialer sign-in` with your login first,"
                " or do it in the console"
            )
        )


def terminal_name() -> str:
    """This terminal in the audit: the user of the machine, the machine, and the terminal if there is one."""
    line = ""
    with suppress(OSError):
        line = os.ttyname(sys.stdin.fileno()).removeprefix("/dev/")
    return f"{machine_user()}@{socket.gethostname()} {line}".rstrip()


def command_actor(app: Application, login: str, *rights: Permission, must_be_known: bool = False) -> Actor:
    """Who gives the command: the account with this login, in upper or lower case; for `cli` the account that is signed
    in here, or the terminal itself, which makes the first account. An account that is only named signs nothing: the
    terminal acts, with what of its rights needs nobody to be known, and with `must_be_known` with none.
    Raises `Invalid` for anything else, such as the name that an account shows, and for a disabled account;
    `NotPermitted` for an actor with none of these `rights`, if there are any, and `NotSignedIn` for one that would have
    them if it was signed in.
    """
    # On the schema of another version, whose sessions may be of another kind, whoever pauses is only named.
    is_readable = app.services.schema == newest_revision()
    known = _known_here(app) if is_readable else None
    is_unnamed = login.strip() == TERMINAL_NAME
    with app.services.store.begin() as tx:
        found = find_actor(tx, login.strip().casefold())
        is_first = found is None and is_staff_empty(tx)
    if is_first and is_unnamed:
        if rights:
            FIRST_AT_TERMINAL.check_may(*rights)
        return replace(FIRST_AT_TERMINAL, terminal=terminal_name())
    if found is None and is_unnamed:
        actor = TERMINAL if known is None else known.actor
    elif found is None:
        problem = gettext_noop("is not the login of an enabled account")
        raise Invalid(field="by", problem=problem, fix=gettext_noop("`dialer staff list` lists the logins"))
    else:
        actor = found
    of_persons = OF_PERSONS.union(rights) if must_be_known and is_readable else OF_PERSONS
    if actor == TERMINAL and rights and of_persons.issuperset(rights):
        raise NotSignedIn(actor.name)
    if rights:
        actor.check_may(*rights)
    if known is None or not is_same_actor(known.login, actor.name):
        if rights and actor.rights.intersection(rights) <= of_persons:
            raise NotSignedIn(actor.name)
        named = "" if actor.name == TERMINAL_NAME else actor.name
        actor = replace(actor, name=TERMINAL_NAME, named=named, rights=actor.rights - of_persons)
    return replace(actor, terminal=terminal_name())


def _known_here(app: Application) -> Member | None:
    """The account that is signed in at this terminal, or the one that the user of the machine has: as the database
    records it, since anybody gives a command other settings, and as the settings say until the service has started.
    """
    with suppress(OSError):
        found = recognise(app.services, _session_file().read_text(encoding="ascii").strip())
        if found is not None:
            return found[1]
    with app.services.store.begin() as tx:
        mapped = recorded_terminal_accounts(tx)
        if mapped is None:
            mapped = dict(pair.split("=", 1) for pair in app.settings.console.terminal_accounts)
        login = mapped.get(machine_user(), "")
        member = find_member(tx, login.casefold()) if login else None
    return None if member is None or member.disabled_at is not None else member


def machine_user() -> str:
    """The user of the machine; with sudo the one who gave the command."""
    behind = os.environ.get("SUDO_USER", "") if os.geteuid() == 0 else ""
    with suppress(KeyError):
        return behind or pwd.getpwuid(os.geteuid()).pw_name
    return str(os.geteuid())


def _session_file() -> Path:
    """Where the session of this user is kept. Raises `OSError` if others may read it."""
    path = Path.home() / _FILE
    if path.exists() and path.stat().st_mode & _ONLY_OWN:
        raise PermissionError(path)
    return path


def command_settings() -> Settings:
    """The settings of a command that works on data; says on the error output where these are the demo's."""
    settings = load_settings()
    found = settings_of_data(settings)
    if found is not settings:
        typer.echo(f"演示数据 the data of the demo: {found.data_dir}", err=True)
    return found


terminal = typer.Typer()


@terminal.command("sign-in")
def sign_in_command(login: Annotated[str, typer.Argument(help="login of your account")]) -> None:
    """登录终端: what you do at this terminal is signed by your account; it ends as a session of the console does."""
    settings = command_settings()
    configure_logs(level="warning", log_format=settings.log.format, process="sign-in")
    # Also where the database belongs to other settings: who adopts them must be known.
    with application(settings, ProcessPurpose.ADOPT) as app:
        password = typer.prompt("密码 password", hide_input=True)
        entered = sign_in(app.services, login=login, password=password, address=terminal_name())
        if isinstance(entered, FactorNeeded):
            code = typer.prompt("验证码或恢复码 code of the app, or a recovery code", hide_input=True)
            entered = finish_with_code(app.services, token=entered.token, code=code, address=terminal_name())
        else:
            _check_factor(app, entered)
        if entered.member.must_change:
            _end(app, entered)
            raise Refusal("this password was given out: choose your own in the console first")
        _keep(entered)
    typer.echo(f"已登录 {entered.member.login} signed in")


@terminal.command("sign-out")
def sign_out_command() -> None:
    """退出终端: ends the session of this terminal."""
    settings = command_settings()
    configure_logs(level="warning", log_format=settings.log.format, process="sign-out")
    path = _session_file()
    if path.exists():
        with application(settings, ProcessPurpose.COMMAND) as app:
            found = recognise(app.services, path.read_text(encoding="ascii").strip(), even_idle=True)
            if found is not None:
                sign_out(app.services, replace(found[1].actor, terminal=terminal_name()), found[0])
        path.unlink(missing_ok=True)
    typer.echo("已退出 signed out")


def _check_factor(app: Application, entered: SignedIn) -> None:
    """Ends the session of an account whose second factor is overdue, with a `Refusal`; says until when it may wait."""
    real_now = app.services.real.now()
    since = entered.member.factor_missing_at or real_now
    due = app.services.sessions.factor_due(entered.member.role, since=since)
    if due is None:
        return
    if real_now >= due:
        _end(app, entered)
        raise Refusal("this account needs a second factor: set it up in the console first")
    local = due.astimezone(app.services.centre.zone)
    typer.echo(
        f"尚未设置第二重验证，请在控制台设置 no second factor yet: set one up in the console by {local:%Y-%m-%d %H:%M}",
        err=True,
    )


def _keep(entered: SignedIn) -> None:
    path = _session_file()
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(entered.token)


def _end(app: Application, entered: SignedIn) -> None:
    found = recognise(app.services, entered.token)
    if found is not None:
        sign_out(app.services, entered.member.actor, found[0])
