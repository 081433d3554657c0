"""`dialer load` and `dialer loads`: loading a list of warnings from a file, and what people decide about lists."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from dialer.cli.common import By, file_named_in_errors
from dialer.cli.output import (
    AsJson,
    WorkProgress,
    centre_time,
    command_application,
    fields_of,
    print_json,
    print_rows,
    signed_application,
    wait_for_worker,
)
from dialer.cli.rejects import reject_workbook
from dialer.core.access import Actor, Permission
from dialer.core.errors import Invalid, NotFound, UnusableFile
from dialer.core.text import Text
from dialer.core.values import FINISHED_LOADS, LoadState
from dialer.db.system_state import worker_runs
from dialer.intake.reader import default_source
from dialer.intake.records import Field
from dialer.language.words import bilingual
from dialer.runtime.broker import BULK_QUEUE
from dialer.runtime.services import Application
from dialer.warnings.list_store import (
    Load,
    columns_of_load,
    delete_load,
    get_load,
    loads_awaiting_approval,
)
from dialer.warnings.lists import (
    LoadReport,
    approve_load,
    correct_columns,
    load_list,
    load_report,
    submit_list,
    withdraw_load,
)
from dialer.warnings.mapping_store import column_mapping_of
from dialer.warnings.preview import preview_list, undecided
from dialer.warnings.rejects import write_reject_list

_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The result of `dialer load`."""

    report: LoadReport
    reject_file: Path | None

    def plain(self) -> dict[str, Any]:
        """The JSON of `dialer load --json`, described in docs/json.md."""
        report = self.report
        names = (
            "load_id",
            "rows",
            "accepted",
            "merged",
            "held",
            "duplicate",
            "rejected",
            "skipped",
            "notices",
        )
        return fields_of(report, *names) | {
            "rejects": [
                {"line": r.line, "column": r.column, "reason": bilingual(r.reason)} for r in report.rejects
            ],
            "reject_file": str(self.reject_file) if self.reject_file else None,
        }


def load_command(
    file: Annotated[Path, typer.Argument(help="csv, tsv, txt, xlsx, xls or ods")],
    source: Annotated[str, typer.Option(help="source of rows that name none; default: the file's name")] = "",
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="show what would happen, and do nothing")
    ] = False,
    as_json: AsJson = False,
    by: By = "cli",
) -> None:
    """Load a list of warnings; exit 2 when the file cannot be read as one."""
    if not file.is_file():
        raise UnusableFile(Text("%(file)s: no such file", file=file.name))
    opened = signed_application("load", by, Permission.LOAD_LISTS)
    with file_named_in_errors(file), opened as (app, actor):
        if dry_run:
            with file.open("rb") as content:
                report = preview_list(app.services, content, filename=file.name, source=source)
            loaded = Loaded(report=report, reject_file=None)
        else:
            loaded = load_file(app, actor, file, source=source, progress=not as_json)
    if as_json:
        print_json(loaded.plain())
    else:
        _show(loaded, dry_run=dry_run)


def load_file(app: Application, actor: Actor, file: Path, *, source: str, progress: bool) -> Loaded:
    """Loads the list, and returns when it is loaded. A file that cannot be read as a list leaves nothing behind."""
    with file.open("rb") as content:
        load_id = submit_list(app.services, actor, content, filename=file.name, source=source)
    try:
        with app.services.store.begin() as tx:
            is_alone = not worker_runs(tx, BULK_QUEUE, real_now=app.services.real.now())
        if is_alone:
            load_list(app.services, load_id)
        load = _wait(app, load_id, shown=progress)
        report = load_report(app.services, load_id)
        _tell_undecided(app, load_id, source=source or default_source(file.name))
        if load is not None and load.state is LoadState.HELD:
            typer.echo(
                f"load {load_id} waits for a second person (dialer loads approve {load_id} --by ...);"
                " its high grades are loaded already",
                err=True,
            )
    except UnusableFile:
        with app.services.store.begin() as tx:
            delete_load(tx, load_id)
        raise
    return Loaded(report=report, reject_file=write_reject_file(app, report, by=actor.name))


def _tell_undecided(app: Application, load_id: int, *, source: str) -> None:
    """Names each column that looks important and that nobody has mapped: no page asks about it here."""
    with app.services.store.begin() as tx:
        waiting = undecided(columns_of_load(tx, load_id))
    for heading, likely in waiting.items():
        typer.echo(
            f"列 column {heading}: 疑似 looks like {likely.value}, 未对应，仅存入备注 not read, kept in the remarks;"
            f" dialer loads columns {source!r} --set '{heading}={likely.value}' (or '{heading}=')",
            err=True,
        )


