"""What supervisors see of recorded calls: which were read, and with a reason what was said in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from dialer.calls.recordings import recording_ticket
from dialer.cases.reveals import note_search
from dialer.core.access import Actor, Permission, RevealReason
from dialer.core.errors import Invalid, NotFound
from dialer.core.inspection import NotInspected, Outcome, TranscriptState
from dialer.core.text import gettext_noop
from dialer.quality.model import Turn, turns_of
from dialer.quality.rules import SaidAt, find_said
from dialer.quality.store import (
    InspectedCall,
    StoredJudgement,
    count_outcomes,
    count_states,
    find_call,
    judgements_of,
    newest_calls,
    newest_words,
    read_words,
)
from dialer.runtime.services import Services

SHOWN_DAYS: Final = 30
"""The counts are of calls of so many days."""
_FEWEST_SIGNS: Final = 2
_SEARCHED: Final = 2000
_SEARCHED_AT_ONCE: Final = 200
_MOST_FOUND: Final = 50


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


@dataclass(frozen=True, slots=True, kw_only=True)
class CallScore:
    """What the rules found in one call: broken hard gates, points lost of those that could be judged, and how many
    rules abstained. A broken gate is made good by no points.
    """

    gates: int
    lost: int
    judged_points: int
    abstained: int
    rules: int

    @classmethod
    def of(cls, judgements: Sequence[StoredJudgement]) -> CallScore | None:
        """The score of a call; None of one that no rule has judged."""
        if not judgements:
            return None
        failed = [one for one in judgements if one.outcome is Outcome.FAILED]
        return cls(
            gates=sum(one.gate for one in failed),
            lost=sum(one.points for one in failed),
            judged_points=sum(one.points for one in judgements if one.outcome is not Outcome.ABSTAINED),
            abstained=sum(one.outcome is Outcome.ABSTAINED for one in judgements),
            rules=len(judgements),
        )


def judge_calls(services: Services, recording_ids: Sequence[int]) -> dict[int, list[StoredJudgement]]:
    """What the rules said of these calls, whose ids the reader has seen."""
    with services.store.begin_single_read() as tx:
        return judgements_of(tx, recording_ids)


def count_findings(services: Services, *, visible_to: int | None) -> Mapping[tuple[str, Outcome], int]:
    """Calls of the last thirty days that this unit sees, by rule and outcome."""
    since = services.clock.now() - timedelta(days=SHOWN_DAYS)
    with services.store.begin_single_read() as tx:
        return count_outcomes(tx, visible_to=visible_to, since=since)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundCall:
    """A call in which the words are said, and where."""

    call: InspectedCall
    places: Sequence[SaidAt]


def search_words(
    services: Services, actor: Actor, sought: str, *, reason: RevealReason | str = "", why: str = ""
) -> list[FoundCall]:
    """The newest calls that this unit sees in which somebody says this, at most 50 of the newest 2,000. The search is
    audited and limited as searches by a personal value are, without what was sought. Raises `Invalid` for fewer than
    two signs and without a reason where one is needed, and `TooMany`.
    """
    if len([sign for sign in sought if sign.isalnum()]) < _FEWEST_SIGNS:
        raise Invalid(field="words", problem="is too short", fix=gettext_noop("type at least two characters"))
    with services.act(actor, Permission.INSPECT_CALLS) as act:
        note_search(act, services, kind="transcript", reason=reason, why=why)
    found: list[FoundCall] = []
    before_id, left = None, _SEARCHED
    while left > 0 and len(found) < _MOST_FOUND:
        with services.store.begin_single_read() as tx:
            calls = newest_words(
                tx, visible_to=actor.unit_id, before_id=before_id, limit=min(_SEARCHED_AT_ONCE, left)
            )
        for call, progress in calls:
            if places := find_said(progress.words, sought):
                found.append(FoundCall(call=call, places=places))
        left -= len(calls)
        if len(calls) < _SEARCHED_AT_ONCE:
            break
        before_id = calls[-1][0].recording_id
    return found[:_MOST_FOUND]
