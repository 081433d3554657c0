"""What the end of a robot call means: the table of domain terms, as code. Answered is not reached."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from dialer.core.case import WISHES, CaseStatus, Reason, RobotState, StaffTrackState
from dialer.core.case_draft import Draft
from dialer.core.effects import AlarmCode, AssignToDutyDesk
from dialer.core.events import NO_CONTACT, AttemptEnded, HandOverRequested, Reach
from dialer.core.values import Answer, Contact, MessagePurpose, OutcomeKind, Tag, TelephonyResult, Track

_UNSAID = {Reach.SILENT: Reason.SILENT, Reach.VERIFIED: Reason.LEFT_UNANSWERED}
"""Why a call without an answer is followed by another, where more is known than that nobody said who they are."""
_EVERYBODY = 100
"""Per cent."""


def attempt_ended(draft: Draft, event: AttemptEnded) -> None:
    """Applies the end of the newest attempt, once; any other is late news."""
    case = draft.case
    robot = case.robot
    if (
        case.status is not CaseStatus.OPEN
        or robot.state is not RobotState.PENDING
        or event.n != robot.attempts
    ):
        return
    event = _with_wish(event, robot.reason)
    draft.finish_robot(Reason.NONE)
    match event.result:
        case TelephonyResult.ANSWERED:
            _answered(draft, event, asked=robot.reason)
        case TelephonyResult.BUSY:
            _busy(draft)
        case TelephonyResult.FORWARDED | TelephonyResult.MACHINE:
            _not_the_person_s_ear(draft)
        case (
            TelephonyResult.NO_ANSWER
            | TelephonyResult.REJECTED
            | TelephonyResult.POWERED_OFF
            | TelephonyResult.FAILED
        ):
            _count_try(draft)
            draft.message(MessagePurpose.UNREACHABLE)
            _again_or_person(draft, Reason.RETRY)
        case TelephonyResult.INVALID_NUMBER:
            _dead_number(draft, Reason.NO_USABLE_NUMBER)
        case TelephonyResult.BLOCKED | TelephonyResult.CANCELED:
            _own_fault(draft)
        case TelephonyResult.UNKNOWN:
            draft.finish_robot(Reason.UNKNOWN_SUBMISSION)
            draft.alarm(AlarmCode.UNKNOWN_SUBMISSION)
            draft.ask_person(Reason.UNKNOWN_SUBMISSION)
        case _ as never:
            assert_never(never)


def hand_over_requested(draft: Draft, event: HandOverRequested) -> None:
    """A person is looked for while the call still goes on; the ring's reason keeps the wish until the call ends."""
    case = draft.case
    if case.status is not CaseStatus.OPEN or case.robot.state is not RobotState.PENDING:
        return
    wish = Reason.ALREADY_PAID if event.answer is Answer.ALREADY_PAID else Reason.WANTS_OFFICER
    if event.n != case.robot.attempts or case.robot.reason in {wish, Reason.ALREADY_PAID}:
        return
    draft.robot(reason=wish)
    if wish is Reason.ALREADY_PAID:
        draft.has_paid()
    draft.ask_person(wish)


def hand_over_answered(draft: Draft) -> None:
    """Who spoke with the person has the assignment that their wish opened, and is to report what came of it."""
    if draft.case.status is not CaseStatus.OPEN:
        return
    for track in (Track.HUMAN, Track.VISIT):
        assignment = draft.assignment(track)
        if assignment.state is StaffTrackState.OPEN and assignment.reason in WISHES:
            draft.effects.append(AssignToDutyDesk(track=track))
            return


def _with_wish(event: AttemptEnded, reason: Reason) -> AttemptEnded:
    """However the call ended, who asked for an officer or has paid is not rung again and is no success."""
    if event.answer in {Answer.ALREADY_PAID, Answer.OPT_OUT}:
        return event
    if reason is Reason.ALREADY_PAID:
        return replace(event, result=TelephonyResult.ANSWERED, answer=Answer.ALREADY_PAID)
    if reason is Reason.WANTS_OFFICER:
        return replace(event, result=TelephonyResult.ANSWERED, answer=Answer.WANTS_OFFICER)
    return event


