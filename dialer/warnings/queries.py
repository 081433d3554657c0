"""Lists as the console shows them: state, progress, people and the outcome of their cases, as far
as a unit sees them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dialer.core.case import STANDING_STATUSES, CaseStatus
from dialer.core.errors import NotFound
from dialer.core.values import Contact, LoadState, PauseScope
from dialer.db import tables as t
from dialer.db.bulk import in_words
from dialer.db.measures import COUNTED_RESULT, NO_FOLLOW_UP
from dialer.db.unit_of_work import Row, Tx, record_of
from dialer.db.units import is_visible_to
from dialer.warnings.list_store import AWAITS_APPROVAL, LOAD_COLUMNS, Load

_c = t.list_load.c
_IS_LIST = _c.state != LoadState.DRAFT.value


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadLine(Load):
    """A list with the names of the people involved and its pause; '' and None where there is none."""

    by_name: str
    unit_name: str
    decided_by_name: str
    paused_until: datetime | None
    paused_by: str
    paused_why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPage:
    """A page of lists. `next_before_id` is where the next page begins; None on the last one."""

    lines: tuple[LoadLine, ...]
    next_before_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOutcome:
    """Counts of the cases that a list opened or joined, as far as the unit sees them."""

    cases: int
    called: int
    reached: int
    dissuaded: int
    is_open: int


def load_page(tx: Tx, *, visible_to: int | None, before_id: int | None, limit: int) -> LoadPage:
    """Lists, newest first, without those that wait for approval."""
    statement = _lines(visible_to).where(~AWAITS_APPROVAL)
    if before_id is not None:
        statement = statement.where(_c.id < before_id)
    rows = tx.rows(statement.order_by(_c.id.desc()).limit(limit + 1))
    shown = tuple(record_of(LoadLine, row) for row in rows[:limit])
    return LoadPage(lines=shown, next_before_id=shown[-1].id if len(rows) > limit else None)


def loads_waiting(tx: Tx, *, visible_to: int | None) -> tuple[LoadLine, ...]:
    """Lists that wait for approval, the oldest first."""
    rows = tx.rows(_lines(visible_to).where(AWAITS_APPROVAL).order_by(_c.id).limit(100))
    return tuple(record_of(LoadLine, row) for row in rows)


def load_line(tx: Tx, load_id: int, *, visible_to: int | None) -> LoadLine:
    """The list. Raises `NotFound` for a draft, and for a list that this unit does not see."""
    row = tx.one(_lines(visible_to).where(_c.id == load_id))
    if row is None:
        raise NotFound(kind="load", key=load_id)
    return record_of(LoadLine, row)


def recent_sources(tx: Tx, *, visible_to: int | None) -> list[str]:
    """The sources of the last 200 lists, sorted."""
    recent = (
        sa.select(_c.source)
        .where(_c.source != "", _IS_LIST, is_visible_to(_c.unit_id, visible_to))
        .order_by(_c.id.desc())
        .limit(200)
        .subquery()
    )
    return [row["source"] for row in tx.rows(sa.select(recent.c.source).distinct().order_by(recent.c.source))]


def load_outcome_of(tx: Tx, load_id: int, *, visible_to: int | None) -> LoadOutcome:
    """The outcome as of now, counted from the cases themselves."""
    c = t.case.c
    touched = sa.select(t.warning.c.case_id).where(t.warning.c.load_id == load_id).distinct()
    called = sa.exists().where(
        t.attempt.c.case_id == c.id,
        t.attempt.c.sent_at.is_not(None),
        sa.text(f"{NO_FOLLOW_UP} AND {COUNTED_RESULT}"),
    )
    conditions = {
        "called": called,
        "reached": c.contact == Contact.VERIFIED.value,
        "dissuaded": in_words(c.status, STANDING_STATUSES),
        "is_open": c.status == CaseStatus.OPEN.value,
    }
    counts = [sa.func.count().filter(condition).label(name) for name, condition in conditions.items()]
    row = tx.one(
        sa.select(sa.func.count().label("cases"), *counts).where(
            c.id.in_(touched), is_visible_to(c.unit_id, visible_to)
        )
    )
    assert row is not None
    return LoadOutcome(**row)


def _lines(visible_to: int | None) -> sa.Select[Any]:
    loader, decider, pause = t.staff.alias(), t.staff.alias(), t.hold
    pauses = sa.and_(
        pause.c.scope == PauseScope.LOAD.value,
        pause.c.subject == sa.cast(_c.id, sa.Text),
        pause.c.ended_at.is_(None),
    )
    names = {
        "by_name": loader.c.display_name,
        "decided_by_name": decider.c.display_name,
        "unit_name": t.unit.c.name,
        "paused_until": pause.c.until,
        "paused_by": pause.c.by,
        "paused_why": pause.c.why,
    }
    return (
        sa.select(
            *LOAD_COLUMNS,
            *(column.label(name) for name, column in names.items()),
        )
        .join(loader, loader.c.login == _c.by, isouter=True)
        .join(decider, decider.c.login == _c.decided_by, isouter=True)
        .join(t.unit, t.unit.c.id == _c.unit_id, isouter=True)
        .join(pause, pauses, isouter=True)
        .where(_IS_LIST, is_visible_to(_c.unit_id, visible_to))
    )


def first_reject_lines(tx: Tx, load_id: int, *, limit: int) -> list[Row]:
    """Sheet, line, column, reason as stored and high_grade of the first rejected rows, in the order of the file."""
    c = t.list_reject.c
    columns = (c.sheet, c.line, c.column, c.reason, c.high_grade)
    return tx.rows(sa.select(*columns).where(c.load_id == load_id).order_by(c.id).limit(limit))


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentLoad:
    """A list or draft to choose from."""

    id: int
    filename: str
    created_at: datetime


def recent_loads(tx: Tx, *, limit: int = 50) -> list[RecentLoad]:
    """The newest lists and drafts."""
    rows = tx.rows(sa.select(_c.id, _c.filename, _c.created_at).order_by(_c.id.desc()).limit(limit))
    return [RecentLoad(**row) for row in rows]
