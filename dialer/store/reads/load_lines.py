"""Loaded lists as a page shows them: who loaded what, how far it is, what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dialer.domain.case import CaseStatus
from dialer.domain.load import LoadState
from dialer.domain.pause import PauseScope
from dialer.domain.values import Contact
from dialer.language import Text
from dialer.store import tables as t
from dialer.store.reads.measures import COUNTED_RESULT
from dialer.store.seen import seen_by
from dialer.store.unit_of_work import Row, Tx

_UNFINISHED = (LoadState.WAITING.value, LoadState.RUNNING.value, LoadState.HELD.value)
_OVER = (LoadState.DONE.value, LoadState.FAILED.value, LoadState.WITHDRAWN.value)
_PLAIN = (
    "id", "filename", "size_bytes", "total", "rows", "accepted", "merged", "duplicate", "rejected", "skipped",
    "notices", "by", "created_at", "finished_at", "early_line", "early_accepted", "needs_approval",
    "decided_at", "next_line",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadLine:
    id: int
    filename: str
    source: str
    state: LoadState
    size_bytes: int
    total: int | None
    """How many rows it has; None until somebody has read to its end."""
    next_line: int
    rows: int
    accepted: int
    merged: int
    duplicate: int
    rejected: int
    skipped: int
    notices: int
    error: str
    by: str
    by_name: str
    unit_name: str
    created_at: datetime
    finished_at: datetime | None
    needs_approval: bool
    early_line: int
    early_accepted: int
    decided_by: str
    decided_by_name: str
    decided_at: datetime | None
    paused_until: datetime | None
    paused_by: str
    paused_why: str

    @property
    def waits(self) -> bool:
        """But for its high grades it waits for a second person."""
        return self.needs_approval and self.decided_at is None and self.state.value in _UNFINISHED

    @property
    def is_moving(self) -> bool:
        return self.state in {LoadState.WAITING, LoadState.RUNNING}

    @property
    def done(self) -> int:
        """Rows that are dealt with; while it waits for a second person those that were looked through."""
        return self.early_line if self.waits else self.next_line


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPage:
    lines: tuple[LoadLine, ...]
    next_before_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CameOfIt:
    """Of the cases that a list opened or joined, as far as the reader sees them."""

    cases: int
    rung: int
    reached: int
    dissuaded: int
    is_open: int


def page(tx: Tx, *, seen: int | None, before_id: int | None, limit: int) -> LoadPage:
    """Newest first; those that wait for a second person are not among them."""
    c = t.list_load.c
    statement = _lines(seen).where(c.state != LoadState.DRAFT.value, ~_waiting())
    if before_id is not None:
        statement = statement.where(c.id < before_id)
    rows = tx.rows(statement.order_by(c.id.desc()).limit(limit + 1))
    shown = [_line(row) for row in rows[:limit]]
    return LoadPage(lines=tuple(shown), next_before_id=shown[-1].id if len(rows) > limit else None)


def waiting(tx: Tx, *, seen: int | None) -> tuple[LoadLine, ...]:
    """Those that wait for a second person, the oldest first."""
    rows = tx.rows(_lines(seen).where(_waiting()).order_by(t.list_load.c.id).limit(100))
    return tuple(_line(row) for row in rows)


def drafts(tx: Tx, *, by: str) -> tuple[LoadLine, ...]:
    """What somebody dropped and has not loaded."""
    rows = tx.rows(_drafts(by).order_by(t.list_load.c.id.desc()).limit(20))
    return tuple(_line(row) for row in rows)


def draft(tx: Tx, draft_id: int, *, by: str) -> LoadLine | None:
    """None for what is no draft, or somebody else's."""
    row = tx.one(_drafts(by).where(t.list_load.c.id == draft_id))
    return None if row is None else _line(row)


def one(tx: Tx, load_id: int, *, seen: int | None) -> LoadLine | None:
    c = t.list_load.c
    row = tx.one(_lines(seen).where(c.id == load_id, c.state != LoadState.DRAFT.value))
    return None if row is None else _line(row)


