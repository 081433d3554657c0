"""Notices that calls are due, lines are free, and yet none rings, whatever the cause; says at which stage they stop.

This alarm asks only for the result, so that it also finds what nobody foresaw. A fault of a host, of the broker or of a
standby has an alarm of its own, which then is the only one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

import sqlalchemy as sa

from dialer.calls.claims import is_any_ready
from dialer.calls.pacing import LineGroup, read_line_group
from dialer.calls.pause_store import standing_pauses_at
from dialer.core.attempt import AttemptState
from dialer.core.events import AlarmCode
from dialer.core.text import Text, gettext_noop
from dialer.core.values import PauseScope
from dialer.db import tables as t
from dialer.db.alarms import raise_alarm_once
from dialer.db.bulk import in_words, word_literal
from dialer.db.hosts import has_cause_of_its_own
from dialer.db.unit_of_work import Tx, record_of
from dialer.runtime.services import Services

STALLED_SECONDS: Final = 30.0
_CALLS_APART: Final = 3
"""At a slow pace so many calls may be missing before that counts."""
_NEWEST_SECONDS: Final = 10.0
_FEWEST_NEWEST: Final = 200


class Stage(StrEnum):
    """Where calls stop on their way."""

    PLANNED = "planned"
    READY = "ready"
    CLAIMED = "claimed"
    SENDING = "sending"
    ACCEPTED = "accepted"
    SOUND = "sound"
    """No call leaves, since the carrier cannot get our words (`dialer.calls.sound`)."""


_PROBLEMS: Final[Mapping[Stage, tuple[str, str]]] = {
    Stage.PLANNED: (
        gettext_noop("calls are planned and due, and no worker makes them ready"),
        gettext_noop("see that the scheduler and a worker of the queue `dial` run"),
    ),
    Stage.READY: (
        gettext_noop("calls are ready, lines are free, and no worker claims them"),
        gettext_noop("see that a worker of the queue `dial`, a web process and the broker run"),
    ),
    Stage.CLAIMED: (
        gettext_noop("calls are claimed and miss their moment before they are sent"),
        gettext_noop("see how long the database takes to answer a worker, and how busy its machine is"),
    ),
    Stage.SENDING: (
        gettext_noop("the carrier takes no calls"),
        gettext_noop("see the worker's log for what the carrier answers"),
    ),
    Stage.ACCEPTED: (
        gettext_noop("the carrier takes calls and none rings"),
        gettext_noop("ask the carrier; see that its webhooks arrive"),
    ),
    Stage.SOUND: (
        gettext_noop("the carrier cannot get our words or our sound, so no call leaves"),
        gettext_noop("let the proxy pass /hooks/ and /audio/ to dialer web, or correct web.public_url"),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Progress:
    """How far calls have come. Only whether it changes matters."""

    next_slot_at: datetime
    """Moves with each claim."""
    sent_at: datetime | None
    accepted_at: datetime | None
    rang_at: datetime | None


class StallWatch:
    """Looks again and again, in one process; what does not change while calls are due has stopped. `is_broker_silent`:
    whether the broker did not answer when this process last asked it.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        is_broker_silent: Callable[[], bool] = lambda: False,
    ) -> None:
        self._clock = clock
        self._is_broker_silent = is_broker_silent
        self._since = 0.0
        self._before: _Progress | None = None

    def look(self, services: Services) -> Stage | None:
        """Raises the alarm if calls have been due for `STALLED_SECONDS` and none has rung meanwhile; returns the stage
        at which they stop, else None. Where the cause has an alarm of its own, that is the alarm, and the time begins
        anew when it is over.
        """
        with services.store.begin() as tx:
            group = _group_with_work(tx, services)
            if group is None:
                self._before = None
                return None
            before, now, progress = self._before, self._clock(), _progress(tx, group)
            if before is None or _is_later(progress.rang_at, before.rang_at):
                self._since, self._before = now, progress
                return None
            if now - self._since < max(STALLED_SECONDS, _CALLS_APART / group.calls_per_second):
                return None
            if self._is_broker_silent() or has_cause_of_its_own(
                tx, now=services.clock.now(), real_now=services.real.now()
            ):
                self._before = None
                return None
            stage = _stage(tx, group, before, progress)
            problem, fix = _PROBLEMS[stage]
            raise_alarm_once(
                tx,
                AlarmCode.DIALLING_STALLED,
                now=services.clock.now(),
                facts={"problem": Text(problem).plain(), "fix": Text(fix).plain()},
                names=(stage.value,),
            )
            return stage


def _group_with_work(tx: Tx, services: Services) -> LineGroup | None:
    """The line group if a call has to leave; None if nothing is due, all lines are in use, it is outside the window, or
    people have stopped dialling.
    """
    now = services.clock.now()
    group = read_line_group(tx)
    if group is None or group.in_use >= group.lines or group.is_paused(now):
        return None
    if not services.policies.newest.window.is_open(now):
        return None
    pauses = standing_pauses_at(tx, now=now)
    if pauses and pauses[0].scope is PauseScope.ALL:
        return None
    return group if is_any_ready(tx) or _is_any_on_its_way(tx, now) else None


def _is_any_on_its_way(tx: Tx, now: datetime) -> bool:
    state = t.attempt.c.state
    due = sa.and_(state == word_literal(AttemptState.PLANNED), t.attempt.c.not_before <= now)
    claimed = in_words(state, (AttemptState.CLAIMED, AttemptState.SENDING))
    return bool(tx.scalar(sa.select(sa.or_(sa.exists().where(due), sa.exists().where(claimed)))))


def _progress(tx: Tx, group: LineGroup) -> _Progress:
    c = t.attempt.c
    newest = (
        sa.select(c.sent_at, c.accepted_at, c.ringing_at, c.answered_at, c.ended_at, c.sid)
        .where(c.sent_at.is_not(None))
        .order_by(c.sent_at.desc())
        .limit(max(_FEWEST_NEWEST, round(group.calls_per_second * _NEWEST_SECONDS)))
        .subquery()
    )
    n = newest.c
    # Where no ringing is reported, a call that the carrier has ended proves as much.
    ended_at = sa.case((n.sid.is_not(None), n.ended_at))
    row = tx.one(
        sa.select(
            sa.func.max(n.sent_at).label("sent_at"),
            sa.func.max(n.accepted_at).label("accepted_at"),
            sa.func.max(sa.func.greatest(n.ringing_at, n.answered_at, ended_at)).label("rang_at"),
        )
    )
    assert row is not None
    return record_of(_Progress, row, next_slot_at=group.next_slot_at)


def _is_later(moment: datetime | None, before: datetime | None) -> bool:
    return moment is not None and (before is None or moment > before)


def _stage(tx: Tx, group: LineGroup, before: _Progress, progress: _Progress) -> Stage:
    if group.sound.is_open:
        return Stage.SOUND
    if _is_later(progress.accepted_at, before.accepted_at):
        return Stage.ACCEPTED
    if group.breaker.is_open or group.breaker.troubles:
        return Stage.SENDING
    if progress.next_slot_at > before.next_slot_at or _is_later(progress.sent_at, before.sent_at):
        return Stage.CLAIMED
    return Stage.READY if is_any_ready(tx) else Stage.PLANNED
