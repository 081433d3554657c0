"""Messages of the robot, by whichever channel the policy names: each is sent once. Its row says "sending" before the
channel receives it. One whose answer is missing is looked for, and sent again only when `conclude` says that there is
none. News is kept once and applied in any order with the same end.
"""

from __future__ import annotations

import asyncio
import uuid
from datetime import datetime, timedelta
from typing import assert_never

from dialer.calls.conversation import choose_script
from dialer.calls.message_store import (
    Outgoing,
    apply_message_state,
    bound_message_sids,
    case_of_message,
    claim_messages,
    count_empty_listing,
    doubt_message,
    messages_without_news,
    replan_message,
    silent_messages,
)
from dialer.calls.store import StoredEvents, store_call_events
from dialer.core.errors import NotFound, Unavailable
from dialer.core.values import MessageState
from dialer.db.system_state import awaited_comparison
from dialer.db.unit_of_work import Tx
from dialer.scripts.lint import message_findings
from dialer.services import Services
from dialer.telephony.channels import (
    CLOCK_SKEW,
    GIVE_UP,
    Conclusion,
    Fault,
    MessageClient,
    MessageProgress,
    Placed,
    Refused,
    SendResult,
    SendText,
    UncertainResult,
    conclude,
)

_AT_ONCE = 50
_RETRY_SECONDS = 30.0


def apply_message_event(services: Services, message_id: uuid.UUID, progress: MessageProgress) -> None:
    """Kept and applied when this returns. Raises `NotFound` for a message that we never made."""
    now = services.clock.now()
    with services.store.begin() as tx:
        case_id = case_of_message(tx, message_id)
        if case_id is None:
            raise NotFound(kind="message", key=message_id)
        name = f"message.{progress.state.value}"
        facts = {"sid": progress.sid, "error_code": progress.error_code}
        kept = StoredEvents(
            attempt_id=message_id, case_id=case_id, step=name, kind=name, facts=facts, personal={}
        )
        if not store_call_events(tx, [kept], at=now):
            return
        _advance(tx, services, message_id, progress.state, sid=progress.sid, error_code=progress.error_code)


def _advance(
    tx: Tx,
    services: Services,
    message_id: uuid.UUID,
    state: MessageState,
    *,
    sid: str | None = None,
    error_code: int | None = None,
) -> None:
    """The message has come that far; late news changes nothing."""
    apply_message_state(
        tx,
        message_id,
        state,
        now=services.clock.now(),
        sid=sid,
        error_code=error_code,
        poll_at=_next_poll(services),
    )


def _next_poll(services: Services) -> datetime:
    """When a message is asked about if no more news of it comes."""
    return services.real.now() + timedelta(seconds=services.lines.silence_seconds)


def message_text(services: Services, outgoing: Outgoing) -> tuple[str, str]:
    """The message of the script that fits the case, and its language. Empty when the lint finds a fault in it: no
    message is better than one that could be the fraudsters' own.
    """
    script = choose_script(services, outgoing.fraud_type, outgoing.tags)
    language = script.default_language
    named = script.variables.get("bureau")
    bureau = services.centre.bureau.get(language) or (named.defaults.get(language, "") if named else "")
    text = script.message.get(language, "").replace("{bureau}", bureau)
    return ("" if message_findings(text, language, bureau=bureau) else text), language


async def send_messages(services: Services, client: MessageClient) -> int:
    """Every due message of the client's channel was sent once, or is planned again. Returns how many were taken; none
    after a restore, until the carrier's calls have been compared.
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
    text, _language = message_text(services, outgoing)
    return SendText(message_id=outgoing.id, to=outgoing.to, text=text)


def _record(services: Services, outgoing: Outgoing, answer: SendResult) -> None:
    with services.store.begin() as tx:
        match answer:
            case Placed():
                _advance(tx, services, outgoing.id, MessageState.ACCEPTED, sid=answer.sid)
            case Refused() if answer.fault is Fault.NUMBER:
                _advance(tx, services, outgoing.id, MessageState.FAILED, error_code=answer.code)
            case Refused():
                wait = max(answer.retry_after_seconds or 0.0, _RETRY_SECONDS)
                not_before = services.clock.now() + timedelta(seconds=wait)
                replan_message(tx, outgoing.id, not_before=not_before)
            case UncertainResult():
                doubt_message(tx, outgoing.id, poll_at=services.real.now() + _patience(services))
            case _ as never:
                assert_never(never)


def _fail(services: Services, outgoing: Outgoing) -> None:
    with services.store.begin() as tx:
        _advance(tx, services, outgoing.id, MessageState.FAILED)


async def ask_about_messages(services: Services, client: MessageClient) -> int:
    """Every message of this channel without news for long has been asked about once. Returns how many."""
    with services.store.begin() as tx:
        chosen = messages_without_news(
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
    """Every doubtful message of this channel past its deadline has been looked for once. Returns how many."""
    real_now = services.real.now()
    with services.store.begin() as tx:
        chosen = silent_messages(
            tx,
            channel=client.channel,
            real_now=real_now,
            poll_at=real_now + _patience(services),
            limit=_AT_ONCE,
        )
    for outgoing in chosen:
        await _look_for(services, client, outgoing)
    return len(chosen)


async def _look_for(services: Services, client: MessageClient, outgoing: Outgoing) -> None:
    assert outgoing.posted_at is not None
    deadline = outgoing.posted_at + timedelta(seconds=services.lines.post_timeout_seconds)
    real_now = services.real.now()
    try:
        seen = await client.find(
            _order(services, outgoing), since=outgoing.posted_at - CLOCK_SKEW, until=deadline + CLOCK_SKEW
        )
    except Unavailable:
        if real_now > deadline + GIVE_UP:
            _fail(services, outgoing)
        return
    with services.store.begin() as tx:
        bound = bound_message_sids(tx, [one.sid for one in seen], channel=client.channel)
        unbound = [one for one in seen if one.sid not in bound]
        is_past = real_now > deadline
        match conclude(fitting=len(unbound), others=0, empty_before=outgoing.polls, past_deadline=is_past):
            case Conclusion.FOUND:
                (found,) = unbound
                _advance(tx, services, outgoing.id, found.state, sid=found.sid)
            case Conclusion.UNCLEAR:
                _advance(tx, services, outgoing.id, MessageState.FAILED)
            case Conclusion.ABSENT:
                replan_message(tx, outgoing.id, not_before=services.clock.now())
            case Conclusion.NOT_YET:
                if is_past:
                    count_empty_listing(tx, outgoing.id, poll_at=services.real.now() + _patience(services))
            case _ as never:
                assert_never(never)


def _patience(services: Services) -> timedelta:
    """Until some time after the deadline of a request."""
    return timedelta(seconds=services.lines.post_timeout_seconds + services.lines.unknown_after_seconds)
