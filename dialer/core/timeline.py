"""The timeline of a case (entries without personal data), its next steps, and why a call has not been made yet, which
nothing else answers. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from dialer.core.attempt import WAITING_STATES, AttemptState
from dialer.core.case import Case, CaseStatus, Reason, RobotState, StaffTrackState
from dialer.core.policy import Window
from dialer.core.values import Pause, Track


class ActKind(StrEnum):
    """What people did with a case."""

    UNIT_ASSIGNED = "unit_assigned"
    """A case without a unit got one."""
    UNIT_CHANGED = "unit_changed"
    """A person moved the case to another unit."""
    UNIT_RAISED = "unit_raised"
    """Not signed for in time, or in a unit without anybody on duty: the assignment was escalated to a unit above."""
    NOTIFIED = "notified"
    """Somebody on duty was told of the work."""
    NOT_NOTIFIED = "not_notified"
    """A channel did not reach somebody on duty."""
    NOTIFICATION_ACCEPTED = "notification_accepted"
    """Somebody on duty accepted in the robot's call."""
    TRANSFER_ASKED = "transfer_asked"
    TRANSFER_ACCEPTED = "transfer_accepted"
    TRANSFER_REFUSED = "transfer_refused"
    CLAIMED = "claimed"
    RELEASED = "released"
    """Back in the queue, released by the person who had it."""
    LAPSED = "lapsed"
    """Signed for but idle: back in the queue."""
    ACCOUNT_DISABLED = "account_disabled"
    """Back in the queue, because the account that had it was disabled or got another role or unit."""
    SHIFT_ENDED = "shift_ended"
    """Back in the queue for who is on duty now: the shift of the account that had it ended before it set out."""
    SIGNED_OUT = "signed_out"
    """Back in the queue, because a supervisor signed the account out."""
    CALL_BACK = "call_back"
    """The person asked to be called at a certain time."""
    DIALLED = "dialled"
    """A caller was connected by click-to-call."""
    FAMILY_DIALLED = "family_dialled"
    """The same, with the family contact."""
    PUT_ON_HOLD = "put_on_hold"
    """A caller put the person on hold."""
    TAKEN_OFF_HOLD = "taken_off_hold"
    DESK_MUTED = "desk_muted"
    """A caller's telephone was muted: the person does not hear the caller."""
    DESK_UNMUTED = "desk_unmuted"
    LISTENED_TO = "listened_to"
    """A supervisor asked to listen to the call, where that is announced."""
    PARTY_CALLED = "party_called"
    """A caller asked for a third party in the call."""
    PARTY_JOINED = "party_joined"
    PARTY_LEFT = "party_left"
    """A third party that came is out of the call, or never came."""
    CALL_HANDED_OVER = "call_handed_over"
    """A caller left: the person talks with a third party."""
    FAMILY_CALLED = "family_called"
    """A caller reported what a call to the family brought."""
    CALLED_IN = "called_in"
    """The person called us."""
    CALL_IN_ENDED = "call_in_ended"
    VISIT_ACCEPTED = "visit_accepted"
    VISIT_ON_THE_WAY = "visit_on_the_way"
    VISIT_ARRIVED = "visit_arrived"
    VISIT_SEEN = "visit_seen"
    VISIT_NOTE = "visit_note"
    VISIT_PHOTO = "visit_photo"
    CALL_NOW = "call_now"
    PERSON_ASKED = "person_asked"
    GRADE_RAISED = "grade_raised"
    GRADE_LOWERED = "grade_lowered"
    CLOSED = "closed"
    DUPLICATE = "duplicate"
    OPTED_OUT = "opted_out"
    CALLS_ALLOWED = "calls_allowed"
    NOTE = "note"
    LOAD_WITHDRAWN = "load_withdrawn"

    @classmethod
    def _missing_(cls, value: object) -> ActKind | None:
        return cls.CALL_NOW if value == _CALL_NOW_BEFORE else None


_CALL_NOW_BEFORE: Final = "ring_now"
"""In events and lines of the audit of before, which never change."""
STORED_ACTS: Final = frozenset({*ActKind, _CALL_NOW_BEFORE})


class AuditedAct(StrEnum):
    """What is done to a case and stands in the audit alone, by the word there."""

    REPORT_PAID = "report_paid"
    """The person told somebody that money has been sent."""
    NO_ANSWER = "report_bank"
    """The bank was asked again and has not answered. Its answer stands with the request."""
    DELETE_RECORDING = "delete_recording"