def _count_try(draft: Draft) -> None:
    draft.robot(tries=draft.case.robot.tries + 1, own_faults=0)


def _answered(draft: Draft, event: AttemptEnded, *, asked: Reason) -> None:  # noqa: C901, PLR0912  # one arm an answer
    _count_try(draft)
    reached = event.reach is None or event.reach not in NO_CONTACT
    verified = reached and event.contact is Contact.VERIFIED
    if reached and (verified or draft.case.contact is Contact.NONE):
        draft.change(contact=event.contact if event.contact is not Contact.NONE else Contact.UNVERIFIED)
    match event.answer:
        case Answer.ACKNOWLEDGED if verified:
            _success(draft, OutcomeKind.DISSUADED_BY_PHONE)
        case Answer.SAW_THROUGH if verified:
            _success(draft, OutcomeKind.SAW_THROUGH_IT)
        case Answer.ALREADY_PAID:
            if asked is not Reason.ALREADY_PAID:
                draft.has_paid()
            _person(draft, Reason.ALREADY_PAID)
        case Answer.WANTS_OFFICER:
            _person(draft, Reason.WANTS_OFFICER)
        case Answer.DOUBTFUL if verified:
            draft.message(MessagePurpose.AFTER_WARNING)
            _record_and_person(draft, OutcomeKind.HALF_BELIEVES, Reason.DOUBTFUL)
        case Answer.REFUSES:
            _record_and_person(draft, OutcomeKind.REFUSES, Reason.REFUSED)
            if draft.case.grade.is_high:
                draft.open_assignment(Track.VISIT, Reason.REFUSED)
        case Answer.WRONG_PERSON:
            _dead_number(draft, Reason.WRONG_PERSON)
        case Answer.LANGUAGE_OR_HEARING:
            draft.message(MessagePurpose.UNREACHABLE)
            _person(draft, Reason.LANGUAGE_OR_HEARING)
        case Answer.OPT_OUT:
            draft.change(opted_out=True)
            hand_over(draft, Reason.OPTED_OUT, OutcomeKind.REFUSES)
        case Answer.NONE | Answer.ACKNOWLEDGED | Answer.SAW_THROUGH | Answer.DOUBTFUL:
            _nothing_said(draft, event.reach)
        case _ as never:
            assert_never(never)


def _nothing_said(draft: Draft, reach: Reach | None) -> None:
    """Picked up and no answer that counts. Put down before the warning: the robot rings again, and on a high grade a
    person at once beside it, since somebody may be telling them to hang up. Silent all the time: our last words promise
    an officer, and a robot would be met with silence again, so wherever a person rings everybody, one does now.
    """
    if reach is Reach.HUNG_UP_EARLY:
        _again_or_person(draft, Reason.HUNG_UP_EARLY)
        if draft.case.grade.is_high and draft.case.status is CaseStatus.OPEN:
            draft.ensure_person(Reason.HUNG_UP_EARLY)
        return
    if reach is Reach.SILENT:
        draft.message(MessagePurpose.UNREACHABLE)
    if reach is Reach.SILENT and (
        draft.case.grade.is_high or draft.grade_policy.human_sample_percent >= _EVERYBODY
    ):
        hand_over(draft, Reason.SILENT, OutcomeKind.CANNOT_FIND_YET)
    else:
        _again_or_person(draft, _UNSAID.get(reach, Reason.NOT_VERIFIED) if reach else Reason.NOT_VERIFIED)


def _success(draft: Draft, outcome: OutcomeKind) -> None:
    """Of somebody under age none yet: the guardian is still to be told."""
    if Tag.MINOR in draft.case.tags:
        _person(draft, Reason.MINOR)
        return
    draft.message(MessagePurpose.AFTER_WARNING)
    draft.record(outcome, track=Track.ROBOT, reason=Reason.VERIFIED_SUCCESS)
    draft.succeed(outcome, Reason.VERIFIED_SUCCESS)


def _person(draft: Draft, reason: Reason) -> None:
    draft.finish_robot(reason)
    draft.ask_person(reason)


def _record_and_person(draft: Draft, outcome: OutcomeKind, reason: Reason) -> None:
    draft.record(outcome, track=Track.ROBOT, reason=reason)
    draft.change(outcome=outcome)
    _person(draft, reason)


