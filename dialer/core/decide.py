"""`decide`: the only place where a case's next step is decided. Pure.

Guarantees, held by the property tests: attempts are numbered and bounded, every attempt has a reason, a settled case
changes only by a filed case and by the undoing of one, a success is undone only by a filed case or by what a
follow-up found, late or repeated provider events change nothing, and a case never ends without a record.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from dialer.core.case import (
    STANDING_STATUSES,
    BeforeFiling,
    Case,
    CaseStatus,
    FollowUp,
    Reason,
    RobotState,
    StaffTrackState,
)
from dialer.core.case_draft import CaseDraft
from dialer.core.errors import Conflict
from dialer.core.events import (
    AlarmCode,
    AssignmentReported,
    AssignmentRequested,
    AttemptEnded,
    CallRequested,
    CallsAllowed,
    CaseClosed,
    CaseFiled,
    CaseOpened,
    Effect,
    Event,
    FilingUndone,
    GradeChanged,
    HandOverAnswered,
    HandOverRequested,
    OpenAssignment,
    OptedOut,
    PaymentReported,
    PersonCalledIn,
    PlanAttempt,
    RestoreOutcome,
    ReverseOutcome,
    TimePassed,
    WarningJoined,
    WindowClosed,
)
from dialer.core.follow_up import follow_ups_refused
from dialer.core.policy import Policy, urgency
from dialer.core.rules import (
    assignment_reported,
    attempt_ended,
    grade_changed,
    hand_over,
    hand_over_answered,
    hand_over_requested,
    person_called_in,
    start_tracks,
    time_passed,
    warning_joined,
)
from dialer.core.text import Text
from dialer.core.values import SUCCESSES, Grade, OutcomeKind, Tag, Track


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The case after an event, and the effects to carry out."""

    case: Case
    effects: tuple[Effect, ...]


def decide(case: Case, event: Event, now: datetime, policy: Policy) -> Decision:
    """Decides about `event` at `now` (aware UTC). Raises `Conflict` for an act of a person that is no longer possible;
    any other event that no longer applies leaves the case as it was, without effects.
    """
    draft = CaseDraft(case, now=now, policy=policy)
    _apply(draft, event)
    return Decision(case=draft.case, effects=tuple(draft.effects))


def _apply(draft: CaseDraft, event: Event) -> None:  # noqa: C901, PLR0912  # one arm an event, in one place
    match event:
        case CaseOpened():
            start_tracks(draft)
        case WarningJoined():
            warning_joined(draft, event)
        case AttemptEnded():
            attempt_ended(draft, event)
        case HandOverRequested():
            hand_over_requested(draft, event)
        case HandOverAnswered():
            hand_over_answered(draft)
        case PaymentReported():
            draft.open_stop_payment()
        case PersonCalledIn():
            person_called_in(draft, event)
        case WindowClosed():
            _window_closed(draft, event)
        case TimePassed():
            time_passed(draft, is_at_carrier=event.is_at_carrier)
        case AssignmentReported():
            assignment_reported(draft, event)
        case GradeChanged():
            _must_be_open(draft)
            grade_changed(draft, event.grade)
        case CallRequested():
            _call_requested(draft)
        case AssignmentRequested():
            _assignment_requested(draft, event.track)
        case OptedOut():
            _opted_out(draft)
        case CallsAllowed():
            _calls_allowed(draft)
        case CaseClosed():
            _case_closed(draft, event.outcome)
        case CaseFiled():
            _case_filed(draft)
        case FilingUndone():
            _filing_undone(draft, event.before)
        case _ as never:
            assert_never(never)


def _must_be_open(draft: CaseDraft) -> None:
    if draft.case.status is not CaseStatus.OPEN:
        raise Conflict(
            Text("case %(case)s is no longer open", case=draft.case.id),
            current=f"{draft.case.status}/{draft.case.outcome}",
        )


def _window_closed(draft: CaseDraft, event: WindowClosed) -> None:
    robot = draft.case.robot
    if draft.case.status is not CaseStatus.OPEN or robot.state is not RobotState.PENDING:
        return
    is_later = robot.at is not None and robot.at > draft.now
    if event.n != robot.attempts or draft.policy.window.is_open(draft.now) or is_later:
        return
    if not draft.grade_policy.windowed:
        draft.ensure_person(Reason.OUTSIDE_WINDOW)
    draft.change_robot(at=None, patience_at=None)
    draft.expedite_attempt(reason=Reason.OUTSIDE_WINDOW)


def _call_requested(draft: CaseDraft) -> None:
    _must_be_open(draft)
    if draft.case.opted_out:
        raise Conflict(
            Text("the person of case %(case)s asked not to be called by a robot", case=draft.case.id)
        )
    if draft.case.robot.state is RobotState.PENDING:
        draft.expedite_attempt(reason=Reason.ON_REQUEST)
        return
    number = draft.case.robot.number
    if number in draft.case.robot.dead_numbers:
        following = draft.next_number()
        if following is None:
            raise Conflict(Text("case %(case)s has no number left that can be called", case=draft.case.id))
        number = following
    draft.plan_attempt(after_seconds=0, reason=Reason.ON_REQUEST, number=number)


def _assignment_requested(draft: CaseDraft, track: Track) -> None:
    _must_be_open(draft)
    if track is Track.ROBOT:
        raise Conflict(
            Text("the robot is not staff: request a robot call for case %(case)s instead", case=draft.case.id)
        )
    draft.open_assignment(track, Reason.ON_REQUEST)


def _opted_out(draft: CaseDraft) -> None:
    """No robot calls for this incident again; people take over, as after robot calls that did not reach the person. In
    the watch period there are no more follow-ups.
    """
    if draft.case.status is CaseStatus.WATCHING:
        follow_ups_refused(draft)
        return
    _must_be_open(draft)
    draft.change(opted_out=True)
    draft.stop_robot(Reason.OPTED_OUT)
    hand_over(draft, Reason.OPTED_OUT, OutcomeKind.REFUSES)


