"""Applies news of calls from webhooks and polls; the result is the same in any order. The end of a call determines whom
the call reached, how much of our voice was heard, and which contact that is.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from dialer.calls.conversation import context_for, rendered_script_of, warning_prompts
from dialer.calls.events import EventReading, expect_recordings_of, rest_numbers
from dialer.calls.store import AttemptChange, Call, StoredEvent, change_calls, lock_calls, read_calls
from dialer.cases.effects import Move, move_cases
from dialer.cases.store import lock_cases
from dialer.core.attempt import AttemptEvent, AttemptState, state_after
from dialer.core.events import AttemptEnded
from dialer.core.reach import Conversation, Hearing, Reach, contact_of_reach, heard_seconds, reach_of
from dialer.core.values import Contact, TelephonyResult
from dialer.db.unit_of_work import Tx
from dialer.runtime.services import Services
from dialer.telephony.callbacks import CallProgress, Stage


def _voice_seconds(
    call: Call, *, now: datetime, talk_seconds: int | None = None, unplayed: bool = False
) -> int | None:
    """How many seconds of our voice were heard until `now`, or during the time that the call lasted according to the
    carrier. `unplayed`: the last turn does not count.
    """
    elapsed = float(talk_seconds) if talk_seconds is not None else None
    if elapsed is None and call.answered_at is not None:
        elapsed = (now - call.answered_at).total_seconds()
    played = call.played_seconds - (Hearing.of(call.hearing).turn_seconds if unplayed else 0.0)
    return heard_seconds(elapsed_seconds=elapsed, played_seconds=max(0.0, played))


def _final_hearing(call: Call, *, now: datetime, talk_seconds: int | None, unplayed: bool) -> Hearing:
    """What had been heard when the call was over. The carrier rounds its seconds up, so the last one is not counted.
    News can also come late, so the earlier of both ends counts.
    """
    if unplayed:
        return Hearing.of(call.hearing).without_turn()
    over_at = now
    if talk_seconds is not None and call.answered_at is not None:
        over_at = min(over_at, call.answered_at + timedelta(seconds=max(0, talk_seconds - 1)))
    return Hearing.of(call.hearing).after_turn(over_at)


def _classify_contact(
    services: Services,
    call: Call,
    result: TelephonyResult,
    *,
    now: datetime,
    hearing: Hearing,
    is_cut_off: bool,
) -> Reach:
    """The reach of an ended call."""
    warning: frozenset[str] = frozenset()
    if call.script_id:
        rendered = rendered_script_of(services, call)
        context = context_for(
            services,
            rendered,
            language=call.language,
            tags=call.tags,
            now=now,
            is_recorded=call.records,
        )
        warning = warning_prompts(rendered, context)
    said = Conversation(
        contact=call.contact,
        answer=call.answer,
        spoke=call.spoke,
        warned=warning <= hearing.whole,
        cut_off=is_cut_off,
    )
    return reach_of(result, said)


_EVENT = {
    Stage.INITIATED: AttemptEvent.ACCEPTED,
    Stage.RINGING: AttemptEvent.RINGING,
    Stage.ANSWERED: AttemptEvent.ANSWERED,
    Stage.ENDED: AttemptEvent.ENDED,
}
_RANG = frozenset(
    {
        TelephonyResult.ANSWERED,
        TelephonyResult.NO_ANSWER,
        TelephonyResult.REJECTED,
        TelephonyResult.FORWARDED,
        TelephonyResult.MACHINE,
        TelephonyResult.DEAD_AIR,
    }
)
"""Results that imply that the telephone rang."""
_AFTER_RINGING = frozenset({Stage.RINGING, Stage.ANSWERED})
_ASKED_BY_SECONDS = 2
"""Within this time a carrier requests the first turn. In a shorter call the person may have hung up before."""
_MACHINES = ("machine", "fax")
"""The beginnings of AnsweredBy if no person answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallNews:
    """News of one attempt; `step` identifies it, so that a repetition is recognised."""

    attempt_id: uuid.UUID
    step: str
    progress: CallProgress
    personal: Mapping[str, str] = field(default_factory=dict)

    def read(self, services: Services, call: Call, _now: datetime) -> EventReading:
        """What the news changes in the attempt, and the event for the case if the attempt has ended."""
        return EventReading(
            stored=_stored_event(self, call.case_id),
            may_move=self.progress.stage is Stage.ENDED,
            change=partial(_change_of, services, self.progress),
            event=lambda call, change: (
                _end_event(call, change) if change.state is AttemptState.ENDED else None
            ),
        )


def _stored_event(news: CallNews, case_id: int) -> StoredEvent:
    progress = news.progress
    return StoredEvent(
        attempt_id=news.attempt_id,
        case_id=case_id,
        step=news.step,
        kind=f"call.{progress.stage.value}",
        facts={
            "result": progress.result.value if progress.result else None,
            "sequence": progress.sequence,
            "sid": progress.sid,
            "sip_code": progress.sip_code,
            "answered_by": progress.answered_by,
            "duration_seconds": progress.duration_seconds,
            **_announcement_facts(progress),
        },
        personal=news.personal,
    )


def _announcement_facts(progress: CallProgress) -> dict[str, Any]:
    if progress.announcement is None:
        return {}
    return {"announcement": progress.announcement.value, "announcement_score": progress.announcement_score}


