"""`dialer load`: a target list from a file, through a worker when one runs, else in this process."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from dialer.bootstrap import Application, application
from dialer.broker import BULK_QUEUE
from dialer.cli_end import By
from dialer.domain.load import LoadState
from dialer.errors import UnusableFile
from dialer.language import Text, bilingual
from dialer.runtime.logs import configure_logs
from dialer.settings import load_settings
from dialer.store import facts, loads
from dialer.usecases.export_rejects import write_reject_list
from dialer.usecases.load_list import (
    LoadReport,
    forget_load,
    load_list,
    load_report,
    submit_list,
)
from dialer.usecases.look_at_list import preview_list

_ALIVE = timedelta(seconds=8)
_POLL_SECONDS = 0.2
_STUCK_SECONDS = 15.0
_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    report: LoadReport
    reject_file: Path | None

    def plain(self) -> dict[str, Any]:
        """The JSON of `dialer load --json`, described in docs/json.md."""
        report = self.report
        return {
            "load_id": report.load_id,
            "rows": report.rows,
            "accepted": report.accepted,
            "merged": report.merged,
            "duplicate": report.duplicate,
            "rejected": report.rejected,
            "skipped": report.skipped,
            "notices": report.notices,
            "rejects": [
                {"line": r.line, "column": r.column, "reason": bilingual(r.reason)} for r in report.rejects
            ],
            "reject_file": str(self.reject_file) if self.reject_file else None,
        }


def load_command(
    file: Annotated[Path, typer.Argument(help="csv, tsv, txt, xlsx, xls or ods")],
    source: Annotated[str, typer.Option(help="source of rows that name none; default: the file's name")] = "",
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what it would do, and do nothing")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
    by: By = "cli",
) -> None:
    """Load a target list; exit 2 when the file is no list."""
    settings = load_settings()
    configure_logs(level="warning", log_format=settings.log.format, process="load")
    if not file.is_file():
        raise UnusableFile(Text("%(file)s: no such file", file=file.name))
    with application(settings) as app:
        if dry_run:
            with file.open("rb") as content:
                report = preview_list(app.engine, content, filename=file.name, source=source)
            loaded = Loaded(report=report, reject_file=None)
        else:
            loaded = load_file(app, file, source=source, by=by, progress=not as_json)
    if as_json:
        typer.echo(json.dumps(loaded.plain(), ensure_ascii=False))
    else:
        _show(loaded, dry_run=dry_run)


def load_file(app: Application, file: Path, *, source: str, by: str, progress: bool) -> Loaded:
    """The list is loaded when this returns; a file that is no list leaves nothing behind."""
    with file.open("rb") as content:
        load_id = submit_list(app.engine, content, filename=file.name, source=source, by=by)
    try:
        if not _worker_runs(app):
            load_list(app.engine, load_id)
        _wait(app, load_id, shown=progress)
        report = load_report(app.engine, load_id)
        _say_held(app, load_id)
    except UnusableFile:
        forget_load(app.engine, load_id)
        raise
    return Loaded(report=report, reject_file=write_reject_file(app, report))


def _say_held(app: Application, load_id: int) -> None:
    with app.engine.store.begin() as tx:
        load = loads.get(tx, load_id)
    if load is not None and load.state is LoadState.HELD:
        typer.echo(
            f"load {load_id} waits for a second person (dialer loads approve {load_id} --by ...);"
            " its high grades are in the books",
            err=True,
        )


def write_reject_file(app: Application, report: LoadReport) -> Path | None:
    """A workbook of the refused rows, readable by its owner only, since they are personal data in clear."""
    if not report.rejects or report.load_id is None:
        return None
    folder = app.settings.data_dir / "rejects"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"load-{report.load_id}.xlsx"
    path.touch(mode=0o600)
    write_reject_list(app.engine, report.load_id, path)
    return path


_OVER = frozenset({LoadState.DONE, LoadState.FAILED, LoadState.HELD, LoadState.WITHDRAWN})


def _worker_runs(app: Application) -> bool:
    with app.engine.store.begin() as tx:
        beats = facts.alive(tx, since=app.engine.real.now() - _ALIVE)
    return any(beat.kind == "worker" and BULK_QUEUE in beat.facts.get("queues", ()) for beat in beats)  # type: ignore[operator]  # JSON


def _wait(app: Application, load_id: int, *, shown: bool) -> None:
    """Until it is done or failed. A worker that shows no progress for a while is helped by this process."""
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"), BarColumn(), console=console, disable=not shown, transient=True
    ) as bar:
        task = bar.add_task("loading", total=None)
        seen = -1
        since = time.monotonic()
        while True:
            with app.engine.store.begin() as tx:
                load = loads.get(tx, load_id)
            if load is None or load.state in _OVER:
                return
            if load.next_line != seen:
                seen, since = load.next_line, time.monotonic()
                bar.update(task, description=f"loading: {seen} rows", total=load.total, completed=seen)
            elif time.monotonic() - since > _STUCK_SECONDS:
                load_list(app.engine, load_id)
                since = time.monotonic()
            time.sleep(_POLL_SECONDS)


def _show(loaded: Loaded, *, dry_run: bool) -> None:
    report = loaded.report
    console = Console(file=sys.stdout)
    title = "预演，什么都没有写入 dry run: nothing was kept" if dry_run else f"批次 load {report.load_id}"
    table = Table(title=title, show_header=False)
    for label, value in (
        ("行 rows", report.rows),
        ("接收 accepted", report.accepted),
        ("  并入已有预警单 merged", report.merged),
        ("重复 duplicate", report.duplicate),
        ("拒绝 rejected", report.rejected),
        ("跳过 skipped", report.skipped),
        ("提示 notices", report.notices),
    ):
        table.add_row(label, str(value))
    console.print(table)
    for reject in report.rejects[:_SHOWN]:
        console.print(
            f"  第 {reject.line} 行 line {reject.line} · {reject.column}: {bilingual(reject.reason)}",
            markup=False,
        )
    if len(report.rejects) > _SHOWN:
        console.print(f"  … {len(report.rejects) - _SHOWN} more")
    if loaded.reject_file is not None:
        console.print(f"拒绝行 refused rows: {loaded.reject_file}", markup=False)
