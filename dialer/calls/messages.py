"""Messages of the robot, by the channel that the policy names: each is sent once. Its row is marked as sending before
the channel gets it. If the answer is missing, the message is looked for, and sent again only when `conclude_listing`
says that it is absent. News is stored once; the result is the same in any order.

A row is planned before anything is sent, one per case and purpose, and never sent again while it is unknown whether it
was sent.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import assert_never

from dialer.calls.conversation import choose_script
from dialer.calls.message_store import (
    BEING_SENT,
    IN_DOUBT,
    MessageLimits,
    Outgoing,
    advance_message,
    bound_message_sids,
    case_of_message,
    claim_messages,
    claim_messages_in_doubt,
    claim_messages_without_news,
    put_off_above_limits,
    without_news,
)
from dialer.calls.reconcile import ask_carrier
from dialer.calls.store import StoredEvent, store_call_events
from dialer.core.errors import NotFound, Unavailable
from dialer.core.events import AlarmCode
from dialer.core.outbox import MessageEvent, news_of
from dialer.core.values import FLASHES, MessageState
from dialer.db.alarms import alarm_row, raise_alarms
from dialer.db.system_state import awaited_comparison
from dialer.db.unit_of_work import Tx
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

_AT_ONCE = 50


def apply_message_event(services: Services, message_id: uuid.UUID, progress: MessageProgress) -> None:
    """Stores and applies news of a message. Raises `NotFound` for a message that does not exist."""
    now = services.clock.now()
    with services.store.begin() as tx:
        case_id = case_of_message(tx, message_id)
        if case_id is None:
            raise NotFound(kind="message", key=message_id)
        name = f"message.{progress.state.value}"
        facts = {"sid": progress.sid, "error_code": progress.error_code}
        kept = StoredEvent(
            attempt_id=message_id, case_id=case_id, step=name, kind=name, facts=facts, personal={}
        )
        if not store_call_events(tx, [kept], at=now):
            return
        event = news_of(progress.state)
        _advance(tx, services, message_id, event, sid=progress.sid, error_code=progress.error_code)


def _advance(
    tx: Tx,
    services: Services,
    message_id: uuid.UUID,
    event: MessageEvent,
    *,
    sid: str | None = None,
    error_code: int | None = None,
) -> None:
    now, next_poll = services.clock.now(), _next_poll(services)
    advance_message(tx, message_id, event, now=now, next_poll=next_poll, sid=sid, error_code=error_code)


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
        chosen = _within_limits(tx, services, chosen)
    results = await asyncio.gather(*(_send(services, client, outgoing) for outgoing in chosen))
    return sum(results)


def _within_limits(tx: Tx, services: Services, chosen: Sequence[Outgoing]) -> list[Outgoing]:
    """Those of these claimed messages that their numbers may have now; the others wait, which is an alarm of their
    case.
    """
    lines, now = services.lines, services.clock.now()
    limits = MessageLimits(an_hour=lines.number_messages_an_hour, a_day=lines.number_messages_a_day)
    put_off = put_off_above_limits(tx, chosen, limits, now=now)
    alarms = [
        alarm_row(
            AlarmCode.NUMBER_AT_LIMIT,
            at=now,
            case_id=one.case_id,
            facts={"until": put_off[one.id].isoformat(), "messages": True},
        )
        for one in chosen
        if one.id in put_off
    ]
    if alarms:
        raise_alarms(tx, alarms)
    return [one for one in chosen if one.id not in put_off]


async def _send(services: Services, client: MessageClient, outgoing: Outgoing) -> bool:
    order = _order(services, outgoing)
    if not order.text:
        await asyncio.to_thread(_fail, services, outgoing)
        return False
    answer = await client.send(order)
    await asyncio.to_thread(_record, services, outgoing, answer)
    return isinstance(answer, Placed)


def _order(services: Services, outgoing: Outgoing) -> SendText:
    return SendText(
        message_id=outgoing.id,
        to=outgoing.to,
        text=message_text(services, outgoing),
        flash=outgoing.purpose in FLASHES,
    )


def _record(services: Services, outgoing: Outgoing, answer: SendResult) -> None:
    with services.store.begin() as tx:
        now = services.clock.now()
        match answer:
            case Placed():
                _advance(tx, services, outgoing.id, MessageEvent.ACCEPTED, sid=answer.sid)
            case Refused() if answer.cause is RefusalCause.NUMBER:
                _advance(tx, services, outgoing.id, MessageEvent.FAILED, error_code=answer.code)
            case Refused():
                wait = timedelta(seconds=answer.retry_after_seconds or 0.0)
                planned = MessageState.PLANNED.value
                BEING_SENT.fail(
                    tx, outgoing.claim, now=now, real_now=now, at_least=wait, state=planned, poll_at=None
                )
            case UncertainResult():
                poll_at = services.real.now() + _patience(services)
                IN_DOUBT.hand_back(tx, outgoing.claim, due=poll_at, state=MessageState.UNKNOWN.value)
            case _ as never:
                assert_never(never)


def _fail(services: Services, outgoing: Outgoing) -> None:
    with services.store.begin() as tx:
        _advance(tx, services, outgoing.id, MessageEvent.FAILED)


async def ask_about_messages(services: Services, client: MessageClient) -> int:
    """Asks once about every message of this channel that has been without news for long, after growing gaps. Returns
    how many.
    """
    jobs = without_news(timedelta(seconds=services.lines.silence_seconds))
    with services.store.begin() as tx:
        chosen = claim_messages_without_news(
            tx,
            jobs,
            channel=client.channel,
            now=services.clock.now(),
            real_now=services.real.now(),
            lease=_patience(services),
            limit=_AT_ONCE,
        )
    for claim, sid in chosen:
        progress = None if sid is None else await client.state(sid)
        if progress is not None:
            await asyncio.to_thread(apply_message_event, services, claim.key, progress)
        with services.store.begin() as tx:
            # News that moved the message has ended the claim.
            jobs.fail(tx, claim, now=services.clock.now(), real_now=services.real.now())
    return len(chosen)


async def look_for_messages(services: Services, client: MessageClient) -> int:
    """Looks once for every doubtful message of this channel that is past its deadline. If the channel does not answer,
    the rest is put off until the next time. Returns how many were due.
    """
    with services.store.begin() as tx:
        chosen = claim_messages_in_doubt(
            tx,
            channel=client.channel,
            real_now=services.real.now(),
            lease=_patience(services),
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
        bound = bound_message_sids(tx, [text.sid for text in seen], channel=client.channel)
        unbound = [text for text in seen if text.sid not in bound]
        is_past = real_now > deadline
        match conclude_listing(
            fitting=len(unbound), others=0, empty_before=outgoing.polls, past_deadline=is_past
        ):
            case Conclusion.FOUND:
                (found,) = unbound
                _advance(tx, services, outgoing.id, news_of(found.state), sid=found.sid)
            case Conclusion.UNCLEAR:
                _advance(tx, services, outgoing.id, MessageEvent.FAILED)
            case Conclusion.ABSENT:
                now, planned = services.clock.now(), MessageState.PLANNED.value
                IN_DOUBT.hand_back(tx, outgoing.claim, due=None, state=planned, not_before=now)
            case Conclusion.NOT_YET:
                empty = outgoing.polls + is_past
                IN_DOUBT.hand_back(
                    tx, outgoing.claim, due=services.real.now() + _patience(services), polls=empty
                )
            case _ as never:
                assert_never(never)
    return True


def _patience(services: Services) -> timedelta:
    """How long after a request a message is looked for next: some time past the deadline of the request."""
    return timedelta(seconds=services.lines.post_timeout_seconds + services.lines.unknown_after_seconds)
