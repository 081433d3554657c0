"""What the carrier's answers mean for the way to it: trouble in a row opens the breaker, one taken call closes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dialer.domain.access import ROBOT
from dialer.domain.breaker import Breaker, BreakerRules, Trouble
from dialer.domain.effects import AlarmCode
from dialer.store import alarms, audits, pacing
from dialer.store.unit_of_work import Tx
from dialer.telephony.client import Fault, Placed, Refused, Unsure
from dialer.usecases.engine import Engine

_RULES = BreakerRules()
_RETRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One POST's answer; `sent_at` is the real moment at which it was to leave."""

    sent_at: datetime
    answer: Placed | Refused | Unsure


def retry_seconds(refused: Sequence[Refused]) -> float:
    """When calls that were refused for no fault of their numbers are ready again."""
    asked = max((one.retry_after_seconds or 0.0 for one in refused), default=0.0)
    return min(max(asked, _RETRY_SECONDS), _RULES.believed_seconds)


def judge_answers(
    tx: Tx, engine: Engine, answers: Sequence[Answered], *, now: datetime, real_now: datetime
) -> None:
    """The breaker stands as these answers leave it; a supervisor hears of trouble, and the audit of what it did."""
    name = engine.lines.group
    troubles = [one for one in answers if _is_trouble(one.answer)]
    # A number's own fault says that the carrier answers, and says so of no call taken: it neither helps nor harms.
    taken = any(isinstance(one.answer, Placed) for one in answers)
    if not troubles and (not taken or pacing.breaker(tx, name=name).is_untroubled):
        return
    before = pacing.lock_breaker(tx, name=name)
    after = Breaker() if taken else before
    if troubles:
        trouble = _trouble(troubles, opened_at=after.opened_at, taken=taken)
        after = after.after(trouble, real_now=real_now, rules=_RULES)
        _alarm(tx, troubles, opens=after.is_open and not before.is_open, now=now)
    if after != before:
        pacing.set_breaker(tx, after, name=name)
    if after.is_open != before.is_open:
        _note(tx, name, before=before, after=after, now=now, real_now=real_now)


def _is_trouble(answer: Placed | Refused | Unsure) -> bool:
    return isinstance(answer, Unsure) or (isinstance(answer, Refused) and answer.fault is not Fault.NUMBER)


def _trouble(troubles: Sequence[Answered], *, opened_at: datetime | None, taken: bool) -> Trouble:
    """Beside a call that was taken they are not in a row, however many they are."""
    refused = [one.answer for one in troubles if isinstance(one.answer, Refused)]
    asked = [one.retry_after_seconds for one in refused if one.retry_after_seconds is not None]
    return Trouble(
        answers=min(len(troubles), _RULES.opens_after - 1) if taken else len(troubles),
        asks_to_slow=any(one.fault is Fault.SLOW_DOWN for one in refused),
        retry_after_seconds=max(asked, default=None),
        # What had been claimed before it opened leaves within the horizon; a trial leaves after the whole wait.
        was_trial=opened_at is not None
        and any(one.sent_at >= opened_at + timedelta(seconds=_RULES.open_seconds / 2) for one in troubles),
    )


def _alarm(tx: Tx, troubles: Sequence[Answered], *, opens: bool, now: datetime) -> None:
    refused = [one.answer for one in troubles if isinstance(one.answer, Refused)]
    facts = {
        "codes": sorted({one.code or one.http_status or 0 for one in refused}),
        "unanswered": len(troubles) - len(refused),
    }
    if opens:
        alarms.ring(tx, AlarmCode.CARRIER_DOWN, now=now, facts=facts)
    elif refused:
        alarms.ring_once(tx, AlarmCode.CARRIER_TROUBLE, now=now, facts=facts)


def _note(tx: Tx, name: str, *, before: Breaker, after: Breaker, now: datetime, real_now: datetime) -> None:
    facts: dict[str, object] = {"troubles": max(before.troubles, after.troubles)}
    if before.opened_at is not None:
        facts |= {
            "open_seconds": round((real_now - before.opened_at).total_seconds(), 3),
            "openings": before.openings,
        }
    audits.write(
        tx,
        who=ROBOT,
        act="breaker.opened" if after.is_open else "breaker.closed",
        subject=f"line_group/{name}",
        why="",
        now=now,
        facts=facts,
    )
