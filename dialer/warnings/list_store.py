"""Rows of the lists that bring warnings: the sealed file, progress, rejected rows, approval, drafts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import BinaryIO

import sqlalchemy as sa

from dialer.core.attempt import LIVE_STATES, AttemptState
from dialer.core.case import BEGUN_STATES, CaseStatus, Reason
from dialer.core.errors import NotFound
from dialer.core.sources import HoldReason
from dialer.core.text import Text
from dialer.core.values import MOVING_LOADS, UNFINISHED_LOADS, LoadState
from dialer.db import tables as t
from dialer.db.audit import last_audit_reason
from dialer.db.bulk import in_words
from dialer.db.jobs import JobClaim, JobTable, Retries
from dialer.db.unit_of_work import Tx, record_of
from dialer.intake.records import Column, RejectedRow

PART_BYTES = 1 << 20
_WAITING, _RUNNING, _HELD = LoadState.WAITING.value, LoadState.RUNNING.value, LoadState.HELD.value
_DRAFT, _WITHDRAWN = LoadState.DRAFT.value, LoadState.WITHDRAWN.value
_c = t.list_load.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A list or draft: its row, without its file."""

    id: int
    filename: str
    source: str
    state: LoadState
    size_bytes: int
    total: int | None
    """Rows of the file; None until it has been read to its end."""
    next_line: int
    """The rows of the file that are done, in its order."""
    rows: int
    accepted: int
    merged: int
    held: int
    """Its rows that were kept for a person to release, in lists of their own."""
    duplicate: int
    rejected: int
    skipped: int
    notices: int
    error: str
    by: str
    unit_id: int | None
    """The unit of the person who loaded it; None: the whole centre."""
    created_at: datetime
    finished_at: datetime | None
    token: int
    """The fencing token, which stops a worker whose lease another process has taken over."""
    needs_approval: bool
    early_line: int
    """The rows of the file that were searched for high grades."""
    early_accepted: int
    decided_by: str
    decided_at: datetime | None
    held_for: HoldReason | None
    """Why warnings of a source wait in it for release; None: a person loaded it."""
    extra_high: bool
    """Whether these are the extra-high ones."""
    from_load_id: int | None
    """The list whose rows wait in it; None: they came another way."""
    amounts_doubted: bool
    """Whether its preview found implausible amounts."""
    amounts_believed: bool | None
    """Whether implausible amounts are taken as they stand; None: nobody has said."""

    @property
    def waits(self) -> bool:
        """Whether only its high grades are loaded before a second person approves it."""
        return self.needs_approval and self.decided_at is None and self.state in UNFINISHED_LOADS

    @property
    def asks_about_amounts(self) -> bool:
        """Whether a person must say first if its implausible amounts are right."""
        return self.amounts_doubted and self.amounts_believed is None

    @property
    def is_moving(self) -> bool:
        """Whether a worker is loading it, or will."""
        return self.state in MOVING_LOADS

    @property
    def done(self) -> int:
        """The rows done; while it waits for approval, the rows searched for high grades."""
        return self.early_line if self.waits else self.next_line


LOAD_COLUMNS = tuple(_c[field.name] for field in fields(Load))
"""The columns of a `Load`."""
AWAITS_APPROVAL = sa.and_(_c.needs_approval, _c.decided_at.is_(None), in_words(_c.state, UNFINISHED_LOADS))
_IS_DRAFT = _c.state == _DRAFT


def _update(tx: Tx, load_id: int, *only_if: sa.ColumnElement[bool], **values: object) -> bool:
    """Changes a list. False, and nothing is changed, if it does not exist or does not meet `only_if`."""
    statement = sa.update(t.list_load).where(_c.id == load_id, *only_if).values(**values)
    return bool(tx.execute(statement).rowcount)


_RETRIES = Retries(most=5, first=timedelta(minutes=1), longest=timedelta(minutes=15))


def _fail_loads(tx: Tx, load_ids: Sequence[int], now: datetime) -> None:
    error = Text("the worker that loaded it ended %(times)s times", times=_RETRIES.most).dump()
    for load_id in load_ids:
        _update(tx, load_id, state=LoadState.FAILED.value, error=error, finished_at=now, lease_until=None)
        _delete_file(tx, load_id)


def _close_later(tx: Tx, load_ids: Sequence[int], _now: datetime) -> None:
    """Cases of a withdrawn list must not stay open, so these are tried for ever; the alarm is raised again."""
    tx.execute(sa.update(t.list_load).where(_c.id.in_(load_ids)).values(tries=0))


