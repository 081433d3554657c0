"""Planned messages leave, each once: the row says sending before the network hears of it. One whose answer is missing
is looked for, and sent again only when two empty listings past its deadline show that it never was.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import assert_never

from dialer.domain.message import MessageState
from dialer.errors import Unavailable
from dialer.scripts.message_rules import message_findings
from dialer.scripts.model import Script
from dialer.store import messages
from dialer.store.messages import Outgoing
from dialer.telephony.callbacks import MESSAGE_STATES
from dialer.telephony.client import Fault, Placed, Refused, Unsure
from dialer.telephony.messages import MessageClient, MessageSeen, SendText
from dialer.usecases.choose_script import choose_script
from dialer.usecases.engine import Engine
from dialer.usecases.hear_message import hear_message, next_question

_AT_ONCE = 50
_RETRY_SECONDS = 30.0
_CLOCK_SKEW = timedelta(seconds=5)
_EMPTY_LISTINGS = 2
_GIVE_UP = timedelta(minutes=10)


def message_text(engine: Engine, outgoing: Outgoing) -> tuple[str, str]:
    """The words of the script that fits the case, with the bureau's name in them, and their language."""
    script = choose_script(engine, outgoing.fraud_type, outgoing.tags)
    language = script.default_language
    return script.message.get(language, "").replace("{bureau}", bureau_name(engine, script)), language


def bureau_name(engine: Engine, script: Script) -> str:
    language = script.default_language
    named = script.variables.get("bureau")
    return engine.centre.bureau.get(language) or (named.defaults.get(language, "") if named else "")


async def send_messages(engine: Engine, client: MessageClient) -> int:
    """Everything that may leave now has left once, or waits for its turn; how many were given to the network."""
    real_now = engine.real.now()
    with engine.store.begin() as tx:
        chosen = messages.claim(
            tx,
            now=engine.clock.now(),
            real_now=real_now,
            poll_at=real_now + _patience(engine),
            limit=_AT_ONCE,
        )
    results = await asyncio.gather(*(_send(engine, client, one) for one in chosen))
    return sum(results)


async def _send(engine: Engine, client: MessageClient, outgoing: Outgoing) -> bool:
    text, language = message_text(engine, outgoing)
    script = choose_script(engine, outgoing.fraud_type, outgoing.tags)
    if message_findings(text, language, bureau=bureau_name(engine, script)):
        # Better no message than one that could be the fraudsters' own. The lint of scripts names what is wrong.
        await asyncio.to_thread(_hear, engine, outgoing, MessageState.FAILED, None, None)
        return False
    answer = await client.send(SendText(message_id=outgoing.id, to=outgoing.to, text=text))
    await asyncio.to_thread(_record, engine, outgoing, answer)
    return isinstance(answer, Placed)


def _record(engine: Engine, outgoing: Outgoing, answer: Placed | Refused | Unsure) -> None:
    match answer:
        case Placed():
            _hear(engine, outgoing, MessageState.ACCEPTED, answer.sid, None)
        case Refused() if answer.fault is Fault.NUMBER:
            _hear(engine, outgoing, MessageState.FAILED, None, answer.code)
        case Refused():
            wait = max(answer.retry_after_seconds or 0.0, _RETRY_SECONDS)
            with engine.store.begin() as tx:
                not_before = engine.clock.now() + timedelta(seconds=wait)
                messages.hand_back(tx, [outgoing.id], not_before=not_before)
        case Unsure():
            with engine.store.begin() as tx:
                messages.doubt(tx, [outgoing.id], poll_at=engine.real.now() + _patience(engine))
        case _ as never:
            assert_never(never)


def _hear(
    engine: Engine, outgoing: Outgoing, state: MessageState, sid: str | None, error_code: int | None
) -> None:
    with engine.store.begin() as tx:
        messages.hear(
            tx,
            outgoing.id,
            state,
            now=engine.clock.now(),
            sid=sid,
            error_code=error_code,
            poll_at=next_question(engine),
        )


async def ask_about_messages(engine: Engine, client: MessageClient) -> int:
    """Every message of which the network has long said nothing has been asked about once; how many."""
    with engine.store.begin() as tx:
        chosen = messages.without_news(
            tx, real_now=engine.real.now(), poll_at=next_question(engine), limit=_AT_ONCE
        )
    for message_id, sid in chosen:
        told = await client.message_state(sid)
        if told is not None:
            await asyncio.to_thread(hear_message, engine, message_id, told)
    return len(chosen)


async def look_for_messages(engine: Engine, client: MessageClient) -> int:
    """Every doubtful message past its deadline has been looked for once; how many."""
    real_now = engine.real.now()
    with engine.store.begin() as tx:
        chosen = messages.silent(tx, real_now=real_now, poll_at=real_now + _patience(engine), limit=_AT_ONCE)
    for outgoing in chosen:
        await _look_for(engine, client, outgoing)
    return len(chosen)


async def _look_for(engine: Engine, client: MessageClient, outgoing: Outgoing) -> None:
    assert outgoing.posted_at is not None
    deadline = outgoing.posted_at + timedelta(seconds=engine.lines.post_timeout_seconds)
    try:
        seen = await client.find_messages(
            outgoing.to, since=outgoing.posted_at - _CLOCK_SKEW, until=deadline + _CLOCK_SKEW
        )
    except Unavailable:
        if engine.real.now() > deadline + _GIVE_UP:
            _hear(engine, outgoing, MessageState.FAILED, None, None)
        return
    free = _unbound(engine, seen)
    if len(free) == 1:
        state = MESSAGE_STATES.get(free[0].status, MessageState.ACCEPTED)
        _hear(engine, outgoing, state, free[0].sid, None)
    elif free:
        # Which of them is ours cannot be told, and one of them is: not known for good, and not sent again.
        _hear(engine, outgoing, MessageState.FAILED, None, None)
    elif outgoing.polls + 1 >= _EMPTY_LISTINGS:
        with engine.store.begin() as tx:
            messages.hand_back(tx, [outgoing.id], not_before=engine.clock.now())
    else:
        with engine.store.begin() as tx:
            messages.count_empty(tx, outgoing.id, poll_at=engine.real.now() + _patience(engine))


def _unbound(engine: Engine, seen: list[MessageSeen]) -> list[MessageSeen]:
    with engine.store.begin() as tx:
        bound = messages.bound_sids(tx, [one.sid for one in seen])
    return [one for one in seen if one.sid not in bound]


def _patience(engine: Engine) -> timedelta:
    """Past the request's own deadline."""
    return timedelta(seconds=engine.lines.post_timeout_seconds + engine.lines.unknown_after_seconds)
