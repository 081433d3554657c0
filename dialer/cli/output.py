"""What commands for people share: the application they run on, checked choices, JSON, tables, and waiting for a worker.

Processes of the service do not import this module: they would hold its memory while idle.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column, Table

from dialer.bootstrap import application
from dialer.cli.terminal import command_actor, command_settings
from dialer.core.access import Actor, Permission
from dialer.core.errors import Invalid
from dialer.core.text import Text
from dialer.runtime.logs import configure_logs
from dialer.runtime.services import Application, ProcessPurpose

_POLL_SECONDS = 0.2
_STUCK_SECONDS = 15.0
_Kind = TypeVar("_Kind", bound=StrEnum)
_Row = TypeVar("_Row")

AsJson = Annotated[bool, typer.Option("--json", help="JSON on standard output")]


@contextmanager
def command_application(name: str, purpose: ProcessPurpose = ProcessPurpose.COMMAND) -> Iterator[Application]:
    """The application of one command, which logs warnings and errors only."""
    settings = command_settings()
    configure_logs(level="warning", log_format=settings.log.format, process=name)
    with application(settings, purpose, process=name) as app:
        yield app


@contextmanager
def signed_application(
    name: str,
    by: str,
    *rights: Permission,
    purpose: ProcessPurpose = ProcessPurpose.COMMAND,
    must_be_known: bool = False,
) -> Iterator[tuple[Application, Actor]]:
    """The application of a command and who gives it, as `command_actor`."""
    with command_application(name, purpose) as app:
        yield app, command_actor(app, by, *rights, must_be_known=must_be_known)


def one_of(kind: type[_Kind], text: str, *, field: str, among: Sequence[_Kind] = ()) -> _Kind:
    """The member with this value, of all or of those `among`. Raises `Invalid`, which lists the values."""
    known = list(among or kind)
    try:
        return known[known.index(kind(text))]
    except ValueError:
        fix = Text("one of %(known)s", known=", ".join(known))
        raise Invalid(field=field, problem="is not known", fix=fix) from None


def centre_time(moment: datetime, app: Application) -> str:
    """The time in the centre's time zone: 2026-11-25 14:30."""
    return f"{moment.astimezone(app.services.centre.zone):%Y-%m-%d %H:%M}"


def fields_of(row: object, *names: str) -> dict[str, Any]:
    """These attributes of a row, for JSON."""
    return {name: getattr(row, name) for name in names}


def print_json(value: object, *, default: Callable[[Any], object] | None = None) -> None:
    """Prints one line on standard output; times are ISO 8601 unless `default` converts them."""
    typer.echo(json.dumps(value, ensure_ascii=False, default=default or _plain))


def _plain(value: object) -> object:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not JSON")


def print_found(
    found: Sequence[_Row],
    *,
    as_json: bool,
    plain: Callable[[_Row], object],
    columns: Mapping[str, Callable[[_Row], object]],
    empty: str = "",
    narrow: int = 0,
    **options: Any,  # noqa: ANN401 - options of rich's Table
) -> None:
    """Prints the rows as JSON, a list of what `plain` returns for each, or as the table of `print_rows`."""
    if as_json:
        print_json([plain(row) for row in found])
    else:
        print_rows(found, columns, empty=empty, narrow=narrow, **options)


def print_rows(
    found: Sequence[_Row],
    columns: Mapping[str, Callable[[_Row], object]],
    *,
    empty: str = "",
    narrow: int = 0,
    **options: Any,  # noqa: ANN401 - options of rich's Table
) -> None:
    """Prints a table on standard output: under each heading what its function returns for each row. The first `narrow`
    columns do not wrap; without a row `empty` is printed instead, if given.
    """
    if empty and not found:
        typer.echo(empty)
        return
    headings = (
        Column(heading, no_wrap=place < narrow, overflow="fold") for place, heading in enumerate(columns)
    )
    table = Table(*headings, **options)
    for row in found:
        table.add_row(*(str(of_row(row)) for of_row in columns.values()))
    Console().print(table)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkProgress:
    """The progress of work that a worker does in steps."""

    done: int
    total: int | None
    is_over: bool


def wait_for_worker(
    read: Callable[[], WorkProgress],
    work_here: Callable[[], object],
    *,
    what: str,
    shown: bool,
    is_alone: bool,
) -> None:
    """Waits until the work is over. This process does the work itself when no worker runs (`is_alone`), or when there
    has been no progress for a while.
    """
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"), BarColumn(), console=console, disable=not shown, transient=True
    ) as bar:
        task = bar.add_task(what, total=None)
        seen, since = -1, time.monotonic()
        while not (now := read()).is_over:
            if now.done != seen:
                seen, since = now.done, time.monotonic()
                bar.update(task, description=f"{what}: {seen}", total=now.total, completed=seen)
            elif is_alone or time.monotonic() - since > _STUCK_SECONDS:
                work_here()
                since = time.monotonic()
            time.sleep(_POLL_SECONDS)
