"""What comes in of calls, many at once in one transaction: kept once, applied once, answered after the commit.

Cases are locked before attempts, each in the order of their ids, and a case only where something may move it. Numbers
come last: whoever claims holds rings while he waits for a number.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from dialer.calls.store import (
    Call,
    Change,
    StoredEvents,
    apply_change,
    change_calls,
    lock_calls,
    merge_changes,
    read_calls,
    store_call_events,
)
from dialer.cases.alarms import raise_alarms
from dialer.cases.attempts import release_numbers
from dialer.cases.effects import Move, move_cases
from dialer.cases.store import StoredCase, lock_cases
from dialer.core.attempt import AttemptState
from dialer.core.errors import NotFound
from dialer.core.events import Event
from dialer.db.unit_of_work import Tx
from dialer.scripts.dialogue import Turn
from dialer.services import Services


class CallEvent(Protocol):
    """One thing that came in of an attempt: news of the network, or a step of a conversation."""

    @property
    def attempt_id(self) -> uuid.UUID: ...

    def read(self, services: Services, call: Call, now: datetime) -> Reading:
        """What it says, given the call; nothing is changed."""


class Reading(Protocol):
    """What came in, understood."""

    @property
    def kept(self) -> StoredEvents: ...

    @property
    def may_move(self) -> bool:
        """Whether the case can be moved by it, and must be locked."""

    @property
    def reply(self) -> Turn | None:
        """What to say next, where that was asked."""

    def change(self, services: Services, call: Call, *, now: datetime, poll_at: datetime) -> Change | None:
        """What it makes of the attempt; None for late news."""

    def event(self, call: Call, change: Change) -> Event | None:
        """What it means to the case; `call` is as it was before the change."""


Reply = Turn | None | NotFound
"""NotFound: of an attempt that we never made."""


def apply_call_event(services: Services, event: CallEvent) -> Turn | None:
    """Kept and applied when this returns. Raises `NotFound` for an attempt that we never made."""
    (reply,) = apply_call_events(services, [event])
    if isinstance(reply, NotFound):
        raise reply
    return reply


def apply_call_events(services: Services, events: Sequence[CallEvent]) -> list[Reply]:
    """All are kept and applied in one transaction when this returns; what to say next for each, in their order."""
    with services.store.begin() as tx:
        replies, cancels = apply_replies(tx, services, events)
    if cancels:
        services.enqueue("cancel_calls")
    return replies


def apply_replies(tx: Tx, services: Services, heard: Sequence[CallEvent]) -> tuple[list[Reply], bool]:
    """In the caller's transaction, in the given order; the replies, and whether calls are to be ended at the
    carrier.
    """
    now = services.clock.now()
    found = read_calls(tx, [one.attempt_id for one in heard])
    readings = [
        one.read(services, found[one.attempt_id], now) if one.attempt_id in found else None for one in heard
    ]
    batch = _Batch(tx, services, [reading for reading in readings if reading is not None], now=now)
    cancels = batch.apply() if batch.readings else False
    replies: list[Reply] = [
        NotFound(kind="attempt", key=one.attempt_id) if reading is None else reading.reply
        for one, reading in zip(heard, readings, strict=True)
    ]
    return replies, cancels


class _Batch:
    """Readings of known attempts, being applied."""

    def __init__(self, tx: Tx, services: Services, readings: Sequence[Reading], *, now: datetime) -> None:
        self.tx = tx
        self.services = services
        self.readings = readings
        self.now = now

    def apply(self) -> bool:
        tx, now = self.tx, self.now
        moved = {reading.kept.case_id for reading in self.readings if reading.may_move}
        locked: dict[int, StoredCase] = lock_cases(tx, moved) if moved else {}
        known = lock_calls(tx, {reading.kept.attempt_id for reading in self.readings})
        fresh = store_call_events(tx, [reading.kept for reading in self.readings], at=now)
        self._ring(fresh)
        poll_at = self.services.real.now() + timedelta(seconds=self.services.lines.silence_seconds)
        changes: dict[uuid.UUID, Change] = {}
        moves: list[Move] = []
        over: list[uuid.UUID] = []
        for reading in self.readings:
            attempt_id, step = reading.kept.attempt_id, reading.kept.step
            if (attempt_id, step) not in fresh:
                continue
            # A repeat within the batch is a repeat too.
            fresh.discard((attempt_id, step))
            call = known[attempt_id]
            change = reading.change(self.services, call, now=now, poll_at=poll_at)
            if change is None:
                continue
            event = reading.event(call, change)
            changes[attempt_id] = merge_changes(changes.get(attempt_id), change)
            known[attempt_id] = apply_change(call, change)
            if event is not None:
                moves.append(Move(case_id=call.case_id, event=event, attempt_id=attempt_id))
            if change.state is AttemptState.ENDED:
                over.append(attempt_id)
        change_calls(tx, list(changes.values()))
        cancels = move_cases(tx, locked, moves, policies=self.services.policies, now=now) if moves else []
        rest_numbers(tx, self.services, over, now=now)
        return bool(cancels)

    def _ring(self, fresh: set[tuple[uuid.UUID, str]]) -> None:
        kept = [reading.kept for reading in self.readings if reading.kept.alarm is not None]
        raise_alarms(
            self.tx,
            [
                {
                    "code": one.alarm,
                    "case_id": one.case_id,
                    "load_id": None,
                    "facts": {"prompts": one.facts.get("unsound", [])},
                    "raised_at": self.now,
                }
                for one in kept
                if (one.attempt_id, one.step) in fresh
            ],
        )


def rest_numbers(tx: Tx, services: Services, ended: Sequence[uuid.UUID], *, now: datetime) -> None:
    """The numbers of these attempts are free again after their rest."""
    spacing = timedelta(seconds=services.policies.newest.number_spacing_seconds)
    release_numbers(tx, ended, free_at=now + spacing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """What every reading has; `may_move` and `reply` as `Reading` says."""

    kept: StoredEvents
    may_move: bool
    reply: Turn | None = None
