"""`dialer token`: who may use the API."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from dialer.bootstrap import application
from dialer.cli_end import By
from dialer.settings import load_settings
from dialer.usecases.tokens import add_token, list_tokens, revoke_token

token = typer.Typer(help="Tokens of the API.", no_args_is_help=True)


@token.command("add")
def add(
    name: Annotated[str, typer.Argument(help="whose it is, such as the upstream system's name")],
    scope: Annotated[
        list[str], typer.Option(help="warnings:write, cases:read, report:read; may be repeated")
    ],
    days: Annotated[int, typer.Option(help="good for so many days")] = 365,
    unit: Annotated[str, typer.Option(help="its only unit; default: the whole city")] = "",
    by: By = "cli",
) -> None:
    """Make a token. Its secret is printed once, on standard output, and kept nowhere."""
    with application(load_settings()) as app:
        new = add_token(app.engine, name=name, scopes=scope, days=days, unit=unit, by=by)
    typer.echo(new.secret)
    until = new.token.expires_at.date().isoformat()
    typer.echo(f"token {name} is good until {until}; this secret is not shown again", err=True)


@token.command("list")
def list_all(*, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """All tokens, never their secrets."""
    with application(load_settings()) as app:
        found = list_tokens(app.engine)
        now = app.engine.real.now()
    if as_json:
        rows = [
            {
                "name": one.name,
                "scopes": sorted(one.scopes),
                "unit": one.unit,
                "good": one.is_good(real_now=now),
                "created_at": one.created_at.isoformat(),
                "expires_at": one.expires_at.isoformat(),
                "revoked_at": one.revoked_at.isoformat() if one.revoked_at else None,
                "last_used_on": one.last_used_on.isoformat() if one.last_used_on else None,
            }
            for one in found
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    table = Table(
        "名称 name",
        "权限 scopes",
        "属地 unit",
        "有效 good",
        "到期 expires",
        "吊销 revoked",
        "最近使用 last used",
    )
    for one in found:
        table.add_row(
            one.name,
            " ".join(sorted(one.scopes)),
            one.unit,
            "yes" if one.is_good(real_now=now) else "no",
            one.expires_at.date().isoformat(),
            one.revoked_at.date().isoformat() if one.revoked_at else "",
            one.last_used_on.isoformat() if one.last_used_on else "",
        )
    Console().print(table)


@token.command("revoke")
def revoke(name: str, by: By = "cli") -> None:
    """A token is refused from now on, by every process within seconds."""
    with application(load_settings()) as app:
        revoke_token(app.engine, name, by=by)
    typer.echo(f"token {name} revoked")
