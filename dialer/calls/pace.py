"""The pace of the robot, changed while the service runs, and the breaker that stops calls to a carrier in trouble.

The settings say what the lines can bear; a supervisor may set less. A start of a process changes nothing: the first
start takes the pace of the settings, and what they say later applies when a person says so. Trouble in a row opens the
breaker, and one call that the carrier takes closes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dialer.calls.pacing import (
    LineGroup,
    configure_line_group,
    lock_line_breaker,
    read_breaker,
    read_line_group,
    restore_line_pace,
    save_breaker,
    set_line_pace,
)
from dialer.cases.alarms import raise_alarm, raise_alarm_once
from dialer.core.access import ROBOT, actor_name, said
from dialer.core.breaker import BatchFailures, Breaker, BreakerRules
from dialer.core.errors import Invalid, NotFound
from dialer.core.events import AlarmCode
from dialer.db.audit import write_audit
from dialer.db.unit_of_work import Tx
from dialer.language import Text
from dialer.services import Services
from dialer.telephony.channels import Fault, Placed, Refused, UncertainResult

LEAST_CALLS_PER_SECOND = 0.1
"""Slower than this is a pause that never ends."""


def read_pace(services: Services) -> LineGroup:
    """The pace that holds now."""
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
) -> LineGroup:
    """Every worker keeps this pace from its next claim on, within a second. Raises `Invalid`, and `NotFound` for staff
    of a unit (`visible_to`): lines belong to the whole centre.
    """
    who, reason = actor_name(by), said("why", why, mend="a change of the pace names who and why")

    def change(tx: Tx, before: LineGroup) -> None:
        least = min(LEAST_CALLS_PER_SECOND, before.most_calls_per_second)
        _check_range("calls_per_second", calls_per_second, least, before.most_calls_per_second)
        _check_range("lines", lines, 1, before.most_lines)
        set_line_pace(
            tx,
            name=services.lines.group,
            calls_per_second=calls_per_second,
            lines=lines,
            by=who,
            why=reason,
            now=services.clock.now(),
            real_now=services.real.now(),
        )

    return _change_pace(services, change, act="pace", who=who, why=reason, visible_to=visible_to)


def restore_pace(services: Services, *, by: str, why: str = "", visible_to: int | None = None) -> LineGroup:
    """The pace of the settings holds, as this process has read them. Raises `NotFound` as `set_pace` does."""
    who = actor_name(by)
    lines = services.lines

    def change(tx: Tx, before: LineGroup) -> None:
        configure_line_group(
            tx,
            name=lines.group,
            calls_per_second=lines.settings_calls_per_second or before.most_calls_per_second,
            lines=lines.settings_lines or before.most_lines,
            real_now=services.real.now(),
        )
        restore_line_pace(tx, name=services.lines.group, real_now=services.real.now())

    return _change_pace(
        services, change, act="pace.settings", who=who, why=why.strip(), visible_to=visible_to
    )


def _change_pace(
    services: Services,
    change: Callable[[Tx, LineGroup], None],
    *,
    act: str,
    who: str,
    why: str,
    visible_to: int | None,
) -> LineGroup:
    if visible_to is not None:
        raise NotFound(kind="line group", key=services.lines.group)
    with services.store.begin() as tx:
        before = _pace(tx, services)
        change(tx, before)
        after = _pace(tx, services)
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
    services.enqueue("dial")
    return after


def _check_range(field: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise Invalid(
            field=field,
            problem="is outside what the settings allow",
            mend=Text("%(least)s – %(most)s", least=f"{least:g}", most=f"{most:g}"),
        )


def _pace(tx: Tx, services: Services) -> LineGroup:
    group = read_line_group(tx, name=services.lines.group)
    if group is None:
        raise NotFound(kind="line group", key=services.lines.group)
    return group


_RULES = BreakerRules()
_RETRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One POST's answer; `sent_at` is the real moment at which it was to leave."""

    sent_at: datetime
    answer: Placed | Refused | UncertainResult


def retry_seconds(refused: Sequence[Refused]) -> float:
    """How long calls that were refused, not for their numbers, wait before they are ready again."""
    asked = max((one.retry_after_seconds or 0.0 for one in refused), default=0.0)
    return min(max(asked, _RETRY_SECONDS), _RULES.believed_seconds)


def evaluate_breaker(
    tx: Tx, services: Services, answers: Sequence[Answered], *, now: datetime, real_now: datetime
) -> None:
    """The breaker is as these answers leave it. Trouble raises an alarm; opening and closing are audited."""
    name = services.lines.group
    troubles = [one for one in answers if _is_trouble(one.answer)]
    # A fault of the number says nothing about whether the carrier takes calls.
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
    """Beside a call that was taken, troubles are not in a row, however many there are."""
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
