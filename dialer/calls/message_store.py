"""Messages as rows: planned before anything is sent, one a case and purpose, and never sent twice blindly."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dialer.cases.persons import open_person
from dialer.core.values import FraudType, MessageState, Tag
from dialer.db import tables as t
from dialer.db.unit_of_work import Tx

"""The work that a planned message makes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message as whoever sends or looks for it needs it; `to` in clear, never logged."""

    id: uuid.UUID
    case_id: int
    to: str
    fraud_type: FraudType
    tags: frozenset[Tag]
    posted_at: datetime | None
    polls: int


def _select() -> sa.Select[Any]:
    return (
        sa.select(
            t.message.c.id,
            t.message.c.case_id,
            t.message.c.number,
            t.message.c.person_id,
            t.message.c.posted_at,
            t.message.c.polls,
            t.case.c.fraud_type,
            t.case.c.tags,
            t.person.c.sealed,
        )
        .join(t.case, t.case.c.id == t.message.c.case_id)
        .join(t.person, t.person.c.id == t.message.c.person_id)
    )


def _outgoing(tx: Tx, row: Mapping[str, Any]) -> Outgoing:
    person = open_person(tx, person_id=row["person_id"], sealed=row["sealed"])
    return Outgoing(
        id=row["id"],
        case_id=row["case_id"],
        to=person.phones[row["number"]],
        fraud_type=FraudType(row["fraud_type"]),
        tags=frozenset(Tag(tag) for tag in row["tags"]),
        posted_at=row["posted_at"],
        polls=row["polls"],
    )


def claim_messages(
    tx: Tx, *, now: datetime, real_now: datetime, poll_at: datetime, limit: int
) -> list[Outgoing]:
    """Planned ones whose time has come, as sending from now on: whoever dies over one leaves it to be looked for."""
    rows = tx.rows(
        _select()
        .where(t.message.c.state == MessageState.PLANNED.value, t.message.c.not_before <= now)
        .order_by(t.message.c.planned_at)
        .limit(limit)
        .with_for_update(of=t.message, skip_locked=True)
    )
    _set(
        tx,
        [row["id"] for row in rows],
        state=MessageState.SENDING.value,
        posted_at=real_now,
        poll_at=poll_at,
        polls=0,
    )
    return [_outgoing(tx, row) for row in rows]


def silent_messages(tx: Tx, *, real_now: datetime, poll_at: datetime, limit: int) -> list[Outgoing]:
    """Sending or unknown ones past their deadline, unknown from now on and put off: whoever asks holds them."""
    doubtful = [MessageState.SENDING.value, MessageState.UNKNOWN.value]
    rows = tx.rows(
        _select()
        .where(t.message.c.state.in_(doubtful), t.message.c.poll_at <= real_now)
        .order_by(t.message.c.poll_at)
        .limit(limit)
        .with_for_update(of=t.message, skip_locked=True)
    )
    _set(tx, [row["id"] for row in rows], state=MessageState.UNKNOWN.value, poll_at=poll_at)
    return [_outgoing(tx, row) for row in rows]


def messages_without_news(
    tx: Tx, *, real_now: datetime, poll_at: datetime, limit: int
) -> list[tuple[uuid.UUID, str]]:
    """Messages that the network has and has long said nothing of, with their sid, put off; each is asked about a
    bounded number of times, and then stays what it was last known to be.
    """
    on_the_way = [MessageState.ACCEPTED.value, MessageState.SENT.value]
    rows = tx.rows(
        sa.select(t.message.c.id, t.message.c.sid)
        .where(t.message.c.state.in_(on_the_way), t.message.c.poll_at <= real_now)
        .order_by(t.message.c.poll_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    last = t.message.c.polls >= _MOST_POLLS - 1
    _set(
        tx,
        [row["id"] for row in rows],
        polls=t.message.c.polls + 1,
        poll_at=sa.case((last, sa.null()), else_=poll_at),
    )
    return [(row["id"], row["sid"]) for row in rows if row["sid"]]


_MOST_POLLS = 10


def replan_messages(tx: Tx, ids: Iterable[uuid.UUID], *, not_before: datetime) -> None:
    """Certainly not sent: planned again."""
    _set(tx, ids, only=_DOUBTFUL, state=MessageState.PLANNED.value, not_before=not_before, poll_at=None)


def doubt_messages(tx: Tx, ids: Iterable[uuid.UUID], *, poll_at: datetime) -> None:
    """Sent or not: to be looked for."""
    _set(tx, ids, only=_DOUBTFUL, state=MessageState.UNKNOWN.value, poll_at=poll_at)


def count_empty_listing(tx: Tx, message_id: uuid.UUID, *, poll_at: datetime) -> None:
    """Looked for past its deadline, and not there."""
    _set(tx, [message_id], only=_DOUBTFUL, polls=t.message.c.polls + 1, poll_at=poll_at)


def apply_message_state(
    tx: Tx,
    message_id: uuid.UUID,
    state: MessageState,
    *,
    now: datetime,
    sid: str | None = None,
    error_code: int | None = None,
    poll_at: datetime | None = None,
) -> bool:
    """The message has come that far; False for late news, which changes nothing. `poll_at` is when its silence is asked
    about, where more is to come.
    """
    lower = [one.value for one in MessageState if one.rank < state.rank]
    more = poll_at if state in {MessageState.ACCEPTED, MessageState.SENT} else None
    values: dict[str, Any] = {"state": state.value, "poll_at": more, "polls": 0}
    if sid:
        values["sid"] = sa.func.coalesce(t.message.c.sid, sid)
    if error_code is not None:
        values["error_code"] = error_code
    if state is MessageState.SENT:
        values["sent_at"] = now
    if state.rank == MessageState.DELIVERED.rank:
        values["ended_at"] = now
    moved = tx.execute(
        sa.update(t.message)
        .where(t.message.c.id == message_id, t.message.c.state.in_(lower))
        .values(**values)
    )
    return bool(moved.rowcount)


def case_of_message(tx: Tx, message_id: uuid.UUID) -> int | None:
    found = tx.scalar(sa.select(t.message.c.case_id).where(t.message.c.id == message_id))
    return None if found is None else int(found)


def bound_message_sids(tx: Tx, sids: Sequence[str]) -> set[str]:
    """Which of these at the carrier are messages of ours already."""
    return {row["sid"] for row in tx.rows(sa.select(t.message.c.sid).where(t.message.c.sid.in_(sids)))}


_DOUBTFUL = (MessageState.SENDING.value, MessageState.UNKNOWN.value)


def _set(
    tx: Tx,
    ids: Iterable[uuid.UUID],
    *,
    only: Sequence[str] = (),
    **values: Any,  # noqa: ANN401  # columns
) -> None:
    chosen = list(ids)
    if not chosen:
        return
    statement = sa.update(t.message).where(t.message.c.id.in_(chosen)).values(**values)
    tx.execute(statement.where(t.message.c.state.in_(only)) if only else statement)
