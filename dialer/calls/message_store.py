"""Rows of messages: each is a job (`dialer.db.jobs`) while it waits to be sent, while its answer is uncertain, and
while the channel may still have news of it. Its states are those of `dialer.core.outbox`.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from dialer.cases.persons import open_person
from dialer.core.case import CaseStatus
from dialer.core.outbox import MESSAGE_MOVES, ON_THE_WAY, MessageEvent
from dialer.core.values import FLASHES, Contact, FraudType, MessageChannel, MessagePurpose, MessageState, Tag
from dialer.db import tables as t
from dialer.db.bulk import IdSet, in_words, moment, state_update, word_literal
from dialer.db.jobs import JobClaim, JobTable, Retries
from dialer.db.unit_of_work import Row, Tx, record_of
from dialer.db.vault import BlindKind

_m = t.message.c
_LONGEST_GAP: Final = timedelta(hours=1)
_MOST_QUESTIONS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message to be sent or looked for; `to` is in clear and never logged."""

    id: uuid.UUID
    claim: JobClaim
    case_id: int
    to: str
    fraud_type: FraudType
    tags: frozenset[Tag]
    purpose: MessagePurpose
    posted_at: datetime | None
    polls: int


def _fail_messages(tx: Tx, message_ids: Sequence[uuid.UUID], now: datetime) -> None:
    failed = state_update(_m.state, MESSAGE_MOVES[MessageEvent.FAILED])
    tx.execute(failed.where(_m.id.in_(message_ids)).values(ended_at=now, poll_at=None))


def _stop_asking(tx: Tx, message_ids: Sequence[uuid.UUID], _now: datetime) -> None:
    tx.execute(sa.update(t.message).where(_m.id.in_(message_ids)).values(poll_at=None))


_RETRIES: Final = Retries(most=12, first=timedelta(seconds=30), longest=_LONGEST_GAP)
"""Five hours in all."""
TO_SEND: Final = JobTable(
    kind="message",
    waits=in_words(_m.state, MESSAGE_MOVES[MessageEvent.SENDING]),
    due=_m.not_before,
    tries=_m.tries,
    retries=_RETRIES,
    give_up=_fail_messages,
)
"""Planned messages. They are due by the service clock, and so are their gaps."""
BEING_SENT: Final = JobTable(
    kind="message",
    waits=in_words(_m.state, MESSAGE_MOVES[MessageEvent.NOT_TAKEN]),
    due=_m.not_before,
    tries=_m.tries,
    retries=_RETRIES,
    give_up=_fail_messages,
)
"""The same messages once they were taken."""
IN_DOUBT: Final = JobTable(
    kind="message", waits=in_words(_m.state, MESSAGE_MOVES[MessageEvent.IN_DOUBT]), due=_m.poll_at
)
"""Messages that are looked for at the channel."""


def without_news(first_gap: timedelta) -> JobTable:
    """Messages that the channel has accepted: it is asked about them if no news comes, a bounded number of times. After
    that they keep their last known state.
    """
    return JobTable(
        kind="message",
        waits=in_words(_m.state, ON_THE_WAY),
        due=_m.poll_at,
        tries=_m.polls,
        retries=Retries(most=_MOST_QUESTIONS, first=first_gap, longest=_LONGEST_GAP),
        give_up=_stop_asking,
        alarm=None,
    )


_SELECT = (
    sa.select(t.message, t.case.c.fraud_type, t.case.c.tags, t.person.c.sealed)
    .join(t.case, t.case.c.id == _m.case_id)
    .join(t.person, t.person.c.id == _m.person_id)
)


def _read(tx: Tx, jobs: JobTable, taken: Sequence[Row]) -> list[Outgoing]:
    claims = {row["id"]: jobs.claim_of(row) for row in taken}
    if not claims:
        return []
    found = []
    for row in tx.rows(_SELECT.where(_m.id.in_(list(claims))).order_by(_m.planned_at, _m.id)):
        person = open_person(tx, person_id=row["person_id"], sealed=row["sealed"])
        to = person.phones[row["number"]]
        found.append(record_of(Outgoing, row, to=to, claim=claims[row["id"]]))
    return found


