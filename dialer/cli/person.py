"""Commands that erase a person, legal holds, and the retention of data."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated

import typer

from dialer.cli.common import By
from dialer.cli.output import (
    AsJson,
    centre_time,
    command_application,
    print_json,
    print_rows,
    signed_application,
)
from dialer.core.access import Permission
from dialer.core.text import Lang
from dialer.language.catalogue import say
from dialer.retention.erasure import (
    Certificate,
    ask_erasure,
    certificate_of,
    confirm_erasure,
    erase_returned,
    lift_legal_hold,
    list_erasures,
    list_legal_holds,
    place_legal_hold,
    refuse_erasure,
    register_erasures,
)
from dialer.retention.retention import (
    KIND_WORDS,
    RetentionState,
    apply_retention,
    delete_reject_files,
    read_retention_states,
)
from dialer.runtime.services import Application

person = typer.Typer(help="Erase a person 删除当事人数据; legal holds 留存令.", no_args_is_help=True)

_Case = Annotated[int, typer.Option("--case", help="a case of the person")]
_Why = Annotated[str, typer.Option(help="the reason; sealed in the audit")]


@person.command("erase")
def erase(case: _Case, why: _Why, by: By = "cli", *, as_json: AsJson = False) -> None:
    """申请删除: ask for the person of a case to be erased; a second person confirms."""
    with signed_application("person", by, Permission.ERASE_PERSONS) as (app, actor):
        asked = ask_erasure(app.services, actor, case, why=why)
    if as_json:
        print_json(asked.plain())
        return
    typer.echo(
        f"申请 {asked.id} 待第二人确认 request {asked.id}: person {asked.person_id} is erased when a second person says"
        f" `dialer person confirm {asked.id} --by ...`"
    )


@person.command("confirm")
def confirm(request_id: int, by: By = "cli", *, as_json: AsJson = False) -> None:
    """确认删除: the person is erased for good, and the certificate printed."""
    with signed_application("person", by, Permission.ERASE_PERSONS) as (app, actor):
        register = app.settings.register_of_erasures()
        made = confirm_erasure(app.services, actor, request_id, register=register)
    _print(made, app, as_json=as_json)


@person.command("refuse")
def refuse(request_id: int, why: _Why, by: By = "cli") -> None:
    """不予删除: nothing is erased; the person who asked may also withdraw the request."""
    with signed_application("person", by, Permission.ERASE_PERSONS) as (app, actor):
        refuse_erasure(app.services, actor, request_id, why=why)
    typer.echo(f"申请 {request_id} 未予删除 request {request_id} refused: nothing was erased")


@person.command("certificate")
def certificate(request_id: int, *, as_json: AsJson = False) -> None:
    """删除证明: what was erased, by whom and when, sealed."""
    with command_application("person") as app:
        found = certificate_of(app.services, request_id)
    _print(found, app, as_json=as_json)


@person.command("register")
def register_all() -> None:
    """补登删除登记: the register of erasures gets the lines that it lacks, such as after its disk was full or lost."""
    with command_application("person") as app:
        file = app.settings.register_of_erasures()
        added = register_erasures(app.services, file)
    typer.echo(f"补登 {added} 人 added to {file}: {added} persons")


@person.command("erase-again")
def erase_those_back(by: By = "cli") -> None:
    """再次删除: in a database that was put back without `dialer restore`, erase again the persons whom the register of
    erasures names. All processes must be stopped.
    """
    with signed_application("person", by, Permission.CONTROL) as (app, actor):
        count = erase_returned(app.services, actor, app.settings.register_of_erasures())
    typer.echo(f"按登记再次删除 {count} 人 erased again by the register: {count} persons")


@person.command("hold")
def hold(case: _Case, why: _Why, by: By = "cli") -> None:
    """留存令: the person of a case may not be erased until it is lifted."""
    with signed_application("person", by, Permission.ERASE_PERSONS) as (app, actor):
        placed = place_legal_hold(app.services, actor, case, why=why)
    typer.echo(f"当事人 {placed.person_id} 已留存 person {placed.person_id} is under a legal hold")


@person.command("lift")
def lift(case: _Case, why: _Why, by: By = "cli") -> None:
    """解除留存令: the person of a case may be erased again."""
    with signed_application("person", by, Permission.ERASE_PERSONS) as (app, actor):
        lift_legal_hold(app.services, actor, case, why=why)
    typer.echo(f"预警单 {case} 当事人的留存令已解除 the legal hold on the person of case {case} is lifted")


@person.command("list")
def list_all(*, as_json: AsJson = False) -> None:
    """删除申请和留存令: requests to erase, and the legal holds in force."""
    with command_application("person") as app:
        asked, holds = list_erasures(app.services), list_legal_holds(app.services)
        zone = app.services.centre.zone
    if as_json:
        plain = {
            "erasures": [erasure.plain() for erasure in asked],
            "legal_holds": [hold.plain() for hold in holds],
        }
        print_json(plain)
        return
    if not asked and not holds:
        typer.echo("无删除申请和留存令 no requests and no legal holds")
    for erasure in asked:
        decided = (
            f", {erasure.decided_by} {erasure.decided_at.astimezone(zone):%Y-%m-%d %H:%M}"
            if erasure.decided_at
            else ""
        )
        typer.echo(
            f"{erasure.id}: person {erasure.person_id} {erasure.state.value}, {erasure.asked_by}{decided}"
        )
    for held in holds:
        typer.echo(
            f"留存令 legal hold: person {held.person_id}, {held.placed_by}"
            f" {held.placed_at.astimezone(zone):%Y-%m-%d %H:%M}"
        )


def retention_command(
    by: By = "cli",
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what is past its period")] = False,
    as_json: AsJson = False,
) -> None:
    """保存期限: delete or erase now what is past its period, and say for each kind how long it is kept, what was past
    it, and when it was last checked. The service does the same each hour.
    """
    with signed_application("retention", by, Permission.CONTROL) as (app, actor):
        periods, zone = app.settings.retention, app.services.centre.zone
        found = read_retention_states(app.services, periods)
        gone, files = None, 0
        if not dry_run:
            gone = apply_retention(app.services, periods, actor, pause=_wait, at_once=True)
            files = delete_reject_files(app.services, periods, app.settings.data_dir / "rejects")
    if as_json:
        done = {} if gone is None else {kind.value: count for kind, count in gone.items()}
        plain = [period.plain() | {"deleted": done.get(period.kind.value, 0)} for period in found]
        print_json({"kinds": plain, "reject_files_deleted": files, "dry_run": dry_run})
        return
    columns: dict[str, Callable[[RetentionState], object]] = {
        "数据 data": lambda period: f"{period.kind.value}\n{say(Lang.ZH, KIND_WORDS[period.kind])}",
        "天数 days": lambda period: period.days or "-",
        "到期 past": lambda period: period.past,
        "最早 oldest": lambda period: (
            f"{period.oldest_at.astimezone(zone):%Y-%m-%d}" if period.oldest_at else "-"
        ),
        "留存 held": lambda period: period.held,
        "上次 last": lambda period: f"{period.last.at.astimezone(zone):%m-%d\n%H:%M}" if period.last else "-",
    }
    if gone is not None:
        columns["清除 gone"] = lambda period: gone.get(period.kind, 0)
    print_rows(found, columns, narrow=1)
    if files:
        typer.echo(f"未通过数据表格 spreadsheets of rejected rows deleted: {files}")


def _wait(seconds: float) -> bool:
    time.sleep(seconds)
    return False


def _print(certificate: Certificate, app: Application, *, as_json: bool) -> None:
    if as_json:
        print_json(certificate.plain())
        return
    erasure = certificate.erasure
    assert erasure.decided_at is not None
    lines = [
        f"删除证明 Certificate of erasure {erasure.id}",
        f"当事人 person {erasure.person_id}; 预警单 cases {', '.join(map(str, certificate.cases))}",
        f"申请 asked by {erasure.asked_by}, {centre_time(erasure.asked_at, app)}",
        f"确认 confirmed by {erasure.decided_by}, {centre_time(erasure.decided_at, app)}",
        *(f"  {name}: {count}" for name, count in sorted((erasure.counts or {}).items())),
        f"审计记录 line {certificate.audit_number} of the audit",
        f"封签 seal {certificate.seal}",
        "备份：恢复时按删除登记再次删除 backups: a restore erases again by the register of erasures",
    ]
    typer.echo("\n".join(lines))
