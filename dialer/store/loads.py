"""Loads: the uploaded file in sealed parts, progress that survives a crash, refused rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

import sqlalchemy as sa

from dialer.domain.load import LoadState
from dialer.language import Text
from dialer.store import tables as t
from dialer.store.unit_of_work import Tx

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


def create(
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


def parts(tx: Tx, load_id: int) -> Iterator[bytes]:
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


def get(tx: Tx, load_id: int) -> Load | None:
    row = tx.one(sa.select(t.list_load).where(t.list_load.c.id == load_id))
    return None if row is None else _load(row)


def take(tx: Tx, load_id: int, *, real_now: datetime, lease_until: datetime) -> Load | None:
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


def measured(tx: Tx, load_id: int, *, total: int) -> None:
    """The file is known to have so many items."""
    tx.execute(sa.update(t.list_load).where(t.list_load.c.id == load_id).values(total=total))


def need_not_be_flushed(tx: Tx) -> None:
    """The transaction's commit does not wait for the disk. A power cut may undo it within a second, together with the
    progress that it noted, so the list goes on before it. Whatever is done about its rows meanwhile is committed after
    it and flushes it too, as does the end of the load.
    """
    tx.execute(_NOT_FLUSHED)


_NOT_FLUSHED = sa.text("SET LOCAL synchronous_commit = off")


def advance(
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


def finish(tx: Tx, load: Load, *, skipped: int, now: datetime) -> None:
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


def fail(tx: Tx, load: Load, *, error: str, now: datetime) -> None:
    """The file is no list: the load says so and nothing of the file is kept."""
    tx.execute(
        sa.update(t.list_load)
        .where(t.list_load.c.id == load.id, t.list_load.c.token == load.token)
        .values(state=LoadState.FAILED.value, error=error, finished_at=now, lease_until=None)
    )
    tx.execute(sa.delete(t.list_file).where(t.list_file.c.load_id == load.id))


def forget(tx: Tx, load_id: int) -> None:
    """As if it had never been uploaded; only for a file that turned out to be no list."""
    tx.execute(sa.delete(t.list_load).where(t.list_load.c.id == load_id))


def write_rejects(tx: Tx, load_id: int, rejects: Sequence[RejectedRow]) -> None:
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


def rejects(tx: Tx, load_id: int) -> list[RejectedRow]:
    """The refused rows in the order of the file, in clear."""
    rows = tx.rows(
        sa.select(t.list_reject).where(t.list_reject.c.load_id == load_id).order_by(t.list_reject.c.id)
    )
    found: list[RejectedRow] = []
    for row in rows:
        record = tx.vault.open_record(
            row["sealed"],
            table="list_reject",
            column="sealed",
            row=f"{load_id}/{row['sheet']}/{row['line']}",
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


def columns(tx: Tx, load_id: int) -> list[dict[str, Any]]:
    return tx.scalar(sa.select(t.list_load.c.columns).where(t.list_load.c.id == load_id)) or []


def unfinished(tx: Tx, *, real_now: datetime) -> list[int]:
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
