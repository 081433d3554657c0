"""Messages of the robot, by the channel that the policy names: each is sent once. Its row is marked as sending before
the channel gets it. If the answer is missing, the message is looked for, and sent again only when `conclude_listing`
says that it is absent. News is stored once; the result is the same in any order.

A row is planned before anything is sent, one per case and purpose, and never sent again while it is unknown whether it
was sent.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, assert_never

import sqlalchemy as sa

from dialer.calls.conversation import choose_script
from dialer.calls.reconcile import ask_carrier
from dialer.calls.store import StoredEvent, store_call_events
from dialer.cases.persons import open_person
from dialer.core.errors import NotFound, Unavailable
from dialer.core.values import MESSAGES_IN_DOUBT, FraudType, MessageChannel, MessageState, Tag
from dialer.db import tables as t
from dialer.db.bulk import in_words
from dialer.db.system_state import awaited_comparison
from dialer.db.unit_of_work import Row, Tx, record_of
from dialer.runtime.services import Services
from dialer.scripts.lint import message_findings
from dialer.telephony.channels import (
    CLOCK_SKEW,
    GIVE_UP_AFTER,
    Conclusion,
    MessageClient,
    MessageProgress,
    Placed,
    RefusalCause,
    Refused,
    SendResult,
    SendText,
    UncertainResult,
    conclude_listing,
)

_MOST_POLLS = 10
_ON_THE_WAY = frozenset({MessageState.ACCEPTED, MessageState.SENT})
"""The network has it, and more news of it may come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message to be sent or looked for; `to` is in clear and never logged."""

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
    """Locks at most `limit` of these messages, sets these columns, and returns the messages."""
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
    """Planned messages of this channel that are due, marked as sending: if their sender dies they are looked for. No
    message is sent to a person who has refused calls since it was planned.
    """
    refused = sa.select(t.case.c.id).where(t.case.c.id == t.message.c.case_id, t.case.c.opted_out)
    tx.execute(
        sa.update(t.message)
        .where(
            t.message.c.channel == channel.value,
            t.message.c.state == MessageState.PLANNED.value,
            refused.exists(),
        )
        .values(state=MessageState.FAILED.value, ended_at=now)
    )
    due = _SELECT.where(
        t.message.c.channel == channel.value,
        t.message.c.state == MessageState.PLANNED.value,
        t.message.c.not_before <= now,
    ).order_by(t.message.c.planned_at)
    sending = MessageState.SENDING.value
    return _take(tx, due, limit=limit, state=sending, posted_at=real_now, poll_at=poll_at, polls=0)


def _silent_messages(
    tx: Tx, *, channel: MessageChannel, real_now: datetime, poll_at: datetime, limit: int
) -> list[Outgoing]:
    """Sending or unknown messages of this channel that are past their deadline, marked as unknown and postponed, so
    that only one process asks about them.
    """
    silent = _SELECT.where(
        t.message.c.channel == channel.value,
        in_words(t.message.c.state, MESSAGES_IN_DOUBT),
        t.message.c.poll_at <= real_now,
    ).order_by(t.message.c.poll_at)
    return _take(tx, silent, limit=limit, state=MessageState.UNKNOWN.value, poll_at=poll_at)


def _messages_without_news(
    tx: Tx, *, channel: MessageChannel, real_now: datetime, poll_at: datetime, limit: int
) -> list[tuple[uuid.UUID, str]]:
    """Ids and sids of messages that this channel has accepted and sent no news of for long, postponed. Each is asked
    about at most `_MOST_POLLS` times and then keeps its last known state.
    """
    rows = tx.rows(
        sa.select(t.message.c.id, t.message.c.sid)
        .where(
            t.message.c.channel == channel.value,
            in_words(t.message.c.state, _ON_THE_WAY),
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


def _replan_message(tx: Tx, message_id: uuid.UUID, *, not_before: datetime) -> None:
    """Plans the message again, which was certainly not sent."""
    planned = MessageState.PLANNED.value
    _set(tx, [message_id], only=MESSAGES_IN_DOUBT, state=planned, not_before=not_before, poll_at=None)


def _doubt_message(tx: Tx, message_id: uuid.UUID, *, poll_at: datetime) -> None:
    """Marks the message as unknown: it is looked for from `poll_at` (real) on."""
    _set(tx, [message_id], only=MESSAGES_IN_DOUBT, state=MessageState.UNKNOWN.value, poll_at=poll_at)


def _count_empty_listing(tx: Tx, message_id: uuid.UUID, *, poll_at: datetime) -> None:
    """Counts that the message was looked for after its deadline and not found."""
    _set(tx, [message_id], only=MESSAGES_IN_DOUBT, polls=t.message.c.polls + 1, poll_at=poll_at)


def _advance(
    tx: Tx,
    services: Services,
    message_id: uuid.UUID,
    state: MessageState,
    *,
    sid: str | None = None,
    error_code: int | None = None,
) -> None:
    """Moves the message to this state; late news changes nothing."""
    now = services.clock.now()
    lower = [one.value for one in MessageState if one.rank < state.rank]
    poll_at = _next_poll(services) if state in _ON_THE_WAY else None
    values: dict[str, Any] = {"state": state.value, "poll_at": poll_at, "polls": 0}
    if sid:
        values["sid"] = sa.func.coalesce(t.message.c.sid, sid)
    if error_code is not None:
        values["error_code"] = error_code
    if state is MessageState.SENT:
        values["sent_at"] = now
    if state.rank == MessageState.DELIVERED.rank:
        values["ended_at"] = now
    tx.execute(
        sa.update(t.message)
        .where(t.message.c.id == message_id, t.message.c.state.in_(lower))
        .values(**values)
    )


def _case_of_message(tx: Tx, message_id: uuid.UUID) -> int | None:
    """The case of a message; None for a message that does not exist."""
    found = tx.scalar(sa.select(t.message.c.case_id).where(t.message.c.id == message_id))
    return None if found is None else int(found)


def _bound_message_sids(tx: Tx, sids: Sequence[str], *, channel: MessageChannel) -> set[str]:
    """The sids among these that belong to a message of this channel."""
    bound = sa.select(t.message.c.sid).where(t.message.c.channel == channel.value, t.message.c.sid.in_(sids))
    return {row["sid"] for row in tx.rows(bound)}


def _set(
    tx: Tx,
    ids: Iterable[uuid.UUID],
    *,
    only: Collection[MessageState] = (),
    **values: Any,  # noqa: ANN401  # columns
) -> None:
    chosen = list(ids)
    if not chosen:
        return
    statement = sa.update(t.message).where(t.message.c.id.in_(chosen)).values(**values)
    tx.execute(statement.where(in_words(t.message.c.state, only)) if only else statement)


_AT_ONCE = 50
_RETRY_SECONDS = 30.0


def apply_message_event(services: Services, message_id: uuid.UUID, progress: MessageProgress) -> None:
    """Stores and applies news of a message. Raises `NotFound` for a message that does not exist."""
    now = services.clock.now()
    with services.store.begin() as tx:
        case_id = _case_of_message(tx, message_id)
        if case_id is None:
            raise NotFound(kind="message", key=message_id)
        name = f"message.{progress.state.value}"
        facts = {"sid": progress.sid, "error_code": progress.error_code}
        kept = StoredEvent(
            attempt_id=message_id, case_id=case_id, step=name, kind=name, facts=facts, personal={}
        )
        if not store_call_events(tx, [kept], at=now):
            return
        _advance(tx, services, message_id, progress.state, sid=progress.sid, error_code=progress.error_code)


def _next_poll(services: Services) -> datetime:
    """When the channel is asked about a message if no more news of it comes."""
    return services.real.now() + timedelta(seconds=services.lines.silence_seconds)


def message_text(services: Services, outgoing: Outgoing) -> str:
    """The message text of the script that fits the case. Empty if the lint finds a fault in it: no message is better
    than one that could come from a scammer.
    """
    script = choose_script(services, outgoing.fraud_type, outgoing.tags)
    language = script.default_language
    named = script.variables.get("bureau")
    bureau = services.centre.bureau.get(language) or (named.defaults.get(language, "") if named else "")
    text = script.message.get(language, "").replace("{bureau}", bureau)
    return "" if message_findings(text, language, bureau=bureau) else text


async def send_messages(services: Services, client: MessageClient) -> int:
    """Sends every due message of the client's channel once, or plans it again. Returns how many the channel accepted;
    after a restore 0, until the carrier's calls have been compared.
    """
    real_now = services.real.now()
    with services.store.begin() as tx:
        if awaited_comparison(tx) is not None:
            return 0
        chosen = claim_messages(
            tx,
            channel=client.channel,
            now=services.clock.now(),
            real_now=real_now,
            poll_at=real_now + _patience(services),
            limit=_AT_ONCE,
        )
    results = await asyncio.gather(*(_send(services, client, one) for one in chosen))
    return sum(results)


async def _send(services: Services, client: MessageClient, outgoing: Outgoing) -> bool:
    order = _order(services, outgoing)
    if not order.text:
        await asyncio.to_thread(_fail, services, outgoing)
        return False
    answer = await client.send(order)
    await asyncio.to_thread(_record, services, outgoing, answer)
    return isinstance(answer, Placed)


def _order(services: Services, outgoing: Outgoing) -> SendText:
    return SendText(message_id=outgoing.id, to=outgoing.to, text=message_text(services, outgoing))


def _record(services: Services, outgoing: Outgoing, answer: SendResult) -> None:
    with services.store.begin() as tx:
        match answer:
            case Placed():
                _advance(tx, services, outgoing.id, MessageState.ACCEPTED, sid=answer.sid)
            case Refused() if answer.fault is RefusalCause.NUMBER:
                _advance(tx, services, outgoing.id, MessageState.FAILED, error_code=answer.code)
            case Refused():
                wait = max(answer.retry_after_seconds or 0.0, _RETRY_SECONDS)
                not_before = services.clock.now() + timedelta(seconds=wait)
                _replan_message(tx, outgoing.id, not_before=not_before)
            case UncertainResult():
                _doubt_message(tx, outgoing.id, poll_at=services.real.now() + _patience(services))
            case _ as never:
                assert_never(never)


def _fail(services: Services, outgoing: Outgoing) -> None:
    with services.store.begin() as tx:
        _advance(tx, services, outgoing.id, MessageState.FAILED)


async def ask_about_messages(services: Services, client: MessageClient) -> int:
    """Asks once about every message of this channel that has been without news for long. Returns how many."""
    with services.store.begin() as tx:
        chosen = _messages_without_news(
            tx,
            channel=client.channel,
            real_now=services.real.now(),
            poll_at=_next_poll(services),
            limit=_AT_ONCE,
        )
    for message_id, sid in chosen:
        progress = await client.state(sid)
        if progress is not None:
            await asyncio.to_thread(apply_message_event, services, message_id, progress)
    return len(chosen)


async def look_for_messages(services: Services, client: MessageClient) -> int:
    """Looks once for every doubtful message of this channel that is past its deadline. If the channel does not answer,
    the rest is put off until the next time. Returns how many were due.
    """
    real_now = services.real.now()
    with services.store.begin() as tx:
        chosen = _silent_messages(
            tx,
            channel=client.channel,
            real_now=real_now,
            poll_at=real_now + _patience(services),
            limit=_AT_ONCE,
        )
    await ask_carrier(chosen, partial(_look_for, services, client))
    return len(chosen)


async def _look_for(services: Services, client: MessageClient, outgoing: Outgoing) -> bool:
    """Looks for one message; False if the channel did not answer."""
    assert outgoing.posted_at is not None
    deadline = outgoing.posted_at + timedelta(seconds=services.lines.post_timeout_seconds)
    real_now = services.real.now()
    try:
        seen = await client.find(
            _order(services, outgoing), since=outgoing.posted_at - CLOCK_SKEW, until=deadline + CLOCK_SKEW
        )
    except Unavailable:
        if real_now > deadline + GIVE_UP_AFTER:
            _fail(services, outgoing)
        return False
    with services.store.begin() as tx:
        bound = _bound_message_sids(tx, [one.sid for one in seen], channel=client.channel)
        unbound = [one for one in seen if one.sid not in bound]
        is_past = real_now > deadline
        match conclude_listing(
            fitting=len(unbound), others=0, empty_before=outgoing.polls, past_deadline=is_past
        ):
            case Conclusion.FOUND:
                (found,) = unbound
                _advance(tx, services, outgoing.id, found.state, sid=found.sid)
            case Conclusion.UNCLEAR:
                _advance(tx, services, outgoing.id, MessageState.FAILED)
            case Conclusion.ABSENT:
                _replan_message(tx, outgoing.id, not_before=services.clock.now())
            case Conclusion.NOT_YET:
                if is_past:
                    _count_empty_listing(tx, outgoing.id, poll_at=services.real.now() + _patience(services))
            case _ as never:
                assert_never(never)
    return True


def _patience(services: Services) -> timedelta:
    """How long after a request a message is looked for next: some time past the deadline of the request."""
    return timedelta(seconds=services.lines.post_timeout_seconds + services.lines.unknown_after_seconds)
