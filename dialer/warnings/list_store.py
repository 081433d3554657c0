"""Loads: the uploaded file in sealed parts, progress that survives a crash, refused rows.

What people decide about lists: approval by a second person, withdrawal, and what a source's columns mean.

Lists that were dropped and are looked at: sealed like every list, their owner's alone, forgotten after a while.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.core.attempt import LIVE_STATES, AttemptState
from dialer.core.case import BEGUN_STATES, CaseStatus
from dialer.core.values import LoadState
from dialer.db import tables as t
from dialer.db.audit import last_audit_reason
from dialer.db.bulk import in_words
from dialer.db.unit_of_work import Tx
from dialer.intake.records import Field
from dialer.language import Text

PART_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    id: int
    filename: str
    source: str
    state: LoadState
    created_at: datetime
    token: int
    next_line: int
    """How many items of the file are done, in its own order."""
    rows: int
    accepted: int
    merged: int
    duplicate: int
    rejected: int
    skipped: int
    notices: int
    error: str
    size_bytes: int
    paused: bool
    is_held: bool = False
    """It waits for a second person: only its high grades are loaded now."""
    early_line: int = 0
    """How many items of the file were looked through for high grades."""
    by: str = ""
    unit_id: int | None = None
    """Of whoever loaded it; None: the whole centre."""
    total: int | None = None
    """How many items the file has; None until somebody has read to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What one batch adds."""

    rows: int = 0
    accepted: int = 0
    merged: int = 0
    duplicate: int = 0
    rejected: int = 0
    notices: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    sheet: str
    line: int
    column: str
    reason: Text
    high_grade: bool
    raw: tuple[str, ...]
    table: int


def create_load(
    tx: Tx,
    *,
    filename: str,
    source: str,
    content: BinaryIO,
    by: str,
    now: datetime,
    unit_id: int | None = None,
    state: LoadState = LoadState.WAITING,
) -> int:
    """A load with its file kept sealed, part by part; nothing of it is in the books."""
    row = tx.one(
        sa.insert(t.list_load)
        .values(
            filename=filename,
            source=source,
            state=state.value,
            content_hash=b"",
            size_bytes=0,
            by=by,
            unit_id=unit_id,
            created_at=now,
        )
        .returning(t.list_load.c.id)
    )
    assert row is not None
    load_id: int = row["id"]
    digest = hashlib.sha256()
    size = part = 0
    while chunk := content.read(PART_BYTES):
        digest.update(chunk)
        size += len(chunk)
        sealed = tx.vault.seal(chunk, table="list_file", column="sealed", row=f"{load_id}/{part}")
        tx.execute(sa.insert(t.list_file).values(load_id=load_id, part=part, sealed=sealed))
        part += 1
    tx.execute(
        sa.update(t.list_load)
        .where(t.list_load.c.id == load_id)
        .values(content_hash=digest.digest(), size_bytes=size)
    )
    return load_id


def file_parts_of_load(tx: Tx, load_id: int) -> Iterator[bytes]:
    """The file's bytes in order, opened one part at a time."""
    count = tx.scalar(
        sa.select(sa.func.count()).select_from(t.list_file).where(t.list_file.c.load_id == load_id)
    )
    for part in range(count):
        sealed = tx.scalar(
            sa.select(t.list_file.c.sealed).where(
                t.list_file.c.load_id == load_id, t.list_file.c.part == part
            )
        )
        yield tx.vault.open(bytes(sealed), table="list_file", column="sealed", row=f"{load_id}/{part}")


def _load(row: Any) -> Load:  # noqa: ANN401  # a row mapping
    return Load(
        state=LoadState(row["state"]),
        source=row["source"] or "",
        error=row["error"] or "",
        is_held=row["needs_approval"] and row["decided_at"] is None,
        **{
            name: row[name]
            for name in (
                "id",
                "filename",
                "created_at",
                "token",
                "next_line",
                "rows",
                "accepted",
                "merged",
                "duplicate",
                "rejected",
                "skipped",
                "notices",
                "size_bytes",
                "paused",
                "early_line",
                "by",
                "unit_id",
                "total",
            )
        },
    )


