"""The rejected rows of a list or draft: as a workbook, masked or in clear, and corrected cell by cell by who loaded it.
Corrected rows become a draft of the same source.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dialer.cases.reveals import note_export, note_reveal
from dialer.core.access import Actor, Permission, RevealReason, is_same_actor
from dialer.core.errors import Conflict, NotFound
from dialer.core.text import gettext_noop
from dialer.db.unit_of_work import Tx
from dialer.intake.reader import default_source
from dialer.intake.records import (
    Column,
    Field,
    Rejected,
    RejectedRow,
    masked_rows,
    write_rejects,
)
from dialer.runtime.services import Services
from dialer.warnings.list_store import Load, columns_of_load, get_draft, get_load, rejects_of_load
from dialer.warnings.lists import check_load_visible, reading
from dialer.warnings.preview import draft_list


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """Why somebody needs rejected rows in clear."""

    reason: RevealReason | str
    words: str


def write_reject_list(services: Services, load_id: int, path: Path, *, in_clear: bool) -> int:
    """Writes the rejected rows to `path`; returns how many. In clear only for a caller that has audited it. Raises
    `NotFound`.
    """
    with services.store.begin() as tx:
        load = get_load(tx, load_id)
        columns = columns_of_load(tx, load_id)
        rejects: Iterable[RejectedRow] = rejects_of_load(tx, load_id).values()
    if not in_clear:
        rejects = masked_rows(columns, rejects)
    return write_rejects(path, columns, rejects, source=load.source or default_source(load.filename))


def export_rejects(
    services: Services, actor: Actor, load_id: int, path: Path, *, why: Why | None = None
) -> int:
    """Like `write_reject_list`, but audited first; masked without `why`. Raises `NotFound`, `Invalid` and `TooMany`."""
    check_load_visible(services, load_id, visible_to=actor.unit_id)
    _audit_export(services, actor, load_id, why=why)
    return write_reject_list(services, load_id, path, in_clear=why is not None)


def export_own_rejects(services: Services, actor: Actor, load_id: int, path: Path) -> int:
    """The rejected rows of a list in clear, for the person who loaded it and had them in the file, to correct them.
    Audited first. Raises `NotFound`, also for the list of somebody else.
    """
    check_load_visible(services, load_id, visible_to=actor.unit_id)
    with services.act(actor, Permission.LOAD_LISTS) as act:
        if not is_same_actor(get_load(act.tx, load_id).by, actor.name):
            raise NotFound(kind="load", key=load_id)
        act.audit("export", f"list_load/{load_id}", facts=_OWN_REJECTS)
    return write_reject_list(services, load_id, path, in_clear=True)


_OWN_REJECTS: Mapping[str, object] = {"what": "rejects", "in_clear": True}


def _audit_export(services: Services, actor: Actor, load_id: int, *, why: Why | None) -> None:
    subject = f"list_load/{load_id}"
    if why is None:
        with services.act(actor, Permission.LOAD_LISTS) as act:
            note_export(act, services, subject=subject, facts={"what": "rejects"})
        return
    with services.act(actor, Permission.REVEAL_LISTS) as act:
        note_reveal(act, services, name="export_rejects", subject=subject, reason=why.reason, why=why.words)


def export_draft_rejects(
    services: Services, actor: Actor, draft_id: int, path: Path, *, why: Why | None = None
) -> int:
    """Like `export_rejects`, for a draft, which is read again to its end. Also raises `UnusableFile`."""
    with services.store.begin() as tx:
        draft = get_draft(tx, draft_id, by=actor.name)
    _audit_export(services, actor, draft_id, why=why)
    return _write_draft_rejects(services, draft, path, in_clear=why is not None)


def export_own_draft_rejects(services: Services, actor: Actor, draft_id: int, path: Path) -> int:
    """Like `export_own_rejects`, for a draft, which only its owner has. Also raises `UnusableFile`."""
    with services.act(actor, Permission.LOAD_LISTS) as act:
        draft = get_draft(act.tx, draft_id, by=actor.name)
        act.audit("export", f"list_load/{draft_id}", facts=_OWN_REJECTS)
    return _write_draft_rejects(services, draft, path, in_clear=True)


def _write_draft_rejects(services: Services, draft: Load, path: Path, *, in_clear: bool) -> int:
    # The columns of all tables of the file are known only at its end.
    with reading(services, draft) as reader:
        for _ in reader:
            pass
        columns = reader.columns
    with reading(services, draft) as reader:
        rejects: Iterable[RejectedRow] = (item for item in reader if isinstance(item, Rejected))
        if not in_clear:
            rejects = masked_rows(columns, rejects)
        return write_rejects(path, columns, rejects, source=draft.source or default_source(draft.filename))


ROWS_AT_ONCE = 20
"""Rejected rows of one page to correct."""
_MOST_CELLS = 24
"""Cells of one row that are shown: with more, columns without a field are left as they are."""
_NOT_CORRECTED = frozenset({Field.REJECTION, Field.ROW_NUMBER})


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectableCell:
    """A cell of a rejected row, in clear."""

    index: int
    heading: str
    text: str
    is_wrong: bool
    """It is the first one that must be corrected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectableRow:
    """A rejected row with the cells that can be corrected, in the order of the file."""

    id: int
    row: RejectedRow
    cells: tuple[CorrectableCell, ...]


