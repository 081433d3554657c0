"""What people do to a case and to the work on it: the words of the timeline.

What happened to a case, one entry a fact. Nothing personal is in an entry.

What a case waits for, until when, and why: the only answer to why it has not been rung yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from dialer.core.attempt import WAITING_STATES, AttemptState
from dialer.core.case import Case, CaseStatus, Reason, RobotState, StaffTrack, StaffTrackState
from dialer.core.policy import Window
from dialer.core.values import Pause, Track


class ActKind(StrEnum):
    UNIT_ASSIGNED = "unit_assigned"
    """A case without a unit found it."""
    UNIT_CHANGED = "unit_changed"
    """The case is another unit's, by a person's word."""
    UNIT_RAISED = "unit_raised"
    """Nobody signed in time: the work is the unit's above."""
    TRANSFER_ASKED = "transfer_asked"
    TRANSFER_ACCEPTED = "transfer_accepted"
    TRANSFER_REFUSED = "transfer_refused"
    CLAIMED = "claimed"
    RELEASED = "released"
    """Given back to the queue by whoever had it."""
    LAPSED = "lapsed"
    """Signed for and then nothing: back in the queue."""
    ACCOUNT_DISABLED = "account_disabled"
    """Whoever had it works here no more: back in the queue."""
    CALL_BACK = "call_back"
    """The person wants to be rung at a time."""
    DIALLED = "dialled"
    """A caller had the carrier put him through."""
    VISIT_ACCEPTED = "visit_accepted"
    VISIT_ON_THE_WAY = "visit_on_the_way"
    VISIT_ARRIVED = "visit_arrived"
    VISIT_SEEN = "visit_seen"
    VISIT_NOTE = "visit_note"
    VISIT_PHOTO = "visit_photo"
    CALL_NOW = "ring_now"
    PERSON_ASKED = "person_asked"
    GRADE_RAISED = "grade_raised"
    GRADE_LOWERED = "grade_lowered"
    CLOSED = "closed"
    DUPLICATE = "duplicate"
    OPTED_OUT = "opted_out"
    NOTE = "note"
    LOAD_WITHDRAWN = "load_withdrawn"


class EntryKind(StrEnum):
    """The order of the members is the order in which facts of one moment are told."""

    WARNING = "warning"
    ATTEMPT_PLANNED = "ring_planned"
    ATTEMPT_SENT = "ring_sent"
    RINGING = "ringing"
    ANSWERED = "answered"
    SPOKEN = "spoken"
    """A node of the script was reached; `key` says what was pressed to get there."""
    ATTEMPT_ENDED = "ring_ended"
    MESSAGE = "message"
    """A message, from its planning to its end; `state` says how far it came."""
    ASSIGNMENT_OPENED = "errand_opened"
    ASSIGNMENT_SIGNED = "errand_signed"
    ASSIGNMENT_REPORTED = "errand_reported"
    ASSIGNMENT_WITHDRAWN = "errand_withdrawn"
    OUTCOME = "outcome"
    REVERSAL = "reversal"
    APPROVAL = "approval"
    FILED = "filed"
    ALARM = "alarm"
    ALARM_SEEN = "alarm_seen"
    ACT = "act"
    """Something else that a person did to the case."""
    VIEWED = "viewed"
    """Somebody saw or exported what is hidden."""


ORDER = {kind: place for place, kind in enumerate(EntryKind)}

Fact = str | int | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    at: datetime
    kind: EntryKind
    id: str
    """Which row it comes from, such as warning/7; the attempt's is its number in the case."""
    by: str = ""
    """'' for what nobody in particular did."""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    """By name, as values of our enumerations and numbers with their unit in the name."""


def in_order(entries: list[Entry]) -> tuple[Entry, ...]:
    """By time, and facts of one moment in the order in which they can only have happened."""
    return tuple(sorted(entries, key=lambda entry: (entry.at, ORDER[entry.kind], entry.id)))


class StepKind(StrEnum):
    RING = "ring"
    CALL = "call"
    """The robot's call is under way."""
    ASSIGNMENT_OPENS = "errand_opens"
    ASSIGNMENT_DUE = "errand_due"
    WATCH_ENDS = "watch_ends"
    EXPIRES = "expires"
    SETTLED = "settled"


