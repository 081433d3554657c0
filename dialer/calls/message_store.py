"""Rows of messages: planned before anything is sent, one a case and purpose, and never sent again while it is unknown
whether they were sent.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dialer.cases.persons import open_person
from dialer.core.values import FraudType, MessageChannel, MessageState, Tag
from dialer.db import tables as t
from dialer.db.unit_of_work import Row, Tx, record_of

_MOST_POLLS = 10
_DOUBTFUL = (MessageState.SENDING.value, MessageState.UNKNOWN.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message for sending or looking for it; `to` in clear, never logged."""

    id: uuid.UUID
    case_id: int
    to: str
    fraud_type: FraudType
    tags: frozenset[Tag]
    posted_at: datetime | None
    polls: int


_SELECT = (
    sa.select(t.message, t.case.c.fraud_type, t.case.c.tags, t.person.c.sealed)
    .join(t.case, t.case.c.id == t.message.c.case_id)
    .join(t.person, t.person.c.id == t.message.c.person_id)
)


def _take(tx: Tx, statement: sa.Select[Any], *, limit: int, **values: Any) -> list[Outgoing]:  # noqa: ANN401  # columns
    """Locks these messages and sets these columns."""
    rows = tx.rows(statement.limit(limit).with_for_update(of=t.message, skip_locked=True))
    _set(tx, [row["id"] for row in rows], **values)
    return [_outgoing(tx, row) for row in rows]


def _outgoing(tx: Tx, row: Row) -> Outgoing:
    person = open_person(tx, person_id=row["person_id"], sealed=row["sealed"])
    return record_of(Outgoing, row, to=person.phones[row["number"]])


def claim_messages(
    tx: Tx,
    *,
    channel: MessageChannel,
    now: datetime,
    real_now: datetime,
    poll_at: datetime,
    limit: int,
) -> list[Outgoing]:
    """Planned messages of this channel that are due, marked as sending: when their sender dies they are looked for."""
    due = _SELECT.where(
        t.message.c.channel == channel.value,
        t.message.c.state == MessageState.PLANNED.value,
        t.message.c.not_before <= now,
    ).order_by(t.message.c.planned_at)
    sending = MessageState.SENDING.value
    return _take(tx, due, limit=limit, state=sending, posted_at=real_now, poll_at=poll_at, polls=0)


def silent_messages(
    tx: Tx, *, channel: MessageChannel, real_now: datetime, poll_at: datetime, limit: int
) -> list[Outgoing]:
    """Sending or unknown messages of this channel past their deadline, marked as unknown and put off, so that one
    process asks.
    """
    silent = _SELECT.where(
        t.message.c.channel == channel.value,
        t.message.c.state.in_(_DOUBTFUL),
        t.message.c.poll_at <= real_now,
    ).order_by(t.message.c.poll_at)
    return _take(tx, silent, limit=limit, state=MessageState.UNKNOWN.value, poll_at=poll_at)


def messages_without_news(
    tx: Tx, *, channel: MessageChannel, real_now: datetime, poll_at: datetime, limit: int
) -> list[tuple[uuid.UUID, str]]:
    """Id and sid of messages that this channel has and has long sent no news of, put off. Each is asked about at most
    `_MOST_POLLS` times and then stays as it was last known.
    """
    on_the_way = [MessageState.ACCEPTED.value, MessageState.SENT.value]
    rows = tx.rows(
        sa.select(t.message.c.id, t.message.c.sid)
        .where(
            t.message.c.channel == channel.value,
            t.message.c.state.in_(on_the_way),
            t.message.c.poll_at <= real_now,
        )
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


def replan_message(tx: Tx, message_id: uuid.UUID, *, not_before: datetime) -> None:
    """It was certainly not sent: planned again."""
    planned = MessageState.PLANNED.value
    _set(tx, [message_id], only=_DOUBTFUL, state=planned, not_before=not_before, poll_at=None)


def doubt_message(tx: Tx, message_id: uuid.UUID, *, poll_at: datetime) -> None:
    """It is unknown whether it was sent: looked for from `poll_at` (real) on."""
    _set(tx, [message_id], only=_DOUBTFUL, state=MessageState.UNKNOWN.value, poll_at=poll_at)


def count_empty_listing(tx: Tx, message_id: uuid.UUID, *, poll_at: datetime) -> None:
    """It was looked for past its deadline and not found."""
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
    """The message has come that far; False for late news, which changes nothing. It is asked about at `poll_at` (real)
    if no more news of it comes.
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
    """None for a message that we never made."""
    found = tx.scalar(sa.select(t.message.c.case_id).where(t.message.c.id == message_id))
    return None if found is None else int(found)


def bound_message_sids(tx: Tx, sids: Sequence[str], *, channel: MessageChannel) -> set[str]:
    """Those of these sids of a channel that are bound to a message."""
    bound = sa.select(t.message.c.sid).where(t.message.c.channel == channel.value, t.message.c.sid.in_(sids))
    return {row["sid"] for row in tx.rows(bound)}


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
