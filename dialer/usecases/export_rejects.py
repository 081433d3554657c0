"""The refused rows of a list as the office mends them: a workbook in its own columns, with the place and the reason."""

from __future__ import annotations

from pathlib import Path

from dialer.domain.access import actor_name
from dialer.errors import NotFound
from dialer.intake.reader import default_source, read_list
from dialer.intake.records import Column, Rejected
from dialer.intake.reject_file import write_rejects
from dialer.store import audits, loads
from dialer.usecases.draft_list import open_draft
from dialer.usecases.engine import Engine
from dialer.usecases.load_list import kept_file, options_of
from dialer.usecases.show_loads import check_load_seen


def write_reject_list(engine: Engine, load_id: int, path: Path) -> int:
    """The file is there afterwards; how many rows. Raises `NotFound`."""
    with engine.store.begin() as tx:
        load = loads.get(tx, load_id)
        if load is None:
            raise NotFound(kind="load", key=load_id)
        columns = [Column.of(plain) for plain in loads.columns(tx, load_id)]
        rejects = loads.rejects(tx, load_id)
    return write_rejects(path, columns, rejects, source=load.source or default_source(load.filename))


def export_rejects(engine: Engine, load_id: int, path: Path, *, who: str, seen_by: int | None) -> int:
    """As `write_reject_list`, and that they left is in the audit first. Raises `NotFound`."""
    viewer = actor_name(who)
    check_load_seen(engine, load_id, seen_by=seen_by)
    _note(engine, load_id, who=viewer)
    return write_reject_list(engine, load_id, path)


def export_draft_rejects(engine: Engine, draft_id: int, path: Path, *, who: str) -> int:
    """Of a list that is only looked at, read anew to its end. Raises `NotFound`, `UnusableFile`."""
    viewer = actor_name(who)
    with engine.store.begin() as tx:
        draft = open_draft(tx, draft_id, by=viewer)
    _note(engine, draft_id, who=viewer)
    options = options_of(engine, source=draft.source, filename=draft.filename)
    with kept_file(engine, draft_id) as content:
        # Which columns a later table of the file has is known only behind it.
        with read_list(content, filename=draft.filename, options=options) as reader:
            for _ in reader:
                pass
            columns = reader.columns
        content.seek(0)
        with read_list(content, filename=draft.filename, options=options) as reader:
            rejects = (item for item in reader if isinstance(item, Rejected))
            return write_rejects(
                path, columns, rejects, source=draft.source or default_source(draft.filename)
            )


def _note(engine: Engine, load_id: int, *, who: str) -> None:
    with engine.store.begin() as tx:
        audits.write(
            tx,
            who=who,
            act="export",
            subject=f"list_load/{load_id}",
            why="",
            now=engine.clock.now(),
            facts={"what": "rejects"},
        )
