"""The watch period of a success: the follow-up 回访, by robot, caller or officer as the grade's policy says, its
result, and the end of the watch period. `decide` calls these functions through `rules`.

A follow-up either finds nothing, and the success stays provisional, or it opens the case again. If it does not reach
the person it is tried again, then in the policy's next way; the end of the watch period ends it in any case.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from dialer.core.case import CaseStatus, FollowUp, Reason, RobotState, StaffTrackState
from dialer.core.case_draft import CaseDraft
from dialer.core.events import AlarmCode, AssignmentReported, AttemptEnded
from dialer.core.values import (
    SUCCESSES,
    Answer,
    Contact,
    OutcomeKind,
    TelephonyResult,
    Track,
)

UNDOING_ANSWERS: Final = frozenset(
    {Answer.ALREADY_PAID, Answer.IN_CONTACT, Answer.REFUSES, Answer.WANTS_OFFICER}
)
"""Answers in a follow-up call that open the case again."""
UNDOING_OUTCOMES: Final = frozenset(
    {OutcomeKind.ALREADY_DEFRAUDED, OutcomeKind.HALF_BELIEVES, OutcomeKind.REFUSES}
)
"""Outcomes of a follow-up by a caller or an officer that open the case again."""

_WATCH_EXTENSION: Final = timedelta(minutes=15)
"""If a call is under way when the watch period ends, the period is extended by this much at a time until the call is
over.
"""


def watch_passed(draft: CaseDraft, *, is_at_carrier: bool) -> None:
    """Applies everything of the watch period that is due by now; called early, it changes nothing."""
    case = draft.case
    if case.watch_until is not None and case.watch_until <= draft.now:
        if not (is_at_carrier and case.robot.state is RobotState.PENDING):
            _withdraw_follow_up(draft, Reason.WATCH_ENDED)
            draft.change(status=CaseStatus.PROVEN, watch_until=None, follow_up=FollowUp())
            return
        draft.change(watch_until=draft.now + _WATCH_EXTENSION)
    _begin_if_due(draft)
    for track in (Track.HUMAN, Track.VISIT):
        _check_overdue(draft, track)


def follow_ups_refused(draft: CaseDraft) -> None:
    """The person wants no follow-up: what is pending is withdrawn and nothing further is planned. The success stays
    provisional.
    """
    _withdraw_follow_up(draft, Reason.OPTED_OUT)
    draft.change(opted_out=True, follow_up=FollowUp())


def _withdraw_follow_up(draft: CaseDraft, reason: Reason) -> None:
    """Withdraws the call and the assignments of a follow-up."""
    if draft.case.robot.state is RobotState.PENDING:
        draft.stop_robot(reason)
    for track in (Track.HUMAN, Track.VISIT):
        draft.withdraw_assignment(track, reason)


def _begin_if_due(draft: CaseDraft) -> None:
    follow_up = draft.case.follow_up
    if follow_up.by is None or follow_up.at is None or follow_up.at > draft.now:
        return
    if not draft.policy.window.is_open(draft.now):
        draft.schedule_follow_up(follow_up.by, after_seconds=0, tries=follow_up.tries)
        return
    if follow_up.by is not Track.ROBOT:
        draft.change(follow_up=replace(follow_up, at=None))
        draft.open_assignment(follow_up.by, Reason.FOLLOW_UP)
        return
    number = draft.follow_up_number()
    if number is None or draft.case.opted_out:
        _schedule_next_way(draft)
        return
    draft.change(follow_up=replace(follow_up, at=None))
    draft.plan_follow_up_call(number)


def _check_overdue(draft: CaseDraft, track: Track) -> None:
    """Raises an alarm for an assignment of a follow-up that nobody has reported in time; the assignment stays open."""
    assignment = draft.staff_track(track)
    if assignment.state is not StaffTrackState.OPEN or assignment.at is None or assignment.at > draft.now:
        return
    draft.alarm(AlarmCode.HUMAN_OVERDUE if track is Track.HUMAN else AlarmCode.VISIT_OVERDUE)
    due_seconds = draft.grade_policy.due_seconds(track)
    draft.change_staff_track(track, at=draft.now + timedelta(seconds=due_seconds))


def follow_up_call_ended(draft: CaseDraft, event: AttemptEnded) -> None:
    """Applies the end of a follow-up call that did not open the case again. If it did not reach the person, the call is
    repeated or the next way is used.
    """
    match event.result:
        case TelephonyResult.ANSWERED if event.was_cut_off:
            _apply_own_fault(draft)
        case TelephonyResult.ANSWERED:
            _apply_answered(draft, event)
        case TelephonyResult.INVALID_NUMBER:
            _apply_dead_number(draft)
        case TelephonyResult.BLOCKED | TelephonyResult.CANCELED | TelephonyResult.DEAD_AIR:
            _apply_own_fault(draft)
        case TelephonyResult.UNKNOWN:
            draft.alarm(AlarmCode.UNKNOWN_SUBMISSION)
            _schedule_next_way(draft)
        case _:
            _call_again(draft)


def _apply_answered(draft: CaseDraft, event: AttemptEnded) -> None:
    verified = event.contact is Contact.VERIFIED
    match event.answer:
        case Answer.ACKNOWLEDGED | Answer.SAW_THROUGH if verified:
            draft.change(follow_up=FollowUp())
        case Answer.OPT_OUT:
            draft.change(opted_out=True, follow_up=FollowUp())
        case Answer.WRONG_PERSON:
            _apply_dead_number(draft)
        case Answer.LANGUAGE_OR_HEARING:
            _schedule_next_way(draft)
        case _:
            _call_again(draft)


def _call_again(draft: CaseDraft) -> None:
    """The robot calls again, up to the policy's number of calls; then the next way is used."""
    tries = draft.case.follow_up.tries + 1
    draft.change_robot(own_faults=0)
    rules = draft.grade_policy
    if tries < rules.follow_up_tries:
        draft.schedule_follow_up(Track.ROBOT, after_seconds=rules.follow_up_gap_seconds, tries=tries)
    else:
        _schedule_next_way(draft)