def get_load(tx: Tx, load_id: int) -> Load | None:
    row = tx.one(sa.select(t.list_load).where(t.list_load.c.id == load_id))
    return None if row is None else _load(row)


def take_load(tx: Tx, load_id: int, *, real_now: datetime, lease_until: datetime) -> Load | None:
    """The caller alone may load it until the lease ends; None when another does, or nothing is left to do."""
    row = tx.one(
        sa.update(t.list_load)
        .where(
            t.list_load.c.id == load_id,
            t.list_load.c.state.in_([LoadState.WAITING.value, LoadState.RUNNING.value]),
            sa.or_(t.list_load.c.lease_until.is_(None), t.list_load.c.lease_until <= real_now),
        )
        .values(state=LoadState.RUNNING.value, token=t.list_load.c.token + 1, lease_until=lease_until)
        .returning(t.list_load)
    )
    return None if row is None else _load(row)


def set_load_total(tx: Tx, load_id: int, *, total: int) -> None:
    """The file is known to have so many items."""
    tx.execute(sa.update(t.list_load).where(t.list_load.c.id == load_id).values(total=total))


def commit_without_flush(tx: Tx) -> None:
    """The transaction's commit does not wait for the disk. A power cut may undo it within a second, together with the
    progress that it noted, so the list goes on before it. Whatever is done about its rows meanwhile is committed after
    it and flushes it too, as does the end of the load.
    """
    tx.execute(_NOT_FLUSHED)


_NOT_FLUSHED = sa.text("SET LOCAL synchronous_commit = off")


def advance_load(
    tx: Tx, load: Load, *, items: int, counts: Counts, lease_until: datetime, columns: list[dict[str, Any]]
) -> bool:
    """Adds a batch to the progress. False when another process has taken the load over: nothing may be written."""
    c = t.list_load.c
    done = tx.execute(
        sa.update(t.list_load)
        .where(c.id == load.id, c.token == load.token)
        .values(
            next_line=c.next_line + items,
            rows=c.rows + counts.rows,
            accepted=c.accepted + counts.accepted,
            merged=c.merged + counts.merged,
            duplicate=c.duplicate + counts.duplicate,
            rejected=c.rejected + counts.rejected,
            notices=c.notices + counts.notices,
            lease_until=lease_until,
            columns=columns,
        )
    )
    return bool(done.rowcount)


def finish_load(tx: Tx, load: Load, *, skipped: int, now: datetime) -> None:
    """Done; the sealed file is gone, the refused rows stay."""
    tx.execute(
        sa.update(t.list_load)
        .where(t.list_load.c.id == load.id, t.list_load.c.token == load.token)
        .values(
            state=LoadState.DONE.value,
            skipped=skipped,
            finished_at=now,
            lease_until=None,
            total=t.list_load.c.next_line,
        )
    )
    tx.execute(sa.delete(t.list_file).where(t.list_file.c.load_id == load.id))


def fail_load(tx: Tx, load: Load, *, error: str, now: datetime) -> None:
    """The file is no list: the load says so and nothing of the file is kept."""
    tx.execute(
        sa.update(t.list_load)
        .where(t.list_load.c.id == load.id, t.list_load.c.token == load.token)
        .values(state=LoadState.FAILED.value, error=error, finished_at=now, lease_until=None)
    )
    tx.execute(sa.delete(t.list_file).where(t.list_file.c.load_id == load.id))


def delete_load(tx: Tx, load_id: int) -> None:
    """As if it had never been uploaded; only for a file that turned out to be no list."""
    tx.execute(sa.delete(t.list_load).where(t.list_load.c.id == load_id))


