"""The lists that were loaded: which, by whom, how far they are, and what came of them."""

from __future__ import annotations

from dataclasses import dataclass

from dialer.errors import NotFound
from dialer.intake.records import Column
from dialer.store import loads
from dialer.store.reads import load_lines
from dialer.store.reads.load_lines import CameOfIt, LoadLine, LoadPage, RejectLine
from dialer.usecases.engine import Engine

SHOWN_REJECTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    waiting: tuple[LoadLine, ...]
    """For a second person."""
    page: LoadPage


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadFile:
    line: LoadLine
    columns: tuple[Column, ...]
    rejects: tuple[RejectLine, ...]
    """The first of them."""


def show_loads(engine: Engine, *, seen_by: int | None, before_id: int | None, limit: int) -> Overview:
    """Newest first; `before_id` is where the last page ended."""
    with engine.store.begin() as tx:
        return Overview(
            waiting=load_lines.waiting(tx, seen=seen_by) if before_id is None else (),
            page=load_lines.page(tx, seen=seen_by, before_id=before_id, limit=limit),
        )


def show_load(engine: Engine, load_id: int, *, seen_by: int | None) -> LoadFile:
    """Raises `NotFound` for one that is not there, or that this unit does not see."""
    with engine.store.begin() as tx:
        line = load_lines.one(tx, load_id, seen=seen_by)
        if line is None:
            raise NotFound(kind="load", key=load_id)
        return LoadFile(
            line=line,
            columns=tuple(Column.of(plain) for plain in loads.columns(tx, load_id)),
            rejects=load_lines.reject_lines(tx, load_id, limit=SHOWN_REJECTS),
        )


def came_of_load(engine: Engine, load_id: int, *, seen_by: int | None) -> CameOfIt:
    """Raises `NotFound`."""
    with engine.store.begin() as tx:
        if load_lines.one(tx, load_id, seen=seen_by) is None:
            raise NotFound(kind="load", key=load_id)
        return load_lines.came_of(tx, load_id, seen=seen_by)


def check_load_seen(engine: Engine, load_id: int, *, seen_by: int | None) -> None:
    """Raises `NotFound`. A list stays its unit's, so that this holds for the act that follows."""
    with engine.store.begin() as tx:
        if load_lines.one(tx, load_id, seen=seen_by) is None:
            raise NotFound(kind="load", key=load_id)


def known_sources(engine: Engine, *, seen_by: int | None) -> list[str]:
    """What lists have lately come from, to choose from."""
    with engine.store.begin() as tx:
        return load_lines.sources(tx, seen=seen_by)
