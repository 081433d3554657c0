"""Why a case's ring has not been made yet: the first thing that stands in its way, since when, and until when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from dialer.domain.attempt import WAITING_STATES
from dialer.store import holds, pacing
from dialer.store.holds import Hold
from dialer.store.pacing import LineGroup
from dialer.store.reads.waiting import AHEAD_AT_MOST, WaitingRing, waiting_ring
from dialer.store.unit_of_work import Tx
from dialer.usecases.engine import Engine


class WaitReason(StrEnum):
    UNDER_WAY = "under_way"
    """It is being sent, rings, or talks."""
    PAUSED = "paused"
    HELD = "held"
    """By a pause that is over; it is being released."""
    NUMBER_BUSY = "number_busy"
    """The same number rings, or rests after a ring: it may be another person's too."""
    PLANNED_FOR_LATER = "planned_for_later"
    WINDOW_CLOSED = "window_closed"
    CARRIER_TROUBLE = "carrier_trouble"
    LINES_FULL = "lines_full"
    QUEUE = "queue"
    """More urgent ones go first."""
    PACING = "pacing"
    """It is next: a moment in the pace is waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """`detail` is one line without anything personal; both times are service time."""

    reason: WaitReason
    detail: str
    since: datetime
    until: datetime | None = None
    """None: nobody can say."""
    facts: Mapping[str, str | int] = field(default_factory=dict, compare=False)
    """What `detail` says, by name: for sentences in another language."""


def why_waiting(tx: Tx, engine: Engine, case_id: int) -> Waiting | None:
    """None: no ring of this case is planned or live."""
    ring = waiting_ring(tx, case_id)
    if ring is None:
        return None
    now = engine.clock.now()
    ready_since = max(ring.planned_at, min(ring.not_before, now))
    if ring.state not in WAITING_STATES:
        facts = {"state": ring.state.value}
        return Waiting(reason=WaitReason.UNDER_WAY, detail=ring.state.value, since=ready_since, facts=facts)
    pauses = [
        hold
        for hold in holds.standing(tx, now=now)
        if hold.covers(grade=ring.grade, unit=ring.unit, unit_id=ring.unit_id, load_id=ring.load_id)
    ]
    if pauses:
        return _paused(pauses)
    if ring.held:
        return Waiting(reason=WaitReason.HELD, detail="its pause is over, it is released", since=ready_since)
    return (
        _number(ring, now)
        or _later(ring, now)
        or _window(engine, ready_since, now)
        or _carrier(engine, tx, ring, ready_since, now)
    )


def _paused(pauses: list[Hold]) -> Waiting:
    """The widest speaks; it ends when the last of them does."""
    first, until = pauses[0], max(hold.until for hold in pauses)
    what = f"{first.scope.value} {first.subject}".strip()
    return Waiting(
        reason=WaitReason.PAUSED,
        detail=f"{what} paused by {first.by}: {first.why}",
        since=min(hold.placed_at for hold in pauses),
        until=until,
        facts={"scope": first.scope.value, "subject": first.subject, "by": first.by, "why": first.why},
    )


def _number(ring: WaitingRing, now: datetime) -> Waiting | None:
    if ring.number_rings:
        return Waiting(
            reason=WaitReason.NUMBER_BUSY, detail="the number rings for another case", since=ring.planned_at
        )
    if ring.number_free_at is not None and ring.number_free_at > max(now, ring.not_before):
        return Waiting(
            reason=WaitReason.NUMBER_BUSY,
            detail="the number rests after a ring",
            since=ring.planned_at,
            until=ring.number_free_at,
            facts={"rests": 1},
        )
    return None


def _later(ring: WaitingRing, now: datetime) -> Waiting | None:
    if ring.not_before <= now:
        return None
    return Waiting(
        reason=WaitReason.PLANNED_FOR_LATER,
        detail=ring.reason.value,
        since=ring.planned_at,
        until=ring.not_before,
        facts={"reason": ring.reason.value},
    )


def _window(engine: Engine, since: datetime, now: datetime) -> Waiting | None:
    window = engine.policies.newest.window
    if window.is_open(now):
        return None
    return Waiting(
        reason=WaitReason.WINDOW_CLOSED,
        detail=f"robots ring from {window.opens:%H:%M} to {window.closes:%H:%M}, {window.zone}",
        since=since,
        until=window.next_open(now),
        facts={"opens": f"{window.opens:%H:%M}", "closes": f"{window.closes:%H:%M}"},
    )


def _carrier(engine: Engine, tx: Tx, ring: WaitingRing, since: datetime, now: datetime) -> Waiting:
    group = pacing.read(tx, name=engine.lines.group)
    if group is None:
        return Waiting(reason=WaitReason.LINES_FULL, detail="no line is set up", since=since)
    real_now = engine.real.now()
    if group.breaker.may_leave(real_now) is not None:
        return Waiting(
            reason=WaitReason.CARRIER_TROUBLE,
            detail=_trouble(group),
            since=since,
            until=_service(group.breaker.wait_until, now=now, real_now=real_now),
        )
    if group.in_use >= group.lines:
        return Waiting(
            reason=WaitReason.LINES_FULL,
            detail=f"{group.in_use} of {group.lines} lines in use, {_told(ring.ahead)} ahead",
            since=since,
            facts={"in_use": group.in_use, "lines": group.lines, "ahead": ring.ahead},
        )
    if ring.ahead:
        facts = {"ahead": ring.ahead}
        return Waiting(reason=WaitReason.QUEUE, detail=f"{_told(ring.ahead)} ahead", since=since, facts=facts)
    return Waiting(reason=WaitReason.PACING, detail=f"{group.calls_per_second:g} calls a second", since=since)


def _trouble(group: LineGroup) -> str:
    breaker = group.breaker
    if breaker.is_open:
        return f"{breaker.troubles} troubles in a row: one trial call now and then"
    return "the carrier asked for a rest"


def _service(moment: datetime | None, *, now: datetime, real_now: datetime) -> datetime | None:
    """The real moment on the service clock, as far as may be said: a faster clock shows a later time by then."""
    if moment is None or moment <= real_now:
        return None
    return now + max(moment - real_now, timedelta(0))


def _told(ahead: int) -> str:
    return f"at least {AHEAD_AT_MOST}" if ahead >= AHEAD_AT_MOST else str(ahead)
