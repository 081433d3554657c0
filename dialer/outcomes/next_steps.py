"""What a case waits for, until when, and why: its own words for the machine's state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dialer.domain.attempt import WAITING_STATES, AttemptState
from dialer.domain.case import Case, CaseStatus, Errand, ErrandState, Reason, RobotState
from dialer.domain.values import Track
from dialer.domain.window import Window


class StepKind(StrEnum):
    RING = "ring"
    CALL = "call"
    """The robot's call is under way."""
    ERRAND_OPENS = "errand_opens"
    ERRAND_DUE = "errand_due"
    WATCH_ENDS = "watch_ends"
    EXPIRES = "expires"
    SETTLED = "settled"


class Wait(StrEnum):
    """Why a ring that is to be made has not been made yet."""

    NOT_BEFORE = "not_before"
    WINDOW = "window"
    HELD = "held"
    PAUSED = "paused"
    LINE_TROUBLE = "line_trouble"
    NUMBER_BUSY = "number_busy"
    """The same number rings or rests now, for this case or another."""
    QUEUE = "queue"
    """More urgent rings go first; a line and a moment in the pacing are waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingRing:
    """The newest attempt that has not ended, and what stands in its way."""

    n: int
    state: AttemptState
    not_before: datetime
    urgency_at: datetime
    windowed: bool
    held: bool
    reason: Reason
    number_free_at: datetime | None
    """None: the number is free, or there is no telling when it will be."""
    number_busy: bool
    paused_until: datetime | None
    line_trouble: bool
    ahead: int
    """How many more urgent rings are ready; counted up to `AHEAD_AT_MOST`."""


AHEAD_AT_MOST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    kind: StepKind
    track: Track | None
    reason: Reason
    at: datetime | None
    """When it is to happen, or is overdue; None where it may happen any moment."""
    waits: tuple[Wait, ...] = ()


def next_steps(case: Case, ring: PendingRing | None, *, window: Window, now: datetime) -> tuple[Step, ...]:
    """Everything that may move the case next, soonest first; exactly one settled step for a settled case."""
    if case.status.is_settled:
        reason = Reason.WATCH_ENDED if case.status is CaseStatus.PROVEN else Reason.CASE_CLOSED
        if case.status is CaseStatus.REVERSED:
            reason = Reason.CASE_FILED
        return (Step(kind=StepKind.SETTLED, track=None, reason=reason, at=None),)
    if case.status is CaseStatus.WATCHING:
        return (
            Step(kind=StepKind.WATCH_ENDS, track=None, reason=Reason.VERIFIED_SUCCESS, at=case.watch_until),
        )
    steps: list[Step] = []
    if ring is not None and case.robot.state is RobotState.PENDING:
        steps.append(_ring(case, ring, window=window, now=now))
    steps.extend(_errand(Track.HUMAN, case.human))
    steps.extend(_errand(Track.VISIT, case.visit))
    if case.expires_at is not None and not case.missed:
        steps.append(Step(kind=StepKind.EXPIRES, track=None, reason=Reason.EXPIRED, at=case.expires_at))
    return tuple(sorted(steps, key=lambda step: step.at or now))


def _ring(case: Case, ring: PendingRing, *, window: Window, now: datetime) -> Step:
    reason = case.robot.reason if case.robot.reason is not Reason.NONE else ring.reason
    if ring.state not in WAITING_STATES:
        return Step(kind=StepKind.CALL, track=Track.ROBOT, reason=reason, at=None)
    waits: list[Wait] = []
    at = max(ring.not_before, window.next_open(max(now, ring.not_before)))
    if not window.is_open(max(now, ring.not_before)) or not window.is_open(now):
        waits.append(Wait.WINDOW)
    if ring.not_before > now:
        waits.append(Wait.NOT_BEFORE)
    if ring.held:
        waits.append(Wait.HELD)
    if ring.paused_until is not None and ring.paused_until > now:
        waits.append(Wait.PAUSED)
        at = max(at, ring.paused_until)
    if ring.line_trouble:
        waits.append(Wait.LINE_TROUBLE)
    if ring.number_busy:
        waits.append(Wait.NUMBER_BUSY)
        at = max(at, ring.number_free_at or at)
    if ring.ahead:
        waits.append(Wait.QUEUE)
    return Step(
        kind=StepKind.RING, track=Track.ROBOT, reason=reason, at=at if at > now else None, waits=tuple(waits)
    )


def _errand(track: Track, errand: Errand) -> list[Step]:
    if errand.state is ErrandState.SCHEDULED:
        return [Step(kind=StepKind.ERRAND_OPENS, track=track, reason=errand.reason, at=errand.at)]
    if errand.state is ErrandState.OPEN:
        return [Step(kind=StepKind.ERRAND_DUE, track=track, reason=errand.reason, at=errand.at)]
    return []