def _busy(draft: Draft) -> None:
    """On a high grade the person is probably talking to the scammer: ring on, and people at once."""
    _count_try(draft)
    if not draft.case.grade.is_high:
        _again_or_person(draft, Reason.RETRY)
        return
    draft.message(MessagePurpose.UNREACHABLE)
    draft.ask_person(Reason.BUSY_ON_HIGH)
    draft.open_assignment(Track.VISIT, Reason.BUSY_ON_HIGH)
    if draft.case.robot.tries < draft.grade_policy.robot_tries:
        draft.ring(after_seconds=draft.policy.busy_retry_seconds, reason=Reason.BUSY_ON_HIGH)


def _not_the_person_s_ear(draft: Draft) -> None:
    """Forwarded, an assistant, voicemail: no contact, and scammers set forwarding. People take over."""
    _count_try(draft)
    draft.message(MessagePurpose.UNREACHABLE)
    _person(draft, Reason.FORWARDED_OR_MACHINE)
    if draft.case.grade.is_high:
        draft.open_assignment(Track.VISIT, Reason.FORWARDED_OR_MACHINE)


def _again_or_person(draft: Draft, reason: Reason) -> None:
    if draft.case.missed:
        hand_over(draft, Reason.EXPIRED, OutcomeKind.MISSED)
        return
    robot = draft.case.robot
    if robot.tries < draft.grade_policy.robot_tries:
        number = draft.next_number()
        if number is not None:
            draft.ring(after_seconds=draft.grade_policy.robot_gap_seconds, reason=reason, number=number)
            return
    hand_over(draft, Reason.ROBOT_TRIES_USED, OutcomeKind.CANNOT_FIND_YET)


def hand_over(draft: Draft, reason: Reason, outcome: OutcomeKind) -> None:
    """The robot is done without success: a person rings now, or, of a grade where only a sample is rung, the case ends
    with `outcome`, which no rate counts as reached. A high grade is never left to the sample.
    """
    draft.finish_robot(reason)
    percent = draft.grade_policy.human_sample_percent
    if draft.case.grade.is_high or percent >= _EVERYBODY:
        draft.ensure_person(reason)
    elif draft.case.id % _EVERYBODY < percent:
        draft.ensure_person(Reason.SAMPLE)
    if draft.case.human.is_pending or draft.case.visit.is_pending:
        return
    if draft.case.grade.is_high:
        draft.alarm(AlarmCode.CANNOT_FIND)
    no_person_yet = draft.case.human.state is StaffTrackState.NONE
    why = Reason.NOT_IN_SAMPLE if no_person_yet and reason is Reason.ROBOT_TRIES_USED else reason
    track = None if outcome is OutcomeKind.MISSED else Track.ROBOT
    draft.record(outcome, track=track, reason=why)
    draft.close(outcome, why)


def _dead_number(draft: Draft, reason: Reason) -> None:
    """Not the person's number: the next one is rung at once; none left, the record goes back or people go."""
    robot = draft.case.robot
    draft.robot(dead_numbers=robot.dead_numbers | {robot.number})
    number = draft.next_number()
    if number is not None:
        draft.ring(after_seconds=0, reason=Reason.NEXT_NUMBER, number=number)
        return
    draft.finish_robot(reason)
    if draft.case.grade.is_high:
        draft.ask_person(reason)
        draft.open_assignment(Track.VISIT, reason)
        return
    if draft.grade_policy.visit_when_human_fails:
        draft.ensure_person(reason)
    if not draft.case.human.is_pending and not draft.case.visit.is_pending:
        draft.record(OutcomeKind.MISMATCH, track=Track.ROBOT, reason=reason)
        draft.close(OutcomeKind.MISMATCH, reason)


def _own_fault(draft: Draft) -> None:
    """Costs the target no try; too many in a row and a person is asked instead of the line."""
    faults = draft.case.robot.own_faults + 1
    draft.robot(own_faults=faults)
    if faults > draft.policy.max_own_faults:
        draft.alarm(AlarmCode.OWN_FAULTS)
        _person(draft, Reason.OWN_FAULT)
        return
    draft.ring(after_seconds=draft.policy.requeue_seconds, reason=Reason.OWN_FAULT)