def sources(tx: Tx, *, seen: int | None) -> list[str]:
    """What lists have lately come from."""
    c = t.list_load.c
    recent = (
        sa.select(c.source)
        .where(c.source != "", c.state != LoadState.DRAFT.value, seen_by(c.unit_id, seen))
        .order_by(c.id.desc())
        .limit(200)
        .subquery()
    )
    return [row["source"] for row in tx.rows(sa.select(recent.c.source).distinct().order_by(recent.c.source))]


def came_of(tx: Tx, load_id: int, *, seen: int | None) -> CameOfIt:
    c = t.case.c
    touched = sa.select(t.warning.c.case_id).where(t.warning.c.load_id == load_id).distinct()

    def counted(*conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.count().filter(*conditions)

    called = sa.exists().where(
        t.attempt.c.case_id == c.id, t.attempt.c.sent_at.is_not(None), sa.text(COUNTED_RESULT)
    )
    successes = [CaseStatus.WATCHING.value, CaseStatus.PROVEN.value]
    row = tx.one(
        sa.select(
            sa.func.count().label("cases"),
            counted(called).label("rung"),
            counted(c.contact == Contact.VERIFIED.value).label("reached"),
            counted(c.status.in_(successes)).label("dissuaded"),
            counted(c.status == CaseStatus.OPEN.value).label("is_open"),
        ).where(c.id.in_(touched), seen_by(c.unit_id, seen))
    )
    assert row is not None
    return CameOfIt(**row)


def _waiting() -> sa.ColumnElement[bool]:
    c = t.list_load.c
    return sa.and_(c.needs_approval, c.decided_at.is_(None), c.state.not_in([*_OVER, LoadState.DRAFT.value]))


def _drafts(by: str) -> sa.Select[Any]:
    return _lines(None).where(t.list_load.c.by == by, t.list_load.c.state == LoadState.DRAFT.value)


def _lines(seen: int | None) -> sa.Select[Any]:
    c = t.list_load.c
    loader, decider, hold = t.staff.alias(), t.staff.alias(), t.hold
    return (
        sa.select(
            t.list_load,
            loader.c.display_name.label("by_name"),
            decider.c.display_name.label("decided_by_name"),
            t.unit.c.name.label("unit_name"),
            hold.c.until.label("paused_until"),
            hold.c.by.label("paused_by"),
            hold.c.why.label("paused_why"),
        )
        .join(loader, loader.c.login == c.by, isouter=True)
        .join(decider, decider.c.login == c.decided_by, isouter=True)
        .join(t.unit, t.unit.c.id == c.unit_id, isouter=True)
        .join(
            hold,
            sa.and_(
                hold.c.scope == PauseScope.LOAD.value,
                hold.c.subject == sa.cast(c.id, sa.Text),
                hold.c.ended_at.is_(None),
            ),
            isouter=True,
        )
        .where(seen_by(c.unit_id, seen))
    )


def _line(row: Row) -> LoadLine:
    named: Sequence[str] = (
        "source", "error", "by_name", "decided_by", "decided_by_name", "unit_name", "paused_by", "paused_why"
    )  # fmt: skip
    facts: dict[str, Any] = {name: row[name] for name in _PLAIN} | {name: row[name] or "" for name in named}
    return LoadLine(state=LoadState(row["state"]), paused_until=row["paused_until"], **facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectLine:
    """A refused row without what stood in it."""

    sheet: str
    line: int
    column: str
    reason: Text
    high_grade: bool


def reject_lines(tx: Tx, load_id: int, *, limit: int) -> tuple[RejectLine, ...]:
    """The first ones, in the order of the file."""
    c = t.list_reject.c
    rows = tx.rows(
        sa.select(c.sheet, c.line, c.column, c.reason, c.high_grade)
        .where(c.load_id == load_id)
        .order_by(c.id)
        .limit(limit)
    )
    return tuple(RejectLine(**{**row, "reason": Text.load(row["reason"])}) for row in rows)
