"""`dialer staff`: accounts of the console, from the terminal."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from dialer.bootstrap import application
from dialer.cli_end import By
from dialer.domain.access import Role
from dialer.language import Lang
from dialer.settings import load_settings
from dialer.store.staff import Member
from dialer.usecases.manage_staff import (
    NewPassword,
    add_staff,
    disable_staff,
    enable_staff,
    end_sessions,
    list_sessions,
    list_staff,
    reset_password,
)
from dialer.words import word

staff = typer.Typer(help="Accounts of the console.", no_args_is_help=True)

Login = Annotated[str, typer.Argument(help="the account's login")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on standard output")]


@staff.command("add")
def add(
    login: Annotated[str, typer.Argument(help="small letters, digits, '.', '_', '-'")],
    name: Annotated[str, typer.Option(help="the person's name")],
    role: Annotated[Role, typer.Option(help="what the person is here for")],
    unit: Annotated[
        int | None, typer.Option(help="number of the own unit; default: the whole centre")
    ] = None,
    language: Annotated[str, typer.Option(help="zh or en")] = "zh",
    by: By = "cli",
) -> None:
    """Make an account. Its first password is printed once, and is changed at the first sign-in."""
    with application(load_settings()) as app:
        new = add_staff(
            app.engine, login=login, display_name=name, role=role, unit_id=unit, language=language, by=by
        )
    _tell_password(new)


@staff.command("list")
def list_all(*, as_json: AsJson = False) -> None:
    """All accounts."""
    with application(load_settings()) as app:
        found = list_staff(app.engine)
        real_now, zone = app.engine.real.now(), ZoneInfo(app.settings.centre.timezone)
    if as_json:
        typer.echo(json.dumps([_plain(one, real_now) for one in found], ensure_ascii=False))
        return
    table = Table("账号 login", "姓名 name", "角色 role", "单位 unit", "状态 state", "最近登录 last sign-in")
    for one in found:
        seen = one.signed_in_at.astimezone(zone).strftime("%Y-%m-%d %H:%M") if one.signed_in_at else ""
        unit = "" if one.unit_id is None else str(one.unit_id)
        table.add_row(one.login, one.display_name, word(one.role, Lang.ZH), unit, _state(one, real_now), seen)
    Console().print(table)


@staff.command("disable")
def disable(login: Login, by: By = "cli") -> None:
    """An account opens nothing any more; its sessions end at once."""
    with application(load_settings()) as app:
        disable_staff(app.engine, login, by=by)
    typer.echo(f"{login} is disabled")


@staff.command("enable")
def enable(login: Login, by: By = "cli") -> None:
    """A disabled account opens again."""
    with application(load_settings()) as app:
        enable_staff(app.engine, login, by=by)
    typer.echo(f"{login} is enabled")


@staff.command("reset")
def reset(login: Login, by: By = "cli") -> None:
    """A new password, printed once; locks are gone, sessions end."""
    with application(load_settings()) as app:
        new = reset_password(app.engine, login, by=by)
    _tell_password(new)


@staff.command("sessions")
def sessions(
    login: Annotated[str | None, typer.Argument(help="of one account; default: of everybody")] = None,
    *,
    end: Annotated[bool, typer.Option("--end", help="end all sessions of this account")] = False,
    as_json: AsJson = False,
    by: By = "cli",
) -> None:
    """Who is signed in now, and from where."""
    with application(load_settings()) as app:
        if end:
            if login is None:
                raise typer.BadParameter("--end needs a login")
            typer.echo(f"{end_sessions(app.engine, login, by=by)} sessions of {login} ended")
            return
        found = list_sessions(app.engine, app.settings.console.rules(), login)
    if as_json:
        rows = [
            {
                "login": one.login,
                "address": one.address,
                "created_at": one.created_at.isoformat(),
                "seen_at": one.seen_at.isoformat(),
            }
            for one in found
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    table = Table("账号 login", "地址 address", "登录于 since", "最近使用 last used")
    for one in found:
        table.add_row(
            one.login, one.address, one.created_at.isoformat("minutes"), one.seen_at.isoformat("minutes")
        )
    Console().print(table)


def _tell_password(new: NewPassword) -> None:
    typer.echo(new.password)
    typer.echo(f"the first password of {new.member.login}; it is not shown again", err=True)


def _plain(one: Member, real_now: datetime) -> dict[str, object]:
    return {
        "login": one.login,
        "name": one.display_name,
        "role": one.role.value,
        "unit_id": one.unit_id,
        "state": _state(one, real_now),
        "signed_in_at": one.signed_in_at.isoformat() if one.signed_in_at else None,
    }


def _state(one: Member, real_now: datetime) -> str:
    if one.disabled_at is not None:
        return "disabled"
    if one.is_locked(real_now=real_now):
        return "locked"
    return "new" if one.must_change else "good"
