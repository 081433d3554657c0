"""`dialer duty`: who is on duty, and a month of a roster from a spreadsheet."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dialer.cli.common import By, file_named_in_errors
from dialer.cli.output import (
    AsJson,
    centre_time,
    command_application,
    one_of,
    print_found,
    signed_application,
)
from dialer.core.access import Permission
from dialer.core.errors import Invalid
from dialer.core.rota import DutyKind
from dialer.core.text import Lang, Text
from dialer.core.units import find_unit
from dialer.duty.actions import OnDuty, UnusableRoster, load_month, month_named, on_duty
from dialer.language.words import bilingual, word_of
from dialer.runtime.services import Services

duty = typer.Typer(help="Rosters: who is on duty, and a month from a spreadsheet.", no_args_is_help=True)

_Unit = Annotated[str, typer.Option(help="the unit's name or path")]
_Kind = Annotated[str, typer.Option(help=f"one of {', '.join(DutyKind)}")]


def _unit_id(services: Services, name: str) -> int:
    with services.store.begin() as tx:
        return find_unit(services.units.current(tx), name).id


@duty.command("on")
def on(*, unit: _Unit = "", as_json: AsJson = False) -> None:
    """Who is on duty now, in each unit that keeps a roster."""
    with command_application("duty") as app:
        found = on_duty(app.services, visible_to=None, unit_id=_unit_id(app.services, unit) if unit else None)
        print_found(
            found,
            as_json=as_json,
            plain=OnDuty.plain,
            columns={
                "单位 unit": lambda one: one.unit,
                "岗位 kind": lambda one: word_of(one.kind, Lang.ZH),
                "值班人 on duty": lambda one: (
                    "、".join(person.name for person in one.people) or "无人 nobody"
                ),
                "至 until": lambda one: "" if one.until is None else centre_time(one.until, app),
                "空岗 gap": lambda one: "" if one.gap is None else centre_time(one.gap.start, app),
            },
            empty="没有值班表 no unit keeps a roster",
        )


@duty.command("load")
def load(
    file: Annotated[Path, typer.Argument(help="the spreadsheet: persons down, days across")],
    by: By,
    *,
    unit: _Unit,
    kind: _Kind = DutyKind.OFFICER.value,
    month: Annotated[str, typer.Option(help="2026-12; only where the file does not say it")] = "",
) -> None:
    """Makes the roster of a month as in the spreadsheet, from today on."""
    try:
        content = file.open("rb")
    except OSError:
        raise Invalid(field="FILE", problem=Text("%(file)s cannot be read", file=file)) from None
    opened = signed_application("duty", by, Permission.MANAGE_DUTY)
    with content, file_named_in_errors(file), opened as (app, actor):
        try:
            done = load_month(
                app.services,
                actor,
                content,
                unit_id=_unit_id(app.services, unit),
                kind=one_of(DutyKind, kind, field="kind"),
                month=month_named(month) if month else None,
            )
        except UnusableRoster as refused:
            for fault in refused.faults:
                told = f"{bilingual(fault.problem)}; {bilingual(fault.fix)}"
                typer.echo(f"line {fault.line}, {fault.column}: {told}", err=True)
            raise
    typer.echo(
        f"{done.month:%Y-%m}：{done.people} 人，{done.entries} 个班次"
        f" {done.people} persons, {done.entries} shifts loaded"
    )