def write_reject_file(app: Application, report: LoadReport, *, by: str) -> Path | None:
    """A workbook of the rejected rows; None: no row was rejected, or it cannot be written."""
    if not report.rejects or report.load_id is None:
        return None
    path = reject_workbook(
        app,
        f"load-{report.load_id}",
        subject=f"list_load/{report.load_id}",
        by=by,
        otherwise=("，可在“预警导入”页下载", ", and can be had from the page Lists"),
    )
    if path is not None:
        write_reject_list(app.services, report.load_id, path, in_clear=True)
    return path


_OVER = FINISHED_LOADS | {LoadState.HELD}


def _wait(app: Application, load_id: int, *, shown: bool) -> Load | None:
    """The load once it is over, whether it is done, held, withdrawn or failed; None: it no longer exists."""
    load: Load | None = None

    def read() -> WorkProgress:
        nonlocal load
        try:
            with app.services.store.begin() as tx:
                load = get_load(tx, load_id)
        except NotFound:
            load = None
            return WorkProgress(done=0, total=None, is_over=True)
        return WorkProgress(done=load.next_line, total=load.total, is_over=load.state in _OVER)

    wait_for_worker(
        read, lambda: load_list(app.services, load_id), what="loading rows", shown=shown, is_alone=False
    )
    return load


def _show(loaded: Loaded, *, dry_run: bool) -> None:
    report = loaded.report
    counts = (
        ("行 rows", report.rows),
        ("可导入 accepted" if dry_run else "已导入 accepted", report.accepted),
        ("  并入已有预警单 merged", report.merged),
        *([("待放行 held", report.held)] if report.held else []),
        ("重复 duplicate", report.duplicate),
        ("未通过 rejected", report.rejected),
        ("跳过 skipped", report.skipped),
        ("提示 notices", report.notices),
    )
    print_rows(
        counts,
        {"": lambda count: count[0], " ": lambda count: count[1]},
        title="试运行，未写入任何数据 dry run: nothing was stored"
        if dry_run
        else f"批次 load {report.load_id}",
        show_header=False,
    )
    console = Console()
    for reject in report.rejects[:_SHOWN]:
        console.print(
            f"  第 {reject.line} 行 line {reject.line} · {reject.column}: {bilingual(reject.reason)}",
            markup=False,
        )
    if len(report.rejects) > _SHOWN:
        console.print(f"  … {len(report.rejects) - _SHOWN} more")
    if loaded.reject_file is not None:
        console.print(f"未通过数据 rejected rows: {loaded.reject_file}", markup=False)


loads = typer.Typer(help="What people decide about lists.", no_args_is_help=True)


@loads.command("waiting")
def waiting() -> None:
    """Lists that wait for a second person."""
    with command_application("lists") as app, app.services.store.begin() as tx:
        found = loads_awaiting_approval(tx)
    for load in found:
        typer.echo(f"{load.id}  {load.filename}  {load.by}  {centre_time(load.created_at, app)}")
    if not found:
        typer.echo("没有待审批的名单 nothing waits")


@loads.command("approve")
def approve(load_id: int, by: By) -> None:
    """Approve the rest of a large list, as the second person; it is then loaded."""
    with signed_application("lists", by, Permission.APPROVE) as (app, actor):
        approve_load(app.services, actor, load_id)
        load_list(app.services, load_id)
    typer.echo(f"load {load_id} approved by {actor.name}")


@loads.command("withdraw")
def withdraw(load_id: int, by: By, why: Annotated[str, typer.Option(help="the reason")]) -> None:
    """Withdraw a list: cases without a call are closed, the others go on."""
    with signed_application("lists", by, Permission.LOAD_LISTS) as (app, actor):
        closed = withdraw_load(app.services, actor, load_id, why=why)
    typer.echo(f"load {load_id} withdrawn, cases closed {closed}")


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
    with signed_application("lists", by, Permission.LOAD_LISTS) as (app, actor):
        if said:
            correct_columns(app.services, actor, source, said)
        with app.services.store.begin() as tx:
            known = column_mapping_of(tx, source.strip())
    for heading, field in known.items():
        typer.echo(f"{heading}={field.value if field else ''}")


def _correction(text: str) -> tuple[str, Field | None]:
    heading, _, name = text.rpartition("=")
    if not heading or (name and name not in set(Field)):
        known = ", ".join(field.value for field in Field)
        raise Invalid(
            field="--set",
            problem=Text("%(value)s is not a correction", value=repr(text)),
            fix=Text("HEADING=one of %(known)s", known=known),
        )
    return heading, Field(name) if name else None