class Wait(StrEnum):
    """What a ring that has not been made waits for, in the coarse words of a step."""

    NOT_BEFORE = "not_before"
    WINDOW = "window"
    HELD = "held"
    PAUSED = "paused"
    LINE_TROUBLE = "line_trouble"
    NUMBER_BUSY = "number_busy"
    """The same number rings or rests now, for this case or another."""
    QUEUE = "queue"
    """More urgent rings go first; a line is waited for."""


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


_WAITS: Mapping[WaitReason, Wait] = {
    WaitReason.WINDOW_CLOSED: Wait.WINDOW,
    WaitReason.PLANNED_FOR_LATER: Wait.NOT_BEFORE,
    WaitReason.HELD: Wait.HELD,
    WaitReason.PAUSED: Wait.PAUSED,
    WaitReason.CARRIER_TROUBLE: Wait.LINE_TROUBLE,
    WaitReason.NUMBER_BUSY: Wait.NUMBER_BUSY,
    WaitReason.LINES_FULL: Wait.QUEUE,
    WaitReason.QUEUE: Wait.QUEUE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingAttempt:
    """The newest attempt of a case that has not ended, beside what a pause may name of the case."""

    state: AttemptState
    reason: Reason
    held: bool
    planned_at: datetime
    not_before: datetime
    grade: str
    unit: str
    unit_id: int | None
    load_id: int | None
    number_attempts: bool
    """For another case: a shared number."""
    number_free_at: datetime | None
    """None: the number is free, or there is no telling when it will be."""
    ahead: int
    """How many more urgent rings are ready; counted up to `AHEAD_AT_MOST`."""


AHEAD_AT_MOST = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LinesNow:
    """The line group that rings leave by. Times are service time."""

    in_use: int
    lines: int
    calls_per_second: float
    trouble: str = ""
    """Why nothing leaves for now; '' while the carrier takes calls."""
    trouble_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One thing that stands in a ring's way. `detail` is one line without anything personal."""

    reason: WaitReason
    detail: str
    since: datetime
    until: datetime | None = None
    """None: nobody can say."""
    facts: Mapping[str, str | int] = field(default_factory=dict, compare=False)
    """What `detail` says, by name: for sentences in another language."""


def in_the_way(
    ring: PendingAttempt, *, pauses: Sequence[Pause], lines: LinesNow | None, window: Window, now: datetime
) -> tuple[Waiting, ...]:
    """Everything that a ring waits for, never nothing, the first one first: what holds whole groups of rings, then
    what is of this ring, then the hours, the carrier, the lines and the queue. `pauses` are those that stand, the
    widest first; no `lines`: none is set up.
    """
    since = max(ring.planned_at, min(ring.not_before, now))
    if ring.state not in WAITING_STATES:
        state = ring.state.value
        return (Waiting(reason=WaitReason.UNDER_WAY, detail=state, since=since, facts={"state": state}),)
    covering = [
        hold
        for hold in pauses
        if hold.covers(grade=ring.grade, unit=ring.unit, unit_id=ring.unit_id, load_id=ring.load_id)
    ]
    found: list[Waiting] = []
    if covering:
        found.append(_paused(covering))
    elif ring.held:
        found.append(Waiting(reason=WaitReason.HELD, detail="its pause is over, it is released", since=since))
    found += _number(ring, now)
    if ring.not_before > now:
        reason = ring.reason.value
        found.append(
            Waiting(
                reason=WaitReason.PLANNED_FOR_LATER,
                detail=reason,
                since=ring.planned_at,
                until=ring.not_before,
                facts={"reason": reason},
            )
        )
    found += _window(window, since, at=max(now, ring.not_before))
    found += _lines(ring, lines, since)
    if not found and lines is not None:
        pace = f"{lines.calls_per_second:g} calls a second"
        found.append(Waiting(reason=WaitReason.PACING, detail=pace, since=since))
    return tuple(found)


def _paused(holds: Sequence[Pause]) -> Waiting:
    """The widest speaks; it ends when the last of them does."""
    first = holds[0]
    what = f"{first.scope.value} {first.subject}".strip()
    return Waiting(
        reason=WaitReason.PAUSED,
        detail=f"{what} paused by {first.by}: {first.why}",
        since=min(hold.placed_at for hold in holds),
        until=max(hold.until for hold in holds),
        facts={"scope": first.scope.value, "subject": first.subject, "by": first.by, "why": first.why},
    )


def _number(ring: PendingAttempt, now: datetime) -> list[Waiting]:
    if ring.number_attempts:
        detail = "the number rings for another case"
        return [Waiting(reason=WaitReason.NUMBER_BUSY, detail=detail, since=ring.planned_at)]
    if ring.number_free_at is None or ring.number_free_at <= max(now, ring.not_before):
        return []
    return [
        Waiting(
            reason=WaitReason.NUMBER_BUSY,
            detail="the number rests after a call",
            since=ring.planned_at,
            until=ring.number_free_at,
            facts={"rests": 1},
        )
    ]


def _window(window: Window, since: datetime, *, at: datetime) -> list[Waiting]:
    if window.is_open(at):
        return []
    opens, closes = f"{window.opens:%H:%M}", f"{window.closes:%H:%M}"
    return [
        Waiting(
            reason=WaitReason.WINDOW_CLOSED,
            detail=f"robots ring from {opens} to {closes}, {window.zone}",
            since=since,
            until=window.next_open(at),
            facts={"opens": opens, "closes": closes},
        )
    ]


def _lines(ring: PendingAttempt, lines: LinesNow | None, since: datetime) -> list[Waiting]:
    if lines is None:
        return [Waiting(reason=WaitReason.LINES_FULL, detail="no line is set up", since=since)]
    found: list[Waiting] = []
    ahead = f"at least {AHEAD_AT_MOST}" if ring.ahead >= AHEAD_AT_MOST else str(ring.ahead)
    if lines.trouble:
        found.append(
            Waiting(
                reason=WaitReason.CARRIER_TROUBLE,
                detail=lines.trouble,
                since=since,
                until=lines.trouble_until,
            )
        )
    if lines.in_use >= lines.lines:
        found.append(
            Waiting(
                reason=WaitReason.LINES_FULL,
                detail=f"{lines.in_use} of {lines.lines} lines in use, {ahead} ahead",
                since=since,
                facts={"in_use": lines.in_use, "lines": lines.lines, "ahead": ring.ahead},
            )
        )
    elif ring.ahead:
        facts = {"ahead": ring.ahead}
        found.append(Waiting(reason=WaitReason.QUEUE, detail=f"{ahead} ahead", since=since, facts=facts))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    kind: StepKind
    track: Track | None
    reason: Reason
    at: datetime | None
    """When it is to happen, or is overdue; None where it may happen any moment."""
    waits: tuple[Wait, ...] = ()


def next_steps(
    case: Case, ring: PendingAttempt | None, waits: Sequence[Waiting], *, now: datetime
) -> tuple[Step, ...]:
    """Everything that may move the case next, soonest first; exactly one settled step for a settled case. `waits` are
    what stands `in_the_way` of the ring.
    """
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
        steps.append(_ring(case, ring, waits))
    steps.extend(_assignment(Track.HUMAN, case.human))
    steps.extend(_assignment(Track.VISIT, case.visit))
    if case.expires_at is not None and not case.missed:
        steps.append(Step(kind=StepKind.EXPIRES, track=None, reason=Reason.EXPIRED, at=case.expires_at))
    return tuple(sorted(steps, key=lambda step: step.at or now))


def _ring(case: Case, ring: PendingAttempt, waits: Sequence[Waiting]) -> Step:
    reason = case.robot.reason if case.robot.reason is not Reason.NONE else ring.reason
    if ring.state not in WAITING_STATES:
        return Step(kind=StepKind.CALL, track=Track.ROBOT, reason=reason, at=None)
    reasons = {wait.reason for wait in waits}
    return Step(
        kind=StepKind.RING,
        track=Track.ROBOT,
        reason=reason,
        at=max((wait.until for wait in waits if wait.until is not None), default=None),
        waits=tuple(dict.fromkeys(wait for why, wait in _WAITS.items() if why in reasons)),
    )


def _assignment(track: Track, assignment: StaffTrack) -> list[Step]:
    if assignment.state is StaffTrackState.SCHEDULED:
        return [Step(kind=StepKind.ASSIGNMENT_OPENS, track=track, reason=assignment.reason, at=assignment.at)]
    if assignment.state is StaffTrackState.OPEN:
        return [Step(kind=StepKind.ASSIGNMENT_DUE, track=track, reason=assignment.reason, at=assignment.at)]
    return []
