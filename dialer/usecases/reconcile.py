"""What nobody told us is asked for. An attempt that cannot be proven absent is never dialled again."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from dialer.domain.effects import AlarmCode
from dialer.domain.values import TelephonyResult
from dialer.errors import Unavailable
from dialer.store import alarms, attempts, calls, cases, returns
from dialer.store.calls import Call
from dialer.telephony.callbacks import CallProgress, Stage
from dialer.telephony.client import CallClient, CallState
from dialer.telephony.results import progress_of
from dialer.usecases.ask_carrier import ask_carrier
from dialer.usecases.engine import Engine
from dialer.usecases.hear_progress import News, apply_news, end_attempts

_AT_ONCE = 200
_EMPTY_LISTINGS = 2
_CLOCK_SKEW = timedelta(seconds=5)
_CLOCKS_APART = timedelta(days=1)
"""Absent means that there is no such call of any time near: our clock may have been wrong when it was sent."""
_GIVE_UP = timedelta(minutes=10)
_REMEMBERED = timedelta(hours=20)
"""So long does every carrier keep its records of calls."""


async def reconcile(engine: Engine, client: CallClient) -> int:
    """Every attempt that was silent past its deadline has been asked about once; how many."""
    with engine.store.begin() as tx:
        found = calls.silent(tx, real_now=engine.real.now(), limit=_AT_ONCE)
        numbers = calls.numbers(tx, found)
        # Whoever asks holds them for a while: a second reconciler finds nothing to do.
        calls.put_off_poll(
            tx,
            [call.attempt_id for call in found],
            poll_at=engine.real.now() + timedelta(seconds=2 * engine.lines.post_timeout_seconds),
            counted=False,
        )
        returns.doubt(
            tx,
            [(call.attempt_id, call.token) for call in found],
            poll_at=engine.real.now() + timedelta(seconds=2 * engine.lines.post_timeout_seconds),
        )

    async def ask(call: Call) -> bool:
        if call.sid is not None:
            return await _ask_sid(engine, client, call, call.sid)
        return await _look_for(engine, client, call, numbers[call.attempt_id])

    # Those that the carrier did not answer for are asked about when their turn comes again.
    await ask_carrier(found, ask)
    return len(found)


async def _ask_sid(engine: Engine, client: CallClient, call: Call, sid: str) -> bool:
    """False when the carrier did not answer."""
    try:
        state = await client.fetch(sid)
    except Unavailable:
        _ask_again(engine, call, counted=False)
        return False
    if state is not None:
        _bind(engine, call, state)
    elif call.polls >= _EMPTY_LISTINGS:
        _close_as_unknown(engine, call)
    else:
        _ask_again(engine, call, counted=True)
    return True


async def _look_for(engine: Engine, client: CallClient, call: Call, number: str) -> bool:
    """By number and creation time. Absent is believed only after two empty listings past the POST's deadline, of a
    carrier that still knows a call from before. False when the carrier did not answer.
    """
    assert call.posted_at is not None
    deadline = call.posted_at + timedelta(seconds=engine.lines.post_timeout_seconds)
    real_now = engine.real.now()
    try:
        states = await client.find(
            number, since=call.posted_at - _CLOCKS_APART, until=deadline + _CLOCKS_APART
        )
        earlier = any(_created(state) <= call.posted_at for state in states)
        remembers = earlier or await _remembers(engine, client, call.posted_at)
    except Unavailable:
        if real_now > deadline + _GIVE_UP:
            _close_as_unknown(engine, call)
        else:
            _ask_again(engine, call, counted=False)
        return False
    unbound = _unbound(engine, states)
    first = (call.posted_at - _CLOCK_SKEW).replace(microsecond=0)
    candidates = [one for one in unbound if first <= _created(one) <= deadline + _CLOCK_SKEW]
    if len(candidates) == 1:
        _bind(engine, call, candidates[0])
    elif unbound:
        _close_as_unknown(engine, call)
    elif call.polls + 1 < _EMPTY_LISTINGS or real_now <= deadline:
        _ask_again(engine, call, counted=real_now > deadline)
    elif not remembers:
        _close_as_unknown(engine, call)
    else:
        with engine.store.begin() as tx:
            returns.hand_back(tx, [(call.attempt_id, call.token)], not_before=engine.clock.now())
        engine.nudge("dial")
    return True


async def _remembers(engine: Engine, client: CallClient, posted_at: datetime) -> bool:
    """A carrier that came back without its memory denies every call, also one that it has rung. It is believed when it
    still knows one that it took earlier; asked after the listing, so that nothing can be forgotten in between.
    """
    with engine.store.begin() as tx:
        sid = calls.known_before(tx, posted_at=posted_at, since=posted_at - _REMEMBERED)
    return sid is not None and await client.fetch(sid) is not None


def _created(state: CallState) -> datetime:
    assert state.date_created is not None  # it was found by it
    return state.date_created


def _unbound(engine: Engine, states: Sequence[CallState]) -> list[CallState]:
    with engine.store.begin() as tx:
        bound = calls.bound_sids(tx, [state.sid for state in states])
    return [state for state in states if state.sid not in bound]


def _bind(engine: Engine, call: Call, state: CallState) -> None:
    """The attempt is that call; whatever its webhooks would have said by now is applied."""
    real_now = engine.real.now()
    poll_at = real_now + timedelta(seconds=engine.lines.silence_seconds)
    progress = progress_of(state)
    with engine.store.begin() as tx:
        cases.lock(tx, [call.case_id])
        attempts.accept(tx, [(call.attempt_id, state.sid)], now=engine.clock.now(), poll_at=poll_at)
        news = _news(call.attempt_id, progress, real_now)
        cancels = apply_news(tx, engine, [news])
    if cancels or call.cancel_asked:
        engine.nudge("cancel_calls")


def _news(attempt_id: uuid.UUID, progress: CallProgress, real_now: datetime) -> News:
    """An end is an end whoever tells it, so it has one name; anything else may be told again and again."""
    step = "poll.ended" if progress.stage is Stage.ENDED else f"poll.{real_now.timestamp():.3f}"
    return News(attempt_id=attempt_id, step=step, progress=progress)


def _ask_again(engine: Engine, call: Call, *, counted: bool) -> None:
    poll_at = engine.real.now() + timedelta(seconds=engine.lines.unknown_after_seconds)
    with engine.store.begin() as tx:
        calls.put_off_poll(tx, [call.attempt_id], poll_at=poll_at, counted=counted)


def _close_as_unknown(engine: Engine, call: Call) -> None:
    with engine.store.begin() as tx:
        cancels = end_attempts(tx, engine, {call.attempt_id: (TelephonyResult.UNKNOWN, None)})
        alarms.ring_once(tx, AlarmCode.UNKNOWN_SUBMISSION, now=engine.clock.now())
    if cancels:
        engine.nudge("cancel_calls")