class EntryKind(StrEnum):
    """What an entry of the timeline is about. Entries of the same moment are shown in the order of these members."""

    WARNING = "warning"
    RELEASED = "released"
    """A person released the warning, or the robot's verdict behind it, which had waited."""
    ATTEMPT_PLANNED = "ring_planned"
    ATTEMPT_SENT = "ring_sent"
    RINGING = "ringing"
    ANSWERED = "answered"
    SPOKEN = "spoken"
    """A node of the script was reached; `key` says what was pressed to get there."""
    ATTEMPT_ENDED = "ring_ended"
    MESSAGE = "message"
    """A message, from its planning to its end; `state` is the last one known."""
    ASSIGNMENT_OPENED = "errand_opened"
    ASSIGNMENT_SIGNED = "errand_signed"
    ASSIGNMENT_REPORTED = "errand_reported"
    ASSIGNMENT_WITHDRAWN = "errand_withdrawn"
    OUTCOME = "outcome"
    REVERSAL = "reversal"
    APPROVAL = "approval"
    STOP_OPENED = "stop_opened"
    """The task to have a payment stopped was opened."""
    STOP_ASKED = "stop_asked"
    """A bank was asked to stop the payment."""
    STOP_ANSWERED = "stop_answered"
    """The bank stopped the payment, or refused to."""
    STOP_ENDED = "stop_ended"
    """The task ended without a bank that was asked."""
    FILED = "filed"
    FILING_UNDONE = "filing_undone"
    ALARM = "alarm"
    ALARM_TAKEN = "alarm_taken"
    """Somebody took the alarm; it stayed open."""
    ALARM_SEEN = "alarm_seen"
    ALARM_ENDED = "alarm_ended"
    """The overdue work that the alarm told of was done."""
    DUPLICATE_KEPT = "duplicate_kept"
    """Another case was closed as a duplicate of this one."""
    HOLD_PLACED = "hold_placed"
    """A legal hold: the person is not erased."""
    HOLD_LIFTED = "hold_lifted"
    ACT = "act"
    """Something else that a person did to the case."""
    AUDITED = "audited"
    """What was done to the case and stands in the audit alone; `act` is an `AuditedAct`."""
    VIEWED = "viewed"
    """Somebody saw or exported hidden data."""


_ORDER = {kind: place for place, kind in enumerate(EntryKind)}

Fact = str | int | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the timeline."""

    at: datetime
    kind: EntryKind
    id: str
    """The row that it comes from, such as warning/7; for an attempt, its number in the case."""
    by: str = ""
    """The actor; '' if there is none."""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    """Values by name: values of our enumerations, and numbers with their unit in the name."""


def sort_entries(entries: list[Entry]) -> tuple[Entry, ...]:
    """The entries by time; entries of the same moment in the order of `EntryKind`."""
    return tuple(sorted(entries, key=lambda entry: (entry.at, _ORDER[entry.kind], entry.id)))


class StepKind(StrEnum):
    """What a case waits for."""

    ATTEMPT = "ring"
    """The robot's call is still to be made."""
    CALL = "call"
    """The robot's call is under way."""
    ASSIGNMENT_OPENS = "errand_opens"
    ASSIGNMENT_DUE = "errand_due"
    WATCH_ENDS = "watch_ends"
    FOLLOW_UP = "follow_up"
    """The follow-up of a watched case begins."""
    EXPIRES = "expires"
    SETTLED = "settled"


class Wait(StrEnum):
    """What a planned call waits for, as shown in a next step."""

    NOT_BEFORE = "not_before"
    WINDOW = "window"
    HELD = "held"
    PAUSED = "paused"
    LINE_TROUBLE = "line_trouble"
    NUMBER_BUSY = "number_busy"
    """The number is in a call, or rests after a call, for this case or another."""
    QUEUE = "queue"
    """More urgent attempts go first, or every line is in use."""


