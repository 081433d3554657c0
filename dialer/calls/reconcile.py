"""What happens to attempts when no event comes: the carrier is asked about them, unwanted calls are ended, due cases
and attempts are moved on, and lapsed claims are handed back.

An attempt that cannot be proven absent is never called again. Nobody is called while no web process runs: a person who
answers would hear an error message of the network, and the attempt would be used up.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import TypeVar

from dialer.calls.apply import CallNews, end_attempts
from dialer.calls.claims import cases_at_carrier, promote_planned, ready_outside_window
from dialer.calls.comparison import compare_after_failover
from dialer.calls.events import apply_call_events
from dialer.calls.store import (
    WEBHOOK_AFTER,
    Call,
    bound_call_sids,
    calls_asked_to_end,
    lock_overdue_calls,
    newest_call_known_before,
    numbers_of_calls,
    poll_unreported_calls_now,
    postpone_poll,
    unreported_calls,
    was_posted_since,
)
from dialer.cases.attempts import doubt_attempts, release_lapsed_claims, requeue_attempts
from dialer.cases.effects import Move, move_cases
from dialer.cases.store import lock_cases, lock_due_cases
from dialer.core.attempt import AttemptState
from dialer.core.errors import Unavailable
from dialer.core.events import AlarmCode, TimePassed, WindowClosed
from dialer.core.values import TelephonyResult
from dialer.db.alarms import raise_alarm_once
from dialer.db.hosts import raise_alarm_with_cause
from dialer.db.system_state import ALIVE_SECONDS, awaited_comparison, heartbeats
from dialer.db.unit_of_work import Tx
from dialer.runtime.services import Services
from dialer.telephony.callbacks import CallState, Stage, progress_of
from dialer.telephony.channels import CLOCK_SKEW, EMPTY_LISTINGS, GIVE_UP_AFTER, Conclusion, conclude_listing
from dialer.telephony.client import CallClient, PlaceCall

_MOST_REQUESTS = 16
"""The largest number of requests that wait at a time for a carrier that does not answer."""

_T = TypeVar("_T")


async def ask_carrier(about: Iterable[_T], ask: Callable[[_T], Awaitable[bool]]) -> int:
    """Calls `ask` for each of these things, some at a time. `ask` returns False if the carrier did not answer; then no
    further requests are begun. Returns how many were answered. An exception of `ask` is raised after the requests under
    way have ended.
    """
    waiting = iter(about)
    is_down = False

    async def ask_in_turn() -> int:
        nonlocal is_down
        answered = 0
        for thing in waiting:
            if await ask(thing):
                answered += 1
            else:
                is_down = True
            if is_down:
                break
        return answered

    ends = await asyncio.gather(*(ask_in_turn() for _ in range(_MOST_REQUESTS)), return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException):
            raise end
    return sum(end for end in ends if isinstance(end, int))


_AT_ONCE = 200
_CLOCKS_APART = timedelta(days=1)
"""A call is absent only if there is none within this time before or after: our clock may have been wrong when it was
sent.
"""
_REMEMBERED = timedelta(hours=20)
"""Every carrier keeps its records of calls for at least this long."""


async def reconcile(services: Services, client: CallClient) -> int:
    """Asks the carrier once about every attempt without news past its deadline. Returns how many; after a restore 0,
    until the comparison has settled what was under way when the backup was made. After a failover it is made here.
    """
    # Postponed by this process, so that a second reconciler finds nothing to do meanwhile.
    poll_at = services.real.now() + timedelta(seconds=2 * services.lines.post_timeout_seconds)
    with services.store.begin() as tx:
        restored = awaited_comparison(tx)
        if restored is None:
            found = lock_overdue_calls(tx, real_now=services.real.now(), limit=_AT_ONCE)
            numbers = numbers_of_calls(tx, found)
            postpone_poll(tx, [call.attempt_id for call in found], poll_at=poll_at, counted=False)
            doubt_attempts(tx, [(call.attempt_id, call.token) for call in found], poll_at=poll_at)
    if restored is not None:
        await compare_after_failover(services, client, restored)
        return 0

    async def ask(call: Call) -> bool:
        if call.sid is not None:
            return await _ask_sid(services, client, call, call.sid)
        return await _look_for(services, client, call, numbers[call.attempt_id])

    await ask_carrier(found, ask)
    return len(found)


async def _ask_sid(services: Services, client: CallClient, call: Call, sid: str) -> bool:
    """Asks the carrier about one call by its sid; False if the carrier did not answer."""
    try:
        state = await client.state(sid)
    except Unavailable:
        _ask_again(services, call, counted=False)
        return False
    if state is not None:
        _bind_and_apply(services, call, state)
    elif call.polls >= EMPTY_LISTINGS:
        _close_as_unknown(services, call)
    else:
        _ask_again(services, call, counted=True)
    return True


async def _look_for(services: Services, client: CallClient, call: Call, number: str) -> bool:
    """Looks for a call by number and creation time. It counts as absent only after two empty listings past the POST's
    deadline, from a carrier that still has a record of an earlier call. False if the carrier did not answer.
    """
    assert call.posted_at is not None
    deadline = call.posted_at + timedelta(seconds=services.lines.post_timeout_seconds)
    real_now = services.real.now()
    try:
        order = PlaceCall(attempt_id=call.attempt_id, to=number)
        states = await client.find(
            order, since=call.posted_at - _CLOCKS_APART, until=deadline + _CLOCKS_APART
        )
        earlier = any(_created(state) <= call.posted_at for state in states)
        remembers = earlier or await _remembers(services, client, call.posted_at)
    except Unavailable:
        if real_now > deadline + GIVE_UP_AFTER:
            _close_as_unknown(services, call)
        else:
            _ask_again(services, call, counted=False)
        return False
    with services.store.begin() as tx:
        bound = bound_call_sids(tx, [state.sid for state in states])
    unbound = [state for state in states if state.sid not in bound]
    first = (call.posted_at - CLOCK_SKEW).replace(microsecond=0)
    candidates = [state for state in unbound if first <= _created(state) <= deadline + CLOCK_SKEW]
    past_deadline = real_now > deadline
    conclusion = conclude_listing(
        fitting=len(candidates),
        others=len(unbound) - len(candidates),
        empty_before=call.polls,
        past_deadline=past_deadline,
    )
    if conclusion is Conclusion.FOUND:
        _bind_and_apply(services, call, candidates[0])
    elif conclusion is Conclusion.NOT_YET:
        _ask_again(services, call, counted=past_deadline)
    elif conclusion is Conclusion.ABSENT and remembers:
        with services.store.begin() as tx:
            now = services.clock.now()
            requeue_attempts(tx, [(call.attempt_id, call.token)], now=now, not_before=now)
        services.enqueue("dial")
    else:
        _close_as_unknown(services, call)
    return True


async def _remembers(services: Services, client: CallClient, posted_at: datetime) -> bool:
    """Whether the carrier still has a record of an earlier call: a carrier that restarted without its records denies
    every call, even one that it has placed. This is asked after the listing, so that no records can be lost in between.
    """
    with services.store.begin() as tx:
        sid = newest_call_known_before(tx, posted_at=posted_at, since=posted_at - _REMEMBERED)
    return sid is not None and await client.state(sid) is not None


def _created(state: CallState) -> datetime:
    assert state.date_created is not None  # The call was found by its creation time.
    return state.date_created


def _bind_and_apply(services: Services, call: Call, state: CallState) -> None:
    """Binds the attempt to that call, and applies what its webhooks would have reported by now."""
    progress = progress_of(state)
    # The end of a call has one step, whichever source reports it; other news may be reported many times.
    polled_at = services.real.now().timestamp()
    step = "poll.ended" if progress.stage is Stage.ENDED else f"poll.{polled_at:.3f}"
    apply_call_events(services, [CallNews(attempt_id=call.attempt_id, step=step, progress=progress)])
    if call.cancel_asked:
        services.enqueue("cancel_calls")


def _ask_again(services: Services, call: Call, *, counted: bool) -> None:
    poll_at = services.real.now() + timedelta(seconds=services.lines.unknown_after_seconds)
    with services.store.begin() as tx:
        postpone_poll(tx, [call.attempt_id], poll_at=poll_at, counted=counted)


def _close_as_unknown(services: Services, call: Call) -> None:
    with services.store.begin() as tx:
        end_attempts(tx, services, {call.attempt_id: (TelephonyResult.UNKNOWN, None)})
        raise_alarm_once(tx, AlarmCode.UNKNOWN_SUBMISSION, now=services.clock.now())


async def cancel_calls(services: Services, client: CallClient) -> int:
    """Asks the carrier once to end each live call that must end; its end comes back as news. A carrier that does not
    answer is asked again at the next tick. Returns how many requests were answered.
    """
    with services.store.begin() as tx:
        found = calls_asked_to_end(tx, limit=_AT_ONCE)

    async def end(call: tuple[uuid.UUID, str, AttemptState]) -> bool:
        _attempt_id, sid, state = call
        try:
            if state is AttemptState.ANSWERED:
                await client.hang_up(sid)
            else:
                await client.cancel(sid)
        except Unavailable:
            return False
        return True

    return await ask_carrier(found, end)


_AT_ONCE_SWEEP = 100
"""Cases of one transaction: a decision takes 2 to 8 ms, and calls of the same people wait for it."""


def sweep_cases(services: Services, *, at_once: int = _AT_ONCE_SWEEP) -> int:
    """Decides every case that is due, in batches of `at_once`. Returns how many."""
    total = 0
    while True:
        with services.store.begin() as tx:
            now = services.clock.now()
            locked = lock_due_cases(tx, now=now, limit=at_once)
            in_call = cases_at_carrier(tx, list(locked))
            moves = [Move(case_id=case, event=TimePassed(is_at_carrier=case in in_call)) for case in locked]
            # A case with a call under way waits for its end, so no call has to be ended at the carrier.
            move_cases(tx, locked, moves, policies=services.policies, now=now)
        total += len(locked)
        if len(locked) < at_once:
            return total


def sweep_attempts(services: Services, *, at_once: int = _AT_ONCE_SWEEP) -> None:
    """Hands lapsed claims back, and marks planned attempts whose time has come as ready. Outside the window, cases of
    grades that do not wait for it decide what happens instead. Claims use the window of the newest policy: a case whose
    own policy has its window open is left alone, and a person calls when its patience is over.
    """
    with services.store.begin() as tx:
        now = services.clock.now()
        release_lapsed_claims(tx, real_now=services.real.now(), now=now)
        promote_planned(tx, now=now)
    if services.policies.newest.window.is_open(now):
        return
    last = None
    while True:
        with services.store.begin() as tx:
            turns = ready_outside_window(tx, after=last, limit=at_once)
            closed = [
                turn for turn in turns if not services.policies.of(turn.policy_version).window.is_open(now)
            ]
            if closed:
                locked = lock_cases(tx, [turn.case_id for turn in closed])
                moves = [Move(case_id=turn.case_id, event=WindowClosed(n=turn.n)) for turn in closed]
                move_cases(tx, locked, moves, policies=services.policies, now=now)
        if len(turns) < at_once:
            return
        last = turns[-1]


WEB = "web"
_PATIENCE_SECONDS = 10.0
"""The alarm is raised this long after the last heartbeat, or after the start of the service."""
_LONGEST_PATIENCE_SECONDS = 20.0
"""While a host seems to fall silent, the alarm waits so long for that one."""


_LOOK_SECONDS = 0.5
"""What lets all calls leave, a web process alive and webhooks that arrive, is looked at no more often than this."""


class WebProcessCheck:
    """Whether a web process is alive, as one dialling process sees it. A heartbeat counts when this process has seen it
    change, by its own clock, so that machines with different clocks stop no calls. Only the first check, or one after a
    long gap, relies on the time in the row.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: Mapping[str, datetime] = {}
        self._looked_at: float | None = None
        self._beat_at: float | None = None
        self._missing_since: float | None = None
        self._any = False
        self._next_look_at: float | None = None

    def allowed(self, tx: Tx, services: Services) -> int | None:
        """How many calls may leave now; None: as many as pacing allows, which holds for `_LOOK_SECONDS`. A claim comes
        several times a second, and what is looked at here changes by the second.
        """
        now = self._clock()
        # Two threads dial: the attribute may be None by the next line.
        next_look_at = self._next_look_at
        if next_look_at is not None and now < next_look_at:
            return None
        allowed = trials_without_webhooks(tx, services) if self.may_call(tx, services) else 0
        self._next_look_at = now + _LOOK_SECONDS if allowed is None else None
        return allowed

    def may_call(self, tx: Tx, services: Services) -> bool:
        """True while a web process is alive. Raises an alarm if none has been alive for a while."""
        now = self._clock()
        if self._is_beating(tx, services, now):
            self._missing_since = None
            return True
        # Two threads dial: the attribute may be None by the next line.
        since = self._missing_since
        if since is None:
            self._missing_since = since = now if not self._any or self._beat_at is None else self._beat_at
        if now - since >= _PATIENCE_SECONDS:
            raise_alarm_with_cause(
                tx,
                AlarmCode.NOBODY_ANSWERS,
                now=services.clock.now(),
                real_now=services.real.now(),
                may_wait=now - since < _LONGEST_PATIENCE_SECONDS,
            )
        return False

    def _is_beating(self, tx: Tx, services: Services, now: float) -> bool:
        beats = {beat.process: beat.at for beat in heartbeats(tx, kind=WEB)}
        if self._looked_at is None or now - self._looked_at >= ALIVE_SECONDS:
            recent = services.real.now() - timedelta(seconds=ALIVE_SECONDS)
            has_beaten = any(at >= recent for at in beats.values())
            self._beat_at = None
        else:
            has_beaten = any(self._seen.get(process) != at for process, at in beats.items())
        self._seen, self._looked_at = beats, now
        if has_beaten:
            self._beat_at = now
        # A web process that stopped normally has deleted its row.
        self._any = bool(beats)
        beat_at = self._beat_at
        return bool(beats) and beat_at is not None and now - beat_at < ALIVE_SECONDS


