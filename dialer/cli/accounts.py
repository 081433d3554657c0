"""`dialer staff`, `dialer token` and `dialer units`: accounts, tokens of the API, the organisation tree."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from dialer.cases.unassigned import unassigned_groups
from dialer.cli.common import By, file_named_in_errors
from dialer.cli.output import (
    AsJson,
    centre_time,
    command_application,
    fields_of,
    print_found,
    print_json,
    signed_application,
)
from dialer.core.access import Permission, Role, StaffChangeKind
from dialer.core.errors import Invalid, Refusal
from dialer.core.text import Lang, Text
from dialer.core.units import find_unit
from dialer.language.words import bilingual, word_of
from dialer.org.account_changes import ask_new_account, ask_reset_or_enable, change_alone
from dialer.org.accounts import NewPassword, disable_staff, end_sessions, list_sessions, make_first_link
from dialer.org.tokens import ask_token
from dialer.org.tree import UnusableUnits, import_units, load_boundaries, read_units_and_aliases
from dialer.org.unassigned import assign_unit, forget_alias, teach_alias
from dialer.runtime.local import console_url
from dialer.staff import sign_in as org_staff
from dialer.staff.store import Member, all_members
from dialer.staff.token_store import TokenScope

staff = typer.Typer(help="Accounts of the console.", no_args_is_help=True)

Login = Annotated[str, typer.Argument(help="the account's login")]
Why = Annotated[str, typer.Option(help="the reason, which who confirms it reads")]
Alone = Annotated[
    bool, typer.Option("--alone", help="at once, with an alarm, if there is nobody to confirm it")
]


@staff.command("add")
def add_account(
    login: Annotated[str, typer.Argument(help="small letters, digits, '.', '_', '-'")],
    name: Annotated[str, typer.Option(help="the person's name")],
    role: Annotated[Role, typer.Option(help="what the person is here for")],
    unit: Annotated[
        int | None, typer.Option(help="number of the own unit; default: the whole centre")
    ] = None,
    language: Annotated[str, typer.Option(help="zh or en")] = "zh",
    why: Why = "",
    by: By = "cli",
    *,
    alone: Alone = False,
) -> None:
    """Ask for an account: a security administrator confirms it in the console and sees its first password. A clerk's,
    and the first ones, are made at once; the password is printed once and must be changed at the first sign-in.
    """
    with signed_application("accounts", by, Permission.MANAGE_STAFF) as (app, actor):
        new = ask_new_account(
            app.services,
            actor,
            login=login,
            display_name=name,
            role=role,
            unit_id=unit,
            language=language,
            why=why,
            alone=alone,
        )
    if new is None:
        _print_waits(login)
    else:
        _print_password(new)


@staff.command("first-link")
def first_link(*, as_json: AsJson = False) -> None:
    """首个管理员链接: the link by which the first administrator makes an account; earlier ones stop working."""
    with command_application("accounts") as app:
        seconds = app.settings.console.first_link_seconds
        token = make_first_link(app.services, seconds=seconds)
        expires_at = app.services.real.now() + timedelta(seconds=seconds)
    if token is None:
        raise Refusal("there are accounts already: `dialer staff list`")
    link = f"{console_url(app.settings)}/first/{token}"
    if as_json:
        print_json({"link": link, "expires_at": expires_at})
        return
    typer.echo(link)


@staff.command("list")
def list_accounts(*, as_json: AsJson = False) -> None:
    """All accounts."""
    with command_application("accounts") as app:
        with app.services.store.begin() as tx:
            found = all_members(tx)
        real_now = app.services.real.now()
    print_found(
        found,
        as_json=as_json,
        plain=lambda member: (
            fields_of(member, "login", "role", "unit_id", "signed_in_at")
            | {"name": member.display_name, "state": _state(member, real_now)}
        ),
        columns={
            "账号 login": lambda member: member.login,
            "姓名 name": lambda member: member.display_name,
            "角色 role": lambda member: word_of(member.role, Lang.ZH),
            "单位 unit": lambda member: member.unit_id or "",
            "状态 state": lambda member: _STATES[_state(member, real_now)],
            "最近登录 last sign-in": lambda member: (
                centre_time(member.signed_in_at, app) if member.signed_in_at else ""
            ),
        },
    )


@staff.command("disable")
def disable(login: Login, by: By = "cli") -> None:
    """Disable an account; its sessions end at once."""
    with signed_application("accounts", by, Permission.MANAGE_STAFF) as (app, actor):
        disable_staff(app.services, actor, login)
    typer.echo(f"{login} is disabled")


@staff.command("enable")
def enable(login: Login, why: Why = "", by: By = "cli", *, alone: Alone = False) -> None:
    """Ask to enable a disabled account, which a security administrator confirms in the console; a clerk's is enabled
    at once.
    """
    if _change(StaffChangeKind.ENABLE, login, why, by, alone=alone):
        typer.echo(f"{login} is enabled")


@staff.command("reset")
def reset(login: Login, why: Why = "", by: By = "cli", *, alone: Alone = False) -> None:
    """Ask for a new password of an account, which the security administrator who confirms it sees; its sessions end
    and its failed sign-ins are forgotten.
    """
    _change(StaffChangeKind.RESET_PASSWORD, login, why, by, alone=alone)


@staff.command("reset-factors")
def reset_second_factors(login: Login, why: Why = "", by: By = "cli", *, alone: Alone = False) -> None:
    """Ask to remove the second factors and recovery codes of an account, which a security administrator confirms in the
    console; its sessions end.
    """
    if _change(StaffChangeKind.RESET_FACTORS, login, why, by, alone=alone):
        typer.echo(f"the second factors of {login} are removed")


def _change(kind: StaffChangeKind, login: str, why: str, by: str, *, alone: bool) -> bool:
    """Asks for the change, or with `alone` makes it. True: it is made."""
    new, is_done = None, True
    with signed_application("accounts", by, Permission.MANAGE_STAFF) as (app, actor):
        if alone:
            new = change_alone(app.services, actor, kind, login, why=why)
        else:
            is_done = ask_reset_or_enable(app.services, actor, kind, login, why=why)
    if new is not None:
        _print_password(new)
    if not is_done:
        _print_waits(login)
    return is_done


def _print_waits(what: str) -> None:
    typer.echo(f"{what}: a security administrator must confirm it in the console", err=True)


@staff.command("sessions")
def sessions(
    login: Annotated[str | None, typer.Argument(help="of one account; default: of everybody")] = None,
    *,
    end: Annotated[bool, typer.Option("--end", help="end all sessions of this account")] = False,
    as_json: AsJson = False,
    by: By = "cli",
) -> None:
    """Who is signed in now, and from where."""
    if end:
        if login is None:
            raise typer.BadParameter("--end needs a login")
        with signed_application("accounts", by, Permission.MANAGE_STAFF) as (app, actor):
            typer.echo(f"{end_sessions(app.services, actor, login)} sessions of {login} ended")
        return
    with command_application("accounts") as app:
        found = list_sessions(app.services, login)
    print_found(
        found,
        as_json=as_json,
        plain=lambda session: fields_of(session, "login", "address", "created_at", "seen_at"),
        columns={
            "账号 login": lambda session: session.login,
            "地址 address": lambda session: session.address,
            "登录于 since": lambda session: centre_time(session.created_at, app),
            "最近使用 last used": lambda session: centre_time(session.seen_at, app),
        },
    )


def _print_password(new: NewPassword) -> None:
    typer.echo(new.password)
    typer.echo(f"the first password of {new.member.login}; it is not shown again", err=True)


_STATES = {
    "disabled": "已停用 disabled",
    "locked": "地址暂停登录 addresses blocked",
    "new": "未改初始密码 first password",
    "good": "正常 good",
}


def _state(member: Member, real_now: datetime) -> str:
    """The state of an account as `--json` gives it."""
    if member.disabled_at is not None:
        return "disabled"
    if member.has_blocked_addresses(real_now=real_now):
        return "locked"
    return "new" if member.must_change else "good"


token = typer.Typer(help="Tokens of the API.", no_args_is_help=True)


@token.command("add")
def add_token(
    name: Annotated[str, typer.Argument(help="whose it is, such as the upstream system's name")],
    scope: Annotated[
        list[str],
        typer.Option(help=f"{', '.join(TokenScope)}; may be repeated"),
    ],
    days: Annotated[int, typer.Option(help="how many days it is valid")] = 365,
    unit: Annotated[str, typer.Option(help="its only unit; default: the whole city")] = "",
    source: Annotated[
        list[str] | None,
        typer.Option(help="another source for which it sends, beside its own name; may be repeated"),
    ] = None,
    why: Why = "",
    by: By = "cli",
    *,
    alone: Alone = False,
) -> None:
    """Ask for a token: the security administrator who confirms it in the console sees its secret once. Before the first
    account it is made at once, and its secret is printed on standard output; it is stored nowhere.
    """
    with signed_application("accounts", by, Permission.MANAGE_STAFF) as (app, actor):
        new = ask_token(
            app.services,
            actor,
            name=name,
            scopes=scope,
            days=days,
            unit=unit.strip(),
            sources=source or (),
            why=why,
            alone=alone,
        )
    if new is None:
        _print_waits(name)
        return
    typer.echo(new.secret)
    until = centre_time(new.token.expires_at, app)
    typer.echo(f"token {name} is good until {until}; this secret is not shown again", err=True)


@token.command("list")
def list_all_tokens(*, as_json: AsJson = False) -> None:
    """All tokens, never their secrets."""
    with command_application("accounts") as app:
        found = org_staff.list_tokens(app.services)
        now = app.services.real.now()
    names = ("name", "unit", "created_at", "expires_at", "revoked_at", "last_used_on")
    print_found(
        found,
        as_json=as_json,
        plain=lambda api_token: (
            fields_of(api_token, *names)
            | {
                "scopes": sorted(api_token.scopes),
                "sources": list(api_token.sources),
                "good": api_token.is_good(real_now=now),
            }
        ),
        columns={
            "名称 name": lambda api_token: api_token.name,
            "权限 scopes": lambda api_token: " ".join(sorted(api_token.scopes)),
            "单位 unit": lambda api_token: api_token.unit,
            "有效 good": lambda api_token: "yes" if api_token.is_good(real_now=now) else "no",
            "到期 expires": lambda api_token: centre_time(api_token.expires_at, app),
            "吊销 revoked": lambda api_token: (
                centre_time(api_token.revoked_at, app) if api_token.revoked_at else ""
            ),
            "最近使用 last used": lambda api_token: api_token.last_used_on or "",
        },
    )


@token.command("revoke")
def revoke_token(name: str, by: By = "cli") -> None:
    """Revoke a token: every process refuses it within seconds."""
    with signed_application("accounts", by, Permission.MANAGE_STAFF) as (app, actor):
        org_staff.revoke_token(app.services, actor, name)
    typer.echo(f"token {name} revoked")


units = typer.Typer(help="The organisation tree and its names.", no_args_is_help=True)


@units.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(help="csv or xlsx: name 名称, parent 上级, level 级别, aliases 别名")
    ],
    by: By,
    *,
    close_missing: Annotated[
        bool, typer.Option("--close-missing", help="close units that the list does not name")
    ] = False,
) -> None:
    """Change the tree to what a list says, all of it or nothing; the same list again changes nothing."""
    try:
        content = file.open("rb")
    except OSError:
        raise Invalid(field="FILE", problem=Text("%(file)s cannot be read", file=file)) from None
    opened = signed_application("accounts", by, Permission.MANAGE_UNITS)
    with content, file_named_in_errors(file), opened as (app, actor):
        try:
            done = import_units(app.services, actor, content, close_missing=close_missing)
        except UnusableUnits as fault:
            for unit_fault, column in zip(fault.faults, fault.columns, strict=True):
                typer.echo(
                    f"line {unit_fault.line}, {column}: {bilingual(unit_fault.problem)}; {bilingual(unit_fault.fix)}",
                    err=True,
                )
            raise
    typer.echo(
        f"new {done.new}, moved {done.moved}, renamed {done.renamed}, changed {done.changed}, closed {done.closed},"
        f" unchanged {done.unchanged}, aliases {done.aliases}, cases sorted {done.placed}"
    )


@units.command("boundaries")
def boundaries_(
    file: Annotated[Path, typer.Argument(help="GeoJSON of polygons, each with the name of a unit")], by: By
) -> None:
    """Load where units lie, for the map of the success rates; a unit's earlier boundary is replaced."""
    try:
        content = file.open("rb")
    except OSError:
        raise Invalid(field="FILE", problem=Text("%(file)s cannot be read", file=file)) from None
    opened = signed_application("accounts", by, Permission.MANAGE_UNITS)
    with content, file_named_in_errors(file), opened as (app, actor):
        done = load_boundaries(app.services, actor, content)
    typer.echo(f"units {done.loaded}, unknown {len(done.unknown)}")
    for name in done.unknown:
        typer.echo(f"没有这个单位 no unit of this name: {name}", err=True)