def _change_of(
    services: Services, progress: CallProgress, call: Call, now: datetime, poll_at: datetime
) -> AttemptChange | None:
    """What this news changes in the attempt; None for an attempt that has ended, which no longer changes."""
    state = state_after(call.state, _EVENT[progress.stage])
    if state is None:
        return None
    over = progress.stage is Stage.ENDED
    result = _final_result(call, progress) if over else None
    # News can come late and out of order: an answered call has rung, whether its ringing was reported or not. The first
    # time is kept.
    rang = progress.stage in _AFTER_RINGING or result in _RANG
    reach, heard, hearing = None, None, None
    if result is not None:
        talk_seconds = progress.duration_seconds
        hearing = _final_hearing(call, now=now, talk_seconds=talk_seconds, unplayed=progress.unplayed)
        reach = _classify_contact(
            services, call, result, now=now, hearing=hearing, is_cut_off=progress.is_cut_off
        )
        # What was played until a machine was recognised counts; a machine hears nothing of what it records later.
        heard = call.heard_seconds
        if heard is None or result is not TelephonyResult.MACHINE:
            heard = _voice_seconds(call, now=now, talk_seconds=talk_seconds, unplayed=progress.unplayed)
    elif progress.answered_by.startswith(_MACHINES):
        heard = _voice_seconds(call, now=now)
    return AttemptChange(
        attempt_id=call.attempt_id,
        state=state,
        sid=progress.sid or None,
        accepted_at=now,
        ringing_at=now if rang else None,
        answered_at=now if progress.stage is Stage.ANSWERED else None,
        ended_at=now if over else None,
        poll_at=poll_at,
        result=result,
        contact=None if reach is None else contact_of_reach(reach),
        reach=reach,
        heard_seconds=heard,
        hearing=hearing.as_json() if hearing is not None and call.hearing is not None else None,
        forwarded=True if progress.forwarded else None,
        talk_seconds=progress.duration_seconds,
        answered_by=progress.answered_by or None,
        sip_code=progress.sip_code,
        announcement=progress.announcement,
        announcement_score=progress.announcement_score,
    )


def _final_result(call: Call, progress: CallProgress) -> TelephonyResult:
    """The result of an ended call. A "machine" that pressed the right keys is a person, whatever the detector says. A
    forwarded call does not reach the right person: whoever answers there can press keys as well.
    """
    result = progress.result or TelephonyResult.UNKNOWN
    if result is TelephonyResult.ANSWERED and _had_dead_air(call, progress):
        return TelephonyResult.DEAD_AIR
    if (call.forwarded or progress.forwarded) and result in {
        TelephonyResult.ANSWERED,
        TelephonyResult.MACHINE,
    }:
        return TelephonyResult.FORWARDED
    if result is TelephonyResult.MACHINE and call.contact is Contact.VERIFIED:
        return TelephonyResult.ANSWERED
    if result is TelephonyResult.ANSWERED and call.answered_by.startswith(_MACHINES):
        return TelephonyResult.ANSWERED if call.contact is Contact.VERIFIED else TelephonyResult.MACHINE
    return result


def _had_dead_air(call: Call, progress: CallProgress) -> bool:
    """Whether nothing of ours was played although the call lasted long enough: the carrier requested no turn, or could
    not get any of our sound.
    """
    hearing = Hearing.of(call.hearing)
    lost_seconds = hearing.turn_seconds if progress.is_unfetched else 0.0
    was_sent = bool(hearing.turn or hearing.prompts)
    if call.played_seconds > lost_seconds or (call.hearing is not None and not was_sent):
        return False
    return progress.duration_seconds is None or progress.duration_seconds > _ASKED_BY_SECONDS


def _end_event(call: Call, change: AttemptChange) -> AttemptEnded:
    assert change.result is not None
    return AttemptEnded(
        n=call.n,
        result=change.result,
        contact=change.contact or Contact.NONE,
        answer=call.answer,
        reach=change.reach,
    )


def end_attempts(
    tx: Tx,
    services: Services,
    results: Mapping[uuid.UUID, tuple[TelephonyResult, int | None]],
) -> None:
    """Ends attempts that never became calls, or about which nothing more can be learned. `results` has the result and
    the carrier's error code by attempt.
    """
    now = services.clock.now()
    found = read_calls(tx, results)
    locked_cases = lock_cases(tx, {call.case_id for call in found.values()})
    known = lock_calls(tx, results)
    changes: list[AttemptChange] = []
    moves: list[Move] = []
    for attempt_id, call in known.items():
        state = state_after(call.state, AttemptEvent.ENDED)
        if state is None:
            continue
        result, code = results[attempt_id]
        change = AttemptChange(
            attempt_id=attempt_id,
            state=state,
            ended_at=now,
            result=result,
            contact=Contact.NONE,
            reach=Reach.NOBODY,
            error_code=code,
        )
        changes.append(change)
        moves.append(Move(case_id=call.case_id, event=_end_event(call, change), attempt_id=attempt_id))
    change_calls(tx, changes)
    expect_recordings_of(tx, services, [(known[change.attempt_id], change) for change in changes], now=now)
    # The end of an attempt withdraws no other attempt, so no call has to be ended at the carrier.
    move_cases(tx, locked_cases, moves, policies=services.policies, now=now)
    rest_numbers(tx, services, {change.attempt_id: change.result for change in changes}, now=now)
