"""Commands of two-card control 两卡管控: institutions, outlets, daily files, later facts, screening."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from dialer.cards.counter.load import OpeningLoad, add_fact, load_openings
from dialer.cards.counter.screening import Screened, screen_all
from dialer.cards.openings.institutions import add_institution, add_outlet, bind_teller, report_openings
from dialer.cli.common import By
from dialer.cli.output import AsJson, command_application, one_of, print_json, signed_application
from dialer.cli.rejects import open_list_file, rejects_json, say_rejects, write_rejected
from dialer.core.cards import InstitutionKind, OpeningFactKind
from dialer.core.errors import Invalid
from dialer.core.periods import midnight
from dialer.core.rates import is_in_range
from dialer.intake.reader import default_source

openings = typer.Typer(help="Openings of accounts and SIM cards 开户开卡.", no_args_is_help=True)
cards = typer.Typer(help="Two-card control 两卡管控.", no_args_is_help=True)
Institution = Annotated[str, typer.Option(help="the bank or carrier")]
_Day = Annotated[str, typer.Option(help="such as 2026-11-26")]


@openings.command("institution")
def institution_command(
    name: str,
    kind: Annotated[str, typer.Option(help="bank or carrier")],
    token: Annotated[str, typer.Option(help="the name of its API token")] = "",
    by: By = "cli",
) -> None:
    """机构: add a bank or carrier, or change its API token."""
    known = one_of(InstitutionKind, kind, field="--kind")
    with signed_application("cards", by) as (app, actor):
        add_institution(app.services, actor, name=name, kind=known, token=token)
    typer.echo(f"{name}: {known.value}")


@openings.command("outlet")
def outlet_command(
    code: str,
    institution: Institution,
    name: Annotated[str, typer.Option(help="as people call it")] = "",
    unit: Annotated[str, typer.Option(help="the centre in charge")] = "",
    by: By = "cli",
) -> None:
    """网点: add an outlet, or change its name and unit."""
    with signed_application("cards", by) as (app, actor):
        add_outlet(app.services, actor, institution=institution, code=code, name=name, unit=unit)
    typer.echo(f"{institution} {code}")


@openings.command("teller")
def teller_command(
    login: str,
    institution: Institution,
    outlet: Annotated[str, typer.Option(help="its code")],
    by: By = "cli",
) -> None:
    """柜员: say for which outlet the account of a teller works."""
    with signed_application("cards", by) as (app, actor):
        bind_teller(app.services, actor, login=login, institution=institution, code=outlet)
    typer.echo(f"{login}: {institution} {outlet}")


@openings.command("reported")
def reported_command(
    count: int,
    institution: Institution,
    outlet: Annotated[str, typer.Option(help="its code")],
    day: _Day,
    by: By = "cli",
) -> None:
    """上报数: record how many openings an institution reports for an outlet on a day."""
    with signed_application("cards", by) as (app, actor):
        report_openings(
            app.services, actor, institution=institution, code=outlet, day=_day(day), reported=count
        )
    typer.echo(f"{institution} {outlet} {day}: {count}")


def _day(text: str) -> date:
    fix = "write it like 2026-11-26"
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Invalid(field="--day", problem="is not a day", fix=fix) from None
    if not is_in_range(day):
        raise Invalid(field="--day", problem="is out of range", fix=fix)
    return day


@openings.command("load")
def load_command(
    file: Path,
    institution: Institution,
    by: By = "cli",
    *,
    add_outlets: Annotated[
        bool, typer.Option("--add-outlets", help="add outlets that are not known under their code")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="show what the file would do; store nothing")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """导入日报: load the openings of a day; exit 2 if the file is unusable."""
    with open_list_file(file) as content, signed_application("cards", by) as (app, actor):
        done = load_openings(
            app.services,
            actor,
            content,
            institution=institution,
            source=default_source(file.name),
            add_outlets=add_outlets,
            dry_run=dry_run,
        )
        rejects = (
            None
            if dry_run
            else write_rejected(app, done, f"openings-{file.stem[:60]}", subject="opening", by=actor.name)
        )
    if as_json:
        print_json(_load_json(done, reject_file=rejects))
        return
    for name, number in (
        ("行 rows", done.rows),
        ("新增 new", done.new),
        ("补全 completed", done.completed),
        ("重复 duplicate", done.duplicate),
        ("未通过 rejected", done.rejected),
    ):
        typer.echo(f"{name}: {number}")
    say_rejects(done, rejects)


def _load_json(done: OpeningLoad, *, reject_file: Path | None) -> dict[str, object]:
    return {
        "rows": done.rows,
        "new": done.new,
        "completed": done.completed,
        "duplicate": done.duplicate,
        "rejected": done.rejected,
        **rejects_json(done, reject_file),
    }


@cards.command("fact")
def fact_command(
    number: Annotated[str, typer.Argument(help="of the account, or the telephone number")],
    kind: Annotated[str, typer.Option(help="involved, closed or used_far")],
    source: Annotated[str, typer.Option(help="such as the case number")],
    day: _Day = "",
    by: By = "cli",
) -> None:
    """涉案、销户: record what is known later about a card; its number leads to its opening."""
    known = one_of(OpeningFactKind, kind, field="--kind")
    with signed_application("cards", by) as (app, actor):
        services = app.services
        at = midnight(_day(day), services.centre.timezone) if day else services.clock.now()
        is_new = add_fact(services, actor, number=number, kind=known, source=source, at=at)
    typer.echo(f"{known.value}" + ("" if is_new else " (on record already)"))


@cards.command("screen")
def screen_command(*, as_json: AsJson = False) -> None:
    """存量核查: check openings that have no verdict yet; an interrupted run goes on where it stopped."""
    last = Screened()
    with command_application("cards") as app:
        for last in screen_all(app.services):
            if not as_json:
                typer.echo(f"\r{last.done} / {last.done + last.left}", nl=False, err=True)
    if as_json:
        print_json({"screened": last.done, "listed": last.listed, "left": last.left})
        return
    typer.echo("", err=True)
    typer.echo(f"核查 screened: {last.done}")
    typer.echo(f"列入名单 listed: {last.listed}")