_NUMBERS_LOCK: Final = 0x6D656773
_PHONES: Final = IdSet("phones", t.person_phone.c.phone_blind)
_SENT_TO_NUMBERS = (
    sa.select(t.person_phone.c.phone_blind, _m.not_before)
    .join(t.case, t.case.c.person_id == t.person_phone.c.person_id)
    .join(t.message, sa.and_(_m.case_id == t.case.c.id, _m.number == t.person_phone.c.position))
    .where(
        _PHONES.clause,
        _m.state.not_in([MessageState.PLANNED.value, MessageState.FAILED.value]),
        _m.not_before > moment("since"),
        _m.id.not_in(sa.bindparam("own", expanding=True)),
    )
    .order_by(_m.not_before)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLimits:
    """How many messages one number may get in an hour and in a day (service time), of all cases."""

    an_hour: int
    a_day: int

    def free_at(self, sent: Sequence[datetime]) -> datetime | None:
        """When one more may be sent after those of these moments, which are in order; None: whenever."""
        spans = ((self.an_hour, timedelta(hours=1)), (self.a_day, timedelta(days=1)))
        return max((sent[-most] + span for most, span in spans if len(sent) >= most), default=None)


def put_off_above_limits(
    tx: Tx, taken: Sequence[Outgoing], limits: MessageLimits, *, now: datetime
) -> dict[uuid.UUID, datetime]:
    """Plans those of these claimed messages again whose number has had as many as it may, for when it may
    have one more; returns these moments. Until the transaction ends, no other one does the same.
    """
    if not taken:
        return {}
    tx.execute(sa.select(sa.func.pg_advisory_xact_lock(_NUMBERS_LOCK)))
    blinds = {one.id: tx.vault.blinds(one.to, kind=BlindKind.PHONE) for one in taken}
    current = {index: own[0] for own in blinds.values() for index in own}
    given = _PHONES.given(current) | {"since": now - timedelta(days=1), "own": list(blinds)}
    sent: dict[bytes, list[datetime]] = {}
    for phone, at in tx.execute(_SENT_TO_NUMBERS, given):
        sent.setdefault(current[bytes(phone)], []).append(at)
    put_off = {}
    for one in taken:
        own = sent.setdefault(blinds[one.id][0], [])
        free_at = limits.free_at(own)
        if free_at is None or free_at <= now:
            own.append(now)
            continue
        put_off[one.id] = free_at
        planned = MessageState.PLANNED.value
        BEING_SENT.hand_back(tx, one.claim, due=free_at, state=planned, posted_at=None, poll_at=None)
    return put_off


_IS_HANDLED: Final = sa.and_(
    in_words(_m.purpose, FLASHES),
    sa.or_(
        t.case.c.status != word_literal(CaseStatus.OPEN),
        t.case.c.contact == word_literal(Contact.VERIFIED),
    ),
)
"""The same as `outbox.may_flash`, for the rows."""


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
    message is sent to a person who has refused calls since it was planned, and no flash message for a case that was
    handled since: these end, before their time too.
    """
    useless = sa.select(t.case.c.id).where(t.case.c.id == _m.case_id, sa.or_(t.case.c.opted_out, _IS_HANDLED))
    failed = state_update(_m.state, MESSAGE_MOVES[MessageEvent.FAILED])
    tx.execute(
        failed.where(_m.channel == channel.value, TO_SEND.waits, useless.exists()).values(ended_at=now)
    )
    taken = TO_SEND.take(
        tx,
        _m.channel == channel.value,
        now=now,
        real_now=now,
        lease=timedelta(),
        limit=limit,
        order=_m.planned_at,
        state=MessageState.SENDING.value,
        posted_at=real_now,
        poll_at=poll_at,
        polls=0,
    )
    return _read(tx, TO_SEND, taken)


def claim_messages_in_doubt(
    tx: Tx, *, channel: MessageChannel, real_now: datetime, lease: timedelta, limit: int
) -> list[Outgoing]:
    """Sending or unknown messages of this channel that are past their deadline, marked as unknown and postponed, so
    that only one process asks about them.
    """
    taken = IN_DOUBT.take(
        tx,
        _m.channel == channel.value,
        real_now=real_now,
        lease=lease,
        limit=limit,
        state=MessageState.UNKNOWN.value,
    )
    return _read(tx, IN_DOUBT, taken)


def claim_messages_without_news(
    tx: Tx,
    jobs: JobTable,
    *,
    channel: MessageChannel,
    now: datetime,
    real_now: datetime,
    lease: timedelta,
    limit: int,
) -> list[tuple[JobClaim, str | None]]:
    """Claims and sids of messages of this channel that are due to be asked about; `jobs` as `without_news` makes it."""
    taken = jobs.take(
        tx,
        _m.channel == channel.value,
        now=now,
        real_now=real_now,
        lease=lease,
        limit=limit,
        returning=[_m.sid],
    )
    return [(jobs.claim_of(row), row["sid"]) for row in taken]


def advance_message(
    tx: Tx,
    message_id: uuid.UUID,
    event: MessageEvent,
    *,
    now: datetime,
    next_poll: datetime,
    sid: str | None = None,
    error_code: int | None = None,
) -> None:
    """Moves the message by this news; late news changes nothing. Whoever holds it loses it. While more news may come,
    the channel is asked at `next_poll` (real).
    """
    [state] = set(MESSAGE_MOVES[event].values())
    values: dict[str, Any] = {
        "poll_at": next_poll if state in ON_THE_WAY else None,
        "polls": 0,
        "token": _m.token + 1,
    }
    if sid:
        values["sid"] = sa.func.coalesce(_m.sid, sid)
    if error_code is not None:
        values["error_code"] = error_code
    if state is MessageState.SENT:
        values["sent_at"] = now
    if event in {MessageEvent.DELIVERED, MessageEvent.UNDELIVERED, MessageEvent.FAILED}:
        values["ended_at"] = now
    tx.execute(state_update(_m.state, MESSAGE_MOVES[event]).where(_m.id == message_id).values(**values))


def case_of_message(tx: Tx, message_id: uuid.UUID) -> int | None:
    """The case of a message; None for a message that does not exist."""
    found = tx.scalar(sa.select(_m.case_id).where(_m.id == message_id))
    return None if found is None else int(found)


def bound_message_sids(tx: Tx, sids: Collection[str], *, channel: MessageChannel) -> set[str]:
    """The sids among these that belong to a message of this channel."""
    return {
        row["sid"] for row in tx.rows(sa.select(_m.sid).where(_m.channel == channel.value, _m.sid.in_(sids)))
    }
