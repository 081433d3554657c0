"""Events of calls: many share one transaction. Each is stored once, applied once, and answered after the commit.

Lock order: cases, then attempts, each in the order of their ids, then numbers. A case is locked only if an event may
change it or is the first news of its call. Numbers come last because a claim has locked attempts while it waits for a
number.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from dialer.calls.recordings import expect_recordings
from dialer.calls.store import (
    AttemptChange,
    Call,
    SentCall,
    StoredEvent,
    apply_change,
    change_calls,
    lock_calls,
    merge_changes,
    read_calls,
    record_first_calls,
    store_call_events,
)
from dialer.cases.attempts import NumberLimits, rest_called_numbers
from dialer.cases.effects import Move, move_cases
from dialer.cases.store import StoredCase, lock_cases
from dialer.core.attempt import DOUBTFUL_STATES, UNSENT_STATES, AttemptState
from dialer.core.errors import NotFound
from dialer.core.events import AlarmCode, Event
from dialer.core.values import TelephonyResult
from dialer.db.alarms import alarm_row, raise_alarms
from dialer.db.unit_of_work import Tx
from dialer.runtime.services import Services
from dialer.scripts.dialogue import Turn


class CallEvent(Protocol):
    """One event of an attempt: news from the network, or a step of a conversation."""

    @property
    def attempt_id(self) -> uuid.UUID: ...

    def read(self, services: Services, call: Call, now: datetime) -> EventReading:
        """What the event means for this call; changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventReading:
    """What an event means for its attempt and case."""

    stored: StoredEvent
    may_move: bool
    """The event may change the case, which must be locked."""
    reply: Turn | None = None
    """What to say next, if the event requests it."""
    change: Callable[[Call, datetime, datetime], AttemptChange | None]
    """Called with the locked attempt, the time and the time of its next poll: what the event changes in the attempt;
    None if it comes too late.
    """
    event: Callable[[Call, AttemptChange], Event | None]
    """Called with the attempt before the change, and the change: the event for the case, if there is one."""


Reply = Turn | None | NotFound
"""What to say next, or `NotFound` for an attempt that does not exist."""


def apply_call_events(services: Services, events: Sequence[CallEvent]) -> list[Reply]:
    """Stores and applies all events in one transaction, and returns the replies in their order."""
    with services.store.begin() as tx:
        replies, must_cancel = apply_replies(tx, services, events)
    if must_cancel:
        services.enqueue("cancel_calls")
    return replies


def apply_replies(tx: Tx, services: Services, events: Sequence[CallEvent]) -> tuple[list[Reply], bool]:
    """As `apply_call_events`, in the caller's transaction; also whether calls must be ended at the carrier."""
    now = services.clock.now()
    found = read_calls(tx, [event.attempt_id for event in events])
    readings = {
        number: event.read(services, found[event.attempt_id], now)
        for number, event in enumerate(events)
        if event.attempt_id in found
    }
    first_news = {call.attempt_id for call in found.values() if call.state in _NOT_KNOWN_TO_BE_PLACED}
    must_cancel = _apply(tx, services, list(readings.values()), first_news, now=now) if readings else False
    replies: list[Reply] = [
        readings[number].reply if number in readings else NotFound(kind="attempt", key=event.attempt_id)
        for number, event in enumerate(events)
    ]
    return replies, must_cancel


_NOT_KNOWN_TO_BE_PLACED = UNSENT_STATES | DOUBTFUL_STATES