def _apply_dead_number(draft: CaseDraft) -> None:
    """Not the person's number: the next one is called at once, and no try is used up."""
    robot = draft.case.robot
    draft.change_robot(dead_numbers=robot.dead_numbers | {robot.number})
    draft.schedule_follow_up(Track.ROBOT, after_seconds=0, tries=draft.case.follow_up.tries)


def _apply_own_fault(draft: CaseDraft) -> None:
    """A fault of ours does not count as a try. After too many in a row the next way is used."""
    faults = draft.case.robot.own_faults + 1
    draft.change_robot(own_faults=faults)
    if faults > draft.policy.max_own_faults:
        draft.alarm(AlarmCode.OWN_FAULTS)
        _schedule_next_way(draft)
        return
    tries = draft.case.follow_up.tries
    draft.schedule_follow_up(Track.ROBOT, after_seconds=draft.policy.requeue_seconds, tries=tries)


def _schedule_next_way(draft: CaseDraft) -> None:
    draft.schedule_follow_up(draft.next_follow_up_way(draft.case.follow_up.by), after_seconds=0)


def follow_up_reported(draft: CaseDraft, event: AssignmentReported) -> None:
    """Applies the report of a caller or an officer on a follow-up that did not open the case again. It is recorded, but
    is not another success; if the person was not reached, the policy's next way is used. A report on an inbound call
    leaves a planned follow-up as it is, unless the call was a success.
    """
    draft.record(event.outcome, track=event.track, reason=Reason.FOLLOW_UP, contact=event.contact)
    if event.outcome in SUCCESSES:
        draft.change(follow_up=FollowUp())
    elif draft.case.follow_up.is_under_way:
        _schedule_next_way(draft)