@units.command("list")
def list_all_units(*, as_json: AsJson = False) -> None:
    """The tree, from the top down."""
    with command_application("accounts") as app:
        index, aliases = read_units_and_aliases(app.services)
    tree = sorted(index, key=lambda unit: index.names(unit.id))
    print_found(
        tree,
        as_json=as_json,
        plain=lambda unit: (
            fields_of(unit, "id", "name", "level", "active")
            | {"path": index.names(unit.id), "aliases": aliases.get(unit.id, [])}
        ),
        columns={
            "编号 ID": lambda unit: unit.id,
            "名称 name": lambda unit: "  " * (len(unit.path) - 1) + unit.name,
            "级别 level": lambda unit: unit.level,
            "别名 aliases": lambda unit: "、".join(aliases.get(unit.id, [])),
            "": lambda unit: "" if unit.active else "停用 closed",
        },
        empty="没有单位 no units: dialer units import FILE",
        box=None,
        header_style="dim",
    )


@units.command("alias")
def alias(
    text: Annotated[str, typer.Argument(help="as lists write it")],
    by: By,
    unit: Annotated[str, typer.Argument(help="the unit's number, name or path")] = "",
    *,
    forget: Annotated[bool, typer.Option("--forget", help="the text no longer means a unit")] = False,
) -> None:
    """Set which unit a text in lists means; unassigned cases with that text are assigned to it at once."""
    with signed_application("accounts", by, Permission.SORT_UNITS, Permission.MANAGE_UNITS) as (app, actor):
        if forget:
            forget_alias(app.services, actor, text)
            typer.echo(f"{text}: forgotten")
            return
        index, _ = read_units_and_aliases(app.services)
        found = find_unit(index, unit)
        done = teach_alias(app.services, actor, text, unit_id=found.id)
    typer.echo(f"{text} = {index.label(found.id)}, cases sorted {done.placed}")


