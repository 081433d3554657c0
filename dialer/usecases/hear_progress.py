"""News of calls, from webhooks or from asking: kept, applied in any order with the same end, once."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from dialer.domain.attempt import AttemptEvent, AttemptState, after
from dialer.domain.events import AttemptEnded
from dialer.domain.reach import Reach
from dialer.domain.values import Contact, TelephonyResult
from dialer.store import calls, cases
from dialer.store.calls import Call, Change, Kept
from dialer.store.unit_of_work import Tx
from dialer.telephony.callbacks import CallProgress, Stage
from dialer.usecases.engine import Engine
from dialer.usecases.hear_calls import Understood, apply_heard, rest_numbers
from dialer.usecases.judge_reach import heard_until, judge_reach
from dialer.usecases.move_cases import Move, move

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

    def read(self, _engine: Engine, call: Call, _now: datetime) -> ReadNews:
        ended = self.progress.stage is Stage.ENDED
        return ReadNews(kept=_kept(self, call.case_id), may_move=ended, progress=self.progress)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadNews(Understood):
    """News of a known attempt."""

    progress: CallProgress

    def change(self, engine: Engine, call: Call, *, now: datetime, poll_at: datetime) -> Change | None:
        return _applied(engine, call, self.progress, now=now, poll_at=poll_at)

    def event(self, call: Call, change: Change) -> AttemptEnded | None:
        return _ended(call, change) if change.state is AttemptState.ENDED else None


def apply_news(tx: Tx, engine: Engine, news: Sequence[News]) -> bool:
    """Everything new among it is kept and applied, in the caller's transaction; news of attempts that we never made is
    dropped. True when calls are to be ended at the carrier.
    """
    _, cancels = apply_heard(tx, engine, news)
    return cancels


def _kept(one: News, case_id: int) -> Kept:
    progress = one.progress
    return Kept(
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
    engine: Engine, call: Call, progress: CallProgress, *, now: datetime, poll_at: datetime
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
        judge_reach(engine, call, result, now=now, talk_seconds=progress.duration_seconds) if result else None
    )
    heard = judged.heard_seconds if judged else None
    if judged is None and progress.answered_by.startswith(_MACHINES):
        heard = heard_until(call, now=now)
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
    engine: Engine,
    results: Mapping[uuid.UUID, tuple[TelephonyResult, int | None]],
) -> bool:
    """Ends attempts that never became calls, or of which nothing more can be learned; each with its result and the
    carrier's error code. True when calls are to be ended at the carrier.
    """
    now = engine.clock.now()
    found = calls.read(tx, results)
    locked_cases = cases.lock(tx, {call.case_id for call in found.values()})
    known = calls.lock(tx, results)
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
    calls.change(tx, changes)
    cancels = move(tx, locked_cases, moves, policies=engine.policies, now=now)
    rest_numbers(tx, engine, [change.attempt_id for change in changes], now=now)
    return bool(cancels)
