"""What supervisors see of recorded calls: which were read, and with a reason what was said in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from dialer.calls.recordings import recording_ticket
from dialer.core.access import Actor, RevealReason
from dialer.core.errors import NotFound
from dialer.core.inspection import NotInspected, TranscriptState
from dialer.quality.model import Turn, turns_of
from dialer.quality.store import InspectedCall, count_states, find_call, newest_calls, read_words
from dialer.runtime.services import Services

SHOWN_DAYS: Final = 30
"""The counts are of calls of so many days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCounts:
    """Recorded calls by what became of their transcript; `all` is the denominator of every share."""

    read: int
    waiting: int
    deleted: int
    not_inspected: Mapping[NotInspected, int]

    @property
    def all(self) -> int:
        """How many calls there are, whatever became of them."""
        return self.read + self.waiting + self.deleted + sum(self.not_inspected.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCall:
    """A call as it is read and heard: `ticket` opens its sound for ten minutes."""

    call: InspectedCall
    turns: Sequence[Turn]
    ticket: str


def count_calls(services: Services, *, visible_to: int | None) -> CallCounts:
    """Recorded calls of the last thirty days that this unit sees."""
    since = services.clock.now() - timedelta(days=SHOWN_DAYS)
    with services.store.begin_single_read() as tx:
        found = count_states(tx, visible_to=visible_to, since=since)
    by_reason = {reason: n for (_, reason), n in found.items() if reason is not None}
    return CallCounts(
        read=found.get((TranscriptState.READ, None), 0),
        waiting=found.get((TranscriptState.WAITING, None), 0),
        deleted=found.get((TranscriptState.DELETED, None), 0),
        not_inspected={reason: by_reason[reason] for reason in NotInspected if reason in by_reason},
    )


def list_calls(
    services: Services,
    *,
    visible_to: int | None,
    state: TranscriptState | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> list[InspectedCall]:
    """Recorded calls that this unit sees, the newest first; `before_id`: the last one of the page before."""
    with services.store.begin_single_read() as tx:
        return newest_calls(tx, visible_to=visible_to, state=state, before_id=before_id, limit=limit)


def get_call(services: Services, recording_id: int, *, visible_to: int | None) -> InspectedCall:
    """One recorded call. Raises `NotFound`, also where the unit does not see it."""
    with services.store.begin_single_read() as tx:
        found = find_call(tx, recording_id, visible_to=visible_to)
    if found is None:
        raise NotFound(kind="recording", key=recording_id)
    return found


def read_call(
    services: Services, actor: Actor, recording_id: int, *, reason: RevealReason | str, why: str
) -> ShownCall:
    """What was said in the call, and its sound for ten minutes; who read it and why is audited first. Raises
    `NotFound`, `Invalid`, `TooMany`, and `Conflict` where there is no sound any more.
    """
    call = get_call(services, recording_id, visible_to=actor.unit_id)
    ticket = recording_ticket(
        services, actor, call.case_id, recording_id, reason=reason, why=why, with_words=True
    )
    with services.store.begin_single_read() as tx:
        words = read_words(tx, recording_id).words
    return ShownCall(call=call, turns=turns_of(words), ticket=ticket)