@units.command("tray", hidden=True)  # the name until 2026-11
@units.command()
def unassigned(*, as_json: AsJson = False) -> None:
    """Open cases whose list names no known unit, grouped by what it says."""
    with command_application("accounts") as app, app.services.store.begin() as tx:
        groups = unassigned_groups(tx)
    print_found(
        groups,
        as_json=as_json,
        plain=lambda group: fields_of(group, "text", "cases", "highest", "oldest_at"),
        columns={
            "名单所写 in lists": lambda group: group.text or "（空 blank）",
            "预警单 cases": lambda group: group.cases,
            "最高等级 highest": lambda group: group.highest,
        },
        empty="没有待分派预警单 nothing waits for a unit",
        box=None,
        header_style="dim",
    )


@units.command("assign")
def assign(
    case_id: int,
    unit: Annotated[str, typer.Argument(help="the unit's number, name or path")],
    by: By,
    *,
    teach: Annotated[
        bool, typer.Option("--teach", help="the list's text means this unit from now on")
    ] = False,
) -> None:
    """Give an unassigned case its unit."""
    with signed_application("accounts", by, Permission.SORT_UNITS, Permission.MANAGE_UNITS) as (app, actor):
        index, _ = read_units_and_aliases(app.services)
        found = find_unit(index, unit)
        done = assign_unit(app.services, actor, case_id, unit_id=found.id, teach=teach)
    typer.echo(f"case {case_id}: {index.label(found.id)}, cases sorted {done.placed}")
