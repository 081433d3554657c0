"""`dialer units`: the organisation tree, what lists call its units, and the sorting tray."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from dialer.bootstrap import application
from dialer.cli_end import By
from dialer.errors import Invalid
from dialer.language import Text, bilingual
from dialer.settings import load_settings
from dialer.store import tray as waiting
from dialer.usecases.import_units import UnusableUnits, find_unit, import_units, list_units
from dialer.usecases.sort_tray import assign_unit, forget_alias, teach_alias

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
    """Bring the tree to what a list says. All of it or nothing; the same list again changes nothing."""
    try:
        content = file.open("rb")
    except OSError:
        raise Invalid(field="FILE", problem=Text("%(file)s cannot be read", file=file)) from None
    with content, application(load_settings()) as app:
        try:
            done = import_units(app.engine, content, by=by, close_missing=close_missing)
        except UnusableUnits as fault:
            for one, column in zip(fault.faults, fault.columns, strict=True):
                typer.echo(
                    f"line {one.line}, {column}: {bilingual(one.problem)}; {bilingual(one.mend)}", err=True
                )
            raise
    typer.echo(
        f"new {done.new}, moved {done.moved}, renamed {done.renamed}, changed {done.changed}, closed {done.closed},"
        f" unchanged {done.unchanged}, aliases {done.aliases}, cases sorted {done.placed}"
    )


@units.command("list")
def list_all(*, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """The tree, from the top down."""
    with application(load_settings()) as app:
        index, aliases = list_units(app.engine)
    of_unit: dict[int, list[str]] = {}
    for alias in aliases:
        of_unit.setdefault(alias.unit_id, []).append(alias.text)
    tree = sorted(index, key=lambda unit: index.names(unit.id))
    if as_json:
        rows = [
            {
                "id": unit.id,
                "name": unit.name,
                "path": list(index.names(unit.id)),
                "level": unit.level,
                "active": unit.active,
                "aliases": of_unit.get(unit.id, []),
            }
            for unit in tree
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    table = Table("编号 ID", "名称 name", "级别 level", "别名 aliases", "", box=None, header_style="dim")
    for unit in tree:
        table.add_row(
            str(unit.id),
            "  " * (len(unit.path) - 1) + unit.name,
            unit.level,
            "、".join(of_unit.get(unit.id, [])),
            "" if unit.active else "停用 closed",
        )
    Console().print(table if tree else "没有单位 no units: dialer units import FILE")


@units.command("alias")
def alias(
    text: Annotated[str, typer.Argument(help="as lists write it")],
    by: By,
    unit: Annotated[str, typer.Argument(help="the unit's number, name or path")] = "",
    *,
    forget: Annotated[bool, typer.Option("--forget", help="the text means no unit any more")] = False,
) -> None:
    """Say what a text in lists means; waiting cases with it find their unit at once."""
    with application(load_settings()) as app:
        if forget:
            forget_alias(app.engine, text, by=by)
            typer.echo(f"{text}: forgotten")
            return
        index, _ = list_units(app.engine)
        found = find_unit(index, unit)
        done = teach_alias(app.engine, text, unit_id=found.id, by=by)
    typer.echo(f"{text} = {index.label(found.id)}, cases sorted {done.placed}")


@units.command("tray")
def tray(*, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Open cases whose list names no known unit, by what it says."""
    with application(load_settings()) as app, app.engine.store.begin() as tx:
        groups = waiting.groups(tx)
    if as_json:
        rows = [
            {
                "text": group.text,
                "cases": group.cases,
                "highest": group.highest.value,
                "oldest_at": group.oldest_at.isoformat(),
            }
            for group in groups
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    table = Table("名单所写 in lists", "预警单 cases", "最高等级 highest", box=None, header_style="dim")
    for group in groups:
        table.add_row(group.text or "（空 blank）", str(group.cases), group.highest.value)
    Console().print(table if groups else "没有待分拣 nothing waits for a unit")


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
    """Give a waiting case its unit."""
    with application(load_settings()) as app:
        index, _ = list_units(app.engine)
        found = find_unit(index, unit)
        done = assign_unit(app.engine, case_id, unit_id=found.id, by=by, teach=teach)
    typer.echo(f"case {case_id}: {index.label(found.id)}, cases sorted {done.placed}")