_TRIAL_SECONDS = 15.0
"""While webhooks are missing, one trial call at a time leaves, no more often than this."""


def trials_without_webhooks(tx: Tx, services: Services) -> int | None:
    """How many calls may leave, judging by the webhooks that arrive; None: as many as pacing allows. If calls that the
    carrier took bring no webhook, the fault is ours (proxy, address, token), and a person who answers hears nothing.
    Then one trial call at a time leaves, an alarm is raised, and the carrier is asked about these calls at once.
    """
    real_now = services.real.now()
    unreported = unreported_calls(
        tx, now=services.clock.now(), real_now=real_now, ring_seconds=services.lines.ring_seconds
    )
    if unreported is None or unreported.since is None:
        return None
    posted_before = real_now - WEBHOOK_AFTER
    first = unreported.first_posted_at
    raise_alarm_with_cause(
        tx,
        AlarmCode.WEBHOOKS_MISSING,
        now=services.clock.now(),
        real_now=real_now,
        facts={"since": unreported.since.isoformat()},
        may_wait=first is not None and real_now - first < timedelta(seconds=_LONGEST_PATIENCE_SECONDS),
    )
    poll_unreported_calls_now(tx, posted_before=posted_before, real_now=real_now)
    trial_before = real_now - timedelta(seconds=_TRIAL_SECONDS)
    tried = unreported.posted_at is not None and unreported.posted_at >= trial_before
    return 0 if tried or was_posted_since(tx, trial_before) else 1
