"""`dialer loads`: lists that wait for a second person, withdrawal, and what a source's columns mean."""

from __future__ import annotations

from typing import Annotated

import typer

from dialer.bootstrap import application
from dialer.cli_end import By
from dialer.errors import Invalid
from dialer.intake.records import Field
from dialer.language import Text
from dialer.settings import load_settings
from dialer.usecases.decide_load import (
    approve_load,
    columns_of,
    correct_columns,
    loads_to_approve,
    withdraw_load,
)
from dialer.usecases.load_list import load_list

loads = typer.Typer(help="What people decide about lists.", no_args_is_help=True)


@loads.command("waiting")
def waiting() -> None:
    """Lists that wait for a second person."""
    with application(load_settings()) as app:
        found = loads_to_approve(app.engine)
    for load in found:
        typer.echo(f"{load.id}  {load.filename}  {load.by}  {load.created_at.isoformat(timespec='minutes')}")
    if not found:
        typer.echo("没有待审批的名单 nothing waits")


@loads.command("approve")
def approve(load_id: int, by: By) -> None:
    """Let the rest of a large list be loaded, as the second person."""
    with application(load_settings()) as app:
        approve_load(app.engine, load_id, by=by)
        load_list(app.engine, load_id)
    typer.echo(f"load {load_id} approved by {by}")


@loads.command("withdraw")
def withdraw(load_id: int, by: By, why: Annotated[str, typer.Option(help="the reason")]) -> None:
    """Take a list back: what has not begun is closed, what has begun goes on."""
    with application(load_settings()) as app:
        done = withdraw_load(app.engine, load_id, by=by, why=why)
    typer.echo(f"load {load_id} withdrawn, cases closed {done.closed}")


@loads.command("columns")
def columns(
    source: str,
    to: Annotated[
        list[str] | None, typer.Option("--set", help="HEADING=field; nothing after = for none")
    ] = None,
    by: By = "cli",
) -> None:
    """Show or correct what a source's headings mean."""
    said = dict(_correction(text) for text in to or ())
    with application(load_settings()) as app:
        if said:
            correct_columns(app.engine, source, said, by=by)
        known = columns_of(app.engine, source)
    for heading, field in known.items():
        typer.echo(f"{heading}={field.value if field else ''}")


def _correction(text: str) -> tuple[str, Field | None]:
    heading, _, name = text.rpartition("=")
    if not heading or (name and name not in set(Field)):
        known = ", ".join(field.value for field in Field)
        raise Invalid(
            field="--set",
            problem=Text("%(value)s is no correction", value=repr(text)),
            mend=Text("HEADING=one of %(known)s", known=known),
        )
    return heading, Field(name) if name else None
