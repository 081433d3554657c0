"""`dialer duty`: who is on duty, a month of a roster from a spreadsheet, and a shift planned by rotation."""

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
from dialer.duty.rotations import TypedRotation, plan_rotation
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


@duty.command("rotation")
def rotation(
    by: By,
    *,
    unit: _Unit,
    persons: Annotated[str, typer.Option(help="names or logins in order, with commas between them")],
    first: Annotated[str, typer.Option(help="the first day, as 2026-12-01")],
    last: Annotated[str, typer.Option(help="the last day")],
    shift: Annotated[str, typer.Option(help="the mark of the shift, such as 白")],
    kind: _Kind = DutyKind.OFFICER.value,
    weekdays: Annotated[
        str, typer.Option(help="1 is Monday; a public holiday counts as 7, a working day at a weekend as 1")
    ] = "1234567",
    each: Annotated[int, typer.Option(help="shifts in a row before the next person")] = 1,
    weekly: Annotated[
        bool, typer.Option("--weekly", help="counts weeks from Monday instead of shifts")
    ] = False,
) -> None:
    """Gives a shift to people in turn, from one day to another, instead of those planned for it until now."""
    typed = TypedRotation(
        mark=shift,
        persons=persons,
        first=first,
        last=last,
        weekdays=weekdays,
        each=str(each),
        weekly=weekly,
    )
    with signed_application("duty", by, Permission.MANAGE_DUTY) as (app, actor):
        key = (_unit_id(app.services, unit), one_of(DutyKind, kind, field="kind"))
        done = plan_rotation(app.services, actor, key, typed)
    typer.echo(
        f"自 {done.first} 起排了 {done.entries} 个班次 {done.entries} shifts planned from {done.first} on"
    )
