"""What silence and the reports of callers and officers do to a case."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from dialer.core.call_rules import hand_over
from dialer.core.case import CaseStatus, Reason, RobotState, StaffTrackState
from dialer.core.case_draft import Draft
from dialer.core.effects import AlarmCode
from dialer.core.errors import Conflict
from dialer.core.events import AssignmentReported
from dialer.core.values import Contact, OutcomeKind, Track
from dialer.language import Text

SUCCESSES = frozenset(
    {OutcomeKind.DISSUADED_BY_PHONE, OutcomeKind.DISSUADED_IN_PERSON, OutcomeKind.SAW_THROUGH_IT}
)
"""Outcomes that start the watch period."""

_ENDS = frozenset(
    {OutcomeKind.ALREADY_DEFRAUDED, OutcomeKind.DUPLICATE, OutcomeKind.TRANSFERRED, OutcomeKind.MISSED}
)
"""Outcomes that end a case on any track."""


def time_passed(draft: Draft, *, is_at_carrier: bool) -> None:
    """Applies everything that is due by now; called early, it changes nothing."""
    case = draft.case
    if case.status is CaseStatus.WATCHING:
        if case.watch_until is not None and case.watch_until <= draft.now:
            draft.change(status=CaseStatus.PROVEN, watch_until=None)
        return
    if case.status is not CaseStatus.OPEN:
        return
    _expiry(draft, is_at_carrier=is_at_carrier)
    _patience(draft, is_at_carrier=is_at_carrier)
    _assignment_due(draft, Track.HUMAN)
    _assignment_due(draft, Track.VISIT)


def _expiry(draft: Draft, *, is_at_carrier: bool) -> None:
    """A warning that expired before verified contact is missed: it goes to people as after an unsuccessful robot. A
    call that is under way is not cut off: its end decides.
    """
    case = draft.case
    if case.missed or case.expires_at is None or case.expires_at > draft.now:
        return
    if case.contact is Contact.VERIFIED:
        return
    draft.change(missed=True)
    if case.grade.is_high:
        draft.alarm(AlarmCode.MISSED_WARNING)
    if is_at_carrier and draft.case.robot.state is RobotState.PENDING:
        return
    draft.stop_robot(Reason.EXPIRED)
    hand_over(draft, Reason.EXPIRED, OutcomeKind.MISSED)


def _patience(draft: Draft, *, is_at_carrier: bool) -> None:
    robot = draft.case.robot
    if robot.state is not RobotState.PENDING or robot.patience_at is None or robot.patience_at > draft.now:
        return
    again = timedelta(seconds=draft.grade_policy.robot_patience_seconds)
    draft.robot(patience_at=draft.policy.window.next_open(draft.now) + again)
    if is_at_carrier:
        return
    draft.alarm(AlarmCode.WAITED_TOO_LONG)
    draft.ensure_person(Reason.WAITED_TOO_LONG)


def _assignment_due(draft: Draft, track: Track) -> None:
    assignment = draft.assignment(track)
    if not assignment.is_pending or assignment.at is None or assignment.at > draft.now:
        return
    if assignment.state is StaffTrackState.SCHEDULED:
        draft.open_assignment(track, assignment.reason)
        return
    draft.alarm(AlarmCode.HUMAN_OVERDUE if track is Track.HUMAN else AlarmCode.VISIT_OVERDUE)
    rules = draft.grade_policy
    again = rules.human_due_seconds if track is Track.HUMAN else rules.visit_due_seconds
    draft.with_track(track, replace(assignment, at=draft.now + timedelta(seconds=again)))
    if track is Track.HUMAN and rules.visit_when_human_fails:
        draft.open_assignment(Track.VISIT, Reason.HUMAN_OVERDUE)


def assignment_reported(draft: Draft, event: AssignmentReported) -> None:
    """Records the report and moves the case on. Raises `Conflict` when the assignment is not open, and for a success
    without the verified contact of the right person.
    """
    case = draft.case
    assignment = draft.assignment(event.track)
    is_open = case.status is CaseStatus.OPEN and assignment.state is StaffTrackState.OPEN
    if event.track is Track.ROBOT or not is_open:
        raise Conflict(
            Text("case %(case)s has no open %(track)s assignment", case=case.id, track=event.track),
            current=f"{case.status}/{case.outcome}",
        )
    if event.outcome in SUCCESSES and event.contact is not Contact.VERIFIED:
        raise Conflict("a success needs the verified contact of the right person")
    draft.with_track(
        event.track, replace(assignment, state=StaffTrackState.DONE, at=None, reason=Reason.NONE)
    )
    if event.contact is Contact.VERIFIED or case.contact is Contact.NONE:
        draft.change(contact=event.contact)
    draft.record(event.outcome, track=event.track, reason=Reason.NONE, contact=event.contact)
    if event.outcome in SUCCESSES:
        draft.succeed(event.outcome, Reason.VERIFIED_SUCCESS)
    elif event.outcome in _ENDS:
        if event.outcome is OutcomeKind.ALREADY_DEFRAUDED:
            draft.alarm(AlarmCode.ALREADY_PAID)
        draft.close(event.outcome, Reason.CASE_CLOSED)
    elif event.track is Track.HUMAN:
        _human_failed(draft, event.outcome)
    else:
        _visit_failed(draft, event.outcome)


def _human_failed(draft: Draft, outcome: OutcomeKind) -> None:
    """After an unsuccessful human call an officer goes, where the grade has that or a visit is scheduled anyway. When
    nobody answered the caller, the robot's tries go on beside that.
    """
    draft.change(outcome=outcome)
    visit = draft.case.visit
    sends_officer = draft.grade_policy.visit_when_human_fails and visit.state is StaffTrackState.NONE
    if sends_officer or visit.is_pending:
        draft.open_assignment(Track.VISIT, Reason.HUMAN_FAILED)
    if outcome is OutcomeKind.CANNOT_FIND_YET and draft.case.robot.state is RobotState.PENDING:
        return
    draft.stop_robot(Reason.HUMAN_FAILED)
    if not draft.case.visit.is_pending:
        if outcome is OutcomeKind.CANNOT_FIND:
            draft.alarm(AlarmCode.CANNOT_FIND)
        draft.close(outcome, Reason.HUMAN_FAILED)


def _visit_failed(draft: Draft, outcome: OutcomeKind) -> None:
    """Not found yet: another visit later, up to the policy's number. A wrong person lets calls under way go on.
    Anything else closes the case, with an alarm when the person refused or cannot be found.
    """
    draft.change(outcome=outcome)
    assignment = draft.case.visit
    if outcome is OutcomeKind.CANNOT_FIND_YET and assignment.tries < draft.policy.visit_tries:
        draft.schedule(Track.VISIT, after_seconds=draft.policy.visit_retry_seconds, reason=Reason.VISIT_AGAIN)
        return
    on_the_phone = draft.case.human.is_pending or draft.case.robot.state is RobotState.PENDING
    if outcome in {OutcomeKind.NOT_THE_PERSON, OutcomeKind.MISMATCH} and on_the_phone:
        return
    if outcome in {OutcomeKind.CANNOT_FIND_YET, OutcomeKind.CANNOT_FIND}:
        draft.alarm(AlarmCode.CANNOT_FIND)
        draft.close(OutcomeKind.CANNOT_FIND, Reason.CASE_CLOSED)
        return
    if outcome in {OutcomeKind.REFUSES, OutcomeKind.HALF_BELIEVES}:
        draft.alarm(AlarmCode.REFUSED_IN_PERSON)
    draft.close(outcome, Reason.CASE_CLOSED)
