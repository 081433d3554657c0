"""What people decide about lists: approval by a second person, withdrawal, and what a source's columns mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.domain.attempt import LIVE_STATES, AttemptState
from dialer.domain.case import CaseStatus
from dialer.domain.errand import BEGUN_STATES
from dialer.domain.load import LoadState
from dialer.intake.records import Field
from dialer.store import audits
from dialer.store import tables as t
from dialer.store.loads import Load
from dialer.store.rowset import in_words
from dialer.store.unit_of_work import Tx

_NOTHING_TO_WITHDRAW = (LoadState.DRAFT.value, LoadState.WITHDRAWN.value, LoadState.FAILED.value)


def mapping(tx: Tx, source: str) -> dict[str, Field | None]:
    """By heading; {} for a source that nobody has corrected."""
    rows = tx.rows(sa.select(t.list_mapping).where(t.list_mapping.c.source == source))
    return {row["heading"]: Field(row["field"]) if row["field"] else None for row in rows}


def remember(tx: Tx, source: str, columns: Mapping[str, Field | None], *, by: str, now: datetime) -> None:
    """The next list of this source is understood so. Headings that are not named stay as they were."""
    for heading, field in columns.items():
        values = {"field": field.value if field else "", "by": by, "at": now}
        tx.execute(
            insert(t.list_mapping)
            .values(source=source, heading=heading, **values)
            .on_conflict_do_update(index_elements=["source", "heading"], set_=values)
        )


def forget_mapping(tx: Tx, source: str) -> int:
    """The source's headings stand for themselves again; how many had been corrected."""
    return tx.execute(sa.delete(t.list_mapping).where(t.list_mapping.c.source == source)).rowcount


def hold(tx: Tx, load_id: int) -> None:
    """Only its high grades may be loaded before a second person has said yes."""
    tx.execute(sa.update(t.list_load).where(t.list_load.c.id == load_id).values(needs_approval=True))


def advance_early(
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


def wait_for_approval(tx: Tx, load: Load) -> None:
    tx.execute(
        sa.update(t.list_load)
        .where(t.list_load.c.id == load.id, t.list_load.c.token == load.token)
        .values(state=LoadState.HELD.value, lease_until=None, total=t.list_load.c.early_line)
    )


def approve(tx: Tx, load_id: int, *, by: str, now: datetime) -> bool:
    """False when it does not wait for that (any more). One that is being looked through starts anew."""
    waiting = [LoadState.HELD.value, LoadState.WAITING.value, LoadState.RUNNING.value]
    c = t.list_load.c
    done = tx.execute(
        sa.update(t.list_load)
        .where(c.id == load_id, c.needs_approval, c.decided_at.is_(None), c.state.in_(waiting))
        .values(
            state=LoadState.WAITING.value,
            token=c.token + 1,
            lease_until=None,
            decided_by=by,
            decided_at=now,
        )
    )
    return bool(done.rowcount)


def loaded_early(tx: Tx, load_id: int, keys: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of these this very load brought before it was approved."""
    early = tx.scalar(sa.select(t.list_load.c.early_accepted).where(t.list_load.c.id == load_id))
    if not early or not keys:
        return set()
    c = t.warning.c
    statement = sa.select(c.source, c.instruction_no).where(
        c.load_id == load_id, sa.tuple_(c.source, c.instruction_no).in_(list(set(keys)))
    )
    return {(row["source"], row["instruction_no"]) for row in tx.rows(statement)}


def held(tx: Tx, *, limit: int = 100) -> list[int]:
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


def withdraw(tx: Tx, load_id: int, *, by: str, now: datetime, closing_until: datetime) -> bool:
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


def closing(tx: Tx, *, real_now: datetime) -> list[int]:
    """Withdrawn lists whose cases nobody is closing, and not all are closed."""
    c = t.list_load.c
    statement = sa.select(c.id).where(c.state == LoadState.WITHDRAWN.value, c.lease_until <= real_now)
    return [row["id"] for row in tx.rows(statement.order_by(c.id))]


def take_closing(tx: Tx, load_id: int, *, real_now: datetime, until: datetime) -> tuple[str, str] | None:
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
    return taken["decided_by"], audits.last_why(tx, act="withdraw_load", subject=f"load/{load_id}")


def leave_closing(tx: Tx, load_id: int, *, until: datetime | None) -> None:
    """The next one may go on with it from then; None: every case is closed."""
    c = t.list_load.c
    tx.execute(
        sa.update(t.list_load)
        .where(c.id == load_id, c.state == LoadState.WITHDRAWN.value)
        .values(lease_until=until)
    )


def not_begun(tx: Tx, load_id: int, *, limit: int) -> list[int]:
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