def _apply(
    tx: Tx,
    services: Services,
    readings: Sequence[EventReading],
    first_news: AbstractSet[uuid.UUID],
    *,
    now: datetime,
) -> bool:
    """Stores and applies the events; True if calls must be ended at the carrier. `first_news`: attempts that were not
    known to be placed until now, because the answer to their order is late or was lost.
    """
    may_move = {
        reading.stored.case_id
        for reading in readings
        if reading.may_move or reading.stored.attempt_id in first_news
    }
    locked: dict[int, StoredCase] = lock_cases(tx, may_move) if may_move else {}
    calls = lock_calls(tx, {reading.stored.attempt_id for reading in readings})
    fresh = store_call_events(tx, [reading.stored for reading in readings], at=now)
    new = [read.stored for read in readings if (read.stored.attempt_id, read.stored.step) in fresh]
    raise_alarms(tx, _alarms_of(new, at=now))
    poll_at = services.real.now() + timedelta(seconds=services.lines.silence_seconds)
    changes: dict[uuid.UUID, AttemptChange] = {}
    moves: list[Move] = []
    ended: list[uuid.UUID] = []
    to_come = Counter(reading.stored.attempt_id for reading in readings)
    for reading in readings:
        attempt_id, step = reading.stored.attempt_id, reading.stored.step
        to_come[attempt_id] -= 1
        if (attempt_id, step) not in fresh:
            continue
        # An event can be repeated within the batch, too.
        fresh.discard((attempt_id, step))
        call = calls[attempt_id]
        change = reading.change(call, now, poll_at)
        if change is None:
            continue
        event = reading.event(call, change)
        changes[attempt_id] = merge_changes(changes.get(attempt_id), change)
        if to_come[attempt_id] or change.state is AttemptState.ENDED:  # otherwise nobody looks at it again
            calls[attempt_id] = apply_change(call, change)
        if event is not None:
            moves.append(Move(case_id=call.case_id, event=event, attempt_id=attempt_id))
        if change.state is AttemptState.ENDED:
            ended.append(attempt_id)
    change_calls(tx, list(changes.values()))
    record_first_calls(
        tx,
        [
            SentCall(case_id=call.case_id, reason=call.reason, sent_at=call.sent_at or now)
            for call in map(calls.__getitem__, first_news & changes.keys())
        ],
    )
    expect_recordings_of(tx, services, [(calls[key], changes[key]) for key in ended], now=now)
    must_cancel = move_cases(tx, locked, moves, policies=services.policies, now=now) if moves else False
    rest_numbers(tx, services, {key: changes[key].result for key in ended}, now=now)
    return must_cancel


def _alarms_of(events: Iterable[StoredEvent], *, at: datetime) -> list[dict[str, Any]]:
    return [
        alarm_row(
            event.alarm, at=at, case_id=event.case_id, facts={"prompts": event.facts.get("unsound", [])}
        )
        for event in events
        if event.alarm is not None
    ]


_TALKED = frozenset(
    {
        TelephonyResult.ANSWERED,
        TelephonyResult.FORWARDED,
        TelephonyResult.MACHINE,
        TelephonyResult.DEAD_AIR,
        TelephonyResult.UNKNOWN,
    }
)


def expect_recordings_of(
    tx: Tx, services: Services, ended: Iterable[tuple[Call, AttemptChange]], *, now: datetime
) -> None:
    """Expects a recording of those of these calls that were to be recorded and were answered, or may have been. Each
    call comes with the change that ended it.
    """
    recorded = [
        call.attempt_id
        for call, change in ended
        if call.records and (call.answered_at is not None or change.result in _TALKED)
    ]
    if recorded:
        expect_recordings(tx, recorded, now=now, real_now=services.real.now())


def rest_numbers(
    tx: Tx, services: Services, ended: Mapping[uuid.UUID, TelephonyResult | None], *, now: datetime
) -> None:
    """Lets the numbers of these attempts rest; after that they are free again. A number that was called too often rests
    longer, which is an alarm of its case.
    """
    at_limit = rest_called_numbers(tx, ended, number_limits(services), now=now)
    if at_limit:
        case_ids = {call.attempt_id: call.case_id for call in lock_calls(tx, at_limit).values()}
        raise_alarms(
            tx,
            [
                alarm_row(
                    AlarmCode.NUMBER_AT_LIMIT,
                    at=now,
                    case_id=case_ids[key],
                    facts={"until": until.isoformat()},
                )
                for key, until in at_limit.items()
            ],
        )


def number_limits(services: Services) -> NumberLimits:
    """How often a number may be called now."""
    return NumberLimits(
        rest_seconds=services.policies.newest.number_spacing_seconds,
        an_hour=services.lines.number_calls_an_hour,
        a_day=services.lines.number_calls_a_day,
    )
