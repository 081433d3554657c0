"""Warnings: accepted records, never changed. (source, instruction number) is unique, whoever loads.

Loaded lists as a page shows them: who loaded what, how far it is, what became of it.

The newest lists by name, to choose one from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from psycopg.types.json import Jsonb

from dialer.core.case import CaseStatus
from dialer.core.values import Contact, FraudType, Grade, LoadState, PauseScope, Tag, WarningKind
from dialer.db import tables as t
from dialer.db.bulk import CopyIn, RowSet
from dialer.db.measures import COUNTED_RESULT
from dialer.db.unit_of_work import Row, Tx
from dialer.db.vault import Vault
from dialer.language import Text
from dialer.org.unit_store import is_visible_to

ARRIVALS_LOCK = 0x6C6F6164
"""One batch of arrivals is written at a time: what a person or an incident is, is decided against all before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a warning says, its personal part sealed for the row `id`: made before it is known whose it is."""

    id: int
    columns: tuple[object, ...]


def lock_arrivals(tx: Tx) -> None:
    """Held to the end of the transaction."""
    tx.execute(sa.select(sa.func.pg_advisory_xact_lock(ARRIVALS_LOCK)))


def known_warning_keys(tx: Tx, keys: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of these (source, instruction number) are loaded already."""
    return {(row[0], row[1]) for row in tx.execute(_CASES_OF, _given(keys))}


def cases_of_warnings(tx: Tx, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The case that each of these (source, instruction number) belongs to; unknown ones are left out."""
    return {(row[0], row[1]): row[2] for row in tx.execute(_CASES_OF, _given(keys))}


_KEYS = RowSet.of(t.warning, "given", ("source", "instruction_no"))
_CASES_OF = sa.select(t.warning.c.source, t.warning.c.instruction_no, t.warning.c.case_id).join(
    _KEYS.clause,
    sa.and_(t.warning.c.source == _KEYS.c.source, t.warning.c.instruction_no == _KEYS.c.instruction_no),
)


def _given(keys: Sequence[tuple[str, str]]) -> dict[str, str]:
    return _KEYS.given([{"source": source, "instruction_no": number} for source, number in keys])


def warning_content(
    vault: Vault,
    *,
    warning_id: int,
    source: str,
    instruction_no: str,
    kind: WarningKind,
    fraud_type: FraudType,
    grade: Grade,
    unit: str,
    amount_at_risk_fen: int | None,
    amount_paid_fen: int | None,
    talk_seconds: int | None,
    tags: frozenset[Tag],
    missed: bool,
    notices: Sequence[Mapping[str, str]],
    event_at: datetime | None,
    produced_at: datetime | None,
    expires_at: datetime | None,
    personal: dict[str, Any],
) -> Content:
    return Content(
        id=warning_id,
        columns=(
            source,
            instruction_no,
            kind.value,
            fraud_type.value,
            grade.value,
            unit,
            amount_at_risk_fen,
            amount_paid_fen,
            talk_seconds,
            sorted(tag.value for tag in tags),
            missed,
            Jsonb(notices),
            event_at,
            produced_at,
            expires_at,
            vault.seal_record(personal, table="warning", column="sealed", row=warning_id),
        ),
    )


def write_warnings(
    tx: Tx, arrived: Iterable[tuple[Content, int, int]], *, load_id: int | None, drill: bool, now: datetime
) -> None:
    """Each with the ids of its person and its case."""
    _COPY.write(
        tx,
        [
            (one.id, person_id, case_id, load_id, drill, now, *one.columns)
            for one, person_id, case_id in arrived
        ],
    )


_COPY = CopyIn(
    t.warning,
    (
        "id",
        "person_id",
        "case_id",
        "load_id",
        "drill",
        "loaded_at",
        "source",
        "instruction_no",
        "kind",
        "fraud_type",
        "grade",
        "unit",
        "amount_at_risk_fen",
        "amount_paid_fen",
        "talk_seconds",
        "tags",
        "missed",
        "notices",
        "event_at",
        "produced_at",
        "expires_at",
        "sealed",
    ),
)


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
class LoadOutcome:
    """Of the cases that a list opened or joined, as far as the reader sees them."""

    cases: int
    rung: int
    reached: int
    dissuaded: int
    is_open: int


def load_page(tx: Tx, *, seen: int | None, before_id: int | None, limit: int) -> LoadPage:
    """Newest first; those that wait for a second person are not among them."""
    c = t.list_load.c
    statement = _lines(seen).where(c.state != LoadState.DRAFT.value, ~_waiting())
    if before_id is not None:
        statement = statement.where(c.id < before_id)
    rows = tx.rows(statement.order_by(c.id.desc()).limit(limit + 1))
    shown = [_line(row) for row in rows[:limit]]
    return LoadPage(lines=tuple(shown), next_before_id=shown[-1].id if len(rows) > limit else None)


def loads_waiting(tx: Tx, *, seen: int | None) -> tuple[LoadLine, ...]:
    """Those that wait for a second person, the oldest first."""
    rows = tx.rows(_lines(seen).where(_waiting()).order_by(t.list_load.c.id).limit(100))
    return tuple(_line(row) for row in rows)


def draft_lines(tx: Tx, *, by: str) -> tuple[LoadLine, ...]:
    """What somebody dropped and has not loaded."""
    rows = tx.rows(_drafts(by).order_by(t.list_load.c.id.desc()).limit(20))
    return tuple(_line(row) for row in rows)


def draft_line(tx: Tx, draft_id: int, *, by: str) -> LoadLine | None:
    """None for what is no draft, or somebody else's."""
    row = tx.one(_drafts(by).where(t.list_load.c.id == draft_id))
    return None if row is None else _line(row)


def load_line(tx: Tx, load_id: int, *, seen: int | None) -> LoadLine | None:
    c = t.list_load.c
    row = tx.one(_lines(seen).where(c.id == load_id, c.state != LoadState.DRAFT.value))
    return None if row is None else _line(row)


def recent_sources(tx: Tx, *, seen: int | None) -> list[str]:
    """What lists have lately come from."""
    c = t.list_load.c
    recent = (
        sa.select(c.source)
        .where(c.source != "", c.state != LoadState.DRAFT.value, is_visible_to(c.unit_id, seen))
        .order_by(c.id.desc())
        .limit(200)
        .subquery()
    )
    return [row["source"] for row in tx.rows(sa.select(recent.c.source).distinct().order_by(recent.c.source))]


def load_outcome_of(tx: Tx, load_id: int, *, seen: int | None) -> LoadOutcome:
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
        ).where(c.id.in_(touched), is_visible_to(c.unit_id, seen))
    )
    assert row is not None
    return LoadOutcome(**row)


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
        .where(is_visible_to(c.unit_id, seen))
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


def first_reject_lines(tx: Tx, load_id: int, *, limit: int) -> tuple[RejectLine, ...]:
    """The first ones, in the order of the file."""
    c = t.list_reject.c
    rows = tx.rows(
        sa.select(c.sheet, c.line, c.column, c.reason, c.high_grade)
        .where(c.load_id == load_id)
        .order_by(c.id)
        .limit(limit)
    )
    return tuple(RejectLine(**{**row, "reason": Text.load(row["reason"])}) for row in rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentLoad:
    id: int
    filename: str
    created_at: datetime


def recent_loads(tx: Tx, *, limit: int = 50) -> list[RecentLoad]:
    load = t.list_load.c
    rows = tx.rows(sa.select(load.id, load.filename, load.created_at).order_by(load.id.desc()).limit(limit))
    return [RecentLoad(**row) for row in rows]