class WaitReason(StrEnum):
    """Why a planned call has not been placed yet."""

    UNDER_WAY = "under_way"
    """It is at the carrier."""
    PAUSED = "paused"
    HELD = "held"
    """Withheld by a pause that has ended; it is being released."""
    NUMBER_BUSY = "number_busy"
    """The number is in a call, or rests after one, for this case or another."""
    PLANNED_FOR_LATER = "planned_for_later"
    WINDOW_CLOSED = "window_closed"
    CARRIER_TROUBLE = "carrier_trouble"
    LINES_FULL = "lines_full"
    QUEUE = "queue"
    """More urgent attempts go first."""
    PACING = "pacing"
    """It is next, at the permitted pace."""


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
    """The newest attempt of a case, if it has not ended, with the values of the case that a pause can name."""

    state: AttemptState
    reason: Reason
    held: bool
    planned_at: datetime
    not_before: datetime
    grade: str
    unit: str
    unit_id: int | None
    load_id: int | None
    is_number_in_call: bool
    """Whether the number, which several cases share, is in a call for another case."""
    number_free_at: datetime | None
    """None: the number is free, or it is unknown when it will be."""
    ahead: int
    """How many ready attempts are more urgent, counted up to `AHEAD_AT_MOST`."""


AHEAD_AT_MOST = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LinesNow:
    """The state of the line group. Times are service time."""

    in_use: int
    lines: int
    calls_per_second: float
    troubles: int | None = None
    """Calls are stopped after this many failures in a row; 0: the carrier asked for fewer calls; None: calls are not
    stopped.
    """
    trouble_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """One thing that a call attempt waits for."""

    reason: WaitReason
    since: datetime
    until: datetime | None = None
    """None: not known."""
    facts: Mapping[str, str | int] = field(default_factory=dict)
    """The values in its sentence, by name; nothing personal."""


def obstacles_of(
    attempt: PendingAttempt, *, pauses: Sequence[Pause], lines: LinesNow | None, window: Window, now: datetime
) -> tuple[Obstacle, ...]:
    """Everything that the attempt waits for, at least one thing, in this order: pauses, its number, its planned time,
    the window, the carrier, the lines and the queue. `pauses` are the active ones, the widest first; `lines` None means
    that no line is configured.
    """
    since = max(attempt.planned_at, min(attempt.not_before, now))
    if attempt.state not in WAITING_STATES:
        state = attempt.state.value
        return (Obstacle(reason=WaitReason.UNDER_WAY, since=since, facts={"state": state}),)
    covering = [
        pause
        for pause in pauses
        if pause.covers(
            grade=attempt.grade, unit=attempt.unit, unit_id=attempt.unit_id, load_id=attempt.load_id
        )
    ]
    found: list[Obstacle] = []
    if covering:
        found.append(_wait_for_pauses(covering))
    elif attempt.held:
        found.append(Obstacle(reason=WaitReason.HELD, since=since))
    found += _waits_for_number(attempt, now)
    if attempt.not_before > now:
        reason = attempt.reason.value
        found.append(
            Obstacle(
                reason=WaitReason.PLANNED_FOR_LATER,
                since=attempt.planned_at,
                until=attempt.not_before,
                facts={"reason": reason},
            )
        )
    found += _waits_for_window(window, since, at=max(now, attempt.not_before))
    found += _waits_for_lines(attempt, lines, since)
    if not found and lines is not None:
        pace = f"{lines.calls_per_second:g}"
        found.append(Obstacle(reason=WaitReason.PACING, since=since, facts={"pace": pace}))
    return tuple(found)


def _wait_for_pauses(pauses: Sequence[Pause]) -> Obstacle:
    """The wait for these pauses: it names the widest, and ends with the last."""
    first = pauses[0]
    return Obstacle(
        reason=WaitReason.PAUSED,
        since=min(pause.placed_at for pause in pauses),
        until=max(pause.until for pause in pauses),
        facts={"scope": first.scope.value, "subject": first.subject, "by": first.by, "why": first.why},
    )


def _waits_for_number(attempt: PendingAttempt, now: datetime) -> Iterator[Obstacle]:
    free_at = attempt.number_free_at
    if attempt.is_number_in_call:
        yield Obstacle(reason=WaitReason.NUMBER_BUSY, since=attempt.planned_at)
    elif free_at is not None and free_at > max(now, attempt.not_before):
        yield Obstacle(
            reason=WaitReason.NUMBER_BUSY,
            since=attempt.planned_at,
            until=free_at,
            facts={"rests": 1},
        )


def _waits_for_window(window: Window, since: datetime, *, at: datetime) -> Iterator[Obstacle]:
    if not window.is_open(at):
        opens, closes = f"{window.opens:%H:%M}", f"{window.closes:%H:%M}"
        yield Obstacle(
            reason=WaitReason.WINDOW_CLOSED,
            since=since,
            until=window.next_open(at),
            facts={"opens": opens, "closes": closes},
        )