def rows_to_correct(
    services: Services, actor: Actor, load_id: int, *, after: int = 0
) -> tuple[CorrectableRow, ...]:
    """The next `ROWS_AT_ONCE` rejected rows after the row with the id `after`, in clear, for the person who loaded the
    list. Audited first. Raises `NotFound`, also for the list of somebody else.
    """
    check_load_visible(services, load_id, visible_to=actor.unit_id)
    with services.act(actor, Permission.LOAD_LISTS) as act:
        _, _, rows = _own_rows(act.tx, actor, load_id, after=after)
        lines = [row.row.line for row in rows]
        act.audit("show_rejects", f"list_load/{load_id}", facts={"lines": lines})
    return rows


def _own_rows(
    tx: Tx, actor: Actor, load_id: int, *, after: int
) -> tuple[Load, tuple[Column, ...], tuple[CorrectableRow, ...]]:
    load = get_load(tx, load_id)
    if not is_same_actor(load.by, actor.name):
        raise NotFound(kind="load", key=load_id)
    columns = columns_of_load(tx, load_id)
    found = rejects_of_load(tx, load_id, after=after, limit=ROWS_AT_ONCE)
    rows = tuple(
        CorrectableRow(id=row_id, row=row, cells=tuple(_cells(columns, row))) for row_id, row in found.items()
    )
    return load, columns, rows


def _cells(columns: Sequence[Column], row: RejectedRow) -> list[CorrectableCell]:
    own = [column for column in columns if column.table == row.table and column.field not in _NOT_CORRECTED]
    if len(own) > _MOST_CELLS:
        own = [column for column in own if column.field is not None or column.heading == row.column][
            :_MOST_CELLS
        ]
    wrong = next((column.index for column in own if column.heading == row.column), -1)
    return [
        CorrectableCell(
            index=column.index,
            heading=column.heading or column.letter,
            text=row.raw[column.index] if column.index < len(row.raw) else "",
            is_wrong=column.index == wrong,
        )
        for column in own
    ]


def correct_rows(
    services: Services,
    actor: Actor,
    load_id: int,
    typed: Sequence[str],
    *,
    row_ids: Sequence[int],
    after: int,
) -> int:
    """Makes a draft, of the source of the list, of the rows that were changed; returns its id. `typed` has the cells of
    the rows that `rows_to_correct` gave after the row `after`, one after another. Raises `NotFound`, `Conflict` if
    nothing was changed or the rows are others by now, and what `draft_list` raises.
    """
    check_load_visible(services, load_id, visible_to=actor.unit_id)
    with services.act(actor, Permission.LOAD_LISTS) as act:
        load, columns, rows = _own_rows(act.tx, actor, load_id, after=after)
        cells = iter(typed)
        if [row.id for row in rows] != list(row_ids) or len(typed) != sum(len(row.cells) for row in rows):
            raise Conflict(gettext_noop("these rows have changed meanwhile: correct them as they are now"))
        fixed = [_with_cells(row, [next(cells) for _ in row.cells]) for row in rows]
        changed = [row for row in fixed if row is not None]
        if not changed:
            raise Conflict(gettext_noop("nothing was changed: correct at least one row"))
        act.audit("correct_rejects", f"list_load/{load_id}", facts={"lines": [row.line for row in changed]})
    source = load.source or default_source(load.filename)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.xlsx"
        write_rejects(path, columns, changed, source=source)
        with path.open("rb") as content:
            name = f"{Path(load.filename).stem[:80]}-{load_id}.xlsx"
            return draft_list(services, actor, content, filename=name, source=source)


def _with_cells(row: CorrectableRow, typed: Sequence[str]) -> RejectedRow | None:
    """The row as it was corrected; None if it was not. A field of a form has no line breaks."""
    raw = list(row.row.raw)
    for cell, text in zip(row.cells, typed, strict=True):
        if text.split() != cell.text.split():
            raw += [""] * (cell.index + 1 - len(raw))
            raw[cell.index] = text.strip()
    return None if tuple(raw) == row.row.raw else replace(row.row, raw=tuple(raw))
