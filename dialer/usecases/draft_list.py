"""A list is dropped, looked at, and then loaded or forgotten. It is uploaded once: between the two it is kept sealed,
as every list is until it is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from itertools import islice
from typing import BinaryIO

from dialer.domain.access import actor_name
from dialer.domain.load import LoadState
from dialer.errors import Invalid, NoPhoneColumn, NotFound
from dialer.intake.reader import default_source, read_list
from dialer.intake.records import Field
from dialer.store import audits, drafts, load_acts, loads
from dialer.store.loads import Load
from dialer.store.reads import load_lines
from dialer.store.reads.load_lines import LoadLine
from dialer.store.unit_of_work import Tx
from dialer.usecases.decide_load import correct_columns
from dialer.usecases.engine import Engine
from dialer.usecases.load_list import kept_file, options_of

KEPT = timedelta(hours=4)
"""Nobody having come back to it for so long, a list that was only looked at is gone, and its file with it."""
LONGEST_SOURCE = 100


def draft_list(
    engine: Engine, content: BinaryIO, *, filename: str, source: str, by: str, unit_id: int | None
) -> int:
    """The file is kept, sealed, for whoever dropped it; its id. Raises `UnusableFile` for what cannot be a list, of
    which nothing is kept; one whose phone column is not recognised is kept: a person can say which it is.
    """
    who, named = actor_name(by), _source(source)
    try:
        options = options_of(engine, source=named, filename=filename)
        read_list(content, filename=filename, options=options).close()
    except NoPhoneColumn as fault:
        if not fault.headings:
            raise
    content.seek(0)
    with engine.store.begin() as tx:
        now = engine.clock.now()
        draft_id = loads.create(
            tx,
            filename=filename,
            source=named,
            content=content,
            by=who,
            now=now,
            unit_id=unit_id,
            state=LoadState.DRAFT,
        )
        drafts.keep(tx, draft_id, until=engine.real.now() + KEPT)
    return draft_id


def drafts_of(engine: Engine, *, by: str) -> tuple[LoadLine, ...]:
    """What somebody has dropped and not loaded, newest first."""
    with engine.store.begin() as tx:
        return load_lines.drafts(tx, by=by)


def show_draft(engine: Engine, draft_id: int, *, by: str) -> LoadLine:
    """Raises `NotFound` for what is no draft, or somebody else's."""
    with engine.store.begin() as tx:
        found = load_lines.draft(tx, draft_id, by=by)
    if found is None:
        raise NotFound(kind="draft", key=draft_id)
    return found


def open_draft(tx: Tx, draft_id: int, *, by: str) -> Load:
    """Raises `NotFound` for what is no draft, or somebody else's."""
    found = loads.get(tx, draft_id) if drafts.is_mine(tx, draft_id, by=by) else None
    if found is None:
        raise NotFound(kind="draft", key=draft_id)
    return found


def correct_draft(
    engine: Engine, draft_id: int, columns: Mapping[str, Field | None], *, source: str, by: str
) -> None:
    """This list, and every later one of its source, is understood so: `columns` by heading, None for one that carries
    nothing that we know. What is understood so already is not kept as a correction. Raises `NotFound`, `Invalid`.
    """
    who = actor_name(by)
    named = _source(source)
    with engine.store.begin() as tx:
        draft = open_draft(tx, draft_id, by=who)
        understood = {plain["heading"]: plain["field"] for plain in reversed(loads.columns(tx, draft_id))}
        drafts.rename(tx, draft_id, source=named)
    changed = {
        heading: meant
        for heading, meant in columns.items()
        if heading and (meant.value if meant else None) != understood.get(heading)
    }
    if changed:
        correct_columns(engine, named or default_source(draft.filename), changed, by=who)


def forget_corrections(engine: Engine, draft_id: int, *, by: str) -> None:
    """The headings of this list's source stand for themselves again. Raises `NotFound`."""
    who = actor_name(by)
    with engine.store.begin() as tx:
        draft = open_draft(tx, draft_id, by=who)
        source = draft.source or default_source(draft.filename)
        load_acts.forget_mapping(tx, source)
        drafts.rename(tx, draft_id, source=draft.source)
        audits.write(
            tx, who=who, act="forget_columns", subject="list_mapping", why=source, now=engine.clock.now()
        )


def load_draft(engine: Engine, draft_id: int, *, by: str) -> bool:
    """It waits for a worker; True when it is so large that a second person must let in all but its high grades. Raises
    `NotFound`, `UnusableFile`.
    """
    who = actor_name(by)
    with engine.store.begin() as tx:
        draft = open_draft(tx, draft_id, by=who)
    most = engine.work.approve_above_rows
    rows = draft.total if draft.total is not None else _rows_up_to(engine, draft, most + 1)
    with engine.store.begin() as tx:
        now = engine.clock.now()
        if not drafts.release(tx, draft_id, by=who, needs_approval=0 < most < rows, now=now):
            raise NotFound(kind="draft", key=draft_id)
        audits.write(
            tx,
            who=who,
            act="load_list",
            subject=f"list_load/{draft_id}",
            why="",
            now=now,
            facts={"rows": draft.total} if draft.total is not None else {},
        )
    engine.nudge("load_list", draft_id)
    return 0 < most < rows


def forget_draft(engine: Engine, draft_id: int, *, by: str) -> None:
    """It and its file are gone, as if they had never been here. Raises `NotFound`."""
    who = actor_name(by)
    with engine.store.begin() as tx:
        if not drafts.forget(tx, draft_id, by=who):
            raise NotFound(kind="draft", key=draft_id)


def forget_old_drafts(engine: Engine) -> int:
    with engine.store.begin() as tx:
        return drafts.forget_old(tx, real_now=engine.real.now())


def _rows_up_to(engine: Engine, draft: Load, most: int) -> int:
    options = options_of(engine, source=draft.source, filename=draft.filename)
    with (
        kept_file(engine, draft.id) as content,
        read_list(content, filename=draft.filename, options=options) as reader,
    ):
        return sum(1 for _ in islice(reader, most))


def _source(text: str) -> str:
    source = " ".join(text.split())
    if len(source) > LONGEST_SOURCE:
        raise Invalid(field="source", problem="is longer than 100 characters")
    return source