def _waits_for_lines(attempt: PendingAttempt, lines: LinesNow | None, since: datetime) -> Iterator[Obstacle]:
    if lines is None:
        yield Obstacle(reason=WaitReason.LINES_FULL, since=since)
        return
    if lines.troubles is not None:
        yield Obstacle(
            reason=WaitReason.CARRIER_TROUBLE,
            since=since,
            until=lines.trouble_until,
            facts={"troubles": lines.troubles},
        )
    if lines.in_use >= lines.lines:
        facts = {"in_use": lines.in_use, "lines": lines.lines, "ahead": attempt.ahead}
        yield Obstacle(reason=WaitReason.LINES_FULL, since=since, facts=facts)
    elif attempt.ahead:
        yield Obstacle(reason=WaitReason.QUEUE, since=since, facts={"ahead": attempt.ahead})


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """One of the next steps of a case."""

    kind: StepKind
    track: Track | None
    reason: Reason
    at: datetime | None
    """When it is due, even if that is past; None if it can happen at any moment."""
    waits: tuple[Wait, ...] = ()
    waiting: Obstacle | None = None
    """The first obstacle, which the sentence of the step names."""


_SETTLED = {
    CaseStatus.PROVEN: Reason.WATCH_ENDED,
    CaseStatus.REVERSED: Reason.CASE_FILED,
    CaseStatus.CLOSED: Reason.CASE_CLOSED,
}
_ASSIGNMENT_STEPS = {
    StaffTrackState.SCHEDULED: StepKind.ASSIGNMENT_OPENS,
    StaffTrackState.OPEN: StepKind.ASSIGNMENT_DUE,
}


def next_steps(
    case: Case, attempt: PendingAttempt | None, waits: Sequence[Obstacle], *, now: datetime
) -> tuple[NextStep, ...]:
    """All next steps of the case, soonest first; a settled case has exactly one, `SETTLED`. `waits` is what
    `obstacles_of` returned for the attempt.
    """
    if case.status in _SETTLED:
        return (NextStep(kind=StepKind.SETTLED, track=None, reason=_SETTLED[case.status], at=None),)
    steps: list[NextStep] = []
    if case.status is CaseStatus.WATCHING:
        ends = NextStep(
            kind=StepKind.WATCH_ENDS, track=None, reason=Reason.VERIFIED_SUCCESS, at=case.watch_until
        )
        steps.append(ends)
        follow_up = case.follow_up
        if follow_up.at is not None:
            steps.append(
                NextStep(
                    kind=StepKind.FOLLOW_UP, track=follow_up.by, reason=Reason.FOLLOW_UP, at=follow_up.at
                )
            )
    if attempt is not None and case.robot.state is RobotState.PENDING:
        steps.append(_robot_step(case, attempt, waits))
    steps += [
        NextStep(kind=_ASSIGNMENT_STEPS[staff.state], track=track, reason=staff.reason, at=staff.at)
        for track, staff in ((Track.HUMAN, case.human), (Track.VISIT, case.visit))
        if staff.state in _ASSIGNMENT_STEPS
    ]
    if case.expires_at is not None and not case.missed and case.status is CaseStatus.OPEN:
        steps.append(NextStep(kind=StepKind.EXPIRES, track=None, reason=Reason.EXPIRED, at=case.expires_at))
    return tuple(sorted(steps, key=lambda step: step.at or now))


def _robot_step(case: Case, attempt: PendingAttempt, waits: Sequence[Obstacle]) -> NextStep:
    reason = case.robot.reason if case.robot.reason is not Reason.NONE else attempt.reason
    if attempt.state not in WAITING_STATES:
        return NextStep(kind=StepKind.CALL, track=Track.ROBOT, reason=reason, at=None)
    reasons = {wait.reason for wait in waits}
    named = [wait for wait in waits if wait.reason in _WAITS]
    return NextStep(
        kind=StepKind.ATTEMPT,
        track=Track.ROBOT,
        reason=reason,
        at=max((wait.until for wait in waits if wait.until is not None), default=None),
        waits=tuple(dict.fromkeys(wait for why, wait in _WAITS.items() if why in reasons)),
        waiting=next(iter(named), None),
    )
