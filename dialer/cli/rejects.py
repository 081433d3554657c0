"""The rejected rows of a list on the command line: the first in sentences, all of them in a workbook, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import typer

from dialer.cases.reveals import note_work_reveal
from dialer.core.errors import Invalid
from dialer.core.text import Lang, Text
from dialer.intake.records import Column, RejectedRow, write_rejects
from dialer.language.words import bilingual, sentence
from dialer.runtime.services import Application

_MOST_SHOWN = 50


class ReadList(Protocol):
    """What became of a list: its columns, and its rejected rows in their order."""

    @property
    def columns(self) -> tuple[Column, ...]: ...
    @property
    def rejects(self) -> Sequence[RejectedRow]: ...


def open_list_file(file: Path) -> BinaryIO:
    """The file, opened for reading. Raises `Invalid` if it cannot be read."""
    try:
        return file.open("rb")
    except OSError:
        raise Invalid(field="FILE", problem=Text("%(file)s cannot be read", file=file)) from None


def reject_workbook(
    app: Application, name: str, *, subject: str, by: str, otherwise: tuple[str, str] = ("", "")
) -> Path | None:
    """The path of a new workbook of rejected rows in the data folder, readable by its owner only: it will contain
    personal data in clear, which is audited with `subject`. No reason is asked for, since a user of this machine has
    the list too. None where the folder cannot be written; then a message says so, with `otherwise` in Chinese and
    English, and the list is loaded nevertheless.
    """
    folder = app.settings.data_dir / "rejects"
    path = folder / f"{name}.xlsx"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
    except OSError as fault:
        zh, en = otherwise
        warning = f"未通过数据文件未能写入{zh} the rejected rows were not written{en}"
        typer.echo(f"{warning}: {path}: {fault.strerror}", err=True)
        return None
    with app.services.store.begin() as tx:
        note_work_reveal(tx, app.services, who=by, act="export_rejects", subject=subject, why="terminal")
    return path


def write_rejected(app: Application, done: ReadList, name: str, *, subject: str, by: str) -> Path | None:
    """The workbook of a list's rejected rows; None where there are none, or it cannot be written."""
    if not done.rejects:
        return None
    path = reject_workbook(app, name, subject=subject, by=by)
    if path is not None:
        write_rejects(path, done.columns, _merge_by_row(done.rejects))
    return path


def _merge_by_row(rejects: Iterable[RejectedRow]) -> Iterable[RejectedRow]:
    """The rejected rows, each row once with all its faults."""
    found: dict[tuple[int, str, int], RejectedRow] = {}
    for reject in rejects:
        place = (reject.table, reject.sheet, reject.line)
        before = found.get(place)
        found[place] = (
            reject
            if before is None
            else replace(
                before,
                reason=Text(
                    "%(reason)s; %(column)s: %(further)s",
                    reason=before.reason,
                    column=reject.column,
                    further=reject.reason,
                ),
            )
        )
    return found.values()


def say_rejects(done: ReadList, file: Path | None) -> None:
    """Prints the first rejected rows, how many more there are, and the file that has all of them."""
    for reject in done.rejects[:_MOST_SHOWN]:
        typer.echo(f"第 {reject.line} 行 line {reject.line} · {reject.column}: {bilingual(reject.reason)}")
    if len(done.rejects) > _MOST_SHOWN:
        typer.echo(f"… {len(done.rejects) - _MOST_SHOWN} more")
    if file is not None:
        typer.echo(f"未通过数据 rejected rows: {file}")


def rejects_json(done: ReadList, file: Path | None) -> dict[str, Any]:
    """`rejects`, one object for each row, and `reject_file`, null without one."""
    return {
        "rejects": [
            {
                "line": reject.line,
                "sheet": reject.sheet,
                "column": reject.column,
                "reason": sentence(reject.reason, Lang.EN),
                "reason_zh": sentence(reject.reason, Lang.ZH),
            }
            for reject in done.rejects
        ],
        "reject_file": None if file is None else str(file),
    }
