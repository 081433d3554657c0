"""How fast and on how many lines the robot rings, changed while the service runs.

The settings say what the lines can bear; whoever is in charge says how much of it is used. That stands over every
restart until somebody gives it back; settings that say less hold all the same.

What the carrier's answers mean for the way to it: trouble in a row opens the breaker, one taken call closes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dialer.calls.pacing import (
    Pace,
    lock_line_breaker,
    read_breaker,
    read_line_pace,
    restore_line_pace,
    save_breaker,
    set_line_pace,
)
from dialer.cases.alarms import raise_alarm, raise_alarm_once
from dialer.core.access import ROBOT, actor_name, said
from dialer.core.breaker import BatchFailures, Breaker, BreakerRules
from dialer.core.effects import AlarmCode
from dialer.core.errors import Invalid, NotFound
from dialer.db.audit import write_audit
from dialer.db.unit_of_work import Tx
from dialer.language import Text
from dialer.services import Services
from dialer.telephony.client import Fault, Placed, Refused, UncertainResult

LEAST_CALLS_PER_SECOND = 0.1
"""Slower would be a pause that never ends."""


def read_pace(services: Services) -> Pace:
    with services.store.begin() as tx:
        return _pace(tx, services)


def set_pace(
    services: Services,
    *,
    calls_per_second: float,
    lines: int,
    by: str,
    why: str,
    visible_to: int | None = None,
) -> Pace:
    """Every worker rings so from its next claim on, within a second. Raises `Invalid`, and `NotFound` for whoever
    belongs to a unit (`seen_by`): lines are the whole centre's.
    """
    who, reason = actor_name(by), said("why", why, mend="a change of the pace names who and why")
    with services.store.begin() as tx:
        _check_whole(visible_to, services)
        before = _pace(tx, services)
        least = min(LEAST_CALLS_PER_SECOND, before.most_calls_per_second)
        if not least <= calls_per_second <= before.most_calls_per_second:
            raise Invalid(
                field="calls_per_second",
                problem="is outside what the settings allow",
                mend=Text(
                    "%(least)s – %(most)s",
                    least=f"{least:g}",
                    most=f"{before.most_calls_per_second:g}",
                ),
            )
        if not 1 <= lines <= before.most_lines:
            raise Invalid(
                field="lines",
                problem="is outside what the settings allow",
                mend=Text("1 – %(most)s", most=before.most_lines),
            )
        now = services.clock.now()
        set_line_pace(
            tx,
            name=services.lines.group,
            calls_per_second=calls_per_second,
            lines=lines,
            by=who,
            why=reason,
            now=now,
            real_now=services.real.now(),
        )
        after = _pace(tx, services)
        _audit(tx, services, who, "pace", reason, before, after)
    services.enqueue("dial")
    return after


def restore_pace(services: Services, *, by: str, why: str = "", visible_to: int | None = None) -> Pace:
    """What the settings say holds again. Raises `NotFound` as `set_pace` does."""
    who = actor_name(by)
    with services.store.begin() as tx:
        _check_whole(visible_to, services)
        before = _pace(tx, services)
        restore_line_pace(tx, name=services.lines.group, real_now=services.real.now())
        after = _pace(tx, services)
        _audit(tx, services, who, "pace.settings", why.strip(), before, after)
    services.enqueue("dial")
    return after


def _pace(tx: Tx, services: Services) -> Pace:
    pace = read_line_pace(tx, name=services.lines.group)
    if pace is None:
        raise NotFound(kind="line group", key=services.lines.group)
    return pace


def _check_whole(visible_to: int | None, services: Services) -> None:
    if visible_to is not None:
        raise NotFound(kind="line group", key=services.lines.group)


def _audit(tx: Tx, services: Services, who: str, act: str, why: str, before: Pace, after: Pace) -> None:
    write_audit(
        tx,
        who=who,
        act=act,
        subject=f"line_group/{services.lines.group}",
        why=why,
        now=services.clock.now(),
        facts={
            "before": f"{before.calls_per_second:g}/s, {before.lines}",
            "after": f"{after.calls_per_second:g}/s, {after.lines}",
        },
    )


_RULES = BreakerRules()
_RETRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One POST's answer; `sent_at` is the real moment at which it was to leave."""

    sent_at: datetime
    answer: Placed | Refused | UncertainResult


def retry_seconds(refused: Sequence[Refused]) -> float:
    """When calls that were refused for no fault of their numbers are ready again."""
    asked = max((one.retry_after_seconds or 0.0 for one in refused), default=0.0)
    return min(max(asked, _RETRY_SECONDS), _RULES.believed_seconds)


def evaluate_breaker(
    tx: Tx, services: Services, answers: Sequence[Answered], *, now: datetime, real_now: datetime
) -> None:
    """The breaker stands as these answers leave it; a supervisor hears of trouble, and the audit of what it did."""
    name = services.lines.group
    troubles = [one for one in answers if _is_trouble(one.answer)]
    # A number's own fault says that the carrier answers, and says so of no call taken: it neither helps nor harms.
    taken = any(isinstance(one.answer, Placed) for one in answers)
    if not troubles and (not taken or read_breaker(tx, name=name).is_untroubled):
        return
    before = lock_line_breaker(tx, name=name)
    after = Breaker() if taken else before
    if troubles:
        trouble = _trouble(troubles, opened_at=after.opened_at, taken=taken)
        after = after.after(trouble, real_now=real_now, rules=_RULES)
        _alarm(tx, troubles, opens=after.is_open and not before.is_open, now=now)
    if after != before:
        save_breaker(tx, after, name=name)
    if after.is_open != before.is_open:
        _note(tx, name, before=before, after=after, now=now, real_now=real_now)


def _is_trouble(answer: Placed | Refused | UncertainResult) -> bool:
    return isinstance(answer, UncertainResult) or (
        isinstance(answer, Refused) and answer.fault is not Fault.NUMBER
    )


def _trouble(troubles: Sequence[Answered], *, opened_at: datetime | None, taken: bool) -> BatchFailures:
    """Beside a call that was taken they are not in a row, however many they are."""
    refused = [one.answer for one in troubles if isinstance(one.answer, Refused)]
    asked = [one.retry_after_seconds for one in refused if one.retry_after_seconds is not None]
    return BatchFailures(
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
        raise_alarm(tx, AlarmCode.CARRIER_DOWN, now=now, facts=facts)
    elif refused:
        raise_alarm_once(tx, AlarmCode.CARRIER_TROUBLE, now=now, facts=facts)


def _note(tx: Tx, name: str, *, before: Breaker, after: Breaker, now: datetime, real_now: datetime) -> None:
    facts: dict[str, object] = {"troubles": max(before.troubles, after.troubles)}
    if before.opened_at is not None:
        facts |= {
            "open_seconds": round((real_now - before.opened_at).total_seconds(), 3),
            "openings": before.openings,
        }
    write_audit(
        tx,
        who=ROBOT,
        act="breaker.opened" if after.is_open else "breaker.closed",
        subject=f"line_group/{name}",
        why="",
        now=now,
        facts=facts,
    )