LOADS = JobTable(
    kind="load",
    waits=in_words(_c.state, MOVING_LOADS),
    due=_c.lease_until,
    unset_is_due=True,
    tries=_c.tries,
    retries=_RETRIES,
    give_up=_fail_loads,
)
"""Lists of which something is to be loaded."""
WITHDRAWALS = JobTable(
    kind="withdrawal",
    waits=_c.state == _WITHDRAWN,
    due=_c.lease_until,
    tries=_c.tries,
    retries=_RETRIES,
    give_up=_close_later,
)
"""Withdrawn lists with cases left to close; a list without has no `lease_until`."""


def _claim_of(load: Load) -> JobClaim:
    return JobClaim(key=load.id, token=load.token, tries=0)


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
    total: int | None = None,
    needs_approval: bool = False,
    due_at: datetime | None = None,
) -> int:
    """Stores the file, sealed part by part, and returns the id of the load; nothing of it is loaded yet. With
    `needs_approval`, only its high grades can be loaded before a second person approves it. A worker may load it from
    `due_at` (real) on.
    """
    tx.acts_recorded.add(t.list_load.name)
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
            total=total,
            needs_approval=needs_approval,
            lease_until=due_at,
        )
        .returning(_c.id)
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
    _update(tx, load_id, content_hash=digest.digest(), size_bytes=size)
    return load_id


def file_parts_of_load(tx: Tx, load_id: int) -> Iterator[bytes]:
    """The bytes of the file in order, opened one part at a time."""
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


def get_load(tx: Tx, load_id: int) -> Load:
    """The list or draft with this id. Raises `NotFound`."""
    row = tx.one(sa.select(*LOAD_COLUMNS).where(_c.id == load_id))
    if row is None:
        raise NotFound(kind="load", key=load_id)
    return record_of(Load, row)


def take_load(tx: Tx, load_id: int, *, now: datetime, real_now: datetime, lease: timedelta) -> Load | None:
    """Claims the list: only the caller can load it. None when another process has claimed it, or nothing is left to
    do.
    """
    taken = LOADS.take(
        tx,
        _c.id == load_id,
        now=now,
        real_now=real_now,
        lease=lease,
        returning=LOAD_COLUMNS,
        state=_RUNNING,
    )
    return next((record_of(Load, row) for row in taken), None)


def commit_without_flush(tx: Tx) -> None:
    """Lets the commit of this transaction return before the disk has it. A power cut can undo it within a second,
    together with the progress that it recorded, so loading continues from before it. Later commits about its rows flush
    it too, as does the end of the load.
    """
    tx.execute(sa.text("SET LOCAL synchronous_commit = off"))


def advance_load(
    tx: Tx,
    load: Load,
    added: Mapping[str, int],
    *,
    lease_until: datetime,
    columns: Sequence[Column] | None = None,
) -> bool:
    """Adds a batch to the counts and renews the lease. False when another process has taken over the load: nothing may
    then be written.
    """
    values: dict[str, object] = {name: _c[name] + count for name, count in added.items()}
    if columns is not None:
        values["columns"] = [column.plain() for column in columns]
    return LOADS.advance(tx, _claim_of(load), until=lease_until, **values)


def finish_load(tx: Tx, load: Load, *, skipped: int, now: datetime) -> None:
    """Marks the load as done and deletes its sealed file; rejected rows stay."""
    _end_load(tx, load, LoadState.DONE, skipped=skipped, finished_at=now, total=_c.next_line)


def fail_load(tx: Tx, load: Load, *, error: str, now: datetime) -> None:
    """Marks the load as failed, with the error, and deletes the file, which is not a list."""
    _end_load(tx, load, LoadState.FAILED, error=error, finished_at=now)


def _end_load(tx: Tx, load: Load, state: LoadState, **values: object) -> None:
    """Nothing is changed, and the file stays, if another process has taken over the load."""
    if LOADS.finish(tx, _claim_of(load), state=state.value, lease_until=None, **values):
        _delete_file(tx, load.id)


def _delete_file(tx: Tx, load_id: int) -> None:
    tx.execute(sa.delete(t.list_file).where(t.list_file.c.load_id == load_id))


def delete_load(tx: Tx, load_id: int) -> None:
    """Deletes the load as if it had never been uploaded; only for a file that turned out not to be a list."""
    tx.execute(sa.delete(t.list_load).where(_c.id == load_id))


def insert_rejects(tx: Tx, load_id: int, rejects: Iterable[RejectedRow]) -> None:
    """Stores the rejected rows, their cells sealed."""
    rows = [
        {
            "load_id": load_id,
            "sheet": reject.sheet,
            "line": reject.line,
            "column": reject.column,
            "reason": reject.reason.dump(),
            "high_grade": reject.high_grade,
            "sealed": tx.vault.seal_record(
                {"raw": reject.raw, "table": reject.table},
                **_reject_place(load_id, reject.sheet, reject.line),
            ),
        }
        for reject in rejects
    ]
    if rows:
        tx.execute(sa.insert(t.list_reject), rows)


