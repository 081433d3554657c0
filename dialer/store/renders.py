"""The making of sound for versions of scripts: asked for, worked on by one process at a time, done or failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dialer.domain.script_life import RenderState
from dialer.errors import NotFound
from dialer.store import tables as t
from dialer.store.unit_of_work import Row, Tx

_OPEN = (RenderState.WAITING.value, RenderState.RUNNING.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Render:
    """`done` of `total` prompts are made. `clips` as `audio.clips.to_plain` writes them."""

    id: int
    version_id: int
    state: RenderState
    done: int
    total: int
    clips: tuple[Mapping[str, Any], ...]
    error: str
    asked_by: str
    asked_at: datetime
    ended_at: datetime | None


def newest(tx: Tx, version_id: int) -> Render | None:
    row = tx.one(
        sa.select(t.script_render)
        .where(t.script_render.c.version_id == version_id)
        .order_by(t.script_render.c.id.desc())
        .limit(1)
    )
    return None if row is None else _render(row)


def get(tx: Tx, render_id: int) -> Render:
    """Raises `NotFound`."""
    row = tx.one(sa.select(t.script_render).where(t.script_render.c.id == render_id))
    if row is None:
        raise NotFound(kind="rendering", key=render_id)
    return _render(row)


def ask(tx: Tx, version_id: int, *, total: int, by: str, now: datetime) -> int:
    """The rendering of a version that is under way, begun when there is none. The version's lock is held."""
    under_way = newest(tx, version_id)
    if under_way is not None and under_way.state.is_open:
        return under_way.id
    render_id: int = tx.scalar(
        sa.insert(t.script_render)
        .values(
            version_id=version_id,
            state=RenderState.WAITING.value,
            total=total,
            clips=[],
            asked_by=by,
            asked_at=now,
        )
        .returning(t.script_render.c.id)
    )
    return render_id


def take(tx: Tx, render_id: int, *, real_now: datetime, lease_until: datetime) -> Render | None:
    """Ours until then; None when it is over, or another process has it."""
    row = tx.one(
        sa.update(t.script_render)
        .where(
            t.script_render.c.id == render_id,
            t.script_render.c.state.in_(_OPEN),
            sa.or_(t.script_render.c.lease_until.is_(None), t.script_render.c.lease_until <= real_now),
        )
        .values(state=RenderState.RUNNING.value, lease_until=lease_until)
        .returning(t.script_render)
    )
    return None if row is None else _render(row)


def advance(
    tx: Tx, render_id: int, *, done: int, clips: Sequence[Mapping[str, Any]], lease_until: datetime | None
) -> None:
    """So far it has come; without a lease anybody may go on."""
    tx.execute(
        sa.update(t.script_render)
        .where(t.script_render.c.id == render_id)
        .values(done=done, clips=list(clips), lease_until=lease_until)
    )


def end(tx: Tx, render_id: int, state: RenderState, *, now: datetime, error: str = "") -> None:
    tx.execute(
        sa.update(t.script_render)
        .where(t.script_render.c.id == render_id, t.script_render.c.state.in_(_OPEN))
        .values(state=state.value, ended_at=now, error=error, lease_until=None)
    )


def unfinished(tx: Tx, *, real_now: datetime) -> list[int]:
    """Those that nobody is working on."""
    statement = (
        sa.select(t.script_render.c.id)
        .where(
            t.script_render.c.state.in_(_OPEN),
            sa.or_(t.script_render.c.lease_until.is_(None), t.script_render.c.lease_until <= real_now),
        )
        .order_by(t.script_render.c.id)
    )
    return [row["id"] for row in tx.rows(statement)]


def _render(row: Row) -> Render:
    names = ("id", "version_id", "done", "total", "error", "asked_by", "asked_at", "ended_at")
    return Render(
        **{name: row[name] for name in names}, state=RenderState(row["state"]), clips=tuple(row["clips"])
    )