def insert_rejects(tx: Tx, load_id: int, rejects: Sequence[RejectedRow]) -> None:
    if not rejects:
        return
    tx.execute(
        sa.insert(t.list_reject),
        [
            {
                "load_id": load_id,
                "sheet": reject.sheet,
                "line": reject.line,
                "column": reject.column,
                "reason": reject.reason.dump(),
                "high_grade": reject.high_grade,
                "sealed": tx.vault.seal_record(
                    {"raw": reject.raw, "table": reject.table},
                    table="list_reject",
                    column="sealed",
                    row=f"{load_id}/{reject.sheet}/{reject.line}",
                ),
            }
            for reject in rejects
        ],
    )


def rejects_of_load(tx: Tx, load_id: int) -> list[RejectedRow]:
    """The refused rows in the order of the file, in clear."""
    rows = tx.rows(
        sa.select(t.list_reject).where(t.list_reject.c.load_id == load_id).order_by(t.list_reject.c.id)
    )
    found: list[RejectedRow] = []
    for row in rows:
        record = tx.vault.open_record(
            row["sealed"], table="list_reject", column="sealed", row=f"{load_id}/{row['sheet']}/{row['line']}"
        )
        found.append(
            RejectedRow(
                sheet=row["sheet"],
                line=row["line"],
                column=row["column"],
                reason=Text.load(row["reason"]),
                high_grade=row["high_grade"],
                raw=tuple(record["raw"]),
                table=record["table"],
            )
        )
    return found


def columns_of_load(tx: Tx, load_id: int) -> list[dict[str, Any]]:
    return tx.scalar(sa.select(t.list_load.c.columns).where(t.list_load.c.id == load_id)) or []


def unfinished_loads(tx: Tx, *, real_now: datetime) -> list[int]:
    """Loads that wait, or whose worker's lease has ended."""
    rows = tx.rows(
        sa.select(t.list_load.c.id)
        .where(
            t.list_load.c.state.in_([LoadState.WAITING.value, LoadState.RUNNING.value]),
            sa.or_(t.list_load.c.lease_until.is_(None), t.list_load.c.lease_until <= real_now),
        )
        .order_by(t.list_load.c.id)
    )
    return [row["id"] for row in rows]


_NOTHING_TO_WITHDRAW = (LoadState.DRAFT.value, LoadState.WITHDRAWN.value, LoadState.FAILED.value)


def column_mapping_of(tx: Tx, source: str) -> dict[str, Field | None]:
    """By heading; {} for a source that nobody has corrected."""
    rows = tx.rows(sa.select(t.list_mapping).where(t.list_mapping.c.source == source))
    return {row["heading"]: Field(row["field"]) if row["field"] else None for row in rows}


def save_column_mapping(
    tx: Tx, source: str, columns: Mapping[str, Field | None], *, by: str, now: datetime
) -> None:
    """The next list of this source is understood so. Headings that are not named stay as they were."""
    for heading, field in columns.items():
        values = {"field": field.value if field else "", "by": by, "at": now}
        tx.execute(
            insert(t.list_mapping)
            .values(source=source, heading=heading, **values)
            .on_conflict_do_update(index_elements=["source", "heading"], set_=values)
        )


def delete_column_mapping(tx: Tx, source: str) -> int:
    """The source's headings stand for themselves again; how many had been corrected."""
    return tx.execute(sa.delete(t.list_mapping).where(t.list_mapping.c.source == source)).rowcount


def hold_for_approval(tx: Tx, load_id: int) -> None:
    """Only its high grades may be loaded before a second person has said yes."""
    tx.execute(sa.update(t.list_load).where(t.list_load.c.id == load_id).values(needs_approval=True))


def advance_early_rows(
    tx: Tx, load: Load, *, items: int, accepted: int, merged: int, lease_until: datetime
) -> bool:
    """As `loads.advance`, for the high grades of a list that waits."""
    c = t.list_load.c
    done = tx.execute(
        sa.update(t.list_load)
        .where(c.id == load.id, c.token == load.token)
        .values(
            early_line=c.early_line + items,
            early_accepted=c.early_accepted + accepted,
            merged=c.merged + merged,
            lease_until=lease_until,
        )
    )
    return bool(done.rowcount)