def rejects_of_load(
    tx: Tx, load_id: int, *, after: int = 0, limit: int | None = None
) -> dict[int, RejectedRow]:
    """The rejected rows by their ids in the order of the file, in clear: `limit` at most after the id `after`."""
    c = t.list_reject.c
    found: dict[int, RejectedRow] = {}
    statement = sa.select(t.list_reject).where(c.load_id == load_id, c.id > after).order_by(c.id).limit(limit)
    for row in tx.rows(statement):
        record = tx.vault.open_record(row["sealed"], **_reject_place(load_id, row["sheet"], row["line"]))
        reason, raw, table = Text.load(row["reason"]), tuple(record["raw"]), record["table"]
        found[row["id"]] = record_of(RejectedRow, row, reason=reason, raw=raw, table=table)
    return found


def _reject_place(load_id: int, sheet: str, line: int) -> dict[str, str]:
    return {"table": "list_reject", "column": "sealed", "row": f"{load_id}/{sheet}/{line}"}


def columns_of_load(tx: Tx, load_id: int) -> tuple[Column, ...]:
    """How the columns of its file were understood; () before it was read."""
    return tuple(Column.of(plain) for plain in tx.scalar(sa.select(_c.columns).where(_c.id == load_id)) or ())


def set_awaiting_approval(tx: Tx, load: Load) -> None:
    """Records that the high grades of the list are loaded and the rest waits."""
    LOADS.finish(tx, _claim_of(load), state=_HELD, lease_until=None, total=_c.early_line)


def approve_load_row(tx: Tx, load_id: int, *, by: str, now: datetime, real_now: datetime) -> bool:
    """Approves the list; False when it does not wait for approval (any more). A worker that is loading it loses its
    lease.
    """
    which = (_c.id == load_id, AWAITS_APPROVAL)
    return bool(LOADS.start_again(tx, *which, due=real_now, state=_WAITING, decided_by=by, decided_at=now))


def keys_loaded_early(tx: Tx, load_id: int, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], bool]:
    """Which of these warnings this load brought before it was approved, and of each whether it waited for its release
    first.
    """
    searched = tx.scalar(sa.select(_c.early_line).where(_c.id == load_id, _c.held_for.is_(None)))
    if not searched or not keys:
        return {}
    c = t.warning.c
    is_own = sa.and_(_c.id == load_id, _c.early_accepted > 0)
    loads = sa.select(_c.id).where(sa.or_(is_own, _c.from_load_id == load_id))
    statement = sa.select(c.source, c.instruction_no, c.load_id).where(
        c.load_id.in_(loads), sa.tuple_(c.source, c.instruction_no).in_(list(set(keys)))
    )
    return {(row["source"], row["instruction_no"]): row["load_id"] != load_id for row in tx.rows(statement)}


def loads_awaiting_approval(tx: Tx) -> list[Load]:
    """The 100 oldest lists that wait for a second person, oldest first."""
    statement = sa.select(*LOAD_COLUMNS).where(AWAITS_APPROVAL).order_by(_c.id).limit(100)
    return [record_of(Load, row) for row in tx.rows(statement)]


def withdraw_load_row(
    tx: Tx, load_id: int, *, by: str, now: datetime, closing_until: datetime
) -> JobClaim | None:
    """Withdraws the list: nothing more of it is loaded, and its file is deleted. Until `closing_until` (real clock)
    only the caller, with the claim, closes the cases that it opened. None for a draft, and for a list that failed or
    was withdrawn.
    """
    withdrawn = WITHDRAWALS.start_again(
        tx,
        _c.id == load_id,
        _c.state.not_in([_DRAFT, _WITHDRAWN, LoadState.FAILED.value]),
        due=closing_until,
        state=_WITHDRAWN,
        decided_by=by,
        decided_at=now,
        finished_at=sa.func.coalesce(_c.finished_at, now),
    )
    _delete_file(tx, load_id)
    return _claim_of(get_load(tx, load_id)) if withdrawn else None


def take_withdrawal(
    tx: Tx, load_id: int, *, now: datetime, real_now: datetime, lease: timedelta
) -> tuple[JobClaim, str, str] | None:
    """Claims the closing of its cases; returns the claim, who withdrew the list and why. None when another process
    closes them, or none is left.
    """
    taken = WITHDRAWALS.take(
        tx, _c.id == load_id, now=now, real_now=real_now, lease=lease, returning=[_c.decided_by]
    )
    for row in taken:
        why = last_audit_reason(tx, act="withdraw_load", subject=f"load/{load_id}")
        return WITHDRAWALS.claim_of(row), row["decided_by"], why
    return None


