"""At the end of a ring: whom it reached, how much of our voice they heard, and what contact that counts as.

News of calls, from webhooks or from asking: kept, applied in any order with the same end, once.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from dialer.calls.conversation import context_for, rendered_script_of, warning_seconds
from dialer.calls.events import Understood, apply_replies, rest_numbers
from dialer.calls.store import Call, Change, StoredEvents, change_calls, lock_calls, read_calls
from dialer.cases.effects import Move, move_cases
from dialer.cases.store import lock_cases
from dialer.core.attempt import AttemptEvent, AttemptState, after
from dialer.core.events import AttemptEnded, Conversation, Reach, contact_of, heard_seconds, reach_of
from dialer.core.values import Contact, TelephonyResult
from dialer.db.unit_of_work import Tx
from dialer.services import Services
from dialer.telephony.results import CallProgress, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactResult:
    reach: Reach
    contact: Contact
    heard_seconds: int | None


def voice_seconds_until(call: Call, *, now: datetime, talk_seconds: int | None = None) -> int | None:
    """Until `now`, or for as long as the carrier says that the line stood."""
    elapsed = float(talk_seconds) if talk_seconds is not None else None
    if elapsed is None and call.answered_at is not None:
        elapsed = (now - call.answered_at).total_seconds()
    return heard_seconds(elapsed_seconds=elapsed, played_seconds=call.played_seconds)


def classify_contact(
    services: Services, call: Call, result: TelephonyResult, *, now: datetime, talk_seconds: int | None
) -> ContactResult:
    """What a machine had been played when it was known for one stands; nothing it recorded later is heard."""
    heard = call.heard_seconds
    if heard is None or result is not TelephonyResult.MACHINE:
        heard = voice_seconds_until(call, now=now, talk_seconds=talk_seconds)
    reach = reach_of(
        result,
        Conversation(
            contact=call.contact,
            answer=call.answer,
            spoke=call.spoke,
            heard_seconds=heard,
            warning_seconds=_warning_seconds(services, call, now),
        ),
    )
    return ContactResult(reach=reach, contact=contact_of(reach), heard_seconds=heard)


def _warning_seconds(services: Services, call: Call, now: datetime) -> float:
    if not call.script_id:
        return 0.0
    rendered = rendered_script_of(services, call)
    return warning_seconds(
        rendered, context_for(services, rendered, language=call.language, tags=call.tags, now=now)
    )


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
    }
)
"""Ends that no telephone has without having rung."""
_MACHINES = ("machine", "fax")
"""How AnsweredBy begins where no person answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One piece of news of one attempt; `step` names it, so that its repeat is known."""

    attempt_id: uuid.UUID
    step: str
    progress: CallProgress
    personal: Mapping[str, str] = field(default_factory=dict)

    def read(self, _services: Services, call: Call, _now: datetime) -> ReadNews:
        ended = self.progress.stage is Stage.ENDED
        return ReadNews(kept=_kept(self, call.case_id), may_move=ended, progress=self.progress)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadNews(Understood):
    """News of a known attempt."""

    progress: CallProgress

    def change(self, services: Services, call: Call, *, now: datetime, poll_at: datetime) -> Change | None:
        return _applied(services, call, self.progress, now=now, poll_at=poll_at)

    def event(self, call: Call, change: Change) -> AttemptEnded | None:
        return _ended(call, change) if change.state is AttemptState.ENDED else None


def apply_news(tx: Tx, services: Services, news: Sequence[News]) -> bool:
    """Everything new among it is kept and applied, in the caller's transaction; news of attempts that we never made is
    dropped. True when calls are to be ended at the carrier.
    """
    _, cancels = apply_replies(tx, services, news)
    return cancels


def _kept(one: News, case_id: int) -> StoredEvents:
    progress = one.progress
    return StoredEvents(
        attempt_id=one.attempt_id,
        case_id=case_id,
        step=one.step,
        kind=f"call.{progress.stage.value}",
        facts={
            "result": progress.result.value if progress.result else None,
            "sequence": progress.sequence,
            "sid": progress.sid,
            "sip_code": progress.sip_code,
            "answered_by": progress.answered_by,
            "duration_seconds": progress.duration_seconds,
        },
        personal=one.personal,
    )


def _applied(
    services: Services, call: Call, progress: CallProgress, *, now: datetime, poll_at: datetime
) -> Change | None:
    """What this news changes; None: an ended attempt keeps its end."""
    state = after(call.state, _EVENT[progress.stage])
    if state is None:
        return None
    over = progress.stage is Stage.ENDED
    result = _result(call, progress) if over else None
    # Late news still tells when something happened, and a ring is a ring however late we hear of it.
    rang = progress.stage is Stage.RINGING or (
        call.ringing_at is None and (progress.stage is Stage.ANSWERED or result in _RANG)
    )
    judged = (
        classify_contact(services, call, result, now=now, talk_seconds=progress.duration_seconds)
        if result
        else None
    )
    heard = judged.heard_seconds if judged else None
    if judged is None and progress.answered_by.startswith(_MACHINES):
        heard = voice_seconds_until(call, now=now)
    return Change(
        attempt_id=call.attempt_id,
        state=state,
        sid=progress.sid or None,
        accepted_at=now,
        ringing_at=now if rang else None,
        answered_at=now if progress.stage is Stage.ANSWERED else None,
        ended_at=now if over else None,
        poll_at=poll_at,
        result=result,
        contact=judged.contact if judged else None,
        reach=judged.reach if judged else None,
        heard_seconds=heard,
        talk_seconds=progress.duration_seconds,
        answered_by=progress.answered_by or None,
        sip_code=progress.sip_code,
    )


def _result(call: Call, progress: CallProgress) -> TelephonyResult:
    """A machine that has pressed the right keys is a person, whatever a detector said. A forwarded telephone is not:
    who answers there can press keys as well (Xiamen: a false husband did).
    """
    result = progress.result or TelephonyResult.UNKNOWN
    if result is TelephonyResult.MACHINE and call.contact is Contact.VERIFIED:
        return TelephonyResult.ANSWERED
    if result is TelephonyResult.ANSWERED and call.answered_by.startswith(_MACHINES):
        return TelephonyResult.ANSWERED if call.contact is Contact.VERIFIED else TelephonyResult.MACHINE
    return result


def _ended(call: Call, change: Change) -> AttemptEnded:
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
) -> bool:
    """Ends attempts that never became calls, or of which nothing more can be learned; each with its result and the
    carrier's error code. True when calls are to be ended at the carrier.
    """
    now = services.clock.now()
    found = read_calls(tx, results)
    locked_cases = lock_cases(tx, {call.case_id for call in found.values()})
    known = lock_calls(tx, results)
    changes: list[Change] = []
    moves: list[Move] = []
    for attempt_id, call in known.items():
        state = after(call.state, AttemptEvent.ENDED)
        if state is None:
            continue
        result, code = results[attempt_id]
        change = Change(
            attempt_id=attempt_id,
            state=state,
            ended_at=now,
            result=result,
            contact=Contact.NONE,
            reach=Reach.NOBODY,
            error_code=code,
        )
        changes.append(change)
        moves.append(Move(case_id=call.case_id, event=_ended(call, change), attempt_id=attempt_id))
    change_calls(tx, changes)
    cancels = move_cases(tx, locked_cases, moves, policies=services.policies, now=now)
    rest_numbers(tx, services, [change.attempt_id for change in changes], now=now)
    return bool(cancels)