def set_awaiting_approval(tx: Tx, load: Load) -> None:
    tx.execute(
        sa.update(t.list_load)
        .where(t.list_load.c.id == load.id, t.list_load.c.token == load.token)
        .values(state=LoadState.HELD.value, lease_until=None, total=t.list_load.c.early_line)
    )


def approve_load_row(tx: Tx, load_id: int, *, by: str, now: datetime) -> bool:
    """False when it does not wait for that (any more). One that is being looked through starts anew."""
    waiting = [LoadState.HELD.value, LoadState.WAITING.value, LoadState.RUNNING.value]
    c = t.list_load.c
    done = tx.execute(
        sa.update(t.list_load)
        .where(c.id == load_id, c.needs_approval, c.decided_at.is_(None), c.state.in_(waiting))
        .values(
            state=LoadState.WAITING.value, token=c.token + 1, lease_until=None, decided_by=by, decided_at=now
        )
    )
    return bool(done.rowcount)


def keys_loaded_early(tx: Tx, load_id: int, keys: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of these this very load brought before it was approved."""
    early = tx.scalar(sa.select(t.list_load.c.early_accepted).where(t.list_load.c.id == load_id))
    if not early or not keys:
        return set()
    c = t.warning.c
    statement = sa.select(c.source, c.instruction_no).where(
        c.load_id == load_id, sa.tuple_(c.source, c.instruction_no).in_(list(set(keys)))
    )
    return {(row["source"], row["instruction_no"]) for row in tx.rows(statement)}


def loads_awaiting_approval(tx: Tx, *, limit: int = 100) -> list[int]:
    """Lists that wait for a second person, oldest first."""
    statement = (
        sa.select(t.list_load.c.id)
        .where(
            t.list_load.c.needs_approval,
            t.list_load.c.decided_at.is_(None),
            t.list_load.c.state.in_([LoadState.HELD.value, LoadState.WAITING.value, LoadState.RUNNING.value]),
        )
        .order_by(t.list_load.c.id)
        .limit(limit)
    )
    return [row["id"] for row in tx.rows(statement)]


def withdraw_load_row(tx: Tx, load_id: int, *, by: str, now: datetime, closing_until: datetime) -> bool:
    """Nothing more of it is loaded and its file is gone. False when it was withdrawn, or is no list. Until
    `closing_until` (real clock) the caller alone closes what it opened.
    """
    c = t.list_load.c
    done = tx.execute(
        sa.update(t.list_load)
        .where(c.id == load_id, c.state.not_in(_NOTHING_TO_WITHDRAW))
        .values(
            state=LoadState.WITHDRAWN.value,
            token=c.token + 1,
            lease_until=closing_until,
            decided_by=by,
            decided_at=now,
            finished_at=sa.func.coalesce(c.finished_at, now),
        )
    )
    tx.execute(sa.delete(t.list_file).where(t.list_file.c.load_id == load_id))
    return bool(done.rowcount)


def loads_being_closed(tx: Tx, *, real_now: datetime) -> list[int]:
    """Withdrawn lists whose cases nobody is closing, and not all are closed."""
    c = t.list_load.c
    statement = sa.select(c.id).where(c.state == LoadState.WITHDRAWN.value, c.lease_until <= real_now)
    return [row["id"] for row in tx.rows(statement.order_by(c.id))]


def take_closing_load(tx: Tx, load_id: int, *, real_now: datetime, until: datetime) -> tuple[str, str] | None:
    """The caller alone closes its cases until then; by whom and why it was withdrawn. None when somebody else does, or
    nothing is left.
    """
    c = t.list_load.c
    taken = tx.one(
        sa.update(t.list_load)
        .where(c.id == load_id, c.state == LoadState.WITHDRAWN.value, c.lease_until <= real_now)
        .values(lease_until=until)
        .returning(c.decided_by)
    )
    if taken is None:
        return None
    return taken["decided_by"], last_audit_reason(tx, act="withdraw_load", subject=f"load/{load_id}")


def release_closing_load(tx: Tx, load_id: int, *, until: datetime | None) -> None:
    """The next one may go on with it from then; None: every case is closed."""
    c = t.list_load.c
    tx.execute(
        sa.update(t.list_load)
        .where(c.id == load_id, c.state == LoadState.WITHDRAWN.value)
        .values(lease_until=until)
    )


def cases_not_begun(tx: Tx, load_id: int, *, limit: int) -> list[int]:
    """Open cases that this list opened and for which nothing has left us and nobody has begun."""
    a, work = t.attempt.c, t.assignment.c
    ringing = sa.exists().where(a.case_id == t.case.c.id, in_words(a.state, LIVE_STATES))
    sent = sa.exists().where(
        a.case_id == t.case.c.id, a.sent_at.is_not(None), a.state == AttemptState.ENDED.value
    )
    in_hand = sa.exists().where(work.case_id == t.case.c.id, in_words(work.state, BEGUN_STATES))
    statement = (
        sa.select(t.case.c.id)
        .where(
            t.case.c.load_id == load_id,
            t.case.c.status == CaseStatus.OPEN.value,
            t.case.c.first_attempt_at.is_(None),
            t.case.c.warnings == 1,
            ~ringing,
            ~sent,
            ~in_hand,
        )
        .order_by(t.case.c.id)
        .limit(limit)
    )
    return [row["id"] for row in tx.rows(statement)]


def is_draft_of(tx: Tx, draft_id: int, *, by: str) -> bool:
    return bool(tx.scalar(sa.select(sa.func.count()).select_from(t.list_load).where(*_mine(draft_id, by))))


def extend_draft(tx: Tx, draft_id: int, *, until: datetime) -> None:
    """It is not forgotten before (real clock)."""
    tx.execute(
        sa.update(t.list_load).where(t.list_load.c.id == draft_id, _IS_DRAFT).values(lease_until=until)
    )


def note_draft_length(tx: Tx, draft_id: int, *, total: int | None, columns: Sequence[dict[str, Any]]) -> None:
    """What the last look found; a look that did not reach the end leaves what is known of the length."""
    known = {} if total is None else {"total": total}
    tx.execute(
        sa.update(t.list_load)
        .where(t.list_load.c.id == draft_id, _IS_DRAFT)
        .values(columns=list(columns), **known)
    )


def rename_draft(tx: Tx, draft_id: int, *, source: str) -> None:
    """Rows without a source of their own come from this one. Read otherwise, it may have another length."""
    tx.execute(
        sa.update(t.list_load)
        .where(t.list_load.c.id == draft_id, _IS_DRAFT)
        .values(source=source, total=None)
    )


def release_draft(tx: Tx, draft_id: int, *, by: str, needs_approval: bool, now: datetime) -> bool:
    """It waits for a worker, or but for its high grades for a second person. False for one that is no draft of theirs
    (any more).
    """
    done = tx.execute(
        sa.update(t.list_load)
        .where(*_mine(draft_id, by))
        .values(
            state=LoadState.WAITING.value, needs_approval=needs_approval, lease_until=None, created_at=now
        )
    )
    return bool(done.rowcount)


def delete_draft(tx: Tx, draft_id: int, *, by: str) -> bool:
    """It and its file are gone. False for one that is no draft of theirs (any more)."""
    return bool(tx.execute(sa.delete(t.list_load).where(*_mine(draft_id, by))).rowcount)


def delete_old_drafts(tx: Tx, *, real_now: datetime) -> int:
    """Those that nobody came back to; how many."""
    done = tx.execute(sa.delete(t.list_load).where(_IS_DRAFT, t.list_load.c.lease_until <= real_now))
    return done.rowcount


_IS_DRAFT = t.list_load.c.state == LoadState.DRAFT.value


def _mine(draft_id: int, by: str) -> tuple[sa.ColumnElement[bool], ...]:
    return t.list_load.c.id == draft_id, t.list_load.c.by == by, _IS_DRAFT