def cases_not_begun(tx: Tx, load_id: int, *, limit: int) -> list[int]:
    """Open cases of this list alone, without a sent or live call attempt, without an assignment that has begun, and
    whose person has not called us.
    """
    a, work = t.attempt.c, t.assignment.c
    live = sa.exists().where(a.case_id == t.case.c.id, in_words(a.state, LIVE_STATES))
    sent = sa.exists().where(
        a.case_id == t.case.c.id, a.sent_at.is_not(None), a.state == AttemptState.ENDED.value
    )
    begun = sa.exists().where(
        work.case_id == t.case.c.id,
        sa.or_(in_words(work.state, BEGUN_STATES), work.reason == Reason.CALLED_IN.value),
    )
    called_in = sa.exists().where(t.inbound_call.c.case_id == t.case.c.id)
    statement = (
        sa.select(t.case.c.id)
        .where(
            t.case.c.load_id == load_id,
            t.case.c.status == CaseStatus.OPEN.value,
            t.case.c.first_attempt_at.is_(None),
            t.case.c.warnings == 1,
            ~live,
            ~sent,
            ~begun,
            ~called_in,
        )
        .order_by(t.case.c.id)
        .limit(limit)
    )
    return [row["id"] for row in tx.rows(statement)]


_LOCK_DRAFTS = 0xD4AF
"""The first of two keys, so it never meets a lock with one key."""


def get_draft(tx: Tx, draft_id: int, *, by: str) -> Load:
    """The draft. Raises `NotFound` if it is not a draft of this person."""
    row = tx.one(sa.select(*LOAD_COLUMNS).where(_c.id == draft_id, _c.by == by, _IS_DRAFT))
    if row is None:
        raise NotFound(kind="uploaded list", key=draft_id)
    return record_of(Load, row)


def drafts_by(tx: Tx, *, by: str) -> tuple[Load, ...]:
    """The last 20 drafts of this person, newest first."""
    statement = sa.select(*LOAD_COLUMNS).where(_c.by == by, _IS_DRAFT).order_by(_c.id.desc()).limit(20)
    return tuple(record_of(Load, row) for row in tx.rows(statement))


def lock_drafts_of(tx: Tx, *, by: str, real_now: datetime) -> tuple[int, int]:
    """How many drafts this person has, and their bytes. No other draft of theirs is added before
    this transaction ends.
    """
    tx.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK_DRAFTS, sa.func.hashtext(by))))
    row = tx.one(
        sa.select(
            sa.func.count().label("n"), sa.func.coalesce(sa.func.sum(_c.size_bytes), 0).label("size")
        ).where(_c.by == by, _IS_DRAFT, sa.or_(_c.lease_until.is_(None), _c.lease_until > real_now))
    )
    assert row is not None
    return int(row["n"]), int(row["size"])


def extend_draft(tx: Tx, draft_id: int, *, until: datetime) -> None:
    """Keeps the draft until then (real clock) at least."""
    _update(tx, draft_id, _IS_DRAFT, lease_until=until)


def note_draft_length(
    tx: Tx,
    draft_id: int,
    *,
    total: int | None,
    columns: Sequence[Column],
    amounts_doubted: bool | None = None,
) -> None:
    """Records what the last reading found; what is None stays as it is known."""
    found = {"total": total, "amounts_doubted": amounts_doubted}
    known = {name: value for name, value in found.items() if value is not None}
    _update(tx, draft_id, _IS_DRAFT, columns=[column.plain() for column in columns], **known)


def rename_draft(tx: Tx, draft_id: int, *, source: str) -> None:
    """Sets the source of rows without one of their own. The length of the list is unknown until it is read again."""
    _update(tx, draft_id, _IS_DRAFT, source=source, total=None)


def decide_amounts_of_draft(tx: Tx, draft_id: int, *, believed: bool) -> None:
    """Records whether the implausible amounts of the draft are taken as they stand."""
    _update(tx, draft_id, _IS_DRAFT, amounts_believed=believed)


def release_draft(
    tx: Tx, draft_id: int, *, by: str, needs_approval: bool, now: datetime, real_now: datetime
) -> bool:
    """Releases the draft to a worker, or to a second person. False if it is not a draft of this person (any more)."""
    return _update(
        tx,
        draft_id,
        _c.by == by,
        _IS_DRAFT,
        state=_WAITING,
        needs_approval=needs_approval,
        lease_until=real_now,
        created_at=now,
    )


def delete_draft(tx: Tx, draft_id: int, *, by: str) -> bool:
    """Deletes the draft and its file. False if it is not a draft of this person (any more)."""
    done = tx.execute(sa.delete(t.list_load).where(_c.id == draft_id, _c.by == by, _IS_DRAFT))
    return bool(done.rowcount)


def delete_old_drafts(tx: Tx, *, real_now: datetime) -> int:
    """Deletes the drafts whose time is over; returns how many."""
    return tx.execute(sa.delete(t.list_load).where(_IS_DRAFT, _c.lease_until <= real_now)).rowcount
