"""News of a message: kept once, applied in any order with the same end.

Planned messages leave, each once: the row says sending before the network hears of it. One whose answer is missing
is looked for, and sent again only when two empty listings past its deadline show that it never was.
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
    doubt_messages,
    messages_without_news,
    replan_messages,
    silent_messages,
)
from dialer.calls.store import StoredEvents, store_call_events
from dialer.core.errors import NotFound, Unavailable
from dialer.core.values import MessageState
from dialer.scripts.lint import message_findings
from dialer.scripts.model import Script
from dialer.services import Services
from dialer.telephony.callbacks import MESSAGE_STATES, MessageProgress
from dialer.telephony.client import Fault, Placed, Refused, UncertainResult
from dialer.telephony.messages import MessageClient, MessageSeen, SendText


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
        apply_message_state(
            tx,
            message_id,
            progress.state,
            now=now,
            sid=progress.sid,
            error_code=progress.error_code,
            poll_at=next_question(services),
        )


def next_question(services: Services) -> datetime:
    """When a message of which no more was heard is asked about."""
    return services.real.now() + timedelta(seconds=services.lines.silence_seconds)


_AT_ONCE = 50
_RETRY_SECONDS = 30.0
_CLOCK_SKEW = timedelta(seconds=5)
_EMPTY_LISTINGS = 2
_GIVE_UP = timedelta(minutes=10)


def message_text(services: Services, outgoing: Outgoing) -> tuple[str, str]:
    """The words of the script that fits the case, with the bureau's name in them, and their language."""
    script = choose_script(services, outgoing.fraud_type, outgoing.tags)
    language = script.default_language
    return script.message.get(language, "").replace("{bureau}", bureau_name(services, script)), language


def bureau_name(services: Services, script: Script) -> str:
    language = script.default_language
    named = script.variables.get("bureau")
    return services.centre.bureau.get(language) or (named.defaults.get(language, "") if named else "")


async def send_messages(services: Services, client: MessageClient) -> int:
    """Everything that may leave now has left once, or waits for its turn; how many were given to the network."""
    real_now = services.real.now()
    with services.store.begin() as tx:
        chosen = claim_messages(
            tx,
            now=services.clock.now(),
            real_now=real_now,
            poll_at=real_now + _patience(services),
            limit=_AT_ONCE,
        )
    results = await asyncio.gather(*(_send(services, client, one) for one in chosen))
    return sum(results)


async def _send(services: Services, client: MessageClient, outgoing: Outgoing) -> bool:
    text, language = message_text(services, outgoing)
    script = choose_script(services, outgoing.fraud_type, outgoing.tags)
    if message_findings(text, language, bureau=bureau_name(services, script)):
        # Better no message than one that could be the fraudsters' own. The lint of scripts names what is wrong.
        await asyncio.to_thread(_hear, services, outgoing, MessageState.FAILED, None, None)
        return False
    answer = await client.send(SendText(message_id=outgoing.id, to=outgoing.to, text=text))
    await asyncio.to_thread(_record, services, outgoing, answer)
    return isinstance(answer, Placed)


def _record(services: Services, outgoing: Outgoing, answer: Placed | Refused | UncertainResult) -> None:
    match answer:
        case Placed():
            _hear(services, outgoing, MessageState.ACCEPTED, answer.sid, None)
        case Refused() if answer.fault is Fault.NUMBER:
            _hear(services, outgoing, MessageState.FAILED, None, answer.code)
        case Refused():
            wait = max(answer.retry_after_seconds or 0.0, _RETRY_SECONDS)
            with services.store.begin() as tx:
                not_before = services.clock.now() + timedelta(seconds=wait)
                replan_messages(tx, [outgoing.id], not_before=not_before)
        case UncertainResult():
            with services.store.begin() as tx:
                doubt_messages(tx, [outgoing.id], poll_at=services.real.now() + _patience(services))
        case _ as never:
            assert_never(never)


def _hear(
    services: Services, outgoing: Outgoing, state: MessageState, sid: str | None, error_code: int | None
) -> None:
    with services.store.begin() as tx:
        apply_message_state(
            tx,
            outgoing.id,
            state,
            now=services.clock.now(),
            sid=sid,
            error_code=error_code,
            poll_at=next_question(services),
        )


async def ask_about_messages(services: Services, client: MessageClient) -> int:
    """Every message of which the network has long said nothing has been asked about once; how many."""
    with services.store.begin() as tx:
        chosen = messages_without_news(
            tx, real_now=services.real.now(), poll_at=next_question(services), limit=_AT_ONCE
        )
    for message_id, sid in chosen:
        told = await client.message_state(sid)
        if told is not None:
            await asyncio.to_thread(apply_message_event, services, message_id, told)
    return len(chosen)


async def look_for_messages(services: Services, client: MessageClient) -> int:
    """Every doubtful message past its deadline has been looked for once; how many."""
    real_now = services.real.now()
    with services.store.begin() as tx:
        chosen = silent_messages(
            tx, real_now=real_now, poll_at=real_now + _patience(services), limit=_AT_ONCE
        )
    for outgoing in chosen:
        await _look_for(services, client, outgoing)
    return len(chosen)


async def _look_for(services: Services, client: MessageClient, outgoing: Outgoing) -> None:
    assert outgoing.posted_at is not None
    deadline = outgoing.posted_at + timedelta(seconds=services.lines.post_timeout_seconds)
    try:
        seen = await client.find_messages(
            outgoing.to, since=outgoing.posted_at - _CLOCK_SKEW, until=deadline + _CLOCK_SKEW
        )
    except Unavailable:
        if services.real.now() > deadline + _GIVE_UP:
            _hear(services, outgoing, MessageState.FAILED, None, None)
        return
    free = _unbound(services, seen)
    if len(free) == 1:
        state = MESSAGE_STATES.get(free[0].status, MessageState.ACCEPTED)
        _hear(services, outgoing, state, free[0].sid, None)
    elif free:
        # Which of them is ours cannot be told, and one of them is: not known for good, and not sent again.
        _hear(services, outgoing, MessageState.FAILED, None, None)
    elif outgoing.polls + 1 >= _EMPTY_LISTINGS:
        with services.store.begin() as tx:
            replan_messages(tx, [outgoing.id], not_before=services.clock.now())
    else:
        with services.store.begin() as tx:
            count_empty_listing(tx, outgoing.id, poll_at=services.real.now() + _patience(services))


def _unbound(services: Services, seen: list[MessageSeen]) -> list[MessageSeen]:
    with services.store.begin() as tx:
        bound = bound_message_sids(tx, [one.sid for one in seen])
    return [one for one in seen if one.sid not in bound]


def _patience(services: Services) -> timedelta:
    """Past the request's own deadline."""
    return timedelta(seconds=services.lines.post_timeout_seconds + services.lines.unknown_after_seconds)