def _calls_allowed(draft: CaseDraft) -> None:
    """Nothing begins by it: the next warning is called, and in an open case somebody may ask for a call."""
    if draft.case.status is not CaseStatus.WATCHING:
        _must_be_open(draft)
    if not draft.case.opted_out:
        raise Conflict(Text("the person of case %(case)s has not asked for it", case=draft.case.id))
    draft.change(opted_out=False)


def _case_closed(draft: CaseDraft, outcome: OutcomeKind) -> None:
    """Closes the case. A success is never closed by hand: only a call or a visit reports one."""
    _must_be_open(draft)
    if outcome in SUCCESSES:
        raise Conflict("a success comes from a call or a visit, and is reported there")
    draft.record(outcome, track=None, reason=Reason.CASE_CLOSED)
    draft.close(outcome, Reason.CASE_CLOSED)


def _case_filed(draft: CaseDraft) -> None:
    """Money was lost: a success is reversed, anything else ends as already defrauded. Filing a case again changes
    nothing.
    """
    case = draft.case
    if _is_filed(case):
        return
    succeeded = case.status in STANDING_STATUSES
    if succeeded:
        draft.effects.append(ReverseOutcome(reason=Reason.CASE_FILED))
        draft.alarm(AlarmCode.DEFRAUDED_AFTER_SUCCESS)
    draft.record(OutcomeKind.ALREADY_DEFRAUDED, track=None, reason=Reason.CASE_FILED)
    if not case.status.is_settled:
        draft.stand_down(Reason.CASE_FILED)
    draft.change(
        status=CaseStatus.REVERSED if succeeded else CaseStatus.CLOSED,
        outcome=OutcomeKind.ALREADY_DEFRAUDED,
        watch_until=None,
        follow_up=FollowUp(),
    )


def _is_filed(case: Case) -> bool:
    return case.status is CaseStatus.REVERSED or (
        case.status is CaseStatus.CLOSED and case.outcome is OutcomeKind.ALREADY_DEFRAUDED
    )


def _filing_undone(draft: CaseDraft, before: BeforeFiling) -> None:
    """The case is what it was before it was filed. Calls and assignments that the filing ended are not brought back:
    those that were pending are planned anew. A watch period that is over by now ends when the case is next decided. A
    case that is not filed, or that had ended as already defrauded before, does not change.
    """
    case = draft.case
    if not _is_filed(case) or (before.status, before.outcome) == (case.status, case.outcome):
        return
    draft.effects.append(RestoreOutcome())
    draft.change(status=before.status, outcome=before.outcome, watch_until=before.watch_until)
    if before.status is CaseStatus.WATCHING and before.follow_up.by is not None:
        at = before.follow_up.at or draft.now
        seconds = max(0, int((at - draft.now).total_seconds()))
        draft.schedule_follow_up(before.follow_up.by, after_seconds=seconds, tries=before.follow_up.tries)
    if before.status is CaseStatus.WATCHING:
        _reopen_call_backs(draft, before)
    if before.status is CaseStatus.OPEN:
        draft.change(reopened=True)
        _resume_tracks(draft, before)


def _reopen_call_backs(draft: CaseDraft, before: BeforeFiling) -> None:
    """Opens the call-backs again: a person who called us in the watch period is still called back. The follow-up itself
    begins again when due.
    """
    for track, was in ((Track.HUMAN, before.human), (Track.VISIT, before.visit)):
        if was.state is StaffTrackState.OPEN and was.reason is not Reason.FOLLOW_UP:
            draft.open_assignment(track, was.reason)


def _resume_tracks(draft: CaseDraft, before: BeforeFiling) -> None:
    if before.is_robot_pending and not draft.case.opted_out and not draft.case.missed:
        draft.plan_attempt(after_seconds=0, reason=Reason.FILING_UNDONE)
    for track, was in ((Track.HUMAN, before.human), (Track.VISIT, before.visit)):
        if was.state is StaffTrackState.OPEN:
            draft.open_assignment(track, was.reason)
        elif was.state is StaffTrackState.SCHEDULED and was.at is not None:
            seconds = max(0, int((was.at - draft.now).total_seconds()))
            draft.schedule(track, after_seconds=seconds, reason=was.reason)
    case = draft.case
    if not (case.robot.state is RobotState.PENDING or case.human.is_pending or case.visit.is_pending):
        draft.ask_person(Reason.FILING_UNDONE)


class BulkCaseOpener:
    """Opens many cases at one moment under one policy. Each decision equals that of `decide`, which is called once for
    all cases with the same grade, the same `missed` and the same answer to whether the person is a minor: only the
    place in the queue differs between them.
    """

    def __init__(self, *, now: datetime, policy: Policy) -> None:
        self._now = now
        self._policy = policy
        self._known: dict[tuple[Grade, bool, bool], Decision] = {}

    def decide(self, case: Case) -> Decision:
        """The decision for a new case, to which nothing has happened yet."""
        kind = (case.grade, case.missed, Tag.MINOR in case.tags)
        known = self._known.get(kind)
        if known is None:
            known = self._known[kind] = decide(case, CaseOpened(), self._now, self._policy)
            return known
        at = urgency(case, self._policy.urgency).at
        like = known.case
        opened = replace(case, robot=like.robot, human=like.human, visit=like.visit)
        effects = [
            replace(effect, urgency_at=at) if isinstance(effect, PlanAttempt | OpenAssignment) else effect
            for effect in known.effects
        ]
        return Decision(case=opened, effects=tuple(effects))
